"""A pooled estimate, and the rows of its forest plot: each study's own estimate with its interval, and the pooled one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...base.constants import Z95
from ...base.display import Displayed
from .candidate_effects import MEASURES, EffectSize, Exclusion
from .rare_events import exact_share_interval

if TYPE_CHECKING:
    import pandas as pd

#: What the intervals are called in full.
INTERVAL_NAMES = {"knha": "Knapp-Hartung", "adhoc": "modified Knapp-Hartung", "normal": "normal", "exact": "exact"}


@dataclass(frozen=True, repr=False)
class Pooled(Displayed):
    """A pooled estimate. Ratios, rates and proportions are on their own scale, `mu` and `se` on the scale of analysis.

    Attributes
    ----------
    estimate, ci
        With the 95 % interval: by default Knapp and Hartung's with t on k - 1 degrees of freedom; for one or two studies the
        normal one; for a share with nobody or everybody the exact one.
    prediction_interval
        Where 95 % of the true effects of such studies are expected; None below three studies and without random effects.
    tau2, tau2_ci
        Variance between studies on the scale of analysis, with the Q-profile interval (infinite where it has no end); None where
        the method has none.
    i2
        Share of the variance that is between studies, %, from `tau2` (as metafor), or from Q where there is no `tau2`.
    q, q_p
        Cochran's Q and its p value.
    k, n
        Independent studies, people in them where stated.
    reasons
        What was excluded or must be known, one sentence each.

    Examples
    --------
    >>> import betapod
    >>> trials = betapod.load_evidence().select(endpoint="HbA1c", product="UC-MSC", controls=True)
    >>> pooled = betapod.pool(trials, contrast="between", across=["population"])
    >>> pooled.ci[0] < pooled.estimate < pooled.ci[1]
    True
    """

    estimate: float
    ci: tuple[float, float]
    prediction_interval: tuple[float, float] | None
    tau2: float | None
    i2: float | None
    k: int
    reasons: tuple[str, ...]
    measure: str
    contrast: str
    endpoint: str
    unit: str
    method: str
    mu: float
    se: float
    p: float
    q: float | None
    q_p: float | None
    tau2_ci: tuple[float, float] | None
    n: int
    effects: tuple[EffectSize, ...]
    weights: tuple[float, ...]
    excluded: tuple[Exclusion, ...]
    interval: str = "knha"

    @property
    def table(self) -> pd.DataFrame:
        """One row per study with its estimate and 95 % interval, and one for the pooled estimate."""
        import pandas as pd

        back = back_to_scale(self.measure)
        rows = []
        for effect, weight in zip(self.effects, self.weights, strict=True):
            estimate, low, high = _of(effect, back)
            rows.append(
                {
                    "study": effect.study,
                    "family": effect.family,
                    "arm": effect.arm,
                    "n": effect.n,
                    "n_of": effect.people,
                    "weeks": effect.weeks,
                    "estimate": estimate,
                    "low": low,
                    "high": high,
                    "weight_percent": weight,
                    "how": effect.how,
                }
            )
        if self.k > 1:
            rows.append(
                {
                    "study": "pooled",
                    "family": "",
                    "arm": "",
                    "n": self.n,
                    "n_of": "",
                    "weeks": None,
                    "estimate": self.estimate,
                    "low": self.ci[0],
                    "high": self.ci[1],
                    "weight_percent": 100.0,
                    "how": f"{self.method}, {INTERVAL_NAMES[self.interval]}",
                }
            )
        return pd.DataFrame(rows)

    @property
    def units(self) -> dict[str, str]:
        """Unit of estimates and bounds."""
        return dict.fromkeys(("estimate", "low", "high"), self.unit)

    @property
    def null(self) -> float:
        """The value of no effect, nan for a proportion, a rate or a slope of one group."""
        if self.contrast == "level":
            return math.nan
        return 1.0 if MEASURES[self.measure] == "log" else 0.0

    @property
    def crosses_null(self) -> bool:
        """Whether the interval contains no effect."""
        return self.ci[0] <= self.null <= self.ci[1]


def back_to_scale(measure: str) -> Callable[[float], float]:
    """Return the function from the scale of analysis back to the measure's own."""
    scale = MEASURES[measure]
    if scale == "log":
        return math.exp
    if scale == "logit":
        return lambda x: 1.0 / (1.0 + math.exp(-x))
    return float


def _of(effect: EffectSize, back: Callable[[float], float]) -> tuple[float, float, float]:
    """Return a study's own estimate and 95 % interval; of a share as it was counted, with the exact one."""
    if effect.events is not None and effect.n:
        return (effect.events / effect.n, *exact_share_interval(effect.events, effect.n))
    half = Z95 * math.sqrt(effect.v)
    return back(effect.y), back(effect.y - half), back(effect.y + half)
