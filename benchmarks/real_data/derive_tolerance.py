"""Fit six traits to the tolerance tests of two thirds of the people, predict the others, and derive rows of the traits and of the tests.

    python benchmarks/real_data/derive_tolerance.py ohashi_subjects_indices.csv ohashi_ogtt_long.csv ohashi_clamp_long.csv

Every third person (by number) has no part in the fit. Between people the traits are normal about a mean by group (normal and impaired tolerance, type 2
diabetes) and body-mass index, with one covariance; means, covariance and errors of samples are found by EM, each person's traits with their own error.
Type 2 diabetes of Japanese people is one of little insulin at a normal weight, and that of the model's people, who are tuned to adults of the United
States, is not: rows of that group, and of differences between groups, are for comparison. Errors of the derived numbers are those of fits to people drawn anew (bootstrap).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from row_tables import write_rows

from betapod.calibration.real_data.tolerance_fits import (
    MEASURED,
    MINUTES,
    SAMPLE_ERRORS,
    TRAITS,
    WIDE,
    TraitFits,
    columns_of,
    fit_traits,
    oral_tests,
    trait_start,
)

SOURCE = "Ohashi et al., PLoS ONE 2015;10(12):e0143880 and the same group 2018: 121 Japanese adults, CC BY 4.0"
GROUPS = ("NGT", "IGT", "T2DM")
UNITS = {"G": "mmol/L", "insulin": "pmol/L", "C_peptide": "nmol/L"}
BOOTSTRAP = 40


@dataclass
class Population:
    """What traits are between people: (4, 6) coefficients of groups and log body-mass index, (6, 6) covariance, (3,) errors of samples."""

    coefficients: np.ndarray
    covariance: np.ndarray
    errors: np.ndarray


def read(subjects: str, tests: str, clamps: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Return people and their tests (n, 5, 3) in the model's units."""
    people = pd.read_csv(subjects).sort_values("id").reset_index(drop=True)
    clamps_end = pd.read_csv(clamps).query("time_label == 'end'").set_index("id")["insulin_uUml"]
    people["clamp_insulin"] = 6.0 * people["id"].map(clamps_end)
    rows = pd.read_csv(tests)
    observed = np.full((len(people), len(MINUTES), 3), np.nan)
    place = {number: i for i, number in enumerate(people["id"])}
    for row in rows.itertuples():
        if row.time_min in MINUTES:
            values = (row.glucose_mgdl / 18.0156, row.insulin_uUml * 6.0, row.cpeptide_ngml * 0.331)
            observed[place[row.id], MINUTES.index(row.time_min)] = values
    return people, observed


def design(people: pd.DataFrame) -> np.ndarray:
    """Return columns of groups and of log body-mass index about 25."""
    return np.column_stack(
        [*(people["glucose_tolerance"] == group for group in GROUPS), np.log(people["bmi"] / 25.0)]
    ).astype(float)


def em(
    people: pd.DataFrame, observed: np.ndarray, rounds: int = 12, start: TraitFits | None = None
) -> tuple[Population, TraitFits]:
    """Return what people differ by."""
    x = design(people)
    middle = np.tile(trait_start(), (len(people), 1))
    covariance, errors = np.diag(WIDE**2), np.array(SAMPLE_ERRORS)
    given = {"BW": people["weight_kg"].to_numpy(float), "age": people["age_y"].to_numpy(float)}
    traits = None if start is None else start.traits
    for turn in range(rounds):
        fits = fit_traits(observed, given, middle, np.linalg.inv(covariance), errors, 12 if turn == 0 else 5, traits)
        traits = fits.traits
        coefficients = np.linalg.lstsq(x, traits, rcond=None)[0]
        middle = x @ coefficients
        away = traits - middle
        covariance = (away.T @ away + fits.covariance.sum(axis=0)) / (len(people) - x.shape[1])
        errors = np.sqrt(np.nanmean(fits.misses**2, axis=(0, 1)) * 15.0 / (15.0 - 3.0))
    return Population(coefficients, covariance, errors), fits


