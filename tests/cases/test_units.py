"""One reader of units behind every door: the same text is the same number in a protocol, a table, evidence, an option and Python."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import carry_out
from hypothesis import given
from hypothesis import strategies as st

from betapod.base import clinical
from betapod.base.config import read_quantity
from betapod.base.errors import BetapodError, UnitError
from betapod.base.spelling import respell_unit
from betapod.base.units import convert_unit, parse_unit
from betapod.evidence.records.evidence_units import Conversion
from betapod.model import Parameter, ParameterTable
from betapod.observables.quantities import label_of, observable_unit
from betapod.patients.cohorts import patient_tables
from betapod.patients.cohorts.conversions import table_unit, to_table_unit
from betapod.patients.cohorts.patient_tables import PatientTable

#: What laboratories print. Quantity, number and unit as printed, the number in the unit that stands after it. The right numbers are
#: published ones: NGSP's table of IFCC and NGSP HbA1c, KDIGO's of albuminuria, the conversion factors of JAMA's instructions for authors.
PRINTED = [
    # HbA1c: NGSP's table has 42, 48, 53, 64, 75, 86 mmol/mol as 6.0, 6.5, 7.0, 8.0, 9.0, 10.0 %.
    *[
        ("HbA1c", number, "mmol/mol", percent, "%", 0.006)
        for number, percent in ((42, 6.0), (48, 6.54), (53, 7.0), (64, 8.0), (75, 9.01), (86, 10.02))
    ],
    *[
        ("HbA1c", 53, unit, 7.0, "%", 0.001)
        for unit in (
            "mmol/mol Hb",
            "mmol/mol{Hb}",
            "mmol/mol (IFCC)",
            "mmol／mol",
            "MMOL/MOL",
            "mMol/mol",
            "mmol / mol",
            "mmol mol⁻¹",
        )
    ],
    *[
        ("HbA1c", 7, unit, 7.0, "%", 1e-12)
        for unit in ("%", "％", "percent", "per cent", "% (NGSP)", "% NGSP", "NGSP %")
    ],
    *[
        ("HbA1c", 7, unit, 7.0, "%", 1e-12)
        for unit in ("%{HbA1c}", "% DCCT", "% (DCCT/NGSP)", "% points", "percentage points", "% of total Hb", "%HbA1c")
    ],
    ("HbA1c", 7, "%", 53.0, "mmol/mol", 1e-3),
    ("HbA1c", 10, "%", 85.8, "mmol/mol", 1e-3),
    # Glucose: 126 mg/dL are 7.0 mmol/L.
    *[
        ("glucose", 126, unit, 6.994, "mmol/L", 1e-3)
        for unit in (
            "mg/dL",
            "mg/dl",
            "mg%",
            "mg %",
            "mg/100 mL",
            "mg/100ml",
            "MG/DL",
            "㎎/㎗",
            "mg/dL.",
            "mg dL⁻¹",
            "mg·dL-1",
        )
    ],
    *[
        ("glucose", 7, unit, 7.0, "mmol/L", 1e-12)
        for unit in ("mmol/L", "mmol/l", "mMol/L", "MMOL/L", "mM", "mmol/litre")
    ],
    *[("glucose", 7, unit, 7.0, "mmol/L", 1e-12) for unit in ("mmol per liter", "mmol L-1", "mmol.L-1", "mmol·L⁻¹")],
    ("glucose", 1.26, "g/L", 6.994, "mmol/L", 1e-3),
    # Creatinine: 1 mg/dL is 88.4 umol/L.
    *[
        ("creatinine", 88.4, unit, 1.0, "mg/dL", 1e-3)
        for unit in (
            "umol/L",
            "\u00b5mol/L",
            "\u03bcmol/L",
            "µmol/l",
            "μMol/L",
            "mcmol/L",
            "UMOL/L",
            "micromol/L",
            "mikromol/l",
            "µmol\u202f/\u00a0L",
            "umol/L creatinine",
        )
    ],
    ("creatinine", 0.0884, "mmol/L", 1.0, "mg/dL", 1e-3),
    ("creatinine", 10, "mg/L", 1.0, "mg/dL", 1e-12),
    # Albumin-creatinine ratio: 30 mg/g are 3.39 mg/mmol (KDIGO prints about 3).
    *[
        ("UACR", 30, unit, 30, "mg/g", 1e-12)
        for unit in (
            "mg/g",
            "µg/mg",
            "ug/mg",
            "mcg/mg",
            "MG/G",
            "mg/g Cr",
            "mg/gCr",
            "mg/g・Cr",
            "mg/g creatinine",
            "mg/g{creat}",
            "mg/g{Cre}",
            "mg albumin/g creatinine",
            "mg/g.Cr",
            "g/kg",
        )
    ],
    *[
        ("UACR", 3.3936, unit, 30, "mg/g", 1e-4)
        for unit in ("mg/mmol", "mg/mmol creat.", "g/mol", "mg/mmol{creat}", "MG/MMOL")
    ],
    ("UACR", 0.03, "g/g", 30, "mg/g", 1e-12),
    *[
        ("UAER", 20, unit, 28.8, "mg/day", 1e-9)
        for unit in ("µg/min", "ug/min", "mcg/min", "μg/min", "UG/MIN", "µg min⁻¹")
    ],
    *[
        ("UAER", 30, unit, 30, "mg/day", 1e-12)
        for unit in ("mg/24 h", "mg/24h", "mg/24hr", "mg/24 hours", "mg/d", "mg/day", "mg/die", "mg/Tag", "MG/24H")
    ],
    *[
        ("eGFR", 60, unit, 60, "mL/min/1.73m2", 1e-12)
        for unit in (
            "mL/min/1.73 m²",
            "ml/min/1,73m2",
            "mL/min/1.73m^2",
            "mL/min/1.73m**2",
            "mL/min per 1.73 m2",
            "mL/min/{1.73_m2}",
            "mL/min/(1.73 m²)",
            "mL/min (1.73 m2)",
            "mL·min⁻¹·1.73 m⁻²",
            "mL min-1 (1.73 m2)-1",
            "ml/min · 1,73 m²",
            "ML/MIN/1.73M2",
            "mL/min/1.73",
            "ml/min/1.73 sqm",
        )
    ],
    ("eGFR", 1, "mL/s/1.73 m2", 60, "mL/min/1.73m2", 1e-12),
    # C-peptide: 1 ng/mL is 0.331 nmol/L.
    *[("C-peptide", 1, unit, 0.3311, "nmol/L", 1e-3) for unit in ("ng/mL", "ng/ml", "NG/ML", "µg/L", "ug/l", "mcg/L")],
    *[("C-peptide", 331, unit, 0.331, "nmol/L", 1e-12) for unit in ("pmol/L", "pmol/l", "pM", "PMOL/L", "pmol L⁻¹")],
    *[
        ("insulin", 6, unit, 6, "mU/L", 1e-12)
        for unit in ("µU/mL", "uU/mL", "mIU/L", "mU/L", "µIU/ml", "m[iU]/L", "u[IU]/mL", "mUI/L", "µIE/mL", "mcU/mL")
    ],
    # 14 mg/dL of urea nitrogen are 5.0 mmol/L of urea, as are 30 mg/dL of urea.
    ("BUN", 14, "mg/dL", 4.998, "mmol/L", 1e-3),
    ("urea", 30, "mg/dL", 4.995, "mmol/L", 1e-3),
    ("albumin", 4, "g/dL", 40, "g/L", 1e-12),
    ("haemoglobin", 14.5, "g/dL", 8.998, "mmol/L", 1e-3),
    ("cholesterol", 200, "mg/dL", 5.172, "mmol/L", 1e-3),
    ("triglycerides", 150, "mg/dL", 1.694, "mmol/L", 1e-3),
    *[("sodium", 140, unit, 140, "mmol/L", 1e-12) for unit in ("mEq/L", "meq/l", "MEQ/L", "mmol/L")],
    *[
        ("pressure", 120, unit, 120, "mmHg", 1e-12)
        for unit in ("mm Hg", "mmHg", "mmhg", "mm[Hg]", "MMHG", "mm-Hg", "Torr")
    ],
    *[("pressure", 16, unit, 120.01, "mmHg", 1e-4) for unit in ("kPa", "KPA", "kpa")],
    # A pound is 0.45359237 kg and an inch 2.54 cm, exactly.
    *[("weight", 150, unit, 68.0388555, "kg", 1e-9) for unit in ("lb", "lbs", "LB", "pounds", "[lb_av]")],
    *[("weight", 70, unit, 70, "kg", 1e-12) for unit in ("kg", "KG", "Kg", "kgs", "kilos")],
    ("weight", 11, "stone", 69.853, "kg", 1e-4),
    *[("height", 70, unit, 177.8, "cm", 1e-9) for unit in ("in", "inch", "inches", "[in_i]")],
    *[("height", 170, unit, 170, "cm", 1e-12) for unit in ("cm", "CM", "centimetre")],
    ("height", 1.7, "m", 170, "cm", 1e-12),
    *[("BMI", 30, unit, 30, "kg/m^2", 1e-12) for unit in ("kg/m²", "kg/m2", "kg m-2", "kg/m^2", "KG/M2", "kg/sqm")],
    *[
        ("insulin dose", 40, unit, 40, "U/day", 1e-12)
        for unit in ("IU/day", "U/d", "I.U./day", "units/day", "IE/Tag", "UI/die", "E/dag")
    ],
    ("duration", 6, "months", 0.5, "year", 1e-12),
    # Other letters: Russia, China.
    *[
        ("glucose", 7, unit, 7.0, "mmol/L", 1e-12)
        for unit in ("\u043c\u043c\u043e\u043b\u044c/\u043b", "\u6beb\u6469\u5c14/\u5347")
    ],
    ("creatinine", 88.4, "\u043c\u043a\u043c\u043e\u043b\u044c/\u043b", 1.0, "mg/dL", 1e-3),
    ("creatinine", 88.4, "\u5fae\u6469\u5c14/\u5347", 1.0, "mg/dL", 1e-3),
    ("eGFR", 60, "\u043c\u043b/\u043c\u0438\u043d/1,73 \u043c\u00b2", 60, "mL/min/1.73m2", 1e-12),
    ("pressure", 120, "\u043c\u043c \u0440\u0442. \u0441\u0442.", 120, "mmHg", 1e-12),
    ("UACR", 30, "mg/g de creatinina", 30, "mg/g", 1e-12),
]

#: What must not be read, and what is said then.
REFUSED = [
    ("HbA1c", "", "missing-unit"),
    ("HbA1c", "1", "wrong-unit"),
    ("HbA1c", "mg/dL", "wrong-unit"),
    ("HbA1c", "JDS %", "wrong-unit"),
    ("HbA1c", "Mmol/mol", "ambiguous-unit"),
    ("UACR", "%", "wrong-unit"),
    ("UACR", "mg/L", "wrong-unit"),
    ("UACR", "mg/day", "wrong-unit"),
    ("UACR", "mmol/L", "wrong-unit"),
    ("UACR", "mmol/mol", "wrong-unit"),
    ("UACR", "1", "wrong-unit"),
    ("UACR", "Mg/g", "ambiguous-unit"),
    ("UACR", " ", "missing-unit"),
    ("glucose", "Mg/dL", "ambiguous-unit"),
    ("glucose", "mg/g", "wrong-unit"),
    ("glucose", "mol", "wrong-unit"),
    ("creatinine", "mmol/day", "wrong-unit"),
    ("eGFR", "mL/min", "wrong-unit"),
    ("eGFR", "mL/min/m2", "wrong-unit"),
    ("insulin", "pmol/L", "wrong-unit"),
    ("insulin dose", "U/kg/day", "wrong-unit"),
    ("weight", "cm", "wrong-unit"),
    ("C-peptide", "ng/ML", "ambiguous-unit"),
]


def _names(rows: list[tuple[object, ...]]) -> list[str]:
    return [f"{row[0]} in {row[1] if len(row) == 3 else row[2]}" for row in rows]


@pytest.mark.parametrize(("name", "number", "unit", "right", "target", "tolerance"), PRINTED, ids=_names(PRINTED))
def test_what_laboratories_print_is_read(
    name: str, number: float, unit: str, right: float, target: str, tolerance: float
) -> None:
    made = clinical.convert_clinical(number, clinical.clinical_quantities()[name], unit, target)
    assert made == pytest.approx(right, rel=tolerance)


@pytest.mark.parametrize(("name", "unit", "kind"), REFUSED, ids=_names(REFUSED))
def test_what_is_no_unit_of_a_quantity_is_refused(name: str, unit: str, kind: str) -> None:
    with pytest.raises(UnitError) as caught:
        clinical.convert_clinical(1.0, clinical.clinical_quantities()[name], unit)
    (problem,) = caught.value.problems
    assert problem.kind == kind
    assert problem.expected, "the units that it has are named"


# -- every door ------------------------------------------------------------------------------------------------------

_PARAMCD = {
    "HbA1c": "HBA1C",
    "glucose": "FPG",
    "creatinine": "CREAT",
    "UACR": "UACR",
    "eGFR": "EGFR",
    "C-peptide": "CPEP",
    "BUN": "BUN",
    "pressure": "SBP",
    "weight": "WEIGHT",
    "insulin dose": "INSDOSE",
    "BMI": "BMI",
}
_COLUMN = {
    "HbA1c": "hba1c",
    "glucose": "fpg",
    "creatinine": "creatinine",
    "UACR": "uacr",
    "eGFR": "egfr",
    "C-peptide": "c_peptide",
    "pressure": "sbp",
    "weight": "weight",
    "height": "height",
    "BMI": "bmi",
    "duration": "duration",
}
_ENDPOINT = {
    "HbA1c": "HbA1c",
    "glucose": "FPG",
    "creatinine": "serum_creatinine",
    "UACR": "UACR",
    "UAER": "UAER",
    "eGFR": "eGFR",
    "C-peptide": "fasting_C_peptide",
    "pressure": "SBP",
    "weight": "body_weight",
    "BMI": "BMI",
}


def _protocol(name: str, text: str, target: str) -> float:
    code = _PARAMCD[name]
    return convert_back(name, read_quantity(text, observable_unit(code), label_of(code)), observable_unit(code), target)


def _table(name: str, text: str, target: str) -> float:
    number, _, unit = text.partition(" ")
    return convert_back(name, to_table_unit(float(number), _COLUMN[name], unit), table_unit(_COLUMN[name]), target)


def _evidence(name: str, text: str, target: str) -> float:
    number, _, unit = text.partition(" ")
    return Conversion(_ENDPOINT[name], unit, target, level=True)(float(number))


def _parameter(name: str, text: str, target: str) -> float:
    table = ParameterTable([Parameter("x", clinical.clinical_quantities()[name].label, 1.0, target, role="input")])
    return table.with_values({"x": text})["x"].value


def convert_back(name: str, value: float, unit: str, target: str) -> float:
    return clinical.convert_clinical(value, clinical.clinical_quantities()[name], unit, target)


_DOORS: list[tuple[str, Callable[[str, str, str], float], dict[str, str] | None]] = [
    ("protocol", _protocol, _PARAMCD),
    ("patients", _table, _COLUMN),
    ("evidence", _evidence, _ENDPOINT),
    ("parameters", _parameter, None),
]


@pytest.mark.parametrize(("door", "read", "names"), _DOORS, ids=[door for door, _, _ in _DOORS])
def test_every_door_reads_the_same_number(
    door: str, read: Callable[[str, str, str], float], names: dict[str, str] | None
) -> None:
    wrong = []
    for name, number, unit, right, target, tolerance in PRINTED:
        if names is not None and name not in names:
            continue
        try:
            made = read(name, f"{number} {unit}", target)
        except BetapodError as error:
            wrong.append(f"{name} {number} {unit}: {error.problems[0].message}")
            continue
        if made != pytest.approx(right, rel=tolerance):
            wrong.append(f"{name} {number} {unit}: {made}, not {right}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("door", "read", "names"), _DOORS, ids=[door for door, _, _ in _DOORS])
def test_every_door_refuses_the_same_units(
    door: str, read: Callable[[str, str, str], float], names: dict[str, str] | None
) -> None:
    for name, unit, _ in REFUSED:
        if not unit.strip() or (names is not None and name not in names):
            continue
        with pytest.raises(BetapodError):
            read(name, f"1 {unit}", clinical.clinical_quantities()[name].unit)


# -- laws ------------------------------------------------------------------------------------------------------------

_PAIRS = [
    (name, a, b)
    for name, entry in clinical.clinical_quantities().items()
    for a in entry.usual
    for b in entry.usual
    if name != "insulin" or (a == "pmol/L") == (b == "pmol/L")
]


@given(st.sampled_from(_PAIRS), st.floats(0.001, 1e5), st.sampled_from(["level", "difference"]))
def test_there_and_back_again(pair: tuple[str, str, str], number: float, kind: clinical.Kind) -> None:
    name, a, b = pair
    entry = clinical.clinical_quantities()[name]
    there = clinical.convert_clinical(number, entry, a, b, kind)
    assert clinical.convert_clinical(there, entry, b, a, kind) == pytest.approx(number, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "unit"), [(name, unit) for name, entry in clinical.clinical_quantities().items() for unit in entry.usual]
)
def test_every_unit_in_every_dress(name: str, unit: str) -> None:
    """What is true of the units that a case names is true of all: spaces, brackets, slashes, letters, exponents, capitals."""
    entry = clinical.clinical_quantities()[name]
    right = clinical.scale(entry, unit)
    dresses = {
        unit.replace("/", " / "),
        unit.replace("/", "\uff0f"),
        unit.replace("/", " per "),
        unit.replace("L", "l"),
        unit.replace("^2", "\u00b2"),
        unit.replace("1.73m2", "1,73 m\u00b2"),
        unit.replace("/L", " L\u207b\u00b9").replace("/min", " min\u207b\u00b9").replace("/day", " d-1"),
        f"[{unit}]",
        f" {unit}\u202f",
        unit.upper() if unit != "m" else unit,
    }
    dresses |= {unit.replace("u", sign, 1) for sign in ("\u00b5", "\u03bc", "mc") if unit.startswith("u")}
    for dress in dresses:
        made = clinical.scale(entry, dress)
        assert (made.base, made.offset) == (right.base, right.offset), dress
        assert made.factor == pytest.approx(right.factor, rel=1e-12), dress


@given(st.sampled_from(_PAIRS), st.floats(1, 100), st.floats(1, 100))
def test_differences_of_levels_are_differences(pair: tuple[str, str, str], x: float, y: float) -> None:
    name, a, b = pair
    entry = clinical.clinical_quantities()[name]
    levels = clinical.convert_clinical(x, entry, a, b) - clinical.convert_clinical(y, entry, a, b)
    assert clinical.convert_clinical(x - y, entry, a, b, "difference") == pytest.approx(levels, rel=1e-6, abs=1e-6)


_PIECES = [
    *"mMuUgGlLdkn%/*^()[]{}.,-0123 ",
    "mol",
    "min",
    "1.73",
    "m2",
    "m²",
    "µ",
    "／",
    "day",
    "Hg",
    "per",
    "Cr",
    "IU",
    "PY",
    "24 h",
    "100",
]


@given(st.one_of(st.text(max_size=12), st.lists(st.sampled_from(_PIECES), max_size=10).map("".join)))
def test_no_text_is_a_unit_by_accident(text: str) -> None:
    """Whatever is not refused has been read as a unit, and reads the same again."""
    for entry in clinical.clinical_quantities().values():
        try:
            first = clinical.scale(entry, text)
        except UnitError as error:
            assert error.problems[0].kind in (
                "missing-unit",
                "wrong-unit",
                "unknown-unit",
                "bad-unit",
                "ambiguous-unit",
            )
            continue
        assert clinical.scale(entry, text) == first
        assert first.factor > 0


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        ("per 100 PY", ("1/year", 0.01)),
        ("per 1000 PY", ("1/year", 0.001)),
        ("per 1,000 person-years", ("1/year", 0.001)),
        ("/1000 patient-years", ("1/year", 0.001)),
        ("events/1000 person-years", ("1/year", 0.001)),
        ("events/patient-year", ("1/year", 1.0)),
        ("% per year", ("%/year", 1.0)),
        ("% p.a.", ("%/year", 1.0)),
    ],
)
def test_rates(text: str, spelt: tuple[str, float]) -> None:
    assert respell_unit(text) == spelt


def test_a_rate_per_1000_person_years_is_a_tenth_of_one_per_100() -> None:
    assert Conversion("ESKD", "per 1000 PY", "1/year", level=True)(12.0) == pytest.approx(0.012, rel=1e-12)
    assert Conversion("ESKD", "per 100 PY", "1/year", level=True)(1.2) == pytest.approx(0.012, rel=1e-12)
    assert convert_unit(50.0, "per 1000 person-years", "%/year") == pytest.approx(5.0, rel=1e-12)


def test_signs_that_a_unit_library_passes_over_are_no_products() -> None:
    """The full-width slash and a space were once read as a product."""
    assert parse_unit("mmol／L").same(parse_unit("mmol/L"))
    assert parse_unit("mg %").same(parse_unit("mg/dL"))
    assert parse_unit("mL/min/1.73 m2 per year").same(parse_unit("mL/min/1.73m2/year"))


# -- the given cases -------------------------------------------------------------------------------------------------


def test_hba1c_in_mmol_per_mol_in_a_protocol() -> None:
    """F01: bounds are levels, effects are differences."""
    label = label_of("HBA1C")
    assert read_quantity("53 mmol/mol", "%", label) == pytest.approx(7.0, abs=0.001)
    assert read_quantity("86 mmol/mol", "%", label) == pytest.approx(10.02, abs=0.001)
    assert read_quantity("-11 mmol/mol", "%", label, kind="difference") == pytest.approx(-1.006, abs=0.001)


def test_a_missing_unit_names_those_that_could_be_meant() -> None:
    with pytest.raises(BetapodError) as caught:
        read_quantity("53", "%", label_of("HBA1C"))
    assert caught.value.problems[0].expected == "53 %, 53 mmol/mol"
    with pytest.raises(BetapodError) as caught:
        read_quantity("30 mg/L", "mg/g", label_of("UACR"))
    assert "another quantity" in caught.value.problems[0].hint


PROTOCOL = """\
schema_version: 1
name: units
title: units of every kind
population: {diabetes: type 2, size: 300}
eligibility:
  eGFR: {min: 20 mL/min/1.73 m², max: "60 mL/min per 1.73 m2"}
  UACR: {min: 22.6 mg/mmol}
  HbA1c: {max: 86 mmol/mol}
