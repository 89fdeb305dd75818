"""Figures of a comparison: gains, the plane of costs and QALYs, prices of cells, and differences between people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...value.economics.acceptability import ellipse
from ..common import words
from ..common.drawing import COLOURS, MARKS, STYLES, Drawing, colour, drawing, slug, wrap_label
from ..common.figures import GREY, PALETTE, drawable
from ..common.figures import STYLES as LINES
from . import run_settings as run
from .decision_tables import money_unit
from .strategy_tables import price_unit
from .value_analysis import prices
from .value_table import ValueEstimate, estimate, value_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ...value.value_result import ValueResult

#: Draws that are shown as points, for each strategy.
_POINTS = 200
_MARKERS = ("v", "P", "X", "<", ">")


@dataclass(frozen=True)
class StrategyLook:
    """How a strategy is drawn in every figure."""

    colour: str
    mark: str
    line: Any


def looks(result: ValueResult) -> dict[str, StrategyLook]:
    """Return colour, mark and line of each strategy; cells as their scenario has them, if no other strategy does."""
    scenarios = [run.scenario_of(result, name) for name in result.strategies]
    styles: dict[str, StrategyLook] = {}
    free = [tint for tint in PALETTE if tint not in COLOURS.values()]
    number = 0
    for name, scenario in zip(result.strategies, scenarios, strict=True):
        if scenario in COLOURS and scenarios.count(scenario) == 1:
            styles[name] = StrategyLook(colour(scenario), MARKS[scenario], STYLES[scenario])
        elif name == result.comparator:
            styles[name] = StrategyLook(GREY, "o", "-")
        else:
            tint = free[number % len(free)]
            styles[name] = StrategyLook(tint, _MARKERS[number % len(_MARKERS)], LINES[-2 - number % 2])
            number += 1
    return styles


def legend(axes: Axes, columns: int = 2) -> None:
    """Put a legend below the axes."""
    axes.figure.legend(loc="outside lower center", ncols=columns, fontsize=9)


def thousands_axis(axis: Any) -> None:
    """Write amounts of money on an axis with their thousands apart."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(5))
    axis.set_major_formatter(FuncFormatter(lambda value, _: run.amount(value)))


def draw_gains(result: ValueResult) -> Drawing:
    """Draw QALYs gained by each strategy under each set of events, with their interval."""
    look = looks(result)
    rows = [
        (name, structure, estimate(result.increment(structure, "qalys", name)))
        for name in result.others
        for structure in result.structures
    ]
    several = len(result.structures) > 1

    def paint(axes: Axes) -> None:
        ticks, labels = [], []
        y = 0.0
        for name, structure, gain in rows:
            axes.plot([gain.low, gain.high], [y, y], color=look[name].colour, linewidth=2)
            axes.plot([gain.mean], [y], color=look[name].colour, marker=look[name].mark, markersize=7)
            ticks.append(y)
            label = wrap_label(drawable(name), 20, 2)
            labels.append(f"{label}\n{run.SHORT_STRUCTURES.get(structure, structure)}" if several else label)
            y -= 1.0
        axes.axvline(0, color=GREY, linewidth=0.8, linestyle=(0, (3, 2)))
        axes.set_yticks(ticks, labels)
        axes.set_ylim(y + 0.4, 0.6)
        axes.grid(False, axis="y")
        axes.set_xlabel(f"QALYs gained against {drawable(result.comparator)[:30]}")

    numbers = "; ".join(
        f"{name}, {run.structure_label(structure)}: {interval_text(gain, 'gain')}" for name, structure, gain in rows
    )
    return drawing(
        "gains",
        "Quality-adjusted life-years gained",
        "Means of a person; lines hold 95 % of draws of all uncertain numbers.",
        f"QALYs gained. {numbers}.",
        1.0 + (0.55 if several else 0.42) * len(rows),
        paint,
    )


def interval_text(value: ValueEstimate, kind: Any) -> str:
    """Return a mean with its interval as text."""
    return f"{value_text(value.mean, kind)} ({value_text(value.low, kind)} to {value_text(value.high, kind)})"


