"""Baseline tables: units, located errors, and the numbers of the cohorts that the package knows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from betapod.base.errors import ConfigError, UnitError
from betapod.patients.cohorts import cohort_catalogue, joint_distribution, nhanes
from betapod.patients.cohorts.conversions import to_table_unit

GOOD = """\
name: Mine
eligibility:
  egfr: {low: 25, high: 75, unit: mL/min/1.73m2}
baseline:
  age: {mean: 64, sd: 9, unit: year}
  uacr: {median: 64.25, quantiles: {25: 30, 75: 150}, unit: mg/mmol}
  hba1c: {mean: 62, sd: 14, unit: mmol/mol}
  fpg: {geometric_mean: 150, log_sd: 0.3, unit: mg/dL}
  female: {proportion: 0.3}
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "table.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_known_cohorts() -> None:
    assert cohort_catalogue.cohort_names() == (
        "NHANES",
        "NHANES test",
        "NHANES 2020",
        "NHANES general",
        "NHANES prediabetes",
        "DAPA-CKD",
        "FLOW",
        "Packham",
        "Skyler",
    )
    flow = {(m.kind, m.names[0]): m.value for m in cohort_catalogue.load_target("flow").moments}
    assert flow[("mean", "egfr")] == 47.0
    assert flow[("sd", "egfr")] == 15.2
    assert flow[("quantile", "uacr")] == 568
    assert flow[("mean", "hba1c")] == 7.8
    packham = cohort_catalogue.load_target("Packham")
    assert packham.ranges["egfr"] == (20, 50)
    assert packham.ranges["uacr"] == (30, 3000)
    skyler = {(m.kind, m.names[0]): m.value for m in cohort_catalogue.load_target("Skyler").moments}
    assert skyler[("mean", "bmi")] == 33.5
    assert skyler[("sd", "duration")] == 6.0


def test_pooled_ages_of_packham() -> None:
    """Mean and SD of three arms of ten, as printed by arm."""
    means, sds = np.array([74.8, 70.5, 64.8]), np.array([7.9, 7.4, 10.1])
    mean = means.mean()
    sd = np.sqrt((9 * (sds**2).sum() + 10 * ((means - mean) ** 2).sum()) / 29)
    found = {m.kind: m.value for m in cohort_catalogue.load_target("Packham").moments}
    assert found["mean"] == pytest.approx(mean, abs=0.005)
    assert found["sd"] == pytest.approx(sd, abs=0.005)


def test_own_table_with_units(tmp_path: Path) -> None:
    target = cohort_catalogue.load_target(written(tmp_path, GOOD))
    found = {(m.kind, m.names[0], m.level): m.value for m in target.moments}
    assert target.name == "Mine"
    assert target.ranges == {"egfr": (25, 75)}
    assert found[("mean", "hba1c", 0.0)] == pytest.approx(7.82, abs=0.01)
    # A difference knows no offset.
    assert found[("sd", "hba1c", 0.0)] == pytest.approx(14 * 0.09148)
    assert found[("quantile", "uacr", 0.5)] == pytest.approx(568, abs=0.1)
    assert found[("log_mean", "fpg", 0.0)] == pytest.approx(np.log(150 / 18.0156), rel=1e-6)
    assert found[("proportion", "female", 0.0)] == 0.3


def test_all_errors_of_a_table_at_once_with_their_places(tmp_path: Path) -> None:
    text = """\
name: bad
baselines: {}
eligibility:
  egfr: {low: 75, high: 25, unit: mL/min/1.73m2}
baseline:
  agee: {mean: 60}
  age: {mean: sixty, unit: year}
  bmi: {sd: 5, unit: kg/m^2}
  uacr: {median: 10}
  fpg: {mean: 8, unit: kg}
  hba1c: {average: 8, unit: "%"}
  female: {proportion: 1.4}
"""
    with pytest.raises(ConfigError) as caught:
        cohort_catalogue.load_target(written(tmp_path, text))
    found = {(p.kind, p.location.line) for p in caught.value.problems}
    assert found >= {
        ("unknown-key", 2),
        ("out-of-range", 4),
        ("unknown-quantity", 6),
        ("bad-number", 7),
        ("missing-mean", 8),
        ("missing-unit", 9),
        ("wrong-unit", 10),
        ("unknown-key", 11),
        ("out-of-range", 12),
    }
    hints = {p.kind: p.hint for p in caught.value.problems}
    assert "'age'" in hints["unknown-quantity"]


@pytest.mark.parametrize(
    ("text", "kind"), [("- 1\n", "bad-table"), ("name: x\n", "empty-table"), ("a: [1\n", "bad-yaml"), ("", "bad-table")]
)
def test_what_is_no_table(tmp_path: Path, text: str, kind: str) -> None:
    with pytest.raises(ConfigError) as caught:
        cohort_catalogue.load_target(written(tmp_path, text))
    assert kind in caught.value.kinds


def test_unknown_cohort_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'FLOW'"):
        cohort_catalogue.load_target("FLOWW")
    with pytest.raises(ConfigError, match="no-file"):
        cohort_catalogue.load_target("nowhere.yaml")


@pytest.mark.parametrize(
    ("value", "name", "unit", "expected"),
    [
        (53.0, "hba1c", "mmol/mol", 7.0),
        (126.0, "fpg", "mg/dL", 6.994),
        (88.4, "creatinine", "umol/L", 1.0),
        (3.39, "uacr", "mg/mmol", 30.0),
        (70.0, "height", "inch", 177.8),
        (30.0, "female", "%", 0.3),
    ],
)
def test_conversions(value: float, name: str, unit: str, expected: float) -> None:
    assert to_table_unit(value, name, unit) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize(("name", "unit"), [("hba1c", "mg/dL"), ("egfr", "mL/min"), ("age", "kg"), ("uacr", "mg/L")])
def test_units_that_do_not_fit(name: str, unit: str) -> None:
    with pytest.raises(UnitError, match="wrong-unit"):
        to_table_unit(1.0, name, unit)


def test_nhanes_profile_is_a_distribution() -> None:
    for half in nhanes.HALVES:
        found = nhanes.profile()[half]
        assert found["people"] > 3000
        assert sum(found["cells"].values()) == pytest.approx(1.0, abs=1e-3)
        for values in found["quantiles"].values():
            assert np.all(np.diff(values) >= 0)
        target = nhanes.nhanes_target(half)
        assert set(target.distributions) == set(joint_distribution.QUANTITIES)
        assert len(target.spearman) == 28
