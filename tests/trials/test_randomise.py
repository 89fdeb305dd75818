"""Allocation: ratios, balance, and numbers that depend on the replicate alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from betapod.trials.protocol.randomise import allocate

METHODS = ("simple", "blocks", "minimisation")


def strata(replicates, patients, groups=2, seed=0):
    return np.random.default_rng(seed).integers(0, groups, (replicates, patients)).astype(np.int8)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shares", [[1, 1], [3, 1], [1, 1, 1, 1]])
def test_the_ratio_is_met(method, shares):
    arm = allocate(method, shares, strata(400, 48), 1, range(400))
    found = np.bincount(arm.ravel(), minlength=len(shares)) / arm.size
    assert found == pytest.approx(np.array(shares) / sum(shares), abs=0.02)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.lists(st.integers(1, 3), min_size=2, max_size=3), st.integers(5, 60))
def test_blocks_are_balanced_within_strata(seed, shares, patients):
    stratum = strata(8, patients, seed=seed)
    arm = allocate("blocks", shares, stratum, seed, range(8))
    block = 2 * sum(shares)
    for r in range(8):
        for s in range(2):
            sequence = arm[r, stratum[r] == s]
            for k in range(len(sequence) // block):
                counts = np.bincount(sequence[k * block : (k + 1) * block], minlength=len(shares))
                assert list(counts) == [2 * share for share in shares]


def test_minimisation_balances_better_than_chance():
    stratum = strata(500, 40, 4)
    spread = {}
    for method in ("simple", "minimisation"):
        arm = allocate(method, [1, 1], stratum, 2, range(500))
        inside = [np.abs(np.sum(np.where(stratum == s, 2 * arm - 1.0, 0.0), axis=1)).mean() for s in range(4)]
        spread[method] = np.mean(inside)
    assert spread["minimisation"] < 0.6 * spread["simple"]


@pytest.mark.parametrize("method", METHODS)
def test_a_replicate_does_not_depend_on_others(method):
    stratum = strata(50, 30)
    whole = allocate(method, [2, 1], stratum, 7, range(50))
    part = allocate(method, [2, 1], stratum[20:35], 7, range(20, 35))
    assert np.array_equal(whole[20:35], part)
    assert not np.array_equal(whole, allocate(method, [2, 1], stratum, 8, range(50)))


def test_one_arm_needs_no_random_numbers():
    assert not allocate("blocks", [1], strata(3, 5), 1, range(3)).any()
