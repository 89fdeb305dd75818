"""Trials that are looked at before their end: when each look comes, what it finds, and where the trial stops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..analysis.controlled import analyse
from ..analysis.estimators import Array, Estimate
from ..designs.final_inference import FinalInference, final_inference, repeated_interval
from ..designs.sequential_design import SequentialDesign
from ..protocol.look_design import counts_of_looks, look_design
from .look_data import days_of_events, enrolment_days, judged_day, known_at
from .test_rules import TestRule, rule_of

if TYPE_CHECKING:
    from ..analysis.endpoints import Comparison
    from ..conduct.trial_data import TrialData

#: Z of a p value that is 0 to the computer.
_FARTHEST = 37.0
#: Days by which rounding may miss the end of a window.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class LookedTrials:
    """Replicates (R) of a design with K looks.

    Attributes
    ----------
    design, rule
        Boundaries, and how the endpoint is tested.
    effect, error, z
        (R, K) estimate and standard error at each look, and z in the good direction; NaN where a look was not held or there was nothing to test.
    day, enrolled, analysed, events
        (R, K) day from the opening of the trial, patients enrolled by then, patients analysed, and events known; infinite days and NaN
        where a look was not held.
    stopped
        (R,) look at which each trial stops, from 0.
    rejected, harmful, futile
        (R,) whether it stops there with the null rejected in the good direction, in the other one, or below a boundary of futility.
    """

    design: SequentialDesign
    rule: TestRule
    effect: Array
    error: Array
    z: Array
    day: Array
    enrolled: Array
    analysed: Array
    events: Array
    stopped: NDArray[np.intp]
    rejected: NDArray[np.bool_]
    harmful: NDArray[np.bool_]
    futile: NDArray[np.bool_]

    def at_stop(self, values: Array) -> Array:
        """Return (R,) what values (R, K) are at the look at which each trial stops."""
        return np.asarray(np.take_along_axis(values, self.stopped[:, None], 1)[:, 0])

    @property
    def claimed(self) -> NDArray[np.bool_]:
        """(R,) whether the null is rejected, in either direction."""
        return np.asarray(self.rejected | self.harmful)

    def inference(self, level: float = 0.95) -> FinalInference:
        """Return p, median-unbiased estimate and interval (R,) that know of the looks, on the scale and in the direction of the estimate.

        Trials without an estimate have NaN. The standard error is the one that the z of the test implies, where it differs from that of the estimate.

        Parameters
        ----------
        level
            Of the interval.
        """
        effect, error, z = (self.at_stop(values) for values in (self.effect, self.error, self.z))
        sign, null = self.rule.better, self.rule.null
        gain, error, able = self._tested(effect, error, z)
        p, middle, low, high = (np.full(len(gain), np.nan) for _ in range(4))
        if able.any():
            got = final_inference(self.design, self.stopped[able] + 1, gain[able], error[able], null=null, level=level)
            p[able], middle[able] = got.p, sign * got.estimate
            low[able], high[able] = (got.low, got.high) if sign > 0 else (-got.high, -got.low)
        return FinalInference(p, middle, low, high)

    def repeated(self) -> tuple[Array, Array]:
        """Return the repeated interval (R,) at the stop, which holds whatever made the trial stop, on the scale and in the direction of the estimate."""
        effect, error, z = (self.at_stop(values) for values in (self.effect, self.error, self.z))
        gain, error, able = self._tested(effect, error, z)
        low, high = np.full(len(gain), np.nan), np.full(len(gain), np.nan)
        if able.any():
            low[able], high[able] = repeated_interval(self.design, self.stopped[able] + 1, gain[able], error[able])
        return (low, high) if self.rule.better > 0 else (-high, -low)

    def _tested(self, effect: Array, error: Array, z: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Return gains, the errors that their tests imply, and where there are both."""
        gain = self.rule.better * effect
        with np.errstate(divide="ignore", invalid="ignore"):
            implied = (gain - self.rule.null) / z
            error = np.where(np.isfinite(implied) & (implied > 0), implied, error)
            return gain, error, np.isfinite(gain) & np.isfinite(z) & (error > 0)


