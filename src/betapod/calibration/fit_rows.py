"""The rows of a fit: published or derived numbers with their errors, as arrays on the scale on which they are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
#: Classes of rows: what the model lacks is taken to be alike within one.
ROW_CLASSES = ("share", "event ratio", "slope", "ratio", "level")
#: Scales of comparison: shares as 2*asin(sqrt p), logarithms, or the natural scale.
SCALES = ("angle", "log", "linear")


@dataclass(frozen=True)
class FitRows:
    """Rows of a fit.

    Attributes
    ----------
    record, study, family, endpoint, unit
        Of the registry; rows from other data have names of their own, and share a family where they share people.
    row_class, scale
        See `ROW_CLASSES` and `SCALES`.
    fitted
        (n,) whether a row may speak in the fit; the others are kept for validation.
    observed
        (n,) on `scale`.
    se
        (n,) error of study and of the finite number of virtual people, on `scale`, fixed at the reference prediction.
    freedom
        (n,) degrees of freedom behind a printed error; infinite where it is as good as known.
    """

    record: tuple[str, ...]
    study: tuple[str, ...]
    family: tuple[str, ...]
    endpoint: tuple[str, ...]
    unit: tuple[str, ...]
    row_class: tuple[str, ...]
    scale: tuple[str, ...]
    fitted: NDArray[np.bool_]
    observed: Numbers
    se: Numbers
    freedom: Numbers

    def __len__(self) -> int:
        return len(self.record)

    def take(self, index: Sequence[int] | NDArray[np.integer] | NDArray[np.bool_]) -> FitRows:
        """Return some rows: by number, or by a flag for each."""
        places = np.arange(len(self))[np.asarray(index)]
        return FitRows(**{field.name: _taken(getattr(self, field.name), places) for field in fields(self)})

    @classmethod
    def joined(cls, parts: Sequence[FitRows]) -> FitRows:
        """Return the rows of several sources, in their order."""
        joined: dict[str, Any] = {}
        for field in fields(cls):
            columns = [getattr(part, field.name) for part in parts]
            joined[field.name] = (
                tuple(x for column in columns for x in column)
                if all(isinstance(column, tuple) for column in columns)
                else np.concatenate(columns)
            )
        return cls(**joined)

    @property
    def block(self) -> NDArray[np.int64]:
        """(n,) number of the family and class that each row shares an effect with."""
        keys = [f"{family}\n{name}" for family, name in zip(self.family, self.row_class, strict=True)]
        return np.asarray(np.unique(keys, return_inverse=True)[1], dtype=np.int64)

    def natural(self, values: Numbers) -> Numbers:
        """Return numbers (..., n) on the natural scale: shares, ratios, or as they are."""
        result = np.array(values, dtype=np.float64)
        angle = np.array([scale == "angle" for scale in self.scale])
        log = np.array([scale == "log" for scale in self.scale])
        result[..., angle] = np.sin(np.clip(result[..., angle], 0.0, np.pi) / 2.0) ** 2
        result[..., log] = np.exp(result[..., log])
        return result


def _taken(column: Any, places: NDArray[np.int64]) -> Any:
    return tuple(column[i] for i in places) if isinstance(column, tuple) else column[places]
