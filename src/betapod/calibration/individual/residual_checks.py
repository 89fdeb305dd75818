"""Checks of residuals: centred, as wide as the errors say, independent, and alike over the range."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
#: Chance below which a check is not passed.
UNLIKELY = 0.01
#: Standardised residuals beyond which a measurement is named.
FAR = 4.0
#: Residuals that SciPy's test of normality takes.
_MOST = 5000


@dataclass(frozen=True)
class ResidualCheck:
    """One check of the residuals of one observable.

    Attributes
    ----------
    value
        What was computed; `chance` is that of one so far from what it should be, NaN where there is none.
    passed
        Whether nothing speaks against it.
    """

    observable: str
    check: str
    value: float
    chance: float
    passed: bool
    words: str


def check_residuals(
    observable: str, residual: Numbers, predicted: Numbers, person: NDArray[np.int64], freedom: float, stated: bool
) -> list[ResidualCheck]:
    """Return the checks of one observable.

    Parameters
    ----------
    residual
        (n,) standardised by their expected SD, in the order of people and times.
    person
        (n,) number of whose they are.
    freedom
        Measurements less what was fitted to them.
    stated
        Whether the errors are stated, so that their size can be wrong.
    """
    from scipy import stats

    count = len(residual)
    if count < 3:
        return []
    checks = [
        _check(
            observable,
            "centred",
            float(np.mean(residual)),
            float(stats.norm.sf(abs(np.mean(residual)) * math.sqrt(count)) * 2.0),
        )
    ]
    if stated and freedom > 0.0:
        total = float(np.mean(residual**2)) * freedom
        chance = 2.0 * min(float(stats.chi2.cdf(total, freedom)), float(stats.chi2.sf(total, freedom)))
        checks.append(_check(observable, "as wide as stated", math.sqrt(total / freedom), chance))
    follows = np.flatnonzero(person[1:] == person[:-1])
    if len(follows) >= 5:
        together = residual[follows] * residual[follows + 1]
        value = float(np.mean(together)) / max(float(np.mean(residual**2)), 1e-300)
        checks.append(
            _check(observable, "independent in time", value, float(stats.norm.sf(value * math.sqrt(len(follows)))))
        )
    if count >= 8 and np.ptp(predicted) > 0.0:
        for name, values in (("no trend with size", residual), ("as wide at every size", np.abs(residual))):
            rank = stats.spearmanr(predicted, values)
            checks.append(_check(observable, name, float(rank.statistic), float(rank.pvalue)))
    if 8 <= count <= _MOST:
        shape = stats.shapiro(residual)
        checks.append(_check(observable, "normal", float(shape.statistic), float(shape.pvalue)))
    return checks


_WORDS = {
    "centred": "predictions are too high or too low on the whole",
    "as wide as stated": "residuals are not as wide as the stated errors",
    "independent in time": "measurements after each other err alike: the model lacks something, or errors are not independent",
    "no trend with size": "residuals follow the prediction: the model lacks something",
    "as wide at every size": "residuals grow or shrink with the prediction: another error model may fit",
    "normal": "residuals are not normal: look for single measurements that are far off",
}


def _check(observable: str, name: str, value: float, chance: float) -> ResidualCheck:
    passed = not chance < UNLIKELY
    return ResidualCheck(observable, name, value, chance, passed, "" if passed else _WORDS[name])
