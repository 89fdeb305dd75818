"""Read NHANES's own transport files (.XPT) that a user has downloaded, one or more cycles in one folder.

Per cycle: demographics (DEMO), diabetes (DIQ), body measures (BMX), blood pressure (BPX, or BPXO by an oscillometer),
glycohaemoglobin (GHB, L10, LAB10), fasting glucose (GLU, L10AM, LAB10AM), albumin and creatinine in urine (ALB_CR, L16, LAB16),
biochemistry (BIOPRO, L40, LAB18) and drugs (RXQ_RX). The letter at the end of a name is the cycle; none means 1999-2000, ``P_``
before it 2017 to March 2020, which contains 2017-2018 (J). Rules are those of the NCHS code books: creatinine of 1999-2000 and
2005-2006 corrected, urine creatinine before 2007 and glucose before 2015 carried over to the later methods; values after 2016 are as
released. Weights of several cycles are shared by their years, of which P has 3.2.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...base.constants import GLUCOSE_MG_DL
from ...base.errors import BetapodError, ConfigError, Location, Problem
from ...observables.ckd_epi import ckd_epi_2021
from . import sas_transport
from .patient_tables import PatientTable

if TYPE_CHECKING:
    import pandas as pd

#: Content of a file by the stem of its name, without the letter of the cycle.
STEMS = {
    "DEMO": "DEMO",
    "DIQ": "DIQ",
    "BMX": "BMX",
    "BPX": "BPX",
    "BPXO": "BPXO",
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
        "weight": ("WTMEC2YR", "WTMECPRP"),
        "examined": ("RIDSTATR",),
        "pregnant": ("RIDEXPRG",),
    },
    "DIQ": {"told": ("DIQ010",), "found_at": ("DID040", "DIQ040Q", "DID040Q"), "injects": ("DIQ050",)},
    "BMX": {"height": ("BMXHT",), "weight_kg": ("BMXWT",), "bmi": ("BMXBMI",)},
    "BPX": {f"{kind}{i}": (f"BPX{kind}{i}",) for kind in ("SY", "DI") for i in (1, 2, 3, 4)},
    "BPXO": {f"{kind}{i}": (f"BPXO{kind}{i}",) for kind in ("SY", "DI") for i in (1, 2, 3)},
    "GHB": {"hba1c": ("LBXGH",)},
    "GLU": {"fpg": ("LBXGLU",), "weight_fasting": ("WTSAF2YR", "WTSAFPRP")},
    "URINE": {"u_albumin": ("URXUMA",), "u_creatinine": ("URXUCR",)},
    "BIOPRO": {"creatinine": ("LBXSCR", "LBDSCR")},
}
#: Columns without which a file is of no use, and the quantities that are missing without a file or column.
_NEEDED_COLUMNS = {
    "DEMO": ("age", "sex", "weight", "examined"),
    "DIQ": ("told",),
    "GHB": ("hba1c",),
    "GLU": ("fpg", "weight_fasting"),
    "URINE": ("u_albumin", "u_creatinine"),
    "BIOPRO": ("creatinine",),
    "BMX": ("bmi",),
    "BPX": ("SY1", "DI1"),
    "BPXO": ("SY1", "DI1"),
}
_GIVES = {
    "BMX": "bmi",
    "BPX": "sbp and dbp",
    "GLU": "fpg",
    "URINE": "uacr",
    "BIOPRO": "egfr",
    "RX": "drugs",
}
#: Numbers that a column may hold where it holds any: beyond them the file is damaged, or the column another one.
_SPANS = {
    "age": (0.0, 120.0),
    "sex": (1.0, 2.0),
    "hba1c": (1.0, 30.0),
    "bmi": (5.0, 200.0),
    "creatinine": (0.0, 60.0),
    "fpg": (0.0, 2000.0),
    **{f"{kind}{i}": (0.0, 400.0) for kind in ("SY", "DI") for i in (1, 2, 3, 4)},
    "weight": (0.0, 1e7),
    "weight_fasting": (0.0, 1e8),
}
#: Years of a cycle, where not two: from January 2017 to the middle of March 2020 (derived from the dates in the cycle's name).
_YEARS = {"P": 3.2}
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


def read_folder(folder: str | Path) -> pd.DataFrame:
    """Return adults with diabetes, one row each, as `joint.derive` takes them; see `read_people`."""
    return read_people(folder).table


def read_people(folder: str | Path) -> PatientTable:
    """Return adults with diabetes, one row each, and what is missing by name.

    Raises
    ------
    ConfigError
        No NHANES files, a cycle without a needed file, two cycles that share people, a file that cannot be read or lacks a column;
        all at once.
    """
    import pandas as pd

    where = Location(str(folder))
    problems: list[Problem] = []
    cycles = _found(Path(folder), problems)
    problems += [
        Problem("missing-file", f"cycle {cycle} has no {need} file", where, found=", ".join(files))
        for cycle, files in cycles.items()
        for need in NEEDED
        if need not in files
    ]
    if not cycles:
        expected = ", ".join(f"{stem}_I.XPT" for stem in ("DEMO", "DIQ", "GHB", "..."))
        problems.append(Problem("no-files", "there are no NHANES files here", where, expected=expected))
    if {"J", "P"} <= set(cycles):
        message = "cycle P (2017 to March 2020) contains the people of cycle J (2017-2018)"
        problems.append(Problem("overlapping-cycles", message, where, hint="Take one of them away."))
    if problems:
        raise ConfigError(problems)
    notes: list[str] = []
    parts = [_cycle(cycle, files, problems, notes) for cycle, files in sorted(cycles.items())]
    if problems:
        raise ConfigError(problems)
    years = {cycle: _YEARS.get(cycle, 2.0) for cycle in cycles}
    for cycle, part in zip(sorted(cycles), parts, strict=True):
        part[["survey_weight", "survey_weight_fasting"]] *= years[cycle] / sum(years.values())
    if set(cycles) & {"J", "P", "L"}:
        notes.append("laboratory values after 2016 are as released: no equations between methods are applied")
    people = pd.concat(parts, ignore_index=True)
    for name in ("bmi", "sbp", "dbp", "egfr", "uacr", "fpg", "hba1c"):
        if len(people) and people[name].isna().all():
            notes.append(f"{name}: missing in everybody")
    return PatientTable(people, tuple(notes))


def _found(folder: Path, problems: list[Problem]) -> dict[str, dict[str, Path]]:
    """Return the files by cycle (A for 1999-2000, P for 2017 to March 2020) and content."""
    cycles: dict[str, dict[str, Path]] = {}
    for path in sorted(folder.glob("*")):
        match = re.fullmatch(r"(P_)?(.+?)(?:_([B-L]))?\.xpt", path.name, re.IGNORECASE)
        content = STEMS.get(match[2].upper()) if match else None
        if match and content:
            cycle = "P" if match[1] else (match[3] or "A").upper()
            by_content = cycles.setdefault(cycle, {})
            if content in by_content:
                message = f"cycle {cycle} has two {content} files"
                problems.append(Problem("two-files", message, Location(str(path)), found=by_content[content].name))
            by_content[content] = path
    return cycles


def _read(path: Path, content: str, problems: list[Problem], notes: list[str]) -> pd.DataFrame | None:
    import pandas as pd

    where = Location(str(path))
    try:
        raw: Any = sas_transport.read_transport(path)
    except BetapodError as error:
        problems += error.problems
        return None
    raw.columns = [str(name).upper() for name in raw]
    if content == "RX":
        if "SEQN" not in raw or not pd.api.types.is_numeric_dtype(raw["SEQN"]):
            problems.append(Problem("missing-column", "RX lacks a column", where, expected="SEQN"))
            return None
        return pd.DataFrame(raw)
    columns_read = {"SEQN": raw["SEQN"]} if "SEQN" in raw else {}
    for name, columns in _NAMES[content].items():
        column = next((c for c in columns if c in raw), None)
        if column is not None and pd.api.types.is_numeric_dtype(raw[column]):
            columns_read[name] = raw[column]
    needed = _NEEDED_COLUMNS[content] if content in NEEDED else _NEEDED_COLUMNS[content][:1]
    lacking = [name for name in ("SEQN", *needed) if name not in columns_read]
    if lacking:
        expected = ", ".join(" or ".join(_NAMES[content].get(n, (n,))) for n in lacking)
        problems.append(Problem("missing-column", f"{content} lacks a column", where, expected=expected))
        return None
    for name in _NEEDED_COLUMNS[content]:
        if name not in columns_read:
            notes.append(
                f"{path.name}: no column {' or '.join(_NAMES[content][name])}, so {_GIVES[content]} is missing"
            )
    table = pd.DataFrame(columns_read)
    problems += _faults(table, content, where)
    return table


def _faults(table: pd.DataFrame, content: str, where: Location) -> list[Problem]:
    """Return data faults: missing or duplicate person numbers, impossible values."""
    import pandas as pd

    numbers = table["SEQN"]
    if not pd.api.types.is_numeric_dtype(numbers) or numbers.isna().any() or (numbers != numbers.round()).any():
        return [Problem("bad-value", "SEQN is not a number in every row: the file is damaged", where)]
    problems = []
    if numbers.duplicated().any():
        first = int(numbers[numbers.duplicated()].iloc[0])
        problems.append(Problem("duplicate-person", f"the person {first} appears twice", where))
    for name, (low, high) in _SPANS.items():
        if name in table:
            bad = table[name].notna() & ~table[name].between(low, high)
            if bad.any():
                column = " or ".join(_NAMES[content][name])
                example = f"{table[name][bad].iloc[0]:.6g} of person {int(numbers[bad].iloc[0])}"
                message = f"{column} has {int(bad.sum())} values that nobody has: the file is damaged"
                problems.append(Problem("bad-value", message, where, example, f"{low:g} to {high:g}"))
    return problems


def _cycle(cycle: str, files: dict[str, Path], problems: list[Problem], notes: list[str]) -> pd.DataFrame:
    import pandas as pd

    files = dict(files)
    if "BPX" in files:
        files.pop("BPXO", None)
    before = len(problems)
    tables = {content: _read(path, content, problems, notes) for content, path in files.items()}
    if len(problems) > before:
        return pd.DataFrame()
    people = tables["DEMO"]
    assert people is not None
    for content, missing_quantity in _GIVES.items():
        if content not in files and not (content == "BPX" and "BPXO" in files):
            notes.append(f"cycle {cycle} has no {_example(content, cycle)} file: {missing_quantity} missing")
    if "BPXO" in files:
        notes.append(f"cycle {cycle}: blood pressure by an oscillometer (BPXO), not by mercury as before")
    for content, table in tables.items():
        if content in ("DEMO", "RX") or table is None:
            continue
        if not people["SEQN"].isin(table["SEQN"]).any():
            message = f"nobody of cycle {cycle} is in this file: it is of another cycle"
            problems.append(Problem("other-people", message, Location(str(files[content]))))
            continue
        people = people.merge(table, on="SEQN", how="left", validate="one_to_one")
    if len(problems) > before:
        return pd.DataFrame()
    for name in (name for columns in _NAMES.values() for name in columns):
        if name not in people:
            people[name] = np.nan
    adults = (people["age"] >= 20) & (people["examined"] == 2) & (people["pregnant"] != 1)
    unweighted = int((~(people["weight"][adults] > 0)).sum())
    if unweighted:
        column = " or ".join(_NAMES["DEMO"]["weight"])
        message = f"{column} is not above 0 in {unweighted} adults who were examined"
        problems.append(Problem("bad-value", message, Location(str(files["DEMO"]))))
        return pd.DataFrame()
    adults_with_diabetes = _derived(people[adults].reset_index(drop=True), cycle)
    drugs = tables.get("RX")
    if drugs is not None and "RXDDRUG" in drugs:
        adults_with_diabetes = _drugs(adults_with_diabetes, drugs)
    elif drugs is not None:
        notes.append(f"{files['RX'].name}: names no drugs (RXDDRUG), so drugs are missing")
    adults_with_diabetes["cycle"] = cycle
    return adults_with_diabetes[adults_with_diabetes.pop("diabetes")].reset_index(drop=True)


def _example(content: str, cycle: str) -> str:
    """Return the name of a file as NCHS gives it in a cycle from 2005 on."""
    stem = {"URINE": "ALB_CR", "RX": "RXQ_RX"}.get(content, content)
    stem = "BPXO" if content == "BPX" and cycle in "PL" else stem
    return f"P_{stem}" if cycle == "P" else stem + (f"_{cycle}" if cycle != "A" else "")


def _derived(people: pd.DataFrame, cycle: str) -> pd.DataFrame:
    import pandas as pd

    derived = pd.DataFrame({"SEQN": people["SEQN"], "age": people["age"], "survey_weight": people["weight"]})
    derived["female"] = (people["sex"] == 2).astype(float)
    injects = people["injects"] == 1
    derived["diagnosed"] = ((people["told"] == 1) | injects).astype(float)
    first = people["found_at"].where(people["found_at"] < 120)
    first = first.where((first >= 5) | injects).where(first <= people["age"] + 1)
    derived["duration"] = (people["age"] - first).clip(lower=0).where(derived["diagnosed"] == 1)
    derived["bmi"], derived["hba1c"] = people["bmi"], people["hba1c"]
    for name, kind in (("sbp", "SY"), ("dbp", "DI")):
        readings = people[[f"{kind}{i}" for i in (1, 2, 3, 4)]]
        readings = readings.where(readings > 0)
        # The first reading counts only where there is no other.
        derived[name] = readings.iloc[:, 1:].mean(axis=1).fillna(readings.iloc[:, 0])
    creatinine = people["creatinine"]
    if cycle == "A":
        creatinine = 1.013 * creatinine + 0.147
    elif cycle == "D":
        creatinine = 0.978 * creatinine - 0.016
    arrays = (creatinine.to_numpy(float), derived["age"].to_numpy(float), derived["female"].to_numpy(float))
    derived["egfr"] = ckd_epi_2021(*arrays)
    urine = people["u_creatinine"].to_numpy(float)
    if cycle in "ABCD":
        urine = _urine_creatinine(urine)
    derived["uacr"] = 100.0 * people["u_albumin"].to_numpy(float) / urine
    valid = people["weight_fasting"].fillna(0.0) > 0
    glucose = people["fpg"].where(valid)
    diabetic = (people["hba1c"] >= 6.5) | (glucose >= 126.0)
    derived["diabetes"] = (derived["diagnosed"] == 1) | diabetic
    derived["fpg"] = _glucose(glucose, cycle) / GLUCOSE_MG_DL
    derived["survey_weight_fasting"] = people["weight_fasting"].fillna(0.0)
    return derived


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
    names = drugs["RXDDRUG"].fillna("").astype(str).str.upper()
    for column, parts in DRUGS.items():
        takers = drugs["SEQN"][names.str.contains("|".join(parts))]
        people[column] = people["SEQN"].isin(takers).astype(float)
    return people
