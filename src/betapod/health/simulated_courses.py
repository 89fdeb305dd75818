"""Simulated courses of people under strategies: what `courses` made, kept as arrays, and given as courses of risk."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..base import npz
from ..base.errors import ConfigError, Problem, did_you_mean
from ..hazards.risk import Numbers
from ..hazards.risk_course import RiskCourse
from .course_people import CoursePeople
from .risk_profiles import READ_CODES, risk_course_of

if TYPE_CHECKING:
    from ..patients.library import Library

_FORMAT = 1
_PARTS = ("values", "intake", "dated", "besides", "harms")


@dataclass(frozen=True)
class StrategyCourse:
    """Patients of a library under one strategy and one set of parameters.

    Attributes
    ----------
    values
        PARAMCD -> (patients, T), true values; NaN after kidney failure.
    failed
        (patients,) day of kidney failure; infinite without.
    intake
        Drug or class -> (patients, T) share of its effect.
    dated, besides
        Event that the course holds, and event that comes besides those of its rate -> (patients,) day; infinite without.
    harms
        Event -> (T,) factor on its rate by cells.
    """

    values: Mapping[str, NDArray[np.float32]]
    failed: Numbers
    intake: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    dated: Mapping[str, Numbers] = field(default_factory=dict)
    besides: Mapping[str, Numbers] = field(default_factory=dict)
    harms: Mapping[str, Numbers] = field(default_factory=dict)

    def take(self, rows: NDArray[np.int64]) -> StrategyCourse:
        """Return the courses of some of the patients."""
        names = ("values", "intake", "dated", "besides")
        of = {name: {key: v[rows] for key, v in getattr(self, name).items()} for name in names}
        return StrategyCourse(of["values"], self.failed[rows], of["intake"], of["dated"], of["besides"], self.harms)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return every array by ``part/name``."""
        parts = {f"{part}/{name}": values for part in _PARTS for name, values in getattr(self, part).items()}
        return {**parts, "failed/": self.failed}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> StrategyCourse:
        """Undo `arrays`; KeyError where one is missing."""
        parts: dict[str, dict[str, Any]] = {part: {} for part in _PARTS}
        for key, values in arrays.items():
            part, _, name = key.partition("/")
            if part in parts:
                parts[part][name] = values
        return cls(
            {code: parts["values"][code] for code in READ_CODES}, arrays["failed/"], parts["intake"], parts["dated"], parts["besides"], parts["harms"]
        )  # fmt: skip


