"""Time to an event at visits: Kaplan-Meier, log-rank and cumulative incidence, for one trial or thousands at once.

The last axis of `time` and `event` is the patients. The results equal those of lifelines (log-log intervals) to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .cox_regression import cox_regression
from .estimators import Array, Estimate


@dataclass(frozen=True)
class Survival:
    """A Kaplan-Meier curve: day, share free of the event with its interval, patients at risk, standard error; shape (..., days)."""

    days: Array
    free: Array
    low: Array
    high: Array
    at_risk: Array
    error: Array


def decline(
    times: ArrayLike, egfr: ArrayLike, share: float = 0.4, failure: float = 15.0, confirmed: bool = True
) -> tuple[Array, NDArray[np.bool_]]:
    """Return day and indicator of kidney failure or a lasting decline of eGFR.

    Parameters
    ----------
    times
        Day of each visit, the first being baseline, shape (visits,).
    egfr
        mL/min/1.73m2, shape (..., patients, visits); NaN where a visit was missed.
    share, failure
        The event is a fall by `share` of baseline or more, or a value of `failure` or less.
    confirmed
        Whether the next value must confirm it; a fall at the last visit then does not count.

    Returns
    -------
    Day of the event, or of the last visit attended; whether the event happened. Shape (..., patients).
    """
    values = np.asarray(egfr, dtype=float)
    return crossing(times, values, np.maximum((1 - share) * values[..., 0], failure), confirmed)


def crossing(
    times: ArrayLike, values: ArrayLike, bound: ArrayLike, confirmed: bool = True
) -> tuple[Array, NDArray[np.bool_]]:
    """Return day and indicator of the first value after baseline at or below a bound of each patient.

    Parameters and results as of `decline`; `bound` has the shape (..., patients).
    """
    days, values = np.asarray(times, dtype=float), np.asarray(values, dtype=float)
    present = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        fallen = values <= np.asarray(bound, dtype=float)[..., None]
    fallen[..., 0] = False
    if confirmed:
        # What the next attended visit says, walking back from the last.
        following = np.zeros(values.shape[:-1], dtype=bool)
        for visit in range(values.shape[-1] - 1, 0, -1):
            now = fallen[..., visit].copy()
            fallen[..., visit] = now & following
            following = np.where(present[..., visit], now, following)
    happened = np.asarray(fallen.any(-1))
    last = np.where(present, days, 0.0).max(-1)
    return np.where(happened, days[fallen.argmax(-1)], last), happened


def sooner(time: Array, event: NDArray[np.bool_], other: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return day and indicator of what comes first: the event, or another one on the day `other` (NaN: it never came).

    The other event counts also after the last visit attended, since it is known without one.
    """
    first = np.isfinite(other) & ~(event & (time <= other))
    return np.where(first, other, time), event | first


def event_counts(time: Array, event: NDArray[np.bool_], member: NDArray[np.bool_], days: Array) -> tuple[Array, Array]:
    """Return events on, and patients at risk before, each day; shape (..., days)."""
    shape, width = (*time.shape[:-1], len(days)), len(days)
    if not width:
        return np.zeros(shape), np.zeros(shape)
    t = time.reshape(-1, time.shape[-1])
    e, m = (np.broadcast_to(flags, time.shape).reshape(t.shape) for flags in (event, member))
    # The last day that each patient has reached.
    last_index = np.searchsorted(days, t, side="right") - 1
    reached = m & np.isfinite(t) & (last_index >= 0)
    flat = np.arange(len(t))[:, None] * width + np.maximum(last_index, 0)
    on = reached & e & (days[last_index] == t)
    at, last = (np.bincount(flat[mask], minlength=len(t) * width).reshape(shape) for mask in (on, reached))
    return at.astype(float), last[..., ::-1].cumsum(-1)[..., ::-1].astype(float)


