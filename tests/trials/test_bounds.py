"""Values exactly at a bound: of rescue, of visits, of eligibility, of events, of words; and the count of those screened."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import small_trials as small

from betapod.observables.quantities import visit_observables
from betapod.trials.analysis import survival
from betapod.trials.analysis.estimators import as_estimate
from betapod.trials.analysis.patient_slopes import patient_slopes
from betapod.trials.conduct import conduct, drawn_design, eligibility
from betapod.trials.operating import likelihood, power_analysis, replicate_summaries

# -- slopes and events ---------------------------------------------------------------------------------------------------


def test_the_chronic_slope_begins_at_the_visit_of_the_acute_change() -> None:
    """The visit on day 80 itself is the first of the chronic slope."""
    days, values = np.array([0.0, 30, 80, 445.25, 810.5]), np.array([[60.0, 57, 50, 49, 48]])
    found = patient_slopes(days, values, acute_until=80.0)
    assert found.acute[0] == -10 and found.chronic[0] == pytest.approx(-1.0)
    values[0, 2] = 40.0  # the kink is part of the chronic slope
    assert patient_slopes(days, values, 80.0).chronic[0] == pytest.approx(4.0)
    later = patient_slopes(days, values, 80.001)
    assert later.acute[0] == -11 and later.chronic[0] == pytest.approx(-1.0)


def test_a_slope_needs_half_of_its_time() -> None:
    days = np.array([0.0, 50, 100])
    assert np.isfinite(patient_slopes(days, np.array([[60.0, 59, np.nan]]), 0.0).total[0])
    assert np.isnan(patient_slopes(days - np.array([0, 0.001, 0]), np.array([[60.0, 59, np.nan]]), 0.0).total[0])


@pytest.mark.parametrize(("value", "event"), [(36.0, True), (36.01, False), (15.0, True)])
def test_a_fall_of_exactly_40_percent_is_an_event(value: float, event: bool) -> None:
    assert survival.decline([0, 90, 180], [[60.0, value, value]])[1].tolist() == [event]
    assert survival.decline([0, 90, 180], [[60.0, value, 60.0]])[1].tolist() == [False]  # not confirmed


def test_kidney_failure_is_15_or_less() -> None:
    for value, event in ((15.0, True), (15.01, False)):
        assert survival.decline([0, 90, 180], [[20.0, value, value]])[1].tolist() == [event]


def test_patients_are_at_risk_on_the_day_they_are_last_seen() -> None:
    curve = survival.kaplan_meier([1.0, 1.0, 2.0], [True, False, True])
    assert curve.at_risk.tolist() == [3, 3, 1]
    assert curve.free.tolist() == pytest.approx([1, 2 / 3, 0])


# -- significance and words ----------------------------------------------------------------------------------------------


def test_significant_is_below_the_level() -> None:
    found = as_estimate(np.array([1.0, 1.0, -1.0]), np.array([0.5, 0.6, 0.4]), np.inf, 10)
    level = float(found.p[0])
    assert power_analysis.significant(found, level).tolist() == [0, 0, 1]
    assert power_analysis.significant(found, level * 1.0001).tolist() == [1, 0, 1]
    assert power_analysis.significant(found, level * 1.0001, better=-1).tolist() == [0, 0, 1]


STRENGTHS = [
    (1.0, "negligible evidence"),
    (1.499, "negligible evidence"),
    (1.5, "very weak evidence for"),
    (2.999, "very weak evidence for"),
    (3.0, "weak evidence for"),
    (9.999, "weak evidence for"),
    (10.0, "moderate evidence for"),
    (29.999, "moderate evidence for"),
    (30.0, "strong evidence for"),
    (1 / 1.499, "negligible evidence"),
    (1 / 1.6, "very weak evidence against"),
    (1 / 3.1, "weak evidence against"),
    (1 / 11, "moderate evidence against"),
    (1 / 31, "strong evidence against"),
    (0.0, "strong evidence against"),
]


@pytest.mark.parametrize(("ratio", "words"), STRENGTHS)
def test_words_of_strength_change_where_they_say(ratio: float, words: str) -> None:
    nothing = power_analysis.rate([0.0, 1.0])
    assert likelihood.LikelihoodRatio(ratio, ratio, ratio, nothing, nothing).words == words


@pytest.mark.parametrize(
    ("prior", "ratio", "after"), [(0.2, 3.0, 3 / 7), (0.8, 3.0, 12 / 13), (0.1, 9.0, 0.5), (0.9, 1 / 9, 0.5)]
)
def test_belief_is_by_bayes_from_any_prior(prior: float, ratio: float, after: float) -> None:
    assert likelihood.belief(prior, ratio) == pytest.approx(after)


# -- eligibility ---------------------------------------------------------------------------------------------------------


def test_bounds_of_eligibility_belong_to_it() -> None:
    text = small.TEXT.replace(
        "  UACR: {min: 30 mg/g}\n", "  UACR: {min: 30 mg/g, max: 500 mg/g}\n  age: {min: 50 year, max: 60 year}\n"
    )
    protocol = small.parse_protocol(text)
    pool = small.pool(protocol, people=7)
    ages = np.array([49.999, 50.0, 55.0, 60.0, 60.001, 55.0, 55.0])
    pool = replace(pool, people={**pool.people, "AGE": ages})
    uacr = np.array([30.0, 30.0, 29.999, 500.0, 500.0, 500.001, 300.0])
    who = np.arange(7)[None].astype(np.int32)
    ok, group = eligibility.eligible(protocol, pool, who, {"UACR": uacr[None, :, None]})
    assert ok[0].tolist() == [False, True, False, True, False, False, True]
    # At the bound of two strata the first one takes the patient.
    assert group[0, [1, 3, 6]].tolist() == [0, 1, 0]


def test_those_screened_are_counted_up_to_the_last_who_was_taken() -> None:
    """One candidate after the other, as at a real site: until the trial is full."""
    protocol = small.protocol(patients="7")
    pool = small.pool(protocol, people=150)
    part = range(5)
    found = eligibility.recruit(protocol, pool, "randomised", 3, part)
    codes = eligibility.judged_codes(protocol)
    size = eligibility._PER_PLACE * 7
    for replicate in part:
        taken: list[int] = []
        screened = 0
        for turn in range(eligibility._ROUNDS):
            edges = np.cumsum(pool.weights)
            draws = eligibility._uniform(3, "trial:candidate", part, size, turn)
            who = np.minimum(np.searchsorted(edges, draws * edges[-1], side="right"), len(edges) - 1).astype(np.int32)
            values = eligibility.screen(protocol, pool, who, codes, 3, part, turn)
            ok, _ = eligibility.eligible(protocol, pool, who, values)
            for k in range(size):
                if len(taken) == 7:
                    break
                screened += 1
                if ok[replicate, k]:
                    taken.append(int(who[replicate, k]))
            if len(taken) == 7:
                break
        assert found.screened[replicate] == screened
        assert found.member[replicate].tolist() == taken


# -- conduct -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exact() -> Any:
    """A trial without any error of measurement, in which HbA1c is exactly what the pool says."""
    text = small.TEXT.replace("HbA1c: {}", "HbA1c: {cv: 0 %}").replace("missed_visits: 10 %", "missed_visits: 0 %")
    text = text.replace("    - {quantity: HbA1c, change: -0.3 %, spread: 0.1, time: 60 day}\n", "")
    text = text.replace("drop_out: 20 %/year", "drop_out: 0 %/year\n  deaths: false")
    protocol = small.parse_protocol(
        text.replace("window: 10 day", "window: 0 day").replace("window: 14 day", "window: 0 day")
    )
    pool = small.pool(protocol, people=300)
    code = pool.codes.index("HBA1C")
    for name, values in pool.values.items():
        down = 1.0 if name.startswith("rescue") else 0.0
        for k, value in enumerate((9.0, 9.001, 8.0)):
            values[k::3, :, code] = value - down
    return conduct.conduct_trial(protocol, pool=pool, replicates=4)["randomised", "none"]


def test_rescue_is_for_values_beyond_the_bound(exact: Any) -> None:
    """Above 9 %: 9.0 % is none; the first visit after enrolment decides."""
    kind = exact.member % 3
    rescued = np.isfinite(exact.rescued)
    assert not rescued[kind == 0].any() and not rescued[kind == 2].any()
    assert rescued[kind == 1].all() and (exact.rescued[kind == 1] == 183).all()


def test_rescue_works_after_its_own_day(exact: Any) -> None:
    values = exact.observed["HBA1C"][exact.member % 3 == 1]
    before, at, after = (values[:, exact.visit(name)] for name in ("enrolment", "month 6", "month 12"))
    np.testing.assert_allclose(before, 9.001, rtol=1e-6)
    np.testing.assert_allclose(at, 9.001, rtol=1e-6)
    assert (after < 9.001).all()


def test_a_visit_on_the_last_day_takes_place() -> None:
    """Who leaves on the day of a visit has been there."""
    protocol = small.parse_protocol(
        small.TEXT.replace("window: 10 day", "window: 0 day").replace("missed_visits: 10 %", "missed_visits: 0 %")
    )
    draws = drawn_design.SharedDraws(protocol, small.pool(protocol, people=200), "randomised", range(2))
    left = np.full(draws.shape, np.nan, dtype=np.float32)
    left[:, 0], left[:, 1] = 183.0, 182.99
    attended = np.isfinite(drawn_design.DrawnDesign(draws, "randomised")._attended(left)[:, :, 2])
    assert attended[:, 0].all() and not attended[:, 1].any() and attended[:, 2].all()


def test_normal_albuminuria_is_below_30() -> None:
    protocol = small.protocol()
    data = conduct.conduct_trial(protocol, pool=small.pool(protocol, people=200), replicates=2)["randomised", "none"]
    shape = data.observed["UACR"].shape
    for value, base, share in ((29.999, 30.0, 1.0), (30.0, 30.0, 0.0), (29.999, 29.999, np.nan)):
        observed = {**data.observed, "UACR": np.full(shape, value, dtype=np.float32)}
        made = replace(data, observed=observed, base={**data.base, "UACR": np.full(shape[:2], base, dtype=np.float32)})
        np.testing.assert_array_equal(replicate_summaries.albuminuria_remission(made, "month 6", "cells"), share)


def test_every_quantity_says_which_way_is_better() -> None:
    assert {code: each.better for code, each in visit_observables().items()} == dict(replicate_summaries.BETTER)
    assert {each.better for each in visit_observables().values()} == {1, -1}
    assert [code for code, sign in replicate_summaries.BETTER.items() if sign > 0] == ["EGFR", "CPEP", "GRAFTCP"]


def test_a_trial_that_could_not_be_tested_shows_nothing() -> None:
    """Trials without events were left out of the power, as if they had not been run."""
    found = as_estimate(np.array([2.0, np.nan, 0.1, np.nan]), np.array([0.5, np.nan, 0.5, np.nan]), np.inf, 10)
    assert power_analysis.significant(found).tolist() == [1, 0, 0, 0]
    assert power_analysis.rate(power_analysis.significant(found)).value == 0.25
    nothing = as_estimate(np.array([2.0, np.nan]), np.array([np.nan, np.nan]), np.inf, 10)
    assert np.isnan(power_analysis.significant(nothing)).all()


def test_words_of_the_table_of_quantities_are_known() -> None:
    """Whatever is not ``log`` counts as linear: a misspelt word would do so in silence."""
    for each in visit_observables().values():
        assert each.link in ("log", "linear")
        assert each.error is not None and each.error.scale in ("log", "linear")


def test_an_unknown_way_to_randomise_is_refused() -> None:
    from betapod.base.errors import ConfigError
    from betapod.trials.protocol import randomise

    with pytest.raises(ConfigError) as caught:
        randomise.allocate("block", [1, 1], np.zeros((1, 4), dtype=np.int8), 1, range(1))
    assert caught.value.kinds == ("unknown-method",) and "blocks" in str(caught.value)
