"""What confronting the model with every published row costs, and what its tolerances move.

    python benchmarks/confronting.py [every]              seconds of processor time, and memory
    python benchmarks/confronting.py --tolerances [every]  errors by tolerance

Only every so many studies are taken where `every` is given; seconds are then scaled by rows. Processor time of one process of one thread: with an
empty cache, with programs and cohorts known, and with 16 draws of the fit of the body besides those of cells; and of one evaluation of the objective of a
fit over all rows, people known, with 60 people of a cohort (300 for events), and with the 16 (80) of a fit.

Errors are those of rows, relative to their own standard error, and of everything that is read off people in arms whose care is frozen, relative to the SD
between people on that visit; the reference is 1e-9.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from betapod.engine.ensemble_result import ENDED
from betapod.evidence.records.registry import load_registry
from betapod.evidence.records.study import Record
from betapod.validation.predictions import study_courses
from betapod.validation.predictions.campaign import confront_records
from betapod.validation.predictions.condition import Condition
from betapod.validation.predictions.fit_conditions import FitDraws, draws_of_fit
from betapod.validation.predictions.row_expectations import rows_expected
from betapod.validation.predictions.studies import sort

#: Tolerances that are compared, the reference first.
TOLERANCES: tuple[tuple[float, float | str], ...] = (
    (1e-9, 1e-12),
    (1e-6, 1e-9),
    (1e-5, 1e-8),
    (1e-4, 1e-7),
    (1e-4, "by size"),
    (1e-3, 1e-6),
)
SCENARIO = "current-evidence"


def studies(every: int) -> dict[str, list[Record]]:
    """Return the rows that can be simulated, by study."""
    rows: dict[str, list[Record]] = {}
    for record in sort(list(load_registry()))[0]:
        rows.setdefault(record.study, []).append(record)
    return {study: rows[study] for study in list(rows)[::every]}


def confront_all(every: int, fit: FitDraws | None = None) -> dict[str, float]:
    """Confront every row under all scenarios, with draws of a fit or without."""
    records = [record for of_study in studies(every).values() for record in of_study]
    began = time.process_time()
    result = confront_records(records, threads=1, fit=fit)
    return {
        "seconds": time.process_time() - began,
        "rows": float(sum(map(len, result.predictions.values()))),
        "MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
    }


def _draws_for(what: str) -> FitDraws | None:
    return draws_of_fit(None) if what == "draws" else None


def evaluate_objective(every: int, count: int) -> dict[str, float]:
    """Evaluate what is expected of every row under one set of parameters, the second time."""
    records, condition = [record for of_study in studies(every).values() for record in of_study], Condition(SCENARIO)
    seconds = 0.0
    for _ in range(2):
        began = time.process_time()
        rows_expected(records, [condition], count, 1, 1)
        seconds = time.process_time() - began
    return {"seconds": seconds, "rows": float(len(records))}


def measured(what: str, every: int, cache: str) -> dict[str, float]:
    """Return what a process of its own measured."""
    environment = {**os.environ, "BETAPOD_CACHE": cache, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--measure", what, str(every)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return {str(name): float(number) for name, number in json.loads(done.stdout).items()}


def costs(every: int) -> None:
    """Print all costs."""
    all_rows = sum(map(len, studies(1).values()))
    with tempfile.TemporaryDirectory() as cache:
        for label, what in (
            ("empty cache", "confront"),
            ("programs and cohorts known", "confront"),
            ("with draws of the fit", "draws"),
            ("objective, 60 people", "60"),
            ("objective, 16 people", "16"),
        ):
            # Results that are kept would be read, and not computed.
            shutil.rmtree(Path(cache) / "confront", ignore_errors=True)
            numbers = measured(what, every, cache)
            share = numbers["rows"] / (all_rows * (1 if what.isdigit() else 3))
            scaled = "" if every == 1 else f", {numbers['seconds'] / share:.1f} s scaled to all"
            memory = f", {numbers['MB']:.0f} MB" if "MB" in numbers else ""
            print(
                f"{label}: {numbers['seconds']:.1f} s for {numbers['rows']:.0f} rows{scaled}{memory}",
                flush=True,
            )


@contextmanager
def tolerances_held(rtol: float, atol: float | str) -> Iterator[list[tuple[object, ...]]]:
    """Simulate studies at other tolerances meanwhile; the list gets arm, values and endings of each group."""
    former = study_courses.RTOL, study_courses.ATOL
    read, seen = study_courses._courses, list[tuple[object, ...]]()

    def courses(arm, who, weeks, values, status, ended_at):  # type: ignore[no-untyped-def]
        group = read(arm, who, weeks, values, status, ended_at)
        seen.append((arm, group, int(np.sum(status > ENDED))))
        return group

    study_courses.RTOL, study_courses.ATOL = rtol, atol  # type: ignore[assignment]
    study_courses._ensemble.cache_clear()
    study_courses._courses = courses
    try:
        yield seen
    finally:
        study_courses.RTOL, study_courses.ATOL = former
        study_courses._ensemble.cache_clear()
        study_courses._courses = read


def errors_by_tolerance(every: int) -> None:
    """Print errors of rows and people, relative to their scatter."""
    rows = studies(every)
    compared = confront_records([r for of_study in rows.values() for r in of_study], [SCENARIO], draws=0, threads=1)
    own_error = {
        p.record: float(np.hypot(np.nan_to_num(p.se_study), p.se_cohort)) for p in compared.predictions[SCENARIO]
    }
    right: dict[str, float] = {}
    right_people: list[dict[str, np.ndarray]] = []
    for rtol, atol in TOLERANCES:
        expected: dict[str, float] = {}
        people: list[dict[str, np.ndarray]] = []
        failed, began = 0, time.process_time()
        for of_study in rows.values():
            with tolerances_held(rtol, atol) as seen:
                numbers = rows_expected(of_study, [Condition(SCENARIO)], 60, 1, 1)[0]
            expected |= {record.id: float(x) for record, x in zip(of_study, numbers, strict=True)}
            failed += sum(lost for *_, lost in seen)  # type: ignore[misc]
            frozen = [group for arm, group, _ in seen if arm.care_rule == "frozen" and len(group) <= 60]  # type: ignore[attr-defined, arg-type]
            people += [{name: np.array(table) for name, table in group.values.items()} for group in frozen]  # type: ignore[attr-defined]
        seconds = time.process_time() - began
        if not right:
            right, right_people = expected, people
            continue
        off = [abs(expected[r] - right[r]) / own_error[r] for r in right if own_error.get(r, 0.0) > 0.0]
        far = np.concatenate([_off(x, true) for x, true in zip(people, right_people, strict=True)])
        print(
            f"{rtol:g}, {atol}: {seconds:.1f} s; {len(off)} rows median {np.median(off):.1e}, 99 % {np.quantile(off, 0.99):.1e}, "
            f"worst {max(off):.1e}; {sum(len(p['eGFR']) for p in people)} people median {np.median(far):.1e}, 99 % "
            f"{np.quantile(far, 0.99):.1e}, worst {far.max():.1e}; {failed} failed",
            flush=True,
        )


def _off(seen: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> np.ndarray:
    """Return errors of people after the start in units of the SD between them."""
    pieces = []
    for name, table in right.items():
        with np.errstate(all="ignore"):
            off = np.abs(seen[name] - table)[:, 1:] / np.nanstd(table, axis=0)[1:]
        pieces.append(off[np.isfinite(off)])
    return np.concatenate(pieces)


def main() -> None:
    """Do what is asked."""
    arguments = sys.argv[1:]
    every = int(arguments[-1]) if arguments and arguments[-1].isdigit() else 1
    if arguments[:1] == ["--measure"]:
        what = arguments[1]
        measure = evaluate_objective(every, int(what)) if what.isdigit() else confront_all(every, _draws_for(what))
        print(json.dumps(measure))
    elif arguments[:1] == ["--tolerances"]:
        errors_by_tolerance(every)
    else:
        costs(every)


if __name__ == "__main__":
    main()
