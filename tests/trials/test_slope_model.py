"""Slopes of eGFR: nlme on the simulated kidney trial of hce, the likelihood written out, unequal scatter, knots, batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from golden_files import golden_table
from scipy import stats

from betapod.base.errors import ConfigError
from betapod.trials.analysis import shared_slopes as shared
from betapod.trials.analysis.random_slopes import course_blocks, course_likelihood
from betapod.trials.analysis.slope_model import best_knot, slope_model

KNOT = 21 / 365.25


@pytest.fixture(scope="module")
def kidney() -> dict[str, np.ndarray]:
    """Values of eGFR after baseline of 1,500 simulated patients (R package hce, MIT)."""
    people = golden_table("kidney_hce/hce_ADSL.csv").sort_values("ID")
    visits = golden_table("kidney_hce/hce_ADLB.csv")
    visits = visits[visits.ADAY > 0].sort_values(["ID", "ADAY"])
    visits["number"] = visits.groupby("ID").cumcount()
    wide = {
        name: visits.pivot(index="ID", columns="number", values=name).reindex(people.ID).to_numpy(float)
        for name in ("AVAL", "ADAY")
    }
    return {
        "years": wide["ADAY"] / 365.25,
        "values": wide["AVAL"],
        "baseline": people.EGFRBL.to_numpy(float),
        "treated": (people.TRTPN == 1).to_numpy(float),
    }


def test_slopes_as_in_nlme(kidney: dict[str, np.ndarray]) -> None:
    """R nlme 3.1.162, ``lme(random = ~ yr | ID, method = "REML")``: 12,480 values of 1,493 patients.

    The likelihood agrees to all printed digits and coefficients to 2e-6 of them: nlme stops that far from the maximum.
    """
    line = slope_model(**kidney)
    assert line.patients[0] == 1493
    assert line.log_likelihood[0] == pytest.approx(-41682.10761, abs=5e-6)
    assert line.chronic().effect[0] == pytest.approx(1.8990078067, rel=2e-6)
    assert line.chronic().standard_error[0] == pytest.approx(0.27444583037, rel=5e-6)
    names = {"intercept": 1.5623642538, "treated": -2.3066497366, "slope": -3.5544952874, "covariate 0": 0.9514891056}
    for name, value in names.items():
        assert line.estimate({name: 1.0}).effect[0] == pytest.approx(value, rel=1e-5), name
    variances = line.variances[0]
    assert variances[[0, 1, 3]] == pytest.approx([30.74135928, 24.96216343, 19.46194702], rel=1e-5)
    assert variances[2] / np.sqrt(variances[1] * variances[3]) == pytest.approx(-0.039, abs=5e-4)
    bent = slope_model(**kidney, knot=KNOT)
    assert bent.log_likelihood[0] == pytest.approx(-41653.40395, abs=5e-6)
    assert bent.total(2).effect[0] == pytest.approx(3.619636644, rel=2e-6)
    assert bent.total(2).standard_error[0] == pytest.approx(0.5377431189, rel=2e-6)
    assert bent.chronic().effect[0] == pytest.approx(1.63665544, rel=5e-6)
    assert bent.chronic().standard_error[0] == pytest.approx(0.2828632561, rel=5e-6)
    # The dip: what the arms differ by when the acute effect is complete.
    assert bent.acute().effect[0] == pytest.approx(-5.8686178614 + KNOT * 70.6160730225, rel=1e-5)


def test_slopes_of_arms_that_begin_together(kidney: dict[str, np.ndarray]) -> None:
    fit = slope_model(**kidney, knot=KNOT, treated_at_start=False)
    assert fit.log_likelihood[0] == pytest.approx(-41671.3497, abs=1e-5)
    for years, effect, error in (
        (1, -0.04352960721, 0.3585267134),
        (2, 0.9280853787, 0.2771353842),
        (3, 1.251957041, 0.267103101),
    ):
        assert fit.total(years).effect[0] == pytest.approx(effect, abs=1e-5)
        assert fit.total(years).standard_error[0] == pytest.approx(error, rel=1e-5)
    assert fit.chronic().effect[0] == pytest.approx(1.899700365, rel=5e-6)
    assert fit.chronic().standard_error[0] == pytest.approx(0.279468991, rel=5e-6)


def trials(replicates: int = 3, n: int = 70) -> dict[str, Any]:
    random = np.random.default_rng(3)
    years = np.array([0.1, 0.5, 1.0, 1.6, 2.0])
    treated = np.broadcast_to(np.arange(n) % 2.0, (replicates, n))
    base = random.normal(45, 10, (replicates, n))
    slope = -4 + 1.5 * treated + random.normal(0, 1, base.shape) * np.where(treated > 0, 1.0, 3.0)
    values = base[..., None] + slope[..., None] * years + random.normal(0, 2, (*base.shape, 5))
    values[random.random(values.shape) < 0.2] = np.nan
    values[0, :3, 1:] = np.nan  # one visit alone
    return {"years": years, "values": values, "baseline": base, "treated": treated}


def test_the_likelihood_of_courses_written_out() -> None:
    """Value by whole covariance matrices, gradient and curvature by differences of it."""
    data = trials(1, 12)
    y, t = data["values"], np.broadcast_to(data["years"], data["values"].shape)
    wide = np.broadcast_to(data["treated"][..., None], y.shape)
    design = np.stack([np.ones(y.shape), wide, t, t * wide], -1)
    groups = data["treated"].astype(int)
    blocks = course_blocks(t, y, design, groups)

    def value(theta: np.ndarray) -> float:
        normal, right, total, logs, count = np.zeros((4, 4)), np.zeros(4), 0.0, 0.0, 0
        for i in range(12):
            seen_visits = np.isfinite(y[0, i])
            z = np.stack([np.ones(seen_visits.sum()), t[0, i, seen_visits]], 1)
            a, b, c = theta[1 + 3 * groups[0, i] : 4 + 3 * groups[0, i]]
            weight = np.linalg.inv(z @ [[a, b], [b, c]] @ z.T + theta[0] * np.eye(len(z)))
            x, v = design[0, i, seen_visits], y[0, i, seen_visits]
            normal, right = normal + x.T @ weight @ x, right + x.T @ weight @ v
            total, logs, count = total + v @ weight @ v, logs - np.linalg.slogdet(weight)[1], count + len(v)
        return float(
            logs
            + np.linalg.slogdet(normal)[1]
            + total
            - right @ np.linalg.solve(normal, right)
            + (count - 4) * np.log(2 * np.pi)
        )

    theta = np.array([4.0, 90.0, -3.0, 7.0, 80.0, 2.0, 3.0])
    here = course_likelihood(blocks, theta[None])
    assert here.value[0] == pytest.approx(value(theta), rel=1e-10)
    for k in range(7):
        step = 1e-4 * np.eye(7)[k] * max(abs(theta[k]), 1)
        more, less = (course_likelihood(blocks, (theta + sign * step)[None]) for sign in (1, -1))
        width = 2 * step[k]
        assert here.gradient[0, k] == pytest.approx((more.value[0] - less.value[0]) / width, rel=1e-4, abs=1e-6)
        np.testing.assert_allclose(
            here.curvature[0, k], (more.gradient - less.gradient)[0] / width, rtol=1e-4, atol=1e-7
        )


def test_a_replicate_of_slopes_does_not_depend_on_its_neighbours() -> None:
    data = trials()
    together = slope_model(**data, knot=0.3, scatter_by_arm=True)
    for k in range(3):
        alone = slope_model(
            data["years"], *(data[name][k] for name in ("values", "baseline", "treated")), knot=0.3, scatter_by_arm=True
        )
        np.testing.assert_allclose(alone.coefficients[0], together.coefficients[k], rtol=1e-6)
        assert alone.total(2).p[0] == pytest.approx(together.total(2).p[k], rel=1e-5)
        assert alone.log_likelihood[0] == pytest.approx(together.log_likelihood[k], rel=1e-10)


def test_unequal_scatter_of_slopes_is_estimated() -> None:
    fit = slope_model(**trials(1, 600), scatter_by_arm=True)
    assert fit.variances[0, 3] == pytest.approx(9, rel=0.25) and fit.variances[0, 6] == pytest.approx(1, rel=0.6)
    same = slope_model(**trials(1, 600))
    assert fit.log_likelihood[0] > same.log_likelihood[0] + 20


def test_the_knot_is_where_the_courses_bend() -> None:
    random = np.random.default_rng(1)
    years, treated = np.array([0.1, 0.2, 0.5, 0.8, 1.0, 1.5, 2.0]), np.arange(300) % 2.0
    base = random.normal(45, 10, 300)
    mean = -6 * np.minimum(years, 0.5) * treated[:, None] - 3 * years
    values = base[:, None] + mean + random.normal(0, 2, (300, 1)) * years + random.normal(0, 1.5, (2, 300, 7))
    assert best_knot(years, values, base, treated, [0.2, 0.5, 1.0]).tolist() == [0.5, 0.5]


def test_what_no_slope_can_be_estimated_of() -> None:
    data = trials()
    data["values"][1, data["treated"][1] > 0.5] = np.nan
    fit = slope_model(**data)
    assert np.isnan(fit.chronic().effect[1]) and np.isfinite(fit.chronic().effect[[0, 2]]).all()
    with pytest.raises(ConfigError, match="no-knot"):
        fit.acute()


def test_the_likelihood_of_course_and_event_is_the_integral_over_patients() -> None:
    """Against Gauss and Hermite's quadrature over intercepts and slopes of six patients, with and without the event, and one who was never measured."""
    random = np.random.default_rng(2)
    t, measured = np.array([0.5, 1.0, 2.0]), np.ones((6, 3), dtype=bool)
    measured[1, 1:] = measured[2] = False
    y = np.where(measured, random.normal(size=(6, 3)), np.nan)
    design = np.broadcast_to(np.stack([np.ones(3), t], -1), (6, 3, 2))
    end, ended = np.array([1.5, 0.8, 0.3, 3.0, 2.5, 3.0]), np.array([1, 1, 1, 0, 1, 0], dtype=bool)
    years = np.broadcast_to(t, y.shape)
    blocks = course_blocks(years[None], y[None], design[None], np.zeros((1, 6), dtype=int))
    data = shared._Data(blocks, shared._loadings(years, measured), np.log(end), ended, np.ones((6, 1)))
    theta = np.array([0.2, -0.3, np.log(0.8), np.log(0.9), 0.3, np.log(0.6), 0.7, 0.15, 0.5, np.log(0.7)])
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    u = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), -1).reshape(-1, 2)
    effects = u @ np.array([[0.9, 0.0], [0.3, 0.6]]).T
    likelihood = 0.0
    for i in range(6):
        mean = design[i] @ theta[:2] + effects[:, :1] + effects[:, 1:] * t
        course = np.where(measured[i], stats.norm.pdf(y[i], mean, 0.8), 1.0).prod(1)
        centre = 0.7 + effects @ theta[7:9]
        event = (
            stats.norm.pdf(np.log(end[i]), centre, 0.7) / end[i]
            if ended[i]
            else stats.norm.sf(np.log(end[i]), centre, 0.7)
        )
        likelihood += np.log((np.outer(weights, weights).ravel() / (2 * np.pi) * course * event).sum())
    assert -shared._minus_log(theta[None], data)[0] == pytest.approx(likelihood, rel=1e-7)


