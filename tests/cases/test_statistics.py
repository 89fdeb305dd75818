"""Intercurrent events by every strategy in every kind of endpoint; analyses that are named are run, or refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import small_trials as small

from betapod.base.errors import ConfigError
from betapod.report.common.words import capital
from betapod.trials.analysis import endpoints, survival
from betapod.trials.analysis import estimators as analysis
from betapod.trials.analysis.controlled import analyse
from betapod.trials.analysis.cox_regression import cox_regression
from betapod.trials.analysis.endpoints import Comparison
from betapod.trials.conduct.trial_data import TrialData
from betapod.trials.operating import attribution
from betapod.trials.operating.shapley import coalitions
from betapod.trials.protocol.endpoint_keys import Endpoint
from betapod.trials.protocol.protocol_files import find_protocol, parse_protocol, protocol_catalogue

NO = np.nan
VISITS = "visits: [{name: e, day: 0 day}, {name: a, day: 90 day}, {name: b, day: 180 day}, {name: c, day: 270 day, window: 10 day}]"
#: eGFR of six people: stays; dies on day 100; leaves on day 200; is rescued on day 90; falls by half and dies on day 200; rises.
COURSES = [
    [60, 60, 60, 60],
    [60, 58, NO, NO],
    [60, 57, 54, NO],
    [60, 50, 59, 59],
    [60, 30, 30, NO],
    [60, 64, 65, 66],
]


def people() -> TrialData:
    """Return one replicate of six people; the second, third and fifth are treated."""
    head, rest = small.TEXT.split("visits:")[0], "measurements:" + small.TEXT.split("measurements:")[1]
    text = head + VISITS + "\n" + rest.replace("at: month 6", "at: c")
    for part in ("early", "late"):
        text = "\n".join(line for line in text.splitlines() if not line.startswith(f"  {part}:"))
    protocol = parse_protocol(text.replace("strata:\n", "") + "\n")
    values = np.array([COURSES], dtype=np.float32)
    day = np.where(np.isfinite(values), np.array([0, 90, 180, 270], dtype=np.float32), np.float32(NO))
    ended = np.array([[NO, 100, 200, NO, 200, NO]], dtype=np.float32)
    return TrialData(
        protocol,
        "randomised",
        "none",
        ("cells", "control"),
        ("all",),
        ("e", "a", "b", "c"),
        np.array([0.0, 90.0, 180.0, 270.0]),
        ("EGFR",),
        np.arange(6, dtype=np.int32)[None],
        np.array([[1, 0, 0, 1, 0, 1]], dtype=np.int8),
        np.zeros((1, 6), dtype=np.int8),
        day,
        {"EGFR": values},
        {"EGFR": values[:, :, 0]},
        np.array([[0, 2, 1, 0, 2, 0]], dtype=np.int8),
        ended,
        np.array([[NO, NO, NO, 90, NO, NO]], dtype=np.float32),
        np.full((1, 6), -1, dtype=np.int8),
        {},
        {},
        {},
        np.array([6], dtype=np.int32),
        small.pool(protocol, people=6),
    )


def asked(summary: str, rules: dict[str, str], **more: Any) -> Endpoint:
    return Endpoint.model_validate({"quantity": "eGFR", "summary": summary, "intercurrent": rules, **more})


EVENTS = [
    ({}, [270, 90, 180, 270, 90, 270], [0, 0, 0, 0, 1, 0]),
    ({"death": "composite"}, [270, 100, 180, 270, 90, 270], [0, 1, 0, 0, 1, 0]),
    ({"drop_out": "composite"}, [270, 90, 200, 270, 90, 270], [0, 0, 1, 0, 1, 0]),
    ({"rescue": "composite"}, [270, 90, 180, 90, 90, 270], [0, 0, 0, 1, 1, 0]),
    ({"rescue": "hypothetical"}, [270, 90, 180, 90, 90, 270], [0, 0, 0, 0, 1, 0]),
    (
        {"rescue": "composite", "death": "composite", "drop_out": "composite"},
        [270, 100, 200, 90, 90, 270],
        [0, 1, 1, 1, 1, 0],
    ),
]


@pytest.mark.parametrize(("rules", "days", "events"), EVENTS)
def test_time_to_a_fall(rules: dict[str, str], days: list[float], events: list[int]) -> None:
    """Deaths, drop-outs and rescues of the composite strategy are events on their own day: none was counted."""
    time, event = endpoints.times(people(), asked("time to event", rules, percent=-40))
    assert time[0].tolist() == days and event[0].tolist() == [bool(e) for e in events]


def test_time_to_event_ends_at_its_visit() -> None:
    """At day 180 the drop-out and the death of day 200 have not happened, and the fall of day 90 is confirmed."""
    rules = {"rescue": "treatment policy", "death": "composite", "drop_out": "composite"}
    time, event = endpoints.times(people(), asked("time to event", rules, percent=-40, at="b"))
    assert time[0].tolist() == [180, 100, 180, 180, 90, 180]
    assert event[0].tolist() == [False, True, False, False, True, False]
    time, event = endpoints.times(people(), asked("time to event", {}, percent=-40, at="a"))
    assert time[0].tolist() == [90] * 6 and not event.any()  # nothing confirms it


def test_who_is_beyond_the_bound_at_baseline_is_not_at_risk() -> None:
    data = people()
    data.base["EGFR"][0, 0] = 29
    endpoint = asked("time to event", {"death": "composite"}, threshold="30 mL/min/1.73m2", better="higher")
    time, event = endpoints.times(data, endpoint)
    assert np.isnan(time[0, 0]) and not event[0, 0]
    assert (time[0, 4], bool(event[0, 4])) == (90.0, True)
    assert analyse(data, endpoint, Comparison("cells", "control")).n == 5


def test_a_good_event_never_comes_to_those_who_failed_before() -> None:
    rules = {"death": "composite", "drop_out": "composite", "rescue": "composite"}
    rise = asked("time to event", rules, percent=5)
    assert endpoints.better(rise) == 1
    time, event = endpoints.times(people(), rise)
    assert event[0].tolist() == [False] * 5 + [True]
    assert time[0].tolist() == [270, 270, 270, 270, 270, 90]
    time, _ = endpoints.times(people(), rise.model_copy(update={"intercurrent": asked("change", {}).intercurrent}))
    assert time[0].tolist() == [270, 90, 180, 270, 180, 90]


def test_kidneys_that_fail_between_visits_are_an_event() -> None:
    data = people()
    failed = {name: np.full(6, np.inf) for name in data.pool.failed}
    for days in failed.values():
        days[2] = 190.0
    data = _with(data, pool=_with(data.pool, failed=failed))
    time, event = endpoints.times(data, asked("time to event", {}, percent=-40))
    assert (time[0, 2], event[0, 2]) == (190, True)
    from betapod.trials.operating import replicate_summaries

    time, event = replicate_summaries.kidney_events(data)
    assert (time[0, 2], event[0, 2]) == (190, True)


@pytest.mark.parametrize(("day", "event"), [(279.9, True), (280.0, True), (280.1, False)])
def test_kidney_failure_counts_to_the_end_of_the_window(day: float, event: bool) -> None:
    data = people()
    failed = {name: np.where(np.arange(6) == 0, day, np.inf) for name in data.pool.failed}
    data = _with(data, pool=_with(data.pool, failed=failed))
    assert endpoints.times(data, asked("time to event", {}, percent=-40))[1][0, 0] == event


def _with(given: Any, **changes: Any) -> Any:
    from dataclasses import replace

    return replace(given, **changes)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({}, [1, NO, NO, 1, NO, 1]),
        ({"death": "composite"}, [1, 0, NO, 1, 0, 1]),
        ({"drop_out": "composite"}, [1, NO, 0, 1, NO, 1]),
        ({"rescue": "composite"}, [1, NO, NO, 0, NO, 1]),
        ({"rescue": "hypothetical"}, [1, NO, NO, NO, NO, 1]),
        ({"rescue": "while on treatment"}, [1, NO, NO, 0, NO, 1]),
    ],
)
def test_responders(rules: dict[str, str], expected: list[float]) -> None:
    found = endpoints.outcome(people(), asked("responders", rules, threshold="55 mL/min/1.73m2"))
    np.testing.assert_array_equal(found[0], expected)


CHANGES = [
    ({}, [0, NO, NO, -1, NO, 6]),
    ({"death": "composite"}, [0, -1, NO, -1, -1, 6]),
    ({"drop_out": "composite"}, [0, NO, -1, -1, NO, 6]),
    ({"rescue": "composite"}, [0, NO, NO, -1, NO, 6]),
    ({"rescue": "hypothetical"}, [0, NO, NO, NO, NO, 6]),
    ({"rescue": "hypothetical", "death": "composite"}, [0, 0, NO, NO, 0, 6]),
    ({"rescue": "while on treatment"}, [0, NO, NO, -10, NO, 6]),
    ({"rescue": "while on treatment", "drop_out": "composite"}, [0, NO, -10, -10, NO, 6]),
]


@pytest.mark.parametrize(("rules", "expected"), CHANGES)
def test_changes(rules: dict[str, str], expected: list[float]) -> None:
    found = endpoints.outcome(people(), asked("change", rules))
    np.testing.assert_array_equal(found[0], expected)
    ratio = endpoints.outcome(people(), asked("ratio", rules))
    np.testing.assert_allclose(ratio[0], np.log1p(np.array(expected) / 60), rtol=1e-6)


def test_the_worst_change_is_the_one_in_the_bad_direction() -> None:
    rules = {"death": "composite"}
    assert endpoints.outcome(people(), asked("change", rules, better="lower"))[0].tolist()[1] == 6
    assert endpoints.outcome(people(), asked("change", rules, better="higher"))[0].tolist()[1] == -1


@pytest.mark.parametrize("strategy", ["treatment policy", "hypothetical"])
def test_slopes(strategy: str) -> None:
    data = people()
    found = endpoints.outcome(data, asked("slope", {"rescue": strategy}))
    assert np.isnan(found[0, 1])  # followed for a third of the time
    assert found[0, 2] == pytest.approx(-6 / 180 * 365.25)
    assert np.isfinite(found[0, 3]) == (strategy == "treatment policy")
    worst = np.nanmin(found)
    failed = endpoints.outcome(data, asked("slope", {"rescue": strategy, "death": "composite"}))
    assert failed[0, 1] == failed[0, 4] == worst


def test_rescue_at_the_visit_counts_whatever_the_day_of_the_visit() -> None:
    """Rescue is decided at a visit, which has a window: early or late in it, it is a failure at that visit."""
    data = people()
    for own in (262.0, 270.0, 279.0):
        day = data.day.copy()
        day[0, 5, 3] = own
        rescued = data.rescued.copy()
        rescued[0, 5] = np.float32(own)
        found = endpoints.failures(_with(data, day=day, rescued=rescued), asked("change", {"rescue": "composite"}))
        assert found[0, 5] == pytest.approx(own)
    missed = _with(data, rescued=np.where(np.arange(6) == 2, np.float32(281), data.rescued))
    assert np.isnan(endpoints.failures(missed, asked("change", {"rescue": "composite"}))[0, 2])


def test_failures_are_the_same_whichever_visits_are_kept() -> None:
    data = people()
    rules = asked("change", {"death": "composite", "drop_out": "composite", "rescue": "composite"}, at="b")
    np.testing.assert_array_equal(endpoints.failures(data.at("b"), rules), endpoints.failures(data, rules))
    assert endpoints.failures(data, rules)[0].tolist()[3] == 90


def test_values_of_the_day_of_rescue_count() -> None:
    """The value that calls for rescue is measured before rescue begins."""
    data = people()
    hypothetical = data.aval("EGFR", "hypothetical")[0, 3]
    np.testing.assert_array_equal(hypothetical, [60, 50, NO, NO])
    np.testing.assert_array_equal(data.aval("EGFR", "while on treatment")[0, 3], [60, 50, 50, 50])
    # Only those who were rescued have their last value carried on: a missed visit stays missing.
    np.testing.assert_array_equal(data.aval("EGFR", "while on treatment")[0, 2], [60, 57, 54, NO])


@pytest.mark.parametrize("wrong", ["treatmant policy", "composite", "", "Hypothetical"])
def test_a_misspelt_strategy_is_refused(wrong: str) -> None:
    """It was taken to be hypothetical."""
    with pytest.raises(ConfigError) as caught:
        people().aval("EGFR", wrong)
    assert caught.value.kinds == ("unknown-strategy",)


def test_what_was_last_seen_needs_every_visit() -> None:
    with pytest.raises(ConfigError) as caught:
        people().at("c").aval("EGFR", "while on treatment")
    assert caught.value.kinds == ("missing-visits",)


# -- bounds --------------------------------------------------------------------------------------------------------------


def test_limits_are_inclusive() -> None:
    data = people()
    on = asked("responders", {}, threshold="60 mL/min/1.73m2")
    assert endpoints.outcome(data, on)[0, 0] == 1
    assert endpoints.outcome(data, on.model_copy(update={"better": "lower"}))[0, 0] == 1
    above = asked("responders", {}, threshold="60.001 mL/min/1.73m2")
    assert endpoints.outcome(data, above)[0, 0] == 0
    assert endpoints.times(data, asked("time to event", {}, percent=-50))[1][0, 4]  # from 60 to 30 exactly
    assert not endpoints.times(data, asked("time to event", {}, percent=-50.001))[1][0, 4]


def test_a_response_meets_both_bounds_and_an_event_either() -> None:
    data = people()
    both = asked("responders", {}, threshold="59 mL/min/1.73m2", percent=5)
    assert endpoints.outcome(data, both)[0].tolist()[0::5] == [0, 1]
    either = asked("time to event", {}, threshold="59.5 mL/min/1.73m2", percent=-40)
    assert endpoints.times(data, either)[1][0].tolist() == [False, False, True, True, True, False]
    alone = asked("time to event", {}, threshold="31 mL/min/1.73m2")
    assert endpoints.times(data, alone)[1][0].tolist() == [False, False, False, False, True, False]
    lower = asked("time to event", {}, threshold="29 mL/min/1.73m2")  # no 40 % that nobody asked for
    assert not endpoints.times(data, lower)[1].any()


def test_nothing_has_no_percentage() -> None:
    """Who had 0 before cannot have half of it: no response, no event, rather than one for all."""
    data = people()
    data = _with(data, base={"EGFR": np.array([[0, 60, 60, 60, 60, NO]], dtype=np.float32)})
    found = endpoints.outcome(data, asked("responders", {}, percent=-50, better="lower"))
    assert np.isnan(found[0, 0]) and np.isnan(found[0, 5]) and found[0, 3] == 0
    both = endpoints.outcome(data, asked("responders", {}, percent=-50, threshold="70 mL/min/1.73m2", better="lower"))
    assert np.isnan(both[0, 0])
    lower = data.observed["EGFR"].copy()
    lower[0, 0] = 0
    event = endpoints.times(_with(data, observed={"EGFR": lower}), asked("time to event", {}, percent=50))[1]
    assert not event[0, 0]


# -- analyses ------------------------------------------------------------------------------------------------------------

PAIR = Comparison("cells", "control")


def trial(seed: int = 1, n: int = 60) -> TrialData:
    """Return three replicates of the six people's protocol with random courses."""
    data, random = people(), np.random.default_rng(seed)
    shape = (3, n)
    values = (60 + random.normal(0, 8, (*shape, 1)) + random.normal(-4, 9, (*shape, 4)).cumsum(2)).astype(np.float32)
    values[:, :, 0] = (60 + random.normal(0, 8, shape)).astype(np.float32)
    return _with(
        data,
        member=np.tile(np.arange(n, dtype=np.int32) % 6, (3, 1)),
        arm=np.tile((np.arange(n) % 2).astype(np.int8), (3, 1)),
        stratum=np.zeros(shape, dtype=np.int8),
        day=np.broadcast_to(np.array([0, 90, 180, 270], dtype=np.float32), (*shape, 4)),
        observed={"EGFR": values},
        base={"EGFR": values[:, :, 0]},
        disposition=np.zeros(shape, dtype=np.int8),
        disposition_day=np.full(shape, NO, dtype=np.float32),
        rescued=np.full(shape, NO, dtype=np.float32),
        rescue_rule=np.full(shape, -1, dtype=np.int8),
    )


