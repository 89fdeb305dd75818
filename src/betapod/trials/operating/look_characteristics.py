"""What looks do to a trial: power, type I error, patients and time that they cost, where trials stop, and what estimates are worth then."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..analysis.endpoints import Comparison, comparisons
from ..analysis.estimators import Array
from ..conduct.counterfactuals import Counterfactuals
from .estimands import TrueEstimand, true_estimand
from .look_numbers import finite_mean, share_columns, share_holding
from .looked_trials import LookedTrials, looked_trials
from .power_analysis import rate
from .staged_characteristics import staged_row

if TYPE_CHECKING:
    from ..conduct.trial_data import TrialData

#: Columns of `look_rows`, one row per look.
LOOK_COLUMNS = (
    "look", "information", "efficacy", "futility", "spent", "trial_day", "enrolled", "analysed", "events", "held",
    "information_seen", "z_median", "z_low", "z_high", "stopped_benefit", "stopped_harm", "stopped_futile", "false_stops",
)  # fmt: skip


def look_rows(data: TrialData, first: bool = True) -> list[dict[str, Any]]:
    """Return a document per comparison of a design that has looks; nothing for others. NaN is what cannot be estimated.

    Parameters
    ----------
    data
        Every replicate, as if nobody had looked.
    first
        Whether it is the first scenario of the design, whose type I error is that of all where the control has no cells.
    """
    looks = data.protocol.designs[data.design].looks
    if looks is None:
        return []
    if looks.staged:
        return [staged_row(data, first)]
    behind = Counterfactuals(data)
    rows = []
    for comparison in comparisons(data.protocol, data.design):
        if comparison.control is None:
            continue
        trials = looked_trials(data, comparison)
        null = _without_difference(behind, comparison, first)
        truth = true_estimand(behind, data.protocol.endpoints.primary, comparison)
        rows.append(
            {
                "design": data.design,
                "scenario": data.scenario,
                "treated": comparison.treated,
                "control": comparison.control,
                **_boundaries(trials),
                **operating_of_looks(trials, null, max(data.pool.draws, 1)),
                **estimates_after_looks(trials, truth),
                "looks": rows_of_looks(trials, null),
            }
        )
    return rows


def _without_difference(behind: Counterfactuals, comparison: Comparison, first: bool) -> LookedTrials | None:
    """Return the trials in which both arms get what the control gets; None where another scenario has told of them already."""
    control = behind.protocol.arms[str(comparison.control)]
    if not first and control.cells is None:
        return None
    return looked_trials(behind.without_difference(comparison.treated, str(comparison.control)), comparison)


def _boundaries(trials: LookedTrials) -> dict[str, Any]:
    design = trials.design
    return {
        "boundaries": design.title,
        "alpha": design.alpha,
        "sides": design.sides,
        "futility": design.futility_family if design.has_futility else "",
        "binding": design.binding,
    }


def operating_of_looks(trials: LookedTrials, null: LookedTrials | None, sets: int = 1) -> dict[str, float]:
    """Return power, type I error, expected patients and days, beside what they are without looks.

    Parameters
    ----------
    null
        The trials without a difference; None where they are told elsewhere.
    sets
        Sets of parameters; replicate r has set r modulo their number. With several, power over all of them is the assurance.
    """
    last = trials.z[:, -1]
    with np.errstate(invalid="ignore"):
        fixed = last >= _single_bound(trials)
    power = [float(trials.rejected[k::sets].mean()) for k in range(sets)]
    return {
        **share_columns("power", rate(trials.rejected)),
        "power_without_looks": float(np.mean(fixed)),
        **share_columns("type_one", rate(null.claimed) if null is not None else None),
        "patients_at_end": finite_mean(trials.enrolled[:, -1]),
        "expected_patients": finite_mean(trials.at_stop(trials.enrolled)),
        "expected_patients_null": math.nan if null is None else finite_mean(null.at_stop(null.enrolled)),
        "days_at_end": finite_mean(trials.day[:, -1]),
        "expected_days": finite_mean(trials.at_stop(trials.day)),
        "parameter_sets": float(sets),
        "power_lowest_of_sets": min(power) if sets > 1 else math.nan,
        "power_highest_of_sets": max(power) if sets > 1 else math.nan,
    }


def _single_bound(trials: LookedTrials) -> float:
    """Return the boundary of one look at the end with the same error."""
    from scipy.special import ndtri

    return float(-ndtri(trials.design.alpha / trials.design.sides))


def estimates_after_looks(trials: LookedTrials, truth: TrueEstimand | None) -> dict[str, float]:
    """Return how far estimates at the stop are from the truth, as they are and made median unbiased, and how often intervals hold it."""
    adjusted = trials.inference(trials.rule.level)
    naive, error = trials.at_stop(trials.effect), trials.at_stop(trials.error)
    answers = {
        "estimate": finite_mean(naive),
        "estimate_at_end": finite_mean(trials.effect[:, -1]),
        "estimate_median_unbiased": finite_mean(adjusted.estimate),
    }
    names = ("estimand", "bias", "error_of_bias", "bias_median_unbiased", "above_truth", "above_truth_median_unbiased")
    kinds = ("coverage", "coverage_adjusted", "coverage_repeated")
    shares = [f"{kind}{end}" for kind in kinds for end in ("", "_low", "_high")]
    if truth is None:
        return answers | dict.fromkeys((*names, *shares), math.nan)
    from scipy.special import ndtri

    true = truth.of(len(naive))
    half = ndtri((1 + trials.rule.level) / 2) * error
    miss = naive - true
    finite = np.isfinite(miss)
    count = int(finite.sum())
    spread = float(miss[finite].std(ddof=1)) / math.sqrt(count) if count > 1 else math.nan
    numbers = (
        truth.mean,
        finite_mean(miss),
        math.hypot(spread, truth.error),
        finite_mean(adjusted.estimate - true),
        _share_of(naive > true, finite),
        _share_of(adjusted.estimate > true, np.isfinite(adjusted.estimate)),
    )
    covered = rate(np.where(np.isfinite(half) & finite, np.abs(miss) <= half, np.nan))
    inside = share_holding(adjusted.low, adjusted.high, true)
    return (
        answers
        | dict(zip(names, numbers, strict=True))
        | share_columns("coverage", covered)
        | share_columns("coverage_adjusted", inside)
        | share_columns("coverage_repeated", share_holding(*trials.repeated(), true))
    )


def rows_of_looks(trials: LookedTrials, null: LookedTrials | None) -> list[dict[str, float]]:
    """Return a row per look with the columns of `LOOK_COLUMNS`: when it comes, what is known by then, and how many trials stop."""
    design = trials.design
    with np.errstate(divide="ignore", invalid="ignore"):
        information = trials.error[:, -1:] ** 2 / trials.error**2
    rows = []
    for k in range(design.looks):
        here = trials.stopped == k
        held = np.isfinite(trials.day[:, k])
        futility = design.futility[k] if design.sides == 1 and k + 1 < design.looks else math.nan
        values = (
            float(k + 1),
            design.information[k],
            design.efficacy[k],
            futility,
            design.spent[k],
            finite_mean(trials.day[:, k]),
            finite_mean(trials.enrolled[:, k]),
            finite_mean(trials.analysed[:, k]),
            finite_mean(trials.events[:, k]),
            float(held.mean()),
            finite_mean(information[:, k]),
            *_quantiles(trials.z[:, k]),
            float((here & trials.rejected).mean()),
            float((here & trials.harmful).mean()),
            float((here & trials.futile).mean()),
            math.nan if null is None else float(((null.stopped == k) & null.claimed).mean()),
        )
        rows.append(dict(zip(LOOK_COLUMNS, values, strict=True)))
    return rows


def _share_of(flags: np.ndarray, able: np.ndarray) -> float:
    return float(flags[able].mean()) if able.any() else math.nan


def _quantiles(values: Array) -> tuple[float, float, float]:
    """Return the median, and the central 95 %, of what is finite."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return math.nan, math.nan, math.nan
    middle, low, high = np.quantile(finite, [0.5, 0.025, 0.975])
    return float(middle), float(low), float(high)
