"""Summaries over replicates: apparent changes, comparisons of arms, parts of a change, event rates, slopes.

Everything here reads a `data.TrialData` and gives numbers; `report` turns them into sentences, tables and figures. On the scale
``log`` a change is the logarithm of a ratio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from ...observables.quantities import visit_observables
from ..analysis import estimators as analysis
from ..analysis import survival
from ..analysis.estimators import Array, Estimate
from ..analysis.patient_slopes import patient_slopes
from ..protocol.analysis_keys import ACUTE_DAYS
from .power_analysis import operating_characteristics

if TYPE_CHECKING:
    import pandas as pd

    from ..conduct.trial_data import TrialData

#: Which way is better: -1 where a fall is an improvement.
BETTER: Mapping[str, int] = {code: quantity.better for code, quantity in visit_observables().items()}


class Remembered:
    """A `TrialData` that computes changes and true effects of each quantity once; everything else is the data's own."""

    def __init__(self, data: TrialData) -> None:
        self._data = data
        self._kept: dict[tuple[str, ...], Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._data, name)

    def _once(self, name: str, *key: str) -> Any:
        if (name, *key) not in self._kept:
            self._kept[(name, *key)] = getattr(self._data, name)(*key)
        return self._kept[(name, *key)]

    def change(self, code: str, strategy: str = "treatment policy") -> Any:
        """See `TrialData.change`."""
        return self._once("change", code, strategy)

    def effect(self, code: str) -> Any:
        """See `TrialData.effect`."""
        return self._once("effect", code)

    def treatment(self, code: str) -> Any:
        """See `TrialData.treatment`."""
        return self._once("treatment", code)

    def contrast(self, code: str, treated: str, control: str) -> Any:
        """See `TrialData.contrast`."""
        return self._once("contrast", code, treated, control)

    def parts(self, code: str) -> Any:
        """See `TrialData.parts`."""
        return self._once("parts", code)

    def select(self, replicates: Sequence[int] | NDArray[np.integer]) -> Any:
        """Return some of the replicates, remembered with the whole."""
        key = ("select", np.asarray(replicates).dtype.str, np.asarray(replicates).tobytes().hex())
        if key not in self._kept:
            self._kept[key] = Remembered(self._data.select(replicates))
        return self._kept[key]


def remembered(data: TrialData) -> TrialData:
    """Return the same data with memory for what is asked for repeatedly."""
    # A proxy: it answers whatever a TrialData answers, which no type can say short of repeating every name.
    return cast("TrialData", Remembered(data))


def selected_patients(data: TrialData, arm: str | None = None, stratum: str | None = None) -> NDArray[np.bool_]:
    """Return (R, n) who is enrolled, in an arm and in a stratum."""
    keep = np.asarray(data.enrolled)
    if arm is not None:
        keep = keep & (data.arm == data.arms.index(arm))
    if stratum is not None:
        keep = keep & (data.stratum == data.strata.index(stratum))
    return keep


def before_after(
    data: TrialData,
    code: str,
    visit: str,
    arm: str | None = None,
    stratum: str | None = None,
    strategy: str = "treatment policy",
) -> Estimate:
    """Return the mean change from baseline within a group, one per replicate: the analysis of a study without a control group."""
    change = data.change(code, strategy)[:, :, data.visit(visit)]
    return analysis.mean_change(np.where(selected_patients(data, arm, stratum), change, np.nan))


def between(
    data: TrialData,
    code: str,
    visit: str,
    treated: str,
    control: str,
    stratum: str | None = None,
    strategy: str = "treatment policy",
) -> Estimate:
    """Return the difference of two arms by ANCOVA on baseline and stratum, one per replicate."""
    quantity = data.quantity(code)
    change = data.change(code, strategy)[:, :, data.visit(visit)]
    base = quantity.forward(data.base[code].astype(np.float64))
    first, second = selected_patients(data, treated, stratum), selected_patients(data, control, stratum)
    outcome = np.where(first | second, change, np.nan)
    strata = data.stratum if stratum is None and len(data.strata) > 1 else None
    return analysis.ancova(outcome, base, first.astype(float), strata)


def true_effect(data: TrialData, code: str, visit: str, arm: str | None = None, stratum: str | None = None) -> Array:
    """Return the mean true effect of cells at a visit, one per replicate: each patient against the same patient without cells."""
    effect = data.effect(code)[:, :, data.visit(visit)]
    keep = selected_patients(data, arm, stratum) & np.isfinite(effect)
    return _mean(effect, keep)


def true_contrast(
    data: TrialData, code: str, visit: str, treated: str, control: str, stratum: str | None = None
) -> Array:
    """Return the mean true difference of two arms at a visit, one per replicate: the same patients in the one arm and the other.

    Averaged over the patients of both arms, since it is the randomised contrast's truth; see `TrialData.contrast`.
    """
    difference = data.contrast(code, treated, control)[:, :, data.visit(visit)]
    both = selected_patients(data, treated, stratum) | selected_patients(data, control, stratum)
    return _mean(difference, both & np.isfinite(difference))


def true_treatment(data: TrialData, code: str, visit: str, arm: str, stratum: str | None = None) -> Array:
    """Return the mean true effect of an arm's own therapies and inputs at a visit, one per replicate; see `TrialData.treatment`."""
    effect = data.treatment(code)[:, :, data.visit(visit)]
    return _mean(effect, selected_patients(data, arm, stratum) & np.isfinite(effect))


