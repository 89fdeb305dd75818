"""Harms in each group of a trial, and in treated against control patients: what one trial sees, and what all replicates show."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...base.constants import Z95
from ...hazards.harm_rates import DEADLY
from ..analysis import estimators
from ..analysis.endpoints import comparisons
from ..protocol.endpoint_keys import KIDNEY_FAILURE
from .replicate_summaries import selected_patients

if TYPE_CHECKING:
    from ..conduct.trial_data import TrialData

#: Outcomes that stand among the harms, beside adverse events.
HARM_OUTCOMES = (*DEADLY, KIDNEY_FAILURE, "death")


def harmed(data: TrialData) -> dict[str, NDArray[np.bool_]]:
    """Return adverse event or outcome of `HARM_OUTCOMES` -> (R, n) who had it while in the trial; deaths only where people may die."""
    had = {name: counts > 0 for name, counts in data.events.items()}
    outcomes = [name for name in HARM_OUTCOMES if name != "death" or data.protocol.conduct.deaths]
    return had | {name: np.isfinite(data.outcome_day(name)) for name in outcomes}


def harm_rows(data: TrialData) -> list[dict[str, Any]]:
    """Return a row per group and harm: how many have it in one trial and their share, and how that compares with the control group.

    ``risk_ratio`` is that of all replicates together with its 95 % Monte Carlo interval, ``risk_difference`` the mean over trials with the
    range of 95 % of them; empty for the control itself, and for groups that are compared with none.
    """
    control_of = {c.treated: c.control for c in comparisons(data.protocol, data.design) if c.control is not None}
    in_arm = {arm: selected_patients(data, arm) for arm in data.arms}
    rows: list[dict[str, Any]] = []
    for name, had in harmed(data).items():
        counted = {arm: ((had & keep).sum(-1), keep.sum(-1)) for arm, keep in in_arm.items()}
        for arm in data.arms:
            control = control_of.get(arm)
            row = {"arm": arm, "event": name} | _share(*counted[arm]) | {"control": control or ""}
            rows.append(row | _against(counted[arm], counted[control] if control else None))
    return rows


def _share(hit: NDArray[Any], n: NDArray[Any]) -> dict[str, float]:
    low, high = estimators.exact_interval(hit.sum(), n.sum())
    per_trial = _ratio(hit, n)
    per_trial = per_trial[np.isfinite(per_trial)]
    return {
        "patients": float(hit.mean()),
        "n": float(n.mean()),
        "share": float(per_trial.mean()) if len(per_trial) else math.nan,
        "share_low": float(low),
        "share_high": float(high),
        "trials_low": float(np.quantile(hit, 0.025)),
        "trials_high": float(np.quantile(hit, 0.975)),
    }


def _against(
    treated: tuple[NDArray[Any], NDArray[Any]], control: tuple[NDArray[Any], NDArray[Any]] | None
) -> dict[str, float]:
    names = ("risk_ratio", "risk_ratio_low", "risk_ratio_high")
    differences = ("risk_difference", "risk_difference_low", "risk_difference_high")
    if control is None:
        return dict.fromkeys((*names, *differences), math.nan)
    (a, n), (b, m) = ((int(hit.sum()), int(size.sum())) for hit, size in (treated, control))
    ratio = dict.fromkeys(names, math.nan)
    if a and b:
        # Katz and others, Biometrics 1978;34:469.
        middle, error = math.log(a * m / (b * n)), math.sqrt(1 / a - 1 / n + 1 / b - 1 / m)
        ratio = dict(zip(names, (math.exp(middle + k * error) for k in (0.0, -Z95, Z95)), strict=True))
    per_trial = _ratio(*treated) - _ratio(*control)
    per_trial = per_trial[np.isfinite(per_trial)]
    if not len(per_trial):
        return ratio | dict.fromkeys(differences, math.nan)
    low, high = np.quantile(per_trial, (0.025, 0.975))
    return ratio | dict(zip(differences, (float(per_trial.mean()), float(low), float(high)), strict=True))


def _ratio(hit: NDArray[Any], n: NDArray[Any]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(hit / n, dtype=np.float64)
