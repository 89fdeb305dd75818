"""A fit written into the tables: values where they belong, every other byte as it was."""

from __future__ import annotations

import csv
import math
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import betapod
from betapod.base.errors import ConfigError
from betapod.calibration.fitted_tables import VALUES, FittedTables, fit_key, fitted_tables
from betapod.calibration.installed_tables import check_tables, edited_tables, written_text
from betapod.engine.draw import draw_parameters
from betapod.model.parameters.table import ParameterTable
from betapod.patients.population import moved_traits, population_correlations, population_table, sample
from betapod.physiology import whole_body
from betapod.physiology.installed_fits import FitRecord, FittedUnknown, list_fits, load_fit

PACKAGE = Path(betapod.__file__).parent
TABLES = ("physiology/parameters", "patients/profiles", "observables")


def unknown(
    name: str, kind: str, fitted: float, start: float = 1.0, low: float = math.nan, high: float = math.nan
) -> FittedUnknown:
    low, high = (fitted / 1.2 if math.isnan(low) else low, fitted * 1.2 if math.isnan(high) else high)
    transform = "log" if low > 0 else "linear"
    return FittedUnknown(
        name, kind, "1", "", transform, start, 0.5, 2, start, math.nan, fitted, low, high, 0.3, False
    )  # fmt: skip


def record(*unknowns: FittedUnknown, folder: Path = Path()) -> FitRecord:
    d = len(unknowns)
    none = np.zeros((0, 1), dtype=np.float32)
    return FitRecord("x", folder, {}, unknowns, np.eye(d), np.zeros((1, d)), np.zeros((1, d)), np.zeros(1), {}, none)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for folder in TABLES:
        (tmp_path / folder).mkdir(parents=True)
        for path in (PACKAGE / folder).glob("*.*"):
            if path.suffix in (".csv", ".bib"):
                shutil.copy(path, tmp_path / folder / path.name)
    return tmp_path


def write(tables: FittedTables) -> None:
    assert check_tables(tables) == []
    for file, text in tables.texts.items():
        (tables.package / file).write_bytes(text.encode())


def lines(root: Path) -> set[str]:
    tables = [path for folder in TABLES for path in (root / folder).glob("*.csv")]
    return {f"{path.name}:{line}" for path in tables for line in path.read_text(encoding="utf-8").splitlines()}


def read(package: Path, file: str) -> ParameterTable:
    return ParameterTable.read(package / file, sources=[*whole_body.bibliography_keys(), fit_key("2000.1")])


def start(name: str) -> float:
    """Return what the tables have, whichever fit they hold."""
    tables = (whole_body.model_parameters("reference"), population_table())
    return next(table[name].value for table in tables if name in table)


def test_values_effects_and_distributions_are_written_and_no_more(package: Path) -> None:
    h_n0 = start("h_N0")
    fit = record(
        unknown("h_N0", "row", 1.1 * h_n0, h_n0),
        unknown("SGLT2 inhibitor e_S", "drug", 0.5),
        unknown("xi median", "median", 1.2),
        unknown("xi spread", "spread", 0.9),
        unknown("dMAP_60 shift", "median", 3.0, 0.0, 1.0, 5.0),
        unknown("UACR life", "visit", 0.6, sd_of_life(PACKAGE)["life"]),
    )
    tables = fitted_tables(fit, "2000.1", "current-evidence", package)
    write(tables)
    by_row = {change.row: change for change in tables.changes if change.column in VALUES}
    assert by_row["h_N0"].after == f"{1.1 * h_n0:.5g}"
    effect = by_row["empagliflozin 25 e_S"]
    assert float(effect.after) == pytest.approx(0.5 * float(effect.before), rel=1e-4)
    before, after = sd_of_life(PACKAGE), sd_of_life(package)
    assert {of: after[of] / before[of] for of in before} == pytest.approx(
        dict.fromkeys(before, 0.6 / before["life"]), rel=1e-4
    )
    kidney, former = read(package, "physiology/parameters/kidney.csv"), whole_body.model_parameters("reference")
    assert kidney["h_N0"].role == "calibrated" and kidney["h_N0"].grade == "C"
    assert fit_key("2000.1") in kidney["h_N0"].source and f"{h_n0:g} before fit-2000.1" in kidney["h_N0"].note
    # 90 % of the posterior lie within a factor of 1.2, 95 % within one of 1.243.
    assert kidney["h_N0"].low == pytest.approx(1.1 * h_n0 / 1.2426, rel=1e-3)
    assert kidney["h_N0"].high == pytest.approx(1.1 * h_n0 * 1.2426, rel=1e-3)
    was, now = former["xi"].shape, kidney["xi"].shape
    assert was is not None and now is not None
    assert now[1:] == pytest.approx((1.2 * was[1], 0.9 * was[2]), rel=1e-4)
    people, before_people = read(package, "patients/profiles/population.csv"), population_table()
    assert people["dMAP_60"].value == pytest.approx(before_people["dMAP_60"].value + 3.0, rel=1e-4)
    assert people["dMAP_60"].low == pytest.approx(before_people["dMAP_60"].low + 3.0, rel=1e-4)
    assert fit_key("2000.1") in (package / "physiology/parameters/references.bib").read_text()
    life = next(line for line in lines(package) if line.startswith("variation.csv:UACR,life,"))
    assert "BMC Nephrol 2017;18:355 (497 people" in life and "(docwirenews.com); fit-2000.1" in life
    changed = {(change.file, change.row) for change in tables.changes}
    assert len(lines(PACKAGE) - lines(package)) == len(lines(package) - lines(PACKAGE)) == len(changed)


