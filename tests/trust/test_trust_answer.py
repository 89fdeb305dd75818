"""Questions in words, the rows that they mean, and what is said of these."""

from __future__ import annotations

import math

import pytest

from betapod import load_protocol
from betapod.base.errors import ConfigError
from betapod.report.common.trust_section import trust_section
from betapod.trust.trust_answer import trust_count, trust_sentence, with_lacks
from betapod.trust.trust_lines import (
    question_of_cells,
    question_of_protocol,
    question_of_simulation,
    question_of_strategies,
)
from betapod.trust.trust_question import TrustQuestion, topics_of_endpoints, trust_question
from betapod.trust.trust_rows import TrustRow, trust_rows


def row(record: str, **more: object) -> TrustRow:
    fields: dict[str, object] = {
        "record": record, "study": "S", "family": "S", "product": "", "scenario": "", "treatments": ("SGLT2 inhibitor",),
        "cells": (), "topic": "albuminuria", "endpoint": "UACR", "diabetes": "type 2", "kidney": "kidney disease",
        "fitted": False, "row_class": "ratio", "scale": "log", "unit": "1", "observed": 1.0, "predicted": 1.0, "low": 0.5,
        "high": 2.0, "z": 0.0, "inside": True, "width": 4.0,
    }  # fmt: skip
    return TrustRow(**(fields | more))  # type: ignore[arg-type]


ROWS = (
    *(row(f"F#{k}", fitted=True, inside=k < 5, z=float(k)) for k in range(6)),
    *(row(f"O#{k}", inside=k < 4, width=2.0) for k in range(8)),
    row("T#1", diabetes="type 1", inside=False),
    row("G#1", topic="glucose", endpoint="HbA1c", scale="linear", width=0.3),
    row("C#1", treatments=("insulin",), cells=("UC-MSC",), scenario="none", topic="glucose", endpoint="HbA1c"),
    row("C#1", treatments=("insulin",), cells=("UC-MSC",), scenario="current-evidence", inside=False, topic="glucose", endpoint="HbA1c"),
    row("N#1", treatments=(), topic="glucose", endpoint="HbA1c"),
)  # fmt: skip


def test_the_sentence_counts_by_hand() -> None:
    question = trust_question(drugs=["SGLT2i"], endpoints=["UACR"], populations=["T2D"])
    assert trust_sentence(question, ROWS) == (
        "Of 14 published numbers on UACR under SGLT2 inhibitors in type 2 diabetes, 9 lie inside the model's 90 % interval "
        "(fitted 5 of 6, not fitted 4 of 8)."
    )


def test_what_the_model_lacks_is_said_where_it_is_known() -> None:
    rows = [
        row("A#1", inside=False, tau_row=0.3, inside_all=True),
        row("A#2", tau_row=0.3, inside_all=True),
        row("A#3"),
    ]
    assert trust_sentence(TrustQuestion(), rows).endswith(
        "; 2 of 2 when the interval also holds what the model is known to lack."
    )
    assert trust_sentence(TrustQuestion(), rows[:2]).endswith(
        "; 2 when the interval also holds what the model is known to lack."
    )


def test_nothing_of_that_kind_is_said_plainly() -> None:
    assert trust_sentence(trust_question(products=["renal-cells"]), ROWS) == (
        "No published number on renal-cells was compared with the model: how far to trust it there is not known."
    )
    people = trust_question(drugs=["SGLT2i"], endpoints=["HbA1c"], populations=["T1D"])
    assert trust_sentence(people, ROWS) == (
        "No published number on HbA1c under SGLT2 inhibitors in type 1 diabetes was compared with the model. "
        "Of one published number on HbA1c under SGLT2 inhibitors, 1 lies inside the model's 90 % interval (none of them fitted)."
    )


def test_counts_keep_fitted_and_others_apart_and_know_their_widths() -> None:
    count = trust_count(ROWS[:14])
    assert (count.rows, count.inside, count.fitted_rows, count.fitted_inside) == (14, 9, 6, 5)
    assert (count.other_rows, count.other_inside, count.rows_all, count.inside_all) == (8, 4, 0, 0)
    assert count.factor == 2.0 and math.isnan(count.points)
    wide = [row("A#1", inside=False, tau_row=0.3, inside_all=True, width_all=9.0), row("A#2")]
    lacks = trust_count(with_lacks(wide))
    assert (lacks.rows, lacks.inside, lacks.factor) == (1, 1, 9.0)
    assert math.isnan(trust_count([]).miss)


def test_a_scenario_chooses_among_rows_with_cells_alone() -> None:
    some = trust_question(products=["cells"], scenario="none").chosen(ROWS)
    assert [(one.record, one.inside) for one in some] == [("C#1", True)]
    assert [one.inside for one in trust_question(products=["UC MSC"]).chosen(ROWS)] == [False]
    # What nobody compared is taken for current evidence.
    assert TrustQuestion(cells=("UC-MSC",), scenario="seed-claims").chosen(ROWS)[0].scenario == "current-evidence"
    claimed = trust_sentence(TrustQuestion(cells=("UC-MSC",), scenario="seed-claims"), ROWS)
    assert claimed.endswith(". That is by current evidence; nothing was compared under seed-claims.")
    assert len(trust_question().chosen(ROWS)) == len(ROWS) - 1


