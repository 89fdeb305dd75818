"""UKPDS Outcomes Model 2 and the events of the package: the Mount Hood reference person, and what UKPDS saw.

::

    python benchmarks/mount_hood.py [--people 20000] [--courses] [--out docs/figures/mount_hood.csv]

The reference person of the challenge of 2020 is 55, has had diabetes for 8 years, HbA1c 7.5 %, 145 mmHg, HDL 1.3, LDL 3.0 mmol/L, BMI 28,
eGFR 70, no albuminuria and no complication; half are women. Risk factors stay as they are until 100. The same people live with
one risk factor changed for good. Ranges of eleven groups: doi:10.1177/0272989X211065479, abstract.

``--courses`` gives metformin, 1 g/day, to patients of the library who are like the reference person, and lets their courses be simulated.

What UKPDS saw was read in abstracts; what its people were like is recalled where no source stands beside it.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import betapod
from betapod.base.constants import DAYS_PER_YEAR
from betapod.hazards.risk import RiskProfile
from betapod.hazards.risk_course import RiskCourse
from betapod.hazards.ukpds.ukpds_equations import ukpds_values
from betapod.health.accrue import accrue
from betapod.health.course_people import CoursePeople
from betapod.health.courses import CourseSettings, simulate_courses
from betapod.health.event_table import own_events
from betapod.health.lives import Lives, live_on
from betapod.health.prepared_course import prepare
from betapod.health.strategy import Strategy
from betapod.health.ukpds_course import prepare_ukpds
from betapod.health.ukpds_lives import live_on_ukpds
from betapod.health.utilities import utility_set, utility_weights
from betapod.therapies.standard_care import therapy

PERSON: Mapping[str, float] = {
    "hba1c": 7.5, "sbp": 145.0, "hdl": 1.3, "ldl": 3.0, "bmi": 28.0, "egfr": 70.0, "uacr": 10.0, "haemoglobin": 14.0,
}  # fmt: skip
CHANGES: Mapping[str, Mapping[str, float]] = {
    "HbA1c -0.5 %": {"hba1c": 7.0},
    "SBP -10 mmHg": {"sbp": 135.0},
    "LDL -0.5 mmol/L": {"ldl": 2.5},
    "BMI -1 kg/m2": {"bmi": 27.0},
    "all four": {"hba1c": 7.0, "sbp": 135.0, "ldl": 2.5, "bmi": 27.0},
}
#: What eleven groups found: change -> what, least, most.
RANGES = {"HbA1c -0.5 %": ("life-years", 0.050, 0.750), "BMI -1 kg/m2": ("QALYs", -0.024, 0.203)}
STEP = 0.5

#: UKPDS: 41 % women, age at diagnosis and SD (benchmarks/outcomes.py); HbA1c 7.0 or 7.9 in 2729 and 1138 people (UKPDS 33, abstract);
#: new albuminuria at 2 % a year (UKPDS 64, abstract). Recalled: 135 mmHg, HDL 1.07, LDL 3.5 mmol/L, BMI 27.5, eGFR 80, 31 % smokers.
UKPDS_AGE, UKPDS_AGE_SD, UKPDS_FEMALE, UKPDS_INTENSIVE = 52.0, 8.5, 0.41, 2729 / 3867


def grid(years: float) -> np.ndarray:
    """Return the days of a grid."""
    return np.arange(int(years / STEP) + 1) * STEP * DAYS_PER_YEAR


def reference(people: int, **changes: float) -> RiskCourse:
    """Return the reference person, many times."""
    days = grid(45.0)
    female = (np.arange(people) % 2)[:, None].astype(float)
    years = days / DAYS_PER_YEAR
    profile = RiskProfile(age=55.0 + years, duration=8.0 + years, female=female, **{**PERSON, **changes})
    return RiskCourse(days, profile, np.arange(people))


def lives_of(course: RiskCourse, drugs: bool = True) -> dict[str, Lives]:
    """Return lives by both structures."""
    return {
        "own": live_on(prepare(course, own_events()), seed=1),
        "ukpds-om2": live_on_ukpds(prepare_ukpds(course, drugs), seed=1),
    }


def totals(course: RiskCourse, lives: Lives) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (people,) life-years and QALYs, not discounted, and QALYs at 3 %."""
    weights = utility_weights(utility_set(), course, lives.states, lives.events)
    accrued = accrue(lives, weights, discount_effects=0.03)
    return accrued.years, accrued.qalys_undiscounted, accrued.qalys


