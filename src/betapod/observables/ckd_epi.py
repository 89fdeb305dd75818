"""eGFR from creatinine and back: CKD-EPI 2021, without race (Inker 2021, doi:10.1056/NEJMoa2102953)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

_SCALE, _AGEING, _ABOVE, _WOMEN = 142.0, 0.9938, -1.2, 1.012
#: Creatinine at the kink (mg/dL) and exponent below it, of women and men.
_KAPPA, _ALPHA = (0.7, 0.9), (-0.241, -0.302)
#: By how many percent eGFR falls at most where creatinine rises by one.
STEEPEST = -_ABOVE


def _of(pair: tuple[float, float], female: Numbers) -> Numbers:
    return np.where(female > 0, *pair)


def _at_kink(age: Numbers, female: Numbers) -> Numbers:
    """Return the eGFR at the kink."""
    egfr: Numbers = _SCALE * _AGEING**age * np.where(female > 0, _WOMEN, 1.0)
    return egfr


def ckd_epi_2021(creatinine: Numbers, age: Numbers, female: Numbers) -> Numbers:
    """Return eGFR (mL/min/1.73m2) from creatinine (mg/dL), age (years) and sex (1 female); NaN where one of them is."""
    ratio = creatinine / _of(_KAPPA, female)
    shape = np.minimum(ratio, 1.0) ** _of(_ALPHA, female) * np.maximum(ratio, 1.0) ** _ABOVE
    egfr: Numbers = _at_kink(age, female) * shape
    return np.where(np.isnan(female), np.nan, egfr)


def creatinine_of(egfr: Numbers, age: Numbers, female: Numbers) -> Numbers:
    """Return the creatinine (mg/dL) from which `ckd_epi_2021` makes an eGFR."""
    share = egfr / _at_kink(age, female)
    creatinine: Numbers = _of(_KAPPA, female) * np.where(
        share > 1.0, share ** (1.0 / _of(_ALPHA, female)), share ** (1.0 / _ABOVE)
    )
    return creatinine
