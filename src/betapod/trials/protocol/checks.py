"""Cross-field checks of a protocol: references to names, units that depend on a quantity, numbers that must agree.

They work on plain values, so that they run however much else is wrong with the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...base.config import Document, Where, read_quantity
from ...base.errors import BetapodError, Problem
from ...observables.quantities import (
    CHARACTERISTICS,
    code_of,
    known_codes,
    label_of,
    observable_unit,
    visit_observables,
)
from .conduct_checks import check_duplicates, check_endpoints, conducted
from .key_checks import idle
from .look_checks import check_looks
from .run_cost import costs
from .value_checks import booleans, check_sizes, day_of, list_of, mapping_of, possible, short, texts, unknown, valued


def across(document: Document) -> Iterator[Problem]:
    """Yield the problems of a protocol across its fields."""
    data = document.data
    yield from texts(document)
    yield from booleans(document)
    yield from check_sizes(document)
    yield from _criteria(document, mapping_of(data, "eligibility"), ("eligibility",))
    confirmed = mapping_of(mapping_of(data, "population"), "confirmed")
    yield from _criteria(document, confirmed, ("population", "confirmed"))
    yield from _confirmable(document, confirmed)
    for name, stratum in mapping_of(data, "strata").items():
        yield from _criteria(document, mapping_of(stratum, "where"), ("strata", name, "where"))
    yield from _quotas(document)
    yield from _arms(document)
    yield from _visits(document)
    yield from _measurements(document)
    yield from conducted(document)
    yield from check_endpoints(document)
    yield from check_looks(document)
    yield from check_duplicates(document)
    yield from idle(document)
    yield from costs(document)


def _criteria(document: Document, criteria: dict[str, Any], where: Where) -> Iterator[Problem]:
    for name, bounds in criteria.items():
        code, here = code_of(name), (*where, name)
        if code not in known_codes():
            yield unknown(document, "quantity", name, [*known_codes(), "eGFR", "HbA1c"], here, True)
            continue
        if not isinstance(bounds, dict):
            continue
        values = []
        for side in ("min", "max"):
            if bounds.get(side) is not None:
                wrong = list(valued(document, bounds[side], code, (*here, side), f"{name} {side}"))
                yield from wrong or possible(document, name, bounds[side], (*here, side))
                if not wrong:
                    unit = observable_unit(code)
                    values.append(read_quantity(bounds[side], unit, label_of(code), bare=unit == "1"))
        if not {"min", "max"} & set(bounds):
            yield document.problem("missing-key", f"{name} has no bounds", here, True, expected="min, max or both")
        if len(values) == 2 and not values[0] <= values[1]:
            yield document.problem(
                "empty-range",
                f"the bounds of {name} exclude every value",
                here,
                True,
                found=f"{bounds['min']} to {bounds['max']}",
            )


def _confirmable(document: Document, confirmed: dict[str, Any]) -> Iterator[Problem]:
    """Find confirmed diagnoses based on quantities that are not recorded before the trial."""
    from ..conduct.prescreening import TRUE

    for name in confirmed:
        code = code_of(name)
        if code in known_codes() and code not in TRUE and code not in CHARACTERISTICS:
            yield document.problem(
                "unknown-before",
                f"{name} is not recorded in patients before the trial",
                ("population", "confirmed", name),
                True,
                expected=", ".join((*TRUE, *CHARACTERISTICS)),
                hint="Judge it at screening: put it under eligibility.",
            )


def _quotas(document: Document) -> Iterator[Problem]:
    strata = mapping_of(document.data, "strata")
    if "all" in strata:
        yield document.problem(
            "reserved-name",
            "'all' means all patients together and cannot be the name of a stratum",
            ("strata", "all"),
            True,
        )
    quotas = {name: s.get("patients") for name, s in strata.items() if isinstance(s, dict)}
    with_quota = [name for name, quota in quotas.items() if quota is not None]
    if with_quota and len(with_quota) < len(quotas):
        without = next(name for name in quotas if name not in with_quota)
        yield document.problem(
            "missing-key",
            f"stratum {without!r} has no number of patients, others have",
            ("strata", without),
            True,
            expected="patients in all strata or in none",
        )
    total = document.data.get("patients")
    numbers: list[int] = [quota for quota in quotas.values() if isinstance(quota, int)]
    if len(numbers) == len(quotas) and numbers and isinstance(total, int) and sum(numbers) != total:
        yield document.problem(
            "wrong-sum",
            "the strata do not add up to the patients",
            ("patients",),
            found=f"{' + '.join(map(str, numbers))} = {sum(numbers)}",
            expected=str(total),
        )


def _arms(document: Document) -> Iterator[Problem]:
    arms = mapping_of(document.data, "arms")
    used: set[str] = set()
    for name, design in mapping_of(document.data, "designs").items():
        allocated = mapping_of(design, "arms")
        used |= set(allocated)
        for arm in allocated:
            if arm not in arms:
                yield unknown(document, "arm", arm, arms, ("designs", name, "arms", arm), True)
        randomisation = design.get("randomisation") if isinstance(design, dict) else None
        block = randomisation.get("block") if isinstance(randomisation, dict) else None
        yield from _empty_arms(document, name, design, allocated)
        shares = [share for share in allocated.values() if isinstance(share, int) and share > 0]
        if isinstance(block, int) and shares and block % sum(shares):
            yield document.problem(
                "wrong-block",
                "the block size must be a multiple of the allocation ratio's sum",
                ("designs", name, "randomisation", "block"),
                found=str(block),
                expected=f"a multiple of {sum(shares)}",
            )
    for name in arms:
        if used and name not in used:
            yield document.problem("unused-arm", f"no design has the arm {name!r}", ("arms", name), True)
        yield from _inputs(document, name, mapping_of(arms[name], "inputs"))
        yield from _infused_like(document, name, arms)


def _infused_like(document: Document, name: str, arms: dict[str, Any]) -> Iterator[Problem]:
    """Find placebo infusions that imitate no cells."""
    arm = arms[name] if isinstance(arms[name], dict) else {}
    like, where = arm.get("infusions_like"), ("arms", name, "infusions_like")
    if not isinstance(like, str):  # the type of what is there is checked with the other keys
        return
    with_cells = [other for other, item in arms.items() if isinstance(item, dict) and item.get("cells")]
    if arm.get("cells"):
        yield document.problem(
            "useless-key",
            "infusions_like has no effect: the arm has infusions of cells",
            where,
            True,
            expected="infusions_like in an arm without cells",
        )
    elif like not in arms:
        yield unknown(document, "arm", str(like), with_cells, where)
    elif like not in with_cells:
        yield document.problem(
            "no-cells",
            f"the arm {like!r} has no cells whose infusions could be imitated",
            where,
            found=str(like),
            expected=", ".join(with_cells) or "an arm with cells",
        )


def _empty_arms(document: Document, name: str, design: Any, allocated: dict[str, Any]) -> Iterator[Problem]:
    """Find arms that would stay empty in most trials: less than one patient is expected in them."""
    design_patients = design.get("patients") if isinstance(design, dict) else None
    patients = design_patients if design_patients is not None else document.data.get("patients")
    shares = list(allocated.values())
    if not all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in (patients, *shares)):
        return
    assert isinstance(patients, int)
    total_shares = sum(shares)
    for arm, share in allocated.items():
        if patients * share < total_shares:
            yield document.problem(
                "empty-arm",
                f"the arm {arm!r} would get less than one of {short(patients)} patients",
                ("designs", name, "arms", arm),
                found=f"{short(share)} of {short(total_shares)}",
                expected="at least one patient in every arm",
                hint="Change the ratio, or enrol more patients.",
            )


def _inputs(document: Document, arm: str, inputs: dict[str, Any]) -> Iterator[Problem]:
    if not inputs:
        return
    from ...physiology import whole_body

    rows = whole_body.named_model("reference").inputs
    for name, value_text in inputs.items():
        where = ("arms", arm, "inputs", name)
        if name not in rows:
            yield unknown(document, "input", name, rows, where, True)
            continue
        row = rows[name]
        try:
            value = read_quantity(value_text, row.unit, row.label, row.unit == "1", subject=f"{arm} {name}")
        except BetapodError as error:
            yield from (document.moved(problem, where) for problem in error.problems)
            continue
        if not row.low <= value <= row.high:
            span = f"{row.low:g} to {row.high:g} {row.unit}"
            yield document.problem(
                "out-of-range", f"{name} is implausible", where, found=str(value_text), expected=span
            )


def _visits(document: Document) -> Iterator[Problem]:
    visits = list_of(document.data, "visits")
    first_of_name: dict[str, int] = {}
    last: float | None = None
    days = []
    for i, visit in enumerate(visits):
        if not isinstance(visit, dict):
            continue
        name = visit.get("name")
        if isinstance(name, str):
            if name in first_of_name:
                yield document.problem("duplicate-name", f"there are two visits {name!r}", ("visits", i, "name"))
            first_of_name[name] = i
        day = day_of(visit.get("day"))
        if day is None:
            continue
        days.append(day)
        if last is not None and day <= last:
            yield document.problem(
                "wrong-order", "visits must be in order of time", ("visits", i, "day"), found=str(visit["day"])
            )
        last = day
    readable = len(days) == len(visits)
    if readable and days and 0.0 not in days:
        yield document.problem(
            "missing-visit", "there is no visit on the day of enrolment", ("visits",), True, expected="day: 0 day"
        )
    if readable and days and max(days) <= 0:
        yield document.problem("missing-visit", "there is no visit after enrolment", ("visits",), True)
    for i, visit in enumerate(visits):
        window = day_of(visit.get("window", 0)) if isinstance(visit, dict) else None
        day = day_of(visit.get("day")) if isinstance(visit, dict) else None
        if window is None or day is None or not window:
            continue
        if day == 0:
            yield document.problem("wrong-window", "the visit of enrolment has no window", ("visits", i, "window"))
        others = [abs(other - day) for other in days if other != day]
        if others and window > min(others) / 2:
            yield document.problem(
                "wrong-window",
                "the window reaches beyond half the interval to the next visit",
                ("visits", i, "window"),
                found=str(visit["window"]),
                expected=f"at most {min(others) / 2:g} day",
            )


def _measurements(document: Document) -> Iterator[Problem]:
    measured = mapping_of(document.data, "measurements")
    codes = {code_of(name) for name in measured}
    for name in measured:
        if code_of(name) not in visit_observables():
            yield unknown(document, "quantity", name, visit_observables(), ("measurements", name), True)
    needed: list[tuple[Where, str]] = [(("eligibility", n), n) for n in mapping_of(document.data, "eligibility")]
    for stratum, content in mapping_of(document.data, "strata").items():
        needed += [(("strata", stratum, "where", n), n) for n in mapping_of(content, "where")]
    for where, name in needed:
        if code_of(name) in visit_observables() and code_of(name) not in codes and measured:
            yield document.problem(
                "not-measured",
                f"{name} is used for eligibility or strata but not measured",
                where,
                True,
                hint="Add it to measurements.",
            )