def test_each_analysis_that_is_named_is_the_one_that_is_run() -> None:
    data = trial()
    arm = (data.arm == 0).astype(float)
    base = data.base["EGFR"].astype(float)
    change = data.change("EGFR")[:, :, 3]

    def run(summary: str, kind: str | None, **more: Any) -> analysis.Estimate:
        return analyse(data, asked(summary, {}, analysis=kind, **more), PAIR)

    for kind, expected in (("ANCOVA", base), ("t test", None), (None, base)):
        found = run("change", kind)
        np.testing.assert_array_equal(found.p, analysis.ancova(change, expected, arm).p)
    assert (run("change", "ANCOVA").p != run("change", "t test").p).all()
    time, event = endpoints.times(data, asked("time to event", {}, percent=-20))
    fit, (_, p) = cox_regression(time, event, [arm]).estimate(), survival.log_rank(time, event, arm)
    np.testing.assert_array_equal(run("time to event", "Cox", percent=-20).p, fit.p)
    for kind in ("log-rank", None):
        np.testing.assert_array_equal(run("time to event", kind, percent=-20).p, p)
        np.testing.assert_array_equal(run("time to event", kind, percent=-20).effect, fit.effect)
    assert (fit.p != p).all()
    slopes = endpoints.outcome(data, asked("slope", {}))
    np.testing.assert_array_equal(run("slope", "t test").p, analysis.ancova(slopes, None, arm).p)


