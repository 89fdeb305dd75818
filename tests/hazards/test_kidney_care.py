"""Kidney failure, its treatment and acute complications: numbers of registries, and laws of competing care."""

from __future__ import annotations

import numpy as np
import pytest

from betapod.base.errors import ConfigError
from betapod.hazards.complications.complication import complication_parameters, complications
from betapod.hazards.complications.kidney_care import care_countries, kidney_care_in, read_country_rows
from betapod.hazards.complications.terms import TERMS
from betapod.hazards.risk import RiskProfile
from betapod.hazards.risk_course import RiskCourse
from betapod.health.event_table import own_events
from betapod.health.lives import Lives, live_on
from betapod.health.prepared_course import prepare

PEOPLE = 1000


def rate(event: str, **values: float) -> float:
    """Return the rate of an event, 1/year."""
    person = RiskProfile(**{"age": 60.0, "female": 0.0, "egfr": 90.0, "uacr": 10.0, "hba1c": 7.0} | values)  # type: ignore[arg-type]
    rows, item = complication_parameters(), complications()[event]
    log = sum(rows[row].value * float(TERMS[term](person)) for term, row in item.terms.items())
    return float(rows[item.rate].value * np.exp(log))


def after_failure(age: float, values: dict[str, float] | None = None) -> Lives:
    """Return lives of people whose kidneys fail on day 0."""
    days = np.arange(0.0, 41.0, 2.0) * 365.25
    profile = RiskProfile(age=age + days / 365.25, female=0.4, egfr=8.0, uacr=800.0, c_peptide=1.0)
    course = RiskCourse(days, profile, np.arange(PEOPLE), failed=np.zeros(PEOPLE))
    return live_on(prepare(course, own_events()), values, seed=5)


def had(lives: Lives, event: str) -> float:
    return float(np.mean(lives.counts(event) > 0))


def lifetime(event: str, age: float, with_diabetes: float) -> float:
    """Return the years that men live at the rates of a mixture of people with and without diabetes."""
    times = np.arange(0.0, 60.0, 0.05)
    rates = [np.array([rate(event, age=a, diabetes=d) for a in age + times[::60]]) for d in (1.0, 0.0)]
    mixed = with_diabetes * rates[0] + (1 - with_diabetes) * rates[1]
    return float(np.exp(-np.cumsum(np.interp(times, times[::60], mixed)) * 0.05).sum() * 0.05)


@pytest.mark.parametrize(("age", "dialysis", "graft"), [(47.5, 9.1, 23.2), (62.5, 5.5, 13.8), (72.5, 3.8, 9.4)])
def test_lifetimes_are_those_of_the_united_states(age: float, dialysis: float, graft: float) -> None:
    assert lifetime("dialysis_death", age, 0.5) == pytest.approx(dialysis, rel=0.05)
    assert lifetime("transplant_death", age, 0.3) == pytest.approx(graft, rel=0.03)


def test_diabetes_shortens_life_with_a_graft() -> None:
    assert rate("transplant_death", diabetes=0.0) / rate("transplant_death") == pytest.approx(1 / 1.65, rel=0.01)
    assert rate("transplant_death", type_1=1.0) / rate("transplant_death") == pytest.approx(1.95 / 1.65, rel=0.01)


def test_three_kinds_of_care_compete_and_people_die_at_their_rates() -> None:
    lives = after_failure(70.0)
    kinds = {name: had(lives, name) for name in ("dialysis", "preemptive_transplantation", "conservative_care")}
    wanted = {"dialysis": 12.0, "conservative_care": 1.15 * np.exp(0.9)}
    assert kinds["conservative_care"] == pytest.approx(
        wanted["conservative_care"] / (sum(wanted.values()) + 0.09), abs=0.025
    )
    assert sum(kinds.values()) == pytest.approx(1.0, abs=0.02)
    deaths = {lives.events[k] for k in np.unique(lives.cause) if k >= 0}
    assert {"dialysis_death", "conservative_death", "transplant_death"} <= deaths
    of_others = np.isin(lives.cause, [lives.events.index(name) for name in ("cv_death", "other_death")])
    assert of_others.mean() < 0.02


def test_a_graft_that_fails_leads_back_to_dialysis_and_nobody_has_two_kinds() -> None:
    lives = after_failure(40.0)
    parts = [lives.state(name) for name in ("dialysis", "transplant", "conservative_care")]
    assert float(np.max(np.sum(parts, axis=0) - lives.alive)) < 1e-4
    failed = lives.counts("graft_failure") > 0
    assert failed.mean() > 0.05
    back = lives.first_day[lives.events.index("graft_failure"), failed]
    on_dialysis = (lives.years @ lives.state("dialysis"))[failed]
    assert (on_dialysis[lives.died[failed] - back > 400] > 1.0).mean() > 0.5
    assert (on_dialysis > 0).all()


def test_ketoacidosis_of_type_1_falls_with_age_and_with_cells_of_one_s_own() -> None:
    danes = [1000 * rate("ketoacidosis", age=a, type_1=1.0, hba1c=7.8, female=0.4) for a in (20.0, 80.0)]
    assert danes == pytest.approx([32.7, 3.8], rel=0.12)
    assert rate("ketoacidosis", type_1=1.0, c_peptide=0.4) / rate("ketoacidosis", type_1=1.0) == pytest.approx(
        0.44, abs=0.01
    )
    assert 0.0002 < rate("ketoacidosis", hba1c=8.1, c_peptide=1.0) < 0.0009
    assert rate("ketoacidosis", age=20.0) == rate("ketoacidosis", age=80.0)


def test_potassium_is_dangerous_where_filtration_is_low() -> None:
    assert rate("hyperkalaemia", egfr=24.0) / rate("hyperkalaemia", egfr=90.0) == pytest.approx(13.65, rel=0.15)
    drugs = complications()["hyperkalaemia"].drugs
    assert complication_parameters()[drugs["nonsteroidal MRA"]].value == 2.16
    assert complication_parameters()[drugs["SGLT2 inhibitor"]].value < 1.0


def test_care_of_a_country_changes_rows_that_were_read() -> None:
    assert set(care_countries()) == {"Japan", "Europe", "Denmark", "Australia and New Zealand"}
    assert (
        after_failure(60.0, dict(kidney_care_in("Japan"))).life_years().mean()
        > 1.4 * after_failure(60.0).life_years().mean()
    )
    assert kidney_care_in("United States") == {}
    with pytest.raises(ConfigError) as caught:
        kidney_care_in("Jpan")
    assert "Japan" in caught.value.problems[0].hint


def test_a_wrong_row_of_a_country_is_located() -> None:
    header = "country,id,value,low,high,source,locator,grade,note\n"
    with pytest.raises(ConfigError) as caught:
        read_country_rows(header + "X,dialysis_death_rat,0.3,0.1,0.2,nobody1900,,A,\n", "care.csv")
    kinds = [(p.kind, p.location.line) for p in caught.value.problems]
    assert kinds == [("unknown-parameter", 2), ("out-of-range", 2), ("unknown-source", 2)]
    assert "dialysis_death_rate" in caught.value.problems[0].hint
