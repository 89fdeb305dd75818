"""Life courses from before diabetes to today: yearly steps of the coupled model with a clinic visit after each.

Everybody begins healthy: people prone to type 2 diabetes at 20, people who will have type 1 three years before its diagnosis. Beta
cells, podocytes, basement membrane, vessels and nephrons become what glucose, pressure, weight and care of a life make of them, so
whatever a snapshot hides fits what the laboratory shows.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.constants import DAYS_PER_YEAR
from ..base.randomness import Stream
from ..engine.ensemble import Ensemble
from ..observables import kdigo
from ..physiology import whole_body
from . import observe
from .history import cardiovascular_disease, deaths, heart_failure, lost_nephrons
from .life_snapshots import Flags
from .life_snapshots import Snapshots as Snapshots
from .life_snapshots import WantedSnapshots as WantedSnapshots
from .population import YOUNG, Numbers, People, population_constant
from .prescribing import INSULIN, Prescriptions, drug_columns

YEAR = DAYS_PER_YEAR
#: Years between visits; snapshots are taken just before one.
STEP = 1.0
#: Age at which lives end to be followed; calendar years of snapshots.
OLDEST = 90.0
FIRST_YEAR, LAST_YEAR = 1999.0, 2024.0
#: Pima were studied earlier.
FIRST_YEAR_PIMA = 1982.0
#: Years of type 1 diabetes of which many snapshots are kept.
NEW_TYPE_1 = 5.0
#: Rows that differ from the model's table before diagnosis only.
_OF_TABLE = ("autoimmune_killing", "autoimmunity_floor")
#: Diabetes: HbA1c (%) or fasting glucose (mmol/L) from which on a person has it.
DIABETES_HBA1C, DIABETES_FPG = 6.5, 7.0
#: Prediabetes, the same.
PREDIABETES_HBA1C, PREDIABETES_FPG = 5.7, 5.6
#: Stand-in for a 2-h glucose of 11.1 mmol/L in a tolerance test: mean glucose of the fed half of the day (mmol/L). By HbA1c as many people
#: exceed it as exceed the other in NHANES, calibration half, never diagnosed: 7, 15 and 38 % at 5.7 to 6, 6 to 6.3 and 6.3 to 6.5 %.
DIABETES_FED = 8.8
#: Insulin: first dose, dose below which it is stopped in type 2, and the model's stand-in for none (U/day); assumed.
FIRST_INSULIN, LEAST_INSULIN, NO_INSULIN = 10.0, 2.0, 0.001
_OUTPUTS = {
    "fpg": "FPG",
    "fed": "G_fed",
    "MAP": "MAP",
    "egfr": "eGFR",
    "gfr": "GFR",
    "uacr": "UACR",
    "c_peptide": "C_peptide_fasting",
    "insulin_dose": "insulin_dose",
    "hba1c": "HbA1c",
    "weight": "BW",
}

#: Called with years of life done and all of them.
Progress = Callable[[int, int], None]


@functools.cache
def life_course_ensemble() -> Ensemble:
    """Return the coupled model, ready for many lives. Labs need no more than four digits."""
    model = whole_body.named_model("reference")
    extra = [name for name in _OUTPUTS.values() if name not in model.state_names]
    return Ensemble(model, (*model.state_names, *extra), rtol=1e-4, atol=1e-7)


@dataclass
class _Lives:
    """Current state of all lives."""

    people: People
    age: Numbers
    drugs: Prescriptions
    ill_at: Numbers
    found_at: Numbers
    life_uacr: Numbers
    until: Numbers
    states: dict[str, Numbers] = field(default_factory=dict)

    def keep(self, alive: Flags) -> None:
        self.people, self.age, self.drugs = self.people[alive], self.age[alive], self.drugs[alive]
        self.ill_at, self.found_at = self.ill_at[alive], self.found_at[alive]
        self.life_uacr, self.until = self.life_uacr[alive], self.until[alive]
        self.states = {name: values[alive] for name, values in self.states.items()}


def _columns(lives: _Lives) -> dict[str, Numbers]:
    """Return the model's parameters and inputs for the next year."""
    people, traits = lives.people, lives.people.traits
    middle = lives.age + STEP / 2
    columns = dict(people.model)
    columns["age"] = lives.age
    columns["Wt"] = people.weight(middle)
    # Weight follows the curve of life here.
    columns["dWt_own"] = np.zeros(len(people))
    columns["dawn_shift"] = traits["dawn"]
    # Generation falls within the year, in the model.
    columns["S_cr0"] = people.creatinine(lives.age)
    columns |= people.decline
    columns |= _autoimmunity(people, middle)
    columns.update(lives.drugs.inputs(people, middle))
    return columns