def test_courses_that_end_with_an_event_of_their_own_making() -> None:
    """Fast fallers are lost first, and later where they are treated: the mixed model sees part of the effect, the joint model all of it."""
    random = np.random.default_rng(1)
    years, n = np.array([0.25, 0.5, 1, 1.5, 2, 2.5, 3.0]), 400
    treated, base = np.arange(n) % 2.0, random.normal(45, 8, n)
    own = random.normal(0, 3, n)
    start = (base + random.normal(0, 3, n))[:, None]
    values = start + (-5 + 1.5 * treated + own)[:, None] * years + random.normal(0, 3, (n, 7))
    day = 2.0 * np.exp(0.35 * own + 0.6 * treated + random.normal(0, 0.3, n))
    end = np.minimum(day, 3.2)
    values[years >= end[:, None]] = np.nan
    plain = slope_model(years, values, base, treated).chronic()
    joint = shared.shared_slopes(years, values, base, treated, end, day < 3.2)
    estimate = joint.chronic()
    assert plain.effect[0] < 1.5 - 1.5 * plain.standard_error[0]
    assert abs(estimate.effect[0] - 1.5) < 2 * estimate.standard_error[0]
    assert abs(joint.link[0, 1] - 0.35) < 2.5 * joint.link_error[0, 1]
    assert joint.total(2).effect[0] == estimate.effect[0]
