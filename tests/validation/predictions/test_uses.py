"""Which rows were used for fitting: every line names rows that are compared, and the summary counts them."""

from __future__ import annotations

import math

import pytest

from betapod.evidence.records import registry
from betapod.validation.predictions import studies
from betapod.validation.predictions.prediction import Prediction
from betapod.validation.predictions.uses import FIT, VALIDATION, coverage_by_use, row_uses, use_of, width_of


def _prediction(record: str, family: str, scale: str = "linear", inside: bool = True, **other: float) -> Prediction:
    values = {"observed": 2.0, "predicted": 1.0, "low": 0.0, "high": 3.0, "se_study": 0.3, "se_cohort": 0.4} | other
    return Prediction(
        record, record.partition("#")[0], family, "UACR", "all", "level", 52.0, "1", 30, scale, False,
        values["observed"], values["predicted"], values["low"], values["high"], values["se_study"], values["se_cohort"],
        0.0, True, 0.5 if inside else 3.0, inside,
    )  # fmt: skip


def test_every_line_names_rows_of_its_family() -> None:
    compared, _ = studies.sort(registry.load_registry())
    named = {record.family: set() for record in compared}
    for record in compared:
        named[record.family] |= {record.id, record.study}
    for line in row_uses():
        assert line.use in (FIT, VALIDATION) and line.reason
        assert set(line.records) <= named[line.family], line.family
    families = [line.family for line in row_uses() if not line.records]
    assert len(families) == len(set(families))


@pytest.mark.parametrize(
    ("record", "family", "use"),
    [
        ("ADOPT2006#1", "ADOPT2006", FIT),
        ("EMPAREG_slope2018#4", "EMPA_REG", FIT),
        ("EMPAREG_slope2018#5", "EMPA_REG", VALIDATION),
        ("FLOW#7", "FLOW", FIT),
        ("FLOW#2", "FLOW", VALIDATION),
        ("UKPDS16#4", "UKPDS", FIT),
        ("UKPDS33#1", "UKPDS", FIT),
        ("UKPDS33#5", "UKPDS", VALIDATION),
        ("UKPDS74#1", "UKPDS", VALIDATION),
        ("EDIC2003#1", "DCCT_EDIC", VALIDATION),
        ("CREDENCE_abs#2", "CREDENCE", VALIDATION),
        ("NEW2026#1", "NEW2026", VALIDATION),
    ],
)
def test_use(record: str, family: str, use: str) -> None:
    assert use_of(record, record.partition("#")[0], family) == use


def test_widths() -> None:
    assert width_of(_prediction("a#1", "a")) == pytest.approx(1.5)
    assert width_of(_prediction("a#1", "a", "share", low=0.1, high=0.4)) == pytest.approx(0.3)
    assert width_of(_prediction("a#1", "a", "log")) == pytest.approx(math.exp(2 * 1.6448536 * 0.5))
    assert math.isnan(width_of(_prediction("a#1", "a", observed=0.0, predicted=0.0)))


def test_counts_by_use() -> None:
    rows = [
        _prediction("ADOPT2006#1", "ADOPT2006", "share", inside=False),
        _prediction("ADOPT2006#2", "ADOPT2006", "share"),
        _prediction("EDIC2003#1", "DCCT_EDIC"),
    ]
    summary = coverage_by_use(rows)
    assert list(summary.index) == [FIT, VALIDATION, "all"]
    assert list(summary["rows"]) == [2, 1, 3] and list(summary["inside"]) == [1, 1, 2]
    assert summary.loc[FIT, "points"] == pytest.approx(3.0) and math.isnan(summary.loc[FIT, "factor"])
    assert list(coverage_by_use(rows[2:]).index) == [VALIDATION, "all"]