def _autoimmunity(people: People, middle: Numbers) -> dict[str, Numbers]:
    """Return the rows of autoimmunity at an age (year): none, insulitis at a steady pace before diagnosis, the model's own law after it."""
    traits, person_rows = people.traits, people.model
    onset, years = traits["onset_type_1"], population_constant("insulitis_years")
    type_1 = traits["T1D"] > 0
    insulitis = type_1 & (middle >= onset - years) & (middle < onset)
    before = type_1 & (middle < onset - years)
    left = traits["left_at_diagnosis"] * np.exp(-population_constant("left_per_onset") * (onset - 15.0))
    steady = -np.log(left) / (years * YEAR)
    floor = _own_row(people, "autoimmunity_floor")
    return {
        "autoimmune_killing": np.where(insulitis, steady, _own_row(people, "autoimmune_killing")),
        "autoimmunity_floor": np.where(insulitis, 1.0, np.where(before, 0.0, floor)),
        # What is left at diagnosis is drawn: neither age nor the person's own factor change the pace that leads there.
        "killing_factor": np.where(insulitis, 1.0, person_rows["killing_factor"]),
        "onset_age": np.where(insulitis, _own_row(people, "killing_age_reference"), person_rows["onset_age"]),
    }


def _own_row(people: People, name: str) -> Numbers:
    """Return a row of the model as people have it: their own value, or the table's."""
    of_table = whole_body.model_parameters("reference")[name].value
    return people.model.get(name, np.full(len(people), of_table))


def _begin(people: People) -> _Lives:
    type_1 = people.traits["T1D"] > 0
    # Visits must not fall on birthdays in everybody.
    begin = np.where(
        type_1,
        people.traits["onset_type_1"] - population_constant("insulitis_years") - STEP,
        YOUNG + people.uniform("first visit"),
    )
    unknown = np.full(len(people), np.inf)
    deviation = Stream(people.seed, "patients:life-uacr").normal(people.numbers)
    until = np.full(len(people), OLDEST)
    return _Lives(people, begin, Prescriptions.none(len(people)), unknown, unknown.copy(), deviation, until)


def live(
    people: People, progress: Progress | None = None, keep: float = 1.0, wanted: WantedSnapshots | None = None
) -> Snapshots:
    """Follow people through life and return snapshots: of those with diabetes, and of some without.

    Parameters
    ----------
    keep
        Share of the possible snapshots to keep, at random.
    wanted
        These snapshots and no others: nobody dies before, and nobody is followed beyond. All people must be in it.

    Notes
    -----
    Lives end with kidney failure, with death at the rates of `betapod.hazards` in the calendar year, or at 90.
    """
    lives = _begin(people)
    if wanted is not None:
        lives.until = wanted.last_age(people.numbers) - 0.5 * STEP
    snapshots: list[Snapshots] = []
    steps = int((OLDEST - YOUNG) / STEP)
    for step in range(steps):
        run = life_course_ensemble()
        parameters = _columns(lives)
        start: dict[str, Numbers] = lives.states
        first = {} if step else {"BW_start": parameters["Wt"]}
        if step == 0:
            # Podocytes at the start, such that a healthy person has the nominal number at the nominal age.
            years = _own_row(people, "age0") - lives.age
            healthy = np.log(_own_row(people, "podocytes0")) + _own_row(people, "h_P0") * years
            start = {"ln_podocytes": healthy}
        insulitis = parameters["autoimmunity_floor"] == 1.0
        if lives.states:
            start["autoimmunity"] = np.where(insulitis, 1.0, start["autoimmunity"])
        result = run.run(parameters | first, [STEP * YEAR], initial=start)
        values = {name: result.values[:, 0, i] for i, name in enumerate(result.names)}
        year = lives.people.traits["birth_year"] + lives.age + STEP
        true = _laboratory(lives, values)
        _diagnose(lives, true, step)
        _deviate(lives, step)
        snapshots += _snapshot(lives, parameters, values, true, year, step, keep, wanted)
        lives.states = {name: values[name] for name in run.model.state_names}
        _visit(lives, true, year, step)
        alive = np.isfinite(lives.states["MAP"]) & (lives.age + STEP < lives.until)
        alive &= year <= LAST_YEAR
        # Courses that ended with kidney failure have no laboratory any more.
        laboratory = {name: np.nan_to_num(true[name], nan=1.0) for name in ("egfr", "uacr")}
        injury = lost_nephrons(lives.people, lives.age + STEP, laboratory, step)
        lives.states["ln_nephrons"] = lives.states["ln_nephrons"] + injury
        dies = deaths(lives.people, lives.age + STEP, year, lives.ill_at <= lives.age + STEP, laboratory, step)
        alive &= ~dies | (wanted is not None)
        lives.age = lives.age + STEP
        lives.keep(alive)
        if progress is not None:
            progress(step + 1, steps)
        if not len(lives.people):
            break
    return Snapshots.joined(snapshots)


