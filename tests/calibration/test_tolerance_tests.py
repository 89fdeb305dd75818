"""Traits fitted to tolerance tests, and virtual people in the tests of real ones."""

from __future__ import annotations

import numpy as np
import pytest

from betapod.calibration.real_data import tolerance_tests
from betapod.calibration.real_data.target_rows import read_target_rows
from betapod.calibration.real_data.tolerance_fits import TRAITS, WIDE, columns_of, fit_traits, oral_tests, trait_start
from betapod.calibration.real_data.tolerance_tests import ToleranceTests, like_group
from betapod.person import glucose_tests
from betapod.person.metabolic_state import model_of
from betapod.person.typical import person
from betapod.physiology import whole_body
from betapod.validation.predictions.condition import Condition


@pytest.fixture(scope="module")
def source() -> ToleranceTests:
    return ToleranceTests(people=120)


def test_many_tests_are_the_test_of_one() -> None:
    """People side by side show what `glucose_tests.ogtt` shows of one."""
    who = person("prediabetes")
    model = model_of(who, "metabolism_fast")
    names = whole_body.named_model("metabolism_fast")
    columns = {
        name: np.array([value])
        for name, value in model.values().items()
        if value != names.values()[name] and (name in names.parameters or name in names.inputs)
    }
    columns["dawn_EGP"] = np.array([glucose_tests._dawn(who)["dawn_EGP"]])
    test = glucose_tests.ogtt(who, minutes=120.0, step=30.0).table
    expected = test[["G", "insulin", "C_peptide"]].to_numpy()
    np.testing.assert_allclose(oral_tests(columns)[0], expected, rtol=2e-3)


def test_traits_come_back() -> None:
    rng = np.random.default_rng(6)
    away = rng.normal(size=(25, 6)) * np.array([0.4, 0.3, 0.1, 0.15, 0.05, 0.2])
    truth = trait_start() + away
    weight = {"BW": rng.uniform(50.0, 90.0, 25)}
    observed = oral_tests(columns_of(truth) | weight)
    observed[3, 2, 1] = np.nan
    middle = np.tile(trait_start(), (25, 1))
    fits = fit_traits(observed, weight, middle, np.diag(WIDE**-2.0), (0.01, 0.02, 0.02), iterations=25)
    assert np.sqrt(np.nanmean(fits.misses**2)) < 0.01
    assert np.isnan(fits.misses[3, 2, 1])
    # What one test tells: sensitivity, secretion and emptying, within their own errors.
    names = list(TRAITS)
    for name, error in (("sensitivity", 0.06), ("secretion", 0.06), ("emptying", 0.06)):
        k = names.index(name)
        assert np.sqrt(np.mean((fits.traits[:, k] - truth[:, k]) ** 2)) < error
    scores = (fits.traits - truth) / np.sqrt(np.diagonal(fits.covariance, axis1=1, axis2=2))
    assert np.sqrt(np.mean(scores**2)) < 1.0


def test_without_data_people_are_what_is_thought_of_them() -> None:
    middle = trait_start() + 0.1 * np.ones((3, 6))
    fits = fit_traits(np.full((3, 5, 3), np.nan), {}, middle, np.diag(WIDE**-2.0), iterations=2)
    np.testing.assert_array_equal(fits.traits, middle)
    np.testing.assert_allclose(fits.covariance, np.tile(np.diag(WIDE**2), (3, 1, 1)))


def test_virtual_people_begin_at_their_own_fasting_glucose(source: ToleranceTests) -> None:
    tests = source.tests([None])[0]
    assert len(tests.group) > 590
    fasting = tests.library.table["true_fpg"].to_numpy()
    np.testing.assert_allclose(tests.samples[:, 0, 0], fasting, rtol=0.02)
    for level, infused in tests.clamps.items():
        assert 300 < level < 1000
        # Who has diabetes needs less glucose in a clamp.
        assert np.median(infused[tests.group == 2]) < np.median(infused[tests.group == 0])


def test_virtual_people_are_like_those_measured(source: ToleranceTests) -> None:
    tests = source.tests([None])[0]
    rows = {
        row.group: row for row in source.targets if row.family.startswith("tolerance tests, two thirds:") and row.group
    }
    for group in ("IGT", "T2DM"):
        row, table = rows[group], tests.library.table
        weighting = like_group(row, tests, np.ones(len(table)), fewest=0.0)
        assert weighting.sum() == pytest.approx(1.0)
        assert weighting @ table["age"].to_numpy() == pytest.approx(row.among["age"], abs=4.0)
        assert weighting @ np.log(table["bmi"].to_numpy()) == pytest.approx(row.among["log BMI"], abs=0.06)
        assert weighting @ np.log(tests.samples[:, 0, 0]) == pytest.approx(row.among["log fasting glucose"], abs=0.04)
    assert np.isnan(like_group(rows["IGT"], tests, np.ones(len(tests.group)), fewest=1e6)).all()


def test_more_sensitive_people_need_more_glucose(source: ToleranceTests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tolerance_tests, "_FEWEST", 0.0)
    usual, sensitive, impossible = source.natural(
        [None, Condition(people={"sIg_factor median": 1.15}), Condition(people={"xi_h median": 3.0})]
    )
    clamps = [i for i, row in enumerate(source.targets) if row.endpoint == "clamp_M" and "T2DM" in row.group]
    assert (sensitive[clamps] > usual[clamps]).mean() > 0.8
    assert np.isnan(impossible).all()
    assert (source.rows.se >= [row.se for row in source.targets]).all()


def test_every_third_person_is_left_out() -> None:
    rows = read_target_rows("tolerance_rows")
    assert {row.fitted for row in rows if "left out" in row.family} == {False}
    fitted = [row for row in rows if row.fitted]
    assert {row.family.split(", ")[1].split(":")[0] for row in fitted} == {"two thirds"}
    assert not any("T2DM" in row.group for row in fitted)
