"""What the draws of a comparison say about decisions: prices, chances of being the best choice, what more knowledge is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...value.economics.acceptability import net_benefit
from ...value.economics.information import chance_evppi, evpi, evppi
from ...value.economics.pricing import threshold_price
from .run_settings import Decision, with_cells

if TYPE_CHECKING:
    from ...value.value_result import ValueResult

Numbers = NDArray[np.float64]
#: Parameters whose worth of information is told apart from chance, and shown.
MOST = 12


def costs_or_zero(result: ValueResult, structure: str) -> Numbers:
    """Return (strategies, draws) costs; 0 where the run has none, for what is then said of health alone."""
    return result.costs[structure] if result.costs else np.zeros_like(result.qalys[structure])


def prices(result: ValueResult, structure: str, strategy: str, willingness: float) -> Numbers:
    """Return (draws,) the price of a course of cells at which a strategy is worth its money against the comparator."""
    number = result.place(strategy)
    courses = 0.0 if result.cell_courses is None else float(result.cell_courses[number])
    costs = costs_or_zero(result, structure)
    saved = costs[number] - costs[result.reference]
    return threshold_price(result.increment(structure, "qalys", strategy), saved, courses, willingness)


def benefits(
    result: ValueResult, structure: str, decision: Decision, willingness: float, price: float = 0.0
) -> Numbers:
    """Return (options, draws) net benefit where a course of cells has a price."""
    rows = list(decision.options)
    courses = np.zeros(len(result.strategies)) if result.cell_courses is None else result.cell_courses
    worth = net_benefit(result.qalys[structure][rows], costs_or_zero(result, structure)[rows], willingness)
    return np.asarray(worth - price * courses[rows][:, None])


def price_against_best(
    result: ValueResult, structure: str, decision: Decision, strategy: str, willingness: float
) -> float:
    """Return the mean price at which a strategy with cells is as good as the best strategy without."""
    worth = benefits(result, structure, decision, willingness).mean(axis=1)
    treated = {result.place(name) for name in with_cells(result)}
    others = [value for number, value in zip(decision.options, worth, strict=True) if number not in treated]
    if not others or result.cell_courses is None:
        return float("nan")
    number = result.place(strategy)
    cells_worth = worth[decision.options.index(number)]
    return float((cells_worth - max(others)) / result.cell_courses[number])


@dataclass(frozen=True)
class InformationWorth:
    """What it is worth to know more before a decision.

    Attributes
    ----------
    free
        Expected value of perfect information for a person where cells cost nothing.
    price
        Price of a course at which the choice is the least certain; 0 without cells.
    worth
        Expected value of perfect information at that price.
    """

    free: float
    price: float
    worth: float


def information_worth(result: ValueResult, structure: str, decision: Decision, willingness: float) -> InformationWorth:
    """Return the expected value of perfect information, where cells are free and where their price leaves the choice open."""
    free = evpi(benefits(result, structure, decision, willingness))
    price = open_price(result, structure, decision, willingness)
    worth = evpi(benefits(result, structure, decision, willingness, price)) if price else free
    return InformationWorth(free, price, worth)


def open_price(result: ValueResult, structure: str, decision: Decision, willingness: float) -> float:
    """Return the price at which the best strategy with cells is as good on average as the best without; 0 where it is not even if free."""
    options = {result.strategies[number] for number in decision.options}
    treated = [name for name in with_cells(result) if name in options]
    asked = [price_against_best(result, structure, decision, name, willingness) for name in treated]
    return max([0.0, *(price for price in asked if np.isfinite(price))])


@dataclass(frozen=True)
class ParameterWorth:
    """What it is worth to know one parameter, or all of a kind.

    Attributes
    ----------
    worth
        Expected value of perfect partial information for a person.
    chance
        What the same regression gives for a parameter that decides nothing.
    """

    name: str
    worth: float
    chance: float


def parameter_worths(
    result: ValueResult, structure: str, decision: Decision, willingness: float, most: int = MOST
) -> tuple[ParameterWorth, ...]:
    """Return parameters whose knowledge is worth most, at the price that leaves the choice open; none where draws are too few."""
    worth = benefits(result, structure, decision, willingness, open_price(result, structure, decision, willingness))
    ranked = []
    for name, values in _drawn(result, structure):
        try:
            ranked.append((evppi(worth, values), name))
        except ValueError:
            return ()
    ranked.sort(key=lambda pair: (-pair[0], pair[1]))
    return tuple(ParameterWorth(name, value, chance_evppi(worth, result.drawn[name])) for value, name in ranked[:most])


def _drawn(result: ValueResult, structure: str) -> list[tuple[str, Numbers]]:
    """Return the draws of parameters that a set of events reads."""
    rows = result.parameters
    return [
        (name, values) for name, values in result.drawn.items() if name not in rows or rows[name].read_by(structure)
    ]


def kind_worths(
    result: ValueResult, structure: str, decision: Decision, willingness: float
) -> tuple[ParameterWorth, ...]:
    """Return what it is worth to know all parameters of a kind together; NaN where the draws are too few for so many."""
    worth = benefits(result, structure, decision, willingness, open_price(result, structure, decision, willingness))
    kinds: dict[str, list[Numbers]] = {}
    for name, values in _drawn(result, structure):
        kind = result.parameters[name].kind if name in result.parameters else "other"
        kinds.setdefault(kind, []).append(values)
    rows = []
    for kind, columns in kinds.items():
        values = np.stack(columns, axis=1)
        try:
            rows.append(ParameterWorth(kind, evppi(worth, values), _chance_of_several(worth, values)))
        except ValueError:
            rows.append(ParameterWorth(kind, float("nan"), float("nan")))
    return tuple(sorted(rows, key=lambda row: (np.isnan(row.worth), -row.worth, row.name)))


def _chance_of_several(worth: Numbers, values: Numbers, times: int = 5) -> float:
    rng = np.random.default_rng(1)
    return float(np.mean([evppi(worth, rng.permutation(values, axis=0)) for _ in range(times)]))


def ratio_error(result: ValueResult, structure: str, strategy: str) -> float:
    """Return the standard error that chance in simulation gives the cost per QALY; NaN without costs or gain.

    Where the run has it not, it is the greatest that the errors of cost and of QALYs allow together.
    """
    errors = result.monte_carlo.get(structure, {})
    if result.costs and "icer" in errors:
        return float(errors["icer"][result.place(strategy)])
    if not result.costs or "incremental_qalys" not in errors or "incremental_costs" not in errors:
        return float("nan")
    number = result.place(strategy)
    gain = float(result.increment(structure, "qalys", strategy).mean())
    cost = float(result.increment(structure, "costs", strategy).mean())
    if gain == 0:
        return float("nan")
    of_gain, of_cost = float(errors["incremental_qalys"][number]), float(errors["incremental_costs"][number])
    return (of_cost + abs(cost / gain) * of_gain) / abs(gain)
