"""How many published numbers lie inside the intervals of a fit, and how wide these are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..base.intervals import joint_deviation
from .discrepancy import TAILS, Discrepancy, discrepancy_classes, printed_variance
from .fit_rows import FitRows

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Lacking: TypeAlias = Discrepancy | tuple[Numbers, Numbers]
#: Nominal shares of a curve.
NOMINAL = (0.5, 0.8, 0.9, 0.95)


@dataclass(frozen=True)
class RowPredictions:
    """Predictions of rows under one state of a fit.

    Attributes
    ----------
    predicted
        (n,) on the scale of the fit; NaN where there is none.
    sd_parameters
        (n,) SD by what is not known of the parameters; None without it.
    lacking
        What the model lacks, by class or as SDs (n,) of families and of rows; None without it.
    """

    predicted: Numbers
    sd_parameters: Numbers | None = None
    lacking: Lacking | None = None


def predictive_deviation(
    rows: FitRows, sd_parameters: Numbers | None = None, lacking: Lacking | None = None, nu: float = TAILS
) -> tuple[Numbers, Numbers]:
    """Return scale and degrees of freedom (n,) of Student's t that a published number lies around its prediction by.

    Error of study and virtual people, and where they are given the SD by parameters and what the model lacks: effects of a family,
    which a new study has too, and of a row.
    """
    parts: list[tuple[Numbers | float, Numbers | float]] = [printed_variance(rows)]
    if sd_parameters is not None:
        parts.append((sd_parameters**2, np.inf))
    if lacking is not None:
        taus = lacking.at(rows) if isinstance(lacking, Discrepancy) else lacking
        parts += [(tau**2, nu) for tau in taus]
    return joint_deviation(*parts)


def interval_half_width(scale: Numbers, freedom: Numbers, nominal: float) -> Numbers:
    """Return half the width (n,) of central intervals of Student's t."""
    from scipy import stats

    return np.asarray(stats.t.ppf(0.5 + nominal / 2.0, np.minimum(freedom, 1e9)) * scale, dtype=np.float64)


@dataclass(frozen=True)
class Coverage:
    """How many rows lie inside intervals of one nominal share.

    Attributes
    ----------
    rows, families
        Share of rows inside, and mean over families of the share of their rows.
    row_count, family_count
        How many there are.
    median_width
        Of the intervals, in multiples of the error of the row itself.
    """

    nominal: float
    rows: float
    families: float
    row_count: int
    family_count: int
    median_width: float


def coverage_curve(
    rows: FitRows, state: RowPredictions, of: Flags | None = None, nominal: Sequence[float] = NOMINAL, nu: float = TAILS
) -> list[Coverage]:
    """Return the coverage of the rows in `of` (n,), all by default; rows without a prediction do not count.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.calibration.coverage_curve import RowPredictions, coverage_curve
    >>> from betapod.calibration.fit_rows import FitRows
    >>> names = ("a", "b", "c", "d")
    >>> rows = FitRows(names, names, ("f", "f", "g", "g"), ("UACR",) * 4, ("1",) * 4, ("ratio",) * 4, ("log",) * 4,
    ...                np.ones(4, bool), np.array([0.0, 0.1, 0.1, 0.9]), np.full(4, 0.1), np.full(4, np.inf))
    >>> curve = coverage_curve(rows, RowPredictions(np.zeros(4)))
    >>> [point.rows for point in curve], round(curve[2].median_width, 2)
    ([0.25, 0.75, 0.75, 0.75], 3.29)
    """
    usable = np.isfinite(state.predicted) if of is None else of & np.isfinite(state.predicted)
    scale, freedom = predictive_deviation(rows, state.sd_parameters, state.lacking, nu)
    miss = np.abs(rows.observed - state.predicted)
    names, number = np.unique(np.array(rows.family, dtype=object)[usable].astype(str), return_inverse=True)
    members = np.bincount(number, minlength=len(names))
    curve = []
    for share in nominal:
        half = interval_half_width(scale, freedom, share)
        inside = (miss <= half)[usable]
        if not len(inside):
            curve.append(Coverage(share, np.nan, np.nan, 0, 0, np.nan))
            continue
        by_family = np.bincount(number, inside, minlength=len(names)) / members
        width = float(np.median(2.0 * half[usable] / rows.se[usable]))
        curve.append(Coverage(share, float(inside.mean()), float(by_family.mean()), len(inside), len(names), width))
    return curve


