"""Programs for graphics cards: PTX of every shipped model that says how it rounds, assembled within budgets of registers, stack and spills."""

from __future__ import annotations

import functools
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from stand_in_card import StandIn
from stand_in_card import stand_in as stand_in

from betapod.engine.gpu.grid_code import TILE, GridText
from betapod.engine.gpu.grid_reduction import reduction_ptx
from betapod.engine.gpu.ptx import ARCHITECTURES, BLOCK, ptx_of
from betapod.physiology import whole_body

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
#: Small programs, assembled here for every kind of card; `benchmarks/gpu_programs.py` assembles all.
SMALL = ("topp2000", "metabolism_clamp")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return _script("gpu_programs")


def _script(name: str) -> ModuleType:
    found = importlib.util.spec_from_file_location(f"benchmark_{name}", BENCHMARKS / f"{name}.py")
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    found.loader.exec_module(module)
    return module


@functools.cache
def ptx(text: GridText, target: tuple[int, int]) -> str:
    return ptx_of(text, target)


@pytest.mark.parametrize("name", whole_body.NAMES)
def test_every_sum_says_how_it_is_rounded(script: ModuleType, name: str) -> None:
    text = script.grid_text(name)
    program = ptx(text, (9, 0))
    assert not text.missing and ".extern" not in program
    operations = re.findall(r"\b(?:add|sub|mul|fma|mad|div|sqrt|rcp)\.(?:\w+\.)*f(?:32|64)\b", program)
    assert len(operations) > 100
    # Without .rn a driver may join a product and a sum, or divide by an estimate.
    assert set(operations) <= {f"{op}.rn.f64" for op in ("add", "sub", "mul", "fma", "div", "rcp", "sqrt")}
    assert re.search(rf"\.maxntid\s+{BLOCK}\b", program) and program.count(".entry") == 1
    assert "atom.global.add.u64" in program


def test_the_reduction_rounds_alike_and_needs_little(script: ModuleType) -> None:
    assembler = script.ptxas()
    for target in script.TARGETS:
        program = reduction_ptx(target)
        operations = set(re.findall(r"\b(?:add|sub|mul|fma|mad|div|sqrt|rcp)\.(?:\w+\.)*f(?:32|64)\b", program))
        assert operations == {f"{op}.rn.f64" for op in ("add", "sub", "mul", "div")}
        assert program.count("atom.global.add.u64") + program.count("red.global.add.u64") == 5
        if assembler is not None:
            needs, _ = script.assembled("reduction", program, target, assembler)
            assert needs.registers <= 128 and needs.stack == needs.spill_stores == needs.spill_loads == 0, needs


@pytest.mark.parametrize("target", ARCHITECTURES, ids=str)
def test_programs_are_for_the_card_that_is_asked(script: ModuleType, target: tuple[int, int]) -> None:
    program = ptx(script.grid_text("topp2000"), target)
    assert ".target sm_{}{}\n".format(*target) in program
    major, minor = ARCHITECTURES[target].removeprefix("ptx")
    assert f".version {major}.{minor}\n" in program


def test_every_shipped_model_has_budgets(script: ModuleType) -> None:
    labels = {(label, "{}.{}".format(*target)) for label, _, _, targets in script.variants() for target in targets}
    assert set(script.budgets()) == labels
    assert {name for name in whole_body.NAMES if (f"{name} sharing", "9.0") in labels} == {*whole_body.NAMES} - {
        "reference"
    }


@pytest.mark.parametrize(("name", "sharing"), [*((name, False) for name in SMALL), (SMALL[0], True)])
def test_programs_keep_their_budgets(script: ModuleType, name: str, sharing: bool) -> None:
    assembler = script.ptxas()
    if assembler is None:
        pytest.skip("ptxas is not installed")
    text, budgets = script.grid_text(name, sharing), script.budgets()
    label = f"{name} sharing" if sharing else name
    for target in script.TARGETS:
        program = ptx(text, target)
        assert ("ld.shared." in program and "st.shared." in program) == sharing
        assert f".maxntid {TILE if sharing else BLOCK}\n" in program
        needs, size = script.assembled(label, program, target, assembler)
        assert script.within(needs, budgets[label, needs.target]), needs
        assert size > 10_000


def test_the_benchmark_runs_through(stand_in: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    stand_in.shared_memory = 228 * 1024
    _script("gpu").main(["--models", "topp", "--people", "40"])
    said = capsys.readouterr().out
    assert "shared memory (chosen)" in said and said.count("40 patients: 40 ok") == 2
    assert said.count("the same endings True") == 2 and said.count("0.015 MB home") == 2


def test_a_budget_that_is_broken_is_seen(script: ModuleType) -> None:
    kept = script.Assembled("m", "9.0", 100, 1000, 1000, 1000)
    assert script.within(script.Assembled("m", "9.0", 108, 1164, 1164, 1164), kept)
    for column in range(4):
        numbers = [108, 1164, 1164, 1164]
        numbers[column] += 1
        assert not script.within(script.Assembled("m", "9.0", *numbers), kept)
