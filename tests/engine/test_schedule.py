"""The timeline of doses and switches."""

from __future__ import annotations

import pytest

from betapod.base.errors import ConfigError
from betapod.engine.schedule import Dose, Schedule, Switch
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
