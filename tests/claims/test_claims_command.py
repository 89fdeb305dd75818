"""The verb claims, as users run it; once as a process of its own."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from commands import Done, carry_out

from betapod.claims.claim_parameters import choose_fit


def run(*arguments: str) -> Done:
    return carry_out("claims", *arguments)


def test_list_as_json() -> None:
    command = [sys.executable, "-m", "betapod", "claims", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["claims"]
    assert len(rows) == 50
    assert all(row["rule"] and row["because"] and row["leverage"] for row in rows)


def test_only_one_status() -> None:
    done = run("--status", "contradicted", "--no-model", "--json")
    rows = json.loads(done.stdout)["claims"]
    assert rows and {row["verdict"] for row in rows} == {"contradicted"}


@pytest.mark.parametrize(
    ("arguments", "words"), [(("show", "A44"), "unknown-claim"), (("--status", "true"), "unknown-status")]
)
def test_bad_input(arguments: tuple[str, ...], words: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2 and words in done.stderr


def test_show_prints_the_rule() -> None:
    done = run("show", "B20")
    assert done.returncode == 0, done.stderr
    assert "rule" in done.stdout and "vegetable_weight" in done.stdout and "SOY_NMA2023" in done.stdout


@pytest.mark.parametrize("option", [("--overlay", "mine.csv"), ("--json",), ("--no-model",), ("--status", "supported")])
def test_an_option_before_show_is_refused_and_not_ignored(option: tuple[str, ...]) -> None:
    done = run(*option, "show", "A12")
    assert done.returncode == 2 and f"{option[0]} stands before 'show'" in done.stderr


def test_everything_that_is_wrong_is_said_at_once() -> None:
    done = run("show", "A1", "B10", "--status", "refuted", "--overlay", "none.csv")
    assert done.returncode == 2 and "4 problems" in done.stderr
    assert "Did you mean 'A01'?" in done.stderr and "'B10a' or 'B10b'" in done.stderr


def test_show_prints_what_a_claim_requires_and_how_sure_an_answer_is() -> None:
    done = run("show", "B10b", "--no-model")
    assert "needs at least 3; certainty very low" in done.stdout


def test_rows_of_ones_own_that_no_claim_asks_are_named(tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text(
        "study_id,citation,population,design,arm,product,n,endpoint,timepoint_weeks,statistic,value,unit,quote,tag\n"
        "NEW2026,A trial,DKD; adults,RCT; double-blind,UC-MSC,UC-MSC,200,eGFR,52,diff_vs_control,9,mL/min/1.73m2,q,seen\n"
        "NEW2026,A trial,DKD; adults,RCT; double-blind,UC-MSC,UC-MSC,200,SBP,52,diff_vs_control,9,mmHg,q,seen\n",
        encoding="utf-8",
    )
    done = run("show", "B10b", "--no-model", "--overlay", str(table))
    assert "adds NEW2026#1, NEW2026#2" in done.stderr and "no claim asks NEW2026#2" in done.stderr
    assert "NEW2026#1 is asked by B10b" in done.stderr and "NEW2026#1 not used: no dispersion was read" in done.stderr
    document = json.loads(run("show", "B10b", "--no-model", "--json", "--overlay", str(table)).stdout)
    assert document["overlaid"] == [f"{table}: adds NEW2026#1, NEW2026#2"]
    assert any(text.startswith("eGFR with ") for text in document["claims"][0]["asks_of_new_studies"])
    page = tmp_path / "ledger.html"
    assert run("page", str(page), "--overlay", str(table)).returncode == 0
    assert "own tables override or extend them" in page.read_text(encoding="utf-8")


def test_a_page_is_written_whole_or_refused(tmp_path: Path) -> None:
    done = run("page", str(tmp_path / "none" / "ledger.pdf"))
    assert done.returncode == 2 and "unknown-format" in done.stderr and "there is no folder" in done.stderr


def test_into_a_pipe_claims_are_csv() -> None:
    rows = list(csv.DictReader(io.StringIO(run("--no-model", "--status", "contradicted").stdout)))
    assert [row["id"] for row in rows] and {row["verdict"] for row in rows} == {"contradicted"}
    assert all(row["claim"] and row["because"] and row["certainty"] for row in rows)


def test_claims_are_searched_by_words_in_any_order_and_case() -> None:
    rows = list(csv.DictReader(io.StringIO(run("--no-model", "--search", "BETA repair").stdout)))
    assert {"A05", "B07"} <= {row["id"] for row in rows} and len(rows) < 20
    # Studies that an answer rests on are words of the claim, too.
    cited = csv.DictReader(io.StringIO(run("--no-model", "--search", "hsc_beta2007").stdout))
    assert "B07" in {row["id"] for row in cited}


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("beta cells", "betapod claims --search 'beta cells'"),
        ("a01", "betapod claims show a01"),
        ("shwo", "Did you mean 'show'?"),
    ],
)
def test_words_that_are_no_verb_are_searched_for(words: str, hint: str) -> None:
    """F18: `betapod claims 'beta cells'` said only that there is no such command."""
    done = run(words)
    assert done.returncode == 2 and "unknown-verb" in done.stderr and hint in done.stderr


def test_diff_shows_only_what_ones_own_table_moved(tmp_path: Path) -> None:
    """F16: the table of claims was the same to the byte, and only `diff` of two print-outs found what had moved."""
    table = tmp_path / "mine.csv"
    table.write_text(
        "study_id,citation,population,design,arm,product,n,endpoint,timepoint_weeks,statistic,value,dispersion,dispersion_type,unit,quote,tag\n"
        "NEW2026,A trial,T2D; adults,RCT; double-blind,UC-MSC,UC-MSC,200,HbA1c,52,diff_vs_control,-1.5,0.15,SE,%,q,seen\n",
        encoding="utf-8",
    )
    done = run("--no-model", "--overlay", str(table), "--diff")
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(done.stdout))}
    assert set(rows) == {"A09", "A11", "A12"} and "no verdict changed" in done.stderr
    assert rows["A12"]["your records"] == "NEW2026#1"
    assert rows["A12"]["before"].startswith("against; -0.468 (") and rows["A12"]["now"].startswith("open; -0.829 (")
    alone = run("--diff")
    assert alone.returncode == 2 and "Give one with --overlay" in alone.stderr


def test_a_file_that_is_there_is_refused_before_anything_is_simulated(tmp_path: Path) -> None:
    there = tmp_path / "mine.json"
    there.write_text("{}", encoding="utf-8")
    done = run("simulate", "--out", str(there))
    assert done.returncode == 2
    assert "--force" in done.stderr
    assert there.read_text(encoding="utf-8") == "{}"


def test_what_is_wrong_with_a_fit_is_said_with_the_rest() -> None:
    done = run("--fit", "2999.1", "--fit-draws", "99", "--no-model", "--status", "true")
    assert done.returncode == 2 and "4 problems" in done.stderr
    for words in ("unknown-fit", "out-of-range", "--no-model simulates nothing", "unknown-status"):
        assert words in done.stderr, words
    before = run("--fit-draws", "0", "show", "A12")
    assert before.returncode == 2 and "--fit-draws stands before 'show'" in before.stderr
    for verb in (("contest",), ("simulate",), ("targets",), ("page", "ledger.html")):
        refused = run(*verb, "--fit", "2999.1")
        assert refused.returncode == 2 and "unknown-fit" in refused.stderr, verb


def test_the_document_says_which_fit_is_behind_it() -> None:
    fit = choose_fit()
    assert json.loads(run("show", "B20", "--json").stdout)["fit"] == {"name": fit.fit, "draws": fit.draws}