def test_untreated_people_have_neither_drugs_nor_cells() -> None:
    assert [one.record for one in TrustQuestion(untreated=True).chosen(ROWS)] == ["N#1"]
    assert "without treatment" in trust_sentence(TrustQuestion(untreated=True), ROWS)


def test_drugs_or_cells_are_enough() -> None:
    question = TrustQuestion(treatments=("ARB",), cells=("UC-MSC",))
    assert [one.record for one in question.chosen(ROWS)] == ["C#1"]


def test_all_words_that_mean_nothing_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        trust_question(["dapaglifozin 10 mg"], ["UC-MCS"], ["UACT"], ["T3D", "T1D", "T2D"], "seed-claims")
    kinds = [problem.kind for problem in caught.value.problems]
    assert kinds == [
        "unknown-drug",
        "unknown-cells",
        "unknown-topic",
        "unknown-people",
        "bad-option",
        "unknown-scenario",
    ]
    assert "dapagliflozin" in caught.value.problems[0].hint and "UC-MSC" in caught.value.problems[1].hint


@pytest.mark.parametrize(
    ("word", "meant"),
    [("dapagliflozin 10 mg", "SGLT2 inhibitor"), ("Entresto-free ARB", None), ("insulin", "insulin"), ("losartan", "ARB"),
     ("held glucose", "held glucose"), ("DPP-4 inhibitors", "DPP-4 inhibitor"), ("protein intake 0.8 g/kg/day", "protein intake")],
)  # fmt: skip
def test_words_for_treatments(word: str, meant: str | None) -> None:
    if meant is None:
        with pytest.raises(ConfigError):
            trust_question(drugs=[word])
    else:
        assert trust_question(drugs=[word]).treatments == (meant,)


def test_topics_stand_in_the_order_of_the_table() -> None:
    assert topics_of_endpoints(["HbA1c", "UACR", "eGFR"]) == ("filtration", "albuminuria", "glucose")


def test_the_package_says_something_of_each_kind() -> None:
    """Numbers change with the model; that fitted and others add up does not."""
    every = trust_count(TrustQuestion().chosen())
    assert every.rows == len({one.record for one in trust_rows()}) == every.fitted_rows + every.other_rows
    for name in ("SGLT2 inhibitor", "ARB", "insulin"):
        assert TrustQuestion(treatments=(name,)).chosen(), name


def test_a_simulation_asks_of_its_drugs_cells_and_quantities() -> None:
    question = question_of_simulation(["GFR", "UACR", "P_GC"], ["empagliflozin 10 mg"], (), "", "type 2")
    assert question.treatments == ("SGLT2 inhibitor",) and question.diabetes == "type 2" and not question.untreated
    assert question.topics == ("kidney structure and flow", "filtration", "albuminuria")
    alone = question_of_simulation(["V_E"])
    assert alone.untreated and alone.topics == () and alone.diabetes == ""


def test_a_protocol_asks_of_what_its_arms_differ_in() -> None:
    cells = question_of_protocol(load_protocol("dn61"))
    assert cells.cells == ("UC-MSC",) and cells.treatments == () and cells.diabetes == "type 2"
    assert {"glucose", "albuminuria"} & {*cells.topics}


def test_strategies_ask_of_cells_and_drugs_over_lives() -> None:
    strategies = {
        "none": {},
        "cells": {"cells": "UC-MSC 1e6/kg iv x3 q28d", "scenario": "seed-claims"},
        "drug": {"therapies": [{"therapy": "SGLT2 inhibitor"}, "finerenone 20 mg"]},
    }
    question = question_of_strategies(strategies)
    assert (question.treatments, question.cells) == (("SGLT2 inhibitor", "nonsteroidal MRA"), ("UC-MSC",))
    assert question.topics == ("death and heart disease", "kidney failure")
    assert question_of_strategies({"a": {}, "b": {}}).untreated


def test_cells_as_such_are_any_product() -> None:
    assert {one.cells for one in question_of_cells(["glucose"]).chosen(ROWS)} == {("UC-MSC",)}


def test_a_section_of_a_page_has_the_sentence_and_adds_up() -> None:
    section = trust_section(TrustQuestion(treatments=("SGLT2 inhibitor",)))
    (table,) = section.tables
    assert section.paragraphs[0] == trust_sentence(TrustQuestion(treatments=("SGLT2 inhibitor",)))
    assert sum(int(cells[1]) for cells in table.rows) == len(TrustQuestion(treatments=("SGLT2 inhibitor",)).chosen())
    assert all(len(cells) == len(table.header) for cells in table.rows)
    assert not trust_section(trust_question(products=["renal-cells"])).tables


@pytest.mark.parametrize(
    ("word", "meant"), [("glp1", "GLP-1 receptor agonist"), ("SGLT-2", "SGLT2 inhibitor"), ("metformn", "metformin")]
)
def test_short_words_for_drugs_bring_what_is_meant(word: str, meant: str) -> None:
    with pytest.raises(ConfigError, match=f"Did you mean '{meant}'"):
        trust_question(drugs=[word])
