"""Parts of the intervals of predicted numbers: where they come from, and their shares of the variance."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from betapod.report.predictions.interval_shares import interval_shares, shares_picture, with_interval_parts
from betapod.trust.trust_rows import trust_rows


def rows(scale: str, count: int = 2) -> list:
    return [row for row in trust_rows() if row.has_discrepancy and row.scale == scale][:count]


def table(**more: object) -> pd.DataFrame:
    records = [*rows("linear"), *rows("share")]
    return pd.DataFrame(
        {
            "record": [row.record for row in records], "scale": [row.scale for row in records], "predicted": 0.2,
            "se_study": 0.3, "se_cohort": 0.4, "se_parameters": 0.5, "scenario": "none", "treatment": "diet", **more,
        }
    )  # fmt: skip


def test_parts_are_on_the_scale_of_comparison() -> None:
    parts = with_interval_parts(table())
    assert parts["sd_chance"].tolist() == pytest.approx([0.5] * 4) and parts["sd_parameters"].tolist() == [0.5] * 4
    level, share = rows("linear")[0], rows("share")[0]
    assert parts["sd_studies"][0] == pytest.approx(math.hypot(level.tau_family, level.tau_row))
    # Of an angle to a share of 20 %.
    assert parts["sd_studies"][2] == pytest.approx(0.4 * math.hypot(share.tau_family, share.tau_row))
    assert with_interval_parts(table(record="nobody knows"))["sd_studies"].isna().all()


def test_shares_add_up_and_stand_by_class() -> None:
    lines = interval_shares(table(), "none")
    assert [line["name"] for line in lines] == ["diet", "all"] and lines[0]["rows"] == 4
    assert all(line["chance"] + line["parameters"] + line["studies"] == pytest.approx(1.0) for line in lines)
    assert lines[0]["chance"] == pytest.approx(lines[0]["parameters"])
    assert "by chance" in shares_picture(lines) and interval_shares(table(), "seed-claims") == []
