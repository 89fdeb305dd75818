"""Utilities and costs of a comparison for the lives that it has: sets, country packs and a user's own numbers put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..hazards.risk import Numbers, RiskProfile
from ..hazards.risk_course import RiskCourse
from ..health.accrue import CostWeights, UtilityWeights
from ..health.lives import Lives
from ..health.utilities import utility_parameters, utility_set, utility_weights
from ..therapies.cell_order import read_order
from .country_pack import GENERAL_STATES, CountryPack
from .value_settings import ValueStrategy, ValueUtilities

#: Item of all drugs that have a cost, in tables of costs.
DRUG_ITEM = "drugs: {}"
PROCEDURE_ITEM = "procedures: {}"


@dataclass(frozen=True)
class CourseItems:
    """What of a course costs by itself: (steps, people) shares of drugs that have a price, and infusions.

    Attributes
    ----------
    drugs
        Name of the price -> (steps, people) share taken.
    infusions
        How many infusions of cells there are; 0 without.
    """

    drugs: Mapping[str, Numbers]
    infusions: int = 0

    @property
    def courses(self) -> int:
        """How many courses of cells there are."""
        return int(self.infusions > 0)


def on_steps(values: Numbers | float, course: RiskCourse, days: Numbers) -> Numbers:
    """Return (steps, people) values of a course in the middle of the steps between some days."""
    wide = np.broadcast_to(np.asarray(values, dtype=np.float64), (course.people, len(course.days)))
    middle = 0.5 * (days[1:] + days[:-1])
    after = np.clip(np.searchsorted(course.days, middle), 1, len(course.days) - 1)
    before = after - 1
    share = (middle - course.days[before]) / (course.days[after] - course.days[before])
    return np.asarray((wide[:, before] * (1 - share) + wide[:, after] * share).T)


def course_items(course: RiskCourse, strategy: ValueStrategy, pack: CountryPack | None, days: Numbers) -> CourseItems:
    """Return what of a course has a price."""
    shares: dict[str, Numbers] = {}
    for drug, taken_share in course.intake.items():
        name = pack.priced_as(drug) if pack is not None else None
        if name is not None:
            share = on_steps(taken_share, course, days)
            shares[name] = np.maximum(shares[name], share) if name in shares else share
    return CourseItems(shares, read_order(strategy.cells).count if strategy.cells else 0)


def utilities_of(
    settings: ValueUtilities,
    course: RiskCourse,
    lives_days: Numbers,
    states: tuple[str, ...],
    events: tuple[str, ...],
    values: Mapping[str, float] | None = None,
) -> UtilityWeights:
    """Return the utilities of people, with a base of (steps, people).

    Parameters
    ----------
    values
        Rows of utilities, and ``utility:STATE`` for a user's own losses; others keep their central value.
    """
    utilities, values = utility_set(settings.set), values or {}
    if len(lives_days) != len(course.days) or not np.allclose(lives_days, course.days):
        course = _regridded(course, lives_days)
    rows = {row: values[row] for row in utilities.rows() if row in values}
    if settings.base is not None:
        # A user's own base is taken as certain; that of the set has no say.
        rows.pop(utilities.base, None)
    weights = utility_weights(utilities, course, states, events, rows, settings.combine)
    return _with_own(weights, settings, states, events, utility_parameters()[utilities.base].value, values)


def _regridded(course: RiskCourse, days: Numbers) -> RiskCourse:
    """Return age and BMI of a course on other days: all that utilities read."""
    columns = {}
    for name in ("age", "bmi"):
        wide = np.broadcast_to(
            np.asarray(getattr(course.profile, name), dtype=np.float64), (course.people, len(course.days))
        )
        columns[name] = np.stack([np.interp(days, course.days, row) for row in wide])
    profile = RiskProfile(age=columns["age"], female=0.0, egfr=90.0, uacr=10.0, bmi=columns["bmi"])
    return RiskCourse(days, profile, course.numbers)


def _with_own(
    weights: UtilityWeights,
    settings: ValueUtilities,
    states: tuple[str, ...],
    events: tuple[str, ...],
    base: float,
    values: Mapping[str, float],
) -> UtilityWeights:
    """Return utilities with a user's own numbers in them."""
    more = {name: values.get(f"utility:{name}", entry.loss) for name, entry in settings.losses.items()}
    of_states = {**weights.states, **{name: loss for name, loss in more.items() if name in states}}
    of_events = {name: loss for name, loss in more.items() if name in events and name not in states}
    shifted = (
        weights.base if settings.base is None else np.minimum(np.asarray(weights.base) + settings.base - base, 1.0)
    )
    reference = weights.reference if settings.base is None else settings.base
    return replace(weights, base=shifted, states=of_states, events={**weights.events, **of_events}, reference=reference)


def cost_weights_of(pack: CountryPack, items: CourseItems, lives: Lives, values: Mapping[str, float]) -> CostWeights:
    """Return the costs of lives.

    Parameters
    ----------
    values
        ``cost:PART:NAME`` -> amount; others keep that of the pack.
    """

    def amount(part: str, name: str) -> float:
        return values.get(f"cost:{part}:{name}", getattr(pack, part)[name].cost)

    dropped = {
        name for name, others in GENERAL_STATES.items() if any(o in pack.states and o in lives.states for o in others)
    }
    states = {name: amount("states", name) for name in pack.states if name in lives.states and name not in dropped}
    events = {name: amount("events", name) for name in pack.events if name in lives.events}
    yearly: dict[str, Numbers | float] = {name: amount("items", name) for name in pack.items}
    yearly |= {DRUG_ITEM.format(name): amount("drugs", name) * share for name, share in items.drugs.items()}
    times = {"infusion": items.infusions, "course": items.courses}
    once: dict[str, Numbers | float] = {
        PROCEDURE_ITEM.format(name): amount("procedures", name) * times[name] for name in pack.procedures if times[name]
    }
    return CostWeights(states, events, yearly, once)
