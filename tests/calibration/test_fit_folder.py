"""Records of fits: written, read again, checked file by file, never half written."""

from __future__ import annotations

import hashlib
import io
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from toy_fits import finished, unknowns

from betapod.base.errors import ConfigError
from betapod.calibration.fit_folder import (
    add_tables,
    begin_fit_folder,
    fit_manifest,
    is_finished_fit,
    places_at_bound,
    row_columns,
    unknown_columns,
    write_fit_record,
)
from betapod.physiology import installed_fits
from betapod.physiology.installed_fits import list_fits, load_fit, read_fit_record


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    fit = finished()
    write_fit_record(tmp_path / "f", fit)
    record = read_fit_record(tmp_path / "f")
    assert record.names == ("k0", "k1", "k2") and record.kinds["k0"] == "row"
    assert np.array_equal(record.covariance, fit.covariance) and np.array_equal(record.draws_u, fit.draws_u)
    assert record.values()["k1"] == fit.unknowns[1].value(fit.mean[1])
    assert record.values(3)["k2"] == fit.unknowns[2].value(fit.draws_u[3, 2])
    assert record.weights.sum() == pytest.approx(1.0) and 1 < record.effective_draws < 64
    assert list(record.rows["record"]) == list(fit.rows.record)
    assert np.array_equal(record.rows["observed"], fit.rows.observed)
    assert np.array_equal(record.rows["fitted"], fit.rows.fitted)
    assert record.row_draws.shape == (24, 64) and record.row_draws.dtype == np.float32
    np.testing.assert_allclose(record.row_draws.T, np.exp(fit.drawn), rtol=1e-6)
    assert record.discrepancy == {"ratio": (0.1, 0.05, "log")}
    assert record.rows["freedom"].tolist() == [np.inf] * 24


def test_nothing_is_said_of_what_the_model_lacks_where_no_row_was_fitted(tmp_path: Path) -> None:
    fit = finished()
    lacking = tuple("ratio" if is_fitted else "level %" for is_fitted in fit.rows.fitted)
    write_fit_record(tmp_path, replace(fit, lacking=lacking))
    assert list(read_fit_record(tmp_path).discrepancy) == ["ratio"]


def test_priors_and_posteriors_are_quantiles() -> None:
    fit = finished()
    columns = unknown_columns(fit)
    first = fit.unknowns[0]
    assert columns["prior_high"][0] / columns["prior_median"][0] == pytest.approx(np.exp(1.6449 * first.sd), rel=1e-4)
    assert (columns["low"] < columns["median"]).all() and (columns["median"] < columns["high"]).all()
    np.testing.assert_allclose(columns["contraction"], 1 - np.sqrt(np.diag(fit.covariance)))


def test_intervals_widen_with_what_is_not_certain() -> None:
    fit = finished()
    columns = row_columns(fit)
    # On the scale of the fit, by hand for one row.
    i = 5
    weights = np.exp(fit.log_weights) / np.exp(fit.log_weights).sum()
    mean = (weights * fit.drawn[:, i]).sum()
    sd = np.sqrt((weights * (fit.drawn[:, i] - mean) ** 2).sum() / (1 - (weights**2).sum()))
    assert columns["sd_parameters"][i] == pytest.approx(sd)
    assert columns["z_after"][i] == pytest.approx((fit.rows.observed[i] - fit.after[i]) / fit.rows.se[i])
    error = np.sqrt(fit.rows.se[i] ** 2 + sd**2 + 0.1**2 + 0.05**2)
    assert columns["inside_all"][i] == (abs(fit.rows.observed[i] - mean) <= 1.6448536 * error)
    assert columns["inside_all"].sum() >= columns["inside_parameters"].sum() >= 1
    # Few degrees of freedom widen an interval.
    few = row_columns(replace(fit, rows=replace(fit.rows, freedom=np.full(24, 2.0))))
    assert few["inside_before"].sum() >= columns["inside_before"].sum()


def test_places_at_bounds() -> None:
    first, second, third = unknowns()
    bounded = (replace(first, high=0.12), second, third)
    assert places_at_bound(bounded, np.array([2.0, 3.0, 0.0])).tolist() == [True, True, False]


@pytest.mark.parametrize("name", ["rows.csv", "draws.npz", "trace.csv"])
def test_a_changed_or_missing_file_is_named(tmp_path: Path, name: str) -> None:
    trace = {"trace.csv": {"stage": np.array(["A"], dtype=object), "loss": np.array([1.5])}}
    write_fit_record(tmp_path, replace(finished(), tables=trace))
    assert is_finished_fit(tmp_path) and read_fit_record(tmp_path).table("trace.csv")["loss"].tolist() == [1.5]
    path = tmp_path / name
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(ConfigError, match=f"{name}.*not the one") as caught:
        read_fit_record(tmp_path)
    path.unlink()
    with pytest.raises(ConfigError, match=f"{name}.*missing"):
        read_fit_record(tmp_path)
    assert caught.value.kinds == ("damaged-fit",) and not is_finished_fit(tmp_path)


def test_tables_of_checks_come_later(tmp_path: Path) -> None:
    write_fit_record(tmp_path, finished())
    families = {"family": np.array(["F0", "=F1"], dtype=object), "rows": np.array([4.0, np.nan])}
    add_tables(tmp_path, {"left_out.csv": families}, {"left_out": "computed"})
    record = read_fit_record(tmp_path)
    assert record.identity["checks"] == {"left_out": "computed"}
    assert record.table("left_out.csv")["family"].tolist() == ["F0", "=F1"]
    assert np.isnan(record.table("left_out.csv")["rows"][1])
    with pytest.raises(ConfigError, match="no profiles"):
        record.table("profiles.csv")


