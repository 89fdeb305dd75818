"""What a run says to the items of CHEERS 2022."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ..common import words
from . import run_settings as run
from .strategy_tables import state_words

if TYPE_CHECKING:
    from ...value.value_result import ValueResult

NO_COSTS = "absent: the run names no country, so that there are no costs"


def _title(result: ValueResult) -> str:
    title = run.setting(result, "title")
    kind = "an economic evaluation" if result.costs else "a comparison of health without costs"
    return f"{f'{title}: ' if title else ''}{kind} of {words.listed(result.strategies)}."


def _abstract(result: ValueResult) -> str:
    return "Under \u201cIn brief\u201d."


def _population(result: ValueResult) -> str:
    ages = result_baseline(result, "age")
    return f"{words.capital(run.people_words(result))}.{f' Age {ages}.' if ages else ''}"


def result_baseline(result: ValueResult, name: str, digits: int | None = None) -> str:
    """Return mean and standard deviation of people at the start; empty where the run keeps none."""
    import numpy as np

    values = getattr(result, "baseline", {}).get(name)
    if values is None:
        return ""
    weights = np.full(len(values), 1 / len(values)) if result.weights is None else result.weights
    mean = float(weights @ values)
    spread = float(np.sqrt(weights @ (values - mean) ** 2))
    return f"{words.written_number(mean, digits)} (SD {words.written_number(spread, digits)})"


def _comparators(result: ValueResult) -> str:
    parts = [f"{name}: {run.strategy_words(result, name)}" for name in result.strategies]
    return f"{'; '.join(parts)}. Compared with {result.comparator}."


def _horizon(result: ValueResult) -> str:
    return f"{words.capital(run.horizon_words(result))}."


def _discounting(result: ValueResult) -> str:
    rates = run.discount_words(result)
    return f"{words.capital(rates)}, in continuous time." if rates else ""


def _outcomes(result: ValueResult) -> str:
    events = {name for counts in result.events.values() for name in counts}
    free = {state_words(name) for spans in result.free_years.values() for name in spans}
    parts = ["life-years", "quality-adjusted life-years"]
    parts += [f"years {words.listed(sorted(free))}"] if free else []
    parts += [words.counted(len(events), "kind of event", "kinds of events") + ", harms among them"] if events else []
    return f"{words.capital(words.listed(parts))}."


def _measurement(result: ValueResult) -> str:
    structures = words.listed([run.structure_label(name) for name in result.structures])
    return (
        "Nothing was measured in people: courses of HbA1c, blood pressure, albuminuria and filtration are simulated, and events follow from "
        f"them by {structures}."
    )


def _valuation(result: ValueResult) -> str:
    utilities = run.setting(result, "utilities") or {}
    rows = [row for row in result.parameters.values() if row.kind == "utility"]
    if not utilities and not rows:
        return ""
    named = (
        f"Set of utilities {utilities['set']}"
        if isinstance(utilities, Mapping) and utilities.get("set")
        else "Utilities"
    )
    sources = {row.source for row in rows if row.source}
    text = f"{named}, {words.counted(len(rows), 'value')}"
    return text + (
        f" from {words.counted(len(sources), 'source')}, each with its work in the table of parameters."
        if sources
        else "."
    )


def _resources(result: ValueResult) -> str:
    if not result.costs:
        return NO_COSTS
    rows = [row for row in result.parameters.values() if row.kind == "cost"]
    named = sum(bool(row.source) for row in rows)
    return (
        f"Costs by state, event and item from the country pack {run.setting(result, 'country') or ''}".rstrip()
        + f": {words.counted(len(rows), 'value')}, {named} of them with a source. A course of cells has no price: it is asked for."
    )


def _currency(result: ValueResult) -> str:
    if not result.costs:
        return NO_COSTS
    year = f"prices of {result.price_year}" if result.price_year else "year of prices absent"
    return f"{result.currency}, {year}; nothing was converted."


def _model(result: ValueResult) -> str:
    return (
        "A physiological model simulates each person, so that a treatment acts by its mechanisms; a microsimulation of events follows. "
        f"{'Sets of events' if len(result.structures) > 1 else 'Set of events'}: "
        f"{words.listed([run.structure_label(name) for name in result.structures])}. The program and its parameters are open: betapod."
    )


def _analytics(result: ValueResult) -> str:
    return (
        "Under \u201cMethods\u201d. All beyond the length of trials is extrapolation by the model. How its parts meet published studies, and "
        "where they miss, is in its documentation."
    )


def _heterogeneity(result: ValueResult) -> str:
    if not result.person_qalys:
        return ""
    return "Results of each person at central values, apart from what is uncertain: under \u201cDifferences between people\u201d."


def _uncertainty(result: ValueResult) -> str:
    parts = [
        f"{words.counted(result.draws, 'draw')} of {words.counted(len(result.drawn), 'uncertain number')} together"
    ]
    if result.one_way:
        parts.append("each of them alone through its interval")
    if len(result.structures) > 1:
        parts.append(f"{len(result.structures)} sets of events")
    if result.scenarios:
        parts.append(words.counted(len(result.scenarios), "scenario"))
    if any(decision.scenario for decision in run.decisions(result)):
        parts.append("what is supposed of the cells, never averaged")
    if result.monte_carlo:
        parts.append("the error of simulation by chance")
    return f"{words.capital(words.listed(parts))}."


def _parameters(result: ValueResult) -> str:
    rows = result.parameters.values()
    if not rows:
        return ""
    sourced = sum(bool(row.source) for row in rows)
    return f"Under \u201cParameters\u201d: {words.counted(len(rows), 'value')} with interval and distribution, {sourced} with a source."


def _results(result: ValueResult) -> str:
    return (
        "Under \u201cLife-years, quality of life and costs\u201d."
        if result.costs
        else "Under \u201cLife-years and quality of life\u201d; costs are absent."
    )


def _effect(result: ValueResult) -> str:
    parts = ["\u201cWhat moves the answer\u201d"] if result.one_way else []
    parts += ["\u201cHow sure the choice is\u201d"]
    parts += ["\u201cScenarios\u201d"] if result.scenarios else []
    gone = "" if result.one_way else " Sensitivity to single numbers is absent."
    return f"Under {words.listed(parts)}.{gone}"


def _findings(result: ValueResult) -> str:
    missing = f" {words.counted(len(result.missing), 'gap')} named." if result.missing else ""
    return f"Under \u201cIn brief\u201d, \u201cWhat is missing\u201d and \u201cMethods\u201d.{missing}"


def _author(result: ValueResult) -> str:
    return ""


#: Item -> what the run says; an empty text is for the author to fill.
ANSWERS: Mapping[str, Callable[[ValueResult], str]] = {
    "title": _title,
    "abstract": _abstract,
    "question": _author,
    "plan": _author,
    "population": _population,
    "setting": _author,
    "comparators": _comparators,
    "perspective": _author,
    "horizon": _horizon,
    "discounting": _discounting,
    "outcomes": _outcomes,
    "measurement": _measurement,
    "valuation": _valuation,
    "resources": _resources,
    "currency": _currency,
    "model": _model,
    "analytics": _analytics,
    "heterogeneity": _heterogeneity,
    "distribution": _author,
    "uncertainty": _uncertainty,
    "engagement": _author,
    "parameters": _parameters,
    "results": _results,
    "effect": _effect,
    "engaged": _author,
    "findings": _findings,
    "funding": _author,
    "conflicts": _author,
}