def sd_of_life(package: Path) -> dict[str, float]:
    rows = [line.split(",") for line in (package / "observables/variation.csv").read_text().splitlines()]
    return {row[1]: float(row[2]) for row in rows if row[0] == "UACR" and row[1].startswith("life")}


def test_people_drawn_from_the_written_tables_are_those_of_the_fit(package: Path) -> None:
    moves = {
        "xi_vessel median": 1.1, "xi_vessel spread": 1.08, "capacity_factor spread": 0.92, "killing_factor median": 0.9,
        "dMAP_60 shift": 2.0, "glucose_insulin median": 1.05, "adherence median": 1.3,
    }  # fmt: skip
    kinds = {name: "spread" if name.endswith("spread") else "median" for name in moves}
    unknowns = [unknown(name, kinds[name], value, 0.0 if "shift" in name else 1.0) for name, value in moves.items()]
    write(fitted_tables(record(*unknowns), "2000.1", "current-evidence", package))
    numbers = np.arange(3000)
    with moved_traits(moves):
        people = sample(5, numbers)
    drawn_by_fit = {**people.model, **people.traits}
    files = {
        "physiology/parameters/kidney.csv": ("xi_vessel",),
        "physiology/parameters/metabolism.csv": ("capacity_factor", "killing_factor"),
        "patients/profiles/population.csv": ("dMAP_60", "glucose_insulin", "adherence"),
    }
    former = {**whole_body.model_parameters("reference"), **population_table()}
    for file, names in files.items():
        drawn = draw_parameters(read(package, file), 5, numbers, names, correlations=population_correlations())
        for name in names:
            # The fit holds people within the former range, which has moved with the distribution.
            held = np.clip(drawn[name], former[name].low, former[name].high)
            np.testing.assert_allclose(held, drawn_by_fit[name], rtol=2e-3, atol=2e-3, err_msg=name)


def test_the_typical_body_stays_where_people_move(package: Path) -> None:
    """Rows of the model have the value of the typical body; of people it is the median."""
    write(fitted_tables(record(unknown("xi_theta median", "median", 1.5)), "2000.1", "current-evidence", package))
    assert read(package, "physiology/parameters/kidney.csv")["xi_theta"].value == start("xi_theta")


def test_a_range_of_ages_that_grows_wider_than_life_stays_above_0(package: Path) -> None:
    """What is possible at all follows from the range: an age that might be negative would have no limit any more."""
    shape = population_table()["decline_age"].shape
    assert shape is not None
    low = population_table()["decline_age"].low
    spread = 1.1 * shape[1] / (shape[1] - low)
    tables = fitted_tables(record(unknown("decline_age spread", "spread", spread)), "2000.1", "none", package)
    write(tables)
    assert read(package, "patients/profiles/population.csv")["decline_age"].low == pytest.approx(low / 10, rel=1e-4)


