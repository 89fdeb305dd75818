"""One reading of a printed error: every form, on both scales, and the three rooms that take it agree."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from betapod.base.constants import Z90, Z95
from betapod.base.intervals import error_of_interval, normal_interval
from betapod.claims.questions import Question, _from_records
from betapod.evidence.records import registry
from betapod.evidence.records.study import Dispersion, Record
from betapod.evidence.synthesis.candidate_effects import candidates
from betapod.evidence.synthesis.effect_size import variance_of
from betapod.evidence.synthesis.reported_error import exact_p, reported_error
from betapod.validation.predictions.published_value import published_value
from betapod.validation.predictions.study_readouts import readout_of

PUBLISHED = registry.load_registry()
#: A row to vary: a difference of groups in a controlled trial.
ROW = PUBLISHED["PACKHAM2016#1"]
ROOT = math.sqrt(25.0)


def row(
    kind: str, contrast: str, value: float, spread: tuple[str, float, float] | None, n: int | None, p: str = ""
) -> Record:
    dispersion = None if spread is None else Dispersion(*spread)
    return replace(ROW, kind=kind, contrast=contrast, value=value, dispersion=dispersion, n=n, p_value=p)


@pytest.mark.parametrize(
    ("kind", "contrast", "value", "spread", "n", "p", "linear", "log"),
    [
        ("difference", "between", 4.0, ("CI95", 1.0, 7.0), 25, "", 6.0 / (2 * Z95), math.log(7.0) / (2 * Z95)),
        ("hazard_ratio", "between", 0.5, ("CI95", 0.25, 1.0), None, "", 0.75 / (2 * Z95), math.log(4.0) / (2 * Z95)),
        ("difference", "between", 1.0, ("CI95", -1.0, 3.0), 25, "", 4.0 / (2 * Z95), None),
        ("percent", "change", -20.0, ("CI95", -36.0, 0.0), 25, "", 36.0 / (2 * Z95), math.log(1 / 0.64) / (2 * Z95)),
        ("mean", "change", 4.0, ("SE", 0.5, 0.5), None, "", 0.5, 0.5 / 4.0),
        ("percent", "change", -20.0, ("SE", 8.0, 8.0), None, "", 8.0, 8.0 / 80.0),
        ("mean", "level", 8.0, ("SD", 1.5, 1.5), 25, "", 1.5 / ROOT, 1.5 / ROOT / 8.0),
        ("mean", "level", 8.0, ("SD", 1.5, 1.5), None, "", None, None),
        ("mean", "level", 8.0, ("SD", 0.0, 0.0), 25, "", None, None),
        ("difference", "between", 1.0, ("SD", 1.5, 1.5), 25, "", None, None),
        ("median", "level", 8.0, ("IQR", 6.0, 9.0), 25, "", 3.0 / 1.34898 * 1.253314 / ROOT, math.log(1.5) / 1.34898 * 1.253314 / ROOT),
        ("mean", "level", 8.0, ("IQR", 6.0, 9.0), 25, "", 3.0 / 1.34898 / ROOT, math.log(1.5) / 1.34898 / ROOT),
        ("geometric_mean", "level", 8.0, ("tolerance_factor", 2.0, 2.0), 25, "", 8.0 * math.log(2.0) / ROOT, math.log(2.0) / ROOT),
        ("mean", "level", 8.0, ("tolerance_factor", 2.0, 2.0), 25, "", None, None),
        ("mean", "level", 8.0, ("range", 6.0, 9.0), 25, "", None, None),
        ("mean", "level", 8.0, ("unclear", 1.5, 1.5), 25, "0.03", None, None),
        ("difference", "between", 4.0, None, 25, "0.0455003", 2.0, math.log(4.0) / 2.0),
        ("difference", "between", -4.0, None, 25, "p = .0455003", 2.0, None),
        ("difference", "between", 4.0, ("range", 1.0, 9.0), 25, "P=0.0455003", 2.0, math.log(4.0) / 2.0),
        ("difference", "between", 4.0, None, 25, "<0.05", None, None),
        ("difference", "between", 0.0, None, 25, "0.03", None, None),
        ("hazard_ratio", "between", 1.0, None, 25, "0.9", 1.0 / 0.1256613, None),
        ("difference", "change", 4.0, None, 25, "0.03", None, None),
    ],
)  # fmt: skip
def test_every_form(
    kind: str,
    contrast: str,
    value: float,
    spread: tuple[str, float, float] | None,
    n: int | None,
    p: str,
    linear: float | None,
    log: float | None,
) -> None:
    record = row(kind, contrast, value, spread, n, p)
    for on_log, expected in ((False, linear), (True, log)):
        error = reported_error(record, on_log)
        assert error.size == (None if expected is None else pytest.approx(expected, rel=1e-5)), on_log
        assert error.how


def test_the_error_of_a_median_and_of_quartiles_is_that_of_many_normal_samples() -> None:
    samples = np.random.default_rng(1).normal(8.0, 1.5, (20_000, 101))
    low, high = 8.0 + stats.norm.ppf([0.25, 0.75]) * 1.5
    for kind, statistic in (("median", np.median), ("mean", np.mean)):
        error = reported_error(row(kind, "level", 8.0, ("IQR", low, high), 101)).size
        assert error == pytest.approx(np.std(statistic(samples, axis=1)), rel=0.02)


@pytest.mark.parametrize("p", ["p=0.02", "P = .02", "0.02"])
def test_rooms_read_one_error(p: str) -> None:
    """A pool, a question and a prediction take the same standard error of the same row."""
    record = row("difference", "between", 4.0, None, 20, p)
    expected = 4.0 / float(stats.norm.isf(0.01))
    (effect,), refused = candidates([record])
    assert math.sqrt(effect.v) == pytest.approx(expected) and not refused
    assert exact_p(record) == 0.02 and readout_of(record) is not None
    assert reported_error(record).size == pytest.approx(expected)
    reply = _from_records(Question("", records=(record.id,), null=0.0), [record])
    assert reply.ci == pytest.approx(normal_interval(4.0, expected))


def test_the_interval_of_one_printed_ratio_is_the_one_that_was_printed() -> None:
    record = row("hazard_ratio", "between", 0.5, ("CI95", 0.25, 1.0), 200)
    reply = _from_records(Question("", records=(record.id,), null=1.0, expects="below"), [record])
    assert reply.ci == pytest.approx((0.25, 1.0)) and reply.answer == "open"


def test_no_row_of_the_registry_has_an_error_without_a_reason() -> None:
    for record in PUBLISHED:
        for log in (False, True):
            error = reported_error(record, log)
            assert error.size is None or (error.size > 0.0 and math.isfinite(error.size)), record.id
            assert error.how, record.id


def test_the_variance_of_an_arm_is_on_its_own_scale() -> None:
    rate = row("rate", "level", 0.1, ("CI95", 0.05, 0.2), 100)
    assert variance_of(rate) == pytest.approx((math.log(4.0) / (2 * Z95)) ** 2)
    mean = row("mean", "level", 8.0, ("SD", 1.5, 1.5), 25)
    assert variance_of(mean) == pytest.approx(0.09)


def test_a_published_change_is_a_logarithm_of_the_ratio_to_the_start() -> None:
    record = next(r for r in PUBLISHED if r.kind == "percent" and (o := readout_of(r)) is not None and o.scale == "log")
    readout = readout_of(record)
    assert readout is not None and record.value is not None
    assert published_value(record, readout, None) == pytest.approx(math.log(1.0 + record.value / 100.0))


def test_intervals_and_errors_are_inverse() -> None:
    assert error_of_interval(*normal_interval(3.0, 0.7)) == pytest.approx(0.7)
    assert error_of_interval(*normal_interval(3.0, 0.7, Z90), Z90) == pytest.approx(0.7)
    assert stats.norm.cdf([Z95, Z90]) == pytest.approx([0.975, 0.95], abs=1e-15)