patients: 120
arms:
  placebo: {placebo: true}
  cells: {cells: MPC 300e6 iv}
designs:
  rct: {arms: {placebo: 1, cells: 1}, blinding: double}
visits:
  - {name: enrolment, day: 0 day}
  - {name: y1, day: 365 day}
measurements: {eGFR: {}, UACR: {}, HbA1c: {}}
conduct:
  drop_out: 50 per 1000 person-years
  effects: [{quantity: HbA1c, change: -5 mmol/mol, spread: 3}]
  rescue: [{quantity: HbA1c, above: 75 mmol/mol, therapy: basal insulin 10 U/day}]
endpoints:
  primary: {name: responders, quantity: HbA1c, summary: responders, threshold: 53 mmol/mol, at: y1, better: lower}
scenarios: [none]
seed: 5
replicates: 5
"""


def test_a_protocol_in_the_units_of_europe(tmp_path: Path) -> None:
    """F01, F17 and item 20 of the attackers: bounds, thresholds, rescue and effects, each with a sentence of how it is read."""
    from betapod.trials.conduct import trial_effects
    from betapod.trials.protocol import protocol_files

    path = tmp_path / "units.yaml"
    path.write_text(PROTOCOL, encoding="utf-8")
    with clinical.read_as() as sentences:
        made = protocol_files.find_protocol(str(path))
    assert made.eligibility["HbA1c"].bounds("HBA1C")[1] == pytest.approx(10.02, abs=0.001)
    assert made.eligibility["UACR"].bounds("UACR")[0] == pytest.approx(199.8, abs=0.1)
    assert made.eligibility["eGFR"].bounds("EGFR") == (20.0, 60.0)
    assert made.conduct.drop_out == pytest.approx(0.05)
    (effect,) = made.conduct.effects
    assert trial_effects.effect_size(effect) == pytest.approx(-0.4574, abs=1e-4)
    # A bare spread is in the unit of its change.
    assert trial_effects.effect_spread(effect.spread, effect.change, "HBA1C") == pytest.approx(0.27444)
    assert trial_effects.effect_spread("3 mmol/mol", "-0.5 %", "HBA1C") == pytest.approx(0.27444)
    assert trial_effects.effect_spread(0.2, "-0.5 %", "HBA1C") == 0.2
    assert trial_effects.effect_spread(0.4, None, "UACR") == 0.4
    assert sentences == [
        "UACR min 22.6 mg/mmol read as 200 mg/g",
        "HbA1c max 86 mmol/mol read as 10.0 %",
        "HbA1c change -5 mmol/mol read as -0.457 %",
        "HbA1c spread 3 mmol/mol read as 0.274 %",
        "HbA1c above 75 mmol/mol read as 9.01 %",
        "HbA1c threshold 53 mmol/mol read as 7.00 %",
    ]


HEADER = (
    "study_id,citation,doi,pmcid_or_url,year,population,design,arm,product,route,dose_cells,dose_unit,n,endpoint,"
    "timepoint_weeks,statistic,value,dispersion,dispersion_type,unit,p_value,quote,tag\n"
)


def _overlay(path: Path, endpoint: str, statistic: str, value: str, unit: str) -> Path:
    row = f"ZZ1,Made-up 1,,,2024,DKD; made up,RCT; made up,ZZcell,ZZcell,,,,50,{endpoint},52,{statistic},{value},,,{unit},,made up,seen\n"
    path.write_text(HEADER + row, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("endpoint", "statistic", "value"),
    [
        ("HbA1c", "diff_vs_control", "-0.5"),
        ("HbA1c", "mean", "7.5"),
        ("UACR", "median", "300"),
        ("UACR", "change_percent", "-0.3"),
        ("ESKD", "proportion", "0.5"),
        ("my_new_endpoint", "mean", "3"),
    ],
)
def test_a_blank_unit_in_evidence_is_refused(tmp_path: Path, endpoint: str, statistic: str, value: str) -> None:
    """F07: a blank was taken for a ratio, so that -0.5 became -50 %."""
    from betapod.evidence.records.registry import check_table

    with pytest.raises(BetapodError) as caught:
        check_table(_overlay(tmp_path / "mine.csv", endpoint, statistic, value, ""))
    assert "missing-unit" in caught.value.kinds


@pytest.mark.parametrize(
    ("row", "value", "unit", "low", "high"),
    [
        ("HbA1c,mean,53,11,SD,mmol/mol", 7.0, "%", 1.006, 1.006),
        ("HbA1c,median,53,45;60,IQR,mmol/mol", 7.0, "%", 6.269, 7.641),
        ("HbA1c,mean,53,50;56,CI95,mmol/mol", 7.0, "%", 6.726, 7.275),
        ("HbA1c,diff_vs_control,-11,-15;-7,CI95,mmol/mol", -1.006, "%", -1.372, -0.640),
        ("HbA1c,change_mean,-5,2,SE,mmol/mol", -0.4574, "%", 0.183, 0.183),
        ("HbA1c,mean change,-0.5,0.1,SE,percentage points", -0.5, "%", 0.1, 0.1),
        ("UACR,median,30,10;60,IQR,mg/mmol", 265.2, "mg/g", 88.4, 530.4),
        ("SBP,mean,16,2,SD,kPa", 120.0, "mmHg", 15.0, 15.0),
        ("insulin_dose,mean,40,10,SD,E/d", 40.0, "IU/day", 10.0, 10.0),
        ("creatinine_clearance,mean,1.5,0.2,SD,mL/s/1.73 m²", 90.0, "mL/min/1.73m2", 12.0, 12.0),
    ],
)
def test_levels_differences_and_their_spread_in_evidence(
    tmp_path: Path, row: str, value: float, unit: str, low: float, high: float
) -> None:
    from betapod.evidence.records.registry import check_table

    endpoint, statistic, printed, spread, kind, of = row.split(",")
    text = f"ZZ1,Made-up 1,,,2024,DKD; x,RCT; x,ZZ,ZZ,,,,50,{endpoint},52,{statistic},{printed},{spread},{kind},{of},,made up,seen\n"
    (tmp_path / "mine.csv").write_text(HEADER + text, encoding="utf-8")
    (record,) = check_table(tmp_path / "mine.csv")
    assert (record.value, record.unit) == (pytest.approx(value, rel=4e-4), unit)
    assert record.dispersion is not None
    assert (record.dispersion.low, record.dispersion.high) == pytest.approx((low, high), rel=1e-3)


def test_a_ratio_needs_no_unit(tmp_path: Path) -> None:
    from betapod.evidence.records.registry import check_table

    (record,) = check_table(_overlay(tmp_path / "mine.csv", "composite_kidney_HR", "hazard ratio", "0.7", ""))
    assert (record.value, record.unit) == (0.7, "1")
    (record,) = check_table(_overlay(tmp_path / "mine.csv", "composite_kidney_HR", "hazard ratio", "70", "%"))
    assert (record.value, record.unit) == (0.7, "1")


def test_hba1c_per_year_is_converted_by_the_slope_alone(tmp_path: Path) -> None:
    from betapod.evidence.records.registry import check_table

    (record,) = check_table(_overlay(tmp_path / "mine.csv", "HbA1c_slope", "mean", "2", "mmol/mol/year"))
    assert record.value == pytest.approx(0.18296)
    assert record.unit == "%/year"
    with pytest.raises(BetapodError):
        check_table(_overlay(tmp_path / "mine.csv", "time_in_range", "mean", "53", "mmol/mol"))


def test_the_greek_letter_in_evidence(tmp_path: Path) -> None:
    """F16."""
    from betapod.evidence.records.registry import check_table

    with clinical.read_as() as sentences:
        (record,) = check_table(_overlay(tmp_path / "mine.csv", "serum_creatinine", "mean", "1", "mg/dl"))
    assert record.value == pytest.approx(88.4, rel=1e-4)
    assert sentences == ["ZZ1#1 serum_creatinine 1 mg/dl read as 88.4 umol/L"]
    (record,) = check_table(_overlay(tmp_path / "mine.csv", "serum_creatinine", "diff_vs_control", "-8", "\u03bcmol/L"))
    assert record.value == -8.0


def test_a_mean_change_of_hba1c_in_percent_is_in_points(tmp_path: Path) -> None:
    from betapod.evidence.records.registry import check_table

    (record,) = check_table(_overlay(tmp_path / "mine.csv", "HbA1c", "mean change", "-0.5", "%"))
    assert (record.kind, record.value) == ("mean", -0.5)
    (record,) = check_table(_overlay(tmp_path / "mine.csv", "UACR", "mean change", "-30", "%"))
    assert (record.kind, record.value) == ("percent", -30.0)
    (record,) = check_table(_overlay(tmp_path / "mine.csv", "UACR", "change_percent", "-0.3", "fraction"))
    assert (record.kind, record.value, record.unit) == ("percent", -30.0, "%")


def test_a_table_laid_over_another_is_converted_by_what_its_rows_measure() -> None:
    base = ParameterTable([Parameter("h", "HbA1c at the start", 7.0, "%", role="input")])
    above = ParameterTable(
        [Parameter("h", "", 53.0, "mmol/mol", low=20.0, high=140.0, distribution="normal(53, 11)", role="input")]
    )
    row = base.overlay(above)["h"]
    assert (row.value, row.low) == pytest.approx((7.0, 3.98), abs=0.01)
    assert row.shape == ("normal", pytest.approx(7.0, abs=0.01), pytest.approx(1.006, abs=0.001))


def test_shares_are_in_percent() -> None:
    from betapod.base.config import Rate, Settings, Share, check_document, parse_yaml

    class One(Settings):
        share: Share

    for text, value in (
        ("10 %", 0.1),
        ("0.1", 0.1),
        ("10 percent", 0.1),
        ("\uff11\uff10 \uff05", 0.1),
        ("0.1 fraction", 0.1),
    ):
        assert check_document(One, parse_yaml(f"share: {text}")).share == pytest.approx(value)
    for text in ("100 mg/g", "100 mmol/mol", "10 mg", "1,5 %"):
        with pytest.raises(BetapodError):
            check_document(One, parse_yaml(f"share: {text}"))

    class Other(Settings):
        rate: Rate

    for text in (
        "5 %/year",
        "5 per 100 PY",
        "0.05 /year",
        "50 events/1000 patient-years",
        "5 % p.a.",
        "0.0041667 1/month",
    ):
        assert check_document(Other, parse_yaml(f"rate: {text}")).rate == pytest.approx(0.05, rel=1e-4)
    for text in ("50 mg/g/year", "50 mmol/mol/year", "0.05", "5 %"):
        with pytest.raises(BetapodError):
            check_document(Other, parse_yaml(f"rate: {text}"))


def test_cohorts_say_how_they_are_read(tmp_path: Path) -> None:
    from betapod.patients.cohorts import cohort_catalogue

    path = tmp_path / "mine.yaml"
    path.write_text("baseline:\n  hba1c: {mean: 64, sd: 11, unit: mmol／mol}\n", encoding="utf-8")
    with clinical.read_as() as sentences:
        moments = cohort_catalogue.load_target(path).moments
    assert [moment.value for moment in moments] == pytest.approx([8.007, 1.006], abs=0.001)
    assert [text.partition(": ")[2] for text in sentences] == [
        "hba1c 64 mmol／mol read as 8.01 %",
        "hba1c, a difference, 11 mmol／mol read as 1.01 %",
    ]


@pytest.mark.parametrize(
    ("text", "unit", "label", "right"),
    [
        ("126 MG/DL", "mmol/L", "glucose at half-maximal secretion", 6.994),
        ("88.4 UMOL/L", "mg/dL", "nominal serum creatinine", 1.0),
        ("1 NG/ML", "nmol/L", "C-peptide of the fasting phase", 0.3311),
        ("1 mmol/L/day", "mg/dL/day", "glucose production at zero glucose", 18.0156),
        ("5 mmol/L", "mg/dL", "blood urea nitrogen of somebody", 14.007),
    ],
)
def test_a_label_that_names_an_analyte_is_read_as_that(text: str, unit: str, label: str, right: float) -> None:
    assert read_quantity(text, unit, label) == pytest.approx(right, rel=1e-3)
    with pytest.raises(BetapodError):
        read_quantity("1 Mg/dL", unit, label)


def test_an_unknown_share_in_mmol_per_mol_is_not_hba1c() -> None:
    for label in ("slope of something with HbA1c", "anything at all", ""):
        with pytest.raises(UnitError):
            clinical.convert_labelled(53.0, "mmol/mol", "%", label)
    fall = clinical.convert_labelled(11.0, "mmol/mol", "%", "fall of HbA1c per unit of the programme")
    assert fall == pytest.approx(1.006, abs=0.001)


# -- columns without a unit ------------------------------------------------------------------------------------------


def _people(folder: Path, header: str, *rows: str) -> PatientTable:
    path = folder / "people.csv"
    path.write_text("\n".join((f"id,{header}", *(f"p{i},{row}" for i, row in enumerate(rows)))), encoding="utf-8")
    return patient_tables.read_csv(path)


@pytest.mark.parametrize(
    ("header", "rows", "units"),
    [
        ("uacr", ("30", "300"), ("mg/g", "mg/mmol")),
        ("ACR", ("3", "30"), ("mg/g", "mg/mmol")),
        ("c_peptide", ("1.5", "3.0"), ("nmol/L", "ng/mL")),
        ("weight", ("150", "210"), ("kg", "pound")),
        ("duration", ("6", "24"), ("year", "month")),
        ("height", ("65", "70"), ("inch",)),
        ("hba1c", ("53", "64"), ("mmol/mol",)),
        ("fpg", ("126", "180"), ("mg/dL",)),
        ("creatinine", ("88", "120"), ("umol/L",)),
        ("sbp", ("16", "18.5"), ("kPa",)),
    ],
)
def test_a_column_that_could_be_in_two_units_is_refused(
    tmp_path: Path, header: str, rows: tuple[str, ...], units: tuple[str, ...]
) -> None:
    """Item 6 of the attackers: C-peptide in ng/mL, pounds and mg/mmol were taken for the library's units."""
    with pytest.raises(BetapodError) as caught:
        _people(tmp_path, header, *rows)
    assert set(caught.value.kinds) == {"missing-unit"}
    problem = caught.value.problems[0]
    assert all(f"[{unit}]" in problem.expected or unit in problem.hint for unit in units)


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("hba1c", ("6.2", "10.5")),
        # 10.2 to 11 mmol/mol would be 3.1 %, and 19 to 32 mg/dL of glucose a coma: possible, and nobody's table.
        ("hba1c", ("10.2", "11")),
        ("fpg", ("19", "32")),
        ("fpg", ("5.1", "13.4")),
        ("creatinine", ("0.7", "1.9")),
        ("height", ("155", "190")),
        ("sbp", ("110", "160")),
        ("egfr", ("15", "110")),
        ("bmi", ("22", "41")),
        ("age", ("45", "80")),
    ],
)
def test_a_column_whose_numbers_fit_one_unit_is_read_and_said(
    tmp_path: Path, header: str, rows: tuple[str, ...]
) -> None:
    found = _people(tmp_path, header, *rows)
    said = header in ("bmi", "age") or any("it has no unit" in text and header in text for text in found.notes)
    assert said
    if header in found.table:
        assert found.table[header].tolist() == [float(row) for row in rows]


