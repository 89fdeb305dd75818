"""Run the semantic cases of the SBML Test Suite: ``python suite.py FOLDER [--level 3.2] [--from 1] [--to 1999] [--list]``.

FOLDER holds one folder per case (``00001/00001-settings.txt``, ``-results.csv``, ``-sbml-l3v2.xml`` ...), as the suite is
distributed. Each case is read in every level it exists in (or only those asked for), simulated, and compared with the expected
results at the case's own tolerances: passed, refused (by name), or wrong.
"""

from __future__ import annotations

import argparse
import collections
import csv
import multiprocessing
import re
from pathlib import Path

import numpy as np

from betapod.engine.reference import simulate
from betapod.errors import BetapodError, ExchangeError
from betapod.exchange import read_sbml


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


def run(model_file: Path, setting: dict[str, list[str]], results_file: Path) -> tuple[str, str]:
    """Return the outcome of one model file and what is to be said about it."""
    names, wanted = expected(results_file)
    absolute, relative = float(setting["absolute"][0]), float(setting["relative"][0])
    amounts, concentrations = set(setting.get("amount", ())), set(setting.get("concentration", ()))
    try:
        model = read_sbml(model_file)
        report = model.report
        columns = [
            report.amount(n) if n in amounts else report.concentration(n) if n in concentrations else report.name(n)
            for n in names[1:]
        ]
        start, length, steps = (float(setting[key][0]) for key in ("start", "duration", "steps"))
        times = start + length * np.arange(int(steps) + 1) / steps
        result = simulate(
            model, times, rtol=min(1e-9, relative * 1e-3), atol=min(1e-12, absolute * 1e-4), outputs=list(set(columns))
        )
    except ExchangeError as error:
        return "refused", "; ".join(problem.message for problem in error.problems)
    except BetapodError as error:
        return "wrong", f"{type(error).__name__}: {error.problems[0].message}"
    except Exception as error:
        return "wrong", f"{type(error).__name__}: {error}"
    found = result.table[columns].to_numpy()
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


def case(arguments: tuple[Path, frozenset[str]]) -> list[tuple[str, str, str, str]]:
    """Run one case in each of its levels."""
    folder, levels = arguments
    name = folder.name
    setting_file, results_file = folder / f"{name}-settings.txt", folder / f"{name}-results.csv"
    if not setting_file.is_file() or not results_file.is_file():
        return []
    done = []
    for model_file in sorted(folder.glob(f"{name}-sbml-l*v*.xml")):
        match = re.search(r"-l(\d)v(\d)\.xml$", model_file.name)
        if match is None:
            continue  # a part of a hierarchical model
        level = f"{match[1]}.{match[2]}"
        if not levels or level in levels:
            done.append((name, level, *run(model_file, settings(setting_file), results_file)))
    return done


def main() -> None:
    """Print one line per case that did not pass, and the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--level", action="append", default=[], help="such as 3.2; may be given several times")
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--to", dest="last", type=int, default=99999)
    parser.add_argument("--workers", type=int, default=None)
    options = parser.parse_args()
    folders = [
        (folder, frozenset(options.level))
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
    print(", ".join(f"{counts[key]} {key}" for key in ("passed", "refused", "wrong")))


if __name__ == "__main__":
    main()
