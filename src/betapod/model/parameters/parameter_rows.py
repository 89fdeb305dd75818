"""Read and validate single rows of parameter tables."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ...base.delimited import clean_cell
from ...base.delimited import read_delimited as read_table
from ...base.errors import ConfigError, Location, Problem, UnitError, did_you_mean
from ...base.units import parse_unit
from .parameter import COLUMNS, DISTRIBUTION, DISTRIBUTIONS, GRADES, ROLES, Parameter
from .possible_values import impossible_value

#: Columns that every table has. A table with these alone is a plain one: see `PLAIN`.
_NEEDED = ("id", "value", "unit")
#: What is said of a number whose row says nothing of itself.
PLAIN = {"distribution": "fixed", "role": "assumed", "grade": "D"}
PLAIN_NOTE = "from a table that names no role: nobody said where the number comes from"
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read_parameter_rows(path: Path, sources: frozenset[str] | None) -> tuple[list[Parameter], list[Problem]]:
    """Return the good rows of a CSV file, and what is wrong with it and with the others.

    Parameters
    ----------
    sources
        Known bibliography keys; None skips that check.
    """
    try:
        table = read_table(path, COLUMNS.__contains__, remarks=True)
    except ConfigError as error:
        kinds = {"no-file": "unreadable-file"}
        return [], [replace(problem, kind=kinds.get(problem.kind, problem.kind)) for problem in error.problems]
    header, location = table.header, Location(str(path), table.line)
    problems = [
        Problem("missing-column", f"the column {name!r} is missing", location, found=", ".join(header))
        for name in COLUMNS
        if name not in header and name in _NEEDED
    ]
    problems += [
        Problem("unknown-column", f"unknown column {name!r}", location, hint=did_you_mean(name, COLUMNS))
        for name in header
        if name not in COLUMNS
    ]
    twice = sorted({name for name in header if header.count(name) > 1})
    problems += [Problem("duplicate-column", f"the column {name!r} appears twice", location) for name in twice]
    if problems:
        return [], problems
    uneven = ("short-row", "long-row")
    problems = [replace(fault, kind="bad-row" if fault.kind in uneven else fault.kind) for fault in table.problems]
    broken = {problem.location.line for problem in problems}
    rows = []
    for line, cells in table.rows:
        if line in broken:
            continue
        named = dict(zip(header, map(clean_cell, cells), strict=True))
        row, bad = _row(_filled({**dict.fromkeys(COLUMNS, ""), **named}), Location(str(path), line), sources)
        problems.extend(bad)
        if row is not None:
            rows.append(row)
    return rows, problems


def _filled(cells: dict[str, str]) -> dict[str, str]:
    """Fill in what a plain row leaves out, and say so; a row that names any provenance must name all of it."""
    if not any(cells[name] for name in ("role", "grade", "source", "locator")):
        cells |= {name: cells[name] or text for name, text in PLAIN.items()}
        cells["note"] = cells["note"] or PLAIN_NOTE
    return cells


def _row(
    cells: dict[str, str], location: Location, sources: frozenset[str] | None
) -> tuple[Parameter | None, list[Problem]]:
    key = cells["id"]
    problems: list[Problem] = []

    def bad(kind: str, message: str, **details: str) -> None:
        problems.append(Problem(kind, f"{key or 'row'}: {message}", location, **details))

    if not _IDENTIFIER.fullmatch(key):
        bad("bad-id", "the id is not a name", found=repr(key), expected="letters, digits and _")
    numbers: dict[str, float] = {}
    defaults = {"value": math.nan, "low": -math.inf, "high": math.inf, "hard_low": -math.inf, "hard_high": math.inf}
    for name, default in defaults.items():
        try:
            numbers[name] = float(cells[name]) if cells[name] or name == "value" else default
        except ValueError:
            hint = "Numbers have a decimal point here." if "," in cells[name] else ""
            bad("bad-number", f"the {name} is not a number", found=repr(cells[name]), hint=hint)
    if not cells["unit"]:
        bad("missing-unit", "there is no unit", hint="Write 1 for a plain number.")
    else:
        try:
            parse_unit(cells["unit"], location)
        except UnitError as error:
            bad(error.problems[0].kind, error.problems[0].message, hint=error.problems[0].hint)
    grades = (*GRADES, "") if cells["role"] == "imported" else GRADES
    for name, allowed in (("role", ROLES), ("grade", grades)):
        if cells[name] not in allowed:
            bad(
                f"bad-{name}",
                f"unknown {name}",
                found=repr(cells[name]),
                expected=", ".join(allowed),
                hint=did_you_mean(cells[name], allowed),
            )
    shape = DISTRIBUTION.fullmatch(cells["distribution"])
    if shape is None or shape[1] not in DISTRIBUTIONS:
        bad(
            "bad-distribution",
            "unknown distribution",
            found=repr(cells["distribution"]),
            expected=", ".join(DISTRIBUTIONS),
        )
    elif sum(argument is not None for argument in shape.groups()[1:]) not in (
        (1,) if shape[1] == "bernoulli" else (0, 2)
    ):
        bad(
            "bad-distribution",
            "wrong number of arguments",
            found=repr(cells["distribution"]),
            expected="such as bernoulli(0.85)" if shape[1] == "bernoulli" else f"{shape[1]}, or with two arguments",
        )
    _check_source(cells, sources, bad)
    if not problems:
        _check_ranges(numbers, bad)
    if problems:
        return None, problems
    row = Parameter(
        key,
        cells["label"],
        numbers["value"],
        cells["unit"],
        numbers["low"],
        numbers["high"],
        cells["distribution"],
        cells["role"],
        cells["source"],
        cells["locator"],
        cells["grade"],
        cells["note"],
        location,
        numbers["hard_low"],
        numbers["hard_high"],
    )
    # A number that an imported file lacks is written as nan.
    if not math.isfinite(row.value) and not (row.role == "imported" and math.isnan(row.value)):
        bad("bad-number", "the value is not finite", found=cells["value"])
    elif (problem := impossible_value(row, row.value, location)) is not None:
        problems.append(problem)
    return (None, problems) if problems else (row, [])


def _check_ranges(numbers: dict[str, float], bad: Callable[..., None]) -> None:
    """The plausible range and the limits go upwards, and the range lies within the limits."""
    for low, high in (("low", "high"), ("hard_low", "hard_high")):
        if not numbers[low] <= numbers[high]:
            bad("bad-range", f"{low} is above {high}", found=f"{numbers[low]:g} > {numbers[high]:g}")
            return
    beyond = {"low": numbers["low"] < numbers["hard_low"], "high": numbers["high"] > numbers["hard_high"]}
    for name in (name for name in beyond if beyond[name] and math.isfinite(numbers[name])):
        bad(
            "bad-range",
            f"the plausible range reaches beyond what is possible: {name} is past hard_{name}",
            found=f"{numbers[name]:g}",
            expected=f"{numbers[f'hard_{name}']:g}",
        )


def _check_source(cells: dict[str, str], sources: frozenset[str] | None, bad: Callable[..., None]) -> None:
    """A literature value names its source; a recalled or assumed one must not."""
    role, source = cells["role"], cells["source"]
    if role == "literature" and not source:
        bad("missing-source", "a literature value needs a source", expected="a key of the bibliography")
    if role in ("memory", "assumed", "input", "imported") and source:
        bad(
            "false-source",
            f"a value with the role {role!r} cannot have a source",
            found=source,
            hint="Only what a source states may cite it.",
        )
    if sources is not None and role in ("literature", "derived"):
        for key in filter(None, re.split(r"[;\s]+", source)):
            if key not in sources:
                bad("unknown-source", f"{key!r} is not in the bibliography", hint=did_you_mean(key, sources))
