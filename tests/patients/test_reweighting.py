"""Weights under which the people of a library have other medians, spreads and correlations of traits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from betapod.base.errors import BetapodError, ConfigError
from betapod.engine.correlations import Correlation, Correlations
from betapod.engine.draw import draw_parameters
from betapod.patients import library as libraries
from betapod.patients.population import population_correlations, sample
from betapod.patients.reweighting import _NAME, _copula, effective_share, start_of, trait_names, weights
from betapod.physiology import whole_body

PEOPLE = 20_000


@pytest.fixture(scope="module")
def drawn() -> libraries.Library:
    """People as they were drawn, neither selected nor lived."""
    people = sample(7, range(PEOPLE))
    table = pd.DataFrame({"person": people.numbers, "segment": people.traits["segment"]})
    return libraries.Library(table, people.model, np.zeros((PEOPLE, 0)), (), {"seed": 7})


@pytest.fixture(scope="module")
def ready() -> libraries.Library:
    return libraries.default()


def scores(library: libraries.Library, name: str) -> np.ndarray:
    """Logarithms of a trait as it was drawn, before factors for kinds of people."""
    seed, numbers = library.origin["seed"], library.table["person"].to_numpy()
    table, together = whole_body.model_parameters("reference"), population_correlations()
    return np.log(draw_parameters(table, seed, numbers, (name,), correlations=together)[name])


def spread(values: np.ndarray, weighting: np.ndarray) -> tuple[float, float]:
    mean = float(np.average(values, weights=weighting))
    return mean, float(np.sqrt(np.average((values - mean) ** 2, weights=weighting)))


def test_weights_are_the_ratio_of_truncated_densities(ready: libraries.Library) -> None:
    x = scores(ready, "xi")
    row = whole_body.model_parameters("reference")["xi"]
    assert row.shape is not None
    _, middle, spread = row.shape
    low, high = np.log(row.low), np.log(row.high)

    def density(centre: float, sd: float) -> np.ndarray:
        return np.asarray(stats.truncnorm((low - centre) / sd, (high - centre) / sd, centre, sd).pdf(x))

    expected = density(np.log(middle * 1.3), 0.8 * spread) / density(np.log(middle), spread)
    got = weights(ready, {"xi median": 1.3, "xi spread": 0.8})
    np.testing.assert_allclose(got, expected / expected.mean(), rtol=1e-9)


@pytest.mark.parametrize(
    ("people", "name", "centre", "sd"),
    [
        ({"xi_h median": 1.1}, "xi_h", np.log(1.1), 0.4),
        ({"xi_h spread": 0.8}, "xi_h", 0.0, 0.32),
        ({"sIg_factor median": 0.9, "sIg_factor spread": 0.9}, "sIg_factor", np.log(0.9), 0.225),
    ],
)
def test_drawn_people_get_the_distribution_that_is_asked_for(
    drawn: libraries.Library, people: Mapping[str, float], name: str, centre: float, sd: float
) -> None:
    row = whole_body.model_parameters("reference")[name]
    low, high = np.log(row.low), np.log(row.high)
    wanted = stats.truncnorm((low - centre) / sd, (high - centre) / sd, centre, sd)
    mean, got = spread(scores(drawn, name), weights(drawn, people))
    error = sd / np.sqrt(PEOPLE / 2)
    assert mean == pytest.approx(wanted.mean(), abs=3 * error)
    assert got == pytest.approx(wanted.std(), abs=3 * error)


def test_margins_of_what_goes_together_move_alone(drawn: libraries.Library) -> None:
    weighting = weights(drawn, {"sIg_factor median": 1.2})
    # Half of the score of the liver's sensitivity goes with that of muscle; its own margin must stay as it was drawn.
    assert spread(scores(drawn, "sHg"), weighting)[0] == pytest.approx(scores(drawn, "sHg").mean(), abs=0.2 * 0.03)
    assert rank_correlation(drawn, "sIg_factor", "sHg", weighting) == pytest.approx(
        start_of("sIg_factor with sHg"), abs=0.02
    )


def rank_correlation(library: libraries.Library, first: str, second: str, weighting: np.ndarray) -> float:
    """Spearman's coefficient of people drawn with chances in proportion to weights."""
    chosen = np.random.default_rng(1).choice(len(library), PEOPLE, p=weighting / weighting.sum())
    return float(stats.spearmanr(scores(library, first)[chosen], scores(library, second)[chosen]).statistic)


