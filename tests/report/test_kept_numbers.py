"""Numbers of a report are kept: the second report of a run computes none, and nothing of another run is taken for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from betapod.base.errors import ConfigError
from betapod.report.trial import report_writing
from betapod.trials import run_folder
from betapod.trials.conduct.trial_run import TrialRun


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrialRun:
    monkeypatch.setenv("BETAPOD_CACHE", str(tmp_path / "cache"))
    return run_folder.run_into(tmp_path / "run", run_folder.trial_plan("low_protein", replicates=3))


def test_the_second_report_computes_and_reads_nothing_and_is_the_same(
    run: TrialRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = run_folder.open_trial_run(tmp_path / "run", at_once=False)
    assert run.digest == opened.digest != ""
    first = report_writing.make(run, tmp_path / "first", quick=True)
    monkeypatch.setattr("betapod.trials.operating.result_tables.assess", None)  # Nothing is assessed again.
    monkeypatch.setattr(run_folder, "read_tables", None)  # Nor is a table of the run read.
    second = report_writing.make(opened, tmp_path / "second", quick=True)
    assert list(second.seconds) == ["drawing and writing"]
    for one, other in zip(first.files, second.files, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_tables_are_read_when_the_first_of_them_is_asked_for(run: TrialRun, tmp_path: Path) -> None:
    opened = run_folder.open_trial_run(tmp_path / "run", at_once=False)
    assert "_tables" not in vars(opened.data)
    assert list(opened) == list(run) and ("none", "none") not in opened and opened.designs == run.designs
    for key, data in opened.items():
        np.testing.assert_array_equal(data.day, run[key].day)
    with pytest.raises(ConfigError, match="the run has no data of"):
        opened["none", "none"]


def test_other_runs_other_reports_and_runs_in_memory_are_not_taken_for_it(run: TrialRun) -> None:
    name = report_writing._name(run, True, None)
    assert name and name != report_writing._name(run, False, None)
    assert name != report_writing._name(replace(run, digest="another"), True, None)
    assert report_writing._name(replace(run, digest=""), True, None) == ""
    assert report_writing._kept("") is None and report_writing._kept(name) is None
