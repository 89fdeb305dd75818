"""Formulas of the clinic: pressures from the mean, values per body surface, HOMA, C-peptide after a meal, time in range."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

import numpy as np

from .table import Numbers
from .variation import read_observable_rows

#: Body surface that values are related to, m2.
REFERENCE_SURFACE = 1.73
#: C-peptide of a mixed meal (mean of two hours) over that of the fasting sample, without a graft: 2.01, 2.00, 1.91 and 1.84 in the
#: model's person with type 1 diabetes at 0, 1, 2 and 3 years (validation.metabolism_years).
MEAL_PER_FASTING = 1.9
#: Glucose that continuous monitoring counts as in range, mmol/L (70 to 180 mg/dL).
GLUCOSE_RANGE = (3.9, 10.0)
#: Insulin below which nobody injects, U/day: where no dose is titrated its state stays at 0.001.
NO_INSULIN = 0.01
#: Least distance (mmol/L) of glucose from where HOMA-B diverges.
_HOMA_LEAST = 0.5


@functools.cache
def _coefficients() -> dict[str, float]:
    return {row["id"]: float(row["value"]) for row in read_observable_rows("formulas")}


def coefficient(name: str) -> float:
    """Return a coefficient of ``formulas.csv``."""
    return _coefficients()[name]


def pulse_pressure(MAP: Numbers, age: Numbers, female: Numbers, stiffness: Numbers) -> Numbers:
    """Return pulse pressure (mmHg) by the regression on NHANES: mean pressure in mmHg, age in years, stiffness as log residual."""
    years = age - 60.0
    log = coefficient("pp_log") + coefficient("pp_age") * years + coefficient("pp_age2") * years**2
    log = log + coefficient("pp_map") * (MAP - 93.0) + coefficient("pp_female") * female + stiffness
    result: Numbers = np.exp(log)
    return result


def systolic(MAP: Numbers, age: Numbers, female: Numbers, stiffness: Numbers) -> Numbers:
    """Return systolic pressure (mmHg): mean pressure and two thirds of pulse pressure."""
    return MAP + 2.0 / 3.0 * pulse_pressure(MAP, age, female, stiffness)


def diastolic(MAP: Numbers, age: Numbers, female: Numbers, stiffness: Numbers) -> Numbers:
    """Return diastolic pressure (mmHg): mean pressure less a third of pulse pressure."""
    return MAP - pulse_pressure(MAP, age, female, stiffness) / 3.0


def per_surface(rate: Numbers, weight: Numbers, height: Numbers) -> Numbers:
    """Return a flow per 1.73 m2 of body surface (Du Bois 1916): weight in kg, height in cm."""
    surface = 0.007184 * weight**0.425 * height**0.725
    return rate * REFERENCE_SURFACE / surface


def homa_b(insulin: Numbers, glucose: Numbers, scale: float, diverges: float) -> Numbers:
    """Return beta-cell function by HOMA (%): fasting insulin in mU/L, glucose in mmol/L (Matthews 1985)."""
    return scale * insulin / np.maximum(glucose - diverges, _HOMA_LEAST)


def stimulated_C_peptide(fasting: Numbers, native: Numbers, graft: Numbers, from_graft: Numbers) -> Numbers:
    """Return C-peptide after a mixed meal, nmol/L.

    Parameters
    ----------
    fasting
        C-peptide of graft and own cells together, nmol/L.
    native, graft
        Functional mass of the own beta cells and of the graft, in normal masses.
    from_graft
        Stimulated C-peptide from the graft, pmol/L, by the reduced form of the graft.
    """
    resting = fasting * native / np.maximum(native + graft, 1e-12)
    return MEAL_PER_FASTING * resting + from_graft / 1000.0


def glucose_cv(mean: Numbers, injected_share: Numbers) -> Numbers:
    """Return the coefficient of variation of continuously monitored glucose over days.

    Parameters
    ----------
    mean
        Mean glucose, mmol/L.
    injected_share
        Share of plasma insulin that was injected, 0 to 1.

    Notes
    -----
    The two phases of the model's day hold no single meals, so the variation is not computed but goes by what was measured: more in
    diabetes than without, most where insulin is injected.
    """
    low, high = coefficient("cgm_from"), coefficient("cgm_to")
    diabetes = np.clip((mean - low) / (high - low), 0.0, 1.0)
    result: Numbers = coefficient("cgm_cv") + coefficient("cgm_cv_diabetes") * diabetes
    return result + coefficient("cgm_cv_insulin") * np.clip(injected_share, 0.0, 1.0)


def _share_below(limit: float, mean: Numbers, injected_share: Numbers) -> Numbers:
    """Return the share of time (%) below a glucose, by a gamma distribution with that mean and variation."""
    from scipy.special import gammainc

    shape = glucose_cv(mean, injected_share) ** -2.0
    result: Numbers = 100.0 * gammainc(shape, np.maximum(limit, 0.0) * shape / mean)
    return result


def time_below_range(mean: Numbers, injected_share: Numbers) -> Numbers:
    """Return the share of time (%) below 3.9 mmol/L; arguments as of `glucose_cv`."""
    return _share_below(GLUCOSE_RANGE[0], mean, injected_share)


def time_in_range(mean: Numbers, injected_share: Numbers) -> Numbers:
    """Return the share of time (%) from 3.9 to 10.0 mmol/L; arguments as of `glucose_cv`."""
    low, high = GLUCOSE_RANGE
    return _share_below(high, mean, injected_share) - _share_below(low, mean, injected_share)


def time_above_range(mean: Numbers, injected_share: Numbers) -> Numbers:
    """Return the share of time (%) above 10.0 mmol/L; arguments as of `glucose_cv`."""
    return 100.0 - _share_below(GLUCOSE_RANGE[1], mean, injected_share)


def injected(dose: Numbers) -> Numbers:
    """Return a dose of insulin (U/day), none where nothing is injected."""
    return np.where(dose < NO_INSULIN, 0.0, dose)


#: What expressions of the table may call.
FUNCTIONS: Mapping[str, Callable[..., Numbers]] = {
    formula.__name__: formula
    for formula in (
        pulse_pressure,
        systolic,
        diastolic,
        per_surface,
        homa_b,
        stimulated_C_peptide,
        time_below_range,
        time_in_range,
        time_above_range,
        injected,
    )
}
