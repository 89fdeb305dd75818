"""What a comparison of strategies found: means over people in every draw, people at central values, and what was drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.errors import ConfigError, Problem, did_you_mean

Numbers = NDArray[np.float64]

#: Measures of `ValueResult.central` and of its scenarios: what each is.
VALUE_MEASURES: Mapping[str, str] = {
    "years": "life-years, not discounted",
    "life_years": "life-years, discounted",
    "qalys": "quality-adjusted life-years, discounted",
    "costs": "costs, discounted",
}


@dataclass(frozen=True)
class ValueParameter:
    """One number of a comparison that is uncertain.

    Attributes
    ----------
    kind
        ``rate`` of an event, ``utility``, ``cost`` or ``physiology``.
    value, low, high
        Central value, and the interval that one-way sensitivity goes through; infinite where there is none.
    source
        Key of the bibliography, or what a country pack names; empty where nobody said.
    structures
        Sets of events that read it; all, where none is named.
    """

    name: str
    label: str
    kind: str
    value: float
    low: float
    high: float
    unit: str
    distribution: str = "fixed"
    source: str = ""
    locator: str = ""
    grade: str = ""
    note: str = ""
    structures: tuple[str, ...] = ()

    def read_by(self, structure: str) -> bool:
        """Return whether a set of events reads it: the value of knowing any other is chance alone."""
        return not self.structures or structure in self.structures


@dataclass(frozen=True)
class ValueResult:
    """Strategies compared.

    Arrays (strategies, draws) are means over people; a draw is one set of all uncertain numbers, the same in all strategies.
    Costs are absent, not 0, where no country was given: then `costs`, `items`, `person_costs` and `yearly_costs` are empty and `currency` is None.

    Attributes
    ----------
    run
        The settings as they were read, every default filled in.
    strategies, comparator
        Names in the order of the run; the comparator is one of them.
    structures
        Sets of events that stand side by side: ``own``, ``ukpds-om2``.
    years
        Structure -> (strategies, draws) life-years, not discounted. All that follows is discounted unless it says otherwise.
    life_years, qalys, costs
        Structure -> (strategies, draws).
    items
        Structure -> item of cost -> (strategies, draws); they add up to `costs`.
    events
        Structure -> event -> (strategies, draws) how often per person over the horizon, not discounted.
    free_years
        Structure -> name, such as ``dialysis_free`` or ``healthy`` -> (strategies, draws) years, not discounted.
    person_qalys, person_costs, person_years
        Structure -> (strategies, people) at central values: differences between people, apart from what is uncertain.
        `person_years` are not discounted.
    baseline
        Name -> (people,) what events read of people at day 0: fields of `RiskProfile`, and histories.
    weights
        (people,) shares of people in the means; they add up to 1.
    drawn
        Parameter -> (draws,) its values.
    parameters
        The same parameters, each with interval, source and grade.
    central
        Structure -> measure of `VALUE_MEASURES` -> (strategies,) at central values of all parameters.
    one_way
        Structure -> parameter -> (2, 2, strategies): at its low and at its high value, QALYs and costs (NaN where there are none), all others central.
    scenarios
        Scenario -> structure -> measure of `VALUE_MEASURES` -> (strategies,), at central values.
    monte_carlo
        Structure -> measure, or ``incremental_years``, ``incremental_qalys``, ``incremental_costs`` and ``icer`` against the comparator -> (strategies,) standard error of the mean over
        people and random events in one draw.
    cell_courses
        (strategies,) discounted courses of cells that a person is given; 0 without.
    yearly_costs
        Structure -> (strategies, years) mean cost of a person in the first, second ... year, not discounted, at central values: what a budget sees.
    currency, price_year
        Of the country pack; None without.
    missing
        Sentences: what the country pack or the sets of utilities lack, and what was left out because of it.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.value.value_result import ValueResult
    >>> qalys = {"own": np.array([[8.0, 8.2], [8.4, 8.5]])}
    >>> result = ValueResult({}, ("care", "drug"), "care", ("own",), qalys, qalys, qalys)
    >>> result.increment("own", "qalys", "drug").round(2).tolist()
    [0.4, 0.3]
    """

    run: Mapping[str, Any]
    strategies: tuple[str, ...]
    comparator: str
    structures: tuple[str, ...]
    years: Mapping[str, Numbers]
    life_years: Mapping[str, Numbers]
    qalys: Mapping[str, Numbers]
    costs: Mapping[str, Numbers] = field(default_factory=dict)
    items: Mapping[str, Mapping[str, Numbers]] = field(default_factory=dict)
    events: Mapping[str, Mapping[str, Numbers]] = field(default_factory=dict)
    free_years: Mapping[str, Mapping[str, Numbers]] = field(default_factory=dict)
    person_qalys: Mapping[str, Numbers] = field(default_factory=dict)
    person_costs: Mapping[str, Numbers] = field(default_factory=dict)
    person_years: Mapping[str, Numbers] = field(default_factory=dict)
    baseline: Mapping[str, Numbers] = field(default_factory=dict)
    weights: Numbers | None = None
    drawn: Mapping[str, Numbers] = field(default_factory=dict)
    parameters: Mapping[str, ValueParameter] = field(default_factory=dict)
    central: Mapping[str, Mapping[str, Numbers]] = field(default_factory=dict)
    one_way: Mapping[str, Mapping[str, Numbers]] = field(default_factory=dict)
    scenarios: Mapping[str, Mapping[str, Mapping[str, Numbers]]] = field(default_factory=dict)
    monte_carlo: Mapping[str, Mapping[str, Numbers]] = field(default_factory=dict)
    cell_courses: Numbers | None = None
    yearly_costs: Mapping[str, Numbers] = field(default_factory=dict)
    currency: str | None = None
    price_year: int | None = None
    missing: tuple[str, ...] = ()

    @property
    def draws(self) -> int:
        """How many draws there are."""
        return int(next(iter(self.qalys.values())).shape[1])

    @property
    def reference(self) -> int:
        """Place of the comparator among the strategies."""
        return self.strategies.index(self.comparator)

    @property
    def others(self) -> tuple[str, ...]:
        """Strategies but the comparator."""
        return tuple(name for name in self.strategies if name != self.comparator)

    def place(self, strategy: str) -> int:
        """Return the place of a strategy.

        Raises
        ------
        ConfigError
            There is no such strategy.
        """
        if strategy not in self.strategies:
            hint = did_you_mean(strategy, self.strategies)
            raise ConfigError(Problem("unknown-strategy", f"there is no strategy {strategy!r}", hint=hint))
        return self.strategies.index(strategy)

    def increment(self, structure: str, measure: str, strategy: str) -> Numbers:
        """Return (draws,) by how much a strategy differs from the comparator.

        Parameters
        ----------
        measure
            One of `VALUE_MEASURES`.

        Raises
        ------
        ConfigError
            There is no such strategy.
        KeyError
            There is no such structure, or there are no costs.
        """
        values: Numbers = getattr(self, measure)[structure]
        return np.asarray(values[self.place(strategy)] - values[self.reference])
