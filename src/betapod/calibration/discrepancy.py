"""What the model lacks, by class of rows: how far published numbers lie from it beyond their own errors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ..base.interval_parts import STUDY_FREEDOM
from ..base.intervals import joint_deviation
from ..physiology.study_differences import kind_of_numbers
from .fit_rows import FitRows
from .student_blocks import StudentBlocks

Numbers = NDArray[np.float64]
#: Degrees of freedom of effects of studies and of what the model lacks: tails in which one study may lie five scales out.
TAILS = STUDY_FREEDOM
#: Fewest degrees of freedom behind an error that is taken to have a variance.
_LEAST_FREEDOM = 3.0
#: Most that a fit is taken to have drawn a row to itself.
_MOST_LEVERAGE = 0.9
#: Points of the grid in each direction, its range in multiples of the prior's scale, and how often it is made narrower at most.
_GRID, _LOWEST, _HIGHEST, _NARROWER = 9, 0.02, 20.0, 3


@dataclass(frozen=True)
class Discrepancy:
    """SDs of what the model lacks, on the scale of the fit, by class of discrepancy (see `discrepancy_classes`).

    Attributes
    ----------
    family
        SD of what all rows of a family and class share.
    row
        SD of what each row has of its own.
    """

    family: Mapping[str, float] = field(default_factory=dict)
    row: Mapping[str, float] = field(default_factory=dict)

    def close_to(self, other: Discrepancy, share: float = 0.02) -> bool:
        """Return whether every SD is the other's but for a small share."""
        pairs = ((self.family, other.family), (self.row, other.row))
        return all(
            first.keys() == second.keys()
            and all(abs(first[name] - second[name]) <= share * second[name] for name in first)
            for first, second in pairs
        )

    def at(self, rows: FitRows) -> tuple[Numbers, Numbers]:
        """Return both SDs (n,) for rows; 0 for classes without one."""
        classes = discrepancy_classes(rows)
        return (
            np.array([self.family.get(name, 0.0) for name in classes]),
            np.array([self.row.get(name, 0.0) for name in classes]),
        )


def discrepancy_classes(rows: FitRows) -> tuple[str, ...]:
    """Return the class of each row, see `kind_of_numbers`."""
    return tuple(map(kind_of_numbers, rows.row_class, rows.scale, rows.unit, rows.endpoint))


def comparable(rows: FitRows) -> NDArray[np.bool_]:
    """Return (n,) which rows have a number and an error above 0, so that they can be compared at all."""
    return np.asarray(np.isfinite(rows.observed) & np.isfinite(rows.se) & (rows.se > 0.0), dtype=np.bool_)


def discrepancy_blocks(rows: FitRows) -> NDArray[np.int64]:
    """Return (n,) numbers of blocks: rows of one family and class of discrepancy share an effect."""
    keys = [f"{family}\n{name}" for family, name in zip(rows.family, discrepancy_classes(rows), strict=True)]
    return np.asarray(np.unique(keys, return_inverse=True)[1], dtype=np.int64).reshape(-1)


def printed_variance(rows: FitRows) -> tuple[Numbers, Numbers]:
    """Return variance (n,) of printed errors, and their degrees of freedom: an error of a few people is itself a guess."""
    freedom = np.maximum(rows.freedom, _LEAST_FREEDOM)
    with np.errstate(invalid="ignore"):
        factor = np.where(np.isfinite(freedom), freedom / (freedom - 2.0), 1.0)
    return rows.se**2 * factor, freedom


def scale_of(sd: Numbers, nu: float) -> Numbers:
    """Return the scale of Student's t of an SD."""
    return sd * math.sqrt((nu - 2.0) / nu) if math.isfinite(nu) else sd


