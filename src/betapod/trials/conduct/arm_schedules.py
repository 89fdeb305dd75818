"""Schedules of the patients in a pool: therapies without contraindicated ones, cell doses by body weight, model inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ...base.config import read_quantity
from ...base.randomness import Stream
from ...model import Model
from ...observables.quantities import Numbers
from ...therapies.drug_limits import Withheld
from ...therapies.plan import Plan, Recipients, plan
from ...therapies.scenarios import NONE
from ...therapies.standard_care import Therapy, therapy
from .replicate_parameters import AS_IN_THE_TABLES, ParameterDraw

if TYPE_CHECKING:
    from ...patients.library import Library
    from ..protocol.group_keys import Arm
    from ..protocol.protocol import CoMedication, Protocol


@dataclass(frozen=True)
class Planner:
    """Builds the dosing schedules of the patients in a pool.

    Attributes
    ----------
    lead
        Days simulated before enrolment; all times of the protocol are moved by it.
    draw
        Parameters of what cells do, where they are not those of the scenario.
    """

    protocol: Protocol
    library: Library
    model: Model
    seed: int
    draw: ParameterDraw = AS_IN_THE_TABLES

    @property
    def lead(self) -> float:
        """Days simulated before enrolment."""
        return self.protocol.lead

    @cached_property
    def recipients(self) -> Recipients:
        """The people as they stand before treatment."""
        return self.library.recipients()

    def begins(self, number: int, item: CoMedication) -> Numbers:
        """Return (people,) the day on which each person begins a co-medication; infinite for those who never do."""
        people = self.library.table["person"].to_numpy(dtype=np.int64)
        stream = Stream(self.seed, f"trial:co-medication:{number}:{item.therapy}")
        first, last = item.begins
        day = first + stream.uniform(people, 1) * (last - first)
        return np.where(stream.uniform(people) < item.share, day, np.inf)

    def therapies(self, arm: Arm | None, comedicated: bool, rescue: str | None = None) -> list[tuple[Therapy, ...]]:
        """Return the added therapies per person: run-in, background, the arm's therapies, co-medication, without contraindicated ones."""
        common = self._ordered(arm, rescue)
        begins = [(item, self.begins(k, item)) for k, item in enumerate(self.protocol.conduct.co_medication)]
        per_person = []
        for person in range(len(self.library)):
            planned = list(common)
            if comedicated:
                planned += [
                    _made(item.therapy, float(day[person]) + self.lead, None, 1.0)
                    for item, day in begins
                    if np.isfinite(day[person])
                ]
            per_person.append(self.recipients.accepted(person, planned))
        return per_person

    def _ordered(self, arm: Arm | None, rescue: str | None = None) -> list[Therapy]:
        """Return what is ordered for everybody: run-in, background, the arm's therapies, rescue."""
        run_in = self.protocol.run_in
        common: list[Therapy] = []
        if run_in is not None:
            common += [
                _made(item.therapy, self.lead - run_in.duration, None, item.adherence) for item in run_in.therapies
            ]
        for item in (*self.protocol.background, *(arm.therapies if arm is not None else ())):
            stop = None if item.stop is None else item.stop + self.lead
            common.append(_made(item.therapy, item.start + self.lead, stop, item.adherence))
        if rescue is not None:
            common.append(_made(rescue, self.lead, None, 1.0))
        return common

    def withheld(self, arm: Arm) -> list[tuple[Withheld, ...]]:
        """Return, for each person, what an arm orders and they are not given, with the reason: what they take already, or a limit."""
        ordered = self._ordered(arm)
        return [withheld for _, withheld in self.recipients.all_judged(ordered)]

    def plan(
        self, drugs: Sequence[tuple[Therapy, ...]], arm: Arm | None, cells: str = "", scenario: str = NONE
    ) -> Plan:
        """Return the treatment plan of all people: their own drugs, the arm's inputs, and cells from enrolment on."""
        drawn = {name: np.full(len(self.recipients), x) for name, x in self.draw.of(scenario).items()}
        people = (
            replace(self.recipients, parameters={**drawn, **self.recipients.parameters}) if drawn else self.recipients
        )
        return plan(
            self.model,
            people,
            cells=cells,
            scenario=scenario,
            start=self.lead,
            held=self._inputs(arm),
            own_drugs=drugs,
        )

    def _inputs(self, arm: Arm | None) -> dict[str, float]:
        rows = self.model.inputs
        texts = arm.inputs if arm is not None else {}
        return {
            name: read_quantity(value, rows[name].unit, rows[name].label, bare=rows[name].unit == "1")
            for name, value in texts.items()
        }


def _made(text: str, start: float, stop: float | None, adherence: float) -> Therapy:
    return therapy(text, start, np.inf if stop is None else stop, adherence)
