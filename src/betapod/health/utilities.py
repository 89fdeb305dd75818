"""Utilities: what complications take away of quality of life, by set (``utilities.yaml``) with the numbers of ``utilities.csv``."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from ..base.errors import ConfigError, Location, Problem, did_you_mean
from ..hazards.outcome_rates import DEATHS
from ..hazards.risk import Numbers
from ..hazards.risk_course import RiskCourse
from ..model.parameters.table import ParameterTable
from .accrue import COMBINATIONS, Combination, UtilityWeights
from .event_table import CAUSE_STATES, REPLACED, own_events

_FOLDER = Path(__file__).parent
#: The set that holds where none is named.
DEFAULT_SET = "uk"
#: The fall of utility with age that a set may take from people at large.
ENGLAND = "england"
#: BMI (kg/m2) above which each unit costs.
_LEAN = 25.0
_TEXTS = ("label", "country", "instrument", "base", "age", "ageing", "bmi")
_MAPS = ("states", "events")
_NEEDED = ("label", "country", "instrument", "base", "age", "ageing", "states")


@dataclass(frozen=True)
class UtilitySet:
    """Utilities that belong together: one instrument, one country or study.

    Attributes
    ----------
    name, label, country, instrument
        What it is called, whom it describes, and how it was measured.
    base
        Row of the utility of people with diabetes and no complication.
    age
        Row of the age to which the base belongs.
    ageing
        ``england`` for the fall with age of people at large there, or the row of a loss per year.
    bmi
        Row of the loss per kg/m2 of BMI above 25; empty without.
    states, events
        State -> row of what it takes away while it is on; event -> row of the quality-adjusted years that each takes away.
    worst_of
        States of which the worst alone counts.
    free
        States that count nothing by themselves.

    Examples
    --------
    >>> from betapod.health.utilities import utility_set
    >>> utilities = utility_set("uk")
    >>> utilities.instrument, utilities.loss("stroke")
    ('EQ-5D-3L, values of the UK', 0.164)
    >>> utilities.lacks(("stroke", "anaemia"), ("ketoacidosis",))
    ('anaemia', 'ketoacidosis')
    """

    name: str
    label: str
    country: str
    instrument: str
    base: str
    age: str
    ageing: str
    bmi: str = ""
    states: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, str] = field(default_factory=dict)
    worst_of: tuple[tuple[str, ...], ...] = ()
    free: tuple[str, ...] = ()

    def rows(self) -> tuple[str, ...]:
        """Return the ids of all rows that it reads, each once."""
        ageing = ("england_age", "england_age_squared") if self.ageing == ENGLAND else (self.ageing,)
        single = (self.base, self.age, *ageing, self.bmi)
        return tuple(dict.fromkeys(row for row in (*single, *self.states.values(), *self.events.values()) if row))

    def loss(self, name: str) -> float:
        """Return the central value of what a state, or else an event, takes away.

        Raises
        ------
        ConfigError
            The set has no number for it.
        """
        row = self.states.get(name) or self.events.get(name)
        if row is None:
            message = f"utilities {self.name!r} have no number for {name!r}"
            raise ConfigError(Problem("unknown-state", message, hint=did_you_mean(name, (*self.states, *self.events))))
        return utility_parameters()[row].value

    def lacks(self, states: Iterable[str], events: Iterable[str]) -> tuple[str, ...]:
        """Return states and events for which it has no number, and which therefore cost nothing; deaths need none.

        What a state takes away stands for the events that begin it or need it too.
        """
        of_items = {item.name: item for item in own_events().items}

        def covered(event: str) -> bool:
            if event in (*self.events, *DEATHS, *CAUSE_STATES):
                return True
            item = of_items.get(event)
            return item is not None and (item.fatal or bool(item.state) or bool(item.needs))

        counted = {*self.states, *self.free, *self.events}
        missing = [
            *(state for state in states if state not in counted),
            *(name for name in events if not covered(name)),
        ]
        return tuple(dict.fromkeys(missing))


@functools.cache
def utility_parameters() -> ParameterTable:
    """Return the numbers of all sets, with range, source and grade.

    Raises
    ------
    ParameterError
        Rows that do not pass the checks of a parameter table.
    """
    from ..physiology import whole_body

    return ParameterTable.read(_FOLDER / "utilities.csv", sources=whole_body.bibliography_keys())


@functools.cache
def utility_values() -> Mapping[str, float]:
    """Return the values of `utility_parameters` by id."""
    return {name: row.value for name, row in utility_parameters().items()}


@functools.cache
def utility_sets() -> Mapping[str, UtilitySet]:
    """Return all sets by name.

    Raises
    ------
    ConfigError
        Everything that is wrong with the file, all at once.
    """
    path = _FOLDER / "utilities.yaml"
    return read_utility_sets(path.read_text(encoding="utf-8"), path.name, utility_parameters())


def utility_set(name: str = DEFAULT_SET) -> UtilitySet:
    """Return a set by its name.

    Raises
    ------
    ConfigError
        There is no such set; the nearest name is given.
    """
    sets = utility_sets()
    if name not in sets:
        expected = ", ".join(sets)
        raise ConfigError(
            Problem(
                "unknown-utilities",
                f"there are no utilities {name!r}",
                expected=expected,
                hint=did_you_mean(name, sets),
            )
        )
    return sets[name]


def read_utility_sets(text: str, file: str, rows: ParameterTable) -> Mapping[str, UtilitySet]:
    """Read sets from YAML.

    Parameters
    ----------
    rows
        Where their numbers stand.

    Raises
    ------
    ConfigError
        Unknown keys and rows, missing keys, a base that is no utility: all at once, with their lines.
    """
    content: Any = YAML().load(text) or {}
    groups = tuple(tuple(map(str, group)) for group in content.get("worst_of", ()))
    free = tuple(map(str, content.get("free", ())))
    problems: list[Problem] = []
    sets = {}
    for name, entry in content.get("sets", {}).items():
        bad = list(_bad_entry(str(name), entry, content["sets"], file, rows))
        problems += bad
        if not bad:
            keys: dict[str, Any] = {key: str(entry[key]) for key in _TEXTS if key in entry}
            keys |= {key: {str(k): str(v) for k, v in entry[key].items()} for key in _MAPS if key in entry}
            sets[str(name)] = UtilitySet(str(name), **keys, worst_of=groups, free=free)
    if problems:
        raise ConfigError(problems)
    return sets


def _bad_entry(name: str, entry: Any, parent: Any, file: str, rows: ParameterTable) -> Iterator[Problem]:
    line, column = parent.lc.key(name)
    where = Location(file, line + 1, column + 1)
    if not isinstance(entry, Mapping):
        yield Problem("wrong-type", f"{name}: a set has keys", where, found=repr(entry))
        return
    for key in entry:
        if key not in (*_TEXTS, *_MAPS):
            hint = did_you_mean(str(key), (*_TEXTS, *_MAPS))
            yield Problem("unknown-key", f"{name}: there is no key {key!r}", _at(entry, key, file), hint=hint)
    for key in _NEEDED:
        if key not in entry:
            yield Problem("missing-key", f"{name}: {key} is missing", where)
    for holder, key in _named_rows(entry):
        row = str(holder[key])
        if row not in rows and not (key == "ageing" and row == ENGLAND):
            hint = did_you_mean(row, rows)
            yield Problem("unknown-parameter", f"{name}: there is no row {row!r}", _at(holder, key, file), hint=hint)
    base = str(entry.get("base", ""))
    if base in rows and not 0.0 < rows[base].value <= 1.0:
        number = f"{rows[base].value:g}"
        yield Problem("out-of-range", f"{name}: a utility is at most 1", _at(entry, "base", file), number, "0 to 1")


def _named_rows(entry: Any) -> Iterator[tuple[Any, str]]:
    """Give every place that names a row: what holds it, and its key."""
    yield from ((entry, key) for key in ("base", "age", "ageing", "bmi") if key in entry)
    for part in _MAPS:
        yield from ((entry[part], key) for key in entry.get(part, ()))


def _at(holder: Any, key: str, file: str) -> Location:
    line, column = holder.lc.key(key)
    return Location(file, line + 1, column + 1)


def utility_weights(
    utilities: UtilitySet,
    course: RiskCourse,
    states: Iterable[str],
    events: Iterable[str],
    values: Mapping[str, float] | None = None,
    combine: Combination = "additive",
) -> UtilityWeights:
    """Return the utilities of people on a course, for the states and events that their lives have.

    Parameters
    ----------
    states, events
        Names, as `Lives.states` and `Lives.events`; the set may have numbers for others.
    values
        Row of `utility_parameters` -> value; others keep that of the table.
    combine
        How losses combine: ``additive``, ``multiplicative`` (as shares of the base) or ``minimum`` (the largest alone).

    Returns
    -------
    UtilityWeights
        With a base of (steps, people): it falls with age, and with BMI where the set says so.

    Raises
    ------
    ConfigError
        Another way to combine.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.hazards.risk import RiskProfile
    >>> from betapod.hazards.risk_course import RiskCourse
    >>> from betapod.health.utilities import utility_set, utility_weights
    >>> days = np.array([0.0, 365.25])
    >>> course = RiskCourse(days, RiskProfile(age=62 + days / 365.25, female=0, egfr=90, uacr=10), np.arange(1))
    >>> weights = utility_weights(utility_set("uk"), course, ("stroke",), ())
    >>> weights.base.round(2).tolist(), weights.states
    ([[0.75]], {'stroke': 0.164})
    """
    if combine not in COMBINATIONS:
        problem = f"losses do not combine as {combine!r}"
        raise ConfigError(
            Problem(
                "unknown-choice", problem, expected=", ".join(COMBINATIONS), hint=did_you_mean(combine, COMBINATIONS)
            )
        )
    of = {**utility_values(), **(values or {})}
    lived, happen = set(states), set(events)
    if lived & set(REPLACED):
        # Dialysis, a graft and conservative care say more than failed kidneys do.
        lived.discard("kidney_failure")
    return UtilityWeights(
        _base(utilities, course, of),
        {name: of[row] for name, row in utilities.states.items() if name in lived},
        {name: of[row] for name, row in utilities.events.items() if name in happen},
        combine,
        of[utilities.base],
        utilities.worst_of,
    )


def _base(utilities: UtilitySet, course: RiskCourse, of: Mapping[str, float]) -> Numbers:
    """Return (steps, people) utility without complications in the middle of each step."""
    age, since = _middle(course, course.profile.age), of[utilities.age]
    base = np.full(age.shape, of[utilities.base])
    if utilities.ageing == ENGLAND:
        base += of["england_age"] * (age - since) + of["england_age_squared"] * (age**2 - since**2)
    else:
        base -= of[utilities.ageing] * (age - since)
    if utilities.bmi:
        base -= of[utilities.bmi] * np.maximum(_middle(course, course.profile.bmi) - _LEAN, 0.0)
    # Young people are not better than in full health.
    return np.asarray(np.minimum(base, 1.0))


def _middle(course: RiskCourse, values: Numbers | float) -> Numbers:
    wide = np.broadcast_to(np.asarray(values, dtype=np.float64), (course.people, len(course.days)))
    return np.asarray(0.5 * (wide[:, 1:] + wide[:, :-1]).T)