def mount_hood(people: int) -> list[dict[str, Any]]:
    """Return a row per structure and change: gains with their Monte-Carlo error, and the place in the range."""
    rows = []
    course = reference(people)
    before = {name: totals(course, lives) for name, lives in lives_of(course).items()}
    for name, (years, qalys, _) in before.items():
        print(f"{name}: {years.mean():.2f} life-years, {qalys.mean():.2f} QALYs (uk set, additive, not discounted)")
    for change, values in CHANGES.items():
        changed = reference(people, **values)
        for name, lives in lives_of(changed).items():
            gains = [after - now for after, now in zip(totals(changed, lives), before[name], strict=True)]
            means, errors = [g.mean() for g in gains], [g.std(ddof=1) / np.sqrt(people) for g in gains]
            row: dict[str, Any] = {"structure": name, "change": change}
            row |= {"life_years": means[0], "life_years_se": errors[0], "qalys": means[1], "qalys_se": errors[1]}
            row |= {"qalys_3_percent": means[2], "qalys_3_percent_se": errors[2]}
            if change in RANGES:
                what, least, most = RANGES[change]
                value = means[0] if what == "life-years" else means[1]
                row |= {"range_of": what, "least": least, "most": most, "place": (value - least) / (most - least)}
            rows.append(row)
    return rows


def ukpds_people(people: int) -> RiskCourse:
    """Return people as of UKPDS at diagnosis, over 10 years."""
    random = np.random.default_rng(33)
    days = grid(10.0)
    years = days / DAYS_PER_YEAR
    age = np.clip(random.normal(UKPDS_AGE, UKPDS_AGE_SD, people), 25.0, 65.0)
    albuminuria = random.exponential(1.0 / 0.020, people)
    profile = RiskProfile(
        age=age[:, None] + years,
        duration=np.broadcast_to(years, (people, len(years))),
        female=(random.random(people) < UKPDS_FEMALE)[:, None].astype(float),
        hba1c=np.where(random.random(people) < UKPDS_INTENSIVE, 7.0, 7.9)[:, None],
        sbp=135.0,
        hdl=1.07,
        ldl=3.5,
        bmi=27.5,
        egfr=80.0,
        uacr=np.where(years[None, :] >= albuminuria[:, None], 100.0, 10.0),
        smoker=(random.random(people) < 0.31)[:, None].astype(float),
        haemoglobin=14.0,
        year=1985.0 + years,
    )
    return RiskCourse(days, profile, np.arange(people))


def by(lives: Lives, events: tuple[str, ...], years: float) -> float:
    """Return the share of people with the first of some events within some years, in %."""
    days = lives.first_day[[lives.events.index(name) for name in events]].min(axis=0)
    return float(100.0 * np.mean(days <= years * DAYS_PER_YEAR))


def deaths(lives: Lives, years: float) -> float:
    """Return deaths per 1000 person-years."""
    last = years * DAYS_PER_YEAR
    return float(1000.0 * np.sum(lives.died <= last) / np.sum(np.minimum(lives.died, last)) * DAYS_PER_YEAR)


def ukpds_seen(people: int) -> list[dict[str, Any]]:
    """Return observed and predicted events of UKPDS."""
    course = ukpds_people(people)
    lives = {
        **lives_of(course),
        "ukpds-om2, switched": live_on_ukpds(prepare_ukpds(course, switched=True), seed=1),
    }
    rows: list[dict[str, Any]] = []

    def add(what: str, seen: str, source: str, predicted: Mapping[str, float]) -> None:
        rows.append(
            {
                "what": what,
                "seen": seen,
                "source": source,
                **{k: f"{v:.2g}" if v < 1 else f"{v:.1f}" for k, v in predicted.items()},
            }
        )

    mi = {name: by(x, ("mi",), 7) for name, x in lives.items()}
    # Infarctions and strokes that kill are cardiovascular deaths in the package: its own are the non-fatal ones alone.
    add("infarction within 7 years, %", "11.7", "597 of 5102, UKPDS 66", mi)
    add(
        "stroke within 7 years, %", "3.9", "199 of 5102, UKPDS 66", {n: by(x, ("stroke",), 7) for n, x in lives.items()}
    )
    coronary = {n: by(x, ("mi", "ischaemic_heart_disease"), 10) for n, x in lives.items() if n != "own"}
    add("coronary disease within 10 years, %", "11.0 to 12.4", "335 of 3055, of whom 2693 complete, UKPDS 23", coronary)
    renal = {n: by(x, ("dialysis",), 10) for n, x in lives.items() if n != "own"}
    add("creatinine of 175 umol/L or renal replacement at 10 years, %", "0.8", "UKPDS 64", renal)
    add("deaths per 1000 years, 10 years", "14.0 to 46.0", "UKPDS 64, without and with macroalbuminuria", {n: deaths(x, 10) for n, x in lives.items()})  # fmt: skip
    quick = {}
    for name, x in lives.items():
        if name == "own":
            continue
        had = x.first_day[x.events.index("mi")]
        same = (
            (np.floor(had / DAYS_PER_YEAR) == np.floor(x.died / DAYS_PER_YEAR)) & np.isfinite(had) & np.isfinite(x.died)
        )
        quick[name] = float(100.0 * same.sum() / np.isfinite(had).sum())
    men = np.broadcast_to(np.asarray(course.profile.female), (people, 1))[:, 0] < 0.5
    women = {}
    for name, x in lives.items():
        had = x.first_day[x.events.index("mi")] <= 7 * DAYS_PER_YEAR
        women[name] = float(had[~men].mean() / had[men].mean())
    add("infarction of women relative to men", "0.5 (coronary disease)", "UKPDS 56", women)
    add("deaths in the year of a first infarction, %", "52", "351 of 674 fatal, UKPDS 66", quick)
    return rows


