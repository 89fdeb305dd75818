"""People of the model of a reservoir, of whom some end early and a few fail, with three schedules."""

from __future__ import annotations

from typing import Any

import numpy as np

from betapod import Dose, Schedule, Switch

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
