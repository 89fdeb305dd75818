"""People who are moved towards one person's labs: the law of the sampler on a posterior that is known, and who people are by their scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from betapod.patients.population import OwnScores, drawn_scores, own_scores, sample
from betapod.twins.annealed_people import AnnealedPeople, annealed_people

#: Two traits with a correlation; a measurement of their sum with an error.
RHO, SEEN, ERROR = 0.5, 3.0, 0.3
FACTOR, COUNT = 2.5, 600
Numbers = NDArray[np.float64]


class Plain:
    """People whose life is the sum of two traits, and who cannot be where the sum is above 4."""

    def __init__(self) -> None:
        self.numbers_seen: list[set[int]] = []

    def drawn(self, count: int, seed: int) -> dict[str, Numbers]:
        first, second = np.random.default_rng(seed).normal(size=(2, count))
        return {"a": first, "b": RHO * first + np.sqrt(1 - RHO**2) * second}

    def lived(self, numbers: NDArray[np.int64], scores: dict[str, Numbers]) -> list[Any]:
        return list(scores["a"] + scores["b"])

    def fits(self, lives: Sequence[Any], factor: float) -> Numbers:
        sums = np.array(lives)
        return np.where(sums <= 4.0, -0.5 * ((sums - SEEN) / (factor * ERROR)) ** 2, -np.inf)

    def strangers(self, numbers: NDArray[np.int64], move: int) -> tuple[NDArray[np.int64], dict[str, Numbers]]:
        count = len(numbers)
        return 10_000 + move * count + np.arange(count), self.drawn(count, 100 + move)


@pytest.fixture(scope="module")
def moved() -> AnnealedPeople:
    people = Plain()
    everybody = people.drawn(200_000, 1)
    logs = people.fits(people.lived(np.arange(1), everybody), FACTOR)
    weights = np.exp(logs - logs.max())
    rows = np.random.default_rng(2).choice(len(logs), COUNT, replace=False, p=weights / weights.sum())
    return annealed_people(people, np.arange(1, COUNT + 1), {name: v[rows] for name, v in everybody.items()}, FACTOR, 1)


def test_the_population_is_that_of_people_given_the_labs(moved: AnnealedPeople) -> None:
    # By brute force: everybody of many, weighed by the error of the measurement.
    people = Plain()
    everybody = people.drawn(1_000_000, 7)
    logs = people.fits(people.lived(np.arange(1), everybody), 1.0)
    weights = np.exp(logs) / np.exp(logs).sum()
    for name in ("a", "b"):
        mean = float(np.sum(weights * everybody[name]))
        spread = float(np.sqrt(np.sum(weights * (everybody[name] - mean) ** 2)))
        found = float(np.sum(moved.weights * moved.scores[name]))
        scatter = float(np.sqrt(np.sum(moved.weights * (moved.scores[name] - found) ** 2)))
        assert abs(found - mean) < 0.2 * spread, name
        assert scatter == pytest.approx(spread, rel=0.12), name
    sums = np.array(moved.lives)
    assert sums.max() <= 4.0 and abs(np.sum(moved.weights * sums) - SEEN) < ERROR
    # At the start the measurement allowed 2.5 times as much.
    assert np.sqrt(np.sum(moved.weights * (sums - np.sum(moved.weights * sums)) ** 2)) < 1.2 * ERROR


def test_weights_numbers_and_lives_belong_together(moved: AnnealedPeople) -> None:
    assert moved.weights.sum() == pytest.approx(1.0) and 0.05 < moved.accepted < 0.9
    assert np.array_equal(np.array(moved.lives), moved.scores["a"] + moved.scores["b"])
    # Who shares a number is the same person.
    numbers, places, which = np.unique(moved.numbers, return_index=True, return_inverse=True)
    assert np.array_equal(moved.scores["a"], moved.scores["a"][places][which]) and len(numbers) > 0.7 * COUNT
    assert moved.tried % COUNT == 0 and set(moved.origins) <= set(range(COUNT))


def test_people_with_their_own_scores_are_those_of_their_numbers() -> None:
    numbers = np.arange(40)
    scores = drawn_scores(1, numbers)
    usual = sample(1, numbers)
    with own_scores(OwnScores(numbers, scores)):
        same = sample(1, numbers)
    for name, values in {**usual.traits, **usual.model}.items():
        assert {**same.traits, **same.model}[name] == pytest.approx(values, rel=1e-9), name


def test_somebody_else_is_somebody_else_and_others_stay() -> None:
    numbers, other = np.arange(20), drawn_scores(2, np.arange(20))
    some = np.array([7, 3])
    own = OwnScores(some, {name: values[[0, 1]] for name, values in other.items()})
    usual = sample(1, numbers)
    with own_scores(own):
        changed = sample(1, numbers)
    differs = np.flatnonzero(changed.model["xi"] != usual.model["xi"])
    assert differs.tolist() == [3, 7]
    assert changed.model["xi_h"][7] == pytest.approx(sample(2, numbers[:1]).model["xi_h"][0])
    # Doctors and chance, the sex among them, are those of the number.
    assert np.array_equal(changed.traits["female"], usual.traits["female"])
