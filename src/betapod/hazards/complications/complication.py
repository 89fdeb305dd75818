"""Complications: what may happen, to whom, at which rate, and what it leaves behind.

Each group (`GROUPS`) has a file of events (``NAME.yaml``) and one of numbers (``NAME.csv``). An event names the rows of its numbers:

- ``rate``: 1/year in the reference person of `terms`;
- ``terms``: log hazard ratio per unit of a term;
- ``states``: hazard ratio while a state is on;
- ``drugs``: hazard ratio under a drug or class;
- ``days``: mean time for which the state that it begins lasts.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from ...base.errors import ConfigError, Location, Problem, did_you_mean
from ...model.parameters.table import ParameterTable
from .terms import TERMS

#: Groups in the order in which they are shown.
GROUPS: Mapping[str, str] = {
    "eyes": "eyes",
    "nerves": "nerves",
    "feet": "feet",
    "kidney_care": "kidney failure and its treatment",
    "acute": "acute",
    "heart": "heart",
}
#: States that a course itself has, without an event.
COURSE_STATES = (
    "kidney_failure",
    "ckd_3a",
    "ckd_3b",
    "ckd_4",
    "ckd_5",
    "albuminuria_a2",
    "albuminuria_a3",
    "anaemia",
    "obesity",
    "insulin",
)
#: Row that no event names: the eGFR (mL/min/1.73m2) with a working graft.
GRAFT_EGFR = "graft_egfr"
_TEXTS = ("label", "state", "rate", "days")
_LISTS = ("clears", "needs", "unless")
_MAPS = ("terms", "states", "drugs")
_FLAGS = ("repeats", "fatal")
_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Complication:
    """One kind of event.

    Attributes
    ----------
    state
        What it begins; empty for events that leave nothing behind.
    clears
        States that end with it.
    needs, unless
        States that must be on, and off, for it to come.
    repeats
        Whether it may come again while its state is on, or to somebody who had it.
    days
        Row of the mean duration of its state; empty for life.
    rate, terms, states, drugs
        Rows of its numbers, see the module.
    """

    name: str
    group: str
    label: str
    rate: str
    state: str = ""
    clears: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    repeats: bool = False
    fatal: bool = False
    days: str = ""
    terms: Mapping[str, str] = field(default_factory=dict)
    states: Mapping[str, str] = field(default_factory=dict)
    drugs: Mapping[str, str] = field(default_factory=dict)

    def rows(self) -> tuple[str, ...]:
        """Return the ids of all rows that it reads."""
        maps = (self.terms, self.states, self.drugs)
        named = [self.rate, self.days, *(row for part in maps for row in part.values())]
        return tuple(row for row in named if row)


@functools.cache
def complication_parameters() -> ParameterTable:
    """Return the numbers of all groups, with unit, interval, source and grade.

    Raises
    ------
    ConfigError
        Rows that do not pass the checks of a parameter table.
    """
    from ...physiology import whole_body

    files = [path for group in GROUPS if (path := _FOLDER / f"{group}.csv").exists()]
    return ParameterTable.read(*files, sources=whole_body.bibliography_keys())


@functools.cache
def complications() -> Mapping[str, Complication]:
    """Return all complications by name.

    Raises
    ------
    ConfigError
        Unknown keys, terms, states and rows, and names that stand twice, all at once.
    """
    items: dict[str, Complication] = {}
    problems: list[Problem] = []
    for group in GROUPS:
        path = _FOLDER / f"{group}.yaml"
        for item in read_complications(path.read_text(encoding="utf-8"), group, path.name) if path.exists() else ():
            if item.name in items:
                problems.append(Problem("duplicate", f"{item.name!r} stands twice", Location(path.name)))
            items[item.name] = item
    problems += list(_unknown(items, complication_parameters()))
    if problems:
        raise ConfigError(problems)
    return items


def read_complications(text: str, group: str, file: str = "<text>") -> tuple[Complication, ...]:
    """Read the events of one group.

    Raises
    ------
    ConfigError
        Everything that is wrong with the text, all at once.
    """
    content: Any = YAML().load(text) or {}
    problems: list[Problem] = []
    items = []
    for name, entry in content.items():
        line, column = content.lc.key(name)
        where = Location(file, line + 1, column + 1)
        if not isinstance(entry, Mapping):
            problems.append(Problem("wrong-type", f"{name}: an event has keys", where, found=repr(entry)))
            continue
        problems += _bad_keys(str(name), entry, file)
        if not {"label", "rate"} <= set(entry):
            problems.append(Problem("missing-key", f"{name}: an event has a label and a rate", where))
            continue
        if not problems:
            items.append(_complication(str(name), group, entry))
    if problems:
        raise ConfigError(problems)
    return tuple(items)


def _bad_keys(name: str, entry: Any, file: str) -> Iterator[Problem]:
    kinds = (
        dict.fromkeys(_TEXTS, str) | dict.fromkeys(_LISTS, list) | dict.fromkeys(_MAPS, dict) | dict.fromkeys(_FLAGS, bool)
    )  # fmt: skip
    for key, value in entry.items():
        line, column = entry.lc.key(key)
        where = Location(file, line + 1, column + 1)
        if key not in kinds:
            yield Problem("unknown-key", f"{name}: there is no key {key!r}", where, hint=did_you_mean(str(key), kinds))
        elif not isinstance(value, kinds[key]):
            yield Problem("wrong-type", f"{name}: {key}", where, found=repr(value), expected=kinds[key].__name__)


def _complication(name: str, group: str, entry: Mapping[str, Any]) -> Complication:
    attributes: dict[str, Any] = {key: str(entry[key]) for key in _TEXTS if key in entry}
    attributes |= {key: tuple(map(str, entry[key])) for key in _LISTS if key in entry}
    attributes |= {key: {str(k): str(v) for k, v in entry[key].items()} for key in _MAPS if key in entry}
    attributes |= {key: bool(entry[key]) for key in _FLAGS if key in entry}
    return Complication(name, group, **attributes)


def all_states(items: Iterable[Complication]) -> tuple[str, ...]:
    """Return every state that courses and events may bring, each once."""
    begun = [item.state for item in items if item.state]
    return tuple(dict.fromkeys((*COURSE_STATES, *_OF_CAUSES, *begun)))


#: States that follow from events of `outcome_rates.CAUSES`, or from states of complications, for life.
_OF_CAUSES = ("cvd", "mi", "stroke", "hf", "cancer", "past_ulcer")


def _unknown(items: Mapping[str, Complication], rows: ParameterTable) -> Iterator[Problem]:
    """Yield names that nothing has."""
    states = all_states(items.values())
    for item in items.values():
        where = Location(f"{item.group}.yaml")
        for row in item.rows():
            if row not in rows:
                yield Problem(
                    "unknown-parameter", f"{item.name}: there is no row {row!r}", where, hint=did_you_mean(row, rows)
                )
        for term in item.terms:
            if term not in TERMS:
                yield Problem(
                    "unknown-term", f"{item.name}: there is no term {term!r}", where, hint=did_you_mean(term, TERMS)
                )
        for state in (*item.states, *item.needs, *item.unless, *item.clears):
            if state not in states:
                yield Problem(
                    "unknown-state",
                    f"{item.name}: there is no state {state!r}",
                    where,
                    hint=did_you_mean(state, states),
                )


def unused_rows() -> tuple[str, ...]:
    """Return ids of rows that no event reads."""
    read = {GRAFT_EGFR, *(row for item in complications().values() for row in item.rows())}
    return tuple(row for row in complication_parameters() if row not in read)
