"""What the columns of a trial report's tables mean, and their units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...trials.conduct.parts_of_change import PARTS
from ..common import words

if TYPE_CHECKING:
    import pandas as pd

_CHANGE = "of the change"
#: Column -> meaning and unit; the unit ``of the change`` is that of the quantity, or of its logarithm.
COLUMNS: Mapping[str, tuple[str, str]] = {
    "design": ("how the trial was run, as named in the protocol", ""),
    "scenario": ("what is supposed of the cells", ""),
    "variant": ("how the trial measures", ""),
    "arm": ("group, as named in the protocol", ""),
    "treated": ("group whose effect is estimated", ""),
    "control": ("group it is compared with; empty: with its own baseline", ""),
    "tests_cells": ("whether one of the groups has cells, and nothing else differs", ""),
    "controlled": ("whether the design has a control group", ""),
    "stratum": ("part of the patients, as named in the protocol; all", ""),
    "role": ("primary or secondary endpoint", ""),
    "endpoint": ("name of the endpoint", ""),
    "quantity": ("short name of what is measured", ""),
    "summary": ("what is compared: change, ratio, a slope, responders, time to event, total, hierarchy", ""),
    "measure": (
        "what the analysis estimates: difference, risk difference, hazard ratio, win odds and so on; ratios as logarithms",
        "",
    ),
    "visit": ("visit at which it is judged", ""),
    "day": ("day from enrolment", "day"),
    "n": ("patients analysed, mean over replicates; in sizes and power: patients randomised", ""),
    "mean": ("mean over replicates; in baseline: mean of the patients", _CHANGE),
    "spread": ("standard deviation over replicates", _CHANGE),
    "sd_chance": ("standard deviation over replicates of one set of parameters, by chance alone", _CHANGE),
    "sd_parameters": (
        "standard deviation between sets of parameters, chance taken out; empty where all have the same",
        _CHANGE,
    ),
    "sd_studies": (
        "standard deviation of what studies of the kind differ by, as the fit has estimated it; empty where nobody knows it",
        _CHANGE,
    ),
    "low_of_all": (
        "95 % interval of chance, parameters and studies together, of those that are there: lower end",
        _CHANGE,
    ),
    "high_of_all": ("its upper end", _CHANGE),
    "lowest_of_sets": ("least mean of the replicates of one set of parameters", _CHANGE),
    "highest_of_sets": ("greatest mean of the replicates of one set of parameters", _CHANGE),
    "parameter_sets": ("sets of parameters", ""),
    "low": ("2.5 % quantile over replicates; in mechanisms: lower quartile of people", _CHANGE),
    "high": ("97.5 % quantile over replicates; in mechanisms: upper quartile of people", _CHANGE),
    "truth": (
        "true effect, mean over patients and replicates, without rescue and the effect of being in a trial; of what: truth_of",
        _CHANGE,
    ),
    "truth_of": (
        "whose true effect: groups (the same patients in the one and the other), cells, treatment (therapies of the one group); "
        "empty: it is not known for such an endpoint",
        "",
    ),
    "estimand": (
        "true value of what the endpoint asks for, by its strategies for events after enrolment; empty where it has none",
        _CHANGE,
    ),
    "bias": ("mean over replicates of the estimate less the true estimand", _CHANGE),
    "error_of_bias": ("its Monte Carlo error", _CHANGE),
    "coverage": ("share of replicates whose interval holds the true estimand", "1"),
    "coverage_low": ("its 95 % interval, lower bound", "1"),
    "coverage_high": ("its 95 % interval, upper bound", "1"),
    "false_positives": ("share of replicates that are significant when the groups get the same (type I error)", "1"),
    "false_positives_low": ("its 95 % interval, lower bound", "1"),
    "false_positives_high": ("its 95 % interval, upper bound", "1"),
    "significant": (
        "share of replicates that are significant as the protocol tests: two-sided p < 0.05 by default",
        "1",
    ),
    "significant_low": ("its 95 % interval, lower bound", "1"),
    "significant_high": ("its 95 % interval, upper bound", "1"),
    "improved": (
        "share of replicates that show what is to be shown: a significant benefit, non-inferiority or equivalence",
        "1",
    ),
    "improved_low": ("its 95 % interval, lower bound", "1"),
    "improved_high": ("its 95 % interval, upper bound", "1"),
    "part": ("part of the observed change", ""),
    "share": (
        "part over the observed mean change; in adverse: share of patients; in mechanisms: Shapley value",
        "1 or of the change",
    ),
    "reported_if_true": ("probability of a significant improvement under the scenario", "1"),
    "reported_if_nothing": ("probability of a significant improvement if cells do no good", "1"),
    "ratio": ("likelihood ratio of a report of improvement", "1"),
    "ratio_low": ("its 95 % interval, lower bound", "1"),
    "ratio_high": ("its 95 % interval, upper bound", "1"),
    "words": ("strength of the evidence in words", ""),
    "typical_result": ("median result under the scenario", _CHANGE),
    "ratio_of_typical": ("likelihood ratio of that result", "1"),
    "belief_from_half": ("probability of the scenario after a report, from 1/2 before", "1"),
    "belief_from_tenth": ("probability of the scenario after a report, from 1/10 before", "1"),
    "replicate": ("number of the replicate shown: the one with the median estimate", ""),
    "patient": ("number of the patient in the trial", ""),
    "base": ("baseline as measured", "of the quantity"),
    "value": ("value as measured at the visit of the primary endpoint", "of the quantity"),
    "change": ("change as measured", _CHANGE),
    "true_effect_of_cells": ("value less that of the same patient without cells", _CHANGE),
    "free": ("share free of the event, all replicates together (Kaplan-Meier)", "1"),
    "one_trial": ("the same in the first replicate", "1"),
    "one_trial_low": ("its 95 % interval, lower bound", "1"),
    "one_trial_high": ("its 95 % interval, upper bound", "1"),
    "at_risk_per_trial": ("patients at risk, mean over replicates", ""),
    "free_share": ("share free of the primary event in the trial shown (Kaplan-Meier)", "1"),
    "free_low": ("its 95 % interval, lower bound", "1"),
    "free_high": ("its 95 % interval, upper bound", "1"),
    "at_risk": ("patients at risk in the trial shown", ""),
    "component": ("the worst that happened to the patient, of the kidney hierarchical endpoint", ""),
    "reached": ("day from enrolment of that event; of the slope of eGFR its value, mL/min/1.73m2 per year", ""),
    "shift": ("what treated patients who left fare better by than they are taken to", _CHANGE),
    "effect_shifted": ("effect of the trial shown with that shift, missing values completed", _CHANGE),
    "effect_low": ("its interval, lower bound", _CHANGE),
    "effect_high": ("its interval, upper bound", _CHANGE),
    "shown": ("whether the trial shown shows the benefit with that shift: 1 or 0", ""),
    "shown_of_trials": ("share of up to 20 replicates that show it", "1"),
    "left": ("treated patients without a value at the visit in the trial shown", ""),
    "event": ("adverse event, name in the model, or outcome", ""),
    "risk_ratio": ("share with the event over that of the control, all replicates together", "1"),
    "risk_ratio_low": ("its 95 % Monte Carlo interval, lower bound", "1"),
    "risk_ratio_high": ("its 95 % Monte Carlo interval, upper bound", "1"),
    "risk_difference": ("share with the event less that of the control, mean over replicates", "1"),
    "risk_difference_low": ("2.5 % quantile of the difference over replicates", "1"),
    "risk_difference_high": ("97.5 % quantile of the difference over replicates", "1"),
    "patients": ("patients with the event in one trial, mean over replicates", ""),
    "share_low": ("exact 95 % interval of the share, lower bound", "1"),
    "share_high": ("exact 95 % interval of the share, upper bound", "1"),
    "trials_low": ("2.5 % quantile of patients with the event over replicates", ""),
    "trials_high": ("97.5 % quantile of patients with the event over replicates", ""),
    "screened": ("candidates screened, mean over replicates", ""),
    "enrolled": ("patients enrolled, mean over replicates", ""),
    "completed": ("share who completed", "1"),
    "dropped_out": ("share who dropped out", "1"),
    "died": ("share who died", "1"),
    "rescued": ("share who were given rescue treatment", "1"),
    "slope": ("acute change, chronic slope or total slope of eGFR", ""),
    "unit": ("unit of the row", ""),
    "sd": ("standard deviation: of patients (baseline), or residual (sizes)", "of the row"),
    "median": ("median of the patients", "of the quantity"),
    "lower_quartile": ("lower quartile of the patients", "of the quantity"),
    "upper_quartile": ("upper quartile of the patients", "of the quantity"),
    "measured": ("share with UACR below 30 mg/g as measured once, of those at or above it at baseline", "1"),
    "true": ("the same in truth", "1"),
    "power": ("share of simulated trials with a significant benefit; in sizes: power asked for", "1"),
    "power_low": ("its 95 % interval, lower bound", "1"),
    "power_high": ("its 95 % interval, upper bound", "1"),
    "smooth": ("power from effect and scatter of the largest size: noncentral t, or the normal distribution", "1"),
    "effect": ("effect on which power and size rest", _CHANGE),
    "error_of_effect": ("Monte Carlo error of the mean estimate", _CHANGE),
    "caution": (
        "why the endpoint is not to be recommended for the few patients that it needs; empty: nothing speaks against it",
        "",
    ),
    "lost": ("share of patients without a value", "1"),
    "procedure": ("how several tests are adjusted for each other", ""),
    "comparison": ("groups that are compared; any: whether any test rejects", ""),
    "rejected_alone": ("share of replicates that show the benefit in this test alone", "1"),
    "rejected": ("the same after adjustment for the other tests", "1"),
    "rejected_low": ("its 95 % interval, lower bound", "1"),
    "rejected_high": ("its 95 % interval, upper bound", "1"),
    "analysis": ("how one trial was analysed", ""),
    "events_treated": ("patients of the group with the event in the trial shown; empty for other endpoints", ""),
    "events_control": ("the same of the group it is compared with", ""),
    "standard_error": ("standard error of the effect", _CHANGE),
    "degrees": ("degrees of freedom of the t statistic; infinite: normal", ""),
    "p": ("two-sided p value", "1"),
    "boundaries": ("family of the boundaries of looks", ""),
    "alpha": ("type I error of the looks together", "1"),
    "sides": ("sides of the test", ""),
    "binding": ("whether a trial must stop below a boundary of futility", ""),
    "look": ("number of the look, the last analysis among them", ""),
    "information": ("share of patients, or of events, by which the look comes", "1"),
    "efficacy": ("z from which the look shows a benefit", ""),
    "futility": ("z below which the trial stops for futility; of a design: how that boundary is chosen", ""),
    "spent": ("alpha spent by the look", "1"),
    "trial_day": ("day from the opening of the trial, mean over replicates", "day"),
    "analysed": ("patients analysed at the look, mean over replicates", ""),
    "events": ("events known by the look, mean over replicates", ""),
    "held": ("share of replicates in which it comes to the look", "1"),
    "information_seen": ("variance of the estimate at the end over that at the look, mean over replicates", "1"),
    "z_median": ("median over replicates of z, in the good direction", ""),
    "z_low": ("2.5 % quantile of z over replicates", ""),
    "z_high": ("97.5 % quantile of z over replicates", ""),
    "stopped_benefit": ("share of replicates that stop at the look with a benefit", "1"),
    "stopped_harm": ("share of replicates that stop at the look with a harm", "1"),
    "stopped_futile": ("share of replicates that stop at the look for futility", "1"),
    "false_stops": ("share of replicates that reject at the look when the groups get the same", "1"),
    "power_without_looks": ("share with a significant benefit if nobody looks before the end", "1"),
    "type_one": ("share that rejects at any look when the groups get the same", "1"),
    "type_one_low": ("its 95 % interval, lower bound", "1"),
    "type_one_high": ("its 95 % interval, upper bound", "1"),
    "patients_at_end": ("patients of a trial that goes to its end, mean over replicates", ""),
    "expected_patients": ("patients enrolled when the trial stops, mean over replicates", ""),
    "expected_patients_null": ("the same when the groups get the same", ""),
    "days_at_end": ("days from the opening to the end of a trial that goes to its end, mean over replicates", "day"),
    "expected_days": ("days from the opening until the trial stops, mean over replicates", "day"),
    "power_lowest_of_sets": ("least power under one set of parameters", "1"),
    "power_highest_of_sets": ("greatest power under one set of parameters", "1"),
    "estimate": ("estimate when the trial stops, mean over replicates", _CHANGE),
    "estimate_at_end": ("estimate if nobody looks before the end, mean over replicates", _CHANGE),
    "estimate_median_unbiased": ("median-unbiased estimate when the trial stops, mean over replicates", _CHANGE),
    "bias_median_unbiased": ("its mean less the true estimand", _CHANGE),
    "above_truth": ("share of replicates whose estimate is above the true estimand", "1"),
    "above_truth_median_unbiased": ("share of replicates whose median-unbiased estimate is above it", "1"),
    "coverage_adjusted": ("share of intervals by stagewise ordering that hold the true estimand", "1"),
    "coverage_adjusted_low": ("its 95 % interval, lower bound", "1"),
    "coverage_adjusted_high": ("its 95 % interval, upper bound", "1"),
    "coverage_repeated": ("share of repeated intervals, of all claims together, that hold the true estimand", "1"),
    "coverage_repeated_low": ("its 95 % interval, lower bound", "1"),
    "coverage_repeated_high": ("its 95 % interval, upper bound", "1"),
    "adapts": ("what may change at a look", ""),
    "fisher": ("whether boundaries are critical products of p values", ""),
    "naive": ("share of replicates that a plain test of all patients would reject", "1"),
    "naive_false": ("the same when the groups get the same", "1"),
    "claim": ("what may be claimed: an arm against the control, all patients or a stratum", ""),
    "false": ("share of replicates that make the claim when all groups get the same", "1"),
    "went_on": ("share of replicates in which the claim is still looked at in the end", "1"),
    "bias_of_claimed": ("mean estimate of replicates that make the claim, less the true estimand", _CHANGE),
    "mechanism": ("mechanism of the cells", ""),
    "alone": ("effect with no other mechanism", _CHANGE),
    "without": ("what is lost without it", _CHANGE),
}


def is_change(column: str) -> bool:
    """Whether a column holds changes of a quantity, which are 0 where they are smaller than anything measured."""
    return COLUMNS.get(column, ("", _CHANGE))[1] == _CHANGE


def describe_columns(tables: Mapping[str, pd.DataFrame], code: str) -> list[tuple[str, str, str, str]]:
    """Return table, column, meaning and unit of every column.

    Parameters
    ----------
    code
        The primary quantity: parts of changes are on its scale.
    """
    parts = {name.replace(" ", "_"): meaning for name, meaning in PARTS.items()}
    scale = "logarithm of a ratio (1)" if words.is_log(code) else words.printed_unit(code)
    descriptions = []
    for name, table in tables.items():
        for column in table.columns:
            meaning, unit = COLUMNS.get(str(column), (f"part of the change: {parts.get(str(column), '')}", _CHANGE))
            if unit == _CHANGE:
                several = "quantity" in table.columns and name not in ("parts",)
                unit = "of the quantity; logarithm of a ratio for UACR, creatinine and C-peptide" if several else scale
            descriptions.append((name, str(column), meaning, unit))
    return descriptions
