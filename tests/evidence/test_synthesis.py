"""Pooling: equal to R metafor, refusals with reasons, laws of random-effects estimates, certainty by the written rules."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from betapod.base.errors import EvidenceError
from betapod.claims import ledger
from betapod.evidence.records import registry
from betapod.evidence.records.study import Record
from betapod.evidence.synthesis import candidate_effects as effects
from betapod.evidence.synthesis import certainty
from betapod.evidence.synthesis import pool as synthesis
from betapod.evidence.synthesis.candidate_effects import EffectSize
from betapod.evidence.synthesis.pooled import Pooled
from betapod.evidence.synthesis.small_studies import small_studies

pytest.importorskip("pymare")

MSC = ("BM-MSC", "UC-MSC", "adipose MSC", "placental MSC")
GOLDEN: dict[tuple[str, str], dict[str, float]] = {}
with Path(__file__).with_name("metafor.csv").open(encoding="utf-8", newline="") as file:
    for row in csv.DictReader(file):
        GOLDEN.setdefault((row["group"], row["method"]), {})[row["name"]] = float(row["value"])


@pytest.fixture(scope="module")
def known() -> registry.Registry:
    return registry.load_registry()


def effect(y: float, v: float, name: str = "A") -> EffectSize:
    return EffectSize(name, name, "difference", "between", "x", "1", "", None, y, v, 10, (), "", (0, 0))


def from_registry(known: registry.Registry, group: str, method: str) -> Pooled:
    def select(**conditions: object) -> list[Record]:
        return known.select(controls=True, **conditions)  # type: ignore[arg-type]

    sglt2: dict[str, object] = {"product": "SGLT2 inhibitor"}
    questions: dict[str, Callable[[], Pooled]] = {
        "sglt2_kidney": lambda: synthesis.pool(
            select(endpoint="composite_kidney", **sglt2), measure="hazard_ratio", across=("population",), method=method
        ),
        "msc_hba1c": lambda: synthesis.pool(
            select(product=MSC, population="T2D", endpoint="HbA1c"), across=("product",), method=method
        ),
        "hsct_independence": lambda: synthesis.pool(
            select(product="HSCT", population="T1D", endpoint="insulin_independence_any"),
            contrast="level",
            method=method,
        ),
        "sglt2_acute": lambda: synthesis.pool(
            select(endpoint="eGFR_acute_change", **sglt2), measure="difference", method=method
        ),
        "glycaemia_macro": lambda: synthesis.pool(
            select(product="intensive glycaemia", population="T2D", endpoint="macro"),
            measure="hazard_ratio",
            method=method,
        ),
        "sglt2_uacr": lambda: synthesis.pool(
            select(endpoint="UACR", **sglt2), measure="geometric_ratio", across=("population",), method=method
        ),
        "msc_sae": lambda: synthesis.pool(
            select(product=MSC, endpoint="adverse_event:treatment_related_SAE"),
            contrast="level",
            across=("population", "product"),
            method=method,
        ),
        "agreeing": lambda: synthesis.pool_effects(
            [effect(-0.50, 0.04), effect(-0.55, 0.05, "B"), effect(-0.60, 0.06, "C")], method
        ),
        "bcg": lambda: synthesis.pool_effects(
            [effect(GOLDEN["bcg", "data"][f"y{i}"], GOLDEN["bcg", "data"][f"v{i}"], f"{i:02}") for i in range(1, 14)],
            method,
        ),
    }
    return questions[group]()


CASES = [key for key in GOLDEN if key[1] in synthesis.METHODS]


@pytest.mark.parametrize(("group", "method"), CASES)
def test_equal_to_metafor(known: registry.Registry, group: str, method: str) -> None:
    pooled = from_registry(known, group, method)
    forth = {"log": math.log, "logit": lambda p: math.log(p / (1 - p))}.get(effects.MEASURES[pooled.measure], float)
    assert pooled.tau2_ci is not None
    # Two studies have no prediction interval here, whatever metafor prints.
    assert (pooled.prediction_interval is None) == (pooled.k < 3)
    low, high = pooled.prediction_interval or (math.nan, math.nan)
    found = {
        "mu": pooled.mu,
        "se": pooled.se,
        "p": pooled.p,
        "tau2": pooled.tau2,
        "i2": pooled.i2,
        "q": pooled.q,
        "q_p": pooled.q_p,
        "ci_low": forth(pooled.ci[0]),
        "ci_high": forth(pooled.ci[1]),
        "pi_low": forth(low) if pooled.prediction_interval else math.nan,
        "pi_high": forth(high) if pooled.prediction_interval else math.nan,
        "tau2_low": pooled.tau2_ci[0],
        "tau2_high": pooled.tau2_ci[1],
    }
    for name, value in GOLDEN[group, method].items():
        if math.isnan(value) or (name.startswith("pi_") and pooled.k < 3):
            continue
        # metafor's own search for the ends of the interval of tau2 and for DL stops at about 1e-8.
        assert found[name] == pytest.approx(value, rel=1e-6, abs=1e-6), name


@pytest.mark.parametrize(("interval", "test"), [("adhoc", "adhoc"), ("normal", "z")])
@pytest.mark.parametrize("group", sorted({group for group, _ in CASES}))
def test_other_intervals_equal_metafor(known: registry.Registry, group: str, interval: str, test: str) -> None:
    pooled = from_registry(known, group, "REML")
    again = synthesis.pool_effects(pooled.effects, "REML", interval)
    forth = {"log": math.log, "logit": lambda p: math.log(p / (1 - p))}.get(effects.MEASURES[again.measure], float)
    golden = GOLDEN[group, test]
    assert forth(again.ci[0]) == pytest.approx(golden["ci_low"], rel=1e-6, abs=1e-6)
    assert forth(again.ci[1]) == pytest.approx(golden["ci_high"], rel=1e-6, abs=1e-6)


def test_enough_groups_are_compared() -> None:
    assert len({group for group, _ in CASES} - {"bcg", "agreeing"}) >= 5
    assert len(CASES) == 27


def test_small_study_tests_equal_metafor(known: registry.Registry) -> None:
    found = small_studies(from_registry(known, "bcg", "REML"))
    assert found.egger_p == pytest.approx(GOLDEN["bcg", "egger"]["p"], rel=1e-6)
    assert found.egger_intercept == pytest.approx(GOLDEN["bcg", "egger"]["slope"], rel=1e-6)
    assert found.kendall_tau == pytest.approx(GOLDEN["bcg", "begg"]["tau"], rel=1e-6)
    assert "below 10" in small_studies(from_registry(known, "agreeing", "DL")).note


numbers = st.floats(-3, 3).map(lambda x: round(x, 3))
errors = st.floats(0.05, 2).map(lambda x: round(x, 3))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(numbers, errors), min_size=2, max_size=8), st.sampled_from(synthesis.METHODS))
def test_laws(studies: list[tuple[float, float]], method: str) -> None:
    made = [effect(y, s**2, f"{i:02}") for i, (y, s) in enumerate(studies)]
    pooled = synthesis.pool_effects(made, method)
    assert pooled.tau2 is not None and pooled.tau2 >= 0.0
    assert pooled.i2 is not None and 0.0 <= pooled.i2 <= 100.0
    assert min(y for y, _ in studies) - 1e-9 <= pooled.estimate <= max(y for y, _ in studies) + 1e-9
    assert (pooled.prediction_interval is None) == (len(studies) < 3)
    if pooled.prediction_interval is not None:
        low, high = pooled.prediction_interval
        assert low <= pooled.ci[0] + 1e-9 and pooled.ci[1] <= high + 1e-9
    assert sum(pooled.weights) == pytest.approx(100.0)
    moved = synthesis.pool_effects([replace(e, y=e.y + 1.0) for e in made], method)
    assert moved.mu - 1.0 == pytest.approx(pooled.mu, abs=1e-5)
    assert moved.tau2 == pytest.approx(pooled.tau2, abs=1e-5)


def test_before_after_is_not_mixed_with_controlled(known: registry.Registry) -> None:
    records = known.select(product="BM-MSC", population="T2D", endpoint="HbA1c", controls=True)
    change = replace(
        next(r for r in known if r.id == "MA_WANG2019_ABMSC#3"), id="X#1", study="X", family="X", design="single-arm",
        product="BM-MSC",
    )  # fmt: skip
    assert change.contrast == "change"
    pooled = synthesis.pool([*records, change])
    assert {e.study for e in pooled.effects} == {"SKYLER2015"}
    assert synthesis.Exclusion("X#1", "before/after data are never pooled with controlled data") in pooled.excluded


def test_animals_and_memory_are_refused(known: registry.Registry) -> None:
    records = known.select(product="SGLT2 inhibitor", endpoint="eGFR_acute_change", controls=True)
    mouse = replace(records[0], id="M#1", study="M", family="M", species="animal")
    recalled = replace(records[0], id="N#1", study="N", family="N", tag="memory")
    pooled = synthesis.pool([*records, mouse, recalled], measure="difference")
    reasons = {one.record: one.reason for one in pooled.excluded}
    assert reasons["M#1"] == "animal data are never pooled with human data"
    assert reasons["N#1"] == "recalled, not read in the source"
    assert pooled.k == 2
    with pytest.raises(EvidenceError, match="animal data"):
        synthesis.pool([mouse])


def test_overlapping_patients_count_once(known: registry.Registry) -> None:
    records = known.select(product="HSCT", population="T1D", endpoint="insulin_independence_any", controls=True)
    pooled = synthesis.pool(records, contrast="level")
    families = [e.family for e in pooled.effects]
    assert len(families) == len(set(families)) == 3
    assert any("overlapping patients" in reason for reason in pooled.reasons)
    in_family = {r.study for r in records if r.family == "AHSCT_POLAND_CHINA"}
    assert len(in_family) >= 3


def test_no_family_is_used_twice_anywhere(known: registry.Registry) -> None:
    groups = synthesis.synthesise(known)
    assert len(groups) > 400
    for group in groups:
        assert (group.pooled is None) != (group.problem is None)
        if group.pooled is not None:
            families = [e.family for e in group.pooled.effects]
            assert len(families) == len(set(families))
            used = [known[name] for e in group.pooled.effects for name in e.records]
            assert all(r.tag == "seen" and r.species == "human" for r in used)
        else:
            assert group.problem is not None and group.problem.found
    assert sum(group.pooled is not None and group.pooled.k > 1 for group in groups) >= 8


def test_different_questions_are_refused(known: registry.Registry) -> None:
    outcomes = known.select(product="SGLT2 inhibitor", endpoint=("composite_kidney", "MACE", "UACR"), controls=True)
    with pytest.raises(EvidenceError) as raised:
        synthesis.pool(outcomes)
    assert {"mixed-endpoint", "mixed-population", "mixed-measure"} <= set(raised.value.kinds)
    with pytest.raises(EvidenceError, match="no method"):
        synthesis.pool(outcomes, method="reml")
    with pytest.raises(EvidenceError, match="no measure"):
        synthesis.pool(outcomes, measure="hazard")


def test_meta_analyses_are_set_aside(known: registry.Registry) -> None:
    pooled = from_registry(known, "sglt2_kidney", "REML")
    assert not {e.study for e in pooled.effects} & {"SMARTC2022", "SGLT2_COMPOSITE_MA2023"}
    assert any("meta-analysis" in reason for reason in pooled.reasons)


def test_one_study_is_not_a_pool(known: registry.Registry) -> None:
    pooled = synthesis.pool(known.select(product="BM-MSC", population="DKD", endpoint="eGFR", controls=True))
    assert pooled.k == 1 and pooled.tau2 is None and pooled.prediction_interval is None
    # Two dose arms (4.4 and 1.6, SE 2.16 and 2.15) share ten placebo patients.
    assert pooled.estimate == pytest.approx(3.0)
    assert pooled.se**2 == pytest.approx((2.16**2 + 2.15**2 + 2.16 * 2.15) / 4)


def test_certainty_has_a_reason_for_every_step(known: registry.Registry) -> None:
    records = known.select(product="SGLT2 inhibitor", endpoint="composite_kidney", controls=True)
    strong = certainty.grade(records, from_registry(known, "sglt2_kidney", "REML"))
    assert strong.start == "high" and strong.level == "moderate"
    assert [one.domain for one in strong.downgrades] == ["indirectness"]
    cells = known.select(product=MSC, population="T2D", endpoint="HbA1c", controls=True)
    weak = certainty.grade(cells, from_registry(known, "msc_hba1c", "REML"))
    assert weak.start == "high" and weak.level == "very low"
    assert {"imprecision", "indirectness"} <= {one.domain for one in weak.downgrades}
    alone = known.select(product="HSCT", population="T1D", endpoint="insulin_independence_any", controls=True)
    assert certainty.grade(alone, from_registry(known, "hsct_independence", "REML")).start == "very low"
    for one in (*strong.downgrades, *weak.downgrades):
        assert one.steps in (1, 2) and one.reason


def test_a_large_effect_raises_what_is_not_randomised(known: registry.Registry) -> None:
    row = replace(
        known["DAPA_RWE_Italy#1"], id="A#1", study="A", family="A", kind="risk_ratio", statistic_text="risk ratio", unit="1",
        value=4.0, n=5000, grade="B", weeks=104.0, design="nonrandomised-controlled", p_value="",
    )  # fmt: skip
    assert row.dispersion is not None
    rows = [replace(row, dispersion=replace(row.dispersion, type="CI95", low=3.0, high=16.0 / 3.0))]
    rows += [replace(rows[0], id=f"{name}#1", study=name, family=name) for name in "BC"]
    judged = certainty.grade(rows, synthesis.pool(rows))
    assert judged.start == "low" and judged.level == "moderate"
    assert [one.domain for one in judged.upgrades] == ["large effect"]


def test_a_shared_control_is_counted_once(known: registry.Registry) -> None:
    trial = known.select(study="IRMA2_main", endpoint="transition:micro->macro")
    arms = [record for record in trial if record.kind == "proportion"]
    pooled = synthesis.pool(arms, contrast="between", across=("product",))
    assert pooled.n == sum(record.n or 0 for record in arms) == 590
    stated = synthesis.pool([record for record in trial if record.kind == "hazard_ratio"], across=("product",))
    # 395 and 396 people with half of each in one placebo group.
    assert stated.n == 198 + 198 + 198


def test_a_summary_of_others_studies_is_not_of_high_certainty() -> None:
    known = ledger.evidence_for_claims()

    def judged(name: str, **changed: object) -> certainty.Certainty:
        row = replace(known[name], **changed)  # type: ignore[arg-type]
        return certainty.grade([row], synthesis.pool([row]))

    cells = judged("KASHBOUR2025#1")
    assert (cells.start, cells.level) == ("high", "moderate")
    assert [one.domain for one in cells.downgrades] == ["risk of bias"]
    assert "risk of bias and I2 not read" in cells.downgrades[0].reason
    # What was read of it counts as it would among studies.
    quote = "13 RCT; HbA1c -0.72 (-1.11 to -0.33); I2=20%"
    assert judged("KASHBOUR2025#1", quote=quote, grade="B").level == "high"
    assert judged("KASHBOUR2025#1", quote=quote.replace("20", "93"), grade="B").level == "moderate"
    assert "I2 not read" not in judged("KASHBOUR2025#1", quote=quote).downgrades[0].reason
    assert judged("KASHBOUR2025#1", design="RCT").level == "high"
    assert certainty.printed_i2(replace(known["KASHBOUR2025#1"], quote="I2 of 93 %, I\u00b2 = 49.5 %")) == 49.5
    assert certainty.printed_i2(known["MA_PLOSONE2021_RCT#2"]) == 87.0


def test_a_method_in_other_letters_is_no_method() -> None:
    """``reml`` was searched for by REML and finished by ML."""
    with pytest.raises(EvidenceError) as caught:
        synthesis.pool_effects([], "reml")
    assert caught.value.kinds == ("unknown-method",) and "'REML'" in str(caught.value.problems[0].hint)
