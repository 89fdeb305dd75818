"""What an arm gives its people: drugs that fit, cells cut to the person, inputs that are held, and the injuries of the kidney that come besides."""

from __future__ import annotations

import functools
import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...engine.schedule import Schedule, Switch
from ...hazards.kidney_injury import KidneyInjuries, injuries_of
from ...observables.table import Numbers
from ...patients.population import population_table
from ...physiology import whole_body
from ...therapies import cell_parameters
from ...therapies.effect_factors import effect_factors
from ...therapies.plan import Recipients, plan
from ...therapies.standard_care import Therapy, therapy
from .condition import Condition
from .outcome_chances import accepted_care
from .study_arm import StudyArm

if TYPE_CHECKING:
    from ...patients.library import Library

#: A therapy, and the weeks in which it begins and ends.
_TIMED = re.compile(r"(?P<what>.+?)(?:\s+from week (?P<start>[\d.]+))?(?:\s+until week (?P<stop>[\d.]+))?")


@dataclass(frozen=True, eq=False)
class TreatedPeople:
    """People of an arm.

    Attributes
    ----------
    condition
        Under which drugs are read and injuries come.
    seed
        Of the injuries.
    """

    arm: StudyArm
    people: Library
    condition: Condition
    seed: int

    @functools.cached_property
    def recipients(self) -> Recipients:
        """The people as those who are given something."""
        return self.people.recipients()

    @functools.cached_property
    def accepted(self) -> list[tuple[Therapy, ...]]:
        """What each of them is given of the arm's care."""
        if not self.arm.care:
            return [()] * len(self.people)
        with self.condition.holding():
            return accepted_care(self.recipients, self.care())

    def care(self) -> list[Therapy]:
        """Return the therapies of the arm under what holds now."""
        return [timed(text) for text in self.arm.care]

    def later(self, now: Library, rows: slice) -> TreatedPeople:
        """Return some people as they are later, treated alike."""
        everybody = rows == slice(0, len(now))
        return replace(self, people=now if everybody else now.take(np.arange(rows.start, rows.stop)))

    @functools.cached_property
    def _injuries(self) -> dict[float, KidneyInjuries]:
        return {}

    def injuries(self, last: float) -> KidneyInjuries:
        """Return episodes of acute kidney injury until a day; a person has the same random numbers in every arm."""
        if last not in self._injuries:
            with self.condition.holding():
                takes = self.recipients.takes
                self._injuries[last] = injuries_of(self.people.table, takes, self.accepted, self.seed, 0.0, last)
        return self._injuries[last]

    def schedules(self, condition: Condition) -> tuple[Schedule, ...]:
        """Return one schedule per person under a condition that leaves drugs and people as they are."""
        arm, count = self.arm, len(self.people)
        if not (arm.care or arm.cells):
            return (Schedule((), tuple(Switch(name, value, 0.0) for name, value in arm.inputs)),) * count
        varied = {name: np.full(count, value) for name, value in _of_the_study(condition).items()}
        people = replace(self.recipients, parameters={**self.recipients.parameters, **varied})
        return plan(
            whole_body.named_model("reference"),
            people,
            (),
            arm.cells,
            condition.scenario,
            held=dict(arm.inputs),
            own_drugs=self.accepted,
            where=arm.study,
        ).schedules

    def initial(self) -> dict[str, Numbers]:
        """Return everybody's state at the start: people who begin to titrate insulin have a first dose, as in their lives before."""
        from ...patients.life_course import FIRST_INSULIN

        start = self.people.initial
        begins = any(drug.name == "titrated insulin" and drug.start == 0.0 for drug in self.care())
        if not (begins or dict(self.arm.inputs).get("insulin_titration")):
            return start
        new = self.people.parameters["insulin_titration"] == 0
        dose = np.where(new, math.log(FIRST_INSULIN), start["ln_insulin_dose"])
        return {**start, "ln_insulin_dose": np.asarray(dose, dtype=np.float64)}


def rows_of_condition(condition: Condition, count: int) -> dict[str, Numbers]:
    """Return the model's rows that a condition sets for everybody during a study, (people,)."""
    model = whole_body.named_model("reference")
    values = cell_parameters.scenario_values(model, condition.scenario)
    values |= {key: value for key, value in _of_the_study(condition).items() if key in model.parameters}
    return {key: np.full(count, value) for key, value in values.items()}


def _of_the_study(condition: Condition) -> dict[str, float]:
    """Return values that everybody has during a study: not rows of the table of people, which make lives and are people's own afterwards."""
    return {name: value for name, value in condition.values.items() if name not in population_table()}


def timed(text: str) -> Therapy:
    """Read a therapy that may begin and end during the study: ``ARB until week 104``, ``sodium intake 85 mmol/day from week 2``."""
    return _timed(text, effect_factors())


@functools.lru_cache(maxsize=512)
def _timed(text: str, factors: tuple[tuple[str, float], ...]) -> Therapy:
    """Return the therapy of a text under the factors on effects that hold now."""
    match = _TIMED.fullmatch(text)
    assert match is not None
    return therapy(
        match["what"],
        start=7.0 * float(match["start"] or 0.0),
        stop=7.0 * float(match["stop"]) if match["stop"] else math.inf,
    )
