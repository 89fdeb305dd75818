"""Win ratio, win odds and net benefit of hierarchical outcomes, with components and strata, for thousands of trials at once.

Every treated patient is compared with every control patient. Where all outcomes can be put in one order (a score: higher is better), wins, losses
and ties are counted by sorting, in n log n steps. Variances are those of U statistics (placements of single patients). With w, l, t the
shares of pairs that are won, lost and tied: win probability w + t/2, net benefit w - l, win odds (w + t/2) / (l + t/2), win ratio w / l.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.errors import ConfigError, Problem
from .estimators import Array, Estimate, as_estimate

#: Numbers that the arrays of a batch of replicates may have.
_BATCH = 4_000_000


@dataclass(frozen=True)
class WinStatistics:
    """Win statistics of replicates (R).

    Attributes
    ----------
    wins, losses, ties
        Pairs, of the treated; with strata within strata alone. Shape (R,).
    win_probability, net_benefit
        With the test against 1/2 and 0 by the normal distribution.
    log_win_odds, log_win_ratio
        Natural logarithms. The error of the win odds is that of the win probability by the delta method, and p is that of the win probability.
    """

    wins: Array
    losses: Array
    ties: Array
    win_probability: Estimate
    net_benefit: Estimate
    log_win_odds: Estimate
    log_win_ratio: Estimate

    @property
    def win_odds(self) -> Array:
        """Win odds, shape (R,)."""
        return np.exp(self.log_win_odds.effect)

    @property
    def win_ratio(self) -> Array:
        """Win ratio, shape (R,)."""
        return np.exp(self.log_win_ratio.effect)


@dataclass(frozen=True)
class _Shares:
    """Shares of pairs won and lost, their variances and covariance, and numbers of pairs and patients; one stratum, shape (R,)."""

    won: Array
    lost: Array
    var_won: Array
    var_lost: Array
    covariance: Array
    pairs: Array
    patients: Array


def win_statistics(
    score: ArrayLike, treated: ArrayLike, strata: ArrayLike | None = None, level: float = 0.95
) -> WinStatistics:
    """Return win ratio, win odds and net benefit of a score by which any two patients can be compared; higher is better.

    Parameters
    ----------
    score
        Shape (R, n) or (n,), such as `hierarchical_score` gives; a patient with NaN is left out.
    treated
        1 or True in the treated arm.
    strata
        Whole numbers. Pairs are compared within strata; strata are weighted by pairs over patients, as Mantel and Haenszel weight tables
        (Dong and others 2018).
    level
        Of the interval, such as 0.95.

    Returns
    -------
    WinStatistics
        Shape (R,); NaN where an arm is empty.

    Raises
    ------
    ConfigError
        The shapes do not go together.

    Notes
    -----
    Without strata all numbers are those of the R package hce (`calcWINS`, first error of the win ratio; Gasparyan and others,
    doi 10.1177/0962280220942558), on the 1,500 patients of its data KHCE.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.trials.analysis.win_statistics import win_statistics
    >>> wins = win_statistics([3.0, 5.0, 4.0, 1.0, 4.0, 2.0], [1, 1, 1, 0, 0, 0])
    >>> wins.wins[0], wins.losses[0], wins.ties[0]
    (np.float64(7.0), np.float64(1.0), np.float64(1.0))
    >>> round(float(wins.win_odds[0]), 3)
    5.0
    """
    scores = np.asarray(score, dtype=float)
    scores = scores[None] if scores.ndim == 1 else scores
    _check_shape("treated", treated, scores.shape)
    arm = np.broadcast_to(np.asarray(treated, dtype=float), scores.shape)
    present = np.isfinite(scores) & np.isfinite(arm)
    if strata is not None:
        _check_shape("strata", strata, scores.shape)
    codes = np.zeros(scores.shape) if strata is None else np.broadcast_to(np.asarray(strata, dtype=float), scores.shape)
    parts = []
    for code in np.unique(codes[np.isfinite(codes)]):
        inside = present & (codes == code)
        parts.append(_shares(scores, inside & (arm > 0.5), inside & (arm <= 0.5)))
    return _combined(parts, level)


def _check_shape(name: str, values: ArrayLike, shape: tuple[int, ...]) -> None:
    own_shape = np.shape(np.asarray(values))
    if own_shape not in (shape, shape[-1:], ()):
        raise ConfigError(
            Problem(
                "wrong-shape",
                f"{name} does not fit the scores",
                found=f"shape {own_shape}",
                expected=f"{shape} or {shape[-1:]}, as replicates and patients of the scores",
            )
        )


def _shares(scores: Array, first: NDArray[np.bool_], second: NDArray[np.bool_]) -> _Shares:
    """Return the shares of pairs of two groups, by sorting."""
    parts = []
    step = max(1, _BATCH // scores.shape[-1])
    for start in range(0, len(scores), step):
        rows = slice(start, start + step)
        parts.append(_sorted_shares(scores[rows], first[rows], second[rows]))
    return _Shares(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _sorted_shares(scores: Array, first: NDArray[np.bool_], second: NDArray[np.bool_]) -> tuple[Array, ...]:
    # Those who are left out go to the end.
    value = np.where(first | second, scores, np.inf)
    order = np.argsort(value, axis=1)
    value = np.take_along_axis(value, order, 1)
    a, b = np.take_along_axis(first, order, 1), np.take_along_axis(second, order, 1)
    n = value.shape[1]
    position = np.broadcast_to(np.arange(n), value.shape)
    changed = value[:, 1:] != value[:, :-1]
    edge = np.ones((len(value), 1), dtype=bool)
    # Where a run of equal values begins and ends.
    begin = np.maximum.accumulate(np.where(np.concatenate([edge, changed], 1), position, 0), axis=1)
    end = np.minimum.accumulate(np.where(np.concatenate([changed, edge], 1), position, n)[:, ::-1], axis=1)[:, ::-1]

    def below_above(group: NDArray[np.bool_]) -> tuple[Array, Array]:
        before = np.concatenate([np.zeros((len(group), 1)), np.cumsum(group, 1)], 1)
        below = np.take_along_axis(before, begin, 1)
        above = before[:, -1:] - np.take_along_axis(before, end + 1, 1)
        return below, above

    n1, n0 = a.sum(1).astype(float), b.sum(1).astype(float)
    below_b, above_b = below_above(b)
    below_a, above_a = below_above(a)
    with np.errstate(divide="ignore", invalid="ignore"):
        moments = [_moments(a, below_b / n0[:, None], above_b / n0[:, None], n1)]
        moments.append(_moments(b, above_a / n1[:, None], below_a / n1[:, None], n0))
    won, lost = moments[0][:2]
    variances = [left + right for left, right in zip(moments[0][2:], moments[1][2:], strict=True)]
    return won, lost, *variances, n1 * n0, n1 + n0


def _moments(group: NDArray[np.bool_], wins: Array, losses: Array, n: Array) -> tuple[Array, ...]:
    """Return means of what the patients of a group contribute, and their variances and covariance over its size."""
    w, x = np.where(group, wins, 0.0), np.where(group, losses, 0.0)
    mean_w, mean_x = w.sum(1) / n, x.sum(1) / n
    dw, dx = (np.where(group, values - mean[:, None], 0.0) for values, mean in ((w, mean_w), (x, mean_x)))
    return mean_w, mean_x, (dw**2).sum(1) / n**2, (dx**2).sum(1) / n**2, (dw * dx).sum(1) / n**2


def _combined(parts: Sequence[_Shares], level: float) -> WinStatistics:
    """Return the statistics of strata together."""
    usable = [part.pairs > 0 for part in parts]
    weight = [
        np.where(ok, part.pairs / np.maximum(part.patients, 1), 0.0) for ok, part in zip(usable, parts, strict=True)
    ]
    total = np.sum(weight, 0)

    def mean(name: str, power: int) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(
                sum(
                    np.where(ok, (w / total) ** power * np.where(ok, getattr(part, name), 0.0), 0.0)
                    for ok, w, part in zip(usable, weight, parts, strict=True)
                )
                + np.where(total > 0, 0.0, np.nan)
            )

    won, lost = mean("won", 1), mean("lost", 1)
    var_w, var_l, cov = mean("var_won", 2), mean("var_lost", 2), mean("covariance", 2)
    patients = np.sum([np.where(ok, part.patients, 0.0) for ok, part in zip(usable, parts, strict=True)], 0)
    probability = won + (1 - won - lost) / 2
    benefit_error = np.sqrt(np.maximum(var_w + var_l - 2 * cov, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        odds_error = benefit_error / 2 / (probability * (1 - probability))
        ratio_error = np.sqrt(np.maximum(var_w / won**2 + var_l / lost**2 - 2 * cov / (won * lost), 0.0))
        log_odds = np.log(probability / (1 - probability))
        log_ratio = np.log(won / lost)
    centred = as_estimate(probability - 0.5, benefit_error / 2, np.inf, patients, level)
    shifted = Estimate(
        probability, centred.standard_error, centred.degrees, centred.p, centred.low + 0.5, centred.high + 0.5, patients
    )
    wins, losses = (_pairs(parts, usable, name) for name in ("won", "lost"))
    ties = np.sum([np.where(ok, part.pairs, 0.0) for ok, part in zip(usable, parts, strict=True)], 0) - wins - losses
    return WinStatistics(
        wins,
        losses,
        ties,
        shifted,
        as_estimate(won - lost, benefit_error, np.inf, patients, level),
        replace(as_estimate(log_odds, odds_error, np.inf, patients, level), p=centred.p),
        as_estimate(log_ratio, ratio_error, np.inf, patients, level),
    )


def _pairs(parts: Sequence[_Shares], usable: Sequence[NDArray[np.bool_]], name: str) -> Array:
    """Return the pairs of all strata that were won, or lost."""
    total = np.zeros(len(usable[0]))
    for part, ok in zip(parts, usable, strict=True):
        total += np.where(ok, np.rint(np.where(ok, getattr(part, name), 0.0) * part.pairs), 0.0)
    return total


@dataclass(frozen=True)
class WinsByComponent:
    """Pairs that each component of a hierarchy decided, shape (R, components); ties are those of the last component."""

    wins: Array
    losses: Array
    ties: Array


def wins_by_component(component: ArrayLike, score: ArrayLike, treated: ArrayLike) -> WinsByComponent:
    """Return which component decides how many pairs: that of the worse of the two patients.

    Parameters
    ----------
    component
        Whole numbers from 0, the most serious: the component that a patient's score is of. Shape (R, n) or (n,).
    score, treated
        As in `win_statistics`; every score of a component must be below those of the next.

    Returns
    -------
    WinsByComponent
        Pairs won, lost and tied, shape (R, components).

    Raises
    ------
    ConfigError
        A score of a component is not below those of the next.

    Examples
    --------
    >>> import betapod
    >>> parts = betapod.analyses.wins_by_component([0, 1, 1, 0], [1.0, 4, 3, 2], [1, 1, 0, 0])
    >>> parts.wins.tolist(), parts.losses.tolist()
    ([[1.0, 1.0]], [[2.0, 0.0]])
    """
    scores = np.atleast_2d(np.asarray(score, dtype=float))
    kind = np.broadcast_to(np.asarray(component, dtype=int), scores.shape)
    arm = np.broadcast_to(np.asarray(treated, dtype=float), scores.shape) > 0.5
    present = np.isfinite(scores)
    count = int(kind[present].max(initial=0)) + 1
    _check_order(scores, kind, present, count)
    columns: list[tuple[Array, ...]] = []
    for k in range(count):
        inside, beyond = present & (kind == k), present & (kind > k)
        own_pairs = _shares(scores, inside & arm, inside & ~arm)
        n1, n0 = (inside & arm).sum(1), (inside & ~arm).sum(1)
        later1, later0 = (beyond & arm).sum(1), (beyond & ~arm).sum(1)
        pairs = n1 * n0
        won, lost = (np.where(pairs > 0, np.nan_to_num(part) * pairs, 0.0) for part in (own_pairs.won, own_pairs.lost))
        columns.append((np.rint(won) + n0 * later1, np.rint(lost) + n1 * later0, pairs - np.rint(won) - np.rint(lost)))
    return WinsByComponent(*(np.stack([column[j] for column in columns], -1) for j in range(3)))


def _check_order(scores: Array, kind: NDArray[np.int_], present: NDArray[np.bool_], count: int) -> None:
    worst = np.full(len(scores), -np.inf)
    for k in range(count):
        inside = present & (kind == k)
        low = np.where(inside, scores, np.inf).min(1)
        if (low <= worst).any():
            raise ConfigError(
                Problem(
                    "wrong-order",
                    f"scores of component {k} are not all above those of more serious components",
                    expected="a score that rises from component to component, such as `hierarchical_score` gives",
                )
            )
        worst = np.maximum(worst, np.where(inside, scores, -np.inf).max(1))


def hierarchical_score(event_days: Sequence[ArrayLike], last: ArrayLike) -> tuple[Array, NDArray[np.int_]]:
    """Return a score and the component that it is of: the most serious event and its day, without events a last value.

    Parameters
    ----------
    event_days
        Day of each event, the most serious first, NaN where it did not happen; shape (R, n) or (n,). A later event is better.
    last
        What those without any event are compared by; higher is better, NaN leaves a patient without events out.

    Returns
    -------
    score, component
        Ranks from 1, equal for equals; component k of event k, the number of events without any. Shape (R, n).

    Raises
    ------
    ValueError
        The shapes do not go together.

    Notes
    -----
    All patients are taken as followed for the same time: who leaves early without an event is compared by `last`. Where follow-up differs, pairs
    that neither event decides are not known, and no single order exists.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.trials.analysis.win_statistics import hierarchical_score
    >>> death, dialysis = [np.nan, 200.0, np.nan, np.nan], [np.nan, 90.0, 100.0, np.nan]
    >>> score, component = hierarchical_score([death, dialysis], last=[-3.0, -9.0, -8.0, -2.0])
    >>> score.tolist(), component.tolist()
    ([[3.0, 1.0, 2.0, 4.0]], [[2, 0, 1, 2]])
    """
    final = np.atleast_2d(np.asarray(last, dtype=float))
    component = np.full(final.shape, len(event_days))
    value = final.copy()
    for k in reversed(range(len(event_days))):
        day = np.broadcast_to(np.asarray(event_days[k], dtype=float), final.shape)
        value, component = np.where(np.isfinite(day), day, value), np.where(np.isfinite(day), k, component)
    present = np.isfinite(value)
    # Ranks by component, then by value; equal values share the lowest.
    order = np.lexsort((np.where(present, value, np.inf), np.where(present, component, len(event_days) + 1)), axis=1)
    kinds, values_in_order = (np.take_along_axis(values, order, 1) for values in (component, value))
    changed = (kinds[:, 1:] != kinds[:, :-1]) | (values_in_order[:, 1:] != values_in_order[:, :-1])
    rank = 1.0 + np.concatenate([np.zeros((len(final), 1)), np.cumsum(changed, 1)], 1)
    score = np.empty(final.shape)
    np.put_along_axis(score, order, rank, 1)
    return np.where(present, score, np.nan), component
