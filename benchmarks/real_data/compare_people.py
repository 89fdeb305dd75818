"""Compare the model's people with numbers of real people, and say which unknowns move them.

    python benchmarks/real_data/compare_people.py [--slopes] [--out table.csv] [SOURCE ...]

One line a row: observed, predicted, and their difference in errors of both together. With `--slopes` unknowns of people and visits are moved by one SD
of a wide prior (10 % of a median or an SD, 0.1 of a correlation), and those that move a row most are named.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np

from betapod.calibration.real_data.real_sources import REAL_SOURCES, real_sources
from betapod.calibration.real_data.visit_variation import visit_unknowns
from betapod.patients.reweighting import start_of
from betapod.validation.predictions.condition import Condition

#: Traits that are moved.
LOG_TRAITS = (
    "xi", "xi_h", "xi_theta", "xi_vessel", "xi_nephron", "sIg_factor", "sHg", "capacity_factor", "beta_decline_factor", "killing_factor",
    "left_at_diagnosis", "bmi_adult", "sIg_type_2", "detection", "glucose_insulin",
)  # fmt: skip
SHIFTED = {"decline_age": 3.0, "dMAP_60": 2.0, "dawn": 0.02, "xE": 0.03, "GFR0": 3.0, "MAP0": 1.0}
PAIRS = (
    "xi with xi_theta",
    "xi with xi_vessel",
    "sIg_factor with capacity_factor",
    "bmi_adult with dMAP_60",
    "bmi_adult with decline_age",
)


def moved() -> dict[str, Condition]:
    """Return a condition for each unknown."""
    conditions = {}
    for trait in LOG_TRAITS:
        for aspect in ("median", "spread"):
            conditions[f"{trait} {aspect}"] = Condition(people={f"{trait} {aspect}": 1.1})
    for trait, shift in SHIFTED.items():
        conditions[f"{trait} shift"] = Condition(people={f"{trait} shift": shift})
        conditions[f"{trait} spread"] = Condition(people={f"{trait} spread": 1.1})
    for pair in PAIRS:
        conditions[pair] = Condition(people={pair: start_of(pair) + 0.1})
    for unknown in visit_unknowns():
        conditions[unknown.name] = Condition(visits={unknown.name: 1.1 * unknown.start})
    return conditions


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sources", nargs="*", choices=[*REAL_SOURCES, []])
    parser.add_argument("--slopes", action="store_true")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    conditions = moved() if chosen.slopes else {}
    table = []
    for source in real_sources(chosen.sources or None):
        rows = source.rows
        predicted = source.predict([Condition(), *conditions.values()])
        z = (rows.observed - predicted[0]) / rows.se
        slopes = (predicted[1:] - predicted[0]) / rows.se
        natural, seen = rows.natural(predicted[0]), rows.natural(rows.observed)
        for i, record in enumerate(rows.record):
            by_size = sorted(zip(conditions, slopes[:, i], strict=True), key=lambda pair: -abs(np.nan_to_num(pair[1])))
            movers = ", ".join(f"{name} {value:+.1f}" for name, value in by_size[:4] if abs(value) >= 0.1)
            print(
                f"{record:40s} seen {seen[i]:9.4g}  model {natural[i]:9.4g} {rows.unit[i]:16s} z {z[i]:6.1f}  {movers}"
            )
            table.append(
                [source.name, record, rows.family[i], rows.fitted[i], seen[i], natural[i], rows.unit[i], z[i], movers]
            )
        for fitted, label in ((True, "fitted"), (False, "kept for validation")):
            mine = (rows.fitted == fitted) & np.isfinite(z)
            if mine.any():
                inside = 100 * np.mean(np.abs(z[mine]) < 1.645)
                print(
                    f"{source.name}, {label}: {mine.sum()} rows, {inside:.0f} % inside 90 %, median |z| {np.median(np.abs(z[mine])):.2f}"
                )
    if chosen.out is not None:
        with chosen.out.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(
                ["source", "record", "family", "fitted", "observed", "predicted", "unit", "z", "moved most by"]
            )
            writer.writerows(table)


if __name__ == "__main__":
    main()
