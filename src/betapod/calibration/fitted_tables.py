"""Write a fit into the tables of the package: values, ranges, roles, and where they come from; every other byte stays.

What people, drugs, visits and bodies are under the central values of a fit (medians of its posterior) is what the tables say afterwards, up to the digits that
are written. Effects of drugs and distributions of people are multiplied or shifted from where they are, so that a fit can be written once.
What a fit says of cells is current evidence: the other scenarios of cell therapy keep what they had.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..base.errors import ConfigError, Location, Problem
from ..physiology.installed_fits import FitRecord, FittedUnknown
from ..therapies.scenarios import CURRENT_EVIDENCE, SCENARIOS
from .fitted_rows import (
    FIT_KEY,
    change_of_distribution,
    change_of_effect,
    change_of_value,
    change_of_variation,
    check_start,
    remarked,
    sign_row,
    table_number,
)
from .table_lines import Change, Row, TableTexts

#: The package whose tables are read.
PACKAGE = Path(__file__).parents[1]
#: Tables by the kind of an unknown that may be in them, in the package; the last that has a row counts.
_PARAMETERS = "physiology/parameters"
POPULATION = "patients/profiles/population.csv"
ROWS = (*(f"{_PARAMETERS}/{name}.csv" for name in ("kidney", "metabolism", "coupling")), POPULATION)
CELLS = tuple(
    f"{_PARAMETERS}/{name}.csv"
    for name in (
        "cells",
        "cell_products",
        "cell_routes",
        "cells_inputs",
        "cells_alone",
        SCENARIOS[CURRENT_EVIDENCE].overlay,
    )
)
DRUGS, VISITS = f"{_PARAMETERS}/standard_care.csv", "observables/variation.csv"
CORRELATIONS = "patients/profiles/correlations.csv"
BIBLIOGRAPHY = f"{_PARAMETERS}/references.bib"
#: Columns that a fit may change and that shape results; of rows that are drawn from, the ranges do too.
VALUES = ("value", "distribution", "sd", "rho")
_SHAPING = (*VALUES, "low", "high")


@dataclass(frozen=True)
class TableChange:
    """A changed cell, or one that is kept for a scenario of cells, as it is reported."""

    unknown: str
    file: str
    row: str
    column: str
    before: str
    after: str


def fit_key(name: str) -> str:
    """Return the key of a fit in the bibliography."""
    return f"fit-{name}"


def row_label(row: Mapping[str, str]) -> str:
    """Return the name of a row of any of the tables that a fit may change."""
    if row.get("id"):
        return row["id"]
    if "row_a" in row:
        return f"{row['row_a']} with {row['row_b']}"
    names = ("observable", "of") if "observable" in row else ("therapy", "dose", "quantity")
    return " ".join(filter(None, (row[name] for name in names)))


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
        One for each cell that a fit gave another value; of a row that two unknowns change, one for each.
    """

    package: Path
    texts: Mapping[str, str]
    changes: tuple[TableChange, ...]


def fitted_tables(record: FitRecord, name: str, scenario: str, package: Path = PACKAGE) -> FittedTables:
    """Return the tables of a package with the central values of a fit.

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
        Unknowns that no table has; rows that no longer are what the fit began with; a fit that the tables have already.
    """
    tables = TableTexts(package, {})
    bibliography = tables.read(BIBLIOGRAPHY)
    if f"{{{fit_key(name)}," in bibliography:
        message = f"the tables have the fit {name} in them already"
        hint = "Its factors would act twice. Take back the tables first, or give the next number."
        raise ConfigError(Problem("written-already", message, Location(BIBLIOGRAPHY), hint=hint))
    changes: list[TableChange] = []
    problems: list[Problem] = []
    for unknown in record.unknowns:
        try:
            changes += _written(unknown, _Fit(fit_key(name), scenario, tables))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    tables.texts[BIBLIOGRAPHY] = _cited(bibliography, name)
    return FittedTables(package, tables.texts, tuple(changes))


@dataclass(frozen=True)
class _Fit:
    """What is needed to write one unknown."""

    key: str
    scenario: str
    tables: TableTexts

    def change(self, unknown: FittedUnknown, file: str, change: Change) -> list[TableChange]:
        return [
            TableChange(unknown.name, file, row_label(after), column, before[column], after[column])
            for before, after in self.tables.change(file, change)
            for column in _SHAPING
            if before.get(column, "") != after.get(column, "") or column == _column(unknown, after)
        ]


def _column(unknown: FittedUnknown, row: Row) -> str:
    """Return the column that an unknown is, so that it is reported though it may have stayed where it was."""
    if unknown.kind in ("median", "spread"):
        return "distribution"
    return next(column for column in ("value", "sd", "rho") if column in row)


