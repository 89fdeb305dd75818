"""Fit problems: files with located errors, families whole, the objective against predictions."""

from __future__ import annotations

import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from betapod.base.errors import ConfigError
from betapod.calibration.fit_objective import FitObjective
from betapod.calibration.fit_problem import FOLDER, FitProblem
from betapod.calibration.published_rows import on_scale
from betapod.calibration.real_data.real_sources import REAL_SOURCES
from betapod.calibration.row_split import set_aside_families, treatment_class
from betapod.evidence.records.registry import load_registry
from betapod.validation.predictions.condition import Condition
from betapod.validation.predictions.own_templates import write_templates
from betapod.validation.predictions.row_expectations import expectations
from betapod.validation.predictions.studies import arms, sort
from betapod.validation.predictions.uses import FIT, row_uses

SMALL = """
name: small
people: {count: 3}
rows: {studies: [ATIRMA2014, DAPACKD_UACR]}
unknowns:
  h_N0: {}
  SGLT2 inhibitor e_S: {sd: 0.3}
  xi median: {}
  UACR life: {}
  care dMAP: {sd: 3}
stages:
  - {name: all, unknowns: [h_N0, SGLT2 inhibitor e_S, xi median, UACR life, care dMAP]}
"""


@pytest.fixture(scope="module")
def problem() -> FitProblem:
    return FitProblem.parsed(SMALL)


@pytest.fixture(scope="module")
def objective(problem: FitProblem) -> FitObjective:
    return problem.objective("all", {}, threads=1)


def test_at_the_start_the_objective_is_the_prediction_bit_for_bit(problem: FitProblem, objective: FitObjective) -> None:
    expected = expectations(problem.rows_of("all"), [Condition()], 3, 1, 1)
    assert objective.rows.record == tuple(record.id for record in problem.rows_of("all"))
    np.testing.assert_array_equal(objective.predict(np.zeros((1, 5))), on_scale(objective.rows, expected))


def test_many_sets_at_once_are_each_alone_bit_for_bit(objective: FitObjective) -> None:
    places = np.vstack([np.zeros(5), 0.5 * np.eye(5)])
    together = objective.predict(places)
    for place, row in zip(places, together, strict=True):
        np.testing.assert_array_equal(objective.predict(place), row[None])
    moved = np.any(together[1:] != together[0], axis=1)
    assert moved.all(), "every unknown moves some row"


def test_people_are_chosen_anew_around_another_place(problem: FitProblem, objective: FitObjective) -> None:
    around = {"h_N0": 1.2 * problem.unknowns["h_N0"].start}
    moved = problem.objective("all", {}, threads=1, around=around)
    assert moved.anchor.lived
    assert moved.anchor.values == pytest.approx(around)
    assert moved.base == objective.base


def test_errors_of_the_file_are_all_said_with_their_place() -> None:
    wrong = SMALL.replace("inhibitor e_S: {sd", "inhibitr e_S: {sd").replace(
        "care dMAP: {sd: 3}", "care dMAP: {sd: -3}"
    )
    with pytest.raises(ConfigError) as caught:
        FitProblem.parsed(wrong, "wrong.yaml")
    problems = [(p.location.line, p.hint) for p in caught.value.problems]
    assert {7, 10} <= {line for line, _ in problems}
    assert any(line == 7 and "SGLT2 inhibitor e_S" in hint for line, hint in problems)


def test_a_row_in_which_people_differ_is_sent_to_its_median() -> None:
    with pytest.raises(ConfigError, match="people differ") as caught:
        FitProblem.parsed(SMALL.replace("xi median", "xi"))
    assert any("xi median" in p.hint for p in caught.value.problems)


def test_families_stay_whole_and_tuned_ones_speak() -> None:
    records = sort(load_registry().select())[0]
    aside = set_aside_families(records, 0.5, 0)
    tuned = {use.family for use in row_uses() if use.use == FIT}
    assert not aside & tuned
    untouched = {record.family for record in records} - tuned
    assert abs(len(aside) - 0.5 * len(untouched)) <= 1.0
    classes = Counter(treatment_class(record) for record in records if record.family in aside)
    assert len(classes) >= 4, "validation has every large class of treatment"
    assert aside == set_aside_families(reversed(records), 0.5, 0)


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.yaml")))
def test_stages_before_the_last_have_no_rows_of_cells(name: str) -> None:
    """Rows of trials of cells never move physiology: only a stage that looks for rows of cells alone reads them."""
    problem = FitProblem.read(name)
    for stage in problem.stages:
        # Controls of such trials are rows of them as well.
        has_cells = any(record.study in problem.cell_studies for record in problem.rows_of(stage.name))
        of_cells = all(unknown.kind == "cells" for unknown in stage.unknowns)
        assert has_cells <= of_cells, stage.name


def test_without_cells_means_without_the_controls_of_their_trials() -> None:
    text = SMALL.replace(
        "rows: {studies: [ATIRMA2014, DAPACKD_UACR]}", "rows: {studies: [ATIRMA2014, ZANG2022], cells: false}"
    )
    assert {record.study for record in FitProblem.parsed(text).records} == {"ATIRMA2014"}
    both = FitProblem.parsed(text.replace(", cells: false", ""))
    treated = {bool(arms()[record.study, record.arm].cells) for record in both.records if record.study == "ZANG2022"}
    assert treated == {True, False}, "the trial has rows of its cells and of its controls"


