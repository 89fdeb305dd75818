"""The numbers that are varied: which, within what, and what they belong to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..base.errors import BetapodError, ConfigError, Problem, did_you_mean, not_among
from ..engine.draw import parameters_at
from ..model import Model, Parameter, ParameterTable, Part
from ..model.parameters.possible_values import drawn_range
from .index_table import Numbers

#: Words that stand for many numbers: those with a distribution, and all with a range.
DRAWN, ALL = "drawn", "all"
GRADES = ("A", "B", "C", "D")
#: What players of a design may be.
GROUPINGS = ("number", "submodel", "grade", "claim")
#: From this ratio of its ends on a range without a distribution is about an order of magnitude, and even on the logarithmic scale. A choice.
_WIDE = 10.0


@dataclass(frozen=True)
class Factor:
    """A number that is varied.

    Attributes
    ----------
    row
        Its row, whose distribution it has; without one it is even over its plausible range.
    submodels
        Submodels in whose equations it stands, in the order of the model.
    """

    row: Parameter
    submodels: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its id."""
        return self.row.id

    @property
    def range(self) -> tuple[float, float]:
        """Its plausible range, within what is possible."""
        return drawn_range(self.row)

    @property
    def law(self) -> str:
        """What it is drawn from, in words."""
        if self.row.shape is not None:
            return self.row.distribution
        low, high = self.range
        return "even on the log scale" if low > 0 and high / low >= _WIDE else "even"

    def at(self, u: Numbers) -> Numbers:
        """Return its values at places of the unit interval."""
        if self.row.shape is not None:
            return parameters_at(ParameterTable([self.row]), {self.name: u})[self.name]
        low, high = self.range
        if self.law == "even":
            return np.asarray(low + u * (high - low))
        return np.asarray(np.exp(math.log(low) + u * (math.log(high) - math.log(low))))


def usable(row: Parameter) -> bool:
    """Return whether a row can be varied: it has a distribution that can be drawn from, or a range with two ends."""
    low, high = drawn_range(row)
    if row.shape is None:
        return bool(np.isfinite([low, high]).all() and low < high)
    try:
        Factor(row).at(np.array([0.25, 0.75]))
    except BetapodError:
        return False
    return True


def select_factors(
    model: Model,
    names: Sequence[str] = (DRAWN,),
    grades: Sequence[str] = (),
    submodels: Sequence[str] = (),
    kept: Iterable[str] = (),
) -> list[Factor]:
    """Return the numbers of a model to vary, in the order of its tables.

    Parameters
    ----------
    names
        Parameters and inputs; or ``drawn``, every parameter with a distribution; or ``all``, every one with a range.
    grades, submodels
        Only parameters of these grades, and that stand in the equations of these submodels.
    kept
        Parameters that the words do not stand for, as somebody is described by their values.

    Raises
    ------
    ConfigError
        Unknown names, grades or submodels, and numbers that have no range; all at once. Nothing is left to vary.
    """
    rows = {**model.parameters, **model.inputs}
    of_parts = submodels_of_numbers(model)
    parts = [name for name, _ in _parts(model)]
    problems = [not_among(GRADES, "unknown-grade", f"there is no grade {g!r}", g) for g in grades if g not in GRADES]
    problems += [
        not_among(parts, "unknown-submodel", f"{model.name} has no submodel {name!r}", name)
        for name in submodels
        if name not in parts
    ]
    problems += [problem for name in names if name not in (DRAWN, ALL) for problem in _unfit_name(rows, name, model)]
    if problems:
        raise ConfigError(problems)
    left_alone = set(kept)
    by_word = {
        DRAWN: {name for name, row in model.parameters.items() if row.shape is not None and usable(row)},
        ALL: {name for name, row in model.parameters.items() if usable(row)},
    }
    wanted = {name for word in names for name in (by_word[word] - left_alone if word in by_word else {word})}
    factors = [
        Factor(row, of_parts.get(name, ()))
        for name, row in rows.items()
        if name in wanted
        and (not grades or row.grade in grades)
        and (not submodels or set(submodels) & set(of_parts.get(name, ())))
    ]
    if not factors:
        hint = f"Name parameters, or say {ALL!r} for all that have a range."
        raise ConfigError(Problem("nothing-to-vary", f"no number of {model.name} is left to vary", hint=hint))
    return factors


def _unfit_name(rows: Mapping[str, Parameter], name: str, model: Model) -> list[Problem]:
    if name not in rows:
        if name in model.names:
            hint = "It is computed; vary what it is computed from."
        else:
            hint = did_you_mean(name, [*rows, DRAWN, ALL])
        return [Problem("unknown-parameter", f"{model.name} has no parameter {name!r}", hint=hint)]
    row = rows[name]
    if usable(row):
        return []
    hint = "Give it low and high in a parameter table of your own."
    described = f"{row.low:g} to {row.high:g}, {row.distribution}"
    return [Problem("no-range", f"{name} has no range to vary it in", row.location, found=described, hint=hint)]


def _parts(model: Model) -> list[tuple[str, frozenset[str]]]:
    """Return the submodels of a model with the names that their equations use; imported models have none."""
    return [(part.name, part.uses) for part in model.parts if isinstance(part, Part)]


def submodels_of_numbers(model: Model) -> dict[str, tuple[str, ...]]:
    """Return number -> submodels in whose equations it stands."""
    users: dict[str, list[str]] = {}
    for part, names in _parts(model):
        for name in names:
            users.setdefault(name, []).append(part)
    return {name: tuple(dict.fromkeys(parts)) for name, parts in users.items()}


def grouped(
    factors: Sequence[Factor], by: str, claims: Mapping[str, Sequence[str]] | None = None
) -> dict[str, list[int]]:
    """Return label -> columns of the numbers that belong to it.

    A number that stands in several submodels, or that several claims name, is in each of these groups; one that no claim names is in
    the group ``no claim``.

    Parameters
    ----------
    by
        One of `GROUPINGS`.
    claims
        Claim -> numbers that it names, for groups by claim.

    Raises
    ------
    ConfigError
        There is no such grouping.
    """
    if by not in GROUPINGS:
        raise ConfigError(not_among(GROUPINGS, "unknown-grouping", f"numbers are not grouped by {by!r}", by))
    named: dict[str, list[str]] = {}
    for claim, numbers in (claims or {}).items():
        for number in numbers:
            named.setdefault(number, []).append(claim)
    groups: dict[str, list[int]] = {}
    for column, factor in enumerate(factors):
        labels = {
            "number": [factor.name],
            "grade": [factor.row.grade or "none"],
            "submodel": list(factor.submodels) or ["none"],
            "claim": named.get(factor.name, ["no claim"]),
        }
        for label in labels[by]:
            groups.setdefault(label, []).append(column)
    return groups if by == "number" else dict(sorted(groups.items()))


def apart(groups: Mapping[str, Sequence[int]]) -> dict[str, list[int]]:
    """Return groups in which every column stands once: in the first that has it. Shares of a whole cannot overlap."""
    taken_columns: set[int] = set()
    result = {}
    for label, columns in groups.items():
        rest = [column for column in columns if column not in taken_columns]
        taken_columns.update(rest)
        if rest:
            result[label] = rest
    return result