def _reported_duration(age: Numbers, found_at: Numbers) -> Numbers:
    """Return whole years since diagnosis, as a questionnaire has them: age in whole years less age at diagnosis."""
    return np.floor(age) - np.floor(found_at)


def _deviate(lives: _Lives, step: int) -> None:
    """Let the slow deviation of albuminuria drift by a year."""
    stays = np.exp(-STEP / observe.LIFE_UACR_YEARS)
    news = Stream(lives.people.seed, "patients:life-uacr").normal(lives.people.numbers, step + 1)
    lives.life_uacr = stays * lives.life_uacr + np.sqrt(1.0 - stays**2) * news


def _laboratory(lives: _Lives, values: dict[str, Numbers]) -> dict[str, Numbers]:
    """Return error-free laboratory values at the end of the year."""
    return {name: values[source] for name, source in _OUTPUTS.items()}


def _snapshot(
    lives: _Lives,
    parameters: dict[str, Numbers],
    values: dict[str, Numbers],
    laboratory: dict[str, Numbers],
    year: Numbers,
    step: int,
    keep: float,
    wanted: WantedSnapshots | None,
) -> list[Snapshots]:
    people, traits = lives.people, lives.people.traits
    age = lives.age + STEP
    ill = lives.ill_at <= age
    if wanted is None:
        chance = Stream(people.seed, "patients:snapshot").uniform(people.numbers, step)
        first_year = np.where(traits["segment"] > 0, FIRST_YEAR_PIMA, FIRST_YEAR)
        kept = (year >= first_year) & (chance < keep * _share(lives, laboratory, age, ill))
    else:
        kept = np.isin(wanted.keys(people.numbers, age), wanted.keys(wanted.people, wanted.age))
    kept &= np.isfinite(values["MAP"])
    if not kept.any():
        return []
    diagnosed = lives.found_at <= age
    cvd = cardiovascular_disease(people, age, ill)
    true = {name: column[kept] for name, column in laboratory.items()}
    duration = np.where(diagnosed, _reported_duration(age, np.where(diagnosed, lives.found_at, age)), np.nan)
    facts: dict[str, NDArray[Any]] = {
        "age": age,
        "year": year,
        "diagnosed": diagnosed,
        "duration": duration,
        "years_ill": np.where(ill, age - np.where(ill, lives.ill_at, age), 0.0),
        "diabetes": ill,
        "cvd": cvd,
        "hf": heart_failure(people, age, ill, cvd, laboratory),
        "life_uacr": lives.life_uacr,
        **{name: traits[name] for name in ("stiffness", "dawn", "female", "T1D", "segment", "lane") if name in traits},
    }
    true |= {name: np.asarray(column[kept], dtype=np.float64) for name, column in facts.items()}
    states = np.column_stack([values[name][kept] for name in life_course_ensemble().model.state_names])
    # Parameters of that day: creatinine generation has fallen by a year, and weight goes its own way from here on.
    # The year before the diagnosis of type 1 diabetes has rows of insulitis: from here on a person has their own.
    of_person = {name: people.model[name] for name in ("dWt_own", "killing_factor", "onset_age")}
    now = {**parameters, "age": age, "S_cr0": people.creatinine(age), **of_person}
    now = {name: column[kept] for name, column in now.items() if name not in _OF_TABLE}
    drugs = {name: lives.drugs.current[name][kept] for name in drug_columns()}
    return [Snapshots(people.numbers[kept], true, now, states, drugs)]


