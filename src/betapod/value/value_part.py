"""Some of the people of a comparison through all draws: their lives under every strategy and set of events, and what they add up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ..base.constants import DAYS_PER_YEAR
from ..hazards.complications.kidney_care import kidney_care_in
from ..hazards.risk import Numbers
from ..hazards.risk_course import RiskCourse
from ..health.accrue import Accrued, CostWeights, UtilityWeights, accrue
from ..health.event_table import own_events
from ..health.healthy import free_years, healthy_on
from ..health.lives import Lives, live_on
from ..health.prepared_course import PreparedCourse, prepare
from ..health.risk_profiles import glucose_drug_shares
from ..health.simulated_courses import SimulatedCourses
from ..health.ukpds_course import UkpdsCourse, prepare_ukpds
from ..health.ukpds_lives import live_on_ukpds
from .country_pack import CountryPack
from .parameter_draws import ParameterDraws, factors_of
from .value_settings import Discount, ValueSettings, ValueUtilities
from .weighing import CourseItems, cost_weights_of, course_items, utilities_of

#: Measure -> (people,).
People = dict[str, Numbers]
_SECTIONS = ("measures", "items", "events", "free_years")


@dataclass(frozen=True)
class ComparedPeople:
    """What parts of a comparison share.

    Attributes
    ----------
    packs
        Scenario -> country pack; ``""`` for the comparison itself.
    """

    settings: ValueSettings
    courses: SimulatedCourses
    packs: Mapping[str, CountryPack | None]
    draws: ParameterDraws

    @property
    def pack(self) -> CountryPack | None:
        """The country pack of the comparison itself."""
        return self.packs[""]

    def fixed(self) -> dict[str, float]:
        """Return rows that the country sets."""
        return dict(kidney_care_in(self.pack.kidney_care)) if self.pack is not None and self.pack.kidney_care else {}


@dataclass(frozen=True)
class _Ready:
    """One course of some people, made ready."""

    prepared: PreparedCourse | UkpdsCourse
    utilities: UtilityWeights
    items: CourseItems
    course: RiskCourse


@dataclass(frozen=True)
class LivedYears:
    """What lives of some people add up to: ``section`` -> name -> (people,).

    Attributes
    ----------
    measures
        ``years`` (not discounted), ``life_years``, ``qalys`` and, with a country pack, ``costs``.
    """

    measures: People
    items: People = field(default_factory=dict)
    events: People = field(default_factory=dict)
    free_years: People = field(default_factory=dict)

    def sums(self) -> dict[str, float]:
        """Return ``section/name`` -> sum over people."""
        return {f"{part}/{name}": float(v.sum()) for part in _SECTIONS for name, v in getattr(self, part).items()}


class ValuePart:
    """A part of the people."""

    def __init__(self, compared: ComparedPeople, rows: slice) -> None:
        self.compared, self.rows = compared, rows
        self.settings = compared.settings
        self._ready: dict[tuple[str, str], _Ready] = {}
        self._fixed = compared.fixed()
        self._central: dict[tuple[str, str], Lives] = {}

    @property
    def people(self) -> int:
        """How many people there are."""
        return len(range(*self.rows.indices(len(self.compared.courses.people))))

    def course_draw(self, draw: int | None) -> int:
        """Return the set of parameters of the cells of a draw; 0, that of the tables, for central values."""
        sets = self.compared.courses.draws
        return 0 if draw is None or not sets else 1 + draw % sets

    def prepare(self) -> None:
        """Make every course ready, so that threads find them."""
        for structure in self.settings.events:
            for strategy, number in self.compared.courses.keys:
                self.ready(structure, strategy, number)

    def ready(self, structure: str, strategy: str, number: int) -> _Ready:
        """Return a course made ready for one set of events; strategies that change nothing of it share it, but for what they cost."""
        key = self.compared.courses.keys[strategy, number]
        at = (structure, f"{key}|{strategy}")
        if at not in self._ready:
            course = self.compared.courses.risk(strategy, number, self.rows)
            days = np.asarray(course.days, dtype=np.float64)
            prepared: PreparedCourse | UkpdsCourse
            if structure == "own":
                prepared = prepare(course, own_events())
            else:
                prepared = prepare_ukpds(course)
                days = np.append(prepared.starts, prepared.starts[-1] + prepared.lengths[-1] * DAYS_PER_YEAR)
            lives = self._lives(prepared, {})
            days = lives.days
            utilities = utilities_of(self.settings.utilities, course, days, lives.states, lives.events)
            items = course_items(course, self.settings.strategies[strategy], self.compared.pack, days)
            self._ready[at] = _Ready(prepared, utilities, items, course)
        return self._ready[at]

    def _lives(self, prepared: PreparedCourse | UkpdsCourse, values: Mapping[str, float]) -> Lives:
        if isinstance(prepared, UkpdsCourse):
            return live_on_ukpds(prepared, values, self.settings.seed)
        return live_on(prepared, {**values, **self._fixed}, self.settings.seed, factors=factors_of(values))

    def lives(self, structure: str, strategy: str, number: int, values: Mapping[str, float]) -> Lives:
        """Return the lives of these people; the numbers that decide on events are the same in all strategies and draws."""
        return self._lives(self.ready(structure, strategy, number).prepared, values)

    def lived(self, structure: str, strategy: str, draw: int | None, healthy: bool = False) -> LivedYears:
        """Return what lives add up to in one draw; at central values without one."""
        values = {} if draw is None else self.compared.draws.values(draw)
        number = self.course_draw(draw)
        lives = self.lives(structure, strategy, number, values)
        return self.weighed(lives, self.ready(structure, strategy, number), values, healthy)

    def weighed(self, lives: Lives, ready: _Ready, values: Mapping[str, float], healthy: bool = False) -> LivedYears:
        """Return what lives add up to, weighted by the settings of the comparison."""
        utilities = ready.utilities
        if values:
            utilities = utilities_of(
                self.settings.utilities, ready.course, lives.days, lives.states, lives.events, values
            )
        accrued = self._accrued(lives, ready.items, utilities, self.compared.pack, self.settings.discount, values)
        measures = {"years": accrued.years, "life_years": accrued.life_years, "qalys": accrued.qalys}
        if self.compared.pack is not None:
            measures["costs"] = accrued.total_cost()
        events = {name: lives.counts(name) for name in lives.events}
        free = free_years(lives)
        if healthy:
            free["healthy"] = healthy_on(ready.course, glucose_drug_shares(ready.course), lives).years
        return LivedYears(measures, dict(accrued.costs), events, free)

    def _accrued(
        self, lives: Lives, items: CourseItems, utilities: UtilityWeights, pack: CountryPack | None, discount: Discount,
        values: Mapping[str, float],
    ) -> Accrued:  # fmt: skip
        costs = CostWeights() if pack is None else cost_weights_of(pack, items, lives, values)
        return accrue(lives, utilities, costs, discount.effects, discount.costs)

    # -- one draw, all strategies ------------------------------------------------------------------------------------

    def drawn(self, structure: str, draw: int) -> list[dict[str, float]]:
        """Return for each strategy ``section/name`` -> sum over these people in one draw."""
        return [self.lived(structure, strategy, draw).sums() for strategy in self.settings.strategies]

    def central_sums(self, structure: str) -> Numbers:
        """Return (2, strategies) sums of QALYs and costs at central values."""
        lived = [self.lived(structure, strategy, None).measures for strategy in self.settings.strategies]
        return np.array([[of["qalys"].sum(), of["costs"].sum() if "costs" in of else np.nan] for of in lived]).T

    def moved(self, structure: str, parameter: str, value: float) -> Numbers:
        """Return (2, strategies) sums of QALYs and costs with one parameter at another value, all others central."""
        values = {parameter: value}
        rows = []
        for strategy in self.settings.strategies:
            ready = self.ready(structure, strategy, 0)
            rate = self.compared.draws.parameters[parameter].kind == "rate"
            lives = self._lives(ready.prepared, values) if rate else self._lives_at_centre(structure, strategy)
            measures = self.weighed(lives, ready, values).measures
            rows.append((measures["qalys"].sum(), measures["costs"].sum() if "costs" in measures else np.nan))
        return np.asarray(rows).T

    def _lives_at_centre(self, structure: str, strategy: str) -> Lives:
        """Return the lives at central values, lived once for all numbers that decide on no event."""
        if (structure, strategy) not in self._central:
            self._central[structure, strategy] = self.lives(structure, strategy, 0, {})
        return self._central[structure, strategy]

    # -- other ways to weigh -----------------------------------------------------------------------------------------

    def scenario(self, structure: str, strategy: str, name: str) -> People:
        """Return what lives add up to at central values under the changes of a scenario."""
        change = self.settings.scenarios[name]
        ready = self.ready(structure, strategy, 0)
        lives = self.lives(structure, strategy, 0, {})
        pack = self.compared.packs.get(name, self.compared.pack)
        utilities, items = ready.utilities, ready.items
        if change.utilities is not None:
            utilities = self._other_utilities(change.utilities, ready, lives)
        if change.country is not None:
            items = course_items(ready.course, self.settings.strategies[strategy], pack, lives.days)
        if change.horizon is not None:
            lives, utilities, items = _until(change.horizon, lives, utilities, items)
        accrued = self._accrued(lives, items, utilities, pack, change.discount or self.settings.discount, {})
        measures = {"years": accrued.years, "life_years": accrued.life_years, "qalys": accrued.qalys}
        return measures if pack is None else {**measures, "costs": accrued.total_cost()}

    def _other_utilities(self, changed: ValueUtilities, ready: _Ready, lives: Lives) -> UtilityWeights:
        return utilities_of(changed, ready.course, lives.days, lives.states, lives.events)

    def yearly_costs(self, structure: str, strategy: str, years: int) -> Numbers:
        """Return (years,) what these people cost in the first, second ... year, not discounted, at central values."""
        pack = self.compared.pack
        assert pack is not None
        lives, ready = self.lives(structure, strategy, 0, {}), self.ready(structure, strategy, 0)
        total = []
        for year in range(years):
            days = lives.days / DAYS_PER_YEAR
            first, last = (int(np.searchsorted(days, edge - 1e-6)) for edge in (year, year + 1))
            part, items = _window(lives, ready.items, first, last)
            costs = cost_weights_of(pack, items, part, {})
            costs = costs if year == 0 else replace(costs, once={})
            total.append(float(accrue(part, UtilityWeights(1.0), costs).total_cost().sum()))
        return np.asarray(total)


def _window(lives: Lives, items: CourseItems, first: int, last: int) -> tuple[Lives, CourseItems]:
    """Return the lives between two steps."""
    part = replace(
        lives,
        days=lives.days[first : last + 1],
        alive=lives.alive[first:last],
        in_state=lives.in_state[:, first:last],
        happened=lives.happened[:, first:last],
    )
    return part, replace(items, drugs={name: share[first:last] for name, share in items.drugs.items()})


def _until(
    years: float, lives: Lives, utilities: UtilityWeights, items: CourseItems
) -> tuple[Lives, UtilityWeights, CourseItems]:
    """Return the first years of lives, to the step in which they end."""
    steps = max(1, int(np.searchsorted(lives.days[:-1] / DAYS_PER_YEAR, years - 1e-6)))
    part, items = _window(lives, items, 0, steps)
    base = np.asarray(utilities.base)
    return part, replace(utilities, base=base[:steps] if base.ndim == 2 else utilities.base), items
