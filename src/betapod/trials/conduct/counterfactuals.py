"""The trial as it would be if everybody got one arm's treatment, or if no arm's treatment differed: same people, same random numbers."""

from __future__ import annotations

import copy
import functools
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .drawn_design import PATIENT_ARRAYS, PATIENT_TABLES, DrawnDesign, SharedDraws, joined, shards, widened
from .trial_data import TrialData

if TYPE_CHECKING:
    from ..protocol.protocol import Protocol

#: Patients of all replicates together from whom a truth is taken, and the most replicates.
_PATIENTS, _REPLICATES = 60_000, 200
_ARRAYS = (*PATIENT_ARRAYS, "qalys")


class Counterfactuals:
    """What no trial sees of one design under one scenario: every patient in every arm, and the trial without a difference.

    Parameters
    ----------
    data
        The trial as it was conducted.
    """

    def __init__(self, data: TrialData) -> None:
        self.protocol, self.design, self.scenario, self.pool = data.protocol, data.design, data.scenario, data.pool
        # Endpoints ask for the same trials.
        self._trials: dict[tuple[str, bool, bool], TrialData] = {}

    @property
    def replicates(self) -> int:
        """Replicates from which a truth is taken; as many of each set of parameters, one of each at least."""
        sets = max(self.pool.draws, 1)
        wanted = min(_REPLICATES, max(1, _PATIENTS // self.protocol.size(self.design)), self.protocol.replicates)
        return max(sets, wanted // sets * sets)

    def everybody(self, arm: str, rescue: bool = True, leaving: bool = False) -> TrialData:
        """Return the trial in which all patients get the treatment of an arm, and nobody misses a visit.

        Parameters
        ----------
        rescue
            Whether there is rescue; without it everybody goes on as if none were needed.
        leaving
            Whether patients drop out; without it all are watched to the end, or to their death.
        """
        key = arm, rescue or not self.protocol.conduct.rescue, leaving
        if key not in self._trials:
            self._trials[key] = self._everybody(*key)
        return self._trials[key]

    def _everybody(self, arm: str, rescue: bool, leaving: bool) -> TrialData:
        treated_as = dict.fromkeys(self.protocol.designs[self.design].arms, arm)
        parts = []
        for draws in self._leaving_draws if leaving else self._watched_draws:
            some = draws
            if not rescue:
                some = copy.copy(draws)
                some.protocol = _conducted(draws.protocol, rescue=[])
            parts.append(DrawnDesign(some, self.design, treated_as).data(self.scenario))
        return joined(parts)

    def without_difference(self, treated: str, control: str) -> TrialData:
        """Return the trial as it is conducted, but one arm gets what the control gets: whatever it finds is false."""
        drawn = (SharedDraws(self.protocol, self.pool, self.design, part) for part in shards(self.protocol))
        return joined([DrawnDesign(draws, self.design, {treated: control}).data(self.scenario) for draws in drawn])

    @functools.cached_property
    def _watched_draws(self) -> list[SharedDraws]:
        return self._draws(_conducted(self.protocol, drop_out=0.0, missed_visits=0.0))

    @functools.cached_property
    def _leaving_draws(self) -> list[SharedDraws]:
        return self._draws(_conducted(self.protocol, missed_visits=0.0))

    def _draws(self, protocol: Protocol) -> list[SharedDraws]:
        changed = protocol.model_copy(update={"replicates": self.replicates})
        return [SharedDraws(changed, self.pool, self.design, part) for part in shards(changed)]


def _conducted(protocol: Protocol, **changes: Any) -> Protocol:
    return protocol.model_copy(update={"conduct": protocol.conduct.model_copy(update=changes)})


def side_by_side(first: TrialData, second: TrialData, treated: str, control: str) -> TrialData:
    """Return two trials of the same people as one with two arms, all replicates together as one: everybody is in it twice."""
    sides = [_flat(data, index) for index, data in enumerate((first, second))]
    changes: dict[str, Any] = {
        name: None
        if getattr(sides[0], name) is None
        else np.concatenate([getattr(data, name) for data in sides], axis=1)
        for name in _ARRAYS
    }
    for name in PATIENT_TABLES:
        tables = [getattr(data, name) for data in sides]
        # Adverse events have the names of the arms' own infusions.
        changes[name] = {
            key: np.concatenate(widened([table[key] for table in tables]), axis=1)
            for key in tables[0]
            if key in tables[1]
        }
    return replace(sides[0], arms=(treated, control), treated_as=(), screened=sides[0].screened[:1], **changes)


def _flat(data: TrialData, arm: int) -> TrialData:
    """Return all replicates as one, in one arm."""

    def flat(values: Any) -> Any:
        return None if values is None else values.reshape(1, -1, *values.shape[2:])

    names = {item.name for item in fields(data)}
    changes: dict[str, Any] = {name: flat(getattr(data, name)) for name in _ARRAYS if name in names}
    changes |= {name: {key: flat(values) for key, values in getattr(data, name).items()} for name in PATIENT_TABLES}
    changes["arm"] = np.full_like(changes["arm"], arm)
    return replace(data, **changes)
