"""Compare the engine with that of another version: the same people in turns in one run, errors measured, and the time at equal error.

Run with the package's own interpreter, given the folder ``src`` of a checkout of the other version::

    python benchmarks/kernel_against.py ../betapod-0.1/src [--models topp meal dkd] [--rounds 20]

The models are the files of `benchmarks/models`, which every version reads. Times are the best of the rounds on the clock of each
process, one thread each. The error of a person is the largest over visits and states, relative to the value plus a thousandth of that state's
largest value, against this engine at 1e-11. Both take 1e-6 and 1e-9; then this engine takes the largest relative tolerance at which the median
person's error is no larger than the other's.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

MODELS = Path(__file__).resolve().parent / "models"
RTOL, ATOL, EXACT = 1e-6, 1e-9, 1e-11
#: Factor between the tolerances that are tried for an equal error, and the largest of them.
FINER, LOOSEST = 1.2, 1e-4
PEOPLE = {"meal": 32}


def answer(model: Path, people: Path) -> None:
    """Answer lines of standard input: a relative tolerance, and where to write the values, or ``-``."""
    from betapod.engine.ensemble import Ensemble
    from betapod.exchange import read_sbml

    columns = dict(np.load(people))
    times = columns.pop("times")
    sheet, ensembles, out = read_sbml(model), dict[str, Any](), None
    for line in sys.stdin:
        rtol, target = line.split()
        if rtol not in ensembles:
            ensembles[rtol] = Ensemble(sheet, rtol=float(rtol), atol=ATOL, threads=1, cache=False)
            ensembles[rtol].run(columns, times)
        began = time.process_time()
        result = ensembles[rtol].run(columns, times, out=out)
        seconds, out = time.process_time() - began, result.values
        if target != "-":
            np.save(target, result.values)
        print(json.dumps([seconds, float((result.steps + result.rejected).mean())]), flush=True)


class Engine:
    """An engine in a process of its own, which answers questions.

    Parameters
    ----------
    source
        Folder that holds the package.
    """

    def __init__(self, source: Path, model: Path, people: Path, folder: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": str(source), "BETAPOD_CACHE": str(folder / "cache")}
        command = [sys.executable, __file__, "--answer", str(model), str(people)]
        self.target = folder / "values.npy"
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def ask(self, rtol: float, target: str = "-") -> list[float]:
        """Return processor seconds and steps per person of one run."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{rtol!r} {target}\n")
        self._process.stdin.flush()
        answered: list[float] = json.loads(self._process.stdout.readline())
        return answered

    def values(self, rtol: float) -> NDArray[np.float64]:
        """Return what the people have at the visits."""
        self.ask(rtol, str(self.target))
        values: NDArray[np.float64] = np.load(self.target)
        return values


def compare(source: Path, name: str, rounds: int) -> None:
    """Print times, steps and errors of both engines for one model."""
    from kernel_speed import case

    count = PEOPLE.get(name, 512)
    _, who, times = case(name, count)
    here = Path(__file__).resolve().parents[1] / "src"
    with tempfile.TemporaryDirectory() as place:
        people = Path(place, "people.npz")
        np.savez(people, times=times, **who)  # type: ignore[arg-type]
        model = MODELS / f"{name}.xml"
        with Engine(source, model, people, Path(place)) as other, Engine(here, model, people, Path(place)) as this:
            right = this.values(EXACT)
            scale = np.abs(right) + 1e-3 * np.abs(right).max(axis=(0, 1))
            scale[scale == 0.0] = np.inf  # a state that is never anything but 0

            def error(engine: Engine, rtol: float) -> float:
                return float(np.median((np.abs(engine.values(rtol) - right) / scale).max(axis=(1, 2))))

            allowed = error(other, RTOL)
            equal = RTOL
            while equal * FINER < LOOSEST and error(this, equal * FINER) <= allowed:
                equal *= FINER
            cases = {"other": (other, RTOL), "this": (this, RTOL), "this at equal error": (this, equal)}
            best: dict[str, list[float]] = {}
            for _ in range(rounds):
                for label, (engine, rtol) in cases.items():
                    best[label] = min(best.get(label, [np.inf]), engine.ask(rtol))
            for label, (engine, rtol) in cases.items():
                seconds, steps = best[label]
                print(
                    f"{name}: {label}, tolerance {rtol:.2g}: {seconds / count * 1e6:.2f} us a person, {steps:.1f} steps, median error "
                    f"{error(engine, rtol):.2e}, {best['other'][0] / seconds:.2f} times as fast as the other",
                    flush=True,
                )


def main() -> None:
    """Compare, or answer."""
    if sys.argv[1:2] == ["--answer"]:
        answer(Path(sys.argv[2]), Path(sys.argv[3]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="the folder src of a checkout of the other version")
    parser.add_argument("--models", nargs="+", default=["topp", "meal", "dkd"], choices=["topp", "meal", "dkd"])
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    if not (options.source / "betapod").is_dir():
        parser.error(f"{options.source} holds no package betapod")
    for name in options.models:
        compare(options.source.resolve(), name, options.rounds)


if __name__ == "__main__":
    main()
