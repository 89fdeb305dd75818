"""What a run computes: the model, who is simulated, when they are seen, how exactly. Nothing here says where or how fast."""

from __future__ import annotations

import functools
import hashlib
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...base import cache
from ...base.errors import ConfigError, Problem, did_you_mean, unit_in
from ...base.nouns import with_noun
from ...base.randomness import Patients
from ...model import Model, ParameterTable
from ...model.parameters.possible_values import drawn_range, impossible_columns
from ..draw import ALL, draw_parameters, varied
from ..limits import MOST_ENSEMBLE_VALUES, MOST_PATIENTS, MOST_VISITS
from ..schedule import Schedule
from ..tolerance import check_tolerances

#: Packages whose version may change the last bits of a result.
NUMERIC_PACKAGES = ("betapod", "numpy", "scipy", "llvmlite")
#: Said with every result.
NOTE = "Simulation of virtual patients; no evidence of efficacy or safety."


class Cohort(Protocol):
    """Who is simulated: gives the parameters of any patients by their number, always the same."""

    def values(self, patients: Patients) -> Mapping[str, NDArray[np.float64]]:
        """Return ``{parameter or input: array (n,)}`` of these patients."""
        ...

    def part(self, patients: range) -> Cohort:
        """Return a cohort that need only know these patients, to be sent to another machine."""
        ...

    def identity(self) -> dict[str, Any]:
        """Return plain values that determine everybody's parameters."""
        ...


@dataclass(frozen=True)
class Drawn:
    """Patients drawn from the distributions of a parameter table, see `betapod.engine.draw`."""

    table: ParameterTable
    seed: int
    names: tuple[str, ...]
    replicate: int = 0

    def values(self, patients: Patients) -> Mapping[str, NDArray[np.float64]]:
        """Return the drawn parameters of these patients."""
        return draw_parameters(self.table, self.seed, patients, self.names, self.replicate)

    def part(self, patients: range) -> Drawn:
        """Return the cohort itself: it knows everybody without storing anybody."""
        return self

    def identity(self) -> dict[str, Any]:
        """Return seed, replicate and every distribution."""
        rows = {}
        for name in self.names:
            row = self.table[name]
            low, high = drawn_range(row)
            rows[name] = {"shape": list(row.shape or ()), "low": json_number(low), "high": json_number(high)}
        return {"seed": self.seed, "replicate": self.replicate, "drawn": rows}


@dataclass(frozen=True)
class ListedPatients:
    """Patients given one by one.

    Attributes
    ----------
    columns
        ``{parameter or input: array (n,)}`` in the rows' own units.
    first
        Number of the patient in row 0.
    """

    columns: Mapping[str, NDArray[np.float64]]
    first: int = 0

    def values(self, patients: Patients) -> Mapping[str, NDArray[np.float64]]:
        """Return the given parameters of these patients."""
        rows = np.asarray(patients, np.int64) - self.first
        return {name: column[rows] for name, column in self.columns.items()}

    def part(self, patients: range) -> ListedPatients:
        """Return these patients alone."""
        cut = slice(patients.start - self.first, patients.stop - self.first)
        return ListedPatients({name: column[cut] for name, column in self.columns.items()}, patients.start)

    def identity(self) -> dict[str, Any]:
        """Return a hash of every column."""
        return {
            "listed": {
                name: hashlib.sha256(np.ascontiguousarray(column, "<f8").tobytes()).hexdigest()
                for name, column in self.columns.items()
            }
        }


