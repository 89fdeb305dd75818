"""Lives on a course: times of events, states that they leave, and numbers that strategies share."""

from __future__ import annotations

import numpy as np
import pytest

from betapod.hazards.complications.complication import Complication
from betapod.hazards.risk import RiskProfile
from betapod.hazards.risk_course import RiskCourse
from betapod.health.event_table import EventTable, event_table
from betapod.health.lives import Lives, live_on
from betapod.health.prepared_course import prepare

PEOPLE, YEAR = 4000, 365.25
#: Rates, 1/year, ratios and days of the made-up events of these tests.
VALUES = {"half": 0.5, "fifth": 0.2, "one": 1.0, "twice": 2.0, "soon": 200.0, "days": 30.0, "hba1c": np.log(1.5)}


def course(years: int = 10, **profile: object) -> RiskCourse:
    days = np.arange(2 * years + 1) * YEAR / 2
    young: dict[str, object] = {"age": 20.0, "female": 1.0, "egfr": 100.0, "uacr": 5.0}
    return RiskCourse(days, RiskProfile(**{**young, **profile}), np.arange(PEOPLE))  # type: ignore[arg-type]


def lived(*items: Complication, on: RiskCourse | None = None, values: dict[str, float] | None = None) -> Lives:
    factors = dict.fromkeys(("cv_death", "other_death"), 0.0)
    return live_on(prepare(on or course(), event_table(items)), VALUES | (values or {}), factors=factors)


ULCER = Complication("ulcer", "feet", "ulcer", "half", state="foot_ulcer")


def test_a_constant_rate_gives_exponential_times() -> None:
    days = lived(ULCER).first_day[-1]
    for year in (0.7, 2.0, 5.3):
        assert np.mean(days <= year * YEAR) == pytest.approx(1 - np.exp(-0.5 * year), abs=0.02)


def test_a_state_is_on_from_the_day_of_its_event() -> None:
    lives = lived(ULCER)
    on = lives.years @ lives.state("foot_ulcer")
    assert on == pytest.approx(np.maximum(10 - lives.first_day[-1] / YEAR, 0), abs=1e-4)
    assert lives.alive.min() == 1.0


def test_a_state_that_heals_is_on_for_its_mean_time_and_comes_again() -> None:
    item = Complication("ulcer", "feet", "ulcer", "fifth", state="foot_ulcer", repeats=True, days="days")
    lives = lived(item)
    counts = lives.counts("ulcer")
    assert counts.mean() == pytest.approx(2.0, abs=0.07)
    assert counts.var() == pytest.approx(2.0, abs=0.2)
    per_ulcer = float((lives.years @ lives.state("foot_ulcer")).sum() / counts.sum()) * YEAR
    assert per_ulcer == pytest.approx(30.0, abs=2.0)


def test_terms_states_and_drugs_multiply() -> None:
    plain = Complication("a", "eyes", "a", "fifth", repeats=True)
    worse = Complication(
        "b", "eyes", "b", "fifth", repeats=True, terms={"hba1c": "hba1c"}, drugs={"SGLT2 inhibitor": "half"}
    )
    after = Complication("c", "eyes", "c", "fifth", repeats=True, states={"foot_ulcer": "twice"})
    on = course(hba1c=9.0)
    on = RiskCourse(
        on.days,
        on.profile,
        on.numbers,
        {"foot_ulcer": np.ones(PEOPLE)},
        intake={"dapagliflozin": np.ones((PEOPLE, len(on.days)))},
    )
    lives = lived(ULCER, plain, worse, after, on=on)
    assert lives.counts("ulcer").sum() == 0
    assert lives.counts("b").mean() / lives.counts("a").mean() == pytest.approx(1.5**2 * 0.5, rel=0.05)
    assert lives.counts("c").mean() / lives.counts("a").mean() == pytest.approx(2.0, rel=0.05)


