"""The tables of targets: complete, faithful in form, and refused with all that is wrong at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from betapod.base.errors import ParameterError
from betapod.validation.scorecard.procedure import find_procedure, procedures
from betapod.validation.scorecard.targets import COLUMNS, ORGANS, read_targets, select_targets, sources, targets_of

LISTS = {
    "kidney": [f"V{number}" for number in range(1, 61)],
    "metabolism": [f"V-{number:02d}" for number in range(1, 52)],
    "cells": [f"V{number}" for number in range(1, 44)],
}


@pytest.mark.parametrize("organ", ORGANS)
def test_every_row_of_the_list_is_there(organ: str) -> None:
    assert list(dict.fromkeys(target.row for target in targets_of(organ))) == LISTS[organ]


@pytest.mark.parametrize("organ", ORGANS)
def test_every_row_is_addressed_or_says_why_not(organ: str) -> None:
    for target in targets_of(organ):
        assert bool(target.procedure) != (len(target.reason) > 10), target.key


@pytest.mark.parametrize("organ", ORGANS)
def test_every_procedure_exists_is_used_and_states_its_set_up(organ: str) -> None:
    used = {find_procedure(organ, target.procedure)[0].name for target in targets_of(organ) if target.addressed}
    assert used == set(procedures(organ))
    for made in procedures(organ).values():
        assert len(made.assumptions) > 40, made.name


def test_recalled_numbers_have_no_source_and_never_count() -> None:
    recalled = [target for target in select_targets() if target.tag == "memory"]
    assert len(recalled) > 15
    assert not any(target.source or target.counts for target in recalled)
    assert all(target.source in sources() for target in select_targets() if target.tag != "memory")


def test_inputs_never_count() -> None:
    assert not any(target.counts for target in select_targets() if target.use == "input")


def test_selection_by_row_number_and_organ() -> None:
    assert [t.key for t in select_targets(ids=["kidney/V56"])] == ["kidney/V56a", "kidney/V56b", "kidney/V56c"]
    assert [t.id for t in select_targets(["metabolism"], ["V-14d", "V-02b"])] == ["V-14d", "V-02b"]
    assert {t.organ for t in select_targets(ids=["V16"])} == {"kidney", "cells"}
    assert len(select_targets()) == sum(len(targets_of(organ)) for organ in ORGANS)


def test_unknown_names_are_refused_together() -> None:
    with pytest.raises(ParameterError) as caught:
        select_targets(["liver"], ["V16", "V16x"])
    assert [problem.kind for problem in caught.value.problems] == ["unknown-organ", "unknown-target"]
    assert "V16" in caught.value.problems[1].hint


GOOD = {
    "id": "V1",
    "quantity": "GFR",
    "scenario": "someone",
    "statistic": "mean",
    "value": "100",
    "bounds": "number",
    "unit": "mL/min",
    "source": "weil2012",
    "tag": "seen",
    "use": "fit",
    "procedure": "healthy_nominal.GFR",
}


def written(path: Path, *rows: dict[str, str]) -> Path:
    lines = [",".join(COLUMNS)] + [",".join({**dict.fromkeys(COLUMNS, ""), **row}[c] for c in COLUMNS) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_good_row_is_read(tmp_path: Path) -> None:
    (target,) = read_targets(written(tmp_path / "t.csv", GOOD), "kidney")
    assert (target.key, target.value, target.counts) == ("kidney/V1", 100.0, True)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"statistic": "average"}, "unknown-choice"),
        ({"bounds": "CI"}, "missing-number"),
        ({"bounds": "bound"}, "missing-number"),
        ({"bounds": "bound", "low": "1", "high": "2"}, "missing-number"),
        ({"value": "a hundred"}, "bad-number"),
        ({"bounds": "CI", "low": "3", "high": "2"}, "bad-range"),
        ({"source": ""}, "bad-source"),
        ({"tag": "memory"}, "bad-source"),
        ({"source": "weil2O12"}, "unknown-source"),
        ({"unit": "mL/moment"}, "unknown-unit"),
        ({"procedure": ""}, "no-reason"),
        ({"reason": "no"}, "no-reason"),
    ],
)
def test_a_bad_row_is_refused_in_its_place(tmp_path: Path, change: dict[str, str], kind: str) -> None:
    with pytest.raises(ParameterError) as caught:
        read_targets(written(tmp_path / "t.csv", {**GOOD, "id": "V0"}, {**GOOD, **change}), "kidney")
    assert kind in {problem.kind for problem in caught.value.problems}
    assert {problem.location.line for problem in caught.value.problems} == {3}


def test_all_bad_rows_are_reported_at_once(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", GOOD, {**GOOD, "use": "play"}, {**GOOD, "id": "V2", "tag": "heard"})
    with pytest.raises(ParameterError) as caught:
        read_targets(path, "kidney")
    assert {problem.kind for problem in caught.value.problems} == {"two-rows", "unknown-choice"}
    assert len(caught.value.problems) == 3


def test_other_columns_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,value\nV1,2\n", encoding="utf-8")
    with pytest.raises(ParameterError, match="bad-columns"):
        read_targets(path, "kidney")
