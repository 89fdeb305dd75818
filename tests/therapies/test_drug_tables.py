"""The tables of drugs: every therapy has a class and names, every number its unit, role and source; one of a class; courses that end."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

import pytest
from before_any_fit import before_fits

from betapod.base.errors import ConfigError
from betapod.model.bibliography import Bibliography
from betapod.physiology import whole_body
from betapod.therapies import drug_catalogue, standard_care
from betapod.therapies.drug_limits import allowed_drugs, contraindications, drug_limits
from betapod.therapies.input_courses import input_courses
from betapod.therapies.standard_care import catalogue, therapy

FOLDER = Path(whole_body.__file__).parent / "parameters"
WORKS = Bibliography.read(FOLDER / "references.bib")
DRUGS = drug_catalogue.catalogued_drugs()
#: First letters of the code of each class; a tirzepatide and a thiazide-like diuretic have classes of their own.
PREFIXES = {
    "biguanide": ("A10BA",),
    "sulfonylurea": ("A10BB",),
    "DPP-4 inhibitor": ("A10BH",),
    "GLP-1 receptor agonist": ("A10BJ", "A10BX16"),
    "SGLT2 inhibitor": ("A10BK",),
    "thiazolidinedione": ("A10BG",),
    "insulin": ("A10A",),
    "ACE inhibitor": ("C09AA",),
    "ARB": ("C09CA",),
    "steroidal MRA": ("C03DA",),
    "nonsteroidal MRA": ("C03DA",),
    "calcium-channel blocker": ("C08CA",),
    "thiazide": ("C03AA", "C03BA"),
    "anti-CD3 antibody": ("A10XX",),
    "antithymocyte globulin": ("L04AA",),
}


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_therapy_is_catalogued_and_every_catalogued_drug_does_something() -> None:
    assert set(DRUGS) == set(catalogue())


def test_every_number_has_a_role_a_grade_and_a_source_that_fits_it() -> None:
    for row in rows("standard_care.csv"):
        place = f"{row['therapy']} {row['dose']}: {row['quantity']}"
        assert row["grade"] in "ABCD" and row["rule"] in standard_care.RULES and row["unit"], place
        assert row["role"] in ("assumed", "memory", "calibrated", "tuned", "derived", "literature"), place
        assert (row["grade"] == "D") == (row["role"] in ("assumed", "memory")), place
        assert not (row["source"] and row["role"] in ("assumed", "memory")), (
            f"{place}: only what a work states cites it"
        )
        assert row["source"] or row["role"] not in ("derived", "literature"), place
        assert all(key in WORKS for key in row["source"].split(";") if key), place


def test_every_source_of_drugs_limits_and_exclusions_is_in_the_bibliography() -> None:
    for name in ("drugs.csv", "standard_care_limits.csv", "drug_exclusions.csv"):
        for row in rows(name):
            assert not row["source"] or row["source"] in WORKS, (name, row)


def test_codes_are_those_of_their_class() -> None:
    for drug in DRUGS.values():
        if drug.kind == drug_catalogue.DRUG or drug.drug_class == "insulin":
            assert drug.atc.startswith(PREFIXES[drug.drug_class]), drug.therapy
        if drug.kind == drug_catalogue.DRUG:
            assert re.fullmatch(r"[A-Z]\d\d[A-Z]{2}(\d\d)?", drug.atc), drug.therapy
            assert (len(drug.atc) == 7) == bool(drug.substance), (
                f"{drug.therapy}: a substance has seven letters, a class fewer"
            )
    codes = [drug.atc for drug in DRUGS.values() if len(drug.atc) == 7]
    assert len(codes) == len(set(codes))


def test_no_name_means_two_drugs() -> None:
    names = [name.lower() for drug in DRUGS.values() for name in (drug.therapy, *drug.names)]
    assert len(names) == len(set(names))
    for drug in DRUGS.values():
        for name in (drug.therapy.upper(), *drug.names):
            assert drug_catalogue.therapy_named(name) == drug.therapy


def test_limits_and_exclusions_name_what_exists() -> None:
    classes = drug_catalogue.drug_classes()
    assert all(row["therapy"] in DRUGS or row["therapy"] in classes for row in drug_limits())
    assert all(name in classes for exclusion in drug_catalogue.exclusions() for name in exclusion.classes)


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("ramipril", "missing-dose", "ramipril 10 mg/day"),
        ("GLP-1 receptor agonist", "class-of-drugs", "semaglutide 1 mg/week"),
        ("SGLT2 inhibitors", "class-of-drugs", "empagliflozin 10 mg/day"),
        ("empaglifozin 10 mg", "unknown-therapy", "'empagliflozin'"),
        ("Ozempik 1 mg", "unknown-therapy", "'semaglutide' (ozempic)"),
        ("xyzzy", "unknown-therapy", "betapod drugs"),
    ],
)
def test_unknown_names_get_the_nearest_or_the_members(text: str, kind: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        therapy(text)
    assert kind in caught.value.kinds
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("text", "name", "dose"),
    [
        ("Jardiance 10 mg", "empagliflozin", 10.0),
        ("glibenclamide 5 mg", "glyburide", 5.0),
        ("ACEi", "ACE inhibitor", 1.0),
    ],
)
def test_brands_and_short_forms_are_read(text: str, name: str, dose: float) -> None:
    assert (therapy(text).name, therapy(text).dose) == (name, dose)


def test_a_full_dose_of_a_blocker_is_that_of_its_class_and_half_of_it_saturates() -> None:
    """Before any fit: a fit scales effects of a class at all of its doses alike."""
    with before_fits():
        check_doses_of_blockers()


def check_doses_of_blockers() -> None:
    for whole, members in (
        ("ACE inhibitor", ("ramipril",)),
        ("ARB", ("losartan", "irbesartan")),
        ("MRA", ("finerenone",)),
    ):
        full = therapy(whole).effects[0].value
        for name in members:
            low, high = (float(dose.split()[0]) for dose in catalogue()[name])
            assert therapy(f"{name} {high:g} mg").effects[0].value == pytest.approx(full, rel=1e-4)
            x = low / high
            assert therapy(f"{name} {low:g} mg").effects[0].value == pytest.approx(
                x * full / (1 - full + x * full), abs=0.005
            )


# -- one of a class --------------------------------------------------------------------------------------------------


def labels(drugs) -> list[str]:
    return [drug.label for drug in drugs]


def test_one_person_is_refused_two_of_a_class() -> None:
    errors, _ = contraindications([therapy("empagliflozin 10 mg"), therapy("SGLT2 inhibitor")], {})
    assert [problem.kind for problem in errors] == ["same-class"]
    assert "SGLT2 inhibitor beside empagliflozin 10 mg/day" in errors[0].message
    after = [therapy("empagliflozin 10 mg", stop=90), therapy("dapagliflozin 10 mg", start=90)]
    assert contraindications(after, {}) == ([], [])


def test_one_person_is_refused_a_gliptin_beside_a_GLP1_agonist() -> None:
    errors, _ = contraindications([therapy("semaglutide 1 mg"), therapy("sitagliptin 100 mg")], {})
    assert [problem.kind for problem in errors] == ["not-together"]


def test_insulins_and_diets_are_no_class() -> None:
    many = ["basal insulin 20 U", "titrated insulin 8 mmol/L", "lifestyle 5 kg", "protein intake 0.8 g/kg/day"]
    assert contraindications([therapy(text) for text in many], {"GFR": 90}) == ([], [])


@pytest.mark.parametrize(
    ("taken", "order", "reason"),
    [
        ("SGLT2 inhibitor", "empagliflozin 10 mg", "SGLT2 inhibitor is taken already"),
        ("losartan", "ARB", "losartan is taken already (class ARB)"),
        ("ARB", "ramipril 10 mg", "ARB is taken already: avoid the combination"),
        ("GLP-1 receptor agonist", "sitagliptin 100 mg", "GLP-1 receptor agonist is taken already: both act by GLP-1"),
        ("steroidal MRA", "finerenone 20 mg", "steroidal MRA is taken already: both block"),
        ("titrated insulin", "titrated insulin 8 mmol/L", "titrated insulin is taken already"),
    ],
)
def test_the_blocking_drug_is_named(taken: str, order: str, reason: str) -> None:
    given, withheld = allowed_drugs([therapy(order)], [taken], {"GFR": 90.0})
    assert given == () and withheld[0].reason.startswith(reason)


def test_of_an_order_only_the_first_of_a_class_is_given() -> None:
    order = [therapy(text) for text in ("semaglutide 1 mg", "liraglutide 1.2 mg", "DPP-4 inhibitor", "metformin 2 g")]
    given, withheld = allowed_drugs(order, [], {"GFR": 25.0})
    assert labels(given) == ["semaglutide 1 mg/week"]
    assert [item.reason for item in withheld] == [
        "semaglutide 1 mg/week is ordered, too: one of the class GLP-1 receptor agonist",
        "semaglutide 1 mg/week is ordered, too: both act by GLP-1: a DPP-4 inhibitor adds nothing to a GLP-1 receptor agonist",
        "contraindicated below a GFR of 30 mL/min",
    ]


def test_what_a_study_ordered_is_given_beside_what_excludes_it_but_not_twice() -> None:
    order = [therapy(text) for text in ("ramipril 10 mg", "sitagliptin 100 mg", "losartan 100 mg")]
    given, withheld = allowed_drugs(order, ["ARB", "GLP-1 receptor agonist"], {}, as_ordered=True)
    assert labels(given) == ["ramipril 10 mg/day", "sitagliptin 100 mg/day"]
    assert labels(item.drug for item in withheld) == ["losartan 100 mg/day"]


# -- courses that end by themselves --------------------------------------------------------------------------------------


def test_a_course_fades_by_itself() -> None:
    course = therapy("teplizumab", start=10.0)
    (effect,) = course.effects
    assert course.stop == math.inf and course.ends(effect) == 10.0 + 365.0
    steps = input_courses([course], {"eta_drug": 0.0})["eta_drug"]
    assert [(step.time, round(step.after, 3)) for step in steps] == [(0, 0), (10, 0), (24, 0.45), (375, 0.45), (605, 0)]
    # Its mean in the second year is the 0.14 that goes with C-peptide at two years.
    second_year = 0.45 * (effect.offset / 2) / 365.0
    assert second_year == pytest.approx(0.14, abs=0.005)


def test_a_course_that_is_stopped_fades_from_there() -> None:
    course = therapy("low-dose ATG", stop=100.0)
    assert course.ends(course.effects[0]) == 100.0