def test_log_rank_stands_where_only_one_arm_has_events() -> None:
    time = np.tile(np.arange(1.0, 13), (2, 1))
    arm = np.tile(np.arange(12) % 2.0, (2, 1))
    event = arm > 0.5
    event[1] = ~event[1]
    found = survival.hazard_ratio(time, event, arm)
    assert found.effect.tolist() == [np.inf, -np.inf] and np.isnan(found.low).all()
    np.testing.assert_array_equal(found.p, survival.log_rank(time, event, arm)[1])
    assert np.isfinite(found.p).all()
    nobody = survival.hazard_ratio(time, np.zeros_like(event), arm)
    assert np.isnan(nobody.effect).all() and np.isnan(nobody.p).all()


@pytest.mark.parametrize(
    ("summary", "kind"),
    [("change", "log-rank"), ("responders", "ANCOVA"), ("time to event", "t test"), ("slope", "risk difference"), ("change", "paired")],
)  # fmt: skip
def test_an_analysis_of_something_else_is_refused(summary: str, kind: str) -> None:
    given = asked(
        summary, {}, analysis=kind, **({"percent": -30} if summary in ("responders", "time to event") else {})
    )
    with pytest.raises(ConfigError) as caught:
        analyse(people(), given, PAIR)
    assert caught.value.kinds == ("wrong-analysis",)


