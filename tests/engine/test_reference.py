"""The reference integrator against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from betapod.base.errors import ConfigError, SolverError
from betapod.engine.schedule import Dose, Schedule, Switch
from betapod.engine.scipy.reference import METHODS
from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.model import Model, Parameter, ParameterTable, Part, assemble

TEXT = """
a(0) = a0               [mg]      amount
da/dt = -k*a + u*input_rate  [mg/day]  amount
c    = a/V              [mg/L]    concentration
"""
TABLE = ParameterTable(
    [
        Parameter("a0", "start", 10.0, "mg", 0.0, 100.0),
        Parameter("k", "elimination", 0.25, "1/day", 0.1, 0.5),
        Parameter("V", "volume", 2.0, "L"),
        Parameter("input_rate", "input rate", 1.0, "mg/day"),
        Parameter("limit", "limit", 1.0, "mg/L"),
        Parameter("u", "switch", 0.0, "1", role="input"),
    ]
)


def tank(events: str = "") -> Model:
    return assemble("tank", [Part.from_text("Tank", TEXT, ("u",), events)], TABLE)


TIMES = np.linspace(0.0, 20.0, 41)


@pytest.mark.parametrize("method", METHODS)
def test_decay(method: str) -> None:
    result = simulate(tank(), TIMES, method=method, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(result.table["a"], 10 * np.exp(-0.25 * TIMES), rtol=1e-6)
    np.testing.assert_allclose(result.table["c"], result.table["a"] / 2)
    assert result.dictionary.loc["c", "unit"] == "mg/L"
    assert result.dictionary["kind"].to_dict() == {"a": "state", "c": "equation", "u": "input"}


def test_repeated_doses_superpose_and_a_visit_sees_the_trough() -> None:
    schedule = Schedule([Dose("a", 4.0, 2.0, ii=5.0, addl=2)])
    result = simulate(tank(), TIMES, schedule, rtol=1e-10, atol=1e-13)
    expected = 10 * np.exp(-0.25 * TIMES)
    for day in (2.0, 7.0, 12.0):
        expected = expected + np.where(day < TIMES, 4 * np.exp(-0.25 * np.maximum(TIMES - day, 0)), 0.0)
    np.testing.assert_allclose(result.table["a"], expected, rtol=1e-7)


def test_ramp_of_an_input() -> None:
    schedule = Schedule(switches=[Switch("u", 3.0, 4.0, width=6.0)])
    result = simulate(tank(), TIMES, schedule, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(result.table["u"], np.interp(TIMES, [4, 10], [0, 3]), atol=1e-12)
    k, s = 0.25, 0.5

    def from_ramp(t: float) -> float:
        inside = s / k * (t - (1 - np.exp(-k * t)) / k)
        return (
            inside
            if t <= 6
            else (s * 6 / k) + (s / k * (6 - (1 - np.exp(-k * 6)) / k) - s * 6 / k) * np.exp(-k * (t - 6))
        )

    expected = 10 * np.exp(-k * TIMES) + np.array([from_ramp(max(t - 4, 0.0)) for t in TIMES])
    np.testing.assert_allclose(result.table["a"], expected, rtol=1e-7)


def test_terminal_event_is_found_and_ends_the_patient() -> None:
    result = simulate(tank('low when c < limit then stop "too low"'), TIMES, rtol=1e-10, atol=1e-12)
    assert result.ended is not None
    assert result.ended == ("low", pytest.approx(np.log(5) / 0.25, rel=1e-6))
    assert result.table["a"].isna().to_numpy().tolist() == (result.ended[1] < TIMES).tolist()


def test_terminal_event_that_holds_at_the_start() -> None:
    result = simulate(tank("low when c < limit then stop").with_values({"a0": 1.0}), TIMES)
    assert result.ended == ("low", 0.0)


def test_event_that_changes_a_state() -> None:
    result = simulate(tank("refill when c < limit then a = a + 2*2*2*a0"), TIMES, rtol=1e-10, atol=1e-12)
    first = np.log(5) / 0.25
    assert [name for _, name in result.events] == ["refill"]
    after = first < TIMES
    np.testing.assert_allclose(result.table["a"][after], 82 * np.exp(-0.25 * (TIMES[after] - first)), rtol=1e-6)


def test_implausible_value_is_a_warning_in_the_result() -> None:
    result = simulate(tank().with_values({"k": "2 1/day"}), TIMES)
    assert len(result.warnings) == 1
    assert result.warnings[0].startswith("k = 2 1/day")


def test_bad_requests_are_refused_together() -> None:
    with pytest.raises(ConfigError) as caught:
        simulate(tank(), [1.0, 0.5], initial={"b": 1.0}, method="Euler", outputs=["d"])
    assert caught.value.kinds == ("bad-times", "unknown-method", "unknown-state", "unknown-name")


def test_an_explosion_says_when() -> None:
    table = ParameterTable([Parameter("k", "rate", 1.0, "1/day")])
    model = assemble("burst", [Part.from_text("Burst", "a(0) = 1 [1] a\nda/dt = k*a^2 [1/day] a")], table)
    with pytest.raises(SolverError, match="beyond day"):
        simulate(model, [0.0, 2.0])


def test_rates_may_be_per_minute_or_year() -> None:
    table = ParameterTable([Parameter("k", "rate", 0.5, "1/year"), Parameter("m", "rate", 1e-3, "1/min")])
    text = "a(0) = 1 [1] a\nda/dt = -k*a [1/year] a\nb(0) = 1 [1] b\ndb/dt = -m*b [1/min] b"
    result = simulate(assemble("two", [Part.from_text("Two", text)], table), [0.0, 1.0], rtol=1e-10, atol=1e-13)
    assert result.table.loc[1.0, "a"] == pytest.approx(np.exp(-0.5 / 365.25), rel=1e-8)
    assert result.table.loc[1.0, "b"] == pytest.approx(np.exp(-1.44), rel=1e-8)


def test_quantities_that_are_no_numbers_are_told() -> None:
    text = """
    dA/dt = -k*A   [mg/day]  amount
    A(0)  = A0     [mg]      start
    C     = A/V    [mg/L]    concentration
    """
    rows = [("k", 0.5, "1/day"), ("A0", 0.0, "mg"), ("V", 0.0, "L")]
    table = ParameterTable([Parameter(name, name, value, unit) for name, value, unit in rows])
    model = assemble("diluted", [Part.from_text("Diluted", text)], table)
    assert simulate(model, [0, 1]).warnings == ["no finite number: C (at 2 of 2 times)"]
    assert not simulate(model, [0, 1], outputs=["A"]).warnings
