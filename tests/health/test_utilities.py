"""Utilities: sets as their sources have them, what they lack, and what they make of lives."""

from __future__ import annotations

import numpy as np
import pytest

from betapod.base.errors import ConfigError
from betapod.engine.draw import draw_parameters
from betapod.hazards.risk import RiskProfile
from betapod.hazards.risk_course import RiskCourse
from betapod.health.accrue import COMBINATIONS, UtilityWeights, accrue, quality
from betapod.health.event_table import own_events
from betapod.health.lives import Lives
from betapod.health.utilities import (
    read_utility_sets,
    utility_parameters,
    utility_set,
    utility_sets,
    utility_values,
    utility_weights,
)

YEAR = 365.25

#: Utilities as table 3 of doi:10.1186/s13098-022-00801-4 prints them, by our states.
PRINTED = {
    "mi": 0.730,
    "hf": 0.677,
    "stroke": 0.621,
    "peripheral_artery_disease": 0.724,
    "albuminuria_a3": 0.737,
    "dialysis": 0.621,
    "transplant": 0.762,
    "retinopathy": 0.745,
    "severe_retinopathy": 0.715,
    "macular_oedema": 0.745,
    "vision_loss": 0.711,
    "neuropathy": 0.701,
    "foot_ulcer": 0.615,
    "amputation": 0.505,
}


def lives_in(states: tuple[str, ...], shares: list[float]) -> Lives:
    """One person who lives a year and spends a share of it in each state."""
    return Lives(
        np.array([0.0, YEAR]),
        ("severe_hypoglycaemia",),
        states,
        np.ones((1, 1), dtype=np.float32),
        np.array(shares, dtype=np.float32)[:, None, None],
        np.full((1, 1, 1), 2, dtype=np.uint8),
        np.full((1, 1), np.inf),
        np.array([np.inf]),
        np.array([-1], dtype=np.int16),
    )


def course(age: float = 62.0, bmi: float = 25.0) -> RiskCourse:
    days = np.array([0.0, YEAR])
    return RiskCourse(days, RiskProfile(age=np.array([[age, age]]), female=0, egfr=90, uacr=10, bmi=bmi), np.arange(1))


@pytest.mark.parametrize(("state", "printed"), PRINTED.items())
def test_a_state_alone_is_worth_what_the_source_prints(state: str, printed: float) -> None:
    weights = utility_weights(utility_set("uk"), course(), (state,), ())
    assert quality(lives_in((state,), [1.0]), weights)[0, 0] == pytest.approx(printed, abs=1e-6)


def test_losses_add_up_but_of_one_disease_the_worst_alone_counts() -> None:
    states = ("retinopathy", "severe_retinopathy", "stroke", "amputation")
    lives = lives_in(states, [1.0, 0.5, 1.0, 0.5])
    worth = {
        how: quality(lives, utility_weights(utility_set(), course(), states, (), combine=how))[0, 0]  # type: ignore[arg-type]
        for how in COMBINATIONS
    }
    eyes = max(0.04, 0.5 * 0.07)
    assert worth["additive"] == pytest.approx(0.785 - eyes - 0.164 - 0.5 * 0.28, abs=1e-6)
    left = (1 - eyes / 0.785) * (1 - 0.164 / 0.785) * (1 - 0.14 / 0.785)
    assert worth["multiplicative"] == pytest.approx(0.785 * left, abs=1e-6)
    assert worth["minimum"] == pytest.approx(0.785 - 0.164, abs=1e-6)
    assert worth["additive"] < worth["multiplicative"] < worth["minimum"]


def test_events_take_years_and_weight_and_age_take_utility() -> None:
    weights = utility_weights(utility_set(), course(72.0, 35.0), (), ("severe_hypoglycaemia",))
    older = -0.0010594 * 10 - 0.0000232 * (72.0**2 - 62.0**2)
    assert accrue(lives_in((), []), weights).qalys[0] == pytest.approx(0.785 + older - 0.061 - 2 * 0.057, abs=1e-6)


