"""Unknowns of a fit: what may be changed, on which scale, and what is thought of it before any data.

======================= =========== ==========================================================================================
name                    kind        meaning
======================= =========== ==========================================================================================
``h_N0``                row         a row of the model's tables, the same value for everybody
``SGLT2 inhibitor e_S`` drug        factor on what a class of drugs, or one drug, does to an input
``xi median``           median      factor on the median of a trait between people
``xi spread``           spread      factor on the SD of a trait between people, on the scale of its distribution
``xi with xi_theta``    correlation rank correlation of two traits
``care dMAP``           care        what care moves an input by during studies whose care is frozen
``UACR life``           visit       SD of what a year of life moves, or (``UACR measurement``) of one measurement
``del_on``              cells       a row of the tables of cells
======================= =========== ==========================================================================================
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ..validation.predictions.condition import Condition

Numbers = NDArray[np.float64]
#: What an unknown may be.
UnknownKind = Literal["row", "drug", "median", "spread", "correlation", "care", "visit", "cells"]
KINDS: tuple[str, ...] = get_args(UnknownKind)
#: Scales on which a prior is normal.
Transform = Literal["log", "linear", "logit", "atanh"]
TRANSFORMS: tuple[str, ...] = get_args(Transform)
#: Place on its scale beyond which no unknown goes, in SDs of its prior.
FARTHEST = 3.0
#: Kinds that shape the lives of people, so that they must be lived again.
SHAPES_LIVES = frozenset({"row", "drug", "median", "spread"})


@dataclass(frozen=True)
class Unknown:
    """One number that a fit looks for; its prior is normal on the scale of `transform`, with the start as its median.

    Attributes
    ----------
    name, kind
        See the module.
    start
        What the package's tables have; 1 for factors.
    sd
        SD of the prior on the scale of `transform`.
    low, high
        Bounds that no value may leave.
    within_study
        Whether it acts within studies only, so that people need not live again for it.

    Examples
    --------
    >>> from betapod.calibration.unknown import Unknown
    >>> unknown = Unknown("h_N0", "row", "1/year", 0.0085, "log", 0.4)
    >>> round(float(unknown.value(0.0)), 6)
    0.0085
    """

    name: str
    kind: str
    unit: str
    start: float
    transform: str
    sd: float
    low: float = -math.inf
    high: float = math.inf
    label: str = ""
    source: str = ""
    within_study: bool = False

    @property
    def shapes_lives(self) -> bool:
        """Whether people must live again when it changes."""
        from ..patients.observe import visits_of_lives

        # Doctors prescribe by what a visit shows.
        acts = self.name in visits_of_lives() if self.kind == "visit" else self.kind in SHAPES_LIVES
        return acts and not self.within_study

    def value(self, u: float | Numbers) -> Numbers:
        """Return values at places of the prior: 0 is its median, 1 one SD above it; never beyond the bounds."""
        at = _forward(self.transform, self.start) + self.sd * np.asarray(u, dtype=np.float64)
        return np.clip(_backward(self.transform, at), self.low, self.high)

    def place(self, value: float | Numbers) -> Numbers:
        """Return where values lie in the prior, in its SDs."""
        at = _forward(self.transform, np.asarray(value, dtype=np.float64))
        return np.asarray((at - _forward(self.transform, self.start)) / self.sd, dtype=np.float64)


def _forward(transform: str, value: float | Numbers) -> Numbers:
    x = np.asarray(value, dtype=np.float64)
    if transform == "log":
        return np.asarray(np.log(x))
    if transform == "logit":
        return np.asarray(np.log(x / (1.0 - x)))
    return np.asarray(np.arctanh(x)) if transform == "atanh" else x


def _backward(transform: str, at: Numbers) -> Numbers:
    if transform == "log":
        return np.asarray(np.exp(at))
    if transform == "logit":
        return np.asarray(1.0 / (1.0 + np.exp(-at)))
    return np.asarray(np.tanh(at)) if transform == "atanh" else at


def condition_at(unknowns: Iterable[Unknown], u: Iterable[float], base: Condition) -> Condition:
    """Return the parameters of everything at a place of the unknowns; what they do not name stays as in `base`.

    An unknown at its start changes nothing, so that the place 0 is `base`.
    """
    from dataclasses import replace

    from ..physiology.fit_changes import PART_OF

    parts: dict[str, dict[str, float]] = {
        "values": dict(base.values),
        "cells": {},
        "drugs": dict(base.drugs),
        "people": dict(base.people),
        "visits": dict(base.visits),
        "care": dict(base.care),
    }
    lived = base.lived
    for unknown, deviation in zip(unknowns, u, strict=True):
        if deviation == 0.0:
            continue
        parts[PART_OF[unknown.kind]][unknown.name.removeprefix("care ")] = float(unknown.value(deviation))
        lived = lived or unknown.shapes_lives
    return replace(
        base,
        values={**parts["values"], **parts["cells"]},
        drugs=parts["drugs"],
        people=parts["people"],
        visits=parts["visits"],
        care=parts["care"],
        lived=lived,
    )
