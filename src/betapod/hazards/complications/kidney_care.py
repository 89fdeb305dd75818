"""Kidney care of other countries: rows of ``kidney_care.csv`` that differ there. The table itself is that of the United States."""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...base.errors import ConfigError, Location, Problem, did_you_mean
from .complication import complication_parameters

_PATH = Path(__file__).with_name("kidney_care_by_country.csv")


@dataclass(frozen=True)
class CountryRow:
    """What one row of ``kidney_care.csv`` is in one country; units are those of the row.

    Attributes
    ----------
    low, high
        Plausible range.
    source
        Keys of the bibliography, separated by semicolons.
    """

    country: str
    id: str
    value: float
    low: float
    high: float
    source: str
    locator: str
    grade: str
    note: str


@functools.cache
def country_rows() -> tuple[CountryRow, ...]:
    """Return all rows.

    Raises
    ------
    ConfigError
        Rows that name no parameter or work that there is, or whose value lies outside its range, all at once.
    """
    return read_country_rows(_PATH.read_text(encoding="utf-8"), _PATH.name)


def read_country_rows(text: str, file: str = "<text>") -> tuple[CountryRow, ...]:
    """Read rows from CSV text; see `country_rows`."""
    from ...physiology import whole_body

    works, parameters = whole_body.bibliography_keys(), complication_parameters()
    rows, problems = [], []
    for number, cells in enumerate(csv.DictReader(text.splitlines()), start=2):
        row = CountryRow(
            cells["country"], cells["id"], float(cells["value"]), float(cells["low"]), float(cells["high"]),
            cells["source"], cells["locator"], cells["grade"], cells["note"],
        )  # fmt: skip
        where = Location(file, number)
        if row.id not in parameters:
            message = f"there is no row {row.id!r}"
            problems.append(Problem("unknown-parameter", message, where, hint=did_you_mean(row.id, parameters)))
        if not 0.0 < row.low <= row.value <= row.high:
            problems.append(Problem("out-of-range", f"{row.id}: the value lies outside its range", where))
        problems += [
            Problem("unknown-source", f"the bibliography has no {key!r}", where)
            for key in row.source.split(";")
            if key not in works
        ]
        rows.append(row)
    if problems:
        raise ConfigError(problems)
    return tuple(rows)


def care_countries() -> tuple[str, ...]:
    """Return the countries whose kidney care differs from the table in rows that were read."""
    return tuple(dict.fromkeys(row.country for row in country_rows()))


def kidney_care_in(country: str) -> Mapping[str, float]:
    """Return row -> value in a country, for the values of `live_on`; rows that are not named stay those of the United States.

    Raises
    ------
    ConfigError
        A country of which nothing was read.

    Examples
    --------
    >>> from betapod.hazards.complications.kidney_care import kidney_care_in
    >>> kidney_care_in("Japan")
    {'dialysis_death_rate': 0.057}
    """
    if country not in care_countries():
        expected = ", ".join(("United States", *care_countries()))
        if country == "United States":
            return {}
        hint = did_you_mean(country, care_countries())
        problem = Problem("unknown-country", f"no kidney care of {country!r} was read", expected=expected, hint=hint)
        raise ConfigError(problem)
    return {row.id: row.value for row in country_rows() if row.country == country}
