"""A table of id, value and unit is enough for a model of one's own; what it does not say is not invented."""

from __future__ import annotations

from pathlib import Path

import pytest

from betapod.base.errors import ParameterError
from betapod.model import ParameterTable, Part, assemble
from betapod.physiology import whole_body

TEXT = "dA/dt = R - k*A [mg/day] amount\nA(0) = A0 [mg] amount\n"


def table(tmp_path: Path, text: str) -> ParameterTable:
    path = tmp_path / "rows.csv"
    path.write_text(text)
    return ParameterTable.read(path)


def test_a_plain_table_makes_a_model(tmp_path: Path) -> None:
    rows = table(tmp_path, "id,value,unit\nR,2,mg/day\nk,0.5,1/day\nA0,3,mg\n")
    model = assemble("pk", [Part.from_text("PK", TEXT, ("R",))], rows)
    assert list(model.inputs) == ["R"]
    assert {name: row.value for name, row in model.parameters.items()} == {"k": 0.5, "A0": 3.0}
    row = model.parameters["k"]
    assert (row.role, row.grade, row.source, row.distribution) == ("assumed", "D", "", "fixed")
    assert "nobody said where the number comes from" in row.note


def test_a_plain_row_keeps_the_range_and_the_role_of_what_it_replaces(tmp_path: Path) -> None:
    model = whole_body.named_model("kidney")
    over = table(tmp_path, "id,value,unit\nG,203,mg/dL\n")
    row = model.inputs.overlay(over)["G"]
    assert row.value == pytest.approx(11.27, abs=0.01)
    assert (row.low, row.high, row.role) == (model.inputs["G"].low, model.inputs["G"].high, "input")


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e400", "", "x"])
def test_a_value_is_a_finite_number(tmp_path: Path, value: str) -> None:
    with pytest.raises(ParameterError, match="k: the value is not"):
        table(tmp_path, f"id,value,unit\nk,{value},1/day\n")


def test_an_impossible_value_of_a_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="impossible-value"):
        table(tmp_path, "id,value,unit,low,high\nk,-1,1/day,0,2\n")
    over = table(tmp_path, "id,value,unit\nG,-7,mmol/L\n")
    with pytest.raises(ParameterError, match="impossible-value: G"):
        whole_body.named_model("kidney").inputs.overlay(over)


def test_a_row_that_begins_to_say_where_it_comes_from_says_all(tmp_path: Path) -> None:
    with pytest.raises(ParameterError) as caught:
        table(tmp_path, "id,value,unit,role\nk,1,1/day,literature\n")
    assert "bad-grade" in caught.value.kinds
    assert "missing-source" in caught.value.kinds
