"""A fit written into the tables: values where they belong, every other byte as it was."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import betapod
from betapod.base.errors import ConfigError
from betapod.calibration.fitted_tables import fit_key, fitted_tables, values_written
from betapod.model.parameters.table import ParameterTable
from betapod.physiology.installed_fits import FitRecord, FittedUnknown

PACKAGE = Path(betapod.__file__).parent
TABLES = ("physiology/parameters", "patients/profiles", "observables")


def unknown(name: str, kind: str, fitted: float, start: float = 1.0) -> FittedUnknown:
    return FittedUnknown(name, kind, "1", "", "log", start, 0.5, 2, start, fitted, fitted, 0.5, 2, 0.1, False)


def record(*unknowns: FittedUnknown) -> FitRecord:
    d = len(unknowns)
    none = np.zeros((0, 1), dtype=np.float32)
    return FitRecord("x", Path(), {}, unknowns, np.eye(d), np.zeros((1, d)), np.zeros((1, d)), np.zeros(1), {}, none)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for folder in TABLES:
        (tmp_path / folder).mkdir(parents=True)
        for path in (PACKAGE / folder).glob("*.*"):
            if path.suffix in (".csv", ".bib"):
                shutil.copy(path, tmp_path / folder / path.name)
    return tmp_path


def lines(root: Path) -> set[str]:
    tables = [path for folder in TABLES for path in (root / folder).glob("*.csv")]
    return {f"{path.name}:{line}" for path in tables for line in path.read_text(encoding="utf-8").splitlines()}


def test_values_effects_and_distributions_are_written_and_no_more(package: Path) -> None:
    fit = record(
        unknown("h_N0", "row", 0.00712346, 0.005),
        unknown("SGLT2 inhibitor e_S", "drug", 0.5),
        unknown("xi median", "median", 1.2),
        unknown("xi spread", "spread", 0.9),
        unknown("dMAP_60 shift", "median", 3.0, 0.0),
        unknown("UACR life", "visit", 0.6, 0.45),
        unknown("viability", "cells", 0.9),
    )
    tables = fitted_tables(fit, "2000.1", "current-evidence", package)
    tables.write()
    changes = tables.changes
    by_row = {change.row: change.after for change in changes}
    assert by_row["h_N0"] == "0.0071235"
    assert values_written(fit)["h_N0"] == 0.0071235
    assert by_row["empagliflozin 25 e_S"] == "0.325"
    assert by_row["UACR life at low values"] == f"{0.19 * 0.6 / 0.45:.5g}"
    sources = [*_keys(PACKAGE), fit_key("2000.1")]
    kidney = ParameterTable.read(package / "physiology/parameters/kidney.csv", sources=sources)
    assert kidney["h_N0"].role == "calibrated" and fit_key("2000.1") in kidney["h_N0"].source
    assert kidney["xi"].distribution == "lognormal(1.08, 0.9)"
    people = ParameterTable.read(package / "patients/profiles/population.csv", sources=sources)
    assert people["dMAP_60"].distribution == "normal(-2, 10)" and people["dMAP_60"].value == -2.0
    assert fit_key("2000.1") in (package / "physiology/parameters/references.bib").read_text()
    assert len(lines(PACKAGE) - lines(package)) == len({(change.file, change.row) for change in changes})


def test_a_row_of_people_leaves_the_row_of_the_model_with_its_name(package: Path) -> None:
    """Loss of beta cells is 0 in the model's table and belongs to people who are prone to it."""
    tables = fitted_tables(record(unknown("beta_decline", "row", 1.2e-4, 1.07e-4)), "2000.1", "none", package)
    assert [(change.file, change.after) for change in tables.changes] == [
        ("patients/profiles/population.csv", "0.00012")
    ]


def test_what_no_table_has_is_refused_and_nothing_is_written(package: Path) -> None:
    before = lines(package)
    fit = record(unknown("h_N0", "row", 0.007, 0.005), unknown("care dMAP", "care", -2.0, 0.0))
    with pytest.raises(ConfigError, match="care dMAP"):
        fitted_tables(fit, "2000.1", "current-evidence", package)
    assert lines(package) == before


def _keys(package: Path) -> list[str]:
    from betapod.physiology import whole_body

    return list(whole_body.bibliography_keys())
