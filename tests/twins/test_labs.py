"""Labs of one person: units of any country, what is used, what contradicts, every error at once."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from betapod.base.errors import BetapodError
from betapod.twins.lab_quantities import converted_lab, lab_named, lab_quantities, loinc_codes
from betapod.twins.lab_table import read_lab_table
from betapod.twins.named_drugs import named_drugs
from betapod.twins.option_labs import labs_from_options, merged_labs
from betapod.twins.person_labs import LabValue, person_of_labs


def check_digit(number: str) -> int:
    """Return the check digit of a code of LOINC: modulo 10, every other digit from the right doubled."""
    doubled = [int(digit) * (2 - i % 2) for i, digit in enumerate(reversed(number))]
    return -sum(value - 9 if value > 9 else value for value in doubled) % 10


def test_every_code_has_its_check_digit_and_a_quantity() -> None:
    codes = loinc_codes()
    assert len(codes) >= 70 and len({item.quantity for item in codes.values()}) >= 24
    for code, item in codes.items():
        number, digit = code.split("-")
        assert check_digit(number) == int(digit), code
        assert item.specimen == lab_quantities()[item.quantity].specimens, code


@pytest.mark.parametrize(
    ("quantity", "value", "unit", "right"),
    [
        ("uacr", 43.0, "mg/mmol", 380.1),
        ("uacr", 0.38, "g/g", 380.0),
        ("hba1c", 68.0, "mmol/mol", 8.37),
        ("creatinine", 124.0, "umol/L", 1.403),
        ("calcium", 2.3, "mmol/L", 9.218),
        ("phosphate", 1.2, "mmol/L", 3.717),
        ("bicarbonate", 24.0, "mEq/L", 24.0),
        ("albumin", 4.1, "g/dL", 41.0),
        ("sbp", 18.0, "kPa", 135.0),
        ("sbp", 135.0, "mm[Hg]", 135.0),
        ("egfr", 0.87, "mL/s/1.73m2", 52.2),
        ("egfr", 52.0, "mL/min/{1.73_m2}", 52.0),
        ("c_peptide", 2.0, "ng/mL", 0.662),
        ("fasting_glucose", 180.0, "mg/dL", 9.99),
        ("fasting_glucose", 180.0, "mg%", 9.99),
        ("creatinine", 12.0, "mg/l", 1.2),
        ("uacr", 380.0, "mg/gCr", 380.0),
        ("uacr", 380.0, "mcg/mg creat", 380.0),
        ("hba1c", 8.4, "%Hb", 8.4),
        ("egfr", 52.0, "ml/min/1,73m2", 52.0),
        ("weight", 194.0, "lbs", 88.0),
        ("weight", 13.8, "st", 87.63),
        ("height", 5.9, "ft", 179.8),
        ("potassium", 4.5, "mval/L", 4.5),
        ("duration", 18.0, "months", 1.5),
    ],
)
def test_units_of_any_country(quantity: str, value: float, unit: str, right: float) -> None:
    assert converted_lab(quantity, value, unit) == pytest.approx(right, rel=2e-3)


@pytest.mark.parametrize(
    ("quantity", "value", "unit", "kind"),
    [
        ("hba1c", 68.0, "%", "impossible-value"),
        ("calcium", 4.6, "mEq/L", "wrong-unit"),
        ("uacr", 380.0, "mg/L", "wrong-unit"),
        ("creatinine", 1.4, "", "missing-unit"),
        ("egfr", 52.0, "furlong", "unknown-unit"),
    ],
)
def test_no_unit_is_guessed(quantity: str, value: float, unit: str, kind: str) -> None:
    with pytest.raises(BetapodError) as error:
        converted_lab(quantity, value, unit)
    assert error.value.kinds == (kind,)


def test_decimal_commas_are_read_and_thousands_are_not_guessed() -> None:
    labs = labs_from_options({"age": "61", "hba1c": "8,4", "creatinine": "0,985 mg/dL", "uacr": "43,5 mg/mmol"})
    assert labs.value("hba1c") == 8.4 and labs.value("creatinine") == 0.985
    assert labs.value("uacr") == pytest.approx(43.5 * 8.84, rel=1e-3)
    with pytest.raises(BetapodError) as error:
        labs_from_options({"uacr": "1,234", "egfr": "52,5,1"})
    assert error.value.kinds == ("ambiguous-number", "bad-unit") and "Write 1.234 or 1234." in str(error.value)


def test_codes_and_other_names_mean_quantities() -> None:
    assert [lab_named(name) for name in ("14959-1", "ACR", "Fasting glucose", "nothing")] == [
        "uacr", "uacr", "fasting_glucose", None
    ]  # fmt: skip


def _dated(quantity: str, value: float, day: str, method: str = "") -> LabValue:
    return LabValue(quantity, value, f"{value:g}", datetime.date.fromisoformat(day), method=method)


def test_albuminuria_is_the_geometric_mean_of_ninety_days() -> None:
    values = [
        _dated("uacr", x, day) for x, day in ((900.0, "2024-01-01"), (100.0, "2025-01-10"), (400.0, "2025-03-01"))
    ]
    used = person_of_labs(values, 60, 0).used["uacr"]
    assert used.value == pytest.approx(200.0) and used.count == 2


def test_filtration_comes_from_creatinine_and_is_compared_with_what_was_reported() -> None:
    labs = person_of_labs([_dated("creatinine", 1.0, "2025-03-01"), _dated("egfr", 70.0, "2025-03-01")], 60.9, 0)
    assert labs.value("egfr") == pytest.approx(86.1626, abs=1e-4)
    assert "differ by 16.2" in labs.contradictions[0]
    of_mdrd = person_of_labs([_dated("egfr", 70.0, "2025-03-01", "MDRD")], 60, 0)
    assert of_mdrd.value("egfr") == 70.0 and "MDRD" in of_mdrd.notes[0]


def test_kidney_disease_must_last_ninety_days() -> None:
    def chronic(*values: tuple[float, str]) -> bool | None:
        return person_of_labs([_dated("egfr", x, day) for x, day in values], 60, 0).chronic

    assert chronic((50.0, "2025-01-01"), (48.0, "2025-04-02")) is True
    assert chronic((50.0, "2025-01-01"), (75.0, "2025-04-02")) is False
    assert chronic((50.0, "2025-01-01"), (48.0, "2025-02-02")) is None


def test_every_wrong_option_is_told_at_once() -> None:
    with pytest.raises(BetapodError) as error:
        labs_from_options({"hba1c": "68", "egrf": 52, "uacr": "ten"}, sex="x", diabetes="5")
    assert error.value.kinds == (
        "impossible-value", "unknown-quantity", "bad-number", "unknown-sex", "unknown-diabetes"
    )  # fmt: skip
    assert "mmol/mol" in str(error.value)


def test_what_is_said_replaces_what_a_file_has() -> None:
    first = person_of_labs([_dated("creatinine", 1.4, "2025-03-01"), _dated("hba1c", 8.0, "2025-03-01")], 60, 0)
    merged = merged_labs(first, person_of_labs([LabValue("egfr", 45.0, "45")], None, None, drugs=["ramipril"]))
    assert merged.value("egfr") == 45.0 and merged.value("hba1c") == 8.0
    assert merged.drugs == ("ramipril",) and merged.age == 60


LONG = """Datum;x
date;code;value;unit
2025-03-01;33914-3;52;mL/min/1.73m2
2025-03-01;14959-1;43,5;mg/mmol
2025-03-01;HbA1c;68;mmol/mol
;age;61;
;sex;male;
;drug;ramipril 5 mg;
"""


def test_a_long_table_with_decimal_commas(tmp_path: Path) -> None:
    path = tmp_path / "labs.csv"
    path.write_text(LONG.partition("\n")[2], encoding="utf-8")
    labs = read_lab_table(path)
    assert (labs.age, labs.female, labs.drugs) == (61.0, 0, ("ramipril 5 mg",))
    assert labs.value("uacr") == pytest.approx(43.5 * 8.8402, rel=1e-4)
    assert labs.kdigo_stage == "G3aA3, very high risk"


def test_a_wide_table_has_units_in_its_heads(tmp_path: Path) -> None:
    path = tmp_path / "labs.csv"
    path.write_text("age,sex,egfr [mL/min/1.73m2],uacr [mg/mmol],hba1c\n61,f,52,43,8.4\n", encoding="utf-8")
    with pytest.raises(BetapodError) as error:
        read_lab_table(path)
    assert error.value.kinds == ("missing-unit",)
    path.write_text(path.read_text(encoding="utf-8").replace("hba1c", "hba1c [%]"), encoding="utf-8")
    assert read_lab_table(path).female == 1


def test_all_lines_that_are_wrong_are_told(tmp_path: Path) -> None:
    path = tmp_path / "labs.csv"
    path.write_text(
        "name,value,unit,date\negfr,fifty,mL/min/1.73m2,\nhba1c,8,%,last year\nzzz,1,g,\n", encoding="utf-8"
    )
    with pytest.raises(BetapodError) as error:
        read_lab_table(path)
    assert error.value.kinds == ("bad-number", "bad-date", "unknown-quantity")
    assert [problem.location.line for problem in error.value.problems] == [2, 3, 4]


def test_drugs_are_read_as_people_write_them() -> None:
    texts = [
        "ramipril 5 mg",
        "Jardiance",
        "metformin hydrochloride 500 MG Oral Tablet",
        "insulin glargine",
        "atorvastatin 20 MG",
    ]
    drugs = named_drugs(texts)
    assert drugs.columns == ("acei", "sglt2i", "metformin", "insulin") and drugs.not_used == ("atorvastatin 20 MG",)
    with pytest.raises(BetapodError, match="Did you mean"):
        named_drugs(["ramipirl"])
