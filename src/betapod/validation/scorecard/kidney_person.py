"""Typical people with diabetic kidneys, simulated up to the stage at which a study finds them."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.constants import DAYS_PER_YEAR
from ...engine.ensemble import Ensemble
from ...physiology import whole_body
from ...therapies.listed_strength import listed_strength

if TYPE_CHECKING:
    import pandas as pd

    from ...engine.schedule import Schedule

YEAR = DAYS_PER_YEAR
MONTH = YEAR / 12
WEEK = 7.0
#: Full doses, as strong as the table of drugs has them.
SGLT2_INHIBITOR = {"e_S": listed_strength("SGLT2 inhibitor", "e_S")}
ARB = {"e_ARB": listed_strength("ARB", "e_ARB")}
ACE_INHIBITOR = {"e_ACE": listed_strength("ACE inhibitor", "e_ACE")}
MRA = {"e_MRA": listed_strength("MRA", "e_MRA")}
#: Of the albuminuric person, whose glucose is 9.9 mmol/L and pressure shifted by 8 mmHg.
GLP1_RECEPTOR_AGONIST = {"e_GLP1": listed_strength("semaglutide 1 mg", "e_GLP1"), "G": 9.1, "dMAP": 6.5}
_EQUATIONS = (
    "GFR",
    "eGFR",
    "SNGFR",
    "SNGFR_relative",
    "RBF",
    "RPF",
    "FF",
    "P_GC",
    "K_f",
    "surface",
    "nephrons",
    "nephrons_present",
    "nephron_number",
    "UAER",
    "UACR",
    "UGE",
    "Tm",
    "glucose_reabsorbed",
    "Na_PT",
    "Na_excretion",
    "ANP",
    "Vv_mes",
    "podocytes",
    "podocyte_density",
    "sieving",
    "albumin_Bowman",
    "hypoxia_index",
)


@functools.cache
def kidney_ensemble() -> Ensemble:
    """Return the kidney, ready for many people at once; it reports all states and what the targets need."""
    model = whole_body.named_model("kidney")
    return Ensemble(model, (*model.state_names, *_EQUATIONS))


def follow_all(
    columns: Mapping[str, ArrayLike],
    days: ArrayLike,
    start: Mapping[str, ArrayLike] | None = None,
    schedule: Schedule | None = None,
) -> dict[str, NDArray[np.float64]]:
    """Follow many people; returns (people, visits) by quantity, NaN once a kidney has failed."""
    result = kidney_ensemble().run(columns, days, schedule, start)
    return {name: result.values[:, :, i] for i, name in enumerate(result.names)}


@dataclass(frozen=True)
class KidneyPerson:
    """Someone with parameters and inputs that differ from the nominal person's, and the states they are in."""

    values: Mapping[str, float] = field(default_factory=dict)
    state: Mapping[str, float] = field(default_factory=dict)

    @property
    def age(self) -> float:
        """Age today, years."""
        return self.values.get("age", whole_body.model_parameters("kidney")["age"].value)

    def but(self, **changes: float) -> KidneyPerson:
        """Return the same person, today under other inputs."""
        return KidneyPerson({**self.values, **changes}, self.state)

    def course(self, days: Sequence[float], **changes: float) -> pd.DataFrame:
        """Follow the person under changed inputs; rows by day.

        A change acts at once: the row of day 0 holds its immediate effect, so a value before it must come from a course without it.
        """
        import pandas as pd

        columns = {name: [value] for name, value in {"age": self.age, **self.values, **changes}.items()}
        followed = follow_all(columns, days, {k: [v] for k, v in self.state.items()})
        return pd.DataFrame({name: rows[0] for name, rows in followed.items()}, index=pd.Index(days, name="time"))

    def after(self, years: float, **changes: float) -> KidneyPerson:
        """Return the person years later, spent under changed inputs, which stay."""
        table = self.course([0.0, years * YEAR], **changes)
        return self._at(table.iloc[-1], years, changes)

    def until(self, quantity: str, threshold: float, years: float = 40.0, **changes: float) -> KidneyPerson:
        """Return the person when a quantity first passes a threshold, to the nearest tenth of a year.

        Raises
        ------
        ValueError
            It does not within so many years.
        """
        days = np.arange(0.0, years * YEAR, YEAR / 10)
        table = self.course(list(days), **changes)
        rising = table[quantity].iloc[0] < threshold
        passed = (table[quantity] > threshold) if rising else (table[quantity] < threshold)
        if not passed.any():
            raise ValueError(f"{quantity} does not pass {threshold:g} within {years:g} years")
        first = int(np.argmax(passed.to_numpy()))
        return self._at(table.iloc[first], days[first] / YEAR, changes)

    def _at(self, row: pd.Series[float], years: float, changes: Mapping[str, float]) -> KidneyPerson:
        state = {name: float(row[name]) for name in kidney_ensemble().model.state_names}
        return KidneyPerson({**self.values, **changes, "age": self.age + years}, state)


def healthy(age: float = 45.0) -> KidneyPerson:
    """Return a healthy person."""
    return KidneyPerson({"age": age})


def glucose_of(HbA1c: float) -> float:
    """Return the mean glucose (mmol/L) that goes with an HbA1c (%), as the kidney's own line has it (ADAG)."""
    table = whole_body.model_parameters("kidney")
    return table["HbA1c_slope"].value * HbA1c - table["HbA1c_offset"].value


@functools.cache
def type_1(years: float, glucose: float = 11.3, onset: float = 15.0, **values: float) -> KidneyPerson:
    """Return someone after years of type 1 diabetes."""
    return KidneyPerson({"G": glucose, "age": onset, **values}).after(years)


@functools.cache
def type_2(years: float, glucose: float = 9.3, **values: float) -> KidneyPerson:
    """Return someone after years of type 2 diabetes from age 52, with raised pressure and a salty diet."""
    return KidneyPerson({"G": glucose, "dMAP": 6.0, "N_in": 170.0, "age": 52.0, **values}).after(years)


@functools.cache
def albuminuric() -> KidneyPerson:
    """Return an untreated person with diabetic kidney disease, when GFR falls below 62 mL/min: UACR 1.2 g/g."""
    values = {"xi": 2.0, "xi_theta": 2.0, "G": 9.9, "dMAP": 8.0, "N_in": 170.0, "age": 45.0}
    return KidneyPerson(values).until("GFR", 62.0)


@functools.cache
def albuminuric_on_ARB() -> KidneyPerson:
    """Return the same person after a year on an ARB: GFR 55 mL/min, UACR 0.8 g/g."""
    return albuminuric().after(1.0, **ARB)
