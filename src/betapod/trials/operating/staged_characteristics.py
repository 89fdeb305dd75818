"""What adaptations do to a trial: what it claims and how often wrongly, patients and time, bias of what was selected."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..analysis.estimators import Array
from ..conduct.counterfactuals import Counterfactuals
from ..designs.combination_tests import FisherDesign
from ..designs.sequential_design import SequentialDesign
from .allocated_trials import allocated_trials
from .estimands import TrueEstimand, true_estimand
from .event_stages import event_staged_trials
from .look_numbers import finite_mean, share_columns, share_holding
from .power_analysis import rate
from .resized_trials import resized_trials
from .stage_estimates import AdaptedEstimates
from .staged_trials import StagedTrials, everybody_alike, staged_trials

if TYPE_CHECKING:
    from ..conduct.trial_data import TrialData
    from ..protocol.look_keys import Looks


def staged_row(data: TrialData, first: bool = True) -> dict[str, Any]:
    """Return the document of a design whose stages are tested apart, like those of `look_characteristics.look_rows`, with its claims.

    Parameters
    ----------
    data
        Every replicate, with all patients that the design can enrol.
    first
        Whether it is the first scenario of the design, whose type I error is that of all where the control has no cells.
    """
    looks = data.protocol.designs[data.design].looks
    assert looks is not None
    trials = adapted_trials(data)
    pair = trials.claims[0].comparison
    told_already = not first and data.protocol.arms[str(pair.control)].cells is None
    null = None if told_already else adapted_trials(everybody_alike(data))
    design = trials.design if isinstance(trials.design, SequentialDesign) else None
    sets = max(data.pool.draws, 1)
    any_claim = np.asarray(trials.rejected.any(-1))
    power = [float(any_claim[k::sets].mean()) for k in range(sets)]
    return {
        "design": data.design,
        "scenario": data.scenario,
        "treated": ", ".join(dict.fromkeys(claim.comparison.treated for claim in trials.claims)),
        "control": pair.control,
        "boundaries": _title(looks, trials),
        "adapts": adaptation_in_words(looks),
        "alpha": trials.design.alpha,
        "sides": 1,
        "futility": "" if design is None or not design.has_futility else design.futility_family,
        "binding": design is not None and design.binding,
        **share_columns("power", rate(any_claim)),
        "power_without_looks": float(trials.fixed.mean()),
        **share_columns("type_one", None if null is None else rate(null.rejected.any(-1))),
        "patients_at_end": float(trials.enrolled[:, -1].max()) if looks.resize else float(data.enrolled.sum(1).mean()),
        "expected_patients": finite_mean(trials.at_stop(trials.enrolled)),
        "expected_patients_null": math.nan if null is None else finite_mean(null.at_stop(null.enrolled)),
        "days_at_end": float(trials.day[:, -1].max()) if looks.resize else finite_mean(trials.day[:, -1]),
        "expected_days": finite_mean(trials.at_stop(trials.day)),
        "parameter_sets": float(sets),
        "power_lowest_of_sets": min(power) if sets > 1 else math.nan,
        "power_highest_of_sets": max(power) if sets > 1 else math.nan,
        "naive": _compared(trials),
        "naive_false": math.nan if null is None else _compared(null),
        "fisher": design is None,
        "claims": _claims(data, trials, null),
        "looks": _looks(trials, null),
    }


def adapted_trials(data: TrialData) -> StagedTrials:
    """Return the trials of a design as what adapts at its looks makes them; see `staged_trials` and `resized_trials`."""
    looks = data.protocol.designs[data.design].looks
    if looks is not None and looks.allocate is not None:
        return allocated_trials(data)
    if looks is not None and looks.resize is not None:
        return resized_trials(data)
    return event_staged_trials(data) if looks is not None and looks.events is not None else staged_trials(data)


def adaptation_in_words(looks: Looks) -> str:
    """Return what may change at a look, in words."""
    if looks.select is not None:
        of = {
            "best": f"the best {looks.select.count} of the arms" if looks.select.count > 1 else "the best arm",
            "within": f"arms within {looks.select.margin:g} of the best",
            "above": f"arms with at least {looks.select.margin:g}",
            "all": "all arms",
        }
        return f"{of[looks.select.rule]} and the control go on; {looks.intersections} test"
    if looks.enrich is not None:
        return f"all patients or {looks.enrich.stratum} alone go on; {looks.intersections} test"
    if looks.allocate is not None:
        return f"{looks.allocate.blocks} blocks, allocated by the chance of each arm to be the best; {looks.intersections} test"
    if looks.resize is not None:
        return f"size set anew by {looks.resize.rule if looks.resize.rule != 'blinded' else 'the scatter of outcomes, blinded'}"
    return "stages are tested apart"


def _title(looks: Looks, trials: StagedTrials) -> str:
    if looks.allocate is not None or (looks.resize is not None and looks.resize.rule == "blinded"):
        return "one test at the end"
    if isinstance(trials.design, FisherDesign):
        return "Fisher's combination of stages"
    return f"inverse normal combination, {trials.design.title}"


def _claims(data: TrialData, trials: StagedTrials, null: StagedTrials | None) -> list[dict[str, Any]]:
    behind, adapted = Counterfactuals(data), trials.adapted()
    rows = []
    for c, claim in enumerate(trials.claims):
        estimand = true_estimand(behind, behind.protocol.endpoints.primary, claim.comparison, claim.stratum)
        truth = math.nan if estimand is None else estimand.mean
        rows.append(
            {
                "claim": claim.words,
                **share_columns("rejected", rate(trials.rejected[:, c])),
                "false": math.nan if null is None else float(null.rejected[:, c].mean()),
                "went_on": float(trials.went_on[:, -1, c].mean()),
                "share": finite_mean(trials.share[:, c]) if trials.share is not None else math.nan,
                "estimate": finite_mean(trials.effect[:, c]),
                "estimand": truth,
                "bias": finite_mean(trials.effect[:, c]) - truth,
                "bias_of_claimed": finite_mean(trials.effect[trials.rejected[:, c], c]) - truth,
                **_adapted_columns(trials, adapted, c, estimand),
            }
        )
    return rows


def _adapted_columns(
    trials: StagedTrials, adapted: AdaptedEstimates, c: int, estimand: TrueEstimand | None
) -> dict[str, float]:
    """Return what estimates of a claim that know of the adaptation are worth, beside the plain interval."""
    middle = adapted.middle[:, c]
    true = np.full(len(middle), math.nan) if estimand is None else estimand.of(len(middle))
    intervals = {
        "coverage": (trials.low[:, c], trials.high[:, c]),
        "coverage_adjusted": (adapted.low[:, c], adapted.high[:, c]),
        "coverage_repeated": (adapted.repeated_low[:, c], adapted.repeated_high[:, c]),
    }
    columns = {
        "estimate_median_unbiased": finite_mean(middle),
        "bias_median_unbiased": finite_mean(middle - true),
        "above_truth": _above(trials.effect[:, c], true),
        "above_truth_median_unbiased": _above(middle, true),
    }
    for name, ends in intervals.items():
        columns |= share_columns(name, None if estimand is None else share_holding(*ends, true))
    return columns


def _above(estimates: Array, true: Array) -> float:
    finite = np.isfinite(estimates - true)
    return float((estimates > true)[finite].mean()) if finite.any() else math.nan


def _looks(trials: StagedTrials, null: StagedTrials | None) -> list[dict[str, float]]:
    design = trials.design
    any_claim = np.asarray(trials.rejected.any(-1))
    count = trials.day.shape[1]
    if isinstance(design, FisherDesign):
        information = [(k + 1) / count for k in range(count)]
        efficacy, spent = list(design.critical), list(design.spent)
    else:
        single = design.looks == 1 and count == 2
        information = [math.nan, 1.0] if single else list(design.information)
        efficacy = [math.nan, *design.efficacy] if single else list(design.efficacy)
        spent = [0.0, *design.spent] if single else list(design.spent)
    rows = []
    for k in range(count):
        here = trials.stopped == k
        early = k + 1 < count
        rows.append(
            {
                "look": float(k + 1),
                "information": information[k],
                "efficacy": efficacy[k],
                "futility": design.futility[k]
                if not isinstance(design, FisherDesign) and design.has_futility and early
                else math.nan,
                "spent": spent[k],
                "trial_day": finite_mean(trials.day[:, k]),
                "enrolled": finite_mean(trials.enrolled[:, k]),
                "analysed": finite_mean(trials.analysed[:, k]),
                "events": math.nan if trials.events is None else finite_mean(trials.events[:, k]),
                "held": float((trials.stopped >= k).mean()),
                "information_seen": math.nan,
                "z_median": math.nan,
                "z_low": math.nan,
                "z_high": math.nan,
                "stopped_benefit": float((here & any_claim).mean()),
                "stopped_harm": 0.0,
                "stopped_futile": float((here & ~any_claim).mean()) if early else 0.0,
                "false_stops": math.nan
                if null is None
                else float(((null.stopped == k) & null.rejected.any(-1)).mean()),
            }
        )
    return rows


def _compared(trials: StagedTrials) -> float:
    return float(trials.compared["naive"].mean()) if "naive" in trials.compared else math.nan
