"""Every threshold of answers, certainty and verdict, at its value and on either side of it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from betapod.claims import ledger
from betapod.claims.claim_verdict import judge_claim
from betapod.claims.questions import Question, Reply, answer_of, ask
from betapod.evidence.records.study import Record
from betapod.evidence.synthesis import certainty
from betapod.evidence.synthesis import pool as synthesis
from betapod.evidence.synthesis.pooled import Pooled

pytest.importorskip("pymare")

KNOWN = ledger.evidence_for_claims()


def reply(answer: str, level: str) -> Reply:
    return Reply(Question("asked"), answer, 1.0, None, "", level, ("X#1",), ("X",), "made")


@pytest.mark.parametrize(
    ("level", "verdict"),
    [
        ("high", "supported"),
        ("moderate", "supported"),
        ("low", "partly supported"),
        ("very low", "partly supported"),
    ],
)
def test_moderate_certainty_is_enough_for_supported_and_low_is_not(level: str, verdict: str) -> None:
    found = judge_claim([reply("for", level)], [], False)
    assert (found.verdict, found.certainty) == (verdict, level)
    # An answer of low certainty beside it takes nothing away.
    assert judge_claim([reply("for", level), reply("for", "very low")], [], False).verdict == verdict
    assert judge_claim([reply("for", level), reply("short", "high")], [], False).verdict == "partly supported"


@pytest.mark.parametrize(
    ("expects", "null", "requires", "ci", "answer"),
    [
        # An interval that ends at no effect contains it.
        ("above", 0.0, None, (0.0, 1.0), "open"),
        ("above", 0.0, None, (1e-9, 1.0), "for"),
        ("above", 0.0, None, (-1.0, 0.0), "open"),
        ("above", 0.0, None, (-1.0, -1e-9), "against"),
        # One that ends at what is required does not exclude it.
        ("above", 0.0, 2.0, (0.5, 2.0), "for"),
        ("above", 0.0, 2.0, (0.5, 2.0 - 1e-9), "short"),
        ("above", 0.0, 2.0, (-0.5, 2.0), "open"),
        ("above", 0.0, 2.0, (-0.5, 2.0 - 1e-9), "against"),
        ("below", 1.0, None, (0.5, 1.0), "open"),
        ("below", 1.0, 0.5, (0.5, 0.9), "for"),
        ("below", 1.0, 0.5, (0.5 + 1e-9, 0.9), "short"),
        ("above", None, 0.5, (0.5, 0.9), "for"),
        ("above", None, 0.5, (0.5 - 1e-9, 0.9), "open"),
        ("above", None, 0.5, (0.1, 0.5), "open"),
        ("above", None, 0.5, (0.1, 0.5 - 1e-9), "against"),
        ("within", 1.0, 1.5, (0.8, 1.5), "for"),
        ("within", 1.0, 1.5, (0.8, 1.5 + 1e-9), "open"),
        ("within", 1.0, 1.5, (1.5, 2.0), "short"),
        ("within", 1.0, 1.5, (1.5 + 1e-9, 2.0), "against"),
        ("within", 1.0, 1.5, (1.0, 2.0), "open"),
    ],
)
def test_answers_at_the_ends_of_intervals(expects, null, requires, ci, answer) -> None:
    assert answer_of(expects, null, requires, sum(ci) / 2, ci) == answer


@pytest.mark.parametrize(
    ("expects", "estimate", "answer"),
    [("above", 2.0, "leans for"), ("above", 2.0 - 1e-9, "leans against"), ("within", 2.0, "leans for"),
     ("within", 2.0 + 1e-9, "leans against")],
)  # fmt: skip
def test_numbers_without_an_interval_lean_from_what_is_required_on(expects, estimate, answer) -> None:
    assert answer_of(expects, 0.0, 2.0, estimate, None) == answer


def rows(count: int = 3, **changed: object) -> list[Record]:
    base = replace(
        KNOWN["ADVANCE_BP#1"], kind="risk_ratio", statistic_text="risk ratio", unit="1", design="RCT",
        design_text="RCT; double-blind", grade="B", source_level="primary_table", weeks=104.0, n=2000, value=0.8,
        population="T2D", p_value="",
    )  # fmt: skip
    from betapod.evidence.records.study import Dispersion

    made = replace(base, dispersion=Dispersion("CI95", 0.7, 0.64 / 0.7), **changed)  # type: ignore[arg-type]
    return [replace(made, id=f"{name}#1", study=name, family=name) for name in "ABCDEFGHIJKL"[:count]]


def graded(records: list[Record], **changed: object) -> tuple[certainty.Certainty, dict[str, int]]:
    pooled: Pooled = replace(synthesis.pool(records), **changed)  # type: ignore[arg-type]
    found = certainty.grade(records, pooled)
    return found, {one.domain: one.steps for one in found.downgrades}


def test_sound_large_trials_that_agree_are_of_high_certainty() -> None:
    found, steps = graded(rows())
    assert (found.start, found.level, steps) == ("high", "high", {})


@pytest.mark.parametrize(("people", "steps"), [(400, 0), (399, 1), (100, 1), (99, 2)])
def test_few_people_are_imprecise(people: int, steps: int) -> None:
    assert graded(rows(), n=people)[1].get("imprecision", 0) == steps


@pytest.mark.parametrize(("ends", "steps"), [((0.7, 0.999), 0), ((0.7, 1.0), 1), ((1.0, 1.4), 1), ((0.7, 1.2), 1)])
def test_an_interval_that_contains_no_effect_is_imprecise(ends: tuple[float, float], steps: int) -> None:
    assert graded(rows(1), ci=ends)[1].get("imprecision", 0) == steps


@pytest.mark.parametrize(
    ("i2", "p", "prediction", "steps"),
    [
        (75.0, 0.099, (0.7, 0.9), 1), (75.0, 0.099, (0.7, 1.1), 2), (74.9, 0.099, (0.7, 1.1), 1), (50.0, 0.099, (0.7, 0.9), 1),
        (49.9, 0.099, (0.7, 0.9), 0), (75.0, 0.1, (0.7, 0.9), 0), (49.9, 0.5, (0.7, 1.1), 1), (49.9, 0.5, (0.7, 1.0), 1),
    ],
)  # fmt: skip
def test_studies_that_disagree_are_inconsistent(i2, p, prediction, steps) -> None:
    assert graded(rows(), i2=i2, q_p=p, prediction_interval=prediction)[1].get("inconsistency", 0) == steps


def test_two_studies_that_disagree_are_inconsistent_without_a_prediction_interval() -> None:
    assert graded(rows(2), i2=80.0, q_p=0.02, prediction_interval=None)[1] == {"inconsistency": 1}
    assert graded(rows(2), i2=80.0, q_p=0.2, prediction_interval=None)[1] == {}


@pytest.mark.parametrize(("weeks", "steps"), [(26.0, 0), (25.9, 1), (None, 0)])
def test_a_short_follow_up_is_indirect(weeks: float | None, steps: int) -> None:
    assert graded(rows(weeks=weeks))[1].get("indirectness", 0) == steps


@pytest.mark.parametrize(("shares", "steps"), [((50.0, 50.0), 1), ((49.9, 50.1), 0), ((50.1, 49.9), 1)])
def test_half_of_the_weight_decides(shares: tuple[float, float], steps: int) -> None:
    weak = rows(2)
    weak[0] = replace(weak[0], grade="C")
    assert graded(weak, weights=shares)[1].get("risk of bias", 0) == steps
    retold = rows(2)
    retold[0] = replace(retold[0], source_level="press_release")
    assert graded(retold, weights=shares)[1].get("risk of bias", 0) == steps
    short = rows(2)
    short[0] = replace(short[0], weeks=12.0)
    assert graded(short, weights=shares)[1].get("indirectness", 0) == steps
    summary = rows(2)
    pooled = replace(synthesis.pool(summary), weights=shares)
    summary[0] = replace(summary[0], design="meta-analysis", grade="")
    found = certainty.grade(summary, pooled)
    assert sum(one.steps for one in found.downgrades if one.domain == "risk of bias") == steps


@pytest.mark.parametrize(("people", "steps"), [(50, 0), (49, 1)])
def test_only_small_studies_may_hide_others(people: int, steps: int) -> None:
    assert graded(rows(n=people), n=2000)[1].get("publication bias", 0) == steps


@pytest.mark.parametrize(("i2", "steps"), [(49, 0), (50, 1), (94, 1)])
def test_the_i2_inside_a_summary_counts(i2: int, steps: int) -> None:
    one = rows(1, design="meta-analysis", quote=f"RR 0.8, I2={i2}%", grade="B")
    assert graded(one)[1].get("inconsistency", 0) == steps


@pytest.mark.parametrize(("ratio", "steps"), [(2.0, 1), (1.99, 0), (4.99, 1), (5.0, 2), (0.5, 1), (0.2, 2), (0.51, 0)])
def test_a_large_effect_without_randomisation_goes_up(ratio: float, steps: int) -> None:
    records = rows(design="nonrandomised-controlled")
    found, lowered = graded(records, estimate=ratio, ci=(ratio * 0.99, ratio * 1.005))
    assert lowered == {} and found.start == "low"
    assert sum(one.steps for one in found.upgrades) == steps


def test_one_part_in_a_hundred_that_is_not_randomised_makes_the_start_low() -> None:
    mixed = rows(2)
    mixed[1] = replace(mixed[1], design="nonrandomised-controlled")
    assert graded(mixed)[0].start == "low"
    assert graded(rows(2))[0].start == "high"


@pytest.mark.parametrize(("p", "answer"), [(0.099, "open"), (0.1, "for")])
def test_two_studies_that_disagree_answer_only_what_holds_for_both(
    p: float, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from betapod.claims import questions
    from betapod.evidence.records.registry import Registry

    two = rows(2)
    from betapod.evidence.records.study import Dispersion

    two[1] = replace(two[1], value=0.98, dispersion=Dispersion("CI95", 0.9, 0.98**2 / 0.9))
    pooled = synthesis.pool(two)
    assert pooled.ci[1] < 1.0
    monkeypatch.setattr(questions, "pool", lambda *_, **__: replace(pooled, q_p=p))
    found = ask(Question("", select={"study": ["A", "B"]}, expects="below"), Registry(tuple(two)))
    assert found.answer == answer and found.ci is not None
    if answer == "open":
        assert found.ci == pytest.approx((0.7, 0.98**2 / 0.9)) and "disagree" in found.how
        assert math.isclose(found.estimate or 0.0, pooled.estimate)
