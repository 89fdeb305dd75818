"""The verbs sensitivity and identify on the command line: tables, documents, pictures, and errors."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import carry_out

import betapod
from betapod.base.errors import ConfigError

TOPP = ("topp2000", "--vary", "all", "-O", "beta_mass", "--years", "1")


def document(*words: str) -> dict:
    done = carry_out(*words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_indices_as_document_table_and_csv() -> None:
    result = document("sensitivity", "indices", *TOPP, "--runs", "30000")
    assert result["method"] == "sobol" and result["settled"] is True and result["runs"] <= 30000
    first = result["indices"][0]
    # Nothing else has a share.
    assert first["player"] == "beta_mass_start" and first["total"] == pytest.approx(1.0, abs=0.05)
    assert first["total high"] - first["total low"] <= 2 * 0.025
    assert {row["player"] for row in result["indices"]} == {row["name"] for row in result["numbers"]}
    table = pd.read_csv(io.StringIO(carry_out("sensitivity", "indices", *TOPP, "--runs", "30000").stdout))
    assert table["player"].tolist() == [row["player"] for row in result["indices"]]
    assert table["total"].tolist() == pytest.approx([row["total"] for row in result["indices"]], rel=1e-8, abs=1e-12)
    text = carry_out("sensitivity", "indices", *TOPP, "--runs", "30000", "--wide").stdout
    assert "beta_mass_start" in text and "±" in text and "sobol" in text


@pytest.mark.parametrize("method", ["shapley", "morris", "dgsm", "prcc", "pawn"])
def test_every_method_puts_the_start_of_the_mass_first(method: str) -> None:
    result = document("sensitivity", "indices", *TOPP, "--method", method, "--runs", "1500")
    assert result["indices"][0]["player"] == "beta_mass_start"
    assert result["outputs"][0]["unit"] == "mg"
    text = carry_out("sensitivity", "indices", *TOPP, "--method", method, "--runs", "1500", "--wide").stdout
    assert result["measure"] in text


def test_groups_by_grade_and_submodel() -> None:
    words = ("sensitivity", "indices", "kidney", "-O", "GFR", "--years", "1", "--runs", "500")
    grades = document(*words, "--by", "grade")
    assert {row["player"] for row in grades["indices"]} <= set("ABCD")
    assert sum(row["numbers"] for row in grades["indices"]) == len(grades["numbers"])
    shares = document(*words, "--by", "submodel", "--method", "shapley")
    assert sum(row["Shapley"] for row in shares["indices"]) == pytest.approx(1.0)
    claims = document(*words, "--by", "claim")
    assert "no claim" in {row["player"] for row in claims["indices"]}


def test_what_two_numbers_decide_together() -> None:
    words = ("sensitivity", "indices", *TOPP, "--runs", "1000", "--pairs")
    result = document(*words)
    count = len(result["numbers"])
    assert len(result["pairs"]) == count * (count - 1) // 2
    assert abs(result["pairs"][0]["second-order"]) < 0.2
    assert "second-order" in carry_out(*words, "--wide").stdout


def test_outputs_count_on_their_scale() -> None:
    words = (
        "sensitivity",
        "indices",
        "kidney",
        "-O",
        "UACR,GFR",
        "--vary",
        "xi,GFR0",
        "--years",
        "1",
        "--runs",
        "1024",
    )
    observed = document(*words)
    assert [output["scale"] for output in observed["outputs"]] == ["log", "linear"]
    assert "of its logarithm" in carry_out(*words, "--wide").stdout
    ranks = document(*words, "--scale", "rank")
    assert [output["scale"] for output in ranks["outputs"]] == ["rank", "rank"]
    assert ranks["indices"][0]["total"] != observed["indices"][0]["total"]
    # Ranks are those of the same runs, which are not computed again; a change has no logarithm.
    assert [output["mean"] for output in ranks["outputs"]] == [output["mean"] for output in observed["outputs"]]
    done = carry_out(*words, "--summary", "change", "--scale", "log")
    assert done.returncode == 2 and "no-logarithm" in done.stderr and "rank" in done.stderr


def test_correlated_numbers(tmp_path: Path) -> None:
    model = tmp_path / "pair.txt"
    model.write_text(
        "A(0) = a [mg] first\ndA/dt = -A/tau [mg/day] loss\nB(0) = b [mg] second\ndB/dt = -B/tau [mg/day] loss\n",
        encoding="utf-8",
    )
    head = "id,label,value,unit,low,high,distribution,role,source,locator,grade,note\n"
    rows = "a,first,1,mg,0,2,fixed,assumed,,,D,\nb,second,1,mg,0,2,fixed,assumed,,,D,\ntau,time,5,day,,,fixed,assumed,,,D,\n"
    model.with_suffix(".csv").write_text(head + rows, encoding="utf-8")
    table = tmp_path / "together.csv"
    table.write_text("row_a,row_b,rho,source,grade,note\na,b,0.8,,D,invented\n", encoding="utf-8")
    words = ("sensitivity", "indices", str(model), "--vary", "all", "-O", "A", "--duration", "3", "--runs", "12000")
    words = (*words, "--correlations", str(table))
    shares = {row["player"]: row["Shapley"] for row in document(*words, "--method", "shapley")["indices"]}
    # What does nothing itself tells of what it goes with: half of the squared correlation of the ranks.
    assert shares["b"] == pytest.approx(0.5 * (6 / np.pi * np.arcsin(0.4)) ** 2, abs=0.03)
    done = carry_out(*words)
    assert done.returncode == 2 and "no-correlations" in done.stderr and "shapley" in done.stderr


def test_pictures_are_drawn_with_their_numbers(tmp_path: Path) -> None:
    bars, tornado = tmp_path / "bars.svg", tmp_path / "tornado.svg"
    assert carry_out("sensitivity", "indices", *TOPP, "--runs", "1000", "--plot", bars).returncode == 0
    assert carry_out("sensitivity", "local", *TOPP, "--plot", tornado).returncode == 0
    for path in (bars, tornado):
        text = path.read_text(encoding="utf-8")
        assert "<title" in text and "beta_mass_start" in text
    numbers = pd.read_csv(tmp_path / "tornado.plot.csv")
    assert numbers.loc[0, "number"] == "beta_mass_start" and numbers.loc[0, "at_low"] < numbers.loc[0, "at_high"]


def test_local_sensitivities_of_a_treatment_are_of_what_the_cells_do() -> None:
    words = (
        "sensitivity",
        "local",
        "reference",
        "--vary",
        "Emax_end,kon_A",
        "-O",
        "capillary_density",
        "--years",
        "0.5",
    )
    cells = ("--person", "t2d_ckd", "--cells", "UC-MSC 1e6/kg iv")
    effect = {row["number"]: row for row in document(*words, *cells, "--effect")["sensitivities"]}
    whole = {row["number"]: row for row in document(*words, *cells)["sensitivities"]}
    # Cells do little: what halves their effect hardly moves the whole.
    assert effect["Emax_end"]["base"] == pytest.approx(0.0, abs=0.01) and whole["Emax_end"]["base"] > 0.1
    assert effect["Emax_end"]["elasticity"] > 0.1 > 5.0 * abs(whole["Emax_end"]["elasticity"])


def test_identify_says_what_measurements_tell() -> None:
    result = document("identify", *TOPP)
    rows = {row["number"]: row for row in result["numbers"]}
    assert rows["beta_mass_start"]["contraction"] > 0.5 > rows["glucose_start"]["contraction"]
    assert any("cannot be told" in line for line in result["in_words"])
    exact = document("identify", *TOPP, "--error", "beta_mass=1 %")
    assert exact["numbers"][0]["contraction"] > result["numbers"][0]["contraction"]
    table = betapod.identify_numbers(
        betapod.load_model("topp2000"), ["beta_mass"], ["all"], years=1, error={"beta_mass": 0.01}
    )
    assert table["number"].tolist() == [row["number"] for row in exact["numbers"]]
    assert table["contraction"].tolist() == [row["contraction"] for row in exact["numbers"]]


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        (("indices", "topp2000", "--vary", "beta_mas_start", "-O", "glucos"), ["unknown-name", "unknown-parameter"]),
        (("indices", *TOPP, "--method", "sobel"), ["unknown-method"]),
        (("indices", *TOPP, "--by", "grade", "--method", "pawn"), ["no-groups"]),
        (("indices", *TOPP, "--summary", "ends"), ["unknown-summary"]),
        (("indices", *TOPP, "--scale", "logs", "--pairs", "--method", "prcc"), ["no-pairs", "unknown-scale"]),
        (("indices", *TOPP, "--effect"), ["no-cells"]),
        (("indices", *TOPP, "--plot", "bars.gif"), ["unknown-format"]),
        (("indices", "topp2000", "-O", "glucose"), ["nothing-to-vary"]),
        (("local", *TOPP, "--grade", "E"), ["unknown-grade"]),
        (("claims", "A06", "--grade", "d"), ["unknown-grade"]),
        (("claims", "A0"), ["unknown-claim"]),
    ],
)
def test_bad_input_is_refused_by_name(words: tuple[str, ...], kinds: list[str]) -> None:
    done = carry_out("sensitivity", *words, "--json")
    assert done.returncode == 2
    problems = json.loads(done.stdout)["error"]["problems"]
    assert sorted(problem["kind"] for problem in problems) == kinds


def test_identify_gives_profiles() -> None:
    words = ("identify", *TOPP, "--error", "5 %", "--profile", "beta_mass_start,glucose_start")
    result = document(*words)
    told = {row["number"]: row for row in result["profiles"]}
    assert told["beta_mass_start"]["told"] == "told from both sides"
    assert told["glucose_start"]["told"] == "cannot be told from the evidence"
    assert told["beta_mass_start"]["low"] < told["beta_mass_start"]["value"] < told["beta_mass_start"]["high"]
    assert len(result["curves"]) == 2 * 17
    model, names = betapod.load_model("topp2000"), ["beta_mass_start", "glucose_start"]
    curves = betapod.likelihood_profiles(model, ["beta_mass"], names, ["all"], years=1, error="5 %")
    assert curves["misfit"].tolist() == [row["misfit"] for row in result["curves"]]
    assert curves.groupby("number")["told"].first().to_dict() == {name: told[name]["told"] for name in names}
    assert curves["low"].iloc[0] == told["beta_mass_start"]["low"] and curves["low"].isna().sum() == 17
    text = carry_out(*words, "--wide").stdout
    assert "cannot be told from the evidence" in text and "profile likelihood" in text
    assert carry_out("identify", *TOPP, "--profile", "beta_mas_start").returncode == 2


@pytest.mark.parametrize("text", ["none", "-5 %", "glucos=3 %", "beta_mass=x"])
def test_errors_of_measurements_are_read(text: str) -> None:
    done = carry_out("identify", *TOPP, "--error", text)
    assert done.returncode == 2
    assert "measure" in done.stderr


def test_errors_of_measurements_are_refused_in_python_too() -> None:
    model = betapod.load_model("topp2000")
    with pytest.raises(ConfigError, match="'insulin' is not measured") as refused:
        betapod.identify_numbers(model, ["beta_mass", "glucose"], ["all"], error={"beta_mass": "none", "insulin": 0.1})
    assert refused.value.kinds == ("unknown-name", "bad-option", "bad-option")
