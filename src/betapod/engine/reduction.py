"""Values of many patients as moments by group, visit and output, added in one order that neither threads nor memory change.

Patients stand in blocks of `BLOCK_OF_PATIENTS`, by their number. Those of a block and group, a piece, are summed one after another; then
piece after piece is added to its group (Chan, Golub & LeVeque 1983). Who computes which piece, and how many there are at a time,
therefore makes no difference to any bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .compiled.workspace import STATUS

#: Patients of a block: enough that pieces are few beside them, and few enough that their values stay in a cache between two readings.
BLOCK_OF_PATIENTS = 256
#: What is kept of each group, visit and output.
MOMENTS = ("count", "mean", "squares", "low", "high")
#: What is kept beside them by group: how patients ended, which event ended them, steps.
STEPS = ("steps", "rejected")
#: Bits of a number's fraction that tell its bin: 256 bins between a power of two and the next, none wider than 1/256 of its value.
FRACTION = 8
#: Powers of two between which values are told from each other: what is smaller counts as 0, what is larger as the largest.
SMALLEST_POWER, LARGEST_POWER = -32, 48
#: Bins of positive values; negative ones have as many.
HALF = (LARGEST_POWER - SMALLEST_POWER) << FRACTION


@dataclass(frozen=True)
class Pieces:
    """Patients of one block and group, for some patients in a row.

    Attributes
    ----------
    order
        (patients,) piece after piece.
    offsets
        (pieces + 1,) where each piece begins among them.
    owner
        (pieces,) the group of each piece.
    by_group, group_offsets
        (pieces,) pieces group after group, and (groups + 1,) where each group begins among them.
    """

    order: NDArray[np.int64]
    offsets: NDArray[np.int64]
    owner: NDArray[np.int64]
    by_group: NDArray[np.int64]
    group_offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.owner)


def pieces_of(group: NDArray[np.int64], groups: int) -> Pieces:
    """Return the pieces of patients, of whom the first begins a block.

    Parameters
    ----------
    group
        (patients,) the number of each patient's group.
    groups
        How many groups there are.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.engine.reduction import pieces_of
    >>> pieces = pieces_of(np.array([1, 0, 1]), 2)
    >>> pieces.order.tolist(), pieces.offsets.tolist(), pieces.owner.tolist()
    ([1, 0, 2], [0, 1, 3], [0, 1])
    """
    key = np.arange(len(group)) // BLOCK_OF_PATIENTS * groups + group
    order = np.argsort(key, kind="stable") if groups > 1 else np.arange(len(group))
    starts = np.flatnonzero(np.diff(key[order], prepend=-1))
    owner = group[order[starts]]
    by_group = np.argsort(owner, kind="stable")
    return Pieces(
        order.astype(np.int64),
        np.append(starts, len(group)).astype(np.int64),
        np.ascontiguousarray(owner, dtype=np.int64),
        by_group.astype(np.int64),
        np.searchsorted(owner[by_group], np.arange(groups + 1)).astype(np.int64),
    )


class Reduction:
    """What is kept of patients whose values are not.

    Parameters
    ----------
    groups, visits
        How many.
    lowest
        (outputs,) below which each cannot be; minus infinity where it may be anything.
    events
        How many events may end a patient.
    with_bins
        Whether values are counted by bins too, for quantiles.

    Attributes
    ----------
    totals
        (groups, visits, outputs, moments), see `MOMENTS`.
    tallies
        (groups, endings + events + 2): how patients ended, by which event, and their steps (see `STEPS`).
    bins
        (groups, visits, outputs, bins) how many values lie in each; nothing where they are not counted.
    group
        (patients,) the groups of those whose turn it is.
    """

    def __init__(
        self, groups: int, visits: int, lowest: NDArray[np.float64], events: int, with_bins: bool = False
    ) -> None:
        self.groups, self.visits, self.outputs, self.events = groups, visits, len(lowest), events
        self.totals = np.zeros((groups, visits, self.outputs, len(MOMENTS)))
        self.totals[..., MOMENTS.index("low")], self.totals[..., MOMENTS.index("high")] = np.inf, -np.inf
        self.tallies = np.zeros((groups, len(STATUS) + events + len(STEPS)), dtype=np.int64)
        self.bins = np.zeros((groups, visits, self.outputs, 2 * HALF if with_bins else 0), dtype=np.int64)
        self.guarded = np.flatnonzero(lowest > -np.inf).astype(np.int64)
        self.lowest = np.ascontiguousarray(lowest[self.guarded])
        self.group = np.zeros(0, dtype=np.int64)

    @property
    def columns(self) -> int:
        """Visits times outputs."""
        return self.visits * self.outputs

    def bytes_of_patient(self) -> int:
        """Return how many bytes the pieces of a patient take at most, its values aside."""
        most_pieces = min(self.groups, BLOCK_OF_PATIENTS)
        piece = 8 * (self.columns * len(MOMENTS) + 3)
        return 16 + -(-piece * most_pieces // BLOCK_OF_PATIENTS)

    def numbers(self, patients: int, pieces: int) -> dict[str, int]:
        """Return the numbers that `betapod.engine.gpu.reduction_code` needs to know."""
        return {
            "count": patients,
            "visit_count": self.visits,
            "output_count": self.outputs,
            "columns": self.columns,
            "piece_count": pieces,
            "group_count": self.groups,
            "tally_width": self.tallies.shape[1],
            "guarded_count": len(self.guarded),
            "with_bins": int(self.bins.size > 0),
        }

    def kept(self) -> dict[str, NDArray[np.float64] | NDArray[np.int64]]:
        """Return the arrays that are added to, and what is the same for all patients."""
        return {
            "totals": self.totals,
            "tallies": self.tallies,
            "bins": self.bins,
            "guarded": self.guarded,
            "lowest": self.lowest,
        }


def bin_edges(bins: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return between which numbers the values of bins lie.

    Parameters
    ----------
    bins
        Numbers of bins.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.engine.reduction import HALF, bin_edges
    >>> low, high = bin_edges(np.array([HALF + (32 << 8)]))
    >>> float(low[0]), float(high[0])
    (1.0, 1.00390625)
    """
    number = np.where(bins >= HALF, bins - HALF, HALF - 1 - bins)
    bits = (number + ((SMALLEST_POWER + 1023) << FRACTION)) << (52 - FRACTION)
    inner = np.where(number == 0, 0.0, bits.astype(np.int64).view(np.float64))
    outer = (bits + (1 << (52 - FRACTION))).astype(np.int64).view(np.float64)
    outer = np.where(number == HALF - 1, np.inf, outer)
    return np.where(bins >= HALF, inner, -outer), np.where(bins >= HALF, outer, -inner)
