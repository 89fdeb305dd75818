"""Complications that people have when they are first looked at.

The logarithm of the odds of a state is linear in the terms of a person. States are drawn in their order, so that proliferative retinopathy is found
in people with retinopathy only, and open ulcers and amputations in people who had an ulcer.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ruamel.yaml import YAML

from ...base.errors import ConfigError, Location, Problem, did_you_mean
from ...base.randomness import Stream
from ...model.parameters.table import ParameterTable
from ..risk import Numbers, RiskProfile
from .terms import TERMS

_FOLDER = Path(__file__).parent
_KEYS = ("odds", "needs", "terms", "states")


@dataclass(frozen=True)
class PrevalentState:
    """How often a state is found.

    Attributes
    ----------
    odds
        Row of the odds in the reference person of `terms`.
    terms
        Term -> row of its log odds ratio.
    states
        State -> row of the odds ratio where it is on.
    needs
        States without which it is not found.
    """

    name: str
    odds: str
    needs: tuple[str, ...] = ()
    terms: Mapping[str, str] = field(default_factory=dict)
    states: Mapping[str, str] = field(default_factory=dict)

    def rows(self) -> tuple[str, ...]:
        """Return the ids of all rows that it reads."""
        return (self.odds, *self.terms.values(), *self.states.values())


@functools.cache
def prevalence_parameters() -> ParameterTable:
    """Return the numbers with unit, range, source and grade.

    Raises
    ------
    ConfigError
        Rows that do not pass the checks of a parameter table.
    """
    from ...physiology import whole_body

    return ParameterTable.read(_FOLDER / "prevalence.csv", sources=whole_body.bibliography_keys())


@functools.cache
def carried_states() -> tuple[PrevalentState, ...]:
    """Return the states of the package in the order in which they are drawn."""
    text = (_FOLDER / "prevalence.yaml").read_text(encoding="utf-8")
    return read_prevalence(text, prevalence_parameters(), "prevalence.yaml")


def read_prevalence(text: str, rows: Mapping[str, Any], file: str = "<text>") -> tuple[PrevalentState, ...]:
    """Read states and what their odds are made of.

    Raises
    ------
    ConfigError
        Unknown keys, terms and rows, and states that come later than those which need them, all at once.
    """
    content: Any = YAML().load(text) or {}
    problems: list[Problem] = []
    items: list[PrevalentState] = []
    for name, entry in content.items():
        wrong = list(_wrong(str(name), entry, [item.name for item in items], rows, file))
        problems += wrong
        if not wrong:
            named = {key: {str(k): str(v) for k, v in entry.get(key, {}).items()} for key in ("terms", "states")}
            items.append(PrevalentState(str(name), str(entry["odds"]), tuple(entry.get("needs", ())), **named))
    if problems:
        raise ConfigError(problems)
    return tuple(items)


def _wrong(name: str, entry: Any, before: list[str], rows: Mapping[str, Any], file: str) -> Iterator[Problem]:
    if not isinstance(entry, Mapping) or "odds" not in entry:
        yield Problem("missing-key", f"{name}: a state has odds", Location(file))
        return
    for key in entry:
        line, column = entry.lc.key(key)  # type: ignore[attr-defined]
        where = Location(file, line + 1, column + 1)
        if key not in _KEYS:
            yield Problem("unknown-key", f"{name}: there is no key {key!r}", where, hint=did_you_mean(str(key), _KEYS))
            continue
        value = entry[key]
        pairs = value if isinstance(value, Mapping) else {}
        for row in [value] if key == "odds" else pairs.values():
            if row not in rows:
                text = f"{name}: there is no row {row!r}"
                yield Problem("unknown-parameter", text, where, hint=did_you_mean(str(row), rows))
        for term in pairs if key == "terms" else ():
            if term not in TERMS:
                text = f"{name}: there is no term {term!r}"
                yield Problem("unknown-term", text, where, hint=did_you_mean(str(term), TERMS))
        for state in value if key in ("needs", "states") else ():
            if state not in before:
                text = f"{name}: {state!r} does not come before it"
                yield Problem("unknown-state", text, where, hint=did_you_mean(str(state), before))


def prevalent_chance(state: PrevalentState, profile: RiskProfile, others: Mapping[str, Numbers]) -> Numbers:
    """Return the chance that a state is found.

    Parameters
    ----------
    others
        State -> 0 or 1 for the states that come before it.
    """
    values = {name: row.value for name, row in prevalence_parameters().items()}
    log_odds = np.asarray(np.log(values[state.odds]))
    for term, row in state.terms.items():
        log_odds = log_odds + values[row] * TERMS[term](profile)
    for other, row in state.states.items():
        log_odds = log_odds + np.log(values[row]) * others[other]
    chance = 1.0 / (1.0 + np.exp(-log_odds))
    for other in state.needs:
        chance = chance * others[other]
    return np.asarray(chance)


def prevalent_states(profile: RiskProfile, numbers: NDArray[np.int64], seed: int = 1) -> dict[str, Numbers]:
    """Return the complications that people have at the start, as `RiskCourse.histories` takes them.

    Parameters
    ----------
    profile
        Numbers or (people,) arrays of the first day.
    numbers
        (people,) whole numbers by which random numbers are drawn.
    seed
        Of these numbers.

    Returns
    -------
    dict
        State -> (people,) 0 or 1.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.hazards.complications.prevalence import prevalent_states
    >>> from betapod.hazards.risk import RiskProfile
    >>> had = prevalent_states(RiskProfile(age=60, female=0, egfr=80, uacr=100, hba1c=8, duration=15), np.arange(2000))
    >>> bool(0.4 < had["retinopathy"].mean() < 0.7), bool((had["severe_retinopathy"] <= had["retinopathy"]).all())
    (True, True)
    """
    people = np.asarray(numbers, dtype=np.int64)
    states: dict[str, Numbers] = {}
    for state in carried_states():
        chance = prevalent_chance(state, profile, states)
        drawn = Stream(seed, f"prevalent:{state.name}").uniform(people)
        states[state.name] = np.asarray(drawn < chance, dtype=np.float64)
    return states
