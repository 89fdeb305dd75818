"""Snapshots of lives: people on one day, with what they hide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .population import Numbers

Flags = NDArray[np.bool_]


@dataclass
class Snapshots:
    """Snapshots of people, one day each.

    Attributes
    ----------
    people
        (n,) numbers of the people.
    true
        Laboratory without error of measurement, and ``age``, ``duration`` (years since diagnosis), ``year``, ``diagnosed``,
        ``diabetes``, ``cvd``, ``hf``, ``segment``, ``life_uacr``.
    parameters
        Parameters and inputs of the model on that day: name -> (n,).
    states
        (n, states) in the order of the model.
    drugs
        Column -> (n,) flags.
    """

    people: NDArray[np.int64]
    true: dict[str, Numbers]
    parameters: dict[str, Numbers]
    states: Numbers
    drugs: dict[str, Flags]

    @classmethod
    def joined(cls, parts: list[Snapshots]) -> Snapshots:
        """Return the parts as one."""
        return cls(
            np.concatenate([part.people for part in parts]),
            {name: np.concatenate([part.true[name] for part in parts]) for name in parts[0].true},
            {name: np.concatenate([part.parameters[name] for part in parts]) for name in parts[0].parameters},
            np.concatenate([part.states for part in parts]),
            {name: np.concatenate([part.drugs[name] for part in parts]) for name in parts[0].drugs},
        )

    def __getitem__(self, rows: NDArray[np.int64] | Flags) -> Snapshots:
        """Return some of them."""
        return Snapshots(
            self.people[rows],
            {name: values[rows] for name, values in self.true.items()},
            {name: values[rows] for name, values in self.parameters.items()},
            self.states[rows],
            {name: values[rows] for name, values in self.drugs.items()},
        )

    def __len__(self) -> int:
        return len(self.people)


@dataclass(frozen=True)
class WantedSnapshots:
    """Snapshots of people who are known to live until then: their numbers and ages."""

    people: NDArray[np.int64]
    age: Numbers

    @staticmethod
    def keys(people: NDArray[np.int64], age: Numbers) -> NDArray[np.int64]:
        """Return one number for each snapshot; ages of a library are single precision."""
        return np.asarray(people, dtype=np.int64) * 16384 + np.round(np.asarray(age) * 100.0).astype(np.int64)

    def last_age(self, people: NDArray[np.int64]) -> Numbers:
        """Return the age at each person's last snapshot."""
        numbers, which = np.unique(self.people, return_inverse=True)
        last = np.zeros(len(numbers))
        np.maximum.at(last, which, self.age)
        return np.asarray(last[np.searchsorted(numbers, people)], dtype=np.float64)
