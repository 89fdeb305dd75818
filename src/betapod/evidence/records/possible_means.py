"""Numbers that no group of people can have: a mean in the wrong unit, a change larger than the quantity itself."""

from __future__ import annotations

import functools

from ...base import clinical
from ...base.errors import UnitError
from ...base.units import parse_unit
from ...observables.table import bounds_for, names_for, observables_and_characteristics
from .vocabulary import Statistic


def impossible_mean(statistic: Statistic, endpoint: str, unit: str, value: float) -> tuple[str, str] | None:
    """Return what is wrong with a mean that no group has, or a change that none can make, and what is possible; None if nothing."""
    usual, low, high = _possible(endpoint)
    if not usual or not _same(unit, usual):
        return None
    level = statistic.kind in ("mean", "median", "geometric_mean") and statistic.contrast == "level"
    if not level:
        if statistic.kind not in ("mean", "median", "difference"):
            return None
        low, high = low - high, high - low
    if low <= value <= high:
        return None
    statement = f"no group's {endpoint} can be" if level else f"no group's {endpoint} can change or differ by"
    return f"{statement} {value:.4g} {usual}", f"{low:g} to {high:g} {usual}"


@functools.cache
def _possible(endpoint: str) -> tuple[str, float, float]:
    """Return the registry's unit of an endpoint and the range beyond which no group's mean lies; an empty unit where nobody knows."""
    name = names_for("registry").get(endpoint)
    observable = endpoint if name is None else name.means
    span = bounds_for("group").get(observable)
    if span is None:
        return "", 0.0, 0.0
    own_unit = observables_and_characteristics()[observable].unit
    usual = own_unit if name is None or not name.unit else name.unit
    quantity = clinical.known_quantity(endpoint)
    if usual != own_unit and quantity is not None:
        span = (
            clinical.convert_clinical(span[0], quantity, own_unit, usual),
            clinical.convert_clinical(span[1], quantity, own_unit, usual),
        )
    return usual, *span


def _same(unit: str, usual: str) -> bool:
    try:
        return unit == usual or parse_unit(unit) == parse_unit(usual)
    except UnitError:
        return False
