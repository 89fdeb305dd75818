"""Questions of claims say what they ask, not of whom: treatment, people, endpoint, time; the same rows are found by that as by their names before."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from betapod.claims import ledger
from betapod.claims.claims import load_claims
from betapod.claims.questions import Question, records_of
from betapod.evidence.records.registry import Registry
from betapod.evidence.records.selecting import fitting

KNOWN = ledger.evidence_for_claims()
USABLE = [record for record in KNOWN if record.tag == "seen"]
QUESTIONS = {(claim.id, n): q for claim in load_claims() for n, q in enumerate(claim.questions, 1)}
#: Two rows of one study alike in all that is recorded: a slope by two formulas of creatinine, and slopes with an unclear spread and with an interval.
ALIKE = {("B10b", 6), ("B28", 7), ("B08", 4)}
#: Studies that questions need by name.
NAMED = {"ADVANCE_ON", "FIDELITY", "MA_DU2025_DKD", "IJIRSS2025_CKD", "THOMPSON2020", "MSC152_SAFETY2024", "WANG2021_SAFETY"}  # fmt: skip


def ids(question: Question, registry: Registry = KNOWN) -> list[str]:
    return [record.id for record in records_of(question, registry)]


def test_every_question_finds_the_rows_that_were_read_for_it() -> None:
    with Path(__file__).with_name("rows_of_questions.csv").open(encoding="utf-8", newline="") as file:
        expected = {(row["claim"], int(row["question"])): row["rows"].split() for row in csv.DictReader(file)}
    found = {key: ids(question) for key, question in QUESTIONS.items()}
    assert len(found) == 258 and found == expected


def test_no_question_names_a_record_and_few_a_study_each_with_a_reason_that_holds() -> None:
    for key, question in QUESTIONS.items():
        assert not question.records, key
        for conditions in (question.select, *question.reads):
            assert not {"study", "family"} & set(conditions), key
        if question.studies:
            assert len(question.named_because) > 40, key
            assert ids(replace(question, studies=())) != ids(question), f"{key} needs no name"
    named = [question for question in QUESTIONS.values() if question.studies]
    assert {study for question in named for study in question.studies} == NAMED and len(named) == 17


def test_numbers_that_are_read_off_are_of_one_study_and_each_is_the_only_one_of_its_kind() -> None:
    for key, question in QUESTIONS.items():
        common, _ = fitting(USABLE, question.conditions)
        found = [fitting(common, conditions)[0] for conditions in question.reads]
        whole = set.intersection(*({row.study for row in rows} for rows in found)) if found else set()
        assert len(whole) == bool(found), key
        counts = [sum(row.study in whole for row in rows) for rows in found]
        assert counts == [1] * len(found) or key in ALIKE, key


@pytest.mark.parametrize("key", [("B23", 1), ("B28", 1), ("A05", 3), ("B17", 1)])
def test_a_study_that_is_added_is_found_by_what_it_is_of(key: tuple[str, int]) -> None:
    question = QUESTIONS[key]
    rows = records_of(question, KNOWN)
    added = [replace(row, id=f"ADDED#{n}", study="ADDED", family="ADDED") for n, row in enumerate(rows, 1)]
    more = Registry((*KNOWN.records, *added))
    assert ids(question, more) == [*ids(question), *(row.id for row in added)]
    other = Registry((*KNOWN.records, *(replace(row, endpoint="SBP", endpoint_text="SBP") for row in added)))
    assert ids(question, other) == ids(question)


def test_times_are_spans_numbers_or_not_read() -> None:
    weeks = [row.weeks for row in fitting(USABLE, {"endpoint": "HbA1c", "weeks": {"from": 40, "to": 60}})[0]]
    assert weeks and all(week is not None and 40 <= week <= 60 for week in weeks)
    assert {row.weeks for row in fitting(USABLE, {"weeks": "not read"})[0]} == {None}
    assert {row.weeks for row in fitting(USABLE, {"weeks": 48})[0]} == {48.0}
    assert fitting(USABLE, {"weeks": 47.9})[1]["weeks"][0] == ["47.9"]


def test_of_rows_alike_that_is_read_off_whose_spread_is_clear() -> None:
    question = QUESTIONS["B08", 4]
    assert ids(question) == ["FUNG2007_ISLET_GFR#4", "FUNG2007_ISLET_GFR#3"]
    without = Registry(tuple(row for row in KNOWN if row.id not in ids(question)))
    assert ids(question, without) == ["FUNG2007_ISLET_GFR#2", "FUNG2007_ISLET_GFR#1"]
