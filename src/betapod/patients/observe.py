"""What a clinic measures in a virtual patient: systolic pressure from mean pressure, and the error of a single measurement.

Real cohorts are measured once: one spot urine has a within-person CV of 58 %. Virtual patients are compared like with like, so
the columns ``hba1c``, ``fpg``, ``sbp``, ``egfr``, ``uacr``, ``c_peptide`` hold one measurement each, and ``true_*`` the person's own.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..base.randomness import Stream
from .population import Numbers, constant

#: Measured quantity and the row of the population table with its log-SD.
NOISE = {"hba1c": "cv_hba1c", "fpg": "cv_fpg", "egfr": "cv_egfr", "uacr": "cv_uacr", "c_peptide": "cv_c_peptide"}


def pulse_pressure(MAP: Numbers, age: Numbers, female: Numbers, stiffness: Numbers) -> Numbers:
    """Return pulse pressure (mmHg) by the regression on NHANES: mean pressure in mmHg, age in years, stiffness as log residual."""
    years = age - 60.0
    log = constant("pp_log") + constant("pp_age") * years + constant("pp_age2") * years**2
    log = log + constant("pp_map") * (MAP - 93.0) + constant("pp_female") * female + stiffness
    result: Numbers = np.exp(log)
    return result


def systolic(MAP: Numbers, age: Numbers, female: Numbers, stiffness: Numbers) -> Numbers:
    """Return systolic pressure (mmHg): mean pressure and two thirds of pulse pressure."""
    return MAP + 2.0 / 3.0 * pulse_pressure(MAP, age, female, stiffness)


def morning_glucose(fasting: Numbers, hba1c: Numbers, dawn: Numbers, insulin: Numbers) -> Numbers:
    """Return glucose on a fasting morning (mmol/L) from that of the day layer's fasting phase.

    Mornings lie above the mean of the fasting half of the day, the more the worse the control, and differ between people with the
    same HbA1c, most in users of insulin (1). The relation is fitted to NHANES, calibration half.
    """
    excess = np.clip(hba1c - constant("dawn_from"), 0.0, constant("dawn_to") - constant("dawn_from"))
    spread = np.where(insulin > 0, constant("dawn_insulin"), 1.0) * dawn
    result: Numbers = fasting * np.exp(constant("dawn_slope") * excess + spread)
    return result


def measure(
    true: Mapping[str, Numbers],
    person: Mapping[str, Numbers],
    numbers: NDArray[np.int64],
    seed: int,
    visit: str,
) -> dict[str, Numbers]:
    """Return one measurement of everybody.

    Parameters
    ----------
    true
        ``hba1c`` (%), ``fpg`` (mmol/L), ``MAP`` (mmHg), ``egfr``, ``uacr`` (mg/g), and ``c_peptide`` (nmol/L) where known.
    person
        ``age`` (year), ``female``, ``stiffness``.
    numbers
        (n,) numbers that fix the errors, with the seed and the name of the visit.

    Returns
    -------
    dict
        The same names, with ``sbp`` and ``dbp`` (mmHg) for ``MAP``.
    """

    def error(name: str) -> Numbers:
        return Stream(seed, f"measure:{visit}:{name}").normal(numbers)

    found = {name: true[name] * np.exp(constant(row) * error(name)) for name, row in NOISE.items() if name in true}
    MAP = true["MAP"] + constant("sd_map") * error("MAP")
    pulse = pulse_pressure(
        MAP, person["age"], person["female"], person["stiffness"] + constant("sd_pp") * error("pulse")
    )
    found["sbp"], found["dbp"] = MAP + 2.0 / 3.0 * pulse, MAP - pulse / 3.0
    return found
