"""The true value of what an endpoint asks for, from the counterfactual; how far estimates are from it; and false positives without any difference.

The estimand (ICH E9 R1) is the treatments of two arms, the people who are enrolled, the variable, the strategies for what happens after enrolment, and the
summary. Its true value is that summary of the same people under the one arm and under the other, with the same random numbers, nobody lost and no visit missed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..analysis import endpoints
from ..analysis.controlled import analyse
from ..analysis.estimators import Array, Estimate
from ..conduct.counterfactuals import Counterfactuals, side_by_side
from .power_analysis import Rate, rate
from .test_rules import rule_of

if TYPE_CHECKING:
    from ..analysis.endpoints import Comparison
    from ..conduct.trial_data import TrialData
    from ..protocol.endpoint_keys import Endpoint

#: What is compared by the mean over patients of what each would gain.
_MEANS = ("difference", "risk difference")


@dataclass(frozen=True)
class TrueEstimand:
    """The true value of an estimand under each set of parameters (D,), and its Monte Carlo error, on the scale of the estimate."""

    values: Array
    error: float

    @property
    def mean(self) -> float:
        """Mean over the sets of parameters."""
        return float(self.values.mean())

    def of(self, replicates: int) -> Array:
        """Return (R,) the true value of each replicate, by its set of parameters."""
        return self.values[np.arange(replicates) % len(self.values)]


@dataclass(frozen=True)
class EstimatorErrors:
    """How an analysis does against the true estimand: mean error with its Monte Carlo error, and share of intervals that hold it."""

    bias: float
    error: float
    coverage: Rate


def why_no_truth(endpoint: Endpoint) -> str:
    """Return why an endpoint has no true value that the simulation knows; empty where it has one."""
    rules = endpoint.intercurrent
    composite = "composite" in (rules.rescue, rules.drop_out, rules.death, rules.kidney_failure)
    if composite and endpoint.summary not in ("responders", "time to event"):
        return "the worst outcome of a trial, which stands for failures, is no property of a patient"
    return ""


def true_estimand(
    behind: Counterfactuals, endpoint: Endpoint, comparison: Comparison, stratum: str | None = None
) -> TrueEstimand | None:
    """Return the true value of what an endpoint asks for; None where there is none, see `why_no_truth`.

    Means are over what each patient would gain, of those with a value under either arm; ratios, wins and times are those of everybody under
    the one arm beside everybody under the other, by the endpoint's own analysis.

    Parameters
    ----------
    stratum
        Of whom it is the truth; everybody by default.
    """
    if comparison.control is None or why_no_truth(endpoint):
        return None
    rules = endpoint.intercurrent
    rescue, leaving = rules.rescue != "hypothetical", rules.drop_out == "composite"
    first, second = (behind.everybody(arm, rescue, leaving) for arm in (comparison.treated, comparison.control))
    if stratum is not None:
        first, second = (_of_stratum(data, stratum) for data in (first, second))
    return true_value(first, second, endpoint, comparison, max(behind.pool.draws, 1))


def _of_stratum(data: TrialData, stratum: str) -> TrialData:
    """Return a trial with the patients of one stratum alone."""
    from dataclasses import replace

    there = data.stratum == data.strata.index(stratum)
    return replace(data, member=np.where(there, data.member, -1))


def true_value(
    first: TrialData, second: TrialData, endpoint: Endpoint, comparison: Comparison, sets: int
) -> TrueEstimand | None:
    """Return the true value from the trial in which all get the treatment, and the one in which all get the control.

    Parameters
    ----------
    sets
        Sets of parameters; replicate r has set r modulo their number.
    """
    if endpoint.measure in _MEANS and endpoint.summary != "time to event":
        gain = endpoints.outcome(first, endpoint) - endpoints.outcome(second, endpoint)
        gain = np.where(first.enrolled & second.enrolled, gain, np.nan)
        means = [_mean(row) for row in gain]
        return _by_set(np.array(means), sets)
    values, errors = [], []
    outside = endpoints.outside_stratum(first, endpoint) | endpoints.outside_stratum(second, endpoint)
    for k in range(sets):
        rows = np.arange(k, first.replicates, sets)
        both = side_by_side(
            _within(first, rows, outside), _within(second, rows, outside), comparison.treated, str(comparison.control)
        )
        estimate = analyse(both, endpoint, comparison)
        values.append(float(estimate.effect[0]))
        errors.append(float(estimate.standard_error[0]))
    if not np.isfinite(values).all():
        return None
    return TrueEstimand(np.array(values), float(np.sqrt(np.mean(np.square(errors)))))


def _within(data: TrialData, rows: np.ndarray, outside: np.ndarray) -> TrialData:
    """Return some replicates with the patients of the principal stratum alone."""
    from dataclasses import replace

    return replace(data.select(rows), member=np.where(outside[rows], -1, data.member[rows]))


def _mean(values: Array) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else math.nan


def _by_set(means: Array, sets: int) -> TrueEstimand | None:
    which = np.arange(len(means)) % sets
    groups = [means[(which == k) & np.isfinite(means)] for k in range(sets)]
    if not all(len(group) for group in groups):
        return None
    scatter = [float(group.var(ddof=1)) / len(group) for group in groups if len(group) > 1]
    error = math.sqrt(sum(scatter)) / len(groups) if scatter else math.nan
    return TrueEstimand(np.array([group.mean() for group in groups]), error)


def estimator_errors(estimate: Estimate, truth: TrueEstimand) -> EstimatorErrors:
    """Return mean error and coverage of estimates (R,) of a true estimand."""
    true = truth.of(len(estimate.effect))
    finite = np.isfinite(estimate.effect)
    miss = estimate.effect[finite] - true[finite]
    inside = np.where(np.isfinite(estimate.low), (estimate.low <= true) & (true <= estimate.high), np.nan)
    spread = float(miss.std(ddof=1)) / math.sqrt(len(miss)) if len(miss) > 1 else math.nan
    bias = float(miss.mean()) if len(miss) else math.nan
    return EstimatorErrors(bias, math.hypot(spread, truth.error), rate(inside))


def false_positives(
    behind: Counterfactuals, endpoint: Endpoint, comparison: Comparison, first: bool = True
) -> Rate | None:
    """Return the share of trials that are significant though the arms do not differ: type I error of superiority; None otherwise.

    Parameters
    ----------
    first
        Whether it is the first scenario of the design; of others it is known already, unless the control has cells.
    """
    rule = rule_of(behind.protocol.endpoints, endpoint)
    if not first and comparison.control is not None and behind.protocol.arms[comparison.control].cells is None:
        return None
    if comparison.control is None or rule.objective != "superiority":
        return None
    data = behind.without_difference(comparison.treated, comparison.control)
    return rate(rule.significant(analyse(data, endpoint, comparison, level=rule.level)))


#: Columns of result tables about the true estimand.
COLUMNS = ("estimand", "bias", "error_of_bias", "coverage", "coverage_low", "coverage_high")


def estimand_columns(
    behind: Counterfactuals, endpoint: Endpoint, comparison: Comparison, estimate: Estimate
) -> dict[str, float]:
    """Return true value, bias and coverage as columns of result tables; NaN where there is no true value."""
    truth = true_estimand(behind, endpoint, comparison)
    if truth is None:
        return dict.fromkeys(COLUMNS, math.nan)
    errors = estimator_errors(estimate, truth)
    coverage = errors.coverage
    values = (truth.mean, errors.bias, errors.error, coverage.value, coverage.low, coverage.high)
    return dict(zip(COLUMNS, values, strict=True))
