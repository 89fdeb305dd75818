"""The ensemble engine: agreement, reproducibility, schedules, events, failures, accuracy, clear errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from betapod.base.errors import ConfigError, ParameterError
from betapod.engine.ensemble import Ensemble
from betapod.engine.ensemble_result import _error
from betapod.engine.schedule import Dose, Schedule, Switch
from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.model import Model, Part, assemble

TIMES = np.arange(0.0, 61.0, 3.0)
SCHEDULE = Schedule(
    [Dose("x", 1.5, 5.0, 7.0, 3), Dose("y", 0.5, 6.0)], [Switch("drive", 1.2, 10.0), Switch("drive", 0.2, 20.0, 8.0)]
)


def people(count: int) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    random = np.random.default_rng(5)
    return {
        "k_in": random.uniform(0.5, 2.0, count),
        "k_x": random.uniform(0.3, 0.7, count),
        "z_max": random.uniform(3.0, 15.0, count),
        "drive": random.uniform(0.0, 0.5, count),
    }


def same(a: Any, b: Any) -> bool:
    """Whether two arrays are equal bit for bit."""
    return bool(np.array_equal(np.ascontiguousarray(a).view(np.int64), np.ascontiguousarray(b).view(np.int64)))


def test_agrees_with_the_reference(reservoir: Model) -> None:
    """Doses, a jump and a ramp of an input, a terminal event and one that halves a state, again and again."""
    who = {**people(2), "z_max": np.array([4.0, 100.0])}
    outputs = [*reservoir.state_names, "load", "drive"]
    times = np.arange(0.0, 31.0, 3.0)
    result = Ensemble(reservoir, outputs, rtol=1e-8, atol=1e-10).run(who, times, SCHEDULE)
    assert set(result.status) == {0, 1}
    for i in range(2):
        one = reservoir.with_values({name: float(column[i]) for name, column in who.items()})
        right = simulate(one, times, SCHEDULE, method="Radau", rtol=1e-9, atol=1e-11, outputs=outputs)
        table = right.table.to_numpy()
        assert np.array_equal(np.isfinite(table), np.isfinite(result.values[i]))
        # Every event shifts the clock of what follows by the error of its time, so errors add up over events.
        np.testing.assert_allclose(result.values[i], table, rtol=2e-6, atol=1e-8)
        if right.ended is None:
            assert result.status[i] == 0 and math.isnan(result.ended_at[i]) and result.event[i] == -1
        else:
            assert result.event_names[result.event[i]] == right.ended[0]
            assert result.ended_at[i] == pytest.approx(right.ended[1], abs=1e-5)


def test_within_ten_times_the_tolerance(reservoir: Model) -> None:
    """Without events that add up, at the default tolerance."""
    who = {**people(3), "x_max": np.full(3, 1e3)}
    times = np.arange(0.0, 31.0, 3.0)
    result = Ensemble(reservoir).run(who, times, SCHEDULE)
    for i in range(3):
        one = reservoir.with_values({name: float(column[i]) for name, column in who.items()})
        right = simulate(one, times, SCHEDULE, method="Radau", rtol=1e-9, atol=1e-11, outputs=reservoir.state_names)
        error = np.abs(right.table.to_numpy() - result.values[i]) / (1e-9 + 1e-6 * np.abs(result.values[i]))
        assert np.nanmax(error) < 10.0


def test_neighbours_order_threads_and_width_change_nothing(reservoir: Model) -> None:
    count = 45
    who = people(count)
    base = Ensemble(reservoir, threads=1).run(who, TIMES, SCHEDULE)
    for threads in (2, 7):
        other = Ensemble(reservoir, threads=threads).run(who, TIMES, SCHEDULE)
        assert same(base.values, other.values) and same(base.steps, other.steps) and same(base.ended_at, other.ended_at)
    order = np.random.default_rng(1).permutation(count)
    shuffled = Ensemble(reservoir).run({name: column[order] for name, column in who.items()}, TIMES, SCHEDULE)
    assert same(base.values[order], shuffled.values)
    for start, stop in ((0, 1), (1, 12), (12, 45)):
        part = Ensemble(reservoir).run({name: column[start:stop] for name, column in who.items()}, TIMES, SCHEDULE)
        assert same(base.values[start:stop], part.values)
    for width in (1, 2, 4, 8, 16):
        assert same(base.values, Ensemble(reservoir, width=width).run(who, TIMES, SCHEDULE).values)


def test_one_schedule_per_patient_and_own_starts(reservoir: Model) -> None:
    none, dosed = Schedule(), Schedule([Dose("x", 1.0, 1.0)])
    start = np.array([0.5, 0.5, 1.5, 1.5])
    result = Ensemble(reservoir).run(4, [0.0, 1.0, 2.0], [none, dosed, none, dosed], initial={"x": start, "z": 0.25})
    x, z = result.values[:, :, 0], result.values[:, :, 2]
    np.testing.assert_array_equal(x[:, 0], start)
    np.testing.assert_array_equal(z[:, 0], 0.25)
    # A visit at the time of a dose sees the patient before it.
    np.testing.assert_allclose(x[[0, 2], 1], x[[1, 3], 1], rtol=1e-6)
    assert np.all(x[[1, 3], 2] > x[[0, 2], 2] + 0.2)
    alone = Ensemble(reservoir).run(1, [0.0, 1.0, 2.0], dosed, initial={"x": 1.5, "z": 0.25})
    assert same(alone.values[0], result.values[3])


def test_visits_never_limit_a_step(reservoir: Model) -> None:
    few = Ensemble(reservoir).run(3, [0.0, 40.0])
    many = Ensemble(reservoir).run(3, np.linspace(0.0, 40.0, 801))
    np.testing.assert_array_equal(few.steps, many.steps)
    assert same(few.values[:, -1], many.values[:, -1])
    assert few.steps[0] < 200


def test_only_a_visit_at_the_start() -> None:
    model = _single("dA/dt = -k*A [1/day] a\nA(0) = A0 [1] a", k=("1/day", 2.0), A0=("1", 3.0))
    result = Ensemble(model).run(2, [0.0])
    np.testing.assert_array_equal(result.values[:, 0, 0], 3.0)
    assert list(result.status) == [0, 0]


def test_event_at_a_visit_and_terminal_event_in_time() -> None:
    """A visit at 2 is not after 2 yet, a visit at 5 is from 5 on; after a terminal event there is nothing."""
    text = "dA/dt = rate [1/day] a\nA(0) = A0 [1] a"
    events = 'jump when t > t_jump then A = A + dose "jump"\nend when t >= t_end then stop "end"'
    model = _single(
        text, events, rate=("1/day", 1.0), A0=("1", 0.0), t_jump=("day", 2.0), dose=("1", 10.0), t_end=("day", 5.0)
    )
    result = Ensemble(model).run({"t_end": np.array([5.0, 3.5, 99.0])}, np.arange(8.0))
    np.testing.assert_allclose(result.values[0, :, 0], [0, 1, 2, 13, 14, 15, np.nan, np.nan], rtol=1e-9)
    np.testing.assert_allclose(result.values[1, :, 0], [0, 1, 2, 13, np.nan, np.nan, np.nan, np.nan], rtol=1e-9)
    np.testing.assert_allclose(result.values[2, :, 0], [0, 1, 2, 13, 14, 15, 16, 17], rtol=1e-9)
    np.testing.assert_allclose(result.ended_at, [5.0, 3.5, np.nan], atol=1e-8)
    assert [*result.status] == [1, 1, 0] and [*result.event] == [1, 1, -1]


def test_a_dose_can_make_an_event_happen() -> None:
    text = "dA/dt = -k*A [1/day] a\nA(0) = A0 [1] a\ndB/dt = zero*B [1/day] b\nB(0) = B0 [1] b"
    events = 'high when A > limit then B = B + one "count"'
    values = {
        "k": ("1/day", 1.0),
        "A0": ("1", 0.0),
        "B0": ("1", 0.0),
        "zero": ("1/day", 0.0),
        "limit": ("1", 1.0),
        "one": ("1", 1.0),
    }
    model = _single(text, events, **values)
    result = Ensemble(model).run(1, [0.5, 2.0, 10.0], Schedule([Dose("A", 3.0, 1.0, 3.0, 2)]))
    np.testing.assert_allclose(result.values[0, :, 1], [0.0, 1.0, 3.0])


def test_failures_are_results() -> None:
    """One patient blows up, the others do not notice; reason, time and last state are told."""
    text = "dA/dt = k*A^2 [1/day] a\nA(0) = A0 [1] a"
    model = _single(text, k=("1/day", 1.0), A0=("1", 0.1))
    starts = np.array([0.1, 0.5, 0.2])
    result = Ensemble(model).run({"A0": starts}, [0.0, 1.0, 3.0])
    alone = Ensemble(model).run({"A0": starts[[0, 2]]}, [0.0, 1.0, 3.0])
    assert same(result.values[[0, 2]], alone.values)
    np.testing.assert_allclose(result.values[0, :, 0], 0.1 / (1 - 0.1 * np.array([0.0, 1.0, 3.0])), rtol=1e-6)
    assert list(result.failed) == [1]
    failures = result.failures
    assert failures.loc[0, "reason"] in ("step-underflow", "non-finite")
    assert failures.loc[0, "time"] == pytest.approx(2.0, abs=1e-3)
    assert failures.loc[0, "A"] > 100.0
    assert np.isfinite(result.values[1, 1, 0]) and math.isnan(result.values[1, 2, 0])
    assert "1 " + failures.loc[0, "reason"] in result.summary()


def test_step_limit_and_non_finite_rates() -> None:
    model = _single("dA/dt = log(A)*k [1/day] a\nA(0) = A0 [1] a", k=("1/day", -1.0), A0=("1", -1.0))
    result = Ensemble(model).run({"A0": np.array([-1.0, 2.0])}, [0.0, 1.0])
    assert [result.status_names[code] for code in result.status] == ["non-finite", "ok"]
    assert result.failures.loc[0, "time"] == 0.0
    few = Ensemble(model, max_steps=5).run({"A0": np.array([2.0])}, [0.0, 1000.0])
    assert few.status_names[few.status[0]] == "step-limit"


def test_tolerance_is_kept_and_measured(reservoir: Model) -> None:
    who = people(8)
    achieved = [
        Ensemble(reservoir, rtol=rtol, atol=rtol * 1e-3).run(who, TIMES).achieved_error(8)
        for rtol in (1e-4, 1e-6, 1e-8)
    ]
    assert all(a.compared for a in achieved)
    assert achieved[0].median > 3 * achieved[1].median > 9 * achieved[2].median
    assert achieved[1].median < 2e-5
    assert "integrated again" in str(achieved[0])


def test_buffers_are_reused_and_checked(reservoir: Model) -> None:
    buffer = np.full((5, 2, 3), 7.0)
    result = Ensemble(reservoir).run(5, [0.0, 1.0], out=buffer)
    assert result.values is buffer and np.all(np.isfinite(buffer))
    with pytest.raises(ConfigError, match="out does not fit"):
        Ensemble(reservoir).run(4, [0.0, 1.0], out=buffer)


def test_tables(reservoir: Model) -> None:
    result = Ensemble(reservoir, ["load", "x"]).run(pd.DataFrame(people(3)), [0.0, 2.0])
    table = result.table
    assert list(table.columns) == ["patient", "time", "name", "value", "unit"]
    assert len(table) == 3 * 2 * 2
    row = table[(table.patient == 2) & (table.time == 2.0) & (table.name == "x")]
    assert row["value"].item() == result.values[2, 1, 1]
    assert result.units == {"load": "1", "x": "1"} and 0.0 < result.occupancy <= 1.0


def test_an_absolute_tolerance_for_each_state(reservoir: Model) -> None:
    loose = Ensemble(reservoir, atol=[1e-3, 1e3, 1e-3], rtol=1e-3).run(1, [0.0, 5.0])
    tight = Ensemble(reservoir, atol=1e-12, rtol=1e-3).run(1, [0.0, 5.0])
    assert loose.steps[0] < tight.steps[0]


def test_everything_wrong_is_told_at_once(reservoir: Model) -> None:
    with pytest.raises(ConfigError) as config:
        Ensemble(reservoir, ["lod", "x"], rtol=-1.0)
    assert config.value.kinds == ("unknown-name", "bad-tolerance") and "'load'" in str(config.value)
    ensemble = Ensemble(reservoir)
    with pytest.raises(ParameterError) as wrong:
        ensemble.run({"k_inn": [1.0, 2.0], "k_x": [1.0, math.nan], "r0": [1.0]}, [1.0])
    assert wrong.value.kinds == ("unknown-name", "bad-value", "bad-length") and "'k_in'" in str(wrong.value)
    with pytest.raises(ConfigError, match="increasing"):
        ensemble.run(1, [1.0, 1.0])
    with pytest.raises(ConfigError, match="not a state"):
        ensemble.run(1, [1.0], Schedule([Dose("load", 1.0)]))
    with pytest.raises(ConfigError, match="one schedule per patient"):
        ensemble.run(2, [1.0], [Schedule()])
    with pytest.raises(ConfigError, match="not a state"):
        ensemble.run(2, [1.0], initial={"X": 1.0})


def test_nobody() -> None:
    model = _single("dA/dt = -k*A [1/day] a\nA(0) = A0 [1] a", k=("1/day", 2.0), A0=("1", 3.0))
    assert Ensemble(model).run(0, [0.0, 1.0]).values.shape == (0, 2, 1)


def _single(equations: str, events: str = "", **values: tuple[str, float]) -> Model:
    from betapod.model import ParameterTable
    from betapod.model.parameters.table import Parameter

    rows = [
        Parameter(name, name, value, unit, -1e9, 1e9, "fixed", "assumed", "", "", "D", "")
        for name, (unit, value) in values.items()
    ]
    return assemble("single", [Part.from_text("single", equations, events=events)], ParameterTable(rows))


def test_rounding_beside_what_stays_zero_is_no_large_error() -> None:
    right = np.array([[[0.0, 2.0], [0.0, 4.0]]])
    error = _error(right + np.array([9e-19, 4e-6]), right, 1e-3)
    np.testing.assert_allclose(error[0, :, 0], 9e-16)
    np.testing.assert_allclose(error[0, :, 1], [4e-6 / 2.004, 4e-6 / 4.004])
