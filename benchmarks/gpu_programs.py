"""What programs for graphics cards need, without a card: python benchmarks/gpu_programs.py [--write].

PTX of every shipped model, made by LLVM and assembled by NVIDIA's ``ptxas`` (PyPI: nvidia-cuda-nvcc) for three kinds of cards, beside the
budgets of registers, stack and spills that `tests/engine/card_budgets.csv` keeps (``--write`` writes these anew); then, counted and
estimated, where matrix and stage values are better kept, and what several threads for each patient could gain.
"""

from __future__ import annotations

import argparse
import csv
import re
import resource
import shutil
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from betapod import read_sbml
from betapod.engine.compiled.blocks import STAGES
from betapod.engine.compiled.lower import lower
from betapod.engine.compiled.program import Program
from betapod.engine.gpu import placement
from betapod.engine.gpu.grid_code import TILE, GridText, shareable, write_grid
from betapod.engine.gpu.ptx import ptx_of
from betapod.physiology import whole_body

HERE = Path(__file__).resolve().parent
BUDGETS = HERE.parent / "tests" / "engine" / "card_budgets.csv"
#: Cards that programs are assembled for: A100, H100 and H200, B200.
TARGETS = ((8, 0), (9, 0), (10, 0))
#: Bytes that the blocks of a processor of such a card share.
SHARED_MEMORY = {(8, 0): 164 * 1024, (9, 0): 228 * 1024, (10, 0): 228 * 1024}
#: What a program may need beyond what is kept: registers; a share, and bytes, of stack and spills.
MORE_REGISTERS, MORE, MORE_BYTES = 8, 1.1, 64
#: Registers of a processor of such a card, and groups of 32 threads that it holds at most.
REGISTERS_OF_PROCESSOR, MOST_GROUPS = 65_536, 64


@dataclass(frozen=True)
class Assembled:
    """What a kind of card needs for a program, as ``ptxas`` tells it; spills and stack in bytes of each thread."""

    model: str
    target: str
    registers: int
    stack: int
    spill_stores: int
    spill_loads: int


def grid_text(name: str, sharing: bool = False) -> GridText:
    """Return a shipped model's program at the usual tolerance, every state reported."""
    return write_grid(lower(whole_body.named_model(name)), quickly=True, sharing=sharing)


def fits(name: str, target: tuple[int, int]) -> bool:
    """Return whether matrix and stage values of a group of threads fit into the shared memory of a kind of card."""
    numbers = sum(shareable(lower(whole_body.named_model(name))).values())
    return placement.groups_sharing(numbers, SHARED_MEMORY[target]) > 0


