"""Doses as pharmacometricians give them: trains that meet their visits, infusions that add, steady states, and what is refused."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from betapod import Dose, Ensemble, Schedule, Switch, simulate
from betapod.base.errors import ConfigError, SolverError
from betapod.engine.calendar import Calendar, exact_time
from betapod.engine.schedule import MOST_DOSES
from betapod.model import Model, Parameter, ParameterTable, Part, assemble

K = 0.5


@cache
def tank() -> Model:
    """One compartment: amount A, elimination k, volume V."""
    rows = [Parameter("k", "elimination", K, "1/day"), Parameter("V", "volume", 10.0, "L")]
    text = "dA/dt = -k*A [mg/day] amount\nA(0) = 0 [mg] amount\nC = A/V [mg/L] concentration"
    return assemble("tank", [Part.from_text("Tank", text)], ParameterTable(rows))


@cache
def fast() -> Ensemble:
    """The same in the ensemble engine."""
    return Ensemble(tank(), outputs=["A"], rtol=1e-9, atol=1e-9, threads=1)


def both(times: list[float], *doses: Dose) -> np.ndarray[Any, Any]:
    """Return the amounts that the two engines give, (2, times)."""
    schedule = Schedule(doses)
    slow = simulate(tank(), times, schedule, rtol=1e-9, atol=1e-9).table["A"].to_numpy()
    quick = fast().run(1, times, schedule)
    assert list(quick.status) == [0]
    return np.array([slow, quick.values[0, :, 0]])


def bolus(time: float, amount: float, k: float = K) -> float:
    """Return what is left of a dose at once, `time` after it; before the dose it is nothing."""
    return amount * math.exp(-k * time) if time > 1e-9 else 0.0


def infusion(time: float, amount: float, duration: float, k: float = K) -> float:
    """Return what is there of an infusion, `time` after its beginning."""
    if time <= 0:
        return 0.0
    return amount / duration / k * -math.expm1(-k * min(time, duration)) * math.exp(-k * max(0.0, time - duration))


INTERVALS = [0.3, 0.7, 1.4, 2.3, 0.1, 1 / 24, 2 / 24, 4 / 24, 8 / 24, 1 / 1440, 5 / 86400]


@pytest.mark.parametrize("interval", INTERVALS)
@pytest.mark.parametrize("count", [3, 5, 7])
def test_a_visit_at_a_repeated_dose_sees_the_trough(interval: float, count: int) -> None:
    for visit in (interval * count, float(exact_time(interval) * count), sum([interval] * count)):
        found = both([0.0, visit], Dose("A", 10.0, 0.0, interval, 9))
        right = sum(bolus(visit - k * interval, 10.0) for k in range(count))
        assert found[:, 1] == pytest.approx([right, right], rel=1e-6)


@settings(max_examples=200, deadline=None)
@given(st.decimals("0.001", "40", places=3), st.integers(1, 10_000), st.integers(0, 60), st.sampled_from([1, 24, 1440]))
def test_a_train_of_decimal_times_falls_on_its_visits(step: Any, first: int, count: int, parts: int) -> None:
    every, begin = float(step) / parts, first / 1000
    meant = float(Fraction(first, 1000) + count * Fraction(step) / parts)
    for visit in (meant, begin + count * every, np.nextafter(meant, math.inf), np.nextafter(meant, -math.inf)):
        segments = Schedule([Dose("A", 1.0, begin, every, count + 1)]).segments(
            {}, visit + 1.0, visits=[visit, visit + 1.0]
        )
        assert visit in [segment.start for segment in segments if segment.doses]
        assert sum(len(s.doses) for s in segments if s.start < visit) == count


@settings(max_examples=100, deadline=None)
@given(st.floats(0.0, 1e5, allow_nan=False), st.floats(1e-6, 1e3))
def test_a_calendar_moves_no_time_by_more_than_thirteen_digits(time: float, step: float) -> None:
    times = [exact_time(time), exact_time(time) + exact_time(step)]
    calendar = Calendar(times, [time, time + step * 1.01])
    assert calendar[times[0]] == time
    assert abs(calendar[times[1]] - (time + step)) <= 2.1e-13 * (time + step)
    assert calendar[times[0]] <= calendar[times[1]]


def test_times_that_differ_in_the_twelfth_digit_are_two_times() -> None:
    found = both([1.0, 1.0 + 1e-12, 2.0], Dose("A", 10.0, 1.0))
    assert found[:, 0].tolist() == [0.0, 0.0]
    assert found[:, 1] == pytest.approx([10.0, 10.0])


def test_switches_and_doses_of_one_written_time_are_one_time() -> None:
    schedule = Schedule([Dose("A", 1.0, 0.0, 0.1, 9)], [Switch("u", 2.0, 0.3), Switch("u", 3.0, 0.2, 0.4)])
    starts = [segment.start for segment in schedule.segments({"u": 1.0}, 1.0)]
    assert starts == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]


def test_infusions_add_where_they_overlap() -> None:
    times = [0.0, 1.0, 1.5, 2.0, 2.5, 3.0, 3.3, 6.0]
    doses = (
        Dose("A", 100.0, 1.0, duration=2.0),
        Dose("A", 50.0, 1.0, rate=25.0),
        Dose("A", 30.0, 2.0, duration=0.5, ii=0.3, addl=2),
        Dose("A", 7.0, 1.0),
    )
    right = [
        infusion(t - 1.0, 100.0, 2.0)
        + infusion(t - 1.0, 50.0, 2.0)
        + sum(infusion(t - begin, 30.0, 0.5) for begin in (2.0, 2.3, 2.6))
        + bolus(t - 1.0, 7.0)
        for t in times
    ]
    for found in both(times, *doses):
        assert found == pytest.approx(right, rel=1e-6, abs=1e-9)


def test_an_infusion_gives_its_amount_and_ends_to_the_last_bit() -> None:
    still = tank().with_values({"k": 0.0})
    doses = [Dose("A", 10.0, 0.1, duration=0.7, ii=0.3, addl=20), Dose("A", 1 / 3, 0.2, rate=0.1)]
    result = simulate(still, [0.0, 50.0, 60.0], Schedule(doses), rtol=1e-10)
    assert result.table["A"].to_numpy()[1:] == pytest.approx([210.0 + 1 / 3] * 2, rel=1e-8)
    assert list(result.table) == ["A", "C"]


def test_an_infusion_too_short_for_any_step_is_given_at_once() -> None:
    found = both([0.0, 1.0, 2.0], Dose("A", 10.0, 1.0, duration=1e-14))
    assert found[:, 2] == pytest.approx([bolus(1.0, 10.0)] * 2, rel=1e-6)


@pytest.mark.parametrize("k", [0.5, 0.01])
@pytest.mark.parametrize("duration", [0.0, 0.2, 0.5, 1.3])
def test_a_steady_state_is_that_of_an_endless_train(k: float, duration: float) -> None:
    model = tank().with_values({"k": k})
    times, every = [0.0, 0.25, 0.5, 1.25], 0.5
    dose = Dose("A", 10.0, 0.0, every, 10, duration=duration, ss=True)

    def right(phase: float) -> float:
        n = np.arange(int(60 / (k * every)))
        if not duration:
            return float(np.sum(10.0 * np.exp(-k * (phase + n * every)))) if phase else right(every)
        return sum(infusion(phase + j * every, 10.0, duration, k) for j in n)

    expected = [right(phase) for phase in (0.0, 0.25, 0.0, 0.25)]
    slow = simulate(model, times, Schedule([dose]), rtol=1e-9).table["A"].to_numpy()
    assert slow == pytest.approx(expected, rel=1e-6)
    quick = fast().run({"k": [k, 2 * k]}, times, Schedule([dose]))
    assert quick.values[0, :, 0] == pytest.approx(expected, rel=1e-6)


def test_patients_may_have_different_trains() -> None:
    trains = [Schedule([Dose("A", 10.0, 0.0, 1.0, 3, ss=True)]), Schedule([Dose("A", 10.0, 0.0, 0.5, duration=0.1)])]
    found = fast().run({"k": [K, K]}, [0.0, 0.4], trains).values[:, :, 0]
    trough = bolus(1.0, 10.0) / -math.expm1(-K)
    assert found[0] == pytest.approx([trough, bolus(0.4, trough + 10.0)], rel=1e-6)
    assert found[1] == pytest.approx([0.0, infusion(0.4, 10.0, 0.1)], rel=1e-6, abs=1e-12)


def test_more_than_can_leave_has_no_steady_state() -> None:
    with pytest.raises(SolverError, match="no steady state: A does not settle"):
        simulate(tank().with_values({"k": 0.0}), [0.0, 1.0], Schedule([Dose("A", 1.0, ii=1.0, ss=True)]))


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"addl": 1.5, "ii": 1.0}, "addl=1.5"),
        ({"addl": -1, "ii": 1.0}, "addl=-1"),
        ({"addl": math.nan, "ii": 1.0}, "addl=nan"),
        ({"addl": 2}, "ii=0, addl=2"),
        ({"addl": 2, "ii": -1.0}, "ii=-1"),
        ({"addl": 0, "ii": math.nan}, "ii=nan"),
        ({"addl": 1, "ii": math.inf}, "ii=inf"),
        ({"amount": -5.0}, "amount=-5"),
        ({"amount": math.nan}, "amount=nan"),
        ({"amount": "5"}, "amount='5'"),
        ({"time": -1.0}, "time=-1"),
        ({"time": math.inf}, "time=inf"),
        ({"duration": -1.0}, "duration=-1"),
        ({"rate": math.nan}, "rate=nan"),
        ({"rate": 1.0, "duration": 1.0}, "rate=1, duration=1"),
        ({"ss": True}, "ii=0, addl=0"),
        ({"ss": True, "ii": 1.0, "time": 2.0}, "time=2"),
    ],
)
def test_an_impossible_dose_is_refused_by_name(given: dict[str, Any], what: str) -> None:
    schedule = Schedule([Dose(**{"state": "A", "amount": 1.0, "time": 0.0, **given})])
    for run in (lambda: simulate(tank(), [0.0, 1.0], schedule), lambda: fast().run(1, [0.0, 1.0], schedule)):
        with pytest.raises(ConfigError) as caught:
            run()
        assert [(problem.kind, problem.found) for problem in caught.value.problems] == [("bad-dose", what)]
        in_unit = caught.value.problems[0].hint == "Amounts are numbers, in mg here."
        assert in_unit == what.startswith("amount")


def test_an_order_of_endless_doses_is_refused() -> None:
    dose = Dose("A", 1.0, 0.0, 1e-9, 10**15)
    with pytest.raises(ConfigError, match=f"at most {MOST_DOSES}"):
        simulate(tank(), [0.0, 1.0], Schedule([dose]))
    assert len(Dose("A", 1.0, 0.0, 1.0, 10**15).until(10.0)) == 11
