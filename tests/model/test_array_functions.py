"""Functions of few numbers are computed without SciPy, and give its bits."""

from __future__ import annotations

import math
import platform

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

from betapod.model.algebra import array_functions, operations

#: Where the starting value, the number of steps or the whole formula changes, and what is no number.
_EDGES = (*(0.0, -0.0, 1.0, -2.0, -50.0, -745.0, -800.0, 1e20, 800.0), np.inf, -np.inf, np.nan)


def _numbers() -> NDArray[np.float64]:
    draws = np.random.default_rng(7)
    spans = [draws.uniform(low, high, 1500) for low, high in ((-60, 3), (-2.1, 1.1), (1, 50), (-750, 750))]
    near = [np.nextafter(edge, side) for edge in _EDGES for side in (-np.inf, np.inf)]
    return np.concatenate([*spans, np.array(_EDGES), np.array(near), np.geomspace(1e2, 1e22, 1000)])


@pytest.mark.parametrize(("name", "of_scipy"), [("logistic", special.expit), ("wright_omega", special.wrightomega)])
@pytest.mark.parametrize("times", [1, 2], ids=["few", "many"])
def test_few_numbers_have_the_bits_of_scipy(name: str, of_scipy: np.ufunc, times: int) -> None:
    numbers = np.tile(_numbers(), (times, 1))
    assert (numbers.size < array_functions._MANY) == (times == 1)
    ours = array_functions.array_functions()[name](numbers)
    assert ours.shape == numbers.shape
    np.testing.assert_allclose(ours, of_scipy(numbers), rtol=1e-15)
    if platform.machine() == "x86_64":  # elsewhere a compiler may join products and sums
        assert np.array_equal(ours.view(np.int64), of_scipy(numbers).view(np.int64))


def test_one_number_gives_one_number() -> None:
    logistic = array_functions.array_functions()["logistic"](np.float64(0.0))
    assert logistic == 0.5
    assert np.ndim(logistic) == 0
    assert operations.wright_omega(1.0 + math.log(1.0)) == 1.0
