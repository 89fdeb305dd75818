"""Units of the literature: how they are spelt, and how a printed number becomes one in the endpoint's own unit."""

from __future__ import annotations

from ..analytes import MOLAR_MASS
from ..errors import NOWHERE, Location, Problem, UnitError
from ..units import Unit, parse_unit

#: Spellings that are no units by themselves: the unit and the factor to it.
_SPELT: dict[str, tuple[str, float]] = {
    "": ("1", 1.0),
    "%": ("%", 1.0),
    "percent_of_baseline": ("%", 1.0),
    "%/y": ("%/year", 1.0),
    "fraction": ("1", 1.0),
    "fraction of AEs": ("1", 1.0),
    "fraction of SAEs": ("1", 1.0),
    "fraction of units": ("1", 1.0),
    "fraction of procedures": ("1", 1.0),
    "ratio": ("1", 1.0),
    "SMD": ("1", 1.0),
    "r": ("1", 1.0),
    "index": ("1", 1.0),
    "yes/no": ("1", 1.0),
    "patients": ("1", 1.0),
    "of 6 patients": ("1", 1.0),
    "events": ("1", 1.0),
    "podocytes/glomerulus": ("1", 1.0),
    "events/patient-year": ("1/year", 1.0),
    "per 100 PY": ("1/year", 0.01),
    "per 1000 PY": ("1/year", 0.001),
    # Areas under a curve: the printed "x120min" names the window, and magnitudes show that the area is per minute.
    "nmol/L x120min": ("nmol/L*min", 1.0),
    "ng/mL x120min": ("ng/mL*min", 1.0),
    "ng/mL.min": ("ng/mL*min", 1.0),
    # 6.6 to 13.6 pmol/mL over 180 min is far too much as a mean and far too little as an area per minute.
    "pmol/mL x180min": ("", 1.0),
    "mmol/mol": ("mmol/mol", 1.0),
    "mg/24h": ("mg/day", 1.0),
    "mg/dL per %": ("mg/dL/percent", 1.0),
    "mmol/L per %": ("mmol/L/percent", 1.0),
    # Printed in mm2, plausible only as um2.
    "1e5 um2 (printed mm2)": ("um^2", 1e5),
    "kg/m2": ("kg/m^2", 1.0),
}

#: Molar mass by endpoint, g/mol: where mass and amount are both printed.
#: Human C-peptide has 31 residues, 3020.3 g/mol from its sequence (so 1 ng/mL is 0.331 nmol/L).
C_PEPTIDE = 3020.3
_MOLAR: dict[str, float] = {
    "FPG": MOLAR_MASS["glucose"],
    "mean_plasma_glucose": MOLAR_MASS["glucose"],
    "serum_creatinine": MOLAR_MASS["creatinine"],
    # Albumin per creatinine: mg/mmol becomes mg/g through the creatinine below the line.
    "UACR": MOLAR_MASS["creatinine"],
    "fasting_C_peptide": C_PEPTIDE,
    "stimulated_C_peptide": C_PEPTIDE,
    "C_peptide": C_PEPTIDE,
    "C_peptide_AUC": C_PEPTIDE,
    "C_peptide_slope": C_PEPTIDE,
}

#: HbA1c: NGSP (%) = slope * IFCC (mmol/mol) + intercept, the master equation (Hoelzel 2004; NGSP).
IFCC_SLOPE, IFCC_INTERCEPT = 0.09148, 2.152


class Conversion:
    """Turns printed numbers into the target unit: ``y = factor * x + offset``.

    Parameters
    ----------
    level
        Whether the number is a level; a difference of levels knows no offset.

    Raises
    ------
    UnitError
        The printed unit cannot be read or does not measure what the endpoint is measured in.
    """

    def __init__(self, endpoint: str, printed: str, target: str, level: bool, location: Location = NOWHERE) -> None:
        spelt, before = _SPELT.get(printed, (printed, 1.0))
        self.offset = 0.0
        self.unit = target or spelt or printed
        if endpoint == "HbA1c" and spelt == "mmol/mol":
            self.factor, self.offset = IFCC_SLOPE, IFCC_INTERCEPT if level else 0.0
            self.unit = "%"
            return
        if endpoint == "HOMA_B" and printed == "index":  # the index is the percentage
            spelt = "%"
        if not target or not spelt:
            self.unit = spelt or printed
            self.factor = before
            return
        a, b = parse_unit(spelt, location), parse_unit(target, location)
        self.factor = before * _ratio(endpoint, a, b, printed, target, location)

    def __call__(self, value: float) -> float:
        """Return the number in the target unit."""
        converted = self.factor * value + self.offset
        return value if converted == value else float(f"{converted:.15g}")

    def scale(self, width: float) -> float:
        """Return an SD or SE in the target unit."""
        return float(f"{abs(self.factor) * width:.15g}")


def readable(printed: str) -> bool:
    """Return whether the printed unit is known."""
    spelt = _SPELT.get(printed, (printed, 1.0))[0]
    if not spelt or spelt == "mmol/mol":
        return True
    try:
        parse_unit(spelt)
    except UnitError:
        return False
    return True


def _ratio(endpoint: str, a: Unit, b: Unit, printed: str, target: str, location: Location) -> float:
    if a.compatible(b):
        return a.scale / b.scale
    molar = _MOLAR.get(endpoint)
    if molar is not None:
        mass, amount = parse_unit("g"), parse_unit("mol")
        for turned, factor in ((a * amount / mass, 1.0 / molar), (a * mass / amount, molar)):
            if turned.compatible(b):
                return factor * turned.scale / b.scale
    raise UnitError(
        Problem("wrong-unit", "the unit does not fit the endpoint", location, f"[{printed}]", f"a unit like [{target}]")
    )
