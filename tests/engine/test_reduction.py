"""Moments of many patients: right, and the same bits whoever adds them, on a processor or on a card."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reservoir_people import PEOPLE, SCHEDULES, TIMES, people
from stand_in_card import StandIn
from stand_in_card import stand_in as stand_in

from betapod import Ensemble, EnsembleSummary, load_model
from betapod.base.errors import ConfigError
from betapod.engine import ensemble_summary
from betapod.engine.compiled.workspace import IMPOSSIBLE, OK
from betapod.engine.gpu.grid_reduction import reduce_here
from betapod.engine.reduction import BLOCK_OF_PATIENTS, HALF, Reduction, bin_edges, pieces_of
from betapod.model import Model

OUTPUTS = ["x", "load", "z"]
ARMS = np.random.default_rng(11).choice(["new", "old", "usual"], PEOPLE)
KEPT = ("count", "mean", "squares", "low", "high", "endings", "ended_by", "steps", "rejected", "_bins")


def summarise(model: Model, device: str = "cpu", threads: int = 1, **options: Any) -> EnsembleSummary:
    """Summarise people of whom some end early and some fail."""
    width = 1 if device == "cpu" else None
    ensemble = Ensemble(model, OUTPUTS, width=width, threads=threads, device=device, max_steps=2600)
    schedules = [SCHEDULES[k % 3] for k in range(PEOPLE)]
    start = {"y": np.linspace(0.5, 2.0, PEOPLE)}
    return ensemble.summarise(people(), TIMES, schedules, start, ARMS, **options)


def same(one: EnsembleSummary, other: EnsembleSummary) -> None:
    """Check that summaries are the same to the last bit."""
    for name in KEPT:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


@pytest.fixture(scope="module")
def by_processor(reservoir: Model) -> EnsembleSummary:
    return summarise(reservoir, quantiles=True)


def test_moments_are_those_of_the_values(reservoir: Model, by_processor: EnsembleSummary) -> None:
    schedules = [SCHEDULES[k % 3] for k in range(PEOPLE)]
    ensemble = Ensemble(reservoir, OUTPUTS, width=1, threads=1, max_steps=2600)
    run = ensemble.run(people(), TIMES, schedules, {"y": np.linspace(0.5, 2.0, PEOPLE)})
    assert set(run.status) == {0, 1, 3, 4} and by_processor.groups == ("new", "old", "usual")
    for number, arm in enumerate(by_processor.groups):
        of_arm = arm == ARMS
        values = run.values[of_arm]
        finite = np.isfinite(values)
        assert not finite.all() and finite.any(axis=0).all()
        shown = np.where(finite, values, np.nan)
        np.testing.assert_array_equal(by_processor.count[number], finite.sum(axis=0))
        np.testing.assert_allclose(by_processor.mean[number], np.nanmean(shown, axis=0), rtol=1e-13)
        np.testing.assert_allclose(by_processor.sd[number], np.nanstd(shown, axis=0, ddof=1), rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(by_processor.low[number], np.nanmin(shown, axis=0))
        np.testing.assert_array_equal(by_processor.high[number], np.nanmax(shown, axis=0))
        np.testing.assert_array_equal(
            by_processor.endings[number], np.bincount(run.status[of_arm], minlength=len(run.status_names))
        )
        ended = run.event[of_arm]
        np.testing.assert_array_equal(
            by_processor.ended_by[number], np.bincount(ended[ended >= 0], minlength=len(run.event_names))
        )
        assert (by_processor.steps[number], by_processor.rejected[number]) == (
            run.steps[of_arm].sum(),
            run.rejected[of_arm].sum(),
        )
        for share in (0.0, 0.1, 0.5, 0.9, 1.0):
            exact = np.nanquantile(shown, share, axis=0, method="closest_observation")
            near = np.nanquantile(shown, [share - 0.011, share + 0.011] if 0.05 < share < 0.95 else [share] * 2, axis=0)
            found = by_processor.quantile(share)[number]
            slack = np.abs(exact) / 256 + 3e-10
            assert np.all((near[0] - slack <= found) & (found <= near[1] + slack))
    assert by_processor.summary() == run.summary() and by_processor.failed == len(run.failed)


@pytest.mark.parametrize("threads", [1, 3])
def test_neither_threads_nor_how_many_at_a_time_matter(
    reservoir: Model, by_processor: EnsembleSummary, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    monkeypatch.setattr(ensemble_summary, "_AT_A_TIME", 1)
    same(summarise(reservoir, threads=threads, quantiles=True), by_processor)


@pytest.mark.parametrize(("resident", "free"), [(1, 1 << 30), (3, 1 << 30), (1, 380_000)])
def test_a_card_gives_the_same_bits_and_keeps_the_values(
    stand_in: StandIn, reservoir: Model, by_processor: EnsembleSummary, resident: int, free: int
) -> None:
    stand_in.resident, stand_in.free = resident, free
    stand_in.order = np.random.default_rng(resident).permutation
    found = summarise(reservoir, "cuda")
    for name in KEPT[:-1]:
        np.testing.assert_array_equal(getattr(found, name), getattr(by_processor, name), err_msg=name)
    assert len(stand_in.grids) == (2 if free < 1 << 30 else 1) and stand_in.taken == 0
    moments = found.count.size * 5 + found.endings.size + found.ended_by.size + 2 * len(found.groups)
    assert stand_in.home == 8 * moments


def test_a_card_counts_bins(stand_in: StandIn, reservoir: Model, by_processor: EnsembleSummary) -> None:
    same(summarise(reservoir, "cuda", quantiles=True), by_processor)


# -- the reduction alone -----------------------------------------------------------------------------------------------


def reduced(values: Any, lowest: Any = (-np.inf,), group: Any = None, **results: Any) -> Reduction:
    """Return the reduction of values (patients, visits, outputs)."""
    values = np.array(values, dtype=np.float64)
    count, visits, outputs = values.shape
    numbers = np.zeros(count, dtype=np.int64) if group is None else np.asarray(group, dtype=np.int64)
    kept = Reduction(int(numbers.max()) + 1, visits, np.broadcast_to(lowest, (outputs,)), 1, True)
    given = {"status": OK, "event": -1, "steps": 7, "rejected": 2} | results
    arrays = {name: np.full(count, value, dtype=np.int64) for name, value in given.items()} | {"out": values}
    kept.group = numbers
    reduce_here(kept, arrays, 2)
    kept.seen = arrays  # type: ignore[attr-defined]
    return kept


def test_small_spreads_about_large_means_are_kept() -> None:
    draw = np.random.default_rng(5)
    values = 1e8 + 1e-3 * draw.standard_normal((1000, 1, 1))
    count, mean, squares, low, high = reduced(values).totals[0, 0, 0]
    exact = math.fsum(values.ravel()) / 1000
    assert (count, low, high) == (1000, values.min(), values.max())
    assert abs(mean - exact) <= 2 * np.spacing(1e8)
    np.testing.assert_allclose(squares, math.fsum((values.ravel() - exact) ** 2), rtol=1e-6)


def test_one_huge_value_has_no_spread() -> None:
    np.testing.assert_array_equal(reduced([[[1e200]]]).totals[0, 0, 0], [1.0, 1e200, 0.0, 1e200, 1e200])


def test_what_is_no_number_does_not_count() -> None:
    kept = reduced([[[np.nan, 1.0]], [[np.inf, 3.0]], [[-np.inf, np.nan]]])
    np.testing.assert_array_equal(kept.totals[0, 0, 0], [0.0, 0.0, 0.0, np.inf, -np.inf])
    np.testing.assert_array_equal(kept.totals[0, 0, 1], [2.0, 2.0, 2.0, 1.0, 3.0])


def test_a_patient_with_impossible_values_counts_until_then() -> None:
    values = np.ones((3, 4, 2))
    values[1, 2, 1] = -0.1
    values[2, 1, 0] = -5.0  # of an output that may be anything
    kept = reduced(values, (-np.inf, -1e-6), group=[0, 1, 1], event=0)
    np.testing.assert_array_equal(kept.totals[:, :, 0, 0], [[1, 1, 1, 1], [2, 2, 1, 1]])
    assert list(kept.seen["status"]) == [OK, IMPOSSIBLE, OK]  # type: ignore[attr-defined]
    assert np.isnan(kept.seen["out"][1, 2:]).all()  # type: ignore[attr-defined]
    assert kept.tallies[1].tolist() == [1, 0, 0, 0, 0, 0, 1, 1, 14, 4]
    assert kept.tallies[0].tolist() == [1, 0, 0, 0, 0, 0, 0, 1, 7, 2]


@settings(max_examples=40)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=700), st.data())
def test_pieces_hold_everybody_once_in_order(groups: list[int], data: st.DataObject) -> None:
    group = np.array(groups)
    pieces = pieces_of(group, 6)
    assert sorted(pieces.order) == list(range(len(groups))) and pieces.offsets[-1] == len(groups)
    for piece, owner in enumerate(pieces.owner):
        members = pieces.order[pieces.offsets[piece] : pieces.offsets[piece + 1]]
        assert len(members) and set(group[members]) == {owner} and np.all(np.diff(members) > 0)
        assert len(set(members // BLOCK_OF_PATIENTS)) == 1
    for number in range(6):
        mine = pieces.by_group[pieces.group_offsets[number] : pieces.group_offsets[number + 1]]
        assert np.all(np.diff(mine) > 0) and list(mine) == list(np.flatnonzero(pieces.owner == number))


@settings(max_examples=60)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_a_value_lies_in_its_bin(values: list[float]) -> None:
    found = reduced(np.array(values).reshape(1, 1, -1)).bins[0, 0]
    for value, bins in zip(values, found, strict=True):
        (number,) = np.flatnonzero(bins)
        low, high = (float(edge[0]) for edge in bin_edges(np.array([number])))
        assert bins[number] == 1 and low <= value <= high
        if 2.0**-32 <= abs(value) < 2.0**48 * (1 - 1 / 512):
            assert high - low <= abs(value) / 256
    assert found.shape[-1] == 2 * HALF


# -- what is asked wrongly ---------------------------------------------------------------------------------------------


def test_bad_groups_and_shares_are_refused() -> None:
    ensemble = Ensemble(load_model("topp2000"), ["glucose"], threads=1)
    for groups in (["a"], [["a"], ["b"]], np.array([1j, 2j])):
        with pytest.raises(ConfigError, match="one group per patient"):
            ensemble.summarise(2, [0.0, 1.0], groups=groups)
    summary = ensemble.summarise(2, [0.0, 1.0])
    with pytest.raises(ConfigError, match="quantiles=True"):
        summary.quantile(0.5)
    with pytest.raises(ConfigError, match="a share is from 0 to 1"):
        ensemble.summarise(2, [0.0], quantiles=True).quantile(1.5)
    with pytest.raises(ConfigError, match="fewer groups"):
        ensemble.summarise(4000, [0.0], groups=np.arange(4000), quantiles=True)


def test_nobody_has_no_moments() -> None:
    summary = Ensemble(load_model("topp2000"), ["glucose"], threads=1).summarise(0, [0.0, 1.0])
    assert summary.summary() == "0 patients: " and np.isnan(summary.mean).all() and summary.count.sum() == 0