def _share(lives: _Lives, laboratory: dict[str, Numbers], age: Numbers, ill: Flags) -> Numbers:
    """Return the share of the snapshots of this year that the library wants."""
    type_1 = lives.people.traits["T1D"] > 0
    years = np.where(ill, age - np.where(ill, lives.ill_at, age), 0.0)
    long_ill = type_1 & (years >= NEW_TYPE_1) & (laboratory["uacr"] < kdigo.A2_FROM)
    of_ill = np.where(long_ill, population_constant("keep_type_1"), 1.0)
    high = (laboratory["hba1c"] >= PREDIABETES_HBA1C) | (laboratory["fpg"] >= PREDIABETES_FPG)
    of_others = np.where(high, population_constant("keep_prediabetes"), population_constant("keep_without_diabetes"))
    # Before type 1 diabetes people are children.
    result: Numbers = np.where(ill, of_ill, np.where(type_1, 0.0, of_others))
    return result


def _diagnose(lives: _Lives, true: dict[str, Numbers], step: int) -> None:
    """Note onset and diagnosis of diabetes in the year that has passed."""
    people, traits = lives.people, lives.people.traits
    end = lives.age + STEP
    type_1 = traits["T1D"] > 0
    over = (true["hba1c"] >= DIABETES_HBA1C) | (true["fpg"] >= DIABETES_FPG) | (true["fed"] >= DIABETES_FED)
    share = people.uniform(f"onset-{step}")
    new = over & np.isinf(lives.ill_at) & ~type_1
    lives.ill_at = np.where(new, lives.age + STEP * share, lives.ill_at)
    diagnosed_1 = type_1 & (traits["onset_type_1"] <= end)
    lives.ill_at = np.where(diagnosed_1 & np.isinf(lives.ill_at), traits["onset_type_1"], lives.ill_at)
    lives.found_at = np.where(diagnosed_1 & np.isinf(lives.found_at), traits["onset_type_1"], lives.found_at)
    # The higher the glucose the sooner it is found: the rate doubles with each 1 %.
    above = np.nan_to_num(true["hba1c"], nan=DIABETES_HBA1C) - DIABETES_HBA1C
    rate = traits["detection"] * np.exp2(np.clip(above, -1.0, 4.0))
    at_risk = (lives.ill_at <= end) & np.isinf(lives.found_at) & ~type_1
    since = np.where(at_risk, np.maximum(np.where(at_risk, lives.ill_at, end), lives.age), end)
    after = -np.log1p(-Stream(people.seed, "patients:detection").uniform(people.numbers, step)) / rate
    lives.found_at = np.where(at_risk & (since + after < end), since + after, lives.found_at)


def _visit(lives: _Lives, true: dict[str, Numbers], year: Numbers, step: int) -> None:
    """Measure and prescribe."""
    people, traits = lives.people, lives.people.traits
    end = lives.age + STEP
    laboratory = {name: np.nan_to_num(column, nan=1.0) for name, column in true.items()}
    person = {
        "age": end,
        "female": traits["female"],
        "stiffness": traits["stiffness"],
        "life_uacr": lives.life_uacr,
    }
    measured = observe.measure_once(laboratory, person, people.numbers, people.seed, f"care {step}")
    before = lives.drugs.current[INSULIN].copy()
    # Where titration has come down to next to nothing, insulin is stopped.
    needless = before & (laboratory["insulin_dose"] < LEAST_INSULIN) & (traits["T1D"] == 0)
    lives.drugs.current[INSULIN] &= ~needless
    lives.drugs.visit(people, step, year, measured, lives.found_at <= end)
    now = lives.drugs.current[INSULIN]
    dose = np.where(now & ~before, np.log(FIRST_INSULIN), lives.states["ln_insulin_dose"])
    lives.states["ln_insulin_dose"] = np.where(now, dose, np.log(NO_INSULIN))
