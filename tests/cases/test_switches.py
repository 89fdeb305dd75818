"""Jumps, events at the start and at rows, functions without a slope: both engines give the right value, or say by name what they refuse."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from betapod.engine.ensemble import Ensemble
from betapod.engine.reference import simulate
from betapod.errors import ParameterError
from betapod.exchange import read_sbml
from betapod.model import Model
from betapod.model.derivative import digamma
from betapod.model.expression import evaluate, symbol

_SPEC = importlib.util.spec_from_file_location("shorthand", Path(__file__).parents[1] / "exchange" / "shorthand.py")
assert _SPEC is not None and _SPEC.loader is not None
SHORTHAND: ModuleType = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(SHORTHAND)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BETAPOD_CACHE", str(tmp_path_factory.getbasetemp() / "programs"))


def model_of(text: str) -> Model:
    """Read a model in shorthand."""
    return read_sbml(SHORTHAND.sbml(text, 3, 2))


def both(text: str, times: list[float], name: str, rtol: float = 1e-8) -> tuple[list[float], list[float]]:
    """Return one quantity as the reference and the ensemble engine give it."""
    model = model_of(text)
    first = simulate(model, times, rtol=rtol, atol=1e-12, outputs=[name]).table[name].tolist()
    result = Ensemble(model, [name], rtol=rtol, atol=1e-12, threads=1).run(1, times)
    assert not len(result.failed), result.summary()
    return first, result.values[0, :, 0].tolist()


def test_a_number_other_than_zero_is_a_true_trigger() -> None:
    """Case 01284 of the SBML Test Suite: a trigger that is the number 3, false before the start, happens at time 0."""
    first, second = both(
        "parameter p = 5 variable\nparameter q = 0 variable\nrate q = 1\nevent E: 3 ; armed ; p = 2", [0.0, 1.0], "p"
    )
    assert first == [2.0, 2.0]
    assert second[-1] == 2.0


@pytest.mark.parametrize(
    ("x", "expected"), [(1.0, -0.5772156649015329), (0.5, -1.9635100260214235), (6.0, 1.7061176684318005)]
)
def test_digamma(x: float, expected: float) -> None:
    """Values: -gamma, -gamma - 2 ln 2, -gamma + 137/60."""
    assert evaluate([digamma(symbol("x"))], {"x": x})[0] == pytest.approx(expected, rel=1e-13)


def test_a_factorial_in_a_rate_is_integrated() -> None:
    """The rate is factorial(t): the integral of the gamma function from 1 to 3, by quadrature."""
    from scipy.integrate import quad
    from scipy.special import gamma

    exact = quad(lambda t: gamma(t + 1.0), 0.0, 2.0)[0]
    first, second = both("parameter x = 0 variable\nrate x = factorial(time)", [0.0, 2.0], "x")
    np.testing.assert_allclose([first[-1], second[-1]], exact, rtol=1e-7)


def test_a_run_of_nobody_in_particular_says_so() -> None:
    model = model_of("parameter x = 1 variable\nrate x = -x")
    with pytest.raises(ParameterError, match=r"run\(100, times\)"):
        Ensemble(model).run({}, [0.0, 1.0])
    assert Ensemble(model).run(3, [0.0, 1.0]).values.shape == (3, 2, 1)
