"""SAS transport files: newer cycles of NHANES, version 8, and files that are cut off, damaged or something else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xport

from betapod.base.errors import BetapodError, ConfigError, MissingExtraError
from betapod.patients.cohorts import cohort_catalogue, nhanes_files, sas_transport

COUNT = 40


def cycle(
    folder: Path, name: str, prefix: str = "", suffix: str = "", **changes: dict[str, list[float]] | None
) -> Path:
    """Write a cycle of people with told diabetes as NCHS names its files; a change replaces or removes a file."""
    folder.mkdir(exist_ok=True)
    mec, fasting = ("WTMECPRP", "WTSAFPRP") if prefix else ("WTMEC2YR", "WTSAF2YR")
    n = [float(i) for i in range(COUNT)]
    seqn = [100.0 + ord(name) * 1000 + i for i in n]
    same = lambda value: [float(value)] * COUNT  # noqa: E731
    demo = {"RIDAGEYR": [30 + i for i in n], "RIAGENDR": [1 + i % 2 for i in n], mec: same(100)}
    files: dict[str, dict[str, list[float]] | None] = {
        "DEMO": demo | {"RIDSTATR": same(2), "RIDEXPRG": same(np.nan)},
        "DIQ": {"DIQ010": same(1), "DID040": [25 + i // 2 for i in n], "DIQ050": same(2)},
        "GHB": {"LBXGH": [6 + i / 10 for i in n]},
        "BPXO": {f"BPXO{kind}{k}": [110 + k + i for i in n] for kind in ("SY", "DI") for k in (1, 2, 3)},
        "BMX": {"BMXBMI": [25 + i / 4 for i in n]},
        "GLU": {"LBXGLU": [120 + i for i in n], fasting: same(200)},
        "ALB_CR": {"URXUMA": [5 + i for i in n], "URXUCR": same(100)},
        "BIOPRO": {"LBXSCR": [0.8 + i / 100 for i in n]},
    }
    for stem, columns in (files | changes).items():
        if columns is not None:
            xport.write(folder / f"{prefix}{stem}{suffix}.XPT", {"SEQN": seqn} | columns)
    return folder


def kinds(folder: Path) -> set[str]:
    with pytest.raises(ConfigError) as caught:
        nhanes_files.read_people(folder)
    assert all(p.location.file for p in caught.value.problems)
    return set(caught.value.kinds)


@pytest.mark.parametrize(("name", "prefix", "suffix"), [("P", "P_", ""), ("L", "", "_L")])
def test_newer_cycles(tmp_path: Path, name: str, prefix: str, suffix: str) -> None:
    found = nhanes_files.read_people(cycle(tmp_path / "files", name, prefix, suffix))
    people = found.table
    assert len(people) == COUNT
    assert set(people["cycle"]) == {name}
    assert people["sbp"][0] == 112.5  # of the second and third reading, as in the other cycles
    assert people["dbp"][0] == 112.5
    assert people["survey_weight"][0] == 100.0
    assert people["survey_weight_fasting"][0] == 200.0
    assert people["fpg"][0] == pytest.approx(120 / 18.0156)  # as released
    assert people["uacr"][0] == pytest.approx(5.0)
    assert people.notna().all(axis=None)
    notes = " ".join(found.notes)
    assert "oscillometer" in notes
    assert f"{prefix}RXQ_RX{suffix} file: drugs missing" in notes


def test_weights_are_shared_by_years(tmp_path: Path) -> None:
    """2017 to March 2020 counts 3.2 years, other cycles 2 (NCHS, analytic guidance of the pre-pandemic files)."""
    folder = tmp_path / "files"
    cycle(folder, "P", "P_")
    people = nhanes_files.read_people(cycle(folder, "L", "", "_L")).table
    weight = people.groupby("cycle")["survey_weight"].first()
    assert weight["P"] == pytest.approx(100 * 3.2 / 5.2)
    assert weight["L"] == pytest.approx(100 * 2.0 / 5.2)


def test_the_same_people_twice(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    cycle(folder, "P", "P_")
    cycle(folder, "J", "", "_J", BPX={"BPXSY1": [120.0] * COUNT, "BPXDI1": [70.0] * COUNT})
    assert kinds(folder) == {"overlapping-cycles"}


def test_mercury_before_the_oscillometer(tmp_path: Path) -> None:
    """In 2017-2018 both were measured; BPX is what the cycles before have."""
    folder = cycle(tmp_path / "files", "J", "", "_J", BPX={"BPXSY1": [130.0] * COUNT, "BPXDI1": [70.0] * COUNT})
    assert set(nhanes_files.read_people(folder).table["sbp"]) == {130.0}


def test_what_is_missing_is_said_by_name(tmp_path: Path) -> None:
    one = [1.0] * COUNT
    folder = cycle(
        tmp_path / "files",
        "L",
        "",
        "_L",
        BPXO=None,
        GLU={"LBXGLU": one},
        ALB_CR={"URXUMA": one},
        RXQ_RX={"RXQ050": one},
    )
    found = nhanes_files.read_people(folder)
    for words in (
        "cycle L has no BPXO_L file: sbp and dbp missing",
        "GLU_L.XPT: no column WTSAF2YR or WTSAFPRP, so fpg is missing",
        "ALB_CR_L.XPT: no column URXUCR, so uacr is missing",
        "RXQ_RX_L.XPT: names no drugs (RXDDRUG), so drugs are missing",
        "sbp: missing in everybody",
    ):
        assert words in found.notes
    assert found.table["sbp"].isna().all()
    target = cohort_catalogue.load_target(folder)
    assert "sbp" not in target.distributions and found.notes == target.notes


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"DEMO": None}, "missing-file"),
        ({"GHB": {"OTHER": [7.0] * COUNT}}, "missing-column"),
        (
            {"DEMO": {"RIDAGEYR": [50.0] * COUNT, "RIAGENDR": [1.0] * COUNT, "RIDSTATR": [2.0] * COUNT}},
            "missing-column",
        ),
        ({"BPXO": {"BPXOSY9": [7.0] * COUNT}}, "missing-column"),
        ({"GHB": {"SEQN": [7.0] * COUNT, "LBXGH": [7.0] * COUNT}}, "duplicate-person"),
        ({"GHB": {"SEQN": [7.0 + i for i in range(COUNT)], "LBXGH": [7.0] * COUNT}}, "other-people"),
        ({"GHB": {"SEQN": [np.nan] * COUNT, "LBXGH": [7.0] * COUNT}}, "bad-value"),
        ({"GHB": {"SEQN": ["a"] * COUNT, "LBXGH": [7.0] * COUNT}}, "bad-value"),
        ({"GHB": {"LBXGH": [7e50] * COUNT}}, "bad-value"),
        ({"BPXO": {"BPXOSY1": [1e9] * COUNT, "BPXODI1": [70.0] * COUNT}}, "bad-value"),
        ({"DEMO": {"RIDAGEYR": [-5.0] * COUNT}}, "missing-column"),
    ],
)
def test_files_that_are_not_of_nhanes(tmp_path: Path, changes: dict[str, Any], kind: str) -> None:
    assert kind in kinds(cycle(tmp_path / "files", "L", "", "_L", **changes))


@pytest.mark.parametrize("weight", [0.0, float("nan")])
def test_adults_without_a_survey_weight(tmp_path: Path, weight: float) -> None:
    same = [2.0] * COUNT
    demo = {"RIDAGEYR": [50.0] * COUNT, "RIAGENDR": same, "WTMEC2YR": [weight] * COUNT, "RIDSTATR": same}
    assert kinds(cycle(tmp_path / "files", "L", "", "_L", DEMO=demo)) == {"bad-value"}


def test_two_names_for_one_file(tmp_path: Path) -> None:
    folder = cycle(tmp_path / "files", "B", "", "_B")
    xport.write(folder / "L10_B.XPT", {"SEQN": [1.0], "LBXGH": [7.0]})
    assert kinds(folder) == {"two-files"}


def test_one_file_is_no_cohort(tmp_path: Path) -> None:
    cycle(tmp_path / "files", "L", "", "_L")
    with pytest.raises(ConfigError, match="Give the folder"):
        cohort_catalogue.load_target(tmp_path / "files" / "DEMO_L.XPT")


# -- the format ------------------------------------------------------------------------------------------------------


@pytest.fixture
def good(tmp_path: Path) -> bytes:
    path = tmp_path / "good.xpt"
    xport.write(
        path,
        {"SEQN": [1.0, 2.0, 3.0, 4.0, 5.0], "LBXGH": [5.0, 6.5, -7.25, np.nan, 9.0], "TXT": ["a", "b", "c", "d", "e"]},
    )
    return path.read_bytes()


def refused(folder: Path, content: bytes) -> str:
    path = folder / "some.xpt"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        sas_transport.read_transport(path)
    assert caught.value.problems[0].location.file == str(path)
    return str(caught.value)


def test_version_5(tmp_path: Path, good: bytes) -> None:
    found = sas_transport.read_transport(tmp_path / "good.xpt")
    np.testing.assert_array_equal(found["LBXGH"], [5.0, 6.5, -7.25, np.nan, 9.0])
    assert found["TXT"].tolist() == ["a", "b", "c", "d", "e"]


def test_no_row_is_lost_and_none_is_made_of_padding(tmp_path: Path) -> None:
    """Texts with blanks at their ends in the last row, rows of all lengths, and numbers of fewer bytes."""
    path = tmp_path / "rows.xpt"
    for width in (1, 3, 8, 40, 72, 90):
        for rows in range(1, 12):
            columns = {"SEQN": [float(i) for i in range(1, rows + 1)], "TXT": ["x"] * (rows - 1) + [" "]}
            xport.write(path, columns, width)
            found = sas_transport.read_transport(path)
            assert found["SEQN"].tolist() == columns["SEQN"]
            assert found["TXT"].tolist() == ["x"] * (rows - 1) + [""]


def test_numbers_agree_with_pandas(tmp_path: Path) -> None:
    import pandas as pd

    generator = np.random.default_rng(5)
    values = generator.normal(size=400) * 10.0 ** generator.integers(-30, 30, 400)
    path = tmp_path / "numbers.xpt"
    xport.write(path, {"A": values.tolist(), "B": [0.0, 1.0, -1.0, 0.1] * 100})
    theirs = pd.read_sas(path, format="xport")
    mine = sas_transport.read_transport(path)
    np.testing.assert_allclose(mine["A"], values, rtol=2e-16)
    # For 0 pandas has 5.4e-79.
    np.testing.assert_allclose(mine, theirs, rtol=2e-16, atol=1e-70)
    assert (mine["B"][::4] == 0.0).all()


def test_missing_numbers_of_sas() -> None:
    """A point, an underscore or a letter from A to Z, then zeros; a number may begin with the same byte."""
    cells = np.zeros((5, 8), dtype=np.uint8)
    cells[:, 0] = [ord("."), ord("_"), ord("A"), ord("Z"), ord("A")]
    cells[4, 1] = 0x10
    assert np.isnan(sas_transport._numbers(cells)[:4]).all()
    assert sas_transport._numbers(cells)[4] == 1.0
    short = cells[4:, :3]
    assert sas_transport._numbers(short)[0] == 1.0


def test_every_cut_is_refused_or_leaves_whole_rows(tmp_path: Path, good: bytes) -> None:
    """Rows of 56 bytes behind a head: a cut is seen unless it falls between rows, where nothing tells."""
    start = good.index(b"HEADER RECORD*******OBS") + 80
    for length in range(0, len(good), 7):
        path = tmp_path / "cut.xpt"
        path.write_bytes(good[:length])
        try:
            found = sas_transport.read_transport(path)
        except ConfigError as error:
            assert error.kinds[0] in ("not-xpt", "cut-off")
        else:
            assert length >= start
            np.testing.assert_array_equal(found["SEQN"], np.arange(1.0, len(found) + 1))


@pytest.mark.parametrize("cut", [1, 40, 80, 160])
def test_a_file_that_is_cut_off(tmp_path: Path, good: bytes, cut: int) -> None:
    assert "cut off" in refused(tmp_path, good[:-cut])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"nothing of the kind", "header is missing"),
        (b"<!DOCTYPE html><html>Page not found</html>", "a web page"),
        (b"\n<html><body>404</body></html>", "a web page"),
        (b"**COMPRESSED** **COMPRESSED** lib contrl", "CPORT"),
        (b"PK\x03\x04zip", "a zip archive"),
        (b"\x1f\x8bgzip", "gzip"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS"),
        (b"HEADER RECORD*******LIBV9   HEADER", "version 5 or 8"),
        (b"HEADER RECORD*******", "version 5 or 8"),
    ],
)
def test_what_is_something_else(tmp_path: Path, content: bytes, words: str) -> None:
    assert words in refused(tmp_path, content)


def test_flipped_bytes_are_no_traceback(tmp_path: Path, good: bytes) -> None:
    generator = np.random.default_rng(3)
    path = tmp_path / "flipped.xpt"
    refusals = 0
    for place in generator.integers(0, len(good), 150):
        flipped = bytearray(good)
        flipped[place] = int(generator.integers(256))
        path.write_bytes(bytes(flipped))
        try:
            sas_transport.read_transport(path)
        except BetapodError:
            refusals += 1
    assert 10 < refusals < 140


def test_several_tables(tmp_path: Path, good: bytes) -> None:
    second = good[240:]
    assert "several tables" in refused(tmp_path, good + second)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no-file"):
        sas_transport.read_transport(tmp_path / "none.xpt")
    with pytest.raises(ConfigError, match="no-file"):
        sas_transport.read_transport(tmp_path)


def test_version_8_without_the_package_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "eight.xpt"
    path.write_bytes(b"HEADER RECORD*******LIBV8   HEADER RECORD!!!!!!!" + b"0" * 30 + b"  ")
    monkeypatch.setitem(sys.modules, "pyreadstat", None)
    with pytest.raises(MissingExtraError, match=r"betapod\[sas\]"):
        sas_transport.read_transport(path)


def test_version_8(tmp_path: Path, good: bytes) -> None:
    pyreadstat = pytest.importorskip("pyreadstat", reason="the extra sas is not installed")
    frame = sas_transport.read_transport(tmp_path / "good.xpt")
    path = tmp_path / "eight.xpt"
    pyreadstat.write_xport(frame, str(path), file_format_version=8)
    found = sas_transport.read_transport(path)
    assert found["LBXGH"].equals(frame["LBXGH"]) and found["TXT"].tolist() == frame["TXT"].tolist()
    whole = path.read_bytes()
    for content in (whole[:-1], whole[:400], whole[:80]):
        refused(tmp_path, content)


def test_version_5_agrees_with_pyreadstat(tmp_path: Path) -> None:
    pyreadstat = pytest.importorskip("pyreadstat", reason="the extra sas is not installed")
    generator = np.random.default_rng(1)
    path = tmp_path / "five.xpt"
    for rows in (1, 2, 3, 7, 40):
        columns = {
            "A": generator.normal(size=rows).tolist(),
            "T": ["ab" * (i % 5) for i in range(rows)],
            "B": [np.nan] * rows,
        }
        xport.write(path, columns, 9)
        theirs = pyreadstat.read_xport(str(path))[0]
        mine = sas_transport.read_transport(path)
        np.testing.assert_array_equal(mine[["A", "B"]], theirs[["A", "B"]])
        assert mine["T"].tolist() == theirs["T"].tolist()


def test_a_cycle_in_version_8(tmp_path: Path) -> None:
    pyreadstat = pytest.importorskip("pyreadstat", reason="the extra sas is not installed")
    folder = cycle(tmp_path / "files", "L", "", "_L")
    five = nhanes_files.read_folder(folder)
    for path in folder.glob("*.XPT"):
        pyreadstat.write_xport(sas_transport.read_transport(path), str(path), file_format_version=8)
    assert nhanes_files.read_folder(folder).equals(five)


@pytest.mark.parametrize(("given", "cycles"), [("n3_P", {"P"}), ("n4_L", {"L"})])
def test_the_given_cases(given: str, cycles: set[str]) -> None:
    folder = Path(__file__).parents[3] / "shared" / "findings" / "cases" / "field" / "15" / given
    if not folder.is_dir():
        pytest.skip("the findings are not beside the repository")
    people = nhanes_files.read_people(folder).table
    assert set(people["cycle"]) == cycles
    assert people["sbp"].between(80, 220).all() and people["dbp"].between(30, 130).all()
