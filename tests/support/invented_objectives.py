"""Objectives with a known answer: invented rows, predicted by a formula."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from betapod.calibration.fit_rows import FitRows
from betapod.calibration.unknown import Unknown

Numbers = NDArray[np.float64]
#: Scale of comparison and class of row of three kinds of rows.
CLASSES = (("share", "angle"), ("ratio", "log"), ("slope", "linear"))


@dataclass
class Invented:
    """Rows predicted by a formula of the unknowns."""

    unknowns: tuple[Unknown, ...]
    rows: FitRows
    formula: Callable[[Numbers], Numbers]
    calls: int = 0

    def predict(self, u: Numbers) -> Numbers:
        self.calls += 1
        return self.formula(np.atleast_2d(u))


def invented_rows(
    observed: Numbers, se: float | Numbers = 0.1, families: int | None = None, classes: int = 1, freedom: float = np.inf
) -> FitRows:
    """Return rows that are spread over families, and within a family over classes in pairs; each its own family by default."""
    n = len(observed)
    names = tuple(f"r{i}" for i in range(n))
    kinds = [CLASSES[1:][0] if classes == 1 else CLASSES[(i // 2) % classes] for i in range(n)]
    return FitRows(
        names,
        names,
        tuple(f"f{i * (families or n) // n}" for i in range(n)),
        ("invented",) * n,
        ("1",) * n,
        tuple(kind[0] for kind in kinds),
        tuple(kind[1] for kind in kinds),
        np.ones(n, dtype=bool),
        np.asarray(observed, dtype=np.float64),
        np.broadcast_to(np.asarray(se, dtype=np.float64), (n,)).copy(),
        np.full(n, freedom),
    )


def invented_unknowns(count: int) -> tuple[Unknown, ...]:
    return tuple(Unknown(f"p{k}", "row", "1", 1.0, "log", 0.3) for k in range(count))


def linear_objective(slopes: Numbers, rows: FitRows) -> Invented:
    return Invented(invented_unknowns(slopes.shape[1]), rows, lambda u: u @ slopes.T)
