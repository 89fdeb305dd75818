"""The few numbers of a run that a terminal shows: how the primary endpoint changed, and what the change was made of."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from .data import PARTS
from .quantities import code_of

if TYPE_CHECKING:
    from .data import TrialData
    from .trial_run import TrialRun


def summary(run: TrialRun) -> dict[str, Any]:
    """Return a document with a row per design, hypothesis and arm."""
    endpoint = run.protocol.endpoints.primary
    code = code_of(endpoint.quantity)
    visit = endpoint.at or run.protocol.visits[-1].name
    rows = [row for data in run.values() for row in _rows(data, code, visit, endpoint.better == "lower")]
    first = next(iter(run.values()))
    return {
        "trial": run.protocol.name,
        "title": run.protocol.title,
        "replicates": run.protocol.replicates,
        "seed": run.protocol.seed,
        "endpoint": {
            "quantity": code,
            "visit": visit,
            "scale": first.quantity(code).scale,
            "unit": first.quantity(code).unit,
        },
        "pool": {name: value for name, value in run.facts.items() if name != "seconds"},
        "rows": rows,
    }


def _rows(data: TrialData, code: str, visit: str, lower: bool) -> list[dict[str, Any]]:
    data = data.at(visit)
    change, effect = data.change(code)[:, :, 0], data.effect(code)[:, :, 0]
    parts = {name: values[:, :, 0] for name, values in data.parts(code).items()}
    found = []
    for index, arm in enumerate(data.arms):
        mine = (data.arm == index) & data.enrolled
        per_trial = _mean(np.where(mine, change, np.nan))
        better = per_trial < 0 if lower else per_trial > 0
        found.append(
            {
                "design": data.design,
                "hypothesis": data.hypothesis,
                "arm": arm,
                "patients": float(np.mean(mine.sum(axis=1))),
                "screened": float(np.mean(data.screened)),
                "change": _number(np.nanmean(per_trial)),
                "change_sd": _number(np.nanstd(per_trial, ddof=1)) if len(per_trial) > 1 else None,
                "trials_better": _number(np.mean(better)),
                "true_effect": _number(_overall(np.where(mine, effect, np.nan))),
                "parts": {name: _number(_overall(np.where(mine, parts[name], np.nan))) for name in PARTS},
                "dropped_out": float(np.mean(data.ending[mine] == 1)),
                "died": float(np.mean(data.ending[mine] == 2)),
                "rescued": float(np.mean(np.isfinite(data.rescued[mine]))),
            }
        )
    return found


def _mean(values: np.ndarray) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # an arm without a patient in some replicate
        result: np.ndarray = np.nanmean(values, axis=1)
    return result


def _overall(values: np.ndarray) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
