"""Arms and groups of one study: they count by their people, and what an arm moved by is set against its control group."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import pytest
from scipy import stats

from betapod.evidence.records import registry
from betapod.evidence.records.study import Record
from betapod.evidence.synthesis import pool as synthesis
from betapod.evidence.synthesis.candidate_effects import candidates
from betapod.evidence.synthesis.effect_size import risk_ratio

COLUMNS = [
    "study_id",
    "citation",
    "population",
    "design",
    "arm",
    "product",
    "n",
    "endpoint",
    "timepoint_weeks",
    "statistic",
    "value",
    "dispersion",
    "dispersion_type",
    "unit",
    "quote",
    "tag",
]
RCT = {"citation": "Made up", "population": "DKD; made up", "design": "RCT; made up", "timepoint_weeks": "52",
       "quote": "made up", "tag": "seen", "study_id": "ZZ1"}  # fmt: skip


@pytest.fixture
def table(tmp_path: Path):
    """Return a function from rows (arm, n, and columns that differ) to records."""

    def read(*rows: dict[str, object], **common: object) -> list[Record]:
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            cells = {**RCT, **common, **row}
            cells.setdefault("product", "control" if cells["arm"] == "placebo" else "ZZcell")
            writer.writerow(cells)
        path = tmp_path / "mine.csv"
        path.write_text(text.getvalue(), encoding="utf-8")
        return registry.check_table(path)

    return read


def test_arms_of_ten_and_of_190_people_count_by_their_people(table) -> None:
    rows = table(
        {"arm": "ZZ low", "n": 10, "value": 70},
        {"arm": "ZZ high", "n": 190, "value": 60},
        {"arm": "placebo", "n": 200, "value": 60},
        endpoint="eGFR", statistic="mean", dispersion=10, dispersion_type="SD", unit="mL/min/1.73m2",
    )  # fmt: skip
    pooled = synthesis.pool(rows)
    # All treated together have a mean of 60.5 and a standard error of 10/sqrt(200), as the control group has.
    assert pooled.estimate == pytest.approx(0.5) and pooled.se == pytest.approx(1.0)
    assert pooled.ci == pytest.approx((0.5 - 1.959964, 0.5 + 1.959964)) and pooled.n == 400
    assert "by the people in each" in pooled.effects[0].how


def test_groups_of_the_registry_count_by_their_people() -> None:
    known = registry.load_registry()
    for endpoint, product, study, slope in (
        ("mGFR_slope_absolute", "conventional care", "HOVIND2001_NRA", (28 * -3.8 + 98 * -7.5) / 126),
        ("mGFR_slope", "intensive blood pressure", "NOSADINI2000_T2D", None),
    ):
        rows = known.select(study=study, endpoint=endpoint, product=product)
        used = [r for r in rows if r.value is not None and r.kind == "slope" and r.weeks != 0.0]
        pooled = synthesis.pool(rows, contrast="level")
        mine = [known[name] for name in pooled.effects[0].records]
        by_n = sum((r.n or 0) * (r.value or 0.0) for r in mine) / sum(r.n or 0 for r in mine)
        assert len(mine) == 2 and used
        assert pooled.estimate == pytest.approx(by_n)
        if slope is not None:
            assert pooled.estimate == pytest.approx(slope) == pytest.approx(-6.678, abs=1e-3)
        else:
            assert pooled.estimate == pytest.approx(-1.84, abs=0.01)


def test_without_an_n_arms_count_by_inverse_variance(table) -> None:
    rows = table(
        {"arm": "ZZ low", "value": -1.0, "dispersion": 0.1},
        {"arm": "ZZ high", "value": -2.0, "dispersion": 0.2},
        endpoint="HbA1c", statistic="diff_vs_control", dispersion_type="SE", unit="%",
    )  # fmt: skip
    pooled = synthesis.pool(rows)
    assert pooled.estimate == pytest.approx((100 * -1.0 + 25 * -2.0) / 125)
    weights = (0.8, 0.2)
    expected = (0.8 * 0.1) ** 2 + (0.2 * 0.2) ** 2 + 2 * 0.5 * weights[0] * weights[1] * 0.1 * 0.2
    assert pooled.se**2 == pytest.approx(expected)
    assert "inverse variance" in pooled.effects[0].how


def test_people_with_events_are_added_not_their_ratios(table) -> None:
    rows = table(
        {"arm": "ZZ low", "n": 50, "value": 0.2},
        {"arm": "ZZ high", "n": 150, "value": 0.04},
        {"arm": "placebo", "n": 100, "value": 0.16},
        endpoint="ESKD", statistic="proportion", unit="fraction",
    )  # fmt: skip
    pooled = synthesis.pool(rows)
    assert pooled.estimate == pytest.approx((16 / 200) / (16 / 100))
    assert pooled.se**2 == pytest.approx(1 / 16 - 1 / 200 + 1 / 16 - 1 / 100)


def test_rates_of_groups_count_by_people_and_not_as_logarithms(table) -> None:
    rows = table(
        {"arm": "ZZ low", "n": 100, "value": 1.0, "dispersion": "0.5;2.0"},
        {"arm": "ZZ high", "n": 300, "value": 9.0, "dispersion": "6;13.5"},
        design="cohort; made up", endpoint="ESKD", statistic="rate", unit="per 100 PY", dispersion_type="CI95",
    )  # fmt: skip
    pooled = synthesis.pool(rows, contrast="level")
    assert pooled.estimate == pytest.approx((100 * 0.01 + 300 * 0.09) / 400)


CHANGES = [
    # What is printed of the treated and of the control arm, and the contrast with its standard error.
    ("HbA1c", "change_mean", "%", (-0.8, 1.0), (-0.3, 1.0), "SD", "difference", -0.5, math.sqrt(2 / 40)),
    ("HbA1c", "change_mean", "%", (-0.8, 0.2), (-0.3, 0.1), "SE", "difference", -0.5, math.sqrt(0.05)),
    ("UACR", "change_percent", "%", (-30, 20), (-5, 20), "SD", "percent_points", -25.0, 20 * math.sqrt(2 / 40)),
    ("HbA1c", "mean", "%", (7.2, 1.0), (7.7, 1.0), "SD", "difference", -0.5, math.sqrt(2 / 40)),
]


@pytest.mark.parametrize(
    ("endpoint", "statistic", "unit", "mine", "other", "spread", "measure", "expected", "error"), CHANGES
)
def test_what_arms_moved_by_is_set_against_control(
    table, endpoint, statistic, unit, mine, other, spread, measure, expected, error
) -> None:
    rows = table(
        {"arm": "ZZcell", "value": mine[0], "dispersion": mine[1]},
        {"arm": "placebo", "value": other[0], "dispersion": other[1]},
        n=40, endpoint=endpoint, statistic=statistic, dispersion_type=spread, unit=unit,
    )  # fmt: skip
    pooled = synthesis.pool(rows)
    assert (pooled.contrast, pooled.measure) == ("between", measure)
    assert pooled.estimate == pytest.approx(expected) and pooled.se == pytest.approx(error) and pooled.n == 80


def test_ratios_to_baseline_become_a_ratio_of_ratios(table) -> None:
    rows = table(
        {"arm": "ZZcell", "value": 48, "dispersion": "40;57.6"},
        {"arm": "placebo", "value": 96, "dispersion": "80;115.2"},
        n=40, endpoint="UACR", statistic="ratio to baseline", dispersion_type="CI95", unit="%",
    )  # fmt: skip
    pooled = synthesis.pool(rows)
    one = math.log(1.44) / (2 * stats.norm.isf(0.025))
    assert (pooled.contrast, pooled.measure) == ("between", "geometric_ratio")
    assert pooled.estimate == pytest.approx(0.5) and pooled.se == pytest.approx(one * math.sqrt(2))


def test_rates_and_geometric_means_of_arms_become_ratios(table) -> None:
    rows = table(
        {"arm": "ZZcell", "value": 2.0, "dispersion": "1;4"},
        {"arm": "placebo", "value": 4.0, "dispersion": "2;8"},
        n=40, endpoint="ESKD", statistic="rate", unit="per 100 PY", dispersion_type="CI95",
    )  # fmt: skip
    assert synthesis.pool(rows).measure == "rate_ratio" and synthesis.pool(rows).estimate == pytest.approx(0.5)
    rows = table(
        {"arm": "ZZcell", "value": 100, "dispersion": 2.5},
        {"arm": "placebo", "value": 200, "dispersion": 2.5},
        n=50, endpoint="UACR", statistic="geometric mean", unit="mg/g", dispersion_type="tolerance_factor",
    )  # fmt: skip
    pooled = synthesis.pool(rows)
    assert pooled.measure == "geometric_ratio" and pooled.estimate == pytest.approx(0.5)
    assert pooled.se == pytest.approx(math.log(2.5) * math.sqrt(2 / 50))


def test_a_change_whose_control_has_no_spread_is_refused_with_the_reason(table) -> None:
    rows = table(
        {"arm": "ZZcell", "value": -0.8, "dispersion": 1.0, "dispersion_type": "SD"},
        {"arm": "placebo", "value": -0.3},
        n=40, endpoint="HbA1c", statistic="change_mean", unit="%",
    )  # fmt: skip
    made, refused = candidates(rows)
    assert made == []
    assert "no usable spread or n" in refused[0].reason
    both = table(
        {"arm": "ZZcell", "value": -0.8}, {"arm": "placebo", "value": -0.3}, {"arm": "usual care", "value": -0.2},
        n=40, endpoint="HbA1c", statistic="change_mean", unit="%", dispersion=1.0, dispersion_type="SD",
    )  # fmt: skip
    made, refused = candidates(both)
    assert made == [] and any("several control groups" in one.reason for one in refused)


def test_a_single_arm_study_still_is_before_and_after(table) -> None:
    rows = table(
        {"arm": "ZZcell", "value": -0.8},
        design="single-arm; made up", n=40, endpoint="HbA1c", statistic="change_mean", unit="%", dispersion=1.0,
        dispersion_type="SD",
    )  # fmt: skip
    pooled = synthesis.pool(rows)
    assert (pooled.contrast, pooled.measure, pooled.estimate) == ("change", "mean_change", -0.8)


@pytest.mark.parametrize(
    ("counts", "ratio", "variance"),
    [
        ((3, 10, 1, 10), 3.0, 1 / 3 - 1 / 10 + 1 - 1 / 10),
        # An empty cell: 1/2 to every cell, so each group grows by one (Cochrane Handbook 10.4.4.2).
        ((3, 10, 0, 12), (3.5 / 11) / (0.5 / 13), 1 / 3.5 - 1 / 11 + 1 / 0.5 - 1 / 13),
        ((10, 10, 4, 12), (10.5 / 11) / (4.5 / 13), 1 / 10.5 - 1 / 11 + 1 / 4.5 - 1 / 13),
    ],
)
def test_one_ratio_of_risks(counts, ratio, variance) -> None:
    y, v, how = risk_ratio(*map(float, counts))
    assert math.exp(y) == pytest.approx(ratio) and v == pytest.approx(variance)
    assert ("1/2 added" in how) == (counts[2] == 0 or counts[0] == counts[1])


def test_a_forest_plot_says_whom_its_numbers_count() -> None:
    known = registry.load_registry()
    skyler = synthesis.pool(known.select(product="BM-MSC", population="T2D", endpoint="HbA1c", controls=True)).table
    # Two arms of 15 against a placebo group whose size does not stand with the difference.
    assert [tuple(row) for row in skyler[["n", "n_of"]].to_numpy()] == [(30, "treated")]
    zang = synthesis.pool(known.select(product="UC-MSC", population="T2D", endpoint="HbA1c", controls=True)).table
    assert list(zang["n_of"]) == ["both groups"] and list(zang["n"]) == [91]


@pytest.mark.parametrize(
    "name",
    ["placebo", "Saline", "untreated", "no treatment", "vehicle (IV)", "controls", "usual care", "wait-list", "Control group"],
)  # fmt: skip
def test_control_groups_are_known_by_their_names(table, name: str) -> None:
    rows = table(
        {"arm": "ZZcell", "value": -0.8}, {"arm": name, "product": "none given", "value": -0.3},
        n=40, endpoint="HbA1c", statistic="change_mean", unit="%", dispersion=1.0, dispersion_type="SD",
    )  # fmt: skip
    pooled = synthesis.pool(rows)
    assert pooled.contrast == "between" and pooled.estimate == pytest.approx(-0.5)


def test_an_arm_of_a_trial_without_its_control_is_said_to_be_before_and_after(table) -> None:
    rows = table(
        {"arm": "ZZcell", "value": -0.8, "timepoint_weeks": 52}, {"arm": "placebo", "value": -0.3, "timepoint_weeks": 26},
        n=40, endpoint="HbA1c", statistic="change_mean", unit="%", dispersion=1.0, dispersion_type="SD",
    )  # fmt: skip
    pooled = synthesis.pool(rows)
    assert pooled.contrast == "change"
    assert any("control group does not stand beside it" in reason for reason in pooled.reasons)


@pytest.mark.parametrize(
    "words", ["RCT; crossover", "RCT; cross-over, double-blind", "RCT; Cross over", "RCT; within-patient"]
)
def test_periods_of_the_same_people_are_no_independent_arms(table, words: str) -> None:
    rows = table(
        {"arm": "ZZcell", "value": 7.2}, {"arm": "placebo", "value": 7.7},
        design=words, n=40, endpoint="HbA1c", statistic="mean", unit="%", dispersion=1.0, dispersion_type="SD",
    )  # fmt: skip
    assert candidates(rows)[0] == []


def test_a_review_that_retells_one_trial_is_no_summary_of_many() -> None:
    known = registry.load_with_mechanisms()
    assert known["CARE_Table3_albuminuria#1"].design == "review" and not known["CARE_Table3_albuminuria#1"].summarises
    assert known["SANABRIA2021#1"].summarises and known["COCA2012#1"].summarises
    assert not known["PACKHAM2016#1"].summarises and not known["FIDELITY#1"].summarises