def slopes() -> list[dict[str, Any]]:
    """Return what UKPDS found per unit of a risk factor and what the equations have."""
    v = ukpds_values()
    drop = {
        "infarction, HbA1c -1 %": ("14 (8 to 21)", "UKPDS 35", ("om2_mi_man_hba1c", "om2_mi_woman_hba1c")),
        "infarction, SBP -10 mmHg": ("11 (7 to 14)", "UKPDS 36", ("om2_mi_man_sbp", "om2_mi_woman_sbp")),
        "stroke, SBP -10 mmHg": ("19", "UKPDS 36", ("om2_stroke_sbp",)),
        "amputation, SBP -10 mmHg": ("16", "UKPDS 36", ("om2_amputation_sbp",)),
        "heart failure, SBP -10 mmHg": ("12", "UKPDS 36", ()),
    }
    return [
        {"what": what, "seen": seen, "source": source, "equations": " and ".join(f"{100 * (1 - np.exp(-v[row])):.1f}" for row in rows) or "0: not in the equation"}
        for what, (seen, source, rows) in drop.items()
    ]  # fmt: skip


def simulated(people: int) -> list[dict[str, Any]]:
    """Return what metformin does in patients like the reference person, with courses that are simulated."""
    library = betapod.load_library()
    t = library.table
    like = (t["diabetes"] == 1) & (t["T1D"] == 0) & (t["cvd"] == 0) & (t["hf"] == 0) & (t["insulin_dose"] == 0)
    for name, low, high in (("age", 48, 62), ("hba1c", 7.0, 8.0), ("egfr", 60, 85), ("uacr", 0, 30)):
        like &= t[name].between(low, high)
    for drug in ("dpp4", "semaglutide", "liraglutide"):
        like &= t[drug] == 0
    drawn = CoursePeople.drawn(library.take(np.flatnonzero(like.to_numpy())), size=people, seed=1)
    strategies = {"none": Strategy(), "metformin": Strategy(therapies=(therapy("metformin 1 g/day"),))}
    rows = []
    for care in ("frozen", "usual"):
        courses = simulate_courses(drawn, strategies, CourseSettings(until_age=100.0, care=care))
        risks = {name: courses.risk(name, 0) for name in strategies}
        shape = (people, len(risks["none"].days))
        hba1c, egfr = (
            {name: np.broadcast_to(getattr(risk.profile, what), shape) for name, risk in risks.items()}
            for what in ("hba1c", "egfr")
        )
        row: dict[str, Any] = {"care": care, "patients": int(like.sum())}
        ten, twenty = int(10 / STEP), int(20 / STEP)
        row["HbA1c, 10 years"] = float(np.mean((hba1c["metformin"] - hba1c["none"])[:, :ten]))
        row["HbA1c at 20 years"] = float(np.mean(hba1c["none"][:, twenty]))
        row["eGFR at 0, 10, 20"] = "/".join(f"{egfr['none'][:, i].mean():.0f}" for i in (0, ten, twenty))
        lives = {name: lives_of(risk, drugs=False) for name, risk in risks.items()}
        row["dialysis, %"] = float(100 * lives["none"]["own"].counts("dialysis").mean())
        for structure in ("own", "ukpds-om2"):
            gained = lives["metformin"][structure].life_years() - lives["none"][structure].life_years()
            error = gained.std(ddof=1) / np.sqrt(people)
            row[structure] = f"{lives['none'][structure].life_years().mean():.2f}, +{gained.mean():.3f} +- {error:.3f}"
        rows.append(row)
    return rows


def main() -> None:
    """Print the tables, and write the first."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--courses", action="store_true")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows = mount_hood(options.people)
    print("\nchange | structure | life-years | QALYs | QALYs at 3 % | range | place")
    for row in rows:
        of = (
            f"{row['range_of']} {row['least']:.3f} to {row['most']:.3f} | {row['place']:.2f}"
            if "place" in row
            else "- | -"
        )
        print(
            f"{row['change']} | {row['structure']} | {row['life_years']:.3f} +- {row['life_years_se']:.3f} | "
            f"{row['qalys']:.3f} +- {row['qalys_se']:.3f} | {row['qalys_3_percent']:.3f} +- {row['qalys_3_percent_se']:.3f} | {of}"
        )
    print()
    for row in ukpds_seen(options.people):
        print(" | ".join(f"{key}: {value}" for key, value in row.items()))
    print()
    for row in slopes():
        print(" | ".join(map(str, row.values())))
    for row in simulated(options.people) if options.courses else ():
        print(
            " | ".join(
                f"{key}: {value:.2f}" if isinstance(value, float) else f"{key}: {value}" for key, value in row.items()
            )
        )
    if options.out:
        names = list(dict.fromkeys(key for row in rows for key in row))
        with options.out.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, names, lineterminator="\n")
            writer.writeheader()
            writer.writerows({k: f"{v:.4f}" if isinstance(v, float) else v for k, v in row.items()} for row in rows)


if __name__ == "__main__":
    main()