def variants() -> Iterator[tuple[str, str, bool, tuple[tuple[int, int], ...]]]:
    """Return what is assembled: what it is called, the model, whether it keeps vectors in shared memory, and for which cards."""
    for name in whole_body.NAMES:
        yield name, name, False, TARGETS
        if targets := tuple(target for target in TARGETS if fits(name, target)):
            yield f"{name} sharing", name, True, targets


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
        "model                     card  PTX kB  code kB  numbers  shared  regs  groups  stack  spilled st/ld  LLVM s  ptxas s  budget"
    )
    kept = budgets() if BUDGETS.exists() else {}
    for label, name, sharing, targets in variants():
        text = grid_text(name, sharing)
        for target in targets:
            began = time.process_time()
            ptx = ptx_of(text, target)
            llvm = time.process_time() - began
            line = f"{label:24} {target[0]:>3}.{target[1]} {len(ptx) / 1e3:7.0f}"
            if assembler is None:
                print(f"{line} {'':8} {text.workspace:8} {text.shared:7} {'':38} {llvm:6.1f}")
                continue
            began = _children()
            found, size = assembled(label, ptx, target, assembler)
            rows.append(found)
            budget = kept.get((label, found.target))
            verdict = "none" if budget is None else "kept" if within(found, budget) else "BROKEN"
            groups = min(MOST_GROUPS, REGISTERS_OF_PROCESSOR // (-(-found.registers // 8) * 8 * TILE))
            if sharing:
                groups = min(groups, SHARED_MEMORY[target] // (8 * TILE * text.shared + placement.RESERVED))
            print(
                f"{line} {size / 1e3:8.0f} {text.workspace:8} {text.shared:7} {found.registers:5} {groups:7} {found.stack:6} "
                f"{found.spill_stores:6}/{found.spill_loads:<6} {llvm:7.1f} {_children() - began:8.1f}  {verdict}",
                flush=True,
            )
    if write and rows:
        with BUDGETS.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([field.name for field in fields(Assembled)])
            writer.writerows(map(astuple, rows))
        print(f"written to {BUDGETS}")
    show_placement()


# -- where vectors are kept, and by how many threads -------------------------------------------------------------------


def show_placement() -> None:
    """Print what a step takes with matrix and stage values in either memory of an H100 or H200, and what more threads could gain."""
    print(
        f"\nA step of one patient, counted; cycles of one thread: {placement.ARITHMETIC_CYCLES} for arithmetic, "
        f"{placement.SHARED_CYCLES} and {placement.MAIN_CYCLES} for shared and main memory, {placement.AT_ONCE} readings at once"
    )
    print("                   arithmetic  read, written: of these       k cycles:         groups:      expected")
    print("model                           in all   matrix, stages   main  shared   main  shared   gain  chosen")
    gains = {}
    for name, program in counted():
        states = len(program.states)
        main, shared = (placement.step_work(write_grid(program, True, sharing), states) for sharing in (False, True))
        groups = placement.groups_sharing(sum(shareable(program).values()), SHARED_MEMORY[9, 0])
        gains[name] = groups / shared.cycles * main.cycles / placement.MOST_GROUPS
        chosen = groups > 0 and placement.is_worth_sharing(main, shared, groups)
        print(
            f"{name:18} {main.arithmetic:10,} {main.main:9,} {shared.shared:14,} {main.cycles / 1e3:8.0f} {shared.cycles / 1e3:7.0f} "
            f"{placement.MOST_GROUPS:6} {groups:7} {gains[name]:6.2f}  {'shared' if chosen else 'main'}"
        )
    show_rows_shared_out(gains)


def show_rows_shared_out(gains: Mapping[str, float]) -> None:
    """Print what could be gained by several threads for each patient, on top of gains by shared memory."""
    print(
        "\nRows of the matrix, and states, shared out among as many threads as there are, which wait for each other at no cost: multiply-adds of a"
        "\nfactorisation and of a solution in all, and on the longest chain; times as fast a whole step could be at most"
    )
    print(
        "model              factorisation: all  chain   solution: all  chain    by arithmetic   by cycles  with gain above"
    )
    for name, program in counted():
        shared = placement.step_work(write_grid(program, True, True), len(program.states))
        (factor, factor_chain), (solve, solve_chain) = chains(program)
        saved = factor - factor_chain + STAGES * (solve - solve_chain)
        of_cycles = saved * (placement.ARITHMETIC_CYCLES + placement.SHARED_CYCLES / placement.AT_ONCE)
        states = len(program.states)
        one, all_states = placement.stage_sums(1), placement.stage_sums(states)
        saved += all_states.arithmetic - one.arithmetic
        of_cycles += all_states.cycles - one.cycles
        print(
            f"{name:18} {factor:18,} {factor_chain:6,} {solve:15,} {solve_chain:6,} "
            f"{shared.arithmetic / (shared.arithmetic - saved):16.2f} {shared.cycles / (shared.cycles - of_cycles):11.2f} "
            f"{gains[name] * shared.cycles / (shared.cycles - of_cycles):16.2f}"
        )


def counted() -> Iterator[tuple[str, Program]]:
    """Return the programs of the shipped models, and of those that other simulators are compared on."""
    for name in whole_body.NAMES:
        yield name, lower(whole_body.named_model(name))
    for path in sorted((HERE / "models").glob("*.xml")):
        yield path.stem, lower(read_sbml(path))


def chains(program: Program) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return multiply-adds of a factorisation, and of a solution: in all, and on the longest chain if each row had its own thread."""
    plan = program.factorisation
    right = {pivot: up for pivot, _, up in plan.steps}
    left: dict[int, list[int]] = {pivot: [] for pivot in right}
    for pivot, low, _ in plan.steps:
        for row in low:
            left[row].append(pivot)
    factored: dict[int, int] = {}
    forward: dict[int, int] = {}
    factor = solve = 0
    for row in right:
        factored[row] = forward[row] = 0
        for pivot in left[row]:
            factored[row] = max(factored[row], factored[pivot]) + 1 + len(right[pivot])
            forward[row] = max(forward[row], forward[pivot]) + 1
            factor, solve = factor + 1 + len(right[pivot]), solve + 1
        factored[row], factor = factored[row] + 1, factor + 1
    backward: dict[int, int] = {}
    for row in reversed(right):
        backward[row] = forward[row]
        for column in sorted(right[row], key=backward.__getitem__):
            backward[row] = max(backward[row], backward[column]) + 1
        backward[row], solve = backward[row] + 1, solve + len(right[row]) + 1
    return (factor, max(factored.values())), (solve, max(backward.values()))


def _llvm() -> tuple[int, ...]:
    import llvmlite.binding as llvm

    return tuple(llvm.llvm_version_info)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the budgets anew")
    show_programs(parser.parse_args().write)


if __name__ == "__main__":
    main()
