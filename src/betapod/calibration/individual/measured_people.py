"""People with measurements: what was measured when, what they were given, and in which values of the model they differ."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...engine.schedule import Schedule, Switch

if TYPE_CHECKING:
    from .error_model import ErrorModel

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class MeasuredObservable:
    """What is measured.

    Attributes
    ----------
    name
        As in the table of measurements.
    output
        State or equation of the model that predicts it; `unit` is that of the output.
    table_unit
        Unit of its numbers in the table where neither heading nor row names one.
    """

    name: str
    output: str
    unit: str
    label: str
    error: ErrorModel
    table_unit: str = ""


@dataclass(frozen=True)
class MeasuredPart:
    """A person's measurements from one start, or reset, to the next.

    Attributes
    ----------
    begin
        When it begins, on the clock of the person's measurements.
    covariates
        Values of her own from then on.
    times
        (m,) of the measurements, from the beginning of the part on.
    members
        (m,) their numbers among all of the person.
    """

    begin: float
    schedule: Schedule
    covariates: Mapping[str, float]
    times: Numbers
    members: NDArray[np.int64]


@dataclass(frozen=True)
class MeasuredPerson:
    """One person.

    Attributes
    ----------
    times
        (n,) of measurements, from the beginning of the simulation on, in the model's unit of time.
    observable
        (n,) number of what was measured.
    values, errors
        (n,) in the unit of the output; an error is NaN where the table has none.
    lines
        (n,) of the table.
    covariates
        Parameters and inputs of the model that this person has a value of her own of.
    stretches
        Where she begins anew, her measurements in parts; `schedule` and `covariates` are those of the first then.
    """

    name: str
    times: Numbers
    observable: NDArray[np.int64]
    values: Numbers
    errors: Numbers
    lines: NDArray[np.int64]
    schedule: Schedule
    covariates: Mapping[str, float] = field(default_factory=dict)
    stretches: tuple[MeasuredPart, ...] = ()

    def __len__(self) -> int:
        return len(self.times)

    @property
    def parts(self) -> tuple[MeasuredPart, ...]:
        """Her measurements in parts, each with a beginning of its own; mostly one."""
        everything = MeasuredPart(0.0, self.schedule, self.covariates, self.times, np.arange(len(self.times)))
        return self.stretches or (everything,)


def followed_course(name: str, values: dict[float, float]) -> list[Switch]:
    """Return the switches by which an input follows values at times, linear between them."""
    times = sorted(values)
    switches = [Switch(name, values[times[0]], times[0])]
    return switches + [Switch(name, values[b], a, b - a) for a, b in itertools.pairwise(times)]
