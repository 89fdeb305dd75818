"""The table of observables: codes, units, errors and bounds that hold together, and expressions that the model can compute."""

from __future__ import annotations

import csv
import math
from typing import get_args

import numpy as np
import pytest

from betapod.base import clinical
from betapod.base.units import parse_unit, ucum
from betapod.observables import expressions, formulas
from betapod.observables.table import (
    AS_PRINTED,
    bounds_for,
    fixed,
    known_characteristics,
    names_for,
    observables,
    observables_table,
    trial_observables,
)
from betapod.observables.variation import FOLDER, Cause, variations
from betapod.physiology import whole_body

EVERY = sorted(observables())
KNOWN = {**observables(), **known_characteristics()}


def _is_loinc(code: str) -> bool:
    """Return whether the check digit of a code of LOINC is right (mod 10, doubling from the right)."""
    number, _, check = code.partition("-")
    digits = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(number))]
    return number.isdigit() and check == str(-sum(digit // 10 + digit % 10 for digit in digits) % 10)


def test_the_check_digit_knows_right_from_wrong() -> None:
    assert _is_loinc("2160-0") and _is_loinc("98979-8")
    assert not _is_loinc("2160-1") and not _is_loinc("2106-0")


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_codes_of_loinc_have_their_check_digit(name: str) -> None:
    code = KNOWN[name].loinc
    assert not code or _is_loinc(code)


def test_codes_are_unique() -> None:
    for column in ("loinc", "paramcd", "cohort"):
        codes = [getattr(each, column) for each in KNOWN.values() if getattr(each, column)]
        assert len(codes) == len(set(codes)), column
    for code in (*trial_observables(), *fixed()):
        assert len(code) <= 8 and code.isalnum() and code.isupper(), "PARAMCD of ADaM"
    assert len(KNOWN) == len(observables()) + len(known_characteristics())


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_units_are_read_and_have_a_text_by_ucum(name: str) -> None:
    each = KNOWN[name]
    assert each.ucum and ucum(each.unit) == each.ucum
    parse_unit(each.unit)


def test_units_by_ucum() -> None:
    found = {name: observables()[name].ucum for name in ("eGFR", "insulin_dose", "MAP", "UAER")}
    assert found == {"eGFR": "mL/min/{1.73_m2}", "insulin_dose": "[iU]/d", "MAP": "mm[Hg]", "UAER": "mg/d"}


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_the_reader_of_units_knows_it_in_this_unit(name: str) -> None:
    """What laboratories call so is measured in the table's unit."""
    each = KNOWN[name]
    for called in filter(None, (each.id, each.label, each.paramcd, each.cohort)):
        quantity = clinical.known_quantity(called)
        # The drug insulin and the concentration of insulin have one name.
        if quantity is not None and each.unit != "1":
            assert clinical.measures(quantity, each.unit), called


@pytest.mark.parametrize("name", [name for name in EVERY if observables()[name].model])
def test_the_model_has_what_the_expression_names(name: str) -> None:
    model = whole_body.named_model("reference")
    for used in expressions.of_model(name):
        assert used in model.units, used
    assert set(expressions.of_person(name)) <= {"age", "female", "height", "stiffness"}


@pytest.mark.parametrize(
    "name", [name for name, each in observables().items() if each.model in whole_body.named_model("reference").units]
)
def test_units_of_plain_quantities_are_the_models(name: str) -> None:
    each, model = observables()[name], whole_body.named_model("reference")
    relative = each.compared == "course"
    assert relative or parse_unit(model.units[each.model]) == parse_unit(each.unit)


@pytest.mark.parametrize("name", [name for name in EVERY if observables()[name].model])
def test_expressions_are_what_their_text_says(name: str) -> None:
    """Python's own reading of the text gives the same number."""
    text, draw = observables()[name].model, np.random.default_rng(1)
    model = {each: draw.uniform(1.0, 9.0, 5) for each in expressions.of_model(name)}
    person = {each: draw.uniform(1.0, 9.0, 5) for each in expressions.of_person(name)}
    scope = {**formulas.FUNCTIONS, **model, "person": type("Person", (), person), "CREATININE_UMOL_L": 1e4 / 113.12}
    np.testing.assert_array_equal(expressions.value(name, model, person), eval(text, {}, scope))  # noqa: S307


def test_an_expression_out_of_the_language_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import ast

    with pytest.raises(ValueError, match="cannot compute"):
        expressions._value(ast.parse("MAP if MAP else 1", mode="eval").body, {"MAP": np.ones(1)}, {})


def test_mean_pressure_lies_between_diastolic_and_systolic() -> None:
    """MAP is a third of the way from diastolic to systolic pressure."""
    model, person = (
        {"MAP": np.array([93.0])},
        {k: np.array([v]) for k, v in (("age", 60.0), ("female", 0.0), ("stiffness", 0.0))},
    )
    high, low, pulse = (expressions.value(name, model, person) for name in ("SBP", "DBP", "pulse_pressure"))
    np.testing.assert_allclose(high - low, pulse)
    np.testing.assert_allclose(low + pulse / 3.0, 93.0)
    np.testing.assert_allclose(pulse, math.exp(4.004))


def test_variation_has_a_source_or_says_that_it_is_assumed() -> None:
    for (name, cause), row in variations().items():
        assert name in observables() and cause in get_args(Cause)
        assert row.sd >= 0 and row.scale in ("log", "linear")
        assert (row.scale == "linear") <= math.isfinite(row.at), "a linear SD says at which value it becomes a share"
        assert cause.startswith("life") == math.isfinite(row.lasts)
        assert row.role in ("derived", "calibrated", "tuned", "assumed") and row.grade in "ABCD"
        assert (row.role == "assumed") <= (row.grade == "D"), f"{name}: assumed, so grade D"
        assert row.role == "assumed" or row.source or row.note, f"{name}: derived from what?"


def test_no_number_is_typed_twice_for_one_source() -> None:
    """Who has the error of another is ``like`` it."""
    with (FOLDER / "variation.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        assert bool(row["sd"]) != bool(row["like"])
        assert not row["like"] or row["like"] in observables()
    assert variations()["UAER", "measurement"].sd == variations()["UACR", "measurement"].sd


def test_everything_that_trials_and_predictions_use_has_an_error() -> None:
    for each in observables().values():
        if each.paramcd or each.compared:
            assert each.error is not None, each.id
            assert math.isfinite(each.error.share), each.id


def test_bounds_are_of_known_things_and_inside_each_other() -> None:
    for whose in ("reportable", "possible", "usual", "virtual", "group"):
        for name, (low, high) in bounds_for(whose).items():
            assert name in KNOWN and low < high
    for name, (low, high) in bounds_for("usual").items():
        least, most = bounds_for("possible")[name]
        assert least <= low and high <= most, name
    for name in set(bounds_for("possible")) & set(bounds_for("reportable")):
        assert bounds_for("reportable")[name][1] >= bounds_for("possible")[name][1], name
    assert set(bounds_for("reportable")) >= {each.id for each in trial_observables().values()}
    assert bounds_for("group")["FPG"] == bounds_for("possible")["FPG"], "of its own it has none"


def test_names_mean_something() -> None:
    for where in ("protocol", "cohort", "registry"):
        for name, row in names_for(where).items():
            assert row.means in KNOWN, name
            if row.unit and row.unit != AS_PRINTED:
                parse_unit(row.unit)


def test_the_table_for_readers() -> None:
    frame = observables_table()
    assert list(frame.index) == list(observables())
    assert frame.loc["HbA1c", ["unit", "ucum", "loinc", "paramcd"]].tolist() == ["%", "%", "4548-4", "HBA1C"]
    assert frame.loc["MAP", "error"] == 5 and frame.loc["MAP", "error_scale"] == "linear"
    assert observables()["MAP"].relative_error == 5 / 93, "the mean pressure at which pulse pressure is anchored"
    assert frame.loc["eGFR", ["low", "high"]].tolist() == [1.0, 250.0]


def test_coefficients_say_where_they_come_from() -> None:
    from betapod.model import ParameterTable

    for row in ParameterTable.read(FOLDER / "formulas.csv").values():
        assert row.plausible and row.role in ("derived", "calibrated", "tuned", "assumed") and row.note, row.id
        assert formulas.coefficient(row.id) == row.value


def test_old_and_other_names_of_codes_are_read() -> None:
    from betapod.observables.quantities import code_of

    found = {name: code_of(name) for name in ("MESANGIUM", "metformin", "a1c", "insulin  dose", "eGFR", "nothing")}
    assert found == {
        "MESANGIUM": "MESANG",
        "metformin": "METFORM",
        "a1c": "HBA1C",
        "insulin  dose": "INSDOSE",
        "eGFR": "EGFR",
        "nothing": "NOTHING",
    }
