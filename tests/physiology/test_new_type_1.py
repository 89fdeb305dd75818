"""New type 1 diabetes: C-peptide of mixed meals by age at onset and time since diagnosis, against control groups of six trials."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from betapod.base.constants import DAYS_PER_YEAR, MINUTES_PER_DAY
from betapod.engine.ensemble import Ensemble
from betapod.engine.schedule import Dose, Schedule
from betapod.person import typical as people
from betapod.person.glucose_tests import RELAXATION
from betapod.physiology import whole_body

DATA = Path(__file__).parents[3] / "shared" / "data" / "summary_targets" / "t1d_cpeptide_auc_by_age_time.csv"

#: Age groups of the table with the age that stands for them, and months since diagnosis with those of the later visits.
AGES = {"<12": 9.5, "12-18": 14.5, "18-30": 23.0, ">=30": 36.0}
MONTHS = {"0-4": 2.0, "4-8": 6.0, "8-14": 11.0, "14-20": 17.0, "20-27": 23.5, "27-50": 36.0}
#: Median functional mass at diagnosis for onset at 15, its change per year of age, and its log-SD between people.
LEFT, LEFT_AGE, LEFT_SD = 0.26, -0.002, 0.42
QUARTILES = (0.25, 0.5, 0.75)


def quartiles() -> dict[tuple[str, str], np.ndarray]:
    """Quartiles of simulated people by age group and months, nmol/L."""
    from scipy.special import ndtri
    from scipy.stats import qmc

    killing_sd = whole_body.model_parameters("metabolism")["killing_factor"].shape[2]
    normal = ndtri(qmc.Sobol(2, seed=1).random(32) * 0.998 + 0.001)
    ages = np.repeat(list(AGES.values()), len(normal))
    killing, left = (np.tile(column, len(AGES)) for column in normal.T)
    day, minute = whole_body.named_model("metabolism"), whole_body.named_model("metabolism_fast")
    person = people.person("t1d_new")
    columns = {name: np.full(len(ages), value) for name, value in person.values.items()}
    columns |= {"onset_age": ages, "age": ages, "killing_factor": np.exp(killing_sd * killing)}
    start = {name: np.full(len(ages), value) for name, value in person.state.items()}
    start["beta_mass"] = LEFT * np.exp(LEFT_AGE * (ages - 15.0) + LEFT_SD * left)
    outputs = (*day.state_names, "FPG", "insulin_morning", "insulin_liver_morning", "dawn_EGP")
    times = np.array(list(MONTHS.values())) * DAYS_PER_YEAR / 12.0
    values = Ensemble(day, outputs).run(columns, times, None, start).values.reshape(-1, len(outputs))
    row = dict(zip(outputs, values.T, strict=True))
    known = {*minute.parameters, *minute.inputs}
    inputs = {name: np.repeat(column, len(times)) for name, column in columns.items()} | row
    begin = {"G": row["FPG"], "insulin_liver": row["insulin_liver_morning"]}
    begin |= dict.fromkeys(("insulin", "insulin_muscle"), row["insulin_morning"])
    samples = np.arange(0.0, 121.0, 15.0)
    meal = Schedule(doses=[Dose("Q_stomach", 60.0, RELAXATION / MINUTES_PER_DAY)])
    found = Ensemble(minute, ("C_peptide",)).run(
        {name: column for name, column in inputs.items() if name in known},
        (RELAXATION + samples) / MINUTES_PER_DAY,
        meal,
        begin,
    )
    mean = np.trapezoid(found.values[:, :, 0], samples, axis=1) / samples[-1]
    table = mean.reshape(len(AGES), len(normal), len(times))
    return {
        (group, months): np.quantile(table[i, :, j], QUARTILES)
        for i, group in enumerate(AGES)
        for j, months in enumerate(MONTHS)
    }


@pytest.fixture(scope="module")
def simulated():
    return quartiles()


def test_the_young_lose_it_sooner(simulated) -> None:
    for months in ("8-14", "14-20", "20-27", "27-50"):
        medians = [simulated[group, months][1] for group in AGES]
        assert medians == sorted(medians), months


@pytest.mark.skipif(not DATA.is_file(), reason="the table is not beside the repository")
def test_quartiles_by_age_and_time(simulated, printed) -> None:
    """60 cells up to 27 months were fitted; what comes later was kept apart.

    Later medians: 0.10 simulated for 0.15 (12 to 18 years) and 0.24 for 0.27 (18 to 30); below 12 years 0.06 for 0.015, a known miss.
    """
    with DATA.open(encoding="utf-8", newline="") as file:
        rows = {(row["age_group"], row["months_since_dx"]): row for row in csv.DictReader(file)}
    chi2, later = 0.0, {}
    for key, row in rows.items():
        observed = np.array([float(row[name]) for name in ("q25", "median", "q75")])
        logarithm = np.log(simulated[key] / observed)
        if key[1] == "27-50":
            later[key[0]] = float(logarithm[1])
            continue
        # A log-SD between people of 0.7 gives the error of a median; outer quartiles are less certain.
        error = 1.25 * 0.7 / np.sqrt(float(row["n"])) * np.array([1.3, 1.0, 1.3])
        chi2 += float(np.sum((logarithm / error) ** 2))
    assert len(rows) - len(later) == 20
    printed("chi2", chi2, abs=1.0)
    assert abs(later["12-18"]) < 0.5 and abs(later["18-30"]) < 0.25 and later["<12"] > 1.0
