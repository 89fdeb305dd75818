"""UKPDS Outcomes Model 2: worked numbers of public programs, and laws of the forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from betapod.base.errors import ConfigError
from betapod.hazards.ukpds.risk_factors import COVARIATES, SWITCHED, UkpdsRiskFactors
from betapod.hazards.ukpds.ukpds_equations import (
    UKPDS_EQUATIONS,
    UKPDS_FORMS,
    ukpds_chance,
    ukpds_coefficients,
    ukpds_parameters,
    ukpds_values,
)

#: The example of a coefficient sheet: a woman diagnosed at 48.56, 8.44 years ago. Cholesterol as the sheet has it.
WOMAN = UkpdsRiskFactors(
    age=57.0, duration=8.44, female=1, bmi=32.3, egfr=70, hba1c=8.8, hdl=3.08, ldl=1.19, sbp=139, white_cells=6.6
)
MAN = UkpdsRiskFactors(
    age=57.0, duration=8.44, female=0, bmi=32.3, haemoglobin=14, ldl=3.0, sbp=139, white_cells=6.6
)  # fmt: skip
PERSON = UkpdsRiskFactors(age=55.0, duration=8.0, female=0)

PRINTED = {
    "hf": ("0.00657647", 8),
    "ihd": ("0.000998", 6),
    "mi_man": ("0.002286", 6),
    "mi_woman": ("0.025719", 6),
    "mi_second": ("0.019469", 6),
    "stroke": ("0.005298", 6),
    "stroke_second": ("0.011818", 6),
}


@pytest.mark.parametrize("equation", PRINTED)
def test_the_worked_example_to_the_printed_digit(equation: str) -> None:
    text, digits = PRINTED[equation]
    assert f"{float(ukpds_chance(equation, WOMAN, switched=True)):.{digits}f}" == text


def test_the_program_of_that_sheet_prints_the_other_reading_too() -> None:
    # With eGFR up to 60 counted above 60, as a line with a knee has it: 0.004844228 in its notes, against 0.025719 of the sheet.
    assert f"{float(ukpds_chance('mi_woman', WOMAN)):.6f}" == "0.004844"
    same = {"ihd", "mi_man", "mi_second", "stroke_second"}
    for equation in PRINTED:
        equal = np.isclose(ukpds_chance(equation, WOMAN), ukpds_chance(equation, WOMAN, switched=True))
        assert bool(equal) == (equation in same)


@pytest.mark.parametrize(
    ("egfr", "albuminuria", "text"),
    [(70, 0, "0.000391"), (70, 1, "0.001544"), (45, 0, "0.002987"), (45, 1, "0.011738"), (30, 1, "0.053927"), (20, 1, "0.143956")],
)  # fmt: skip
def test_renal_failure_of_the_coefficient_sheet(egfr: float, albuminuria: float, text: str) -> None:
    assert f"{float(ukpds_chance('renal', replace(MAN, egfr=egfr, albuminuria=albuminuria))):.6f}" == text


def test_renal_failure_has_no_jump_at_60_only_where_the_line_has_a_knee() -> None:
    below, above = replace(MAN, egfr=59.99), replace(MAN, egfr=60.01)
    assert ukpds_chance("renal", above) == pytest.approx(ukpds_chance("renal", below), rel=0.01)
    # Read the other way people whose eGFR improves past 60 would fail more often, which is why it is not the default.
    jump = ukpds_chance("renal", above, switched=True) / ukpds_chance("renal", below, switched=True)
    assert jump > 20


def test_death_as_the_notes_of_that_program_have_it() -> None:
    # A woman and a man of 57 who do not smoke: 0.004071926 and 0.005117118 without events.
    assert float(ukpds_chance("death", WOMAN)) == pytest.approx(0.004071926, abs=5e-10)
    assert float(ukpds_chance("death", MAN)) == pytest.approx(0.005117118, abs=5e-10)


def test_chances_rise_with_what_is_bad() -> None:
    worse = {"hf": {"bmi": 35}, "mi_man": {"hba1c": 9}, "stroke": {"sbp": 165}, "ulcer": {"hba1c": 9}, "blindness": {"hba1c": 9}, "renal": {"egfr": 40}, "ihd": {"hdl": 0.9}}  # fmt: skip
    for equation, change in worse.items():
        assert ukpds_chance(equation, replace(PERSON, **change)) > ukpds_chance(equation, PERSON)
    assert ukpds_chance("mi_man", PERSON, before=("ihd",)) > ukpds_chance("mi_man", PERSON)
    assert ukpds_chance("death_event", PERSON, now=("mi",)) > ukpds_chance("death_event", PERSON)


def test_two_years_of_a_hazard_are_two_chances() -> None:
    for equation in (name for name, form in UKPDS_FORMS.items() if form != "logistic"):
        one = ukpds_chance(equation, PERSON)
        assert 0.0 < float(one) < 1.0
    slow = replace(PERSON, duration=20.0, age=67.0)
    assert ukpds_chance("hf", slow) > ukpds_chance("hf", PERSON)
    assert ukpds_chance("mi_man", slow) == pytest.approx(float(ukpds_chance("mi_man", PERSON)))


def test_the_table_reads_whole_and_every_row_is_used() -> None:
    rows = ukpds_parameters()
    drawn = [row for row in rows.values() if row.distribution != "fixed"]
    assert len(rows) == 165
    assert len(drawn) > 110
    base = ukpds_coefficients()
    assert base.covariates.shape == (len(UKPDS_EQUATIONS), 1 + len(COVARIATES))
    for name in rows:
        if name in ("om2_heart_rate", "om2_white_cells", "om2_uacr_limit"):
            continue
        changed = ukpds_coefficients({name: ukpds_values()[name] + 0.01})
        parts = zip(vars(base).values(), vars(changed).values(), strict=True)
        assert any(not np.array_equal(a, b) for a, b in parts), name


def test_drawn_slopes_leave_the_reference_person() -> None:
    other = {"om2_mi_man_hba1c": 0.2, "om2_mi_man_sbp": 0.0}
    assert ukpds_chance("mi_man", PERSON, values=other) == pytest.approx(float(ukpds_chance("mi_man", PERSON)))
    high = replace(PERSON, hba1c=10.0)
    assert ukpds_chance("mi_man", high, values=other) > ukpds_chance("mi_man", high)


def test_readings_differ_only_where_lines_have_knees() -> None:
    differ = {name for name in COVARIATES if COVARIATES[name] is not SWITCHED[name]}
    assert differ == {"egfr_below_60", "egfr_above_60", "ldl_above_3_5"}


def test_unknown_names_are_said_all_at_once() -> None:
    with pytest.raises(ConfigError) as raised:
        ukpds_chance("mi_mann", PERSON, before=("strokes",))
    assert ["mi_man" in raised.value.problems[0].hint, "stroke" in raised.value.problems[1].hint] == [True, True]
