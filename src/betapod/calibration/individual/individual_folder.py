"""The folder of a fit of people: tables as CSV, and what it is in ``fit.json``, which is written last.

::

    fit.json           problem, model, table with their digests; errors, checks in words, warnings; hashes of the tables
    problem.yaml       the problem as it was read
    people.csv         estimates of every person with intervals, and what the group makes of them
    group.csv          medians and spreads of people; the fit to all of them together, where it was asked for
    correlations.csv   between people, and of estimates
    measurements.csv   every measurement with its prediction and residual
    checks.csv         of the residuals
    courses.csv        smooth courses for pictures
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...base.atomic import file_hash, write_atomic, writing
from ...base.errors import ConfigError, Location, Problem
from ...base.exports import original_cell, rows_as_csv
from ...engine.runs.store import finite
from .individual_fit import IndividualFit
from .individual_tables import (
    Row,
    check_rows,
    correlation_rows,
    group_rows,
    measurement_rows,
    people_rows,
    smooth_course_rows,
)

IDENTITY, PROBLEM = "fit.json", "problem.yaml"
TABLES = {
    "people.csv": people_rows,
    "group.csv": group_rows,
    "correlations.csv": correlation_rows,
    "measurements.csv": measurement_rows,
    "checks.csv": check_rows,
    "courses.csv": smooth_course_rows,
}
#: Columns that hold text, and those that hold true or false; all others hold numbers.
_TEXT = frozenset(
    ["person", "parameter", "unit", "label", "scale", "message", "first", "second", "observable", "check", "words"]
)
_FLAGS = frozenset(["told", "at_bound", "arrived", "counts", "passed"])


@dataclass(frozen=True)
class IndividualRecord:
    """A fit of people as it stands in a folder.

    Attributes
    ----------
    identity
        Content of ``fit.json``.
    tables
        Rows of each table by its name without ``.csv``.
    """

    folder: Path
    identity: Mapping[str, Any]
    tables: Mapping[str, Sequence[Row]]


def individual_identity(fit: IndividualFit) -> dict[str, Any]:
    """Return what a fit is and what speaks for and against it, as plain values."""
    from ... import __version__

    problem = fit.problem
    errors = [
        {
            "observable": observable.name,
            "output": observable.output,
            "unit": observable.unit,
            "label": observable.label,
            "form": error.form,
            "estimated": error.estimated,
            "additive": error.additive,
            "proportional": error.proportional,
            "words": error.words(observable.unit),
        }
        for observable, error in zip(problem.observables, fit.errors, strict=True)
    ]
    parameters = [
        {
            "name": parameter.name,
            "unit": parameter.unit,
            "label": parameter.label,
            "start": parameter.start,
            "transform": parameter.transform,
            "low": parameter.low,
            "high": parameter.high,
            "prior_low": parameter.prior_low,
            "prior_high": parameter.prior_high,
        }
        for parameter in problem.parameters
    ]
    return {
        "schema_version": 1,
        "kind": "individual",
        "betapod_version": __version__,
        "title": problem.title,
        "problem": problem.text,
        "model": {
            "name": problem.model.name,
            "fingerprint": problem.model.fingerprint,
            "time_unit": problem.model.time_unit,
        },
        "table": problem.table_file,
        "people": len(problem.people),
        "measurements": problem.measurements,
        "freedom": fit.freedom,
        "level": problem.level,
        "starts": problem.starts,
        "seed": problem.seed,
        "parameters": parameters,
        "errors": errors,
        "group": None
        if fit.group is None
        else {
            "method": problem.group,
            "people": fit.group.people,
            "at_rest": fit.group.at_rest,
            "without_correlations": fit.group.diagonal,
        },
        "identifiability": identifiability_words(fit),
        "warnings": list(fit.warnings),
        "notes": list(problem.notes),
        "lanes": fit.lanes,
        "seconds": fit.seconds,
    }


def identifiability_words(fit: IndividualFit) -> list[str]:
    """Return sentences on what the data tell, in how many people, and what they cannot tell apart."""
    sentences, rows = [], group_rows(fit)
    for row in rows:
        told, people = row["told_in"], row["people"]
        if told == people:
            sentences.append(f"{row['parameter']} is told by the data of everybody.")
        elif told:
            sentences.append(f"{row['parameter']} is told by the data of {told} of {people} people.")
        else:
            has_prior = {parameter.name: parameter.has_prior for parameter in fit.problem.parameters}[row["parameter"]]
            rest = "estimates rest on the prior" if has_prior else "give a prior, fix it, or measure something else"
            sentences.append(f"{row['parameter']} is told by nobody's data: {rest}.")
    alike = [row["parameter"] for row in rows if row.get("spread", math.nan) >= 0.0 and math.isnan(row["spread_se"])]
    if alike:
        sentences.append(
            f"Whether people differ in {' and '.join(alike)} cannot be told: the SD between them may be 0."
        )
    for row in correlation_rows(fit):
        if row["together_in"]:
            sentences.append(
                f"{row['first']} and {row['second']} cannot be told apart in {row['together_in']} of {len(fit.people)} people "
                f"(correlation of the estimates {row['of_estimates']:.2f} in the median)."
            )
    return sentences


def write_individual_folder(fit: IndividualFit, folder: str | Path) -> Path:
    """Write a fit into a folder, which is made where there is none; a fit of people that is there is replaced.

    Raises
    ------
    ConfigError
        The folder holds something else.
    StoreError
        It cannot be written.
    """
    target = Path(folder)
    check_individual_target(target)
    tables = {name: _as_csv(rows(fit)).encode() for name, rows in TABLES.items()}
    with writing(target):
        target.mkdir(parents=True, exist_ok=True)
        (target / IDENTITY).unlink(missing_ok=True)
        for name, data in tables.items():
            write_atomic(target / name, data)
        write_atomic(target / PROBLEM, fit.problem.text.encode())
        identity = individual_identity(fit) | {"files": {name: file_hash(target / name) for name in (*tables, PROBLEM)}}
        write_atomic(target / IDENTITY, (json.dumps(finite(identity), indent=1, ensure_ascii=False) + "\n").encode())
    return target


def check_individual_target(folder: str | Path) -> None:
    """Check that a folder may take a fit of people: it is not there, empty, or holds one.

    Raises
    ------
    ConfigError
        It holds something else, or cannot be written to.
    """
    target = Path(folder)
    parent = next(path for path in (target, *target.absolute().parents) if path.exists())
    if not parent.is_dir():
        raise ConfigError(Problem("not-a-folder", "this is a file", Location(str(parent)), expected="a folder"))
    if not os.access(parent, os.W_OK | os.X_OK):
        raise ConfigError(Problem("cannot-write", "the folder cannot be written to", Location(str(parent))))
    if not target.is_dir():
        return
    foreign = sorted({path.name for path in target.iterdir()} - {IDENTITY, PROBLEM, *TABLES, "report"})
    if foreign:
        message = "the folder holds something else than a fit of people"
        raise ConfigError(
            Problem("not-empty", message, Location(str(target)), ", ".join(foreign[:3]), "another folder")
        )


def _as_csv(rows: Sequence[Row]) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return rows_as_csv(columns, [[_cell(row.get(name, "")) for name in columns] for row in rows])


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "" if value != value else repr(value)
    return value


def read_individual_folder(folder: str | Path) -> IndividualRecord:
    """Return the fit of people that a folder holds.

    Raises
    ------
    ConfigError
        It holds none, or a file was changed since.
    """
    target = Path(folder)
    try:
        identity = json.loads((target / IDENTITY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        identity = None
    if not isinstance(identity, dict) or identity.get("kind") != "individual":
        hint = "'betapod fit run PROBLEM.yaml -o FOLDER' makes one from a problem of the kind 'individual'."
        raise ConfigError(
            Problem("no-fit", "the folder holds no finished fit of people", Location(str(target)), hint=hint)
        )
    problems = []
    for name, digest in identity.get("files", {}).items():
        path = target / name
        if not path.is_file() or file_hash(path) != digest:
            message = "the file is missing" if not path.is_file() else "the file was changed since the fit was written"
            problems.append(Problem("damaged-fit", message, Location(str(path)), hint="Run the fit again."))
    if problems:
        raise ConfigError(problems)
    return IndividualRecord(target, identity, {Path(name).stem: _rows(target / name) for name in TABLES})


def _rows(path: Path) -> list[Row]:
    reader = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))
    return [{name: _value(name, text or "") for name, text in row.items()} for row in reader]


def _value(name: str, text: str) -> Any:
    if name in _TEXT:
        return original_cell(text)
    if name in _FLAGS:
        return text == "true"
    return float(text) if text else float("nan")


def is_individual(path: str | Path) -> bool:
    """Return whether a problem file, or the folder of a fit, is of the kind ``individual``; False for what cannot be read."""
    target = Path(path)
    try:
        if target.is_dir():
            return bool(json.loads((target / IDENTITY).read_text(encoding="utf-8")).get("kind") == "individual")
        from ...base.config import read_yaml

        data = read_yaml(target).data
        return isinstance(data, dict) and data.get("kind") == "individual"
    except (OSError, ValueError, AttributeError, ConfigError):
        return False
