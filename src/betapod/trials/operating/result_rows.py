"""Rows of the result tables, from the data of one design under one scenario or from a whole run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..analysis import endpoints, survival
from ..analysis.controlled import analyse
from ..analysis.endpoints import comparisons
from ..analysis.estimators import Estimate
from ..conduct.counterfactuals import Counterfactuals
from . import likelihood, replicate_summaries
from .estimands import COLUMNS as ESTIMAND_COLUMNS
from .estimands import estimand_columns, false_positives
from .harm_summaries import harm_rows
from .power_analysis import operating_characteristics
from .sizing import NULL, tests_cells, title
from .study_spread import parts_of_estimate
from .test_rules import rule_of
from .true_effects import truth, truth_of

if TYPE_CHECKING:
    from ..analysis.endpoints import Comparison
    from ..conduct.trial_data import TrialData
    from ..conduct.trial_run import TrialRun
    from ..protocol.endpoint_keys import Endpoint


def _groups(data: TrialData) -> list[str | None]:
    return [None, *data.strata] if len(data.strata) > 1 else [None]


def results(data: TrialData, some: TrialData, keys: dict[str, str], first: bool = True) -> list[Any]:
    """Return a row per endpoint, comparison and stratum: estimate, rates of significance, true effect (from `some` replicates), true estimand.

    Parameters
    ----------
    first
        Whether it is the first scenario of its design, whose false positives are those of all.
    """
    protocol, behind = data.protocol, Counterfactuals(data)
    rows: list[Any] = []
    asked = [
        ("primary", protocol.endpoints.primary),
        *(("secondary", secondary) for secondary in protocol.endpoints.secondary),
    ]
    for role, endpoint in asked:
        for comparison in comparisons(protocol, data.design):
            for stratum in _groups(data):
                controlled = comparison.control is not None
                rule = rule_of(protocol.endpoints, endpoint, controlled)
                estimate = analyse(data, endpoint, comparison, stratum, rule.level)
                summary = operating_characteristics(estimate, rule=rule)
                rates = {
                    "significant": summary["significant"],
                    "improved": summary["significant and better"],
                }
                rows.append(
                    keys
                    | {
                        "treated": comparison.treated,
                        "control": comparison.control or "",
                        "tests_cells": tests_cells(protocol, comparison),
                        "stratum": stratum or "all",
                        "role": role,
                        "endpoint": title(endpoint, protocol),
                        "quantity": endpoints.endpoint_code(endpoint),
                        "summary": endpoint.summary,
                        "measure": endpoints.effect_measure(endpoint, controlled),
                        "visit": endpoints.endpoint_visit(protocol, endpoint),
                        "n": _middle(estimate.n),
                        **{key: summary[key] for key in ("mean", "spread", "low", "high")},
                        "truth": truth(some, endpoint, comparison, stratum),
                        "truth_of": truth_of(data, endpoint, comparison),
                    }
                    | parts_of_estimate(data, endpoint, estimate.effect, controlled).as_columns()
                    | {
                        f"{name}{suffix}": getattr(value, attribute)
                        for name, value in rates.items()
                        for suffix, attribute in (("", "value"), ("_low", "low"), ("_high", "high"))
                    }
                    | (
                        estimand_columns(behind, endpoint, comparison, estimate)
                        if stratum is None
                        else dict.fromkeys(ESTIMAND_COLUMNS, float("nan"))
                    )
                    | _false(behind, endpoint, comparison, first and stratum is None and role == "primary")
                )
    return rows


def _false(behind: Counterfactuals, endpoint: Endpoint, comparison: Comparison, wanted: bool) -> dict[str, float]:
    """Return the columns of false positives; NaN where they are not asked for."""
    got = false_positives(behind, endpoint, comparison) if wanted else None
    names = ("false_positives", "false_positives_low", "false_positives_high")
    values = (float("nan"),) * 3 if got is None else (got.value, got.low, got.high)
    return dict(zip(names, values, strict=True))


def course_rows(data: TrialData, keys: dict[str, str]) -> list[Any]:
    """Return a row per arm, stratum, quantity and visit after baseline: the apparent change and the true effect."""
    rows: list[Any] = []
    visits = [name for name, day in zip(data.visits, data.days, strict=True) if day > 0]
    for arm in data.arms:
        for stratum in _groups(data):
            for code in data.codes:
                table = replicate_summaries.apparent(data, code, visits, arm, stratum)
                key = keys | {"arm": arm, "stratum": stratum or "all", "quantity": code}
                rows += [key | row for row in table.to_dict("records")]
    return rows


def change_part_rows(data: TrialData, keys: dict[str, str]) -> list[Any]:
    """Return a row per arm, stratum and part of the observed change of the primary quantity, on the scale of `TrialData.change`."""
    endpoint = data.protocol.endpoints.primary
    code = endpoints.described_code(data.protocol, endpoint)
    visit = endpoints.endpoint_visit(data.protocol, endpoint)
    rows: list[Any] = []
    for arm in data.arms:
        for stratum in _groups(data):
            table = replicate_summaries.change_parts(data, code, visit, arm, stratum)
            key = keys | {"arm": arm, "stratum": stratum or "all", "quantity": code, "visit": visit}
            rows += [key | {"part": part, **row} for part, row in table.to_dict("index").items()]
    return rows


def patients(data: TrialData, keys: dict[str, str], replicate: int) -> Any:
    """Return a table of the patients of one trial: what was seen in each, and every part of it."""
    import pandas as pd

    endpoint = data.protocol.endpoints.primary
    code = endpoints.described_code(data.protocol, endpoint)
    visit = endpoints.endpoint_visit(data.protocol, endpoint)
    trial = data.select([replicate])
    v = trial.visit(visit)
    table = pd.DataFrame(
        {
            **keys,
            "replicate": replicate,
            "patient": np.arange(trial.patients),
            "arm": np.array(trial.arms, dtype=object)[trial.arm[0]],
            "stratum": np.array(trial.strata, dtype=object)[trial.stratum[0]],
            "base": trial.base[code][0].astype(float),
            "value": trial.observed[code][0, :, v].astype(float),
            "change": trial.change(code)[0, :, v],
            "true_effect_of_cells": trial.effect(code)[0, :, v],
            **{name.replace(" ", "_"): values[0, :, v] for name, values in trial.parts(code).items()},
        }
    )
    return table.loc[trial.enrolled[0]]


def free(data: TrialData, keys: dict[str, str]) -> list[Any]:
    """Return a row per arm and day (days from enrolment): share free of kidney events, of all replicates and of the first trial."""
    if "EGFR" not in data.codes or (data.days > 0).sum() < 2:
        return []
    time, event = replicate_summaries.kidney_events(data)
    rows: list[Any] = []
    for arm in data.arms:
        keep = replicate_summaries.selected_patients(data, arm).reshape(-1)
        curve = survival.kaplan_meier(time.reshape(-1), event.reshape(-1), keep)
        # One trial's interval, not that of all replicates together: what a reader of one trial would see.
        first_patients = replicate_summaries.selected_patients(data, arm)[0]
        first = survival.kaplan_meier(time[0], event[0], first_patients)
        near = np.searchsorted(first.days, curve.days, side="right") - 1
        for k, day in enumerate(curve.days):
            rows.append(
                keys
                | {
                    "arm": arm,
                    "day": float(day),
                    "free": float(curve.free[k]),
                    "one_trial": float(first.free[near[k]]),
                    "one_trial_low": float(first.low[near[k]]),
                    "one_trial_high": float(first.high[near[k]]),
                    "at_risk_per_trial": float(curve.at_risk[k]) / data.replicates,
                }
            )
    return rows


def remission_rows(data: TrialData, keys: dict[str, str]) -> list[Any]:
    """Return the share with UACR below 30 mg/g among those at or above it at baseline: as measured, and in truth."""
    if "UACR" not in data.codes:
        return []
    rows: list[Any] = []
    visit = data.visits[int(np.argmax(data.days))]
    true = data.true("UACR")
    for arm in data.arms:
        for stratum in _groups(data):
            keep = replicate_summaries.selected_patients(data, arm, stratum) & (data.base["UACR"] >= 30)
            final = true[:, :, data.visit(visit)]
            evaluable = keep & np.isfinite(final)
            rows.append(
                keys
                | {
                    "arm": arm,
                    "stratum": stratum or "all",
                    "visit": visit,
                    "measured": _middle(replicate_summaries.albuminuria_remission(data, visit, arm, stratum)),
                    "true": float((final[evaluable] < 30).mean()) if evaluable.any() else float("nan"),
                }
            )
    return rows


def adverse_event_rows(data: TrialData, keys: dict[str, str]) -> list[Any]:
    """Return a row per arm and harm, see `harm_summaries.harm_rows`."""
    return [keys | row for row in harm_rows(data)]


def flow(data: TrialData) -> dict[str, Any]:
    """Return the patient flow of one trial: screened and enrolled, shares completed, discontinued, died and rescued."""
    enrolled = data.enrolled
    n = enrolled.sum()
    return {
        "screened": float(data.screened.mean()),
        "enrolled": float(enrolled.sum(1).mean()),
        "completed": float(((data.disposition == 0) & enrolled).sum() / n),
        "dropped_out": float(((data.disposition == 1) & enrolled).sum() / n),
        "died": float(((data.disposition == 2) & enrolled).sum() / n),
        "rescued": float((np.isfinite(data.rescued) & enrolled).sum() / n),
    }


def slope_rows(data: TrialData, keys: dict[str, str]) -> list[Any]:
    """Return a row per controlled comparison and kind of eGFR slope: the difference, mL/min/1.73 m² per year (acute: no time)."""
    if "EGFR" not in data.codes:
        return []
    rows: list[Any] = []
    for comparison in comparisons(data.protocol, data.design):
        if comparison.control is None:
            continue
        for name, estimate in replicate_summaries.slope_difference(
            data, comparison.treated, comparison.control
        ).items():
            summary = operating_characteristics(estimate, better=1)
            rows.append(
                keys
                | {
                    "treated": comparison.treated,
                    "control": comparison.control,
                    "slope": name,
                    "unit": "mL/min/1.73m2" + ("" if name == "acute change" else "/year"),
                    **{key: summary[key] for key in ("mean", "low", "high")},
                    "significant": summary["significant"].value,
                }
            )
    return rows


def baseline(data: TrialData, design: str) -> list[Any]:
    """Return characteristics of those enrolled, all replicates together."""
    people = data.people(range(min(data.replicates, 200)))
    rows: list[Any] = []
    columns = {name: name for name in data.pool.people if name in people}
    columns |= {code: f"BASE_{code}" for code in data.codes}
    groups = [("all", people), *((s, people[people["stratum"] == s]) for s in data.strata if len(data.strata) > 1)]
    for stratum, part in groups:
        for name, column in columns.items():
            values = part[column].to_numpy(dtype=float)
            values = values[np.isfinite(values)]
            if not len(values):
                continue
            low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
            rows.append(
                {
                    "design": design,
                    "stratum": stratum,
                    "quantity": name,
                    "mean": float(values.mean()),
                    "sd": float(values.std(ddof=1)) if len(values) > 1 else float("nan"),
                    "median": float(middle),
                    "lower_quartile": float(low),
                    "upper_quartile": float(high),
                }
            )
    return rows


def likelihood_ratio_rows(run: TrialRun, estimates: Mapping[tuple[str, str], Estimate]) -> list[Any]:
    """Return likelihood ratios of each scenario against `NULL`, given a reported improvement and a typical result."""
    if NULL not in run.scenarios:
        return []
    asked = run.protocol.endpoints
    rows: list[Any] = []
    for design in run.designs:
        first = comparisons(run.protocol, design)[0]
        rule = rule_of(asked, asked.primary, first.control is not None)
        if first.control is not None and not tests_cells(run.protocol, first):
            continue
        if not any(run.protocol.arms[arm].cells for arm in run.protocol.designs[design].arms):
            continue
        null = estimates[design, NULL]
        for scenario in run.scenarios:
            if scenario == NULL:
                continue
            estimate = estimates[design, scenario]
            improved = [rule.shown(item) for item in (estimate, null)]
            if not all(np.isfinite(item).any() for item in improved):
                continue
            report = likelihood.of_report(*improved)
            finite = estimate.effect[np.isfinite(estimate.effect)]
            middle = float(np.median(finite)) if len(finite) else float("nan")
            rows.append(
                {
                    "design": design,
                    "controlled": first.control is not None,
                    "scenario": scenario,
                    "reported_if_true": report.first.value,
                    "reported_if_nothing": report.second.value,
                    "ratio": report.ratio,
                    "ratio_low": report.low,
                    "ratio_high": report.high,
                    "words": report.words,
                    "typical_result": middle,
                    "ratio_of_typical": float(likelihood.of_result(middle, estimate.effect, null.effect)[0]),
                    "belief_from_half": likelihood.belief(0.5, report.ratio),
                    "belief_from_tenth": likelihood.belief(0.1, report.ratio),
                }
            )
    return rows


def _middle(values: np.ndarray) -> float:
    """Return the mean of what is finite; NaN where nothing is."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")
