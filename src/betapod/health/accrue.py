"""What lives add up to: years, quality-adjusted years and costs of each person, discounted in continuous time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from ..base.constants import DAYS_PER_YEAR
from ..base.errors import ConfigError, Problem, did_you_mean
from ..hazards.risk import Numbers
from .lives import Lives

#: How losses of quality of life from several states combine: their sum, the product of their ratios, or the largest alone.
Combination = Literal["additive", "multiplicative", "minimum"]
COMBINATIONS: tuple[str, ...] = get_args(Combination)


@dataclass(frozen=True)
class UtilityWeights:
    """Quality of life by state.

    Attributes
    ----------
    base
        Utility without any of the states: a number, (people,) or (steps, people).
    states
        State -> what it takes away; below 0 where it adds.
    events
        Event -> quality-adjusted years that each takes away.
    combine
        See `Combination`.
    reference
        Utility of those in whom the losses were measured; where losses multiply a state leaves ``1 - loss / reference``.
    worst_of
        Groups of states, stages of one disease, of which the worst alone counts.
    """

    base: Numbers | float
    states: Mapping[str, float] = field(default_factory=dict)
    events: Mapping[str, float] = field(default_factory=dict)
    combine: Combination = "additive"
    reference: float = 1.0
    worst_of: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class CostWeights:
    """Costs by state, event and item, in one currency.

    Attributes
    ----------
    states, events
        State -> cost of a year in it; event -> cost of each.
    yearly
        Item -> cost of a year of life: a number, (people,) or (steps, people), such as that of drugs.
    once
        Item -> cost at day 0: a number or (people,).
    """

    states: Mapping[str, float] = field(default_factory=dict)
    events: Mapping[str, float] = field(default_factory=dict)
    yearly: Mapping[str, Numbers | float] = field(default_factory=dict)
    once: Mapping[str, Numbers | float] = field(default_factory=dict)


@dataclass(frozen=True)
class Accrued:
    """Sums over a life: (people,) each.

    Attributes
    ----------
    years, life_years
        Years lived, as they are and discounted.
    qalys_undiscounted, qalys
        Quality-adjusted years, as they are and discounted.
    costs
        State, event or item -> discounted cost; those of states and events that cost nothing are left out.
    """

    years: Numbers
    life_years: Numbers
    qalys_undiscounted: Numbers
    qalys: Numbers
    costs: Mapping[str, Numbers]

    def total_cost(self) -> Numbers:
        """Return (people,) the discounted cost of everything."""
        return np.sum(list(self.costs.values()), axis=0) if self.costs else np.zeros_like(self.years)


def discount_factors(days: Numbers, rate: float) -> Numbers:
    """Return the mean discount factor within each step.

    Parameters
    ----------
    days
        (T,) edges of the steps.
    rate
        Per year, such as 0.035: a year later counts 1/1.035.

    Raises
    ------
    ConfigError
        A rate below 0.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.health.accrue import discount_factors
    >>> discount_factors(np.array([0, 365.25]), 0.035).round(4).tolist()
    [0.983]
    """
    if not rate >= 0.0:
        raise ConfigError(Problem("out-of-range", "a discount rate is not negative", found=f"{rate:g}"))
    years = np.asarray(days, dtype=np.float64) / DAYS_PER_YEAR
    pace = np.log1p(rate)
    if pace == 0.0:
        return np.ones(len(years) - 1)
    left = np.exp(-pace * years)
    return np.asarray((left[:-1] - left[1:]) / (pace * np.diff(years)))


def accrue(
    lives: Lives,
    utilities: UtilityWeights,
    costs: CostWeights | None = None,
    discount_effects: float = 0.0,
    discount_costs: float = 0.0,
) -> Accrued:
    """Return what lives add up to.

    Parameters
    ----------
    discount_effects, discount_costs
        Rates per year.

    Raises
    ------
    ConfigError
        States or events that lives do not have.

    Notes
    -----
    Where losses multiply or the largest alone counts, states that begin within a step combine by their share of it.
    """
    _known(lives, utilities, costs or CostWeights())
    plain, effects = lives.years, lives.years * discount_factors(lives.days, discount_effects)
    utility, lost = quality(lives, utilities), _lost(lives, utilities)
    counted = effects / plain
    spent = _costs(lives, costs or CostWeights(), discount_costs)
    return Accrued(
        plain @ lives.alive,
        effects @ lives.alive,
        plain @ utility - lost.sum(axis=0),
        effects @ utility - counted @ lost,
        spent,
    )


def quality(lives: Lives, utilities: UtilityWeights) -> Numbers:
    """Return (steps, people) quality of life, 0 after death; losses by events are not in it."""
    base = np.broadcast_to(np.asarray(utilities.base, dtype=np.float32), lives.alive.shape)
    states = {name: loss for name, loss in utilities.states.items() if loss}
    if not states:
        return np.asarray(base * lives.alive)
    grouped = {name for group in utilities.worst_of for name in group}
    alone = {name: loss for name, loss in states.items() if name not in grouped}
    together = [_worst(lives, states, group) for group in utilities.worst_of if set(group) & set(states)]
    rows = [lives.states.index(name) for name in alone]
    loss = np.array(list(alone.values()), dtype=np.float32)
    if utilities.combine == "additive":
        lost = np.tensordot(loss, lives.in_state[rows], axes=1) if rows else np.zeros_like(lives.alive)
        return np.asarray(base * lives.alive - lost - sum(together))
    parts = np.concatenate([lives.in_state[rows] * loss[:, None, None], *(part[None] for part in together)])
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(lives.alive > 0, parts / lives.alive, 0.0)
    if utilities.combine == "multiplicative":
        left = np.prod(1.0 - parts / np.float32(utilities.reference), axis=0)
        return np.asarray(base * left * lives.alive)
    return np.asarray((base - np.max(np.maximum(parts, 0.0), axis=0)) * lives.alive)


def _worst(lives: Lives, states: Mapping[str, float], group: Iterable[str]) -> Numbers:
    """Return (steps, people) the largest loss by the states of a group."""
    losses = [np.float32(states[name]) * lives.state(name) for name in group if name in states]
    return np.asarray(np.maximum.reduce(losses))


def _lost(lives: Lives, utilities: UtilityWeights) -> Numbers:
    """Return (steps, people) quality-adjusted years that events take away."""
    lost = np.zeros(lives.alive.shape)
    for name, loss in utilities.events.items():
        if loss:
            lost += loss * lives.happened[lives.events.index(name)]
    return lost


def _costs(lives: Lives, costs: CostWeights, rate: float) -> dict[str, Numbers]:
    factors = discount_factors(lives.days, rate)
    years = lives.years * factors
    spent: dict[str, Numbers] = {}
    for name, cost in costs.states.items():
        if cost:
            spent[name] = cost * (years @ lives.state(name))
    for name, cost in costs.events.items():
        if cost:
            spent[name] = spent.get(name, 0.0) + cost * (factors @ lives.happened[lives.events.index(name)])
    for item, yearly in costs.yearly.items():
        spent[item] = spent.get(item, 0.0) + years @ (lives.alive * np.asarray(yearly))
    for item, once in costs.once.items():
        spent[item] = spent.get(item, 0.0) + np.broadcast_to(np.asarray(once, dtype=np.float64), lives.died.shape)
    return {name: np.asarray(values) for name, values in spent.items()}


def years_without(lives: Lives, states: Iterable[str]) -> Numbers:
    """Return (people,) years lived in none of some states, not discounted.

    Raises
    ------
    ConfigError
        States that lives do not have.
    """
    names = tuple(states)
    if problems := list(_unknown(names, lives.states, "state")):
        raise ConfigError(problems)
    if not names:
        return lives.life_years()
    ill = np.max(lives.in_state[[lives.states.index(name) for name in names]], axis=0)
    return np.asarray(lives.years @ (lives.alive - ill))


def _known(lives: Lives, utilities: UtilityWeights, costs: CostWeights) -> None:
    problems = [
        *_unknown((*utilities.states, *costs.states), lives.states, "state"),
        *_unknown((*utilities.events, *costs.events), lives.events, "event"),
    ]
    if problems:
        raise ConfigError(problems)


def _unknown(names: Iterable[str], possible: tuple[str, ...], kind: str) -> Iterator[Problem]:
    for name in names:
        if name not in possible:
            yield Problem(f"unknown-{kind}", f"there is no {kind} {name!r}", hint=did_you_mean(name, possible))
