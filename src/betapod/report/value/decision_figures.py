"""Figures for decisions: how sure the choice is, what moves it, and what more knowledge is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...value.economics.acceptability import acceptability, acceptability_frontier
from ...value.economics.information import evpi
from ..common import words
from ..common.drawing import Drawing, drawing, slug, wrap_label
from ..common.figures import GREY, PALETTE, drawable
from . import run_settings as run
from .decision_tables import parameter_label, tornado_measure, tornado_rows
from .strategy_tables import price_unit
from .value_analysis import ParameterWorth, benefits, costs_or_zero, open_price
from .value_figures import legend, looks, thousands_axis
from .value_table import Kind, value_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ...value.value_result import ValueResult

#: Bars of a tornado.
_BARS = 12


def _belief(decision: run.Decision) -> str:
    return f", if {decision.belief}" if decision.belief else ""


def draw_acceptability(result: ValueResult, structure: str, decision: run.Decision) -> Drawing | None:
    """Draw how often each strategy is the best, and the frontier, by the money for a QALY; None without costs."""
    if not result.costs or len(decision.options) < 2:
        return None
    look = looks(result)
    rows = list(decision.options)
    names = [result.strategies[number] for number in rows]
    grid = np.linspace(0.0, 1.2 * max(run.willingness(result)), 121)
    qalys, costs = result.qalys[structure][rows], costs_or_zero(result, structure)[rows]
    chances = acceptability(qalys, costs, grid)
    frontier = acceptability_frontier(qalys, costs, grid)

    def paint(axes: Axes) -> None:
        for number, name in enumerate(names):
            axes.plot(
                grid, 100 * chances[:, number], color=look[name].colour, linestyle=look[name].line,
                label=wrap_label(drawable(name), 24, 1),
            )  # fmt: skip
        axes.plot(grid, 100 * frontier.chance, color="black", linewidth=4, alpha=0.22, label="best on average")
        axes.set_ylim(-2, 102)
        axes.set_xlim(0, grid[-1])
        thousands_axis(axes.xaxis)
        axes.set_xlabel(f"money for a QALY ({drawable(price_unit(result))})")
        axes.set_ylabel("best strategy (% of draws)")
        legend(axes)

    amounts = run.willingness(result)
    at = acceptability(qalys, costs, amounts)
    numbers = "; ".join(
        f"at {run.amount(amount)}: "
        + ", ".join(f"{name} {words.percent_text(float(share))}" for name, share in zip(names, row, strict=True))
        for amount, row in zip(amounts, at, strict=True)
    )
    free = " Cells are given for nothing: with a price their curve is lower." if decision.scenario else ""
    return drawing(
        f"acceptability-{slug(structure)}-{slug(decision.scenario or 'all')}",
        f"How sure the choice is{_belief(decision)}: {run.structure_label(structure)}",
        f"Share of draws in which each strategy has the greatest net benefit; the wide grey line is that of the best on average.{free}",
        f"Share of draws in which each strategy is the best. {numbers}.",
        3.2,
        paint,
    )


def draw_tornado(result: ValueResult, structure: str, strategy: str) -> Drawing | None:
    """Draw what each parameter alone does to the answer, the greatest first; None without such runs."""
    rows = tornado_rows(result, structure, strategy)[:_BARS]
    if not rows:
        return None
    centre = _central(result, structure, strategy)
    kind: Kind = "money" if result.costs else "gain"

    def paint(axes: Axes) -> None:
        y = np.arange(len(rows))[::-1]
        for values, tint, label in (
            ([r.low for r in rows], PALETTE[0], "at its low value"),
            ([r.high for r in rows], PALETTE[4], "at its high value"),
        ):
            axes.barh(y, [value - centre for value in values], left=centre, height=0.6, color=tint, label=label)
        axes.axvline(centre, color="black", linewidth=1)
        axes.set_yticks(y, [wrap_label(drawable(parameter_label(result, row.parameter)), 30, 3) for row in rows])
        axes.grid(False, axis="y")
        if result.costs:
            thousands_axis(axes.xaxis)
        axes.set_xlabel(drawable(tornado_measure(result, strategy)))
        legend(axes)

    numbers = "; ".join(
        f"{parameter_label(result, row.parameter)}: {value_text(row.low, kind)} to {value_text(row.high, kind)}"
        for row in rows
    )
    at = f" at {run.money(run.middle_willingness(result), result.currency)} a QALY" if result.costs else ""
    return drawing(
        f"tornado-{slug(structure)}-{slug(strategy)}",
        f"What moves the answer: {strategy}, {run.structure_label(structure)}",
        f"{words.capital(tornado_measure(result, strategy))} against {result.comparator}{at}, where one number goes from the low to the high end of "
        f"its interval and all others stay. Black line: all at their central value, {value_text(centre, kind)}.",
        f"What moves the answer. {numbers}.",
        1.3 + 0.46 * len(rows),
        paint,
    )


def _central(result: ValueResult, structure: str, strategy: str) -> float:
    """Return what a tornado is about where every number has its central value."""
    from .decision_tables import priced_courses

    central = result.central[structure]
    gain = central["qalys"][result.place(strategy)] - central["qalys"][result.reference]
    if not result.costs:
        return float(gain)
    cost = central["costs"][result.place(strategy)] - central["costs"][result.reference]
    return float(gain * run.middle_willingness(result) - cost) / priced_courses(result, strategy)


def draw_information(result: ValueResult, structure: str) -> Drawing | None:
    """Draw what perfect information is worth by the price of a course, for each scenario; None without cells or costs."""
    decisions = [decision for decision in run.decisions(result) if decision.scenario and len(decision.options) > 1]
    if not decisions or not result.costs:
        return None
    amount = run.middle_willingness(result)
    highest = 2.0 * max(open_price(result, structure, decision, amount) for decision in decisions)
    if not highest > 0:
        return None
    grid = np.linspace(0.0, highest, 61)
    look = looks(result)
    curves = {
        decision: [evpi(benefits(result, structure, decision, amount, float(price))) for price in grid]
        for decision in decisions
    }

    def paint(axes: Axes) -> None:
        for decision, worth in curves.items():
            name = next(
                result.strategies[k]
                for k in decision.options
                if run.scenario_of(result, result.strategies[k]) == decision.scenario
            )
            axes.plot(
                grid,
                worth,
                color=look[name].colour,
                linestyle=look[name].line,
                label=words.scenario_short(decision.scenario),
            )
        axes.set_xlim(0, highest)
        axes.set_ylim(bottom=0)
        thousands_axis(axes.xaxis)
        thousands_axis(axes.yaxis)
        axes.set_xlabel(f"price of a course ({drawable(price_unit(result))})")
        axes.set_ylabel("worth of knowing all, a person")
        legend(axes)

    numbers = "; ".join(
        f"{decision.belief}: {run.amount(worth[0])} if cells are free, at most {run.amount(max(worth))}"
        for decision, worth in curves.items()
    )
    return drawing(
        f"information-{slug(structure)}",
        f"What it is worth to know more: {run.structure_label(structure)}",
        f"Expected value of perfect information for a person ({price_unit(result)}) at {run.money(amount, result.currency)} a QALY. It is greatest at the "
        "price that leaves the choice open.",
        f"Worth of perfect information. {numbers}.",
        3.0,
        paint,
    )


def draw_parameter_worths(
    result: ValueResult, structure: str, decision: run.Decision, rows: tuple[ParameterWorth, ...]
) -> Drawing | None:
    """Draw what it is worth to know single parameters; None where that is nothing."""
    rows = tuple(row for row in rows if row.worth > 0)[:_BARS]
    if not rows:
        return None
    kind: Kind = "money" if result.costs else "rate"
    unit = price_unit(result) if result.costs else "QALYs"

    def paint(axes: Axes) -> None:
        y = np.arange(len(rows))[::-1]
        axes.barh(y, [row.worth for row in rows], height=0.6, color=PALETTE[0], label="worth of knowing it")
        axes.plot(
            [row.chance for row in rows],
            y,
            linestyle="none",
            marker="|",
            markersize=12,
            markeredgewidth=2,
            color="black",
            label="by chance alone",
        )
        axes.axvline(0, color=GREY, linewidth=0.8)
        axes.set_yticks(y, [wrap_label(drawable(parameter_label(result, row.name)), 30, 3) for row in rows])
        axes.grid(False, axis="y")
        if result.costs:
            thousands_axis(axes.xaxis)
        axes.set_xlabel(f"worth for a person ({drawable(unit)})")
        legend(axes)

    numbers = "; ".join(
        f"{parameter_label(result, row.name)}: {value_text(row.worth, kind)}, by chance {value_text(row.chance, kind)}"
        for row in rows
    )
    return drawing(
        f"parameter-worths-{slug(structure)}-{slug(decision.scenario or 'all')}",
        f"Which number is worth knowing{_belief(decision)}: {run.structure_label(structure)}",
        "Expected value of perfect partial information, at the price that leaves the choice open. Black marks: what the same calculation gives for "
        "a number that decides nothing; bars that do not pass them say nothing.",
        f"Worth of knowing one number. {numbers}.",
        1.3 + 0.46 * len(rows),
        paint,
    )