def test_a_folder_holds_one_fit(tmp_path: Path) -> None:
    identity = {"kind": "fit", "problem": "name: toy\n", "seed": 1}
    folder = begin_fit_folder(tmp_path / "f", identity, ["betapod", "fit"])
    assert begin_fit_folder(folder, identity) == folder
    assert fit_manifest(folder)["command"] == ["betapod", "fit"]
    assert (folder / "problem.yaml").read_text() == "name: toy\n"
    with pytest.raises(ConfigError, match="another fit") as caught:
        begin_fit_folder(folder, {**identity, "seed": 2})
    assert caught.value.problems[0].found == "different seed"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("x")
    with pytest.raises(ConfigError, match="holds no fit"):
        begin_fit_folder(tmp_path / "other", identity)
    for path in (tmp_path / "other", tmp_path / "nowhere"):
        with pytest.raises(ConfigError, match="holds no fit"):
            fit_manifest(path)


def test_installed_fits_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed_fits, "FITS", tmp_path)
    assert list_fits() == []
    with pytest.raises(ConfigError, match=r"there is no fit '2026\.1'"):
        load_fit("2026.1")
    for name in ("2026.10", "2026.9"):
        write_fit_record(tmp_path / name, finished())
    assert list_fits() == ["2026.9", "2026.10"]
    assert load_fit("2026.9").name == "2026.9"
    with pytest.raises(ConfigError) as caught:
        load_fit("2026.8")
    assert "2026.9" in caught.value.problems[0].expected


def test_a_record_of_other_shapes_is_refused(tmp_path: Path) -> None:
    fit = finished()
    write_fit_record(tmp_path, fit)
    content = json.loads((tmp_path / "fit.json").read_text())
    buffer = io.BytesIO()
    np.save(buffer, np.eye(2))
    (tmp_path / "covariance.npy").write_bytes(buffer.getvalue())
    content["files"]["covariance.npy"] = hashlib.sha256(buffer.getvalue()).hexdigest()
    del content["digest of this file"]
    (tmp_path / "fit.json").write_text(json.dumps(content))
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        read_fit_record(tmp_path)
    assert "other shapes" in caught.value.problems[0].found


def test_a_draw_is_relative_to_tables_that_have_the_fit(tmp_path: Path) -> None:
    """Tables have the central values: factors are over these, shifts differ from them, the rest are values."""
    write_fit_record(tmp_path / "fit", finished())
    record = read_fit_record(tmp_path / "fit")
    a, b, c = record.unknowns
    kinds = (replace(a, kind="drug"), replace(b, name="MAP0 shift", kind="median"), c)
    renamed = replace(record, unknowns=kinds)
    drawn, fitted = renamed.values(3), renamed.values()
    assert renamed.relative(3) == {
        "k0": drawn["k0"] / fitted["k0"],
        "MAP0 shift": drawn["MAP0 shift"] - fitted["MAP0 shift"],
        "k2": drawn["k2"],
    }
    assert renamed.relative() == {"k0": 1.0, "MAP0 shift": 0.0, "k2": fitted["k2"]}
    care = replace(record, unknowns=(replace(a, kind="care"), replace(b, kind="spread"), replace(c, kind="visit")))
    assert list(care.relative().values()) == [0.0, 1.0, fitted["k2"]]


def test_a_draw_moves_tables_that_were_not_given_the_fit(tmp_path: Path) -> None:
    write_fit_record(tmp_path / "fit", finished())
    record = read_fit_record(tmp_path / "fit")
    apart = replace(record, identity={**record.identity, "in tables": False})
    start = {unknown.name: unknown.start for unknown in record.unknowns}
    assert apart.relative() == start
    drawn, fitted = record.values(3), record.values()
    assert all(fitted[name] != start[name] for name in start)
    assert apart.relative(3) == {name: pytest.approx(start[name] * drawn[name] / fitted[name]) for name in start}
    steep = replace(record.unknowns[0], transform="logit", start=0.5, median=0.2)
    moved = replace(apart, unknowns=(steep, *record.unknowns[1:]))
    odds = drawn["k0"] / (1.0 - drawn["k0"]) / (0.2 / 0.8)
    assert moved.relative(3)["k0"] == pytest.approx(odds / (1.0 + odds))


def test_the_start_is_relative_to_tables_that_have_the_fit(tmp_path: Path) -> None:
    """What comes back: factors of the start over those of the fit, differences of shifts, values of rows; nothing of what did not move."""
    write_fit_record(tmp_path / "fit", finished())
    record = read_fit_record(tmp_path / "fit")
    a, b, c = record.unknowns
    still = replace(c, name="k3", median=c.start)
    renamed = replace(
        record, unknowns=(replace(a, kind="drug"), replace(b, name="MAP0 shift", kind="median"), c, still)
    )
    assert renamed.at_start() == {"k0": a.start / a.median, "MAP0 shift": b.start - b.median, "k2": c.start}
    assert replace(renamed, identity={**record.identity, "in tables": False}).at_start() == {}


def test_what_was_edited_in_what_a_fit_says_of_itself_is_noticed(tmp_path: Path) -> None:
    write_fit_record(tmp_path, replace(finished(), identity={"warnings": ["It did not converge."], "loss": math.inf}))
    assert read_fit_record(tmp_path).identity["warnings"] == ["It did not converge."]
    path = tmp_path / "fit.json"
    path.write_text(path.read_text().replace('"It did not converge."', ""))
    with pytest.raises(ConfigError, match="edited") as caught:
        read_fit_record(tmp_path)
    assert caught.value.kinds == ("damaged-fit",) and caught.value.problems[0].location.file == str(path)
