"""A simulation as a function on the unit cube: numbers of a model varied together, many at once, with everything computed kept."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np

from ..base import cache as caching
from ..base.constants import DAYS_PER_YEAR
from ..base.errors import ConfigError, Problem, not_among
from ..engine.ensemble import Ensemble
from ..engine.ensemble_result import ENDED
from ..engine.schedule import Schedule
from ..model import Model
from ..observables.expressions import of_model
from ..observables.quantities import visit_observables
from .cube_function import FIRST, CubeFunction
from .factors import Factor
from .index_table import Numbers

#: What is made of a course: its value at the end, the change from the start, the mean, the slope of a straight line (per year
#: where the model counts days), the extremes.
SUMMARIES = ("end", "change", "mean", "slope", "least", "most")
#: Of these, what may be below 0.
_DIFFERENCES = ("change", "slope")
#: Times at which courses are known where nobody says: enough for a slope or a mean, few enough to be fast.
TIMES = 13
#: Rows of a part that is kept by itself: little is lost when a run is stopped.
PART = 4096


@dataclass
class ModelFunction:
    """Outputs of a model as a function of its numbers.

    Attributes
    ----------
    factors
        The numbers, one for each column of the unit cube.
    outputs, summary
        What is read, and what is made of its course; after a terminal event the last value before it counts.
    times
        At which courses are known, in the model's unit of time; the last is the end.
    schedule, initial
        What is given, and where states start.
    without
        What is given to those who are compared: outputs are then differences from them.
    ended, failed
        How many of the runs came to a terminal event, and how many gave no number.
    """

    model: Model
    factors: Sequence[Factor]
    outputs: Sequence[str]
    times: Sequence[float]
    summary: str = "end"
    schedule: Schedule = field(default_factory=Schedule)
    initial: Mapping[str, float] = field(default_factory=dict)
    without: Schedule | None = None
    threads: int | None = None
    rtol: float = 1e-6
    ended: int = 0
    failed: int = 0
    #: Runs that are computed and kept together, and points of each repetition in the first round of a design.
    together: ClassVar[int] = PART
    first_points: ClassVar[int] = FIRST

    def __post_init__(self) -> None:
        problems = []
        if self.summary not in SUMMARIES:
            message = f"nothing called {self.summary!r} is made of a course"
            problems.append(not_among(SUMMARIES, "unknown-summary", message, self.summary))
        if not self.outputs:
            problems.append(Problem("no-outputs", "no output is named"))
        if problems:
            raise ConfigError(problems)
        self._ensemble = Ensemble(self.model, list(self.outputs), rtol=self.rtol, threads=self.threads)

    @property
    def about(self) -> dict[str, Any]:
        """What is simulated, as plain values of a document."""
        return {
            "model": self.model.name,
            "fingerprint": self.model.fingerprint,
            "summary": self.summary,
            "times": [float(time) for time in self.times],
        }

    @property
    def identity(self) -> str:
        """Everything that shapes a value, but the place."""
        schedules = [
            None if item is None else [list(map(astuple, item.doses)), list(map(astuple, item.switches))]
            for item in (self.schedule, self.without)
        ]
        rows = [(f.name, f.law, *f.range, f.row.value) for f in self.factors]
        settings = [list(self.outputs), self.summary, list(map(float, self.times)), self.rtol]
        return caching.key(__name__, self.model.fingerprint, rows, settings, schedules, sorted(self.initial.items()))

    def values_at(self, u: Numbers) -> dict[str, Numbers]:
        """Return the numbers at places (K, d) of the unit cube."""
        return {factor.name: factor.at(u[:, column]) for column, factor in enumerate(self.factors)}

    def __call__(self, u: Numbers) -> Numbers:
        """Return outputs (K, m) at places (K, d) of the unit cube."""
        return self.of_values(self.values_at(u))

    def of_values(self, values: Mapping[str, Numbers]) -> Numbers:
        """Return outputs (K, m) of numbers, each (K,); NaN where the integration failed."""
        treated = self._summarised(values, self.schedule)
        return treated if self.without is None else treated - self._summarised(values, self.without)

    def _summarised(self, values: Mapping[str, Numbers], schedule: Schedule) -> Numbers:
        result = self._ensemble.run(dict(values), list(self.times), schedule, dict(self.initial))
        self.ended += int(np.sum(result.status == ENDED))
        self.failed += len(result.failed)
        courses = result.values
        courses[result.failed] = np.nan
        values_read = summary_of_courses(courses, np.asarray(self.times, dtype=np.float64), self.summary)
        return values_read * self._per_year if self.summary == "slope" else values_read

    @property
    def _per_year(self) -> float:
        return DAYS_PER_YEAR if self.model.time_unit == "day" else 1.0

    def usual_scale(self, output: str) -> str:
        """Return the scale on which an output is counted: ``log`` for a course of what laboratories count so, else ``linear``."""
        if self.summary in _DIFFERENCES or self.without is not None:
            return "linear"
        links = {of_model(q.id): q.link for q in visit_observables().values()}
        return links.get((output,), "linear")

    def unit(self, output: str) -> str:
        """Return the unit of what is read of an output."""
        unit = self.model.units.get(output, "1")
        if self.summary != "slope" or self.model.time_unit == "1":
            return unit
        time = "year" if self.model.time_unit == "day" else self.model.time_unit
        return f"1/{time}" if unit == "1" else f"{unit}/{time}"


def summary_of_courses(courses: Numbers, times: Numbers, summary: str) -> Numbers:
    """Return one number (K, m) of each course (K, times, m); what comes after the last value is held at it."""
    number = np.arange(courses.shape[1])
    last = np.maximum.accumulate(np.where(np.isfinite(courses), number[None, :, None], 0), axis=1)
    held = np.take_along_axis(courses, last, axis=1)
    if summary == "end":
        return np.asarray(held[:, -1])
    if summary == "change":
        return np.asarray(held[:, -1] - held[:, 0])
    if summary == "least":
        return np.asarray(held.min(axis=1))
    if summary == "most":
        return np.asarray(held.max(axis=1))
    if summary == "mean":
        # Of the curve, not of the rows, which need not be evenly spaced.
        return np.asarray(np.trapezoid(held, times, axis=1) / (times[-1] - times[0]))
    centred = times - times.mean()
    return np.asarray(np.einsum("t,ktm->km", centred, held) / np.sum(centred**2))


class VariedFunction(Protocol):
    """Outputs of a simulation as a function on the unit cube of the numbers that are varied.

    Attributes
    ----------
    factors
        The numbers, one for each column of the unit cube.
    outputs
        What is read.
    together, first_points
        Runs that are computed and kept together, and points of each repetition in the first round of a design.
    """

    together: ClassVar[int]
    first_points: ClassVar[int]

    @property
    def factors(self) -> Sequence[Factor]: ...
    @property
    def outputs(self) -> Sequence[str]: ...
    @property
    def identity(self) -> str:
        """Everything that shapes a value, but the place."""
        ...

    @property
    def about(self) -> dict[str, Any]:
        """What is simulated, as plain values of a document."""
        ...

    def unit(self, output: str) -> str:
        """Return the unit of what is read of an output."""
        ...

    def usual_scale(self, output: str) -> str:
        """Return the scale on which differences of an output are counted: ``linear`` or ``log``."""
        ...

    def __call__(self, u: Numbers, /) -> Numbers:
        """Return outputs (K, m) at places (K, d) of the unit cube."""
        ...


class KeptFunction:
    """A function whose values are kept in the cache part by part, so that what was stopped goes on where it was.

    Attributes
    ----------
    computed, kept
        How many values were computed now, and how many had been before.
    """

    def __init__(self, function: CubeFunction, identity: str, together: int = PART) -> None:
        self._function, self._identity, self._together = function, identity, together
        self.computed = self.kept = 0

    def __call__(self, u: Numbers) -> Numbers:
        """Return the values at places (K, d)."""
        return np.concatenate(
            [self._part(u[start : start + self._together]) for start in range(0, len(u), self._together)]
        )

    def _part(self, u: Numbers) -> Numbers:
        digest = hashlib.sha256(np.ascontiguousarray(u, dtype="<f8").tobytes()).hexdigest()[:32]
        name = f"sensitivity/{self._identity}/{digest}.npy"
        body = caching.read_entry(name)
        if body is not None:
            values: Numbers = np.load(io.BytesIO(body), allow_pickle=False)
            self.kept += len(u)
            return values
        values = np.asarray(self._function(u), dtype=np.float64)
        self.computed += len(u)
        written = io.BytesIO()
        np.save(written, values, allow_pickle=False)
        caching.write_entry(name, written.getvalue())
        return values
