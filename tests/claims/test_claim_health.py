"""Health as an outcome of claims: read off a course, with cure, remission and complications as they are defined."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from betapod.claims import claim_lives, claim_simulation, claims
from betapod.claims.claim_health import HEALTH_QUANTITIES, READ, SimulatedCourse, quarters
from betapod.claims.claim_people import ledger_patient
from betapod.health.expected_health import expected_health

OUTCOMES = claims.all_outcomes(claims.load_claims())
VALUES = {"eGFR": 80.0, "UACR": 12.0, "HbA1c": 6.0, "MAP": 95.0, "BW": 80.0, "insulin_dose": 0.0}


def course(years: float = 2.0, drugs: bool = False, **last: float) -> SimulatedCourse:
    """A course on which everything is well, but for what `last` says of its last day."""
    days = quarters(years)
    read = {name: np.full(len(days), VALUES.get(name, 0.3)) for name in READ}
    for name, value in last.items():
        read[name][-1] = value
    return SimulatedCourse(ledger_patient("t2d_micro"), days, read, drugs)


def test_three_months_are_looked_at() -> None:
    assert quarters(1.0).tolist() == pytest.approx([0.0, 91.3125, 182.625, 273.9375, 365.25])
    assert len(quarters(0.5)) == 3 and len(quarters(0.1)) == 2


@pytest.mark.parametrize(
    ("life", "healthy", "remission"),
    [
        (course(), 1.0, 1.0),
        (course(UACR=40.0), 0.0, 1.0),
        (course(eGFR=50.0), 0.0, 1.0),
        (course(HbA1c=6.6), 0.0, 0.0),
        (course(insulin_dose=9.0), 0.0, 0.0),
        (course(drugs=True), 0.0, 0.0),
    ],
)
def test_cure_is_health_without_drugs(life: SimulatedCourse, healthy: float, remission: float) -> None:
    assert (life.healthy(), life.remission()) == (healthy, remission)


def test_what_fails_stays_failed() -> None:
    life = course(5.0, eGFR=np.nan)
    of_risk = life.risk_course()
    assert of_risk.failure_day().tolist() == [5 * 365.25]
    assert np.isfinite(of_risk.profile.egfr).all()
    assert life.healthy() == 0.0


def test_the_life_of_a_claim_is_read_with_its_own_person() -> None:
    profile = course().risk_course().profile
    who = ledger_patient("t2d_micro")
    assert (profile.type_1, profile.female) == (0.0, 0.0)
    assert np.ravel(profile.age)[[0, -1]] == pytest.approx([56.0, 58.0])
    assert np.ravel(profile.duration)[0] == pytest.approx(who.history)
    assert np.ravel(profile.bmi)[0] == pytest.approx(80.0 / 1.7**2)


def test_worse_values_bring_more_complications_and_take_more_quality() -> None:
    days = quarters(5.0)
    ill = {"eGFR": 40.0, "UACR": 800.0, "HbA1c": 9.5}
    well = course(5.0)
    worse = replace(well, read={**well.read, **{name: np.full(len(days), value) for name, value in ill.items()}})
    good, bad = (expected_health(life.risk_course(), copies=300) for life in (well, worse))
    assert bad.number > 1.5 * good.number
    assert bad.quality_lost > good.quality_lost + 0.04
    assert bad.qalys < good.qalys and bad.years <= good.years
    again = expected_health(well.risk_course(), copies=300)
    assert again == good


def test_glucose_lowering_drugs_of_a_life_are_seen() -> None:
    plain = claim_lives.effect(OUTCOMES["A12.2"]).terms[0][1]
    assert not claim_lives._drugged(plain)
    assert claim_lives._drugged(plain.changed({"phiS": 0.6}))


def test_claims_of_health_have_outcomes_of_their_own() -> None:
    of = {name: OUTCOMES[name].quantity for name in ("A12.2", "A14.2", "B29.2", "B29.3")}
    assert of == {"A12.2": "remission", "A14.2": "complications", "B29.2": "quality_lost", "B29.3": "healthy_again"}
    assert set(of.values()) == set(HEALTH_QUANTITIES)
    for quantity in of.values():
        unit, label = claim_simulation.unit_and_label(quantity)
        assert unit == "1" and label != quantity


def test_tables_of_health_are_part_of_what_results_are_kept_by(monkeypatch: pytest.MonkeyPatch) -> None:
    key = claim_simulation._model_key()
    before = {name: claim_simulation._key(OUTCOMES[name], key) for name in ("A12", "A14.2")}
    monkeypatch.setattr(claim_simulation, "_health_bytes", lambda: b"another table")
    after = {name: claim_simulation._key(OUTCOMES[name], key) for name in ("A12", "A14.2")}
    assert before["A12"] == after["A12"] and before["A14.2"] != after["A14.2"]


def test_what_claims_say_of_health_is_what_is_simulated() -> None:
    """Only a graft of islets cures the typical person, and complications hardly fall, within what evidence allows; with everything that is claimed they do."""
    names = ("A12.2", "A14.2", "B29.2", "B29.3")
    found = claim_simulation.simulate_outcomes({name: OUTCOMES[name] for name in names})
    assert found["A12.2"].allowed == found["B29.3"].allowed == 0.0
    assert found["A12.2"].claimed == found["B29.3"].claimed == 1.0
    assert -20.0 < found["A14.2"].largest < 0.0 and -70.0 < found["A14.2"].claimed < -55.0  # type: ignore[operator]
    assert -0.012 < found["B29.2"].largest < 0.0 and found["B29.2"].claimed < OUTCOMES["B29.2"].claimed  # type: ignore[operator]
    assert found["A12.2"].best == "current evidence, t2d, SC-islets 0.8e9 pv"
    assert [found[name].excluded for name in names] == [False, False, True, True]
