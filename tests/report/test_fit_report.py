"""Pictures and words of a fit folder: what they say is what the folder holds, and every fault of a folder is told at once."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_fit import UNKNOWNS, write_made_up_fit
from toy_fits import finished

from betapod.base.errors import ConfigError
from betapod.calibration.fit_folder import add_tables, write_fit_record
from betapod.physiology.installed_fits import read_fit_record
from betapod.report.common.interval_section import kind_in_words
from betapod.report.fit import fit_drawings, fit_figures, fit_page
from betapod.report.fit import fit_findings as findings
from betapod.report.fit.fit_contents import FitContents, on_natural_scale, prior_place, read_fit_contents
from betapod.report.fit.fit_drawings import draw_priors, even_parts, weighted_quantiles
from betapod.report.fit.fit_figures import draw_fit_figures, fit_pictures
from betapod.report.fit.fit_row_drawings import draw_coverage
from betapod.report.fit.fit_squares import draw_observed_predicted, square_scale


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_made_up_fit(tmp_path_factory.mktemp("fit") / "made-up")


@pytest.fixture(scope="module")
def contents(folder: Path) -> FitContents:
    return read_fit_contents(folder)


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def test_every_fault_of_a_folder_is_told_at_once(copy: Path) -> None:
    add_tables(copy, {"coverage.csv": {"actual": np.zeros(1)}, "eigen.csv": {"direction": np.ones(1)}})
    with pytest.raises(ConfigError) as caught:
        read_fit_contents(copy)
    places = [(problem.kind, Path(problem.location.file).name) for problem in caught.value.problems]
    assert places == [("missing-columns", "coverage.csv"), ("missing-columns", "eigen.csv")]
    assert "lacks eigenvalue, unknown, loading" in str(caught.value)


def test_changed_files_are_refused(copy: Path) -> None:
    np.save(copy / "covariance.npy", np.eye(3))
    (copy / "draws.npz").unlink()
    with pytest.raises(ConfigError) as caught:
        read_fit_contents(copy)
    assert [Path(problem.location.file).name for problem in caught.value.problems] == ["covariance.npy", "draws.npz"]


def test_the_best_fit_stands_where_it_lies_in_its_prior(contents: FitContents) -> None:
    """The place in the prior is got back from values on every transform."""
    for row, (_, _, _, transform, start, sd) in zip(contents.unknowns.to_dict("records"), UNKNOWNS, strict=True):
        assert prior_place(row, start) == pytest.approx(0, abs=1e-9)
        if transform == "log":
            assert prior_place(row, start * math.exp(1.5 * sd)) == pytest.approx(1.5)
        if transform == "atanh":
            assert prior_place(row, math.tanh(math.atanh(start) - 2 * sd)) == pytest.approx(-2)


def test_natural_scales() -> None:
    assert on_natural_scale("angle", 2 * math.asin(math.sqrt(0.3))) == pytest.approx(0.3)
    assert on_natural_scale("log", math.log(0.6)) == pytest.approx(0.6)
    assert on_natural_scale("linear", -3.5) == -3.5


def test_confounded_unknowns_are_named_with_what_their_sign_means(contents: FitContents) -> None:
    pair = findings.inseparable_pairs(contents)[0]
    sd = np.sqrt(np.diag(contents.covariance))
    assert (pair.first, pair.second) == ("h_N0", "care dMAP")
    assert pair.correlation == pytest.approx(contents.covariance[0, 17] / sd[0] / sd[17])
    assert pair.correlation > 0.6 and "both higher" in pair.words()
    assert "reverse" in findings.UnknownPair("a", "b", -0.7).words()


def test_informed_and_unmoved_unknowns_are_all_unknowns(contents: FitContents) -> None:
    informed, unmoved = findings.informed_unknowns(contents), findings.unmoved_unknowns(contents)
    assert len(informed) + len(unmoved) == len(UNKNOWNS)
    assert informed["contraction"].min() >= 0.1 > unmoved["contraction"].max()
    assert informed["contraction"].is_monotonic_decreasing
    assert findings.fit_message(contents)[0].startswith(f"The evidence speaks to {len(informed)} of 25 unknowns")


def test_the_message_counts_fitted_and_set_aside_rows_apart(contents: FitContents) -> None:
    rows = contents.rows
    aside = rows[~rows["fitted"]]
    assert (
        f"Of {len(aside)} rows set aside, which the fit never saw, {int(aside['inside_before'].sum())} ("
        in findings.fit_message(contents)[1]
    )
    assert len(findings.inside_table(contents)) == 4


def test_direction_words_do_not_hang_on_the_sign_of_an_eigenvector(contents: FitContents) -> None:
    turned = replace(contents, eigen=contents.eigen.assign(loading=-contents.eigen["loading"]))
    for direction in (1, 2, 3):
        assert findings.direction_words(contents, "", direction) == findings.direction_words(turned, "", direction)
    assert " up (" in findings.direction_words(contents, "", 1)


@pytest.mark.parametrize(
    ("scale", "tau", "units", "words"),
    [
        ("angle", 0.0, ["1"], "20 % may be 20 to 20 %"),
        ("log", math.log(2), ["1"], "× or ÷ 2"),
        ("linear", 1.7, ["mL/min/1.73m2/a"], "±1.7 mL/min/1.73\u00a0m²/a"),
        ("linear", 9.0, ["mmHg", "%"], "±9 in the unit of the row (mmHg and %)"),
    ],
)
def test_discrepancy_in_natural_units(scale: str, tau: float, units: list[str], words: str) -> None:
    assert findings.discrepancy_words(scale, tau, units) == words


def test_a_class_of_discrepancy_may_be_of_one_unit(contents: FitContents) -> None:
    lines = {line["class"]: line for line in findings.discrepancy_table(contents)}
    pressure = contents.rows[(contents.rows["class"] == "level") & (contents.rows["unit"] == "mmHg")]
    assert lines["level mmHg"]["error"] == pytest.approx(pressure["se"].median())
    assert kind_in_words("level mmHg") == "levels and changes, mmHg"
    assert kind_in_words("level % HbA1c") == "levels and changes, HbA1c %"
    assert kind_in_words("event ratio") == "ratios of events"


def test_families_have_medians_of_their_rows(contents: FitContents) -> None:
    table = findings.family_misses(contents).set_index("family")
    family = table.index[3]
    rows = contents.rows[contents.rows["family"] == family]
    assert table.loc[family, "before"] == pytest.approx(rows["z_before"].abs().median())
    assert table["rows"].sum() == len(contents.rows)


def test_weighted_quantiles_heed_weights() -> None:
    values, even = np.array([3.0, 1.0, 2.0]), np.full(3, 1 / 3)
    assert weighted_quantiles(values, even, [0.5]) == pytest.approx([2.0])
    assert weighted_quantiles(values, np.array([0.98, 0.01, 0.01]), [0.5])[0] > 2.9
    assert [len(part) for part in even_parts(range(10), 4)] == [3, 4, 3]


def test_plotted_numbers_are_those_of_the_folder(contents: FitContents) -> None:
    squares = draw_observed_predicted(contents).data
    share = squares[squares["class"] == "share"].iloc[0]
    row = contents.rows.set_index("record").loc[share["record"]]
    assert share["observed"] == pytest.approx(100 * math.sin(row["observed"] / 2) ** 2)
    assert share["low_parameters"] <= share["low_errors"] <= share["after"] <= share["high_errors"]
    priors = draw_priors(contents)[0].data.set_index("unknown")
    assert priors.loc["h_N0", "map_prior_sd"] == pytest.approx(contents.draws[:, 0].mean(), abs=0.3)
    assert "w_TGF" in draw_priors(contents)[0].caption
    assert "fitted, after, with discrepancy" in draw_coverage(contents).alt


@pytest.mark.parametrize("suffix", ["pdf", "svg"])
def test_figures_are_written_with_their_numbers_beside(folder: Path, tmp_path: Path, monkeypatch, suffix: str) -> None:
    names = [picture.name for picture in fit_pictures(read_fit_contents(folder))]
    assert len(names) == len(set(names)) == 9
    monkeypatch.setattr(
        fit_figures,
        "fit_pictures",
        lambda contents: [fit_drawings.draw_spectrum(contents), fit_drawings.draw_trace(contents)],
    )
    files = draw_fit_figures(folder, tmp_path / f"fit.{suffix}")
    pictures = ["fit.pdf"] if suffix == "pdf" else ["fit.svg", "fit-trace.svg"]
    assert [file.name for file in files] == [*pictures, "fit-spectrum.plot.csv", "fit-trace.plot.csv"]
    assert all(file.stat().st_size > 100 for file in files)
    spectrum = pd.read_csv(tmp_path / "fit-spectrum.plot.csv")
    assert spectrum["eigenvalue"].is_monotonic_decreasing and len(spectrum) == len(UNKNOWNS)


def test_a_folder_without_checks_has_fewer_pictures(tmp_path: Path) -> None:
    write_fit_record(tmp_path / "toy", finished())
    contents = read_fit_contents(tmp_path / "toy")
    names = [picture.name for picture in fit_pictures(contents)]
    assert names == ["prior-posterior", "z-fitted", "z-set-aside", "discrepancy", "observed-predicted"]
    html = fit_page.render_fit_page(contents)
    assert 'id="directions"' not in html and "3 unknowns" in html


def test_stages_have_directions_and_checks_of_their_own(copy: Path, monkeypatch) -> None:
    eigen = read_fit_record(copy).table("eigen.csv")
    stages = np.repeat(np.array(["A", "B"], dtype=object), len(eigen["direction"]))
    twice = {"stage": stages, **{name: np.concatenate([column, column]) for name, column in eigen.items()}}
    point = {"nominal": 0.9, "rows": 0.6875, "families": 0.5, "row_count": 16, "family_count": 4, "median_width": 3.0}
    verdicts = {
        "left out": [point],
        "refitted": {"families": ["F0"], "coverage": [point]},
        "invented data": {"B": ["90 % intervals hold the truth in 92 % of 20 invented data sets."]},
    }
    add_tables(copy, {"eigen.csv": twice}, verdicts)
    contents = read_fit_contents(copy)
    directions = findings.directions_of_data(contents)
    assert list(directions["stage"]) == ["A"] * len(UNKNOWNS) + ["B"] * len(UNKNOWNS)
    assert list(directions["words"][: len(UNKNOWNS)]) == list(directions["words"][len(UNKNOWNS) :])
    assert " of 50 are above 1. stage A, 1: " in fit_drawings.draw_spectrum(contents).alt
    monkeypatch.setattr(fit_page, "fit_pictures", lambda contents: [])
    html = fit_page.render_fit_page(contents)
    assert html.count("hold 69\u00a0% of 16 rows of 4 families; as a mean over families 50\u00a0%.") == 2
    assert "Fitted again without F0" in html and "Invented data with a known truth, stage B" in html


@pytest.mark.parametrize(
    ("points", "log", "name", "ticks"),
    [
        ([1.0, 9.0], False, "linear", [2.5, 5.0, 7.5]),
        ([0.001, 40.0], True, "log", [0.001, 0.01, 0.1, 1.0, 10.0]),
        # Levels of pressure among its changes.
        ([-5.0, -4.0, -3.0, 2.0, 3.0, 140.0], False, "asinh", None),
    ],
)
def test_axes_of_squares_hold_all_points_and_round_numbers(points, log, name, ticks) -> None:
    scale = square_scale(np.array(points), log)
    assert scale.name == name and scale.low < min(points) and scale.high > max(points)
    assert len(scale.ticks()) >= 3 and (ticks is None or set(scale.ticks()) <= set(ticks))
    assert scale.ticks() == sorted(scale.ticks())


def test_profile_and_quadratic_meet_at_the_best_fit(contents: FitContents) -> None:
    """The best fit is no point of the table: it is the foot of the parabola."""
    picture = fit_drawings.draw_profiles(contents)
    unknown = contents.unknowns.set_index("name").loc["h_N0"]
    quadratic, profile, _ = picture.figure().axes[0].get_lines()
    for line in (quadratic, profile):
        lowest = int(np.argmin(line.get_ydata()))
        assert line.get_ydata()[lowest] == pytest.approx(0, abs=0.02)
        assert line.get_xdata()[lowest] == pytest.approx(unknown["map"], rel=0.05)
    assert len(profile.get_xdata()) == 5


def test_intervals_are_those_by_which_the_record_judges(contents: FitContents) -> None:
    rows = contents.rows
    for name, middle, reach in (("inside_after", "after", "reach_errors"), ("inside_parameters", "mean", "reach")):
        assert ((np.abs(rows["observed"] - rows[middle]) <= rows[reach]) == rows[name]).all()


def test_names_of_others_are_text(tmp_path: Path, monkeypatch) -> None:
    identity = {"name": "<b>$x$</b>", "warnings": ["<script>alert(1)</script>"], "digest": "0" * 64, "accepted": True}
    write_fit_record(tmp_path / "odd", replace(finished(), identity=identity))
    monkeypatch.setattr(fit_page, "fit_pictures", lambda contents: [])
    html = fit_page.render_fit_page(read_fit_contents(tmp_path / "odd"))
    assert "<script>alert" not in html and "&lt;b&gt;$x$" in html
    assert '<td class="word">0000000000000000</td>' in html
