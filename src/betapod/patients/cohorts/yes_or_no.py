"""Read columns of patient tables that say yes or no, and the type of diabetes where a column of diabetes tells it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...base.delimited import clean_cell, quote_cell
from ...base.errors import Location, Problem
from . import sexes

_WORDS = {"1": 1.0, "yes": 1.0, "y": 1.0, "true": 1.0, "ja": 1.0, "oui": 1.0}
_WORDS |= {"0": 0.0, "no": 0.0, "n": 0.0, "false": 0.0, "nein": 0.0, "non": 0.0}
#: Words for the type in a column of diabetes, which has it whatever the type: 1 for type 1.
_TYPES = dict.fromkeys(("t1d", "t1dm", "dm1", "type 1", "type 1 diabetes"), 1.0)
_TYPES |= dict.fromkeys(("t2d", "t2dm", "dm2", "type 2", "type 2 diabetes"), 0.0)


def read_flags(
    column: Sequence[tuple[str, Location]], name: str, missing: Sequence[str]
) -> tuple[list[float], list[Problem]]:
    """Return 1, 0 or NaN for each cell, and a problem for each that says neither.

    Parameters
    ----------
    column
        Cells and where they stand.
    name
        Of the column in the library; one of diabetes may name its type.
    missing
        What stands for no value.
    """
    values, problems = [], []
    for text, where in column:
        plain = sexes.code(clean_cell(text))
        if plain in missing:
            values.append(math.nan)
        elif name == "diabetes" and plain in _TYPES:
            values.append(1.0)
        elif plain in _WORDS:
            values.append(_WORDS[plain])
        else:
            hint = "A column of words such as F and M is named 'sex'." if plain in sexes.WORDS else ""
            problems.append(
                Problem("bad-value", f"{name} cannot be read", where, quote_cell(text), "1 or 0, yes or no", hint)
            )
            values.append(math.nan)
    return values, problems


def types_of_diabetes(cells: Sequence[str]) -> list[float]:
    """Return 1 for type 1, 0 for type 2 and NaN for each cell of a column of diabetes that does not say."""
    return [_TYPES.get(sexes.code(clean_cell(text)), math.nan) for text in cells]
