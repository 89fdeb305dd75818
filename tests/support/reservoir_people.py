"""People of the model of a reservoir, of whom some end early and a few fail, with three schedules."""

from __future__ import annotations

from typing import Any

import numpy as np

from betapod import Dose, Ensemble, EnsembleResult, Schedule, Switch
from betapod.model import Model

TIMES = [0.5 * k for k in range(21)]
PEOPLE = 300
SCHEDULES = [
    Schedule([Dose("x", 3.0, 1.0, ii=2.0, addl=3)], [Switch("drive", 0.5, 2.0), Switch("drive", 0.0, 4.0, 3.0)]),
    Schedule([Dose("z", 5.0, 0.5)], [Switch("drive", 0.2, 1.0, 1.0)]),
    Schedule([Dose("y", 2.0, 3.0, duration=2.0)]),
]


def people(count: int = PEOPLE) -> dict[str, Any]:
    """Return people of whom some end early and a few fail."""
    draw = np.random.default_rng(7)
    columns = {"k_in": draw.uniform(0.1, 30.0, count), "z_max": draw.uniform(0.5, 20.0, count)}
    boundless = np.arange(count) % 100 == 17
    columns["k_z"] = np.where(boundless, 1e307, 0.02)
    columns["z_max"][boundless] = 1.7e308
    return columns


def run(model: Model, device: str, order: Any = slice(None), **options: Any) -> EnsembleResult:
    """Integrate people with three schedules in some order."""
    columns = {name: column[order] for name, column in people().items()}
    schedules = [SCHEDULES[k % 3] for k in np.arange(PEOPLE)[order]]
    width = 1 if device == "cpu" else None
    ensemble = Ensemble(model, ["x", "load", "z"], width=width, threads=1, device=device, max_steps=2600, **options)
    return ensemble.run(columns, TIMES, schedules, {"y": np.linspace(0.5, 2.0, PEOPLE)[order]})


def same(one: EnsembleResult, other: EnsembleResult, order: Any = slice(None)) -> None:
    """Check that results are the same to the last bit."""
    for name in ("values", "status", "ended_at", "event", "steps", "rejected"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name)[order], err_msg=name)
    failed = one.failed
    np.testing.assert_array_equal(one.last[failed], other.last[order][failed])
