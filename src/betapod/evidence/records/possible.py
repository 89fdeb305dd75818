"""Numbers that no group of people can have: a mean in the wrong unit, a change larger than the quantity itself."""

from __future__ import annotations

from ...base.errors import UnitError
from ...base.units import parse_unit
from .vocabulary import Statistic

#: Endpoint -> unit and range beyond which no group's mean lies: a number there is an error of unit or of typing; assumed.
POSSIBLE = {
    "HbA1c": ("%", 3.0, 20.0),
    "FPG": ("mmol/L", 1.0, 50.0),
    "serum_creatinine": ("umol/L", 9.0, 2200.0),
    "eGFR": ("mL/min/1.73m2", 0.0, 250.0),
    "GFR": ("mL/min/1.73m2", 0.0, 350.0),
    "SBP": ("mmHg", 50.0, 280.0),
    "DBP": ("mmHg", 20.0, 180.0),
    "MAP": ("mmHg", 30.0, 220.0),
    "BMI": ("kg/m^2", 10.0, 150.0),
    "body_weight": ("kg", 1.0, 450.0),
    "UACR": ("mg/g", 0.0, 100000.0),
}


def impossible(statistic: Statistic, endpoint: str, unit: str, value: float) -> tuple[str, str] | None:
    """Return what is wrong with a mean that no group has, or a change that none can make, and what is possible; None if nothing."""
    usual, low, high = POSSIBLE.get(endpoint, ("", 0.0, 0.0))
    if not usual or not _same(unit, usual):
        return None
    level = statistic.kind in ("mean", "median", "geometric_mean") and statistic.contrast == "level"
    if not level:
        if statistic.kind not in ("mean", "median", "difference"):
            return None
        low, high = low - high, high - low
    if low <= value <= high:
        return None
    what = f"no group's {endpoint} can be" if level else f"no group's {endpoint} can change or differ by"
    return f"{what} {value:.4g} {usual}", f"{low:g} to {high:g} {usual}"


def _same(unit: str, usual: str) -> bool:
    try:
        return unit == usual or parse_unit(unit) == parse_unit(usual)
    except UnitError:
        return False
