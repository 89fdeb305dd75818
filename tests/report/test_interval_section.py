"""What intervals are made of, as table, picture and sentences; parts that are not there are said."""

from __future__ import annotations

import math

import pytest

from betapod.base.interval_parts import IntervalParts
from betapod.physiology.study_differences import StudyDifferences
from betapod.report.common.interval_section import (
    PartedInterval,
    draw_interval_parts,
    holds_in_words,
    kind_in_words,
    parameters_in_words,
    parts_table,
    studies_in_words,
)

ROWS = (
    PartedInterval(("cells", "none"), 0.1, IntervalParts(0.2, 0.1, 0.3, sets=16)),
    PartedInterval(("cells", "as claimed"), -0.4, IntervalParts(0.2)),
)


def shown(low: float, high: float) -> str:
    return f"{low:.2f} to {high:.2f}"


def test_the_table_has_each_part_and_all_together() -> None:
    table = parts_table("caption", ["arm", "scenario"], ROWS, shown)
    assert table.header[2:] == [
        "by chance alone",
        "by parameters alone",
        "between studies alone",
        "all together",
    ]
    first, second = table.rows
    assert first[2] == "-0.29 to 0.49" and first[2] != first[-1]
    assert second[3] == second[4] == "not in it" and second[2] == second[5] == "-0.79 to -0.01"


def test_the_picture_says_its_numbers_in_words() -> None:
    drawn = draw_interval_parts("parts", "Parts", ROWS, math.exp, "ratio", shown)
    assert drawn is not None and "all together -0.79 to -0.01" in drawn.alt and "<svg" in drawn.svg
    assert (
        draw_interval_parts("parts", "Parts", [PartedInterval(("x",), 1.0, IntervalParts())], float, "", shown) is None
    )


def test_sentences_say_what_is_there_and_why_something_is_not() -> None:
    assert holds_in_words([row.parts for row in ROWS]) == "The interval holds chance alone."
    assert "parameters" in holds_in_words([ROWS[0].parts]) and "differ by" in holds_in_words([ROWS[0].parts])
    assert "not in the interval" in parameters_in_words(1, "2099.1")
    assert "16 sets, drawn from the fit 2099.1" in parameters_in_words(16, "2099.1")
    found = StudyDifferences("level % HbA1c", 0.3, 0.4, "linear", 12)
    assert "12 fitted numbers of the kind (levels and changes, HbA1c %)" in studies_in_words(
        found, "2099.1", found.kind
    )
    alone = StudyDifferences("level % HbA1c", 0.3, 0.4, "linear", 1)
    assert "found 1 fitted number of the kind" in studies_in_words(alone, "2099.1", alone.kind)
    assert "no fit" in studies_in_words(None, "", "ratio")
    assert "no published numbers" in studies_in_words(None, "2099.1", "")
    assert "had no number of the kind (slopes, mmHg/year)" in studies_in_words(None, "2099.1", "slope mmHg/year")


@pytest.mark.parametrize("kind", ["ratio", "share", "event ratio", "level mmHg"])
def test_kinds_have_words(kind: str) -> None:
    assert kind_in_words(kind) != kind
