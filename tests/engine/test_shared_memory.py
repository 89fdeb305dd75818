"""Matrix and stage values in the memory that threads of a card share: the same bits, and only where it is expected to be faster."""

from __future__ import annotations

import numpy as np
import pytest
from reservoir_people import run, same
from stand_in_card import StandIn
from stand_in_card import stand_in as stand_in

from betapod import Ensemble, EnsembleResult, Schedule, Switch, load_model
from betapod.base.errors import ConfigError
from betapod.engine.compiled.lower import lower
from betapod.engine.gpu.graphics_card import graphics_card
from betapod.engine.gpu.grid_code import TILE, shareable, write_grid
from betapod.engine.gpu.grid_kernel import GridKernel
from betapod.engine.gpu.placement import MOST_GROUPS, RESERVED, groups_sharing, placed_text, step_work
from betapod.engine.gpu.ptx import BLOCK
from betapod.model import Model

#: Of an H100 or H200: bytes that the blocks of a processor share.
H100 = 228 * 1024


@pytest.mark.parametrize("resident", [1, 5])
def test_the_same_bits_as_the_processor(stand_in: StandIn, reservoir: Model, resident: int) -> None:
    stand_in.shared_memory, stand_in.resident = H100, resident
    stand_in.order = np.random.default_rng(resident).permutation
    found = run(reservoir, "cuda")
    assert set(found.status) == {0, 1, 3, 4}
    same(found, run(reservoir, "cpu"))
    numbers = sum(shareable(lower(reservoir)).values())
    assert stand_in.grids == [(2 * resident, TILE)] and stand_in.shared == [8 * TILE * numbers]


def test_a_model_that_is_told_to_share_gives_the_same_bits(stand_in: StandIn) -> None:
    stand_in.shared_memory = H100
    model = load_model("metabolism")
    who = {"EGP_scale": np.linspace(0.8, 1.3, 5), "dJ": np.linspace(0.0, 0.8, 5)}
    schedule = Schedule(switches=[Switch("eta_drug", 0.2, 100.0, 30.0)])

    def people_on(device: str, width: int | None) -> EnsembleResult:
        ensemble = Ensemble(model, ["HbA1c", "beta_mass"], width=width, threads=1, device=device)
        return ensemble.run(who, [0.0, 365.0, 1825.0], schedule)

    graphics_card(0).sharing = True
    found = people_on("cuda", None)
    assert np.ptp(found.values[:, 2], axis=0).min() > 1e-4
    same(found, people_on("cpu", 1))
    # More than the 48 kB of any block have to be asked for.
    assert stand_in.grids == [(1, TILE)] and 48 * 1024 < stand_in.shared[0] < H100 - RESERVED
    assert "cuFuncSetAttribute" in stand_in.calls


def test_small_models_share_and_may_be_told_not_to(stand_in: StandIn, reservoir: Model) -> None:
    stand_in.shared_memory = H100

    def kernel(model: Model) -> GridKernel:
        made = Ensemble(model, device="cuda").kernel()
        assert isinstance(made, GridKernel)
        return made

    small = kernel(reservoir)
    assert small.threads == TILE and small.shared_bytes == 8 * TILE * sum(shareable(lower(reservoir)).values())
    graphics_card(0).sharing = False
    assert (kernel(reservoir).threads, kernel(reservoir).shared_bytes) == (BLOCK, 0)


def test_what_does_not_fit_is_refused_or_left_in_main_memory(reservoir: Model) -> None:
    program = lower(reservoir)
    assert placed_text(program, True, 4096).shared == 0
    with pytest.raises(ConfigError, match="do not fit into the memory that threads of the card share") as caught:
        placed_text(program, True, 4096, sharing=True)
    assert caught.value.kinds == ("too-large",) and "at most 4,096 bytes" in str(caught.value)


def test_a_larger_model_stays_in_main_memory() -> None:
    program = lower(load_model("metabolism"))
    assert placed_text(program, True, H100).shared == 0 < placed_text(program, True, H100, sharing=True).shared


def test_the_work_of_a_step_is_that_of_its_text(reservoir: Model) -> None:
    program = lower(reservoir)
    main, shared = (step_work(write_grid(program, True, sharing), 3) for sharing in (False, True))
    assert main.arithmetic == shared.arithmetic and main.main == shared.main + shared.shared and main.shared == 0
    entries = program.factorisation
    # Each solution reads all entries of the matrix, and reads and writes each stage value once.
    of_solutions = 8 * (len(entries.slots) + 2 * 3)
    assert shared.shared > of_solutions + len(entries.slots)
    assert shared.cycles < main.cycles


def test_groups_that_fit() -> None:
    assert [groups_sharing(numbers, H100) for numbers in (1, 111, 431, 883, 910)] == [MOST_GROUPS, 7, 2, 1, 0]
    assert groups_sharing(431, 100 * 1024) == 0
