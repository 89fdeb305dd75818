"""The verb trust on the table of the package."""

from __future__ import annotations

import csv
import io
import json

from commands import carry_out

from betapod.trust import trust_making


def test_the_answer_in_json_adds_up() -> None:
    done = carry_out("trust", "--drug", "SGLT2i", "--endpoint", "albuminuria", "--by", "endpoint", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["all"]["rows"] == len(document["rows"]) == sum(part["rows"] for part in document["counts"])
    assert document["sentence"].startswith(
        f"Of {document['all']['rows']} published numbers on albuminuria under SGLT2 inhibitors"
    )
    assert {row["topic"] for row in document["rows"]} == {"albuminuria"}
    assert document["computed_with"]["seed"] == 1


def test_a_table_goes_where_it_is_asked_for() -> None:
    done = carry_out("trust", "--product", "MPC", "--csv", "-")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert (
        rows and {row["cells"] for row in rows} == {"MPC"} and {row["scenario"] for row in rows} == {"current-evidence"}
    )


def test_counts_and_the_worst_are_printed(monkeypatch) -> None:
    monkeypatch.setattr(trust_making, "program_digest", lambda: "another")
    done = carry_out("trust", "--wide", "--worst", "2")
    assert done.returncode == 0 and "What misses most" in done.stdout
    heads = [line.split()[0] for line in done.stdout.splitlines() if line[:1].isalpha()]
    assert {"treatment", "insulin", "ARB", "all"} <= set(heads)
    assert "an earlier state of the model" in done.stderr
    by = carry_out("trust", "--population", "T1D", "--by", "population", "--wide", "--worst", "0")
    assert "type 1, kidney disease" in by.stdout and "type 2" not in by.stdout
    each = carry_out("trust", "--drug", "lisinopril", "--rows", "--wide")
    assert "ACE inhibitor" in each.stdout


def test_all_that_is_wrong_is_told_at_once() -> None:
    done = carry_out("trust", "--drug", "dapaglifozin", "--by", "colour", "--population", "T3D")
    assert done.returncode == 2
    assert (
        "3 problems" in done.stderr
        and "Did you mean 'dapagliflozin'" in done.stderr
        and "evidence terms" not in done.stderr
    )


def test_nothing_of_a_kind_is_no_error() -> None:
    done = carry_out("trust", "--product", "renal-cells")
    assert done.returncode == 0 and "how far to trust it there is not known" in done.stdout.replace("\n", " ")
