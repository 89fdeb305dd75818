"""Insulin sensitivity of 121 people from their oral glucose tests, fitted person by person, against their own clamps.

The oral minimal model: glucose is driven by what is absorbed and by the measured insulin, which the model follows as an input; two
numbers of each person are fitted to her glucose, the speed of absorption and insulin sensitivity. What the same people's euglycaemic
clamps say of their sensitivity is compared by ranks; no clamp enters the fit.

    python benchmarks/fit_oral_glucose.py FOLDER

FOLDER holds ``ohashi_ogtt_long.csv`` and ``ohashi_subjects_indices.csv`` (Ohashi K and colleagues, PLoS ONE 2015;10:e0143880, CC BY 4.0:
oral tests with glucose in mg/dL and insulin in uU/mL, and clamp indices); the tables do not come with betapod.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy import stats

from betapod.calibration.individual.individual_fit import fit_individuals
from betapod.calibration.individual.individual_problem import read_individual_problem

#: Values recalled from the literature on minimal models or assumed; only ranks of what is fitted are compared.
MODEL = """
reads I [mU/L]
dQ1/dt = -k_gut*Q1                          [mmol/kg/min]   stomach
Q1(0)  = nothing                            [mmol/kg]       glucose in the stomach
dQ2/dt = k_gut*(Q1 - Q2)                    [mmol/kg/min]   gut
Q2(0)  = nothing                            [mmol/kg]       glucose in the gut
dG/dt  = p1*(G_b - G) - X*G + absorbed*k_gut*Q2/V_G   [mmol/L/min]  change
G(0)   = G_b                                [mmol/L]        glucose
dX/dt  = p2*(S_I*(I - I_b) - X)             [1/min/min]     change
X(0)   = none                               [1/min]         action of insulin
"""
VALUES = """id,label,value,unit,low,high
I,insulin,5,mU/L,,
k_gut,speed of absorption,0.03,1/min,0.008,0.12
nothing,no glucose,0,mmol/kg,,
none,no action,0,1/min,,
p1,glucose effectiveness,0.02,1/min,0.005,0.05
G_b,glucose at the start,5,mmol/L,,
I_b,insulin at the start,5,mU/L,,
absorbed,fraction absorbed,0.9,1,0.7,1
V_G,volume of glucose,0.16,L/kg,0.1,0.25
p2,speed of action of insulin,0.03,1/min,0.01,0.1
S_I,insulin sensitivity,0.0006,L/mU/min,0.00003,0.006
"""
PROBLEM = """kind: individual
title: Oral glucose in 121 people
model: model.txt
table: table.csv
observables: {G: {error: additive}}
fit:
  k_gut: {prior: table}
  S_I: {prior: table}
"""


def write_problem(source: Path, folder: Path) -> Path:
    """Write the problem of a folder of tables, and return its file; people with a gap in their insulin are left out."""
    with (source / "ohashi_subjects_indices.csv").open(encoding="utf-8") as file:
        weight = {row["id"]: float(row["weight_kg"]) for row in csv.DictReader(file)}
    tests: dict[str, list[dict[str, str]]] = defaultdict(list)
    with (source / "ohashi_ogtt_long.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            tests[row["id"]].append(row)
    lines = ["id,time [min],G [mg/dL],course I [mU/L],dose Q1 [mmol/kg],G_b [mg/dL],I_b [mU/L]"]
    for name, rows in tests.items():
        if all(row["glucose_mgdl"] and row["insulin_uUml"] for row in rows):
            first = rows[0]
            for row in rows:
                begins = row is first
                dose = f"{75.0 / 0.180156 / weight[name]:.5f}" if begins else ""
                # What stands at the start is the basal level itself.
                glucose = "" if begins else row["glucose_mgdl"]
                basal = f"{first['glucose_mgdl']},{first['insulin_uUml']}"
                lines.append(f"{name},{row['time_min']},{glucose},{row['insulin_uUml']},{dose},{basal}")
    files = {"model.txt": MODEL, "model.csv": VALUES, "problem.yaml": PROBLEM, "table.csv": "\n".join(lines) + "\n"}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "problem.yaml"


def main() -> None:
    """Fit everybody and print how the ranks agree."""
    source = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        problem = read_individual_problem(write_problem(source, Path(folder)))
    fit = fit_individuals(problem, threads=2)
    with (source / "ohashi_subjects_indices.csv").open(encoding="utf-8") as file:
        subjects = {row["id"]: row for row in csv.DictReader(file)}
    people = [person for person in fit.people if person.simulated and subjects[person.name]["isi_clamp"]]
    fitted = np.array([person.at[1] for person in people])
    errors = np.array([person.information.standard_errors[1] for person in people])
    print(
        f"{len(people)} people, {problem.measurements} measurements, {fit.seconds:.1f} s, {fit.lanes} simulations of a person"
    )
    print(f"error of glucose {fit.errors[0].additive:.2f} mmol/L; not at rest: {sum(not p.arrived for p in people)}")
    for column in ("isi_clamp", "gir_mgkgmin"):
        clamp = np.array([float(subjects[person.name][column] or "nan") for person in people])
        for words, chosen_people in (
            ("all", np.isfinite(clamp)),
            ("SE below 0.5", np.isfinite(clamp) & (errors < 0.5)),
        ):
            rank = stats.spearmanr(fitted[chosen_people], clamp[chosen_people])
            log = stats.pearsonr(fitted[chosen_people], np.log(clamp[chosen_people]))
            print(
                f"S_I against {column} ({words}, n {chosen_people.sum()}): Spearman {rank.statistic:.2f}, Pearson of logs {log.statistic:.2f}"
            )
    for tolerance in ("NGT", "IGT", "T2DM"):
        logs = [
            at
            for at, person in zip(fitted, people, strict=True)
            if subjects[person.name]["glucose_tolerance"] == tolerance
        ]
        print(f"{tolerance}: median S_I {1e4 * np.exp(np.median(logs)):.1f} 1e-4 L/mU/min in {len(logs)}")
    assert fit.group is not None
    print(
        f"group: medians {np.exp(fit.group.mean)}, SDs between people {fit.group.spread}, of estimates {fit.group.uncorrected}"
    )
    for warning in fit.warnings:
        print("warning:", warning)


if __name__ == "__main__":
    main()
