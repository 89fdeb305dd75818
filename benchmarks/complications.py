"""Complications of eyes, nerves and feet in cohorts: what the rates say against what was seen.

::

    python benchmarks/complications.py [--people 8000] [--nhanes FILE.parquet] [--out docs/figures/complications.csv]

Cohorts, with what was assumed of each, stand in ``complications_eyes_nerves_feet.csv``. Groups marked ``fit`` gave rates or coefficients; the others
are validation. People have their own HbA1c, pressure, UACR and eGFR, which stay as they are while age and duration go on: no course is simulated.

NHANES: prevalence of retinopathy in 2005-2006, which had no part in the regression; the file is not part of the repository.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

import numpy as np

from betapod.base.constants import DAYS_PER_YEAR
from betapod.hazards.complications.prevalence import carried_states, prevalent_chance, prevalent_states
from betapod.hazards.risk import RiskProfile
from betapod.hazards.risk_course import RiskCourse
from betapod.health.event_table import own_events
from betapod.health.lives import Lives, live_on
from betapod.health.prepared_course import prepare

COHORTS = Path(__file__).with_name("complications_eyes_nerves_feet.csv")
#: SD of pressure, eGFR and the logarithm of UACR between people of a cohort, and bounds of HbA1c.
SBP_SD, EGFR_SD, UACR_LOG_SD, HBA1C_BOUNDS = 16.0, 16.0, 1.0, (5.0, 15.0)
#: Length of a step in years.
STEP = 0.5
#: A single year is too short to judge chance: rates of it are followed for this long.
LEAST_YEARS = 2.0


def cohorts() -> list[dict[str, str]]:
    """Return the rows of the table of cohorts."""
    with COHORTS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def course_of(row: dict[str, str], people: int, hba1c: float, years: float) -> RiskCourse:
    """Return the course of people like a cohort."""
    rng = np.random.default_rng(7)
    normal = rng.standard_normal((4, people, 1))
    low, high = HBA1C_BOUNDS
    number = {key: float(row[key]) for key in ("age", "type_1", "duration", "sbp", "bmi", "uacr", "egfr")}
    days = np.linspace(0.0, years * DAYS_PER_YEAR, max(round(years / STEP), 1) + 1)
    share = {key: (rng.random((people, 1)) < float(row[key])).astype(float) for key in ("female", "smoker", "type_1")}
    profile = RiskProfile(
        age=number["age"] + days / DAYS_PER_YEAR,
        female=share["female"],
        egfr=np.clip(number["egfr"] + EGFR_SD * normal[0], 15.0, 130.0),
        uacr=np.clip(number["uacr"] * np.exp(UACR_LOG_SD * normal[1]), 2.0, 5000.0),
        type_1=share["type_1"],
        hba1c=np.clip(hba1c + float(row["hba1c_sd"]) * normal[2], low, high),
        sbp=np.clip(number["sbp"] + SBP_SD * normal[3], 90.0, 210.0),
        bmi=number["bmi"],
        smoker=share["smoker"],
        duration=number["duration"] + days / DAYS_PER_YEAR,
    )
    numbers = np.arange(people)
    return RiskCourse(days, profile, numbers, histories_of(row, profile, numbers))


def histories_of(row: dict[str, str], profile: RiskProfile, numbers: Any) -> dict[str, Any]:
    """Return the states that people have at the start: as given, or with ``*`` as people like them have."""
    states: dict[str, Any] = {"cvd": np.full(len(numbers), float(row["cvd"]))}
    if row["states"] == "*":
        first = {key: np.asarray(getattr(profile, key)) for key in ("age", "duration", "hba1c", "uacr", "sbp", "egfr")}
        first = {key: value[..., 0] if value.ndim else value for key, value in first.items()}
        states |= prevalent_states(RiskProfile(female=np.asarray(profile.female)[:, 0], **first), numbers)
        states["cvd"] = np.maximum(states["cvd"], states["peripheral_artery_disease"])
    else:
        for part in filter(None, row["states"].split(";")):
            name, share = part.split("=")
            states[name] = np.full(len(numbers), float(share))
    return states


def events_of(row: dict[str, str], lives: Lives) -> tuple[Any, Any]:
    """Return (people,) the first day of the events of a row, and how often they came."""
    names = row["event"].split("+")
    if names == ["death"]:
        return lives.died, np.isfinite(lives.died).astype(float)
    first = np.min([lives.first_day[lives.events.index(name)] for name in names], axis=0)
    return first, np.sum([lives.counts(name) for name in names], axis=0)


def value_of(row: dict[str, str], people: int, hba1c: float) -> float:
    """Return what is to be compared: %, or per 1000 person-years."""
    years = float(row["years"])
    follow_up = max(years, LEAST_YEARS) if row["measure"] in ("rate", "all") else years
    lives = live_on(prepare(course_of(row, people, hba1c, follow_up), own_events()), seed=3)
    first, often = events_of(row, lives)
    end = np.minimum(lives.died, lives.days[-1])
    if row["measure"] == "all":
        return float(1000.0 * often.sum() / (end.sum() / DAYS_PER_YEAR))
    at_risk = at_start_free(row, lives, first)
    came = (first <= end) & at_risk
    if row["measure"] == "dead":
        return float(100.0 * came.mean())
    day = np.minimum(first, end)
    hazard = came.sum() / day[at_risk].sum() * DAYS_PER_YEAR
    if row["measure"] == "cumulative":
        return 100.0 * kaplan_meier(day[at_risk], came[at_risk])
    return float(1000.0 * hazard)


def at_start_free(row: dict[str, str], lives: Lives, first: Any) -> Any:
    """Return who can have the event for the first time: not those who have its state at the start."""
    name = row["event"]
    if name in lives.states and row["measure"] in ("rate", "cumulative") and name not in ("foot_ulcer",):
        had = (lives.state(name)[0] > 0) & ~(first <= lives.days[1])
        return ~had
    return np.ones(len(first), dtype=bool)


def kaplan_meier(day: Any, came: Any) -> float:
    """Return the cumulative incidence at the end, with deaths as censoring."""
    order = np.argsort(day, kind="stable")
    left = np.arange(len(day), 0, -1)
    return float(1.0 - np.prod(np.where(came[order], 1.0 - 1.0 / left, 1.0)))


def predicted(row: dict[str, str], people: int) -> float:
    """Return what the rates say of a row."""
    own = float(row["hba1c"])
    if row["measure"] != "ratio":
        return value_of(row, people, own)
    rates = {**row, "measure": "rate"}
    return value_of(rates, people, own) / value_of(rates, people, float(row["other_hba1c"]))


def comparison(people: int) -> list[dict[str, Any]]:
    """Return all rows with what was predicted and its ratio to what was seen."""
    rows = []
    for row in cohorts():
        value, seen = float(f"{predicted(row, people):.4g}"), float(row["seen"])
        rows.append({**row, "predicted": value, "over_seen": value / seen})
    return rows


MEASURES = {
    "cumulative": "% in {years} y",
    "dead": "% in {years} y",
    "rate": "first ones per 1000 py",
    "all": "all per 1000 py",
    "ratio": "ratio of rates",
}


def as_markdown(rows: list[dict[str, Any]]) -> str:
    """Return the table of the page."""
    lines = [
        "| complication | cohort | role | measure | seen | predicted | ratio | source |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        interval = f" ({row['low']} to {row['high']})" if row["low"] else ""
        measure = MEASURES[row["measure"]].format(years=row["years"])
        cells = (
            row["group"], row["cohort"], row["role"], measure, row["seen"] + interval, f"{row['predicted']:.3g}",
            f"{row['over_seen']:.2f}", row["source"],
        )  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def nhanes_retinopathy(path: Path) -> str:
    """Return the prevalence of retinopathy in NHANES 2005-2006 by albuminuria and duration, seen and by the regression."""
    import duckdb

    table = duckdb.sql(f"SELECT * FROM read_parquet('{path}')").df()
    table = table[(table.cycle == 4) & table.retinopathy_l4.notna() & (table.age_y >= 40)]
    table = table[(table.dm_diag == 1) | (table.hba1c_pct >= 6.5)].copy()
    table["duration"] = np.where(table.dm_diag == 1, table.dm_duration_y, 0.0)
    table = table.dropna(subset=["duration", "hba1c_pct", "sbp_mmhg", "uacr_mgg"])
    profile = RiskProfile(
        age=table.age_y.to_numpy(), female=0.5, egfr=80.0, uacr=table.uacr_mgg.to_numpy(), hba1c=table.hba1c_pct.to_numpy(),
        duration=table.duration.to_numpy(),
    )  # fmt: skip
    chance = prevalent_chance(carried_states()[0], profile, {})
    seen, weight = (table.retinopathy_l4 >= 2).to_numpy(), table.wt_exam.to_numpy()
    lines = ["| NHANES 2005-2006 | people | seen, % | predicted, % |", "|---|---|---|---|"]
    everybody = np.ones(len(table), dtype=bool)
    groups = {"all": everybody}
    for low, high, name in ((0, 30, "UACR below 30"), (30, 300, "UACR 30 to 300"), (300, 1e9, "UACR from 300")):
        groups[name] = ((table.uacr_mgg >= low) & (table.uacr_mgg < high)).to_numpy()
    for low, high, name in ((0, 5, "below 5 years"), (5, 10, "5 to 10"), (10, 20, "10 to 20"), (20, 99, "20 and more")):
        groups[name] = ((table.duration >= low) & (table.duration < high)).to_numpy()
    for name, group in groups.items():
        share = [100.0 * np.average(values[group], weights=weight[group]) for values in (seen, chance)]
        lines.append(f"| {name} | {group.sum()} | {share[0]:.1f} | {share[1]:.1f} |")
    return "\n".join(lines)


def main() -> None:
    """Print the tables, and write the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=8000)
    parser.add_argument("--nhanes", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows = comparison(options.people)
    print(as_markdown(rows))
    for role in ("fit", "validation"):
        factors = np.abs(np.log([row["over_seen"] for row in rows if row["role"] == role]))
        within = [int((factors <= np.log(limit)).sum()) for limit in (1.25, 1.5, 2.0)]
        print(
            f"\n{role}: {len(factors)} rows, {within} within a factor of 1.25, 1.5 and 2; median {np.exp(np.median(factors)):.2f}"
        )
    if options.nhanes:
        print("\n" + nhanes_retinopathy(options.nhanes))
    if options.out:
        with options.out.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(
                {**row, "predicted": f"{row['predicted']:.4g}", "over_seen": f"{row['over_seen']:.3f}"} for row in rows
            )


if __name__ == "__main__":
    main()