def kaplan_meier(time: ArrayLike, event: ArrayLike, member: ArrayLike | None = None, level: float = 0.95) -> Survival:
    """Return the share free of the event over time, with Greenwood's variance on the log-log scale.

    Parameters
    ----------
    time, event
        Day of event or censoring, and whether it was an event; shape (..., patients).
    member
        Who belongs to the group; everybody by default.
    level
        Of the interval, such as 0.95.

    Returns
    -------
    Survival
        Day, share free of the event with interval, patients at risk, standard error; shape (..., days).

    Raises
    ------
    ValueError
        The shapes do not go together.

    Examples
    --------
    >>> import betapod
    >>> curve = betapod.analyses.kaplan_meier([2.0, 3, 3, 5], [1, 1, 0, 0])
    >>> curve.days.tolist(), curve.free.tolist()
    ([0.0, 2.0, 3.0, 5.0], [1.0, 0.75, 0.5, 0.5])
    """
    from scipy.special import ndtri

    t, e, m = read_times(time, event, member)
    days = np.unique(t[m])
    died, risk = event_counts(t, e, m, days)
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.where(risk > 0, 1 - died / risk, 1.0)
        free = np.cumprod(steps, -1)
        greenwood = np.cumsum(np.where(risk > died, died / (risk * (risk - died)), 0.0), -1)
        z = ndtri((1 + level) / 2)
        width = z * np.sqrt(greenwood) / np.log(free)
        low, high = np.exp(np.log(free) * np.exp(-width)), np.exp(np.log(free) * np.exp(width))
    inside = (free > 0) & (free < 1)
    return Survival(
        np.concatenate([[0.0], days]),
        _starting(free, 1.0),
        _starting(np.where(inside, np.minimum(low, high), free), 1.0),
        _starting(np.where(inside, np.maximum(low, high), free), 1.0),
        _starting(risk, np.asarray(m.sum(-1))),
        _starting(np.where(free > 0, free * np.sqrt(greenwood), np.nan), 0.0),
    )


@dataclass(frozen=True)
class CumulativeIncidence:
    """Share with an event by each day where another event competes, with interval and standard error; shape (..., days)."""

    days: Array
    share: Array
    low: Array
    high: Array
    error: Array


def cumulative_incidence(
    time: ArrayLike, event: ArrayLike, rival: ArrayLike, member: ArrayLike | None = None, level: float = 0.95
) -> CumulativeIncidence:
    """Return the cumulative incidence of an event that competes with another (Aalen and Johansen), with the interval on the log-log scale.

    Parameters
    ----------
    time
        Day of the event, of the competing one, or of censoring; shape (..., patients).
    event, rival
        Whether it was the event, or the competing one; without any competing ones the result is 1 minus that of `kaplan_meier`.
    member
        Who belongs to the group; everybody by default.
    level
        Of the interval, such as 0.95.

    Returns
    -------
    CumulativeIncidence
        Day, share with the event with interval and standard error; shape (..., days).

    Raises
    ------
    ValueError
        The shapes do not go together.

    Notes
    -----
    Variance by the delta method (Marubini and Valsecchi 1995).

    Examples
    --------
    >>> import betapod
    >>> curve = betapod.analyses.cumulative_incidence([2.0, 3, 4, 5], [1, 0, 1, 0], [0, 1, 0, 0])
    >>> curve.share.tolist()
    [0.0, 0.25, 0.25, 0.5, 0.5]
    """
    from scipy.special import ndtri

    t, e, m = read_times(time, event, member)
    r = np.broadcast_to(np.asarray(rival, dtype=bool), t.shape) & ~e
    days = np.unique(t[m])
    happened, risk = event_counts(t, e, m, days)
    competed, _ = event_counts(t, r, m, days)
    gone = happened + competed
    with np.errstate(divide="ignore", invalid="ignore"):
        free = np.cumprod(np.where(risk > 0, 1 - gone / risk, 1.0), -1)
        before = np.concatenate([np.ones((*free.shape[:-1], 1)), free[..., :-1]], -1)
        hazard = np.where(risk > 0, happened / risk, 0.0)
        share = np.cumsum(before * hazard, -1)
        greenwood = np.where(risk > gone, gone / (risk * (risk - gone)), 0.0)
        single = np.where(risk > 0, before**2 * happened * (risk - happened) / np.maximum(risk, 1) ** 3, 0.0)
        cross = np.where(risk > 0, before * happened / np.maximum(risk, 1) ** 2, 0.0)
        # Sums over earlier days of (F(t) - F(s))^2 g + own - 2 (F(t) - F(s)) cross, expanded so that they accumulate.
        g0, g1, g2 = (np.cumsum(share**k * greenwood, -1) for k in range(3))
        c0, c1 = (np.cumsum(share**k * cross, -1) for k in range(2))
        variance = share**2 * g0 - 2 * share * g1 + g2 + np.cumsum(single, -1) - 2 * (share * c0 - c1)
        error = np.sqrt(np.maximum(variance, 0.0))
        remaining = 1 - share
        width = ndtri((1 + level) / 2) * error / (remaining * np.log(remaining))
        low, high = 1 - remaining ** np.exp(width), 1 - remaining ** np.exp(-width)
    inside = (share > 0) & (share < 1)
    return CumulativeIncidence(
        np.concatenate([[0.0], days]),
        _starting(share, 0.0),
        _starting(np.where(inside, np.minimum(low, high), share), 0.0),
        _starting(np.where(inside, np.maximum(low, high), share), 0.0),
        _starting(np.where(share < 1, error, np.nan), 0.0),
    )


