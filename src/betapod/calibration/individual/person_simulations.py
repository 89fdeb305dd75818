"""Simulate many people, each at many places of the search, in one run of an ensemble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...engine.ensemble import Ensemble
from ...model import Model
from .measured_people import MeasuredObservable, MeasuredPart, MeasuredPerson
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
        self.parts = [person.parts for person in self.people]
        everything = [part for parts in self.parts for part in parts]
        self.visits = np.unique(np.concatenate([part.times for part in everything]))
        self._columns = [column[person.observable] for person in self.people]
        rows = {**model.parameters, **model.inputs}
        self.varied = sorted({name for part in everything for name in part.covariates})
        self.usual = {name: rows[name].value for name in self.varied}
        self.lanes = 0

    def __call__(self, asked: Mapping[int, Numbers]) -> dict[int, Numbers]:
        """Return predictions (points, n) of people, by number, at points (points, p) on the scale of the search."""
        lanes = [part for number, points in asked.items() for part in self.parts[number] for _ in points]
        at = np.concatenate([points for number, points in asked.items() for _ in self.parts[number]])
        values = self._run(lanes, at, self.visits)
        answers, first = {}, 0
        for number, points in asked.items():
            predicted = np.empty((len(points), len(self.people[number])))
            for part in self.parts[number]:
                visits = np.searchsorted(self.visits, part.times)
                outputs = self._columns[number][part.members]
                predicted[:, part.members] = values[first : first + len(points)][:, visits, outputs]
                first += len(points)
            answers[number] = predicted
        return answers

    def _run(self, lanes: Sequence[MeasuredPart], at: Numbers, visits: Numbers) -> Numbers:
        """Return values (lanes, visits, outputs); lanes whose values no model can have are NaN."""
        columns = {
            name: np.array([part.covariates.get(name, self.usual[name]) for part in lanes]) for name in self.varied
        }
        with np.errstate(over="ignore"):
            columns |= {row.name: row.natural(at[:, k]) for k, row in enumerate(self.parameters)}
        good = np.all([np.isfinite(column) for column in columns.values()], axis=0)
        values = np.full((len(lanes), len(visits), len(self.ensemble.outputs)), np.nan)
        if np.any(good):
            schedules = [part.schedule for part, runs in zip(lanes, good, strict=True) if runs]
            kept = {name: column[good] for name, column in columns.items()}
            with np.errstate(over="ignore", invalid="ignore"):
                values[good] = self.ensemble.run(kept, visits, schedules).values
        self.lanes += len(lanes)
        return values

    def courses(self, at: Mapping[int, Numbers], times: Numbers) -> dict[int, Numbers]:
        """Return outputs (times, outputs) of people, each at one place of the search (p,), for pictures; NaN before they begin."""
        lanes = [part for number in at for part in self.parts[number]]
        since = [times[times >= part.begin] - part.begin for part in lanes]
        visits = np.unique(np.concatenate(since))
        points = np.stack([point for number, point in at.items() for _ in self.parts[number]])
        values = self._run(lanes, points, visits)
        courses = {number: np.full((len(times), len(self.ensemble.outputs)), np.nan) for number in at}
        owners = [number for number in at for _ in self.parts[number]]
        for number, part, moments, predicted_row in zip(owners, lanes, since, values, strict=True):
            courses[number][times >= part.begin] = predicted_row[np.searchsorted(visits, moments)]
        return courses
