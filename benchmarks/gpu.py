"""Everything that is to be shown of the engine on a graphics card, in one run of less than ten minutes: python benchmarks/gpu.py [--ptx].

Without a card, and with ``--ptx``, only the programs are shown (`gpu_programs.py`); ``--ptx --write`` writes their budgets anew. With a card:
agreement with the processor over random people, the same bits whatever the grid; for each of several models people a second with matrix and
stage values in main and in shared memory, with values brought home and with moments alone, first and later use, memory; and CuBIE on the
model `dkd` where it is installed (``pip install "cubie[cuda12]"``). ``--people`` and ``--models`` make it shorter.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib.util
import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import betapod
from betapod.base.cores import cores
from betapod.base.errors import BetapodError
from betapod.engine.gpu import graphics_card as cards
from betapod.engine.gpu import grid_kernel
from betapod.engine.gpu.ptx import BLOCK
from betapod.model import Model

Numbers = NDArray[np.float64]
HERE = Path(__file__).resolve().parent
PEOPLE, YEAR = 10_000, 365.25
#: Asked of the agreement: median and largest relative difference.
MEDIAN, LARGEST = 1e-9, 1e-6
#: Seconds that one measurement of speed may take, and people at most.
SECONDS, MOST_PEOPLE = 6.0, 1_000_000
#: Models whose speed is shown: one that is small, and three of 25 to 75 states.
SHOWN = ("topp", "kidney", "dkd", "reference")


def neighbour(name: str) -> Any:
    """Return another script of this folder as a module."""
    path = HERE / f"{name}.py"
    found = importlib.util.spec_from_file_location(path.stem, path)
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    found.loader.exec_module(module)
    return module


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


@contextlib.contextmanager
def bytes_home() -> Iterator[list[int]]:
    """Count the bytes that are copied from the card meanwhile."""
    read, counted = cards.CardMemory.read, [0]

    def counting(memory: cards.CardMemory, address: int, array: NDArray[Any]) -> None:
        counted[0] += array.nbytes
        read(memory, address, array)

    cards.CardMemory.read = counting  # type: ignore[method-assign]
    try:
        yield counted
    finally:
        cards.CardMemory.read = read  # type: ignore[method-assign]


def show_speed(name: str, people: int | None = None) -> None:
    """Print people a second, with matrix and stage values in main and in shared memory, values brought home or reduced on the card."""
    card = cards.graphics_card(0)
    pilot = people or 4 * BLOCK * card.processors
    model, who, times, outputs = problem(name, pilot)
    chosen = betapod.Ensemble(model, outputs, device="cuda").kernel()
    assert isinstance(chosen, grid_kernel.GridKernel)
    slow = show_processor(model, who, times, outputs)
    print(
        f"{name}: {times[-1] / YEAR:.4g} years, {len(times)} visits, {len(outputs)} outputs; processor {slow:,.0f} people/s ({cores()} cores)"
    )
    for sharing in (False, True):
        card.sharing = sharing
        words = "shared memory" if sharing else "main memory"
        words += " (chosen)" if sharing == (chosen.shared > 0) else ""
        try:
            show_placed(card, betapod.Ensemble(model, outputs, device="cuda"), who, times, slow, words, people)
        except BetapodError as error:
            print(f"  {words}: {error.problems[0].message}")
    card.sharing = None


def show_processor(model: Model, who: Mapping[str, Numbers], times: Numbers, outputs: list[str]) -> float:
    """Return how many people a second the processor integrates."""
    few = {key: column[:2000] for key, column in who.items()}
    processor = betapod.Ensemble(model, outputs)
    processor.run(few, times)
    _, seconds = timed(lambda: processor.run(few, times))
    return len(next(iter(few.values()))) / seconds


def show_placed(
    card: cards.GraphicsCard,
    ensemble: betapod.Ensemble,
    who: Mapping[str, Numbers],
    times: Numbers,
    slow: float,
    words: str,
    people: int | None,
) -> None:
    """Print what one kind of program needs and does: run, and summarised."""
    kernel = ensemble.kernel()
    assert isinstance(kernel, grid_kernel.GridKernel)
    pilot = len(next(iter(who.values())))
    _, first = timed(lambda: ensemble.run(who, times))
    _, later = timed(lambda: ensemble.run(who, times))
    with card.in_use():
        program = card.program(kernel.ptx, kernel.threads, shared=kernel.shared_bytes)
    count = people or int(min(MOST_PEOPLE, max(pilot, pilot * SECONDS / later)))
    many = {key: _spread(column, count) for key, column in who.items()}
    room = np.empty((count, len(times), len(ensemble.outputs)))
    print(
        f"  {words}: {program.registers} registers, stack {program.stack} bytes, {program.blocks} blocks of {kernel.threads}, "
        f"{program.shared / 1024:.0f} kB shared each, {program.blocks * kernel.threads * kernel.workspace * 8 / 1e9:.2f} GB of vectors; "
        f"first use {first:.1f} s ({pilot:,} people), again {later:.2f} s"
    )
    with bytes_home() as home:
        result, seconds = timed(lambda: ensemble.run(many, times, out=room))
    print(
        f"    values: {count:,} people, {seconds:.2f} s, {count / seconds:,.0f} people/s, {count / seconds / slow:.1f} times the "
        f"processor, {home[0] / 1e6:,.1f} MB home; {result.summary()}"
    )
    ensemble.summarise(who, times)
    with bytes_home() as home:
        moments, reduced = timed(lambda: ensemble.summarise(many, times))
    print(
        f"    moments: {reduced:.2f} s, {count / reduced:,.0f} people/s, {seconds / reduced:.2f} times as fast, {home[0] / 1e6:,.3f} MB home; "
        f"the same endings {moments.summary() == result.summary()}, means within {_apart(moments, room):.0e}"
    )
    for share in (2, 4):
        card.most_blocks = max(1, program.blocks // share)
        _, seconds = timed(lambda: ensemble.run(many, times, out=room))
        print(f"    {card.most_blocks} blocks: {count / seconds:,.0f} people/s")
    card.most_blocks = None


def _apart(moments: betapod.EnsembleSummary, values: Numbers) -> float:
    """Return how far means on the card are from those of numpy, relative to the standard deviation."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        mean, sd = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
        return float(np.nanmax(np.abs(moments.mean[0] - mean) / np.where(sd > 0.0, sd, np.abs(mean))))


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
    parser.add_argument("--people", type=int, help="how many people; by default what some seconds allow")
    parser.add_argument("--models", nargs="+", default=SHOWN, help="whose speed to show")
    options = parser.parse_args(None if arguments is None else list(arguments))
    if not options.ptx:
        try:
            card = cards.graphics_card(0)
        except BetapodError as error:
            print(f"Without a card, only the programs can be shown.\n{error}\n")
        else:
            show_card(card, options.models, options.people)
            return
    neighbour("gpu_programs").show_programs(options.write)


def show_card(card: cards.GraphicsCard, models: Iterable[str], people: int | None) -> None:
    """Print what only a card can show."""
    began = time.perf_counter()
    facts = {"card": card.name, "capability": "{}.{}".format(*card.capability), "processors": card.processors}
    facts |= {"shared memory": card.shared_memory, "driver": card.driver.number("cuDriverGetVersion")}
    print(json.dumps(facts | {"betapod": betapod.__version__}))
    if people is None:
        show_agreement(card)
    for name in models:
        show_speed(name, people)
    if people is None:
        # CuBIE writes what it generates into the folder that it is run in.
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            show_cubie(cards.graphics_card(0))
    print(f"{time.perf_counter() - began:.0f} s in all")


if __name__ == "__main__":
    main()
