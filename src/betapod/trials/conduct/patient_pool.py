"""Patient pool: true courses of virtual patients under every arm, stage and scenario, simulated once.

Replicates of a trial then only draw from it; no patient is integrated per replicate. A person has one course per stage (see
`Pool.STAGES`), arm and scenario, from the same snapshot and with common random numbers, so that differences are effects.
"""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from ...base import npz
from ...hazards.event_times import event_day
from ...hazards.outcome_rates import CAUSES
from ...observables.quantities import Numbers, visit_observables

_FORMAT = 3
#: Course of people who lose a kidney at enrolment, where an arm is given cells into the kidney.
ONE_KIDNEY = "one kidney"

#: Columns of a library that hazards read of people, besides `people`.
TRAITS = ("age", "female", "T1D", "height", "diabetes", "duration", "years_ill", "cvd", "hf")


class _Head(BaseModel):
    """What names the arrays of a pool's file."""

    model_config = ConfigDict(extra="forbid")

    format: Literal[3]
    codes: list[str]
    names: list[str]
    keys: list[tuple[str, str, str, str]]
    hazards: list[str]
    people: list[str]
    traits: list[str]
    intake: list[tuple[str, str]]
    facts: dict[str, Any]
    draws: int = 1
    visits: list[dict[str, float]] = []


