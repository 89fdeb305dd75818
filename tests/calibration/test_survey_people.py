"""Rows of real people: the tables, and the model's people as NHANES would find them."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from betapod.calibration.fit_rows import ROW_CLASSES, SCALES
from betapod.calibration.real_data import model_people, survey_people
from betapod.calibration.real_data.model_people import ModelPeople, errors_of_people
from betapod.calibration.real_data.survey_people import SurveyPeople, as_in_survey, statistic_of
from betapod.calibration.real_data.target_rows import (
    FOLDER,
    TargetRow,
    compared_scale,
    fit_rows_of,
    read_target_rows,
)
from betapod.patients import library as libraries
from betapod.patients.cohorts import nhanes
from betapod.validation.predictions.condition import Condition

TABLES = sorted(path.stem for path in FOLDER.glob("*.csv"))


@pytest.fixture(scope="module")
def of_package() -> ModelPeople:
    """The package's library in the place of lives: the choice of who is in it does not matter here."""
    whole = libraries.default()
    table = whole.table
    ill = np.flatnonzero(((table["diabetes"] == 1) & (table["segment"] == 0)).to_numpy())
    return model_people._slim(whole.take(ill[::3]))


@pytest.fixture(scope="module")
def survey(of_package: ModelPeople) -> SurveyPeople:
    def of_conditions(conditions: Sequence[Any], lives: int = 0) -> list[ModelPeople]:
        return [of_package] * len(conditions)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(survey_people, "model_people", of_conditions)
        patch.setattr(SurveyPeople, "_errors_of_people", lambda self: np.full(len(self.targets), 0.01))
        yield SurveyPeople()


def test_tables_can_be_fitted() -> None:
    assert TABLES
    rows = [row for name in TABLES for row in read_target_rows(name)]
    assert len({row.record for row in rows}) == len(rows)
    for row in rows:
        assert row.row_class in ROW_CLASSES and row.scale in SCALES, row
        assert row.se > 0 and np.isfinite(row.se) and row.people > 0 and row.source and row.unit, row
        assert row.scale != "log" or row.observed > 0, row
        assert row.scale != "angle" or 0 < row.observed < 1, row
    # Nobody is fitted and kept for validation too.
    for family in {row.family for row in rows}:
        assert len({row.fitted for row in rows if row.family == family}) == 1, family


def test_scales_come_back() -> None:
    rows = fit_rows_of([row for name in TABLES for row in read_target_rows(name)])
    natural = rows.natural(rows.observed)
    np.testing.assert_allclose(natural, [row.observed for name in TABLES for row in read_target_rows(name)], rtol=1e-9)
    assert np.isnan(compared_scale(["log"], np.array([-1.0]))[0])


def test_derived_quantiles_are_those_of_the_profile() -> None:
    """Two derivations of one survey, by other ways through ties and weights."""
    for row in read_target_rows("survey_rows"):
        joint = nhanes.profile()["calibration" if row.fitted else "test"]
        if row.statistic == "quantile" and row.endpoint in joint["quantiles"] and row.endpoint != "duration":
            expected = np.interp(row.level, joint["levels"], joint["quantiles"][row.endpoint])
            assert row.observed == pytest.approx(expected, rel=0.012), row.record
        if row.endpoint == "KDIGO":
            assert row.observed == pytest.approx(joint["cells"][row.group], abs=2e-5)
        if row.statistic == "rank correlation":
            pairs = {frozenset(pair["names"]): pair["value"] for pair in joint["spearman"]}
            assert row.observed == pytest.approx(pairs[frozenset((row.endpoint, row.other))], abs=0.002)


def target(statistic: str, endpoint: str, other: str = "", group: str = "", level: float = 0.5) -> TargetRow:
    return TargetRow("r", "s", "f", True, endpoint, other, group, statistic, level, "1", "level", "linear", 1, 1, 1, 1)


def test_statistics_of_people() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=4001)
    values = {"a": x, "b": x + rng.normal(size=4001), "diagnosed": (x > 0).astype(float), "duration": np.round(x + 4)}
    even = np.ones(4001)
    assert statistic_of(target("quantile", "a", level=0.3), values, even) == pytest.approx(
        np.quantile(x, 0.3), abs=0.01
    )
    expected = stats.spearmanr(values["a"], values["b"]).statistic
    assert statistic_of(target("rank correlation", "a", "b"), values, even) == pytest.approx(expected, abs=1e-9)
    assert statistic_of(target("share", "diagnosed"), values, even) == pytest.approx(np.mean(x > 0))
    # Duration is of those who know.
    assert statistic_of(target("quantile", "duration"), values, even) > np.median(values["duration"]) + 0.3
    assert np.isnan(statistic_of(target("quantile", "a"), values, 0 * even))
    with pytest.raises(ValueError, match="no statistic 'mode'"):
        statistic_of(target("mode", "a"), values, even)


