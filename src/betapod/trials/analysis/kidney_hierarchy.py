"""The kidney hierarchical composite endpoint: death, dialysis, sustained falls of eGFR, and its slope, in one order.

Heerspink and others, J Am Soc Nephrol 2023;34:2025 (doi 10.1681/ASN.0000000000000243): the worst that happened to a patient, and when, counts; those to whom nothing
happened are compared by the slope of their eGFR.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .estimators import Array
from .patient_slopes import patient_slopes
from .survival import crossing
from .win_statistics import hierarchical_score

#: eGFR (mL/min/1.73m2) below which kidneys have failed, and the falls that count, in the order of the hierarchy.
FAILED = 15.0
FALLS = (0.57, 0.50, 0.40)
#: Names of the components, the most serious first.
KIDNEY_COMPONENTS = ("death", "dialysis", "eGFR below 15", "fall by 57 %", "fall by 50 %", "fall by 40 %", "eGFR slope")


def kidney_hierarchy(
    times: ArrayLike, egfr: ArrayLike, death: ArrayLike, dialysis: ArrayLike, slope: ArrayLike | None = None
) -> tuple[Array, NDArray[np.int_]]:
    """Return score (higher is better) and component of the kidney hierarchical composite endpoint, shape (R, n).

    Parameters
    ----------
    times
        Day of each visit, the first being baseline, shape (V,).
    egfr
        mL/min/1.73m2, shape (R, n, V); NaN where a visit was missed.
    death, dialysis
        Day of death, and of the start of dialysis that went on for 90 days; NaN without. Shape (R, n).
    slope
        Of eGFR per year, shape (R, n); by default least squares on each patient's visits, who needs visits over half of the time.

    Returns
    -------
    score, component
        As `hierarchical_score` gives them, for `win_statistics` and `wins_by_component`; shape (R, n).

    Raises
    ------
    ValueError
        The shapes do not go together.

    Notes
    -----
    A fall, or a value below 15, counts when the next visit attended confirms it, on the day of the first value.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.trials.analysis.kidney_hierarchy import KIDNEY_COMPONENTS, kidney_hierarchy
    >>> egfr = np.array([[[50, 48, 47, 46], [50, 28, 27, 26], [50, 40, 30, 14]]])
    >>> nothing = np.full((1, 3), np.nan)
    >>> score, component = kidney_hierarchy([0, 120, 240, 360], egfr, nothing, nothing)
    >>> [KIDNEY_COMPONENTS[k] for k in component[0]]
    ['eGFR slope', 'fall by 40 %', 'fall by 40 %']
    """
    events, last = kidney_outcomes(times, egfr, death, dialysis, slope)
    return hierarchical_score(events, last)


def kidney_outcomes(
    times: ArrayLike, egfr: ArrayLike, death: ArrayLike, dialysis: ArrayLike, slope: ArrayLike | None = None
) -> tuple[list[Array], Array]:
    """Return the days (R, n) of the events of the hierarchy in its order, NaN without, and the slope of eGFR; arguments are those of `kidney_hierarchy`."""
    values = np.asarray(egfr, dtype=float)
    base = values[..., 0]
    bounds = [np.full(base.shape, np.nextafter(FAILED, 0.0)), *((1 - fall) * base for fall in FALLS)]
    events = [np.asarray(death, dtype=float), np.asarray(dialysis, dtype=float)]
    for bound in bounds:
        day, happened = crossing(times, values, bound)
        events.append(np.where(happened, day, np.nan))
    return events, patient_slopes(times, values, 0.0).total if slope is None else np.asarray(slope, dtype=float)
