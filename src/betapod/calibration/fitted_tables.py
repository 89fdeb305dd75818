"""Write a fit into the tables of the package: values, roles, and where they come from; every other byte stays."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..base.atomic import write_atomic
from ..base.errors import ConfigError, Problem
from ..physiology.installed_fits import FitRecord, FittedUnknown
from ..therapies.drug_catalogue import class_of_drug

#: The package whose tables are read.
PACKAGE = Path(__file__).parents[1]
#: Tables by the kind of an unknown that may be in them, in the package; the last that has a row counts.
_ROWS = (
    "physiology/parameters/kidney.csv",
    "physiology/parameters/metabolism.csv",
    "physiology/parameters/coupling.csv",
    "patients/profiles/population.csv",
)
_CELLS = (
    "physiology/parameters/cells.csv",
    "physiology/parameters/cell_products.csv",
    "physiology/parameters/cell_routes.csv",
)
_OF_SCENARIO = "physiology/parameters/cells_{}.csv"
_DRUGS, _VISITS = "physiology/parameters/standard_care.csv", "observables/variation.csv"
_BIBLIOGRAPHY = "physiology/parameters/references.bib"
_DISTRIBUTION = re.compile(r"(\w+)\(\s*([-+.\deE]+)\s*,\s*([-+.\deE]+)\s*\)")
_SCALED = re.compile(r"([-+]?[\d.]+)\*dose")
_QUOTE, _QUOTED = '"', re.compile(r'[",\r\n]')
#: Digits of a fitted value.
_DIGITS = 5

Row = dict[str, str]
#: Changes a row in place, or leaves it, and says whether it did.
Change = Callable[[Row], bool]


@dataclass(frozen=True)
class TableChange:
    """A change of one row, as it is reported."""

    file: str
    row: str
    before: str
    after: str


def fit_key(name: str) -> str:
    """Return the key of a fit in the bibliography."""
    return f"fit-{name}"


@dataclass(frozen=True)
class FittedTables:
    """Tables with the values of a fit, not yet written.

    Attributes
    ----------
    package
        Folder ``betapod`` with the tables.
    texts
        Content by file, relative to that folder.
    changes
        One for each cell that differs.
    """

    package: Path
    texts: Mapping[str, str]
    changes: tuple[TableChange, ...]

    def write(self) -> None:
        """Write all of them into the package."""
        for file, text in self.texts.items():
            write_atomic(self.package / file, text.encode("utf-8"))


def fitted_tables(record: FitRecord, name: str, scenario: str, package: Path = PACKAGE) -> FittedTables:
    """Return the tables of a package with the most probable values of a fit.

    Parameters
    ----------
    name
        Of the fit; rows name it as a source.
    scenario
        Of cell therapy, whose table rows of cells go to.
    package
        Folder ``betapod`` with the tables; this one unless given.

    Raises
    ------
    ConfigError
        Unknowns that no table has.
    """
    texts: dict[str, str] = {}
    changes: list[TableChange] = []
    problems = []
    for unknown in record.unknowns:
        files, change = _plan(unknown, fit_key(name), scenario)
        # A row of the table of people stands for a row of the model with the same name, which keeps its value.
        done = next((cells for file in reversed(files) if (cells := _changed(package, texts, file, change))), [])
        if not done:
            problems.append(
                Problem("no-row", f"no table has {unknown.name!r} ({unknown.kind})", found=", ".join(files))
            )
        changes += done
    if problems:
        raise ConfigError(problems)
    texts[_BIBLIOGRAPHY] = _cited((package / _BIBLIOGRAPHY).read_text(encoding="utf-8"), name)
    return FittedTables(package, texts, tuple(changes))


def _plan(unknown: FittedUnknown, key: str, scenario: str) -> tuple[tuple[str, ...], Change]:
    """Return where an unknown may stand and how its row changes."""
    if unknown.kind in ("row", "cells"):
        files = _ROWS if unknown.kind == "row" else (*_CELLS, _OF_SCENARIO.format(scenario.replace("-", "_")))
        return files, _value_of(unknown, key)
    if unknown.kind == "drug":
        return (_DRUGS,), _effect_of(unknown, key)
    if unknown.kind in ("median", "spread"):
        return _ROWS, _distribution_of(unknown, key)
    if unknown.kind == "visit":
        return (_VISITS,), _variation_of(unknown, key)
    return (), lambda row: False


def _value_of(unknown: FittedUnknown, key: str) -> Change:
    def change(row: Row) -> bool:
        if row.get("id") != unknown.name:
            return False
        row["value"] = _number(unknown.map)
        _widen(row, unknown.map)
        _sign(row, key)
        return True

    return change


def _effect_of(unknown: FittedUnknown, key: str) -> Change:
    owner, _, quantity = unknown.name.rpartition(" ")

    def change(row: Row) -> bool:
        owners = (row["therapy"], class_of_drug(row["therapy"]))
        if quantity != row["quantity"] or owner not in owners or row["rule"] not in ("multiply", "add", "max"):
            return False
        scaled = _SCALED.fullmatch(row["value"])
        size = float(scaled[1] if scaled else row["value"])
        size = size**unknown.map if row["rule"] == "multiply" else size * unknown.map
        row["value"] = _number(size) + ("*dose" if scaled else "")
        _sign(row, key)
        return True

    return change


def _distribution_of(unknown: FittedUnknown, key: str) -> Change:
    trait, _, aspect = unknown.name.partition(" ")

    def change(row: Row) -> bool:
        match = _DISTRIBUTION.fullmatch(row.get("distribution", "")) if row.get("id") == trait else None
        if match is None:
            return False
        middle, sd = float(match[2]), float(match[3])
        if aspect == "spread":
            sd *= unknown.map
        elif aspect == "shift":
            middle += unknown.map
        elif match[1] == "logitnormal":
            odds = middle / (1.0 - middle) * unknown.map
            middle = odds / (1.0 + odds)
        else:
            middle *= unknown.map
        row["distribution"] = f"{match[1]}({_number(middle)}, {_number(sd)})"
        if aspect != "spread" and math.isclose(float(row["value"]), float(match[2]), rel_tol=1e-9):
            # Some rows have a typical person's value that is not the median of people.
            row["value"] = _number(middle)
            _widen(row, middle)
        _sign(row, key)
        return True

    return change


def _variation_of(unknown: FittedUnknown, key: str) -> Change:
    observable, _, cause = unknown.name.partition(" ")

    def change(row: Row) -> bool:
        levels = (cause, "life at low values", "life at high values") if cause == "life" else (cause,)
        if row["observable"] != observable or row["of"] not in levels or not row["sd"]:
            return False
        row["sd"] = _number(float(row["sd"]) * unknown.map / unknown.start)
        row["role"] = "calibrated"
        row["source"] = "; ".join(dict.fromkeys(filter(None, (row["source"], key))))
        return True

    return change


def _sign(row: Row, key: str) -> None:
    """Say where the value comes from now."""
    row["role"], row["grade"] = "calibrated", "C"
    sources = [source for source in re.split(r"\s*;\s*", row["source"]) if source]
    row["source"] = ";".join(dict.fromkeys([*sources, key]))


def _widen(row: Row, value: float) -> None:
    """Let the plausible range hold the value."""
    if row.get("low") and value < float(row["low"]):
        row["low"] = _number(value)
    if row.get("high") and value > float(row["high"]):
        row["high"] = _number(value)


def _number(value: float) -> str:
    return f"{value:.{_DIGITS}g}"


def _changed(package: Path, texts: dict[str, str], file: str, change: Change) -> list[TableChange]:
    """Change rows of one table, line by line; return what was changed."""
    path = package / file
    if not path.is_file():
        return []
    changes: list[TableChange] = []
    text = texts.get(file) or path.read_text(encoding="utf-8")
    lines, head = text.splitlines(keepends=True), list[str]()
    for index, line in enumerate(lines):
        if not line.strip() or line.startswith("#"):
            continue
        cells = next(csv.reader([line]))
        if not head:
            head = cells
            continue
        row = dict(zip(head, cells, strict=False))
        before = dict(row)
        if not change(row):
            continue
        lines[index] = _line([row.get(name, "") for name in head][: max(len(cells), 1)], line)
        for name in ("value", "distribution", "sd"):
            if row.get(name, "") != before.get(name, ""):
                label = row.get("id") or " ".join(
                    filter(None, (row.get("therapy"), row.get("dose"), row.get("quantity")))
                )
                changes.append(TableChange(file, label or f"{row['observable']} {row['of']}", before[name], row[name]))
    texts[file] = "".join(lines)
    return changes


def _line(cells: list[str], former: str) -> str:
    """Return a line as the tables have it: notes that begin with a sign stay as they are, which a table for others must not have."""
    quoted = [f'"{cell.replace(_QUOTE, 2 * _QUOTE)}"' if _QUOTED.search(cell) else cell for cell in cells]
    return ",".join(quoted) + ("\r\n" if former.endswith("\r\n") else "\n")


def _cited(text: str, name: str) -> str:
    """Return the bibliography with an entry for a fit."""
    key = fit_key(name)
    if f"{{{key}," in text:
        return text
    entry = (
        f"@misc{{{key},\n  title = {{Calibration {name} of betapod}},\n  year = {{{name.split('.')[0]}}},\n"
        f"  note = {{physiology/fits/{name}: problem, priors, posterior, rows, checks}}\n}}\n"
    )
    return f"{text.rstrip()}\n\n{entry}"


def values_written(record: FitRecord) -> Mapping[str, float]:
    """Return the values that tables have of a fit: those of rows, rounded as they are written."""
    return {
        unknown.name: float(_number(unknown.map)) for unknown in record.unknowns if unknown.kind in ("row", "cells")
    }