@dataclass(frozen=True)
class Pool:
    """True courses.

    Attributes
    ----------
    times
        (T,) days from enrolment at which courses are known; linear in between on the quantity's scale.
    codes
        PARAMCDs.
    values
        Course -> (people, T, codes) in the quantities' units; NaN after kidney failure.
    failed
        Course -> (people,) day of kidney failure from enrolment; infinite without.
    hazards
        Course of an arm -> (people, T, causes) cumulative hazard from enrolment on, in the order of `hazards.outcome_rates.CAUSES`.
    injured
        Course of an arm -> (people,) day of acute kidney injury, which the course holds; infinite without.
    keys
        (arm, stage, scenario) -> course.
    people
        Characteristics -> (people,).
    weights
        (people,) chance to be the next candidate.
    draws
        Sets of parameters: the people stand in the pool once for each, one set after the other, and a replicate draws from one of them.
    traits
        Column of `TRAITS` -> (people,): what hazards read of people besides.
    intake
        Course of an arm -> drug or class -> (people, days from enrolment on) share of its effect.
    visits
        SDs of measurements under each set of parameters, see `observables.variation.varied_by`; empty where all are those of the table.
    """

    STAGES: ClassVar[tuple[str, ...]] = ("natural", "run-in", "care", "co-medication", "cells")

    times: Numbers
    codes: tuple[str, ...]
    values: Mapping[str, Numbers] = field(repr=False)
    failed: Mapping[str, Numbers] = field(repr=False)
    hazards: Mapping[str, Numbers] = field(repr=False)
    injured: Mapping[str, Numbers] = field(repr=False)
    keys: Mapping[tuple[str, str, str], str] = field(repr=False)
    people: Mapping[str, Numbers] = field(repr=False)
    weights: Numbers = field(repr=False)
    facts: Mapping[str, Any] = field(default_factory=dict)
    traits: Mapping[str, Numbers] = field(default_factory=dict, repr=False)
    intake: Mapping[str, Mapping[str, NDArray[np.float32]]] = field(default_factory=dict, repr=False)
    draws: int = 1
    visits: tuple[Mapping[str, float], ...] = ()

    @property
    def people_of_draw(self) -> int:
        """People under one set of parameters."""
        return len(self.weights) // self.draws

    def first_of(self, replicates: range) -> NDArray[np.int32]:
        """Return (R,) the place of the first person under the parameters of each replicate."""
        draw = np.arange(replicates.start, replicates.stop) % self.draws
        return np.asarray(draw * self.people_of_draw, dtype=np.int32)

    def set_of(self, member: NDArray[np.integer]) -> NDArray[np.intp]:
        """Return the number of the set of parameters that people stand under."""
        return np.asarray(member // self.people_of_draw, dtype=np.intp)

    def __len__(self) -> int:
        return len(self.weights)

    def key(self, arm: str, stage: str, scenario: str) -> str:
        """Return the name of a course."""
        return self.keys[arm, stage, scenario]

    @functools.cached_property
    def _scaled(self) -> dict[tuple[str, str], Numbers]:
        return {}

    def scaled(self, key: str, code: str) -> Numbers:
        """Return (people, T) a course on the quantity's scale."""
        if (key, code) not in self._scaled:
            values = self.values[key][:, :, self.codes.index(code)]
            self._scaled[key, code] = np.ascontiguousarray(visit_observables()[code].forward(values))
        return self._scaled[key, code]

    def at(self, key: str, code: str, member: NDArray[np.integer], day: Numbers) -> Numbers:
        """Return (k, V) values of people on days, on the quantity's scale.

        Parameters
        ----------
        member
            (k,) people.
        day
            (k, V) days from enrolment.
        """
        return self.read(key, code, member, self.grid_position(day))

    def grid_position(self, day: Numbers) -> tuple[NDArray[np.intp], Numbers]:
        """Return where days of any shape lie in `times`: (same shape) the grid day before, and the share of the way to the next."""
        if len(self.times) == 1:
            return np.zeros(day.shape, dtype=np.intp), np.zeros(day.shape)
        below = np.clip(np.searchsorted(self.times, day, side="right") - 1, 0, len(self.times) - 2)
        return below, np.clip((day - self.times[below]) / np.diff(self.times)[below], 0.0, 1.0)

    def read(
        self, key: str, code: str, member: NDArray[np.integer], position: tuple[NDArray[np.intp], Numbers]
    ) -> Numbers:
        """Return (k, V) values of people at places in `times`, on the quantity's scale."""
        table, (below, share) = self.scaled(key, code), position
        rows = member[:, None]
        left, right = table[rows, below], table[rows, np.minimum(below + 1, len(self.times) - 1)]
        # On a grid day the neighbour does not matter, even if it lies after kidney failure.
        interpolated: Numbers = np.where(
            share == 0.0, left, np.where(share == 1.0, right, left + share * (right - left))
        )
        return interpolated

    def effect_since(self, course: str, code: str, member: NDArray[np.integer], elapsed: Numbers) -> Numbers:
        """Return (k, V) how far what sets a course apart, such as rescue, moves a quantity this many days after it began."""
        day = np.clip(elapsed, 0.0, self.times[-1])
        shift = self.at(course, code, member, day) - self.at(self.keys["", "run-in", ""], code, member, day)
        return np.where(elapsed > 0, np.nan_to_num(shift), 0.0)

    def event_days(self, key: str, cause: str, member: NDArray[np.integer], exponential: Numbers) -> Numbers:
        """Return (k,) day from enrolment on which the event of a cause comes to people; infinite without.

        Acute kidney injury is part of the person's course, and does not depend on the random numbers of a replicate.

        Parameters
        ----------
        key
            Course of an arm.
        exponential
            (k,) numbers of the people, as of `hazards.event_times.hazard_thresholds`.
        """
        if cause == "aki":
            return np.asarray(self.injured[key][member])
        cumulative = self.hazards[key][member, :, list(CAUSES).index(cause)]
        after = self.times >= 0.0
        return event_day(self.times[after], cumulative[:, after], exponential)

    # -- on disk -----------------------------------------------------------------------------------------------------

    def to_bytes(self) -> bytes:
        """Return the pool as the content of an NPZ file; the same pool gives the same bytes."""
        names = list(self.values)
        head = {
            "format": _FORMAT,
            "codes": self.codes,
            "names": names,
            "keys": [[*key, name] for key, name in self.keys.items()],
            "hazards": list(self.hazards),
            "people": list(self.people),
            "traits": list(self.traits),
            "intake": [[course, drug] for course, drugs in self.intake.items() for drug in drugs],
            "facts": {name: value for name, value in self.facts.items() if name != "seconds"},
            **({"draws": self.draws} if self.draws > 1 else {}),
            **({"visits": [dict(sds) for sds in self.visits]} if self.visits else {}),
        }
        arrays: dict[str, Any] = {"head": np.frombuffer(json.dumps(head).encode(), dtype=np.uint8), "times": self.times}
        arrays |= {f"v{i}": self.values[name] for i, name in enumerate(names)}
        arrays |= {f"f{i}": self.failed[name] for i, name in enumerate(names)}
        arrays |= {f"h{i}": values for i, values in enumerate(self.hazards.values())}
        arrays |= {f"i{i}": self.injured[name] for i, name in enumerate(self.hazards)}
        arrays |= {f"p{i}": values for i, values in enumerate(self.people.values())}
        arrays |= {f"t{i}": values for i, values in enumerate(self.traits.values())}
        shares = [values for drugs in self.intake.values() for values in drugs.values()]
        arrays |= {f"d{i}": values for i, values in enumerate(shares)}
        arrays["weights"] = self.weights
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Pool:
        """Undo `to_bytes`; ValueError where the bytes are no pool."""
        file = npz.read_npz(data)
        try:
            head = _Head.model_validate_json(file["head"].tobytes())
            names = head.names
            pool = cls(
                file["times"],
                tuple(head.codes),
                {name: file[f"v{i}"] for i, name in enumerate(names)},
                {name: file[f"f{i}"] for i, name in enumerate(names)},
                {name: file[f"h{i}"] for i, name in enumerate(head.hazards)},
                {name: file[f"i{i}"] for i, name in enumerate(head.hazards)},
                {(arm, stage, scenario): name for arm, stage, scenario, name in head.keys},
                {name: file[f"p{i}"] for i, name in enumerate(head.people)},
                file["weights"],
                head.facts,
                {name: file[f"t{i}"] for i, name in enumerate(head.traits)},
                _by_course(head.intake, file),
                head.draws,
                tuple(head.visits),
            )
        except KeyError as error:
            raise ValueError(f"the array {error} is missing") from None
        pool.check()
        return pool

    def check(self) -> None:
        """Check that everything has the shape that it must have; ValueError where it has not."""
        people, times = len(self.weights), len(self.times)
        good = (
            self.times.ndim == self.weights.ndim == 1
            and times > 0
            and bool(np.all(np.diff(self.times) > 0))
            and all(values.shape == (people, times, len(self.codes)) for values in self.values.values())
            and all(table.shape == (people, times, len(CAUSES)) for table in self.hazards.values())
            and set(self.keys.values()) <= set(self.hazards)
            and all(
                column.shape == (people,)
                for column in (
                    *self.failed.values(),
                    *self.injured.values(),
                    *self.people.values(),
                    *self.traits.values(),
                )
            )
            and all(name in self.values for name in self.keys.values())
            and all(
                shares.shape == (people, int(np.sum(self.times >= 0.0)))
                for drugs in self.intake.values()
                for shares in drugs.values()
            )
            and set(self.codes) <= set(visit_observables())
            and self.draws >= 1
            and people % self.draws == 0
            and len(self.visits) in (0, self.draws)
        )
        if not good:
            raise ValueError("its arrays do not fit each other")


def pools_under_draws(pools: Sequence[Pool]) -> Pool:
    """Return one pool of the same people under several sets of parameters, in their order.

    Who is lost under one set, or whose kidneys fail before enrolment under it, is no candidate under that set.
    """
    first = pools[0]
    if len(pools) == 1:
        return first
    people = np.concatenate([pool.weights / pool.weights.sum() / len(pools) for pool in pools])
    visits = [sds for pool in pools for sds in (pool.visits or ({},))]

    def joined(tables: Sequence[Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
        return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}

    intake = {}
    for course in first.intake:
        # A drug that nobody takes under some set is not in its table.
        drugs = dict.fromkeys(drug for pool in pools for drug in pool.intake[course])
        shape = (first.people_of_draw, int(np.sum(first.times >= 0.0)))
        nothing = np.zeros(shape, dtype=np.float32)
        intake[course] = {
            drug: np.concatenate([pool.intake[course].get(drug, nothing) for pool in pools]) for drug in drugs
        }
    facts = dict(first.facts) | {"draws": len(pools)}
    facts |= {name: sum(pool.facts[name] for pool in pools) for name in ("integrations", "lost", "failed", "seconds")}
    return Pool(
        first.times, first.codes, joined([pool.values for pool in pools]), joined([pool.failed for pool in pools]),
        joined([pool.hazards for pool in pools]), joined([pool.injured for pool in pools]), first.keys,
        joined([pool.people for pool in pools]), people, facts, joined([pool.traits for pool in pools]), intake, len(pools),
        tuple(visits) if any(visits) else (),
    )  # fmt: skip


def _by_course(names: Iterable[tuple[str, str]], file: Mapping[str, NDArray[Any]]) -> dict[str, dict[str, Any]]:
    intake: dict[str, dict[str, Any]] = {}
    for i, (course, drug) in enumerate(names):
        intake.setdefault(course, {})[drug] = file[f"d{i}"]
    return intake