def kinds(primary: str, designs: str = "  randomised: {arms: {cells: 1, control: 1}}") -> tuple[str, ...]:
    text = small.TEXT.replace("primary: {quantity: UACR, summary: ratio, at: month 6}", f"primary: {{{primary}}}")
    given = "  single arm: {arms: {cells: 1}, baseline: screening}\n  randomised: {arms: {cells: 1, control: 1}}"
    text = text.replace(given, designs)
    if "control" not in designs:
        text = text.replace("  control: {placebo: true}\n", "")
    try:
        parse_protocol(text)
    except ConfigError as error:
        return error.kinds
    return ()


SINGLE = "  single arm: {arms: {cells: 1}}"


@pytest.mark.parametrize(
    ("primary", "expected"),
    [
        ("quantity: UACR, analysis: MMRM", ()),
        ("quantity: UACR, analysis: mmrm", ("unknown-choice",)),
        ("quantity: UACR, summary: slope, analysis: MMRM", ("wrong-analysis",)),
        ("quantity: UACR, analysis: GEE", ("analysis-not-run",)),
        ("quantity: severe_hypoglycaemia, summary: time to event, analysis: LWYY", ("wrong-analysis",)),
        ("quantity: eGFR, summary: time to event, percent: -40, analysis: Fine-Gray", ()),
        ("quantity: UACR, analysis: ancova", ("unknown-choice",)),
        ("quantity: UACR, analysis: paired", ("wrong-analysis",)),
        ("quantity: UACR, summary: responders, percent: -30, analysis: log-rank", ("wrong-analysis",)),
        ("quantity: eGFR, summary: time to event, percent: -40, analysis: ANCOVA", ("wrong-analysis",)),
        ("quantity: UACR, at: screening", ("wrong-visit",)),
        ("quantity: UACR, at: enrolment", ("wrong-visit",)),
        ("quantity: UACR, percent: -30", ("useless-key",)),
        ("quantity: UACR, threshold: 30 mg/g", ("useless-key",)),
        ("quantity: eGFR, summary: slope, intercurrent: {rescue: while on treatment}", ("wrong-strategy",)),
        ("quantity: UACR, intercurrent: {rescue: hypothetic}", ("unknown-choice",)),
        ("quantity: UACR, intercurrent: {rescue: while on treatment}", ()),
        ("quantity: eGFR, summary: time to event, percent: -40, analysis: Cox", ()),
    ],
)
def test_the_check_refuses_what_would_not_be_run(primary: str, expected: tuple[str, ...]) -> None:
    assert kinds(primary) == expected


