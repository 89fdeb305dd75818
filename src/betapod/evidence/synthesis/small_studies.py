"""Whether small studies tell another story than large ones."""

from __future__ import annotations

from dataclasses import dataclass

from .pooled import Pooled


@dataclass(frozen=True)
class SmallStudies:
    """Whether small studies tell another story than large ones.

    Attributes
    ----------
    egger_intercept, egger_p
        Slope of the effect on its standard error in the weighted regression of Egger et al. (1997), and its p value.
    kendall_tau, begg_p
        Rank correlation of Begg and Mazumdar (1994).
    note
        What the tests can say with so many studies.
    """

    k: int
    egger_intercept: float | None
    egger_p: float | None
    kendall_tau: float | None
    begg_p: float | None
    note: str


def small_studies(pooled: Pooled) -> SmallStudies:
    """Test for small-study effects; below ten studies the tests have hardly any power, and the note says so."""
    k = pooled.k
    if k < 3:
        return SmallStudies(k, None, None, None, None, "no test is possible below 3 studies")
    import numpy as np
    from scipy import stats

    y = np.array([effect.y for effect in pooled.effects])
    v = np.array([effect.v for effect in pooled.effects])
    error = np.sqrt(v)
    slope = slope_p = None
    if float(np.ptp(error)) > 1e-12 * float(error.max()):
        # Weighted least squares with a free dispersion is ordinary regression of y/se on 1/se; its intercept is the slope on se.
        fitted = stats.linregress(1.0 / error, y / error)
        slope = float(fitted.intercept)
        slope_p = (
            float(2.0 * stats.t.sf(abs(slope / fitted.intercept_stderr), k - 2))
            if fitted.intercept_stderr > 0
            else None
        )
    fixed = 1.0 / v
    spread = v - 1.0 / fixed.sum()
    tau, begg_p = stats.kendalltau((y - fixed @ y / fixed.sum()) / np.sqrt(spread), v)
    note = "" if k >= 10 else f"{k} studies: below 10 these tests have hardly any power"
    return SmallStudies(k, slope, slope_p, float(tau), float(begg_p), note)
