"""Other tables in text that people bring: parameters of a model, patients of an ensemble; as `delimited` reads them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from betapod.base.errors import BetapodError, ConfigError, ParameterError
from betapod.cli.verbs.ensemble_plan import _listed
from betapod.model import Model, ParameterTable
from betapod.physiology import whole_body

ROWS = """\
id,label,value,unit,low,high,distribution,role,source,locator,grade,note
a,elimination,0.1,1/day,0,1,fixed,assumed,,,D,
b,clairance r\u00e9nale,100,mL/min,0,200,fixed,assumed,,,D,
"""


def parameters(folder: Path, content: str | bytes) -> ParameterTable:
    path = folder / "rows.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return ParameterTable.read(path)


@pytest.mark.parametrize(
    "content",
    [
        ROWS,
        ROWS.replace(",", ";"),
        ROWS.replace(",", "\t"),
        ROWS.encode("utf-16"),
        ROWS.encode("latin-1"),
        "\ufeff" + ROWS,
        "# our own\n" + ROWS,
        ROWS + "#c,left out,1,1,0,1,fixed,assumed,,,D,\n",
        ROWS.replace("\n", "\r"),
        ROWS.replace("\n", ",,\n"),
    ],
)
def test_the_same_parameters_however_they_are_saved(tmp_path: Path, content: str | bytes) -> None:
    found = parameters(tmp_path, content)
    assert {name: row.value for name, row in found.items()} == {"a": 0.1, "b": 100.0}
    assert found["b"].label == "clairance r\u00e9nale"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK\x03\x04", "not-text"),
        ("", "empty-table"),
        (ROWS + "x" * 140_000, "long-cell"),
        (ROWS + '"open,1', "bad-quotes"),
        (ROWS.replace("0.1", "0\x00.1"), "control-character"),
        (ROWS.replace("0.1", '"0,1"'), "bad-number"),
        (ROWS.replace("0.1", "0,1"), "bad-row"),
        (ROWS.replace("label", "unit"), "duplicate-column"),
    ],
)
def test_parameters_that_cannot_be_read(tmp_path: Path, content: str | bytes, kind: str) -> None:
    with pytest.raises(ParameterError) as caught:
        parameters(tmp_path, content)
    assert kind in caught.value.kinds


@pytest.fixture(scope="module")
def model() -> Model:
    return whole_body.named_model("metabolism")


def patients(folder: Path, content: str | bytes, model: Model) -> tuple[dict[str, list[float]], int]:
    path = folder / "patients.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    cohort, count = _listed(path, model)
    return {name: values.tolist() for name, values in cohort.columns.items()}, count  # type: ignore[attr-defined]


GOOD = "patient,age,height\na,60,170.5\nb,61,180\n"


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        GOOD.replace(",", ";").replace(".", ","),
        GOOD.replace(",", "\t"),
        GOOD.encode("utf-16"),
        "# from the clinic\n" + GOOD,
        GOOD.replace("\n", "\r\n"),
    ],
)
def test_patients_of_an_ensemble(tmp_path: Path, content: str | bytes, model: Model) -> None:
    assert patients(tmp_path, content, model) == ({"age": [60.0, 61.0], "height": [170.5, 180.0]}, 2)


def test_patients_without_numbers_are_counted(tmp_path: Path, model: Model) -> None:
    assert patients(tmp_path, "patient\na\nb\nc\n", model) == ({}, 3)


@pytest.mark.parametrize(
    ("content", "kind", "line"),
    [
        ("age,height\n60,x\n61,\n", "bad-column", 2),
        ("age,age\n60,61\n", "duplicate-column", 1),
        ("age\n", "bad-patients", 1),
        ("age,height\n60,170,5\n", "long-row", 2),
        ("age\ninf\n", "bad-column", 2),
        ("age\n\x00\n", "control-character", 2),
    ],
)
def test_patients_that_cannot_be_read(tmp_path: Path, content: str, kind: str, line: int, model: Model) -> None:
    with pytest.raises(BetapodError) as caught:
        patients(tmp_path, content, model)
    assert (kind, line) in {(p.kind, p.location.line) for p in caught.value.problems}


def test_no_table(tmp_path: Path, model: Model) -> None:
    with pytest.raises(ConfigError, match="neither a number nor a table"):
        _listed(tmp_path / "none.csv", model)