def predicted(population: Population, people: pd.DataFrame, draws: int = 200) -> np.ndarray:
    """Return (draws, n, 5, 3) measured tests of people of whom only group, body and age are known."""
    rng = np.random.default_rng(1)
    n = len(people)
    root = np.linalg.cholesky(population.covariance)
    traits = np.tile(design(people) @ population.coefficients, (draws, 1)) + rng.normal(size=(draws * n, 6)) @ root.T
    given = {
        "BW": np.tile(people["weight_kg"].to_numpy(float), draws),
        "age": np.tile(people["age_y"].to_numpy(float), draws),
    }
    values = oral_tests(columns_of(traits) | given).reshape(draws, n, len(MINUTES), 3)
    return values * np.exp(population.errors * rng.normal(size=values.shape))


def check(population: Population, people: pd.DataFrame, observed: np.ndarray, label: str) -> None:
    """Print how many measured values lie within predicted intervals, and how medians compare."""
    values = predicted(population, people)
    known = np.isfinite(observed)
    for level in (0.5, 0.9):
        low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)
        inside = (observed >= low) & (observed <= high)
        shares = [f"{name} {100 * inside[:, :, k][known[:, :, k]].mean():.0f} %" for k, name in enumerate(MEASURED)]
        print(
            f"{label}: within the {100 * level:.0f} % interval: {100 * inside[known].mean():.0f} %: {', '.join(shares)}"
        )
    for group in GROUPS:
        mine = (people["glucose_tolerance"] == group).to_numpy()
        for k, name in enumerate(MEASURED):
            pairs = zip(
                np.nanmedian(observed[mine, :, k], axis=0), np.median(values[:, mine, :, k], axis=(0, 1)), strict=True
            )
            print(
                f"  {label} {group} n {mine.sum()} {name}: "
                + ", ".join(f"{seen:.3g} for {model:.3g}" for seen, model in pairs)
            )


def summary(population: Population) -> dict[tuple[str, str, str], float]:
    """Return SDs, correlations and differences of groups."""
    sd = np.sqrt(np.diag(population.covariance))
    numbers: dict[tuple[str, str, str], float] = {}
    names = list(TRAITS)
    for k, name in enumerate(names):
        numbers["SD", name, ""] = float(sd[k])
    for a, b in (
        ("sensitivity", "secretion"),
        ("sensitivity", "hepatic_extraction"),
        ("secretion", "hepatic_extraction"),
    ):
        i, j = names.index(a), names.index(b)
        numbers["correlation", a, b] = float(population.covariance[i, j] / sd[i] / sd[j])
    for group, row in (("IGT", 1), ("T2DM", 2)):
        for name in ("sensitivity", "secretion"):
            k = names.index(name)
            numbers["ratio to NGT", name, group] = float(
                np.exp(population.coefficients[row, k] - population.coefficients[0, k])
            )
    return numbers


def trait_rows(
    people: pd.DataFrame, numbers: dict[tuple[str, str, str], float], spread: dict[tuple[str, str, str], float]
) -> list[dict[str, Any]]:
    """Return rows of the traits."""
    rows = []
    counts = ";".join(f"{group}={(people['glucose_tolerance'] == group).sum()}" for group in GROUPS)
    for (statistic, name, other), value in numbers.items():
        kind = {"SD": ("ratio", "log"), "correlation": ("level", "linear")}.get(statistic, ("ratio", "log"))
        family = {"SD": "spread", "correlation": "correlations"}.get(statistic, "groups")
        # The model's people do not differ in how their stomachs empty, and one test does not tell a person's own first phase from the day's.
        if statistic == "SD" and name not in ("sensitivity", "secretion", "hepatic_extraction"):
            family = "spread of what one test cannot tell"
        log = TRAITS[name][1]
        rows.append({
            "record": f"ohashi-{statistic.replace(' ', '-')}-{name}" + (f"-{other}" if other else ""), "source": SOURCE,
            "family": f"tolerance tests, two thirds: traits, {family}", "fitted": str(family in ("spread", "correlations")).lower(), "endpoint": name,
            "other": other if statistic == "correlation" else "", "group": other if statistic == "ratio to NGT" else "", "statistic": statistic,
            "unit": "1", "class": kind[0], "scale": kind[1], "observed": value, "se": spread[statistic, name, other],
            "freedom": len(people) - 4, "people": len(people), "among": counts,
            "note": "given group and body-mass index" + (", of the logarithm" if log and statistic == "SD" else ""),
        })  # fmt: skip
    return rows