def _written(unknown: FittedUnknown, fit: _Fit) -> list[TableChange]:
    """Write one unknown into the texts.

    Raises
    ------
    ConfigError
        No table has it, or has another value than the fit began with.
    """
    writers: Mapping[str, Callable[[FittedUnknown, _Fit], list[TableChange]]] = {
        "row": lambda u, f: _in_last(u, f, ROWS, change_of_value(u, f.key)),
        "cells": _cells_of,
        "drug": lambda u, f: f.change(u, DRUGS, change_of_effect(u, f.key)),
        "median": _distributed,
        "spread": _distributed,
        "visit": lambda u, f: f.change(u, VISITS, change_of_variation(u, f.key)),
        "correlation": _correlation_of,
    }
    writer = writers.get(unknown.kind)
    changes = writer(unknown, fit) if writer else []
    if not changes:
        raise ConfigError(Problem("no-row", f"no table has {unknown.name!r} ({unknown.kind})"))
    return changes


def _in_last(unknown: FittedUnknown, fit: _Fit, files: tuple[str, ...], change: Change) -> list[TableChange]:
    """Change the row of the last table that has it: one of people stands for a row of the model of that name, which keeps its value."""
    return next((done for file in reversed(files) if (done := fit.change(unknown, file, change))), [])


# -- rows of the model and of cells ----------------------------------------------------------------------------------------


def _cells_of(unknown: FittedUnknown, fit: _Fit) -> list[TableChange]:
    """Write a row of cells: scenarios that take it from current evidence keep the value that it had."""
    scenario_file = f"{_PARAMETERS}/{SCENARIOS[fit.scenario].overlay}.csv"
    rows = {row["id"]: row for file in CELLS for row in fit.tables.rows(file)}
    if unknown.name not in rows:
        return []
    if fit.scenario != CURRENT_EVIDENCE:
        if not any(row["id"] == unknown.name for row in fit.tables.rows(scenario_file)):
            fit.tables.add(scenario_file, rows[unknown.name])
        return fit.change(unknown, scenario_file, change_of_value(unknown, fit.key))
    done = _in_last(unknown, fit, CELLS, change_of_value(unknown, fit.key))
    for other in SCENARIOS.values():
        file = f"{_PARAMETERS}/{other.overlay}.csv"
        if file not in CELLS and not any(row["id"] == unknown.name for row in fit.tables.rows(file)):
            fit.tables.add(file, _kept_for(rows[unknown.name], fit.key))
    return done


def _kept_for(row: Row, key: str) -> Row:
    """Return the row that a scenario keeps, which supposes what it has: nobody fitted it there."""
    note = f"as under current evidence before {key}, which this scenario does not take"
    return {**row, "role": "assumed", "source": "", "locator": "", "grade": "D", "note": note}


# -- people ------------------------------------------------------------------------------------------------------------------


def _distributed(unknown: FittedUnknown, fit: _Fit) -> list[TableChange]:
    """Change the distribution of a trait.

    The value of a row of people is their median and follows it. A row of the model has the value of the typical body there, which no fit of
    people moves.
    """
    of_people = fit.change(unknown, POPULATION, change_of_distribution(unknown, fit.key, of_people=True))
    return of_people or _in_last(unknown, fit, ROWS, change_of_distribution(unknown, fit.key, of_people=False))


def _correlation_of(unknown: FittedUnknown, fit: _Fit) -> list[TableChange]:
    first, _, second = unknown.name.partition(" with ")
    rho = table_number(2.0 * math.sin(math.pi * unknown.median / 6.0))

    def change(row: Row) -> bool:
        if {row["row_a"], row["row_b"]} != {first, second}:
            return False
        check_start(unknown, unknown.name, 6.0 / math.pi * math.asin(float(row["rho"]) / 2.0))
        former, row["rho"] = row["rho"], rho
        sign_row(row, fit.key, former, unknown)
        return True

    if done := fit.change(unknown, CORRELATIONS, change):
        return done
    note = remarked("", f"0 before {fit.key}", unknown, fit.key)
    row = {"row_a": first, "row_b": second, "rho": rho, "source": fit.key, "grade": "C", "note": note}
    fit.tables.add(CORRELATIONS, row)
    return [TableChange(unknown.name, CORRELATIONS, row_label(row), "rho", "0", rho)]


def _cited(text: str, name: str) -> str:
    """Return the bibliography with an entry for a fit."""
    year = name.partition(".")[0]
    dated = f"  year = {{{year}}},\n" if year.isdigit() else ""
    entry = (
        f"@misc{{{fit_key(name)},\n  title = {{Calibration {name} of betapod}},\n{dated}"
        f"  note = {{physiology/fits/{name}: problem, priors, posterior, rows, checks}}\n}}\n"
    )
    return f"{text.rstrip()}\n\n{entry}"


def cited_fits(tables: TableTexts) -> Iterator[tuple[str, Row, str]]:
    """Return file, row and fit of every row of the tables that names a fit as a source."""
    overlays = (f"{_PARAMETERS}/{scenario.overlay}.csv" for scenario in SCENARIOS.values())
    for file in dict.fromkeys((*ROWS, *CELLS, *overlays, DRUGS, VISITS, CORRELATIONS)):
        for row in tables.rows(file):
            for source in re.split(r"\s*;\s*", row.get("source", "")):
                if FIT_KEY.fullmatch(source):
                    yield file, row, source.removeprefix("fit-")
