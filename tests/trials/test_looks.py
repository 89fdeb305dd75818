"""Looks of a protocol: what is known on their day, where trials stop against theory, what is refused, and what is told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import small_trials as small

from betapod import designs
from betapod.base.errors import ConfigError
from betapod.cli.trial_looks import tell_looks
from betapod.report.trial.data_dictionary import describe_columns
from betapod.report.trial.report_writing import make
from betapod.report.trial.trial_report import report_as_dict, report_tables
from betapod.trials.analysis import endpoints
from betapod.trials.analysis.controlled import analyse
from betapod.trials.analysis.endpoints import Comparison
from betapod.trials.conduct import conduct
from betapod.trials.conduct.trial_data import TrialData
from betapod.trials.operating.look_characteristics import look_rows
from betapod.trials.operating.look_data import (
    ONGOING,
    days_of_events,
    enrolment_days,
    judged_day,
    known_at,
    looks_in_words,
)
from betapod.trials.operating.looked_trials import looked_trials
from betapod.trials.operating.run_summary import run_summary
from betapod.trials.protocol.protocol_files import parse_protocol

PAIR = Comparison("cells", "control")
#: Nothing happens but random allocation and error of measurement.
PLAIN = "conduct: {deaths: false}\nendpoints:"


def text(looks: str = "{}", primary: str = "", recruitment: str = "12 month", plain: bool = False, **lines: str) -> str:
    """The small protocol with looks at its randomised design."""
    got = small.TEXT.replace(
        "randomised: {arms: {cells: 1, control: 1}}",
        f"randomised: {{arms: {{cells: 1, control: 1}}, recruitment: {recruitment}, looks: {looks}}}",
    )
    if primary:
        got = got.replace("{quantity: UACR, summary: ratio, at: month 6}", primary)
    if plain:
        begin, end = got.index("conduct:"), got.index("endpoints:")
        got = got[:begin] + PLAIN + got[end + len("endpoints:") :]
    rows = got.splitlines()
    for name, value in lines.items():
        rows = [f"{name}: {value}" if row.startswith(f"{name}:") else row for row in rows]
    return "\n".join(rows) + "\n"


def run_of(protocol_text: str, effect: float = 0.5, people: int = 500, scenario: str = "seed-claims") -> TrialData:
    protocol = parse_protocol(protocol_text)
    pool = small.pool(protocol, people=people, effect=effect)
    return conduct.conduct_trial(protocol, ["randomised"], [scenario], pool=pool, threads=1)["randomised", scenario]


@pytest.fixture(scope="module")
def data() -> TrialData:
    return run_of(text())


def test_looks_move_no_number_of_the_trial(data: TrialData) -> None:
    without = run_of(small.TEXT)
    for name in ("member", "arm", "stratum", "day", "disposition", "disposition_day", "rescued", "rescue_rule"):
        np.testing.assert_array_equal(getattr(data, name), getattr(without, name))
    for table in ("observed", "base", "events", "outcome_days"):
        for code, values in getattr(data, table).items():
            np.testing.assert_array_equal(values, getattr(without, table)[code])
    assert data.pool.values.keys() == without.pool.values.keys()


def test_patients_come_in_their_order_over_the_recruitment(data: TrialData) -> None:
    days = enrolment_days(data)
    assert (np.diff(days, axis=1) >= 0).all() and days.min() >= 0
    span = data.protocol.designs["randomised"].recruitment
    assert days.max() <= span and days.mean() == pytest.approx(span / 2, rel=0.02)


def test_a_look_knows_the_past_and_nothing_else(data: TrialData) -> None:
    endpoint = endpoints_of(data, analysis="MMRM")
    followed = np.linspace(-50, 400, data.patients)[None].repeat(data.replicates, 0)
    known = known_at(data, endpoint, followed)
    assert (known.enrolled == (followed >= 0)).all()
    with np.errstate(invalid="ignore"):
        past = (data.day <= followed[:, :, None]) & np.isfinite(data.day)
    for code, values in data.observed.items():
        np.testing.assert_array_equal(known.observed[code][past], values[past])
        assert np.isnan(known.observed[code][~past]).all()
    gone = data.disposition_day <= followed
    assert (known.disposition[gone] == data.disposition[gone]).all()
    assert (known.disposition[~gone & (followed < 379)] == ONGOING).all()
    np.testing.assert_allclose(known.disposition_day[known.disposition == ONGOING], np.maximum(followed, 0)[known.disposition == ONGOING], rtol=1e-6)  # fmt: skip
    for days in (known.rescued, known.kidney_failure, *known.outcome_days.values()):
        assert not (days > followed + 1e-3).any()
    # Nothing of what is to come shows: other measurements after the day give the same.
    later = {code: np.where(past, values, values * 2) for code, values in data.observed.items()}
    again = known_at(replace(data, observed=later), endpoint, followed)
    np.testing.assert_array_equal(again.observed["UACR"], known.observed["UACR"])


def endpoints_of(data: TrialData, **changes: Any) -> Any:
    endpoint = data.protocol.endpoints.primary
    return type(endpoint).model_validate(endpoint.model_dump(exclude_unset=True) | changes)


@pytest.mark.parametrize(
    "primary",
    [
        "{quantity: UACR, summary: ratio, at: month 6}",
        "{quantity: UACR, summary: ratio, at: month 12, analysis: MMRM}",
        "{quantity: UACR, summary: responders, at: month 6, percent: -30, intercurrent: {rescue: composite}}",
        "{quantity: HbA1c, summary: change, at: month 12, intercurrent: {rescue: while on treatment}}",
    ],
)
def test_the_last_look_is_the_analysis_of_the_whole_trial(primary: str) -> None:
    data = run_of(text(primary=primary))
    looked = looked_trials(data, PAIR)
    whole = analyse(data, data.protocol.endpoints.primary, PAIR)
    np.testing.assert_array_equal(looked.effect[:, -1], whole.effect)
    np.testing.assert_array_equal(looked.error[:, -1], whole.standard_error)
    assert (looked.analysed[:, 0] <= looked.analysed[:, -1]).all()
    assert looked.analysed[:, 0].mean() < looked.analysed[:, -1].mean()
    # Twenty of forty patients have reached the end of their visit's window.
    reached = enrolment_days(data) + judged_day(data.protocol, data.protocol.endpoints.primary)
    assert ((reached <= looked.day[:, :1] + 1e-6).sum(axis=1) == 20).all()


@pytest.fixture(scope="module")
def plain() -> TrialData:
    """Two thousand trials of sixty patients in which cells lower UACR by 35 %, and nothing else happens."""
    looks = "{boundaries: P, information: [0.4, 1], futility: [0.0], binding: true}"
    return run_of(text(looks, plain=True, patients="60", replicates="2000"), effect=0.65)


def test_trials_stop_as_often_as_theory_says(plain: TrialData) -> None:
    looked = looked_trials(plain, PAIR)
    assert looked.design.futility[0] == 0.0 and looked.design.sides == 1
    drift = -np.mean(looked.effect[:, -1]) / np.sqrt(np.mean(looked.error[:, -1] ** 2))
    # Information of the first look is what its errors say: a little less than its share, for degrees of freedom are few.
    chances = designs.stopping_chances(looked.design, drift)
    for k in range(2):
        for flags, expected in ((looked.rejected, chances.rejected[0, k]), (looked.futile, chances.futile[0, k])):
            if k == 1 and flags is looked.futile:
                continue
            share = np.mean(flags & (looked.stopped == k))
            assert share == pytest.approx(expected, abs=3 * np.sqrt(0.25 / 2000))
    assert 0.3 < looked.rejected.mean() < 0.95 and looked.futile.mean() > 0.01


def test_type_one_error_is_kept_and_estimates_are_mended(plain: TrialData) -> None:
    (row,) = look_rows(plain)
    assert row["type_one_low"] <= row["alpha"] <= row["type_one_high"]
    assert row["estimand"] == pytest.approx(np.log(0.65), abs=1e-6)
    # A trial that stops early has seen too much: lower is better, and the estimate is too low; half of the mended ones are above the truth.
    error = 3 * row["error_of_bias"]
    assert row["bias"] < -error
    assert abs(row["bias_median_unbiased"]) < abs(row["bias"])
    assert row["above_truth_median_unbiased"] == pytest.approx(0.5, abs=3 * np.sqrt(0.25 / 2000))
    assert row["coverage_adjusted_low"] <= 0.95 <= row["coverage_adjusted_high"]
    assert row["expected_patients"] < row["patients_at_end"] == 60 and row["expected_days"] < row["days_at_end"]
    assert row["power"] < row["power_without_looks"]
    stopped = sum(look[f"stopped_{how}"] for look in row["looks"] for how in ("benefit", "harm"))
    assert stopped == pytest.approx(row["power"])
    assert sum(look["false_stops"] for look in row["looks"]) == pytest.approx(row["type_one"])


def test_looks_at_events_come_with_the_events() -> None:
    primary = "{quantity: UACR, summary: time to event, percent: 10, also: [death], analysis: Cox}"
    data = run_of(text("{events: 16, information: [0.5, 1]}", primary, "6 month", patients="120"), effect=1.0)
    endpoint = data.protocol.endpoints.primary
    looked = looked_trials(data, PAIR)
    days = enrolment_days(data)
    known = days_of_events(data, endpoint)
    time, event = endpoints.times(data, endpoint)
    np.testing.assert_array_equal(np.isfinite(known), event)
    assert (known[event] >= np.minimum(time[event], 183)).all()
    held = np.isfinite(looked.day[:, 0])
    assert held.mean() > 0.9 and (looked.events[held, 0] == 8).all()
    # What the analysis of the look sees are these eight events, and who dies on that day: outcomes are dated by whole days.
    seen = known_at(data, endpoint, looked.day[:, :1] - days + 1e-6)
    _, happened = endpoints.times(seen, endpoint)
    count = happened.sum(axis=1)[held]
    assert count.min() == 8 and count.max() <= 9 and (count == 8).mean() > 0.9
    assert (looked.events[:, -1] <= 16).all()


def test_two_sided_looks_stop_for_harm() -> None:
    data = run_of(text("{boundaries: P}", plain=True, patients="80", replicates="200"), effect=2.5)
    looked = looked_trials(data, PAIR)
    assert looked.design.sides == 2 and looked.design.alpha == 0.05
    assert looked.harmful.mean() > 0.8 and not looked.rejected.any()
    (row,) = look_rows(data)
    assert row["power"] == 0 and row["estimate"] > 0 and row["bias"] > row["bias_median_unbiased"]


def test_non_inferiority_is_looked_at_against_its_margin() -> None:
    primary = "{quantity: UACR, summary: ratio, at: month 6, objective: non-inferiority, margin: 2}"
    data = run_of(text("{}", primary, plain=True, patients="60", replicates="300"), effect=1.0)
    looked = looked_trials(data, PAIR)
    assert looked.design.sides == 1 and looked.design.alpha == 0.025
    assert looked.rejected.mean() > 0.5
    shown = looked.inference()
    # The interval excludes the margin where the trial rejects, and nowhere else.
    rejected = shown.high < np.log(2)
    assert (rejected == looked.rejected).mean() > 0.99


def test_the_check_says_when_looks_come(data: TrialData) -> None:
    assert looks_in_words(data.protocol, "single arm") == ""
    told = looks_in_words(data.protocol, "randomised")
    assert told == "looks at about months 12 and 18, when 40 and 40 patients are enrolled and 20 and 40 known"
    events = parse_protocol(text("{events: 16}", "{quantity: death, summary: time to event}"))
    assert looks_in_words(events, "randomised") == "looks at 8 and 16 events"


CHANGES = {
    "boundaries": "{boundaries: P}",
    "information": "{information: [0.3, 1]}",
    "parameter": "{boundaries: asHSD, parameter: 1}",
    "spent": "{boundaries: asUser, spent: [0.02, 0.05]}",
    "efficacy": "{boundaries: user, efficacy: [2.2, 2.0]}",
    "futility": "{futility: asP}",
    "futility_parameter": "{futility: asKD, futility_parameter: 1}",
    "futility_spent": "{futility: asUser, futility_spent: [0.05, 0.1]}",
    "binding": "{futility: asP, binding: true}",
    "power": "{futility: asP, power: 0.8}",
}


@pytest.mark.parametrize("key", CHANGES)
def test_a_key_of_looks_changes_where_trials_stop(key: str, data: TrialData) -> None:
    base = {"power": "{futility: asP}", "binding": "{futility: asP}", "futility_parameter": "{futility: asKD}"}.get(key)
    changed, before = (
        look_rows(replace(data, protocol=parse_protocol(text(looks)))) for looks in (CHANGES[key], base or "{}")
    )
    assert repr(changed) != repr(before)


def test_recruitment_decides_how_many_are_enrolled_at_a_look(data: TrialData) -> None:
    slow = look_rows(replace(data, protocol=parse_protocol(text(recruitment="48 month"))))
    quick = look_rows(data)
    assert slow[0]["looks"][0]["enrolled"] < quick[0]["looks"][0]["enrolled"]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"looks": "{boundaries: OBF}"}, "unknown-choice"),
        ({"looks": "{information: [0.5, 0.4, 1]}"}, "bad-information"),
        ({"looks": "{boundaries: asUser, spent: [0.02, 0.04]}"}, "bad-spending"),
        ({"looks": "{boundaries: P, parameter: 2}"}, "useless-option"),
        ({"looks": "{events: 10}"}, "useless-key"),
        ({"looks": "{information: [0.01, 1]}"}, "too-few-patients"),
        ({"recruitment": "0 day"}, "missing-key"),
        ({"primary": "{quantity: death, summary: time to event}"}, "missing-key"),
        ({"primary": "{quantity: death, summary: time to event}", "looks": "{events: 4000}"}, "out-of-range"),
        ({"primary": "{quantity: death, summary: time to event, analysis: RMST}", "looks": "{events: 20}"}, "not-supported"),
        ({"primary": "{quantity: UACR, summary: ratio, objective: equivalence, margin: 1.3}"}, "not-supported"),
    ],
)  # fmt: skip
def test_what_cannot_be_looked_at_is_refused_by_name(changes: dict[str, str], kind: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_protocol(text(**changes))
    assert kind in caught.value.kinds
    problem = next(problem for problem in caught.value.problems if problem.kind == kind)
    assert problem.location.line > 1 and (problem.expected or problem.found)


def test_looks_are_for_one_comparison_and_one_test() -> None:
    three = text().replace("  cells: {cells", "  more: {cells: UC-MSC 2e6/kg iv}\n  cells: {cells", 1)
    three = three.replace("randomised: {arms: {cells: 1, ", "randomised: {arms: {cells: 1, more: 1, ")
    alone = text().replace("single arm: {arms", "single arm: {recruitment: 6 month, looks: {}, arms")
    several = three.replace("scenarios:", "  multiplicity: Holm\nscenarios:")
    unused = small.TEXT.replace("single arm: {arms", "single arm: {recruitment: 6 month, arms")
    for broken, kinds in (
        (three, {"not-supported"}),
        (alone, {"no-control"}),
        (several, {"not-supported"}),
        (unused, {"useless-key"}),
    ):
        with pytest.raises(ConfigError) as caught:
            parse_protocol(broken)
        assert set(caught.value.kinds) == kinds


def test_the_answer_tells_what_looks_do(data: TrialData, capsys: pytest.CaptureFixture[str]) -> None:
    summary = run_summary(data.protocol, {("randomised", "seed-claims"): data}, {})
    json.dumps(summary, allow_nan=False)
    (row,) = summary["looks"]
    assert [look["look"] for look in row["looks"]] == [1, 2] and row["sides"] == 2
    tell_looks(summary, several=False, cells=True)
    told = capsys.readouterr().out
    assert "two-sided 0.05" in told and "median unbiased" in told and f"{row['looks'][0]['efficacy']:.3f}" in told
    assert max(len(line) for line in told.splitlines() if "%" in line) <= 80


def test_the_report_shows_looks(tmp_path: Any) -> None:
    protocol = parse_protocol(text("{futility: asOF}"))
    run = conduct.conduct_trial(protocol, pool=small.pool(protocol, people=300), threads=1)
    made = make(run, tmp_path / "new", ["report", "small"], quick=True)
    page = made.files[0].read_text(encoding="utf-8")
    assert 'id="looks-randomised"' in page and "What looks see" in page and "Where trials stop" in page
    assert "futility not binding" in page and "Tsiatis" in page
    tables = report_tables(made.assessment)
    assert len(tables["looks"]) == 4 and len(tables["looked"]) == 2
    assert set(tables["looks"]["treated"]) == {"cells"}
    described = {column for table, column, meaning, _ in describe_columns(tables, "UACR") if "part of the change" not in meaning or table == "parts"}  # fmt: skip
    assert set(tables["looks"]) | set(tables["looked"]) <= described
    numbers = report_as_dict(made.assessment, made.extra)
    assert numbers["looked"][0]["boundaries"] == "spending like O'Brien-Fleming"
