"""Everything that is to be shown of the engine on a graphics card, in one run of less than ten minutes: python benchmarks/gpu.py [--ptx].

Without a card, and with ``--ptx``, only the programs are shown: PTX of every shipped model, made by LLVM and assembled by NVIDIA's ``ptxas``
(PyPI: nvidia-cuda-nvcc) for three kinds of cards, beside the budgets of registers, stack and spills that `tests/engine/card_budgets.csv` keeps;
``--ptx --write`` writes these anew. With a card: agreement with the processor over random people, the same bits whatever the grid, people
a second, first and later use, memory, and CuBIE on the model `dkd` where it is installed (``pip install "cubie[cuda12]"``).
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import functools
import importlib.util
import json
import re
import resource
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import betapod
from betapod.base.cores import cores
from betapod.base.errors import BetapodError
from betapod.engine.compiled.lower import lower
from betapod.engine.gpu import graphics_card as cards
from betapod.engine.gpu import grid_kernel
from betapod.engine.gpu.grid_code import GridText, write_grid
from betapod.engine.gpu.ptx import BLOCK, ptx_of
from betapod.model import Model
from betapod.physiology import whole_body

Numbers = NDArray[np.float64]
HERE = Path(__file__).resolve().parent
BUDGETS = HERE.parent / "tests" / "engine" / "card_budgets.csv"
#: Cards that programs are assembled for: A100, H100 and H200, B200.
TARGETS = ((8, 0), (9, 0), (10, 0))
#: What a program may need beyond what is kept: registers; a share, and bytes, of stack and spills.
MORE_REGISTERS, MORE, MORE_BYTES = 8, 1.1, 64
#: Registers of a processor of such a card, and groups of 32 threads that it holds at most.
REGISTERS_OF_PROCESSOR, MOST_GROUPS = 65_536, 64
PEOPLE, YEAR = 10_000, 365.25
#: Asked of the agreement: median and largest relative difference.
MEDIAN, LARGEST = 1e-9, 1e-6
#: Seconds that one measurement of speed may take, and people at most.
SECONDS, MOST_PEOPLE = 15.0, 1_000_000


def neighbour(name: str) -> Any:
    """Return another script of this folder as a module."""
    path = HERE / f"{name}.py"
    found = importlib.util.spec_from_file_location(path.stem, path)
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    found.loader.exec_module(module)
    return module


# -- programs --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Assembled:
    """What a kind of card needs for a program, as ``ptxas`` tells it; spills and stack in bytes of each thread."""

    model: str
    target: str
    registers: int
    stack: int
    spill_stores: int
    spill_loads: int


def grid_text(name: str) -> GridText:
    """Return a shipped model's program at the usual tolerance, every state reported."""
    return write_grid(lower(whole_body.named_model(name)), quickly=True)


def ptxas() -> str | None:
    """Return NVIDIA's assembler: on the path, or in the package nvidia-cuda-nvcc; None where there is none."""
    package = sorted(Path(sysconfig.get_path("purelib"), "nvidia").glob("*/bin/ptxas"))
    return shutil.which("ptxas") or next((str(path) for path in package), None)


