"""Simulate many people, each at many places of the search, in one run of an ensemble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...engine.ensemble import Ensemble
from ...model import Model
from .measured_people import MeasuredObservable, MeasuredPerson
from .person_parameter import PersonParameter

Numbers = NDArray[np.float64]
#: Tolerance of simulations for slopes: finite differences see every error of the integration.
RTOL = 1e-9
#: People whose visits are simulated together.
CHUNK = 64


class PersonSimulations:
    """Predictions for people at places of the search.

    Parameters
    ----------
    people
        Who is simulated; all visits of all of them are simulated for each, so give similar people or few.
    """

    def __init__(
        self,
        model: Model,
        observables: Sequence[MeasuredObservable],
        parameters: Sequence[PersonParameter],
        people: Sequence[MeasuredPerson],
        threads: int | None = None,
    ) -> None:
        self.parameters, self.people = tuple(parameters), tuple(people)
        outputs = list(dict.fromkeys(observable.output for observable in observables))
        column = np.array([outputs.index(observable.output) for observable in observables])
        self.ensemble = Ensemble(model, outputs, rtol=RTOL, threads=threads)
        self.visits = np.unique(np.concatenate([person.times for person in people]))
        self.places = [
            (np.searchsorted(self.visits, person.times), column[person.observable]) for person in self.people
        ]
        rows = {**model.parameters, **model.inputs}
        self.varied = sorted({name for person in people for name in person.covariates})
        self.usual = {name: rows[name].value for name in self.varied}
        self.lanes = 0

    def __call__(self, asked: Mapping[int, Numbers]) -> dict[int, Numbers]:
        """Return predictions (points, n) of people, by number, at points (points, p) on the scale of the search."""
        owner = np.concatenate([np.full(len(points), number) for number, points in asked.items()])
        at = np.concatenate(list(asked.values()))
        values = self._run(owner, at)
        answers, first = {}, 0
        for number, points in asked.items():
            visits, outputs = self.places[number]
            answers[number] = values[first : first + len(points)][:, visits, outputs]
            first += len(points)
        return answers

    def _run(self, owner: NDArray[np.int64], at: Numbers) -> Numbers:
        """Return values (lanes, visits, outputs); lanes whose values no model can have are NaN."""
        columns = {
            name: np.array([self.people[i].covariates.get(name, self.usual[name]) for i in owner])
            for name in self.varied
        }
        with np.errstate(over="ignore"):
            columns |= {row.name: row.natural(at[:, k]) for k, row in enumerate(self.parameters)}
        good = np.all([np.isfinite(column) for column in columns.values()], axis=0)
        values = np.full((len(owner), len(self.visits), len(self.ensemble.outputs)), np.nan)
        if np.any(good):
            schedules = [self.people[i].schedule for i in owner[good]]
            kept = {name: column[good] for name, column in columns.items()}
            with np.errstate(over="ignore", invalid="ignore"):
                values[good] = self.ensemble.run(kept, self.visits, schedules).values
        self.lanes += len(owner)
        return values

    def courses(self, at: Mapping[int, Numbers], times: Numbers) -> dict[int, Numbers]:
        """Return outputs (times, outputs) of people, each at one place of the search (p,), for pictures."""
        other = PersonSimulations.__new__(PersonSimulations)
        other.__dict__.update(self.__dict__)
        other.visits = times
        numbers = list(at)
        values = other._run(np.array(numbers), np.stack([at[number] for number in numbers]))
        return dict(zip(numbers, values, strict=True))
