"""Argument checks of public Python functions.

A wrong kind of value is a problem in words, and no failure somewhere below.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from decimal import Decimal
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import BetapodError, ConfigError, Location, Problem

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def wrong(name: str, value: object, expected: str, kind: str = "wrong-type", hint: str = "") -> Problem:
    """Return the problem of an argument that is of another kind than a function takes."""
    value_text = repr(value)
    value_text = value_text if len(value_text) <= 80 else f"{value_text[:77]}..."
    return Problem(kind, f"{name} cannot be this", Location(name), value_text, expected, hint)


def instance(
    name: str, value: object, kinds: type | tuple[type, ...], expected: str, error: type[BetapodError] = ConfigError
) -> None:
    """Check that an argument is of a kind.

    Raises
    ------
    BetapodError
        It is not; of the class `error`.
    """
    if not isinstance(value, kinds):
        raise error(wrong(name, value, expected))


def as_names(name: str, value: object) -> tuple[str, ...]:
    """Return names as a tuple; one text is one name.

    Raises
    ------
    ConfigError
        These are no texts.
    """
    if isinstance(value, str):
        return (str(value),)
    entries = as_list(value)
    if entries is None or not all(isinstance(entry, str) for entry in entries):
        raise ConfigError(wrong(name, value, "names, such as ['GFR', 'UACR']"))
    return tuple(map(str, entries))


def as_list(value: object) -> list[Any] | None:
    """Return what an argument lists; None for a text and for what is no list."""
    if not isinstance(value, Iterable) or isinstance(value, (str, bytes)) or getattr(value, "ndim", 1) == 0:
        return None
    return list(value)


def several(name: str, value: object, kinds: type | tuple[type, ...] = (str, os.PathLike)) -> list[Any]:
    """Return what an argument lists; one thing of the kinds alone is a list of it.

    Raises
    ------
    ConfigError
        It is neither.
    """
    if isinstance(value, kinds):
        return [value]
    entries = as_list(value)
    if entries is None:
        raise ConfigError(wrong(name, value, "a list, or one thing alone"))
    return entries


def whole(name: str, value: object, least: int) -> int:
    """Return a whole number.

    Raises
    ------
    ConfigError
        It is none, or below `least`.
    """
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise ConfigError(wrong(name, value, f"a whole number from {least} on", "out-of-range"))
    return int(value)


def number(name: str, value: object) -> float:
    """Return one number.

    Raises
    ------
    ConfigError
        It is none: text, a list, an array.
    """
    if not isinstance(value, Real) or isinstance(value, bool):
        raise ConfigError(wrong(name, value, "one number, such as 7.5"))
    return float(value)


def by_name(name: str, value: object, error: type[BetapodError] = ConfigError) -> dict[str, Any]:
    """Return a mapping with names as keys.

    Raises
    ------
    BetapodError
        It is no mapping, or a key is no text; of the class `error`.
    """
    if not isinstance(value, Mapping):
        raise error(wrong(name, value, "values by name, such as {'age': 60}"))
    if bad := [key for key in value if not isinstance(key, str)]:
        raise error([wrong(name, key, "a name as the key of each value") for key in bad])
    return dict(value)


def floats(name: str, value: object, error: type[BetapodError] = ConfigError) -> NDArray[np.float64]:
    """Return a number or an array of numbers as doubles; text that reads as a number is none, since nobody said in which unit.

    Raises
    ------
    BetapodError
        Something in it is no number, or is larger than a double holds; of the class `error`.
    """
    import numpy as np

    try:
        array = np.asarray(value)
        if array.dtype.kind in "fiub":
            return array.astype(np.float64)
        if array.dtype.kind == "O" and all(isinstance(item, (Real, Decimal)) for item in array.ravel()):
            return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        pass
    raise error(wrong(name, value, "numbers, such as 5 or [0, 1.5]", hint="Text and dates are no numbers here."))


def path(name: str, value: object, error: type[BetapodError] = ConfigError) -> Path:
    """Return an argument that names a file as a path.

    Raises
    ------
    BetapodError
        It is neither text nor a path; of the class `error`.
    """
    if isinstance(value, (str, os.PathLike)) and isinstance(os.fspath(value), str):
        return Path(value)
    raise error(wrong(name, value, "the name of a file, such as 'model.csv'"))