def assembled(name: str, ptx: str, target: tuple[int, int], assembler: str) -> tuple[Assembled, int]:
    """Return what a kind of card needs for PTX, and the bytes of its machine code."""
    with tempfile.TemporaryDirectory() as folder:
        source, code = Path(folder, "program.ptx"), Path(folder, "program.cubin")
        source.write_text(ptx)
        options = ["-v", "-arch=sm_{}{}".format(*target), source, "-o", code]
        done = subprocess.run([assembler, *options], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{name}: ptxas failed: {done.stderr.strip()}")
        said, size = done.stdout + done.stderr, code.stat().st_size

    def total(pattern: str) -> int:
        return sum(int(number) for number in re.findall(pattern, said))

    registers = max(int(number) for number in re.findall(r"Used (\d+) registers", said))
    stack = max(map(int, re.findall(r"(\d+) bytes cumulative stack", said)), default=0)
    spills = total(r"(\d+) bytes spill stores"), total(r"(\d+) bytes spill loads")
    return Assembled(name, "{}.{}".format(*target), registers, stack, *spills), size


def budgets(path: Path = BUDGETS) -> dict[tuple[str, str], Assembled]:
    """Return what programs may need: by model and kind of card."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [
            Assembled(row["model"], row["target"], *(int(row[field.name]) for field in fields(Assembled)[2:]))
            for row in csv.DictReader(file)
        ]
    return {(row.model, row.target): row for row in rows}


def within(found: Assembled, budget: Assembled) -> bool:
    """Return whether a program needs no more than it may: what is kept, and a little more, as versions of assemblers differ."""
    needs, kept = astuple(found)[2:], astuple(budget)[2:]
    return needs[0] <= kept[0] + MORE_REGISTERS and all(
        have <= may * MORE + MORE_BYTES for have, may in zip(needs[1:], kept[1:], strict=True)
    )


def show_programs(write: bool) -> None:
    """Print what the programs of the shipped models need."""
    assembler, rows = ptxas(), []
    print(f"PTX by LLVM {'.'.join(map(str, _llvm()))}; ptxas {assembler or 'not found: pip install nvidia-cuda-nvcc'}")
    print(
        "model              card  PTX kB  code kB  numbers  regs  groups  stack  spilled st/ld  LLVM s  ptxas s  budget"
    )
    kept = budgets() if BUDGETS.exists() else {}
    for name in whole_body.NAMES:
        text = grid_text(name)
        for target in TARGETS:
            began = time.process_time()
            ptx = ptx_of(text, target)
            llvm = time.process_time() - began
            line = f"{name:17} {target[0]:>3}.{target[1]} {len(ptx) / 1e3:7.0f}"
            if assembler is None:
                print(f"{line} {'':8} {text.workspace:8} {'':38} {llvm:6.1f}")
                continue
            began = _children()
            found, size = assembled(name, ptx, target, assembler)
            rows.append(found)
            budget = kept.get((name, found.target))
            verdict = "none" if budget is None else "kept" if within(found, budget) else "BROKEN"
            groups = min(MOST_GROUPS, REGISTERS_OF_PROCESSOR // (-(-found.registers // 8) * 8 * 32))
            print(
                f"{line} {size / 1e3:8.0f} {text.workspace:8} {found.registers:5} {groups:7} {found.stack:6} "
                f"{found.spill_stores:6}/{found.spill_loads:<6} {llvm:7.1f} {_children() - began:8.1f}  {verdict}",
                flush=True,
            )
    if write and rows:
        with BUDGETS.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([field.name for field in fields(Assembled)])
            writer.writerows(map(astuple, rows))
        print(f"written to {BUDGETS}")


def _llvm() -> tuple[int, ...]:
    import llvmlite.binding as llvm

    return tuple(llvm.llvm_version_info)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


# -- on a card -------------------------------------------------------------------------------------------------------


def problem(name: str, count: int) -> tuple[Model, Mapping[str, Numbers], Numbers, list[str]]:
    """Return a model, people, visits and outputs."""
    if name == "reference":
        script = neighbour("random_people")
        model = betapod.load_model(name)
        outputs = [output for output in script.OUTPUTS if output in model.names]
        columns = {
            key: _spread(column, count) for key, column in script.random_people(model, range(PEOPLE), 0.1, 1).items()
        }
        return model, columns, np.arange(11) * YEAR, outputs
    model, who, times = neighbour("kernel_speed").case(name, count)
    outputs = ["GFR", "UAER"] if name == "kidney" else list(model.state_names)
    return model, who, times, outputs


def _spread(column: Numbers, count: int) -> Numbers:
    """Return a column of so many people: those there are, again and again."""
    return np.resize(column, count)


def timed(run: Callable[[], Any]) -> tuple[Any, float]:
    """Return what a call gives and the seconds it takes."""
    began = time.perf_counter()
    result = run()
    return result, time.perf_counter() - began


def show_agreement(card: cards.GraphicsCard) -> None:
    """Print how far random people are from those of the processor, and whether the grid matters."""
    model, who, times, outputs = problem("reference", PEOPLE)
    grid, processor = (betapod.Ensemble(model, outputs, device=device) for device in ("cuda", "cpu"))
    one, seconds = timed(lambda: grid.run(who, times))
    other, beside = timed(lambda: processor.run(who, times))
    both = np.isfinite(one.values) & np.isfinite(other.values)
    size = np.maximum(np.abs(other.values[both]), 1e-300)
    difference = np.abs(one.values[both] - other.values[both]) / size
    median, largest = float(np.median(difference)), float(difference.max())
    endings = np.array_equal(one.status, other.status) and np.array_equal(one.event, other.event)
    moments = np.nanmax(np.abs(one.ended_at - other.ended_at), initial=0.0)
    equal = np.mean([np.array_equal(a, b, equal_nan=True) for a, b in zip(one.values, other.values, strict=True)])
    print(
        f"{PEOPLE:,} random people, {times[-1] / YEAR:g} years: {seconds:.1f} s, processor ({cores()} cores) {beside:.1f} s"
    )
    print(f"  card      {one.summary()}\n  processor {other.summary()}")
    print(f"  relative difference: median {median:.1e} (asked {MEDIAN:g}), largest {largest:.1e} (asked {LARGEST:g})")
    print(f"  same endings and events: {endings}; their times differ by {moments:.1e} days at most")
    print(f"  people with the same bits in every output: {equal:.2%}")
    for blocks, order in (
        (7, slice(None)),
        (40, slice(None, None, -1)),
        (None, np.random.default_rng(1).permutation(PEOPLE)),
    ):
        card.most_blocks = blocks
        again = grid.run({name: column[order] for name, column in who.items()}, times)
        same = np.array_equal(again.values, one.values[order], equal_nan=True) and np.array_equal(
            again.status, one.status[order]
        )
        print(f"  {blocks or 'all'} blocks, another order: the same bits {same}")
    card.most_blocks = None


def show_speed(card: cards.GraphicsCard, name: str) -> None:
    """Print people a second, what first and later use cost, and memory."""
    model, who, times, outputs = problem(name, 4 * BLOCK * card.processors)
    pilot = len(next(iter(who.values())))
    ensemble = betapod.Ensemble(model, outputs, device="cuda")
    _, first = timed(lambda: ensemble.run(who, times))
    _, later = timed(lambda: ensemble.run(who, times))
    cards.graphics_card.cache_clear()
    grid_kernel._in_memory.clear()
    fresh = betapod.Ensemble(model, outputs, device="cuda")
    _, cached = timed(lambda: fresh.run(who, times))
    kernel = fresh.kernel()
    assert isinstance(kernel, grid_kernel.GridKernel)
    program = cards.graphics_card(0).program(kernel.ptx, BLOCK)
    count = int(min(MOST_PEOPLE, max(pilot, pilot * SECONDS / later)))
    many = {key: _spread(column, count) for key, column in who.items()}
    room = np.empty((count, len(times), len(outputs)))
    result, seconds = timed(lambda: fresh.run(many, times, out=room))
    few = {key: column[:2000] for key, column in many.items()}
    processor = betapod.Ensemble(model, outputs)
    processor.run(few, times)
    _, beside = timed(lambda: processor.run(few, times))
    rate, slow = count / seconds, 2000 / beside
    print(
        f"{name}: {count:,} people, {times[-1] / YEAR:.4g} years, {len(times)} visits, {len(outputs)} outputs: {seconds:.2f} s, "
        f"{rate:,.0f} people/s, {rate / slow:.1f} times the processor ({slow:,.0f} people/s on {cores()} cores); "
        f"{result.summary()}"
    )
    print(
        f"  first use {first:.1f} s, program on disk {cached:.1f} s, in memory {later:.2f} s ({pilot:,} people); "
        f"{program.registers} registers, stack {program.stack} bytes, {program.blocks} blocks of {BLOCK}; "
        f"room {program.blocks * BLOCK * kernel.workspace * 8 / 1e9:.2f} GB, results {room.nbytes / 1e9:.2f} GB"
    )
    for share in (2, 4):
        cards.graphics_card(0).most_blocks = program.blocks // share
        _, seconds = timed(lambda: fresh.run(many, times, out=room))
        print(f"  {program.blocks // share} blocks: {count / seconds:,.0f} people/s")
    cards.graphics_card(0).most_blocks = None


# -- CuBIE -----------------------------------------------------------------------------------------------------------

#: People that are compared.
COUNT = 20_000
_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**"}


def equations(model: Model) -> tuple[list[str], list[str]]:
    """Return the rates of a model as CuBIE reads equations, and the names of its parameters."""
    from betapod.model.algebra.expression import topological

    rates = [state.rate for state in model.states]
    names: dict[Any, str] = {}
    lines, parameters = [], []
    states = set(model.state_names)
    for number, node in enumerate(topological(rates)):
        words = [names[arg] for arg in node.args]
        if node.op == "sym":
            names[node] = f"s_{node.value}" if node.value in states else f"p_{node.value}"
            if node.value not in states:
                parameters.append(str(node.value))
            continue
        if node.op == "const":
            names[node] = repr(float(node.value))
            continue
        if node.op in _INFIX:
            text = f"{words[0]} {_INFIX[node.op]} {words[1]}"
        elif node.op == "powi":
            text = f"{words[0]} ** {int(node.value)}"
        elif node.op == "neg":
            text = f"-{words[0]}"
        else:
            text = f"{node.op}({', '.join(words)})"
        names[node] = f"v{number}"
        lines.append(f"{names[node]} = {text}")
    lines += [f"ds_{state.name} = {names[state.rate]}" for state in model.states]
    return lines, parameters


def show_cubie(card: cards.GraphicsCard) -> None:
    """Print people a second of CuBIE and of betapod on one problem, and how far each is from a tight solution."""
    try:
        from importlib.metadata import version

        from cubie import Solver, create_ODE_system  # type: ignore[import-not-found]
    except ImportError:
        print('CuBIE is not installed here: pip install "cubie[cuda12]"')
        return
    model, who, times, _ = problem("dkd", COUNT)
    lines, parameters = equations(model)
    values, start = model.values(), model.initial_values()
    system = create_ODE_system(
        lines,
        precision=np.float64,
        states={f"s_{name}": start[name] for name in model.state_names},
        parameters={f"p_{name}": values[name] for name in parameters},
    )
    swept = {f"p_{name}": column for name, column in who.items() if name in parameters}
    exact = betapod.Ensemble(model, rtol=1e-10, atol=1e-12).run({k: v[:64] for k, v in who.items()}, times).values
    scale = np.abs(exact) + 1e-3 * np.abs(exact).max(axis=(0, 1))
    grid = betapod.Ensemble(model, device="cuda")
    grid.run(who, times)
    result, seconds = timed(lambda: grid.run(who, times))
    error = np.median(np.max(np.abs(result.values[:64] - exact) / scale, axis=(1, 2)))
    print(f"dkd on {card.name}: betapod {COUNT / seconds:,.0f} people/s, median of the largest error {error:.1e}")
    for method in ("rodas5p", "rodas4p"):
        for rtol in (1e-6, 1e-8):
            name = f"CuBIE {version('cubie')} {method} {rtol:g}"
            try:
                solver = Solver(system, algorithm=method, rtol=rtol, atol=rtol * 1e-3, save_every=float(times[1]))
                solve = functools.partial(solver.solve, None, swept, duration=float(times[-1]), grid_type="verbatim")
                solve()
                solved, seconds = timed(solve)
                found = arranged(
                    np.asarray(solved.time_domain_array), solved.time_domain_legend, model.state_names, COUNT
                )
                rows = min(found.shape[1], len(times))
                worst = np.abs(found[:64, :rows] - exact[:, :rows]) / scale[:, :rows]
                error = np.median(np.max(worst, axis=(1, 2)))
            except Exception as problem_of_peer:
                print(f"  {name}: {type(problem_of_peer).__name__}: {problem_of_peer}")
                continue
            print(f"  {name}: {COUNT / seconds:,.0f} people/s, median of the largest error {error:.1e} ({rows} visits)")


def arranged(values: Numbers, legend: Mapping[int, str], states: Iterable[str], count: int) -> Numbers:
    """Return results of CuBIE as (people, times, states), whichever order its axes and states have."""
    axes = {values.shape.index(count): 0, values.shape.index(len(legend)): 2}
    axes[next(axis for axis in range(3) if axis not in axes)] = 1
    ordered = np.transpose(values, sorted(axes, key=axes.__getitem__))
    columns = {label.removeprefix("s_"): column for column, label in legend.items()}
    return ordered[:, :, [columns[state] for state in states]]


def main(arguments: Iterable[str] | None = None) -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ptx", action="store_true", help="show the programs alone")
    parser.add_argument("--write", action="store_true", help="with --ptx: write the budgets anew")
    options = parser.parse_args(None if arguments is None else list(arguments))
    if not options.ptx:
        try:
            card = cards.graphics_card(0)
        except BetapodError as error:
            print(f"Without a card, only the programs can be shown.\n{error}\n")
        else:
            began = time.perf_counter()
            facts = {"card": card.name, "capability": "{}.{}".format(*card.capability), "processors": card.processors}
            facts |= {"driver": card.driver.number("cuDriverGetVersion"), "betapod": betapod.__version__}
            print(json.dumps(facts))
            show_agreement(card)
            for name in ("kidney", "dkd", "reference"):
                show_speed(cards.graphics_card(0), name)
            # CuBIE writes what it generates into the folder that it is run in.
            with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
                show_cubie(cards.graphics_card(0))
            print(f"{time.perf_counter() - began:.0f} s in all")
            return
    show_programs(options.write)


if __name__ == "__main__":
    main()