def test_a_stage_may_name_every_source_of_real_people() -> None:
    for name in REAL_SOURCES:
        text = SMALL.replace("{name: all,", f"{{name: all, sources: [{name}],")
        assert FitProblem.parsed(text).stages[0].sources == (name,)


def test_words_that_choose_no_row_are_told_in_their_places() -> None:
    rows = "rows: {endpoints: [eGFR, eGFRR], classes: [foo], studies: [NOPE], weeks: [26, 0], exclude: [eGFR, zip]}"
    wrong = SMALL.replace("{name: all,", "{name: all, " + rows + ",")
    with pytest.raises(ConfigError) as caught:
        FitProblem.parsed(wrong, "wrong.yaml")
    assert sorted(caught.value.kinds) == ["bad-range", *["unknown-word"] * 4]
    assert len({problem.location.column for problem in caught.value.problems}) == 5
    assert "Did you mean 'eGFR'" in str(caught.value) and "class of treatment 'foo'" in str(caught.value)


def test_a_kind_that_is_none_is_told_alone() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'individual'") as caught:
        FitProblem.parsed("kind: indiv\nmodel: m.txt\n", "wrong.yaml")
    assert caught.value.kinds == ("unknown-choice",) and caught.value.problems[0].location.line == 1


def test_a_stage_of_real_people_has_no_published_rows() -> None:
    text = (
        SMALL + "  - {name: people, rows: none, sources: [visits], weighed: true, rounds: 0, unknowns: [UACR life]}\n"
    )
    problem = FitProblem.parsed(text)
    assert problem.rows_of("people") == () and problem.rows_of("all") == problem.rows_of(None)
    assert problem.stage_named("people").rounds == 0
    objective = problem.objective("people", {}, threads=1)
    assert [source.name for source in objective.sources] == ["visits"]
    start, moved = objective.predict(np.array([[0.0], [1.0]]))
    np.testing.assert_array_equal(start, REAL_SOURCES["visits"]().predict([Condition()])[0])
    assert np.any(moved != start)
    with pytest.raises(ConfigError, match="rows"):
        FitProblem.parsed(SMALL.replace("{name: all,", "{name: all, rows: nothing,"))


OWN = """
name: own
people: {count: 3}
tables: {evidence: [evidence.csv], arms: [arms.csv], cohorts: [cohorts.yaml], events: [events.csv]}
rows: {studies: [EXAMPLE2026]}
unknowns: {h_N0: {}}
stages: [{name: all, unknowns: [h_N0]}]
"""


@pytest.fixture
def own_folder(tmp_path: Path) -> Path:
    write_templates(tmp_path)
    (tmp_path / "own.yaml").write_text(OWN, encoding="utf-8")
    return tmp_path


def test_a_problem_names_tables_of_its_own(own_folder: Path) -> None:
    problem = FitProblem.read(own_folder / "own.yaml")
    assert [record.id for record in problem.rows_of("all")] == [f"EXAMPLE2026#{n}" for n in (1, 2, 3)]
    assert ("EXAMPLE2026", "cells") in problem.tables.arms and ("EXAMPLE2026", "cells") not in arms()
    # The same file beside other tables is another fit.
    before = problem.tables_digest
    table = own_folder / "evidence.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("0.85", "0.75"), encoding="utf-8")
    assert before and FitProblem.read(own_folder / "own.yaml").tables_digest != before
    assert FitProblem.parsed(SMALL).tables_digest == ""
    # Workers are told of the tables.
    assert list(pickle.loads(pickle.dumps(problem.tables)).arms) == list(problem.tables.arms)


def test_everything_wrong_with_own_tables_is_said_in_its_place(own_folder: Path) -> None:
    (own_folder / "own.yaml").write_text(
        OWN.replace("events.csv", "event.csv").replace("h_N0: {}", "h_N: {}"), encoding="utf-8"
    )
    table = own_folder / "evidence.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("0.70;1.03", "1.03;0.70"), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        FitProblem.read(own_folder / "own.yaml")
    places = {
        (problem.kind, Path(problem.location.file).name, problem.location.line) for problem in caught.value.problems
    }
    assert ("no-file", "own.yaml", 4) in places
    assert any(kind == "reversed-interval" and name == "evidence.csv" for kind, name, _ in places)
    assert any(name == "own.yaml" and line == 6 for _, name, line in places)


def test_more_people_set_the_level_and_a_few_how_it_moves(problem: FitProblem, objective: FitObjective) -> None:
    more = FitProblem.parsed(SMALL.replace("{count: 3}", "{count: 3, levels: 6}")).objective("all", {}, threads=1)
    records = problem.rows_of("all")
    start, moved = more.predict(np.vstack([np.zeros(5), [0.5, 0.0, 0.0, 0.0, 0.0]]))
    np.testing.assert_allclose(start, on_scale(more.rows, expectations(records, [Condition()], 6, 1, 1))[0], atol=1e-9)
    few = objective.predict(np.vstack([np.zeros(5), [0.5, 0.0, 0.0, 0.0, 0.0]]))
    np.testing.assert_allclose(moved - start, few[1] - few[0], atol=1e-9)
    assert np.any(start != few[0])
