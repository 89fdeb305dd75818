"""What is measured is defined once: no file beside the table types an error, a code, a unit or a range of an observable."""

from __future__ import annotations

import ast
import csv
import functools
import re

import pytest
from source_trees import PACKAGE, ROOMS, files_of, tree_of

from betapod.observables.table import fixed, names_for, observables_and_characteristics, trial_observables
from betapod.observables.variation import FOLDER

#: Lists of observables that define none: file and what stands there.
OTHER = {
    "exchange/cdisc/measured_records.py": "test codes of SDTM where the standard has another than ADaM",
    "explorer/explorer_library.py": "other units that labs may be typed in; somebody in whom ranges of equations are tried",
    "hazards/complications/terms.py": "terms of log hazards, each in a scale and from an origin of its own",
    "hazards/ukpds/risk_factors.py": "what the equations of another model read, in its scales",
    "patients/cohorts/nhanes_files.py": "spans of raw columns in the survey's units; names of drugs",
    "patients/cohorts/patient_columns.py": "other units that tables of people may be in",
    "patients/life_course.py": "what is read from the model while a life is grown",
    "patients/plausibility.py": "which columns of a library are judged, by the table's ranges",
    "validation/predictions/visits.py": "what somebody shows whose kidneys have failed",
    "report/answer/simulated_effects.py": "words of lay readers, and unit and decimals of a change (that of UACR in per cent)",
    "person/glucose_tests.py": "indices of a test, each computed",
}


@functools.cache
def _errors() -> frozenset[str]:
    """Return the errors with three digits or more: shorter numbers stand for many things."""
    with (FOLDER / "variation.csv").open(encoding="utf-8", newline="") as file:
        return frozenset(row["sd"] for row in csv.DictReader(file) if len(row["sd"].strip("0.")) >= 3)


def typed_errors(text: str) -> list[str]:
    """Return the errors of measurements that a text types, but for those in docstrings and comments."""
    text = re.sub(r'"""(?:.|\n)*?"""|#.*', "", text)
    return [sd for sd in sorted(_errors()) if re.search(rf"(?<![\d.]){re.escape(sd)}(?!\d)", text)]


@functools.cache
def _known() -> tuple[frozenset[str], ...]:
    """Return the names of observables, of their codes, of columns and of the registry."""
    return (
        frozenset(observables_and_characteristics()),
        frozenset({*trial_observables(), *fixed()}),
        frozenset(each.cohort for each in observables_and_characteristics().values() if each.cohort),
        frozenset(names_for("registry")),
    )


def definitions(tree: ast.Module) -> list[int]:
    """Return the lines of dictionaries that say something of four or more observables, codes or columns."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
            if any(len(keys & some) >= 4 for some in _known()):
                found.append(node.lineno)
    return found


@pytest.mark.parametrize("room", [room for room in ROOMS if room != FOLDER.name])
def test_no_other_file_defines_what_is_measured(room: str) -> None:
    paths = {str(path.relative_to(PACKAGE)): path for path in files_of(room)}
    errors = {name: sds for name, path in paths.items() if (sds := typed_errors(path.read_text(encoding="utf-8")))}
    assert not errors, f"an error of measurement belongs to observables/variation.csv: {errors}"
    lists = {name: lines for name, path in paths.items() if name not in OTHER and (lines := definitions(tree_of(path)))}
    assert not lists, f"in these lines, belongs to observables/*.csv: {lists}"


def test_no_table_repeats_an_error_of_measurement() -> None:
    """Tables of parameters had the errors a second time, for the library of patients."""
    for path in (*PACKAGE.glob("patients/profiles/*.csv"), *PACKAGE.glob("trials/**/*.csv")):
        assert not typed_errors(path.read_text(encoding="utf-8")), path.name


def test_the_list_of_others_is_no_longer_than_it_must_be() -> None:
    assert {name for name in OTHER if not definitions(tree_of(PACKAGE / name))} == set()


def test_the_scanner_finds_them() -> None:
    assert {"0.0805", "0.0727"} <= _errors()
    assert typed_errors("sd = 0.0805") == ["0.0805"] and typed_errors('x = 0.08051  # 0.0805\n"""0.0805"""') == []
    assert definitions(ast.parse('x = {"UACR": 1, "CREAT": 2, "HBA1C": 3, "EGFR": 4}')) == [1]
    assert definitions(ast.parse('x = {"hba1c": "%", "fpg": "mmol/L", "sbp": "mmHg"}')) == []


def test_units_of_the_registry_come_from_the_table() -> None:
    """Rows of the vocabulary that name an observable leave unit and direction to it; those of its slopes agree."""
    from betapod.base.units import parse_unit
    from betapod.evidence.records import vocabulary

    with (vocabulary.FOLDER / "endpoints.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        known = names_for("registry").get(row["endpoint"])
        observable = observables_and_characteristics().get(row["endpoint"] if known is None else known.means)
        if observable is not None:
            assert not row["unit"] and not row["better"], row["text"]
        base = observables_and_characteristics().get(row["endpoint"].removesuffix("_slope"))
        if row["endpoint"].endswith("_slope") and row["unit"] and base is not None:
            assert parse_unit(row["unit"]) == parse_unit(f"{base.unit}/year")
    assert vocabulary.endpoints()["UACR_change_pct"] == vocabulary.EvidenceEndpoint("UACR", "mg/g", -1)
    assert vocabulary.endpoints()["serum_creatinine"].unit == "umol/L"
    assert vocabulary.endpoints()["eGFR_acute_change"].better == 0
    assert vocabulary.endpoints()["Kf_single_nephron_change_pct"].unit == ""


def test_trials_patients_and_predictions_share_one_error() -> None:
    """Creatinine had an error of 0.06 in one room and 0.0805 in the other, eGFR 0.073 and 0.0727."""
    from betapod.patients import observe
    from betapod.validation.predictions.visits import compared

    for name, each in compared().items():
        assert each is observables_and_characteristics()[name]
        if each.paramcd:
            assert each is trial_observables()[each.paramcd]
        if each.cohort in observe.measurement_noise():
            assert observe.measurement_noise()[each.cohort] == each.relative_error
    assert set(observe.measurement_noise()) == {"hba1c", "fpg", "egfr", "uacr", "c_peptide"}


def test_every_endpoint_that_is_predicted_is_an_observable() -> None:
    from betapod.observables.outcomes import SHARES
    from betapod.validation.predictions.study_readouts import _SLOPES
    from betapod.validation.predictions.visits import compared

    assert {name for name, _, _ in _SLOPES.values()} <= set(compared())
    assert not set(SHARES) & set(observables_and_characteristics())
