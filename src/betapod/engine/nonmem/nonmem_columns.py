"""Columns of an event data set: data items by their usual names, covariates by names of the model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...base.errors import Location, Problem, did_you_mean
from ...model import Model

#: A name with a unit in brackets.
_HEADING = re.compile(r"\s*(?P<name>[^\[\]]*?)\s*(?:\[(?P<unit>[^\[\]]*)\])?\s*")
#: Data items: what they hold, and of what their unit is.
ITEMS: Mapping[str, tuple[str, str]] = {
    "id": ("person", ""),
    "time": ("time of the row", "time"),
    "dv": ("what was measured", "measured"),
    "amt": ("amount of a dose", "amount"),
    "rate": ("rate of an infusion", "rate"),
    "dur": ("duration of an infusion", "time"),
    "ii": ("time between doses", "time"),
    "addl": ("number of further doses", ""),
    "ss": ("steady state: 0, 1 or 2", ""),
    "evid": ("kind of the row: 0 to 4", ""),
    "mdv": ("1 where nothing was measured", ""),
    "cmt": ("compartment", ""),
    "dvid": ("what was measured", ""),
    "cens": ("1 where the value is a limit", ""),
    "c": ("C before rows that are left out", ""),
}
#: Other names of data items.
_ALIASES = {"#id": "id", "tinf": "dur", "duration": "dur", "ytype": "dvid"}
#: Data items that would change what a row means, and that are not read.
_REFUSED = {
    "date": "times as dates", "dat1": "times as dates", "dat2": "times as dates", "dat3": "times as dates",
    "call": "calls of routines", "cont": "rows that go on in the next one", "l2": "observations that are one",
}  # fmt: skip


@dataclass(frozen=True)
class NonmemColumn:
    """One column: a data item, a covariate (`item` is ``covariate``), or one that is left out (empty)."""

    item: str
    name: str
    unit: str | None
    heading: str


class NonmemColumns:
    """Understands the headings of an event data set, with the model in view.

    Parameters
    ----------
    renamed
        Heading -> heading that is meant, or ``ignore``.
    """

    def __init__(self, model: Model, renamed: Mapping[str, str]) -> None:
        self.model, self.renamed = model, renamed
        self.rows = {**model.parameters, **model.inputs}
        self._by_letters = {name.lower(): name for name in self.rows}

    def read(self, heading: str) -> NonmemColumn:
        """Return what a heading means."""
        meant = self.renamed.get(heading, heading)
        match = _HEADING.fullmatch(meant)
        name, unit = (match["name"], match["unit"]) if match else (meant, None)
        item = _ALIASES.get(name.lower(), name.lower())
        if meant == "ignore":
            return NonmemColumn("ignore", "", None, heading)
        if name in self.rows and name not in ("id", "ID", "TIME", "time"):
            return NonmemColumn("covariate", name, unit, heading)
        if item in ITEMS:
            return NonmemColumn(item, "", unit, heading)
        if item in self._by_letters:
            return NonmemColumn("covariate", self._by_letters[item], unit, heading)
        return NonmemColumn("", name, unit, heading)

    def is_known(self, heading: str) -> bool:
        """Return whether a cell is the heading of something that is read."""
        return bool(self.read(heading).item)

    def columns(
        self, headings: Sequence[str], places: Sequence[Location]
    ) -> tuple[list[NonmemColumn], list[Problem], list[str]]:
        """Return all columns, what is wrong with them, and remarks on those that are not read."""
        columns = [self.read(heading) for heading in headings]
        problems, unread = [], []
        first: dict[tuple[str, str], str] = {}
        for column, location in zip(columns, places, strict=True):
            key = (column.item, column.name)
            if column.item not in ("", "ignore") and key in first:
                message = f"two columns mean the same: {first[key]!r} and {column.heading!r}"
                problems.append(Problem("duplicate-column", message, location))
            first[key] = column.heading
            if column.item == "" and column.name.lower() in _REFUSED:
                message = f"{column.heading} ({_REFUSED[column.name.lower()]}) is not read"
                hint = "Give the time in numbers, or leave the column out: columns: {...: ignore}."
                problems.append(Problem("unsupported", message, location, hint=hint))
            elif column.item == "":
                near = did_you_mean(column.name, self.rows)
                unread.append(f"{column.heading} ({near})" if near else column.heading)
        problems += self._missing(columns, places)
        problems += [self._not_there(name, headings, places) for name in self.renamed if name not in headings]
        told = [f"columns that are no data items and not in the model are left out: {', '.join(unread)}"]
        return columns, problems, told if unread else []

    def _missing(self, columns: Sequence[NonmemColumn], places: Sequence[Location]) -> list[Problem]:
        location = Location(places[0].file, places[0].line) if places else Location()
        items = {column.item for column in columns}
        return [
            Problem(
                "missing-column", f"there is no column {name.upper()}", location, expected=f"{name.upper()}: {words}"
            )
            for name, (words, _) in ITEMS.items()
            if name in ("id", "time") and name not in items
        ]

    def _not_there(self, name: str, headings: Sequence[str], places: Sequence[Location]) -> Problem:
        location = Location(places[0].file, places[0].line) if places else Location()
        return Problem("no-column", f"the table has no column {name!r}", location, hint=did_you_mean(name, headings))
