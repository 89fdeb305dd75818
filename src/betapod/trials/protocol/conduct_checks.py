"""Consistency checks of trial conduct and endpoints: co-medication, trial effects, rescue, duplicate names."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from ...base.config import Document, Where
from ...base.errors import BetapodError, Problem
from ...observables.quantities import code_of, known_codes, observable_unit, visit_observables
from ..conduct.trial_effects import effect_spread
from .analysis_checks import check_multiplicity
from .endpoint_checks import endpoint, outcome_keys
from .endpoint_keys import trial_outcome, trial_outcomes
from .value_checks import LARGEST_FACTOR, POSSIBLE, day_of, list_of, mapping_of, possible, short, unknown, valued


def check_duplicates(document: Document) -> Iterator[Problem]:
    """Find duplicate scenarios, and quantities listed under two names."""
    scenarios: set[Any] = set()
    for i, name in enumerate(list_of(document.data, "scenarios")):
        if isinstance(name, str) and name in scenarios:
            yield document.problem("duplicate-name", f"the scenario {name!r} is given twice", ("scenarios", i))
        scenarios.add(name if isinstance(name, str) else i)
    for section in (("measurements",), ("eligibility",), ("population", "confirmed")):
        entries: Any = document.data
        for key in section:
            entries = mapping_of(entries, key)
        first: dict[str, str] = {}
        for name in entries:
            code = code_of(name)
            if code in first and code in known_codes():
                message = f"{name!r} and {first[code]!r} are the same quantity"
                yield document.problem("duplicate-name", message, (*section, name), True)
            first.setdefault(code, str(name))


def conducted(document: Document) -> Iterator[Problem]:
    """Check trial conduct: co-medication, therapies over time, trial effects, rescue."""
    conduct = mapping_of(document.data, "conduct")
    arms = mapping_of(document.data, "arms")
    for i, item in enumerate(list_of(conduct, "co_medication")):
        begins = list_of(item, "begins")
        days = [day_of(begin_text) for begin_text in begins]
        if len(days) == 2 and days[0] is not None and days[1] is not None and days[1] < days[0]:
            where: Where = ("conduct", "co_medication", i, "begins")
            interval = " to ".join(short(begin_text) for begin_text in begins)
            yield document.problem(
                "wrong-order", "the end of this interval lies before its beginning", where, found=interval
            )
    for name, arm in arms.items():
        for i, item in enumerate(list_of(arm, "therapies")):
            if isinstance(item, dict) and item.get("stop") is not None:
                where = ("arms", name, "therapies", i, "stop")
                start, stop = item.get("start", 0), item["stop"]
                begin, end = day_of(start), day_of(stop)
                if begin is not None and end is not None and end <= begin:
                    interval = f"{short(start)} to {short(stop)}"
                    yield document.problem("wrong-order", "the therapy stops before it starts", where, found=interval)
    for i, effect in enumerate(list_of(conduct, "effects")):
        where = ("conduct", "effects", i)
        code, problems = _measured_code(document, effect, where)
        yield from problems
        if not isinstance(effect, dict):
            continue
        if ("change" in effect) == ("factor" in effect):
            yield document.problem(
                "wrong-effect", "an effect is either a change or a factor", where, expected="change or factor"
            )
        if code is not None:
            needed = "factor" if visit_observables()[code].link == "log" else "change"
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
                read_as = f"{effect['quantity']} change"
                yield from valued(document, effect["change"], code, (*where, "change"), read_as, "difference")
                yield from possible(document, str(effect["quantity"]), effect["change"], (*where, "change"), True)
            yield from _spread(document, effect, code, (*where, "spread"))
        for k, arm in enumerate(list_of(effect, "arms")):
            if arm not in arms:
                yield unknown(document, "arm", arm, arms, (*where, "arms", k))
    for i, rescue in enumerate(list_of(conduct, "rescue")):
        where = ("conduct", "rescue", i)
        code, problems = _measured_code(document, rescue, where)
        yield from problems
        if not isinstance(rescue, dict):
            continue
        if ("above" in rescue) == ("below" in rescue):
            yield document.problem("missing-key", "rescue needs one bound", where, expected="above or below")
        for side in ("above", "below"):
            if code is not None and side in rescue:
                yield from valued(document, rescue[side], code, (*where, side), f"{rescue['quantity']} {side}")
                yield from possible(document, str(rescue["quantity"]), rescue[side], (*where, side))


def _spread(document: Document, effect: dict[str, Any], code: str, where: Where) -> Iterator[Problem]:
    """Find an SD of an effect between patients that cannot be read or is implausibly large."""
    spread = effect.get("spread")
    if spread is None or isinstance(spread, (bool, list, dict)):
        return
    read_as = f"{effect['quantity']} spread"
    try:
        value = effect_spread(spread, effect.get("change"), code, read_as)
    except BetapodError as error:
        yield from (document.moved(problem, where) for problem in error.problems)
        return
    log = visit_observables()[code].link == "log"
    low, high = POSSIBLE.get(code, (0.0, math.inf))
    most = math.log(LARGEST_FACTOR) if log else high - low
    if not 0 <= value <= most:
        unit = "SD of the logarithm" if log else observable_unit(code)
        yield document.problem(
            "out-of-range",
            "this SD between patients is implausible",
            where,
            found=short(spread),
            expected=f"0 to {most:.3g} {unit}",
        )


def check_endpoints(document: Document) -> Iterator[Problem]:
    """Check the endpoints: what is measured, when it is judged, what makes a responder or an event."""
    endpoints = mapping_of(document.data, "endpoints")
    visits = [
        v["name"] for v in list_of(document.data, "visits") if isinstance(v, dict) and isinstance(v.get("name"), str)
    ]
    entries: list[tuple[Where, Any]] = [(("endpoints", "primary"), endpoints.get("primary"))]
    entries += [(("endpoints", "secondary", i), entry) for i, entry in enumerate(list_of(endpoints, "secondary"))]
    for where, entry in entries:
        outcome = trial_outcome(entry.get("quantity")) if isinstance(entry, dict) else None
        code, problems = (None, []) if outcome is not None else _measured_code(document, entry, where, outcomes=True)
        yield from problems
        if not isinstance(entry, dict):
            continue
        yield from outcome_keys(document, entry, where, outcome)
        if entry.get("at") and visits and entry["at"] not in visits:
            yield unknown(document, "visit", entry["at"], visits, (*where, "at"))
        yield from _judged_after(document, entry, (*where, "at"))
        if (
            code is not None
            and entry.get("summary") in ("responders", "time to event")
            and not {"threshold", "percent"} & set(entry)
        ):
            yield document.problem(
                "missing-key",
                "a responder or an event needs a threshold or a percentage",
                where,
                True,
                expected="threshold or percent",
            )
        if code is not None and entry.get("threshold") is not None:
            read_as = f"{entry['quantity']} threshold"
            yield from valued(document, entry["threshold"], code, (*where, "threshold"), read_as)
            yield from possible(document, str(entry["quantity"]), entry["threshold"], (*where, "threshold"))
        yield from endpoint(document, entry, where, code)
    yield from check_multiplicity(document)


def _judged_after(document: Document, entry: dict[str, Any], where: Where) -> Iterator[Problem]:
    """Find an endpoint assessed at its own baseline visit, or before."""
    visits = {
        v["name"]: day_of(v.get("day"))
        for v in list_of(document.data, "visits")
        if isinstance(v, dict) and isinstance(v.get("name"), str)
    }
    day = visits.get(entry["at"]) if isinstance(entry.get("at"), str) else None
    designs = mapping_of(document.data, "designs").values()
    screening = all(isinstance(d, dict) and d.get("baseline") == "screening" for d in designs)
    if day is not None and (day < 0 or (day == 0 and not screening)):
        after = [str(name) for name, when in visits.items() if when is not None and when > 0]
        yield document.problem(
            "wrong-visit",
            "an endpoint cannot be judged at its own baseline",
            where,
            found=str(entry["at"]),
            expected=", ".join(after),
        )


def _measured_code(
    document: Document, entry: Any, where: Where, outcomes: bool = False
) -> tuple[str | None, list[Problem]]:
    name = entry.get("quantity") if isinstance(entry, dict) else None
    if not isinstance(name, str):
        return None, []
    measured = mapping_of(document.data, "measurements")
    code = code_of(name)
    if code not in visit_observables():
        quantities = [*visit_observables(), *(trial_outcomes() if outcomes else ())]
        return None, [unknown(document, "quantity", name, quantities, (*where, "quantity"))]
    if code not in {code_of(measured_name) for measured_name in measured}:
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
