"""The verb confront as a user runs it, and its figure."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

import pytest
from programs import shared_programs
from rich.console import Console
from typer.testing import CliRunner

from betapod.cli.verbs.confront import _bar, register
from betapod.evidence.records import registry
from betapod.validation.predictions import studies

typer = pytest.importorskip("typer")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache that begins empty; what one test of any worker has computed, the next need not."""
    return shared_programs(tmp_path_factory)


@pytest.fixture
def run(cache: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BETAPOD_CACHE", str(cache))
    app = typer.Typer()
    register(app)
    app.callback()(lambda: None)
    return lambda *words: CliRunner().invoke(app, ["confront", "-n", "8", "--fit-draws", "2", *words])


def test_table_figure_page_and_csv(run, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    table, figure, page = tmp_path / "rows.csv", tmp_path / "z.png", tmp_path / "page.html"
    study = ["--study", "PACKHAM2016", "--scenario", "none"]
    done = run(*study, "--csv", str(table), "--figure", str(figure), "--page", str(page), "--rows")
    assert done.exit_code == 0, done.output
    can, cannot = studies.sort(registry.load_registry().select(study=["PACKHAM2016"], tag=None))
    assert can and f"{len(can)} rows simulated, {len(cannot)} not" in done.output
    with table.open(newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["record"] for row in found] == [record.id for record in can]
    assert {row["scenario"] for row in found} == {"none"}
    for picture in (figure, tmp_path / "z-families.png"):
        assert picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_size > 5_000
    assert "PACKHAM2016#1" in (tmp_path / "z.plot.csv").read_text(encoding="utf-8")
    assert "8 virtual people per cohort, seed 1" in page.read_text(encoding="utf-8")
    assert "only those of study PACKHAM2016." in page.read_text(encoding="utf-8")
    assert "laid over" not in page.read_text(encoding="utf-8")
    assert run(*study, "--figure", str(tmp_path / "z.pdf")).exit_code == 0
    assert (tmp_path / "z.pdf").read_bytes().startswith(b"%PDF-")


def test_counts_on_the_terminal(run) -> None:
    done = run("--study", "PACKHAM2016", "--scenario", "seed-claims")
    assert done.exit_code == 0, done.output
    lines = {line.split()[0]: line.split() for line in done.output.splitlines() if line.strip()}
    assert lines["treatment"][1:3] == ["rows", "inside"] and lines["scenario"] == ["scenario", "seed-claims"]
    rows, inside = (int(text) for text in lines["cells"][1:3])
    assert rows == len(lines["cells"][-1]) and inside == lines["cells"][-1].count("=")
    assert int(lines["all"][1]) >= rows >= 2


def test_bars_have_a_letter_for_whatever_there_is() -> None:
    assert _bar(1, 0, 2, 3) == "<>>"
    assert _bar(1, 98, 0, 240) == "<" + 10 * "="
    assert _bar(0, 0, 0, 5) == ""


def test_json_has_predictions_and_refusals(run) -> None:
    done = run("--study", "PACKHAM2016", "--scenario", "none", "--json")
    document = json.loads(done.stdout)
    assert {"sd_chance", "sd_parameters", "sd_studies"} <= set(document["predictions"][0])
    assert len(document["predictions"]) + len(document["refused"]) == 19
    assert {row["study"] for row in document["predictions"]} == {"PACKHAM2016"}


def test_tissue_counts_and_worst_rows(run) -> None:
    done = run("--study", "PACKHAM2016", "--scenario", "seed-claims", "--tissue", "--worst", "2", "--refused")
    assert done.exit_code == 0, done.output
    assert "autops" not in done.output
    assert "beta cells of" in " ".join(done.output.split())
    assert "an entry criterion" in " ".join(done.output.split())
    counted = run("--study", "PACKHAM2016", "--scenario", "seed-claims", "--by", "endpoint")
    assert "mGFR" in counted.output


def test_rows_that_bear_on_a_claim(run) -> None:
    done = run("--claim", "B20", "--scenario", "none", "--json")
    document = json.loads(done.stdout)
    studies = {row["study"] for row in document["predictions"]}
    assert studies == {"AZADBAKHT2008"}
    assert len(document["predictions"]) >= 1
    assert len(document["predictions"]) + len(document["refused"]) < 20
    assert "B20" in str(run("--claim", "B200").exception)


def test_unknown_names_are_errors(run) -> None:
    done = run("--study", "PACKHAM2017")
    assert done.exit_code != 0
    assert "PACKHAM2016" in str(done.exception)
    done = run("--scenario", "seed-claim")
    assert "seed-claims" in str(done.exception)
    done = run("--by", "familly")
    assert "family" in str(done.exception)


def test_everything_that_is_wrong_is_said_at_once_and_nothing_is_written(run, tmp_path: Path) -> None:
    files = ["--csv", str(tmp_path / "none" / "rows.csv"), "--figure", str(tmp_path / "z.gif"), "--page", str(tmp_path)]
    names = ["--scenario", "seed-claim", "--by", "familly", "--claim", "B200", "--study", "PACKHAM2017"]
    error = run(*names, *files, "--overlay", str(tmp_path / "mine.csv")).exception
    kinds = [
        "unknown-scenario",
        "bad-option",
        "cannot-write",
        "unknown-format",
        "unknown-format",
        "cannot-write",
    ]
    assert list(error.kinds) == [*kinds, "unknown-claim", "unreadable-file"]
    same = ["--csv", str(tmp_path / "x.html"), "--page", str(tmp_path / "x.html")]
    assert "the same file" in str(run("--study", "PACKHAM2016", *same).exception)
    assert run("--seed", "-1").exit_code == 2
    assert "names no scenario" in str(run("--scenario", "").exception)
    assert not list(tmp_path.iterdir())


def test_a_table_and_a_figure_of_one_name_keep_their_numbers(run, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    table, figure = tmp_path / "rows.csv", tmp_path / "rows.svg"
    done = run("--study", "PACKHAM2016", "--scenario", "none", "--csv", str(table), "--figure", str(figure), "--quiet")
    assert done.exit_code == 0 and "wrote" not in done.output
    assert table.read_text(encoding="utf-8").startswith("scenario,record,")
    assert ",x,y,left,right" in (tmp_path / "rows.plot.csv").read_text(encoding="utf-8").partition("\n")[0]


def test_without_rows_nothing_is_drawn_and_that_is_said(run, tmp_path: Path) -> None:
    figure = tmp_path / "z.png"
    done = run("--study", "PACKHAM2016", "--endpoint", "HbA1c", "--figure", str(figure))
    assert done.exit_code == 0 and "not drawn" in done.output and not figure.exists()


def test_rows_have_units_and_tissue_is_in_the_document(run) -> None:
    done = run("--study", "PACKHAM2016", "--scenario", "none", "--rows")
    assert "mL/min/1.73m2" in done.output and "e-0" not in done.output
    document = json.loads(run("--study", "PACKHAM2016", "--scenario", "none", "--json", "--tissue").stdout)
    assert {row["unit"] for row in document["tissue"]} == {"%"}


def test_a_table_laid_over_the_registry_is_on_the_page_and_in_the_document(run, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    known = registry.load_registry()["PACKHAM2016#1"]
    cells = {
        "study_id": known.study, "citation": "mine", "population": known.population_text, "design": known.design_text,
        "arm": known.arm, "product": known.product_text, "n": "10", "endpoint": known.endpoint_text, "timepoint_weeks": "12",
        "statistic": known.statistic_text, "value": "-9", "dispersion": "2", "dispersion_type": "SE", "unit": known.unit,
        "quote": "mine", "tag": "seen",
    }  # fmt: skip
    table, page = tmp_path / "mine.csv", tmp_path / "page.html"
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, cells)
        writer.writeheader()
        writer.writerow(cells)
    wanted = ["--study", "PACKHAM2016", "--scenario", "none", "--overlay", str(table)]
    document = json.loads(run(*wanted, "--page", str(page), "--json").stdout)
    assert document["overlaid"] == [f"{table}: replaces PACKHAM2016#1"]
    observed = {row["record"]: row["observed"] for row in document["predictions"]}
    assert observed["PACKHAM2016#1"] == -9.0 and observed["PACKHAM2016#2"] == 1.6
    assert "replaces PACKHAM2016#1" in page.read_text(encoding="utf-8")


def test_rows_can_be_read_on_a_narrow_terminal(run, monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = Console(width=80, file=StringIO())
    monkeypatch.setattr("betapod.cli.shared.out", lambda: narrow)
    assert run("--study", "PACKHAM2016", "--scenario", "none", "--rows").exit_code == 0
    lines = narrow.file.getvalue().splitlines()
    rows = [number for number, line in enumerate(lines) if line.startswith("PACKHAM2016#")]
    # What fits no table of this width is a card: the id and a line or two for each number.
    assert len(rows) == 10 and len(lines) <= 10 * 7


@pytest.mark.parametrize("view", [["--rows"], ["--worst", "3"], ["--refused"], ["--tissue"], ["--by", "endpoint"]])
def test_what_is_printed_fits_the_terminal(view: list[str], monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """F9: ten records under three scenarios took 202 lines at 80 columns, and their words stood there three times."""
    from terminals import WIDTHS, check_fits, on_terminal

    monkeypatch.setenv("BETAPOD_CACHE", str(cache))
    command = ["confront", "-n", "8", "--draws", "0", "--fit-draws", "2", "--study", "PACKHAM2016", "--quiet", *view]
    whole = on_terminal(monkeypatch, 4000, *command)
    for width in WIDTHS:
        narrow = on_terminal(monkeypatch, width, *command)
        check_fits(narrow, whole)
        assert view != ["--rows"] or len(narrow.text.splitlines()) < 100
