"""The analysis that a protocol names is the one that runs: against the same analysis of the patients' table, and settings, refusals and tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import small_trials as small

import betapod
from betapod.base.errors import ConfigError
from betapod.trials.analysis import endpoints
from betapod.trials.analysis.controlled import analyse
from betapod.trials.analysis.endpoints import Comparison
from betapod.trials.analysis.estimators import Estimate
from betapod.trials.conduct import conduct
from betapod.trials.conduct.trial_data import TrialData
from betapod.trials.operating.multiple_tests import multiplicity_rows
from betapod.trials.operating.power_analysis import sample_size
from betapod.trials.operating.sizes_of_analyses import analysis_power
from betapod.trials.operating.test_rules import TestRule, rule_of
from betapod.trials.protocol.endpoint_keys import Endpoint
from betapod.trials.protocol.protocol_files import parse_protocol

TEXT = (
    small.TEXT.replace("  - {name: month 12,", "  - {name: month 9, day: 274 day, window: 10 day}\n  - {name: month 12,")
    .replace("  - {name: month 6,", "  - {name: month 1, day: 30 day}\n  - {name: month 2, day: 61 day}\n  - {name: month 6,")
    .replace("patients: 40", "patients: 90")
    .replace("  single arm: {arms: {cells: 1}, baseline: screening}\n", "")
    .replace("replicates: 60", "replicates: 3")
)  # fmt: skip
PAIR = Comparison("cells", "control")


def with_primary(endpoint: str, more: str = "") -> str:
    return str(TEXT.replace("primary: {quantity: UACR, summary: ratio, at: month 6}", f"primary: {endpoint}\n{more}"))


def kinds(text: str) -> tuple[str, ...]:
    try:
        parse_protocol(text)
    except ConfigError as error:
        return error.kinds
    return ()


@pytest.fixture(scope="module")
def data() -> TrialData:
    protocol = parse_protocol(TEXT)
    pool = small.pool(protocol, people=400)
    return conduct.conduct_trial(protocol, pool=pool, threads=1, scenarios=["seed-claims"])["randomised", "seed-claims"]


@pytest.fixture(scope="module")
def patients(data: TrialData) -> pd.DataFrame:
    """Every patient of the second replicate, as the tables of a run have them."""
    return data.people([1])


def course(data: TrialData, code: str, column: str = "AVAL") -> tuple[np.ndarray, np.ndarray]:
    """Values (patients, visits after enrolment) of the second replicate, and their days, out of its long table."""
    table = data.frame([1], [code], truth=False)
    table = table[table["AVISITN"] > 0]
    wide = table.pivot(index="patient", columns="AVISITN", values=column)
    days = table.pivot(index="patient", columns="AVISITN", values="ADY")
    return wide.to_numpy(dtype=float), days.to_numpy(dtype=float)


def asked(summary: str, quantity: str = "UACR", **more: Any) -> Endpoint:
    return Endpoint.model_validate({"quantity": quantity, "summary": summary, **more})


def same(found: Estimate, expected: Estimate) -> None:
    for name in ("effect", "standard_error", "p", "low", "high"):
        np.testing.assert_allclose(
            getattr(found, name)[1], np.ravel(getattr(expected, name))[0], rtol=1e-9, err_msg=name
        )


def arm_of(patients: pd.DataFrame) -> np.ndarray:
    return (patients["arm"] == "cells").to_numpy(dtype=float)


def strata_of(patients: pd.DataFrame) -> np.ndarray:
    return (patients["stratum"] == "late").to_numpy(dtype=int)


def test_mmrm(data: TrialData, patients: pd.DataFrame) -> None:
    values, _ = course(data, "UACR", "LOGCHG")
    base, arm, age = (np.log(patients["BASE_UACR"].to_numpy(dtype=float)), arm_of(patients), patients["AGE"].to_numpy())
    settings = {"method": "MMRM", "structure": "AR(1)", "degrees": "Kenward-Roger", "covariates": ["AGE"]}
    found = analyse(data, asked("ratio", analysis=settings), PAIR)
    mmrm = betapod.analyses.mmrm
    # Centring of covariates over one trial or over all changes nothing but rounding.
    strata = strata_of(patients)
    same(found, mmrm(values, base, arm, strata, covariates=[age], structure="AR(1)", adjustment="Kenward-Roger"))
    plain = analyse(data, asked("ratio", analysis={"method": "MMRM", "stratified": False}, at="month 6"), PAIR)
    same(plain, mmrm(values[:, :3], base, arm))


def test_imputation(data: TrialData, patients: pd.DataFrame) -> None:
    first = data.select([0])
    table = first.frame(truth=False, codes=["UACR"])
    wide = table[table["AVISITN"] > 0].pivot(index="patient", columns="AVISITN", values="LOGCHG").to_numpy(dtype=float)
    people = first.people()
    base = np.log(people["BASE_UACR"].to_numpy(dtype=float))
    given = {"method": "jump to reference", "imputations": 5}
    found = analyse(first, asked("ratio", analysis=given), PAIR)
    expected = betapod.analyses.reference_based(wide, base, arm_of(people), "jump to reference", draws=5, seed=5)
    np.testing.assert_allclose(found.effect, expected.effect, rtol=1e-9)
    np.testing.assert_allclose(found.standard_error, expected.standard_error, rtol=1e-9)


@pytest.mark.parametrize("summary", ["slope", "chronic slope", "acute change"])
def test_mixed_slopes(summary: str, data: TrialData, patients: pd.DataFrame) -> None:
    values, days = course(data, "EGFR")
    settings: dict[str, Any] = {"method": "mixed slopes", "stratified": False, "scatter_by_arm": True}
    knot = None if summary == "slope" else 70 / 365.25
    if knot is not None:
        settings["knot"] = "70 day"
    found = analyse(data, asked(summary, "eGFR", analysis=settings), PAIR)
    base = patients["BASE_EGFR"].to_numpy(dtype=float)
    fit = betapod.analyses.slope_model(
        days / 365.25, values, base, arm_of(patients), knot, treated_at_start=knot is None, scatter_by_arm=True
    )
    ways = {"slope": lambda: fit.total(365 / 365.25), "chronic slope": fit.chronic, "acute change": fit.acute}
    expected = ways[summary]()
    np.testing.assert_allclose(found.effect[1], expected.effect[0], rtol=1e-6)
    np.testing.assert_allclose(found.standard_error[1], expected.standard_error[0], rtol=1e-6)


@pytest.mark.parametrize("stratified", [False, True])
def test_wins(stratified: bool, data: TrialData, patients: pd.DataFrame) -> None:
    values, _ = course(data, "UACR", "LOGCHG")
    strata = strata_of(patients) if stratified else None
    wins = betapod.analyses.win_statistics(-values[:, -1], arm_of(patients), strata)
    for method, expected in (("win odds", wins.log_win_odds), ("win ratio", wins.log_win_ratio), ("net benefit", wins.net_benefit)):  # fmt: skip
        endpoint = asked("ratio", analysis={"method": method, "stratified": stratified})
        same(analyse(data, endpoint, PAIR), expected)
        # Cells halve albuminuria, which wins.
        assert endpoints.better(endpoint) == 1 and endpoints.direction(endpoint) == -1
        assert (analyse(data, endpoint, PAIR).effect > 0).all()


def test_events(data: TrialData, patients: pd.DataFrame) -> None:
    endpoint = asked("time to event", "eGFR", percent=-10)
    time, event = (values[1] for values in endpoints.times(data, endpoint))
    arm, strata, age = arm_of(patients), strata_of(patients), patients["AGE"].to_numpy()
    given = {"method": "Cox", "covariates": ["AGE"], "stratified": True}
    fit = betapod.analyses.cox_regression(time, event, [arm, age], strata)
    same(
        analyse(data, endpoint.model_copy(update={"analysis": asked("change", analysis=given).analysis}), PAIR),
        fit.estimate(),
    )

    def by(**settings: Any) -> Estimate:
        return analyse(data, asked("time to event", "eGFR", percent=-10, analysis=settings), PAIR)

    same(by(method="RMST"), betapod.analyses.restricted_mean_difference(time, event, arm, 365.0))
    same(by(method="RMST", horizon="200 day"), betapod.analyses.restricted_mean_difference(time, event, arm, 200.0))
    death = np.ceil(np.where(data.disposition[1] == 2, data.disposition_day[1], np.nan))
    rival = np.isfinite(death) & ~event
    later = np.where(rival, np.fmax(death, time), time)
    same(by(method="Fine-Gray"), betapod.analyses.fine_gray(later, event, rival, [arm]).estimate())
    shares = [
        betapod.analyses.cumulative_incidence(later, event, rival, (arm == k) & (later > 0)).share[-1] for k in (1, 0)
    ]
    assert by(method="cumulative incidence").effect[1] == pytest.approx(shares[0] - shares[1], rel=1e-12)
    _, p = betapod.analyses.log_rank(time, event, arm, strata)
    assert by(method="log-rank", stratified=True).p[1] == pytest.approx(float(p), rel=1e-9)
    assert by(method="log-rank").p[1] != by(method="log-rank", stratified=True).p[1]


def test_responders_within_strata(data: TrialData, patients: pd.DataFrame) -> None:
    values, _ = course(data, "UACR", "LOGCHG")
    response = np.where(np.isfinite(values[:, -1]), np.exp(values[:, -1]) <= 0.7, np.nan)
    expected = betapod.analyses.stratified_risk_difference(response, arm_of(patients), strata_of(patients))
    same(analyse(data, asked("responders", percent=-30, analysis="stratified risk difference"), PAIR), expected)


def test_ancova_with_settings(data: TrialData, patients: pd.DataFrame) -> None:
    values, _ = course(data, "UACR", "LOGCHG")
    base, sugar = np.log(patients["BASE_UACR"].to_numpy(dtype=float)), patients["BASE_HBA1C"].to_numpy(dtype=float)
    expected = betapod.analyses.ancova(
        values[:, -1], base, arm_of(patients), strata_of(patients), [sugar], robust="HC3"
    )
    settings = {"method": "ANCOVA", "covariates": ["HbA1c"], "robust": "HC3"}
    same(analyse(data, asked("ratio", analysis=settings), PAIR), expected)


def test_hierarchy(data: TrialData, patients: pd.DataFrame) -> None:
    values, _ = course(data, "EGFR")
    egfr = np.concatenate([patients["BASE_EGFR"].to_numpy(dtype=float)[:, None], values], 1)
    died = patients["disposition_day"].where(patients["disposition"] == "died").to_numpy(dtype=float)[None]
    failed = patients["kidney_failure"].to_numpy(dtype=float)[None]
    days = [0.0, *sorted(day for day in data.days if day > 0)]
    score, _ = betapod.analyses.kidney_hierarchy(days, egfr[None], died, failed)
    expected = betapod.analyses.win_statistics(score, arm_of(patients)).log_win_odds
    same(analyse(data, asked("hierarchy", "eGFR"), PAIR), expected)
    failing = replace(
        data, disposition=np.ones_like(data.disposition), disposition_day=np.full_like(data.disposition_day, np.nan)
    )
    assert np.isfinite(analyse(failing, asked("hierarchy", "eGFR"), PAIR).effect).all()


def test_a_crossover_compares_half_of_what_periods_differ_by(data: TrialData) -> None:
    found = endpoints.outcome(data, asked("crossover", first="month 1", at="month 6"))
    change = data.change("UACR")
    first, second = data.visit("month 1"), data.visit("month 6")
    np.testing.assert_array_equal(found, (change[:, :, first] - change[:, :, second]) / 2)


def test_a_knot_that_is_looked_for(data: TrialData) -> None:
    free = analyse(data, asked("chronic slope", "eGFR", analysis={"method": "mixed slopes", "knot": "free"}), PAIR)
    ones = [
        analyse(
            data, asked("chronic slope", "eGFR", analysis={"method": "mixed slopes", "knot": f"{day} day"}), PAIR
        ).effect
        for day in (30, 61, 183)
    ]
    assert all(any(np.isclose(effect, other[r], rtol=1e-9) for other in ones) for r, effect in enumerate(free.effect))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"method": "MMRM"}, {"method": "MMRM", "structure": "compound symmetry"}),
        ({"method": "MMRM"}, {"method": "MMRM", "degrees": "Kenward-Roger"}),
        ({"method": "multiple imputation", "imputations": 3}, {"method": "multiple imputation", "imputations": 4}),
        ({"method": "multiple imputation", "imputations": 3}, {"method": "copy reference", "imputations": 3}),
    ],
)
def test_a_setting_changes_the_analysis(first: dict[str, Any], second: dict[str, Any], data: TrialData) -> None:
    one, other = (analyse(data.select([0]), asked("ratio", analysis=settings), PAIR) for settings in (first, second))
    assert one.standard_error != other.standard_error


def test_kidney_failure_may_be_a_failure(data: TrialData) -> None:
    failed = {name: np.where(np.arange(len(days)) % 3 == 0, 100.0, days) for name, days in data.pool.failed.items()}
    some = replace(data, pool=replace(data.pool, failed=failed))
    rules = {"kidney_failure": "composite"}
    worst = np.nanmax(endpoints.outcome(some, asked("ratio")), axis=1)
    failures = np.isfinite(some.kidney_failure)
    assert failures.any()
    found = endpoints.outcome(some, asked("ratio", intercurrent=rules))
    np.testing.assert_array_equal(found[failures], np.broadcast_to(worst[:, None], failures.shape)[failures])


def test_of_a_principal_stratum_those_who_had_the_event_are_left_out(data: TrialData) -> None:
    found = endpoints.outcome(data, asked("change", "HbA1c", intercurrent={"rescue": "principal stratum"}))
    rescued = np.isfinite(data.rescued)
    assert rescued.any() and np.isnan(found[rescued]).all()
    np.testing.assert_array_equal(found[~rescued], endpoints.outcome(data, asked("change", "HbA1c"))[~rescued])


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("{quantity: UACR, summary: ratio, analysis: {method: MMRM, structure: AR(1), degrees: Kenward-Roger, covariates: [AGE, eGFR]}}", ()),
        ("{quantity: UACR, summary: ratio, analysis: {method: MMRM, robust: HC3}}", ("useless-key",)),
        ("{quantity: UACR, summary: ratio, analysis: {method: ANCOVA, structure: AR(1)}}", ("useless-key",)),
        ("{quantity: UACR, summary: ratio, analysis: {method: MMRM, structure: AR1}}", ("unknown-choice",)),
        ("{quantity: UACR, summary: ratio, analysis: {method: MMRM, covariates: [SBP]}}", ("not-measured",)),
        ("{quantity: UACR, summary: ratio, analysis: {method: MMRM, covariates: [AEG]}}", ("unknown-quantity",)),
        ("{quantity: UACR, summary: ratio, analysis: {covariates: [AGE]}}", ("missing-key",)),
        ("{quantity: UACR, summary: ratio, analysis: MMRM, intercurrent: {death: composite}}", ("wrong-strategy",)),
        ("{quantity: UACR, summary: ratio, analysis: MMRM, intercurrent: {rescue: while on treatment}}", ("wrong-strategy",)),
        ("{quantity: UACR, summary: ratio, analysis: copy reference, intercurrent: {drop_out: composite}}", ("wrong-strategy",)),
        ("{quantity: eGFR, summary: slope, analysis: mixed slopes, at: month 2}", ("too-few-visits",)),
        ("{quantity: eGFR, summary: chronic slope, analysis: mixed slopes}", ()),
        ("{quantity: eGFR, summary: chronic slope, analysis: {method: mixed slopes, knot: 40 day}}", ("too-few-visits",)),
        ("{quantity: eGFR, summary: chronic slope, analysis: {method: ANCOVA, knot: 300 day}}", ("too-few-visits",)),
        ("{quantity: eGFR, summary: chronic slope, analysis: {method: ANCOVA, knot: free}}", ("wrong-knot",)),
        ("{quantity: eGFR, summary: chronic slope, analysis: {method: mixed slopes, knot: free}, at: month 9}", ("too-few-visits",)),
        ("{quantity: UACR, summary: crossover, first: month 2, at: month 6}", ()),
        ("{quantity: UACR, summary: crossover}", ("missing-key",)),
        ("{quantity: UACR, summary: crossover, first: month 3}", ("unknown-visit",)),
        ("{quantity: UACR, summary: crossover, first: month 9, at: month 6}", ("wrong-visit",)),
        ("{quantity: UACR, summary: ratio, first: month 2}", ("useless-key",)),
        ("{quantity: UACR, summary: hierarchy}", ("wrong-summary",)),
        ("{quantity: eGFR, summary: hierarchy, analysis: win ratio}", ()),
        ("{quantity: eGFR, summary: hierarchy, analysis: ANCOVA}", ("wrong-analysis",)),
        ("{quantity: eGFR, summary: hierarchy, intercurrent: {death: composite}}", ("wrong-strategy",)),
        ("{quantity: UACR, summary: ratio, margin: 1.2}", ("useless-key",)),
        ("{quantity: UACR, summary: ratio, objective: non-inferiority}", ("missing-key",)),
        ("{quantity: eGFR, objective: non-inferiority, margin: 3}", ("missing-unit",)),
        ("{quantity: eGFR, objective: non-inferiority, margin: 3 mL/min/1.73m2}", ()),
        ("{quantity: eGFR, summary: slope, objective: non-inferiority, margin: 1 mL/min/1.73m2/year}", ()),
        ("{quantity: UACR, summary: ratio, objective: equivalence, margin: 1}", ("out-of-range",)),
        ("{quantity: death, summary: time to event, objective: non-inferiority, margin: 1.3}", ()),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_by_name(endpoint: str, expected: tuple[str, ...]) -> None:
    assert kinds(with_primary(endpoint)) == expected


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("multiplicity: Holm", ("useless-key",)),
        ("multiplicity: {procedure: Holm, secondary: true}", ()),
        ("multiplicity: {procedure: Holm, secondary: true, weights: [1, 0]}", ("useless-key",)),
        ("multiplicity: {procedure: graphical, secondary: true, weights: [1, 0], passed_on: [[0, 1], [0, 0]]}", ()),
        ("multiplicity: {procedure: graphical, secondary: true, weights: [1], passed_on: [[0]]}", ("wrong-graph",)),
        ("multiplicity: {procedure: graphical, secondary: true, weights: [1, 0.5], passed_on: [[0, 1], [0, 0]]}", ("wrong-graph",)),
        ("multiplicity: {procedure: graphical, secondary: true, weights: [1, 0], passed_on: [[1, 0], [0, 0]]}", ("wrong-graph",)),
        ("multiplicity: {procedure: Tukey, secondary: true}", ("unknown-choice",)),
        ("alpha: 0.025\n  sides: 1", ()),
        ("alpha: 0.7", ("out-of-range",)),
    ],
)  # fmt: skip
def test_several_tests_are_checked(rules: str, expected: tuple[str, ...]) -> None:
    more = f"  secondary: [{{quantity: HbA1c}}]\n  {rules}"
    assert kinds(with_primary("{quantity: UACR, summary: ratio}", more)) == expected


def test_rules_say_what_margins_and_levels_say(data: TrialData) -> None:
    estimate = analyse(data, asked("change", "eGFR"), PAIR)
    better, margin = 1, 3.0
    np.testing.assert_array_equal(
        TestRule(better, 0.05, 2, "non-inferiority", margin).shown(estimate) == 1, estimate.low > -margin
    )
    np.testing.assert_array_equal(
        TestRule(better, 0.05, 1, "equivalence", margin).shown(estimate) == 1,
        (analyse(data, asked("change", "eGFR"), PAIR, level=0.9).low > -margin)
        & (analyse(data, asked("change", "eGFR"), PAIR, level=0.9).high < margin),
    )
    ratio = analyse(data, asked("ratio"), PAIR)
    one = TestRule(-1, 0.025, 1)
    np.testing.assert_allclose(one.p(ratio), np.where(ratio.effect < 0, ratio.p / 2, 1 - ratio.p / 2))
    np.testing.assert_array_equal(one.shown(ratio), TestRule(-1).shown(ratio))
    assert (one.level, TestRule(-1).level) == (0.95, 0.95)
    text = with_primary("{quantity: UACR, summary: ratio, objective: non-inferiority, margin: 1.25}")
    rule = rule_of(parse_protocol(text).endpoints, parse_protocol(text).endpoints.primary)
    assert rule.margin == pytest.approx(np.log(1.25)) and rule.words == "non-inferiority at one-sided 0.025"


def test_several_tests_reject_no_more_than_alone(data: TrialData) -> None:
    more = "  secondary: [{quantity: HbA1c}, {quantity: eGFR}]\n  multiplicity: {procedure: Holm, secondary: true}"
    protocol = parse_protocol(with_primary("{quantity: UACR, summary: ratio}", more))
    rows = multiplicity_rows(replace(data, protocol=protocol))
    assert [row["endpoint"] for row in rows] == [
        "UACR ratio at month 12",
        "HBA1C change at month 12",
        "EGFR change at month 12",
        "any",
    ]
    assert all(row["rejected"] <= row["rejected_alone"] for row in rows[:-1])
    assert rows[-1]["rejected"] >= max(row["rejected"] for row in rows[:-1])
    shares = [analyse(data, each, PAIR) for each in (protocol.endpoints.primary, *protocol.endpoints.secondary)]
    first = shares[0].p / 2 < 0.025 / 3
    assert rows[0]["rejected"] >= first.mean()


def test_the_size_of_any_analysis_is_that_of_the_formula_where_there_is_one() -> None:
    protocol = parse_protocol(TEXT.replace("replicates: 3", "replicates: 60"))
    trial = conduct.conduct_trial(
        protocol, pool=small.pool(protocol, people=400, effect=0.8), threads=1, scenarios=["seed-claims"]
    )
    data = trial["randomised", "seed-claims"]
    endpoint = protocol.endpoints.primary
    power = analysis_power(data, endpoint, PAIR)
    n1 = n0 = float(np.isfinite(endpoints.outcome(data, endpoint)).sum(1).mean()) / 2
    sd = power.standard_error / np.sqrt(1 / n1 + 1 / n0)
    lost = 1 - (n1 + n0) / data.patients
    each = sample_size(power.effect, sd, 0.9, adjusted=2, lost=lost)
    found = replace(power, scatter=power.standard_error).needed(0.9)
    assert each is not None and found is not None
    assert found == pytest.approx(2 * each, rel=0.03)
    assert power.simulated[-1].low <= power.smooth[-1] <= power.simulated[-1].high
