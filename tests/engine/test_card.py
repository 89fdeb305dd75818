"""The engine on a graphics card, without one: the card's program, on a processor behind a stand-in for the driver, gives the same bits."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import small_runs
from commands import carry_out
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reservoir_people import PEOPLE, TIMES, run, same
from stand_in_card import StandIn
from stand_in_card import stand_in as stand_in

from betapod import Ensemble, EnsembleResult, Schedule, Switch, load_model
from betapod.base.errors import ConfigError, SolverError
from betapod.engine.compiled import mathlib
from betapod.engine.gpu import cuda_driver, graphics_card, grid_kernel
from betapod.engine.gpu.grid_code import GridCode, GridText
from betapod.engine.gpu.grid_kernel import GridKernel, refuse_missing
from betapod.engine.gpu.memory_plan import memory_plan
from betapod.engine.gpu.ptx import BLOCK, architecture
from betapod.engine.runs.execute import execute
from betapod.engine.runs.store import Store
from betapod.model import Model


@pytest.fixture(scope="module")
def by_processor(reservoir: Model) -> EnsembleResult:
    """The people by the processor's program of one lane."""
    result = run(reservoir, "cpu")
    # Doses, switches, events that end and that change, and a failure are all there.
    assert set(result.status) == {0, 1, 3, 4}, result.summary()
    return result


def test_the_same_bits_as_the_processor(stand_in: StandIn, reservoir: Model, by_processor: EnsembleResult) -> None:
    same(run(reservoir, "cuda"), by_processor)
    assert stand_in.grids == [(2, BLOCK)]
    assert stand_in.taken == 0


@pytest.mark.parametrize("resident", [1, 3])
def test_neither_grid_nor_order_nor_memory_matter(
    stand_in: StandIn, reservoir: Model, by_processor: EnsembleResult, resident: int
) -> None:
    draw = np.random.default_rng(resident)
    stand_in.resident, stand_in.order = resident, draw.permutation
    stand_in.free = 340_000 * resident
    order = draw.permutation(PEOPLE)
    same(run(reservoir, "cuda", order), by_processor, order)
    assert stand_in.grids == {1: [(1, BLOCK)] * 2, 3: [(3, BLOCK)]}[resident]


def test_a_card_may_be_told_to_use_fewer_blocks(
    stand_in: StandIn, reservoir: Model, by_processor: EnsembleResult
) -> None:
    graphics_card.graphics_card(0).most_blocks = 1
    same(run(reservoir, "cuda:0"), by_processor)
    assert stand_in.grids == [(1, BLOCK)]


def test_kidneys_that_fail_are_the_same(stand_in: StandIn) -> None:
    model, draw = load_model("kidney"), np.random.default_rng(3)
    who = {"G": draw.uniform(5.0, 16.0, 40), "xi": draw.uniform(0.5, 4.0, 40)}
    schedule = Schedule(switches=[Switch("e_ACE", 0.8, 365.0, 30.0)])
    one, other = (
        Ensemble(model, ["GFR", "UAER"], width=width, threads=1, device=device).run(who, [0.0, 365.0, 7305.0], schedule)
        for device, width in (("cuda", None), ("cpu", 1))
    )
    same(one, other)
    assert set(one.status) == {0, 1}


def test_an_interrupt_ends_the_grid_and_gives_everything_back(
    stand_in: StandIn, reservoir: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter(range(1000))

    def sleep(_: float) -> None:
        if next(looks) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(graphics_card, "time", SimpleNamespace(sleep=sleep))
    with pytest.raises(KeyboardInterrupt):
        run(reservoir, "cuda")
    # The grid was waited for, though nobody was left for most of its threads.
    assert stand_in.taken == 0 and next(looks) > BLOCK
    assert "cuMemcpyHtoDAsync_v2" in stand_in.calls and stand_in.calls.count("cuMemcpyDtoH_v2") == 0


@pytest.mark.parametrize(
    ("function", "code", "kind", "words"),
    [
        ("cuInit", 100, "no-device", "CUDA_ERROR_NO_DEVICE: an error of the stand-in"),
        ("cuLaunchKernel", 719, "device-failed", "failed in cuLaunchKernel"),
        ("cuStreamQuery", 700, "device-failed", "failed in a run of the program"),
        ("cuMemAlloc_v2", 2, "too-large", "no memory left"),
        ("cuModuleLoadData", 209, "device-failed", "failed in cuModuleLoadData"),
    ],
)
def test_what_the_driver_says_is_told(
    stand_in: StandIn, reservoir: Model, function: str, code: int, kind: str, words: str
) -> None:
    stand_in.answers[function] = code
    error = ConfigError if kind in ("no-device", "too-large") else SolverError
    with pytest.raises(error, match=words) as caught:
        run(reservoir, "cuda")
    assert caught.value.kinds == (kind,) and stand_in.taken == 0


def test_a_program_that_the_driver_does_not_understand(stand_in: StandIn) -> None:
    with pytest.raises(SolverError, match="ptxas fatal: not known"):
        cuda_driver.cuda_driver().translated(".version 99.9")
    assert stand_in.calls[-1] == "cuLinkDestroy"


def test_cards_that_cannot_be_used(stand_in: StandIn) -> None:
    with pytest.raises(ConfigError, match="one card, which is cuda:0"):
        graphics_card.graphics_card(1)
    stand_in.capability = 6, 1
    with pytest.raises(ConfigError, match="Stand-in card is too old"):
        graphics_card.graphics_card(0)
    del stand_in.cuLinkComplete  # type: ignore[attr-defined]
    cuda_driver.cuda_driver.cache_clear()
    with pytest.raises(ConfigError, match="no function cuLinkComplete"):
        graphics_card.graphics_card(0)


def test_without_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_driver, "LIBRARIES", {sys.platform: "libcuda-of-nobody.so.1"})
    cuda_driver.cuda_driver.cache_clear()
    with pytest.raises(ConfigError, match="no libcuda-of-nobody") as caught:
        Ensemble(load_model("topp2000"), device="cuda")
    assert caught.value.kinds == ("no-device",)
    monkeypatch.setattr(cuda_driver, "LIBRARIES", {})
    with pytest.raises(ConfigError, match=f"no driver for {sys.platform}"):
        Ensemble(load_model("topp2000"), device="cuda")