def test_columns_with_units_of_every_kind(tmp_path: Path) -> None:
    """F16 and UCUM codes, which hold brackets of their own."""
    header = (
        "hba1c (mmol/mol),creatinine [\u03bcmol/L],uacr [mg/g{creat}],height [[in_i]],weight [lbs],sbp [mm[Hg]],age,sex"
    )
    found = _people(tmp_path, header, "53,88.4,30,70,150,130,60,F").table
    assert found["hba1c"][0] == pytest.approx(7.0, abs=0.001)
    assert found["uacr"][0] == 30
    assert found["height"][0] == pytest.approx(177.8)
    assert found["weight"][0] == pytest.approx(68.0388555)
    assert found["sbp"][0] == 130
    assert found["egfr"][0] == pytest.approx(64.5, abs=0.5)


@pytest.mark.parametrize(
    ("header", "cell", "name", "value"),
    [
        ("weight_kg", "80", "weight", 80.0),
        ("weight_lb", "150", "weight", 68.0388555),
        ("Weight, lbs", "150", "weight", 68.0388555),
        ("HbA1c %", "7.2", "hba1c", 7.2),
        ("hba1c_mmol_mol", "53", "hba1c", 7.00044),
        ("HbA1c_percent", "7.2", "hba1c", 7.2),
        ("glucose_mg_dl", "126", "fpg", 6.99394),
        ("uacr_mg_g", "30", "uacr", 30.0),
        ("ACR mg/mmol", "3.3936", "uacr", 30.0),
        ("height_in", "70", "height", 177.8),
        ("age_years", "60", "age", 60.0),
        ("duration_yrs", "12", "duration", 12.0),
        ("sbp_mmHg", "130", "sbp", 130.0),
        ("c_peptide_ng_ml", "1", "c_peptide", 0.3311),
        ("c-peptide pmol/L", "331", "c_peptide", 0.331),
    ],
)
def test_a_unit_behind_the_name_of_a_column(tmp_path: Path, header: str, cell: str, name: str, value: float) -> None:
    quoted = f'"{header}"'
    assert _people(tmp_path, f"{quoted},bmi", f"{cell},30").table[name][0] == pytest.approx(value, rel=1e-4)


