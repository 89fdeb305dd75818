"""Draws of a fit in the intervals of predictions."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from betapod.base.errors import ConfigError
from betapod.evidence.records.registry import load_registry
from betapod.physiology.installed_fits import FitRecord, FittedUnknown
from betapod.therapies.scenarios import AS_CLAIMED, CURRENT_EVIDENCE
from betapod.validation.predictions import (
    campaign,
    campaign_work,
    fit_conditions,
    kept_people,
    row_predictions,
    study_draws,
)
from betapod.validation.predictions.arm_groups import ArmGroups
from betapod.validation.predictions.condition import Condition
from betapod.validation.predictions.fit_conditions import (
    FitDraws,
    at_start,
    draws_of_fit,
    joined_draws,
    under_draw,
    without_fit,
)
from betapod.validation.predictions.kept_people import KeptPeople
from betapod.validation.predictions.studies import arms, sort
from betapod.validation.predictions.study_tables import NO_TABLES

FEW = 4
ROW = "ATIRMA2014#1"


def unknown(name: str, kind: str, fitted: float) -> FittedUnknown:
    return FittedUnknown(name, kind, "1", "", "log", 1, 0.5, 2, 1.0, fitted, fitted, 0.5, 2, 0.1, False)


@pytest.fixture
def fit(monkeypatch: pytest.MonkeyPatch) -> FitRecord:
    unknowns = (
        unknown("SGLT2 inhibitor e_S", "drug", 0.8),
        unknown("UACR life", "visit", 0.5),
        unknown("care dMAP", "care", -2.0),
    )
    values = np.array([[0.8, 0.5, -2.0], [1.2, 0.6, -3.0], [0.4, 0.4, -1.0]])
    rows = {"record": np.array([], dtype=object), "after": np.array([])}
    record = FitRecord(
        "2000.1", Path(), {}, unknowns, np.eye(3), values, values, np.zeros(3), rows, np.zeros((0, 3), dtype=np.float32)
    )
    monkeypatch.setattr(fit_conditions, "load_fit", lambda name: record)
    monkeypatch.setattr(fit_conditions, "list_fits", lambda: ["2000.1"])
    fit_conditions._rows.cache_clear()
    return record


def test_a_draw_is_relative_to_what_the_tables_have_of_the_fit(fit: FitRecord) -> None:
    drawn = under_draw(Condition("none", visits={"UACR life": 0.9}), fit, 1)
    assert drawn.drugs == pytest.approx({"SGLT2 inhibitor e_S": 1.5})
    assert drawn.care == pytest.approx({"dMAP": -1.0})
    assert drawn.visits == {"UACR life": 0.9}, "what the condition itself says stays"
    assert drawn.lived
    assert under_draw(Condition(), fit, 0).drugs == pytest.approx({"SGLT2 inhibitor e_S": 1.0})


def test_the_start_undoes_the_fit_and_leaves_what_the_condition_says(fit: FitRecord) -> None:
    start = at_start(Condition("none", visits={"UACR life": 0.9}), fit)
    assert start.drugs == pytest.approx({"SGLT2 inhibitor e_S": 1.0 / 0.8}), "the tables have 0.8 of what they had"
    assert start.care == pytest.approx({"dMAP": 3.0})
    assert start.visits == {"UACR life": 0.9}
    assert start.lived, "people live again under the values of the start"


def test_a_fit_that_is_not_in_the_tables_leaves_a_condition_as_it_is(fit: FitRecord) -> None:
    object.__setattr__(fit, "identity", {"in tables": False})
    condition = Condition()
    assert fit.at_start() == {}
    assert at_start(condition, fit) is condition


def test_none_predicts_under_the_values_before_the_fit(
    fit: FitRecord, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[Condition] = []
    monkeypatch.setattr(fit_conditions, "fit_in_tables", lambda: fit)
    monkeypatch.setattr(campaign_work, "predict_study", lambda _, condition, *__: asked.append(condition) or [])
    records = load_registry().select(study="ATIRMA2014")
    campaign.confront_records(records, [CURRENT_EVIDENCE], threads=1, folder=tmp_path, before_fit=True)
    # Nobody of this study gets cells: what they are supposed to do says nothing.
    assert asked == [replace(at_start(Condition(CURRENT_EVIDENCE), fit), scenario="none")] and asked[0].lived
    campaign.confront_records(records, [CURRENT_EVIDENCE], threads=1, folder=tmp_path)
    assert asked[1:] == [Condition("none")], "and is kept apart from what the tables give"
    monkeypatch.setattr(fit_conditions, "fit_in_tables", lambda: None)
    assert without_fit(Condition()) == Condition()


def test_draws_of_cells_and_of_the_body_are_joined_by_their_number(fit: FitRecord) -> None:
    cells = [Condition(values={"viability": 0.7}), Condition(values={"viability": 0.9})]
    joined = joined_draws(Condition(), cells, FitDraws("2000.1", 3))
    assert [condition.values["viability"] for condition in joined] == [0.7, 0.9, 0.7]
    assert len({condition.drugs["SGLT2 inhibitor e_S"] for condition in joined}) == 3


def test_what_a_fit_says_of_cells_is_current_evidence_and_no_claim(fit: FitRecord) -> None:
    object.__setattr__(fit, "unknowns", (*fit.unknowns, unknown("viability", "cells", 0.8)))
    object.__setattr__(fit, "draws_values", np.column_stack([fit.draws_values, [0.8, 0.6, 0.5]]))
    cells = [Condition(values={"viability": 0.9})]
    drawn = {
        name: [c.values["viability"] for c in joined_draws(Condition(name), cells, FitDraws("2000.1", 3))]
        for name in (CURRENT_EVIDENCE, AS_CLAIMED)
    }
    assert drawn == {CURRENT_EVIDENCE: [0.8, 0.6, 0.5], AS_CLAIMED: [0.9, 0.9, 0.9]}


def test_intervals_of_a_drug_are_wider_by_its_draws(fit: FitRecord) -> None:
    records = sort(load_registry().select(study="ATIRMA2014"))[0]
    without = row_predictions.predict(records, Condition("none"), FEW, 1, 1)
    with_draws = row_predictions.predict(records, Condition("none"), FEW, 1, 1, fit=FitDraws("2000.1", 3))
    assert [p.predicted for p in without] == [p.predicted for p in with_draws]
    assert all(p.se_parameters == 0.0 for p in without)
    assert all(
        p.se_parameters > 0.0 and p.high - p.low > q.high - q.low for p, q in zip(with_draws, without, strict=True)
    )


def test_rows_that_the_fit_has_are_not_simulated_again(fit: FitRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    fit.rows.update({"record": np.array([ROW], dtype=object), "after": np.array([math.log(2.0)])})
    object.__setattr__(fit, "row_draws", np.array([[2.0, 4.0, 1.0]], dtype=np.float32))
    fit_conditions._rows.cache_clear()
    moves = fit_conditions.kept_moves(FitDraws("2000.1", 3), SimpleNamespace(id=ROW), "log")
    assert moves == pytest.approx([0.0, math.log(2.0), -math.log(2.0)])
    assert fit_conditions.kept_moves(FitDraws("2000.1", 3), SimpleNamespace(id="another"), "log") is None
    fit.row_draws[0, :2] = np.nan
    assert fit_conditions.kept_moves(FitDraws("2000.1", 3), SimpleNamespace(id=ROW), "log") is None, "one of three"


def test_none_and_no_fit_draw_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit_conditions, "list_fits", list)
    assert draws_of_fit("none") is None
    assert draws_of_fit(None) is None
    with pytest.raises(ConfigError, match="no fit"):
        draws_of_fit("2999.1")


def test_rows_of_cells_that_the_fit_has_move_by_it_and_by_what_it_does_not_know(
    fit: FitRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = sort(load_registry().select(study="PACKHAM2016"))[0][:4]
    plain = row_predictions.predict(records, Condition(CURRENT_EVIDENCE), FEW, 1, 1, draws=3)
    ids = np.array([record.id for record in records], dtype=object)
    # On the scale of a fit nothing and 0 are the same for shares and differences: the draws are the moves themselves.
    fit.rows.update({"record": ids, "after": np.zeros(len(plain))})
    object.__setattr__(fit, "row_draws", np.tile(np.array([-0.3, 0.0, 0.3], dtype=np.float32), (len(plain), 1)))
    fit_conditions._rows.cache_clear()
    monkeypatch.setattr(study_draws, "KeptPeople", None)  # Nobody lives again.
    with_fit = row_predictions.predict(
        records, Condition(CURRENT_EVIDENCE), FEW, 1, 1, draws=3, fit=FitDraws("2000.1", 3)
    )
    of_fit = 0.3 * math.sqrt(2.0 / 3.0)
    for prediction, before in zip(with_fit, plain, strict=True):
        assert prediction.scale == "linear" and prediction.predicted == before.predicted
        assert abs(prediction.se_parameters - before.se_parameters) <= of_fit * (1.0 + 1e-9)
        assert prediction.se_parameters != before.se_parameters > of_fit


def test_people_of_a_study_live_again_once_for_all_scenarios(fit: FitRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    records = sort(load_registry().select(study="PACKHAM2016"))[0][:2]
    lived: list[int] = []
    live_again = kept_people.live_again
    monkeypatch.setattr(
        kept_people, "live_again", lambda people, changes: lived.append(len(people)) or live_again(people, changes)
    )
    object.__setattr__(fit, "identity", {"problem": "people: {count: 3}\n"})
    lives = study_draws.KeptForScenarios()
    several = {
        name: row_predictions.predict_study(records, Condition(name), FEW, 1, 1, fit=FitDraws("2000.1", 3), kept=lives)
        for name in ("none", AS_CLAIMED)
    }
    assert lived == [3], "fewer people than are shown, and not again for what cells are supposed to do"
    alone = row_predictions.predict(records[:1], Condition(AS_CLAIMED), FEW, 1, 1, fit=FitDraws("2000.1", 3))
    assert alone == several[AS_CLAIMED][:1]
    assert all(prediction.se_parameters > 0.0 for prediction in several["none"])


def test_people_of_several_studies_live_together_as_they_would_alone(
    fit: FitRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_study = {study: sort(load_registry().select(study=study))[0][:1] for study in ("PACKHAM2016", "ZANG2022")}
    object.__setattr__(fit, "identity", {"problem": "people: {count: 3}\n"})
    condition, draws = Condition(AS_CLAIMED), FitDraws("2000.1", 1)
    tasks = [
        campaign_work.StudyTask(study, tuple(rows), (condition,), FEW, 1, 0, (), NO_TABLES, draws)
        for study, rows in of_study.items()
    ]
    lived: list[int] = []
    live_again = campaign_work.live_again
    monkeypatch.setattr(
        campaign_work, "live_again", lambda people, changes: lived.append(len(people)) or live_again(people, changes)
    )
    with monkeypatch.context() as patch:
        patch.setattr(kept_people, "live_again", None)  # Nobody lives for a study of their own.
        together = {study: predictions for study, _, predictions in campaign_work.work_on(tasks, 1)}
    assert lived == [6]
    alone = row_predictions.predict_study(of_study["ZANG2022"], condition, FEW, 1, 1, fit=draws)
    assert together["ZANG2022"] == alone and alone[0].se_parameters > 0.0


def test_episodes_stay_on_their_days_when_people_live_again() -> None:
    anchor, moved = Condition("none"), Condition("none", people={"xi median": 1.2}, lived=True)
    cohort = ("EMPA-REG", 8, 1)
    people = KeptPeople(anchor, [cohort])
    people.live([moved])
    assert people.anchored(anchor, *cohort) is None
    arm = arms()["EMPAREG_slope2018", "placebo"]
    weeks = np.array([0.0, 50.0 * 365.25 / 7.0])  # Nearly everybody has an episode within so long.
    before, after = (ArmGroups(1, people).group(0, arm, condition, 8, weeks) for condition in (anchor, moved))
    assert not np.array_equal(before.people.table["true_egfr"], after.people.table["true_egfr"])
    of = dict(zip(before.people.table["person"], before.injuries().day, strict=True))
    assert [of[person] for person in after.people.table["person"]] == list(after.injuries().day)
    assert np.isfinite(list(of.values())).any()
