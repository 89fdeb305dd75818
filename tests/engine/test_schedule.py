"""The timeline of doses and switches."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from betapod.base.errors import ConfigError
from betapod.engine.compiled.kernel import Kernel, kernel_for
from betapod.engine.ensemble import Ensemble
from betapod.engine.ensemble_input import _are_usual, distinct_schedules
from betapod.engine.schedule import Dose, Schedule, Switch
from betapod.engine.segments import Moments
from betapod.model import Model, Parameter, ParameterTable, Part, assemble


@pytest.fixture(scope="module")
def model() -> Model:
    table = ParameterTable([Parameter("k", "rate", 0.1, "1/day"), Parameter("u", "input", 1.0, "1", role="input")])
    return assemble("tank", [Part.from_text("Tank", "a(0) = 0 [mg] a\nda/dt = -k*u*a [mg/day] a", ("u",))], table)


def test_segments_cover_the_time_without_gaps() -> None:
    schedule = Schedule([Dose("a", 5.0, 1.0, ii=2.0, addl=2)], [Switch("u", 3.0, 2.0, width=4.0)])
    segments = schedule.segments({"u": 1.0}, 10.0)
    assert [s.start for s in segments] == [0.0, 1.0, 2.0, 3.0, 5.0, 6.0]
    assert [s.end for s in segments] == [1.0, 2.0, 3.0, 5.0, 6.0, 10.0]
    assert [s.values["u"] for s in segments] == [1.0, 1.0, 1.0, 1.5, 2.5, 3.0]
    assert [s.slopes["u"] for s in segments] == [0.0, 0.0, 0.5, 0.5, 0.5, 0.0]
    assert [s.doses for s in segments if s.doses] == [(("a", 5.0),)] * 3


def test_a_later_switch_replaces_a_ramp() -> None:
    segments = Schedule(switches=[Switch("u", 3.0, 0.0, 4.0), Switch("u", 0.0, 2.0)]).segments({"u": 1.0}, 6.0)
    assert [(s.start, s.values["u"], s.slopes["u"]) for s in segments] == [(0.0, 1.0, 0.5), (2.0, 0.0, 0.0)]


def test_nothing_scheduled_is_one_segment() -> None:
    [segment] = Schedule().segments({"u": 1.0}, 6.0)
    assert (segment.start, segment.end, segment.doses) == (0.0, 6.0, ())


def test_every_mistake_is_reported(model: Model) -> None:
    schedule = Schedule(
        [Dose("b", 1.0), Dose("a", float("nan")), Dose("a", 1.0, addl=3)],
        [Switch("v", 1.0, 0.0), Switch("u", 1.0, 0.0, -1.0), Switch("k", 1.0, 0.0)],
    )
    with pytest.raises(ConfigError) as caught:
        schedule.check(model)
    assert caught.value.kinds == (
        "unknown-state",
        "bad-dose",
        "bad-dose",
        "unknown-input",
        "bad-switch",
        "unknown-input",
    )


_DAYS = st.sampled_from([0.0, 0.1, 0.3, 0.7, 1.0 / 24.0, 2.1, 3.0, 7.0])
_SCHEDULES = st.builds(
    Schedule,
    st.lists(
        st.builds(Dose, st.just("a"), st.just(1.0), _DAYS, st.sampled_from([0.1, 0.7]), st.integers(0, 3)), max_size=3
    ),
    st.lists(st.builds(Switch, st.sampled_from("uv"), st.floats(-2.0, 2.0), _DAYS, _DAYS), max_size=4),
)


@given(schedules=st.lists(_SCHEDULES, min_size=1, max_size=4), visits=st.lists(_DAYS, max_size=4, unique=True))
def test_schedules_that_share_their_times_are_what_they_are_alone(
    schedules: list[Schedule], visits: list[float]
) -> None:
    shared, inputs = Moments(10.0, sorted(visits)), [{"u": 1.0, "v": 0.0}, {"u": 0.0, "v": 2.0}]
    for schedule in schedules:
        alone = [schedule.segments(values, 10.0, visits=sorted(visits)) for values in inputs]
        assert schedule.segments_at(shared, inputs) == alone
        later = schedule.segments(inputs[0], 10.0, start=1.0, visits=sorted(visits))
        assert schedule.inputs_at(shared, inputs[0], 1.0) == later[0].values


def test_orders_are_checked_once_and_a_wrong_one_in_any_schedule_is_found(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    dose, more, wrong = Dose("a", 5.0, duration=1.0), Dose("a", 6.0, rate=2.0), Dose("b", 5.0)
    with pytest.raises(ConfigError, match="'b' is not a state"):
        distinct_schedules(model, [Schedule([dose]), Schedule([dose, wrong])], 2)
    seen: list[int] = []
    check = Schedule.check
    monkeypatch.setattr(Schedule, "check", lambda self, model: seen.append(len(self.doses)) or check(self, model))
    distinct, which = distinct_schedules(model, [Schedule([dose]), Schedule([dose, more]), Schedule([dose])], 3)
    assert seen == [1, 1] and len(distinct) == 2 and np.array_equal(which, [0, 1, 0])


_ODD = st.sampled_from([0.0, 1.0, -1.0, 7, True, math.nan, math.inf, 1e300, "1", None])


@given(
    doses=st.lists(
        st.builds(
            Dose,
            st.sampled_from(["a", "b"]),
            _ODD,
            _ODD,
            _ODD,
            st.sampled_from([0, 2, -1, 1.5, True]),
            _ODD,
            _ODD,
            _ODD,
        ),
        min_size=1,
        max_size=3,
    )
)
def test_doses_that_are_looked_at_together_are_right_one_by_one(model: Model, doses: list[Dose]) -> None:
    if _are_usual(model, doses):
        Schedule(doses).check(model)
    usual = [Dose("a", 5.0), Dose("a", 1.0, 2.0, 7.0, 3)]
    assert _are_usual(model, usual) and not _are_usual(model, [*usual, Dose("a", -5.0)])


def test_one_program_serves_whatever_is_ramped(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [Parameter(name, name, value, "1/day", role="input") for name, value in (("a", 1.0), ("b", 2.0))]
    model = assemble(
        "two",
        [Part.from_text("Two", "dA/dt = a - b [1/day] level\nA(0) = 0 [1] level", ("a", "b"))],
        ParameterTable(rows),
    )
    asked: list[tuple[str, ...]] = []

    def count(*args: Any) -> Kernel:
        asked.append(args[2])
        return kernel_for(*args)

    monkeypatch.setattr("betapod.engine.devices.kernel_for", count)
    ensemble, times = Ensemble(model, threads=1), [0.0, 4.0]
    first = ensemble.run(1, times, Schedule(switches=[Switch("a", 3.0, 1.0, 2.0)])).values[0, 1, 0]
    second = ensemble.run(1, times, Schedule(switches=[Switch("b", 0.0, 1.0, 2.0)])).values[0, 1, 0]
    jump = ensemble.run(1, times, Schedule(switches=[Switch("b", 0.0, 1.0)])).values[0, 1, 0]
    # Areas below the inputs over four days: a 1, rising to 3 between the days 1 and 3; b 2, falling to 0; b 0 from day 1 on.
    assert [first, second, jump] == pytest.approx([1 + 4 + 3 - 8, 4 - 2 - 2, 4 - 2], abs=1e-9)
    assert asked == [("a", "b"), ()]
