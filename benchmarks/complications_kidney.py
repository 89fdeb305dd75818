"""Kidney failure, its treatment and acute complications: what the events say of published cohorts.

Run from the root of the repository:

    python benchmarks/complications_kidney.py

Each cohort is one person with its published means; what was assumed of it is said. ``fit`` means that the number, or another of the same
work, shaped a row of ``hazards/complications``; everything else is validation. ``refit`` prints what the fits give.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import least_squares

from betapod.hazards.complications.complication import complications
from betapod.hazards.complications.terms import TERMS
from betapod.hazards.drug_hazards import drug_factors
from betapod.hazards.outcome_rates import CAUSES
from betapod.hazards.risk import RiskProfile
from betapod.hazards.risk_course import RiskCourse
from betapod.health.event_table import complication_values, own_events
from betapod.health.lives import Lives, live_on
from betapod.health.prepared_course import prepare
from betapod.health.read_outs import with_read_outs

PEOPLE, YEARS, YEAR = 4000, 40, 365.25
#: Factor on hyperkalaemia where 60 % of people take a blocker of the renin system.
SOME = 1.66
#: Ages of the groups of the lifetimes of the United States, and years on dialysis (men, women) and with a graft (men, women).
LIFETIME_AGES = np.array([42.5, 47.5, 52.5, 57.5, 62.5, 67.5, 72.5, 77.5])
LIFETIMES = {
    "dialysis": ([10.8, 9.1, 7.7, 6.5, 5.5, 4.5, 3.8, 3.2], [10.3, 8.8, 7.7, 6.6, 5.7, 4.8, 4.0, 3.5]),
    "transplant": ([26.9, 23.2, 19.8, 16.6, 13.8, 11.4, 9.4], [28.6, 24.8, 21.3, 18.1, 15.2, 12.7, 10.4]),
}


@dataclass(frozen=True)
class Row:
    """One number of one cohort."""

    complication: str
    cohort: str
    role: str
    unit: str
    observed: float
    predicted: float
    assumed: str = ""


def person(age: float = 60.0, **values: Any) -> RiskProfile:
    """Return a person of a cohort."""
    return RiskProfile(
        **{"age": age, "female": 0.4, "egfr": 90.0, "uacr": 10.0, "hba1c": 7.5, "c_peptide": 1.0} | values
    )


def rate(event: str, profile: RiskProfile, *drugs: str) -> float:
    """Return the rate of an event per 1000 person-years."""
    if event in CAUSES:
        return 1000 * float(CAUSES[event](profile)) * float(drug_factors(dict.fromkeys(drugs, 1.0)).get(event, 1.0))
    item, values = complications()[event], complication_values()
    log = np.log(values[item.rate]) + sum(values[row] * TERMS[term](profile) for term, row in item.terms.items())
    return (
        1000 * float(np.exp(log)) * float(np.prod([values[item.drugs[drug]] for drug in drugs if drug in item.drugs]))
    )


def share(event: str, years: float, profile: RiskProfile, *drugs: str) -> float:
    """Return the percentage of people with an event within some years."""
    return 100 * (1 - float(np.exp(-rate(event, profile, *drugs) * years / 1000)))


def mean_rate(percent: float, years: float) -> float:
    """Return the rate per 1000 person-years that a percentage of people with an event means."""
    return -1000 / years * float(np.log(1 - percent / 100))


def lives_from_failure(age: float, start: str = "", **values: Any) -> Lives:
    """Return lives of people whose kidneys fail on day 0, on a kind of care from then on where one is named."""
    days = np.arange(2 * YEARS + 1) * YEAR / 2
    profile = person(age, egfr=8.0, uacr=800.0, **values)
    profile = RiskProfile(**{**profile.__dict__, "age": age + days / YEAR})
    histories = {start: np.ones(PEOPLE)} if start else {}
    return live_on(
        prepare(RiskCourse(days, profile, np.arange(PEOPLE), histories, np.zeros(PEOPLE)), own_events()), seed=3
    )


def ever(lives: Lives, event: str) -> float:
    """Return the percentage of people to whom an event came."""
    return 100 * float(np.mean(lives.counts(event) > 0))


def survival(lives: Lives, years: float) -> float:
    """Return the percentage alive after some years."""
    return 100 * float(np.mean(lives.died > years * YEAR))


def gompertz(event: str, profile: RiskProfile, years: float = 60.0) -> tuple[Any, Any]:
    """Return times and survival under one death alone."""
    times = np.linspace(0.0, years, 6001)
    rates = (
        np.array([rate(event, RiskProfile(**{**profile.__dict__, "age": profile.age + t})) for t in times[::100]])
        / 1000
    )
    hazard = np.interp(times, times[::100], rates)
    return times, np.exp(-np.concatenate([[0.0], np.cumsum(0.5 * (hazard[1:] + hazard[:-1]) * np.diff(times))]))


def lifetime(event: str, profile: RiskProfile) -> float:
    """Return expected years under one death alone."""
    times, alive = gompertz(event, profile)
    return float(np.trapezoid(alive, times))


def median(event: str, profile: RiskProfile) -> float:
    """Return the median survival under one death alone, in years."""
    times, alive = gompertz(event, profile)
    return float(np.interp(-0.5, -alive, times))


def without(event: str, age: float, female: float) -> float:
    """Return a lifetime of people of whom half have diabetes on dialysis, three tenths with a graft (rates of the mixture)."""
    values, with_it = complication_values(), {"dialysis_death": 0.5, "transplant_death": 0.3}[event]
    mixture = with_it + (1 - with_it) * np.exp(values[f"{event}_no_diabetes"])
    profile = person(age, female=female)
    times, alive = gompertz(event, profile)
    return float(np.trapezoid(alive**mixture, times))


def replacement() -> list[Row]:
    """Return which care people come to after kidney failure, and how long they live."""
    rows = [
        Row(
            "conservative care",
            label,
            "validation",
            "% of people",
            seen,
            ever(lives_from_failure(age), "conservative_care"),
            note,
        )
        for label, age, seen, note in (
            ("Netherlands, 70 and older", 78.4, 34.4, ""),
            ("Salford, 75 and older", 80.0, 39.7, "age 80"),
            ("Farnborough, 70 and older", 77.0, 14.4, "age 77"),
            ("Stevenage, all ages", 66.0, 18.4, "age 66"),
        )
    ]
    for label, age, type_1, years, seen in (
        ("Denmark, type 1", 51.0, 1.0, 8.0, 26.0),
        ("Denmark, type 2", 65.0, 0.0, 8.0, 5.0),
        ("Australia and New Zealand, type 1 below 70", 45.0, 1.0, 7.5, 41.8),
        ("Australia and New Zealand, type 2 below 70", 58.0, 0.0, 7.5, 6.5),
        ("United States, diabetes, below 50", 42.0, 0.3, 4.5, 23.0),
        ("United States, diabetes, 50 to 75", 63.0, 0.0, 4.5, 6.0),
    ):
        said = grafts(lives_from_failure(age, type_1=type_1, c_peptide=1.0 - type_1), years)
        rows.append(Row("graft", label, "validation", "% of treated", seen, said, f"age {age:.0f}, {years:g} years"))
    return rows


def grafts(lives: Lives, years: float) -> float:
    """Return the percentage with a graft within some years, of people who chose dialysis or a graft."""
    first = lives.first_day[
        [lives.events.index(name) for name in ("transplantation", "preemptive_transplantation")]
    ].min(axis=0)
    return 100 * float(np.mean(first[lives.counts("conservative_care") == 0] <= years * YEAR))


def deaths() -> list[Row]:
    """Return lives on dialysis, with a graft and under care without dialysis."""
    rows = []
    for female, sex, column in ((0.0, "men", 0), (1.0, "women", 1)):
        for kind, event in (("dialysis", "dialysis_death"), ("transplant", "transplant_death")):
            years = LIFETIMES[kind][column]
            for age, seen in zip(LIFETIME_AGES[1::3], years[1::3], strict=False):
                label = "life on dialysis" if kind == "dialysis" else "life with a graft"
                rows.append(
                    Row(
                        label,
                        f"United States 2013, {sex} of {age:.0f}, all causes",
                        "fit",
                        "years",
                        seen,
                        without(event, float(age), female),
                    )
                )
    for female, sex, seen in ((0.0, "men", 10.8), (1.0, "women", 12.5)):
        rows.append(
            Row(
                "life on dialysis",
                f"Japan 2015, {sex} of 60 with diabetes",
                "validation",
                "years",
                seen,
                lifetime("dialysis_death", person(60.0, female=female)),
            )
        )
    rows += [
        Row(
            "life on dialysis",
            "Europe 2011 to 2015, all causes",
            "validation",
            "% alive at 5 years",
            41.8,
            mixed_survival(65.0, 5.0, 0.24),
            "age 65",
        ),
        Row(
            "life on treatment",
            "Europe 2013, diabetes, adjusted",
            "fit",
            "% alive at 5 years",
            50.6,
            survival(lives_from_failure(60.0, "dialysis"), 5.0),
            "age 60",
        ),
        Row(
            "life on treatment",
            "Finland 2000 to 2005, type 1, median",
            "validation",
            "years (more than)",
            8.0,
            float(np.median(lives_from_failure(49.0, "dialysis", type_1=1.0, c_peptide=0.0).died)) / YEAR,
            "age 49",
        ),
        Row(
            "life on dialysis",
            "Salford, 75 and older, median",
            "validation",
            "years",
            3.0,
            median("dialysis_death", person(80.0)),
            "age 80",
        ),
        Row(
            "life on dialysis",
            "Netherlands, 70 and older, median",
            "validation",
            "years",
            3.1,
            median("dialysis_death", person(76.0)),
        ),
        Row(
            "life on dialysis",
            "Farnborough, 70 and older, median",
            "validation",
            "years",
            3.15,
            median("dialysis_death", person(76.0)),
            "age 76",
        ),
        Row(
            "life without dialysis",
            "Salford, 75 and older, median",
            "fit",
            "years",
            1.0,
            median("conservative_death", person(82.0)),
            "age 82",
        ),
        Row(
            "life without dialysis",
            "Farnborough, 70 and older, median",
            "fit",
            "years",
            1.16,
            median("conservative_death", person(82.0)),
            "age 82",
        ),
        Row(
            "life without dialysis",
            "Netherlands, 70 and older, median",
            "validation",
            "years",
            1.5,
            median("conservative_death", person(83.0)),
            "from the choice on",
        ),
        Row(
            "life without dialysis",
            "Canada, one centre, median stay",
            "validation",
            "years",
            0.96,
            median("conservative_death", person(81.4)),
            "until death or the end of study",
        ),
        Row(
            "dialysis against none",
            "22 cohorts",
            "validation",
            "hazard ratio",
            0.47,
            rate("dialysis_death", person(80.0)) / rate("conservative_death", person(80.0)),
        ),
    ]
    for label, age, t1, year, seen, role in (
        ("United States 2000 to 2018, type 2", 57.0, 0.0, 5.0, 77.0, "validation"),
        ("United States 2000 to 2018, type 1", 45.0, 1.0, 5.0, 85.0, "validation"),
        ("Denmark 1990 to 2005, diabetes", 48.0, 0.8, 5.0, 80.0, "validation"),
        ("Denmark 1990 to 2005, diabetes", 48.0, 0.8, 10.0, 52.0, "validation"),
        ("Australia and New Zealand, type 2", 53.0, 0.0, 10.0, 74.7, "validation"),
        ("Colombia, one hospital, diabetes", 52.0, 0.2, 10.0, 55.0, "validation"),
    ):  # fmt: skip
        lives = lives_from_failure(age, "transplant", type_1=t1)
        rows.append(
            Row(
                "life after a graft",
                label,
                role,
                f"% alive at {year:.0f} years",
                seen,
                survival(lives, year),
                f"age {age:.0f}",
            )
        )
    failing = 1000 * complication_values()["graft_failure_rate"]
    for label, role, seen in (("United States 2005, deceased donors", "fit", 39.4), ("United States 2005, living donors", "fit", 29.1), ("Colombia, diabetes", "validation", 12.8), ("Colombia, no diabetes", "validation", 8.7)):  # fmt: skip
        rows.append(Row("graft failure", label, role, "per 1000 years", seen, failing))
    return rows


def mixed_survival(age: float, years: float, with_diabetes: float) -> float:
    """Return the percentage alive on dialysis of people of whom some have diabetes."""
    times, alive = gompertz("dialysis_death", person(age))
    of_those = float(np.interp(years, times, alive))
    others = of_those ** float(np.exp(complication_values()["dialysis_death_no_diabetes"]))
    return 100 * (with_diabetes * of_those + (1 - with_diabetes) * others)


def acute() -> list[Row]:
    """Return rates of acute complications."""
    t1 = lambda age, hba1c, **v: person(age, type_1=1.0, c_peptide=0.0, hba1c=hba1c, insulin_dose=45.0, **v)  # noqa: E731
    dka, high = "ketoacidosis", "hyperkalaemia"
    rows = [
        Row(dka, "Denmark 2020, type 1 at 20", "fit", "per 1000 years", 32.7, rate(dka, t1(20.0, 7.8)), "HbA1c 7.8 %"),
        Row(dka, "Denmark 2020, type 1 at 80", "fit", "per 1000 years", 3.8, rate(dka, t1(80.0, 7.8)), "HbA1c 7.8 %"),
        Row(
            dka,
            "DEPICT-1, placebo, type 1",
            "validation",
            "% in a year",
            1.9,
            share(dka, 1.0, t1(42.0, 8.5)),
            "age 42, HbA1c 8.5 %",
        ),
        Row(
            dka,
            "DEPICT-2, placebo, type 1",
            "validation",
            "% in 24 weeks",
            0.0,
            share(dka, 24 / 52, t1(42.0, 8.4)),
            "age 42, HbA1c 8.4 %",
        ),
        Row(
            dka,
            "T1D Exchange, HbA1c 10 % and more",
            "validation",
            "% in a year",
            21.0,
            share(dka, 1.0, t1(40.0, 11.0)),
            "age 40, HbA1c 11 %",
        ),
        Row(
            dka,
            "trials, type 2, SGLT2 inhibitor (0.6 to 2.2)",
            "fit",
            "per 1000 years",
            1.15,
            rate(dka, person(63.0, hba1c=8.1), "SGLT2 inhibitor"),
        ),
        Row(
            dka,
            "39 trials, type 2, controls (1.5 in 5 years)",
            "validation",
            "per 1000 years",
            0.30,
            rate(dka, person(60.0, hba1c=8.1)),
        ),
        Row(
            dka,
            "cohorts, type 2, SGLT2 inhibitor (0.6 to 4.9)",
            "validation",
            "per 1000 years",
            1.7,
            rate(dka, person(60.0, hba1c=8.3), "SGLT2 inhibitor"),
        ),
    ]
    for label, role, seen, profile, drugs, note in (
        ("Ontario, eGFR 90 and more", "validation", 8.8, person(70.0, egfr=95.0, uacr=8.0), ("half",), "eGFR 95"),
        ("Ontario, eGFR 60 to 89", "validation", 11.8, person(74.0, egfr=75.0, uacr=10.0), ("half",), "eGFR 75"),
        ("Ontario, eGFR 30 to 59", "fit", 39.8, person(78.0, egfr=48.0, uacr=15.0), ("half",), "eGFR 48"),
        ("Ontario, eGFR 15 to 29", "fit", 133.6, person(80.0, egfr=24.0, uacr=40.0), ("half",), "eGFR 24"),
        ("United States, kidney disease and type 2", "fit", 54.3, person(66.0, egfr=65.0, uacr=80.0), ("half",), "eGFR 65, UACR 80"),
        ("FIDELIO-DKD, placebo, 9.2 %", "fit", mean_rate(9.2, 2.6), person(66.0, egfr=44.0, uacr=850.0), ("ARB",), "eGFR 44, UACR 850"),
        ("FIDELIO-DKD, finerenone, 21.4 %", "validation", mean_rate(21.4, 2.6), person(66.0, egfr=44.0, uacr=850.0), ("ARB", "nonsteroidal MRA"), ""),
        ("CREDENCE, placebo", "fit", 41.9, person(63.0, egfr=56.0, uacr=930.0), ("ARB",), "eGFR 56, UACR 930"),
        ("CREDENCE, canagliflozin", "validation", 32.7, person(63.0, egfr=56.0, uacr=930.0), ("ARB", "SGLT2 inhibitor"), ""),
        ("VA NEPHRON-D, losartan", "validation", 26.0, person(64.0, egfr=54.0, uacr=850.0), ("ARB",), "6.0 mmol/L and more"),
        ("VA NEPHRON-D, both blockers", "validation", 63.0, person(64.0, egfr=54.0, uacr=850.0), ("ARB", "ACE inhibitor"), "6.0 mmol/L and more"),
        ("FINEARTS-HF, placebo, 6.9 %", "validation", mean_rate(6.9, 2.67), person(72.0, egfr=62.0, uacr=18.0), ("half",), "eGFR 62; 41 % have diabetes"),
        ("Australia, kidney disease, blockers", "validation", 31.0, person(76.0, egfr=48.0, uacr=20.0), ("ARB",), "above 6.0 mmol/L"),
        ("United States, ACE inhibitor, 90 days", "validation", mean_rate(2.8, 0.246), person(70.0, egfr=52.0, uacr=20.0), ("ACE inhibitor",), "first 90 days"),
    ):  # fmt: skip
        said = rate(high, profile, *(drug for drug in drugs if drug != "half")) * (SOME if "half" in drugs else 1.0)
        rows.append(Row(high, label, role, "per 1000 years", seen, said, note))
    return rows + causes()


def causes() -> list[Row]:
    """Return what stands in `outcome_rates` since before: severe hypoglycaemia, infection, kidney injury."""
    t2 = lambda age, hba1c, dose: person(age, hba1c=hba1c, insulin_dose=dose)  # noqa: E731
    low, infection, aki = "severe_hypoglycaemia", "serious_infection", "aki"
    rows = [
        Row(low, "DCCT, intensive", "fit", "per 1000 years", 612.0, rate(low, person(27.0, type_1=1.0, c_peptide=0.0, hba1c=7.2, insulin_dose=40.0))),
        Row(low, "T1D Exchange, 40 years and longer", "validation", "% in a year", 18.6, share(low, 1.0, person(55.0, type_1=1.0, c_peptide=0.0, hba1c=7.6, insulin_dose=40.0)), "HbA1c 7.6 %, 40 U/day"),
        Row(low, "Denmark 2006 to 2012, type 1, hospital", "validation", "per 1000 years", 33.8, rate(low, person(45.0, type_1=1.0, c_peptide=0.0, hba1c=8.0, insulin_dose=45.0)), "hospital only; HbA1c 8.0 %"),
        Row(low, "ACCORD, intensive, 16.6 %", "validation", "% in 3.5 years", 16.6, share(low, 3.5, t2(62.0, 6.4, 40.0)), "all on 40 U/day"),
        Row(low, "ACCORD, standard, 5.3 %", "validation", "% in 3.5 years", 5.3, share(low, 3.5, t2(62.0, 7.5, 25.0)), "all on 25 U/day"),
        Row(low, "VADT, intensive, 8.5 %", "validation", "% in 5.6 years", 8.5, share(low, 5.6, t2(60.0, 6.9, 45.0)), "all on 45 U/day"),
        Row(low, "VADT, standard, 3.1 %", "validation", "% in 5.6 years", 3.1, share(low, 5.6, t2(60.0, 8.4, 40.0)), "all on 40 U/day"),
        Row(low, "ADVANCE, intensive, 2.7 %", "validation", "% in 5 years", 2.7, share(low, 5.0, t2(66.0, 6.5, 10.0)), "10 U/day"),
        Row(infection, "ARIC", "fit", "per 1000 years", 25.4, rate(infection, person(65.0, egfr=88.0))),
        Row(infection, "Fremantle, 1993 to 2010", "validation", "per 1000 years", 23.7, rate(infection, person(70.0, egfr=75.0, uacr=25.0)), "age 70 in mid-study"),
        Row(infection, "United States, 2015", "validation", "per 1000 years", 68.7, rate(infection, person(61.0, egfr=80.0)), "admissions, not people"),
        Row(aki, "VA NEPHRON-D, losartan", "validation", "per 1000 years", 67.0, rate(aki, person(64.0, egfr=54.0, uacr=850.0))),
        Row(aki, "VA NEPHRON-D, both blockers", "validation", "per 1000 years", 122.0, rate(aki, person(64.0, egfr=54.0, uacr=850.0), "ACE inhibitor", "ARB")),
        Row(aki, "Tayside, type 2, no kidney disease", "validation", "per 1000 years", 121.5, rate(aki, person(66.0, egfr=85.0, uacr=15.0)), "by creatinine"),
        Row(aki, "Tayside, type 2, kidney disease", "validation", "per 1000 years", 384.8, rate(aki, person(72.0, egfr=48.0, uacr=40.0)), "by creatinine"),
        Row(aki, "Taiwan, linagliptin, 4.1 %", "validation", "per 1000 years", mean_rate(4.1, 2.0), rate(aki, person(62.0, egfr=80.0, uacr=30.0)), "age 62, eGFR 80"),
        Row(aki, "Ethiopia, new type 2, 19.8 %", "validation", "per 1000 years", mean_rate(19.76, 2.56), rate(aki, person(50.0))),
    ]  # fmt: skip
    return rows


def anaemia() -> list[Row]:
    """Return the percentage of people whose haemoglobin is read out as anaemia, or as less than 11 g/dL."""
    rows = []
    for label, limits, seen, age, egfr, note in (
        ("England, district, eGFR 60 and more", (13.0, 12.0), 9.0, 61.0, 85.0, "eGFR 85; not known before"),
        ("England, district, eGFR below 60", (13.0, 12.0), 36.0, 68.0, 45.0, "eGFR 45; not known before"),
        ("England, clinics, stage 3, below 11 g/dL", (11.0, 11.0), 18.0, 70.0, 47.0, "eGFR 47"),
        ("Northeast Ethiopia, no kidney disease", (13.0, 12.0), 17.0, 45.0, 95.0, "age 45, eGFR 95"),
        ("Northeast Ethiopia, kidney disease", (13.0, 12.0), 39.5, 55.0, 60.0, "age 55, eGFR 60"),
        ("Cameroon, type 2", (13.0, 12.0), 41.4, 57.0, 75.0, "age 57, eGFR 75"),
    ):
        women = np.arange(PEOPLE)[:, None] % 2
        g_per_dl = with_read_outs(person(age, female=women, egfr=egfr), np.arange(PEOPLE)).haemoglobin
        below = np.asarray(g_per_dl) < np.where(women == 1, limits[1], limits[0])
        rows.append(Row("anaemia", label, "validation", "% of people", seen, 100 * float(below.mean()), note))
    return rows


def refit() -> None:
    """Print the rates that lifetimes and shares of the United States give."""
    for kind, (men, women) in LIFETIMES.items():
        ages = LIFETIME_AGES[: len(men)]

        def gap(p: Any, ages: Any = ages, men: Any = men, women: Any = women) -> Any:
            t = np.arange(0, 60, 0.05)
            alive = lambda a, f: np.exp(-np.cumsum(np.exp(p[0] + p[1] * (a + t - 60) / 10 + f)) * 0.05)  # noqa: E731
            said = [alive(a, f).sum() * 0.05 for f in (0.0, p[2]) for a in ages]
            return np.log(np.array(said) / np.array([*men, *women]))

        fit = least_squares(gap, [-2.0, 0.4, 0.0])
        off = 100 * (np.exp(np.abs(fit.fun).max()) - 1)
        print(
            f"{kind}: {np.exp(fit.x[0]):.4f} 1/year at 60, {fit.x[1]:.3f} per 10 years, women {fit.x[2]:.3f}, off by {off:.1f} % at most"
        )
    ages, seen = np.array([34.0, 55.5, 67.5]), np.array([0.324, 0.154, 0.060])
    slope, at_60 = np.polyfit((ages - 60) / 10, np.log(-np.log(1 - seen) / 3), 1)
    print(f"transplantation: {np.exp(at_60):.4f} 1/year at 60, {slope:.3f} per 10 years")
    # Ontario (twice), the United States, FIDELIO-DKD and CREDENCE: eGFR, UACR, rate, factor of blockers that all or 60 % take.
    egfr, uacr = np.array([48.0, 24.0, 65.0, 44.0, 56.0]), np.array([15.0, 40.0, 80.0, 850.0, 930.0])
    rates, blocked = np.array([39.8, 133.6, 54.3, 37.1, 41.9]) / 1000, np.array([SOME, SOME, SOME, 2.1, 2.1])
    logs = np.log(rates / blocked) - 0.38 * (90 - egfr) / 10
    terms = np.stack([np.ones(5), np.log(uacr / 10)], axis=1) / 0.5
    level, per_uacr = np.linalg.lstsq(np.vstack([terms, [0.0, 10.0]]), np.append(logs / 0.5, 3.0), rcond=None)[0]
    print(f"hyperkalaemia: {np.exp(level):.4f} 1/year, {per_uacr:.3f} per e-fold of UACR")


def main() -> None:
    """Print all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refit", action="store_true", help="what the fits give")
    if parser.parse_args().refit:
        refit()
        return
    parts: Mapping[str, Callable[[], list[Row]]] = {
        "care": replacement,
        "deaths": deaths,
        "acute": acute,
        "anaemia": anaemia,
    }
    print(
        "| complication | cohort | role | unit | seen | predicted | ratio | assumed |\n|---|---|---|---|---|---|---|---|"
    )
    for part in parts.values():
        for row in part():
            ratio = f"{row.predicted / row.observed:.2f}" if row.observed else "-"
            number = "{:.2f}" if row.observed < 10 else "{:.1f}"
            seen, said = number.format(row.observed), number.format(row.predicted)
            print(
                f"| {row.complication.replace('_', ' ')} | {row.cohort} | {row.role} | {row.unit} | {seen} | {said} | {ratio} | {row.assumed} |"
            )


if __name__ == "__main__":
    main()
