"""Endpoint analysis as specified in the protocol: outcome per patient and comparison of arms, for all replicates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...hazards.outcome_rates import DEATHS, OUTCOMES
from ...observables.quantities import code_of
from ..conduct.trial_data import DISPOSITIONS
from ..protocol.analysis_keys import SLOPES, WINS
from ..protocol.health_outcomes import IMPROVEMENTS
from . import survival
from .estimators import Array
from .kidney_hierarchy import kidney_hierarchy, kidney_outcomes
from .patient_slopes import patient_slopes
from .response_bounds import response_bounds
from .totals import total_at

if TYPE_CHECKING:
    from ..conduct.trial_data import TrialData
    from ..protocol.endpoint_keys import Endpoint
    from ..protocol.protocol import Design, Protocol


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
    """Return the comparisons of a design: every other arm with the control.

    The control is the arm that the design names. Where it names none it is an arm without cells if there is one; among several the one with placebo, else with the fewest therapies,
    of equals the last.
    """
    arms = list(protocol.designs[design].arms)
    if len(arms) == 1:
        return [Comparison(arms[0], None)]
    without = [name for name in arms if protocol.arms[name].cells is None] or arms
    treatments = {name: len(protocol.arms[name].therapies) + len(protocol.arms[name].inputs) for name in arms}
    control = protocol.designs[design].control
    if control is None:
        control = min(reversed(without), key=lambda name: (not protocol.arms[name].placebo, treatments[name]))
    return [Comparison(name, control) for name in arms if name != control]


def endpoint_code(endpoint: Endpoint) -> str:
    """Return the PARAMCD of an endpoint, or the name of the outcome that it is."""
    return endpoint.outcome or code_of(endpoint.quantity)


def described_code(protocol: Protocol, endpoint: Endpoint) -> str:
    """Return the PARAMCD whose course is shown beside an endpoint: its own, or the first measured one beside an outcome."""
    return protocol.codes[0] if endpoint.outcome else code_of(endpoint.quantity)


def endpoint_visit(protocol: Protocol, endpoint: Endpoint) -> str:
    """Return the visit at which an endpoint is judged."""
    return endpoint.at or max(protocol.visits, key=lambda last: last.day).name


def _last_day(protocol: Protocol, endpoint: Endpoint) -> float:
    """Return the last day of the window of the visit at which an endpoint is judged."""
    name = endpoint_visit(protocol, endpoint)
    return next(planned.day + planned.window for planned in protocol.visits if planned.name == name)


def better(endpoint: Endpoint, controlled: bool = True) -> int:
    """Return the sign of an improvement of the estimate: of a difference, a share, a log hazard, or a statistic of wins.

    Parameters
    ----------
    controlled
        Whether two groups are compared.
    """
    sign = direction(endpoint)
    if not controlled:
        return sign
    measure = endpoint.measure
    if measure in WINS:
        return 1
    # Time free of an event is the longer the lower its hazard.
    return -sign if measure == "time free of the event" else sign


def direction(endpoint: Endpoint) -> int:
    """Return the sign of an improvement of what is compared: of a change, a share of responders, a hazard, a score."""
    sign = -1 if endpoint.better == "lower" else 1
    if endpoint.summary in ("responders", "hierarchy") or endpoint.outcome in IMPROVEMENTS:
        return 1
    if endpoint.summary == "recurrent events":
        return -1
    if endpoint.summary == "time to event":
        # An event in the good direction is the better the sooner it comes.
        return 1 if _falls(endpoint) == (sign < 0) else -1
    return sign


def effect_measure(endpoint: Endpoint, controlled: bool) -> str:
    """Return what the estimate of an endpoint is: ``difference``, ``hazard ratio`` and so on; ``change`` or ``share`` of one group."""
    if controlled:
        return endpoint.measure
    return "share" if endpoint.summary in ("responders", "time to event") else "change"


def _falls(endpoint: Endpoint) -> bool:
    """Whether the event of a time-to-event endpoint is a fall: by the sign of its percentage, else the bad direction."""
    if endpoint.percent is not None:
        return endpoint.percent < 0
    return endpoint.better == "higher"


def outcome(data: TrialData, endpoint: Endpoint) -> Array:
    """Return (R, n) what is compared: change, log ratio, slope (per year), score or response; NaN where it was not measured.

    Under the composite strategy an intercurrent event is a failure: no response, or the worst outcome seen in the trial. Of a
    principal stratum those who had the event are left out.
    """
    if endpoint.summary == "total":
        outcomes = total_at(data, endpoint_visit(data.protocol, endpoint))
    elif endpoint.summary == "hierarchy":
        outcomes, _ = hierarchy(data, endpoint)
    else:
        outcomes = _response(data, endpoint) if endpoint.summary == "responders" else _change(data, endpoint)
    outcomes = np.where(outside_stratum(data, endpoint), np.nan, outcomes)
    failed = np.isfinite(failures(data, endpoint))
    if not failed.any():
        return outcomes
    if endpoint.summary == "responders":
        return np.where(failed, 0.0, outcomes)
    sign = direction(endpoint)
    worst = sign * np.where(np.isfinite(outcomes), sign * outcomes, np.inf).min(axis=1, keepdims=True)
    return np.where(failed & np.isfinite(worst), worst, outcomes)


def _strategy(endpoint: Endpoint) -> str:
    """Return which values count: under the composite strategy all do, and the failures stand in for those who had the event.

    In a principal stratum all values of those who are in it count.
    """
    kind = endpoint.intercurrent.rescue
    return "treatment policy" if kind in ("composite", "principal stratum") else kind


def counts_all_values(endpoint: Endpoint) -> bool:
    """Whether what happens after rescue counts as everything else."""
    return _strategy(endpoint) == "treatment policy"


def failures(data: TrialData, endpoint: Endpoint) -> Array:
    """Return (R, n) day of the first event that the endpoint counts as a failure, up to its visit; NaN without.

    What counts is what happened up to the patient's own day of that visit, rescue on that very day included; where the visit
    was missed, up to the end of its window.
    """
    rules, first, until = endpoint.intercurrent, np.full(data.member.shape, np.inf), _own_last_day(data, endpoint)
    if rules.rescue == "composite":
        first = np.fmin(first, np.where(data.rescued <= until, data.rescued.astype(float), np.inf))
    if rules.kidney_failure == "composite":
        first = np.fmin(first, np.where(data.kidney_failure <= until, data.kidney_failure.astype(float), np.inf))
    for how, strategy in (("discontinued", rules.drop_out), ("died", rules.death)):
        if strategy == "composite":
            day = _disposed(data, how)
            first = np.fmin(first, np.where(day <= until, day, np.inf))
    return np.where(np.isfinite(first) & data.enrolled, first, np.nan)


def _own_last_day(data: TrialData, endpoint: Endpoint) -> Array:
    """Return (R, n) each patient's own day of the endpoint's visit; where it was missed the end of its window."""
    visit_day = data.day[:, :, data.visit(endpoint_visit(data.protocol, endpoint))].astype(float)
    return np.where(np.isfinite(visit_day), visit_day, _last_day(data.protocol, endpoint))


def _disposed(data: TrialData, how: str) -> Array:
    """Return (R, n) day on which patients left in one way; NaN for all others."""
    return np.where(data.disposition == DISPOSITIONS.index(how), data.disposition_day, np.nan).astype(float)


def outside_stratum(data: TrialData, endpoint: Endpoint) -> np.ndarray:
    """Return (R, n) who had an event, up to the endpoint's visit, by which an endpoint's principal stratum is defined.

    What is seen is what happened in a patient's own group; who is in the stratum depends on both groups, which the simulation alone knows.
    """
    outside = np.zeros(data.member.shape, dtype=bool)
    rules = endpoint.intercurrent
    for strategy, day in ((rules.rescue, data.rescued.astype(float)), (rules.death, _disposed(data, "died"))):
        if strategy == "principal stratum":
            outside |= day <= _own_last_day(data, endpoint)
    return outside


def courses(data: TrialData, endpoint: Endpoint) -> tuple[Array, Array, np.ndarray]:
    """Return what models of all visits compare, up to the visit of an endpoint.

    Returns
    -------
    values, base, visits
        (R, n, m) changes from baseline on the scale of the endpoint; (R, n) baseline on that of the quantity; (m,) which visits.
    """
    name, last = endpoint_code(endpoint), data.visit(endpoint_visit(data.protocol, endpoint))
    visits = np.flatnonzero((data.days > 0) & (np.arange(len(data.days)) <= last))
    values = _changes(data, endpoint)[:, :, visits]
    values = np.where(outside_stratum(data, endpoint)[:, :, None], np.nan, values)
    return values, data.quantity(name).forward(data.base[name].astype(float)), visits


def _changes(data: TrialData, endpoint: Endpoint) -> Array:
    """Return (R, n, V) changes from baseline, or logarithms of ratios where the endpoint asks for them."""
    name, strategy = endpoint_code(endpoint), _strategy(endpoint)
    if endpoint.summary == "ratio" and data.quantity(name).link != "log":
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio: Array = np.log(data.aval(name, strategy).astype(float) / data.base[name].astype(float)[:, :, None])
        return ratio
    return np.asarray(data.change(name, strategy), dtype=float)


def hierarchy(data: TrialData, endpoint: Endpoint) -> tuple[Array, np.ndarray]:
    """Return (R, n) score (higher is better) and component of the kidney hierarchical endpoint, up to the visit of an endpoint."""
    score, component = kidney_hierarchy(*_hierarchy_inputs(data, endpoint))
    return np.where(data.enrolled, score, np.nan), component


def hierarchy_values(data: TrialData, endpoint: Endpoint) -> list[Array]:
    """Return (R, n) the day of each component of the hierarchy in its order, NaN without, and last the slope."""
    events, slope = kidney_outcomes(*_hierarchy_inputs(data, endpoint))
    return [*events, slope]


def _hierarchy_inputs(data: TrialData, endpoint: Endpoint) -> tuple[Array, Array, Array, Array]:
    last = _last_day(data.protocol, endpoint)
    visit = data.visit(endpoint_visit(data.protocol, endpoint))
    after = (data.days > 0) & (np.arange(len(data.days)) <= visit)
    values = data.aval("EGFR", _strategy(endpoint))[:, :, after].astype(float)
    course = np.concatenate([data.base["EGFR"].astype(float)[..., None], values], -1)
    died, failed = (
        np.where(day <= last, day, np.nan) for day in (_disposed(data, "died"), _kidneys_failed(data, endpoint))
    )
    return np.concatenate([[0.0], data.days[after]]), course, died, failed


def _change(data: TrialData, endpoint: Endpoint) -> Array:
    name, v = endpoint_code(endpoint), data.visit(endpoint_visit(data.protocol, endpoint))
    strategy = _strategy(endpoint)
    if endpoint.summary in SLOPES:
        after = (data.days > 0) & (np.arange(len(data.days)) <= v)
        values = data.quantity(name).forward(data.aval(name, strategy)[:, :, after].astype(float))
        base = data.quantity(name).forward(data.base[name].astype(float))
        course = np.concatenate([base[..., None], values], -1)
        until = 0.0 if endpoint.summary == "slope" else endpoint.acute_days
        slopes = patient_slopes(np.concatenate([[0.0], data.days[after]]), course, until)
        return {"slope": slopes.total, "chronic slope": slopes.chronic, "acute change": slopes.acute}[endpoint.summary]
    changes = _changes(data, endpoint)
    if endpoint.summary == "crossover":
        # Sequences differ by the effect in the first period, and by minus the effect in the second.
        return np.asarray((changes[:, :, data.visit(endpoint.first)] - changes[:, :, v]) / 2)
    return changes[:, :, v]


def _response(data: TrialData, endpoint: Endpoint) -> Array:
    """Return (R, n) 1 for a response, 0 for none; where both a threshold and a percentage are given, both must be met."""
    name, v = endpoint_code(endpoint), data.visit(endpoint_visit(data.protocol, endpoint))
    if endpoint.outcome is not None:
        return _outcome_response(data, endpoint)
    value = data.aval(name, _strategy(endpoint))[:, :, v].astype(float)
    base = data.base[name].astype(float)
    lower = endpoint.better == "lower"
    bounds = response_bounds(endpoint, base)
    bound = np.minimum.reduce(bounds) if lower else np.maximum.reduce(bounds)
    with np.errstate(invalid="ignore"):
        reached = value <= bound if lower else value >= bound
    return np.where(np.isfinite(value) & np.isfinite(bound), reached, np.nan)


def _outcome_response(data: TrialData, endpoint: Endpoint) -> Array:
    """Return (R, n) 1 where an outcome has come by the visit, 0 where not; NaN for those who left before without it."""
    last = float(data.days[data.visit(endpoint_visit(data.protocol, endpoint))])
    reached = np.isfinite(_first_outcome(data, endpoint, last))
    watched = reached | ~(data.disposition_day < last)
    return np.where(watched & data.enrolled, reached, np.nan)


#: eGFR (mL/min/1.73m2) at which kidneys have failed, which counts wherever a fall by a percentage is the event (KDIGO 2024: G5).
KIDNEY_FAILURE = 15.0


def times(data: TrialData, endpoint: Endpoint) -> tuple[Array, np.ndarray]:
    """Return (R, n) day and indicator of the event of a time-to-event endpoint: a bound crossed and confirmed, up to its visit.

    The sign of the percentage says whether the event is a fall or a rise; without one it is the change for the worse. Of a
    threshold and a percentage whichever is crossed first is the event; a fall of eGFR by a percentage goes with kidney failure
    (15 mL/min/1.73m2) unless the endpoint has a threshold of its own. Who is beyond the bound at baseline is not at risk: the day
    is NaN, and there is no event.

    Outcomes such as death are dated by day and need no confirmation; those who leave without one are watched until then, and
    everybody at risk at enrolment. Of a composite the first component counts.

    An intercurrent event under the composite strategy is an event on its own day; where the event is an improvement, it never
    comes to those who failed before, and they stay at risk to the last day.
    """
    name, v = endpoint_code(endpoint), data.visit(endpoint_visit(data.protocol, endpoint))
    if endpoint.outcome is not None:
        time, event = _outcome_times(data, endpoint, float(data.days[v]))
        outside = outside_stratum(data, endpoint)
        return np.where(outside, np.nan, time), event & ~outside
    after = (data.days > 0) & (np.arange(len(data.days)) <= v)
    days = np.concatenate([[0.0], data.days[after]])
    base, later = data.base[name].astype(float), data.aval(name, _strategy(endpoint))[:, :, after].astype(float)
    values = np.concatenate([base[..., None], later], -1)
    falls = _falls(endpoint)
    bounds = response_bounds(endpoint, base)
    bound = np.fmax.reduce(bounds) if falls else np.fmin.reduce(bounds)
    if name == "EGFR" and falls and endpoint.threshold is None:
        bound = np.maximum(bound, KIDNEY_FAILURE)
    # Turned so that crossing is a fall below a bound.
    sign = 1.0 if falls else -1.0
    time, event = survival.crossing(days, sign * values, sign * bound)
    if name == "EGFR" and falls:
        # Whose kidneys fail between two visits has no further value, yet the event is known.
        time, event = survival.sooner(time, event, np.ceil(_kidneys_failed(data, endpoint)))
    if endpoint.also:
        time, event = survival.sooner(
            time, event, np.ceil(_first_outcome(data, endpoint, _last_day(data.protocol, endpoint)))
        )
    # Events that are known without a visit are dated by whole days.
    failed = np.ceil(failures(data, endpoint))
    if better(endpoint) > 0:
        first = np.isfinite(failed) & ~(event & (time <= failed))
        time, event = np.where(first, days[-1], time), event & ~first
    else:
        time, event = survival.sooner(time, event, failed)
    with np.errstate(invalid="ignore"):
        beyond = (sign * base <= sign * bound) | outside_stratum(data, endpoint)
    return np.where(beyond, np.nan, time), event & ~beyond


def _outcome_times(data: TrialData, endpoint: Endpoint, last: float) -> tuple[Array, np.ndarray]:
    """Return day and indicator of an outcome up to the day `last`, by days; those who leave without it are watched until then."""
    day, failed = _first_outcome(data, endpoint, last), failures(data, endpoint)
    if endpoint.outcome in IMPROVEMENTS:
        day = np.where(failed <= day, np.nan, day)
    else:
        day = np.fmin(day, np.where(failed <= last, failed, np.nan))
    left = np.fmin(data.disposition_day.astype(float), last)
    event = np.isfinite(day)
    time = np.ceil(np.where(event, day, np.where(np.isfinite(left), left, last)))
    return np.where(data.enrolled, time, np.nan), event & data.enrolled


def _first_outcome(data: TrialData, endpoint: Endpoint, last: float) -> Array:
    """Return (R, n) day of the first outcome of an endpoint up to a day; NaN without, and after rescue where that ends counting."""
    day = np.fmin.reduce([data.outcome_day(name) for name in endpoint.composite])
    counts = day <= last
    if _strategy(endpoint) != "treatment policy":
        counts &= ~(day > data.rescued)
    return np.where(counts, day, np.nan)


def death_times(data: TrialData, endpoint: Endpoint) -> Array:
    """Return (R, n) day of a death that competes with the event of an endpoint; NaN without, and where death is part of the event."""
    if endpoint.intercurrent.death == "composite":
        return np.full(data.member.shape, np.nan)
    rival = data.disposition == DISPOSITIONS.index("died")
    for cause in {cause for name in endpoint.composite for cause in OUTCOMES.get(name, ())} & set(DEATHS):
        rival = rival & np.isnan(data.outcome_days[cause])
    return np.where(rival, data.disposition_day, np.nan).astype(float)


def _kidneys_failed(data: TrialData, endpoint: Endpoint) -> Array:
    """Return (R, n) day of kidney failure up to the endpoint's visit; NaN without, and after rescue under another strategy."""
    day = data.kidney_failure.astype(float)
    counts = day <= _last_day(data.protocol, endpoint)
    if _strategy(endpoint) != "treatment policy":
        counts &= ~(day > data.rescued)
    return np.where(counts, day, np.nan)


def has_comparator(design: Design) -> bool:
    """Whether a design has something to compare with."""
    return len(design.arms) > 1