def estimate_discrepancy(
    rows: FitRows,
    predicted: Numbers,
    use: NDArray[np.bool_],
    prior_scale: Mapping[str, float] = MappingProxyType({}),
    nu: float = TAILS,
    leverage: Numbers | None = None,
) -> Discrepancy:
    """Return the posterior mean of the discrepancy of each class, its prior one side of a t4.

    Both SDs of a class are estimated together from the marginal distribution of its residuals, integrated on a grid, so that an SD
    about which the rows say little stays near its prior and never falls to 0. A class of which no row may speak has the mean of its prior.

    Parameters
    ----------
    predicted
        (n,) on the scale of the fit.
    use
        (n,) rows that may speak; those without a prediction do not.
    prior_scale
        Scale of the prior by class of discrepancy, or by class of row where all such rows are of one class of discrepancy;
        where neither is there, twice the median error of the rows.
    nu
        Degrees of freedom of both.
    leverage
        (n,) share of each row's variance that the fit has drawn to itself: residuals after a fit are too small by it.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.calibration.discrepancy import estimate_discrepancy
    >>> from betapod.calibration.fit_rows import FitRows
    >>> n = 40
    >>> names = tuple(f"r{i}" for i in range(n))
    >>> rows = FitRows(names, names, tuple(f"f{i // 2}" for i in range(n)), ("UACR",) * n, ("1",) * n, ("ratio",) * n,
    ...                ("log",) * n, np.ones(n, bool), np.zeros(n), np.full(n, 0.1), np.full(n, np.inf))
    >>> scales = estimate_discrepancy(rows, np.repeat(np.linspace(-1, 1, 20), 2), rows.fitted, {"ratio": 0.3})
    >>> bool(scales.family["ratio"] > 5 * scales.row["ratio"])
    True
    """
    usable = use & np.isfinite(predicted) & comparable(rows)
    classes = np.array(discrepancy_classes(rows), dtype=object)
    block = discrepancy_blocks(rows)
    residual = rows.observed - predicted
    if leverage is not None:
        residual = residual / np.sqrt(1.0 - np.clip(leverage, 0.0, _MOST_LEVERAGE))
    family, row = {}, {}
    for name in sorted(set(classes)):
        index = np.flatnonzero(usable & (classes == name))
        width = _prior_width(name, rows, classes, prior_scale)
        if not len(index):
            family[name] = row[name] = width  # the mean of the prior
            continue
        _, numbers = np.unique(block[index], return_inverse=True)
        family[name], row[name] = _scales(
            residual[index], rows.take(index), np.asarray(numbers.reshape(-1), np.int64), width, nu
        )
    return Discrepancy(family, row)


def _prior_width(name: str, rows: FitRows, classes: NDArray[np.object_], prior_scale: Mapping[str, float]) -> float:
    if name in prior_scale:
        return float(prior_scale[name])
    index = np.flatnonzero(classes == name)
    of_row = rows.row_class[int(index[0])]
    alike = {of for of, row_class in zip(classes, rows.row_class, strict=True) if row_class == of_row}
    # One number for several units would say nothing.
    if of_row in prior_scale and len(alike) == 1:
        return float(prior_scale[of_row])
    return 2.0 * float(np.median(rows.se[index]))


def _scales(residual: Numbers, rows: FitRows, block: NDArray[np.int64], width: float, nu: float) -> tuple[float, float]:
    """Return posterior means of both SDs: on a wide grid, then on finer ones where the first has its mass."""
    ends = np.log([[_LOWEST * width, _HIGHEST * width]] * 2)
    for _ in range(1 + _NARROWER):
        axes = [np.linspace(low, high, _GRID) for low, high in ends]
        family, row = (np.exp(axis.reshape(-1)) for axis in np.meshgrid(*axes, indexing="ij"))
        scale, freedom = joint_deviation(printed_variance(rows), (row[:, None] ** 2, nu))
        shared = np.repeat(scale_of(family, nu)[:, None], len(rows), axis=1)
        law = StudentBlocks(scale, freedom, shared, block, nu)
        log_density = law.log_density(np.repeat(residual[None], len(row), axis=0)).sum(axis=1)
        # The grid is even in the logarithms of the SDs.
        log_mass = log_density + _log_prior(family / width) + _log_prior(row / width) + np.log(family) + np.log(row)
        mass = np.exp(log_mass - log_mass.max())
        mass /= mass.sum()
        means, spreads = _moments(mass, np.log(np.stack([family, row])))
        steps = (ends[:, 1] - ends[:, 0]) / (_GRID - 1)
        if np.all(spreads > 0.8 * steps):
            break
        reach = np.maximum(3.5 * spreads, 1.5 * steps)
        ends = np.clip(np.stack([means - reach, means + reach], axis=1), ends[:, :1], ends[:, 1:])
    return float(np.sum(mass * family)), float(np.sum(mass * row))


def _log_prior(x: Numbers) -> Numbers:
    """Return the log density of one side of a t4, but for a constant: wide enough for a scale that was guessed too small."""
    return np.asarray(-2.5 * np.log1p(np.square(x) / 4.0))


def _moments(mass: Numbers, values: Numbers) -> tuple[Numbers, Numbers]:
    means = values @ mass
    return means, np.sqrt(np.square(values - means[:, None]) @ mass)
