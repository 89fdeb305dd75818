"""What a study reports, made of the courses of people: one number per person, then the statistic of a group."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..evidence.study import Record

Numbers = NDArray[np.float64]

#: Insulin below which a person counts as free of it (U/day), and the HbA1c (%) that goes with it; see procedures/readouts.py.
_FREE = 2.0
#: C-peptide from which a graft counts as working, nmol/L: 0.3 ng/mL, the definition of the islet registries.
_C_PEPTIDE_POSITIVE = 0.1
#: Weeks between the visits through which a slope is laid.
_SLOPE_STEP = 26.0
#: Week from which chronic slopes are laid; trials begin in week 3 or 4.
_CHRONIC = 4.0
DAYS_PER_WEEK = 7.0


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
        SD of one measurement as a share of the value, as in trials/measurement.csv; assumed for what that lacks.
    life
        SD of what a year of a person's life moves, as a share of the value, that the model does not have (changes of care, diet,
        season, illness); it widens intervals where the source prints no error. Assumed, but for HbA1c: arms of ZANG2022, SD 1.27
        and 1.07 % around 9.02 and 7.52 %, with an assumed correlation of 0.5.
    relative
        Whether the model's number stands for another in its course only, so that levels need the study's own baseline.
    note
        What stands for what.
    """

    column: str
    log: bool = False
    error: float = 0.0
    life: float = 0.0
    relative: bool = False
    note: str = ""


_HBA1C, _CP, _ACR = 0.0204, 0.2419, 0.5424
_MEAL = "course of secretion in the fed phase stands for that of the mixed-meal test"
QUANTITIES = {
    "HbA1c": Quantity("HbA1c", error=_HBA1C, life=0.13),
    "FPG": Quantity("FPG", error=0.0768, life=0.2),
    "fasting_C_peptide": Quantity("C_peptide_fasting", error=_CP, life=0.2),
    "stimulated_C_peptide": Quantity("C_peptide_stimulated", error=_CP, life=0.2),
    "C_peptide_AUC": Quantity("secretion_fed", log=True, error=_CP, life=0.2, relative=True, note=_MEAL),
    "HOMA_B": Quantity("HOMA_B", error=0.2, life=0.2),
    "insulin_dose": Quantity("insulin_dose", life=0.3),
    "glucose_infusion_rate": Quantity("clamp_M", error=0.1, life=0.2),
    "eGFR": Quantity("eGFR", error=0.073, life=0.05),
    "mGFR": Quantity("GFR_indexed", error=0.05, life=0.05),
    "creatinine_clearance": Quantity("GFR_indexed", error=0.1, note="GFR stands for creatinine clearance"),
    "UACR": Quantity("UACR", log=True, error=_ACR, life=0.4),
    "UAER": Quantity("UAER", log=True, error=_ACR, life=0.4, note="error of a spot sample"),
    "GBM_thickness": Quantity("W_GBM", error=0.06),
    "mesangial_fractional_volume": Quantity("Vv_mes", error=0.1),
    "body_weight": Quantity("BW", error=0.01, life=0.04),
    "SBP": Quantity("SBP", error=0.088, life=0.05),
}
#: Quantities of the registry that are another one in time.
_SLOPES = {"eGFR_slope": "eGFR", "mGFR_slope": "mGFR"}

Seen = Callable[[str, float], Numbers]
Condition = Callable[[Seen, float], NDArray[np.bool_]]


def _less(dose: Numbers, start: Numbers) -> NDArray[np.bool_]:
    return (start > 0) & (dose <= 0.5 * start)


def _reduced_and_controlled(seen: Seen, week: float) -> NDArray[np.bool_]:
    return (seen("HbA1c", week) < 7.0) & _less(seen("insulin_dose", week), seen("insulin_dose", 0.0))


SHARES: dict[str, Condition] = {
    "HbA1c_lt7": lambda seen, week: seen("HbA1c", week) < 7.0,
    "insulin_independence": lambda seen, week: (seen("insulin_dose", week) < _FREE) & (seen("HbA1c", week) < 7.0),
    "insulin_reduction_ge50": lambda seen, week: _less(seen("insulin_dose", week), seen("insulin_dose", 0.0)),
    "HbA1c_lt7_and_insulin_reduction_ge50": _reduced_and_controlled,
    "insulin_reduction_ge50_with_HbA1c_lt7": _reduced_and_controlled,
    "C_peptide_positive": lambda seen, week: seen("fasting_C_peptide", week) >= _C_PEPTIDE_POSITIVE,
}

#: Adverse events of the registry, and the chance of `procedures.cell_risks` that a course has at least one of them.
RISKS = {
    "adverse_event:transient_fever": "p_fever",
    "adverse_event:donor_specific_antibody": "p_antibody",
    "adverse_event:persistent_donor_specific_antibody": "p_antibody",
    "adverse_event:procedural_bleeding": "p_bleeding",
}

#: Statistic of a group: numbers of people (..., people) -> (...).
Group = Callable[[Numbers], Numbers]


def _mean(x: Numbers) -> Numbers:
    return np.asarray(np.mean(x, axis=-1), dtype=np.float64)


def _median(x: Numbers) -> Numbers:
    return np.asarray(np.median(x, axis=-1), dtype=np.float64)


