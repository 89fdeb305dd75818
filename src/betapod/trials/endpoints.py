"""The analysis that a protocol asks for: outcome of every patient, and its comparison, for all replicates at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..config import quantity as read_quantity
from . import analysis, survival
from .analysis import Array, Estimate
from .findings import BETTER, before_after, chosen
from .quantities import code_of, label_of, unit_of

if TYPE_CHECKING:
    from .data import TrialData
    from .protocol import Design, Endpoint, Protocol


@dataclass(frozen=True)
class Comparison:
    """Which arms are compared; without a control the design looks before and after."""

    treated: str
    control: str | None

    @property
    def words(self) -> str:
        """As a phrase for people, with the protocol's names."""
        return f"{self.treated}, before and after" if self.control is None else f"{self.treated} against {self.control}"


def comparisons(protocol: Protocol, design: str) -> list[Comparison]:
    """Return what a design compares: every other arm with the control.

    The control is an arm without cells if there is one; among several the one with placebo, else with the fewest therapies.
    """
    arms = list(protocol.designs[design].arms)
    if len(arms) == 1:
        return [Comparison(arms[0], None)]
    without = [name for name in arms if protocol.arms[name].cells is None] or arms
    given = {name: len(protocol.arms[name].therapies) + len(protocol.arms[name].inputs) for name in arms}
    control = min(without, key=lambda name: (not protocol.arms[name].placebo, given[name]))
    return [Comparison(name, control) for name in arms if name != control]


def code(endpoint: Endpoint) -> str:
    """Return the PARAMCD of an endpoint."""
    return code_of(endpoint.quantity)


def visit(protocol: Protocol, endpoint: Endpoint) -> str:
    """Return the visit at which an endpoint is judged."""
    return endpoint.at or max(protocol.visits, key=lambda each: each.day).name


def better(endpoint: Endpoint) -> int:
    """Return the sign of an improvement of the estimate: of a change, a share of responders, or a log hazard."""
    lower = -1 if endpoint.better == "lower" else 1
    if endpoint.summary == "responders":
        return 1
    if endpoint.summary == "time to event":
        return 1 if _falls(endpoint) == (BETTER.get(code(endpoint), lower) < 0) else -1
    return lower


def _falls(endpoint: Endpoint) -> bool:
    """Whether the event of a time-to-event endpoint is a fall: by the sign of its percentage, else the bad direction."""
    if endpoint.percent is not None:
        return endpoint.percent < 0
    return BETTER.get(code(endpoint), 1) > 0


def outcome(data: TrialData, endpoint: Endpoint) -> Array:
    """Return (R, n) what is compared: change, log ratio, slope (per year) or response; NaN where it was not measured.

    Under the composite strategy an intercurrent event is a failure: no response, or the worst change seen in the trial.
    """
    found = _response(data, endpoint) if endpoint.summary == "responders" else _change(data, endpoint)
    failed = _failed(data, endpoint)
    if not failed.any():
        return found
    if endpoint.summary == "responders":
        return np.where(failed, 0.0, found)
    sign = better(endpoint)
    with np.errstate(invalid="ignore"):
        worst = sign * np.nanmin(np.where(np.isfinite(found), sign * found, np.inf), axis=1, keepdims=True)
    return np.where(failed & np.isfinite(worst), worst, found)


def _strategy(endpoint: Endpoint) -> str:
    kind = endpoint.intercurrent.rescue
    return "treatment policy" if kind == "composite" else kind


def _failed(data: TrialData, endpoint: Endpoint) -> np.ndarray:
    """Return (R, n) who had an event that the endpoint counts as failure, up to the visit."""
    day = float(data.days[data.visit(visit(data.protocol, endpoint))])
    rules = endpoint.intercurrent
    failed = np.zeros(data.member.shape, dtype=bool)
    if rules.rescue == "composite":
        failed |= data.rescued <= day
    for ending, rule in ((1, rules.drop_out), (2, rules.death)):
        if rule == "composite":
            failed |= (data.ending == ending) & (data.ended <= day)
    return failed & data.enrolled


def _change(data: TrialData, endpoint: Endpoint) -> Array:
    name, v = code(endpoint), data.visit(visit(data.protocol, endpoint))
    strategy = _strategy(endpoint)
    if endpoint.summary == "slope":
        after = (data.days > 0) & (np.arange(len(data.days)) <= v)
        values = data.quantity(name).forward(data.aval(name, strategy)[:, :, after].astype(float))
        base = data.quantity(name).forward(data.base[name].astype(float))
        course = np.concatenate([base[..., None], values], -1)
        return analysis.slopes(np.concatenate([[0.0], data.days[after]]), course, 0.0).total
    change: Array = np.asarray(data.change(name, strategy), dtype=float)
    if strategy == "while on treatment":
        return _last_seen(change, v)
    if endpoint.summary == "ratio" and data.quantity(name).scale != "log":
        with np.errstate(divide="ignore", invalid="ignore"):
            change = np.log(data.aval(name, strategy).astype(float) / data.base[name].astype(float)[..., None])
    return change[:, :, v]


