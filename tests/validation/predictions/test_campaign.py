"""Processes and cache of a confrontation: an interrupt does not wait, a cache that cannot be written is no error."""

from __future__ import annotations

import time
from functools import partial
from multiprocessing import active_children
from pathlib import Path
from types import SimpleNamespace

import pytest

from betapod.base.errors import ConfigError
from betapod.evidence.records.registry import load_registry
from betapod.patients.cohorts import reweight
from betapod.validation.predictions import campaign, campaign_work, row_predictions, study_people
from betapod.validation.predictions.studies import sort
from betapod.validation.predictions.study_courses import Condition


def test_an_interrupt_ends_the_studies_under_way() -> None:
    before = set(active_children())
    # Other processes do not know the modules of the tests, so that tasks are made of what Python has.
    nobody = partial(tuple)
    first = SimpleNamespace(work=partial(list, [("first", "none", [])]), cohorts_living_again=nobody)
    others = [SimpleNamespace(work=partial(time.sleep, 20.0), cohorts_living_again=nobody) for _ in range(8)]
    worked = campaign_work.work_on([first, *others], 2)  # type: ignore[list-item]
    assert next(worked)[0] == "first"
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        worked.throw(KeyboardInterrupt)  # type: ignore[attr-defined]
    assert time.monotonic() - started < 10.0
    assert set(active_children()) <= before


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    campaign._write("confront/key.json", [], tmp_path / "file")
    assert campaign._read("confront/key.json", tmp_path / "file") is None
    campaign._write("key.json", [], tmp_path / "new")
    assert campaign._read("key.json", tmp_path / "new") == []


def test_a_parameter_that_is_none_is_refused() -> None:
    assert Condition("current-evidence", {"potency_BM": 0.8}).values == {"potency_BM": 0.8}
    with pytest.raises(ConfigError, match="potency_BM"):
        Condition("current-evidence", {"potency_BMM": 0.8})


def test_a_study_without_cells_is_predicted_once_for_all_scenarios(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(
        campaign_work,
        "predict_study",
        lambda rows, condition, *_: asked.append((rows[0].study, condition.scenario)) or [],
    )
    records = [*load_registry().select(study="ATIRMA2014"), *load_registry().select(study="PACKHAM2016")]
    campaign.confront_records(records, ["none", "current-evidence", "seed-claims"], threads=1, folder=tmp_path)
    of_cells = [("PACKHAM2016", name) for name in ("none", "current-evidence", "seed-claims")]
    assert sorted(asked) == sorted([("ATIRMA2014", "none"), *of_cells])


def test_scenarios_say_nothing_of_a_study_without_cells() -> None:
    records = sort(load_registry().select(study="ATIRMA2014"))[0][:2]
    several = [row_predictions.predict(records, Condition(name), 8, 1, 1) for name in ("none", "seed-claims")]
    assert several[0] == several[1]


def test_people_of_a_cohort_are_chosen_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BETAPOD_CACHE", str(tmp_path / "cache"))
    first = study_people._chosen("FLOW", 7, 3, "")
    monkeypatch.setattr(reweight, "select_patients", None)  # Nobody is chosen again.
    assert list(study_people._chosen("FLOW", 7, 3, "")) == list(first) and len(first) == 7
    with pytest.raises(TypeError):
        study_people._chosen("FLOW", 8, 3, "")