def _mean(values: Array, keep: NDArray[np.bool_]) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(keep, values, 0.0).sum(-1) / keep.sum(-1))


def change_parts(
    data: TrialData, code: str, visit: str, arm: str | None = None, stratum: str | None = None, replicates: int = 400
) -> pd.DataFrame:
    """Return the parts of the mean observed change: mean over replicates, spread of one study, share of the whole.

    Returns
    -------
    DataFrame
        Index: part, last ``observed change``. ``mean``, ``low``, ``high`` (range of 95 % of studies) on the scale of the change;
        ``share`` of the observed mean change.
    """
    import pandas as pd

    some = data.select(np.arange(min(replicates, data.replicates)))
    keep = selected_patients(some, arm, stratum)
    v = some.visit(visit)
    rows = {}
    change = some.change(code)[:, :, v]
    for name, values in some.parts(code).items():
        mean = _mean(values[:, :, v], keep & np.isfinite(change))
        rows[name] = _spread(mean)
    observed = _mean(change, keep & np.isfinite(change))
    rows["observed change"] = _spread(observed)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["mean", "low", "high"])
    total = rows["observed change"][0]
    # Of a change that is nothing but rounding there are no shares.
    table["share"] = table["mean"] / total if abs(total) > 1e-9 * table["mean"].abs().max() else np.nan
    return table


def _spread(values: Array) -> list[float]:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return [np.nan, np.nan, np.nan]
    return [float(finite.mean()), float(np.quantile(finite, 0.025)), float(np.quantile(finite, 0.975))]


def apparent(
    data: TrialData, code: str, visits: Sequence[str], arm: str | None = None, stratum: str | None = None
) -> pd.DataFrame:
    """Return one row per visit: what studies before and after see on average, their range, and how many call it an improvement."""
    import pandas as pd

    rows = []
    # A group without cells has no effect of cells: nothing stands there rather than 0.
    has_cells = arm is None or data.protocol.arms[arm].cells is not None
    for visit in visits:
        estimate = before_after(data, code, visit, arm, stratum)
        summary = operating_characteristics(estimate, better=BETTER[code])
        truth = true_effect(data, code, visit, arm, stratum) if has_cells else np.array([np.nan])
        improved = summary["significant and better"] or summary["significant"]
        rows.append(
            {
                "visit": visit,
                "day": float(data.days[data.visit(visit)]),
                "mean": summary["mean"],
                "low": summary["low"],
                "high": summary["high"],
                "improved": improved.value,
                "improved_low": improved.low,
                "improved_high": improved.high,
                "truth": float(np.nanmean(truth)) if np.isfinite(truth).any() else np.nan,
                "n": float(estimate.n.mean()),
            }
        )
    return pd.DataFrame(rows)


def albuminuria_remission(data: TrialData, visit: str, arm: str, stratum: str | None = None) -> Array:
    """Return the share with UACR below 30 mg/g among those who began at or above it, one per replicate."""
    value = data.observed["UACR"][:, :, data.visit(visit)].astype(float)
    keep = selected_patients(data, arm, stratum) & np.isfinite(value) & (data.base["UACR"] >= 30)
    return _mean((value < 30).astype(float), keep)


def slope_difference(
    data: TrialData, treated: str, control: str, acute_until: float = ACUTE_DAYS, until: float = np.inf
) -> dict[str, Estimate]:
    """Return acute change and chronic and total slope of eGFR, treated less control, one per replicate.

    Parameters
    ----------
    acute_until, until
        Day from which a slope is chronic (assumed), and the last day that counts.
    """
    after = (data.days > 0) & (data.days <= until)
    course = np.concatenate(
        [data.base["EGFR"].astype(float)[..., None], data.aval("EGFR").astype(float)[:, :, after]], -1
    )
    days = np.concatenate([[0.0], data.days[after]])
    slopes = patient_slopes(days, course, acute_until)
    first, second = selected_patients(data, treated), selected_patients(data, control)

    def differ(outcome: Array) -> Estimate:
        return analysis.ancova(np.where(first | second, outcome, np.nan), None, first.astype(float))

    result = {"total slope": differ(slopes.total)}
    if (days >= acute_until).any():
        result = {"acute change": differ(slopes.acute)} | result
    if (days >= acute_until).sum() >= 3:
        result["chronic slope"] = differ(slopes.chronic)
    return result


def kidney_events(data: TrialData) -> tuple[Array, NDArray[np.bool_]]:
    """Return (R, n) day and indicator of kidney failure or a confirmed fall of eGFR by 40 %."""
    after = data.days > 0
    values = np.concatenate(
        [data.base["EGFR"].astype(float)[..., None], data.aval("EGFR")[:, :, after].astype(float)], -1
    )
    time, event = survival.decline(np.concatenate([[0.0], data.days[after]]), values)
    return survival.sooner(time, event, data.kidney_failure.astype(float))


def typical(estimate: Estimate) -> int:
    """Return the replicate whose estimate is the median: one trial that stands for all."""
    effect = np.where(np.isfinite(estimate.effect), estimate.effect, np.inf)
    order = np.argsort(effect, kind="stable")
    return int(order[np.isfinite(effect).sum() // 2])
