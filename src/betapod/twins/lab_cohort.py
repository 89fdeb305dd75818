"""Labs of many people with what became of them: a table with one row per person, time to an event or to the end of follow-up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..base.clinical import clinical_quantities, convert_clinical, scale
from ..base.delimited import DelimitedTable, cell_number, marks, read_delimited
from ..base.errors import NOWHERE, BetapodError, ConfigError, Location, Problem
from .lab_quantities import lab_named, lab_quantities, nearest_lab
from .lab_table import LabRows, history_named, is_lab_column, name_and_unit
from .person_labs import PersonLabs

#: Names of the columns of time and event, and of what a person is called.
_TIME, _EVENT, _ID = ("time", "follow-up", "follow up", "followup"), ("event",), ("id", "person", "patient")
_OTHER = ("sex", "gender", "female", "diabetes", "drug", "drugs", "on", "date", "day")
#: What an event column may say: followed to the end, had the event, died before it.
CENSORED, HAPPENED, DIED_BEFORE = 0, 1, 2
_EVENTS = {
    "0": CENSORED, "no": CENSORED, "censored": CENSORED, "1": HAPPENED, "yes": HAPPENED, "event": HAPPENED, "2": DIED_BEFORE, "died": DIED_BEFORE
}  # fmt: skip
#: People of a cohort at most.
_MOST = 20_000


@dataclass(frozen=True)
class LabCohort:
    """People with labs at the start and what became of them.

    Attributes
    ----------
    people
        Their labs.
    names
        What each is called in the table; the line where it is called nothing.
    years
        (n,) years to the event, to death or to the end of follow-up.
    event
        (n,) `CENSORED`, `HAPPENED` or `DIED_BEFORE`.
    notes
        How the file was read.
    """

    people: tuple[PersonLabs, ...]
    names: tuple[str, ...]
    years: NDArray[np.float64]
    event: NDArray[np.int64]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.people)


def read_lab_cohort(path: str | Path) -> LabCohort:
    r"""Return the cohort of a table.

    Parameters
    ----------
    path
        A CSV with one row per person: columns of labs with their units as for one person, such as ``egfr [mL/min/1.73m2]``, ``age``, ``sex``,
        ``diabetes``, ``drugs``, histories (``smoker``, 0 or 1); ``time [year]`` (or ``[day]``, ``[month]``) and ``event``: 0 followed to the end, 1 had
        the event, 2 died before it.

    Raises
    ------
    ConfigError
        Everything that is wrong, each with its line.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from betapod.twins.lab_cohort import read_lab_cohort
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "cohort.csv"
    >>> _ = path.write_text("age,sex,egfr [mL/min/1.73m2],time [day],event\n61,m,52,730.5,0\n70,f,25,365.25,1\n")
    >>> cohort = read_lab_cohort(path)
    >>> cohort.years.tolist(), cohort.people[1].value("egfr")
    ([2.0, 1.0], 25.0)
    """
    table = read_delimited(path, _is_column)
    time, event = _place_of(table, _TIME), _place_of(table, _EVENT)
    problems = [*table.problems, *_wrong_heads(table, time, event)]
    if problems or time is None or event is None:
        raise ConfigError(problems)
    decimal = marks(_numbers(table), table.separator).decimal
    named = next((i for i, head in enumerate(table.header) if head.strip().lower() in _ID), None)
    labs = [i for i in range(len(table.header)) if i not in (time, event, named)]
    header = [table.header[i] for i in labs]
    of_labs = DelimitedTable(table.file, header, table.line, [], table.separator)
    people, names, years, events = [], [], [], []
    unit = name_and_unit(table.header[time])[1]
    for line, row in table.rows:
        where = Location(table.file, line)
        try:
            rows = LabRows(of_labs)
            rows.read_row(line, [row[i] for i in labs], decimal)
            problems += rows.problems
            people.append(rows.person() if not rows.problems else None)
        except BetapodError as error:
            problems += [_placed(problem, where) for problem in error.problems]
        years.append(_years(row[time], unit, decimal, where, problems))
        events.append(_event(row[event], where, problems))
        names.append(row[named].strip() if named is not None and row[named].strip() else f"line {line}")
    if problems:
        raise ConfigError(problems)
    kept = tuple(person for person in people if person is not None)
    return LabCohort(kept, tuple(names), np.array(years), np.array(events, dtype=np.int64), table.notes)


def _is_column(cell: str) -> bool:
    return name_and_unit(cell)[0].lower() in (*_TIME, *_EVENT, *_ID) or is_lab_column(cell)


def _place_of(table: DelimitedTable, names: Sequence[str]) -> int | None:
    return next((i for i, head in enumerate(table.header) if name_and_unit(head)[0].lower() in names), None)


def _wrong_heads(table: DelimitedTable, time: int | None, event: int | None) -> list[Problem]:
    """Return what is wrong with the heads: said once, and not for every row."""
    where = Location(table.file, table.line)
    problems = []
    if time is None:
        problems.append(Problem("missing-column", "there is no time of follow-up", where, expected="time [year]"))
    if event is None:
        hint = "0 followed to the end, 1 had the event, 2 died before it."
        problems.append(
            Problem("missing-column", "nothing says whether the event came", where, expected="event", hint=hint)
        )
    if len(table.rows) > _MOST:
        expected = f"at most {_MOST:,} rows"
        problems.append(Problem("too-large", "too many people", where, f"{len(table.rows):,} rows", expected))
    for column, head in enumerate(table.header):
        name, unit = name_and_unit(head)
        plain = name.lower()
        if column == event or plain in (*_ID, *_OTHER) or history_named(plain):
            continue
        quantity = "duration" if column == time else lab_named(name)
        if quantity is None:
            hint = f"{nearest_lab(name)} Take out columns that are something else."
            problems.append(Problem("unknown-quantity", f"{name!r} is no quantity that is read", where, hint=hint))
        elif unit or column == time or quantity not in ("age", "duration"):
            try:
                scale(clinical_quantities()[lab_quantities()[quantity].clinical], unit, where)
            except BetapodError as error:
                problems += error.problems
    return problems


def _numbers(table: DelimitedTable) -> list[tuple[str, Location]]:
    return [
        (cell, Location(table.file, line))
        for line, row in table.rows
        for cell in row
        if re.fullmatch(r"[\d.,]+", cell.strip())
    ]


def _placed(problem: Problem, where: Location) -> Problem:
    return replace(problem, location=where) if problem.location == NOWHERE else problem


def _years(text: str, unit: str, decimal: str, where: Location, problems: list[Problem]) -> float:
    number = cell_number(text, decimal) if text.strip() else None
    if number is None or not 0.0 < number < np.inf:
        expected = "a number above 0"
        problems.append(
            Problem("bad-number", "the time of follow-up is no time", where, text.strip() or "nothing", expected)
        )
        return np.nan
    return convert_clinical(number, clinical_quantities()["duration"], unit, "year", location=where)


def _event(text: str, where: Location, problems: list[Problem]) -> int:
    plain = text.strip().lower().removesuffix(".0")
    if plain not in _EVENTS:
        expected = "0 (followed to the end), 1 (had the event) or 2 (died before it)"
        problems.append(
            Problem("bad-event", "this says nothing of the event", where, text.strip() or "nothing", expected)
        )
    return _EVENTS.get(plain, CENSORED)
