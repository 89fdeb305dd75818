"""Validation targets as data: one row per published number, with its uncertainty, source, use and the procedure that simulates it.

Columns of ``targets/ORGAN.csv``:

=========== ==========================================================================================================
column      meaning
=========== ==========================================================================================================
id          row of the organ's list with a letter where it gives several numbers, such as ``V16a``
statistic   mean, ratio, difference, change (percent of the value before), slope, prevalence, correlation
value       the published number; empty where only a range or a bound is known
low, high   ends of what `bounds` says
spread      one SD or standard error
bounds      ``CI`` 95 % interval, ``SEM``, ``SD``, ``range``, ``IQR``, ``number`` (alone), ``bound`` (one-sided),
            ``contrast`` (no effect: within 10 % of the effect in the group that it was contrasted with), ``none``
tag         seen, seen-2 (in a secondary source), derived, model (result of another model), memory (recalled: shown, never counts)
use         ``fit`` (parameters were chosen with it in view), ``validation``, ``input`` (a given of the model)
procedure   ``name.number``; empty where the row is not addressed, and `reason` says why
=========== ==========================================================================================================
"""

from __future__ import annotations

import csv
import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...base.errors import Location, ParameterError, Problem, UnitError, did_you_mean
from ...base.units import parse_unit
from ...physiology import whole_body

FOLDER = Path(__file__).parent / "targets"
BIBLIOGRAPHY = FOLDER / "references.bib"
ORGANS = ("kidney", "metabolism", "cells")
COLUMNS = (
    "id",
    "quantity",
    "scenario",
    "statistic",
    "value",
    "low",
    "high",
    "spread",
    "bounds",
    "unit",
    "source",
    "tag",
    "use",
    "procedure",
    "reason",
    "note",
)
CHOICES = {
    "statistic": ("mean", "ratio", "difference", "change", "slope", "prevalence", "correlation"),
    "bounds": ("CI", "SEM", "SD", "range", "IQR", "number", "bound", "contrast", "none"),
    "tag": ("seen", "seen-2", "derived", "model", "memory"),
    "use": ("fit", "validation", "input"),
}
#: Columns that must be filled for each kind of bounds.
_NEEDED = {
    "CI": ("low", "high"),
    "range": ("low", "high"),
    "IQR": ("low", "high"),
    "contrast": ("value", "low", "high"),
    "SEM": ("value", "spread"),
    "SD": ("value", "spread"),
    "number": ("value",),
}


@dataclass(frozen=True)
class Target:
    """One published number; see the module for the columns. Numbers that are not given are NaN."""

    organ: str
    id: str
    quantity: str
    scenario: str
    statistic: str
    value: float
    low: float
    high: float
    spread: float
    bounds: str
    unit: str
    source: str
    tag: str
    use: str
    procedure: str
    reason: str
    note: str

    @property
    def key(self) -> str:
        """Organ and id, unique among all targets."""
        return f"{self.organ}/{self.id}"

    @property
    def row(self) -> str:
        """The id without its letter: the row of the organ's list."""
        return self.id.rstrip("abcdefghijklmnopqrstuvwxyz")

    @property
    def addressed(self) -> bool:
        """Whether a procedure simulates it."""
        return bool(self.procedure)

    @property
    def counts(self) -> bool:
        """Whether its verdict is counted: recalled numbers and givens of the model are only shown."""
        return self.addressed and self.tag != "memory" and self.use != "input"


@functools.cache
def sources() -> frozenset[str]:
    """Return the keys that a target may cite."""
    from ...model.bibliography import Bibliography

    return whole_body.bibliography_keys() | frozenset(Bibliography.read(BIBLIOGRAPHY))


