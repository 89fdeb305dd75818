"""The executor of events by itself, against the rules of SBML Level 3 and a slow reading of them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from betapod.base.errors import SolverError
from betapod.engine.event_draws import EventDraws
from betapod.engine.scipy.clocks import Clock
from betapod.engine.scipy.event_queue import Computed, EventQueue
from betapod.engine.switches import find_switches, freeze
from betapod.model.algebra.expression import TIME, binary, const, evaluate, select, symbol, unary
from betapod.model.assembly.model import Event


def queue(*events, seed=0):
    """Make a queue over a state of two numbers; each event is (Event, trigger, values, priority or None, delay or None)."""
    made = [
        Computed(event, (0, 1), values, (), lambda t, y: [], delay, priority)
        for event, _, values, priority, delay in events
    ]
    triggers = [trigger for _, trigger, *_ in events]
    return EventQueue(made, lambda t, y: [float(trigger(t, y)) for trigger in triggers], EventDraws(seed))


def event(name, **options):
    return Event(name, "", TIME, **options)


def test_an_event_fires_once_while_its_trigger_stays_true():
    events = queue((event("E"), lambda t, y: t >= 1, lambda t, y: [y[0] + 1, y[1]], None, None))
    state = np.zeros(2)
    # It counts as true before the start, so it must turn false first.
    for time in (0.0, 0.5, 1.0, 1.5, 2.0):
        state = events.advance(time, state)
    assert state[0] == 1 and events.happened == [(1.0, "E")]


def test_delayed_events_wait_and_keep_what_they_saw():
    early = event("early")
    late = event("late", from_trigger_time=False)
    events = queue(
        (early, lambda t, y: t >= 1, lambda t, y: [t, y[1]], None, lambda t, y: [2.0]),
        (late, lambda t, y: t >= 1, lambda t, y: [y[0], t], None, lambda t, y: [3.0]),
    )
    state = events.advance(0.0, np.zeros(2))
    state = events.advance(1.0, state)
    assert events.next_time == 3.0
    state = events.advance(3.0, state)
    assert list(state) == [1.0, 0.0] and events.next_time == 4.0
    state = events.advance(4.0, state)
    assert list(state) == [1.0, 4.0] and math.isinf(events.next_time)


def test_what_does_not_persist_is_dropped():
    fleeting = event("fleeting", persistent=False)
    events = queue((fleeting, lambda t, y: 1 <= t < 2, lambda t, y: [9.0, 9.0], None, lambda t, y: [1.5]))
    state = np.zeros(2)
    for time in (0.0, 1.0, 2.0, 2.5, 3.0):
        state = events.advance(time, state)
    assert list(state) == [0, 0] and not events.happened


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-3, 3), min_size=2, max_size=6), st.integers(0, 5))
def test_simultaneous_events_go_by_priority(ranks, seed):
    events = queue(
        *(
            (event(f"E{k}"), lambda t, y: t >= 1, lambda t, y: [0.0, 0.0], lambda t, y, r=rank: [r], None)
            for k, rank in enumerate(ranks)
        ),
        seed=seed,
    )
    state = events.advance(0.0, np.zeros(2))
    events.advance(1.0, state)
    order = [ranks[int(name[1:])] for _, name in events.happened]
    assert order == sorted(ranks, reverse=True)


def test_equals_come_in_every_order():
    orders = set()
    for seed in range(60):
        names = "ABC"
        events = queue(
            *((event(n), lambda t, y: t >= 1, lambda t, y: [0.0, 0.0], lambda t, y: [1.0], None) for n in names),
            seed=seed,
        )
        events.advance(1.0, events.advance(0.0, np.zeros(2)))
        orders.add("".join(name for _, name in events.happened))
    assert len(orders) == 6


def test_a_terminal_event_stops_the_rest():
    events = queue(
        (event("end", terminal=True), lambda t, y: t >= 1, lambda t, y: [5.0, 0.0], lambda t, y: [2.0], None),
        (event("after"), lambda t, y: t >= 1, lambda t, y: [7.0, 0.0], lambda t, y: [1.0], None),
    )
    state = events.advance(1.0, events.advance(0.0, np.zeros(2)))
    assert events.ended == ("end", 1.0) and state[0] == 5.0


def test_events_without_end():
    events = queue(
        (event("up"), lambda t, y: t >= 1 and y[0] < 1, lambda t, y: [2.0, 0.0], None, None),
        (event("down"), lambda t, y: t >= 1 and y[0] > 1, lambda t, y: [0.0, 0.0], None, None),
    )
    state = events.advance(0.0, np.zeros(2))
    with pytest.raises(SolverError, match="down, up"):
        events.advance(1.0, state)


X, P = symbol("x"), symbol("p")
JUMPY = [
    select(binary("gt", X, P), binary("mul", X, X), unary("floor", X)),
    binary("min", X, binary("max", P, TIME)),
    unary("abs", binary("sub", X, TIME)),
    binary("mod", X, P),
    binary("mod", unary("ceil", X), const(3.0)),
]


@settings(max_examples=200, deadline=None)
@given(st.floats(-20, 20), st.floats(0.1, 20), st.floats(0, 20))
def test_frozen_expressions_have_the_same_value_where_they_were_frozen(x, p, t):
    values = {"x": x, "p": p, "t": t}
    frozen = freeze(JUMPY, ["x", "t"])
    held = dict(zip(frozen.names, evaluate(frozen.conditions, values), strict=True))
    np.testing.assert_allclose(
        evaluate(frozen.roots, {**values, **held}), evaluate(JUMPY, values), rtol=1e-12, atol=1e-12
    )


def test_what_depends_on_constants_alone_is_not_a_switch():
    frozen = freeze([select(binary("gt", P, const(1.0)), X, TIME)], ["x", "t"])
    assert frozen.names == []


def test_changes_in_time_are_found_to_the_last_bit():
    later = binary("ge", binary("sub", TIME, P), const(0.25))
    curved = binary("gt", unary("sin", TIME), const(0.5))
    moving = binary("gt", X, TIME)
    found = find_switches([select(later, X, P), select(curved, X, P), select(moving, X, P)], [], ["x"])
    assert found.clocks == [later, curved] and found.states == [moving]
    assert Clock([later], [], [], {"p": 3.0}).next_change(0.0, 1e6, lambda t: []) == 3.25
    assert Clock([later], [], ["p"], {}).next_change(3.25, 1e6, lambda t: [], [3.0]) == 1e6
    third = Clock([curved], [], [], {}).next_change(1.0, 1e6, lambda t: [])
    assert third == pytest.approx(math.pi * 5 / 6, rel=1e-15)
    risen = Clock([binary("gt", symbol("u"), const(2.0))], ["u"], [], {}).next_change(0.0, 9.0, lambda t: [t / 2])
    assert risen == math.nextafter(4.0, 5.0)
