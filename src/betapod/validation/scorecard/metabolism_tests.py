"""Metabolic targets of tests in a clinic: meals, tolerance tests, clamps, half a pancreas."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from ...engine.schedule import Schedule
from ...person import glucose_tests
from ...person.glucose_tests import MG_PER_DL, GlucoseTest
from ...person.metabolic_state import follow, model_of, snapshot
from ...person.typical import Person, person
from ...physiology import whole_body
from ...therapies.input_courses import input_courses
from ...therapies.standard_care import therapy
from .procedure import procedure

_KG_PER_MG_FLUX = 0.180


def under_inputs(who: Person, **values: float) -> Person:
    """Return the same person in the same state under other inputs."""
    return replace(who, values={**who.values, **values})


def later(who: Person, days: float, schedule: Schedule | None = None, /, **values: float) -> Person:
    """Return the person days later, spent under changed inputs, which stay."""
    table = follow(under_inputs(who, **values), [0.0, days], schedule).table
    return snapshot(under_inputs(who, **values), table.iloc[-1])


def follow_days(
    who: Person, days: Sequence[float], schedule: Schedule | None = None, /, **values: float
) -> pd.DataFrame:
    """Follow the day layer under changed inputs; rows by day."""
    return follow(under_inputs(who, **values), days, schedule).table


def metabolism_constant(name: str) -> float:
    """Return a parameter of the metabolism's table."""
    return whole_body.model_parameters("metabolism")[name].value


def today(who: Person, *names: str) -> dict[str, float]:
    """Return quantities of the day layer in the person's state."""
    return model_of(who).evaluate(names, who.state)


def drug_inputs(text: str) -> dict[str, float]:
    """Return the metabolic inputs under a therapy at its full effect, such as ``"metformin 2 g"``."""
    model = whole_body.named_model("metabolism")
    base = {name: model.inputs[name].value for name in model.inputs}
    return {name: steps[-1].after for name, steps in input_courses([therapy(text)], base).items()}


@functools.cache
def _ogtt(name: str) -> GlucoseTest:
    return glucose_tests.ogtt(person(name))


@procedure
def meals() -> dict[str, float]:
    """A day with three equal meals, minute by minute, in lean normal glucose tolerance."""
    return {"G_ngt": glucose_tests.meal_day(person("ngt")).indices["mean_glucose"]}


@procedure
def glycation_line() -> dict[str, float]:
    """The line from mean glucose to HbA1c, turned round."""
    slope = MG_PER_DL / metabolism_constant("HbA1c_per_glucose")
    return {"slope": slope, "intercept": -metabolism_constant("HbA1c_at_zero_glucose") * slope}


@procedure
def tolerance() -> dict[str, float]:
    """75 g of glucose by mouth in the typical people: lean NGT, prediabetes, T2D at HbA1c 7.1 %."""
    results: dict[str, float] = {}
    for name in ("ngt", "prediabetes", "t2d_early"):
        test = _ogtt(name)
        for minute in (0, 60, 120):
            row: pd.Series[float] = test.table.loc[float(minute)]  # type: ignore[assignment]
            results[f"C_peptide_{minute}_{name}"] = row["C_peptide"]
            results[f"insulin_{minute}_{name}"] = row["insulin"] / metabolism_constant("insulin_per_unit_assay")
        results[f"insulinogenic_index_{name}"] = test.indices["insulinogenic_index"]
        results[f"Matsuda_{name}"] = test.indices["Matsuda"]
    results["dMatsuda"] = 100.0 * (results["Matsuda_t2d_early"] / results["Matsuda_ngt"] - 1.0)
    return results


@procedure
def clamps() -> dict[str, float]:
    """Insulin at 1 mU/kg/min (M) and at 0.25 (fall of EGP from the fasting state), glucose held at 5.1 mmol/L, endless clamp."""
    results: dict[str, float] = {}
    people = {"ngt": "ngt", "obese": "obese", "prediabetes": "prediabetes", "t2d_early": "t2d_early", "t2d": "t2d"}
    for name in people:
        who = person(name)
        full = today(who, "clamp_M", "PI3K_active_clamp", "PI3K_active_fasting", "EGP_fasting")
        results[f"M_{name}"] = full["clamp_M"]
        results[f"PI3K_fold_{name}"] = full["PI3K_active_clamp"] / full["PI3K_active_fasting"]
        low = today(under_inputs(who, clamp_insulin_rate=0.25), "clamp_EGP")
        results[f"dEGP_{name}"] = full["EGP_fasting"] * _KG_PER_MG_FLUX - low["clamp_EGP"]
    results["dM_obese"] = 100.0 * (results["M_obese"] / results["M_ngt"] - 1.0)
    results["dM_t2d"] = 100.0 * (results["M_t2d"] / results["M_ngt"] - 1.0)
    return results


@procedure
def clearance() -> dict[str, float]:
    """Insulin clearance of the typical people; per body surface of the reference adult."""
    per_surface = {
        name: today(person(name), "insulin_clearance")["insulin_clearance"] for name in ("ngt", "obese", "t2d")
    }
    surface = metabolism_constant("BSA")
    return {
        "T2D": per_surface["t2d"],
        "lean": per_surface["ngt"] / surface,
        "obese": per_surface["obese"] / surface,
    }


@procedure
def hemipancreatectomy() -> dict[str, float]:
    """Lean normal glucose tolerance, half of the beta cells removed; a tolerance test before and a year after."""
    who = person("ngt")
    halves = {name: 0.5 * who.state[name] for name in ("beta_mass", "beta_dedifferentiated")}
    operated = replace(who, state={**who.state, **halves})
    before, after = _ogtt("ngt"), glucose_tests.ogtt(later(operated, 365.0))

    def area(test: GlucoseTest) -> float:
        two_hours = test.table.loc[:120.0, "insulin"]
        return float(np.trapezoid(two_hours, two_hours.index))

    first, last = before.indices, after.indices
    return {
        "dFPG": last["fasting_glucose"] - first["fasting_glucose"],
        "dG_2h": last["glucose_2h"] - first["glucose_2h"],
        "dinsulin": last["fasting_insulin"] - first["fasting_insulin"],
        "insulin_area_ratio": area(after) / area(before),
    }


@procedure
def deficit() -> dict[str, float]:
    """All beta cells, dedifferentiated ones included, of prediabetes and of T2D at HbA1c 8.1 % against the normal mass."""

    def missing(state: Mapping[str, float]) -> float:
        return 100.0 * (state["beta_mass"] + state["beta_dedifferentiated"] - 1.0)

    return {name: missing(person(name).state) for name in ("prediabetes", "t2d")}