def test_weight_of_others_does_not_change_what_weight_does() -> None:
    numbers = np.arange(400)
    usual = sample(3, numbers)
    with moved_traits({"bmi_adult median": 1.1}):
        moved = sample(3, numbers)
    heavier = moved.traits["bmi_adult"] / usual.traits["bmi_adult"]
    power = population_table()["capacity_per_bmi"].value
    capacity = moved.model["capacity_inherited"] / usual.model["capacity_inherited"]
    np.testing.assert_allclose(capacity, heavier**power, rtol=1e-9)
    reference = population_table()["bmi_reference"].value
    type_1 = usual.traits["T1D"] > 0
    others = (usual.traits["prone"] == 0) & ~type_1
    inherited = population_table()["capacity_inherited_other"].value
    of_others = inherited * (usual.traits["bmi_adult"][others] / reference) ** power
    np.testing.assert_allclose(usual.model["capacity_inherited"][others], of_others, rtol=1e-9)


def test_rows_of_cells_are_current_evidence_alone(package: Path) -> None:
    fit = record(
        unknown("f_ibmir", "cells", 0.3, start("f_ibmir"), 0.2, 0.4),
        unknown("Emax_SI", "cells", 1.2, start("Emax_SI"), 0.8, 1.6),
    )
    before = {name: scenario(PACKAGE, name) for name in ("none", "face_value", "seed_claims", "current_evidence")}
    tables = fitted_tables(fit, "2000.1", "current-evidence", package)
    write(tables)
    now = {name: scenario(package, name) for name in before}
    assert now["current_evidence"]["f_ibmir"] == 0.3 and now["current_evidence"]["Emax_SI"] == 1.2
    for name in ("none", "face_value", "seed_claims"):
        assert now[name] == before[name]
    kept = read(package, "physiology/parameters/cells_seed_claims.csv")["f_ibmir"]
    assert (kept.role, kept.source, kept.grade) == ("assumed", "", "D") and "before fit-" in kept.note
    shape = read(package, "physiology/parameters/cells_current_evidence.csv")["Emax_SI"].shape
    # Half the 90 % interval is log(2)/2 on the logarithm: 1.645 SDs.
    assert shape is not None and shape[1:] == pytest.approx((1.2, math.log(2.0) / 2.0 / 1.6449), rel=1e-3)


def scenario(package: Path, name: str) -> Mapping[str, float]:
    folder = package / "physiology/parameters"
    base = ParameterTable.read(
        *(folder / f"{file}.csv" for file in ("cells", "cell_products", "cells_current_evidence"))
    )
    others = ParameterTable.read(folder / f"cells_{name}.csv")
    return {key: row.value for key, row in {**base, **others}.items()}


def test_a_row_of_people_leaves_the_row_of_the_model_with_its_name(package: Path) -> None:
    """Loss of beta cells is 0 in the model's table and belongs to people who are prone to it."""
    value = population_table()["beta_decline"].value
    fit = record(unknown("beta_decline", "row", 1.1 * value, value))
    tables = fitted_tables(fit, "2000.1", "none", package)
    assert [(change.file, change.after) for change in tables.changes if change.column == "value"] == [
        ("patients/profiles/population.csv", f"{1.1 * value:.5g}")
    ]


def test_correlations_are_written_as_they_are_drawn(package: Path) -> None:
    fit = record(
        replace(unknown("xi with xi_h", "correlation", 0.2, 0.0, -0.1, 0.4), transform="atanh"),
        replace(unknown("dMAP_60 with bmi_adult", "correlation", 0.3, rank(0.20)), transform="atanh"),
    )
    write(fitted_tables(fit, "2000.1", "current-evidence", package))
    rows = (package / "patients/profiles/correlations.csv").read_text().splitlines()
    rho = f"{2 * math.sin(math.pi * 0.2 / 6):.5g}"
    assert rows[-1].startswith(f"xi,xi_h,{rho},fit-2000.1,C,")
    assert [row for row in rows if row.startswith(f"bmi_adult,dMAP_60,{2 * math.sin(math.pi * 0.3 / 6):.5g},")]


def rank(rho: float) -> float:
    return 6.0 / math.pi * math.asin(rho / 2.0)


