"""Run the semantic cases of the SBML Test Suite: ``python sbml_suite.py FOLDER [--engine ensemble] [--level 3.2] [--from 1] [--to 1999]``.

FOLDER holds one folder per case (``00001/00001-settings.txt``, ``-results.csv``, ``-sbml-l3v2.xml`` ...), as the suite is
distributed. Each case is read in every level it exists in (or only those asked for), simulated by one of the two engines, and
compared with the expected results at the case's own tolerances: passed, refused (by name), wrong, or not finished in the time
that a case may take.
"""

from __future__ import annotations

import argparse
import collections
import csv
import multiprocessing
import re
import signal
from pathlib import Path

import numpy as np

from betapod.base.errors import BetapodError, ExchangeError, SolverError
from betapod.engine.ensemble import Ensemble
from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.exchange import read_sbml, solve_flux_balance


def settings(path: Path) -> dict[str, list[str]]:
    """Read a settings file: lists of words by key."""
    found: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        key, colon, rest = line.partition(":")
        if colon:
            found[key.strip().lower()] = [word.strip() for word in rest.split(",") if word.strip()]
    return found


def expected(path: Path) -> tuple[list[str], np.ndarray]:
    """Read expected results: column names and rows, first column time."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    return [name.strip() for name in rows[0]], np.array([[float(cell) for cell in row] for row in rows[1:]])


#: What the ensemble engine says where it does not do what a model asks for.
REFUSALS = frozenset({"unsupported-model"})


def by_reference(model, times, names, rtol, atol):
    """Return the columns as the reference engine computes them."""
    return simulate(model, times, rtol=rtol, atol=atol, outputs=list(set(names))).table[names].to_numpy()


def by_ensemble(model, times, names, rtol, atol):
    """Return the columns as the ensemble engine computes them for one patient."""
    distinct = list(dict.fromkeys(names))
    result = Ensemble(model, distinct, rtol=rtol, atol=atol, width=1, threads=1, cache=False, max_steps=200_000).run(
        1, times
    )
    if len(result.failed):
        raise RuntimeError(result.summary())
    return result.values[0][:, [distinct.index(name) for name in names]]


ENGINES = {"reference": by_reference, "ensemble": by_ensemble}


def by_flux_balance(model_file: Path, names: list[str]) -> np.ndarray:
    """Return the fluxes and the objective of a case of flux balance; NaN where no fluxes fulfil the bounds, as the suite has it."""
    try:
        balance = solve_flux_balance(model_file)
    except SolverError:
        return np.full((1, len(names)), np.nan)
    return np.array([[balance.value if n == balance.objective else balance.table["flux"][n] for n in names]])


def columns_of(report, names: list[str], setting: dict[str, list[str]]) -> list[str]:
    """Return the model's names of the columns of a case; the size of a compartment may be asked for as an amount."""
    amounts, concentrations = set(setting.get("amount", ())), set(setting.get("concentration", ()))
    return [
        report.amount(n)
        if n in amounts and n in report.amounts
        else report.concentration(n)
        if n in concentrations and n in report.concentrations
        else report.name(n)
        for n in names
    ]


def run_flux_balance(
    model_file: Path, names: list[str], target: np.ndarray, absolute: float, relative: float
) -> tuple[str, str]:
    """Return the outcome of a case of flux balance; where no fluxes fulfil the bounds, the suite expects no numbers."""
    try:
        balance = solve_flux_balance(model_file)
    except SolverError as error:
        none = error.kinds == ("no-fluxes",) and bool(np.all(np.isnan(target)))
        return ("passed", "") if none else ("wrong", error.problems[0].message)
    except ExchangeError as error:
        return "refused", "; ".join(problem.message for problem in error.problems)
    fluxes = np.array([balance.value if n == balance.objective else balance.table["flux"][n] for n in names])
    if np.all(np.abs(fluxes - target) <= absolute + relative * np.abs(target)):
        return "passed", ""
    return "wrong", f"{', '.join(names)}: {fluxes}, expected {target}"


