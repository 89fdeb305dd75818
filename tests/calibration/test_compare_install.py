"""Fits compared row by row; installed with reasons against them, or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from toy_fits import finished

from betapod.base.errors import ConfigError
from betapod.calibration.compare_fits import compare_fits
from betapod.calibration.fit_folder import FinishedFit, write_fit_record
from betapod.calibration.install_fit import install_fit, reasons_against
from betapod.physiology import installed_fits
from betapod.physiology.installed_fits import FitRecord, load_fit, read_fit_record


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
    assert caught.value.kinds == ("worse-validation", "few-draws", "at-bound")
    assert caught.value.problems[0].found == "87.5 % of 8 rows, 100.0 % before"
    assert caught.value.problems[2].found == "k1" and "--although" in caught.value.problems[2].hint
    assert not (tmp_path / "fits").exists()
    install_fit(tmp_path / "a", "2026.1", although=True)
    assert len(load_fit("2026.1").identity["installed although"]) == 3
    everything = replace(fit, rows=replace(fit.rows, fitted=np.ones(24, dtype=np.bool_)))
    assert [p.kind for p in reasons_against(written(tmp_path / "b", everything))] == ["nothing-set-aside"]
