"""The standard error behind a published number: read from its interval, SE, SD, quartiles, tolerance factor or exact p value."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

from ...base.intervals import error_of_interval
from ..records.study import Dispersion, Record

#: Length of the interquartile range of a normal distribution, in SDs.
_IQR_PER_SD = 1.3489795003921634
#: SD of the median of a large normal sample over that of its mean, sqrt(pi / 2).
_MEDIAN_PER_MEAN = 1.2533141373155001
#: Smallest ratio that is taken for a logarithm.
_LEAST_RATIO = 1e-3
_EXACT_P = re.compile(r"(?:p\s*=\s*)?(0?\.\d+)", re.IGNORECASE)
_BOUNDED_P = re.compile(r"(?:p\s*)?<\s*(0?\.\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class ReportedError:
    """A standard error.

    Attributes
    ----------
    size
        On the scale asked for; None where the source does not allow to compute it.
    how
        How it was computed, or why not.
    """

    size: float | None
    how: str


def reported_error(record: Record, log: bool = False) -> ReportedError:
    """Return the standard error of a published number.

    ===================  ========================================================================================================
    printed              standard error
    ===================  ========================================================================================================
    95 % interval        its length / (2 x 1.96), of the logarithms for `log`
    SE                   itself
    SD, n                SD / sqrt(n), of one group; the SD of people is no error of a comparison
    IQR, n               IQR / 1.349 / sqrt(n), times 1.253 for a median (normal data; Kenney and Keeping 1962)
    tolerance factor, n  log(factor) / sqrt(n) of a geometric mean
    exact p value        distance from no effect / normal quantile, of comparisons without any of the above (Cochrane Handbook 6.5.2.2)
    ===================  ========================================================================================================

    On the scale of logarithms what is printed in the number's own unit is divided by the number (delta method).

    Parameters
    ----------
    log
        Whether the error is that of the logarithm; of a change in percent, that of the logarithm of the ratio.
    """
    spread = record.dispersion
    of_spread = ReportedError(None, "no dispersion was read: no standard error")
    if spread is not None:
        of_spread = _of_spread(record, spread, log)
    if of_spread.size is not None:
        return of_spread
    of_p = _of_p(record, log)
    return of_spread if of_p is None else of_p


def exact_p(record: Record) -> float | None:
    """Return the two-sided p value of a comparison of two groups, where the source prints it exactly."""
    match = _EXACT_P.fullmatch(record.p_value.strip())
    if record.contrast not in ("between", "association") or match is None or not 0.0 < float(match[1]) < 1.0:
        return None
    return float(match[1])


def error_at_most(record: Record) -> float | None:
    """Return the largest standard error that a bound of p allows: below 0.001, the effect over 3.29 (Cochrane Handbook 6.5.2.3).

    Only of a difference of two groups or of two treatments of the same people; for one number by itself, never for pooling,
    whose weights a bound would make too small.
    """
    match = _BOUNDED_P.fullmatch(record.p_value.strip())
    if record.contrast != "between" or record.log or match is None or not record.value:
        return None
    from scipy import stats

    return abs(record.value) / float(stats.norm.isf(float(match[1]) / 2.0))


def compared_ratio(record: Record, number: float) -> float:
    """Return a number of a record as the ratio whose logarithm is compared: a change in percent as the ratio to the start."""
    return max(_LEAST_RATIO, 1.0 + number / 100.0) if record.kind == "percent" else number


def _of_spread(record: Record, spread: Dispersion, log: bool) -> ReportedError:
    if spread.type == "CI95":
        low, high = (compared_ratio(record, end) if log else end for end in (spread.low, spread.high))
        if log and low <= 0.0:
            return ReportedError(None, "the interval of a ratio reaches zero")
        if log:
            low, high = math.log(low), math.log(high)
        return _positive(error_of_interval(low, high), "standard error from the 95 % interval")
    if spread.type == "SE":
        return _on_scale(record, ReportedError(spread.low, "with its standard error"), log)
    if spread.type not in ("SD", "IQR", "tolerance_factor"):
        return ReportedError(None, f"no standard error can be had from {spread.text or spread.type}")
    if record.contrast in ("between", "association"):
        return ReportedError(None, f"the {spread.type} of people is no standard error of a comparison")
    if not record.n:
        return ReportedError(None, f"no number of people to go with the {spread.type.replace('_', ' ')}")
    root = math.sqrt(record.n)
    if spread.type == "SD":
        return _on_scale(record, ReportedError(spread.low / root, "standard error from SD and n"), log)
    if spread.type == "IQR":
        per_width = (_MEDIAN_PER_MEAN if record.kind == "median" else 1.0) / _IQR_PER_SD / root
        how = "standard error from quartiles and n, as if normal"
        if log and record.kind != "percent" and spread.low > 0.0:
            return _positive(math.log(spread.high / spread.low) * per_width, how)
        return _on_scale(record, ReportedError(spread.width * per_width, how), log)
    if record.kind != "geometric_mean" or spread.low <= 1.0:
        return ReportedError(None, "a tolerance factor above 1 belongs to a geometric mean")
    # What the SD of the logarithms is the logarithm of.
    size = math.log(spread.low) / root
    return _positive(size if log else size * (record.value or 0.0), "standard error from the tolerance factor and n")


def _on_scale(record: Record, error: ReportedError, log: bool) -> ReportedError:
    """Return an error in the number's unit on the scale of logarithms, by the delta method."""
    assert error.size is not None
    if not log:
        return _positive(error.size, error.how)
    number = 100.0 + (record.value or 0.0) if record.kind == "percent" else abs(record.value or 0.0)
    if number <= 0.0:
        return ReportedError(None, "nought has no logarithm")
    return replace(_positive(error.size / number, error.how), how=f"{error.how}, of the logarithm by the delta method")


def _of_p(record: Record, log: bool) -> ReportedError | None:
    p = exact_p(record)
    if p is None or record.value is None:
        return None
    number = compared_ratio(record, record.value)
    if log and number <= 0.0:
        return None
    effect = math.log(number) if log else record.value
    if effect == 0.0:
        return None
    from scipy import stats

    return _positive(abs(effect) / float(stats.norm.isf(p / 2.0)), "standard error from the exact p value")


def _positive(size: float, how: str) -> ReportedError:
    if size > 0.0 and math.isfinite(size):
        return ReportedError(size, how)
    return ReportedError(None, "the standard error is not positive")