def run(
    model_file: Path, setting: dict[str, list[str]], results_file: Path, engine: str = "reference"
) -> tuple[str, str]:
    """Return the outcome of one model file and what is to be said about it."""
    names, wanted = expected(results_file)
    absolute, relative = float(setting["absolute"][0]), float(setting["relative"][0])
    if not setting["duration"]:
        if engine != "reference":
            return "refused", "a flux balance is no course in time"
        return run_flux_balance(model_file, names, wanted[0], absolute, relative)
    try:
        model = read_sbml(model_file)
        columns = columns_of(model.report, names[1:], setting)
        start, length, steps = (float(setting[key][0]) for key in ("start", "duration", "steps"))
        times = start + length * np.arange(int(steps) + 1) / steps
        found = ENGINES[engine](model, times, columns, min(1e-9, relative * 1e-3), min(1e-12, absolute * 1e-4))
    except TimeoutError:
        return "not finished", "took too long"
    except ExchangeError as error:
        return "refused", "; ".join(problem.message for problem in error.problems)
    except BetapodError as error:
        outcome = "refused" if REFUSALS.issuperset(error.kinds) else "wrong"
        return outcome, f"{type(error).__name__}: {error.problems[0].message}"
    except Exception as error:
        return "wrong", f"{type(error).__name__}: {error}"
    target = wanted[:, 1:]
    if found.shape != target.shape:
        return "wrong", f"{found.shape} values, expected {target.shape}"
    with np.errstate(invalid="ignore"):
        close = np.abs(found - target) <= absolute + relative * np.abs(target)
    close |= (np.isnan(found) & np.isnan(target)) | (found == target)
    if np.all(close):
        return "passed", ""
    row, column = np.argwhere(~close)[0]
    return (
        "wrong",
        f"{names[column + 1]} at {times[row]:g}: {found[row, column]:.9g}, expected {target[row, column]:.9g}",
    )


def late(number, frame) -> None:
    """End a case that takes too long."""
    raise TimeoutError


def case(arguments: tuple[Path, frozenset[str], str, float]) -> list[tuple[str, str, str, str]]:
    """Run one case in each of its levels, each for a limited time of the processor."""
    folder, levels, engine, limit = arguments
    name = folder.name
    setting_file, results_file = folder / f"{name}-settings.txt", folder / f"{name}-results.csv"
    if not setting_file.is_file() or not results_file.is_file():
        return []
    signal.signal(signal.SIGVTALRM, late)
    done = []
    for model_file in sorted(folder.glob(f"{name}-sbml-l*v*.xml")):
        match = re.search(r"-l(\d)v(\d)\.xml$", model_file.name)
        if match is None:
            continue  # a part of a hierarchical model
        level = f"{match[1]}.{match[2]}"
        if not levels or level in levels:
            signal.setitimer(signal.ITIMER_VIRTUAL, limit)
            try:
                done.append((name, level, *run(model_file, settings(setting_file), results_file, engine)))
            except TimeoutError:
                done.append((name, level, "not finished", "took too long"))
            finally:
                signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
    return done


def main() -> None:
    """Print one line per case that did not pass, and the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--level", action="append", default=[], help="such as 3.2; may be given several times")
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--to", dest="last", type=int, default=99999)
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--engine", choices=sorted(ENGINES), default="reference")
    parser.add_argument("--limit", type=float, default=30.0, help="seconds of the processor that a case may take")
    options = parser.parse_args()
    folders = [
        (folder, frozenset(options.level), options.engine, options.limit)
        for folder in sorted(options.folder.iterdir())
        if folder.is_dir() and folder.name.isdigit() and options.first <= int(folder.name) <= options.last
    ]
    counts: collections.Counter[str] = collections.Counter()
    with multiprocessing.Pool(options.workers) as pool:
        for outcomes in pool.imap(case, folders):
            for name, level, outcome, message in outcomes:
                counts[outcome] += 1
                if outcome != "passed":
                    print(f"{name} {level} {outcome}: {message}", flush=True)
    print(", ".join(f"{counts[key]} {key}" for key in ("passed", "refused", "wrong", "not finished")))


if __name__ == "__main__":
    main()
