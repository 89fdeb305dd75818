"""Tables of health, costs and events by strategy, each set of events apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConfigError
from ...health.event_table import event_label
from ...patients.cohorts.comparison import weighted_quantile
from ...value.country_pack import all_health_states
from ...value.economics.frontier import frontier, icer
from ..common import words
from . import run_settings as run
from .value_analysis import ratio_error
from .value_table import ValueColumn, ValueTable, estimate

if TYPE_CHECKING:
    from ...value.value_result import ValueResult

#: A person is said to gain or lose where a change is at least this many QALYs: about four days.
NOTICED = 0.01
#: States and years by name; events have their labels.
_LABELS: Mapping[str, str] = {
    "mi": "heart attack",
    "stroke": "stroke",
    "hf": "heart failure",
    "aki": "acute kidney injury",
    "cvd": "cardiovascular disease",
    "dialysis_free": "free of dialysis",
    "sight_kept": "with sight",
    "feet_kept": "with sound feet",
    "heart_kept": "with a sound heart",
    "complication_free": "free of complications",
    "healthy": "healthy again",
}


def price_unit(result: ValueResult) -> str:
    """Return the currency with its year of prices; empty without costs."""
    if not result.currency:
        return ""
    return f"{result.currency} of {result.price_year}" if result.price_year else result.currency


def state_words(name: str) -> str:
    """Return an event, state or item of cost in words."""
    if name in _LABELS:
        return _LABELS[name]
    try:
        return event_label(name)
    except ConfigError:
        return words.event(name).replace("_", " ").replace("ckd ", "CKD ")


def error_of(result: ValueResult, structure: str, measure: str, strategy: str) -> float | None:
    """Return the standard error by chance in simulation; None where it is not known."""
    errors = result.monte_carlo.get(structure, {}).get(measure)
    return None if errors is None else float(errors[result.place(strategy)])


def totals_table(result: ValueResult, structure: str) -> ValueTable:
    """Return life-years, QALYs and costs of each strategy."""
    columns = [
        ValueColumn("strategy"),
        ValueColumn("life-years", "years", True),
        ValueColumn("life-years, discounted", "years", True),
        ValueColumn("QALYs, discounted", "years", True),
    ]
    measures = ["years", "life_years", "qalys"]
    if result.costs:
        columns.append(ValueColumn(f"costs, discounted ({price_unit(result)})", "money", True))
        measures.append("costs")
    rows = [
        [name, *(estimate(getattr(result, measure)[structure][result.place(name)]) for measure in measures)]
        for name in result.strategies
    ]
    price = "" if not (result.costs and run.with_cells(result)) else " Costs are without the price of the cells."
    caption = f"{words.capital(run.structure_label(structure))}: means of a person.{price}"
    return ValueTable(f"totals-{structure}", caption, columns, rows)


def gains_table(result: ValueResult, structure: str) -> ValueTable:
    """Return what each strategy adds to the comparator, with the error of simulation by chance."""
    columns = [
        ValueColumn("strategy"),
        ValueColumn("life-years", "gain", True),
        ValueColumn("QALYs", "gain", True),
        ValueColumn("Monte Carlo error, QALYs", "rate"),
    ]
    if result.costs:
        columns += [
            ValueColumn("costs", "more money", True),
            ValueColumn("Monte Carlo error, costs", "money"),
            ValueColumn("costs per QALY"),
        ]
    rows = []
    for name in result.others:
        row: list[Any] = [
            name,
            estimate(result.increment(structure, "years", name)),
            estimate(result.increment(structure, "qalys", name)),
            error_of(result, structure, "incremental_qalys", name),
        ]
        if result.costs:
            row += [
                estimate(result.increment(structure, "costs", name)),
                error_of(result, structure, "incremental_costs", name),
                icer_text(result, structure, name),
            ]
        rows.append(row)
    money = f" Costs in {price_unit(result)}." if result.costs else ""
    caption = f"{words.capital(run.structure_label(structure))}: against {result.comparator}, a person. Life-years are not discounted.{money}"
    return ValueTable(f"differences-{structure}", caption, columns, rows)


def icer_text(result: ValueResult, structure: str, strategy: str) -> str:
    """Return the cost per QALY of means with its error by chance, or what stands in its place."""
    if not result.costs:
        return "no costs"
    cost = float(result.increment(structure, "costs", strategy).mean())
    gain = float(result.increment(structure, "qalys", strategy).mean())
    cells = strategy in run.with_cells(result)
    if cells:
        return "asked as a price"
    ratio = icer(cost, gain)
    if np.isfinite(ratio):
        error = ratio_error(result, structure, strategy)
        text = run.amount(ratio)
        text += f" \u00b1 {run.amount(error)}" if np.isfinite(error) else ""
        return text if gain > 0 else f"saves {text} for each QALY lost"
    if gain == 0 and cost == 0:
        return "no difference"
    return "better and cheaper" if gain >= 0 and cost <= 0 else "worse and dearer"


def standing_table(result: ValueResult, structure: str, decision: run.Decision) -> ValueTable | None:
    """Return the full incremental analysis of strategies among which somebody could choose; None without costs."""
    if not result.costs or len(decision.options) < 2:
        return None
    options = list(decision.options)
    rows = []
    for row in frontier(result.costs[structure][options].mean(axis=1), result.qalys[structure][options].mean(axis=1)):
        against = result.strategies[options[row.against]] if row.against >= 0 else ""
        name = result.strategies[options[row.strategy]]
        rows.append([name, row.standing, against, row.cost, row.qalys, row.icer if np.isfinite(row.icer) else None])
    columns = [
        ValueColumn("strategy"),
        ValueColumn("standing"),
        ValueColumn("compared with"),
        ValueColumn(f"costs ({price_unit(result)})", "money"),
        ValueColumn("QALYs", "years"),
        ValueColumn("costs per QALY", "money"),
    ]
    belief = f" if {decision.belief}" if decision.belief else ""
    free = ", cells given for nothing" if decision.scenario else ""
    caption = (
        f"{words.capital(run.structure_label(structure))}{belief}{free}: each strategy against the next cheaper one that is "
        "worth considering."
    )
    key = f"standing-{structure}-{decision.scenario or 'all'}"
    return ValueTable(key, caption, columns, rows)


def by_strategy(
    result: ValueResult,
    key: str,
    caption: str,
    first: ValueColumn,
    values: Mapping[str, NDArray[np.float64]],
    kind: Any,
    in_words: Callable[[str], str] = state_words,
) -> ValueTable | None:
    """Return a table with a row for each name and a column for each strategy; None where there is nothing."""
    if not values:
        return None
    columns = [first, *(ValueColumn(name, kind, True) for name in result.strategies)]
    rows = [[in_words(name), *(estimate(draws) for draws in array)] for name, array in values.items()]
    return ValueTable(key, caption, columns, rows)


def events_table(result: ValueResult, structure: str) -> ValueTable | None:
    """Return how often events come to a hundred people; those that never come are left out."""
    counts = {name: 100 * array for name, array in result.events.get(structure, {}).items() if np.any(array)}
    ordered = dict(sorted(counts.items(), key=lambda pair: -float(pair[1].mean())))
    caption = f"{words.capital(run.structure_label(structure))}: events of a hundred people over {run.horizon_words(result)}, not discounted."
    return by_strategy(result, f"events-{structure}", caption, ValueColumn("event"), ordered, "years")


def free_years_table(result: ValueResult, structure: str) -> ValueTable | None:
    """Return years without dialysis, in health and so on."""
    caption = f"{words.capital(run.structure_label(structure))}: years of a person, not discounted."
    spans = result.free_years.get(structure, {})
    return by_strategy(result, f"free-years-{structure}", caption, ValueColumn("years"), spans, "years")


def item_table(result: ValueResult, structure: str) -> ValueTable | None:
    """Return costs by item, the greatest first."""
    costs = result.items.get(structure, {})
    ordered = dict(sorted(costs.items(), key=lambda pair: -float(np.abs(pair[1]).mean())))
    caption = f"{words.capital(run.structure_label(structure))}: discounted costs of a person ({price_unit(result)})."
    return by_strategy(result, f"items-{structure}", caption, ValueColumn("item"), ordered, "money", _item_words)


def _item_words(name: str) -> str:
    """Return an item of cost in words: where an event has the name of a state, both are meant, not the event alone."""
    if name in all_health_states():
        return _LABELS.get(name, name.replace("_", " ").replace("ckd ", "CKD "))
    return state_words(name)


def structure_table(result: ValueResult) -> ValueTable | None:
    """Return gains under each set of events; None where there is only one."""
    if len(result.structures) < 2:
        return None
    columns = [
        ValueColumn("strategy"),
        ValueColumn("events"),
        ValueColumn("life-years", "gain", True),
        ValueColumn("QALYs", "gain", True),
    ]
    if result.costs:
        columns.append(ValueColumn(f"costs ({price_unit(result)})", "more money", True))
    rows = []
    for name in result.others:
        for structure in result.structures:
            row: list[Any] = [name, run.structure_label(structure)]
            row += [estimate(result.increment(structure, measure, name)) for measure in ("years", "qalys")]
            if result.costs:
                row.append(estimate(result.increment(structure, "costs", name)))
            rows.append(row)
    return ValueTable(
        "structures", f"The same people under each set of events, against {result.comparator}.", columns, rows
    )


def people_table(result: ValueResult, structure: str) -> ValueTable | None:
    """Return how gains differ between people at central values; None where the run keeps no people."""
    if structure not in result.person_qalys:
        return None
    qalys = result.person_qalys[structure]
    count = qalys.shape[1]
    weights = np.full(count, 1 / count) if result.weights is None else result.weights
    columns = [
        ValueColumn("strategy"),
        ValueColumn("mean gain", "gain"),
        *(ValueColumn(f"{share} % gain less than", "gain") for share in (5, 25, 50, 75, 95)),
        ValueColumn("people who gain", "share"),
        ValueColumn("people who lose", "share"),
    ]
    rows: list[Sequence[Any]] = []
    for name in result.others:
        gain = qalys[result.place(name)] - qalys[result.reference]
        quantiles = weighted_quantile(gain, weights, np.array([0.05, 0.25, 0.5, 0.75, 0.95])).tolist()
        gainers, losers = float(weights[gain >= NOTICED].sum()), float(weights[gain <= -NOTICED].sum())
        rows.append([name, float(weights @ gain), *quantiles, min(gainers, 1.0), min(losers, 1.0)])
    caption = (
        f"{words.capital(run.structure_label(structure))}: QALYs gained by each of {words.counted(count, 'person', 'people')} against "
        f"{result.comparator}, all uncertain numbers at their central value. Chance in each life is included. Who gains or loses does so by at "
        f"least {NOTICED:g} QALYs."
    )
    return ValueTable(f"people-{structure}", caption, columns, rows)


def scenario_table(result: ValueResult) -> ValueTable | None:
    """Return gains under each scenario of the run beside the base, at central values; None without scenarios."""
    if not result.scenarios:
        return None
    cases = {"base": result.central, **result.scenarios}
    columns = [
        ValueColumn("scenario"),
        ValueColumn("events"),
        ValueColumn("strategy"),
        ValueColumn("life-years", "gain"),
        ValueColumn("QALYs", "gain"),
    ]
    if result.costs:
        columns.append(ValueColumn(f"costs ({price_unit(result)})", "more money"))
    rows = [
        [case, run.structure_label(structure), name, *_gains(result, measures, name)]
        for case, by_structure in cases.items()
        for structure, measures in by_structure.items()
        for name in result.others
    ]
    caption = (
        f"Against {result.comparator}, every uncertain number at its central value. Life-years are not discounted."
    )
    return ValueTable("scenarios", caption, columns, rows)


def _gains(result: ValueResult, measures: Mapping[str, NDArray[np.float64]], name: str) -> list[float | None]:
    names = ["years", "qalys", *(["costs"] if result.costs else [])]
    number = result.place(name)
    return [
        float(measures[measure][number] - measures[measure][result.reference]) if measure in measures else None
        for measure in names
    ]


def uncertain_numbers_table(result: ValueResult) -> ValueTable | None:
    """Return every uncertain number with interval, distribution and source; None without any."""
    if not result.parameters:
        return None
    columns = [
        ValueColumn("parameter"),
        ValueColumn("kind"),
        ValueColumn("unit"),
        ValueColumn("distribution"),
        ValueColumn("source"),
        ValueColumn("grade"),
        ValueColumn("value", "number"),
        ValueColumn("low", "number"),
        ValueColumn("high", "number"),
    ]
    rows = [
        [
            row.label or row.name,
            row.kind,
            "" if row.unit == "1" else row.unit,
            row.distribution,
            ", ".join(text for text in (row.source, row.locator) if text) or "nobody said",
            row.grade,
            row.value,
            row.low if np.isfinite(row.low) else None,
            row.high if np.isfinite(row.high) else None,
        ]
        for row in result.parameters.values()
    ]
    caption = "Uncertain numbers: central value, interval of one-way sensitivity, distribution of draws, source and grade (A best, D assumed)."
    return ValueTable("parameters", caption, columns, rows)
