"""Laboratory values in the other unit."""

from __future__ import annotations

import pytest

from betapod.base.clinical import analyte_of, convert_labelled
from betapod.base.errors import UnitError
from betapod.model import Parameter, ParameterTable


@pytest.mark.parametrize(
    ("value", "source", "target", "label", "expected"),
    [
        (203.0, "mg/dL", "mmol/L", "mean plasma glucose over 24 h", 11.268),
        (5.2, "mmol/L", "mg/dL", "fasting glucose", 93.68),
        (1.0, "mg/dL", "umol/L", "serum creatinine", 88.40),
        (14.0, "mg/dL", "mmol/L", "blood urea nitrogen", 4.997),
        (2.0, "g/L", "mg/dL", "anything at all", 200.0),
    ],
)
def test_conversions(value: float, source: str, target: str, label: str, expected: float) -> None:
    assert convert_labelled(value, source, target, label) == pytest.approx(expected, rel=2e-4)


@pytest.mark.parametrize("label", ["serum magnesium", "glucose or creatinine", "glucosette", ""])
def test_nothing_is_guessed(label: str) -> None:
    assert analyte_of(label) is None
    with pytest.raises(UnitError):
        convert_labelled(1.0, "mg/dL", "mmol/L", label)


def test_only_concentrations_are_converted() -> None:
    with pytest.raises(UnitError):
        convert_labelled(1.0, "mg/day", "mmol/day", "urinary glucose")


def test_tables_take_either_unit() -> None:
    table = ParameterTable([Parameter("G", "mean plasma glucose", 5.2, "mmol/L", role="input")])
    assert table.with_values({"G": "203 mg/dL"})["G"].value == pytest.approx(11.268, rel=1e-4)