def test_rows(people: pd.DataFrame, observed: np.ndarray, part: str, fitted: bool) -> list[dict[str, Any]]:
    """Return quartiles of the tests and of the clamp by group."""
    rows = []
    for group in GROUPS:
        mine = (people["glucose_tolerance"] == group).to_numpy()
        who = people[mine]
        fasting = np.log(observed[mine, 0, 0])
        among = (
            f"age={who['age_y'].mean():.2f};age SD={who['age_y'].std():.2f};women={1 - who['male'].mean():.4f};"
            f"log BMI={np.log(who['bmi']).mean():.4f};log BMI SD={np.log(who['bmi']).std():.4f};"
            f"log fasting glucose={np.nanmean(fasting):.4f};log fasting glucose SD={np.nanstd(fasting):.4f};"
            f"clamp insulin={who['clamp_insulin'].median():.1f}"
        )
        columns = {
            (name, minute): observed[mine, i, k] for k, name in enumerate(MEASURED) for i, minute in enumerate(MINUTES)
        }
        columns = {key: values for key, values in columns.items() if key[1] in (0.0, 30.0, 120.0) and key != ("G", 0.0)}
        columns["clamp_M", 0.0] = who["gir_mgkgmin"].to_numpy(float)
        for (name, minute), values in columns.items():
            known = np.log(values[np.isfinite(values) & (values > 0)])
            for level in (0.25, 0.5, 0.75):
                value = float(np.quantile(known, level))
                rng = np.random.default_rng(3)
                again = [np.quantile(rng.choice(known, len(known)), level) for _ in range(400)]
                rows.append({
                    "record": f"ohashi-{part.replace(' ', '-')}-{group}-{name}-{minute:g}-{level:g}", "source": SOURCE,
                    "family": f"tolerance tests, {part}: {group}", "fitted": str(fitted and group != "T2DM").lower(), "endpoint": name, "group": group,
                    "statistic": "quantile", "level": level, "unit": UNITS.get(name, "mg/kg/min"), "class": "level", "scale": "log",
                    "observed": float(np.exp(value)), "se": float(max(np.std(again), 0.02)), "freedom": len(known) - 1, "people": len(known),
                    "among": f"{among};minute={minute:g}", "note": "clamp" if name == "clamp_M" else f"{minute:g} minutes after 75 g of glucose",
                })  # fmt: skip
    return rows


def main() -> None:
    """Fit, predict, write."""
    people, observed = read(*sys.argv[1:4])
    left_out = (people["id"] % 3 == 0).to_numpy()
    fitted_people, others = people[~left_out].reset_index(drop=True), people[left_out].reset_index(drop=True)
    population, fits = em(fitted_people, observed[~left_out])
    numbers = summary(population)
    # What the test says of sensitivity, the clamp had no part in.
    for label, mine in (
        ("all", np.ones(len(fitted_people), dtype=bool)),
        *((g, fitted_people["glucose_tolerance"] == g) for g in GROUPS),
    ):
        rho = pd.Series(fits.traits[mine, 0]).corr(
            pd.Series(fitted_people.loc[mine, "gir_mgkgmin"].to_numpy()), method="spearman"
        )
        print(f"rank correlation of fitted sensitivity with the glucose infused in the clamp, {label}: {rho:.2f}")
    print("errors of samples", dict(zip(MEASURED, population.errors.round(3), strict=True)))
    check(population, fitted_people, observed[~left_out], "two thirds")
    check(population, others, observed[left_out], "left out")
    rng = np.random.default_rng(2)
    again = []
    for _ in range(BOOTSTRAP):
        index = np.concatenate(
            [
                rng.choice(
                    np.flatnonzero(fitted_people["glucose_tolerance"] == group),
                    (fitted_people["glucose_tolerance"] == group).sum(),
                )
                for group in GROUPS
            ]
        )
        chosen = TraitFits(fits.traits[index], fits.covariance[index], fits.misses[index])
        again.append(
            summary(em(fitted_people.iloc[index].reset_index(drop=True), observed[~left_out][index], 6, chosen)[0])
        )
    spread = {}
    for key, value in numbers.items():
        values = np.array([each[key] for each in again])
        spread[key] = float(np.std(values if key[0] == "correlation" else np.log(values)))
        print(key, f"{value:.3f} +- {spread[key]:.3f}")
    rows = trait_rows(fitted_people, numbers, spread)
    rows += test_rows(fitted_people, observed[~left_out], "two thirds", True)
    rows += test_rows(others, observed[left_out], "left out", False)
    write_rows("tolerance_rows", rows)


if __name__ == "__main__":
    main()
