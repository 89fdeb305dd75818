"""What the solver's tolerances move in trials: ``python benchmarks/trial_tolerances.py [PROTOCOL ...] [--replicates 200]``.

Every protocol of the package, or those that are named, is run at several tolerances with the same seed. Errors against 1e-9 are those of true courses,
relative to the SD between people on that day, and of each trial's estimate of the primary endpoint, relative to its own standard error. Conduct has
thresholds (eligibility, rescue, first events), so what is counted besides are patients whose trial went another way: another person enrolled,
another baseline visit, another disposition, rescue or first event; and trials that decide otherwise. Seconds are processor time of the pool of one thread.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np

from betapod import list_protocols
from betapod.trials.analysis.controlled import analyse
from betapod.trials.analysis.endpoints import comparisons
from betapod.trials.analysis.estimators import Estimate
from betapod.trials.conduct import pool_build
from betapod.trials.conduct.conduct import adapted, conduct_trial
from betapod.trials.conduct.trial_data import TrialData
from betapod.trials.conduct.trial_run import TrialRun
from betapod.trials.operating.test_rules import rule_of
from betapod.trials.protocol.protocol_files import find_protocol

#: Tolerances that are compared, the reference first.
TOLERANCES = ((1e-9, 1e-12), (1e-6, 1e-9), (1e-5, 1e-8), (1e-4, 1e-7), (1e-3, 1e-6))


@dataclass(frozen=True)
class Outcome:
    """A protocol at one tolerance: its run, the seconds of its pool, and (design, scenario, comparison) -> estimates and decisions."""

    run: TrialRun
    seconds: float
    estimates: dict[tuple[str, str, str], tuple[Estimate, np.ndarray]]


def outcome_of(name: str, replicates: int, tolerances: tuple[float, float]) -> Outcome:
    """Run a protocol at one tolerance."""
    former = pool_build.RTOL, pool_build.ATOL
    pool_build.RTOL, pool_build.ATOL = tolerances
    try:
        protocol = adapted(find_protocol(name), replicates, None)
        began = time.process_time()
        pool = pool_build.pool_of(protocol, threads=1, cache=False)
        seconds = time.process_time() - began
    finally:
        pool_build.RTOL, pool_build.ATOL = former
    run = conduct_trial(protocol, pool=pool, threads=1)
    primary = protocol.endpoints.primary
    rule = rule_of(protocol.endpoints, primary)
    estimates = {}
    for (design, scenario), data in run.data.items():
        for comparison in comparisons(protocol, design):
            estimate = analyse(data, primary, comparison, level=rule.level)
            estimates[design, scenario, str(comparison)] = estimate, np.asarray(rule.shown(estimate))
    return Outcome(run, seconds, estimates)


def courses_off(run: TrialRun, right: TrialRun) -> np.ndarray:
    """Return errors of true courses in units of the SD between people."""
    pieces = []
    for name, table in right.pool.values.items():
        with np.errstate(all="ignore"):
            off = np.abs(run.pool.values[name] - table)[:, 1:] / np.nanstd(table, axis=0)[1:]
        pieces.append(off[np.isfinite(off)])
    return np.concatenate(pieces)


def other_ways(data: TrialData, right: TrialData) -> int:
    """Return how many patients of all trials went another way than at the reference."""
    other = (data.member != right.member) | (data.disposition != right.disposition) | (data.arm != right.arm)
    other |= np.isnan(data.rescued) != np.isnan(right.rescued)
    other |= (np.isnan(data.day) != np.isnan(right.day)).any(-1)
    for name, days in right.outcome_days.items():
        other |= np.isnan(data.outcome_days[name]) != np.isnan(days)
    return int(other.sum())


def compared(name: str, replicates: int) -> None:
    """Print what the tolerances move in a protocol."""
    right = outcome_of(name, replicates, TOLERANCES[0])
    for tolerances in TOLERANCES[1:]:
        now = outcome_of(name, replicates, tolerances)
        far = courses_off(now.run, right.run)
        off, otherwise = [], 0
        for key, (estimate, decided) in right.estimates.items():
            again, decided_now = now.estimates[key]
            with np.errstate(all="ignore"):
                moved = np.abs(again.effect - estimate.effect) / estimate.standard_error
            off.append(moved[np.isfinite(moved)].ravel())
            otherwise += int(np.sum(decided_now != decided))
        moved = np.concatenate(off)
        patients = sum(data.member.size for data in right.run.data.values())
        ways = sum(other_ways(now.run.data[key], data) for key, data in right.run.data.items())
        print(
            f"{name} {tolerances[0]:g}, {tolerances[1]:g}: pool {now.seconds:.1f} s; courses 99 % {np.quantile(far, 0.99):.1e}, worst {far.max():.1e}; "
            f"{len(moved)} estimates median {np.median(moved):.1e}, 99 % {np.quantile(moved, 0.99):.1e}, worst {moved.max():.1e}; "
            f"{otherwise} decide otherwise; {ways} of {patients} patients go another way; lost {now.run.pool.facts['lost']}",
            flush=True,
        )


def main() -> None:
    """Compare what is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("protocols", nargs="*")
    parser.add_argument("--replicates", type=int, default=200)
    arguments = parser.parse_args()
    for name in arguments.protocols or list_protocols()["name"]:
        compared(name, arguments.replicates)


if __name__ == "__main__":
    main()
