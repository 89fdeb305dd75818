"""The verb trust on the table of the package."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from commands import carry_out
from toy_fits import finished

from betapod.calibration.fit_folder import write_fit_record
from betapod.physiology.installed_fits import list_fits, load_fit
from betapod.trust import trust_making
from betapod.trust.trust_rows import trust_rows


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


def test_a_fit_is_asked_in_place_of_the_table(tmp_path: Path) -> None:
    """Rows of a fit keep their kind; its own flags, predictions and errors decide."""
    known = [row for row in trust_rows() if row.scenario != "none"][:24]
    fit = finished()
    named = replace(fit.rows, record=tuple(row.record for row in known))
    write_fit_record(tmp_path / "fit", replace(fit, rows=named))
    done = carry_out("trust", "--fit", tmp_path / "fit", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    rows = {row["record"]: row for row in document["rows"]}
    assert set(rows) == set(named.record)
    assert [rows[name]["fitted"] for name in named.record] == named.fitted.tolist()
    # By hand: 24 ratios with an error of 0.05, the SD of the draws and SDs of 0.1 and 0.05 of what the model lacks.
    weights = np.exp(fit.log_weights) / np.exp(fit.log_weights).sum()
    mean = weights @ fit.drawn
    spread = np.sqrt(weights @ (fit.drawn - mean) ** 2)
    for k, name in enumerate(named.record):
        error = math.hypot(0.05, spread[k])
        assert math.isclose(rows[name]["z"], (named.observed[k] - fit.after[k]) / error, rel_tol=1e-2)
        assert math.isclose(rows[name]["predicted"], math.exp(fit.after[k]), rel_tol=1e-6)
        assert rows[name]["width_all"] > rows[name]["width"] and abs(rows[name]["z_all"]) < abs(rows[name]["z"])
    assert {row["topic"] for row in document["rows"]} == {row.topic for row in known}


def test_without_a_fit_the_numbers_are_those_before_it() -> None:
    """Of each number the record has a prediction before the fit; no part of its interval is due to parameters then."""
    record = load_fit(list_fits()[0])
    done = carry_out("trust", "--fit", "none", "--json")
    assert done.returncode == 0, done.stderr
    rows = {row["record"]: row for row in json.loads(done.stdout)["rows"]}
    known = [k for k, name in enumerate(record.rows["record"]) if name in rows]
    assert len(known) == len(rows) > 400
    inside = [bool(record.rows["inside_before"][k]) for k in known]
    same = [rows[record.rows["record"][k]]["inside"] == was for k, was in zip(known, inside, strict=True)]
    assert np.mean(same) > 0.98
    assert carry_out("trust", "--json").stdout != done.stdout
    assert "hand-tuned values, before the fit" in carry_out("trust", "--fit", "none").stderr


def test_a_fit_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert "unknown-fit" in carry_out("trust", "--fit", "1999.1").stderr
    assert "no-fit" in carry_out("trust", "--fit", tmp_path).stderr
    write_fit_record(tmp_path / "toy", finished())
    done = carry_out("trust", "--fit", tmp_path / "toy")
    assert done.returncode == 2 and "no-rows" in done.stderr
