"""Libraries that somebody edited or damaged: the file and the fault are named, for every fault at once."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import carry_out

from betapod.base.errors import ConfigError, Problem
from betapod.patients import library

Arrays = dict[str, Any]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Arrays]:
    path = library.default().take(range(0, 9000, 450)).save(tmp_path_factory.mktemp("library") / "some.npz")
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    return json.loads(bytes(arrays.pop("head")).decode()), arrays


def written(folder: Path, head: Any, arrays: Arrays) -> Path:
    path = folder / "edited.npz"
    np.savez_compressed(path, head=np.frombuffer(json.dumps(head).encode(), dtype=np.uint8), **arrays)
    return path


def refused(path: Path) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        library.read_library(path)
    assert all(p.location.file == str(path) for p in caught.value.problems)
    return caught.value.problems


def number_of(head: dict[str, Any], name: str) -> str:
    varied = [each for each in head["order"] if each not in head["constant"]]
    return f"c{varied.index(name)}"


def test_an_unedited_library_is_read(tmp_path: Path, good: tuple[dict[str, Any], Arrays]) -> None:
    found = library.read_library(written(tmp_path, *good))
    assert len(found) == 20
    again = library.read_library(found.save(tmp_path / "again.npz"))
    assert again.table.equals(found.table)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rows", 19),
        ("rows", 21),
        ("rows", 0),
        ("rows", -1),
        ("rows", "20"),
        ("rows", None),
        ("rows", True),
        ("rows", 2.5),
        ("rows", 10**12),
        ("format", 2),
        ("format", None),
        ("origin", None),
        ("origin", []),
        ("order", None),
        ("order", {"a": 1}),
        ("order", ["table/age", "table/age"]),
        ("order", [1, 2]),
        ("order", ["chair/age"]),
        ("order", []),
        ("constant", None),
        ("constant", {"table/age": "x"}),
        ("constant", {"table/nobody": 1.0}),
        ("constant", {"table/age": float("nan")}),
    ],
)
def test_an_edited_head(tmp_path: Path, good: tuple[dict[str, Any], Arrays], field: str, value: object) -> None:
    head, arrays = good
    found = refused(written(tmp_path, head | {field: value}, arrays))
    assert {p.kind for p in found} <= {"bad-library"}
    if field in ("format", "origin") or not isinstance(value, (list, dict, int)):
        assert field in found[0].message


@pytest.mark.parametrize("field", ["rows", "format", "origin", "order", "constant"])
def test_a_head_without_a_field(tmp_path: Path, good: tuple[dict[str, Any], Arrays], field: str) -> None:
    head, arrays = good
    found = refused(written(tmp_path, {k: v for k, v in head.items() if k != field}, arrays))
    assert any(f"{field!r}" in p.message for p in found)


@pytest.mark.parametrize("head", [None, [], 1, "text"])
def test_a_head_that_is_none(tmp_path: Path, good: tuple[dict[str, Any], Arrays], head: object) -> None:
    assert refused(written(tmp_path, head, good[1]))[0].kind == "not-a-library"


def _gap(values: np.ndarray) -> np.ndarray:
    return np.where(np.arange(len(values)) == 3, np.nan, values)


@pytest.mark.parametrize(
    ("column", "change", "words"),
    [
        ("table/age", lambda x: x[:-1], "not one number per patient"),
        ("table/age", lambda x: x[None], "not one number per patient"),
        ("table/age", lambda x: x.astype(str), "not one number per patient"),
        ("table/age", lambda x: x[0], "not one number per patient"),
        ("table/age", lambda x: np.repeat(x, 3000), "longer than 20 patients"),
        ("table/age", _gap, "no number in 1 patients"),
        ("table/female", _gap, "no number in 1 patients"),
        ("table/female", lambda x: x + 0.5, "no whole number in 20 patients"),
        ("table/female", lambda x: x + 2, "neither 0 nor 1 in 20 patients"),
        ("table/person", lambda x: x * 1e30, "no whole number"),
        ("table/egfr", lambda x: x * np.inf, "no number in 20 patients"),
    ],
)
def test_an_edited_column(
    tmp_path: Path,
    good: tuple[dict[str, Any], Arrays],
    column: str,
    change: Callable[[np.ndarray], np.ndarray],
    words: str,
) -> None:
    head, arrays = good
    name = number_of(head, column)
    found = refused(written(tmp_path, head, arrays | {name: change(arrays[name])}))
    assert [p.kind for p in found] == ["bad-library"]
    assert column in found[0].message and words in found[0].message


def test_a_column_that_is_missing(tmp_path: Path, good: tuple[dict[str, Any], Arrays]) -> None:
    head, arrays = good
    name = number_of(head, "table/egfr")
    found = refused(written(tmp_path, head, {k: v for k, v in arrays.items() if k != name}))
    assert "table/egfr has no numbers" in found[0].message
    order = [each for each in head["order"] if each != "table/T1D"]
    constant = {k: v for k, v in head["constant"].items() if k in order}
    assert any(
        "T1D is missing" in p.message
        for p in refused(written(tmp_path, head | {"order": order, "constant": constant}, arrays))
    )


def test_all_faults_at_once(tmp_path: Path, good: tuple[dict[str, Any], Arrays]) -> None:
    head, arrays = good
    ages, kidneys = number_of(head, "table/age"), number_of(head, "table/egfr")
    found = refused(written(tmp_path, head, arrays | {ages: _gap(arrays[ages]), kidneys: arrays[kidneys][:5]}))
    assert len(found) == 2


def test_pickles_are_not_opened(tmp_path: Path, good: tuple[dict[str, Any], Arrays]) -> None:
    head, arrays = good
    name = number_of(head, "table/age")
    found = refused(written(tmp_path, head, arrays | {name: np.array([{}] * 20, dtype=object)}))
    assert found[0].kind == "not-a-library"


def test_files_that_are_cut_or_flipped(tmp_path: Path, good: tuple[dict[str, Any], Arrays]) -> None:
    content = written(tmp_path, *good).read_bytes()
    path = tmp_path / "damaged.npz"
    generator = np.random.default_rng(1)
    for part in (
        b"",
        content[:1],
        content[: len(content) // 2],
        content[:-1],
        content[7:],
        b"PK\x03\x04" + content[:40],
    ):
        path.write_bytes(part)
        assert refused(path)[0].kind == "not-a-library"
    for place in generator.integers(0, len(content), 60):
        flipped = bytearray(content)
        flipped[place] ^= 1 << int(generator.integers(8))
        path.write_bytes(bytes(flipped))
        try:
            library.read_library(path)
        except ConfigError as error:
            assert {p.kind for p in error.problems} <= {"not-a-library", "bad-library", "old-library"}


def test_another_archive(tmp_path: Path) -> None:
    path = tmp_path / "other.npz"
    np.savez(path, a=np.arange(3))
    assert refused(path)[0].kind == "not-a-library"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("head.npy", "text")
    path.write_bytes(buffer.getvalue())
    assert refused(path)[0].kind == "not-a-library"
    assert refused(tmp_path)[0].kind == "not-a-library"


def test_the_command_line_names_file_and_fault(tmp_path: Path, good: tuple[dict[str, Any], Arrays]) -> None:
    head, arrays = good
    path = written(tmp_path, head | {"rows": 7}, arrays)
    done = carry_out("patients", "show", "--library", path)
    assert done.returncode == 2
    assert "edited.npz: bad-library" in done.stderr and "Traceback" not in done.stderr
