"""The size of a trial as a result, and what every size needs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConfigError, Problem
from .characteristics import design_characteristics
from .sequential_design import SequentialDesign

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


@dataclass(frozen=True)
class DesignSize:
    """The size of a trial.

    Attributes
    ----------
    counted
        What is counted at looks: ``patients`` or ``events``.
    fixed
        Counted in a trial with one look.
    by_look
        Counted by each look; the last is the size. Not rounded.
    expected_h1, expected_h01, expected_h0
        Expected under the effect, half of it (of the drift), and none.
    efficacy, futility
        Boundaries on the scale of the effect, one per look; NaN where there is none.
    scale
        What effects are: ``difference``, ``difference of shares``, ``hazard ratio``.
    patients
        Enrolled in all; NaN where it takes more to tell (events alone).
    ratio
        Patients of the treated arm for one of the control.
    times
        Of the looks since the first enrolment, where it is known.

    Examples
    --------
    >>> from betapod import designs
    >>> size = designs.means_size(0.5, 1.0, designs.group_sequential("P", 2), ratio=2)
    >>> size.whole_patients, round(size.expected_h1, 1)
    ((141, 71), 148.3)
    """

    counted: str
    fixed: float
    by_look: tuple[float, ...]
    expected_h1: float
    expected_h01: float
    expected_h0: float
    efficacy: tuple[float, ...]
    futility: tuple[float, ...]
    scale: str
    patients: float
    ratio: float
    times: tuple[float, ...] = field(default=())

    @property
    def total(self) -> float:
        """Counted at the last look, not rounded."""
        return self.by_look[-1]

    @property
    def whole_patients(self) -> tuple[int, int]:
        """Patients to enrol, treated and control, rounded up in each arm."""
        control = self.patients / (1 + self.ratio)
        return math.ceil(control * self.ratio - 1e-9), math.ceil(control - 1e-9)

    @property
    def table(self) -> pd.DataFrame:
        """One row per look: what is counted, boundaries as effects, and the time where it is known."""
        import pandas as pd

        columns: dict[str, object] = {
            "look": np.arange(1, len(self.by_look) + 1),
            self.counted: self.by_look,
            "efficacy": self.efficacy,
            "futility": self.futility,
        }
        return pd.DataFrame(columns | ({"time": self.times} if self.times else {}))


def counted_by_look(design: SequentialDesign, fixed: float) -> Array:
    """Return what is counted by each look, from what one look would take."""
    return np.asarray(design.information) * fixed * design_characteristics(design).inflation


def size_result(
    counted: str,
    design: SequentialDesign,
    fixed: float,
    by_look: Array,
    on_scale: Callable[[tuple[float, ...]], tuple[float, ...]],
    scale: str,
    patients: float,
    ratio: float,
    times: tuple[float, ...] = (),
) -> DesignSize:
    """Return the size, with what is expected and boundaries as effects; `on_scale` makes effects of boundaries."""
    got = design_characteristics(design)
    futility = tuple(
        x if np.isfinite(z) else math.nan for x, z in zip(on_scale(design.futility), design.futility, strict=True)
    )
    last = tuple(math.nan for _ in futility) if not design.has_futility else futility
    return DesignSize(
        counted, fixed, tuple(float(x) for x in by_look), got.asn_h1 * fixed, got.asn_h01 * fixed, got.asn_h0 * fixed,
        on_scale(design.efficacy), last, scale, patients, ratio, times,
    )  # fmt: skip


def number_problems(**numbers: float) -> list[Problem]:
    """Return which arguments are no numbers."""
    return [
        Problem("out-of-range", f"{name} is a number", found=str(value))
        for name, value in numbers.items()
        if not (isinstance(value, (int, float, np.number)) and math.isfinite(value))
    ]


def positive_problems(**numbers: float) -> list[Problem]:
    """Return which arguments are not above 0."""
    return [
        Problem("out-of-range", f"{name} cannot be this", found=str(value), expected="above 0")
        for name, value in numbers.items()
        if not (isinstance(value, (int, float, np.number)) and math.isfinite(value) and value > 0)
    ]


def no_effect_problems(distance: float) -> list[Problem]:
    """Return the problem of an effect that is that of the null."""
    if distance != 0:
        return []
    message = "no trial finds an effect that is that of the null"
    return [Problem("no-size", message, hint="Give an expected effect beside the null.")]


def raise_problems(problems: list[Problem]) -> None:
    """Raise everything that is wrong, if anything is."""
    if problems:
        raise ConfigError(problems)
