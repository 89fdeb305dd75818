"""Tables of real people: conversions that are declared, errors with their places, nothing guessed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from betapod.base.errors import ConfigError
from betapod.observables.ckd_epi import ckd_epi_2021
from betapod.patients import library
from betapod.patients.cohorts import cohort_catalogue, patient_tables, reweight


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_declared_units_are_converted_and_said(tmp_path: Path) -> None:
    text = "ID,Age,Sex,HbA1c [mmol/mol],creatinine (umol/L),ACR [mg/mmol],shoe size\na,60,F,53,88.4,3.39,41\nb,50,male,NA,150,,40\n"
    people = patient_tables.read_csv(written(tmp_path, text))
    assert people.table["hba1c"][0] == pytest.approx(7.0, abs=0.01)
    assert np.isnan(people.table["hba1c"][1])
    assert people.table["uacr"][0] == pytest.approx(30.0, abs=0.05)
    assert people.table["egfr"][0] == pytest.approx(64.5, abs=0.5)
    notes = " ".join(people.notes)
    for words in ("hba1c: converted from mmol/mol to %", "CKD-EPI 2021", "'shoe size'", "hba1c: 1 of 2 missing"):
        assert words in notes


def test_every_error_with_its_place(tmp_path: Path) -> None:
    text = """\
id,age,sex,hba1c,creatinine,uacr [mg/g],fpg [mg/dL]
1,60,F,62,0.9,30,126
2,-5,M,7.2,110,10,126
2,55,M,7.2,1.1,10,126
4,55,Q,abc,1.1,10,126
5,55,F,7,1.1
"""
    with pytest.raises(ConfigError) as caught:
        patient_tables.read_csv(written(tmp_path, text))
    found = {(p.kind, p.location.line, p.location.column) for p in caught.value.problems}
    assert found == {
        ("impossible", 2, 4),
        ("negative", 3, 2),
        ("impossible", 3, 5),
        ("duplicate-person", 4, 0),
        ("bad-value", 5, 3),
        ("bad-number", 5, 4),
        ("short-row", 6, 0),
    }
    hints = " ".join(p.hint for p in caught.value.problems)
    assert "'hba1c [mmol/mol]'" in hints
    assert "'creatinine [umol/L]'" in hints


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "empty-table"),
        ("age\n", "empty-table"),
        ("foo,bar\n1,2\n", "no-columns"),
        ("age,age\n60,60\n", "duplicate-column"),
        ("hba1c [mg/dL]\n7\n", "wrong-unit"),
        ("age,bmi\n60,30\n60,30\n", "duplicate-person"),
    ],
)
def test_broken_tables(tmp_path: Path, text: str, kind: str) -> None:
    with pytest.raises(ConfigError) as caught:
        patient_tables.read_csv(written(tmp_path, text))
    assert kind in caught.value.kinds


def test_a_column_of_diabetes_may_name_its_type(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("age,diabetes\n50,T2D\n30,type 1\n60,no\n40,yes\n")
    found = patient_tables.read_csv(path)
    assert found.table["diabetes"].tolist() == [1.0, 1.0, 0.0, 1.0]
    assert found.table["T1D"].tolist()[:2] == [0.0, 1.0] and found.table["T1D"].isna().tolist()[2:] == [True, True]
    assert "T1D: from the words in diabetes" in found.notes


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no-file"):
        patient_tables.read_csv(tmp_path / "none.csv")
    with pytest.raises(ConfigError, match="no-file"):
        patient_tables.read_csv(tmp_path)


def test_cohort_like_a_table_of_people(tmp_path: Path) -> None:
    """People of the library itself, with some values missing, are found again as a distribution."""
    some = library.default().table.iloc[::50]
    frame = some[["age", "female", "bmi", "hba1c", "egfr", "uacr"]].copy()
    frame.insert(0, "id", np.arange(len(frame)))
    frame.loc[frame.index[::7], "bmi"] = np.nan
    path = tmp_path / "people.csv"
    frame.rename(columns={"uacr": "uacr [mg/g]"}).to_csv(path, index=False)
    target = cohort_catalogue.load_target(path)
    assert set(target.distributions) == {"age", "bmi", "hba1c", "egfr", "uacr"}
    report = reweight.select_patients(library.default(), target, 400).report
    assert report.distributions["miss_percent"].abs().max() < 5.0
    assert report.distributions["ks"].max() < 0.08
    assert report.correlations["miss"].abs().max() < 0.08


def test_few_people_are_no_distribution(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="few-people"):
        cohort_catalogue.load_target(written(tmp_path, "id,age\n1,60\n2,61\n"))


def test_ckd_epi_2021_agrees_with_published_examples() -> None:
    """The formula at its kinks: 142 times the age factor, and the factor of women."""
    found = ckd_epi_2021(np.array([0.9, 0.7, 1.8]), np.array([50.0, 50.0, 50.0]), np.array([0.0, 1.0, 0.0]))
    age = 0.9938**50
    np.testing.assert_allclose(found, [142 * age, 142 * age * 1.012, 142 * 2**-1.2 * age])