def draw_plane(result: ValueResult, structure: str) -> Drawing | None:
    """Draw the plane of QALYs and costs: draws, ellipses that hold 95 % of them, and the amount for a QALY; None without costs."""
    if not result.costs:
        return None
    look = looks(result)
    gains = {
        name: (result.increment(structure, "qalys", name), result.increment(structure, "costs", name))
        for name in result.others
    }
    amount = run.middle_willingness(result)

    def paint(axes: Axes) -> None:
        for name, (gain, cost) in gains.items():
            tint = look[name].colour
            step = max(1, len(gain) // _POINTS)
            axes.plot(gain[::step], cost[::step], linestyle="none", marker=".", markersize=2.5, color=tint, alpha=0.35)
            if len(gain) > 2:
                axes.plot(*ellipse(gain, cost).outline(), color=tint, linewidth=1.2)
            axes.plot(
                [gain.mean()], [cost.mean()], color=tint, marker=look[name].mark, markersize=8, linestyle="none",
                markeredgecolor="white", label=wrap_label(drawable(name), 24, 1),
            )  # fmt: skip
        low, high = axes.get_xlim()
        bottom, top = axes.get_ylim()
        edges = np.array([min(low, 0.0), max(high, 0.0)])
        axes.plot(edges, amount * edges, color=GREY, linewidth=1, linestyle=(0, (4, 2)))
        axes.set_xlim(*edges)
        axes.set_ylim(min(bottom, 0.0), max(top, 0.0))
        axes.axhline(0, color=GREY, linewidth=0.8)
        axes.axvline(0, color=GREY, linewidth=0.8)
        thousands_axis(axes.yaxis)
        axes.set_xlabel("QALYs gained")
        axes.set_ylabel(f"more costs ({drawable(price_unit(result))})")
        legend(axes)

    numbers = "; ".join(
        f"{name}: {interval_text(estimate(gain), 'gain')} QALYs for {interval_text(estimate(cost), 'more money')}"
        for name, (gain, cost) in gains.items()
    )
    cells = " Cells are without their price." if run.with_cells(result) else ""
    return drawing(
        f"plane-{slug(structure)}",
        f"Costs and QALYs against {result.comparator}: {run.structure_label(structure)}",
        f"Points: draws; marks: means; outlines: ellipses that would hold 95 % of normal draws. What lies below the broken line is worth its "
        f"money at {run.money(amount, result.currency)} a QALY.{cells}",
        f"Plane of costs and QALYs. {numbers}.",
        3.9,
        paint,
    )


def draw_prices(result: ValueResult) -> Drawing | None:
    """Draw the price of a course of cells at which it is worth its money, by scenario and amount for a QALY; None without cells."""
    treated = run.with_cells(result)
    if not treated:
        return None
    look = looks(result)
    amounts = run.willingness(result)
    several = len(result.structures) > 1
    rows = [
        (name, structure, amount, estimate(prices(result, structure, name, amount)))
        for name in treated
        for structure in result.structures
        for amount in amounts
    ]

    def paint(axes: Axes) -> None:
        ticks, labels = [], []
        y = 0.0
        for number, (name, structure, amount, limit) in enumerate(rows):
            if number % len(amounts) == 0:
                y -= 1.1 if number else 0.0
                head = f"{wrap_label(drawable(name), 34, 1)}{f', {run.SHORT_STRUCTURES.get(structure, structure)}' if several else ''}"
                axes.text(
                    0.01, y + 0.35, head, transform=axes.get_yaxis_transform(), fontweight="bold", fontsize=9.5, va="bottom"
                )  # fmt: skip
            axes.plot([limit.low, limit.high], [y, y], color=look[name].colour, linewidth=2)
            axes.plot([limit.mean], [y], color=look[name].colour, marker=look[name].mark, markersize=7)
            ticks.append(y)
            labels.append(run.amount(amount))
            y -= 1.0
        axes.axvline(0, color=GREY, linewidth=0.8, linestyle=(0, (3, 2)))
        axes.set_yticks(ticks, labels)
        axes.set_ylim(y + 0.4, 1.3)
        axes.grid(False, axis="y")
        thousands_axis(axes.xaxis)
        axes.set_ylabel("money for a QALY")
        axes.set_xlabel(f"price of a course ({drawable(money_unit(result))})")

    numbers = "; ".join(
        f"{name}, {run.structure_label(structure)}, {run.amount(amount)} a QALY: {interval_text(limit, 'money')}"
        for name, structure, amount, limit in rows
    )
    beliefs = ". ".join(
        f"{words.capital(name)}: cells {words.scenario(run.scenario_of(result, name)).removeprefix('cells ')}"
        for name in treated
        if run.scenario_of(result, name)
    )
    saved = (
        "Costs and savings elsewhere are in it"
        if result.costs
        else "Only health is paid for: no country, no other costs"
    )
    return drawing(
        "prices",
        "What a course of cells may cost",
        f"Price at which it is worth its money against {result.comparator}; lines hold 95 % of draws. {saved}. Below 0: not even if it were free. "
        f"{beliefs}{'.' if beliefs else ''}",
        f"Price of a course of cells. {numbers}.",
        1.3 + 0.3 * len(rows) + 0.33 * len(rows) / len(amounts),
        paint,
    )


def draw_price_curves(result: ValueResult, structure: str) -> Drawing | None:
    """Draw how likely a course of cells is worth its money, by its price, at the middle amount for a QALY; None without cells."""
    treated = run.with_cells(result)
    if not treated:
        return None
    look = looks(result)
    amount = run.middle_willingness(result)
    limits = {name: np.sort(prices(result, structure, name, amount)) for name in treated}
    highest = max(float(np.quantile(values, 0.99)) for values in limits.values())
    if not highest > 0:
        return None
    grid = np.linspace(0.0, highest, 200)
    chances = {name: 1 - np.searchsorted(values, grid, side="right") / len(values) for name, values in limits.items()}

    def paint(axes: Axes) -> None:
        for name, chance in chances.items():
            axes.plot(
                grid,
                100 * chance,
                color=look[name].colour,
                linestyle=look[name].line,
                label=wrap_label(drawable(name), 24, 1),
            )
        axes.set_ylim(-2, 102)
        axes.set_xlim(0, highest)
        thousands_axis(axes.xaxis)
        axes.set_xlabel(f"price of a course ({drawable(money_unit(result))})")
        axes.set_ylabel("worth its money (% of draws)")
        legend(axes)

    told = "; ".join(
        f"{name}: {words.percent_text(float((values > 0).mean()))} if free, {words.percent_text(float((values > highest / 2).mean()))} at "
        f"{run.amount(highest / 2)}"
        for name, values in limits.items()
    )
    return drawing(
        f"price-curves-{slug(structure)}",
        f"How sure a price is: {run.structure_label(structure)}",
        f"Share of draws in which a course is worth its price against {result.comparator} at {run.money(amount, result.currency)} a QALY.",
        f"Chance to be worth its price. {told}.",
        3.1,
        paint,
    )


def draw_people(result: ValueResult, structure: str) -> Drawing | None:
    """Draw how gains differ between people at central values; None where the run keeps no people."""
    if structure not in result.person_qalys:
        return None
    look = looks(result)
    qalys = result.person_qalys[structure]
    weights = np.full(qalys.shape[1], 1 / qalys.shape[1]) if result.weights is None else result.weights
    gains = {name: qalys[result.place(name)] - qalys[result.reference] for name in result.others}

    def paint(axes: Axes) -> None:
        for name, gain in gains.items():
            order = np.argsort(gain, kind="stable")
            reached = 100 * np.cumsum(weights[order]) / weights.sum()
            keep = np.unique(np.linspace(0, len(gain) - 1, 300).astype(int))
            axes.step(
                gain[order][keep], reached[keep], where="post", color=look[name].colour, linestyle=look[name].line,
                label=wrap_label(drawable(name), 24, 1),
            )  # fmt: skip
        axes.axvline(0, color=GREY, linewidth=0.8)
        axes.set_ylim(0, 101)
        axes.set_xlabel("QALYs gained by a person")
        axes.set_ylabel("people who gain no more (%)")
        legend(axes)

    numbers = "; ".join(
        f"{name}: mean {value_text(float(weights @ gain / weights.sum()), 'gain')}" for name, gain in gains.items()
    )
    return drawing(
        f"people-{slug(structure)}",
        f"Differences between people: {run.structure_label(structure)}",
        "Share of people who gain no more than so many QALYs, every uncertain number at its central value. The chance of each life is in it.",
        f"QALYs gained by people. {numbers}.",
        3.2,
        paint,
    )


def draw_events(result: ValueResult, structure: str, most: int = 10) -> Drawing | None:
    """Draw by how many a strategy changes the events of a hundred people, those that change most; None without events."""
    from .strategy_tables import state_words

    counts = result.events.get(structure, {})
    look = looks(result)
    changes: Mapping[str, dict[str, ValueEstimate]] = {
        event: {name: estimate(100 * (array[result.place(name)] - array[result.reference])) for name in result.others}
        for event, array in counts.items()
    }
    size = {
        event: max(abs(change.mean) for change in by_name.values()) for event, by_name in changes.items() if by_name
    }
    shown_events = [event for event in sorted(size, key=lambda event: -size[event]) if size[event] > 0.005][:most]
    if not shown_events:
        return None
    offsets = np.linspace(0.27, -0.27, len(result.others)) if len(result.others) > 1 else np.zeros(1)

    def paint(axes: Axes) -> None:
        for offset, name in zip(offsets, result.others, strict=True):
            y = np.arange(len(shown_events))[::-1] + offset
            changed = [changes[event][name] for event in shown_events]
            axes.hlines(y, [c.low for c in changed], [c.high for c in changed], color=look[name].colour, linewidth=1.6)
            axes.plot(
                [c.mean for c in changed], y, linestyle="none", color=look[name].colour, marker=look[name].mark, markersize=5,
                label=wrap_label(drawable(name), 24, 1),
            )  # fmt: skip
        axes.axvline(0, color=GREY, linewidth=0.8)
        axes.set_yticks(
            np.arange(len(shown_events))[::-1],
            [wrap_label(words.capital(state_words(event)), 22, 2) for event in shown_events],
        )
        axes.grid(False, axis="y")
        axes.set_xlabel("more or fewer events of a hundred people")
        legend(axes)

    numbers = "; ".join(
        f"{state_words(event)}: "
        + ", ".join(f"{name} {value_text(change.mean, 'gain')}" for name, change in changes[event].items())
        for event in shown_events
    )
    return drawing(
        f"events-{slug(structure)}",
        f"Events against {result.comparator}: {run.structure_label(structure)}",
        f"Events of a hundred people over {run.horizon_words(result)}; lines hold 95 % of draws. Who lives longer has more time for events.",
        f"More or fewer events of a hundred people. {numbers}.",
        1.3 + 0.45 * len(shown_events),
        paint,
    )