@pytest.mark.parametrize(
    ("pair", "rho"), [(("xi", "xi_h"), 0.35), (("sIg_factor", "sHg"), 0.6), (("xi_theta", "xi"), -0.3)]
)
def test_ranks_go_together_as_asked(drawn: libraries.Library, pair: tuple[str, str], rho: float) -> None:
    weighting = weights(drawn, {" with ".join(pair): rho})
    assert rank_correlation(drawn, *pair, weighting) == pytest.approx(rho, abs=0.03)
    np.testing.assert_allclose(weights(drawn, {" with ".join(reversed(pair)): rho}), weighting, rtol=1e-9)
    # Margins stay.
    assert spread(scores(drawn, pair[0]), weighting)[0] == pytest.approx(scores(drawn, pair[0]).mean(), abs=0.03)


def test_copula_is_the_ratio_of_normal_densities() -> None:
    together = Correlations((Correlation("a", "b", 0.6), Correlation("b", "c", -0.2)))
    z = np.random.default_rng(3).normal(size=(50, 3))
    joint = stats.multivariate_normal(np.zeros(3), together.matrix).logpdf(z)
    expected = joint - stats.norm.logpdf(z).sum(axis=1)
    np.testing.assert_allclose(_copula(together, dict(zip("abc", z.T, strict=True))), expected, rtol=1e-9)


def test_what_is_as_in_the_tables_weighs_nobody(ready: libraries.Library) -> None:
    names = ["xi median", "xi spread", "dMAP_60 shift", "sIg_factor with sHg", "GFR0 median", "care_inertia median"]
    assert np.array_equal(weights(ready, {name: start_of(name) for name in names}), np.ones(len(ready)))
    assert np.array_equal(weights(ready, {}), np.ones(len(ready)))


def test_weights_belong_to_people_not_to_places(ready: libraries.Library) -> None:
    people = {"xi median": 1.2, "dMAP_60 shift": 2.0}
    some = np.array([500, 3, 3, 20_000])
    part = weights(ready.take(some), people)
    whole = weights(ready, people)[some]
    np.testing.assert_allclose(part, whole / whole.mean(), rtol=1e-9)


def test_effective_share_falls_with_the_distance(ready: libraries.Library) -> None:
    shares = [effective_share(weights(ready, {"xi median": factor})) for factor in (1.0, 1.1, 1.3, 1.8)]
    assert shares[0] == 1.0
    assert shares == sorted(shares, reverse=True)
    assert 0.3 < shares[-1] < 0.95
    assert effective_share(np.zeros(3)) == 0.0


def test_too_few_people(ready: libraries.Library) -> None:
    with pytest.raises(ConfigError, match="effective share") as error:
        weights(ready, {"xi_h median": 2.0})
    assert error.value.kinds == ("too-few-people",)
    assert len(weights(ready, {"xi_h median": 2.0}, least=0.0)) == len(ready)


def test_everything_wrong_is_said_at_once(ready: libraries.Library) -> None:
    people = {
        "xl median": 1.0,
        "xi middle": 1.0,
        "xi spread": 0.0,
        "xi with xi_h": 1.0,
        "xi shift": 1.0,
        "dMAP_60 median": 1.1,
        "xi with xi": 0.1,
        "birth_year_pima with onset_year_type_1": 0.2,
    }
    with pytest.raises(ConfigError) as error:
        weights(ready, people)
    text = str(error.value)
    assert len(error.value.problems) == len(people)
    assert all(name in text for name in people)
    assert "Did you mean 'xi'" in text
    assert "dMAP_60 shift" in text


def test_correlations_that_contradict_each_other(ready: libraries.Library) -> None:
    with pytest.raises(BetapodError, match="contradict"):
        weights(ready, {"sIg_factor with sHg": 0.95, "sHg with capacity_factor": 0.95})


def test_people_of_other_distributions_are_refused(ready: libraries.Library) -> None:
    some = ready.take(range(50))
    other = replace(some, parameters={**some.parameters, "xi_h": some.parameters["xi_h"] * 1.1})
    with pytest.raises(ConfigError, match="50 of 50 people have another xi_h"):
        weights(other, {"xi_h spread": 0.9})
    # Ranks stay where everybody's values were moved alike, and so does what goes with what.
    pair = {"xi_h with xi_vessel": 0.3}
    np.testing.assert_array_equal(weights(other, pair), weights(some, pair))
    elsewhere = {name: column * 1.1 for name, column in some.parameters.items()}
    with pytest.raises(ConfigError, match="50 of 50 people have another"):
        weights(replace(some, parameters=elsewhere), pair)
    with pytest.raises(ConfigError, match="with which seed"):
        weights(replace(some, origin={}), {"xi spread": 0.9})


def test_every_trait_can_be_moved(ready: libraries.Library) -> None:
    names = trait_names()
    assert {"xi", "sIg_factor", "dMAP_60", "bmi_adult", "killing_factor", "adherence"} <= set(names)
    some = ready.take(range(0, len(ready), 40))
    for name in names:
        assert _NAME.fullmatch(f"{name} spread")
        assert effective_share(weights(some, {f"{name} spread": 0.95})) > 0.9
