"""Clinical measurements of virtual patients: true values with the error of a single measurement.

Real cohorts are measured once: one spot urine has a within-person CV of 58 %. Virtual patients are compared like with like, so
the columns ``hba1c``, ``fpg``, ``sbp``, ``egfr``, ``uacr``, ``c_peptide`` hold one measurement each, and ``true_*`` the person's own.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..base.randomness import Stream
from ..observables.formulas import pulse_pressure
from ..observables.table import Numbers, observables
from ..observables.variation import variations

#: Years that a slow deviation of albuminuria from the person's own lasts.
LIFE_UACR_YEARS = variations()["UACR", "life"].lasts


def measurement_noise() -> dict[str, float]:
    """Return the log-SD of one measurement by column, as it is now (`observables.variation.varied_by`)."""
    return {
        item.cohort: item.relative_error
        for item in observables().values()
        if item.library.startswith("true_") and item.cohort
    }


def visits_of_lives() -> frozenset[str]:
    """Return the names of SDs (`observables.variation.varied_by`) that decide what one visit of a life shows, and so what is prescribed."""
    laboratory = {item.id for item in observables().values() if item.library.startswith("true_") and item.cohort}
    return frozenset({f"{name} measurement" for name in (*laboratory, "MAP", "pulse_pressure")} | {"UACR life"})


def _sd(name: str) -> float:
    error = observables()[name].error
    assert error is not None, name
    return error.sd


def measure_once(
    true: Mapping[str, Numbers],
    person: Mapping[str, Numbers],
    numbers: NDArray[np.int64],
    seed: int,
    visit: str,
) -> dict[str, Numbers]:
    """Return one measurement of each patient.

    Parameters
    ----------
    true
        ``hba1c`` (%), ``fpg`` (mmol/L), ``MAP`` (mmHg), ``egfr``, ``uacr`` (mg/g), and ``c_peptide`` (nmol/L) where known.
    person
        ``age`` (year), ``female``, ``stiffness``, and ``life_uacr`` where albuminuria is measured: its slow deviation, standard normal.
    numbers
        (n,) numbers that fix the errors, with the seed and the name of the visit.

    Returns
    -------
    dict
        The same names, with ``sbp`` and ``dbp`` (mmHg) for ``MAP``.
    """

    def error(name: str) -> Numbers:
        return Stream(seed, f"measure:{visit}:{name}").normal(numbers)

    measured = {name: true[name] * np.exp(sd * error(name)) for name, sd in measurement_noise().items() if name in true}
    if "life_uacr" in person and "uacr" in measured:
        measured["uacr"] = measured["uacr"] * np.exp(
            variations()["UACR", "life"].share_at(true["uacr"]) * person["life_uacr"]
        )
    MAP = true["MAP"] + _sd("MAP") * error("MAP")
    pulse = pulse_pressure(
        MAP, person["age"], person["female"], person["stiffness"] + _sd("pulse_pressure") * error("pulse")
    )
    measured["sbp"], measured["dbp"] = MAP + 2.0 / 3.0 * pulse, MAP - pulse / 3.0
    return measured
