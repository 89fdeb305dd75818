"""Factors on what therapies do: effects of drugs as numbers that may be uncertain, or fitted, for a whole class at once."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from contextlib import AbstractContextManager

from ..base.errors import ConfigError, Problem, did_you_mean
from ..base.meanwhile import Meanwhile
from .drug_catalogue import class_of_drug, read_rows

#: Rules whose effects have a size that a factor can change.
_SIZED = ("multiply", "add", "max")
#: Factors that hold for now, in the order of their names.
_FACTORS = Meanwhile[tuple[tuple[str, float], ...]]("effect_factors", ())


def scaled_effects(factors: Mapping[str, float]) -> AbstractContextManager[None]:
    """Let therapies that are read meanwhile have effects so many times as strong.

    Parameters
    ----------
    factors
        By class of drugs or therapy, and input: ``SGLT2 inhibitor e_S``. A factor of 2 doubles shifts and strengths, and squares
        what multiplies; what is set stays.

    Raises
    ------
    ConfigError
        No therapy has such an effect (the nearest name is given), or a factor below 0.
    """
    problems = [
        Problem("unknown-effect", f"no therapy has the effect {name!r}", hint=did_you_mean(name, scalable_effects()))
        for name in factors
        if name not in scalable_effects()
    ]
    problems += [
        Problem("bad-number", f"the factor on {name} is below 0", found=f"{factor:g}")
        for name, factor in factors.items()
        if not factor >= 0.0
    ]
    if problems:
        raise ConfigError(problems)
    return _FACTORS.held(tuple(sorted(factors.items())))


def effect_factors() -> tuple[tuple[str, float], ...]:
    """Return the factors that hold now; therapies that are kept after reading are kept by these."""
    return _FACTORS.now


@functools.cache
def scalable_effects() -> frozenset[str]:
    """Return the names of effects that may be scaled, of classes and of therapies."""
    return frozenset(
        f"{owner} {row['quantity']}"
        for row in read_rows("standard_care.csv")
        if row["rule"] in _SIZED
        for owner in _owners(row["therapy"])
    )


def sized_effects(name: str) -> tuple[tuple[str, float], ...]:
    """Return input and size of the effects with a name of `scalable_effects` that are a strength or a shift at a listed dose."""
    return tuple(
        (row["quantity"], float(row["value"]))
        for row in read_rows("standard_care.csv")
        if row["rule"] in ("add", "max")
        and not row["value"].endswith("dose")
        and name in {f"{owner} {row['quantity']}" for owner in _owners(row["therapy"])}
    )


def scaled_value(therapy: str, quantity: str, rule: str, value: float) -> float:
    """Return the value of an effect under the factors that hold now."""
    factors = dict(_FACTORS.now)
    if not factors or rule not in _SIZED:
        return value
    factor = math.prod(factors.get(f"{owner} {quantity}", 1.0) for owner in _owners(therapy))
    return value**factor if rule == "multiply" else value * factor


def _owners(therapy: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, (class_of_drug(therapy), therapy))))