@dataclass(frozen=True)
class Readout:
    """How a row is made of people.

    Attributes
    ----------
    quantity, condition, risk
        One of them: a key of `QUANTITIES`, of `SHARES`, or a value of `RISKS`.
    form
        ``level``, ``change``, ``ratio`` (percent and ratios) or ``slope``.
    median
        Whether the group is summarised by its median.
    scale
        ``linear``, ``log`` or ``share``: how observed and predicted are compared.
    start
        Week from which a slope is laid: a chronic slope leaves the acute effect of a drug out.
    """

    quantity: str = ""
    condition: str = ""
    form: str = "level"
    median: bool = False
    scale: str = "linear"
    start: float = 0.0
    risk: str = ""

    @property
    def group(self) -> Group:
        """The statistic of a group."""
        return _median if self.median else _mean

    @property
    def relative(self) -> bool:
        """Whether the model has the course of the quantity but not its level."""
        return bool(self.quantity) and QUANTITIES[self.quantity].relative

    @property
    def note(self) -> str:
        """What stands for what."""
        return QUANTITIES[self.quantity].note if self.quantity else ""

    def weeks(self, last: float) -> list[float]:
        """Return the weeks at which people must be known."""
        if self.form == "slope":
            count = max(2, round((last - self.start) / _SLOPE_STEP) + 1)
            return [float(week) for week in np.linspace(self.start, last, count)]
        return [0.0, last]

    def people(self, seen: Seen, week: float, per_kg: bool) -> Numbers:
        """Return one number per person: on the scale of logarithms for `log`."""
        if self.condition:
            return SHARES[self.condition](seen, week).astype(np.float64)

        def value(at: float) -> Numbers:
            found = seen(self.quantity, at)
            return np.asarray(found / seen("body_weight", at) if per_kg else found, dtype=np.float64)

        if self.form == "slope":
            weeks = np.array(self.weeks(week))
            table = np.stack([value(at) for at in weeks], axis=-1)
            years = (weeks - weeks.mean()) * DAYS_PER_WEEK / 365.25
            return np.asarray(table @ years / np.sum(years**2), dtype=np.float64)
        if self.form == "ratio" and self.scale == "log":
            ratio = np.maximum(value(week), 1e-9) / np.maximum(value(0.0), 1e-9)
            return np.asarray(np.log(ratio), dtype=np.float64)
        if self.form == "ratio":
            start = value(0.0)
            # The ratio of means, linearised at the group's mean: people near zero would rule a mean of ratios.
            mean = np.maximum(start.mean(axis=-1, keepdims=True), 1e-9)
            return np.asarray(100.0 * (value(week) - start) / mean, dtype=np.float64)
        found = value(week) - value(0.0) if self.form == "change" else value(week)
        return np.asarray(found, dtype=np.float64)


def readout_of(record: Record) -> Readout | None:
    """Return how a row is made of people, or None where the model does not have it."""
    name, kind = record.endpoint, record.kind
    if record.endpoint_text in RISKS and kind == "proportion":
        return Readout(risk=RISKS[record.endpoint_text], scale="share")
    shares = {**{key: key for key in SHARES}, "insulin_independence_any": ""}
    if kind == "proportion" or (kind == "difference" and shares.get(name)):
        return (
            Readout(condition=name, scale="share" if kind == "proportion" else "linear") if shares.get(name) else None
        )
    if name in _SLOPES and kind in ("slope", "median", "difference"):
        chronic = _CHRONIC if "chronic" in record.statistic_text else 0.0
        return Readout(_SLOPES[name], form="slope", median=kind == "median", start=chronic)
    name = "insulin_dose" if record.endpoint_text == "insulin_dose_total" else name
    if name not in QUANTITIES:
        return None
    quantity = QUANTITIES[name]
    scale = "log" if quantity.log else "linear"
    if kind in ("geometric_ratio", "percent"):
        if kind == "percent" and "%" not in record.unit:
            return None
        return Readout(name, form="ratio", scale="log" if kind == "geometric_ratio" else scale)
    if kind in ("mean", "median", "difference", "geometric_mean"):
        form = "change" if record.contrast in ("change", "between") else "level"
        if quantity.relative and form == "change":
            return None
        if form == "level":
            return Readout(name, form="level", median=kind == "median", scale=scale)
        return Readout(name, form=form, median=kind == "median")
    return None


def seen_in(
    values: Mapping[str, Numbers], weeks: Numbers, draw: Callable[[Numbers], Numbers] | None, frozen: bool
) -> Seen:
    """Return what is seen of people: their courses, moved by life and measurement once per quantity and week.

    Parameters
    ----------
    frozen
        Whether people stay as they were at the start, with the luck of later weeks.
    draw
        Makes standard normal numbers of the shape of its argument; None for courses as they are.
    """
    known: dict[tuple[str, float], Numbers] = {}

    def seen(name: str, week: float) -> Numbers:
        if (name, week) not in known:
            quantity = QUANTITIES[name]
            true = values[quantity.column][..., 0 if frozen else int(np.argmin(np.abs(weeks - week)))]
            years = min(week * DAYS_PER_WEEK / 365.25, 1.0)
            spread = math.hypot(quantity.error, quantity.life * math.sqrt(years))
            if draw is not None and spread > 0:
                # Symmetric where means are compared, so that luck moves no mean.
                luck = spread * draw(true)
                true = true * (np.exp(luck) if quantity.log else np.maximum(1.0 + luck, 0.0))
            known[name, week] = true
        return known[name, week]

    return seen
