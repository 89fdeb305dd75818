"""The whole scorecard once: printed numbers of the specifications, known failures as failures, reports, picture, command line."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path

import pytest

from betapod.base.errors import ConfigError, ModelError
from betapod.validation.scorecard import kidney_trials
from betapod.validation.scorecard.scorecard import NOT_ADDRESSED, Score, Scorecard, run_scorecard
from betapod.validation.scorecard.scorecard_text import csv_text, full_report, misses
from betapod.validation.scorecard.targets import select_targets


@pytest.fixture(scope="module")
def card() -> Scorecard:
    return run_scorecard(select_targets())


@pytest.fixture(scope="module")
def scores(card: Scorecard) -> dict[str, Score]:
    return {score.target.key: score for score in card.scores}


def test_every_target_has_a_score(card: Scorecard) -> None:
    assert [score.target for score in card.scores] == list(select_targets())
    for score in card.scores:
        assert (score.status == NOT_ADDRESSED) == (score.model is None) == (not score.target.addressed)


def test_every_simulated_number_is_a_number(card: Scorecard) -> None:
    assert [s.target.key for s in card.scores if s.model is not None and not math.isfinite(s.model)] == []


#: Failures that the specifications own up to, and what they are.
KNOWN = {
    "kidney/V9f": "too little glucose in the urine of healthy people on an SGLT2 inhibitor",
    "kidney/V10a": "natriuretic peptide rises too little in type 1 diabetes",
    "kidney/V16b": "SGLT2 inhibitors lower hyperfiltration too little",
    "kidney/V31b": "micro- to macroalbuminuria too fast",
    "kidney/V31e": "too much macroalbuminuria at 10 years",
    "kidney/V31f": "too much renal failure at 10 years",
    "kidney/V33a": "normoalbuminuric slope too slow",
    "kidney/V33b": "microalbuminuric slope too slow",
    "kidney/V33c": "macroalbuminuric slope too slow",
    "kidney/V54c": "albuminuria 10 years after a pancreas transplant too high",
    "kidney/V56a": "too little filtration is left after donating a kidney",
    "metabolism/V-05a": "fasting C-peptide of impaired glucose tolerance too high",
    "metabolism/V-11c": "hepatic response too steep in glucose",
    "metabolism/V-14b": "half a pancreas tolerates glucose too well",
    "metabolism/V-14d": "half a pancreas secretes too much",
    "metabolism/V-24b": "metformin prevents diabetes far too well",
    "metabolism/V-25e": "no trap of glucotoxicity for insulin to open",
    "metabolism/V-32b": "C-peptide of new type 1 diabetes falls too fast in the second year",
    "metabolism/V-36b": "graft secretes too early",
    "metabolism/V-49a": "C-peptide rises too little in kidney disease",
    "metabolism/V-51a": "deficit of beta-cell mass in prediabetes too small",
    "cells/V24": "sensitivity at week 48 a little too low",
}


@pytest.mark.parametrize("key", KNOWN)
def test_a_known_failure_is_shown_as_one(key: str, scores: dict[str, Score]) -> None:
    assert scores[key].status in ("near", "miss")


#: Numbers of set-ups that the specifications describe, as the model prints them under the newest fit, and a tolerance.
PRINTED = [
    ("kidney/V12a", 9.22, 0.02),
    ("kidney/V12b", -6.45, 0.02),
    ("kidney/V12d", 210.8, 1.2),
    ("kidney/V43d", 441.8, 0.6),
    ("kidney/V45b", 0.216, 0.001),
    ("kidney/V54a", 151.6, 0.6),
    ("kidney/V54b", 99.1, 0.5),
    ("kidney/V54c", 36.1, 0.2),
    ("kidney/V54e", 67.9, 0.4),
    ("kidney/V54f", 57.9, 0.3),
    ("kidney/V54h", 518.2, 0.6),
    ("kidney/V54i", 504.8, 0.6),
    ("kidney/V54j", 415.4, 0.6),
    ("kidney/V54o", 0.374, 0.001),
    ("kidney/V54p", 0.281, 0.001),
    ("kidney/V31d", 13.5, 0.5),
    ("kidney/V31e", 7.4, 0.4),
    ("kidney/V31f", 1.76, 0.2),
    ("kidney/V33a", -1.75, 0.02),
    ("kidney/V33b", -2.16, 0.02),
    ("metabolism/V-01a", 5.27, 0.03),
    ("metabolism/V-04b", 2.42, 0.006),
    ("metabolism/V-08c", 65.4, 0.6),
    ("metabolism/V-10a", 8.3, 0.06),
    ("metabolism/V-11c", -1.01, 0.006),
    ("metabolism/V-14d", 0.84, 0.006),
    ("metabolism/V-15a", 7.62, 0.01),
    ("metabolism/V-16a", 6.84, 0.01),
    ("metabolism/V-27", -0.83, 0.01),
    ("metabolism/V-28a", -1.42, 0.01),
    ("metabolism/V-31a", 7.16, 0.015),
    ("metabolism/V-31b", 9.10, 0.01),
    ("metabolism/V-32a", -0.0304, 0.0001),
    ("metabolism/V-32b", -0.0176, 0.0001),
    ("metabolism/V-42b", -0.13, 0.006),
    ("metabolism/V-42d", -0.21, 0.006),
    ("metabolism/V-46b", -16.0, 0.6),
    ("metabolism/V-46c", -40.7, 0.6),
    ("metabolism/V-48", 5.87, 0.01),
    ("cells/V2", 3.7, 0.06),
    ("cells/V3a", 1.9, 0.06),
    ("cells/V41", 11.5, 0.01),
]


@pytest.mark.parametrize(("key", "printed", "tolerance"), PRINTED)
def test_printed_numbers_are_reproduced(key: str, printed: float, tolerance: float, scores: dict[str, Score]) -> None:
    assert scores[key].model == pytest.approx(printed, abs=tolerance)


def test_printed_slopes_of_the_trial_patient() -> None:
    found = kidney_trials.sglt2_ckd()
    assert found["GFR_slope_control"] == pytest.approx(-5.382, rel=0.005)
    assert found["GFR_slope_treated"] == pytest.approx(-2.873, rel=0.01)
    assert found["dGFR_1mo"] == pytest.approx(-2.104, abs=0.02)
    first = kidney_trials.arb_ckd()
    assert (first["slope_control"], first["slope_treated"]) == pytest.approx((-6.419, -5.357), rel=0.005)
    assert kidney_trials.mra_ckd()["GFR_slope_treated"] == pytest.approx(-4.059, rel=0.005)


def test_counts_add_up_and_keep_uses_apart(card: Scorecard) -> None:
    counts = card.counts()
    assert sum(sum(cell.values()) for cell in counts.values()) == len(card.scores)
    assert {group for _, group in counts} == {"fit", "validation", "input", "memory"}


def test_misses_come_worst_first(card: Scorecard) -> None:
    found = misses(card)
    sizes = [abs(s.verdict.size) for s in found if s.verdict is not None and math.isfinite(s.verdict.size)]
    assert sizes == sorted(sizes, reverse=True)
    assert all(s.target.counts and s.status in ("near", "miss") for s in found)


def test_csv_is_read_back(card: Scorecard) -> None:
    rows = list(csv.DictReader(io.StringIO(csv_text(card))))
    assert len(rows) == len(card.scores)
    first = next(row for row in rows if row["id"] == "V16b")
    assert (first["verdict"], first["use"], float(first["target"])) == ("miss", "fit", -19.0)
    assert all(bool(row["model"]) != bool(row["reason"]) for row in rows)


@pytest.mark.parametrize("width", [80, 200])
def test_report_names_every_row_and_prints_the_rule(card: Scorecard, width: int) -> None:
    from rich.console import Console

    console = Console(width=width, file=io.StringIO())
    console.print(full_report(card, verbose=True))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    for score in card.scores:
        assert score.target.id in text
    assert "half-width on the model's side" in " ".join(text.split())


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_picture(card: Scorecard, tmp_path: Path, ending: str) -> None:
    from betapod.validation.scorecard.scorecard_figure import draw_scorecard

    part = Scorecard(card.scores[:40], card.seconds)
    draw_scorecard(part, tmp_path / f"card.{ending}")
    assert (tmp_path / f"card.{ending}").stat().st_size > 10_000


def test_picture_of_nothing_and_in_no_format(card: Scorecard, tmp_path: Path) -> None:
    from betapod.validation.scorecard.scorecard_figure import draw_scorecard

    with pytest.raises(ConfigError, match="nothing-to-draw"):
        draw_scorecard(Scorecard((), 0.0), tmp_path / "a.png")
    with pytest.raises(ConfigError, match="unknown-format"):
        draw_scorecard(card, tmp_path / "a.xyz")
    assert list(tmp_path.iterdir()) == []


def test_a_row_that_asks_for_a_missing_number_is_refused() -> None:
    from dataclasses import replace

    (target,) = select_targets(ids=["kidney/V1a"])
    with pytest.raises(ModelError, match="unknown-number"):
        run_scorecard([replace(target, procedure="healthy_nominal.GRF")])
    with pytest.raises(ModelError, match="unknown-procedure"):
        run_scorecard([replace(target, procedure="healthy_nominl.GFR")])


def command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> tuple[int, str, str]:
    from betapod.cli.main import main

    monkeypatch.setattr("sys.argv", ["betapod", "validate", *arguments])
    with pytest.raises(SystemExit) as done:
        main()
    return int(done.value.code or 0), *capsys.readouterr()


def test_command_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, _ = command(capsys, monkeypatch, "--id", "kidney/V56", "--json")
    document = json.loads(out)
    assert code == 0  # a miss is a result
    assert [row["id"] for row in document["targets"]] == ["V56a", "V56b", "V56c"]
    assert document["targets"][0]["verdict"] == "miss"
    assert document["targets"][1]["low"] is None
    assert document["counts"] == [{"organ": "kidney", "rows": "fit", "miss": 1, "inside": 2}]


def test_command_table_and_csv(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "card.csv"
    code, out, err = command(capsys, monkeypatch, "--organ", "kidney", "--id", "V56", "-v", "--csv", str(path))
    assert code == 0
    assert "kidney donor" in out and "set-up" in out and "miss" in out
    assert path.read_text(encoding="utf-8").count("\n") == 4 and "3 rows" in err


def test_command_with_an_unknown_target(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = command(capsys, monkeypatch, "--id", "V161", "--organ", "kidny")
    assert (code, out) == (2, "")
    assert "unknown-target" in err and "unknown-organ" in err
