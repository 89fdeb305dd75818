"""Processor time of 10,000 trials through the mixed model and through win statistics: ``python benchmarks/analyses.py [trials] [processes]``.

Trials of 200 patients at four visits, a fifth of them lost and 5 % of visits missed; trials of 1,500 patients with 500 levels of outcome. There is no effect, so that the share
of p below 0.05 is the type I error.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np

import betapod

#: Trials that a process takes at once.
BATCH = 500


def mixed_models(seed: int, trials: int) -> tuple[float, int, int]:
    """Return processor time, trials that were fitted, and trials with p below 0.05."""
    random = np.random.default_rng([1, seed])
    treated = np.arange(200) % 2.0
    base = random.normal(60, 15, (trials, 200))
    values = (
        0.6 * base[..., None] + random.normal(0, 5, (trials, 200, 1)) + random.normal(0, 4, (trials, 200, 4)).cumsum(-1)
    )
    values[random.random(values.shape) < 0.05] = np.nan
    last = np.where(random.random((trials, 200)) < 0.2, random.integers(1, 4, (trials, 200)), 4)
    values[np.arange(4) >= last[..., None]] = np.nan
    start = time.process_time()
    estimate = betapod.analyses.mmrm(values, base, treated, adjustment="Kenward-Roger")
    return time.process_time() - start, int(np.isfinite(estimate.p).sum()), int((estimate.p < 0.05).sum())


def wins(seed: int, trials: int) -> tuple[float, int, int]:
    """Return as `mixed_models`."""
    random = np.random.default_rng([2, seed])
    score = random.integers(0, 500, (trials, 1500)).astype(float)
    start = time.process_time()
    p = betapod.analyses.win_statistics(score, np.arange(1500) % 2).log_win_odds.p
    return time.process_time() - start, int(np.isfinite(p).sum()), int((p < 0.05).sum())


def main() -> None:
    """Print a line per analysis."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    processes = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    seeds = range(max(trials // BATCH, 1))
    for name, work in (("mixed model, 200 x 4 visits", mixed_models), ("win odds, 1,500 patients", wins)):
        start = time.perf_counter()
        with ProcessPoolExecutor(processes) as pool:
            parts = list(pool.map(work, seeds, [min(BATCH, trials)] * len(seeds)))
        wall = time.perf_counter() - start
        cpu, fitted, rejected = (sum(part[k] for part in parts) for k in range(3))
        line = f"{fitted} of {len(seeds) * min(BATCH, trials)} fitted, {cpu:.1f} s of processor time, {wall:.1f} s on {processes} processes"
        print(f"{name}: {line}; p < 0.05 in {100 * rejected / fitted:.2f} %")


if __name__ == "__main__":
    main()
