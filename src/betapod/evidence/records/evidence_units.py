"""Units of the literature: how a printed number becomes one in the endpoint's own unit, through the one reader of units."""

from __future__ import annotations

import re

from ...base import clinical
from ...base.errors import NOWHERE, Location, Problem, UnitError
from ...base.spelling import respell_unit
from ...base.units import parse_unit

#: What the registry's tables print that is no unit by itself: the unit and the factor to it.
_SPELT: dict[str, tuple[str, float]] = {
    **dict.fromkeys(
        (
            "fraction of AEs",
            "fraction of SAEs",
            "fraction of units",
            "fraction of procedures",
            "SMD",
            "r",
            "index",
            "yes/no",
            "patients",
            "of 6 patients",
            "events",
            "podocytes/glomerulus",
        ),
        ("1", 1.0),
    ),
    "percent_of_baseline": ("%", 1.0),
    # Areas under a curve: the printed "x120min" names the window, and magnitudes show that the area is per minute.
    "nmol/L x120min": ("nmol/L*min", 1.0),
    "ng/mL x120min": ("ng/mL*min", 1.0),
    "ng/mL.min": ("ng/mL*min", 1.0),
    # 6.6 to 13.6 pmol/mL over 180 min is far too much as a mean and far too little as an area per minute.
    "pmol/mL x180min": ("", 1.0),
    # Printed in mm2, plausible only as um2.
    "1e5 um2 (printed mm2)": ("um^2", 1e5),
}


def spelt(printed: str) -> tuple[str, float]:
    """Return a printed unit as `units` reads it, and the factor to it; an empty unit stays empty."""
    return _SPELT.get(printed) or respell_unit(printed)


class Conversion:
    """Turns printed numbers into the target unit: ``y = factor * x + offset``.

    Parameters
    ----------
    level
        Whether the number is a level; a difference of levels knows no offset.
    share
        Whether it is a percentage of a level, so that the endpoint's own unit does not matter.

    Raises
    ------
    UnitError
        The printed unit cannot be read or does not measure what the endpoint is measured in.
    """

    def __init__(
        self,
        endpoint: str,
        printed: str,
        target: str,
        level: bool,
        location: Location = NOWHERE,
        share: bool = False,
    ) -> None:
        unit, before = spelt(printed)
        # A statistic that has no unit, such as a hazard ratio, may leave it out; others are refused before they come here.
        self.unit = (target if unit or not printed else "") or unit or printed or "1"
        self.factor, self.offset = before, 0.0
        if endpoint == "HOMA_B" and printed == "index":  # the index is the percentage
            unit = "%"
        quantity = clinical.known_quantity(endpoint) if not share else None
        if not target and quantity is not None and quantity.form == "HbA1c" and unit.startswith("mmol/mol"):
            self.unit = target = "%" + "".join(re.findall(r"^mmol/mol(/[a-z]+)", unit))
        if not target or not unit:
            return
        if quantity is not None and clinical.measures(quantity, target):
            a = clinical.scale(quantity, printed if printed not in _SPELT else unit, location)
            b = clinical.scale(quantity, target, location)
            if a.base != b.base:
                raise _unfit(printed, target, location)
            self.factor = (before if printed in _SPELT else 1.0) * a.factor / b.factor
            self.offset = (a.offset - b.offset) / b.factor if level else 0.0
            return
        a_unit, b_unit = parse_unit(unit, location), parse_unit(target, location)
        # A share to a physicist, and HbA1c to everybody else.
        if not a_unit.compatible(b_unit) or unit.startswith("mmol/mol") != target.startswith("mmol/mol"):
            raise _unfit(printed, target, location)
        self.factor = before * a_unit.scale / b_unit.scale

    def __call__(self, value: float) -> float:
        """Return the number in the target unit."""
        converted = self.factor * value + self.offset
        return value if converted == value else float(f"{converted:.15g}")

    def scale(self, width: float) -> float:
        """Return an SD or SE in the target unit."""
        return float(f"{abs(self.factor) * width:.15g}")


def is_known_unit(printed: str) -> bool:
    """Return whether the printed unit is known."""
    unit = spelt(printed)[0]
    try:
        parse_unit(unit)
    except UnitError:
        # Words beside the unit, such as the creatinine of mg/g creatinine, belong to a quantity.
        return any(clinical.measures(quantity, printed) for quantity in clinical.clinical_quantities().values())
    return True


def _unfit(printed: str, target: str, location: Location) -> UnitError:
    return UnitError(
        Problem("wrong-unit", "the unit does not fit the endpoint", location, f"[{printed}]", f"a unit like [{target}]")
    )
