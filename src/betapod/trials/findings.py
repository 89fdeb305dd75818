"""What a run of a trial says: apparent changes, comparisons, parts of a change, rates over replicates, early against late.

Everything here reads a `data.TrialData` and gives numbers; `report` turns them into sentences, tables and figures. On the scale
``log`` a change is the logarithm of a ratio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import analysis, survival
from .analysis import Array, Estimate
from .operating import characteristics, rate

if TYPE_CHECKING:
    import pandas as pd

    from .data import TrialData

#: Which way is better: -1 where a fall is an improvement.
BETTER: Mapping[str, int] = {
    "UACR": -1,
    "CREAT": -1,
    "EGFR": 1,
    "HBA1C": -1,
    "FPG": -1,
    "CPEP": 1,
    "BUN": -1,
    "MAP": -1,
    "SBP": -1,
    "WEIGHT": -1,
    "INSDOSE": -1,
}


@dataclass(frozen=True)
class Response:
    """What counts as a response: its name, its outcome, and the change that it needs."""

    name: str
    code: str
    change: float


#: A fall of albuminuria by 30 % is the surrogate that regulators discuss; 0.5 points of HbA1c the usual margin of relevance.
RESPONSES = (
    Response("albuminuria down by 30 % or more", "UACR", float(np.log(0.7))),
    Response("albuminuria down by half or more", "UACR", float(np.log(0.5))),
    Response("HbA1c down by 0.5 points or more", "HBA1C", -0.5),
)


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

    def parts(self, code: str) -> Any:
        """See `TrialData.parts`."""
        return self._once("parts", code)

    def select(self, replicates: Sequence[int] | NDArray[np.integer]) -> Any:
        """Return some of the replicates, remembered with the whole."""
        key = ("select", str(len(replicates)), str(replicates[0]), str(replicates[-1]))
        if key not in self._kept:
            self._kept[key] = Remembered(self._data.select(replicates))
        return self._kept[key]


def remembered(data: TrialData) -> TrialData:
    """Return the same data with memory for what is asked for repeatedly."""
    return Remembered(data)  # type: ignore[return-value]


def chosen(data: TrialData, arm: str | None = None, stratum: str | None = None) -> NDArray[np.bool_]:
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
    return analysis.mean_change(np.where(chosen(data, arm, stratum), change, np.nan))


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
    first, second = chosen(data, treated, stratum), chosen(data, control, stratum)
    outcome = np.where(first | second, change, np.nan)
    strata = data.stratum if stratum is None and len(data.strata) > 1 else None
    return analysis.ancova(outcome, base, first.astype(float), strata)


def true_effect(data: TrialData, code: str, visit: str, arm: str | None = None, stratum: str | None = None) -> Array:
    """Return the mean true effect of cells at a visit, one per replicate: each patient against the same patient without cells."""
    effect = data.effect(code)[:, :, data.visit(visit)]
    keep = chosen(data, arm, stratum) & np.isfinite(effect)
    return _mean(effect, keep)


def _mean(values: Array, keep: NDArray[np.bool_]) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(keep, values, 0.0).sum(-1) / keep.sum(-1))


def parts(
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
    keep = chosen(some, arm, stratum)
    v = some.visit(visit)
    rows = {}
    whole = some.change(code)[:, :, v]
    for name, values in some.parts(code).items():
        mean = _mean(values[:, :, v], keep & np.isfinite(whole))
        rows[name] = _spread(mean)
    observed = _mean(whole, keep & np.isfinite(whole))
    rows["observed change"] = _spread(observed)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["mean", "low", "high"])
    total = rows["observed change"][0]
    table["share"] = table["mean"] / total if total else np.nan
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
    for visit in visits:
        found = before_after(data, code, visit, arm, stratum)
        summary = characteristics(found, better=BETTER.get(code, 0))
        truth = true_effect(data, code, visit, arm, stratum)
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
                "n": float(found.n.mean()),
            }
        )
    return pd.DataFrame(rows)


def compared(
    data: TrialData, code: str, visit: str, treated: str, control: str, stratum: str | None = None
) -> dict[str, Any]:
    """Return the comparison of two arms over all replicates: mean, spread, rate of significance, true value."""
    found = between(data, code, visit, treated, control, stratum)
    summary = characteristics(found, better=BETTER.get(code, 0))
    gain = true_effect(data, code, visit, treated, stratum) - true_effect(data, code, visit, control, stratum)
    summary["truth"] = float(np.nanmean(gain)) if np.isfinite(gain).any() else float("nan")
    summary["n"] = float(found.n.mean())
    return summary


def responders(data: TrialData, response: Response, visit: str, arm: str, stratum: str | None = None) -> Array:
    """Return the share of responders among those measured, one per replicate."""
    change = data.change(response.code)[:, :, data.visit(visit)]
    return _mean((change <= response.change).astype(float), chosen(data, arm, stratum) & np.isfinite(change))


def remission(data: TrialData, visit: str, arm: str, stratum: str | None = None) -> Array:
    """Return the share with UACR below 30 mg/g among those who began at or above it, one per replicate."""
    value = data.observed["UACR"][:, :, data.visit(visit)].astype(float)
    keep = chosen(data, arm, stratum) & np.isfinite(value) & (data.base["UACR"] >= 30)
    return _mean((value < 30).astype(float), keep)


def slope_difference(data: TrialData, treated: str, control: str, acute_until: float = 80.0) -> dict[str, Estimate]:
    """Return acute change and chronic and total slope of eGFR, treated less control, one per replicate."""
    values = data.aval("EGFR").astype(float)
    course = np.concatenate([data.base["EGFR"].astype(float)[..., None], values[:, :, data.days > 0]], -1)
    days = np.concatenate([[0.0], data.days[data.days > 0]])
    found = analysis.slopes(days, course, acute_until)
    first, second = chosen(data, treated), chosen(data, control)

    def differ(outcome: Array) -> Estimate:
        return analysis.ancova(np.where(first | second, outcome, np.nan), None, first.astype(float))

    result = {"acute change": differ(found.acute), "total slope": differ(found.total)}
    if (days >= acute_until).sum() >= 3:
        result["chronic slope"] = differ(found.chronic)
    return result


def kidney_events(data: TrialData) -> tuple[Array, NDArray[np.bool_]]:
    """Return (R, n) day and indicator of kidney failure or a confirmed fall of eGFR by 40 %."""
    after = data.days > 0
    values = np.concatenate(
        [data.base["EGFR"].astype(float)[..., None], data.aval("EGFR")[:, :, after].astype(float)], -1
    )
    return survival.decline(np.concatenate([[0.0], data.days[after]]), values)


def adverse(data: TrialData, arm: str) -> pd.DataFrame:
    """Return one row per adverse event: expected number of patients with it in one trial, share, range over trials."""
    import pandas as pd

    keep = chosen(data, arm)
    rows = []
    for name, counts in data.events.items():
        hit = (np.where(keep, counts, 0) > 0).sum(-1)
        n = keep.sum(-1)
        share = hit / np.maximum(n, 1)
        low, high = analysis.exact_interval(hit.sum(), n.sum())
        rows.append(
            {
                "event": name,
                "patients": float(hit.mean()),
                "n": float(n.mean()),
                "share": float(share.mean()),
                "share_low": float(low),
                "share_high": float(high),
                "trials_low": float(np.quantile(hit, 0.025)),
                "trials_high": float(np.quantile(hit, 0.975)),
            }
        )
    return pd.DataFrame(rows)


def typical(found: Estimate) -> int:
    """Return the replicate whose estimate is the median: one trial that stands for all."""
    effect = np.where(np.isfinite(found.effect), found.effect, np.inf)
    order = np.argsort(effect, kind="stable")
    return int(order[np.isfinite(effect).sum() // 2])


def improved_rate(found: Estimate, code: str, alpha: float = 0.05) -> Array:
    """Return 1 where a study would report an improvement: p below alpha in the good direction."""
    better = BETTER.get(code, 0)
    return np.where(np.isfinite(found.p), (found.p < alpha) & (np.sign(found.effect) == better), np.nan)


def type_one(found: Estimate, alpha: float = 0.05) -> Any:
    """Return the rate of p below alpha, either way."""
    return rate(np.where(np.isfinite(found.p), found.p < alpha, np.nan))