def test_bad_devices_are_told_with_other_faults(reservoir: Model) -> None:
    for device in ("gpu", "cuda:x", "cuda:-1", "", None, 0):
        with pytest.raises(ConfigError) as caught:
            Ensemble(reservoir, ["nobody"], device=device)  # type: ignore[arg-type]
        assert caught.value.kinds == ("unknown-name", "bad-device")
    with pytest.raises(ConfigError, match="leave width out"):
        Ensemble(reservoir, device="cuda", width=8)


def test_functions_that_cards_do_not_have() -> None:
    code = GridCode()
    for name in ("tan", "atan", "sin", "exp"):
        mathlib.UNARY[name](code, code.emit("v", "fneg <1 x double> zeroinitializer"))
    assert code.missing == {"tan", "atan"}
    with pytest.raises(ConfigError, match="arc uses atan, tan, which a graphics card does not have"):
        refuse_missing("arc", GridText("", 1, tuple(sorted(code.missing))))


def test_a_sine_far_away_ends_a_patient_in_sight(stand_in: StandIn, reservoir: Model) -> None:
    result = Ensemble(reservoir, ["z"], device="cuda").run({"period": [5.0, 1e-9]}, TIMES)
    assert list(result.status) == [0, 3]


def test_the_program_is_found_again(stand_in: StandIn, reservoir: Model) -> None:
    kernel = Ensemble(reservoir, ["z"], device="cuda").kernel()
    grid_kernel._in_memory.clear()
    again = Ensemble(reservoir, ["z"], device="cuda").kernel()
    assert isinstance(again, GridKernel) and (again.origin, again.ptx) == ("disk", kernel.ptx)
    first = graphics_card.graphics_card(0).program(kernel.ptx, BLOCK)
    graphics_card.graphics_card.cache_clear()
    second = graphics_card.graphics_card(0).program(kernel.ptx, BLOCK)
    assert second.origin == "disk" and (first.registers, first.stack, first.blocks) == (255, 2984, 2)


# -- memory ----------------------------------------------------------------------------------------------------------


@settings(max_examples=200)
@given(
    st.integers(1, 10**7),
    st.integers(10**5, 10**11),
    st.integers(0, 10**5),
    st.integers(1, 10**5),
    st.integers(1, 10**4),
    st.integers(1, 600),
    st.sampled_from([32, 64, 128, 256]),
    st.sampled_from([1, 256]),
)
@example(257, 10**5, 0, 55_396, 9, 2, 256, 1)  # a second block would take the room of the one patient that fits
def test_a_plan_fits_and_covers_everybody_once(
    patients: int, free: int, shared: int, each: int, workspace: int, blocks: int, threads: int, together: int
) -> None:
    try:
        plan = memory_plan(patients, free, shared, each, workspace, blocks, threads, together)
    except ConfigError as error:
        assert error.kinds == ("too-large",)
        least = min(patients, together) * each
        assert int(free * 0.9) - shared < threads * workspace * 8 + least, "one block with the fewest patients fits"
        return
    starts, ends = zip(*plan.chunks, strict=True)
    assert starts == (0, *ends[:-1]) and ends[-1] == patients
    sizes = [last - first for first, last in plan.chunks]
    assert all(start % together == 0 for start in starts) and max(sizes) - sizes[0] <= together and min(sizes) > 0
    assert 1 <= plan.blocks <= blocks and plan.room == plan.blocks * threads * workspace * 8
    assert (plan.blocks - 1) * threads < max(sizes)
    assert shared + plan.room + max(sizes) * each <= 0.9 * free


def test_a_later_card_runs_the_code_of_the_last_one_known() -> None:
    assert [architecture(card) for card in [(6, 1), (8, 7), (9, 0), (10, 3), (99, 0)]] == [
        None,
        (8, 6),
        (9, 0),
        (10, 0),
        (12, 0),
    ]


# -- runs ------------------------------------------------------------------------------------------------------------


def test_a_run_folder_is_the_same_wherever_it_was_computed(stand_in: StandIn, tmp_path: Path) -> None:
    for device in ("cpu", "cuda"):
        execute(small_runs.plan(), tmp_path / device, count=1, device=device)
    assert small_runs.tables(tmp_path / "cuda") == small_runs.tables(tmp_path / "cpu")
    store = Store.open(tmp_path / "cuda")
    facts = [store.receipt(shard).facts for shard in range(store.shards)]  # type: ignore[union-attr]
    assert {fact["processor"] for fact in facts} == {"Stand-in card"} and len(stand_in.grids) == store.shards


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--device", "cuda"], "there is no graphics card that betapod can use"),
        (["--device", "gpu"], "no such device"),
        (["--device", "cuda", "--threads", "2"], "choose one of"),
    ],
)
def test_a_command_without_a_card(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: list[str], words: str
) -> None:
    monkeypatch.setattr(cuda_driver, "LIBRARIES", {sys.platform: "libcuda-of-nobody.so.1"})
    cuda_driver.cuda_driver.cache_clear()
    done = carry_out("ensemble", "run", "topp2000", "-n", "3", "--out", tmp_path / "run", *options)
    assert done.returncode == 2 and words in " ".join(done.stderr.split()) and not (tmp_path / "run").exists()
