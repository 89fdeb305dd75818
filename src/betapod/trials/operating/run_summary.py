"""Short summary of a run for the terminal: comparisons, change of the primary endpoint and its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...observables.quantities import visit_observables
from ...therapies.scenarios import CURRENT_EVIDENCE
from ..analysis import endpoints
from ..analysis.controlled import analyse
from ..analysis.endpoints import comparisons
from ..conduct.counterfactuals import Counterfactuals
from ..conduct.feasibility import behind as people_behind
from ..conduct.parts_of_change import PARTS
from ..conduct.replicate_parameters import fit_of
from .estimands import estimand_columns, false_positives
from .harm_summaries import harm_rows
from .look_characteristics import look_rows
from .multiple_tests import multiplicity_rows
from .power_analysis import operating_characteristics
from .study_spread import endpoint_differences, fit_of_studies, kind_of_endpoint, parts_of_estimate
from .test_rules import rule_of
from .true_effects import truth, truth_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..conduct.trial_data import TrialData
    from ..protocol.protocol import Protocol
    from .variance_parts import VarianceParts


def run_summary(
    protocol: Protocol, data: Mapping[tuple[str, str], TrialData], facts: Mapping[str, object]
) -> dict[str, Any]:
    """Return a document with a row per comparison and one per arm, of every design and scenario; None is what cannot be estimated.

    Parameters
    ----------
    data
        (design, scenario) -> TrialData, in the order of the protocol.
    facts
        About the pool of patients.
    """
    endpoint = protocol.endpoints.primary
    code = endpoints.described_code(protocol, endpoint)
    visit = endpoints.endpoint_visit(protocol, endpoint)
    first = next(iter(data.values()))
    # Which way an event or a total is better says nothing of the quantity that describes a group.
    itself = code == endpoints.endpoint_code(endpoint)
    lower = endpoint.better == "lower" if itself else visit_observables()[code].better < 0
    return {
        "trial": protocol.name,
        "title": protocol.title,
        "replicates": protocol.replicates,
        "seed": protocol.seed,
        **({"parameters": {"sets": first.pool.draws, "fit": fit_of(protocol)}} if first.pool.draws > 1 else {}),
        "endpoint": {
            "name": endpoint.name,
            "quantity": endpoints.endpoint_code(endpoint),
            "described": code,
            "summary": endpoint.summary,
            "measure": endpoint.measure,
            "visit": visit,
            "scale": "linear" if endpoint.summary == "total" else first.quantity(code).link,
            "unit": "year" if endpoint.summary == "total" else first.quantity(code).unit,
            # A group by itself is described by its change of a quantity, also where the endpoint is an event or a total.
            "of_groups": {
                "quantity": code,
                "summary": "change",
                "scale": first.quantity(code).link,
                "unit": first.quantity(code).unit,
            },
        },
        "test": rule_of(protocol.endpoints, endpoint).words,
        "interval": _interval(protocol, max(first.pool.draws, 1)),
        "pool": {name: value for name, value in facts.items() if name != "seconds"},
        "people_behind_patients": {
            design: people_behind(data[design, first.scenario].member).as_dict()
            for design in dict.fromkeys(design for design, _ in data)
        },
        "comparisons": [
            row
            for trial_data in data.values()
            for row in _comparisons(trial_data, trial_data.scenario == first.scenario)
        ],
        "multiple_tests": [
            {name: _number(value) if isinstance(value, float) else value for name, value in row.items()}
            for trial_data in data.values()
            for row in multiplicity_rows(trial_data)
        ],
        "looks": [
            _plain(row)
            for trial_data in data.values()
            for row in look_rows(trial_data, trial_data.scenario == first.scenario)
        ],
        "harms": [row for trial_data in _of_evidence(data) for row in _harms(trial_data)],
        "rows": [row for trial_data in data.values() for row in _rows(trial_data, code, visit, lower)],
    }


def _interval(protocol: Protocol, sets: int) -> dict[str, Any]:
    """Return what the parts of intervals rest on: the fit, sets of parameters, and the kind of published numbers that studies differ by."""
    endpoint = protocol.endpoints.primary
    differences = endpoint_differences(protocol, endpoint, True)
    return {
        "sets": sets,
        "parameters_of": fit_of(protocol),
        "studies_of": fit_of_studies(protocol),
        "kind": kind_of_endpoint(endpoint, True),
        "numbers": 0 if differences is None else differences.rows,
    }


def _of_evidence(data: Mapping[tuple[str, str], TrialData]) -> list[TrialData]:
    """Return each design under current evidence, or under its first scenario where that was not run."""
    designs: dict[str, TrialData] = {}
    for (design, scenario), trial_data in data.items():
        if design not in designs or scenario == CURRENT_EVIDENCE:
            designs[design] = trial_data
    return list(designs.values())


def _plain(value: Any) -> Any:
    """Return a document whose numbers are finite or None."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return _number(value) if isinstance(value, float) else value


