"""Oral and mixed-meal tolerance tests, the hyperinsulinaemic clamp, and a day with meals, minute by minute."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ..base.constants import GLUCOSE_MG_DL, MINUTES_PER_DAY
from ..base.errors import ConfigError, Location, Problem
from ..engine.limits import MOST_VISITS
from ..engine.schedule import Dose, Schedule
from ..engine.scipy.reference import simulate_by_reference as simulate
from ..model import Model
from ..observables.table import observables
from ..physiology import whole_body
from .metabolic_state import model_of
from .typical import Person

if TYPE_CHECKING:
    import pandas as pd

#: mg/dL per mmol/L of glucose.
MG_PER_DL = GLUCOSE_MG_DL
#: Minutes that the minute layer is left alone before a test, so that it starts from rest.
RELAXATION = 3000.0
_REPORTED = ("G", "insulin", "C_peptide", "Ra_meal", "EGP", "GLUT4_uptake", "renal_glucose", "secretion")


@dataclass(frozen=True)
class GlucoseTest:
    """What a test gives.

    Attributes
    ----------
    table
        Rows by minute (index ``minute``, 0 is the fasting sample): glucose mmol/L, insulin pmol/L, C-peptide nmol/L, fluxes.
    indices
        Numbers that a clinic would compute, with the units of `units`.
    """

    table: pd.DataFrame
    indices: Mapping[str, float]

    units: ClassVar[Mapping[str, str]] = {name: each.unit for name, each in observables().items()} | {
        "fasting_glucose": "mmol/L",
        "fasting_insulin": "pmol/L",
        "Matsuda": "1",
        "insulinogenic_index": "pmol/mmol",
        "M": "mg/kg/min",
        "EGP": "mg/kg/min",
        "insulin": "pmol/L",
        "mean_glucose": "mmol/L",
        "mean_insulin": "pmol/L",
        "glucose_excretion": "g/day",
    }


#: Glucose that clamps hold, mmol/L, from hypoglycaemic to hyperglycaemic ones (assumed); and the least rise of glucose, mmol/L, by which
#: a rise of insulin is divided (assumed: less is not told apart from none by a laboratory).
_HELD, _RISE = (2.0, 40.0), 0.1


def ogtt(
    person: Person, dose: float = 75.0, minutes: float = 180.0, step: float = 5.0, bolus: float = 0.0
) -> GlucoseTest:
    """Give glucose by mouth after a night's fast.

    Parameters
    ----------
    dose
        Glucose, g.
    minutes, step
        How long to sample, and how often.
    bolus
        Rapid insulin injected with it, U.
    """
    table = _meals(person, [0.0], [dose], [bolus], minutes, step, _dawn(person))
    return GlucoseTest(table, _indices(table))


def mmtt(
    person: Person, dose: float = 60.0, minutes: float = 120.0, step: float = 5.0, bolus: float = 0.0
) -> GlucoseTest:
    """Give a mixed meal of so many grams of carbohydrate equivalents after a night's fast."""
    return ogtt(person, dose, minutes, step, bolus)


def meal_day(
    person: Person, times: Sequence[float] = (0.0, 300.0, 600.0), days: int = 2, step: float = 10.0
) -> GlucoseTest:
    """Let a day pass with equal meals, and with a bolus at each where the person injects insulin; the last day is reported.

    Parameters
    ----------
    times
        Minutes of the meals within the day; their sum is the person's daily intake.
    days
        Days to pass, so that the last one does not remember the first.
    """
    model = model_of(person, "metabolism_fast")
    values = model.values()
    doses = model.evaluate(["insulin_dose"])
    share = 1.0 - values["insulin_basal_fraction"]
    carbohydrate = values_of(person)["carbohydrate_intake"] / len(times)
    bolus = doses["insulin_dose"] * share / len(times)
    every = [day * MINUTES_PER_DAY + time for day in range(days) for time in times]
    count = len(every)
    table = _meals(person, every, [carbohydrate] * count, [bolus] * count, days * MINUTES_PER_DAY, step)
    last = table.loc[(days - 1) * MINUTES_PER_DAY :]
    last.index = last.index - last.index[0]
    weights = np.ones(len(last))
    weights[[0, -1]] = 0.5
    weights /= weights.sum()
    return GlucoseTest(
        last,
        {
            "mean_glucose": float(weights @ last["G"]),
            "mean_insulin": float(weights @ last["insulin"]),
            "glucose_excretion": float(weights @ last["renal_glucose"])
            * MINUTES_PER_DAY
            * values_of(person)["glucose_molar_mass"]
            / 1000.0,
        },
    )