def _last_seen(change: Array, visit: int) -> Array:
    """Return the last change measured up to a visit."""
    found = np.full(change.shape[:2], np.nan)
    for k in range(1, visit + 1):
        found = np.where(np.isfinite(change[:, :, k]), change[:, :, k], found)
    return found


def _response(data: TrialData, endpoint: Endpoint) -> Array:
    name, v = code(endpoint), data.visit(visit(data.protocol, endpoint))
    value = data.aval(name, _strategy(endpoint))[:, :, v].astype(float)
    base = data.base[name].astype(float)
    lower = endpoint.better == "lower"
    bound = np.full(base.shape, np.inf if lower else -np.inf)
    if endpoint.threshold is not None:
        bound = np.full(base.shape, _threshold(endpoint))
    if endpoint.percent is not None:
        relative = base * (1 + endpoint.percent / 100)
        bound = np.minimum(bound, relative) if lower else np.maximum(bound, relative)
    with np.errstate(invalid="ignore"):
        reached = value <= bound if lower else value >= bound
    return np.where(np.isfinite(value) & np.isfinite(base), reached, np.nan)


def _threshold(endpoint: Endpoint) -> float:
    name = code(endpoint)
    return read_quantity(endpoint.threshold, unit_of(name), label_of(name), bare=unit_of(name) == "1")


def times(data: TrialData, endpoint: Endpoint) -> tuple[Array, np.ndarray]:
    """Return (R, n) day and indicator of the event of a time-to-event endpoint: a bound crossed and confirmed.

    For eGFR the event is a fall by the endpoint's percentage (40 % by default) or a value below 15 mL/min/1.73m2. The sign of the
    percentage says whether the event is a fall or a rise; without one it is the change for the worse.
    """
    name = code(endpoint)
    after = data.days > 0
    days = np.concatenate([[0.0], data.days[after]])
    base, later = data.base[name].astype(float), data.aval(name, _strategy(endpoint))[:, :, after].astype(float)
    values = np.concatenate([base[..., None], later], -1)
    if name == "EGFR" and _falls(endpoint):
        share = -endpoint.percent / 100 if endpoint.percent is not None else 0.4
        failure = _threshold(endpoint) if endpoint.threshold is not None else 15.0
        return survival.decline(days, values, share, failure)
    # Any other quantity: turned so that crossing is a fall below a bound.
    sign = 1.0 if _falls(endpoint) else -1.0
    bound = np.full(base.shape, np.nan)
    if endpoint.percent is not None:
        bound = base * (1 + endpoint.percent / 100)
    if endpoint.threshold is not None:
        bound = np.full(base.shape, _threshold(endpoint))
    return survival.crossing(days, sign * values, sign * bound)


def analyse(data: TrialData, endpoint: Endpoint, comparison: Comparison, stratum: str | None = None) -> Estimate:
    """Return the estimate of every replicate by the protocol's analysis.

    A design with one arm is analysed before and after, whatever the protocol asks. ``MMRM`` is computed over replicates as ANCOVA
    at the visit, which it equals without missing visits; `models.repeated` fits the mixed model of one trial.
    """
    if comparison.control is None:
        if endpoint.summary in ("responders", "time to event"):
            return _share(data, endpoint, comparison, stratum)
        if endpoint.summary == "change" and endpoint.intercurrent.rescue == "treatment policy":
            return before_after(data, code(endpoint), visit(data.protocol, endpoint), comparison.treated, stratum)
        return analysis.mean_change(
            np.where(chosen(data, comparison.treated, stratum), outcome(data, endpoint), np.nan)
        )
    first = chosen(data, comparison.treated, stratum)
    both = first | chosen(data, comparison.control, stratum)
    arm = first.astype(float)
    if endpoint.summary == "time to event":
        time, event = times(data, endpoint)
        return survival.cox(np.where(both, time, np.nan), event & both, arm)
    found = np.where(both, outcome(data, endpoint), np.nan)
    if endpoint.summary == "responders":
        return analysis.risk_difference(found, arm)
    if endpoint.analysis == "t test":
        return analysis.ancova(found, None, arm)
    if endpoint.analysis == "paired":
        return analysis.mean_change(np.where(first, found, np.nan))
    name = code(endpoint)
    base = data.quantity(name).forward(data.base[name].astype(float))
    strata = data.stratum if stratum is None and len(data.strata) > 1 else None
    return analysis.ancova(found, base, arm, strata)


def _share(data: TrialData, endpoint: Endpoint, comparison: Comparison, stratum: str | None) -> Estimate:
    """Return the share of one group with a response or event; there is nothing to test it against, so p is NaN."""
    keep = chosen(data, comparison.treated, stratum)
    hit = times(data, endpoint)[1].astype(float) if endpoint.summary == "time to event" else outcome(data, endpoint)
    seen = keep & np.isfinite(hit)
    n = seen.sum(-1).astype(float)
    count = np.where(seen, hit, 0.0).sum(-1)
    low, high = analysis.wilson(count, n)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = count / n
        error = np.sqrt(share * (1 - share) / n)
    return Estimate(share, error, np.full_like(n, np.inf), np.full_like(n, np.nan), low, high, n)


def controlled(design: Design) -> bool:
    """Whether a design has something to compare with."""
    return len(design.arms) > 1
