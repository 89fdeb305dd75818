"""Rows of a confrontation as pictures show them: classes, groups that share an axis, order, limits, outliers, files."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import confronted
import pytest

from betapod.evidence.records import registry
from betapod.report.common.figures import new_figure, styled
from betapod.report.predictions import predictions_figure as confront_figure
from betapod.report.predictions import predictions_view as confront_view
from betapod.report.predictions.predictions_view import CLASSES, class_of, group_of, view

pytest.importorskip("matplotlib")


@pytest.fixture
def table() -> Any:
    return view(confronted.found(), confronted.PRODUCTS)


def test_every_product_of_the_registry_has_a_class() -> None:
    missing = {record.product for record in registry.load_registry()} - {p for mine in CLASSES.values() for p in mine}
    assert missing == set()
    assert class_of("UC-MSC") == "cells" and class_of("a product of one's own") == "other"
    assert set(confront_figure.MARKS) == set(CLASSES)
    assert len({shape for _, shape in confront_figure.MARKS.values()}) == len(CLASSES)


@pytest.mark.parametrize(
    ("row", "title", "log"),
    [
        (("HbA1c", "change, between", "%", "linear", False), "HbA1c: change", False),
        (("HbA1c", "ratio", "%", "linear", False), "Relative change of glucose, insulin and others", False),
        (("mGFR", "change", "mL/min/1.73m2", "linear", True), "GFR: change", False),
        (("mGFR_slope", "slope", "mL/min/1.73m2/year", "linear", False), "Slope of GFR", False),
        (("UAER", "change", "mg/day", "log", True), "Albuminuria, proteinuria: ratio to start or control", True),
        (("ESKD", "hazard ratio", "1", "log", False), "Hazard, risk and odds ratios", True),
        (("HbA1c_lt7", "share", "1", "share", False), "Share of people: glucose and insulin", False),
        (("transition:micro->macro", "share", "1", "share", False), "Share of people: kidney", False),
        (("adverse_event:fever", "share", "1", "share", False), "Adverse events: share of people", False),
        (("eGFR_acute_change", "change", "mL/min/1.73m2", "linear", False), "GFR: change", False),
        (("C_peptide_slope", "slope", "nmol/L/year", "linear", False), "Slope of C-peptide", False),
        (("SBP", "average", "mmHg", "linear", False), "Blood pressure: level", False),
        (("ESKD", "rate", "1/year", "log", False), "Rate of events", False),
        (("something_new", "level", "m", "linear", False), "something new: level", False),
    ],
)
def test_groups_share_an_axis(row: tuple[Any, ...], title: str, log: bool) -> None:
    group = group_of(*row)
    assert (group.title, group.log) == (title, log)


def test_percent_become_ratios_and_ratios_stay(table: Any) -> None:
    rows = {row["record"]: row for row in table[table["scenario"] == "none"].to_dict("records")}
    percent, anchored = rows["ALBUMIN#1"], rows["ALBUMIN#2"]
    assert (percent["observed"], percent["y"]) == (-40.0, pytest.approx(0.6))
    assert percent["left"] == pytest.approx(1.0 + percent["low"] / 100.0)
    assert anchored["y"] == anchored["observed"] == 0.5
    assert percent["group"] == anchored["group"]


def test_quantities_with_one_row_share_a_square(table: Any) -> None:
    alone = table[table["group"].str.startswith(confront_view.SINGLES)]
    assert set(alone["record"]) == {"WEIGHT#1", "PRESSURE#1"}
    assert ((alone["right"] - alone["left"]) / 2.0).tolist() == pytest.approx([1.0] * len(alone))
    assert ((alone["y"] >= alone["left"]) & (alone["y"] <= alone["right"])).tolist() == alone["inside"].tolist()


def test_families_stand_under_what_they_test_the_worst_first(table: Any) -> None:
    found = confront_view.families(table)
    assert list(found) == ["cells", "renin system, MRA, pressure", confront_view.NONE]
    assert found["cells"] == ["FAR", "NEAR"]  # a control group does not move its family
    counts = confront_view.coverage_summary(table, "treatment").set_index(["scenario", "treatment"])
    far = counts.loc["seed-claims", "cells"]
    mine = table[(table["scenario"] == "seed-claims") & (table["treatment"] == "cells")]
    assert far["rows"] == len(mine) == far["inside"] + far["below"] + far["above"]
    assert far["median"] == pytest.approx(mine["z"].abs().median())


def test_what_lies_beyond_the_edge_is_an_arrow_with_a_name(table: Any) -> None:
    group = table[table["group"].str.startswith("HbA1c: change")]
    with styled():
        axes = new_figure(3, 3).add_subplot()
        confront_figure.draw_panel(axes, group, "seed-claims")
    low, high = axes.get_xlim()
    assert low == axes.get_ylim()[0] and low > -40.0
    arrows = [line for line in axes.lines if line.get_marker() in list("<>^v") and line.get_gid()]
    ends = [line for line in axes.lines if line.get_marker() in list("<>") and not line.get_gid()]
    # An interval that is cut at an edge ends in an arrow there.
    assert {float(line.get_xdata()[0]) for line in ends} <= {low, high} and ends
    assert len(arrows) == 1 and arrows[0].get_xdata()[0] == low
    assert "FAR#1" in {text.get_text() for text in axes.texts}
    for line in axes.lines:
        if (line.get_gid() or "").startswith("row-"):
            row = table.loc[int(line.get_gid().removeprefix("row-"))]
            assert (line.get_markerfacecolor() != confront_figure.PAPER) == row["inside"]
            assert low <= line.get_xdata()[0] <= high


def test_squares_have_the_same_limits_under_every_scenario(table: Any) -> None:
    group = table[table["group"].str.startswith("Albuminuria")]
    limits = []
    for scenario in confront_figure.scenarios_of(table):
        with styled():
            axes = new_figure(3, 3).add_subplot()
            confront_figure.draw_panel(axes, group, scenario)
        assert axes.get_xscale() == "log"
        limits.append(axes.get_xlim())
        ticks = [math.log(tick) for tick in axes.get_xticks()]
        assert all(b - a > 0.1 for a, b in itertools.pairwise(ticks))
    assert limits[0] == limits[1]


def test_pages_are_cut_evenly() -> None:
    assert [len(part) for part in confront_figure._pages(list(range(63)), 62)] == [32, 31]
    assert confront_figure._pages([], 5) == []


def test_files(table: Any, tmp_path: Path) -> None:
    written = confront_figure.write_predictions_figure(table, tmp_path / "z.svg")
    assert [path.name for path in written] == ["z.svg", "z.plot.csv", "z-families.svg"]
    assert "<title" in written[0].read_text(encoding="utf-8")
    assert "farthest is FAR#1" in written[2].read_text(encoding="utf-8")
