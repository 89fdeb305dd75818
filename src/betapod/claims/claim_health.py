"""Health as an outcome of claims: what the course of a simulated life means for complications, quality of life, and cure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..base.constants import DAYS_PER_YEAR
from ..hazards.risk import Numbers, RiskProfile
from ..hazards.risk_course import RiskCourse
from ..health.expected_health import ExpectedHealth, expected_health
from ..health.healthy import is_healthy
from ..observables.formulas import MEAL_PER_FASTING, systolic
from ..observables.outcomes import REMISSION_DAYS, REMISSION_HBA1C

if TYPE_CHECKING:
    from ..person.coupled_person import Patient

#: What is read of the whole-body model.
READ = ("eGFR", "UACR", "HbA1c", "MAP", "BW", "insulin_dose", "C_peptide_fasting", "graft_C_peptide")
#: nmol/L in one pmol/L.
_PMOL = 1e-3


@dataclass(frozen=True)
class HealthQuantity:
    """A quantity of health that a claim may promise.

    Attributes
    ----------
    label, unit
        In words, and of what it is measured in.
    of
        What it is on a course.
    most
        The most that it can be, so that no interval goes beyond.
    """

    label: str
    unit: str
    of: Callable[[SimulatedCourse], float]
    most: float = math.inf


@dataclass(frozen=True)
class SimulatedCourse:
    """The course of one simulated life.

    Attributes
    ----------
    who
        The person as the life began.
    days
        (T,) from 0, three months apart.
    read
        Each of `READ` -> (T,), NaN after kidney failure.
    drugs
        Whether a glucose-lowering drug other than titrated insulin is given.
    """

    who: Patient
    days: Numbers
    read: Mapping[str, Numbers]
    drugs: bool

    def expected(self) -> ExpectedHealth:
        """Return what the person can expect; nobody has complications at the start but those that the values show."""
        return expected_health(self.risk_course())

    def risk_course(self) -> RiskCourse:
        """Return what events read of it."""
        values = self.who.model.values()
        ends = np.flatnonzero(~np.isfinite(self.read["eGFR"]))
        failed = np.array([self.days[ends[0]] if ends.size else np.inf])
        values_read = {name: _held(self.read[name])[None, :] for name in READ}
        years = (self.days / DAYS_PER_YEAR)[None, :]
        age, female = values["age"] + years, np.asarray(float(values["female"]))
        profile = RiskProfile(
            age=age,
            female=float(female),
            egfr=values_read["eGFR"],
            uacr=values_read["UACR"],
            type_1=float(self.who.name.startswith("t1d")),
            hba1c=values_read["HbA1c"],
            insulin_dose=values_read["insulin_dose"],
            c_peptide=MEAL_PER_FASTING * values_read["C_peptide_fasting"] + _PMOL * values_read["graft_C_peptide"],
            sbp=systolic(values_read["MAP"], age, female, np.zeros(())),
            bmi=values_read["BW"] / (values["height"] / 100.0) ** 2,
            duration=self.who.history + years,
        )
        return RiskCourse(self.days, profile, np.arange(1), failed=failed)

    def healthy(self) -> float:
        """Return 1 if the last three months were months of health, as `betapod.health.healthy` defines it."""
        last = {name: self.read[name][self._last()] for name in READ}
        good = is_healthy(last["UACR"], last["eGFR"], last["HbA1c"], last["insulin_dose"], self.drugs)
        return float(good.all())

    def remission(self) -> float:
        """Return 1 if HbA1c was below 6.5 % in the last three months without insulin or another glucose-lowering drug."""
        last = {name: self.read[name][self._last()] for name in ("HbA1c", "insulin_dose")}
        good = is_healthy(0.0, np.inf, last["HbA1c"], last["insulin_dose"], self.drugs)
        return float(good.all())

    def _last(self) -> slice:
        began = np.searchsorted(self.days, self.days[-1] - REMISSION_DAYS, side="right") - 1
        return slice(max(int(began), 0), None)


def _held(values: Numbers) -> Numbers:
    """Return values with the last known one held where there is none."""
    last = np.maximum.accumulate(np.where(np.isfinite(values), np.arange(len(values)), 0))
    return np.asarray(values[last])


#: Quantities of health by name; all other quantities of claims are those of the whole-body model.
HEALTH_QUANTITIES: Mapping[str, HealthQuantity] = {
    "complications": HealthQuantity("new complications per person", "1", lambda life: life.expected().number),
    "quality_lost": HealthQuantity(
        "quality of life that complications take (EQ-5D, United Kingdom)", "1", lambda life: life.expected().quality_lost
    ),
    "remission": HealthQuantity(
        f"remission of diabetes: HbA1c below {REMISSION_HBA1C:g} % for three months without drugs", "1",
        lambda life: life.remission(), 1.0,
    ),
    "healthy_again": HealthQuantity(
        "health: UACR below 30 mg/g, eGFR of 60 or more, HbA1c below 6.5 % without drugs, for three months", "1",
        lambda life: life.healthy(), 1.0,
    ),
}  # fmt: skip


def quarters(years: float) -> Numbers:
    """Return days from 0 to some years, three months apart or a little less."""
    days = years * DAYS_PER_YEAR
    # A quarter of a year is the time that remission has to last; fewer steps would not show whether it did.
    steps = max(int(np.ceil(days / REMISSION_DAYS - 1e-9)), 1)
    return np.linspace(0.0, days, steps + 1)
