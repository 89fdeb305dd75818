"""The partial likelihood of Cox's model: who is at risk at which event, derivatives, Newton's method, scores of patients.

Events are terms of a sum: for event l of d that are tied on a day, with S the sum of exp(x'b) over those at risk and D over the tied, the
partial likelihood of Efron has the denominator S - ((l - 1) / d) D. First and second derivatives run over the same sums of x and x x'.
Those who had a rival event may linger in the risk set with the share of them that would not have been censored (Fine and Gray 1999).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .estimators import Array

#: Coefficient beyond which, in standard deviations of its covariate, a fit has run away.
_ENDLESS = 25.0
_MOST_STEPS = 60


@dataclass(frozen=True)
class RiskSet:
    """Who is at risk at which event of a stratum: patients by falling day, events by rising day.

    Attributes
    ----------
    x, member
        Covariates of the patients, and who counts; (R, n, p), (R, n).
    event_x, counts
        Covariates of the patient of each event, and whether it counts; (R, m, p), (R, m).
    last
        At an event the first `last` patients are at risk; (R, m).
    start, stop, share
        First and last of the events tied with an event, and the share of those before it among them; (R, m).
    owner
        Position of the patient of each event; (R, m).
    kept, inverse
        Share not yet censored just before each event (R, m), and one over that just before each patient's rival event, 0 without (R, n).
    """

    x: Array
    member: Array
    event_x: Array
    counts: Array
    last: NDArray[np.intp]
    start: NDArray[np.intp]
    stop: NDArray[np.intp]
    share: Array
    owner: NDArray[np.intp]
    kept: Array | None = None
    inverse: Array | None = None


def partial_likelihood_fit(
    days: Array,
    ends: Array,
    codes: Array,
    x: Array,
    member: NDArray[np.bool_],
    rival: NDArray[np.bool_] | None = None,
) -> tuple[Array, ...]:
    """Return the fields of a `CoxFit`.

    Parameters
    ----------
    days, ends, codes, x, member
        Days of events (R, n, most), ends of follow-up and strata (R, n), covariates (R, n, p), who counts (R, n).
    rival
        Whose follow-up ended by a rival event, so that they linger in the risk set; (R, n).
    """
    # Centred and scaled covariates: exponentials stay in range, steps have one size.
    count = np.maximum(member.sum(-1), 1)[:, None]
    mean = np.where(member[..., None], x, 0.0).sum(1) / count
    x = np.where(member[..., None], x - mean[:, None], 0.0)
    scale = np.sqrt((x**2).sum(1) / count)
    scale = np.where(scale > 0, scale, 1.0)
    x = x / scale[:, None]
    risks = []
    for code in np.unique(codes[member]):
        inside = member & (codes == code)
        risks.append(risk_set(days, ends, x, inside, None if rival is None else rival & inside))
    return _newton(risks, scale, member)


def risk_set(
    days: Array, ends: Array, x: Array, member: NDArray[np.bool_], rival: NDArray[np.bool_] | None = None
) -> RiskSet:
    """Return the risk sets of a stratum; arguments as of `partial_likelihood_fit`."""
    order = np.argsort(np.where(member, -ends, np.inf), axis=1, kind="stable")
    falling = np.take_along_axis(np.where(member, -ends, np.inf), order, 1)
    position = np.empty_like(order)
    np.put_along_axis(position, order, np.broadcast_to(np.arange(ends.shape[1]), order.shape), 1)
    with np.errstate(invalid="ignore"):
        counts: NDArray[np.bool_] = np.asarray(np.isfinite(days) & member[..., None] & (days <= ends[..., None]))
    most = int(counts.sum((1, 2)).max(initial=0))
    event_day = np.where(counts, days, np.inf).reshape(len(days), -1)
    by_day = np.argsort(event_day, axis=1, kind="stable")[:, :most]
    event_day = np.take_along_axis(event_day, by_day, 1)
    owner = np.take_along_axis(np.broadcast_to(position[..., None], days.shape).reshape(len(days), -1), by_day, 1)
    index = np.broadcast_to(np.arange(most), event_day.shape)
    changed = event_day[:, 1:] != event_day[:, :-1]
    edge = np.ones((len(days), min(most, 1)), dtype=bool)
    start = np.maximum.accumulate(np.where(np.concatenate([edge, changed], 1), index, 0), axis=1)
    ending = np.where(np.concatenate([changed, edge], 1), index, most)
    stop = np.minimum.accumulate(ending[:, ::-1], axis=1)[:, ::-1]
    last = np.zeros_like(owner)
    for r in range(len(days)):
        last[r] = np.searchsorted(falling[r], -event_day[r], side="right")
    good = np.isfinite(event_day)
    sorted_x = np.take_along_axis(x, order[..., None], 1)
    event_x = np.where(good[..., None], np.take_along_axis(sorted_x, owner[..., None], 1), 0.0)
    kept = inverse = None
    if rival is not None:
        kept, inverse = _uncensored(event_day, ends, member, np.asarray(counts.any(-1)), rival)
        inverse = np.take_along_axis(inverse, order, 1)
    return RiskSet(
        sorted_x,
        np.take_along_axis(member, order, 1).astype(float),
        event_x,
        good.astype(float),
        np.where(good, np.maximum(last, 1), 1),
        start,
        stop,
        (index - start) / (stop - start + 1),
        owner,
        kept,
        inverse,
    )


def _uncensored(
    event_day: Array, ends: Array, member: NDArray[np.bool_], happened: NDArray[np.bool_], rival: NDArray[np.bool_]
) -> tuple[Array, Array]:
    """Return the share not yet censored just before each event (R, m), and one over it just before each rival event (R, n), else 0.

    Kaplan and Meier's estimate with censoring as the event; on one day events come before censoring.
    """
    kept, inverse = np.ones(event_day.shape), np.zeros(ends.shape)
    for r in range(len(ends)):
        inside = member[r]
        days, number = np.unique(ends[r, inside], return_inverse=True)
        gone = happened[r, inside] | rival[r, inside]
        by_day, events = np.bincount(number, minlength=len(days)), np.bincount(number, gone, minlength=len(days))
        at_risk = by_day[::-1].cumsum()[::-1] - events
        censored = by_day - events
        share = np.concatenate([[1.0], np.cumprod(np.where(at_risk > 0, 1 - censored / np.maximum(at_risk, 1), 1.0))])
        kept[r] = share[np.searchsorted(days, event_day[r], side="left")]
        late = np.flatnonzero(rival[r])
        inverse[r, late] = 1 / share[np.searchsorted(days, ends[r, late], side="left")]
    return kept, inverse


@dataclass(frozen=True)
class _Terms:
    """What the events of a stratum add up from: weights of patients, denominators and means over those at risk, derivatives."""

    weight: Array
    denominator: Array
    mean: Array
    value: Array
    gradient: Array
    information: Array


def _tied(values: Array, risk: RiskSet) -> Array:
    """Return the sums over the events tied with each event, of values (R, m, ...)."""
    sums = np.cumsum(values, axis=1)
    index = (slice(None), slice(None)) + (None,) * (values.ndim - 2)
    begin = np.take_along_axis(sums, risk.start[index], 1) - np.take_along_axis(values, risk.start[index], 1)
    return np.asarray(np.take_along_axis(sums, risk.stop[index], 1) - begin)


def _terms(risk: RiskSet, beta: Array) -> _Terms:
    p = beta.shape[-1]
    weight = np.exp((risk.x @ beta[..., None])[..., 0]) * risk.member
    products = np.concatenate([np.ones((*risk.x.shape[:2], 1)), risk.x], -1)
    triangle = np.triu_indices(p + 1)
    squares = products[..., triangle[0]] * products[..., triangle[1]]
    running = np.cumsum(weight[..., None] * squares, axis=1)
    at_risk = np.take_along_axis(running, risk.last[..., None] - 1, 1)
    if risk.kept is not None and risk.inverse is not None:
        late = np.cumsum((weight * risk.inverse)[..., None] * squares, axis=1)
        at_risk = at_risk + risk.kept[..., None] * (
            late[:, -1:] - np.take_along_axis(late, risk.last[..., None] - 1, 1)
        )
    event_weight = np.take_along_axis(weight, risk.owner, 1) * risk.counts
    event_products = np.concatenate([np.ones((*risk.event_x.shape[:2], 1)), risk.event_x], -1)
    event_squares = event_products[..., triangle[0]] * event_products[..., triangle[1]]
    sums = at_risk - risk.share[..., None] * _tied(event_weight[..., None] * event_squares, risk)
    full = np.empty((*sums.shape[:2], p + 1, p + 1))
    full[..., triangle[0], triangle[1]] = full[..., triangle[1], triangle[0]] = sums
    denominator = np.where(risk.counts > 0, full[..., 0, 0], 1.0)
    mean = full[..., 0, 1:] / denominator[..., None] * risk.counts[..., None]
    value = ((risk.event_x @ beta[..., None])[..., 0] - np.log(denominator)) * risk.counts
    spread = full[..., 1:, 1:] / denominator[..., None, None] * risk.counts[..., None, None]
    information = spread.sum(1) - np.swapaxes(mean, -1, -2) @ mean
    return _Terms(weight, denominator, mean, value.sum(1), (risk.event_x - mean).sum(1), information)


def _newton(risks: list[RiskSet], scale: Array, member: NDArray[np.bool_]) -> tuple[Array, ...]:
    replicates, p = scale.shape
    beta = np.zeros((replicates, p))
    events = np.sum([risk.counts.sum(1) for risk in risks], 0) if risks else np.zeros(replicates)
    nothing = np.full((replicates, p, p), np.nan)
    if not risks or not events.any():
        empty = np.full(replicates, np.nan)
        return beta + np.nan, nothing, nothing, empty, empty, events, member.sum(-1).astype(float)
    without = np.zeros(replicates)
    able = np.ones(replicates, dtype=bool)
    for k in range(_MOST_STEPS):
        terms = [_terms(risk, beta) for risk in risks]
        gradient, information = (np.sum([getattr(t, name) for t in terms], 0) for name in ("gradient", "information"))
        if k == 0:
            without = np.sum([t.value for t in terms], 0)
            able = np.linalg.eigvalsh(information)[:, 0] > 1e-10
        step = np.linalg.solve(np.where(able[:, None, None], information, np.eye(p)), gradient[..., None])[..., 0]
        largest = np.abs(step).max(-1, keepdims=True)
        step = np.where(able[:, None], step / np.maximum(largest, 1.0), 0.0)
        beta = beta + step
        # Where the likelihood rises without end there is no maximum.
        able &= np.abs(beta).max(-1) < _ENDLESS
        able &= np.linalg.eigvalsh(information)[:, 0] > 1e-12
        if np.abs(step).max(initial=0.0) < 1e-12:
            break
    terms = [_terms(risk, np.where(able[:, None], beta, 0.0)) for risk in risks]
    information, value = (np.sum([getattr(t, name) for t in terms], 0) for name in ("information", "value"))
    bread = np.linalg.inv(np.where(able[:, None, None], information, np.eye(p)))
    meat = np.sum([_squared_scores(risk, t) for risk, t in zip(risks, terms, strict=True)], 0)
    blank = np.where(able, 0.0, np.nan)
    unit = scale[:, :, None] * scale[:, None, :]
    return (
        beta / scale + blank[:, None],
        bread / unit + blank[:, None, None],
        bread @ meat @ bread / unit + blank[:, None, None],
        value + blank,
        without + blank,
        events,
        member.sum(-1).astype(float),
    )


def _squared_scores(risk: RiskSet, terms: _Terms) -> Array:
    """Return the sums of squares of the patients' scores, (R, p, p): observed events less those that the model expects of each."""
    hazard = risk.counts / terms.denominator
    n = risk.x.shape[1]
    # How much hazard, and hazard times mean, each patient lives through.
    lived = np.zeros((*risk.x.shape[:2], risk.x.shape[-1] + 1))
    steps = np.concatenate([hazard[..., None], hazard[..., None] * terms.mean], -1)
    rows = np.broadcast_to(np.arange(len(hazard))[:, None], hazard.shape)
    np.add.at(lived, (rows, risk.last - 1), steps)
    lived = np.cumsum(lived[:, ::-1], axis=1)[:, ::-1]
    score = -terms.weight[..., None] * (risk.x * lived[..., :1] - lived[..., 1:])
    if risk.kept is not None and risk.inverse is not None:
        late = np.zeros((len(hazard), n + 1, steps.shape[-1]))
        np.add.at(late, (rows, risk.last), risk.kept[..., None] * steps)
        late = np.cumsum(late[:, :n], axis=1)
        score -= (terms.weight * risk.inverse)[..., None] * (risk.x * late[..., :1] - late[..., 1:])
    # Efron's tied events leave the risk set by shares.
    saved = _tied(risk.share[..., None] * steps, risk)
    owner_weight = np.take_along_axis(terms.weight, risk.owner, 1)[..., None]
    change = risk.event_x - terms.mean + owner_weight * (risk.event_x * saved[..., :1] - saved[..., 1:])
    np.add.at(score, (rows, np.minimum(risk.owner, n - 1)), change * risk.counts[..., None])
    return np.asarray(np.swapaxes(score, -1, -2) @ score)
