"""What a person is holds for the whole life, what is done to them begins today; everybody can be tested or is refused with the reason."""

from __future__ import annotations

import pytest

from betapod.base.errors import ConfigError, ParameterError
from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.person import typical
from betapod.person.begins_today import inputs_of_treatment, lifelong_and_today
from betapod.person.coupled_person import metabolism_today, person_names, typical_patient
from betapod.person.glucose_tests import ogtt
from betapod.person.metabolic_state import with_values
from betapod.physiology import whole_body


@pytest.fixture(scope="module")
def advanced() -> typical.Person:
    return metabolism_today("t2d_ckd")


def test_traits_and_treatments_are_told_apart() -> None:
    treatment = inputs_of_treatment()
    assert {"hold_glucose", "glucose_held", "insulin_titration", "insulin_target", "met", "phiS", "e_ARB"} <= treatment
    assert {"graft_equivalents", "kneo", "prog_m", "Esrc", "r_P", "aki_m"} <= treatment
    assert not treatment & {"age", "female", "dMAP", "N_in", "protein_animal", "GFR", "T1D", "onset_age", "rRBC", "BW"}
    # Every one of them is something that a model takes.
    names = {name for model in ("kidney", "metabolism", "reference") for name in whole_body.named_model(model).names}
    assert {"hold_glucose", "graft_equivalents"} <= treatment & names
    assert lifelong_and_today({"sIg": 1, "met": 2, "age": 3}) == ({"sIg": 1, "age": 3}, {"met": 2})


#: With any of these for a whole life HbA1c would never have come to where the person stands: each was refused.
NEVER_REACHED: dict[str, float | str] = {
    "hold_glucose": 1.0,
    "met": 0.9,
    "prog_m": 0.0,
    "prog_drug": 0.0,
    "graft_equivalents": 2.0,
    "Esrc": 0.01,
    "insulin_titration": 1.0,
    "insulin_prescribed": "250 U/day",
    "dWt": "-40 kg",
}


def test_what_is_done_to_a_person_begins_today() -> None:
    plain, who = (typical_patient("t2d", "metabolism", values) for values in ({}, NEVER_REACHED))
    assert who.state == plain.state and who.history == plain.history
    changed = {name for name in NEVER_REACHED if who.model.values()[name] != plain.model.values()[name]}
    assert changed == set(NEVER_REACHED)


def test_held_glucose_is_held_from_today_on() -> None:
    who = typical_patient("t2d", "metabolism", {"hold_glucose": 1.0, "glucose_held": 5.0})
    table = simulate(who.model, [0.0, 1.0, 365.25], None, who.state, outputs=["G", "HbA1c"]).table
    assert list(table["G"].iloc[1:]) == pytest.approx([5.0, 5.0], abs=1e-3)
    assert table["HbA1c"].iloc[0] == pytest.approx(8.1, abs=0.05)
    assert table["HbA1c"].iloc[-1] == pytest.approx(1.627 + 0.6277 * 5.0, abs=0.02)


def test_a_trait_holds_for_the_whole_life() -> None:
    plain, sensitive = (typical_patient("t2d", "metabolism", {"sIg": value}) for value in (0.75, 0.9))
    assert sensitive.history > plain.history + 1.0


def test_a_wrong_value_is_refused_before_a_history_is_simulated() -> None:
    with pytest.raises(ParameterError) as caught:
        typical_patient("t2d", "metabolism", {"hold_glucose": 1.0, "sIgg": 1.0, "glucose_hled": 5.0})
    assert "sIgg" in str(caught.value)


def test_who_is_younger_than_the_diabetes_is_refused() -> None:
    with pytest.raises(ConfigError, match="years of history: too many at the age of 12"):
        typical_patient("t2d", "metabolism", {"age": 12.0})


def test_people_with_kidney_disease_take_glucose_tests(advanced: typical.Person) -> None:
    """The fasting sample of the test is that of the whole body, and the kidney's filtration comes along."""
    test = ogtt(advanced, step=60.0)
    who = typical_patient("t2d_ckd")
    fasting = who.model.evaluate(["FPG", "C_peptide_fasting", "GFR"], {**who.state})
    assert advanced.values["GFR"] == pytest.approx(fasting["GFR"], rel=1e-12)
    assert test.indices["fasting_glucose"] == pytest.approx(fasting["FPG"], rel=1e-4)
    assert test.table["C_peptide"].iloc[0] == pytest.approx(fasting["C_peptide_fasting"], rel=0.02)


def test_values_of_today_change_a_test_but_not_the_person(advanced: typical.Person) -> None:
    treated = with_values(advanced, {"sI_drug": 2.0})
    assert treated.state == advanced.state
    assert ogtt(treated, step=60.0).table["G"].max() < ogtt(advanced, step=60.0).table["G"].max()


@pytest.mark.parametrize(("model", "reason"), [("kidney", "has no metabolism"), ("metabolism", "has no kidneys")])
def test_a_model_that_cannot_hold_a_person_says_why(model: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        typical_patient("t2d_ckd", model)
    assert caught.value.problems[0].hint == "Use the model reference."


@pytest.mark.parametrize("given", ["t2d_ckdd", "T2D_CKD", "t2dckd"])
def test_an_unknown_person_is_told_the_nearest(given: str) -> None:
    with pytest.raises(ConfigError, match="there is no typical person") as caught:
        typical_patient(given)
    assert "t2d_ckd" in caught.value.problems[0].hint
    assert set(person_names()) >= {"t2d_ckd", "t1d_dkd", "ngt"}