@dataclass(frozen=True)
class SimulatedCourses:
    """Courses of the same people under several strategies, and under several sets of parameters: of cells, or of bodies that lived under them.

    Attributes
    ----------
    people
        Who they are; patients that could not be simulated are left out.
    days
        (T,) from day 0.
    courses
        (strategy, draw) -> the courses of the patients. Draw 0 has the values of the tables.
    keys
        (strategy, draw) -> key in `courses`: draws that change nothing share one.
    lost
        (patients as they were asked for,) who could not be simulated.
    seed
        Of what is drawn for each person besides the courses: smoking, cholesterol, complications at the start.
    drawn
        Scenario -> parameter -> (draws,) values of the draws from 1 on.
    facts
        How many patients were lost, and seconds of simulation.
    patients
        (draws,) the patients as they are under each set, where they lived under it; empty where they are the same in all.
    """

    people: CoursePeople
    days: Numbers
    courses: Mapping[str, StrategyCourse]
    keys: Mapping[tuple[str, int], str]
    lost: NDArray[np.bool_]
    seed: int
    drawn: Mapping[str, Mapping[str, Numbers]] = field(default_factory=dict)
    facts: Mapping[str, float] = field(default_factory=dict)
    patients: tuple[Library, ...] = ()

    @classmethod
    def joined(
        cls, people: CoursePeople, sets: Sequence[SimulatedCourses], patients: Sequence[Library]
    ) -> SimulatedCourses:
        """Return courses of the same people under several sets of parameters; who is lost in one is left out of all.

        Parameters
        ----------
        people
            As they were asked for.
        sets
            Under each set; the first becomes draw 0. None has draws of its own.
        patients
            Those of `people` under each set.
        """
        lost = np.any([courses_of_set.lost for courses_of_set in sets], axis=0)
        courses: dict[str, StrategyCourse] = {}
        keys: dict[tuple[str, int], str] = {}
        for number, under in enumerate(sets):
            rows = np.flatnonzero(~lost[~under.lost])
            courses |= {f"{number}: {key}": course.take(rows) for key, course in under.courses.items()}
            keys |= {(name, number): f"{number}: {key}" for (name, _), key in under.keys.items()}
        seconds = sum(courses_of_set.facts["seconds"] for courses_of_set in sets)
        facts = {"patients": len(lost), "lost": int(lost.sum()), "courses": len(courses), "seconds": seconds}
        everybody = CoursePeople(patients[0], people.rows).without(lost)
        of_draws = tuple(of.take(np.flatnonzero(~lost)) for of in patients)
        return cls(everybody, sets[0].days, courses, keys, lost, sets[0].seed, {}, facts, of_draws)

    @property
    def strategies(self) -> tuple[str, ...]:
        """Names of the strategies."""
        return tuple(dict.fromkeys(name for name, _ in self.keys))

    @property
    def draws(self) -> int:
        """How many sets of parameters there are besides that of the tables."""
        return max(number for _, number in self.keys)

    def risk(self, strategy: str, draw: int = 0, rows: slice | None = None) -> RiskCourse:
        """Return what events read of people under a strategy.

        Parameters
        ----------
        draw
            Set of parameters, from 0.
        rows
            Some of the people; all by default.

        Raises
        ------
        ConfigError
            There is no such strategy or draw.
        """
        if (strategy, draw) not in self.keys:
            raise ConfigError(self._unknown(strategy, draw))
        people = self.people if rows is None else CoursePeople(self.people.library, self.people.rows[rows])
        numbers = self.people.numbers if rows is None else self.people.numbers[rows]
        course = self.courses[self.keys[strategy, draw]].take(people.rows)
        library = self.patients[draw] if self.patients else people.library
        table = library.table.iloc[people.rows]
        values, intake = _doubles(course.values), _doubles(course.intake)
        return risk_course_of(
            table,
            numbers,
            self.days,
            values,
            course.failed,
            intake,
            course.dated,
            course.besides,
            course.harms,
            self.seed,
        )

    def parts(self, strategy: str, size: int, draw: int = 0) -> Iterator[tuple[slice, RiskCourse]]:
        """Give the people in parts of at most `size`, so that a million need no more memory than `size`."""
        for start in range(0, len(self.people), size):
            rows = slice(start, min(start + size, len(self.people)))
            yield rows, self.risk(strategy, draw, rows)

    def _unknown(self, strategy: str, draw: int) -> Problem:
        if strategy not in self.strategies:
            hint = did_you_mean(strategy, self.strategies)
            return Problem("unknown-strategy", f"there is no strategy {strategy!r}", hint=hint)
        return Problem("unknown-draw", f"there is no draw {draw}", expected=f"from 0 to {self.draws}")

    # -- on disk -----------------------------------------------------------------------------------------------------

    def to_bytes(self) -> bytes:
        """Return the courses as the content of an NPZ file, without the people."""
        arrays: dict[str, NDArray[Any]] = {"days": self.days, "lost": self.lost}
        names: dict[str, list[str]] = {}
        for i, (key, course) in enumerate(self.courses.items()):
            parts = course.arrays()
            names[key] = list(parts)
            arrays |= {f"c{i}_{j}": values for j, values in enumerate(parts.values())}
        drawn = {scenario: {name: v.tolist() for name, v in rows.items()} for scenario, rows in self.drawn.items()}
        keys = [[name, number, key] for (name, number), key in self.keys.items()]
        head = {
            "format": _FORMAT,
            "names": names,
            "keys": keys,
            "drawn": drawn,
            "seed": self.seed,
            "facts": dict(self.facts),
        }
        arrays |= {"head": np.frombuffer(json.dumps(head).encode(), dtype=np.uint8)}
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes, people: CoursePeople) -> SimulatedCourses:
        """Undo `to_bytes` for the people that were simulated; ValueError where the bytes are no courses of theirs."""
        file = npz.read_npz(data)
        try:
            head = json.loads(file["head"].tobytes())
            courses = {
                key: StrategyCourse.of_arrays({part: file[f"c{i}_{j}"] for j, part in enumerate(parts)})
                for i, (key, parts) in enumerate(head["names"].items())
            }
            keys = {(name, int(number)): key for name, number, key in head["keys"]}
            drawn = {s: {name: np.asarray(v) for name, v in rows.items()} for s, rows in head["drawn"].items()}
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"no courses: {error}") from None
        lost = np.asarray(file.get("lost"))
        if head.get("format") != _FORMAT or set(keys.values()) - set(courses) or lost.shape != (len(people.library),):
            raise ValueError("its parts do not fit each other")
        return cls(people.without(lost), file["days"], courses, keys, lost, int(head["seed"]), drawn, head["facts"])


def _doubles(columns: Mapping[str, NDArray[np.float32]]) -> dict[str, Numbers]:
    return {name: values.astype(np.float64) for name, values in columns.items()}