def clamp(
    person: Person, rate: float = 1.0, glucose: float = 5.1, minutes: float = 300.0, step: float = 10.0
) -> GlucoseTest:
    """Hold glucose while insulin runs in.

    Parameters
    ----------
    rate
        Insulin, mU/kg/min. Injected insulin is paused.
    glucose
        Held at, mmol/L.

    Returns
    -------
    GlucoseTest
        `GIR` by minute; M, EGP and insulin at the end, which `clamp_M` of the day layer gives for an endless clamp.

    Raises
    ------
    ConfigError
        No clamp holds that glucose, or the times cannot be used.
    """
    low, high = _HELD
    if not low <= glucose <= high:
        span = f"{low:g} to {high:g} mmol/L"
        raise ConfigError(
            Problem("out-of-range", "no clamp holds this glucose", Location("glucose"), f"{glucose:g}", span)
        )
    values = values_of(person)
    model = model_of(
        person,
        "metabolism_clamp",
        {
            **model_of(person).evaluate(["dawn_EGP"], person.state),
            "clamp_G": glucose,
            "insulin_basal_fraction": 0.0,
            "insulin_infusion": rate * 1e-3 * values["insulin_per_unit"] * person.state["BW"],
        },
    )
    table = _run(model, _rest(person, model), [], minutes, step, 0.0, ("GIR", "EGP", "insulin", "C_peptide"))
    end = table.iloc[-1]
    per_mass = values["glucose_molar_mass"] / 1000.0
    return GlucoseTest(
        table, {"M": float(end["GIR"]), "EGP": float(end["EGP"]) * per_mass, "insulin": float(end["insulin"])}
    )


def values_of(person: Person) -> dict[str, float]:
    """Return every parameter and input of the day layer with the person's values."""
    return model_of(person).values()


def _dawn(person: Person) -> dict[str, float]:
    """Return what the dawn adds to production on this morning, so that the fasting sample finds the day layer's FPG.

    The minute layer secretes a little more at rest than the day layer, for its response to rising glucose has a smooth foot. So production
    and insulin are settled in turns; the first turn leaves next to nothing to the others.
    """
    model = model_of(person, "metabolism_fast")
    state = dict.fromkeys(model.state_names, 0.0) | _rest(person, model)
    names = ["glucose_balance", "EGP", "insulin_delivery", "insulin_clearance", "portal_increment"]
    factor = 1.0
    volume = model.values()["V_glucose"] * 1000.0
    for _ in range(3):
        fluxes = model.evaluate(names, state, {"dawn_EGP": factor})
        factor *= 1.0 - fluxes["glucose_balance"] * volume / fluxes["EGP"]
        rest = model.evaluate(names, state, {"dawn_EGP": factor})
        insulin = rest["insulin_delivery"] / rest["insulin_clearance"]
        state |= {"insulin": insulin, "insulin_muscle": insulin, "insulin_liver": insulin + rest["portal_increment"]}
    return {"dawn_EGP": factor}


def _rest(person: Person, model: Model) -> dict[str, float]:
    """Start the minute layer near the fasting morning of the day layer."""
    names = ["FPG", "insulin_morning", "insulin_liver_morning", "C_peptide_fasting", "CP_k21", "CP_k12"]
    fasting = model_of(person).evaluate(names, person.state)
    plasma = fasting["C_peptide_fasting"] * 1000.0
    start = {
        "G": fasting["FPG"],
        "insulin": fasting["insulin_morning"],
        "insulin_muscle": fasting["insulin_morning"],
        "insulin_liver": fasting["insulin_liver_morning"],
        "CP_plasma": plasma,
        "CP_periphery": plasma * fasting["CP_k21"] / fasting["CP_k12"],
    }
    return {name: value for name, value in start.items() if name in model.state_names}


