"""Unknowns and rows of fits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from betapod.calibration.fit_settings import UnknownSettings
from betapod.calibration.named_unknowns import unknown_named
from betapod.calibration.unknown import TRANSFORMS, Unknown
from betapod.therapies.effect_factors import sized_effects

STARTS = {"log": 0.0085, "linear": -3.0, "logit": 0.2, "atanh": 0.3}


@pytest.mark.parametrize("transform", TRANSFORMS)
@given(u=st.floats(-3.0, 3.0))
def test_value_and_place_undo_each_other(transform: str, u: float) -> None:
    unknown = Unknown("x", "row", "1", STARTS[transform], transform, 0.4)
    assert unknown.value(0.0) == pytest.approx(STARTS[transform])
    assert unknown.place(unknown.value(u)) == pytest.approx(u, abs=1e-9)


def test_bounds_hold() -> None:
    unknown = Unknown("x", "row", "1", 1.0, "log", 2.0, low=0.5, high=3.0)
    assert unknown.value(np.array([-3.0, 0.0, 3.0])).tolist() == [0.5, 1.0, 3.0]


def test_effects_of_drugs_stay_possible() -> None:
    """No factor takes an inhibition beyond all of what is inhibited."""
    unknown = unknown_named("SGLT2 inhibitor e_S", UnknownSettings(), "none")
    assert unknown.low >= 0.0
    # The largest effect of the class times the factor: 0.8 of the transport can be inhibited.
    largest = max(size for quantity, size in sized_effects("SGLT2 inhibitor e_S") if quantity == "e_S")
    assert unknown.high * largest < 0.8 < (unknown.high + 0.01) * largest
    assert unknown_named("dMAP_60 shift", UnknownSettings(), "none").low == -np.inf
