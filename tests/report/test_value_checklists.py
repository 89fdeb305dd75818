"""CHEERS 2022 and the Diabetes Modeling Input Checklist, filled in from a made-up result."""

from __future__ import annotations

from small_values import RUN, made_up, without

from betapod.report.value.checklists import ABSENT, both_checklists, count_words, filled_checklist


def items(result, name="cheers"):
    return {item.topic: item for item in filled_checklist(name, result).items}


def test_both_have_their_published_number_of_items() -> None:
    """28 in the statement of 2022; 25 rows in table 4 of the Mount Hood report."""
    assert [(c.name, len(c.items)) for c in both_checklists(made_up())] == [("cheers", 28), ("diabetes", 25)]


def test_every_item_is_answered_or_absent_and_never_blank() -> None:
    for result in (
        made_up(),
        made_up(costs=False),
        without(made_up(), run={}, parameters={}, events={}, person_qalys={}),
    ):
        for checklist in both_checklists(result):
            for item in checklist.items:
                assert item.answer.strip() and "None" not in item.answer and "{" not in item.answer, item
                assert item.absent == item.answer.startswith(ABSENT)


def test_what_only_the_author_knows_is_absent_until_it_is_written() -> None:
    result = made_up()
    before = items(result)
    assert before["Source of funding"].absent and "reporting: funding" in before["Source of funding"].answer
    assert before["Perspective"].absent
    after = items(without(result, run={**RUN, "reporting": {"funding": "Nobody.", "perspective": "Payer of Utopia."}}))
    assert after["Source of funding"].answer == "Nobody." and after["Perspective"].answer == "Payer of Utopia."
    assert filled_checklist("cheers", result).reported + 2 == sum(not item.absent for item in after.values())


def test_without_a_country_costs_are_absent_and_not_nothing() -> None:
    found = items(made_up(costs=False))
    for topic in ("Measurement and valuation of resources and costs", "Currency, price date, and conversion"):
        assert found[topic].absent and "no country" in found[topic].answer
    assert all(item.absent for item in items(made_up(costs=False), "diabetes").values() if item.section == "Costs")


def test_answers_are_those_of_the_run() -> None:
    found = items(made_up())
    assert found["Currency, price date, and conversion"].answer == "EUR, prices of 2024; nothing was converted."
    assert "3.5 %" in found["Discount rate"].answer and found["Time horizon"].answer == "A lifetime."
    assert (
        "UC-MSC 1e6/kg iv x3 q28d" in found["Comparators"].answer
        and "400 draws" in found["Characterizing uncertainty"].answer
    )
    diabetes = items(made_up(), "diabetes")
    assert diabetes["Ethnicity or race"].answer == ABSENT == diabetes["Physical activity"].answer
    assert "add up" in diabetes["Several conditions at once"].answer


def test_what_is_absent_is_counted() -> None:
    text = count_words(filled_checklist("cheers", made_up()))
    assert text.startswith("19 of 28 items are reported; absent: 3, 4, 6, 8,")


def test_people_at_the_start_are_those_of_the_run() -> None:
    """Mean and standard deviation with weights; shares of histories; a missing biomarker is named."""
    import numpy as np

    baseline = {
        "age": np.array([50.0, 60.0]),
        "hba1c": np.array([7.0, 9.0]),
        "smoker": np.array([0.0, 1.0]),
        "history: mi": np.array([0.0, 1.0]),
    }
    result = without(made_up(), weights=np.array([0.75, 0.25]))
    object.__setattr__(result, "baseline", baseline)
    diabetes = items(result, "diabetes")
    assert diabetes["Baseline age"].answer == "Age 52.5 (SD 4.33) years."
    assert diabetes["Baseline HbA1c, lipids and blood pressure"].answer == (
        "HbA1c 7.50 (SD 0.87) %. Absent: HDL cholesterol, LDL cholesterol and systolic pressure."
    )
    assert diabetes["Smoking status"].answer == "25\u00a0% smoke."
    assert diabetes["Comorbidities"].answer == "Heart attack 25\u00a0%."


def test_a_strategy_without_cells_has_no_belief_about_them() -> None:
    """Settings that were read have every default: a scenario stands also where nobody is given cells."""
    from betapod.report.value.run_settings import strategy_words

    run = {**RUN, "strategies": {**RUN["strategies"], "no cells": {"cells": None, "scenario": "none", "therapies": []}}}
    assert strategy_words(without(made_up(), run=run), "no cells") == "no change of what people take"
