"""Lives: which event comes to whom and when, on a course.

Everybody has one exponential number per event: it comes when the cumulative hazard reaches it, in continuous time. Strategies share
these numbers, and what a treatment only delays comes later to the same person. Rates are constant within a step while states stay as they are;
an event changes those of others from its day on, and nothing comes after death.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base.constants import DAYS_PER_YEAR
from ..hazards.risk import Numbers
from .event_numbers import event_numbers
from .event_table import ALSO, REPLACED
from .prepared_course import PreparedCourse, Singles

#: Pieces of a step after which the rest of it is left out.
_PIECES = 200
#: States that tell of people's own kidneys, off under replacement therapy, with a graft and in care without dialysis.
_OWN_KIDNEYS = ("ckd_3a", "ckd_3b", "ckd_4", "ckd_5", "albuminuria_a2", "albuminuria_a3")
_NEVER = np.float32(np.inf)
#: Share of people still alive below which the dead are left out of what is computed.
_SPARSE = 0.8
#: Log hazards above this are cut, 1/year.
_LARGEST = 7.0


@dataclass(frozen=True)
class Lives:
    """What happened to people, step by step.

    Attributes
    ----------
    days
        (T,) edges of the steps.
    events, states
        Names.
    alive
        (steps, people) share of the step lived.
    in_state
        (states, steps, people) share of the step lived in each state.
    happened
        (events, steps, people) how often.
    first_day
        (events, people) day of the first; infinite without.
    died
        (people,) day of death; infinite while alive at the end.
    cause
        (people,) number of the event that killed; -1 while alive.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.hazards.risk import RiskProfile
    >>> from betapod.hazards.risk_course import RiskCourse
    >>> from betapod.health.event_table import own_events
    >>> from betapod.health.lives import live_on
    >>> from betapod.health.prepared_course import prepare
    >>> days = np.arange(0, 21) * 365.25
    >>> course = RiskCourse(days, RiskProfile(age=70 + days / 365.25, female=0, egfr=60, uacr=300), np.arange(500))
    >>> lives = live_on(prepare(course, own_events()), seed=1)
    >>> bool(5 < lives.life_years().mean() < 20)
    True
    """

    days: Numbers
    events: tuple[str, ...]
    states: tuple[str, ...]
    alive: Singles
    in_state: Singles
    happened: NDArray[np.uint8]
    first_day: Numbers
    died: Numbers
    cause: NDArray[np.int16]

    @property
    def years(self) -> Numbers:
        """(steps,) length of the steps."""
        return np.diff(self.days) / DAYS_PER_YEAR

    def life_years(self) -> Numbers:
        """Return (people,) years lived, not discounted."""
        return np.asarray(self.years @ self.alive.astype(np.float64))

    def state(self, name: str) -> Singles:
        """Return (steps, people) the share of the step lived in a state."""
        share: Singles = self.in_state[self.states.index(name)]
        return share

    def counts(self, event: str) -> Numbers:
        """Return (people,) how often an event happened."""
        return np.asarray(self.happened[self.events.index(event)].sum(axis=0, dtype=np.int64), dtype=np.float64)


def live_on(
    prepared: PreparedCourse,
    values: Mapping[str, float] | None = None,
    seed: int = 1,
    replicate: int = 0,
    factors: Mapping[str, float] | None = None,
) -> Lives:
    """Return the lives of people on a course.

    Parameters
    ----------
    values
        Row of `complication_parameters` -> value; others keep that of the table.
    seed, replicate
        Of the numbers that decide on events: the same for strategies that are compared.
    factors
        Event -> factor on its rate, such as that between studies.
    """
    from .event_table import complication_values

    return _Living(prepared, {**complication_values(), **(values or {})}, seed, replicate, factors or {}).lives()


class _Living:
    """The state of everybody while steps go by."""

    def __init__(
        self,
        prepared: PreparedCourse,
        values: Mapping[str, float],
        seed: int,
        replicate: int,
        factors: Mapping[str, float],
    ) -> None:
        self.prepared, self.table = prepared, prepared.table
        self.numbers = event_numbers(seed, replicate, tuple(prepared.course.numbers.tolist()))
        of_terms, of_states, of_drugs = self.table.coefficients(values)
        self.of_terms, self.of_states = of_terms.astype(np.float32), of_states.astype(np.float32)
        self.of_drugs = of_drugs.astype(np.float32)
        self.durations = self.table.durations(values)
        self.for_life = np.isin(self.table.states, list(ALSO.values()))
        self.factors = np.array([factors.get(name, 1.0) for name in self.table.events], dtype=np.float32)[:, None]
        n, events, states = prepared.people, len(self.table.events), len(self.table.states)
        steps = len(prepared.years)
        self.rows = np.arange(n)
        self.hazard = np.zeros((events, n), dtype=np.float32)
        self.threshold = self.numbers.first(prepared.table.events)
        self.count = np.zeros((events, n), dtype=np.int64)
        never = np.full((states, n), np.inf, dtype=np.float32)
        self.begun, self.until = never, never.copy()
        self.died, self.cause = np.full(n, np.inf), np.full(n, -1, dtype=np.int16)
        self.first_day = np.full((events, n), np.inf)
        self.alive = np.zeros((steps, n), dtype=np.float32)
        self.in_state = np.zeros((states, steps, n), dtype=np.float32)
        self.happened = np.zeros((events, steps, n), dtype=np.uint8)
        self.flagged = [self.table.states.index(name) for name in prepared.flags]
        # What comes once and leaves no state is counted; a state that is on keeps its event away.
        self.once = np.flatnonzero(~self.table.repeats & ~self.table.begins.any(axis=1))
        needs, unless = self.table.needs.astype(np.float32), self.table.unless.astype(np.float32)
        self.against, self.needed = unless - needs, needs.sum(axis=1, keepdims=True)
        course = prepared.course
        # Events that the course dates come by no hazard, others besides it.
        self.factors[[self.table.events.index(name) for name in course.dated]] = 0.0
        days = dict(course.besides) | {
            name: np.minimum(day, course.besides.get(name, np.inf)) for name, day in course.dated.items()
        }
        self.dated = {self.table.events.index(name): np.array(day, dtype=np.float64) for name, day in days.items()}
        self.graft = self.table.states.index("transplant")
        self.replaced = [self.table.states.index(name) for name in REPLACED]
        self.hearts = [self.table.states.index(name) for name in ("cvd", "hf")]
        self.clearing = np.flatnonzero(self.table.clears.any(axis=1))
        self.begins = _places(self.table.begins)
        self._begin()

    def _begin(self) -> None:
        course = self.prepared.course
        for name, chance in course.histories.items():
            if name in self.table.states:
                on = self.numbers.uniform(f"history:{name}") < np.asarray(chance)
                self.begun[self.table.states.index(name), on] = -1.0
        for event in np.flatnonzero(np.isfinite(self.durations)):
            # Times are exponential: what was there before lasts as long from now on as what begins now.
            lasting = self.numbers.exponential(f"lasting at first:{self.table.events[event]}") * self.durations[event]
            for state in np.flatnonzero(self.table.begins[event] & ~self.for_life):
                self.until[state] = np.where(self.begun[state] < 0, lasting, self.until[state])
        self.begun[self.table.states.index("kidney_failure")] = course.failure_day()

    def lives(self) -> Lives:
        for step in range(len(self.prepared.years)):
            living = np.isinf(self.died[self.rows])
            if not living.any():
                break
            if living.mean() < _SPARSE:
                self._leave_out(~living)
            self._step(step)
        return Lives(
            self.prepared.edges, self.table.events, self.table.states, self.alive, self.in_state, self.happened,
            self.first_day, self.died, self.cause,
        )  # fmt: skip

    def _leave_out(self, dead: NDArray[np.bool_]) -> None:
        """Go on with the living."""
        self.rows = self.rows[~dead]
        for name in ("hazard", "threshold", "count", "begun", "until"):
            setattr(self, name, np.ascontiguousarray(getattr(self, name)[:, ~dead]))

    def _step(self, step: int) -> None:
        """Let a step pass, in pieces: an event, or a state that begins or ends, changes the rates of what follows."""
        start, end = self.prepared.edges[step], self.prepared.edges[step + 1]
        at, now = np.arange(len(self.rows)), np.full(len(self.rows), start)
        lived = np.zeros(len(self.rows), dtype=np.float32)
        share = np.zeros((len(self.table.states), len(self.rows)), dtype=np.float32)
        at = at[np.isinf(self.died[self.rows])]
        for _ in range(_PIECES):
            if not at.size:
                break
            then, on = self._piece(step, at, now[at], end)
            part = ((then - now[at]) / (end - start)).astype(np.float32)
            lived[at] += part
            share[:, at] += on * part
            now[at] = then
            at = at[(then < end) & np.isinf(self.died[self.rows[at]])]
        self.alive[step, self.rows] = lived
        self.in_state[:, step, self.rows] = share

    def _piece(self, step: int, at: NDArray[np.int64], now: Numbers, end: float) -> tuple[Numbers, NDArray[np.bool_]]:
        """Go on to the next event or change of state, at most to the end of the step.

        Returns
        -------
        tuple
            The day that each of the people comes to, and (states, people) what is on until then.
        """
        every = at.size == len(self.rows)
        begun, until = (self.begun, self.until) if every else (self.begun[:, at], self.until[:, at])
        # Days of states are single numbers: compared as such, a state is on from its own day.
        today = now.astype(np.float32)
        ahead = begun > today
        on = (until > today) & ~ahead
        changes = np.where(ahead, begun, np.where(on, until, _NEVER)).min(axis=0)
        until_then = np.minimum(changes, end)
        self._flags(step, at, on)
        more = self._rates(step, at, on)
        more *= self._allowed(at, on)
        more *= ((until_then - now) / DAYS_PER_YEAR).astype(np.float32)
        left = self.threshold - self.hazard if every else self.threshold[:, at] - self.hazard[:, at]
        reached = ((left <= more) & (more > 0)).any(axis=0)
        due = self._due(at, now, until_then)
        for days in due.values():
            reached |= np.isfinite(days)
        coming = np.flatnonzero(reached)
        first, then = np.ones(at.size, dtype=np.float32), until_then
        if coming.size:
            gain = more[:, coming]
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                shares = np.where(gain > 0, left[:, coming] / gain, _NEVER)
            for number, days in due.items():
                shares[number] = np.minimum(shares[number], days[coming])
            event = np.argmin(shares, axis=0)
            by_date = np.zeros(coming.size, dtype=bool)
            for number, days in due.items():
                comes = (event == number) & (days[coming] <= shares[number]) & np.isfinite(days[coming])
                self.dated[number][self.rows[at[coming[comes]]]] = np.inf
                by_date |= comes
            first[coming] = np.clip(shares[event, np.arange(coming.size)], 0.0, 1.0)
            more *= first
            then = np.where(first < 1.0, now + first * (until_then - now), until_then)
        if every:
            self.hazard += more
        else:
            self.hazard[:, at] += more
        if coming.size:
            rows = at[coming]
            kept = self.count[event, rows], self.threshold[event, rows]
            self._take_place(step, rows, event, then[coming])
            # What comes by date leaves what comes by the rate as it was.
            self.count[event, rows] = np.where(by_date, kept[0], self.count[event, rows])
            self.threshold[event, rows] = np.where(by_date, kept[1], self.threshold[event, rows])
        return then, on

    def _due(self, at: NDArray[np.int64], now: Numbers, then: Numbers) -> dict[int, Singles]:
        """Return dated events: number -> share of the piece after which they come; infinite where they do not."""
        due = {}
        for number, day in self.dated.items():
            days = day[self.rows[at]]
            coming = (days >= now) & (days <= then)
            shares = np.full(at.size, _NEVER)
            shares[coming] = ((days - now) / np.maximum(then - now, 1e-9))[coming]
            due[number] = shares
        return due

    def _flags(self, step: int, at: NDArray[np.int64], on: NDArray[np.bool_]) -> None:
        """Note the states that the course has by itself; stages of kidney disease are those of people's own kidneys."""
        rows = self.rows[at]
        treated = on[self.replaced].any(axis=0)
        for (name, flags), state in zip(self.prepared.flags.items(), self.flagged, strict=True):
            on[state] = flags[step][rows] & ~treated if name in _OWN_KIDNEYS else flags[step][rows]

    def _rates(self, step: int, at: NDArray[np.int64], on: NDArray[np.bool_]) -> Singles:
        """Return (events, people) 1/year."""
        prepared, people = self.prepared, self.rows[at]
        rows: NDArray[np.int64] | slice = people if len(people) < prepared.people else slice(None)
        logs = self.of_terms @ prepared.terms[step][:, rows] + self.of_states @ on.astype(np.float32)
        if len(self.table.drugs):
            logs += self.of_drugs @ prepared.drugs[step][:, rows]
        if prepared.harms is not None:
            logs += prepared.harms[step][:, rows]
        heart = 2 * on[self.hearts[0]] + on[self.hearts[1]]
        causes = prepared.causes[heart, step, :, people].T
        graft = np.flatnonzero(on[self.graft])
        if graft.size and prepared.grafted is not None:
            column, other = prepared.failing[people[graft]], prepared.grafted
            logs[:, graft] += self.of_terms @ (other.terms[step][:, column] - prepared.terms[step][:, people[graft]])
            causes[:, graft] = other.causes[heart[graft], step, :, column].T
        rates = np.concatenate([causes, np.exp(np.minimum(logs, _LARGEST))]) * self.factors
        return np.asarray(rates, dtype=np.float32)

    def _allowed(self, at: NDArray[np.int64], on: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return (events, people) whether an event may come."""
        # Needs that are off and others that are on count against it.
        against = self.against @ on.astype(np.float32) + self.needed
        against[self.once] += self.count[np.ix_(self.once, at)]
        return np.asarray(against == 0)

    def _take_place(self, step: int, rows: NDArray[np.int64], event: NDArray[np.int64], day: Numbers) -> None:
        """Note one event of each of some people, each on its day."""
        people, fatal = self.rows[rows], self.table.fatal[event]
        self.happened[event, step, people] += 1
        self.first_day[event, people] = np.minimum(self.first_day[event, people], day)
        self.died[people[fatal]], self.cause[people[fatal]] = day[fatal], event[fatal]
        for number in self.clearing:
            if (matching := event == number).any():
                ended = np.ix_(np.flatnonzero(self.table.clears[number]), rows[matching])
                self.until[ended] = np.minimum(self.until[ended], day[matching])
        count = self.count[event, rows]
        for places in self.begins:
            state = places[event]
            some = state >= 0
            self._state_begins(state[some], rows[some], event[some], count[some], day[some])
        self.count[event, rows] = count + 1
        self.threshold[event, rows] += self.numbers.of("hazard", self.table.events, event, count + 1, people)

    def _state_begins(
        self,
        state: NDArray[np.int64],
        rows: NDArray[np.int64],
        event: NDArray[np.int64],
        count: NDArray[np.int64],
        day: Numbers,
    ) -> None:
        ends = np.full(len(rows), np.inf)
        short = np.isfinite(self.durations[event]) & ~self.for_life[state]
        lasting = self.numbers.of("lasting", self.table.events, event[short], count[short], self.rows[rows[short]])
        ends[short] = day[short] + lasting * self.durations[event[short]]
        begun, until = self.begun[state, rows], self.until[state, rows]
        on = (begun <= day) & (until > day)
        self.begun[state, rows] = np.where(on, begun, day)
        self.until[state, rows] = np.where(on, np.maximum(until, ends), ends)


def _places(begins: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Return (events,) the first, second ... state that each event begins; -1 for none."""
    most = int(begins.sum(axis=1).max(initial=0))
    places = np.full((most, len(begins)), -1)
    for event, states in enumerate(begins):
        begun = np.flatnonzero(states)
        places[: len(begun), event] = begun
    return list(places)
