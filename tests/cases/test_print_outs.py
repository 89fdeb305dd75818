"""What laboratories and hospitals of many countries print: units and headings that were refused, with the values that they mean."""

from __future__ import annotations

import pytest

from betapod.base import clinical
from betapod.engine.runs.manifest import _Columns
from betapod.patients.cohorts.column_headings import heading

#: Quantity, number, unit as printed, and the number in betapod's own unit (molar masses 180.156 and 113.12 g/mol).
PRINTED = [
    ("eGFR", 60, "mL/min/1·73 m²", 60),
    ("eGFR", 60, "mL/min/1.73 mq", 60),
    ("eGFR", 60, "mL/分/1.73m2", 60),
    ("eGFR", 60, "毫升/分钟/1.73平方米", 60),
    ("UAER", 30, "mg/日", 30),
    ("UAER", 30, "mg/24 horas", 30),
    ("UACR", 30, "mg/gCre", 30),
    ("UACR", 30, "mg/gr", 30),
    ("UACR", 3.39, "mg/mmol kreatininy", 3.39 / 113.12 * 1000),
    ("HbA1c", 53, "mmol/mol Hämoglobin", 7.0),
    ("HbA1c", 7.2, "% of total Hgb", 7.2),
    ("haemoglobin", 14, "gr/dl", 14),
    ("sodium", 140, "mval/l", 140),
    ("glucose", 126, "mgr/dl", 1260 / 180.156),
    ("glucose", 126, "mg por dL", 1260 / 180.156),
    ("BMI", 28, "Kg/mq", 28),
]


@pytest.mark.parametrize(("name", "number", "unit", "value"), PRINTED)
def test_units_as_printed_are_read(name: str, number: float, unit: str, value: float) -> None:
    quantity = clinical.known_quantity(name)
    assert quantity is not None
    assert clinical.convert_clinical(number, quantity, unit) == pytest.approx(value, rel=2e-3)


@pytest.mark.parametrize(
    ("text", "name", "unit"),
    [
        ("Âge", "age", ""),
        ("A\u0302ge", "age", ""),
        ("Alter", "age", ""),
        ("年齢", "age", ""),
        ("Idade (anos)", "age", "anos"),
        ("Poids (kg)", "weight", "kg"),
        ("IMC", "bmi", ""),
        ("性别", "female", ""),
        ("糖化血红蛋白(%)", "hba1c", "%"),
        ("Systolic BP", "sbp", ""),
        ("Urine Albumin/Creatinine Ratio (mg/g)", "uacr", "mg/g"),
    ],
)
def test_headings_of_many_countries_are_known(text: str, name: str, unit: str) -> None:
    found, _, stated = heading(text)
    assert (found, stated) == (name, unit)


@pytest.mark.parametrize("column", ["", "y", "x2", "x_", "x_y"])
def test_a_manifest_whose_column_is_not_called_as_its_output_is_refused(column: str) -> None:
    with pytest.raises(ValueError, match="no column of 'x' is called"):
        _Columns.model_validate({"visits": {"x": column}, "patients": {}})
    assert _Columns.model_validate({"visits": {"x": "x", "X": "X_2"}, "patients": {}}).visits["X"] == "X_2"