def test_what_no_table_has_and_what_was_changed_is_refused_at_once(package: Path) -> None:
    before = lines(package)
    fit = record(unknown("h_N0", "row", 0.007, 2.0 * start("h_N0")), unknown("care dMAP", "care", -2.0, 0.0))
    with pytest.raises(ConfigError) as caught:
        fitted_tables(fit, "2000.1", "current-evidence", package)
    assert caught.value.kinds == ("old-fit", "no-row")
    assert lines(package) == before


def test_a_fit_is_written_once_and_a_later_one_takes_its_place(package: Path) -> None:
    value = start("h_N0")
    write(fitted_tables(record(unknown("h_N0", "row", 1.1 * value, value)), "2000.1", "current-evidence", package))
    first = read(package, "physiology/parameters/kidney.csv")["h_N0"]
    with pytest.raises(ConfigError, match="already"):
        fitted_tables(record(unknown("h_N0", "row", value, first.value)), "2000.1", "current-evidence", package)
    write(fitted_tables(record(unknown("h_N0", "row", value, first.value)), "2000.2", "current-evidence", package))
    row = ParameterTable.read(package / "physiology/parameters/kidney.csv")["h_N0"]
    assert row.source.split(";")[-1] == "fit-2000.2" and "fit-2000.1" not in row.source + row.note
    assert row.note.count("before fit-") == 1


def test_an_edited_value_and_a_fit_that_is_not_there_are_found(package: Path, tmp_path: Path) -> None:
    value = start("h_N0")
    tables = fitted_tables(record(unknown("h_N0", "row", 1.1 * value, value)), "2000.1", "current-evidence", package)
    write(tables)
    folder = tmp_path / "fits"
    folder.mkdir()
    (folder / "written.csv").write_text(written_text(tables.changes), encoding="utf-8")
    installed = {name: load_fit(name) for name in list_fits()}
    fits = {**installed, "2000.1": record(unknown("h_N0", "row", 1.1 * value, value), folder=folder)}
    assert edited_tables(package, fits) == []
    assert "unknown-fit" in [problem.kind for problem in edited_tables(package, installed)]
    path = package / "physiology/parameters/kidney.csv"
    text = path.read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("h_N0,"))
    path.write_text(text.replace(line, line.replace(f",{1.1 * value:.5g},", ",0.004,")), encoding="utf-8")
    problem = edited_tables(package, fits)[0]
    assert problem.kind == "edited-table" and problem.found == "0.004" and problem.expected == f"{1.1 * value:.5g}"


def test_the_prior_of_a_row_is_not_the_posterior_of_the_fit_before(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from betapod.calibration import installed_tables

    former = whole_body.model_parameters("reference")["h_N0"]
    tables = fitted_tables(record(unknown("h_N0", "row", 1.1 * former.value, former.value)), "2000.1", "none", package)
    write(tables)
    (tmp_path / "written.csv").write_text(written_text(tables.changes), encoding="utf-8")
    row = read(package, "physiology/parameters/kidney.csv")["h_N0"]
    # The invented posterior is a factor of 1.2 either way; the range of today may be narrower or wider.
    assert (row.low, row.high) != (former.low, former.high)
    monkeypatch.setattr(installed_tables, "list_fits", lambda: ["2000.1"])
    monkeypatch.setattr(installed_tables, "load_fit", lambda name: record(folder=tmp_path))
    again = installed_tables.with_former_range(row)
    assert (again.value, again.low, again.high) == (row.value, former.low, former.high)
    assert installed_tables.with_former_range(former) == former or "fit-" in former.source


def test_the_tables_of_the_package_are_what_its_fits_wrote() -> None:
    assert edited_tables() == []


def test_what_is_called_calibrated_names_its_fit_and_nothing_else_does() -> None:
    installed = {fit_key(name) for name in list_fits()}
    counts = {"calibrated": 0, "tuned": 0}
    for path in sorted(PACKAGE.glob("**/*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row.get("role") not in counts:
                    continue
                of_fit = bool(installed & set(re.split(r"[;\s]+", row.get("source") or "")))
                assert of_fit == (row["role"] == "calibrated"), f"{path.name}: {row}"
                counts[row["role"]] += 1
    assert counts["calibrated"] >= 50 and counts["tuned"] > 200
