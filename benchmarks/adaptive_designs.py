"""Type I error of every adaptive design over 100,000 trials, and of the tests that ignore the adaptation: ``python benchmarks/adaptive_designs.py``.

Prints a table; ends with 1 where a design that promises 0.025 is above it by more than three Monte-Carlo errors.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable

import numpy as np

from betapod import designs
from betapod.trials.designs.adaptive_outcomes import AdaptiveOutcomes

ALPHA = 0.025
TWO_LOOKS = designs.group_sequential("OF", 2)
THREE_LOOKS = designs.group_sequential("asOF", 3)
PRODUCTS = designs.fisher_design(2)


def simulations(n: int, seed: int) -> dict[str, Callable[[], AdaptiveOutcomes]]:
    """Return every design under the null, by name."""
    both = {"replicates": n, "seed": seed}
    got: dict[str, Callable[[], AdaptiveOutcomes]] = {}
    for test in ("Bonferroni", "Sidak", "Simes", "Dunnett"):
        for name, design in (("inverse normal", TWO_LOOKS), ("Fisher", PRODUCTS)):
            got[f"arms, best of 2, {test}, {name}"] = lambda test=test, design=design: designs.simulate_multi_arm(
                design, [0, 0], per_arm=40, test=test, **both
            )
            got[f"enrichment, {test}, {name}"] = lambda test=test, design=design: designs.simulate_enrichment(
                design, 0, 0, share=0.4, per_arm=60, test=test, **both
            )
    for rule, margin in (("all", 0.0), ("within", 0.1), ("above", 0.0)):
        got[f"arms, 3 at 3 looks, {rule}, Dunnett"] = lambda rule=rule, margin=margin: designs.simulate_multi_arm(
            THREE_LOOKS, [0, 0, 0], per_arm=30, rule=rule, margin=margin, test="Dunnett", **both
        )
    for rule in ("conditional power", "promising zone", "none"):
        got[f"size anew, {rule}"] = lambda rule=rule: designs.simulate_reestimation(
            TWO_LOOKS,
            0,
            planned=(120, 120),
            least=None if rule == "promising zone" else 20,
            most=1000,
            rule=rule,
            **both,
        )
    for arms in (1, 2, 3):
        for drift in (0.0, 1.0):
            got[f"adaptive randomisation, {arms} and control, time {drift:g} SD"] = lambda arms=arms, drift=drift: (
                designs.simulate_adaptive_randomisation([0] * arms, drift=drift, **both)
            )
    return got


def sequential(n: int, seed: int) -> dict[str, float]:
    """Return the share of trials without effect that group-sequential designs reject."""
    rng = np.random.default_rng(seed)
    shares = {}
    for family in ("OF", "P", "WT", "HP", "PT", "asOF", "asP", "asKD", "asHSD"):
        for futility in (None,) if family in ("PT",) else (None, "asOF"):
            design = designs.group_sequential(family, [0.3, 0.7, 1], futility=futility, binding=futility is not None)
            t = np.array(design.information)
            z = np.cumsum(rng.normal(size=(n, 3)) * np.sqrt(np.diff(t, prepend=0)), 1) / np.sqrt(t)
            going, rejected = np.ones(n, dtype=bool), np.zeros(n, dtype=bool)
            for k in range(3):
                rejected |= going & (z[:, k] >= design.efficacy[k])
                going &= (z[:, k] < design.efficacy[k]) & ((z[:, k] > design.futility[k]) | (not design.binding))
            shares[f"sequential {family}{', binding futility' if futility else ''}"] = float(rejected.mean())
    return shares


def blinded(n: int, seed: int) -> float:
    """Return the share of trials without effect that a t test rejects after the size was set by blinded variance."""
    rng = np.random.default_rng(seed)
    one_look = designs.group_sequential("OF", 1)
    # 60 patients at the look; means and variances of both parts are what the test needs.
    first = rng.normal(size=(n, 2, 30))
    total = 2 * np.ceil(designs.blinded_size(first.reshape(n, 60), 0.5, one_look, least=80, most=400) / 2)
    later = total / 2 - 30
    means = rng.normal(size=(n, 2)) / np.sqrt(later)[:, None]
    squares = rng.chisquare(2 * (later - 1))
    mean = (first.sum(-1) + later[:, None] * means) / (total / 2)[:, None]
    within = first.var(-1).sum(-1) * 30 + squares
    between = ((first.mean(-1) - means) ** 2).sum(-1) * (30 * later / (30 + later))
    error = np.sqrt((within + between) / (total - 2) * 4 / total)
    from scipy.special import stdtr

    return float(np.mean(stdtr(total - 2, -(mean[:, 0] - mean[:, 1]) / error) <= ALPHA))


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=20261128)
    options = parser.parse_args()
    n = options.replicates
    error = math.sqrt(ALPHA * (1 - ALPHA) / n)
    begin = time.process_time()
    rows: list[tuple[str, float, str]] = [(name, share, "") for name, share in sequential(n, options.seed).items()]
    rows.append(("blinded size, t test", blinded(n, options.seed), ""))
    for name, simulate in simulations(n, options.seed).items():
        trials = simulate()
        ignored = ", ".join(f"{test} {flags.mean():.5f}" for test, flags in trials.compared.items())
        rows.append((name, trials.any_rejected, ignored))
    above = 0
    for name, share, ignored in rows:
        apart = (share - ALPHA) / error
        above += apart > 3
        print(f"{name:<58} {share:.5f} {apart:+6.1f} errors   {ignored}")
    print(f"{n} trials each, Monte-Carlo error {error:.5f}; {above} of {len(rows)} above 0.025 by more than three")
    print(f"processor time {time.process_time() - begin:.1f} s")
    return int(above > 0)


if __name__ == "__main__":
    sys.exit(main())
