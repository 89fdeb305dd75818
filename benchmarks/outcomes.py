"""Deaths of control groups and of NHANES by class of kidney disease: what the hazards say against what was seen.

::

    python benchmarks/outcomes.py [--people 300] [--fit] [--nhanes FILE.parquet] [--out docs/figures/outcomes.csv]

Control groups are cohorts of the package's library, weighted to the trial's baseline; the shares with cardiovascular disease and with
heart failure are the trial's. Only the groups marked ``fit`` and the states of UKPDS 64 shape ``death_rate_65``, ``death_tau``,
``death_cvd`` and ``era_decline``; ``--fit`` prints the values that they give. The other groups and NHANES are validation.

NHANES: adults with diabetes, linked to deaths until 2019; the file is not part of the repository.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from betapod.base.constants import DAYS_PER_YEAR
from betapod.hazards import outcome_rates, risk
from betapod.hazards.event_times import cumulative_hazard
from betapod.hazards.outcome_rates import death_rate

#: Years per step of a course.
STEP = 0.25


@dataclass(frozen=True)
class Group:
    """A control group: cohort, role, middle year, follow-up in years, shares with CVD and heart failure, loss of eGFR per year, deaths per 1000 person-years."""

    name: str
    cohort: str
    role: str
    year: float
    follow_up: float
    cvd: float
    hf: float
    slope: float
    deaths: float
    tag: str


GROUPS = (
    Group("EMPA-REG OUTCOME", "EMPA-REG", "fit", 2013.0, 2.9, 0.99, 0.10, -1.5, 28.6, "194 of 2333: read"),
    Group("LEADER", "LEADER", "fit", 2013.5, 3.8, 0.75, 0.18, -1.5, 25.2, "447 of 4672 in 3.8 years: read"),
    Group("FLOW", "FLOW with blockers", "fit", 2021.5, 3.2, 0.23, 0.19, -3.3, 49.4, "279 of 1766: recalled"),
    Group("CREDENCE", "CREDENCE", "validation", 2016.5, 2.6, 0.50, 0.15, -4.0, 35.0, "recalled"),
    Group(
        "DAPA-CKD", "DAPA-CKD T2D", "validation", 2018.5, 2.4, 0.40, 0.11, -3.6, 28.3, "6.8 % in 2.4 years: recalled"
    ),
    Group("FIDELIO-DKD", "FIDELIO", "validation", 2018.0, 2.6, 0.46, 0.08, -3.5, 33.0, "recalled"),
    Group("ACCORDION", "ACCORD", "validation", 2006.0, 8.8, 0.35, 0.05, -1.5, 21.1, "1905 of 10251: read"),
    Group("RENAAL", "RENAAL", "validation", 1998.5, 3.4, 0.30, 0.08, -5.0, 66.0, "recalled"),
)
#: UKPDS 64 (Kidney Int 2003;63:225): state, age, eGFR, UACR, share with CVD, deaths per 1000 person-years, as read in its abstract.
STATES = (
    ("no nephropathy", 59.0, 85.0, 8.0, 0.10, 14.0),
    ("microalbuminuria", 60.0, 80.0, 80.0, 0.15, 30.0),
    ("macroalbuminuria", 62.0, 70.0, 600.0, 0.20, 46.0),
    ("creatinine from 175 umol/L", 64.0, 28.0, 1000.0, 0.30, 192.0),
)
UKPDS_YEAR, UKPDS_FEMALE, UKPDS_AGE_SD = 1990.0, 0.41, 8.5


def people_of(cohort: str, count: int) -> Any:
    """Return the table of virtual people like a cohort."""
    from betapod.validation.predictions.study_people import people

    return people(cohort, count, 1).table


def deaths_of(group: Group, table: Any) -> float:
    """Return deaths per 1000 person-years of a control group while its eGFR falls."""
    years = np.arange(0.0, group.follow_up + STEP / 2, STEP)
    column = {
        name: table[name].to_numpy(dtype=np.float64)[:, None] for name in ("age", "female", "true_egfr", "true_uacr")
    }
    egfr = np.maximum(column["true_egfr"] + group.slope * years, 8.0)
    rate = death_rate(
        column["age"] + years, column["female"], egfr, column["true_uacr"], group.cvd, group.hf, 1.0, group.year
    )
    alive = np.exp(-cumulative_hazard(years * DAYS_PER_YEAR, rate))
    return float(1000.0 * (1.0 - alive[:, -1]).sum() / (0.5 * (alive[:, 1:] + alive[:, :-1]) * STEP).sum())


def deaths_in_state(state: tuple[Any, ...]) -> float:
    """Return deaths per 1000 person-years of a state of UKPDS 64, over its ages and sexes."""
    _, age, egfr, uacr, cvd, _ = state
    nodes, weights = np.polynomial.hermite_e.hermegauss(9)
    ages = age + UKPDS_AGE_SD * nodes
    of_sex = [
        np.sum(weights * death_rate(ages, sex, egfr, uacr, cvd, 0.0, 1.0, UKPDS_YEAR)) / weights.sum() for sex in (0, 1)
    ]
    return float(1000.0 * ((1 - UKPDS_FEMALE) * of_sex[0] + UKPDS_FEMALE * of_sex[1]))


def fit(tables: dict[str, Any]) -> dict[str, float]:
    """Return the values of the four fitted rows, by least squares of log rates with priors on all but the level."""
    from scipy.optimize import least_squares

    names = ("death_rate_65", "death_tau", "death_cvd", "era_decline")
    prior = {"death_tau": (14.0, 0.3), "death_cvd": (1.7, 0.2), "era_decline": (0.0223, 0.5)}
    usual = risk.hazard_values()

    def misses(logs: np.ndarray) -> list[float]:
        values = {**usual, **dict(zip(names, np.exp(logs), strict=True))}
        with (
            mock.patch.object(risk, "hazard_values", lambda: values),
            mock.patch.object(outcome_rates, "hazard_values", lambda: values),
        ):
            found = [np.log(deaths_of(g, tables[g.name]) / g.deaths) / 0.33 for g in GROUPS if g.role == "fit"]
            found += [0.7 * np.log(deaths_in_state(s) / s[-1]) / 0.33 for s in STATES]
        return [*found, *(np.log(values[name] / middle) / spread for name, (middle, spread) in prior.items())]

    start = np.log([usual[name] for name in names])
    solution = least_squares(misses, start)
    return dict(zip(names, np.exp(solution.x), strict=True))


def nhanes(path: Path, calibration: bool) -> list[dict[str, Any]]:
    """Return observed and expected deaths of adults with diabetes by class of kidney disease, in odd (calibration) or even cycles."""
    import duckdb

    text = f"SELECT * FROM '{path}' WHERE dm_any = 1 AND mort_eligible = 1 AND age_y >= 20 AND cycle % 2 = {int(calibration)}"
    data = {
        name: np.ma.filled(values, np.nan) if np.ma.isMaskedArray(values) and values.dtype.kind == "f" else values
        for name, values in duckdb.sql(text).fetchnumpy().items()
    }
    egfr, uacr, age = (np.asarray(data[name], dtype=np.float64) for name in ("egfr_ckdepi2021", "uacr_mgg", "age_y"))
    years, died = (
        np.asarray(data["followup_months"], dtype=np.float64) / 12.0,
        np.asarray(data["died"], dtype=np.float64),
    )
    weight = np.asarray(data["wt_pooled_1999_2016"], dtype=np.float64)
    cvd = np.nanmax(
        [np.nan_to_num(np.asarray(data[n], dtype=np.float64)) for n in ("chd", "angina", "mi", "stroke")], axis=0
    )
    hf = np.nan_to_num(np.asarray(data["chf"], dtype=np.float64))
    start = 1998.0 + 2.0 * np.asarray(data["cycle"], dtype=np.float64)
    known = np.isfinite(egfr) & np.isfinite(uacr) & np.isfinite(years) & (years > 0)
    grid = np.linspace(0.0, 1.0, 41)
    when = years[:, None] * grid
    rate = death_rate(
        age[:, None] + when, np.asarray(data["female"], dtype=np.float64)[:, None], egfr[:, None], uacr[:, None],
        cvd[:, None], hf[:, None], 1.0, start[:, None] + when,
    )  # fmt: skip
    expected = np.trapezoid(rate, when, axis=1)
    rows = []
    for label, low, high in (("60 and more", 60, 999), ("30 to 59", 30, 60), ("below 30", 0, 30)):
        for albuminuria, least, most in (("A1", 0, 30), ("A2", 30, 300), ("A3", 300, 1e9)):
            keep = known & (egfr >= low) & (egfr < high) & (uacr >= least) & (uacr < most)
            w = weight[keep]
            rows.append({
                "group": f"eGFR {label}, {albuminuria}", "people": int(keep.sum()), "deaths": int(died[keep].sum()),
                "observed": 1000.0 * float((w * died[keep]).sum() / (w * years[keep]).sum()),
                "expected": 1000.0 * float((w * expected[keep]).sum() / (w * years[keep]).sum()),
            })  # fmt: skip
    return rows


def main() -> None:
    """Print both tables, and write them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--nhanes", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    tables = {group.name: people_of(group.cohort, options.people) for group in GROUPS}
    if options.fit:
        for name, value in fit(tables).items():
            print(f"{name:16s} {value:.4g}")
    rows = [
        {"group": g.name, "role": g.role, "expected": deaths_of(g, tables[g.name]), "observed": g.deaths, "note": g.tag}
        for g in GROUPS
    ]
    rows += [
        {"group": f"UKPDS 64, {s[0]}", "role": "fit", "expected": deaths_in_state(s), "observed": s[-1], "note": "read"}
        for s in STATES
    ]
    for half, calibration in (("calibration half", True), ("test half", False)) if options.nhanes else ():
        rows += [
            {
                "group": f"NHANES {half}, {row['group']}",
                "role": "validation",
                "note": f"{row['deaths']} deaths",
                **{k: row[k] for k in ("expected", "observed")},
            }
            for row in nhanes(options.nhanes, calibration)
        ]
    for row in rows:
        print(
            f"{row['group']:48s} {row['role']:11s} model {row['expected']:6.1f}  seen {row['observed']:6.1f}  ratio {row['expected'] / row['observed']:.2f}  {row['note']}"
        )
    if options.out:
        with options.out.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, ["group", "role", "expected", "observed", "note"])
            writer.writeheader()
            writer.writerows({k: f"{v:.1f}" if isinstance(v, float) else v for k, v in row.items()} for row in rows)


if __name__ == "__main__":
    main()
