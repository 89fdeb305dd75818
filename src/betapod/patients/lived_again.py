"""The same people at the same ages, after a life under other parameters.

A parameter that is changed on the day of a study meets a body that grew up with another value: what follows is mostly the way from one
body to the other. Who asks what the model says under other parameters lets people live again under them from youth on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ..base.errors import ConfigError, Problem
from ..base.randomness import Patients
from ..physiology import whole_body
from ..therapies.effect_factors import scaled_effects
from .library import Library, from_snapshots
from .life_course import Progress, Snapshots, WantedSnapshots, live
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
    """

    values: Mapping[str, float] = field(default_factory=dict)
    drugs: Mapping[str, float] = field(default_factory=dict)
    traits: Mapping[str, float] = field(default_factory=dict)

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
        with scaled_effects(first.drugs), population_values(first.of_people):
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
        with scaled_effects(first.drugs), population_values(first.of_people):
            lanes = [_drawn(seed, numbers, changes[index]) for index in indices]
            snapshots = live(_side_by_side(lanes))
            for lane, index in enumerate(indices):
                of_lane = snapshots[snapshots.true["lane"] == lane]
                lived[index] = from_snapshots(of_lane, seed, {"seed": seed, "lives": len(lanes[0])})
    return [lived[index] for index in range(len(changes))]


def _together(changes: Sequence[LifeChange]) -> list[list[int]]:
    """Return which changes can be lived side by side: those of drugs and of the table of people hold for a whole run of lives."""
    together: dict[tuple[object, ...], list[int]] = {}
    for index, change in enumerate(changes):
        together.setdefault((*sorted(change.drugs.items()), *sorted(change.of_people.items())), []).append(index)
    return list(together.values())


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
