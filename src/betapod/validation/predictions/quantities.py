"""What is measured of people in studies, and what a person shows on one visit."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...base.constants import DAYS_PER_WEEK, DAYS_PER_YEAR
from ...observables.quantities import relative_error

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Insulin below which a person counts as free of it (U/day), and the HbA1c (%) that goes with it; see person/readouts.py.
_FREE = 2.0
#: C-peptide from which a graft counts as working, nmol/L: 0.3 ng/mL, the definition of the islet registries.
_C_PEPTIDE_POSITIVE = 0.1
#: Stimulated C-peptide that can be detected, nmol/L: HAO2016, abstract.
_C_PEPTIDE_DETECTABLE = 0.017
#: Insulin-dose-adjusted HbA1c (% + 4 times U/kg/day) up to which type 1 diabetes counts as in partial remission.
_REMISSION, _PER_DOSE = 9.0, 4.0


@dataclass(frozen=True)
class Quantity:
    """A quantity that is measured.

    Attributes
    ----------
    column
        Of `courses.Courses.values`.
    log
        Whether changes are compared as ratios.
    error
        SD of one measurement as a share of the value, as in observables/measurement.csv; assumed for what that lacks.
    life
        SD of what a year of a person's life moves, as a share of the value, that the model does not have (changes of care, diet,
        season, illness); it widens intervals where the source prints no error. Assumed, but for HbA1c: arms of ZANG2022, SD 1.27
        and 1.07 % around 9.02 and 7.52 %, with an assumed correlation of 0.5.
    relative
        Whether the model's number stands for another in its course only, so that levels need the study's own baseline and are
        compared as ratios.
    note
        What stands for what.
    """

    column: str
    log: bool = False
    error: float = 0.0
    life: float = 0.0
    relative: bool = False
    note: str = ""


_HBA1C, _FPG, _CP, _ACR, _CREAT = (relative_error(code) for code in ("HBA1C", "FPG", "CPEP", "UACR", "CREAT"))
_SBP, _GBM, _MESANGIUM, _WEIGHT = (relative_error(code) for code in ("SBP", "GBM", "MESANGIUM", "WEIGHT"))
#: At a mean pressure of 93 mmHg.
_MAP = relative_error("MAP", 93.0)
_STIMULATED = "own C-peptide after a meal as 2.3 times that of the fasting phase"
_MEAL = "course of secretion in the fed phase stands for that of the mixed-meal test"
QUANTITIES = {
    "HbA1c": Quantity("HbA1c", error=_HBA1C, life=0.13),
    "FPG": Quantity("FPG", error=_FPG, life=0.2),
    "mean_plasma_glucose": Quantity("G_day", error=0.05, life=0.15),
    "fasting_C_peptide": Quantity("C_peptide_fasting", error=_CP, life=0.2),
    "stimulated_C_peptide": Quantity("C_peptide_stimulated", error=_CP, life=0.2, note=_STIMULATED),
    "C_peptide_AUC": Quantity("secretion_fed", log=True, error=_CP, life=0.2, relative=True, note=_MEAL),
    "HOMA_B": Quantity("HOMA_B", error=0.2, life=0.2),
    "insulin_dose": Quantity("insulin_dose", life=0.3),
    "glucose_infusion_rate": Quantity("clamp_M", error=0.1, life=0.2),
    "eGFR": Quantity("eGFR", error=0.073, life=0.05),
    "mGFR": Quantity("GFR_indexed", error=0.05, life=0.05),
    "GFR_absolute": Quantity("GFR_measured", error=0.05, life=0.05),
    "creatinine_clearance": Quantity("GFR_indexed", error=0.1, note="GFR stands for creatinine clearance"),
    "creatinine": Quantity("creatinine", error=_CREAT, life=0.05),
    "reciprocal_creatinine": Quantity("reciprocal_creatinine", error=_CREAT, life=0.05),
    "ERPF": Quantity("RPF_indexed", error=0.1, life=0.05),
    "renal_plasma_flow": Quantity("RPF", error=0.1, life=0.05),
    "renal_vascular_resistance": Quantity("resistance", error=0.1, life=0.05),
    "UACR": Quantity("UACR", log=True, error=_ACR, life=0.4),
    "UAER": Quantity("UAER", log=True, error=_ACR, life=0.4, note="error of a spot sample"),
    "proteinuria": Quantity(
        "UAER", log=True, error=_ACR, life=0.4, relative=True, note="course of albumin stands for that of protein"
    ),
    "GBM_thickness": Quantity("W_GBM", error=_GBM),
    "mesangial_fractional_volume": Quantity("Vv_mes", error=_MESANGIUM),
    "podocyte_number": Quantity("podocytes", log=True, error=0.15, relative=True, note="per glomerulus, relative"),
    "Kf_single_nephron": Quantity("K_f_nephron", log=True, error=0.15, relative=True),
    "filtration_surface_area": Quantity(
        "surface", log=True, error=0.15, relative=True, note="per glomerulus, relative"
    ),
    "body_weight": Quantity("BW", error=_WEIGHT, life=0.04),
    "SBP": Quantity("SBP", error=_SBP, life=0.05),
    "MAP": Quantity("MAP", error=_MAP, life=0.05),
}
#: Other names of the registry for the same quantity.
ALIASES = {
    "insulin_dose_total": "insulin_dose",
    "mGFR_absolute": "GFR_absolute",
    "eGFR_acute_change": "eGFR",
    "GFR": "mGFR",
    "C_peptide_glucagon_stimulated": "stimulated_C_peptide",
    "C_peptide_AUC_unknown_time_base": "C_peptide_AUC",
}
#: Time over which what life moves is forgotten, year; assumed.
_LASTS = 1.0
#: Quantities of which several samples may be taken for one visit.
URINE = ("UACR", "UAER")

#: A quantity of everybody on a visit, by its name and week.
Seen = Callable[[str, float], Numbers]
Condition = Callable[[Seen, float], Flags]


def _less(dose: Numbers, start: Numbers) -> Flags:
    return (start > 0) & (dose <= 0.5 * start)


def _reduced_and_controlled(seen: Seen, week: float) -> Flags:
    return (seen("HbA1c", week) < 7.0) & _less(seen("insulin_dose", week), seen("insulin_dose", 0.0))


def _partial_remission(seen: Seen, week: float) -> Flags:
    adjusted = seen("HbA1c", week) + _PER_DOSE * seen("insulin_dose", week) / seen("body_weight", week)
    return np.asarray(adjusted <= _REMISSION, dtype=bool)


def _working(seen: Seen, week: float) -> Flags:
    return np.asarray(seen("fasting_C_peptide", week) >= _C_PEPTIDE_POSITIVE, dtype=bool)


def _maintained(seen: Seen, week: float) -> Flags:
    return np.asarray(seen("stimulated_C_peptide", week) >= seen("stimulated_C_peptide", 0.0), dtype=bool)


def _more_secretion(seen: Seen, week: float) -> Flags:
    """A tenth more of the fasting or of the postprandial C-peptide, as the endpoint of LU2021 has it."""
    grown = [seen(name, week) >= 1.1 * seen(name, 0.0) for name in ("fasting_C_peptide", "stimulated_C_peptide")]
    return np.asarray(grown[0] | grown[1], dtype=bool)


def _stimulated(seen: Seen, week: float) -> Flags:
    return np.asarray(seen("stimulated_C_peptide", week) >= _C_PEPTIDE_POSITIVE, dtype=bool)


SHARES: dict[str, Condition] = {
    "HbA1c_lt7": lambda seen, week: seen("HbA1c", week) < 7.0,
    "insulin_independence": lambda seen, week: (seen("insulin_dose", week) < _FREE) & (seen("HbA1c", week) < 7.0),
    "insulin_reduction_ge50": lambda seen, week: _less(seen("insulin_dose", week), seen("insulin_dose", 0.0)),
    "HbA1c_lt7_and_insulin_reduction_ge50": _reduced_and_controlled,
    "insulin_reduction_ge50_with_HbA1c_lt7": _reduced_and_controlled,
    "C_peptide_positive": _working,
    "graft_survival": _stimulated,
    "engraftment": _stimulated,
    "partial_remission": _partial_remission,
    "C_peptide_baseline_maintained": _maintained,
    "C_peptide_detectable": lambda seen, week: seen("stimulated_C_peptide", week) >= _C_PEPTIDE_DETECTABLE,
    "C_peptide_increase_ge10pct": _more_secretion,
}


def seen_in(
    values: Mapping[str, Numbers],
    weeks: Numbers,
    draw: Callable[[Numbers], Numbers] | None,
    frozen: bool = False,
    samples: Mapping[str, int] | None = None,
    index: NDArray[np.int64] | None = None,
    with_life: bool = True,
) -> Seen:
    """Return what is seen of people: their courses, moved by life and measurement once per quantity and week.

    Parameters
    ----------
    values
        Column -> (..., people, weeks).
    draw
        Makes standard normal numbers of the shape of its argument; None for courses as they are.
    frozen
        Whether people stay as they were at the start, with the luck of later weeks.
    samples
        How often a quantity is measured on a visit, where more than once.
    index
        Samples of the people, (..., people); everybody once unless given.
    with_life
        Whether life moves people besides measurement.
    """
    known: dict[tuple[str, float], Numbers] = {}
    lives: dict[str, dict[float, Numbers]] = {}

    def life(name: str, week: float, like: Numbers, draw: Callable[[Numbers], Numbers]) -> Numbers:
        """Return standard normal luck of life, which lasts: correlated with that of the nearest week known."""
        mine = lives.setdefault(name, {})
        if not mine:
            mine[week] = draw(like)
        elif week not in mine:
            nearest = min(mine, key=lambda other: abs(other - week))
            share = math.exp(-abs(nearest - week) * DAYS_PER_WEEK / DAYS_PER_YEAR / _LASTS)
            mine[week] = share * mine[nearest] + math.sqrt(1.0 - share**2) * draw(like)
        return mine[week]

    def seen(name: str, week: float) -> Numbers:
        if (name, week) not in known:
            quantity = QUANTITIES[name]
            true = values[quantity.column][..., 0 if frozen else int(np.argmin(np.abs(weeks - week)))]
            true = true if index is None else true[index]
            lived = quantity.life * math.sqrt(min(week * DAYS_PER_WEEK / DAYS_PER_YEAR, 1.0)) if with_life else 0.0
            error = quantity.error / math.sqrt(1 if samples is None else samples.get(name, 1))
            if draw is not None and (error > 0 or lived > 0):
                # Symmetric where means are compared, so that luck moves no mean.
                luck = error * draw(true)
                if lived > 0:
                    luck = luck + lived * life(name, week, true, draw)
                true = true * (np.exp(luck) if quantity.log else np.maximum(1.0 + luck, 0.0))
            known[name, week] = true
        return known[name, week]

    return seen
