"""What the model predicts of rows of a user's own that claims ask, where her tables say how the studies are simulated."""

from __future__ import annotations

from pathlib import Path

import pytest

from betapod.base.errors import Problem
from betapod.claims.claim_parameters import FitChoice, choose_fit
from betapod.claims.ledger import evidence_for_claims
from betapod.cli.verbs.claims_judged import Laid
from betapod.cli.verbs.claims_predicted import StudyFiles, predicted_rows
from betapod.evidence.records.study import Record
from betapod.validation.predictions import campaign
from betapod.validation.predictions.fit_conditions import FitDraws
from betapod.validation.predictions.own_study_tables import read_study_tables
from betapod.validation.predictions.own_templates import write_templates
from betapod.validation.predictions.prediction import Prediction
from betapod.validation.predictions.study_tables import StudyTables


def prediction_of(row: Record, tables: StudyTables) -> Prediction:
    assert row.value is not None and row.weeks is not None and (row.study, row.arm) in tables.arms
    return Prediction(
        row.id, row.study, row.family, row.endpoint, row.arm, "change", row.weeks, row.unit, row.n, "linear", False, row.value,
        0.25, -2.0, 2.0, 1.2, 0.1, 0.0, True, 1.0, True,
    )  # fmt: skip


def test_rows_that_claims_ask_are_predicted_under_two_scenarios(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence, arms, cohorts, events = write_templates(tmp_path)
    asked_for: list[tuple[list[str], tuple[str, ...]]] = []

    def confront(
        rows: list[Record], scenarios: tuple[str, ...], *, tables: StudyTables, fit: FitDraws | None, before_fit: bool
    ) -> campaign.Confrontation:
        # Without a fit, rows of one's own are predicted under the values of before it, as everything else.
        assert fit is None and before_fit
        # Simulations of such rows have tests of their own, see test_own_study_tables.
        asked_for.append(([row.id for row in rows], scenarios))
        (row,) = rows
        return campaign.Confrontation({name: [prediction_of(row, tables)] for name in scenarios}, [])

    monkeypatch.setattr(campaign, "confront_records", confront)
    tables = read_study_tables([arms], [cohorts], [events])
    predictions, told = predicted_rows(
        evidence_for_claims([evidence]), {"EXAMPLE2026#1": ["B24", "B28"]}, tables, FitChoice("none")
    )
    assert [(row["record"], row["scenario"]) for row in predictions] == [
        ("EXAMPLE2026#1", "none"),
        ("EXAMPLE2026#1", "current-evidence"),
    ]
    assert asked_for == [(["EXAMPLE2026#1"], ("none", "current-evidence"))]
    (line,) = told
    assert line.startswith("EXAMPLE2026#1, asked by B24, B28: observed 1.5 mL/min/1.73m2, predicted ")
    assert "under none" in line and "under current-evidence" in line


def test_without_tables_or_rows_nothing_is_simulated(tmp_path: Path) -> None:
    nothing = StudyFiles().read([], False, [])
    assert nothing.empty
    assert predicted_rows(evidence_for_claims(), {"A": ["B28"]}, nothing, choose_fit("none")) == ([], [])


def test_tables_that_have_no_effect_are_refused_with_all_that_is_wrong_in_them(tmp_path: Path) -> None:
    table = tmp_path / "arms.csv"
    table.write_text("study,arm,cohort\nN,x,Flow2\n", encoding="utf-8")
    problems: list[Problem] = []
    StudyFiles(arms=[table]).read([], True, problems)
    assert [problem.kind for problem in problems] == ["bad-option", "bad-option", "unknown-cohort"]
    assert "--overlay" in problems[0].hint and "--no-model" in problems[1].message


def test_each_row_has_the_claims_that_ask_it() -> None:
    changes = [
        {"claim": name, "records": records}
        for name, records in (("B24", ["N#1"]), ("B28", ["N#1", "N#2"]), ("B28", ["N#2"]))
    ]
    assert Laid(changes=changes).asked == {"N#1": ["B24", "B28"], "N#2": ["B28"]}
