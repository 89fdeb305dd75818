"""The variance between studies and its interval."""

from __future__ import annotations

from typing import Any

from ...base.errors import MissingExtraError


def tau2_of(y: Any, v: Any, method: str) -> float:
    """Return the variance between studies: PyMARE's estimate, refined where it was found by a search."""
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pymare import Dataset, estimators
    except ImportError:
        raise MissingExtraError("pymare", "evidence", "pooling of studies") from None
    if method == "DL":
        fitted = estimators.DerSimonianLaird()
    else:
        fitted = estimators.VarianceBasedLikelihoodEstimator(method=method)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tau2 = max(0.0, float(fitted.fit_dataset(Dataset(y=y, v=v)).summary().tau2.ravel()[0]))
    return tau2 if method == "DL" else _refined(y, v, tau2, method)


def _refined(y: Any, v: Any, start: float, method: str) -> float:
    """Finish a likelihood search by Fisher scoring, to full precision."""
    tau2 = start
    for _ in range(200):
        w = 1.0 / (v + tau2)
        total = w.sum()
        mu = w @ y / total
        score = (w**2) @ (y - mu) ** 2 - total
        information = (w**2).sum()
        if method == "REML":
            score += (w**2).sum() / total
            information += -2.0 * (w**3).sum() / total + ((w**2).sum() / total) ** 2
        step = float(score / information)
        following = max(0.0, tau2 + step)
        if abs(following - tau2) <= 1e-14 * (1.0 + tau2):
            return following
        tau2 = following
    return tau2


def tau2_interval(y: Any, v: Any) -> tuple[float, float]:
    """Return the Q-profile interval of the variance between studies (Viechtbauer 2007)."""
    from scipy import optimize, stats

    k = len(y)

    def q(tau2: float) -> float:
        w = 1.0 / (v + tau2)
        return float(w @ (y - w @ y / w.sum()) ** 2)

    ends = []
    for probability in (0.025, 0.975):
        target = float(stats.chi2.isf(probability, k - 1))
        if q(0.0) <= target:
            ends.append(0.0)
            continue
        high = float(v.max())
        while q(high) > target and high < 1e12:
            high *= 4.0
        ends.append(float(optimize.brentq(lambda t, goal=target: q(t) - goal, 0.0, high, xtol=1e-13, rtol=1e-13)))
    return ends[0], ends[1]
