"""Cholesterol, haemoglobin, potassium and smoking that events read: means, chances, people who stay themselves."""

from __future__ import annotations

import numpy as np
import pytest

from betapod.hazards.risk import RiskProfile
from betapod.health.read_outs import READ_OUTS, read_out_parameters, read_out_values, with_read_outs

PEOPLE = np.arange(20_000)


def person(**values: object) -> RiskProfile:
    return RiskProfile(**{"age": 60.0, "female": 0.0, "egfr": 90.0, "uacr": 10.0, "hba1c": 7.0} | values)  # type: ignore[arg-type]


def test_a_man_of_sixty_by_hand() -> None:
    seen = with_read_outs(person(bmi=35.0, hba1c=8.0), np.array([4]), scatter=False)
    chance = 1 / (1 + np.exp(1.1937))
    assert np.asarray(seen.smoker).item() == pytest.approx(chance)
    assert np.asarray(seen.hdl).item() == pytest.approx(1.1705 - 0.0581 - 0.0227 - 0.0482 * chance)
    assert np.asarray(seen.ldl).item() == pytest.approx(3.0727 + 0.0471 - 0.781 / (1 + np.exp(0.12)))
    assert np.asarray(seen.haemoglobin).item() == pytest.approx(15.0011)
    assert np.asarray(seen.potassium).item() == pytest.approx(4.0599 + 0.0206)


def test_people_scatter_as_in_the_survey_and_smoke_as_often() -> None:
    seen = with_read_outs(person(age=50.0, female=1.0), PEOPLE)
    assert np.mean(seen.smoker) == pytest.approx(1 / (1 + np.exp(1.1937 + 0.3119 - 0.187)), abs=0.01)
    assert np.std(np.asarray(seen.haemoglobin)) == pytest.approx(1.33, abs=0.03)
    smokes = np.asarray(seen.smoker)[:, 0] == 1
    gap = np.mean(np.asarray(seen.hdl)[smokes]) - np.mean(np.asarray(seen.hdl)[~smokes])
    assert gap == pytest.approx(-0.0482, abs=0.03)


def test_a_person_is_the_same_under_every_strategy_but_for_what_drugs_do() -> None:
    course = person(egfr=np.array([[60.0, 30.0]]))
    full = np.ones((3, 2))
    plain = with_read_outs(course, np.arange(3))
    blocked = with_read_outs(course, np.arange(3), {"ramipril": full, "finerenone": full, "statin": full})
    assert blocked.haemoglobin == pytest.approx(plain.haemoglobin)
    assert np.asarray(blocked.potassium) - plain.potassium == pytest.approx(np.full((3, 2), 0.0696 + 0.23))
    assert (np.asarray(blocked.ldl) <= np.asarray(plain.ldl) + 1e-12).all()
    assert np.asarray(plain.haemoglobin).shape == (3, 2)
    assert (np.diff(plain.haemoglobin) < 0).all()
    assert (np.diff(plain.potassium) > 0).all()


def test_every_row_is_read() -> None:
    wanted = {f"{name}_{term}" for name, terms in READ_OUTS.items() for term in (*terms, "base")}
    wanted |= {f"{name}_scatter" for name in ("hdl", "ldl", "haemoglobin", "potassium")}
    assert set(read_out_parameters()) == wanted
    other = with_read_outs(person(), np.array([1]), values={"haemoglobin_base": 10.0}, scatter=False)
    assert np.asarray(other.haemoglobin).item() == 10.0
    assert read_out_values()["haemoglobin_base"] == 15.0011