def _meals(
    person: Person,
    times: Sequence[float],
    carbohydrate: Sequence[float],
    bolus: Sequence[float],
    minutes: float,
    step: float,
    changes: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Run the minute layer, with changed values, through meals given in minutes after the fasting sample."""
    problems = [
        Problem("out-of-range", f"{label} must be positive", found=f"{value:g}")
        for label, value in (("minutes", minutes), ("step", step))
        if not value > 0
    ]
    problems += [
        Problem("out-of-range", f"{label} cannot be negative", found=f"{value:g}")
        for label, values in (("the meal", carbohydrate), ("the bolus", bolus))
        for value in values
        if not value >= 0
    ]
    if problems:
        raise ConfigError(problems)
    model = model_of(person, "metabolism_fast", changes)
    values = model.values()
    doses = []
    for time, meal, units in zip(times, carbohydrate, bolus, strict=True):
        at = (RELAXATION + time) / MINUTES_PER_DAY
        doses.append(Dose("Q_stomach", meal, at))
        absorbed = units * values["insulin_per_unit"] * values["insulin_bioavailability"]
        doses.append(Dose("SC_first", absorbed, at))
    return _run(model, _rest(person, model), doses, minutes, step, RELAXATION, _REPORTED)


def _run(
    model: Model,
    start: Mapping[str, float],
    doses: Sequence[Dose],
    minutes: float,
    step: float,
    offset: float,
    outputs: Sequence[str],
) -> pd.DataFrame:
    if not (0.0 < step < math.inf and 0.0 < minutes < math.inf):
        asked = f"minutes {minutes:g}, step {step:g}"
        raise ConfigError(Problem("out-of-range", "minutes and step are finite and above 0", found=asked))
    if minutes / step > MOST_VISITS:
        asked = f"{minutes / step:.2g}"
        raise ConfigError(
            Problem("too-large", "these are too many samples", Location("step"), asked, f"{MOST_VISITS:,}")
        )
    grid = np.arange(0.0, minutes + step / 2, step)
    table = simulate(
        model,
        (offset + grid) / MINUTES_PER_DAY,
        Schedule(doses=[dose for dose in doses if dose.amount]),
        start,
        rtol=1e-8,
        atol=1e-8,
        outputs=list(outputs),
    ).table
    table.index = grid
    table.index.name = "minute"
    return table


def _indices(table: pd.DataFrame) -> dict[str, float]:
    """Return what a clinic computes from an OGTT; NaN where the test was too short for it, or nothing rose."""
    assay = whole_body.model_parameters("metabolism")
    per_unit = assay["insulin_per_unit_assay"].value
    first = table.iloc[0]
    glucose, insulin = float(first["G"]), float(first["insulin"])

    def at(column: str, minute: float) -> float:
        return float(table[column].loc[minute]) if minute in table.index else math.nan

    samples = [0.0, 30.0, 60.0, 90.0, 120.0]
    mean_glucose = float(np.mean([at("G", t) for t in samples]))
    mean_insulin = float(np.mean([at("insulin", t) for t in samples]))
    product = glucose * MG_PER_DL * insulin / per_unit * mean_glucose * MG_PER_DL * mean_insulin / per_unit
    two_hours = table.loc[:120.0, "C_peptide"]
    above, rise = glucose - assay["HOMA_B_glucose"].value, at("G", 30.0) - glucose
    return {
        "fasting_glucose": glucose,
        "glucose_2h": at("G", 120.0),
        "fasting_insulin": insulin,
        "fasting_C_peptide": float(first["C_peptide"]),
        "stimulated_C_peptide": float(np.trapezoid(two_hours, two_hours.index)) / 120.0
        if two_hours.index[-1] == 120.0
        else math.nan,
        "HOMA_IR": glucose * insulin / per_unit / assay["HOMA_IR_scale"].value,
        "HOMA_B": assay["HOMA_B_scale"].value * insulin / per_unit / above if above > 0.0 else math.nan,
        "Matsuda": 1e4 / math.sqrt(product) if product > 0.0 else math.nan,
        "insulinogenic_index": (at("insulin", 30.0) - insulin) / rise if rise >= _RISE else math.nan,
    }