@pytest.mark.parametrize("half", ["calibration", "test"])
def test_people_are_as_old_as_in_the_survey(of_package: ModelPeople, half: str) -> None:
    values = of_package.measured()
    weights = as_in_survey(values, of_package.weights({}), half)
    joint = nhanes.profile()[half]
    for name in ("female", "T1D"):
        assert weights @ values[name] == pytest.approx(joint["shares"][name], abs=0.004)
    age = np.floor(values["age"])
    for level in (0.25, 0.5, 0.75):
        expected = np.interp(level, joint["levels"], joint["quantiles"]["age"])
        share = weights @ ((age < expected) + 0.5 * (age == expected))
        assert share == pytest.approx(level, abs=0.02)
    assert (weights[(values["year"] >= 2017) | (values["age"] < 20)] == 0).all()


def test_less_spread_narrows_the_tails(survey: SurveyPeople) -> None:
    place = {row.record: i for i, row in enumerate(survey.targets)}
    conditions = [
        Condition(),
        Condition(people={"xi_theta spread": 0.8}),
        Condition(visits={"UACR measurement": 0.3}),
        Condition(people={"xi_h median": 2.5}),
    ]
    usual, narrow, exact, impossible = survey.predict(conditions)
    low, high = place["nhanes-odd-uacr-0.1"], place["nhanes-odd-uacr-0.9"]
    for other in (narrow, exact):
        assert other[low] > usual[low] + 0.02
    # At the high end an error of measurement is little beside what life moves: 0.055 here, since a fit made life smaller (0.42 for 0.45).
    assert narrow[high] < usual[high] and abs(exact[high] - usual[high]) < 0.08
    # Errors of visits move nothing else.
    assert exact[place["nhanes-odd-hba1c-0.5"]] == usual[place["nhanes-odd-hba1c-0.5"]]
    assert np.isnan(impossible).all()
    assert np.isfinite(usual).all()


def test_people_live_under_each_condition() -> None:
    """Side by side, and once for conditions that differ in nothing that shapes lives."""
    conditions = [Condition(values={"h_N0": value}, lived=True) for value in (0.005, 0.0085)]
    conditions.append(Condition(values={"h_N0": 0.0085}, people={"xi with xi_theta": 0.1}, lived=True))
    slow, fast, again = model_people.model_people(conditions, lives=6)
    assert again is fast
    first, second = slow.library.table, fast.library.table
    assert set(first["person"]) & set(second["person"])
    assert (first["diabetes"] == 1).all()
    together = first.merge(second, on=["person", "age"], suffixes=("", "_other"))
    assert len(together) > 10
    change = together["true_egfr_other"] / together["true_egfr"]
    assert 0.01 < np.abs(np.log(change)).mean() < 0.2


def test_error_of_few_people_is_the_error_of_a_mean() -> None:
    x = np.random.default_rng(2).normal(size=2000)
    error = errors_of_people(np.arange(2000), lambda kept: np.array([x[kept].mean(), np.nan]), groups=200)
    assert error[0] == pytest.approx(x.std() / np.sqrt(2000), rel=0.1)
    assert error[1] == 0


def test_errors_of_a_survey_know_of_sampling_units() -> None:
    path = Path(__file__).parents[2] / "benchmarks" / "real_data" / "survey_errors.py"
    spec = importlib.util.spec_from_file_location("survey_errors", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["survey_errors"] = module
    spec.loader.exec_module(module)
    rng = np.random.default_rng(5)
    strata, units, size = 40, 2, 25
    stratum = np.repeat(np.arange(strata), units * size)
    unit = np.tile(np.repeat(np.arange(units), size), strata)
    shared = np.repeat(rng.normal(size=strata * units), size)
    x = shared + rng.normal(size=len(shared))
    design, weight = module.Design(stratum, unit), np.ones(len(x))
    # Variance of unit means: 1 of the unit, 1/25 of its people.
    expected = np.sqrt((1 + 1 / size) / (strata * units))
    assert design.share_error(x, weight) == pytest.approx(expected, rel=0.2)
    jackknife = design.jackknife_error(lambda w: float(w @ x / w.sum()), weight)
    assert jackknife == pytest.approx(design.share_error(x, weight), rel=0.02)
    # The share below the median errs by what units share of it (a third, by the arcsine law), and the median by that over the density.
    share_below = np.sqrt(0.25 * (1 / 3 + 2 / 3 / size) / (strata * units))
    density = 1 / np.sqrt(2 * np.pi * 2)
    error = module.quantile_error(design, x, weight, 0.5, log=False)
    assert error == pytest.approx(share_below / density, rel=0.25)


def test_traits_that_were_lived_are_not_weighed_again(of_package: ModelPeople) -> None:
    lived = Condition(people={"xi_theta spread": 0.8, "xi with xi_theta": 0.2}, lived=True)
    kept = Condition(people={"xi_theta spread": 0.8, "xi with xi_theta": 0.2})
    assert not np.allclose(of_package.weights(lived.weighted), of_package.weights(kept.weighted))
    np.testing.assert_array_equal(of_package.weights(lived.weighted), of_package.weights({"xi with xi_theta": 0.2}))
