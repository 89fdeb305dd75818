"""Schedules of the patients in a pool: therapies without contraindicated ones, cell doses by body weight, model inputs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base.config import quantity
from ...base.randomness import Stream
from ...engine.schedule import Schedule, Switch
from ...model import Model
from ...observables.quantities import Numbers
from ...therapies.drug_switches import switches_of
from ...therapies.standard_care import Therapy, concerns, courses, therapy

if TYPE_CHECKING:
    from ...patients.library import Library
    from ..protocol.protocol import Arm, CoMedication, Protocol

#: Library column that says who takes a therapy already.
TAKEN = {
    "metformin": "metformin",
    "sulfonylurea": "sulfonylurea",
    "pioglitazone": "tzd",
    "DPP-4 inhibitor": "dpp4",
    "liraglutide": "glp1ra",
    "semaglutide": "glp1ra",
    "SGLT2 inhibitor": "sglt2i",
    "ACE inhibitor": "acei",
    "ARB": "arb",
    "MRA": "mra",
    "calcium-channel blocker": "ccb",
}


@dataclass(frozen=True)
class Planner:
    """Builds the dosing schedules of the patients in a pool.

    Attributes
    ----------
    lead
        Days simulated before enrolment; all times of the protocol are moved by it.
    """

    protocol: Protocol
    library: Library
    model: Model
    seed: int

    @property
    def lead(self) -> float:
        """Days simulated before enrolment."""
        return self.protocol.lead

    @cached_property
    def taken(self) -> dict[str, NDArray[np.bool_]]:
        """Drug column of the library -> (people,) who takes it already."""
        return {name: self.library.table[name].to_numpy() > 0 for name in TAKEN.values()}

    @cached_property
    def filtration(self) -> Numbers:
        """(people,) eGFR, mL/min/1.73m2, for contraindications."""
        return self.library.table["true_egfr"].to_numpy(dtype=np.float64)

    def begins(self, number: int, item: CoMedication) -> Numbers:
        """Return (people,) the day on which each person begins a co-medication; infinite for those who never do."""
        people = self.library.table["person"].to_numpy(dtype=np.int64)
        stream = Stream(self.seed, f"trial:co-medication:{number}:{item.therapy}")
        first, last = item.begins
        day = first + stream.uniform(people, 1) * (last - first)
        return np.where(stream.uniform(people) < item.share, day, np.inf)

    def therapies(self, arm: Arm | None, comedicated: bool, rescue: str | None = None) -> list[tuple[Therapy, ...]]:
        """Return what each person takes in addition: run-in, the arm's therapies, co-medication, without what is contraindicated."""
        run_in = self.protocol.run_in
        common: list[Therapy] = []
        if run_in is not None:
            common += [
                _made(item.therapy, self.lead - run_in.duration, None, item.adherence) for item in run_in.therapies
            ]
        if arm is not None:
            for item in arm.therapies:
                stop = None if item.stop is None else item.stop + self.lead
                common.append(_made(item.therapy, item.start + self.lead, stop, item.adherence))
        if rescue is not None:
            common.append(_made(rescue, self.lead, None, 1.0))
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
            per_person.append(self.fitting(person, planned))
        return per_person

    def fitting(self, person: int, therapies: Iterable[Therapy]) -> tuple[Therapy, ...]:
        """Leave out current therapies, contraindicated ones and duplicates."""
        current, kept = self.taken, dict[str, Therapy]()
        filtration = {"GFR": float(self.filtration[person])}
        for candidate in therapies:
            column = TAKEN.get(candidate.name)
            if column is not None and current[column][person]:
                continue
            blocked = candidate.name in ("ACE inhibitor", "ARB") and (current["acei"][person] or current["arb"][person])
            if blocked or candidate.name in kept or concerns([candidate], filtration)[0]:
                continue
            kept[candidate.name] = candidate
        return tuple(kept.values())

    def schedules(
        self, therapies: Sequence[tuple[Therapy, ...]], arm: Arm | None, doses: Sequence[Schedule]
    ) -> list[Schedule]:
        """Return one schedule per person; people with the same schedule share it.

        Parameters
        ----------
        doses
            The courses of cells, one per person or none.
        """
        fixed = self._inputs(arm)
        baseline_inputs, by_key = self.library.inputs, dict[object, Schedule]()
        schedules = []
        for person, regimen in enumerate(therapies):
            acts = sorted(
                {effect.quantity for item in regimen for effect in item.effects if effect.quantity in self.model.inputs}
            )
            base = {
                n: float(baseline_inputs[n][person]) if n in baseline_inputs else self.model.inputs[n].value
                for n in acts
            }
            key = (tuple((t.label, t.start, t.stop, t.adherence) for t in regimen), tuple(base.values()))
            if key not in by_key:
                steps = courses(regimen, base) if regimen else {}
                switches = [switch for name, item in steps.items() for switch in switches_of(name, item)]
                by_key[key] = Schedule((), (*fixed, *switches))
            schedule = by_key[key]
            if doses:
                schedule = Schedule(doses[person].doses, (*schedule.switches, *doses[person].switches))
            schedules.append(schedule)
        return schedules

    def cells(self, order: str, scenario: str, model: Model) -> list[Schedule]:
        """Return the cell doses of each person, timed from enrolment."""
        from ...therapies.cell_population import regimens

        initial = self.library.initial
        courses = regimens(
            order, self.library.parameters, initial["BW"], None, model, scenario, initial, where="cells"
        )  # fmt: skip
        return [
            Schedule(
                tuple(replace(dose, time=dose.time + self.lead) for dose in course.doses),
                tuple(replace(switch, time=switch.time + self.lead) for switch in course.switches),
            )
            for course in courses
        ]

    def _inputs(self, arm: Arm | None) -> list[Switch]:
        rows = self.model.inputs
        arm_inputs = arm.inputs if arm is not None else {}
        return [
            Switch(name, quantity(value, rows[name].unit, rows[name].label, bare=rows[name].unit == "1"), self.lead)
            for name, value in arm_inputs.items()
        ]


def _made(text: str, start: float, stop: float | None, adherence: float) -> Therapy:
    return therapy(text, start, np.inf if stop is None else stop, adherence)