def coverage_table(
    rows: FitRows,
    before: RowPredictions,
    after: RowPredictions,
    left_out: RowPredictions | None = None,
    nominal: Sequence[float] = NOMINAL,
    nu: float = TAILS,
) -> dict[str, list[Any]]:
    """Return ``coverage.csv``: curves of fitted, set-aside and left-out rows, with and without parameters and discrepancy.

    Parameters
    ----------
    before
        Without parameters; its discrepancy is the one that the model needs before the fit.
    after
        Predictions at the fit with SD by parameters, and the discrepancy of the fit.
    left_out
        Predictions of every row by the fit without its family.
    """
    sets: list[tuple[str, str, Flags, RowPredictions]] = [
        ("fitted", "before", rows.fitted, before),
        ("fitted", "after", rows.fitted, after),
        ("set aside", "before", ~rows.fitted, before),
        ("set aside", "after", ~rows.fitted, after),
    ]
    if left_out is not None:
        sets += [("left out", "before", rows.fitted, before), ("left out", "after", rows.fitted, left_out)]
    table: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    for name, when, of, state in sets:
        for parameters in (False, True) if state.sd_parameters is not None else (False,):
            for discrepancy in (False, True) if state.lacking is not None else (False,):
                part = RowPredictions(
                    state.predicted,
                    state.sd_parameters if parameters else None,
                    state.lacking if discrepancy else None,
                )
                for point in coverage_curve(rows, part, of, nominal, nu):
                    for by, actual, count in (
                        ("rows", point.rows, point.row_count),
                        ("families", point.families, point.family_count),
                    ):
                        line = (
                            name,
                            by,
                            when,
                            parameters,
                            discrepancy,
                            point.nominal,
                            actual,
                            count,
                            point.median_width,
                        )
                        for column, value in zip(_COLUMNS, line, strict=True):
                            table[column].append(value)
    return table


_COLUMNS = ("set", "by", "when", "parameters", "discrepancy", "nominal", "actual", "count", "median_width")


@dataclass(frozen=True)
class ClassWidths:
    """Median widths of intervals of one class of rows on the natural scale: shares as points of a hundred, ratios as the factor
    between both ends, others in their unit.

    Attributes
    ----------
    row_class
        Class of discrepancy.
    rows
        How many.
    alone, parameters, all
        By the errors of rows alone, with the spread by parameters, and with what the model lacks besides.
    """

    row_class: str
    rows: int
    alone: float
    parameters: float
    all: float


def interval_widths(rows: FitRows, state: RowPredictions, nominal: float = 0.9, nu: float = TAILS) -> list[ClassWidths]:
    """Return the widths of intervals by class of discrepancy; rows without a prediction do not count."""
    classes, usable = np.array(discrepancy_classes(rows), dtype=object), np.isfinite(state.predicted)
    states = ((None, None), (state.sd_parameters, None), (state.sd_parameters, state.lacking))
    widths = [
        _natural_width(
            rows, state.predicted, interval_half_width(*predictive_deviation(rows, sd, lacking, nu), nominal)
        )
        for sd, lacking in states
    ]
    result = []
    for name in sorted(set(classes[usable])):
        of = usable & (classes == name)
        alone, parameters, everything = (float(np.median(width[of])) for width in widths)
        result.append(ClassWidths(name, int(of.sum()), alone, parameters, everything))
    return result


def _natural_width(rows: FitRows, predicted: Numbers, half: Numbers) -> Numbers:
    low, high = rows.natural(predicted - half), rows.natural(predicted + half)
    scale = np.array(rows.scale, dtype=object)
    points = np.where(scale == "angle", 100.0, 1.0)
    return np.where(scale == "log", high / np.where(scale == "log", low, 1.0), (high - low) * points)
