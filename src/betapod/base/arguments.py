"""What Python hands over: arguments of the public functions are looked at once, at the door.

A wrong kind of value is a problem in words, and no failure somewhere below.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from decimal import Decimal
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import BetapodError, ConfigError, Location, Problem

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def wrong(what: str, value: object, expected: str, kind: str = "wrong-type", hint: str = "") -> Problem:
    """Return the problem of an argument that is of another kind than a function takes."""
    found = repr(value)
    found = found if len(found) <= 80 else f"{found[:77]}..."
    return Problem(kind, f"{what} cannot be this", Location(what), found, expected, hint)


def instance(
    what: str, value: object, kinds: type | tuple[type, ...], expected: str, error: type[BetapodError] = ConfigError
) -> None:
    """Check that an argument is of a kind.

    Raises
    ------
    BetapodError
        It is not; of the class `error`.
    """
    if not isinstance(value, kinds):
        raise error(wrong(what, value, expected))


def names(what: str, value: object) -> tuple[str, ...]:
    """Return names as a tuple; one text is one name.

    Raises
    ------
    ConfigError
        These are no texts.
    """
    if isinstance(value, str):
        return (str(value),)
    given = listed(value)
    if given is None or not all(isinstance(each, str) for each in given):
        raise ConfigError(wrong(what, value, "names, such as ['GFR', 'UACR']"))
    return tuple(map(str, given))


def listed(value: object) -> list[Any] | None:
    """Return what an argument lists; None for a text and for what is no list."""
    if not isinstance(value, Iterable) or isinstance(value, (str, bytes)) or getattr(value, "ndim", 1) == 0:
        return None
    return list(value)


def by_name(what: str, value: object, error: type[BetapodError] = ConfigError) -> dict[str, Any]:
    """Return a mapping with names as keys.

    Raises
    ------
    BetapodError
        It is no mapping, or a key is no text; of the class `error`.
    """
    if not isinstance(value, Mapping):
        raise error(wrong(what, value, "values by name, such as {'age': 60}"))
    if bad := [key for key in value if not isinstance(key, str)]:
        raise error([wrong(what, key, "a name as the key of each value") for key in bad])
    return dict(value)


def floats(what: str, value: object, error: type[BetapodError] = ConfigError) -> NDArray[np.float64]:
    """Return a number or an array of numbers as doubles; text that reads as a number is none, since nobody said in which unit.

    Raises
    ------
    BetapodError
        Something in it is no number, or is larger than a double holds; of the class `error`.
    """
    import numpy as np

    try:
        given = np.asarray(value)
        if given.dtype.kind in "fiub":
            return given.astype(np.float64)
        if given.dtype.kind == "O" and all(isinstance(each, (Real, Decimal)) for each in given.ravel()):
            return given.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        pass
    raise error(wrong(what, value, "numbers, such as 5 or [0, 1.5]", hint="Text and dates are no numbers here."))


def path(what: str, value: object, error: type[BetapodError] = ConfigError) -> Path:
    """Return an argument that names a file as a path.

    Raises
    ------
    BetapodError
        It is neither text nor a path; of the class `error`.
    """
    if isinstance(value, (str, os.PathLike)) and isinstance(os.fspath(value), str):
        return Path(value)
    raise error(wrong(what, value, "the name of a file, such as 'model.csv'"))
