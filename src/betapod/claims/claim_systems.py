"""The 17 systems that the two source pages describe: what stands for each in the model, and what it does on and off."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..base import cache as caching
from ..base.errors import EvidenceError, Problem
from ..base.packaged_yaml import packaged_yaml
from ..therapies.scenarios import AS_CLAIMED, NONE
from .claim_lives import Effect, Life, live_through, whole_body_model
from .claim_people import describe_person
from .claim_simulation import unit_and_label
from .given_inputs import with_strengths
from .ledger import judge_ledger

FILE = Path(__file__).with_name("systems.yaml")


@dataclass(frozen=True)
class ClaimedSystem:
    """One system of the source pages.

    Attributes
    ----------
    submodels
        Parts of the whole-body model that stand for it.
    off
        Switches, inputs or parameters at which it is off, in the rows' units.
    inputs
        What else holds in both lives.
    quantity, person, years, course
        What is shown of it, in whom, after how long, and after which order of cells.
    claims
        Ids of the claims about it.
    test
        Where it is tested.
    lacks
        What the model has not.
    """

    id: str
    name: str
    submodels: tuple[str, ...]
    off: Mapping[str, float]
    quantity: str
    person: str
    years: float
    claims: tuple[str, ...]
    test: str
    course: str = ""
    inputs: Mapping[str, float] = field(default_factory=dict)
    lacks: str = ""


@dataclass(frozen=True)
class DescribedSystem:
    """A system with what was computed of it.

    Attributes
    ----------
    on, off
        Its quantity at the end of both lives, or over them, in `unit`.
    parameters, sourced, grades
        Parameters in the equations of its submodels, how many name a source, and how many have each grade.
    verdicts
        By claim.
    """

    id: str
    name: str
    submodels: tuple[str, ...]
    switched: Mapping[str, float]
    shown_as: str
    unit: str
    on: float
    off: float
    parameters: int
    sourced: int
    grades: Mapping[str, int]
    verdicts: Mapping[str, str]
    test: str
    lacks: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return dict(vars(self))

    def flat(self) -> dict[str, Any]:
        """Return it as one row of a table."""
        joined = {
            "submodels": ", ".join(self.submodels),
            "switched": ", ".join(f"{name}={value:g}" for name, value in self.switched.items()),
            "grades": ", ".join(f"{grade} {count}" for grade, count in self.grades.items()),
            "verdicts": ", ".join(f"{name} {verdict}" for name, verdict in self.verdicts.items()),
        }
        return {**self.as_dict(), **joined}


@functools.cache
def claimed_systems() -> tuple[ClaimedSystem, ...]:
    """Return the systems in the order of the source pages.

    Raises
    ------
    EvidenceError
        An input that is neither a number nor a drug of the table.
    """
    problems: list[Problem] = []
    rows = [with_strengths(row, row["id"], problems, FILE.name) for row in packaged_yaml(FILE)]
    if problems:
        raise EvidenceError(problems)
    return tuple(map(_system, rows))


def _system(row: Mapping[str, Any]) -> ClaimedSystem:
    listed: dict[str, Any] = {key: tuple(row[key]) for key in ("submodels", "claims")}
    return ClaimedSystem(**{**row, **listed})


def described_systems() -> list[DescribedSystem]:
    """Return every system simulated on and off, with its parameters counted and its claims judged."""
    systems = claimed_systems()
    numbers = _numbers(systems)
    verdicts = {entry.claim.id: entry.verdict.verdict for entry in judge_ledger()}
    return [_described(system, numbers[system.id], verdicts) for system in systems]


def _numbers(systems: Iterable[ClaimedSystem]) -> dict[str, tuple[float, float]]:
    """Return each system's quantity on and off, from the cache where the same program has computed it."""
    effects = {system.id: _on_and_off(system) for system in systems}
    name = f"claims/{caching.key(__name__, [repr(effect) for effect in effects.values()])}.json"
    kept = caching.read_entry(name)
    if kept is not None:
        return {key: (on, off) for key, (on, off) in json.loads(kept).items()}
    ends = live_through(effects.values())
    numbers = {}
    for key, effect in effects.items():
        ((_, on, off),) = effect.terms
        numbers[key] = (ends[on, effect.quantity], ends[off, effect.quantity])
    caching.write_entry(name, json.dumps(numbers).encode())
    return numbers


def _on_and_off(system: ClaimedSystem) -> Effect:
    scenario = AS_CLAIMED if system.course else NONE
    lives = [
        Life(system.person, tuple(sorted(values.items())), system.course, scenario, float(system.years))
        for values in (dict(system.inputs), {**system.inputs, **system.off})
    ]
    return Effect(system.quantity, "level", ((1.0, lives[0], lives[1]),))


def _described(system: ClaimedSystem, numbers: tuple[float, float], verdicts: Mapping[str, str]) -> DescribedSystem:
    model = whole_body_model()
    uses = {name for part in model.parts if _base(part.name) in system.submodels for name in part.uses}
    rows = [model.parameters[name] for name in sorted(uses) if name in model.parameters]
    when = f"{system.quantity}, {describe_person(system.person)}, after {system.years:g} year{'' if system.years == 1 else 's'}"
    return DescribedSystem(
        system.id,
        system.name,
        system.submodels,
        system.off,
        f"{when}, {system.course}" if system.course else when,
        unit_and_label(system.quantity)[0],
        *numbers,
        len(rows),
        sum(bool(row.source) for row in rows),
        dict(sorted(Counter(row.grade for row in rows).items())),
        {name: verdicts[name] for name in system.claims},
        system.test,
        system.lacks,
    )


def _base(name: str) -> str:
    return name.partition("_")[0]
