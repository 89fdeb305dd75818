"""The rows of a forest plot: each study's own estimate with its interval, and the pooled one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ...base.constants import Z95
from .candidate_effects import EffectSize
from .rare_events import exact

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from .pool import Pooled

INTERVALS = {"knha": "Knapp-Hartung", "adhoc": "modified Knapp-Hartung", "normal": "normal", "exact": "exact"}


def forest_table(pooled: Pooled) -> pd.DataFrame:
    """Return what a forest plot shows: one row for each study and one for the pooled estimate."""
    import pandas as pd

    from .pool import back_to_scale

    back = back_to_scale(pooled.measure)
    rows = []
    for effect, weight in zip(pooled.effects, pooled.weights, strict=True):
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
    if pooled.k > 1:
        rows.append(
            {
                "study": "pooled",
                "family": "",
                "arm": "",
                "n": pooled.n,
                "n_of": "",
                "weeks": None,
                "estimate": pooled.estimate,
                "low": pooled.ci[0],
                "high": pooled.ci[1],
                "weight_percent": 100.0,
                "how": f"{pooled.method}, {INTERVALS[pooled.interval]}",
            }
        )
    return pd.DataFrame(rows)


def _of(effect: EffectSize, back: Callable[[float], float]) -> tuple[float, float, float]:
    """Return a study's own estimate and 95 % interval; of a share as it was counted, with the exact one."""
    if effect.events is not None and effect.n:
        return (effect.events / effect.n, *exact(effect.events, effect.n))
    half = Z95 * math.sqrt(effect.v)
    return back(effect.y), back(effect.y - half), back(effect.y + half)
