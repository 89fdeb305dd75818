"""One-way sensitivity: how far a decision moves when one number goes through its interval, the greatest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class TornadoRow:
    """One parameter.

    Attributes
    ----------
    low, high
        Difference in net monetary benefit (or in QALYs, where there are no costs) from the comparator at its low and its high value.
    """

    parameter: str
    low: float
    high: float

    @property
    def width(self) -> float:
        """Distance between the two."""
        return abs(self.high - self.low)


def tornado(
    one_way: Mapping[str, Numbers], strategy: int, comparator: int, willingness: float | None
) -> tuple[TornadoRow, ...]:
    """Return parameters, the one that moves the decision most first.

    Parameters
    ----------
    one_way
        Parameter -> (2, 2, strategies): at its low and its high value, QALYs and costs.
    strategy, comparator
        Places.
    willingness
        Money for a QALY; None for QALYs alone.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.value.economics.one_way import tornado
    >>> moved = {"a": np.array([[[8.0, 8.1], [0, 100]], [[8.0, 8.3], [0, 100]]])}
    >>> row, = tornado(moved, 1, 0, 10_000)
    >>> round(row.low), round(row.high)
    (900, 2900)
    """
    rows = []
    for name, values in one_way.items():
        more = values[:, :, strategy] - values[:, :, comparator]
        worth = more[:, 0] if willingness is None else more[:, 0] * willingness - more[:, 1]
        rows.append(TornadoRow(name, float(worth[0]), float(worth[1])))
    return tuple(sorted(rows, key=lambda row: (-row.width, row.parameter)))
