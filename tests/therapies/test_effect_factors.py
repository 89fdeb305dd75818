"""Factors on effects of drugs."""

from __future__ import annotations

import pytest

from betapod.base.errors import ConfigError
from betapod.patients.prescribing import prescribed_drugs
from betapod.therapies.effect_factors import scaled_effects
from betapod.therapies.standard_care import therapy


def effects(text: str) -> dict[str, float]:
    return {effect.quantity: effect.value for effect in therapy(text).effects}


def test_a_class_is_scaled_in_all_its_drugs_and_back() -> None:
    before = effects("empagliflozin 10 mg")
    with scaled_effects({"SGLT2 inhibitor e_S": 0.5}):
        meanwhile = effects("empagliflozin 10 mg")
        sglt2 = next(drug for drug in prescribed_drugs() if drug.drug_class == "SGLT2 inhibitor")
        assert {effect.quantity: effect.value for effect in sglt2.effects}["e_S"] == pytest.approx(0.5 * before["e_S"])
    assert meanwhile == {**before, "e_S": pytest.approx(0.5 * before["e_S"])}
    assert effects("empagliflozin 10 mg") == before


def test_what_multiplies_goes_by_powers() -> None:
    before = effects("empagliflozin 10 mg")["xEd"]
    with scaled_effects({"empagliflozin xEd": 2.0}):
        assert effects("empagliflozin 10 mg")["xEd"] == pytest.approx(before**2)
        assert effects("dapagliflozin 10 mg")["xEd"] == pytest.approx(1.05)


def test_an_effect_that_is_none_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="e_S") as caught, scaled_effects({"SGLT2 inhibitr e_S": 0.5}):
        pass
    assert "SGLT2 inhibitor e_S" in caught.value.problems[0].hint
