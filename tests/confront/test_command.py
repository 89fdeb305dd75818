"""The verb confront as a user runs it, and its figure."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from betapod.cli_confront import register

typer = pytest.importorskip("typer")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BETAPOD_CACHE", str(tmp_path / "cache"))
    app = typer.Typer()
    register(app)
    app.callback()(lambda: None)
    return lambda *words: CliRunner().invoke(app, ["confront", "-n", "8", *words])


def test_table_figure_and_csv(run, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    table, figure = tmp_path / "rows.csv", tmp_path / "z.png"
    done = run("--study", "PACKHAM2016", "--claim", "none", "--csv", str(table), "--figure", str(figure), "--rows")
    assert done.exit_code == 0, done.output
    assert "6 rows simulated, 13 not" in done.output
    with table.open(newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["record"] for row in found] == [f"PACKHAM2016#{k}" for k in (1, 2, 3, 4, 7, 10)]
    assert {row["setting"] for row in found} == {"none"}
    assert figure.stat().st_size > 5_000


def test_json_has_predictions_and_refusals(run) -> None:
    done = run("--study", "PACKHAM2016", "--claim", "none", "--json")
    document = json.loads(done.stdout)
    assert len(document["predictions"]) == 6
    assert len(document["refused"]) == 13


def test_tissue_counts_and_worst_rows(run) -> None:
    done = run("--study", "PACKHAM2016", "--claim", "seed-claims", "--tissue", "--worst", "2", "--refused")
    assert done.exit_code == 0, done.output
    assert "autops" not in done.output
    assert "beta cells of" in " ".join(done.output.split())
    assert "an entry criterion" in " ".join(done.output.split())
    counted = run("--study", "PACKHAM2016", "--claim", "seed-claims", "--by", "endpoint")
    assert "mGFR" in counted.output


def test_unknown_names_are_errors(run) -> None:
    done = run("--study", "PACKHAM2017")
    assert done.exit_code != 0
    assert "PACKHAM2016" in str(done.exception)
    done = run("--claim", "seed-claim")
    assert "seed-claims" in str(done.exception)