@pytest.mark.parametrize("header", ["weight_change", "age at diagnosis", "sbp_1", "glucose 2h", "hba1c_1", "weight_cm"])
def test_other_words_behind_a_name_are_no_unit(tmp_path: Path, header: str) -> None:
    found = _people(tmp_path, f"{header},bmi", "50,30")
    assert list(found.table) == ["bmi"]
    assert any("columns without use" in text for text in found.notes)


def test_people_that_betapod_writes_it_reads(tmp_path: Path) -> None:
    from betapod.cli.verbs.patients import _write
    from betapod.patients import library

    everybody = library.default()
    _write(everybody, tmp_path / "people.csv")
    text = (tmp_path / "people.csv").read_text(encoding="utf-8").splitlines()
    assert {"uacr [mg/g]", "weight [kg]", "duration [year]"} <= set(text[0].split(","))
    (tmp_path / "some.csv").write_text("\n".join([text[0], *text[1:200:10]]), encoding="utf-8")
    assert len(patient_tables.read_csv(tmp_path / "some.csv").table) == 20


def test_the_command_line_says_how_numbers_were_read(tmp_path: Path) -> None:
    path = tmp_path / "units.yaml"
    path.write_text(PROTOCOL, encoding="utf-8")
    done = carry_out("trial", "check", str(path), "--json")
    assert done.returncode == 0
    assert "HbA1c max 86 mmol/mol read as 10.0 %" in done.stderr
    document = json.loads(done.stdout)
    assert "UACR min 22.6 mg/mmol read as 200 mg/g" in document["protocols"][0]["read_as"]
    done = carry_out(
        "simulate", "metabolism", "--days", "1", "--set", "HbA1c_start=53 mmol/mol", "-O", "HbA1c", "--json"
    )
    assert json.loads(done.stdout)["read_as"] == ["--set HbA1c_start=53 mmol/mol read as 7.00 %"]
    assert "--set HbA1c_start=53 mmol/mol read as 7.00 %" in done.stderr


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("BUN", "mg/dL urea"),
        ("BUN", "mg urea/dL"),
        ("BUN", "g/L urea"),
        ("HbA1c", "% IFCC"),
        ("HbA1c", "%(IFCC)"),
        ("HbA1c", "mmol/mol NGSP"),
        ("HbA1c", "mmol/mol (DCCT)"),
    ],
)
def test_words_that_make_a_unit_one_of_another_quantity_are_refused(name: str, unit: str) -> None:
    measured = clinical.known_quantity(name)
    assert measured is not None
    with pytest.raises(UnitError, match="wrong-unit"):
        clinical.convert_clinical(20.0, measured, unit)


def test_words_that_only_explain_a_unit_are_read() -> None:
    for name, unit, expected in (
        ("BUN", "mmol/L urea", 56.03), ("BUN", "mg/dL urea nitrogen", 20.0), ("BUN", "mg/dL N", 20.0),
        ("HbA1c", "% NGSP", 20.0), ("HbA1c", "mmol/mol IFCC", 3.98),
    ):  # fmt: skip
        measured = clinical.known_quantity(name)
        assert measured is not None
        assert clinical.convert_clinical(20.0, measured, unit) == pytest.approx(expected, rel=1e-3)
