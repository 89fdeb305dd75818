"""Laboratory values between mass and amount: the names of `constants` and `clinical` under which other rooms came to know them."""

from __future__ import annotations

from .clinical import analyte_of
from .clinical import convert_labelled as _convert_labelled
from .constants import MOLAR_MASS
from .errors import Location

__all__ = ["MOLAR_MASS", "analyte_of", "convert_labelled"]


def convert_labelled(value: float, source: str, target: str, label: str, location: Location | None = None) -> float:
    """Return `value` in the unit `target`, where a label says what is measured; see `clinical.convert_labelled`."""
    return _convert_labelled(value, source, target, label, "level", location)