def _harms(data: TrialData) -> list[dict[str, Any]]:
    keys = {"design": data.design, "scenario": data.scenario}
    return [
        keys | {name: _number(value) if isinstance(value, float) else value for name, value in row.items()}
        for row in harm_rows(data)
    ]


def _comparisons(data: TrialData, first: bool) -> list[dict[str, Any]]:
    """Return estimates of the comparisons on the scale of the analysis: logarithms of ratios and hazards, else differences.

    Parameters
    ----------
    first
        Whether it is the first scenario, whose false positives are those of all where the control has no cells.
    """
    endpoint, behind = data.protocol.endpoints.primary, Counterfactuals(data)
    result_rows = []
    for comparison in comparisons(data.protocol, data.design):
        if comparison.control is None:
            continue
        rule = rule_of(data.protocol.endpoints, endpoint)
        estimate = analyse(data, endpoint, comparison, level=rule.level)
        numbers = operating_characteristics(estimate, rule=rule)
        false = false_positives(behind, endpoint, comparison, first)
        against = estimand_columns(behind, endpoint, comparison, estimate)
        result_rows.append(
            {
                "design": data.design,
                "scenario": data.scenario,
                "treated": comparison.treated,
                "control": comparison.control,
                "estimate": _number(numbers["mean"]),
                "low": _number(numbers["low"]),
                "high": _number(numbers["high"]),
                "p": _number(_median(rule.p(estimate))),
                "significant": _number(numbers["significant"].value),
                "benefit": _number(numbers["significant and better"].value),
                "true_effect": _number(truth(data, endpoint, comparison, None)),
                "true_effect_of": truth_of(data, endpoint, comparison),
                **{name: _number(value) for name, value in against.items()},
                "false_positives": None if false is None else _number(false.value),
                "false_positives_low": None if false is None else _number(false.low),
                "false_positives_high": None if false is None else _number(false.high),
                **_parts(parts_of_estimate(data, endpoint, estimate.effect, True)),
            }
        )
    return result_rows


def _parts(parts: VarianceParts) -> dict[str, float | int | None]:
    """Return what of the spread over trials is chance and what parameters, and what studies differ by."""
    columns = parts.as_columns()
    return {name: value if isinstance(value, int) else _number(value) for name, value in columns.items()}


def _rows(data: TrialData, code: str, visit: str, lower: bool) -> list[dict[str, Any]]:
    data = data.at(visit)
    change, effect = data.change(code)[:, :, 0], data.effect(code)[:, :, 0]
    parts = {name: values[:, :, 0] for name, values in data.parts(code).items()}
    arm_rows = []
    for index, arm in enumerate(data.arms):
        in_arm = (data.arm == index) & data.enrolled
        per_trial = _means(np.where(in_arm, change, np.nan))
        better = per_trial < 0 if lower else per_trial > 0
        arm_rows.append(
            {
                "design": data.design,
                "scenario": data.scenario,
                "arm": arm,
                "cells": data.protocol.arms[arm].cells is not None,
                "patients": float(np.mean(in_arm.sum(axis=1))),
                "screened": float(np.mean(data.screened)),
                "change": _mean(per_trial),
                "change_sd": _number(np.std(per_trial, ddof=1)) if len(per_trial) > 1 else None,
                "trials_better": _mean(better),
                "true_effect": _mean(np.where(in_arm, effect, np.nan)) if data.protocol.arms[arm].cells else None,
                "parts": {name: _mean(np.where(in_arm, parts[name], np.nan)) for name in PARTS},
                "dropped_out": _mean(data.disposition[in_arm] == 1),
                "died": _mean(data.disposition[in_arm] == 2),
                "rescued": _mean(np.isfinite(data.rescued[in_arm])),
            }
        )
    return arm_rows


def _median(values: NDArray[np.float64]) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else float("nan")


def _means(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of every trial that has a value: an arm may be without a patient in some replicate, or all may be missing."""
    present = np.isfinite(values)
    some = present.any(axis=1)
    result: NDArray[np.float64] = np.where(present, values, 0.0)[some].sum(axis=1) / present[some].sum(axis=1)
    return result


def _mean(values: NDArray[Any]) -> float | None:
    kept = values[np.isfinite(values)]
    return float(kept.mean()) if kept.size else None


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
