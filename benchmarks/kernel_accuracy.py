"""Accuracy of the ensemble engine: error against steps by tolerance, and agreement with SciPy's Radau for many random patients.

Run with the package's own interpreter::

    python benchmarks/kernel_accuracy.py [--agreement 200] [--model kidney]
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
from kernel_speed import case

from betapod.engine.ensemble import Ensemble
from betapod.engine.scipy.reference import simulate_by_reference as simulate


def work_precision(name: str, count: int = 64) -> None:
    """Print error, steps and rejections by tolerance; errors against a run at 1e-12."""
    model, who, times = case(name, count)
    right = Ensemble(model, rtol=1e-12, atol=1e-15, max_steps=10**7).run(who, times).values
    scale = np.abs(right) + 1e-3 * np.nanmax(np.abs(right), axis=1, keepdims=True) + 1e-12
    for rtol in (1e-4, 1e-5, 1e-6, 1e-7, 1e-8):
        found = Ensemble(model, rtol=rtol, atol=rtol * 1e-3).run(who, times)
        error = np.nanmax(np.abs(found.values - right) / scale, axis=(1, 2))
        print(
            f"{name}: rtol {rtol:g}: median error {np.median(error):.1e}, largest {error.max():.1e}, "
            f"{found.steps.mean():.1f} steps, {found.rejected.mean():.2f} refused, {found.summary()}"
        )


def _reference(task: tuple[str, int, int]) -> tuple[int, Any, float | None]:
    name, count, i = task
    model, who, times = case(name, count)
    one = model.with_values({key: float(column[i]) for key, column in who.items()})
    right = simulate(one, times, method="Radau", rtol=1e-9, atol=1e-11, outputs=model.state_names)
    return i, right.table.to_numpy(), None if right.ended is None else right.ended[1]


def agreement(name: str, count: int) -> None:
    """Print the largest difference from Radau in units of the tolerance, over every patient, state and visit."""
    model, who, times = case(name, count)
    found = Ensemble(model, rtol=1e-6, atol=1e-9).run(who, times)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        rows = list(pool.map(_reference, [(name, count, i) for i in range(count)]))
    worst = np.zeros(count)
    local = np.zeros(count)
    for i, table, ended in rows:
        assert np.array_equal(np.isfinite(table), np.isfinite(found.values[i])), i
        assert (ended is None) == bool(np.isnan(found.ended_at[i])), i
        scale = np.nanmax(np.abs(table), axis=0)
        difference = np.abs(found.values[i] - table)
        local[i] = np.nanmax(difference / (1e-9 + 1e-6 * np.abs(table)))
        worst[i] = np.nanmax(difference / (1e-9 + 1e-6 * np.maximum(np.abs(table), 0.1 * scale)))
    print(
        f"{name}: {count} patients against Radau at 1e-9: largest difference {worst.max():.1f} tolerances (median {np.median(worst):.1f}; "
        f"relative to the value at that very time {local.max():.1f}), {int(np.sum(worst > 10))} beyond 10; {found.summary()}"
    )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="kidney")
    parser.add_argument("--agreement", type=int, default=0)
    options = parser.parse_args()
    work_precision(options.model)
    if options.agreement:
        agreement(options.model, options.agreement)


if __name__ == "__main__":
    main()
