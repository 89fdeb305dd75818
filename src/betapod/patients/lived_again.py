"""The same people at the same ages, after a life under other parameters.

A parameter that is changed on the day of a study meets a body that grew up with another value: what follows is mostly the way from one
body to the other. Who asks what the model says under other parameters lets people live again under them from youth on.

Doctors in lives see one measurement a year and prescribe by it: another error of a visit makes other prescriptions, as it will when a library
is grown under it. What visits of a study show besides is no part of a life.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ..base import cache
from ..base.errors import ConfigError, Problem
from ..base.randomness import Patients
from ..observables.variation import varied_by
from ..physiology import whole_body
from ..therapies import cell_parameters
from ..therapies.effect_factors import scaled_effects
from .library import Library, default, from_snapshots, of_bytes
from .library_identity import library_digest
from .life_course import Progress, Snapshots, WantedSnapshots, live
from .observe import visits_of_lives
from .population import People, moved_traits, population_table, population_values, sample


@dataclass(frozen=True)
class LifeChange:
    """What differs in a life.

    Attributes
    ----------
    values
        Rows of the coupled model, and of the table of people, that are the same for everybody -> value.
    drugs
        Factors on effects of drugs, see `therapies.effect_factors`.
    traits
        Other medians and spreads between people, see `population.moved_traits`.
    visits
        SDs of what doctors see at one visit, see `observe.visits_of_lives`.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    drugs: Mapping[str, float] = field(default_factory=dict)
    traits: Mapping[str, float] = field(default_factory=dict)
    visits: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def among(
        cls,
        values: Mapping[str, float],
        drugs: Mapping[str, float],
        people: Mapping[str, float],
        visits: Mapping[str, float],
    ) -> LifeChange:
        """Return what of a set of parameters acts in lives: nothing of cells, of correlations between people, of what a study alone measures."""
        return cls(
            {name: value for name, value in values.items() if shapes_lives(name)},
            dict(drugs),
            {name: value for name, value in people.items() if " with " not in name},
            {name: value for name, value in visits.items() if name in visits_of_lives()},
        )

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.values or self.drugs or self.traits or self.visits)

    @property
    def key(self) -> str:
        """Text that is the same for equal changes, and says all of them."""
        return json.dumps([self.values, self.drugs, self.traits, self.visits], sort_keys=True)

    @classmethod
    def of_key(cls, key: str) -> LifeChange:
        """Return the change that a `key` says."""
        return cls(*json.loads(key))

    @property
    def of_people(self) -> dict[str, float]:
        """The rows of the table of people."""
        return {name: value for name, value in self.values.items() if name in population_table()}

    @property
    def of_model(self) -> dict[str, float]:
        """The rows of the coupled model."""
        return {name: value for name, value in self.values.items() if name not in population_table()}


@dataclass(frozen=True)
class PeopleAgain:
    """People of a library who lived again.

    Attributes
    ----------
    patients
        Those who reached the day of their snapshot, in the order of the library.
    rows
        (n,) their rows in the library; people whose kidneys failed before are not among them.
    """

    patients: Library
    rows: NDArray[np.int64]


def shapes_lives(name: str) -> bool:
    """Return whether a row acts in people without cells."""
    in_people = name in population_table() or name in whole_body.model_parameters("reference")
    return in_people and name not in cell_parameters.cell_parameter_table()


def library_again(change: LifeChange, library: Library | None = None) -> Library:
    """Return a library whose people lived under a change, kept in the cache; who did not reach the day of the snapshot is not in it.

    Parameters
    ----------
    library
        The package's by default.

    Raises
    ------
    ConfigError
        The library does not say with which seed its people were drawn, or a row is one in which people differ.
    """
    everybody = default() if library is None else library
    if not change:
        return everybody
    name = f"patients/again-{cache.key(__name__, change.key, library_digest(everybody))}.npz"
    kept = cache.read_entry(name)
    if kept is not None:
        with suppress(ConfigError):
            return of_bytes(kept, name)
    again = live_again(everybody, [change])[0].patients.to_bytes()
    cache.write_entry(name, again)
    # As it will be read the next time, in single precision.
    return of_bytes(again, name)


def joined_people(groups: Sequence[Library]) -> Library:
    """Return people of one library, one group after the other."""
    import pandas as pd

    first = groups[0]
    if len(groups) == 1:
        return first
    return replace(
        first,
        table=pd.concat([group.table for group in groups], ignore_index=True),
        parameters={name: np.concatenate([group.parameters[name] for group in groups]) for name in first.parameters},
        states=np.concatenate([group.states for group in groups]),
    )


def with_going_care(patients: Library, care: Mapping[str, float]) -> Library:
    """Return patients whose care moves inputs of the model by so much during a study in which it is frozen otherwise."""
    if not care:
        return patients
    inputs = whole_body.named_model("reference").inputs
    moved = {
        name: patients.parameters.get(name, np.full(len(patients), inputs[name].value)) + change
        for name, change in care.items()
    }
    return replace(patients, parameters={**patients.parameters, **moved})


