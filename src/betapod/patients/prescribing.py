"""Routine care by calendar time: prescriptions at clinic visits and their effect on the model's inputs.

Treat to target with inertia: at each visit glucose above the person's own threshold, systolic pressure above another, or
albuminuria, is acted on with some chance, by a drug that was on the market in that year. Drugs act as `therapies.standard_care`
has them, times the person's adherence; nobody takes two of a class, nor classes that exclude each other. All of it is assumed but for the
effects; shares of users are compared with NHANES.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..observables import ckd_epi, kdigo
from ..physiology import whole_body
from ..therapies.drug_catalogue import exclusion_between
from ..therapies.effect_factors import effect_factors
from ..therapies.standard_care import DrugEffect, Therapy, therapy
from .population import PROFILES, Numbers, People, population_constant

if TYPE_CHECKING:
    Flags = NDArray[np.bool_]

#: Years from which renin-angiotensin blockers were given for albuminuria (A2 or more).
ALBUMINURIA_CARE_FROM = 1994
#: Filtration (mL/min/1.73m2) below which metformin is stopped, and below which it is not begun, since the revised label of April 2016.
METFORMIN_STOPS, METFORMIN_STARTS, METFORMIN_LABEL = 30.0, 45.0, 2016.25
#: Serum creatinine (mg/dL) of men and women from which the label before that barred metformin.
METFORMIN_CREATININE = (1.5, 1.4)
#: Filtration from which SGLT2 inhibitors are begun; below it none acted on HbA1c (standard_care_limits.csv).
SGLT2_STARTS = 30.0
#: Glucose drugs at once before insulin; drugs that one visit may add.
MOST_DRUGS, MOST_NEW = 2, 2
#: HbA1c (%) above which insulin may come first, and how often it does.
INSULIN_AT, INSULIN_SHARE = 9.0, 0.35
INSULIN = "insulin"
#: Classes that are given for albuminuria.
_BLOCKERS = ("ACE inhibitor", "ARB")
#: Weight of adding nothing, beside the weights of drugs.
RESTRAINT = {"glucose": 0.5, "pressure": 5.0}


@dataclass(frozen=True)
class Drug:
    """A drug of routine care.

    Attributes
    ----------
    kind
        ``glucose`` or ``pressure``.
    weight
        How often it is chosen relative to others of its kind.
    drug_class
        Of which a person takes one at a time.
    """

    column: str
    kind: str
    from_year: float
    to_year: float
    weight: float
    effects: tuple[DrugEffect, ...]
    drug_class: str = ""

    def bars(self, other: Drug) -> bool:
        """Return whether who takes this drug is not given another: one of its class, or of a class that excludes it."""
        return self.drug_class == other.drug_class or exclusion_between(self.drug_class, other.drug_class) is not None


def prescribed_drugs() -> tuple[Drug, ...]:
    """Return the drugs, those of glucose first, with effects under the factors that hold now."""
    return _prescribed(effect_factors())


@functools.lru_cache(maxsize=32)
def _prescribed(factors: tuple[tuple[str, float], ...]) -> tuple[Drug, ...]:
    # Therapies read the factors themselves: here they tell kept drugs apart.
    with (PROFILES / "drugs.csv").open(encoding="utf-8", newline="") as file:
        return tuple(_drug(row, therapy(row["therapy"])) for row in csv.DictReader(file))


def _drug(row: dict[str, str], ordered: Therapy) -> Drug:
    years = float(row["from_year"]), float(row["to_year"])
    return Drug(row["column"], row["kind"], *years, float(row["weight"]), ordered.effects, ordered.drug_class)


def _metformin_bars(people: People, year: Numbers, egfr: Numbers) -> tuple[Flags, Flags]:
    """Return who may not begin metformin and who may not stay on it, by the label of the year.

    Before 2016 the label had a limit of serum creatinine, which is one of filtration by age and sex (CKD-EPI 2021).
    """
    female, age = people.traits["female"] > 0, year - people.traits["birth_year"]
    creatinine = np.where(female, METFORMIN_CREATININE[1], METFORMIN_CREATININE[0])
    limit = ckd_epi.ckd_epi_2021(creatinine, age, people.traits["female"])
    new = year >= METFORMIN_LABEL
    begins = np.where(new, METFORMIN_STARTS, limit)
    return egfr < begins, egfr < np.where(new, METFORMIN_STOPS, limit)


def drug_columns() -> tuple[str, ...]:
    """Return the names of the drug columns of a library, insulin last."""
    return (*(drug.column for drug in prescribed_drugs()), INSULIN)


@dataclass
class Prescriptions:
    """Current drugs: column -> (n,) flags."""

    current: dict[str, Flags] = field(default_factory=dict)

    @classmethod
    def none(cls, count: int) -> Prescriptions:
        """Return empty prescriptions."""
        return cls({name: np.zeros(count, dtype=bool) for name in drug_columns()})

    def __getitem__(self, rows: Flags) -> Prescriptions:
        return Prescriptions({name: flags[rows] for name, flags in self.current.items()})

    def inputs(self, people: People, age: Numbers) -> dict[str, Numbers]:
        """Return the model's inputs under these prescriptions: name -> (n,), in the inputs' units."""
        model = whole_body.named_model("reference")
        adherence = people.traits["adherence"]
        pressure = people.pressure_shift(age)
        model_inputs: dict[str, Numbers] = {"dMAP": pressure}

        def base(name: str) -> Numbers:
            return model_inputs.setdefault(name, np.full(len(people), model.inputs[name].value))

        for rule in ("multiply", "add", "max"):
            for drug in prescribed_drugs():
                for effect in drug.effects:
                    if effect.rule != rule:
                        continue
                    share = adherence * self.current[drug.column]
                    now = base(effect.quantity)
                    if rule == "multiply":
                        now = now * (1.0 + share * (effect.value - 1.0))
                    elif rule == "add":
                        now = now + share * effect.value
                    else:
                        now = np.maximum(now, share * effect.value)
                    model_inputs[effect.quantity] = now
        type_1 = people.traits["T1D"] > 0
        model_inputs["insulin_titration"] = self.current[INSULIN].astype(np.float64)
        model_inputs["insulin_target"] = np.where(
            type_1, people.traits["glucose_type_1"], people.traits["glucose_insulin"]
        )
        return model_inputs

    def visit(
        self, people: People, number: int, year: Numbers, measured: Mapping[str, Numbers], diagnosed: Flags
    ) -> None:
        """Prescribe at a visit.

        Parameters
        ----------
        number
            Of the visit; every visit has its own draws.
        year
            (n,) calendar years.
        measured
            ``hba1c`` (%), ``sbp`` (mmHg), ``egfr`` (mL/min/1.73m2), ``uacr`` (mg/g) as measured.
        """
        traits = people.traits
        type_1 = traits["T1D"] > 0
        self.current[INSULIN] |= diagnosed & type_1
        not_begun, stopped = _metformin_bars(people, year, measured["egfr"])
        self.current["metformin"] &= ~stopped
        high = diagnosed & ~type_1 & (measured["hba1c"] > traits["care_from"]) & ~self.current[INSULIN]
        # Insulin is begun only where it would be titrated up.
        line = whole_body.model_parameters("reference")
        goal = line["HbA1c_at_zero_glucose"].value + line["HbA1c_per_glucose"].value * traits["glucose_insulin"]
        for turn in range(MOST_NEW):
            acts = high & (people.uniform(f"glucose-{number}-{turn}") < traits["care_inertia"])
            # A second drug at once only where glucose is far off.
            acts &= (turn == 0) | (measured["hba1c"] > traits["care_from"] + 1.5)
            count = np.sum([self.current[drug.column] for drug in prescribed_drugs() if drug.kind == "glucose"], axis=0)
            severe = (measured["hba1c"] > INSULIN_AT) & (people.uniform(f"insulin-{number}-{turn}") < INSULIN_SHARE)
            injects = acts & (severe | (count >= MOST_DRUGS)) & (measured["hba1c"] > goal)
            self.current[INSULIN] |= injects
            barred = {"metformin": not_begun, "sglt2i": measured["egfr"] < SGLT2_STARTS}
            self._add("glucose", acts & ~injects, people.uniform(f"drug-{number}-{turn}"), year, barred)
        cares = people.uniform(f"pressure-{number}") < traits["care_inertia"]
        raised = cares & (measured["sbp"] > traits["pressure_care"])
        blockers = [drug.column for drug in prescribed_drugs() if drug.drug_class in _BLOCKERS]
        # Pima had blockers of the renin system later than others.
        too_early = (traits["segment"] > 0) & (year < population_constant("blocker_from_pima"))
        early = dict.fromkeys(blockers, too_early)
        self._add("pressure", raised, people.uniform(f"pressure-drug-{number}"), year, early)
        blocked = np.any([self.current[column] for column in blockers], axis=0)
        leaks = cares & diagnosed & (measured["uacr"] >= kdigo.A2_FROM) & (year >= ALBUMINURIA_CARE_FROM) & ~blocked
        others = {
            drug.column: np.ones(len(people), dtype=bool) for drug in prescribed_drugs() if drug.column not in blockers
        }
        self._add("pressure", leaks, people.uniform(f"kidney-drug-{number}"), year, early | others)

    def _add(self, kind: str, who: Flags, draws: Numbers, year: Numbers, barred: Mapping[str, Flags]) -> None:
        """Prescribe each of `who` one more drug of a kind, drawn by weight among those on the market and not yet taken."""
        candidates = [drug for drug in prescribed_drugs() if drug.kind == kind]
        weights = np.zeros((len(candidates), len(who)))
        for i, drug in enumerate(candidates):
            free = ~self.current[drug.column] & (year >= drug.from_year) & (year < drug.to_year)
            if drug.column in barred:
                free &= ~barred[drug.column]
            for other in prescribed_drugs():
                if other.bars(drug):
                    free &= ~self.current[other.column]
            weights[i] = np.where(free, drug.weight, 0.0)
        reached = np.cumsum(weights, axis=0)
        scaled_draw = draws * (reached[-1] + RESTRAINT[kind])
        prescribed = who & (scaled_draw < reached[-1])
        pick = np.argmax(reached > scaled_draw, axis=0)
        for i, drug in enumerate(candidates):
            self.current[drug.column] |= prescribed & (pick == i)
