"""Baseline tables as strangers write them: every fault with its place, nothing that no person can have."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from betapod.base.errors import ConfigError, Problem
from betapod.patients.cohorts import cohort_catalogue


def load(folder: Path, text: str) -> cohort_catalogue.CohortTarget:
    path = folder / "table.yaml"
    path.write_text(text, encoding="utf-8")
    return cohort_catalogue.load_target(path)


def refused(folder: Path, text: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    return caught.value.problems


AGE = "baseline: {age: {mean: 60, unit: year}}\n"


@pytest.mark.parametrize(
    ("text", "unmatched"),
    [
        ("unmatched:\n", ()),
        ("unmatched: one\n", ("one",)),
        ("unmatched: [a, 2, ]\n", ("a", "2")),
        ("unmatched: ~\n", ()),
    ],
)
def test_sentences_that_are_empty_or_one(tmp_path: Path, text: str, unmatched: tuple[str, ...]) -> None:
    assert load(tmp_path, text + AGE).unmatched == unmatched


def test_texts_that_are_empty_or_numbers(tmp_path: Path) -> None:
    found = load(tmp_path, "name:\nlabel: 2024\norigin:\neligibility:\n" + AGE)
    assert (found.name, found.label, found.origin, found.ranges) == ("table", "2024", "", {})


@pytest.mark.parametrize(
    ("text", "kind", "line"),
    [
        ("unmatched: {a: 1}\n" + AGE, "bad-text", 1),
        ("unmatched: [[1]]\n" + AGE, "bad-text", 1),
        ("name: [1, 2]\n" + AGE, "bad-text", 1),
        ("origin: {a: 1}\n" + AGE, "bad-text", 1),
        ("1: 2\n" + AGE, "unknown-key", 1),
        ("baseline:\n  1: {mean: 60, unit: year}\n", "unknown-quantity", 2),
        ("baseline:\n  true: {mean: 60, unit: year}\n", "unknown-quantity", 2),
        ("baseline:\n  ? [age]\n  : {mean: 60}\n", "unknown-quantity", 2),
        ("eligibility:\n  1: {low: 1}\n", "unknown-quantity", 2),
        ("baseline: [age]\n", "bad-section", 1),
        ("baseline: 0\n", "bad-section", 1),
        ("baseline:\n  age: 60\n", "bad-entry", 2),
        ("baseline:\n  age: [60, 9]\n", "bad-entry", 2),
        ("baseline:\n  age: {mean: [60], unit: year}\n", "bad-number", 2),
        ("baseline:\n  age: {mean: '60,5', unit: year}\n", "bad-number", 2),
        ("baseline:\n  age: {mean: .nan, unit: year}\n", "bad-number", 2),
        ("baseline:\n  age: {mean: .inf, unit: year}\n", "bad-number", 2),
        ("baseline:\n  age: {mean: 1" + "0" * 400 + ", unit: year}\n", "bad-number", 2),
        ("baseline:\n  age: {mean: true, unit: year}\n", "bad-number", 2),
        ("baseline:\n  age: {1: 60, unit: year}\n", "unknown-key", 2),
        ("baseline:\n  age: {quantiles: [50, 60], unit: year}\n", "bad-entry", 2),
        ("baseline:\n  age: {quantiles: {a: 60}, unit: year}\n", "bad-level", 2),
        ("baseline:\n  age: {quantiles: {0: 60}, unit: year}\n", "bad-level", 2),
        ("baseline:\n  age: {quantiles: {100: 60}, unit: year}\n", "bad-level", 2),
        ("baseline:\n  age: {quantiles: {25: }, unit: year}\n", "bad-number", 2),
        ("baseline:\n  age: {median: 60, quantiles: {50: 60}, unit: year}\n", "two-medians", 2),
        ("baseline:\n  age: {unit: year}\n", "empty-entry", 2),
        ("eligibility:\n  age: {unit: year}\n", "empty-entry", 2),
        ("baseline:\n  age: {mean: 400, unit: year}\n", "impossible", 2),
        ("baseline:\n  fpg: {mean: -3, unit: mmol/L}\n", "impossible", 2),
        ("baseline:\n  hba1c: {mean: 0, unit: '%'}\n", "impossible", 2),
        ("baseline:\n  hba1c: {mean: 7.5, unit: mmol/mol}\n", "impossible", 2),
        ("baseline:\n  age: {mean: 60, sd: 400, unit: year}\n", "impossible", 2),
        ("baseline:\n  age: {mean: 60, sd: -1, unit: year}\n", "out-of-range", 2),
        ("baseline:\n  uacr: {geometric_mean: 0, unit: mg/g}\n", "impossible", 2),
        ("baseline:\n  female: {proportion: 30}\n", "out-of-range", 2),
        ("baseline:\n  female: {proportion: -0.1}\n", "out-of-range", 2),
        ("baseline:\n  female: {median: 1}\n", "unknown-key", 2),
        ("baseline:\n  age: {proportion: 0.5, unit: year}\n", "unknown-key", 2),
        ("eligibility:\n  age: {low: 200, high: 300, unit: year}\n", "impossible", 2),
        ("eligibility:\n  uacr: {low: -30, unit: mg/g}\n", "impossible", 2),
        ("eligibility:\n  egfr: {high: 0, unit: mL/min/1.73m2}\n", "impossible", 2),
        ("eligibility:\n  metformin: {low: 2}\n", "impossible", 2),
    ],
)
def test_refused_with_the_line(tmp_path: Path, text: str, kind: str, line: int) -> None:
    found = refused(tmp_path, text)
    assert (kind, line) in {(p.kind, p.location.line) for p in found}


def test_quantiles_in_the_wrong_order_are_the_table_s_fault(tmp_path: Path) -> None:
    found = refused(tmp_path, "baseline:\n  uacr: {median: 568, quantiles: {75: 250, 25: 1300}, unit: mg/g}\n")
    assert {p.kind for p in found} == {"crossed-quantiles"}
    assert "1300 at 25 %, 568 at 50 %" in found[0].message
    with pytest.raises(ConfigError, match="crossed-quantiles"):
        load(tmp_path, "baseline:\n  age: {quantiles: {25: 70, 75: 60}, unit: year}\n")
    good = load(tmp_path, "baseline:\n  uacr: {median: 568, quantiles: {75: 1300, 25: 250}, unit: mg/g}\n")
    assert {m.level: m.value for m in good.moments} == {0.25: 250, 0.5: 568, 0.75: 1300}


def test_equal_quartiles_are_no_fault(tmp_path: Path) -> None:
    assert load(tmp_path, "baseline:\n  age: {median: 60, quantiles: {25: 60, 75: 61}, unit: year}\n").moments


def test_unusual_values_are_kept_and_said(tmp_path: Path) -> None:
    found = load(tmp_path, "baseline:\n  hba1c: {mean: 19, unit: '%'}\n  age: {mean: 60, unit: year}\n")
    assert len(found.notes) == 1
    assert "hba1c of 19 is unusual" in found.notes[0] and "table.yaml:2" in found.notes[0]


def test_limits_that_mean_no_limit(tmp_path: Path) -> None:
    found = load(tmp_path, "eligibility:\n  egfr: {low: 0, unit: mL/min/1.73m2}\n  age: {high: 999, unit: year}\n")
    assert found.ranges == {"egfr": (0.0, math.inf), "age": (-math.inf, 999.0)}


@pytest.mark.parametrize(
    "name", ["fuzz_cohort_baa99d.txt", "fuzz_cohort_bcc548.txt", "yaml_deep.yaml", "yaml_recursive_alias.yaml"]
)
def test_the_given_cases(tmp_path: Path, name: str) -> None:
    """Files that were tracebacks: read, or refused."""
    path = Path(__file__).parents[3] / "shared" / "findings" / "cases" / "breaker" / name
    if not path.is_file():
        pytest.skip(f"the findings are not beside the repository: {name}")
    text = path.read_text(encoding="utf-8")
    if name == "fuzz_cohort_bcc548.txt":
        assert load(tmp_path, text).unmatched == ()
    else:
        assert refused(tmp_path, text)