def test_needs_and_unless_are_kept_within_a_step() -> None:
    one = Complication(
        "begin_dialysis",
        "kidney_care",
        "x",
        "soon",
        state="dialysis",
        needs=("kidney_failure",),
        unless=("conservative_care",),
    )
    two = Complication(
        "no_dialysis",
        "kidney_care",
        "y",
        "soon",
        state="conservative_care",
        needs=("kidney_failure",),
        unless=("dialysis",),
    )
    on = course()
    failed = np.where(np.arange(PEOPLE) % 2 == 0, 3 * YEAR, np.inf)
    lives = lived(one, two, on=RiskCourse(on.days, on.profile, on.numbers, failed=failed))
    first, second = lives.counts("begin_dialysis"), lives.counts("no_dialysis")
    assert (first + second)[::2].tolist() == [1.0] * (PEOPLE // 2)
    assert (first + second)[1::2].sum() == 0
    assert first[::2].mean() == pytest.approx(0.5, abs=0.04)
    assert lives.first_day[-2:].min() >= 3 * YEAR
    assert lives.years @ lives.state("kidney_failure") == pytest.approx(np.where(np.isinf(failed), 0.0, 7.0))
    # Stage 5 is that of people without replacement therapy.
    assert (lives.state("ckd_5")[8:] + lives.state("dialysis")[8:] + lives.state("conservative_care")[8:])[
        :, ::2
    ] == pytest.approx(1.0)


def test_nothing_comes_after_death() -> None:
    dying = Complication("dialysis_death", "kidney_care", "death", "half", fatal=True)
    often = Complication("a", "eyes", "a", "one", repeats=True)
    lives = lived(dying, often)
    assert lives.life_years() == pytest.approx(np.minimum(lives.died / YEAR, 10), abs=1e-4)
    assert lives.life_years().mean() == pytest.approx((1 - np.exp(-5)) / 0.5, rel=0.03)
    assert lives.counts("a").sum() / lives.life_years().sum() == pytest.approx(1.0, rel=0.03)
    assert set(lives.cause[np.isfinite(lives.died)]) == {lives.events.index("dialysis_death")}
    assert (lives.in_state <= lives.alive[None] + 1e-6).all()


def test_a_treatment_delays_what_comes_to_the_same_person() -> None:
    few, many = lived(ULCER, values={"half": 0.25}), lived(ULCER)
    assert (few.first_day[-1] >= many.first_day[-1]).all()
    later = np.isfinite(few.first_day[-1])
    assert few.first_day[-1][later] == pytest.approx(2 * many.first_day[-1][later], rel=1e-4)


def test_people_do_not_depend_on_their_neighbours() -> None:
    whole = lived(ULCER)
    rows = np.arange(0, PEOPLE, 7)
    part = live_on(
        prepare(course().take(rows), event_table([ULCER])), VALUES, factors={"cv_death": 0.0, "other_death": 0.0}
    )
    assert part.first_day[-1] == pytest.approx(whole.first_day[-1][rows], rel=1e-5)


def test_what_the_course_dates_comes_on_its_day() -> None:
    days = np.where(np.arange(PEOPLE) % 2 == 0, 800.0, np.inf)
    on = course(age=80.0, egfr=30.0)
    lives = lived(ULCER, on=RiskCourse(on.days, on.profile, on.numbers, dated={"aki": days}))
    assert lives.first_day[lives.events.index("aki")] == pytest.approx(days)
    assert lives.counts("aki").tolist() == np.isfinite(days).tolist()


def test_a_graft_filters() -> None:
    """Kidney injury is read at the eGFR of a graft, not of failed kidneys."""
    from betapod.hazards.complications.complication import GRAFT_EGFR, complication_parameters

    egfr = complication_parameters()[GRAFT_EGFR].value
    graft = Complication("graft", "kidney_care", "x", "soon", state="transplant", needs=("kidney_failure",))
    on = course(age=60.0)
    failed = RiskCourse(on.days, on.profile, on.numbers, failed=np.zeros(PEOPLE))
    dialysed, grafted, own = (
        lived(*items, on=where).counts("aki").mean()
        for items, where in (((), failed), ((graft,), failed), ((), course(age=60.0, egfr=egfr)))
    )
    assert grafted == pytest.approx(own, rel=0.1)
    assert dialysed > 2 * own


def test_hearts_raise_the_rates_of_what_follows() -> None:
    table = event_table([])
    on = course(age=75.0)
    sick = RiskCourse(on.days, on.profile, on.numbers, {"cvd": np.ones(PEOPLE), "hf": np.ones(PEOPLE)})
    well, ill = (live_on(prepare(item, table)) for item in (on, sick))
    assert ill.life_years().mean() < well.life_years().mean() - 1.0
    assert ill.counts("hf_hospitalisation").mean() > 3 * well.counts("hf_hospitalisation").mean()


def test_shares_of_the_course_are_states() -> None:
    lives = lived(on=course(egfr=40.0, uacr=100.0, haemoglobin=11.0))
    assert {name for name in lives.states if lives.state(name).min() == 1.0} == {
        "ckd_3b",
        "albuminuria_a2",
        "anaemia",
        "obesity",
    }


def test_the_table_of_the_package_is_whole() -> None:
    from betapod.health.event_table import complication_values, own_events

    table = own_events()
    assert isinstance(table, EventTable)
    assert np.isfinite(table.coefficients(complication_values())[0]).all()
    assert len(table.events) == len(set(table.events))
