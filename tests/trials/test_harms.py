"""Harms in trials: placebo infusions have placebo rates, and what happens to patients changes their course and the endpoints."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import pytest
import small_trials as small

from betapod.base.errors import ConfigError
from betapod.hazards.harm_rates import DEADLY, deaths_apart, fatal_share
from betapod.hazards.outcome_rates import cause_rates
from betapod.hazards.risk import RiskProfile, hazard_values
from betapod.therapies.cell_risks import CourseHarms, course_harms
from betapod.trials.conduct import conduct, harm_events
from betapod.trials.conduct.patient_pool import ONE_KIDNEY
from betapod.trials.conduct.trial_data import TrialData
from betapod.trials.conduct.trial_effects import KIDNEY_REMOVED, KIDNEYS_FAILED
from betapod.trials.operating.harm_summaries import harm_rows

ORDER = "UC-MSC 1e6/kg iv x3 q28d"


def run(infused: bool = True, replicates: int = 400, **changes: object) -> TrialData:
    text = small.TEXT.replace("{placebo: true}", "{placebo: true, infusions_like: cells}") if infused else small.TEXT
    text = text.replace("drop_out: 20 %/year", "drop_out: 0 %/year")
    trial = small.parse_protocol(text)
    pool = replace(small.pool(trial, people=400), **changes) if changes else small.pool(trial, people=400)
    return conduct.conduct_trial(trial, ["randomised"], ["none"], replicates, pool=pool)["randomised", "none"]


@pytest.fixture(scope="module")
def blinded() -> TrialData:
    return run()


def share(data: TrialData, arm: str, counts: np.ndarray) -> tuple[float, float]:
    """Return the share of patients of an arm with an event, and its standard error."""
    hit = (counts > 0)[data.arm == data.arms.index(arm)]
    return float(hit.mean()), float(np.sqrt(max(hit.mean() * (1 - hit.mean()), 1e-9) / hit.size))


def test_placebo_infusions_have_the_rates_of_placebo(blinded: TrialData) -> None:
    risks = {well.name: (well, ill) for well, ill in course_harms(ORDER, "none").risks}
    for name in ("p_fever", "p_reaction"):
        for arm, expected in (
            ("cells", risks[name][0].at_least_one),
            ("control", risks[name][0].at_least_one_control),
        ):
            found, error = share(blinded, arm, blinded.events[name])
            # Those who die before the third infusion have fewer.
            assert found == pytest.approx(expected, abs=4 * error + 0.01 * expected), (name, arm)
    assert share(blinded, "control", blinded.events["p_antibody"])[0] == 0.0
    assert share(blinded, "cells", blinded.events["p_antibody"])[0] == pytest.approx(0.115, abs=0.02)


def test_an_open_control_gets_no_infusions_and_no_fever(blinded: TrialData) -> None:
    unblinded = run(infused=False, replicates=20)
    control = unblinded.arm == unblinded.arms.index("control")
    assert all((counts[control] == 0).all() for counts in unblinded.events.values())
    assert set(unblinded.events) == set(blinded.events)


def test_the_published_risk_ratios_come_back() -> None:
    """Directly on chances, then on as many draws as make the error small."""
    (fever, _), (reaction, _), (clot, ill) = course_harms("MPC 150e6 iv", "current-evidence").risks[:3]
    assert fever.chance / fever.control == pytest.approx(2.48)
    assert reaction.chance / reaction.control == pytest.approx(1.16)
    assert clot.chance / clot.control == pytest.approx(1.14) == pytest.approx(ill.chance / ill.control)
    assert ill.chance == pytest.approx(1.5 * clot.chance)
    uniform = np.random.default_rng(1).random(2_000_000)
    cells, placebo = (uniform < fever.chance).sum(), (uniform < fever.control).sum()
    assert cells / placebo == pytest.approx(2.48, abs=4 * 2.48 * np.sqrt(1 / cells + 1 / placebo))


def test_infection_thrombosis_and_cancer_come_in_both_arms_and_in_the_same_people(blinded: TrialData) -> None:
    for event in DEADLY:
        shares = [share(blinded, arm, np.isfinite(blinded.outcome_days[event])) for arm in ("cells", "control")]
        assert all(value > 0 for value, _ in shares), event
    # Under the scenario none infection and cancer have a ratio of 1: the same days whatever the arm.
    assert course_harms(ORDER, "none").ratios == {"serious_infection": 1.0, "thromboembolism": 1.14, "cancer": 1.0}
    assert course_harms("SC-islets 800e6 pv", "none").ratios == dict.fromkeys(DEADLY, 1.0)


def changed(harms: CourseHarms, monkeypatch: pytest.MonkeyPatch, **chances: float) -> None:
    """Let cells do more harm than they do, so that few patients show it."""
    ratios = {event: chances.get(event, ratio) for event, ratio in harms.ratios.items()}
    risks = [tuple(replace(risk, chance=chances.get(risk.name, risk.chance)) for risk in pair) for pair in harms.risks]
    found = replace(harms, ratios=ratios, risks=tuple(risks))
    monkeypatch.setattr(harm_events, "course_harms", functools.partial(lambda *_, found: found, found=found))


@pytest.mark.parametrize(
    ("event", "ratio"), [("serious_infection", 40.0), ("thromboembolism", 150.0), ("cancer", 40.0)]
)
def test_more_events_bring_more_deaths(event: str, ratio: float, blinded: TrialData, monkeypatch) -> None:
    changed(course_harms(ORDER, "none"), monkeypatch, **{event: ratio})
    harmed = run(replicates=100)
    cells = harmed.arm == harmed.arms.index("cells")
    usual = np.isfinite(blinded.outcome_day("death")[:100])
    died = np.isfinite(harmed.outcome_day("death"))
    assert died[cells].mean() > usual[cells].mean() + 0.01
    # The same people with the same random numbers: nobody is saved, and the other arm is the same to the last bit.
    assert not (usual & ~died).any()
    assert np.array_equal(
        harmed.outcome_day("death")[~cells], blinded.outcome_day("death")[:100][~cells], equal_nan=True
    )
    dead = died & ~usual
    assert (harmed.outcome_days[event][dead] < harmed.outcome_day("death")[dead]).all()
    assert np.isfinite(harmed.outcome_days[DEADLY[event].death][dead]).all()


def test_thrombosis_after_an_infusion_kills_few(blinded: TrialData, monkeypatch: pytest.MonkeyPatch) -> None:
    changed(course_harms(ORDER, "none"), monkeypatch, p_thrombosis=1.0)
    harmed = run(replicates=100)
    cells = harmed.arm == harmed.arms.index("cells")
    more = np.isfinite(harmed.outcome_day("cv_death")) & ~np.isfinite(blinded.outcome_day("cv_death")[:100])
    expected = 1 - (1 - hazard_values()["clot_fatal"]) ** 3
    assert more[cells].mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / cells.sum()))
    assert not more[~cells].any()
    assert (harmed.outcome_days["thromboembolism"][cells] == 0.0).mean() > 0.9


def test_kidneys_that_fail_after_cells_end_the_course(monkeypatch: pytest.MonkeyPatch) -> None:
    harms = course_harms(f"{ORDER} autologous".replace("UC-MSC", "AD-MSC"), "none")
    changed(harms, monkeypatch, p_kidney_loss=1.0)
    data = run(replicates=5)
    cells, present = data.arm == data.arms.index("cells"), np.isnan(data.disposition_day)
    assert (data.kidney_failure[cells & present] == 91.0).all() and np.isnan(data.kidney_failure[~cells]).all()
    assert np.array_equal(data.outcome_day("kidney_failure"), data.kidney_failure, equal_nan=True)
    late = np.array(data.days) > 91.0
    assert np.isnan(data.observed["EGFR"][cells][:, late]).all() and np.isnan(data.true("CREAT")[cells][:, late]).all()
    assert np.isfinite(data.observed["UACR"][cells][:, ~late]).any()


def test_a_kidney_that_is_removed_leaves_one(monkeypatch: pytest.MonkeyPatch) -> None:
    trial = small.protocol()
    pool = small.pool(trial, people=400)
    natural = pool.values["natural"]
    one = natural.copy()
    one[:, pool.times > 0, pool.codes.index("CREAT")] *= 1.4
    alone = np.where(np.arange(400) < 200, 100.0, np.inf)
    extra = {"values": {**pool.values, ONE_KIDNEY: one}, "failed": {**pool.failed, ONE_KIDNEY: alone}}
    lesion = replace(course_harms(ORDER, "none").risks[0][0], name="p_lesion", chance=1.0, control=0.0, days=(0.0,))
    harms = replace(course_harms(ORDER, "none"), risks=((lesion, lesion),))
    monkeypatch.setattr(harm_events, "course_harms", lambda *_: harms)
    data = run(replicates=10, **extra)
    cells, present = data.arm == data.arms.index("cells"), np.isnan(data.disposition_day)
    wait = hazard_values()["nephrectomy_days"]
    assert (data.outcome_days[KIDNEY_REMOVED][cells & present] == wait).all()
    assert (
        np.isnan(data.outcome_days[KIDNEY_REMOVED][~cells]).all() and np.isnan(data.outcome_days[KIDNEYS_FAILED]).all()
    )
    change = data.effect("CREAT")
    late = (data.day > wait + 30) & (cells & present)[:, :, None]
    assert change[late] == pytest.approx(np.log(1.4), abs=0.01) and late.any()
    assert np.abs(change[(data.day < wait - 1) & (data.member >= 0)[:, :, None]]).max() == 0.0
    fails = cells & present & (data.member < 200)
    assert data.kidney_failure[fails] == pytest.approx(wait + 100.0) and fails.any()
    parts = data.at("month 12").parts("CREAT")
    total = sum(parts.values())
    assert np.nanmax(np.abs(total - data.at("month 12").change("CREAT"))) < 1e-5


def test_deaths_by_events_are_part_of_the_rates_of_death_not_added_to_them() -> None:
    days = np.linspace(0.0, 1000.0, 11)
    profile = RiskProfile(np.array([[50.0], [70.0]]), 0.0, 60.0, 30.0, year=2013.0)
    rates = {name: np.broadcast_to(rate, (2, 11)) for name, rate in cause_rates(profile).items()}
    apart = deaths_apart(days, rates, profile.age)
    assert (apart["other_death"][:, 0] == rates["other_death"][:, 0]).all()
    brought = sum(
        rates[event] * fatal_share(event, profile.age) * -np.expm1(-days / hazard_values()[harm.days])
        for event, harm in DEADLY.items()
        if harm.death == "other_death"
    )
    assert apart["other_death"] + brought == pytest.approx(rates["other_death"])
    assert (apart["cv_death"][:, 1:] < rates["cv_death"][:, 1:]).all() and (apart["cv_death"] > 0).all()
    assert all(apart[name] is rates[name] for name in rates if not name.endswith("death"))


def test_immunosuppression_brings_serious_events_over_the_years() -> None:
    text = small.TEXT.replace("UC-MSC 1e6/kg iv x3 q28d", "SC-islets 0.8e9 pv").replace("20 %/year", "0 %/year")
    trial = small.parse_protocol(text)
    data = conduct.conduct_trial(trial, ["randomised"], ["none"], 100, pool=small.pool(trial, people=400))
    part = data["randomised", "none"]
    cells = part.arm == part.arms.index("cells")
    counts = part.events["SAE"][cells]
    years = (trial.days[-1] + trial.visits[-1].window) / 365.25
    assert counts.mean() == pytest.approx(0.31 * years, abs=4 * np.sqrt(0.31 * years / counts.size) + 0.01)
    assert (part.events["SAE"][~cells] == 0).all() and set(part.events) == {
        "p_bleeding",
        "p_portal_clot",
        "p_growth",
        "SAE",
    }


@pytest.mark.parametrize(
    ("arms", "kind", "says"),
    [
        ("control: {placebo: true, infusions_like: cels}", "unknown-arm", "cells"),
        ("control: {placebo: true, infusions_like: [cells]}", "wrong-type", "expected text"),
        ("control: {placebo: true, infusions_like: control}", "no-cells", "no cells whose infusions"),
    ],
)
def test_placebo_infusions_must_imitate_cells(arms: str, kind: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        small.parse_protocol(small.TEXT.replace("control: {placebo: true}", arms))
    assert [problem.kind for problem in caught.value.problems] == [kind]
    assert says in str(caught.value)


def test_an_arm_with_cells_imitates_nobody() -> None:
    text = small.TEXT.replace(f"{{cells: {ORDER}}}", f"{{cells: {ORDER}, infusions_like: control}}")
    with pytest.raises(ConfigError, match="infusions_like has no effect"):
        small.parse_protocol(text)


def test_both_groups_of_a_blinded_trial_are_compared(blinded: TrialData) -> None:
    rows = {(row["event"], row["arm"]): row for row in harm_rows(blinded)}
    assert {arm for _, arm in rows} == {"cells", "control"}
    fever = rows["p_fever", "cells"]
    well = course_harms(ORDER, "none").risks[0][0]
    expected = well.at_least_one / well.at_least_one_control
    assert fever["control"] == "control" and fever["risk_ratio_low"] < expected < fever["risk_ratio_high"]
    assert fever["risk_difference"] == pytest.approx(fever["share"] - rows["p_fever", "control"]["share"], abs=1e-12)
    assert fever["risk_difference_low"] < 0 < fever["risk_difference_high"]  # one trial of 40 hardly sees it
    assert rows["p_fever", "control"]["control"] == "" and np.isnan(rows["p_fever", "control"]["risk_ratio"])
    assert np.isnan(rows["p_antibody", "cells"]["risk_ratio"])  # nobody has them without cells
    assert rows["death", "cells"]["patients"] > 0 and {*DEADLY, "kidney_failure", "death"} <= {
        event for event, _ in rows
    }