def read_targets(path: Path, organ: str) -> tuple[Target, ...]:
    """Read a table of targets.

    Raises
    ------
    ParameterError
        Everything in the file that is wrong.
    """
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        header = tuple(reader.fieldnames or ())
        if header != COLUMNS:
            raise ParameterError(
                Problem("bad-columns", "a table of targets has other columns", Location(str(path), 1), str(header))
            )
        lines = [(reader.line_num, line) for line in reader]
    problems: list[Problem] = []
    targets = [_target(line, organ, Location(str(path), number), problems) for number, line in lines]
    numbered: dict[str, int] = {}
    for (number, _), target in zip(lines, targets, strict=True):
        if target.id in numbered:
            problems.append(
                Problem(
                    "two-rows",
                    f"{target.id!r} has two rows",
                    Location(str(path), number),
                    f"line {numbered[target.id]}",
                )
            )
        numbered.setdefault(target.id, number)
    if problems:
        raise ParameterError(problems)
    return tuple(targets)


def _target(line: dict[str, str], organ: str, where: Location, problems: list[Problem]) -> Target:
    def bad(kind: str, message: str, value_text: str = "", hint: str = "") -> None:
        problems.append(Problem(kind, f"{line['id']}: {message}", where, found=value_text, hint=hint))

    def number(column: str) -> float:
        text = line[column]
        if not text:
            return math.nan
        try:
            return float(text)
        except ValueError:
            bad("bad-number", f"{column} is not a number", text)
            return math.nan

    for column, allowed in CHOICES.items():
        if line[column] not in allowed:
            bad("unknown-choice", f"{column} is none of {', '.join(allowed)}", line[column])
    for column in _NEEDED.get(line["bounds"], ()):
        if not line[column]:
            bad("missing-number", f"bounds {line['bounds']!r} need {column}")
    if line["bounds"] == "bound" and bool(line["low"]) == bool(line["high"]):
        bad("missing-number", "a bound is either low or high")
    if bool(line["procedure"]) == bool(line["reason"]):
        bad("no-reason", "a row has a procedure or a reason why it has none")
    if line["procedure"] and line["bounds"] == "none":
        bad("missing-number", "a row without any number cannot be judged")
    if (line["tag"] == "memory") == bool(line["source"]):
        bad("bad-source", "a recalled number has no source, every other number has one", line["source"])
    for key in filter(None, line["source"].split(";")):
        if key not in sources():
            bad("unknown-source", "the source is in no bibliography", key, did_you_mean(key, sources()))
    try:
        parse_unit(line["unit"])
    except UnitError as error:
        problems.extend(Problem(p.kind, f"{line['id']}: {p.message}", where) for p in error.problems)
    numbers = {column: number(column) for column in ("value", "low", "high", "spread")}
    if numbers["low"] > numbers["high"]:
        bad("bad-range", "low is above high")
    return Target(organ, **{**line, **numbers})  # type: ignore[arg-type]


@functools.cache
def targets_of(organ: str) -> tuple[Target, ...]:
    """Return the targets of an organ, in the order of its list."""
    return read_targets(FOLDER / f"{organ}.csv", organ)


def select_targets(organs: Sequence[str] = (), ids: Sequence[str] = ()) -> tuple[Target, ...]:
    """Return targets by organ and by id.

    Parameters
    ----------
    organs
        Any of `ORGANS`; all by default.
    ids
        Such as ``V16a``, ``V16`` (all its numbers) or ``kidney/V16``; all by default.

    Raises
    ------
    ParameterError
        Unknown organs and ids, all at once.
    """
    problems = [
        Problem("unknown-organ", f"there are no targets of {organ!r}", expected=", ".join(ORGANS))
        for organ in organs
        if organ not in ORGANS
    ]
    searched = [organ for organ in ORGANS if organ in organs] or ORGANS
    candidates = [target for organ in searched for target in targets_of(organ)]
    selected: list[Target] = []
    names = {name for t in candidates for name in (t.id, t.row, t.key, f"{t.organ}/{t.row}")}
    for wanted in ids:
        if wanted not in names:
            problems.append(
                Problem("unknown-target", f"there is no target {wanted!r}", hint=did_you_mean(wanted, sorted(names)))
            )
        selected += [t for t in candidates if wanted in (t.id, t.row, t.key, f"{t.organ}/{t.row}")]
    if problems:
        raise ParameterError(problems)
    return tuple(dict.fromkeys(selected)) if ids else tuple(candidates)
