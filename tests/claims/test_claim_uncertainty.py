"""Intervals of simulated outcomes: three parts kept apart, and what verdicts read of them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from claims_fit import install_claims_record

from betapod.base.interval_parts import IntervalParts
from betapod.claims import claim_simulation, claims
from betapod.claims.claim_outcome import ContrastTerm, Outcome, OutcomeUncertainty, SimulatedOutcome
from betapod.claims.claim_parameters import FitChoice, choose_fit
from betapod.claims.claim_targets import claim_targets
from betapod.claims.claim_uncertainty import effect_interval, interval_parts
from betapod.claims.claim_verdict import judge_claim
from betapod.claims.judged_claim import JudgedClaim
from betapod.claims.outcome_kinds import kind_of_outcome
from betapod.claims.questions import Question, Reply
from betapod.claims.seed_comparison import Contest
from betapod.claims.uncertainty_words import held_words, interval_words, lever_spread
from betapod.claims.wording import claim_as_dict, leverage_words
from betapod.report.claims.claims_page import claims_message, render_claims_page

#: An outcome that nobody else simulates: short, in somebody without a history.
SHORT = Outcome("HbA1c", "t1d_new", 0.1, "difference", -1.6, "UC-MSC 1e6/kg iv", ("all",), lever="Emax_SI")
ALBUMIN = Outcome("UACR", "t2d_micro", 1.0, "percent", -80.0, "UC-MSC 1e6/kg iv")


def uncertain(effects: Mapping[str, tuple[float, ...]], **more: Any) -> OutcomeUncertainty:
    values: dict[str, Any] = {
        "fit": "2000.1", "draws": 4, "lost": 0, "scale": "linear", "kind": "level % HbA1c", "studies": 0.5, "why_none": "",
        "effects": effects,
    }  # fmt: skip
    return OutcomeUncertainty(**{**values, **more})


def simulated(uncertainty: OutcomeUncertainty | None, **more: Any) -> SimulatedOutcome:
    values: dict[str, Any] = {
        "unit": "%", "off": 0.0, "allowed": -0.5, "claimed": -2.0, "largest": -1.0, "reached_within_evidence": False,
        "expressible": True, "uncertainty": uncertainty,
    }  # fmt: skip
    return SimulatedOutcome(**{**values, **more})


@pytest.fixture
def fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FitChoice:
    install_claims_record(monkeypatch, tmp_path)
    return choose_fit(None, 4)


@pytest.mark.parametrize(
    ("outcome", "kind", "scale"),
    [
        (SHORT, "level % HbA1c", "linear"),
        (ALBUMIN, "ratio", "log"),
        (replace(ALBUMIN, measure="level"), "ratio", "log"),
        (replace(SHORT, quantity="eGFR"), "level mL/min/1.73m2", "linear"),
        (replace(SHORT, quantity="eGFR", measure="percent"), "ratio", "log"),
        (replace(SHORT, quantity="GFR"), "level mL/min", "linear"),
        (replace(SHORT, quantity="W_GBM"), "level nm", "linear"),
        (replace(SHORT, quantity="clamp_M"), "level mg/kg/min", "linear"),
        (replace(SHORT, quantity="Vv_mes"), "level 1 mesangial_fractional_volume", "linear"),
        (replace(SHORT, quantity="capillary_density"), "", "linear"),
        (replace(SHORT, quantity="remission"), "", "linear"),
        (replace(SHORT, quantity="complications", measure="percent"), "", "log"),
        (replace(ALBUMIN, contrast=(ContrastTerm(), ContrastTerm(-1.0))), "", "linear"),
    ],
)
def test_an_outcome_is_like_the_numbers_of_its_kind_or_of_none(outcome: Outcome, kind: str, scale: str) -> None:
    like = kind_of_outcome(outcome)
    assert (like.kind, like.scale) == (kind, scale) and bool(like.why_none) == (not kind)


def test_every_outcome_of_the_ledger_has_a_kind_or_a_reason() -> None:
    kinds = [kind_of_outcome(outcome) for outcome in claims.all_outcomes(claims.load_claims()).values()]
    assert all(bool(like.kind) != bool(like.why_none) for like in kinds)
    assert sum(bool(like.kind) for like in kinds) > 30


def test_an_interval_keeps_its_parts_apart() -> None:
    one = simulated(uncertain({"largest": (-1.3, -0.7, -1.3, -0.7)}))
    interval = effect_interval(SHORT, one, "largest")
    assert interval is not None and interval_parts(SHORT, one, "largest") == IntervalParts(
        0.0, pytest.approx(0.3), 0.5, 4
    )
    assert interval.sds == {"chance": 0.0, "parameters": pytest.approx(0.3), "studies": 0.5}
    assert interval.chance == (-1.0, -1.0), "one person who is described is simulated: nobody is drawn"
    assert interval.parameters == pytest.approx(IntervalParts(parameters=0.3, sets=4).interval(-1.0))
    assert interval.studies == pytest.approx(IntervalParts(studies=0.5).interval(-1.0))
    assert interval.low < min(interval.parameters[0], interval.studies[0])
    half = [ends[1] + 1.0 for ends in (interval.parameters, interval.studies)]
    # Independent parts add as variances do, and not as lengths.
    assert interval.high + 1.0 < sum(half)
    assert effect_interval(SHORT, simulated(None), "largest") is None
    assert effect_interval(SHORT, one, "face") is None


def test_a_bent_model_moves_the_interval_by_what_its_draws_lie_off() -> None:
    """All draws on one side: their SD would be 0, and the number itself is not known better than that."""
    parts = interval_parts(SHORT, simulated(uncertain({"largest": (-1.3, -1.3, -1.3, -1.3)})), "largest")
    assert parts is not None and parts.parameters == pytest.approx(0.3)


def test_ratios_have_intervals_on_the_scale_of_logarithms() -> None:
    draws = tuple(100.0 * (0.5 * factor - 1.0) for factor in (0.8, 1.25, 0.8, 1.25))
    one = simulated(uncertain({"largest": draws}, scale="log", kind="ratio", studies=0.3), largest=-50.0)
    interval = effect_interval(ALBUMIN, one, "largest")
    assert interval is not None and interval.sds["parameters"] == pytest.approx(math.log(1.25))
    assert math.sqrt((1 + interval.low / 100) * (1 + interval.high / 100)) == pytest.approx(0.5)
    gone = simulated(uncertain({"claimed": (-100.0, -100.0)}, scale="log", studies=0.3), claimed=-100.0)
    ends = effect_interval(ALBUMIN, gone, "claimed")
    assert ends is not None and -100.0 <= ends.low <= ends.high < 0.0


def test_a_share_of_health_stays_within_what_can_be() -> None:
    outcome = replace(SHORT, quantity="remission", claimed=0.5)
    one = simulated(uncertain({"largest": (1.0, 0.0, 0.0, 0.0)}, studies=None, why_none="why"), largest=0.0)
    interval = effect_interval(outcome, one, "largest")
    assert interval is not None and interval.studies is None and interval.high <= 1.0 and interval.low >= -1.0


def reply(answer: str, direct: bool) -> Reply:
    return Reply(Question("asked", direct=direct), answer, 1.0, None, "", "high", ("X#1",), ("X",), "made")


@pytest.mark.parametrize(
    ("reached", "excluded", "within"), [("", True, False), ("parameters", False, True), ("all", False, True)]
)
def test_what_lies_inside_the_interval_is_neither_excluded_nor_reached(
    reached: str, excluded: bool, within: bool
) -> None:
    one = simulated(uncertain({"largest": (-1.0,) * 4}, reached=reached))
    assert (one.excluded, one.within_interval) == (excluded, within)
    indirect = judge_claim([reply("for", False)], [one], True)
    direct = judge_claim([reply("for", True)], [one], True)
    assert indirect.verdict == ("not supported" if excluded else "untested")
    assert direct.verdict == "partly supported", "what is not known can make a verdict less firm, and never firmer"
    word = "nor inside its interval" if excluded else "but lies inside its interval"
    assert word in indirect.because and word in direct.because
    plain = simulated(None)
    assert plain.excluded and "interval" not in judge_claim([reply("for", True)], [plain], True).because


def test_what_the_model_cannot_express_is_not_excluded_whatever_its_interval() -> None:
    one = simulated(uncertain({"largest": (-1.0,) * 4}), expressible=False)
    assert not one.excluded and judge_claim([reply("for", True)], [one], True).verdict == "supported"
    inside = replace(one, uncertainty=uncertain({"largest": (-1.0,) * 4}, reached="all"))
    assert judge_claim([reply("for", True)], [inside], True).verdict == "supported"


def test_a_contest_is_lost_where_the_whole_interval_misses_what_was_measured() -> None:
    contest = Contest("name", "1", 5.0, 1.0, (5.0, 5.0), (1.0, 1.0), 0.0, 2.0, "X#1")
    assert contest.loses and contest.holds
    assert not replace(contest, claimed_ends=(1.5, 8.5)).loses
    assert replace(contest, claimed_ends=(2.5, 8.5), allowed_ends=(-2.0, -0.5)).loses
    assert not replace(contest, allowed_ends=(-2.0, -0.5)).holds


def test_kept_results_say_under_which_fit_they_were_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fit: FitChoice
) -> None:
    monkeypatch.setenv("BETAPOD_CACHE", str(tmp_path / "cache"))
    asked: list[FitChoice] = []

    def computed(outcomes: Mapping[str, Outcome], under: FitChoice) -> dict[str, SimulatedOutcome]:
        asked.append(under)
        draws = uncertain({"largest": (-1.0,) * under.draws}, draws=under.draws) if under.draws else None
        return dict.fromkeys(outcomes, simulated(draws, off=float(len(asked))))

    monkeypatch.setattr(claim_simulation, "compute_outcomes", computed)
    some, stored = {"A09": claims.all_outcomes(claims.load_claims())["A09"]}, tmp_path / "stored.json"
    claim_simulation.store(some, stored, fit)
    monkeypatch.setattr(claim_simulation, "STORED", stored)
    assert json.loads(stored.read_text(encoding="utf-8"))["made under"]["fit"] == "the fit 2000.1 with 4 draws"
    monkeypatch.setenv("BETAPOD_CACHE", str(tmp_path / "other"))
    assert claim_simulation.simulate_outcomes(some, fit)["A09"].uncertainty is not None and asked == [fit]
    assert claim_simulation.told_of_fit(some, fit, False) == []
    # Another number of draws, or no fit: what was kept does not fit, and this is said.
    two, none = choose_fit(None, 2), choose_fit("none")
    for other, drawing in ((two, True), (none, False)):
        told = claim_simulation.told_of_fit(some, other, drawing)
        assert f"made under the fit 2000.1 with 4 draws, not under {other.in_words}" in told[0]
        assert told[1] == f"1 outcome to simulate anew under {other.in_words}"
        assert claim_simulation.simulate_outcomes(some, other, drawing)["A09"].off == float(len(asked))
        assert asked[-1] == other
    # What nobody asked for is not drawn at somebody's first call: it has no interval, and this is said.
    three = choose_fit(None, 3)
    assert (
        "1 outcome without an interval: 'betapod claims simulate'"
        in claim_simulation.told_of_fit(some, three, False)[1]
    )
    assert claim_simulation.simulate_outcomes(some, three)["A09"].uncertainty is None
    assert asked[-1] == three.without_draws


def test_words_and_data_name_every_part() -> None:
    one = simulated(
        uncertain({"allowed": (-0.4, -0.6), "largest": (-1.3, -0.7)}, draws=3, lost=1, needed=(2.0, None, 4.0)),
        lever="Emax_SI", lever_unit="1", now=1.0, limit=2.5, needed=3.0, ceiling=100.0,
    )  # fmt: skip
    words = interval_words(effect_interval(SHORT, one, "largest"))
    assert words.startswith(" (95 % ") and "by parameters alone" in words and "between studies alone" in words
    held = held_words(one)
    assert "3 draws of the fit 2000.1" in held and "1 of which gave no number" in held and "nobody is drawn" in held
    assert "level % HbA1c: SD 0.5" in held
    still = simulated(uncertain({"off": (0.0, 0.0)}, studies=None, why_none="no row is like it"))
    assert interval_words(effect_interval(SHORT, still, "off")) == " (95 % nothing: by parameters alone nothing)"
    alone = held_words(replace(one, uncertainty=uncertain({}, studies=None, kind="", why_none="no row is like it")))
    assert "not what studies differ by: no row is like it" in alone
    assert lever_spread(one) == "2 to 4 under 2 of 3 draws, not reached under 1; within what evidence allows under 1"
    assert leverage_words(one).endswith(lever_spread(one)) and leverage_words(one).startswith("Emax_SI must be 3; ")
    claim = replace(claims.find_claims(["A11"])[0], outcomes=(SHORT,), questions=())
    entry = JudgedClaim(claim, (), (one,), judge_claim((), (one,), True))
    shown = claim_as_dict(entry)["outcomes"][0]
    assert set(shown["intervals"]) == {"allowed", "largest"}
    assert set(shown["intervals"]["largest"]) >= {"low", "high", "parameters", "studies", "chance", "sds", "scale"}
    json.dumps(claim_as_dict(entry), allow_nan=False)
    (target,) = claim_targets([entry])
    row = target.as_dict()
    assert row["best_low"] < row["best_parameters_low"] < row["best"] < row["best_studies_high"] < row["best_high"]
    assert (row["best_sd_parameters"], row["best_sd_studies"], row["best_sd_chance"]) == (pytest.approx(0.3), 0.5, 0.0)
    assert (row["as_claimed_low"], row["needed_low"], row["needed_high"], row["needed_reached"]) == (None, 2.0, 4.0, 2)
    contest = Contest("name", "1", 5.0, 1.0, (4.0, 6.0), (1.0, 1.0), 0.0, 2.0, "X#1")
    page = render_claims_page([entry], (), [contest])
    assert "by parameters alone" in page and "What is not known" in page and "(95 % 4 to 6)" in page
    assert any("inside the interval" in sentence for sentence in claims_message([with_reached(entry)]))
    assert asdict(one)["uncertainty"]["needed"] == (2.0, None, 4.0)


def with_reached(entry: JudgedClaim) -> JudgedClaim:
    one = entry.simulations[0]
    assert one.uncertainty is not None
    return replace(entry, simulations=(replace(one, uncertainty=replace(one.uncertainty, reached="all")),))
