"""What `params show` says of an installed fit: of the package's own models alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import carry_out
from made_up_fit import write_made_up_fit

from betapod.calibration.identifiability import STAYED
from betapod.cli import fitted_parameters
from betapod.cli.fitted_parameters import fitted_fields, newest_fit, unknowns_about
from betapod.physiology import installed_fits


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(installed_fits, "FITS", tmp_path)
    return write_made_up_fit(tmp_path / "2026.1", count=60)


def shown_document(*words: str) -> dict:
    done = carry_out("params", "show", *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["parameters"][0]


def test_a_fitted_parameter_has_prior_posterior_and_rows(installed: Path) -> None:
    record = installed_fits.read_fit_record(installed)
    (fit,) = shown_document("kidney", "h_N0")["fits"]
    unknown = next(unknown for unknown in record.unknowns if unknown.name == "h_N0")
    assert (fit["fit"], fit["unknown"], fit["kind"]) == ("2026.1", "h_N0", "row")
    assert fit["posterior"] == {name: pytest.approx(getattr(unknown, of)) for name, of in (("median", "median"), ("low", "low"), ("high", "high"), ("best", "map"))}  # fmt: skip
    assert fit["contraction"] == pytest.approx(unknown.contraction)
    shares = [row["share"] for row in fit["rows"]]
    assert len(shares) == 3 and shares == sorted(shares, reverse=True)
    text = carry_out("params", "show", "kidney", "h_N0").stdout
    assert "2026.1" in text and "contraction" in text and fit["rows"][0]["record"] in text


def test_words_of_contraction_are_those_of_the_checks() -> None:
    assert fitted_parameters._SPOKEN_TO == STAYED


def test_people_drugs_and_care_are_about_parameters_too(installed: Path) -> None:
    record = installed_fits.read_fit_record(installed)
    names = {key: [unknown.name for unknown in unknowns_about(record, key)] for key in ("xi", "xi_theta", "e_S", "dMAP", "UACR")}  # fmt: skip
    assert names == {
        "xi": ["xi median", "xi spread", "xi with xi_theta"],
        "xi_theta": ["xi_theta spread", "xi with xi_theta"],
        "e_S": ["SGLT2 inhibitor e_S"],
        "dMAP": ["care dMAP"],
        "UACR": [],
    }
    fields = fitted_fields(record, "e_S")
    assert fields[0] == ("fit", "2026.1, SGLT2 inhibitor e_S: factor on what the drug does")
    middle = next(unknown.median for unknown in record.unknowns if unknown.name == "h_N0")
    assert dict(fitted_fields(record, "h_N0", 2 * middle))["most probable"].endswith("; the table has another value")
    assert dict(fitted_fields(record, "h_N0", middle * 1.001))["most probable"].endswith("0.0085 before")
    bounded = dict(fitted_fields(record, "w_TGF"))
    assert bounded["contraction"].endswith("at a bound") and fitted_fields(record, "W0") == []


def test_tables_of_a_users_own_are_not_what_was_fitted(installed: Path, tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    assert carry_out("params", "list", "kidney", "--search", "h_N0", "--csv", table).returncode == 0
    assert shown_document("kidney", "h_N0", "--parameters", str(table))["fits"] == []


def test_without_an_installed_fit_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed_fits, "FITS", tmp_path)
    assert newest_fit() is None and shown_document("kidney", "h_N0")["fits"] == []
