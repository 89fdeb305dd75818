"""Read NHANES's own transport files (.XPT) that a user has downloaded, one or more cycles in one folder.

Per cycle: demographics (DEMO), diabetes (DIQ), body measures (BMX), blood pressure (BPX), glycohaemoglobin (GHB, L10, LAB10), fasting
glucose (GLU, L10AM, LAB10AM), albumin and creatinine in urine (ALB_CR, L16, LAB16), biochemistry (BIOPRO, L40, LAB18) and drugs
(RXQ_RX). The letter at the end of a name is the cycle; none means 1999-2000. Rules are those of the NCHS code books: creatinine of
1999-2000 and 2005-2006 corrected, urine creatinine before 2007 and glucose before 2015 carried over to the later methods.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ConfigError, Location, Problem
from .reader import ckd_epi_2021

if TYPE_CHECKING:
    import pandas as pd

#: Content of a file by the stem of its name, without the letter of the cycle.
STEMS = {
    "DEMO": "DEMO",
    "DIQ": "DIQ",
    "BMX": "BMX",
    "BPX": "BPX",
    "GHB": "GHB",
    "L10": "GHB",
    "LAB10": "GHB",
    "GLU": "GLU",
    "L10AM": "GLU",
    "LAB10AM": "GLU",
    "ALB_CR": "URINE",
    "L16": "URINE",
    "LAB16": "URINE",
    "BIOPRO": "BIOPRO",
    "L40": "BIOPRO",
    "LAB18": "BIOPRO",
    "RXQ_RX": "RX",
}
#: Files without which there is no cohort; without the others their columns are missing.
NEEDED = ("DEMO", "DIQ", "GHB")
#: Columns that are used and their names in files of any cycle, the first that is there.
_NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "DEMO": {
        "age": ("RIDAGEYR",),
        "sex": ("RIAGENDR",),
        "weight": ("WTMEC2YR",),
        "examined": ("RIDSTATR",),
        "pregnant": ("RIDEXPRG",),
    },
    "DIQ": {"told": ("DIQ010",), "found_at": ("DID040", "DIQ040Q", "DID040Q"), "injects": ("DIQ050",)},
    "BMX": {"height": ("BMXHT",), "weight_kg": ("BMXWT",), "bmi": ("BMXBMI",)},
    "BPX": {f"{kind}{i}": (f"BPX{kind}{i}",) for kind in ("SY", "DI") for i in (1, 2, 3, 4)},
    "GHB": {"hba1c": ("LBXGH",)},
    "GLU": {"fpg": ("LBXGLU",), "weight_fasting": ("WTSAF2YR",)},
    "URINE": {"u_albumin": ("URXUMA",), "u_creatinine": ("URXUCR",)},
    "BIOPRO": {"creatinine": ("LBXSCR", "LBDSCR")},
}
#: Names in the drug file that make a drug class; matched anywhere in the generic name.
DRUGS = {
    "insulin": ("INSULIN",),
    "metformin": ("METFORMIN",),
    "sulfonylurea": ("GLYBURIDE", "GLIPIZIDE", "GLIMEPIRIDE", "TOLAZAMIDE", "TOLBUTAMIDE", "CHLORPROPAMIDE"),
    "tzd": ("PIOGLITAZONE", "ROSIGLITAZONE", "TROGLITAZONE"),
    "dpp4": ("GLIPTIN",),
    "glp1ra": ("EXENATIDE", "GLUTIDE"),
    "sglt2i": ("GLIFLOZIN",),
    "acei": ("PRIL",),
    "arb": ("SARTAN",),
    "ccb": ("DIPINE", "DILTIAZEM", "VERAPAMIL"),
    "diuretic": ("THIAZIDE", "CHLORTHALIDONE", "FUROSEMIDE", "TORSEMIDE", "BUMETANIDE", "INDAPAMIDE", "TRIAMTERENE"),
    "mra": ("SPIRONOLACTONE", "EPLERENONE"),
}
#: A number that SAS writes for zero in some transport files.
_ARTEFACT = 1e-70
_MGDL_PER_MMOLL = 18.0156


def read_folder(folder: str | Path) -> pd.DataFrame:
    """Return adults with diabetes, one row each, as `joint.derive` takes them.

    Raises
    ------
    ConfigError
        No NHANES files, a cycle without a needed file, a file that cannot be read or lacks a column; all at once.
    """
    import pandas as pd

    cycles = _found(Path(folder))
    problems = [
        Problem("missing-file", f"cycle {cycle} has no {need} file", Location(str(folder)), found=", ".join(files))
        for cycle, files in cycles.items()
        for need in NEEDED
        if need not in files
    ]
    if not cycles:
        expected = ", ".join(f"{stem}_I.XPT" for stem in ("DEMO", "DIQ", "GHB", "..."))
        problems.append(Problem("no-files", "there are no NHANES files here", Location(str(folder)), expected=expected))
    if problems:
        raise ConfigError(problems)
    parts = [_cycle(cycle, files, problems) for cycle, files in sorted(cycles.items())]
    if problems:
        raise ConfigError(problems)
    people = pd.concat(parts, ignore_index=True)
    people[["survey_weight", "survey_weight_fasting"]] /= len(cycles)
    return people


def _found(folder: Path) -> dict[str, dict[str, Path]]:
    """Return the files by cycle (A for 1999-2000) and content."""
    cycles: dict[str, dict[str, Path]] = {}
    for path in sorted(folder.glob("*")):
        match = re.fullmatch(r"(.+?)(?:_([B-L]))?\.xpt", path.name, re.IGNORECASE)
        content = STEMS.get(match[1].upper()) if match else None
        if match and content:
            cycles.setdefault((match[2] or "A").upper(), {})[content] = path
    return cycles


def _read(path: Path, content: str, problems: list[Problem]) -> pd.DataFrame | None:
    import pandas as pd

    try:
        raw: Any = pd.read_sas(path, format="xport", encoding="latin-1")
    except (OSError, ValueError, TypeError) as error:
        problems.append(Problem("not-xpt", f"this is no SAS transport file: {error}", Location(str(path))))
        return None
    if content == "RX":
        return pd.DataFrame(raw)
    found = {"SEQN": raw["SEQN"]} if "SEQN" in raw else {}
    for name, columns in _NAMES[content].items():
        column = next((c for c in columns if c in raw), None)
        if column is not None:
            found[name] = raw[column].mask(raw[column].abs() < _ARTEFACT, 0.0)
    lacking = [name for name in ("SEQN", *list(_NAMES[content])[:1]) if name not in found]
    if lacking:
        expected = ", ".join(_NAMES[content][n][0] if n in _NAMES[content] else n for n in lacking)
        problems.append(Problem("missing-column", f"{content} lacks a column", Location(str(path)), expected=expected))
        return None
    return pd.DataFrame(found)


def _cycle(cycle: str, files: dict[str, Path], problems: list[Problem]) -> pd.DataFrame:
    import pandas as pd

    tables = {content: _read(path, content, problems) for content, path in files.items()}
    if problems:
        return pd.DataFrame()
    people = tables["DEMO"]
    assert people is not None
    for content, table in tables.items():
        if content not in ("DEMO", "RX") and table is not None:
            people = people.merge(table, on="SEQN", how="left", validate="one_to_one")
    for name in (name for columns in _NAMES.values() for name in columns):
        if name not in people:
            people[name] = np.nan
    adults = (people["age"] >= 20) & (people["examined"] == 2) & (people["pregnant"] != 1)
    found = _derived(people[adults].reset_index(drop=True), cycle)
    drugs = tables.get("RX")
    if drugs is not None:
        found = _drugs(found, drugs)
    found["cycle"] = cycle
    return found[found.pop("diabetes")].reset_index(drop=True)


def _derived(people: pd.DataFrame, cycle: str) -> pd.DataFrame:
    import pandas as pd

    found = pd.DataFrame({"SEQN": people["SEQN"], "age": people["age"], "survey_weight": people["weight"]})
    found["female"] = (people["sex"] == 2).astype(float)
    injects = people["injects"] == 1
    found["diagnosed"] = ((people["told"] == 1) | injects).astype(float)
    first = people["found_at"].where(people["found_at"] < 120)
    first = first.where((first >= 5) | injects).where(first <= people["age"] + 1)
    found["duration"] = (people["age"] - first).clip(lower=0).where(found["diagnosed"] == 1)
    found["bmi"], found["hba1c"] = people["bmi"], people["hba1c"]
    for name, kind in (("sbp", "SY"), ("dbp", "DI")):
        readings = people[[f"{kind}{i}" for i in (1, 2, 3, 4)]]
        readings = readings.where(readings > 0)
        # The first reading counts only where there is no other.
        found[name] = readings.iloc[:, 1:].mean(axis=1).fillna(readings.iloc[:, 0])
    creatinine = people["creatinine"]
    if cycle == "A":
        creatinine = 1.013 * creatinine + 0.147
    elif cycle == "D":
        creatinine = 0.978 * creatinine - 0.016
    arrays = (creatinine.to_numpy(float), found["age"].to_numpy(float), found["female"].to_numpy(float))
    found["egfr"] = ckd_epi_2021(*arrays)
    urine = people["u_creatinine"].to_numpy(float)
    if cycle in "ABCD":
        urine = _urine_creatinine(urine)
    found["uacr"] = 100.0 * people["u_albumin"].to_numpy(float) / urine
    valid = people["weight_fasting"].fillna(0.0) > 0
    glucose = people["fpg"].where(valid)
    diabetic = (people["hba1c"] >= 6.5) | (glucose >= 126.0)
    found["diabetes"] = (found["diagnosed"] == 1) | diabetic
    found["fpg"] = _glucose(glucose, cycle) / _MGDL_PER_MMOLL
    found["survey_weight_fasting"] = people["weight_fasting"].fillna(0.0)
    return found


def _urine_creatinine(x: Any) -> Any:
    """Carry urine creatinine (mg/dL) of 1999-2006 over to the enzymatic method, by the NCHS rule."""
    root = np.sqrt(x)
    low, middle, high = (1.02 * root - 0.36) ** 2, (1.05 * root - 0.74) ** 2, (1.01 * root - 0.10) ** 2
    return np.where(x < 75, low, np.where(x < 250, middle, high))


def _glucose(x: Any, cycle: str) -> Any:
    """Carry fasting glucose (mg/dL) over to the method of 2015 on, by the chained NCHS equations."""
    if cycle in "ABC":
        x = 0.9815 * x + 3.5707
    if cycle in "ABCD":
        x = x + 1.148
    if cycle in "ABCDEFGH":
        x = 1.023 * x - 0.5108
    return x


def _drugs(people: pd.DataFrame, drugs: pd.DataFrame) -> pd.DataFrame:
    """Add flags of drug classes from the file of prescriptions, one row per person and drug."""
    if "RXDDRUG" not in drugs:
        return people
    names = drugs["RXDDRUG"].fillna("").astype(str).str.upper()
    for column, parts in DRUGS.items():
        takers = drugs["SEQN"][names.str.contains("|".join(parts))]
        people[column] = people["SEQN"].isin(takers).astype(float)
    return people
