"""Column headings of patient tables: the quantity meant, and the unit named with it."""

from __future__ import annotations

import re
import unicodedata

from ...observables.table import names_for, people_columns
from . import sexes
from .cohort_target import READ_UNITS, UNITS
from .conversions import fits_table

#: Other names of quantities, in lower case: as hospitals of many countries export them. A name that could mean two things is none.
SYNONYMS = {
    **dict.fromkeys(sexes.COLUMNS, "female"),
    **{name: people_columns()[column.means] for name, column in names_for("cohort").items()},
    **dict.fromkeys(
        ("patient", "subject", "patient_id", "subject_id", "usubjid", "pid", "subjid", "seqn", "record_id"), "id"
    ),
}
#: Units without their marks, as names of columns end with them, in lower case: ``hba1c_pct``, ``scr_mgdl``, ``age_y``.
ENDINGS = {
    **dict.fromkeys(("y", "yrs"), "year"),
    "pct": "%",
    "mmolmol": "mmol/mol",
    "mgdl": "mg/dL",
    "mmoll": "mmol/L",
    "umoll": "umol/L",
    "nmoll": "nmol/L",
    "pmoll": "pmol/L",
    "ngml": "ng/mL",
    "mgg": "mg/g",
    "mgmmol": "mg/mmol",
    **dict.fromkeys(("kgm2", "kg_m2"), "kg/m^2"),
    "lbs": "lb",
}
#: Quantities by their names in lower case.
KNOWN = {name.lower(): name for name in (*READ_UNITS, "id")}
_HEADER = re.compile(r"([^\W\d_][\w ./-]*?)\s*(?:[\[(]\s*(.+?)\s*[\])])?")
#: Characters that a name may have.
LONGEST = 200


def heading(text: str) -> tuple[str, str, str]:
    """Return the quantity that the name of a column stands for (or ``""``), the name in lower case, and the unit."""
    if len(text) > LONGEST:
        return "", text, ""
    match = _HEADER.fullmatch(text)
    plain = _plain(match[1] if match else text)
    name, unit = _known(plain), (match[2] or "").strip() if match else ""
    if not name and not unit:
        return _behind(text) or ("", plain, "")
    return name, plain, unit


def _plain(text: str) -> str:
    return re.sub(r"[\s./-]+", "_", unicodedata.normalize("NFC", text).strip().lower()).strip("_")


def _known(plain: str) -> str:
    return KNOWN.get(SYNONYMS.get(plain, plain).lower(), "")


def _behind(text: str) -> tuple[str, str, str] | None:
    """Return a column whose unit stands behind its name without brackets: ``weight_kg``, ``HbA1c %``, ``scr_umoll``."""
    for gap in re.finditer(r"[\s_,:./-]+", text):
        plain = _plain(text[: gap.start()])
        name, unit = _known(plain), text[gap.end() :].strip()
        if name in ("", "id") or UNITS.get(name) == "1":
            continue
        for spelt in (unit, unit.replace("_", "/"), ENDINGS.get(unit.lower(), unit)):
            if fits_table(name, spelt):
                return name, plain, spelt
    return None
