"""Fits compared row by row; installed with reasons against them, or not at all."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from toy_fits import finished

from betapod.base import atomic
from betapod.base.atomic import StoreError
from betapod.base.errors import ConfigError
from betapod.calibration.compare_fits import compare_fits
from betapod.calibration.fit_folder import FinishedFit, write_fit_record
from betapod.calibration.fit_summary import coverage_of_record
from betapod.calibration.fitted_tables import FittedTables, TableChange
from betapod.calibration.install_fit import (
    finish_installations,
    install_fit,
    interrupted_installations,
    log_scores,
    reasons_against,
)
from betapod.calibration.installed_tables import written_cells
from betapod.physiology import installed_fits
from betapod.physiology.installed_fits import FitRecord, load_fit, read_fit_record

MODULE = "betapod.calibration.install_fit.write_atomic"


def written(folder: Path, fit: FinishedFit) -> FitRecord:
    write_fit_record(folder, fit)
    return read_fit_record(folder)


def good() -> FinishedFit:
    """Return a fit that brings every row to its interval."""
    fit = finished()
    return replace(
        fit, after=fit.rows.observed + 0.5 * fit.rows.se, log_weights=np.zeros(64), identity={"effective draws": 40.0}
    )


def test_two_fits_differ_row_by_row(tmp_path: Path) -> None:
    first, second = finished(), good()
    part = second.rows.take(np.arange(20))
    second = replace(
        second,
        rows=part,
        identity={"verdicts": {"B1": "refuted", "B2": "open"}},
        **{
            name: getattr(second, name)[:20]
            for name in ("stage", "before", "after", "lacking", "tau_family", "tau_row")
        },
        drawn=second.drawn[:, :20],
    )
    first = replace(first, identity={"verdicts": {"B1": "open", "B2": "open"}})
    comparison = compare_fits(written(tmp_path / "a", first), written(tmp_path / "b", second))
    assert len(comparison.rows) == 20 and comparison.only_first == tuple(f"TOY-{i}" for i in range(20, 24))
    row = comparison.rows[3]
    assert row.record == "TOY-3" and row.z_second == pytest.approx(-0.5)
    assert row.gain == pytest.approx(abs(first.rows.observed[3] - first.after[3]) / 0.05 - 0.5)
    every, nearer, farther = comparison.counts()["ratio"]
    assert every == 20 and nearer > 10 and farther == 0
    assert comparison.verdicts == {"B1": ("open", "refuted")}
    assert all(unknown.apart == pytest.approx(0.0, abs=1.5) for unknown in comparison.unknowns)
    assert compare_fits(read_fit_record(tmp_path / "a"), written(tmp_path / "c", finished())).verdicts is None


def test_a_good_fit_is_installed_and_never_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed_fits, "FITS", tmp_path / "fits")
    record = written(tmp_path / "a", good())
    assert reasons_against(record) == []
    install_fit(tmp_path / "a", "2026.1")
    assert load_fit("2026.1").values() == record.values() and load_fit("2026.1").identity["name"] == "2026.1"
    with pytest.raises(ConfigError, match="installed already"):
        install_fit(tmp_path / "a", "2026.1")
    install_fit(tmp_path / "a", "2026.2", in_tables=False)
    assert load_fit("2026.2").identity["replaces"] == "2026.1"
    assert [load_fit(name).identity["in tables"] for name in ("2026.1", "2026.2")] == [True, False]
    assert sorted(path.name for path in (tmp_path / "fits").iterdir()) == ["2026.1", "2026.2"]
    for name in ("../x", "none", ""):
        with pytest.raises(ConfigError, match="no name of a fit"):
            install_fit(tmp_path / "a", name)


def test_what_speaks_against_a_fit_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed_fits, "FITS", tmp_path / "fits")
    fit = good()
    aside = np.flatnonzero(~fit.rows.fitted)
    after = fit.after.copy()
    before = fit.rows.observed.copy()
    after[aside[:1]] += 1.0
    doubtful = replace(
        fit, after=after, before=before, at_bound=np.array([False, True, False]), identity={"effective draws": 3.4}
    )
    written(tmp_path / "a", doubtful)
    with pytest.raises(ConfigError) as caught:
        install_fit(tmp_path / "a", "2026.1")
    assert caught.value.kinds == ("worse-validation", "worse-score", "few-draws", "at-bound")
    assert caught.value.problems[0].found == "87.5 % of 8 rows, 100.0 % before"
    assert caught.value.problems[3].found == "k1" and "--although" in caught.value.problems[3].hint
    assert not (tmp_path / "fits").exists()
    install_fit(tmp_path / "a", "2026.1", although=True)
    assert len(load_fit("2026.1").identity["installed although"]) == 4
    lost = np.where(np.arange(24) == aside[0], np.nan, fit.after)
    drawn = np.where(np.isnan(lost), np.nan, fit.drawn)
    blind = written(tmp_path / "c", replace(fit, after=lost, drawn=drawn))
    assert [problem.kind for problem in reasons_against(blind)] == ["lost-predictions"], (
        "a row without a prediction is no miss"
    )
    assert reasons_against(blind)[0].found == f"1 of 8 rows, of {fit.rows.family[aside[0]]}"
    assert [line["lost"] for line in coverage_of_record(blind)] == [0, 1]
    everything = replace(fit, rows=replace(fit.rows, fitted=np.ones(24, dtype=np.bool_)))
    assert [p.kind for p in reasons_against(written(tmp_path / "b", everything))] == ["nothing-set-aside"]


def two_tables(package: Path) -> FittedTables:
    """Return new texts of two tables, and of a bibliography, of a small package."""
    texts = {
        "physiology/parameters/references.bib": "@misc{fit-2026.1,\n  title = {Calibration}\n}\n",
        "a.csv": "id,label,value,unit\nk,rate,2,1/day\n",
        "b.csv": "id,label,value,unit\nV,volume,41,L\n",
    }
    for file, text in texts.items():
        (package / file).parent.mkdir(parents=True, exist_ok=True)
        (package / file).write_text(text.replace(",2,", ",1,").replace(",41,", ",40,").replace("fit-2026.1", "other"))
    return FittedTables(package, texts, (TableChange("k", "a.csv", "k", "value", "1", "2"),))


def contents(package: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in package.rglob("*") if path.is_file()}


def test_record_and_tables_are_installed_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed_fits, "FITS", tmp_path / "fits")
    tables = two_tables(tmp_path / "package")
    written(tmp_path / "a", good())
    install_fit(tmp_path / "a", "2026.1", tables=tables)
    assert contents(tmp_path / "package") == {Path(file).name: text for file, text in tables.texts.items()}
    fit = load_fit("2026.1")
    assert written_cells(fit) == list(tables.changes) and set(fit.identity["tables"]) == set(tables.texts)
    assert [path.name for path in (tmp_path / "fits").iterdir()] == ["2026.1"]


def test_an_installation_that_fails_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed_fits, "FITS", tmp_path / "fits")
    tables = two_tables(tmp_path / "package")
    before = contents(tmp_path / "package")
    written(tmp_path / "a", good())
    place = atomic.write_atomic

    def full(path: Path, data: bytes) -> None:
        if path.name == "b.csv" and b"41" in data:
            raise OSError(28, "No space left on device")
        place(path, data)

    monkeypatch.setattr(MODULE, full)
    with pytest.raises(StoreError, match="no space left"):
        install_fit(tmp_path / "a", "2026.1", tables=tables)
    assert contents(tmp_path / "package") == before
    assert list((tmp_path / "fits").iterdir()) == [] and installed_fits.list_fits() == []


def test_an_installation_that_was_killed_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed_fits, "FITS", tmp_path / "fits")
    tables = two_tables(tmp_path / "package")
    written(tmp_path / "a", good())

    class Killed(BaseException):
        pass

    place = atomic.write_atomic

    def killed(path: Path, data: bytes) -> None:
        place(path, data)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(MODULE, killed)
        with pytest.raises(Killed):
            install_fit(tmp_path / "a", "2026.1", tables=tables)
    assert installed_fits.list_fits() == [] and interrupted_installations() == ["2026.1"]
    assert "2" in contents(tmp_path / "package")["a.csv"] and "40" in contents(tmp_path / "package")["b.csv"]
    install_fit(tmp_path / "a", "2026.1", tables=tables)
    assert contents(tmp_path / "package") == {Path(file).name: text for file, text in tables.texts.items()}
    assert load_fit("2026.1").identity["in tables"] and finish_installations() == interrupted_installations() == []


def test_tables_that_nobody_could_read_are_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed_fits, "FITS", tmp_path / "fits")
    tables = two_tables(tmp_path / "package")
    before = contents(tmp_path / "package")
    written(tmp_path / "a", good())
    broken = replace(tables, texts={**tables.texts, "a.csv": "id,label,value,unit\nk,rate,two,1/day\n"})
    with pytest.raises(ConfigError, match="two"):
        install_fit(tmp_path / "a", "2026.1", tables=broken)
    assert contents(tmp_path / "package") == before and not (tmp_path / "fits").exists()


def test_log_scores_are_those_of_students_t(tmp_path: Path) -> None:
    """Without what the model lacks, and with draws that do not differ, errors are normal: a miss of z errors costs z^2/2."""
    fit = good()
    n = len(fit.rows)
    sure = replace(
        fit, before=fit.rows.observed.copy(), tau_family=np.zeros(n), tau_row=np.zeros(n),
        drawn=np.tile(fit.rows.observed + 2.0 * fit.rows.se, (64, 1)), rows=replace(fit.rows, freedom=np.full(n, np.inf)),
    )  # fmt: skip
    record = written(tmp_path / "a", sure)
    aside = ~record.rows["fitted"]
    before, after, families = log_scores(record, aside)
    assert families == len(set(record.rows["family"][aside]))
    assert before - after == pytest.approx(2.0)
    assert "worse-score" in [problem.kind for problem in reasons_against(record)]
    assert math.isnan(log_scores(record, np.zeros(n, dtype=np.bool_))[0])
