"""Pivots of the linear systems are not exchanged: where one all but vanishes, a step is refused or right, never wrong in silence."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.linalg import expm

from betapod.engine.compiled.lower import lower
from betapod.engine.compiled.rosenbrock import GAMMA
from betapod.engine.ensemble import Ensemble
from betapod.model import Model, ParameterTable, Part, assemble
from betapod.model.parameters.table import Parameter

SIZE, RTOL, ATOL = 3, 1e-4, 1e-7
STATES = range(SIZE)
#: What the first pivot of a step of length 1 leaves of its two parts, as a share of them.
LEFT = (1e-2, 1e-6, 1e-10, 1e-13, 1e-15, 0.0)
#: Far apart from all rates: at 0 the pivot is exactly 0.
DIAGONAL = 1.0 / GAMMA


@pytest.fixture(scope="module")
def linear() -> Model:
    """Return a linear model whose every number is a parameter."""
    text, rows = "", list[tuple[str, str]]()
    for i in STATES:
        text += f"dx{i}/dt = {' + '.join(f'j{i}{k}*x{k}' for k in STATES)} + s{i}  [1/day] x\nx{i}(0) = u{i} [1] x\n"
        rows += [*((f"j{i}{k}", "1/day") for k in STATES), (f"s{i}", "1/day"), (f"u{i}", "1")]
    table = ParameterTable(
        [Parameter(name, name, 1.0, unit, -1e9, 1e9, "fixed", "assumed", "", "", "D", "") for name, unit in rows]
    )
    return assemble("linear", [Part.from_text("linear", text)], table)


def stable_systems(first: int, count: int) -> NDArray[np.float64]:
    """Return random matrices that die out although one state, the first that is eliminated, drives itself."""
    random, systems = np.random.default_rng(1), []
    while len(systems) < count:
        matrix = random.normal(size=(SIZE, SIZE)) * DIAGONAL * 2.0
        matrix[first, first] = DIAGONAL
        if np.linalg.eigvals(matrix).real.max() < -0.2:
            systems.append(matrix)
    return np.array(systems)


def test_a_vanishing_pivot_makes_no_silent_error(linear: Model) -> None:
    """Near rest, so that a step of a whole day is accepted where its systems are solved well; against the exponential of the matrix."""
    first = lower(linear).factorisation.steps[0][0]
    random, systems = np.random.default_rng(2), stable_systems(first, 30)
    ensemble = Ensemble(linear, rtol=RTOL, atol=ATOL, threads=1)
    ensemble.first_step = 1e9
    accepted = {}
    for left in LEFT:
        systems[:, first, first] = DIAGONAL * (1.0 - left)
        sources = random.normal(size=(len(systems), SIZE))
        rest = -np.linalg.solve(systems, sources[..., None])[..., 0]
        starts = rest * (1.0 + 3e-5 * random.normal(size=rest.shape))
        right = np.array([r + expm(a) @ (u - r) for a, r, u in zip(systems, rest, starts, strict=True)])
        who = {f"j{i}{k}": systems[:, i, k] for i in STATES for k in STATES}
        who |= {f"s{i}": sources[:, i] for i in STATES} | {f"u{i}": starts[:, i] for i in STATES}
        result = ensemble.run(who, [0.0, 1.0])
        assert np.all(result.status == 0)
        errors = np.abs(result.values[:, 1] - right) / (ATOL + RTOL * np.abs(right))
        assert errors.max() < 20.0, left
        accepted[left] = np.sum((result.steps == 1) & (result.rejected == 0))
    assert accepted[1e-2] > 20 and accepted[1e-10] > 20, "the steps in question were taken"
    assert accepted[0.0] == 0, "nobody steps over a system that cannot be solved"
