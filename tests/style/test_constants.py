"""Constants live once, in `constants`, and are what others say that they are."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from betapod.base import constants
from betapod.base.units import convert_unit

ROOT = Path(__file__).parents[2] / "src" / "betapod"

#: Numbers that nobody else types: the pattern and what to import.
ONCE = {
    r"\b1\.96\b|\b1\.95996": "Z95",
    r"\b1\.64(?:5|48\d*)?\b": "Z90",
    r"\b365\.25\b": "DAYS_PER_YEAR",
    r"\b1440(?:\.0)?\b": "MINUTES_PER_DAY",
    r"\b88\.4(?:0\d*|2)?\b": "CREATININE_UMOL_L",
    r"\b18\.01\d*\b|\b18\.02\b|\b180\.1\d*\b": "GLUCOSE_MG_DL or MOLAR_MASS",
    r"\b113\.12\d*\b": "MOLAR_MASS",
    r"\b3020(?:\.\d+)?\b|\b0\.331\d*\b": "MOLAR_MASS",
    r"\b28\.01\d*\b|\b60\.05\d*\b|\b386\.6\d*\b": "MOLAR_MASS",
    r"\b0?\.4535\d*\b|\b2\.204\d*\b": "KG_PER_POUND",
    r"\b0?\.0914\d*\b|\b2\.152\b": "IFCC_SLOPE, IFCC_INTERCEPT",
    r"\b0\.9938\b": "ckd_epi_2021",
    r"\b0\.0805\b|\b0\.0204\b|\b0\.0768\b|\b0\.2419\b|\b0\.5424\b": "observables/variation.csv",
}
#: Any of them: most lines have none, and are searched once.
_ANY = re.compile("|".join(ONCE))


def _code(path: Path) -> list[tuple[int, str]]:
    """Return lines without comments and texts between three quotation marks."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r'"""(?:.|\n)*?"""', lambda found: "\n" * found[0].count("\n"), text)
    return [(number, line.partition("#")[0]) for number, line in enumerate(text.splitlines(), start=1)]


def test_constants_are_typed_once() -> None:
    wrong = []
    for path in sorted(ROOT.rglob("*.py")):
        if path in (ROOT / "base" / "constants.py", ROOT / "observables" / "ckd_epi.py"):
            continue
        for number, line in _code(path):
            if not _ANY.search(line):
                continue
            wrong += [
                f"{path.relative_to(ROOT)}:{number}: {line.strip()} -> {name}"
                for pattern, name in ONCE.items()
                if re.search(pattern, line)
            ]
    assert not wrong, "\n".join(wrong)


def test_the_scanner_finds_them(tmp_path: Path) -> None:
    path = tmp_path / "some.py"
    path.write_text('"""1.96"""\nx = 1.96  # 365.25\ny = 88.42\n', encoding="utf-8")
    found = [name for _, line in _code(path) for pattern, name in ONCE.items() if re.search(pattern, line)]
    assert found == ["Z95", "CREATININE_UMOL_L"]


#: Standard atomic weights, abridged, IUPAC 2021.
_ATOMS = {"C": 12.011, "H": 1.008, "N": 14.007, "O": 15.999, "S": 32.06, "Na": 22.990, "K": 39.098}
#: C-peptide of man: EAEDLQVGQVELGGGPGAGSLQPLALEGSLQ, as in UniProt P01308 57-87.
_RESIDUES = {
    "E": "C5H7NO3",
    "A": "C3H5NO",
    "D": "C4H5NO3",
    "L": "C6H11NO",
    "Q": "C5H8N2O2",
    "V": "C5H9NO",
    "G": "C2H3NO",
    "P": "C5H7NO",
    "S": "C3H5NO2",
}


def _mass(formula: str) -> float:
    return sum(_ATOMS[name] * int(count or 1) for name, count in re.findall(r"([A-Z][a-z]?)(\d*)", formula))


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("glucose", "C6H12O6"),
        ("creatinine", "C4H7N3O"),
        ("urea", "CH4N2O"),
        ("urea nitrogen", "N2"),
        ("cholesterol", "C27H46O"),
        ("triglycerides", "C57H104O6"),
        ("sodium", "Na"),
        ("potassium", "K"),
    ],
)
def test_molar_masses_follow_from_the_formula(name: str, formula: str) -> None:
    assert constants.MOLAR_MASS[name] == pytest.approx(_mass(formula), rel=3e-5)


def test_the_mass_of_c_peptide_follows_from_its_sequence() -> None:
    residues = sum(_mass(_RESIDUES[letter]) for letter in "EAEDLQVGQVELGGGPGAGSLQPLALEGSLQ")
    assert constants.MOLAR_MASS["C-peptide"] == pytest.approx(residues + _mass("H2O"), abs=0.1)


def test_the_other_constants() -> None:
    assert math.erf(constants.Z95 / math.sqrt(2.0)) == pytest.approx(0.95, abs=1e-15)
    assert constants.DAYS_PER_YEAR * 24 * 3600 == 31_557_600
    assert constants.DAYS_PER_MONTH * 12 == constants.DAYS_PER_YEAR
    # An avoirdupois pound is 7000 grains of 64.79891 mg; a yard is 0.9144 m.
    assert pytest.approx(7000 * 64.79891e-6, rel=1e-15) == constants.KG_PER_POUND
    assert pytest.approx(91.44 / 36, rel=1e-15) == constants.CM_PER_INCH
    assert convert_unit(150, "lb", "kg") == pytest.approx(68.0388555, rel=1e-12)
    assert convert_unit(6, "foot", "cm") == pytest.approx(182.88, rel=1e-12)
    # NGSP prints 53 and 75 mmol/mol as 7.0 and 9.0 %.
    for ifcc, ngsp in ((53, 7.0), (75, 9.0)):
        assert constants.IFCC_SLOPE * ifcc + constants.IFCC_INTERCEPT == pytest.approx(ngsp, abs=0.05)
        # NGSP's inverse, IFCC = 10.93 NGSP - 23.50.
        percent = constants.IFCC_SLOPE * ifcc + constants.IFCC_INTERCEPT
        assert 10.93 * percent - 23.50 == pytest.approx(ifcc, abs=0.05)
    assert pytest.approx(88.4, abs=0.005) == constants.CREATININE_UMOL_L
    assert pytest.approx(18.016, abs=0.001) == constants.GLUCOSE_MG_DL
