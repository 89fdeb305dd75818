"""Measures from any sample of inputs and outputs: partial rank correlations, and PAWN's distances between distribution functions."""

from __future__ import annotations

import numpy as np

from .index_table import CONTENT, IndexTable, Numbers

#: Slices of an input within which PAWN looks at the output (Pianosi and Wagener 2018).
SLICES = 10
#: Share of the SD of ranks below which what is left of them is rounding.
_NOTHING = 1e-9


def partial_rank_correlations(x: Numbers, y: Numbers) -> IndexTable:
    """Return the partial correlation of the ranks of each input and each output, all other inputs held.

    Its interval is that of Fisher's transform.

    Parameters
    ----------
    x, y
        (n, inputs) and (n, outputs); rows without one of the numbers are left out.
    """
    from scipy.special import ndtri
    from scipy.stats import rankdata

    values, halves = [], []
    for column in range(y.shape[1]):
        use = np.isfinite(x).all(axis=1) & np.isfinite(y[:, column])
        ranks = np.column_stack([rankdata(x[use], axis=0), rankdata(y[use, column])])
        moving = ranks.std(axis=0) > 0
        correlations = np.zeros(x.shape[1])
        half = np.zeros(x.shape[1])
        if moving[-1]:
            partial = _partial(ranks[:, moving])
            width = float(ndtri(0.5 + CONTENT / 2)) / np.sqrt(max(int(use.sum()) - int(moving.sum()) - 2, 1))
            correlations[moving[:-1]] = partial
            with np.errstate(divide="ignore"):  # Of 1 the transform is infinite, and the interval has no width.
                transformed = np.arctanh(partial)
            half[moving[:-1]] = 0.5 * (np.tanh(transformed + width) - np.tanh(transformed - width))
        values.append(correlations)
        halves.append(half)
    return IndexTable("PRCC", np.array(values).T, np.array(halves).T)


def _partial(ranks: Numbers) -> Numbers:
    """Return the partial correlation of each column with the last, all others held; 0 where nothing is left of one of the two."""
    count = ranks.shape[1]
    matrix = np.corrcoef(ranks, rowvar=False)
    if np.linalg.matrix_rank(matrix) == count:
        inverse = np.linalg.inv(matrix)
        return np.asarray(-inverse[:-1, -1] / np.sqrt(np.diag(inverse)[:-1] * inverse[-1, -1]))
    # One input alone orders the output, or inputs are sums of others: what is left of both is looked at.
    centred = (ranks - ranks.mean(axis=0)) / ranks.std(axis=0)
    partial = np.zeros(count - 1)
    for column in range(len(partial)):
        held, pair = np.delete(centred[:, :-1], column, axis=1), centred[:, [column, -1]]
        left = pair - held @ np.linalg.lstsq(held, pair)[0]
        length = np.sqrt(np.mean(left**2, axis=0))
        if np.all(length > _NOTHING):
            partial[column] = np.clip(np.mean(left[:, 0] * left[:, 1]) / (length[0] * length[1]), -1.0, 1.0)
    return partial


def pawn_distances(x: Numbers, y: Numbers, slices: int = SLICES) -> dict[str, Numbers]:
    """Return PAWN: how far the output's distribution within a slice of an input is from its distribution over all (Kolmogorov and Smirnov).

    Slices hold equally many values of the input, each without its upper end.

    Returns
    -------
    dict
        ``median``, ``mean``, ``largest`` over the slices, each (inputs, outputs).
    """
    edges = np.quantile(x, np.linspace(0.0, 1.0, slices + 1), axis=0)
    distances = np.full((slices, x.shape[1], y.shape[1]), np.nan)
    for output in range(y.shape[1]):
        use = np.isfinite(y[:, output])
        order = np.argsort(y[use, output], kind="stable")
        ordered = y[use, output][order]
        if not len(ordered):
            continue
        # Steps of distribution functions are compared where the output has its last equal value.
        last = np.append(np.diff(ordered) > 0, True)
        everybody = np.arange(1, len(ordered) + 1)[last] / len(ordered)
        for column in range(x.shape[1]):
            of_input = x[use, column][order]
            for number in range(slices):
                inside = (of_input >= edges[number, column]) & (of_input < edges[number + 1, column])
                if inside.any():
                    within = np.cumsum(inside)[last] / inside.sum()
                    distances[number, column, output] = np.max(np.abs(within - everybody))
    return {
        "median": np.nanmedian(distances, axis=0),
        "mean": np.nanmean(distances, axis=0),
        "largest": np.nanmax(distances, axis=0),
    }
