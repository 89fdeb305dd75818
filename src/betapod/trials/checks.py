"""Checks across a protocol: names that must exist elsewhere in it, units that depend on a name, numbers that must fit together.

They work on plain values, so that they run however much else is wrong with the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..config import Document, Where, quantity
from ..errors import BetapodError, Problem, did_you_mean
from .quantities import code_of, known_codes, label_of, quantities, unit_of


def across(document: Document) -> Iterator[Problem]:
    """Return what is wrong with a protocol as a whole."""
    data = document.data
    yield from _criteria(document, _mapping(data, "eligibility"), ("eligibility",))
    confirmed = _mapping(_mapping(data, "population"), "confirmed")
    yield from _criteria(document, confirmed, ("population", "confirmed"))
    for name, stratum in _mapping(data, "strata").items():
        yield from _criteria(document, _mapping(stratum, "where"), ("strata", name, "where"))
    yield from _quotas(document)
    yield from _arms(document)
    yield from _visits(document)
    yield from _measurements(document)
    yield from _conduct(document)
    yield from _endpoints(document)


def _mapping(data: Any, key: str) -> dict[str, Any]:
    found = data.get(key) if isinstance(data, dict) else None
    return found if isinstance(found, dict) else {}


def _list(data: Any, key: str) -> list[Any]:
    found = data.get(key) if isinstance(data, dict) else None
    return found if isinstance(found, list) else []


def _unknown(
    document: Document, what: str, name: Any, known: Iterable[str], where: Where, key: bool = False
) -> Problem:
    names = [str(each) for each in known]
    return document.problem(
        f"unknown-{what}",
        f"there is no {what} {name!r}",
        where,
        key,
        expected=", ".join(names),
        hint=did_you_mean(str(name), names),
    )


def _value(document: Document, given: Any, code: str, where: Where) -> Iterator[Problem]:
    """Check that a quantity has a unit that fits a PARAMCD."""
    unit = unit_of(code)
    try:
        quantity(given, unit, label_of(code), bare=unit == "1")
    except BetapodError as error:
        for problem in error.problems:
            yield document.moved(problem, where)


def _criteria(document: Document, criteria: dict[str, Any], where: Where) -> Iterator[Problem]:
    for name, bounds in criteria.items():
        code, here = code_of(name), (*where, name)
        if code not in known_codes():
            yield _unknown(document, "quantity", name, [*known_codes(), "eGFR", "HbA1c"], here, True)
            continue
        if not isinstance(bounds, dict):
            continue
        values = []
        for side in ("min", "max"):
            if bounds.get(side) is not None:
                wrong = list(_value(document, bounds[side], code, (*here, side)))
                yield from wrong
                if not wrong:
                    unit = unit_of(code)
                    values.append(quantity(bounds[side], unit, label_of(code), bare=unit == "1"))
        if not {"min", "max"} & set(bounds):
            yield document.problem("missing-key", f"{name} has no bounds", here, True, expected="min, max or both")
        if len(values) == 2 and not values[0] <= values[1]:
            yield document.problem(
                "empty-range", f"no {name} can be that", here, True, found=f"{bounds['min']} to {bounds['max']}"
            )


def _quotas(document: Document) -> Iterator[Problem]:
    strata = _mapping(document.data, "strata")
    given = {name: s.get("patients") for name, s in strata.items() if isinstance(s, dict)}
    with_quota = [name for name, quota in given.items() if quota is not None]
    if with_quota and len(with_quota) < len(given):
        without = next(name for name in given if name not in with_quota)
        yield document.problem(
            "missing-key",
            f"stratum {without!r} has no number of patients, others have",
            ("strata", without),
            True,
            expected="patients in all strata or in none",
        )
    total = document.data.get("patients")
    numbers: list[int] = [quota for quota in given.values() if isinstance(quota, int)]
    if len(numbers) == len(given) and numbers and isinstance(total, int) and sum(numbers) != total:
        yield document.problem(
            "wrong-sum",
            "the strata do not add up to the patients",
            ("patients",),
            found=f"{' + '.join(map(str, numbers))} = {sum(numbers)}",
            expected=str(total),
        )


def _arms(document: Document) -> Iterator[Problem]:
    arms = _mapping(document.data, "arms")
    used: set[str] = set()
    for name, design in _mapping(document.data, "designs").items():
        allocated = _mapping(design, "arms")
        used |= set(allocated)
        for arm in allocated:
            if arm not in arms:
                yield _unknown(document, "arm", arm, arms, ("designs", name, "arms", arm), True)
        randomisation = design.get("randomisation") if isinstance(design, dict) else None
        block = randomisation.get("block") if isinstance(randomisation, dict) else None
        shares = [share for share in allocated.values() if isinstance(share, int) and share > 0]
        if isinstance(block, int) and shares and block % sum(shares):
            yield document.problem(
                "wrong-block",
                "a block must hold the allocation ratio a whole number of times",
                ("designs", name, "randomisation", "block"),
                found=str(block),
                expected=f"a multiple of {sum(shares)}",
            )
    for name in arms:
        if used and name not in used:
            yield document.problem("unused-arm", f"no design has the arm {name!r}", ("arms", name), True)
        yield from _inputs(document, name, _mapping(arms[name], "inputs"))


def _inputs(document: Document, arm: str, inputs: dict[str, Any]) -> Iterator[Problem]:
    if not inputs:
        return
    from ..physiology import whole_body

    rows = whole_body.model("reference").inputs
    for name, given in inputs.items():
        where = ("arms", arm, "inputs", name)
        if name not in rows:
            yield _unknown(document, "input", name, rows, where, True)
            continue
        row = rows[name]
        try:
            value = quantity(given, row.unit, row.label, bare=row.unit == "1")
        except BetapodError as error:
            yield from (document.moved(problem, where) for problem in error.problems)
            continue
        if not row.low <= value <= row.high:
            span = f"{row.low:g} to {row.high:g} {row.unit}"
            yield document.problem("out-of-range", f"{name} is implausible", where, found=str(given), expected=span)


def _day(given: Any) -> float | None:
    try:
        return quantity(given, "day")
    except BetapodError:
        return None


def _visits(document: Document) -> Iterator[Problem]:
    visits = _list(document.data, "visits")
    seen: dict[str, int] = {}
    last: float | None = None
    days = []
    for i, visit in enumerate(visits):
        if not isinstance(visit, dict):
            continue
        name = visit.get("name")
        if isinstance(name, str):
            if name in seen:
                yield document.problem("duplicate-name", f"there are two visits {name!r}", ("visits", i, "name"))
            seen[name] = i
        day = _day(visit.get("day"))
        if day is None:
            continue
        days.append(day)
        if last is not None and day <= last:
            yield document.problem(
                "wrong-order", "visits must follow each other", ("visits", i, "day"), found=str(visit["day"])
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
        window = _day(visit.get("window", 0)) if isinstance(visit, dict) else None
        day = _day(visit.get("day")) if isinstance(visit, dict) else None
        if window is None or day is None or not window:
            continue
        if day == 0:
            yield document.problem("wrong-window", "the visit of enrolment has no window", ("visits", i, "window"))
        others = [abs(other - day) for other in days if other != day]
        if others and window > min(others) / 2:
            yield document.problem(
                "wrong-window",
                "the window reaches past half the way to the next visit",
                ("visits", i, "window"),
                found=str(visit["window"]),
                expected=f"at most {min(others) / 2:g} day",
            )


def _measurements(document: Document) -> Iterator[Problem]:
    measured = _mapping(document.data, "measurements")
    codes = {code_of(name) for name in measured}
    for name in measured:
        if code_of(name) not in quantities():
            yield _unknown(document, "quantity", name, quantities(), ("measurements", name), True)
    needed: list[tuple[Where, str]] = [(("eligibility", n), n) for n in _mapping(document.data, "eligibility")]
    for stratum, content in _mapping(document.data, "strata").items():
        needed += [(("strata", stratum, "where", n), n) for n in _mapping(content, "where")]
    for where, name in needed:
        if code_of(name) in quantities() and code_of(name) not in codes and measured:
            yield document.problem(
                "not-measured", f"{name} is judged but not measured", where, True, hint="Add it to measurements."
            )


def _measured_code(document: Document, entry: Any, where: Where) -> tuple[str | None, list[Problem]]:
    name = entry.get("quantity") if isinstance(entry, dict) else None
    if not isinstance(name, str):
        return None, []
    measured = _mapping(document.data, "measurements")
    code = code_of(name)
    if code not in quantities():
        return None, [_unknown(document, "quantity", name, quantities(), (*where, "quantity"))]
    if code not in {code_of(each) for each in measured}:
        return None, [
            document.problem(
                "not-measured",
                f"{name} is not measured in this trial",
                (*where, "quantity"),
                expected=", ".join(map(str, measured)),
                hint="Add it to measurements.",
            )
        ]
    return code, []


def _conduct(document: Document) -> Iterator[Problem]:
    conduct = _mapping(document.data, "conduct")
    arms = _mapping(document.data, "arms")
    for i, effect in enumerate(_list(conduct, "effects")):
        where: Where = ("conduct", "effects", i)
        code, problems = _measured_code(document, effect, where)
        yield from problems
        if not isinstance(effect, dict):
            continue
        if ("change" in effect) == ("factor" in effect):
            yield document.problem(
                "wrong-effect", "an effect is either a change or a factor", where, expected="change or factor"
            )
        if code is not None:
            needed = "factor" if quantities()[code].scale == "log" else "change"
            other = "change" if needed == "factor" else "factor"
            if other in effect and needed not in effect:
                yield document.problem(
                    "wrong-effect",
                    f"an effect on {effect['quantity']} is a {needed}",
                    (*where, other),
                    True,
                    expected=needed,
                )
            elif "change" in effect:
                yield from _value(document, effect["change"], code, (*where, "change"))
        for k, arm in enumerate(_list(effect, "arms")):
            if arm not in arms:
                yield _unknown(document, "arm", arm, arms, (*where, "arms", k))
    for i, rescue in enumerate(_list(conduct, "rescue")):
        where = ("conduct", "rescue", i)
        code, problems = _measured_code(document, rescue, where)
        yield from problems
        if not isinstance(rescue, dict):
            continue
        if ("above" in rescue) == ("below" in rescue):
            yield document.problem("missing-key", "rescue needs one bound", where, expected="above or below")
        for side in ("above", "below"):
            if code is not None and side in rescue:
                yield from _value(document, rescue[side], code, (*where, side))


def _endpoints(document: Document) -> Iterator[Problem]:
    endpoints = _mapping(document.data, "endpoints")
    visits = [
        v["name"] for v in _list(document.data, "visits") if isinstance(v, dict) and isinstance(v.get("name"), str)
    ]
    entries: list[tuple[Where, Any]] = [(("endpoints", "primary"), endpoints.get("primary"))]
    entries += [(("endpoints", "secondary", i), entry) for i, entry in enumerate(_list(endpoints, "secondary"))]
    for where, entry in entries:
        code, problems = _measured_code(document, entry, where)
        yield from problems
        if not isinstance(entry, dict):
            continue
        if entry.get("at") and visits and entry["at"] not in visits:
            yield _unknown(document, "visit", entry["at"], visits, (*where, "at"))
        if entry.get("summary") in ("responders", "time to event") and not {"threshold", "percent"} & set(entry):
            yield document.problem(
                "missing-key", "what makes a responder or event?", where, True, expected="threshold or percent"
            )
        if code is not None and entry.get("threshold") is not None:
            yield from _value(document, entry["threshold"], code, (*where, "threshold"))
