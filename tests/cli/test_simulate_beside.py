"""Several runs of simulate beside each other: the same numbers as one after the other, told apart in tables, documents and pictures."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pandas as pd
import pytest
from commands import carry_out

YEARS = ("--years", "1", "--step", "0.5 year", "-O", "GFR,MAP")


def table(*words: object) -> pd.DataFrame:
    done = carry_out("simulate", "kidney", *YEARS, *words)
    assert done.returncode == 0, done.stderr
    return pd.read_csv(io.StringIO(done.stdout))


def test_a_scan_is_one_run_after_the_other() -> None:
    scanned = table("--scan", "G=5:12:3")
    assert scanned["G [mmol/L]"].unique().tolist() == [5.0, 8.5, 12.0]
    for value, part in scanned.groupby("G [mmol/L]"):
        single = table("--set", f"G={value}")
        assert part["GFR [mL/min]"].tolist() == pytest.approx(single["GFR [mL/min]"].tolist(), rel=1e-9)
        assert part["time [day]"].tolist() == single["time [day]"].tolist()


def test_scans_have_units_and_steps_of_the_logarithm_and_make_a_grid() -> None:
    scanned = table("--scan", "G=90 mg/dL:180 mg/dL:2", "--scan", "N_in=50:200:3:log")
    pairs = scanned[["G [mmol/L]", "N_in [mmol/day]"]].drop_duplicates()
    assert pairs["N_in [mmol/day]"].tolist() == pytest.approx([50, 100, 200] * 2)
    assert pairs["G [mmol/L]"].iloc[[0, -1]].tolist() == pytest.approx([4.996, 9.992], rel=1e-3)


def test_files_say_what_differs(tmp_path: Path) -> None:
    salt, blocked = tmp_path / "salt.yaml", tmp_path / "blocked.yaml"
    salt.write_text("label: much salt\nset: {N_in: 300}\n", encoding="utf-8")
    blocked.write_text('set: {N_in: 80 mmol/day}\nswitches: ["e_ARB=0.6@0.5 year"]\n', encoding="utf-8")
    both = table("--scenario", salt, "--scenario", blocked)
    assert both["scenario"].unique().tolist() == ["much salt", "blocked"]
    alone = table("--set", "N_in=80", "--switch", "e_ARB=0.6@0.5 year")
    assert both.loc[both["scenario"] == "blocked", "MAP [mmHg]"].tolist() == pytest.approx(alone["MAP [mmHg]"].tolist())
    done = carry_out("simulate", "kidney", *YEARS, "--scenario", salt, "--scenario", blocked, "--json")
    document = json.loads(done.stdout)
    assert [run["label"] for run in document["runs"]] == ["much salt", "blocked"]
    assert document["runs"][0]["inputs"]["N_in"]["value"] == 300.0
    assert document["runs"][1]["schedule"]["switches"][0]["input"] == "e_ARB"


def test_scenarios_of_cells_beside_each_other() -> None:
    words = ("simulate", "reference", "--person", "t2d_ckd", "--cells", "UC-MSC 1e6/kg iv", "--years", "0.5")
    done = carry_out(*words, "-O", "UACR", "--scenario", "none", "--scenario", "seed-claims", "--json")
    assert done.returncode == 0, done.stderr
    ends = {run["label"]: run["quantities"][0]["values"][-1] for run in json.loads(done.stdout)["runs"]}
    assert ends["seed-claims"] < 0.97 * ends["none"]


def test_a_picture_has_every_run(tmp_path: Path) -> None:
    for count in (3, 9):
        path = tmp_path / f"scan{count}.svg"
        done = carry_out("simulate", "kidney", *YEARS, "--scan", f"G=5:12:{count}", "--plot", path)
        assert done.returncode == 0, done.stderr
        numbers = pd.read_csv(tmp_path / f"scan{count}.plot.csv")
        assert numbers["run"].nunique() == count
        assert "<title" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        (("--scan", "G=5:12"), ["bad-option"]),
        (("--scan", "G=5:12:1"), ["bad-option"]),
        (("--scan", "G=0:12:3:log"), ["bad-option"]),
        (("--scan", "GG=5:12:3"), ["unknown-parameter"]),
        (("--scan", "G=5 kg:12:3"), ["wrong-unit"]),
        (("--scan", "G=5:12:3", "--scan", "G=5:6:2"), ["given-twice"]),
        (("--scan", "G=5:12:11", "--scan", "N_in=50:60:10"), ["too-many-runs"]),
        (("--scan", "G=5:12:3", "--fit-draws", "2"), ["useless-option"]),
        (("--scenario", "nowhere.yaml", "--scan", "G=5"), ["bad-option", "unreadable-file"]),
    ],
)
def test_everything_wrong_is_said_at_once(words: tuple[str, ...], kinds: list[str]) -> None:
    done = carry_out("simulate", "kidney", *YEARS, *words, "--json")
    assert done.returncode == 2
    assert sorted(problem["kind"] for problem in json.loads(done.stdout)["error"]["problems"]) == kinds


def test_a_bad_file_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "salt.yaml"
    path.write_text("lable: much salt\nset: {N_inn: 300}\n", encoding="utf-8")
    done = carry_out("simulate", "kidney", *YEARS, "--scenario", path)
    assert done.returncode == 2 and "salt.yaml:1:1" in done.stderr and "label" in done.stderr
    path.write_text("set: {N_inn: 300}\n", encoding="utf-8")
    done = carry_out("simulate", "kidney", *YEARS, "--scenario", path)
    assert done.returncode == 2 and "salt.yaml" in done.stderr and "N_in" in done.stderr
