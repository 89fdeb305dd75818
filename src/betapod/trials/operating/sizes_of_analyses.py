"""Power and sizes of any analysis: trials nested in the simulated ones, and errors that shrink with the root of the patients.

Of means, shares and events there are formulas of their own (`sizing`); all else, and whatever has a margin, is sized by what the analysis itself found.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..analysis.controlled import analyse
from ..analysis.estimators import Estimate
from ..protocol.analysis_keys import SLOPES
from .power_analysis import MOST_PATIENTS, Rate, rate
from .test_rules import TestRule, rule_of

if TYPE_CHECKING:
    from ..analysis.endpoints import Comparison
    from ..conduct.trial_data import TrialData
    from ..protocol.endpoint_keys import Endpoint

#: Sizes of nested trials whose power is simulated.
_STEPS = 5
#: Replicates from which the scatter of an estimate is taken as it is; with fewer its standard error stands for it.
_ENOUGH = 50


@dataclass(frozen=True)
class AnalysisPower:
    """Power of an analysis over the patients of all arms, and what it rests on.

    Attributes
    ----------
    n, simulated, smooth
        Patients; share of nested trials that show what is to be shown; the same by the normal distribution.
    effect, error
        Mean estimate, and its Monte Carlo error.
    distance
        From the effect to what is to be refuted (0, or the margin), positive where the trial can succeed.
    standard_error, scatter
        Root mean square standard error, and standard deviation of the estimates, of a trial of `patients`.
    """

    n: tuple[int, ...]
    simulated: tuple[Rate, ...]
    smooth: tuple[float, ...]
    effect: float
    error: float
    distance: float
    standard_error: float
    scatter: float
    patients: int
    rule: TestRule

    def needed(self, power: float) -> int | None:
        """Return the patients of all arms for a power; None where no trial could enrol them, or the effect is no success."""
        from scipy.special import ndtri

        if not (self.distance > 0 and self.standard_error > 0):
            return None
        width = ndtri(1 - _one_sided(self.rule)) * self.standard_error + ndtri(power) * self.scatter
        needed = self.patients * (width / self.distance) ** 2
        return math.ceil(needed - 1e-9) if needed <= MOST_PATIENTS else None


def usual_size(endpoint: Endpoint, rule: TestRule) -> bool:
    """Whether a formula of `sizing` gives the size: superiority by an analysis without settings, of means, shares or events."""
    settings = endpoint.analysis
    plain = settings is None or not settings.model_fields_set - {"method"}
    able = {"responders": ("risk difference",), "time to event": ("log-rank", "Cox")}
    methods = able.get(endpoint.summary, ("ANCOVA", "t test"))
    slopes = endpoint.summary in SLOPES and settings is not None and settings.knot is not None
    return rule.objective == "superiority" and (plain or slopes) and endpoint.method in methods


def analysis_power(data: TrialData, endpoint: Endpoint, comparison: Comparison) -> AnalysisPower:
    """Return the power of an endpoint's analysis in trials of fewer patients, and what larger ones need."""
    rule = rule_of(data.protocol.endpoints, endpoint)
    sizes = [int(n) for n in np.unique(np.round(np.geomspace(min(24, data.patients), data.patients, _STEPS)))]
    rank = np.argsort(interleaved(np.asarray(data.stratum)), axis=1, kind="stable")
    estimates = [
        analyse(replace(data, member=np.where(rank < n, data.member, -1)), endpoint, comparison, level=rule.level)
        for n in sizes
    ]
    largest = estimates[-1]
    effect, error, scatter = _moments(largest)
    standard = _rms(largest.standard_error)
    distance = _distance(rule, effect)
    smooth = tuple(_normal_power(rule, distance, standard, scatter, n / data.patients) for n in sizes)
    rates = tuple(rate(rule.shown(estimate)) for estimate in estimates)
    return AnalysisPower(tuple(sizes), rates, smooth, effect, error, distance, standard, scatter, data.patients, rule)


def power_rows(power: AnalysisPower, keys: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of `Assessment.power`."""
    return [
        keys | {"n": n, "power": got.value, "power_low": got.low, "power_high": got.high, "smooth": smooth}
        for n, got, smooth in zip(power.n, power.simulated, power.smooth, strict=True)
    ]


def size_rows(power: AnalysisPower, keys: dict[str, Any], none: bool, caution: str) -> list[dict[str, Any]]:
    """Return the rows of `Assessment.sizes`.

    Parameters
    ----------
    none
        Whether there is no effect by scenario.
    """
    rows = []
    for wanted in (0.8, 0.9):
        n = None if none else power.needed(wanted)
        row = {
            "power": wanted,
            "effect": power.effect,
            "error_of_effect": power.error,
            "sd": math.nan,
            "lost": math.nan,
        }
        rows.append(keys | row | {"n": math.nan if n is None else float(n), "caution": caution})
    return rows


def interleaved(stratum: np.ndarray) -> np.ndarray:
    """Return an order of each replicate's patients in which every beginning has the strata in proportion."""
    rank = np.zeros(stratum.shape)
    for code in np.unique(stratum):
        in_stratum = stratum == code
        rank += np.where(
            in_stratum, (np.cumsum(in_stratum, 1) - 0.5) / np.maximum(in_stratum.sum(1, keepdims=True), 1), 0.0
        )
    return np.argsort(rank, axis=1, kind="stable")


def _moments(estimate: Estimate) -> tuple[float, float, float]:
    """Return mean, Monte Carlo error of the mean, and standard deviation of the estimates that there are."""
    effect = estimate.effect[np.isfinite(estimate.effect)]
    if not len(effect):
        return math.nan, math.nan, math.nan
    spread = float(effect.std(ddof=1)) if len(effect) > 1 else math.nan
    scatter = spread if len(effect) >= _ENOUGH else _rms(estimate.standard_error)
    return float(effect.mean()), spread / math.sqrt(len(effect)), scatter


def _rms(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(np.sqrt(np.mean(finite**2))) if len(finite) else math.nan


def _distance(rule: TestRule, effect: float) -> float:
    """Return how far an effect is from what is to be refuted; of equivalence from the nearer margin."""
    if rule.objective == "equivalence":
        return rule.margin - abs(effect)
    return rule.better * effect + rule.margin


def _one_sided(rule: TestRule) -> float:
    return rule.alpha if rule.sides == 1 else rule.alpha / 2


def _normal_power(rule: TestRule, distance: float, standard_error: float, scatter: float, share: float) -> float:
    from scipy.special import ndtr, ndtri

    if not (standard_error > 0 and scatter > 0 and math.isfinite(distance)):
        return math.nan
    # Of equivalence with the effect in the middle both margins must be refuted; the nearer one decides elsewhere.
    return float(ndtr((distance * math.sqrt(share) - ndtri(1 - _one_sided(rule)) * standard_error) / scatter))
