"""Cohorts of real people that no library can be like, or only in part: said before any work, never a traceback."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from betapod.base.errors import ConfigError, Problem
from betapod.patients import library
from betapod.patients.cohorts import cohort_catalogue, comparison, joint_distribution, reweight
from betapod.patients.cohorts.cohort_target import Distribution


def table(folder: Path, rows: int = 30, **columns: object) -> Path:
    """Write people with an id and columns, each a list, a number for all, or a function of the row."""
    frame = pd.DataFrame({"id": [f"P{i}" for i in range(rows)]})
    for name, value in columns.items():
        frame[name] = [value(i) for i in range(rows)] if callable(value) else value
    path = folder / "people.csv"
    # What could be in two units says which.
    frame.rename(columns={"uacr": "uacr [mg/g]", "weight": "weight [kg]"}).to_csv(path, index=False)
    return path


def refused(path: Path) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        cohort_catalogue.load_target(path)
    return caught.value.problems


def varied(low: float, step: float) -> object:
    return lambda i: round(low + step * i, 3)


@pytest.mark.parametrize("name", ["egfr", "age", "hba1c", "uacr"])
def test_a_constant_column_is_no_distribution(tmp_path: Path, name: str) -> None:
    columns = {"age": varied(40, 1), "hba1c": varied(6.5, 0.1), "egfr": varied(40, 1), "uacr": varied(10, 9)}
    found = refused(table(tmp_path, **(columns | {name: 70 if name != "hba1c" else 7})))
    assert [p.kind for p in found] == ["constant-column"]
    assert name in found[0].message and "eligibility" in found[0].hint
    assert found[0].location.file.endswith("people.csv")


def test_a_constant_flag_is_a_share(tmp_path: Path) -> None:
    target = cohort_catalogue.load_target(table(tmp_path, age=varied(40, 1), female=1, metformin=0))
    shares = {m.names[0]: m.value for m in target.moments if m.kind == "proportion"}
    assert shares == {"female": 1.0, "metformin": 0.0}


@pytest.mark.parametrize("rows", [1, 2, 19])
def test_few_rows(tmp_path: Path, rows: int) -> None:
    found = refused(table(tmp_path, rows, age=varied(40, 1)))
    assert [p.kind for p in found] == ["few-people"]
    assert found[0].expected == "20 or more"


def test_columns_that_few_have_are_left_out_and_said(tmp_path: Path) -> None:
    target = cohort_catalogue.load_target(
        table(
            tmp_path,
            age=varied(40, 1),
            hba1c=lambda i: 7.5 if i == 3 else None,
            uacr=lambda i: None,
            insulin=lambda i: None,
        )
    )
    assert set(target.distributions) == {"age"}
    assert {m.kind for m in target.moments} == {"quantile"}
    assert "hba1c: known of 1 people only" in target.unmatched
    assert "uacr: known of 0 people only" in target.unmatched
    assert "uacr: 30 of 30 missing" in target.notes


def test_nothing_to_match(tmp_path: Path) -> None:
    assert [p.kind for p in refused(table(tmp_path, dbp=varied(60, 1)))] == ["nothing-to-match"]
    assert [p.kind for p in refused(table(tmp_path, age=lambda i: None))] == ["nothing-to-match"]


def test_the_weight_of_a_body_is_no_survey_weight(tmp_path: Path) -> None:
    """Heavy people do not count more than light ones."""
    plain = cohort_catalogue.load_target(table(tmp_path, age=varied(40, 1), female=lambda i: i % 2))
    heavy = cohort_catalogue.load_target(
        table(tmp_path, age=varied(40, 1), female=lambda i: i % 2, weight=varied(50, 5))
    )
    assert [m.value for m in heavy.moments] == [m.value for m in plain.moments]
    gaps = cohort_catalogue.load_target(
        table(tmp_path, age=varied(40, 1), female=lambda i: i % 2, weight=lambda i: 80 if i else None)
    )
    assert [m.value for m in gaps.moments] == [m.value for m in plain.moments]


def test_survey_weights_do_count() -> None:
    frame = pd.DataFrame(
        {"age": np.arange(40.0, 80.0), "female": np.arange(40) % 2, "survey_weight": 1.0 + np.arange(40) % 2}
    )
    assert joint_distribution.derive(frame)["shares"]["female"] == pytest.approx(2 / 3, abs=1e-5)


def test_people_out_of_reach_are_refused_before_the_work(tmp_path: Path) -> None:
    far = cohort_catalogue.load_target(table(tmp_path, age=varied(60, 1), hba1c=varied(17, 0.05), egfr=varied(200, 1)))
    with pytest.raises(ConfigError) as caught:
        reweight.weigh(library.default(), far)
    assert set(caught.value.kinds) == {"far-from-library"}
    assert "egfr 200 to 229: 0" in caught.value.problems[0].found
    # Each for itself is there, together they are not.
    apart = cohort_catalogue.load_target(
        table(tmp_path, age=varied(19, 0.05), hba1c=varied(6, 0.1), egfr=varied(8, 0.1), uacr=varied(1, 0.2))
    )
    with pytest.raises(ConfigError, match="in everything at once"):
        reweight.weigh(library.default(), apart)


def test_a_mean_out_of_reach_is_said(tmp_path: Path) -> None:
    path = tmp_path / "far.yaml"
    path.write_text("baseline:\n  hba1c: {mean: 18.5, sd: 0.5, unit: '%'}\n", encoding="utf-8")
    report = reweight.select_patients(library.default(), cohort_catalogue.load_target(path), 20).report
    assert any("hba1c mean" in text and "too few such patients" in text for text in report.unmatched)


@pytest.mark.parametrize("count", [0, -1, 10**9])
def test_sizes_that_make_no_cohort(count: int) -> None:
    with pytest.raises(ConfigError, match="bad-number"):
        reweight.select_patients(library.default(), cohort_catalogue.load_target("FLOW"), count)


def test_distance_where_everybody_has_one_value() -> None:
    """Share below and share above the value, whichever is greater."""
    levels = np.array([0.005, 0.5, 0.995])
    constant = Distribution(levels, np.array([70.0, 70.0, 70.0]))
    even = np.ones(4)
    assert comparison.largest_distance(np.array([60.0, 70.0, 70.0, 80.0]), even, constant) == pytest.approx(0.25)
    assert comparison.largest_distance(np.array([70.0, 70.0, 70.0, 70.0]), even, constant) == 0.0
    assert comparison.largest_distance(np.array([50.0, 60.0, 65.0, 70.0]), even, constant) == pytest.approx(0.75)


def test_one_chosen_patient_has_no_rank_correlation(tmp_path: Path) -> None:
    target = cohort_catalogue.load_target(table(tmp_path, age=varied(45, 1), hba1c=varied(6.5, 0.1)))
    report = reweight.select_patients(library.default(), target, 1).report
    assert np.isnan(report.correlations["found"]).all()
    assert dataclasses.asdict(report)["chosen"] == 1


def test_people_without_a_diagnosis_have_no_duration_of_0_years(tmp_path: Path) -> None:
    """A quarter of the library does not know of its diabetes; a mean duration is that of the others."""
    path = tmp_path / "trial.yaml"
    path.write_text("baseline:\n  duration: {mean: 12, sd: 6, unit: year}\n", encoding="utf-8")
    ready, target = library.default(), cohort_catalogue.load_target(path)
    chosen = reweight.select_patients(ready, target, 200).patients.table
    assert (chosen["diagnosed"] == 1).all()
    assert chosen["duration"].mean() == pytest.approx(12.0, abs=0.1)
    assert any("only they are eligible" in text for text in target.notes)
    stated = "eligibility: {diagnosed: {low: 0}}\n" + path.read_text(encoding="utf-8")
    path.write_text(stated, encoding="utf-8")
    assert cohort_catalogue.load_target(path).ranges["diagnosed"][0] == 0.0
    people = cohort_catalogue.load_target(table(tmp_path, **{"duration [year]": varied(2, 0.5), "age": varied(40, 1)}))
    chosen = reweight.select_patients(ready, people, 200).patients.table
    assert chosen["diagnosed"].mean() > 0.98
    assert chosen["duration"].median() == pytest.approx(9.25, abs=0.8)


def test_a_file_with_the_name_of_a_cohort_is_pointed_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cohort_catalogue.load_target("FLOW").notes == ()
    (tmp_path / "FLOW").mkdir()
    assert "give ./FLOW" in cohort_catalogue.load_target("FLOW").notes[0]


def test_a_median_duration_of_0_years(tmp_path: Path) -> None:
    """New diabetes in most: no relative miss of a median of 0, and no division by it."""
    people = cohort_catalogue.load_target(
        table(tmp_path, **{"duration [year]": lambda i: max(0, i - 18), "age": varied(45, 1)})
    )
    report = reweight.select_patients(library.default(), people, 50).report
    row = report.distributions.set_index("quantity").loc["duration"]
    assert row["target_median"] == 0.0 and np.isnan(row["miss_percent"])