@dataclass(frozen=True, eq=False)
class RunPlan:
    """One run.

    Attributes
    ----------
    patients
        How many.
    times
        Visits in days.
    outputs
        States and assignments to report; empty: all states.
    cohort
        Who they are; None: all alike, the model's own values.
    schedule
        What is done to everyone.
    atol
        Absolute tolerance in the states' units; None: what suits the size of each state, see `betapod.engine.tolerance`.
    shard_size
        Patients per shard. It decides how the result is cut into files, never what it is.
    origin
        Plain values from which a command line can make this plan again; the engine only stores them.
    files
        Files that the model was read from, and their SHA-256.
    """

    model: Model
    patients: int
    times: tuple[float, ...]
    outputs: tuple[str, ...] = ()
    cohort: Cohort | None = None
    schedule: Schedule = field(default_factory=Schedule)
    rtol: float = 1e-6
    atol: float | None = None
    shard_size: int = 10_000
    origin: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def drawn(
        cls,
        model: Model,
        patients: int,
        times: Sequence[float] | NDArray[np.float64],
        seed: int = 1,
        vary: str | Iterable[str] = ALL,
        replicate: int = 0,
        **settings: Any,
    ) -> RunPlan:
        """Plan a run of patients drawn from the model's own distributions.

        Parameters
        ----------
        vary
            Rows to draw, see `betapod.engine.draw.varied`.
        **settings
            Other attributes of the plan.

        Raises
        ------
        ConfigError
            Names that cannot be drawn.
        """
        table = ParameterTable((*model.parameters.values(), *model.inputs.values()))
        cohort = Drawn(table, seed, varied(table, vary), replicate)
        return cls(model, patients, tuple(float(t) for t in times), cohort=cohort, **settings)

    def __post_init__(self) -> None:
        self.check()

    def check(self) -> None:
        """Check the plan.

        Raises
        ------
        ConfigError
            With everything that is wrong at once.
        """
        problems: list[Problem] = []

        def need(holds: bool, kind: str, message: str, actual: object, expected: str = "") -> None:
            if not holds:
                problems.append(Problem(kind, message, found=str(actual), expected=expected))

        need(self.patients > 0, "bad-number", "there is nobody to simulate", self.patients, "at least 1 patient")
        need(
            self.patients <= MOST_PATIENTS,
            "too-large",
            "these are too many patients",
            self.patients,
            f"{MOST_PATIENTS:,}",
        )
        need(self.shard_size > 0, "bad-number", "a shard holds at least 1 patient", self.shard_size)
        try:
            check_tolerances(self.rtol, self.atol, self.model.state_names)
        except ConfigError as error:
            problems.extend(error.problems)
        times = self.times
        need(
            len(times) <= MOST_VISITS,
            "too-large",
            "that is more visits than a run reports",
            len(times),
            f"{MOST_VISITS:,}",
        )
        values = min(self.shard_size, max(self.patients, 1)) * len(times) * max(len(self.names), 1)
        need(
            values <= MOST_ENSEMBLE_VALUES,
            "too-large",
            "a part of the run is more than memory should hold: take smaller shards, or fewer visits or outputs",
            f"{values:,} numbers, {8e-9 * values:,.1f} GB",
            f"at most {MOST_ENSEMBLE_VALUES:,} numbers",
        )
        rising = all(a < b for a, b in itertools.pairwise(times))
        if not times or not all(map(math.isfinite, times)) or times[0] < 0 or not rising:
            need(False, "bad-times", "visits are days from 0 on, in rising order", list(times[:8]))
        quantities = (*self.model.state_names, *self.model.assignments)
        for name in self.outputs:
            if name not in quantities:
                problems.append(
                    Problem("unknown-output", f"{name!r} is no state or equation", hint=did_you_mean(name, quantities))
                )
        need(len(set(self.outputs)) == len(self.outputs), "two-outputs", "an output is named twice", self.outputs)
        if isinstance(self.cohort, ListedPatients):
            rows = {*self.model.parameters, *self.model.inputs}
            for name, column in self.cohort.columns.items():
                if name not in rows:
                    hint = unit_in(name, rows) or did_you_mean(name, rows)
                    problems.append(Problem("unknown-parameter", f"there is no parameter {name!r}", hint=hint))
                lacking = len(column) != self.patients or not bool(np.isfinite(column).all())
                need(
                    not lacking,
                    "bad-column",
                    f"{name}: every patient needs a finite number",
                    with_noun(len(column), "row"),
                )
            problems += impossible_columns({**self.model.parameters, **self.model.inputs}, self.cohort.columns)
        try:
            self.schedule.check(self.model)
        except ConfigError as error:
            problems.extend(error.problems)
        if problems:
            raise ConfigError(problems)

    @property
    def names(self) -> tuple[str, ...]:
        """What is reported: all states by default, or all equations of a model without states."""
        return self.outputs or self.model.state_names or tuple(self.model.assignments)

    @property
    def varied(self) -> tuple[str, ...]:
        """Which parameters and inputs differ between patients."""
        if isinstance(self.cohort, Drawn):
            return self.cohort.names
        return tuple(self.cohort.values(range(0))) if self.cohort is not None else ()

    @property
    def shards(self) -> int:
        """How many shards there are."""
        return -(-self.patients // self.shard_size)

    def members(self, shard: int) -> range:
        """Return the patients of a shard."""
        return range(shard * self.shard_size, min((shard + 1) * self.shard_size, self.patients))

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Everything that determines the numbers, as plain values: two runs with the same identity have the same result."""
        schedule = {
            "doses": list(map(asdict, self.schedule.doses)),
            "switches": list(map(asdict, self.schedule.switches)),
        }
        return {
            "model": self.model.name,
            "equations": self.model.fingerprint,
            "values": {name: json_number(value) for name, value in sorted(self.model.values().items())},
            "cohort": self.cohort.identity() if self.cohort is not None else {},
            "schedule": schedule,
            "patients": self.patients,
            "times": list(self.times),
            "time_unit": self.model.time_unit,
            "outputs": list(self.names),
            "rtol": self.rtol,
            "atol": self.atol,
            "shard_size": self.shard_size,
            "files": dict(self.files),
            "versions": versions(),
        }


def json_number(value: float) -> float | str:
    """Return a number as JSON can hold it."""
    return value if math.isfinite(value) else repr(value)


def versions() -> dict[str, str]:
    """Return the versions of what computes."""
    return {name: cache.version_of(name) for name in NUMERIC_PACKAGES} | {"code": _code()}


@functools.cache
def _code() -> str:
    """Return a digest of our own files that a part is computed by. A version number alone does not tell of an edited copy."""
    return hashlib.sha256(
        "".join(map(cache.content_digest, cache.closure("betapod.engine.runs.shard"))).encode()
    ).hexdigest()


def identity_changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Problem]:
    """Return a problem for each thing in which two identities differ, down to the single parameter."""
    differences = []
    old, new = _leaves(before), _leaves(now)
    for key in dict.fromkeys((*old, *new)):
        if old.get(key, _ABSENT) != new.get(key, _ABSENT):
            differences.append(
                Problem(
                    "changed-input",
                    f"{key} is not what the run began with",
                    found=_short(new.get(key, _ABSENT)),
                    expected=_short(old.get(key, _ABSENT)),
                )
            )
    return differences


_ABSENT = "nothing"


def _leaves(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    leaves: dict[str, Any] = {}
    for key, entry in value.items():
        name = f"{prefix}{key}"
        if isinstance(entry, Mapping) and entry:
            leaves |= _leaves(entry, f"{name}.")
        else:
            leaves[name] = entry
    return leaves


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 100 else f"{text[:60]} ... ({len(text)} characters)"
