"""Consistency checks of endpoints: analysis against design, and settings without effect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...base.config import Document, Where
from ...base.errors import Problem
from ...observables.quantities import visit_observables
from .analysis_checks import check_analysis
from .analysis_keys import CONTROLLED, SLOPES, method_of
from .endpoint_keys import trial_outcome, trial_outcomes
from .health_outcomes import IMPROVEMENTS
from .recurrent_outcomes import countable, recurring_outcomes
from .value_checks import day_of, list_of, mapping_of, unknown


def endpoint(document: Document, entry: dict[str, Any], where: Where, code: str | None) -> Iterator[Problem]:
    """Yield the problems of one endpoint, given as plain values.

    Parameters
    ----------
    code
        PARAMCD of its quantity; None where it is not known or not measured.
    """
    summary = entry.get("summary", "change")
    if not isinstance(summary, str) or summary not in CONTROLLED:
        return
    yield from _analysis(document, entry, where, str(summary))
    yield from check_analysis(document, entry, where, str(summary), code)
    yield from _bounds(document, entry, where, str(summary))
    yield from _strategy(document, entry, where, str(summary))
    yield from _confirmed(document, entry, where, str(summary))
    if summary == "total" and code is not None:
        yield document.problem(
            "wrong-summary",
            f"{entry['quantity']} has no total",
            (*where, "summary"),
            found="total",
            expected="change, or quantity: quality of life",
        )
    if (
        summary == "ratio"
        and code is not None
        and visit_observables()[code].link != "log"
        and visit_observables()[code].floor <= 0
    ):
        yield document.problem(
            "no-ratio",
            f"{entry['quantity']} may be 0, so a ratio is undefined",
            (*where, "summary"),
            found="ratio",
            expected="change",
        )


def outcome_keys(document: Document, entry: dict[str, Any], where: Where, outcome: str | None) -> Iterator[Problem]:
    """Yield the problems of an endpoint that is an outcome such as death, or that counts outcomes besides something measured.

    Parameters
    ----------
    outcome
        The outcome that its quantity names; None for something measured.
    """
    summary = entry.get("summary", "change")
    also = list_of(entry, "also")
    for i, name in enumerate(also):
        if trial_outcome(name) is None:
            yield unknown(document, "outcome", name, trial_outcomes(), (*where, "also", i))
    if outcome in IMPROVEMENTS and also:
        yield document.problem(
            "mixed-outcomes",
            f"{outcome} is an improvement, and no part of a composite",
            (*where, "also"),
            found=", ".join(map(str, also)),
            expected="an endpoint of its own",
        )
    for i, name in enumerate(also):
        if trial_outcome(name) in IMPROVEMENTS:
            yield document.problem(
                "mixed-outcomes", f"{name} is an improvement, and no part of a composite", (*where, "also", i)
            )
    if outcome in IMPROVEMENTS:
        yield from _improvement(document, entry, where, str(outcome), str(summary))
    elif summary == "recurrent events":
        yield from _repeated(document, entry, where, outcome)
    elif summary != "time to event" and (outcome is not None or also):
        kind = "response" if summary == "responders" else summary
        yield document.problem(
            "wrong-summary",
            f"{outcome or 'an outcome beside the quantity'} is an event, not a {kind}",
            (*where, "summary"),
            "summary" not in entry,
            found=str(summary),
            expected="time to event or recurrent events"
            if summary in CONTROLLED and outcome in recurring_outcomes()
            else "time to event",
        )
    wrong, right = ("lower", "higher") if outcome in IMPROVEMENTS else ("higher", "lower")
    if outcome is not None and entry.get("better") == wrong:
        yield document.problem(
            "wrong-direction",
            f"{'less' if wrong == 'lower' else 'more'} of {outcome} is no improvement",
            (*where, "better"),
            found=wrong,
            expected=f"{right}, or leave the key out",
        )
    for key in ("threshold", "percent"):
        if outcome is not None and entry.get(key) is not None:
            yield document.problem(
                "useless-key", f"{outcome} has no {key}", (*where, key), True, expected="a quantity that is measured"
            )


def _repeated(document: Document, entry: dict[str, Any], where: Where, outcome: str | None) -> Iterator[Problem]:
    """Refuse to count what does not come again, and the way in which it would be counted twice."""
    again = ", ".join(recurring_outcomes())
    if outcome not in recurring_outcomes():
        yield document.problem(
            "wrong-summary",
            f"{entry.get('quantity')} does not come again: of an outcome the simulation dates the first, of a measurement there are values",
            (*where, "quantity"),
            found=str(entry.get("quantity")),
            expected=again,
            hint="Times to first events have summary: time to event.",
        )
    for i, name in enumerate(list_of(entry, "also")):
        if (part := trial_outcome(name)) is not None and not countable(part):
            yield document.problem(
                "wrong-summary",
                f"{name} cannot be counted with events that come again",
                (*where, "also", i),
                found=str(name),
                expected=f"{again}, death, cv_death, other_death, kidney_failure",
            )
    for event, strategy in mapping_of(entry, "intercurrent").items():
        if strategy == "composite":
            yield document.problem(
                "wrong-strategy",
                "a rate counts events, and ends when a patient is no longer watched",
                (*where, "intercurrent", event),
                found="composite",
                expected="missing, with the outcome under also" if event in ("death", "kidney_failure") else "missing",
            )


def _improvement(
    document: Document, entry: dict[str, Any], where: Where, outcome: str, summary: str
) -> Iterator[Problem]:
    if summary not in IMPROVEMENTS[outcome]:
        expected = " or ".join(IMPROVEMENTS[outcome])
        yield document.problem(
            "wrong-summary",
            f"{outcome} has no {summary}",
            (*where, "summary"),
            "summary" not in entry,
            found=summary,
            expected=expected,
        )


def _confirmed(document: Document, entry: dict[str, Any], where: Where, summary: str) -> Iterator[Problem]:
    """Refuse an event that no visit can confirm: with one visit after enrolment it would never come."""
    visits = [visit for visit in list_of(document.data, "visits") if isinstance(visit, dict)]
    days = [day for visit in visits if (day := day_of(visit.get("day"))) is not None]
    if summary != "time to event" or len(days) < len(visits) or trial_outcome(entry.get("quantity")) is not None:
        return
    until = next((day_of(visit.get("day")) for visit in visits if visit.get("name") == entry.get("at")), None)
    after = [day for day in days if 0 < day <= (max(days, default=0) if until is None else until)]
    if len(after) == 1:
        yield document.problem(
            "never-confirmed",
            "an event counts when the next visit confirms it, and there is one visit after enrolment up to that of the endpoint",
            (*where, "summary"),
            found="time to event",
            expected="two visits or more, or summary: responders",
        )


def _arms(document: Document) -> list[int]:
    """Return the number of arms of each design that can be read."""
    designs = document.data.get("designs") if isinstance(document.data, dict) else None
    every = designs.values() if isinstance(designs, dict) else ()
    return [
        len(design["arms"]) for design in every if isinstance(design, dict) and isinstance(design.get("arms"), dict)
    ]


def _analysis(document: Document, entry: dict[str, Any], where: Where, summary: str) -> Iterator[Problem]:
    asked, arms = method_of(entry.get("analysis")), _arms(document)
    analyses = {name for names in CONTROLLED.values() for name in names} | {"paired"}
    if asked not in analyses or not arms:
        return
    change = summary in ("change", "ratio", *SLOPES, "total")
    if max(arms) > 1:
        able, purpose = list(CONTROLLED[summary]), f"of a {summary} against a control"
    elif change:
        able, purpose = ["paired"], f"of a {summary} in one group alone"
    else:
        able, purpose = (
            [],
            f"of {'a hierarchy' if summary == 'hierarchy' else 'a rate'} in one group alone"
            if summary in ("hierarchy", "recurrent events")
            else f"of the share with a {'response' if summary == 'responders' else 'event'} in one group alone",
        )
    if asked not in able:
        yield document.problem(
            "wrong-analysis",
            f"{asked} is not an analysis {purpose}",
            (*where, "analysis"),
            found=str(asked),
            expected=", ".join(able) or "no analysis: there is nothing to compare with",
        )


def _bounds(document: Document, entry: dict[str, Any], where: Where, summary: str) -> Iterator[Problem]:
    for key in ("threshold", "percent"):
        if summary not in ("responders", "time to event") and entry.get(key) is not None:
            yield document.problem(
                "useless-key",
                f"a {summary} has no {key}",
                (*where, key),
                True,
                expected="summary: responders or time to event",
            )


def _strategy(document: Document, entry: dict[str, Any], where: Where, summary: str) -> Iterator[Problem]:
    rules = entry.get("intercurrent")
    rescue = rules.get("rescue") if isinstance(rules, dict) else None
    if rescue == "while on treatment" and summary in (*SLOPES, "time to event", "recurrent events"):
        yield document.problem(
            "wrong-strategy",
            f"for a {summary}, while on treatment gives the numbers of the hypothetical strategy: nothing after rescue counts",
            (*where, "intercurrent", "rescue"),
            found=rescue,
            expected=f"treatment policy, hypothetical{'' if summary == 'recurrent events' else ', composite'}",
        )
