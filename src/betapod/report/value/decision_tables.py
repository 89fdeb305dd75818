"""Tables for decisions: prices of cells, the best choice, what moves it, what more knowledge is worth, budgets, checklists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...value.economics.acceptability import acceptability, acceptability_frontier
from ...value.economics.one_way import TornadoRow, tornado
from ...value.economics.pricing import budget_impact
from ..common import words
from . import run_settings as run
from .checklists import Checklist
from .strategy_tables import price_unit
from .value_analysis import (
    ParameterWorth,
    costs_or_zero,
    information_worth,
    kind_worths,
    parameter_worths,
    price_against_best,
    prices,
)
from .value_table import ValueColumn, ValueTable, estimate

if TYPE_CHECKING:
    from ...value.value_result import ValueResult

_KINDS = {"rate": "rates of events", "utility": "utilities", "cost": "costs", "physiology": "physiology"}


def money_unit(result: ValueResult) -> str:
    """Return the currency; without a country, that in which the worth of a QALY is said."""
    return price_unit(result) or "in the money of a QALY"


def price_table(result: ValueResult) -> ValueTable | None:
    """Return the price of a course of cells at which it is worth its money; None where nobody is given cells."""
    rows = []
    for decision in run.decisions(result):
        options = {result.strategies[number] for number in decision.options}
        for name in (name for name in run.with_cells(result) if name in options):
            for structure in result.structures:
                for amount in run.willingness(result):
                    limits = prices(result, structure, name, amount)
                    best = price_against_best(result, structure, decision, name, amount)
                    rows.append(
                        [
                            name,
                            run.structure_label(structure),
                            run.amount(amount),
                            estimate(limits),
                            float((limits > 0).mean()),
                            best if np.isfinite(best) and len(options) > 2 else None,
                        ]
                    )
    if not rows:
        return None
    columns = [
        ValueColumn("strategy"),
        ValueColumn("events"),
        ValueColumn("money for a QALY"),
        ValueColumn(f"price of a course ({money_unit(result)})", "money", True),
        ValueColumn("draws above 0", "share"),
        ValueColumn("price against the best other strategy", "money"),
    ]
    saved = (
        "Other costs and savings are in it."
        if result.costs
        else "Without a country nothing else costs or saves: it pays for health alone."
    )
    caption = f"Price at which a course of cells is worth its money against {result.comparator}. {saved} Below 0: not even if it were free."
    return ValueTable("prices", caption, columns, rows)


def best_table(result: ValueResult, structure: str, decision: run.Decision) -> ValueTable | None:
    """Return how often each strategy is the best; None where there is nothing to choose."""
    if len(decision.options) < 2:
        return None
    rows = list(decision.options)
    names = [result.strategies[number] for number in rows]
    qalys, costs = result.qalys[structure][rows], costs_or_zero(result, structure)[rows]
    amounts = run.willingness(result) if result.costs else (1.0,)
    chances = acceptability(qalys, costs, amounts)
    best = acceptability_frontier(qalys, costs, amounts)
    lines = [
        [run.amount(amount) if result.costs else "health alone", names[int(number)], *map(float, row)]
        for amount, number, row in zip(amounts, best.best, chances, strict=True)
    ]
    columns = [
        ValueColumn("money for a QALY"),
        ValueColumn("best on average"),
        *(ValueColumn(name, "share") for name in names),
    ]
    free = (
        " Cells are given for nothing, the most that any price could reach."
        if decision.scenario and result.costs
        else ""
    )
    belief = f", if {decision.belief}" if decision.belief else ""
    caption = f"{words.capital(run.structure_label(structure))}{belief}: share of draws in which a strategy is the best.{free}"
    return ValueTable(f"best-{structure}-{decision.scenario or 'all'}", caption, columns, lines)


def information_table(result: ValueResult) -> ValueTable:
    """Return what perfect information is worth before each decision."""
    cells = bool(run.with_cells(result))
    rows = []
    for decision in run.decisions(result):
        if len(decision.options) < 2:
            continue
        for structure in result.structures:
            for amount in run.willingness(result) if result.costs else (1.0,):
                worth = information_worth(result, structure, decision, amount)
                row: list[Any] = [decision.belief or "all strategies", run.structure_label(structure)]
                row += [run.amount(amount) if result.costs else "health alone", worth.free]
                rows.append([*row, *([worth.price or None, worth.worth] if cells and result.costs else [])])
    kind: Any = "money" if result.costs else "rate"
    name = (
        f"worth of perfect information ({price_unit(result)} a person)"
        if result.costs
        else "worth of perfect information (QALYs a person)"
    )
    columns = [
        ValueColumn("what is supposed of the cells" if cells else "choice"),
        ValueColumn("events"),
        ValueColumn("money for a QALY"),
        ValueColumn(name, kind),
    ]
    if cells and result.costs:
        columns[-1] = ValueColumn(f"{name} where cells are free", kind)
        columns += [
            ValueColumn("price of a course that leaves the choice open", "money"),
            ValueColumn("worth of perfect information at that price", kind),
        ]
    caption = "How much better the choice would be, on average, if every uncertain number were known."
    if cells and result.costs:
        caption += " A dash for the price: cells are not the best choice even if they are free."
    return ValueTable("information", caption, columns, rows)


def parameter_label(result: ValueResult, name: str) -> str:
    """Return a parameter in words."""
    row = result.parameters.get(name)
    return (row.label or row.name) if row else name.replace("_", " ")


def partial_information(result: ValueResult, structure: str, decision: run.Decision) -> tuple[ValueTable, ...]:
    """Return what it is worth to know one parameter, and all of a kind, at the middle amount for a QALY."""
    if len(decision.options) < 2:
        return ()
    amount = run.middle_willingness(result) if result.costs else 1.0
    single = parameter_worths(result, structure, decision, amount)
    kinds = kind_worths(result, structure, decision, amount)
    key = f"{structure}-{decision.scenario or 'all'}"
    where = f"{words.capital(run.structure_label(structure))}{f', if {decision.belief}' if decision.belief else ''}"
    at = f" at {run.money(amount, result.currency)} a QALY" if result.costs else ""
    tables = []
    # Less is printed as 0: the choice is the same in every draw.
    least = 0.5 if result.costs else 0.0005
    for name, rows, first in (("parameters", single, "parameter"), ("kinds", kinds, "all of a kind")):
        if rows:
            if not any(row.worth >= least for row in rows):
                continue
            caption = f"{where}: worth of knowing {'one parameter' if name == 'parameters' else 'every parameter of a kind'}{at}, at the price that leaves the choice open; free, where no price does."
            tables.append(_worths(result, f"{name}-worth-{key}", caption, first, rows))
    return tuple(tables)


def _worths(result: ValueResult, key: str, caption: str, first: str, rows: tuple[ParameterWorth, ...]) -> ValueTable:
    kind: Any = "money" if result.costs else "rate"
    unit_words = f"{price_unit(result)} a person" if result.costs else "QALYs a person"
    columns = [
        ValueColumn(first),
        ValueColumn(f"worth ({unit_words})", kind),
        ValueColumn("of this, by chance of the draws alone", kind),
    ]
    label = _KINDS.get if first == "all of a kind" else None
    lines = [
        [label(row.name, row.name) if label else parameter_label(result, row.name), row.worth, row.chance]
        for row in rows
    ]
    return ValueTable(key, caption, columns, lines)


def tornado_rows(result: ValueResult, structure: str, strategy: str) -> tuple[TornadoRow, ...]:
    """Return what each parameter alone does to the price of a course, or to net benefit, or to QALYs without costs."""
    moved: Mapping[str, NDArray[np.float64]] = result.one_way.get(structure, {})
    amount = run.middle_willingness(result) if result.costs else None
    rows = tornado(moved, result.place(strategy), result.reference, amount)
    courses = priced_courses(result, strategy)
    return tuple(TornadoRow(row.parameter, row.low / courses, row.high / courses) for row in rows if row.width > 0)


def priced_courses(result: ValueResult, strategy: str) -> float:
    """Return by how many courses net benefit is divided to be a price; 1 where there is none."""
    if not result.costs or strategy not in run.with_cells(result) or result.cell_courses is None:
        return 1.0
    return float(result.cell_courses[result.place(strategy)])


def tornado_measure(result: ValueResult, strategy: str) -> str:
    """Return what a tornado of a strategy shows, with its unit."""
    if not result.costs:
        return "QALYs gained"
    if strategy in run.with_cells(result):
        return f"price of a course ({price_unit(result)})"
    return f"net benefit ({price_unit(result)})"


def tornado_table(result: ValueResult, structure: str, strategy: str, most: int = 15) -> ValueTable | None:
    """Return the parameters that move the answer most when each goes through its interval alone; None without such runs."""
    rows = tornado_rows(result, structure, strategy)[:most]
    if not rows:
        return None
    kind: Any = "money" if result.costs else "gain"
    columns = [
        ValueColumn("parameter"),
        ValueColumn("low value", "number"),
        ValueColumn("high value", "number"),
        ValueColumn("at the low value", kind),
        ValueColumn("at the high value", kind),
    ]
    lines = [
        [parameter_label(result, row.parameter), *_interval(result, row.parameter), row.low, row.high] for row in rows
    ]
    at = f" at {run.money(run.middle_willingness(result), result.currency)} a QALY" if result.costs else ""
    caption = f"{words.capital(strategy)} against {result.comparator}, {run.structure_label(structure)}: {tornado_measure(result, strategy)}{at}."
    return ValueTable(f"tornado-{structure}-{strategy}", caption, columns, lines)


def _interval(result: ValueResult, name: str) -> list[float | None]:
    row = result.parameters.get(name)
    return [row.low, row.high] if row else [None, None]


def budget_table(result: ValueResult) -> ValueTable | None:
    """Return what each strategy adds to spending in the first calendar years; None without a budget or costs."""
    budget = run.setting(result, "budget") or {}
    if not budget or not result.yearly_costs or not budget.get("uptake"):
        return None
    uptake, eligible = [float(share) for share in budget["uptake"]], float(budget.get("eligible", 0))
    rows = []
    for structure, yearly in result.yearly_costs.items():
        if yearly.shape[1] < len(uptake):
            continue
        for name in result.others:
            more = yearly[result.place(name)] - yearly[result.reference]
            spent = budget_impact(more, eligible, uptake)
            rows.append([name, run.structure_label(structure), *map(float, spent), float(spent.sum())])
    if not rows:
        return None
    columns = [
        ValueColumn("strategy"),
        ValueColumn("events"),
        *(
            ValueColumn(f"year {year} ({words.percent_text(share)} have begun)", "more money")
            for year, share in enumerate(uptake, start=1)
        ),
        ValueColumn("together", "more money"),
    ]
    price = " The price of cells is not in it." if run.with_cells(result) else ""
    caption = f"More spent than with {result.comparator} ({price_unit(result)}, not discounted) where {words.counted(round(eligible), 'person is', 'people are')} eligible.{price}"
    return ValueTable("budget", caption, columns, rows)


def checklist_table(checklist: Checklist) -> ValueTable:
    """Return a checklist as a table."""
    columns = [ValueColumn(name) for name in ("item", "section", "topic", "asks for", "reported")]
    rows = [[str(item.number), item.section, item.topic, item.asks, item.answer] for item in checklist.items]
    return ValueTable(checklist.name, f"{checklist.title}. {checklist.work}.", columns, rows)


def missing_table(result: ValueResult) -> ValueTable | None:
    """Return what is missing; None where nothing is."""
    if not result.missing:
        return None
    return ValueTable(
        "missing",
        "What is missing, and what was left out because of it.",
        [ValueColumn("gap")],
        [[text] for text in result.missing],
    )