@pytest.mark.parametrize(
    ("primary", "expected"),
    [
        ("quantity: UACR, analysis: ANCOVA", ("wrong-analysis",)),
        ("quantity: UACR, summary: responders, percent: -30, analysis: risk difference", ("wrong-analysis",)),
        ("quantity: UACR, analysis: paired", ()),
        ("quantity: UACR", ()),
    ],
)
def test_one_group_alone_is_compared_with_itself(primary: str, expected: tuple[str, ...]) -> None:
    assert kinds(primary, SINGLE) == expected


def test_shipped_protocols_name_what_is_run() -> None:
    for name in protocol_catalogue():
        protocol = find_protocol(name)
        for each in [protocol.endpoints.primary, *protocol.endpoints.secondary]:
            if any(endpoints.has_comparator(design) for design in protocol.designs.values()):
                assert each.method
            else:
                assert each.analysis is None or each.analysis.method == "paired"


def test_the_good_direction_is_that_of_the_quantity() -> None:
    """Without the key a rise of eGFR was taken to be bad."""
    assert endpoints.better(asked("change", {})) == 1
    assert endpoints.better(Endpoint(quantity="UACR")) == -1
    assert endpoints.better(asked("change", {}, better="lower")) == -1


def test_names_with_capitals_of_their_own_keep_their_first_letter() -> None:
    assert [capital(name) for name in ("eGFR slope", "HbA1c", "mRNA", "change of UACR", "")] == [
        "eGFR slope", "HbA1c", "mRNA", "Change of UACR", "",
    ]  # fmt: skip


