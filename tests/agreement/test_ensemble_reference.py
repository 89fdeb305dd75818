"""The ensemble engine against the reference integrator on the kidney: random patients, a therapy switch, every state and visit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from betapod.engine.ensemble import Ensemble
from betapod.engine.schedule import Schedule, Switch
from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.model.parameters.possible_values import possible_bounds
from betapod.physiology import whole_body


def test_kidney(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within ten times the tolerance at every visit of ten years."""
    monkeypatch.setenv("BETAPOD_CACHE", str(tmp_path))
    model = whole_body.named_model("kidney")
    rtol, count = 1e-6, 3
    random = np.random.default_rng(11)
    names = [name for name, row in model.parameters.items() if row.value > 0.0 and row.role != "derived"]
    bounds = {name: possible_bounds(model.parameters[name]) for name in names}
    who = {
        name: np.clip(model.parameters[name].value * np.exp(0.05 * random.standard_normal(count)), *bounds[name])
        for name in names
    }
    schedule = Schedule(switches=[Switch("e_ACE", 1.0, 1000.0, 30.0)])
    times = np.linspace(0.0, 3650.0, 11)
    result = Ensemble(model, rtol=rtol).run(who, times, schedule)
    assert result.failed.size == 0
    for i in range(count):
        one = model.with_values({name: float(column[i]) for name, column in who.items()})
        right = simulate(one, times, schedule, method="Radau", rtol=1e-9, atol=1e-11, outputs=model.state_names)
        table = right.table.to_numpy()
        assert np.array_equal(np.isfinite(table), np.isfinite(result.values[i]))
        scale = np.nanmax(np.abs(table), axis=0)
        error = np.abs(result.values[i] - table) / (1e-9 + rtol * (np.abs(table) + 0.1 * scale))
        assert np.nanmax(error) < 10.0, (i, model.state_names[int(np.nanargmax(np.nanmax(error, axis=0)))])
