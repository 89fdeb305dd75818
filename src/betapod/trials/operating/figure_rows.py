"""Numbers behind figures of the typical trial: time to the primary event, the hierarchy of outcomes, and by how much those who left would have to fare worse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..analysis import endpoints, survival
from ..analysis.controlled import IMPUTATIONS
from ..analysis.kidney_hierarchy import KIDNEY_COMPONENTS
from ..analysis.reference_imputation import completed_trials
from ..protocol.analysis_keys import IMPUTED
from .replicate_summaries import selected_patients
from .test_rules import rule_of

if TYPE_CHECKING:
    from ..analysis.estimators import Array, Estimate
    from ..conduct.trial_data import TrialData
    from ..protocol.endpoint_keys import Endpoint

#: By how many times the effect of the typical trial those who left their treatment are made worse; choices.
_SHIFTS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
#: Trials of which it is told in how many the effect still stands.
_TRIALS = 20


def survival_rows(data: TrialData, keys: dict[str, str], replicate: int) -> list[Any]:
    """Return a row per arm and day of the typical trial: share free of the primary event with its interval, and patients at risk."""
    endpoint = data.protocol.endpoints.primary
    if endpoint.summary != "time to event":
        return []
    trial = data.select([replicate])
    time, event = endpoints.times(trial, endpoint)
    rows: list[Any] = []
    for arm in trial.arms:
        keep = selected_patients(trial, arm)[0] & (time[0] > 0)
        if not keep.any():
            continue
        curve = survival.kaplan_meier(time[0], event[0], keep)
        for k, day in enumerate(curve.days):
            numbers = (curve.free[k], curve.low[k], curve.high[k], curve.at_risk[k])
            rows.append(keys | {"replicate": replicate, "arm": arm, "day": float(day)} | dict(zip(("free_share", "free_low", "free_high", "at_risk"), map(float, numbers), strict=True)))  # fmt: skip
    return rows


def hierarchy_rows(data: TrialData, keys: dict[str, str], replicate: int) -> list[Any]:
    """Return a row per patient of the typical trial: arm, the worst that happened, its day or the slope of eGFR."""
    endpoint = data.protocol.endpoints.primary
    if endpoint.summary != "hierarchy":
        return []
    trial = data.select([replicate])
    _, component = endpoints.hierarchy(trial, endpoint)
    values = endpoints.hierarchy_values(trial, endpoint)
    rows = []
    for j in np.flatnonzero(trial.enrolled[0] & (component[0] >= 0)):
        k = int(component[0, j])
        rows.append(
            keys
            | {"replicate": replicate, "patient": int(j), "arm": trial.arms[int(trial.arm[0, j])]}
            | {"component": KIDNEY_COMPONENTS[k], "reached": float(values[k][0, j])}
        )
    return rows


def tips(endpoint: Endpoint) -> bool:
    """Whether those who left can be made to fare worse: values at a visit, of which some are missing."""
    rules = endpoint.intercurrent
    plain = "composite" not in (rules.rescue, rules.drop_out, rules.death, rules.kidney_failure)
    return plain and endpoint.summary in ("change", "ratio") and endpoint.method in ("ANCOVA", "t test", "MMRM", *IMPUTED)  # fmt: skip


def tipping_rows(data: TrialData, keys: dict[str, str], replicate: int) -> list[Any]:
    """Return a row per shift: the effect when treated patients who left fare worse by it than they are taken to, in the typical trial and in others.

    Nothing where nobody left, or the typical trial shows no benefit.
    """
    protocol, endpoint = data.protocol, data.protocol.endpoints.primary
    pair = endpoints.comparisons(protocol, data.design)[0]
    rule = rule_of(protocol.endpoints, endpoint, pair.control is not None)
    if pair.control is None or not tips(endpoint) or rule.objective != "superiority":
        return []
    others = [r for r in range(min(_TRIALS, data.replicates)) if r != replicate][: _TRIALS - 1]
    trials = data.select([replicate, *others])
    values, base, _ = endpoints.courses(trials, endpoint)
    first, second = (selected_patients(trials, arm) for arm in (pair.treated, str(pair.control)))
    values = np.where((first | second)[:, :, None], values, np.nan)
    base = np.where(first | second, base, np.nan)
    left = first & np.isfinite(base) & np.isnan(values[:, :, -1])
    if not left[0].any():
        return []

    strategy, draws = IMPUTED.get(endpoint.method, "missing at random"), endpoint.settings.imputations or IMPUTATIONS
    completed = completed_trials(values, base, first.astype(float), strategy, draws=draws, seed=protocol.seed)
    start = completed.estimate(rule.level)
    if rule.shown(start)[0] != 1:
        return []
    size = -rule.better * abs(float(start.effect[0]))
    return [
        _tipped(keys | {"replicate": replicate, "treated": pair.treated, "control": pair.control}, got, rule.shown(got), amount, left)
        for amount in (factor * size for factor in _SHIFTS)
        for got in [completed.estimate(rule.level, amount)]
    ]  # fmt: skip


def _tipped(
    keys: dict[str, Any], got: Estimate, stands: Array, amount: float, left: NDArray[np.bool_]
) -> dict[str, Any]:
    finite = np.isfinite(stands)
    return keys | {
        "shift": amount,
        "effect_shifted": float(got.effect[0]),
        "effect_low": float(got.low[0]),
        "effect_high": float(got.high[0]),
        "p": float(got.p[0]),
        "shown": float(stands[0]),
        "shown_of_trials": float((stands[finite] == 1).mean()) if finite.any() else float("nan"),
        "left": int(left[0].sum()),
    }


#: Table of `Assessment` -> its rows, from the data of a design, its keys and the typical trial.
ROWS = {"survival": survival_rows, "hierarchy": hierarchy_rows, "tipping": tipping_rows}
