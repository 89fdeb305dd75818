"""Example trial, as it would be published: primary analysis with its events, mixed model, hazard ratio of kidney events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..analysis import endpoints
from ..analysis.controlled import analyse
from ..analysis.cox_regression import cox_regression
from ..analysis.endpoints import Comparison, comparisons
from ..analysis.estimators import Estimate
from ..analysis.mmrm import mmrm
from . import replicate_summaries

if TYPE_CHECKING:
    from ..conduct.trial_data import TrialData
    from ..protocol.endpoint_keys import Endpoint

#: Name of the mixed model in the table.
MIXED = "mixed model of all visits"
_NAMES = {"ANCOVA": "analysis of covariance", "t test": "t test"}


def one_trial(data: TrialData, keys: dict[str, str], replicate: int) -> list[Any]:
    """Return the analyses of one trial: of the primary endpoint, and the hazard of kidney events."""
    endpoint = data.protocol.endpoints.primary
    trial = data.select([replicate])
    rows: list[Any] = []
    for comparison in comparisons(data.protocol, data.design):
        if comparison.control is None:
            continue
        name = _NAMES.get(endpoint.method, endpoint.method)
        rows.append(
            keys
            | {"replicate": replicate, "treated": comparison.treated, "control": comparison.control, "analysis": name}
            | {"quantity": endpoints.endpoint_code(endpoint), **analyse(trial, endpoint, comparison).at(0)}
            | _events(trial, endpoint, comparison)
        )
        if endpoint.summary not in ("change", "ratio"):
            continue
        # Beside a statistic of wins or a model of visits another one on another scale would say nothing.
        mixed = _mixed(trial, endpoint, comparison) if endpoint.method in _NAMES else None
        if mixed is not None and np.isfinite(mixed.p).all():
            more = {"replicate": replicate, "treated": comparison.treated, "control": comparison.control}
            rows.append(keys | more | {"analysis": MIXED, "quantity": endpoints.endpoint_code(endpoint), **mixed.at(0)})
        if "EGFR" in data.codes:
            time, event = replicate_summaries.kidney_events(trial)
            first, second = (
                replicate_summaries.selected_patients(trial, arm) for arm in (comparison.treated, comparison.control)
            )
            hazard = cox_regression(np.where(first | second, time, np.nan), event, [first]).estimate()
            if np.isfinite(hazard.effect).all():
                more = {"replicate": replicate, "treated": comparison.treated, "control": comparison.control}
                rows.append(keys | more | {"analysis": "hazard of a kidney event", "quantity": "EGFR", **hazard.at(0)})
    return rows


def _events(trial: TrialData, endpoint: Endpoint, comparison: Comparison) -> dict[str, int]:
    """Return how many patients of either group had the event of an endpoint; nothing for other endpoints."""
    if endpoint.summary != "time to event":
        return {}
    time, event = endpoints.times(trial, endpoint)
    happened = event & np.isfinite(time)
    arms = {"treated": comparison.treated, "control": str(comparison.control)}
    return {
        f"events_{side}": int((happened & replicate_summaries.selected_patients(trial, arm)).sum())
        for side, arm in arms.items()
    }


def _mixed(trial: TrialData, endpoint: Endpoint, comparison: Comparison) -> Estimate | None:
    """Return the mixed model of all visits up to that of the endpoint in one trial; None where it is another estimand."""
    rules = endpoint.intercurrent
    linear = endpoint.summary == "ratio" and trial.quantity(endpoints.endpoint_code(endpoint)).link != "log"
    if (
        linear
        or rules.rescue in ("while on treatment", "principal stratum")
        or not {rules.drop_out, rules.death, rules.kidney_failure} <= {"missing"}
        or rules.rescue == "composite"
    ):
        return None
    code = endpoints.endpoint_code(endpoint)
    last = trial.visit(endpoints.endpoint_visit(trial.protocol, endpoint))
    after = [v for v in range(last + 1) if trial.days[v] > 0]
    first = replicate_summaries.selected_patients(trial, comparison.treated)[0]
    keep = first | replicate_summaries.selected_patients(trial, str(comparison.control))[0]
    change = trial.change(code, rules.rescue)[0][:, after]
    base = trial.quantity(code).forward(trial.base[code][0].astype(float))
    strata = trial.stratum[0][keep] if len(trial.strata) > 1 else None
    return mmrm(change[keep], base[keep], first[keep].astype(float), strata)