def test_failed_kidneys_count_once_where_their_treatment_is_known() -> None:
    both = utility_weights(utility_set(), course(), ("kidney_failure", "transplant"), ())
    assert set(both.states) == {"transplant"}
    assert set(utility_weights(utility_set(), course(), ("kidney_failure",), ()).states) == {"kidney_failure"}


def test_drawn_values_take_the_place_of_the_table() -> None:
    weights = utility_weights(utility_set(), course(), ("stroke",), (), {"uk_stroke": 0.3, "uk_base": 0.7})
    assert weights.states == {"stroke": 0.3}
    assert (weights.reference, weights.base[0, 0]) == pytest.approx((0.7, 0.7))  # type: ignore[index]


def test_no_utility_is_above_full_health() -> None:
    for chosen in utility_sets().values():
        assert np.max(utility_weights(chosen, course(18.0, 20.0), (), ()).base) <= 1.0


def test_every_number_is_read_by_a_set_and_every_loss_is_one() -> None:
    read = {row for chosen in utility_sets().values() for row in chosen.rows()}
    assert set(utility_parameters()) == read
    for chosen in utility_sets().values():
        rows = (*chosen.states.values(), *chosen.events.values())
        assert all(0.0 < utility_values()[row] < 0.5 for row in rows), chosen.name


def test_what_no_set_knows_is_said() -> None:
    table = own_events()
    for chosen in utility_sets().values():
        lacks = chosen.lacks(table.states, table.events)
        assert {"anaemia", "aki", "serious_infection"} <= set(lacks)
        assert not {"cvd", "obesity", "cv_death", "mi", "stroke"} & set(lacks)
    assert "hf" in utility_set("japan").lacks(table.states, table.events)


def test_nearest_names_are_given() -> None:
    with pytest.raises(ConfigError, match="uk"):
        utility_set("ukk")
    with pytest.raises(ConfigError, match="stroke"):
        utility_set().loss("strok")
    with pytest.raises(ConfigError, match="additive"):
        utility_weights(utility_set(), course(), (), (), combine="sum")  # type: ignore[arg-type]


def test_everything_wrong_with_a_file_is_said_at_once_with_its_line() -> None:
    text = """sets:
  mine:
    label: mine
    country: here
    instrument: EQ-5D
    base: germany_agee
    age: uk_age
    aging: england
    states:
      stroke: uk_strok
"""
    with pytest.raises(ConfigError) as caught:
        read_utility_sets(text, "mine.yaml", utility_parameters())
    found = {(problem.kind, problem.location.line) for problem in caught.value.problems}
    assert found == {
        ("unknown-key", 8),
        ("missing-key", 2),
        ("unknown-parameter", 6),
        ("unknown-parameter", 10),
    }
    with pytest.raises(ConfigError, match="at most 1"):
        good = text.replace("germany_agee", "uk_age").replace("aging", "ageing").replace("uk_strok", "uk_stroke")
        read_utility_sets(good, "mine.yaml", utility_parameters())


def test_plain_weights_have_no_groups() -> None:
    assert UtilityWeights(1.0).worst_of == ()


def test_sets_name_states_and_events_that_lives_have() -> None:
    table, of_others = own_events(), {"ischaemic_heart_disease"}
    for chosen in utility_sets().values():
        assert set(chosen.states) <= {*table.states, *of_others}, chosen.name
        assert set(chosen.events) <= set(table.events), chosen.name
        assert {*chosen.free, *(name for group in chosen.worst_of for name in group)} <= set(table.states)


def test_every_number_can_be_drawn() -> None:
    drawn = draw_parameters(utility_parameters(), 1, np.arange(400))
    rows = utility_parameters()
    assert set(drawn) == {name for name, row in rows.items() if row.distribution != "fixed"}
    for name, values in drawn.items():
        assert np.all(np.isfinite(values)) and np.ptp(values) > 0.0
        assert abs(values.mean() - rows[name].value) < 0.2 * np.std(values), name
    for chosen in utility_sets().values():
        assert drawn[chosen.base].max() < 1.0
