"""Trials whose stages are tested apart: stages by hand, error and power against theory, sizes set anew, what is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import small_trials as small

from betapod import analyses, designs
from betapod.base.errors import ConfigError
from betapod.cli.trial_looks import tell_looks
from betapod.report.trial.report_writing import make
from betapod.report.trial.trial_report import report_tables
from betapod.trials.conduct import conduct
from betapod.trials.conduct.trial_data import TrialData
from betapod.trials.operating.allocated_trials import allocated_lives
from betapod.trials.operating.look_characteristics import look_rows
from betapod.trials.operating.look_data import enrolment_days
from betapod.trials.operating.run_summary import run_summary
from betapod.trials.operating.staged_characteristics import adapted_trials, staged_row
from betapod.trials.operating.staged_trials import everybody_alike
from betapod.trials.protocol.protocol_files import parse_protocol

TWO, THREE = "{cells: 1, control: 1}", "{cells: 1, more: 1, control: 1}"


def text(looks: str, arms: str = TWO, patients: int = 60, replicates: int = 60, primary: str = "") -> str:
    """The small protocol, in which nothing happens but allocation and error of measurement, with an adaptation."""
    got = small.TEXT.replace("patients: 40", f"patients: {patients}").replace(
        "replicates: 60", f"replicates: {replicates}"
    )
    got = got.replace(
        f"randomised: {{arms: {TWO}}}", f"randomised: {{arms: {arms}, recruitment: 12 month, looks: {looks}}}"
    )
    if arms != TWO:
        got = got.replace("  cells: {cells", "  more: {cells: UC-MSC 2e6/kg iv}\n  cells: {cells", 1)
    if primary:
        got = got.replace("{quantity: UACR, summary: ratio, at: month 6}", primary)
    begin, end = got.index("conduct:"), got.index("endpoints:")
    return got[:begin] + "conduct: {deaths: false}\n" + got[end:]


def run_of(protocol_text: str, effect: float = 0.65, scenario: str = "seed-claims") -> TrialData:
    protocol = parse_protocol(protocol_text)
    pool = small.pool(protocol, people=500, effect=effect)
    return conduct.conduct_trial(protocol, ["randomised"], [scenario], pool=pool, threads=1)["randomised", scenario]


@pytest.fixture(scope="module")
def arms() -> TrialData:
    return run_of(text("{select: {}}", THREE, 120, 600))


def _by_hand(data: TrialData, r: int, arm: str, first: int, last: int) -> float:
    """One-sided p of one trial by ANCOVA, from patients cut out by their place."""
    group = data.arm[r, first:last]
    keep = (group == data.arms.index(arm)) | (group == data.arms.index("control"))
    change = data.change("UACR")[r, first:last, data.visit("month 6")][keep]
    base = np.log(data.base["UACR"][r, first:last].astype(float))[keep]
    estimate = analyses.ancova(change, base, group[keep] == data.arms.index(arm), data.stratum[r, first:last][keep])
    p = float(estimate.p)
    return p / 2 if estimate.effect < 0 else 1 - p / 2


def test_stages_are_tested_by_their_own_patients_and_the_best_arm_goes_on(arms: TrialData) -> None:
    trials = adapted_trials(arms)
    design = designs.group_sequential("asOF", 2)
    names = [claim.words for claim in trials.claims]
    for r in range(12):
        p = np.array([[_by_hand(arms, r, name, *cut) for name in names] for cut in ((0, 60), (60, 120))])
        first = designs.closed_test(p[:1], design)[-1]
        np.testing.assert_array_equal(trials.rejected[r] & (trials.stopped[r] == 0), first)
        if first.any():
            continue
        going = trials.went_on[r, 1]
        assert going.sum() == 1
        p[1, ~going] = np.nan
        expected = designs.closed_test(p, design)[-1] & going
        np.testing.assert_array_equal(trials.rejected[r], expected)


def test_an_arm_that_is_dropped_enrols_nobody_any_more(arms: TrialData) -> None:
    trials, days = adapted_trials(arms), enrolment_days(arms)
    on = (trials.stopped == 1) & (trials.went_on[:, 1].sum(-1) == 1)
    assert on.any()
    for r in np.flatnonzero(on)[:10]:
        dropped = trials.claims[int(np.flatnonzero(~trials.went_on[r, 1])[0])].words
        never = (arms.arm[r] == arms.arms.index(dropped)) & (days[r] > trials.day[r, 0])
        assert trials.enrolled[r, 1] == arms.patients - never.sum()


def test_error_over_all_claims_is_kept_and_power_is_that_of_theory(arms: TrialData) -> None:
    (row,) = look_rows(arms)
    assert row["type_one"] <= 0.025 + 3 * np.sqrt(0.025 * 0.975 / 600)
    trials = adapted_trials(arms)
    alone = [c["rejected"] for c in row["claims"]]
    assert max(alone) <= row["power"] <= sum(alone) + 1e-9
    # Forty a group in all, with the scatter that the plain analysis of two groups of forty has.
    estimates = [
        analyses.ancova(arms.change("UACR")[r, :, 2], np.log(arms.base["UACR"][r].astype(float)), np.where(arms.arm[r] == 0, np.nan, arms.arm[r] == 1), arms.stratum[r]) for r in range(100)]  # fmt: skip
    sd = np.sqrt(np.mean([float(estimate.standard_error) ** 2 for estimate in estimates]) * 40 / 2)
    theory = designs.simulate_multi_arm(
        designs.group_sequential("asOF", 2), [-np.log(0.65)] * 2, per_arm=20, sd=sd, replicates=20_000
    )
    # Few degrees of freedom cost a little power of stages that are tested by t.
    assert row["power"] == pytest.approx(theory.any_rejected, abs=0.05 + 3 * np.sqrt(0.25 / 600))
    # What is selected for looking good looks too good.
    shown = [claim["bias_of_claimed"] for claim in row["claims"]]
    assert all(bias < -0.02 for bias in shown)
    assert (trials.effect[trials.rejected] < 0).all()


@pytest.mark.parametrize(
    ("looks", "arms", "patients"),
    [
        ("{combine: Fisher, select: {rule: within, margin: 0.1}}", THREE, 90),
        ("{information: 3, select: {rule: above, margin: 0.1}, intersections: Dunnett}", THREE, 120),
        ("{combine: inverse normal}", TWO, 60),
        ("{enrich: {stratum: late}}", TWO, 80),
        ("{resize: {rule: conditional power, planned: 50}}", TWO, 120),
        ("{resize: {rule: promising zone, planned: 50, effect: 0.7}, futility: [0.0]}", TWO, 120),
        ("{resize: {rule: blinded, planned: 50, effect: 0.7}}", TWO, 120),
        ("{allocate: {blocks: 4, exponent: 1}}", TWO, 80),
    ],
)
def test_nothing_is_claimed_too_often_where_nothing_differs(looks: str, arms: str, patients: int) -> None:
    data = run_of(text(looks, arms, patients, 800))
    null = adapted_trials(everybody_alike(data))
    shown = adapted_trials(data)
    assert null.rejected.any(-1).mean() <= 0.025 + 3 * np.sqrt(0.025 * 0.975 / 800)
    assert shown.rejected.any(-1).mean() > 0.15
    assert np.isfinite(shown.effect).all() and (shown.enrolled[:, -1] <= patients).all()
    assert (np.diff(shown.day, axis=1) >= 0).all()


def test_the_stratum_goes_on_alone_where_it_seems_better() -> None:
    data = run_of(text("{enrich: {stratum: late, margin: 0}}", TWO, 80))
    trials = adapted_trials(data)
    alone = (trials.stopped == 1) & ~trials.went_on[:, 1, 0]
    both = (trials.stopped == 1) & trials.went_on[:, 1, 0]
    assert alone.any() and both.any() and trials.went_on[trials.stopped == 1, 1, 1].all()
    assert (trials.enrolled[alone, 1] <= trials.enrolled[both, 1].max()).all()
    never = adapted_trials(run_of(text("{enrich: {stratum: late, margin: 9}}", TWO, 80)))
    assert never.went_on[never.stopped == 1, 1, 0].all()


def test_a_size_is_set_anew_by_what_the_first_stage_shows() -> None:
    data = run_of(text("{resize: {rule: conditional power, planned: 50}}", TWO, 120))
    trials = adapted_trials(data)
    design = designs.group_sequential("asOF", 2)
    for r in range(10):
        z = -_normal_quantile(_by_hand(data, r, "cells", 0, 25))
        size = designs.second_stage_size(z, design, planned=(25, 25), most=95)[0]
        assert trials.analysed[r].tolist() == [25, 25 + np.ceil(size - 1e-9)]
        combined = designs.combined_inverse_normal(
            [_by_hand(data, r, "cells", 0, 25), _by_hand(data, r, "cells", 25, int(trials.analysed[r, 1]))], [0.5, 1]
        )
        expected = combined[0] >= design.efficacy[0] or combined[1] >= design.efficacy[1]
        assert trials.rejected[r, 0] == expected
    raised = trials.analysed[:, 1] > 50
    # Up to the plan nobody waits; those beyond it come after the look.
    assert raised.any() and (trials.enrolled[:, 0] <= 50).all()
    assert set(trials.compared) == {"naive"}


def _normal_quantile(p: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(p))


def test_a_blinded_look_does_not_know_the_arms() -> None:
    data = run_of(text("{resize: {rule: blinded, planned: 50, effect: 0.7}}", TWO, 160))
    sizes = adapted_trials(data).analysed[:, 1]
    other = replace(data, arm=1 - data.arm)
    np.testing.assert_array_equal(adapted_trials(other).analysed[:, 1], sizes)
    assert 50 < sizes.mean() < 160 and (sizes >= 50).all()
    larger = parse_protocol(text("{resize: {rule: blinded, planned: 50, effect: 0.6}}", TWO, 160))
    assert adapted_trials(replace(data, protocol=larger)).analysed[:, 1].mean() < sizes.mean()


@pytest.mark.parametrize(
    ("looks", "more", "kind"),
    [
        ("{select: {}}", {}, "useless-key"),
        ("{}", {"arms": THREE}, "not-supported"),
        ("{select: {}, enrich: {stratum: late}}", {"arms": THREE}, "not-supported"),
        ("{enrich: {stratum: latest}}", {}, "unknown-stratum"),
        ("{enrich: {stratum: late}, information: 3}", {}, "not-supported"),
        ("{enrich: {stratum: late}, futility: asOF}", {}, "not-supported"),
        ("{combine: Fisher, boundaries: P}", {}, "useless-key"),
        ("{intersections: Sidak}", {}, "useless-key"),
        ("{resize: {rule: blinded, planned: 30}}", {}, "missing-key"),
        ("{resize: {rule: blinded, planned: 30, effect: 0.7}, boundaries: P}", {}, "useless-key"),
        ("{resize: {rule: conditional power, planned: 70}}", {}, "out-of-range"),
        ("{resize: {rule: conditional power, planned: 30, zone: [0.3, 0.8]}}", {}, "useless-key"),
        ("{resize: {rule: promising zone, planned: 30, zone: [0.9, 0.3]}}", {}, "out-of-range"),
        ("{resize: {rule: promising zone, planned: 30, effect: 1}}", {}, "out-of-range"),
        ("{resize: {rule: promising zone, planned: 30}, combine: Fisher}", {}, "not-supported"),
        ("{combine: inverse normal}", {"primary": "{quantity: death, summary: time to event}"}, "missing-key"),
        ("{allocate: {blocks: 12}}", {}, "out-of-range"),
        ("{allocate: {blocks: 4, cap: 0.4}}", {}, "out-of-range"),
        ("{allocate: {blocks: 4}, boundaries: P}", {}, "useless-key"),
        ("{allocate: {blocks: 4}}", {"arms": "{cells: 2, control: 1}"}, "useless-key"),
        ("{select: {}, intersections: Dunnett}", {"arms": "{cells: 2, more: 1, control: 1}"}, "not-supported"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(looks: str, more: dict[str, str], kind: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_protocol(text(looks, **more))  # type: ignore[arg-type]
    assert kind in caught.value.kinds
    assert all(problem.location.line > 1 for problem in caught.value.problems)


def test_allocation_follows_what_is_known_and_nothing_else() -> None:
    slow = text("{allocate: {blocks: 4, exponent: 1, cap: 0.75}}", TWO, 160, 100).replace("12 month", "60 month")
    data = run_of(slow, effect=0.4)
    trials = adapted_trials(data)
    assert trials.share is not None
    assert 0.55 < trials.share.mean() < 0.75 and trials.rejected.mean() > 0.95
    # Before any outcome is known allocation is even: everybody is enrolled within six months.
    quick = adapted_trials(replace(data, protocol=parse_protocol(slow.replace("60 month", "5 month"))))
    assert quick.share is not None
    np.testing.assert_array_equal(quick.share, 0.5)
    even = adapted_trials(replace(data, protocol=parse_protocol(slow.replace("exponent: 1", "exponent: 0"))))
    assert even.share is not None
    np.testing.assert_array_equal(even.share, 0.5)
    # Whoever is in an arm has the life of that arm: true effects are those of cells.
    mixed = allocated_lives(data)
    treated = (mixed.arm == mixed.arms.index("cells")) & mixed.enrolled
    effect = mixed.effect("UACR")[:, :, 2]
    assert np.allclose(effect[treated], np.log(0.4), atol=1e-5) and np.allclose(effect[~treated], 0, atol=1e-12)
    assert (mixed.arm != data.arm).any()


def test_terminal_and_report_tell_of_claims(arms: TrialData, tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    protocol = parse_protocol(text("{select: {}}", THREE, 90))
    run = conduct.conduct_trial(protocol, ["randomised"], pool=small.pool(protocol, people=300), threads=1)
    json.dumps(run.summary, allow_nan=False)
    tell_looks(run.summary, several=False, cells=True)
    told = capsys.readouterr().out
    assert "the best arm and the control go on" in told and "went on" in told
    assert max(len(line) for line in told.splitlines() if " % " in line) <= 80
    made = make(run, tmp_path / "new", ["report", "small"], quick=True)
    assert len(report_tables(made.assessment)["claimed"]) == 4
    page = made.files[0].read_text(encoding="utf-8")
    assert "bias if shown" in page and "Where trials stop" in page and "What looks see" not in page
    summary = run_summary(arms.protocol, {("randomised", "seed-claims"): arms}, {})
    assert [claim["claim"] for claim in summary["looks"][0]["claims"]] == ["cells", "more"]


@pytest.mark.parametrize(
    ("looks", "patients", "unbiased"),
    [
        ("{resize: {rule: conditional power, planned: 50}}", 160, True),
        ("{combine: inverse normal}", 60, True),
        ("{allocate: {blocks: 4, exponent: 1}}", 80, True),
        ("{resize: {rule: blinded, planned: 50, effect: 0.7}}", 120, True),
        ("{combine: Fisher}", 60, False),
    ],
)
def test_estimates_know_of_the_adaptation(looks: str, patients: int, unbiased: bool) -> None:
    data = run_of(text(looks, TWO, patients, 800))
    trials = adapted_trials(data)
    (claim,) = staged_row(data)["claims"]
    room = 3 / np.sqrt(800)
    assert claim["coverage_repeated"] > 0.95 - room * np.sqrt(0.05)
    adapted = trials.adapted()
    if not unbiased:
        assert np.isnan(adapted.middle).all() and np.isfinite(adapted.repeated_low).all()
        return
    assert claim["coverage_adjusted"] == pytest.approx(0.95, abs=room * np.sqrt(0.05))
    assert claim["above_truth_median_unbiased"] == pytest.approx(0.5, abs=room)
    assert abs(claim["bias_median_unbiased"]) < abs(claim["bias"]) + 0.01
    # An interval that leaves out 0 on the good side is a claim, of trials that went to their end.
    ended = trials.stopped == trials.stopped.max()
    assert np.array_equal((adapted.high[:, 0] < 0)[ended], trials.rejected[ended, 0])


@pytest.mark.parametrize(
    ("looks", "arms", "patients"),
    [
        ("{select: {rule: best}, intersections: Dunnett}", THREE, 120),
        ("{information: 3, select: {rule: above, margin: 0.1}}", THREE, 120),
        ("{enrich: {stratum: late}}", TWO, 80),
    ],
)
def test_intervals_of_several_claims_hold_together(looks: str, arms: str, patients: int) -> None:
    data = run_of(text(looks, arms, patients, 600))
    trials = adapted_trials(data)
    adapted, claims = trials.adapted(), staged_row(data)["claims"]
    true = np.array([claim["estimand"] for claim in claims])
    assert np.isfinite(true).all() and np.isnan(adapted.middle).all()
    # A stage with nobody of the stratum in one arm tells nothing.
    told = np.isfinite(adapted.repeated_low).all(-1)
    together = ((adapted.repeated_low <= true) & (true <= adapted.repeated_high)).all(-1)[told].mean()
    assert told.mean() > 0.9 and together > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 600)
    shown = adapted.repeated_high < 0
    assert not (shown & ~trials.rejected)[trials.went_on[np.arange(len(shown)), trials.stopped]].any()