def test_the_report_names_the_analyses_that_were_run() -> None:
    from betapod.report.trial.analyses import analyses

    protocol = small.protocol()
    text = analyses(protocol)
    assert "analysis of covariance" in text and "paired t test" in text
    assert not any(word in text for word in ("log-rank", "Cox", "Newcombe"))
    sglt2 = analyses(find_protocol("sglt2"))
    assert "times to events by the log-rank test" in sglt2 and "paired" not in sglt2


@pytest.mark.parametrize(
    ("rules", "never"),
    [("{rescue: composite}", "rescue"), ("{rescue: hypothetical}", "rescue"), ("{death: composite}", "death")],
)
def test_a_strategy_for_what_never_happens_is_refused(rules: str, never: str) -> None:
    text = "\n".join(line for line in small.TEXT.splitlines() if "rescue" not in line and "above" not in line)
    text = text.replace("conduct:\n", "conduct:\n  deaths: false\n", 1)
    with pytest.raises(ConfigError, match=f"{never} has no effect"):
        parse_protocol(text.replace("primary: {", f"primary: {{intercurrent: {rules}, ", 1))
    parse_protocol(
        text.replace("primary: {", "primary: {intercurrent: {rescue: treatment policy, death: missing}, ", 1)
    )


def test_an_event_that_no_visit_confirms_is_refused() -> None:
    text = small.TEXT.replace("summary: ratio, at: month 6", "summary: time to event, percent: -30, at: month 6")
    with pytest.raises(ConfigError, match="one visit after enrolment"):
        parse_protocol(text)
    parse_protocol(text.replace("at: month 6", "at: month 12"))


def test_without_strata_mechanisms_have_one_share_each(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\n".join(line for line in small.TEXT.splitlines() if not line.startswith(("strata", "  early", "  late")))
    protocol = parse_protocol(text + "\n")
    assert not protocol.strata

    def worth(*given: Any) -> dict[frozenset[str], Any]:
        return {group: np.full(len(given[4]), float(len(group))) for group in coalitions(list(attribution.MECHANISMS))}

    monkeypatch.setattr(attribution, "_worth", worth)
    found = attribution.attribute(protocol, "cells", "seed-claims", people=6)
    assert list(found.table["stratum"]) == ["all"] * len(attribution.MECHANISMS)
    assert found.table["mechanism"].is_unique and np.allclose(found.table["share"], 1.0)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 61, 1000, 4999])
def test_the_interval_of_nobody_begins_at_0_and_that_of_everybody_ends_at_1(n: int) -> None:
    """3.5e-18 stood in results for 0."""
    low, high = analysis.wilson([0, n], [n, n])
    assert low[0] == 0.0 and high[1] == 1.0 and 0.0 < high[0] < 1.0 and 0.0 < low[1] < 1.0
    assert all(np.isnan(bound) for bound in analysis.wilson(0, 0))