def live_again(library: Library, changes: Sequence[LifeChange], progress: Progress | None = None) -> list[PeopleAgain]:
    """Return the people of a library at the ages of their snapshots, after lives under each change.

    Random numbers, habits and doctors stay the same. Nobody dies before the snapshot: who is in a study lives.

    Raises
    ------
    ConfigError
        The library does not say with which seed its people were drawn, or a row is one in which people differ.
    """
    if "seed" not in library.origin:
        message = "the library does not say with which seed its people were drawn: they cannot live again"
        raise ConfigError(Problem("no-seed", message))
    seed = int(library.origin["seed"])
    numbers = library.table["person"].to_numpy(dtype=np.int64)
    wanted = WantedSnapshots(numbers, library.table["age"].to_numpy(dtype=np.float64))
    persons = np.unique(numbers)
    lived: list[PeopleAgain | None] = [None] * len(changes)
    for indices in _together(changes):
        first = changes[indices[0]]
        with _holding(first):
            lanes = [_drawn(seed, persons, changes[index]) for index in indices]
            snapshots = live(_side_by_side(lanes), progress, 1.0, wanted)
            for lane, index in enumerate(indices):
                lived[index] = _aligned(library, wanted, snapshots[snapshots.true["lane"] == lane], seed)
    return [people_again for people_again in lived if people_again is not None]


def full_lives(seed: int, numbers: Patients, changes: Sequence[LifeChange]) -> list[Library]:
    """Return all snapshots of people under each change: nobody's life is known beforehand, and people die as the change lets them.

    Parameters
    ----------
    seed, numbers
        Who they are, see `betapod.patients.population.sample`.
    changes
        At least one; random numbers, habits and doctors are the same in all.

    Returns
    -------
    list of Library
        One for each change.

    Raises
    ------
    ConfigError
        A row is one in which people differ.
    """
    lived: dict[int, Library] = {}
    for indices in _together(changes):
        first = changes[indices[0]]
        with _holding(first):
            lanes = [_drawn(seed, numbers, changes[index]) for index in indices]
            snapshots = live(_side_by_side(lanes))
            for lane, index in enumerate(indices):
                of_lane = snapshots[snapshots.true["lane"] == lane]
                lived[index] = from_snapshots(of_lane, seed, {"seed": seed, "lives": len(lanes[0])})
    return [lived[index] for index in range(len(changes))]


def _together(changes: Sequence[LifeChange]) -> list[list[int]]:
    """Return which changes can be lived side by side: those of drugs, visits and the table of people hold for a whole run of lives."""
    together: dict[str, list[int]] = {}
    for index, change in enumerate(changes):
        whole_run = LifeChange(change.of_people, change.drugs, visits=change.visits)
        together.setdefault(whole_run.key, []).append(index)
    return list(together.values())


@contextmanager
def _holding(change: LifeChange) -> Iterator[None]:
    """Let hold what is the same for all lives of a run."""
    with scaled_effects(change.drugs), population_values(change.of_people), varied_by(change.visits):
        yield


@contextmanager
def parameters_held(drugs: Mapping[str, float], visits: Mapping[str, float], change: LifeChange) -> Iterator[None]:
    """Let drugs, visits and people that are read meanwhile, in a study, be those of a set of parameters."""
    with (
        scaled_effects(drugs),
        varied_by(visits),
        moved_traits(change.traits),
        population_values(change.of_people),
    ):
        yield


def _drawn(seed: int, persons: Patients, change: LifeChange) -> People:
    """Return people as a change has them.

    Raises
    ------
    ConfigError
        A row in which people differ is to have one value.
    """
    with moved_traits(change.traits):
        people = sample(seed, persons)
    if names := sorted(name for name in change.of_model if name in people.model):
        hint = "Change its median or spread between people instead."
        raise ConfigError(
            [Problem("own-row", f"people differ in {name!r}: it has no single value", hint=hint) for name in names]
        )
    people.model.update({name: np.full(len(people), value) for name, value in change.of_model.items()})
    return people


def _side_by_side(lanes: Sequence[People]) -> People:
    """Return the people of all lanes one after the other; rows that a lane does not have are the table's."""
    first, table = lanes[0], whole_body.model_parameters("reference")
    names = dict.fromkeys(name for people in lanes for name in people.model)
    model = {
        name: np.concatenate(
            [
                people.model[name] if name in people.model else np.full(len(people), table[name].value)
                for people in lanes
            ]
        )
        for name in names
    }
    traits = {name: np.concatenate([people.traits[name] for people in lanes]) for name in first.traits}
    traits["lane"] = np.repeat(np.arange(len(lanes), dtype=np.float64), [len(people) for people in lanes])
    return People(first.seed, np.concatenate([people.numbers for people in lanes]), traits, model)


def _aligned(library: Library, wanted: WantedSnapshots, snapshots: Snapshots, seed: int) -> PeopleAgain:
    """Return snapshots as a library, in the order of the one that they are of."""
    grown = from_snapshots(snapshots, seed, dict(library.origin))
    keys = wanted.keys(snapshots.people, snapshots.true["age"])
    order = np.argsort(keys)
    indices = np.searchsorted(keys[order], wanted_keys := wanted.keys(wanted.people, wanted.age)).clip(
        max=len(keys) - 1
    )
    rows = np.flatnonzero(keys[order[indices]] == wanted_keys)
    again = grown.take(order[indices[rows]])
    # What was asked of the library besides goes on, such as the index of somebody in a cohort.
    more = {str(name): library.table[name].to_numpy()[rows] for name in library.table if name not in again.table}
    parameters = {name: again.parameters.get(name, column[rows]) for name, column in library.parameters.items()}
    patients = replace(again, table=again.table.assign(**more), parameters=parameters)
    return PeopleAgain(patients, rows)
