"""Likelihood and discrepancy: closed forms, rows that do not speak, scales found again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from invented_objectives import invented_rows
from scipy import stats

from betapod.calibration.discrepancy import Discrepancy, discrepancy_classes, estimate_discrepancy
from betapod.calibration.fit_likelihood import Likelihood


def law_of(rows, family: float = 0.3, row: float = 0.1, nu: float = 4.0) -> Likelihood:
    classes = set(discrepancy_classes(rows))
    return Likelihood(rows, Discrepancy(dict.fromkeys(classes, family), dict.fromkeys(classes, row)), nu)


def test_a_normal_likelihood_is_the_multivariate_normal() -> None:
    rows = invented_rows(np.linspace(-1, 1, 12), families=3, classes=2)
    law = law_of(rows, nu=np.inf)
    covariance = law.covariance()
    assert covariance[0, 0] == pytest.approx(0.3**2 + 0.1**2 + 0.1**2)
    assert (covariance[0, 1], covariance[0, 2], covariance[0, 4]) == (pytest.approx(0.09), 0.0, 0.0)
    predicted = np.zeros(12)
    normal = stats.multivariate_normal(predicted, covariance)
    assert law.log_density(predicted)[0] == pytest.approx(normal.logpdf(rows.observed), abs=1e-4)
    inverse = np.linalg.inv(covariance)
    np.testing.assert_allclose(law.curvature(predicted), inverse, atol=1e-3)
    np.testing.assert_allclose(law.information(predicted), inverse, atol=2e-2)
    np.testing.assert_allclose(law.score(predicted), inverse @ rows.observed, atol=1e-2)


def test_printed_freedom_gives_heavy_tails() -> None:
    rows = invented_rows(np.array([1.0]))
    normal, loose = Likelihood(rows), Likelihood(replace(rows, freedom=np.array([5.0])))
    assert normal.log_density(np.zeros(1))[0] == pytest.approx(stats.norm(0, 0.1).logpdf(1.0), abs=1e-4)
    assert loose.log_density(np.zeros(1))[0] == pytest.approx(stats.t(5, 0, 0.1).logpdf(1.0), abs=1e-6)


def test_rows_that_do_not_speak() -> None:
    rows = invented_rows(np.linspace(-1, 1, 8), families=4)
    law, use = law_of(rows), np.arange(8) < 6
    alone = law_of(rows.take(use))
    predicted = np.full(8, 0.2)
    assert law.log_density(predicted, use)[0] == pytest.approx(alone.log_density(predicted[:6])[0])
    assert not law.score(predicted, use)[6:].any()
    assert not law.curvature(predicted, use)[6:].any()
    predicted[1] = np.nan
    assert law.log_density(predicted)[0] == -np.inf
    assert law.log_density(np.array([predicted, np.zeros(8)]))[1] > -np.inf
    assert law.score(predicted)[1] == 0.0
    set_aside = Likelihood(replace(rows, fitted=use), law.discrepancy)
    assert set_aside.log_density(np.zeros(8))[0] == pytest.approx(law.log_density(np.zeros(8), use)[0])


def test_curvature_is_positive_however_far_rows_lie() -> None:
    rows = invented_rows(np.array([0.0, 3.0, -3.0, 0.1, 5.0, 5.1]), families=2)
    curvature = law_of(rows).curvature(np.zeros(6))
    assert np.linalg.eigvalsh(curvature).min() > 0
    assert np.allclose(curvature, curvature.T)


@pytest.mark.parametrize(("family", "row"), [(0.4, 0.1), (0.1, 0.4), (0.0, 0.0)])
def test_scales_of_a_class_are_found_again(family: float, row: float) -> None:
    rng = np.random.default_rng(3)
    effects = (family * np.repeat(rng.standard_t(4, 50), 3) + row * rng.standard_t(4, 150)) / np.sqrt(2.0)
    rows = invented_rows(effects + 0.1 * rng.standard_normal(150), families=50)
    scales = estimate_discrepancy(rows, np.zeros(150), rows.fitted, {"ratio": 0.3})
    assert scales.family["ratio"] == pytest.approx(family, rel=0.25, abs=0.05)
    assert scales.row["ratio"] == pytest.approx(row, rel=0.25, abs=0.05)


def test_a_class_with_one_row_stays_near_its_prior() -> None:
    rows = invented_rows(np.array([0.05]))
    near, wide = (
        estimate_discrepancy(rows, np.zeros(1), rows.fitted, {"ratio": scale}).family["ratio"] for scale in (0.1, 0.5)
    )
    assert 0.02 < near < 0.1 < wide < 0.5


def test_what_a_fit_has_drawn_to_itself_is_given_back() -> None:
    rows = invented_rows(np.random.default_rng(1).standard_normal(60) * 0.5, families=30)
    plain = estimate_discrepancy(rows, np.zeros(60), rows.fitted, {"ratio": 0.3})
    given_back = estimate_discrepancy(rows, np.zeros(60), rows.fitted, {"ratio": 0.3}, leverage=np.full(60, 0.5))
    assert given_back.row["ratio"] > plain.row["ratio"]


def test_five_per_cent_of_two_quantities_are_not_alike() -> None:
    rows = replace(
        invented_rows(np.array([0.3, -0.3, 20.0, -25.0])),
        row_class=("level",) * 4,
        scale=("linear",) * 4,
        unit=("%",) * 4,
        endpoint=("HbA1c", "HbA1c", "insulin_dose", "insulin_dose"),
    )
    scales = estimate_discrepancy(rows, np.zeros(4), rows.fitted, {"level": 1.0})
    assert set(scales.row) == {"level % HbA1c", "level % insulin_dose"}
    assert scales.row["level % insulin_dose"] > 5 * scales.row["level % HbA1c"]


def test_classes_on_the_natural_scale_keep_their_unit() -> None:
    rows = invented_rows(np.zeros(6), classes=3)
    assert discrepancy_classes(rows) == ("share", "share", "ratio", "ratio", "slope 1 invented", "slope 1 invented")
    scales = estimate_discrepancy(rows, np.zeros(6), rows.fitted, {"slope": 1.0, "share": 0.1, "ratio": 0.1})
    assert scales.family["slope 1 invented"] > scales.family["ratio"]