def _starting(values: ArrayLike, first: ArrayLike) -> Array:
    following = np.asarray(values, dtype=float)
    start = np.broadcast_to(np.asarray(first, dtype=float), following.shape[:-1])[..., None]
    return np.concatenate([start, following], -1)


def read_times(
    time: ArrayLike, event: ArrayLike, member: ArrayLike | None
) -> tuple[Array, NDArray[np.bool_], NDArray[np.bool_]]:
    """Return times, events and members as arrays of one shape; who has no time is no member."""
    t = np.asarray(time, dtype=float)
    e = np.broadcast_to(np.asarray(event, dtype=bool), t.shape)
    m = np.isfinite(t) if member is None else np.broadcast_to(np.asarray(member, dtype=bool), t.shape) & np.isfinite(t)
    return t, e, m


def log_rank(
    time: ArrayLike, event: ArrayLike, treated: ArrayLike, strata: ArrayLike | None = None
) -> tuple[Array, Array]:
    """Return the chi-square of the log-rank test on one degree of freedom, and p; NaN where there is nothing to test.

    With strata (whole numbers, shape (..., patients)) events and variances are added over them.

    Parameters
    ----------
    time, event
        Day of event or censoring, and whether it was an event; shape (..., patients).
    treated
        1 or True in the treated arm.
    strata
        Whole numbers, shape (..., patients); None for one stratum.

    Returns
    -------
    chi_square, p
        Shape (...).

    Raises
    ------
    ValueError
        The shapes do not go together.

    Examples
    --------
    >>> import betapod
    >>> chi, p = betapod.analyses.log_rank([1.0, 2, 3, 4, 5, 6], [1] * 6, [0, 0, 0, 1, 1, 1])
    >>> round(float(chi), 4), round(float(p), 4)
    (5.0517, 0.0246)
    """
    from scipy.special import chdtrc

    excess, variance = log_rank_score(time, event, treated, strata)
    with np.errstate(divide="ignore", invalid="ignore"):
        chi = np.where(variance > 0, excess**2 / variance, np.nan)
    return chi, chdtrc(1, chi)


def log_rank_score(
    time: ArrayLike, event: ArrayLike, treated: ArrayLike, strata: ArrayLike | None = None
) -> tuple[Array, Array]:
    """Return the events of the treated arm beyond those expected if arms did not differ, and their variance, added over strata; arguments as of `log_rank`."""
    if strata is None:
        return _excess(time, event, treated)
    t = np.asarray(time, dtype=float)
    codes = np.broadcast_to(np.asarray(strata), t.shape)
    parts = [_excess(np.where(codes == code, t, np.nan), event, treated) for code in np.unique(codes)]
    excess, variance = (np.asarray(np.sum([part[k] for part in parts], axis=0)) for k in (0, 1))
    return excess, variance


def _excess(time: ArrayLike, event: ArrayLike, treated: ArrayLike) -> tuple[Array, Array]:
    """Return the events of the treated arm beyond those expected if the arms did not differ, and their variance."""
    t, e, _ = read_times(time, event, None)
    arm = np.broadcast_to(np.asarray(treated, dtype=float), t.shape) > 0.5
    days = np.unique(t[e & np.isfinite(t)])
    d1, n1 = event_counts(t, e, arm, days)
    d0, n0 = event_counts(t, e, ~arm, days)
    d, n = d1 + d0, n1 + n0
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.where(n > 0, d * n1 / n, 0.0)
        variance = np.where(n > 1, d * (n1 / n) * (n0 / n) * (n - d) / (n - 1), 0.0)
    return (d1 - expected).sum(-1), variance.sum(-1)


def hazard_ratio(time: ArrayLike, event: ArrayLike, treated: ArrayLike, level: float = 0.95) -> Estimate:
    """Return the log hazard ratio by Cox regression with the p of the log-rank test.

    Where all events fell into one arm, or those of one arm came before all others, the ratio is 0 or infinite: the effect is minus
    or plus infinity, without an interval, but the test stands.
    """
    fit = cox_regression(time, event, [treated]).estimate(level=level)
    chi, p = log_rank(time, event, treated)
    effect, error, low, high, count = (
        values.reshape(chi.shape) for values in (fit.effect, fit.standard_error, fit.low, fit.high, fit.n)
    )
    excess, _ = _excess(time, event, treated)
    testable = np.isfinite(chi)
    effect = np.where(np.isfinite(effect), effect, np.where(excess > 0, np.inf, -np.inf))
    effect, error, low, high = (np.where(testable, values, np.nan) for values in (effect, error, low, high))
    return Estimate(effect, error, np.full(chi.shape, np.inf), p, low, high, count)