def looked_trials(data: TrialData, comparison: Comparison) -> LookedTrials:
    """Return the trials of a design as its looks stop them.

    Parameters
    ----------
    data
        Every replicate, as if nobody had looked.

    Raises
    ------
    ConfigError
        The looks do not make a design.
    """
    protocol, endpoint = data.protocol, data.protocol.endpoints.primary
    looks = protocol.designs[data.design].looks
    assert looks is not None
    rule = rule_of(protocol.endpoints, endpoint)
    design = look_design(looks, protocol.endpoints.alpha, protocol.endpoints.sides, rule.objective == "superiority")
    enrolment = enrolment_days(data)
    event_day = days_of_events(data, endpoint) if looks.events is not None else None
    days = _days_of_looks(design, data, enrolment, event_day, looks.events)
    effect, error, z, analysed = (np.full(days.shape, np.nan) for _ in range(4))
    for k in range(design.looks):
        held = np.isfinite(days[:, k])
        if not held.any():
            continue
        part = _as_known(data, enrolment, days[:, k])
        estimate = analyse(part, endpoint, comparison, level=rule.level)
        effect[:, k], error[:, k] = (np.where(held, x, np.nan) for x in (estimate.effect, estimate.standard_error))
        z[:, k] = np.where(held, _good_z(rule, estimate), np.nan)
        analysed[:, k] = np.where(held, estimate.n, np.nan)
    enrolled = _counted(enrolment, days)
    events = np.full(days.shape, np.nan) if event_day is None else _counted(enrolment + event_day, days)
    stopped, flags = _stops(design, z)
    return LookedTrials(design, rule, effect, error, z, days, enrolled, analysed, events, stopped, *flags)


def _as_known(data: TrialData, enrolment: Array, days: Array) -> TrialData:
    with np.errstate(invalid="ignore"):
        followed = np.where(np.isfinite(days), days, -1.0)[:, None] - enrolment + _ROUNDING
    return known_at(data, data.protocol.endpoints.primary, followed)


def _good_z(rule: TestRule, estimate: Estimate) -> Array:
    """Return z (R,) of the test in the good direction, from its p value."""
    from scipy.special import ndtri

    if rule.objective == "superiority":
        # From the smaller tail, which keeps its digits.
        size = -ndtri(np.clip(estimate.p / 2, 0.0, 0.5))
        return np.asarray(np.clip(np.sign(estimate.effect) * rule.better * size, -_FARTHEST, _FARTHEST))
    return np.asarray(np.clip(-ndtri(rule.p(estimate)), -_FARTHEST, _FARTHEST))


def _days_of_looks(
    design: SequentialDesign, data: TrialData, enrolment: Array, event_day: Array | None, events: int | None
) -> Array:
    """Return (R, K) day of each look from the opening of the trial; infinite where it comes to no look before the last.

    A look comes when its share of the patients enrolled has reached the end of the window of the endpoint's visit, or when its share of the
    events is known. The last comes at the end of the trial, or with the last event that it waits for.
    """
    endpoint = data.protocol.endpoints.primary
    over = np.sort(enrolment + judged_day(data.protocol, endpoint), axis=1)
    places = data.enrolled.sum(axis=1)
    end = np.take_along_axis(over, np.maximum(places - 1, 0)[:, None], 1)[:, 0]
    if event_day is None or events is None:
        rows = [counts_of_looks(design.information, int(n)) - 1 for n in np.maximum(places, 1)]
        return np.take_along_axis(over, np.array(rows), 1)
    happened = np.sort(enrolment + event_day, axis=1)
    counts = counts_of_looks(design.information, min(events, happened.shape[1])) - 1
    days = happened[:, counts]
    days[:, -1] = np.minimum(days[:, -1], end)
    # A look that would come after the end is the end.
    days[:, :-1] = np.where(days[:, :-1] < days[:, -1:], days[:, :-1], np.inf)
    return days


def _counted(when: Array, days: Array) -> Array:
    """Return (R, K) how many of (R, n) days are over by each look; NaN where it was not held."""
    with np.errstate(invalid="ignore"):
        over = (when[:, :, None] <= days[:, None, :]).sum(axis=1)
    return np.where(np.isfinite(days), over, np.nan)


def _stops(
    design: SequentialDesign, z: Array
) -> tuple[NDArray[np.intp], tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]]:
    """Return the look at which each trial stops, and whether it stops for benefit, for harm, or for futility."""
    last = design.looks - 1
    with np.errstate(invalid="ignore"):
        above = z >= np.array(design.efficacy)
        beyond = z <= -np.array(design.efficacy) if design.sides == 2 else np.zeros(z.shape, dtype=bool)
        below = z <= np.array(design.futility) if design.has_futility else np.zeros(z.shape, dtype=bool)
    below[:, last] = False
    crossed = above | beyond | below
    crossed[:, last] = True
    stopped = crossed.argmax(axis=1)
    rows = np.arange(len(z))
    return stopped, (above[rows, stopped], beyond[rows, stopped], below[rows, stopped])
