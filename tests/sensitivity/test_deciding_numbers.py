"""Numbers that verdicts rest on: the verdict with nothing changed is that of the ledger, and a change is what a change of tables would do."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math

import numpy as np
import pytest
from commands import carry_out

import betapod
from betapod.base.errors import ConfigError
from betapod.claims.claim_comparisons import comparisons_of
from betapod.claims.claim_lives import live_through, whole_body_model
from betapod.claims.ledger import judge_ledger
from betapod.cli.verbs import sensitivity_claims
from betapod.physiology import whole_body
from betapod.sensitivity.claim_numbers import NumberChange, best_effect, changed_effects, claim_numbers, outcome_effects
from betapod.sensitivity.deciding_numbers import DecidedClaim, NumberTried, _why, deciding_numbers, verdict_under
from betapod.sensitivity.verdict_function import VerdictFunction
from betapod.therapies.cell_parameters import cell_parameter_table
from betapod.therapies.scenarios import AS_CLAIMED, CURRENT_EVIDENCE, FACE_VALUE

#: One claim that the model alone holds back, with people whose histories other tests have as well.
CLAIM = "A06"


@pytest.fixture(scope="module")
def entry():
    (judged,) = judge_ledger([CLAIM])
    return judged


@pytest.fixture(scope="module")
def unchanged(entry):
    (effects,) = changed_effects(entry.claim.named_outcomes, [NumberChange.of("nothing", [])])
    return effects


def number(name: str):
    (item,) = claim_numbers("ABCD", [name])
    return item


def test_with_nothing_changed_effects_and_verdict_are_those_of_the_ledger(entry, unchanged) -> None:
    assert verdict_under(entry, unchanged) == entry.verdict.verdict
    for (name, _), simulated in zip(entry.claim.named_outcomes.items(), entry.simulations, strict=True):
        for key in ("allowed", "face", "claimed"):
            expected = getattr(simulated, key)
            assert unchanged[name][key] == pytest.approx(expected, rel=1e-3, abs=1e-4 * abs(simulated.claimed))


def test_numbers_are_those_of_a_grade_with_a_range_and_no_inputs() -> None:
    numbers = claim_numbers()
    names = {item.name for item in numbers}
    assert len(names) == len(numbers) > 250
    assert {item.row.grade for item in numbers} == {"D"} and not any(item.row.role == "input" for item in numbers)
    assert {"kon_A", "potency_UC"} <= names and not names & {"sw_immune", "BW", "T1D"}
    assert not number("potency_UC").in_model and number("kon_A").in_model
    # Scenarios differ in it: each has its own range, and what claims need stays.
    varied = next(item for item in claim_numbers("ABCD") if item.by_scenario)
    for scenario in (CURRENT_EVIDENCE, FACE_VALUE):
        row = cell_parameter_table(scenario)[varied.name]
        value = varied.at(0.0, scenario)
        assert value is None or value == pytest.approx(max(row.low, row.hard_low))
    assert varied.at(0.0, AS_CLAIMED) is None
    assert number("k_MAP_AT1").at(1.0, AS_CLAIMED) == number("k_MAP_AT1").row.high


def test_a_change_is_what_other_values_do(entry) -> None:
    """The same lives with the value written into them by hand."""
    kon = number("kon_A")
    (name, outcome), *_ = entry.claim.named_outcomes.items()
    (changed,) = changed_effects({name: outcome}, [NumberChange.of("kon_A low", [(kon, 0.0)])])
    low = kon.row.low
    by_hand = {key: item.changed({"kon_A": low}) for key, item in comparisons_of(outcome).items()}
    values = live_through(by_hand.values())
    for key, item in by_hand.items():
        assert changed[name][key] == item.of(values)


def test_what_describes_a_person_and_what_a_claim_sets_stay(entry) -> None:
    outcome = entry.claim.outcomes[0]
    everything = NumberChange.of("all low", [(item, 0.0) for item in claim_numbers("ABCD")])
    from betapod.claims.claim_parameters import own_values

    for item in outcome_effects(outcome).values():
        for before in item.lives():
            after = everything.of_life(before)
            values = dict(after.values)
            assert {key: values[key] for key, _ in before.values} == dict(before.values)
            assert not set(values) - {key for key, _ in before.values} & own_values(before.person)
            assert after.person == before.person and after.course == before.course


def test_a_number_that_flips_the_verdict_is_named(entry, unchanged) -> None:
    """With a best effect beyond what is claimed the rule gives another verdict; with one on the other side it does not."""
    reached, opposite = {}, {}
    for name, outcome in entry.claim.named_outcomes.items():
        reached[name] = dict.fromkeys(unchanged[name], 10.0 * outcome.claimed)
        opposite[name] = {**dict.fromkeys(unchanged[name], -outcome.claimed), "claimed": outcome.claimed * 1.5}
    assert verdict_under(entry, reached) != verdict_under(entry, opposite)
    assert _why(entry, unchanged) == ""
    assert _why(entry, {name: {**e, "claimed": -e["claimed"]} for name, e in unchanged.items()}).startswith("told all")
    assert "reached" in _why(entry, reached) or "told" in _why(entry, reached)
    lost = {name: {**effects, "allowed": math.nan} for name, effects in unchanged.items()}
    assert verdict_under(entry, lost) == ""


def test_what_the_verb_gives(entry, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    decided = deciding_numbers([entry], names=["kon_A", "potency_UC", "age0"], draws=2)
    (claim,) = decided
    assert claim.claim == CLAIM and claim.verdict == entry.verdict.verdict and claim.why_none == ""
    assert claim.numbers in (2, 3) and claim.draws is not None and sum(claim.draws.values()) == pytest.approx(1.0)
    assert [n.name for n in claim.tried] == [
        n.name for n in sorted(claim.tried, key=lambda n: -n.moves)
    ] or claim.deciding


def test_shares_of_draws_are_in_the_table_and_say_of_how_many(capsys: pytest.CaptureFixture[str]) -> None:
    number = NumberTried("kon_A", "onset", "1/day", "D", 0.7, 0.2, 2.3, "untested", "untested", 0.14, "A02.2")
    shares = {"not supported": 0.75, "untested": 0.25}
    decided = [
        DecidedClaim("A02", "vessels", "untested", "", (number,), 1, shares, 8),
        DecidedClaim("A99", "", "", "why"),
    ]
    rows = list(csv.DictReader(io.StringIO(sensitivity_claims._csv(decided).text())))
    assert [(row["all_together"], row["draws"]) for row in rows] == [
        ("not supported 75 %, untested 25 %", "8"),
        ("", ""),
    ]
    sensitivity_claims._print(decided, ["D"], False)
    assert "shares of 8 draws" in " ".join(capsys.readouterr().out.split())


def test_verdicts_of_evidence_alone_are_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_, **__):
        raise AssertionError("nothing has to be simulated")

    monkeypatch.setattr("betapod.sensitivity.deciding_numbers.changed_effects", never)
    entries = judge_ledger(["B20", "A05"])
    decided = {claim.claim: claim for claim in deciding_numbers(entries)}
    assert decided["B20"].why_none == "it is about diabetes, and evidence alone decides"
    assert decided["A05"].why_none.startswith("evidence alone decides")
    assert not any(claim.tried for claim in decided.values())
    # So it is: with every outcome reached, and with none, the rule gives the same.
    from betapod.claims.claim_verdict import judge_claim

    entry = entries[1]
    for reached in (True, False):
        moved = [
            dataclasses.replace(s, reached_within_evidence=reached, expressible=True, uncertainty=None)
            for s in entry.simulations
        ]
        assert judge_claim(entry.replies, moved, True).verdict == entry.verdict.verdict


def test_the_whole_body_model_has_every_number_in_it() -> None:
    model = whole_body_model()
    assert (
        model is whole_body.named_model("reference")
        or model.fingerprint == whole_body.named_model("reference").fingerprint
    )
    assert all(item.name in model.parameters for item in claim_numbers() if item.in_model)
    json.dumps([item.name for item in claim_numbers()])


def test_screening_leaves_out_no_number_that_acts(entry) -> None:
    """With every effect computed for a number, the answer is the same as by the effect that is best today."""
    names = ["kon_A", "potency_UC", "tau_mean", "w_K"]
    (screened,) = deciding_numbers([entry], names=names)
    outcomes = entry.claim.named_outcomes
    (today,) = changed_effects(outcomes, [NumberChange.of("nothing", [])])
    for name in names:
        changes = [NumberChange.of(name, [(number(name), end)]) for end in (0.0, 1.0)]
        ends = changed_effects(outcomes, changes)
        moves = max(
            abs(ends[1][key][best_effect(o, ends[1][key])] - ends[0][key][best_effect(o, ends[0][key])])
            / abs(o.claimed)
            for key, o in outcomes.items()
        )
        shown = {item.name: item for item in screened.tried}
        if moves >= 0.02:
            assert shown[name].moves == pytest.approx(moves, rel=1e-6)
            assert shown[name].at_low == verdict_under(entry, ends[0])
            assert shown[name].at_high == verdict_under(entry, ends[1])
    assert set(today) == set(outcomes)


def test_the_verdict_as_a_function_of_numbers(entry, unchanged) -> None:
    function = VerdictFunction.of_claim(entry, ["D"], ["kon_A", "potency_UC"])
    assert list(function.outputs) == [*entry.claim.named_outcomes, "verdict stays"]
    at_ends = function(np.array([[0.0, 0.0], [1.0, 1.0]]))
    numbers = [number("kon_A"), number("potency_UC")]
    numbers.sort(key=lambda item: [f.name for f in function.factors].index(item.name))
    changes = [NumberChange.of("ends", [(item, end) for item in numbers]) for end in (0.0, 1.0)]
    for row, effects in zip(at_ends, changed_effects(entry.claim.named_outcomes, changes), strict=True):
        for value, (name, outcome) in zip(row, entry.claim.named_outcomes.items(), strict=False):
            assert value == effects[name][best_effect(outcome, effects[name])] / abs(outcome.claimed)
        assert row[-1] == float(verdict_under(entry, effects) == entry.verdict.verdict)
    with pytest.raises(ConfigError, match="unknown-parameter"):
        VerdictFunction.of_claim(entry, ["D"], ["kon_B"])
    (of_evidence,) = judge_ledger(["B20"])
    with pytest.raises(ConfigError, match="evidence alone decides"):
        VerdictFunction.of_claim(of_evidence)


def test_the_verb_verdict() -> None:
    words = ("sensitivity", "verdict", CLAIM, "--vary", "kon_A,potency_UC", "--method", "prcc", "--runs", "8")
    result = json.loads(carry_out(*words, "--json").stdout)
    assert result["claim"] == CLAIM and result["outputs"][-1]["name"] == "verdict stays"
    assert {row["player"] for row in result["indices"]} == {"kon_A", "potency_UC"}
    table = betapod.verdict_sensitivity(CLAIM, ["kon_A", "potency_UC"], "prcc", runs=8)
    assert table["PRCC"].tolist() == [row["PRCC"] for row in result["indices"]]
    done = carry_out("sensitivity", "verdict", CLAIM, "--grade", "E")
    assert done.returncode == 2 and "unknown-grade" in done.stderr
