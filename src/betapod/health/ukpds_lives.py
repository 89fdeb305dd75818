"""Lives by UKPDS Outcomes Model 2, the alternative to the events of the package: another structure on the same course.

A year is one cycle. The events of a year come in a random order, and each changes the chances of those after it; then one of four equations
says who dies: by whether something happened in this year and in years before. Within the year an event has a day at
random, which is what orders it; death comes between the last event and the end of the year.

Differences from the package: renal failure is dialysis, without transplantation or conservative care; blindness and ulcers count as history for
death and never as the event of the year; at most two infarctions, strokes and amputations, and one ulcer; no cancer, infections,
thromboembolism, acute kidney injury or hypoglycaemia but those that the course itself has on a day, as harms of cells are; peripheral artery disease stays as
it is at the start.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..base.constants import DAYS_PER_YEAR
from ..base.randomness import Stream
from ..hazards.outcome_rates import DEATHS
from ..hazards.risk import Numbers
from ..hazards.ukpds.risk_factors import COVARIATES
from ..hazards.ukpds.ukpds_equations import (
    UKPDS_BEFORE,
    UKPDS_EQUATIONS,
    UKPDS_FORMS,
    UKPDS_NOW,
    ukpds_coefficients,
)
from .event_table import own_events
from .lives import Lives
from .prepared_course import Singles
from .ukpds_course import UKPDS_KINDS, UkpdsCourse, year_numbers

#: Kind -> event of the package; the second of its kind where that is another.
UKPDS_EVENTS: Mapping[str, str] = {
    "hf": "hf_hospitalisation",
    "ihd": "ischaemic_heart_disease",
    "mi": "mi",
    "stroke": "stroke",
    "blindness": "vision_loss",
    "ulcer": "foot_ulcer",
    "amputation": "amputation",
    "amputation_second": "amputation_again",
    "renal": "dialysis",
    "death": "death",
}
#: Kind -> states that it begins.
UKPDS_STATES: Mapping[str, tuple[str, ...]] = {
    "hf": ("hf",),
    "ihd": ("ischaemic_heart_disease", "cvd"),
    "mi": ("mi", "cvd"),
    "stroke": ("stroke", "cvd"),
    "blindness": ("vision_loss",),
    "ulcer": ("foot_ulcer",),
    "amputation": ("amputation",),
    "renal": ("kidney_failure", "dialysis"),
}
#: How long the state of an ulcer lasts, in days; that there was one counts for life.
ULCER_DAYS = DAYS_PER_YEAR
#: Kinds that make a year one of an event for the equations of death.
_DEADLY = ("hf", "ihd", "mi", "stroke", "amputation", "renal")
#: Kinds with an equation of their own for the second.
_TWICE = ("mi", "stroke", "amputation")
_PAD = "peripheral_artery_disease"
_LARGEST = 30.0
Flags = NDArray[np.bool_]
Kidneys = Literal["equation", "course"]


def live_on_ukpds(
    prepared: UkpdsCourse,
    values: Mapping[str, float] | None = None,
    seed: int = 1,
    replicate: int = 0,
    kidneys: Kidneys | None = None,
) -> Lives:
    """Return the lives of people on a course by UKPDS Outcomes Model 2.

    Parameters
    ----------
    values
        Row of `ukpds_parameters` -> value; see `ukpds_coefficients`.
    seed, replicate
        Of the numbers that decide on events: the same for strategies that are compared.
    kidneys
        ``course``: renal failure on the day on which the kidneys of the course fail. ``equation``: by its equation on the eGFR of the course.
        None is ``course`` where the course says when kidneys fail, else ``equation``: the equation was made on few failures, and where
        eGFR stays at 5 it leaves a quarter of people without dialysis for six years.

    Returns
    -------
    Lives
        With the events and states of the package, so that the same utilities and costs apply; those that this model
        does not have never happen. It adds the events ``ischaemic_heart_disease`` and ``death``.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.hazards.risk import RiskProfile
    >>> from betapod.hazards.risk_course import RiskCourse
    >>> from betapod.health.ukpds_course import prepare_ukpds
    >>> from betapod.health.ukpds_lives import live_on_ukpds
    >>> days = np.arange(0, 81) * 182.625
    >>> course = RiskCourse(days, RiskProfile(age=60 + days / 365.25, female=0, egfr=70, uacr=10), np.arange(400))
    >>> lives = live_on_ukpds(prepare_ukpds(course))
    >>> bool(12 < lives.life_years().mean() < 22)
    True
    """
    source: Kidneys = kidneys or ("equation" if prepared.course.failed is None else "course")
    return _UkpdsLiving(prepared, values, seed, replicate, source).lives()


@functools.cache
def _names() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the events and the states of `Lives`."""
    table = own_events()
    begun = [state for states in UKPDS_STATES.values() for state in states]
    return tuple(dict.fromkeys((*table.events, *UKPDS_EVENTS.values()))), tuple(
        dict.fromkeys((*table.states, *begun, _PAD))
    )


class _UkpdsLiving:
    """The state of everybody while years go by."""

    def __init__(
        self,
        prepared: UkpdsCourse,
        values: Mapping[str, float] | None,
        seed: int,
        replicate: int,
        kidneys: Kidneys,
    ) -> None:
        self.prepared, self.seed, self.replicate, self.kidneys = prepared, seed, replicate, kidneys
        course = prepared.course
        self.parts = np.zeros(0, dtype=np.float32)
        coefficients = ukpds_coefficients(values)
        self.before_of = coefficients.before.astype(np.float32)
        self.now_of = coefficients.now.astype(np.float32)
        self.spans = prepared.spans_for(coefficients.shapes)
        n, steps = course.people, course.steps
        self.before = np.zeros((len(UKPDS_BEFORE), n), dtype=bool)
        self.twice = np.zeros((len(UKPDS_KINDS), n), dtype=bool)
        self.events, self.states = _names()
        self.begun, self.until = np.full((len(self.states), n), np.inf), np.full((len(self.states), n), np.inf)
        self.died, self.cause = np.full(n, np.inf), np.full(n, -1, dtype=np.int16)
        self.first_day = np.full((len(self.events), n), np.inf)
        self.happened = np.zeros((len(self.events), steps, n), dtype=np.uint8)
        self.failed = course.failure_day() if kidneys == "course" else None
        self._begin()
        arteries = self.begun[self.states.index(_PAD)] <= 0.0
        slope = coefficients.covariates[:, 1 + tuple(COVARIATES).index(_PAD)].astype(np.float32)
        base = np.matmul(coefficients.covariates.astype(np.float32), prepared.covariates)
        self.base = base + slope[None, :, None] * arteries[None, None, :].astype(np.float32)

    def _uniform(self, purpose: str) -> Numbers:
        return np.asarray(Stream(self.seed, purpose, self.replicate).uniform(self.prepared.course.numbers))

    def _begin(self) -> None:
        """Let what is known of the past count: cardiovascular disease of no known kind is ischaemic heart disease."""
        for name, chance in self.prepared.course.histories.items():
            if name in self.states:
                self.begun[self.states.index(name), self._uniform(f"history:{name}") < np.asarray(chance)] = -1.0
        on = {name: self.begun[self.states.index(name)] <= 0.0 for name in self.states}
        other = on["cvd"] & ~(on["mi"] | on["stroke"] | on[_PAD])
        self.begun[self.states.index("ischaemic_heart_disease"), other] = -1.0
        for kind, states in UKPDS_STATES.items():
            self.before[UKPDS_BEFORE.index(kind)] = self.begun[self.states.index(states[0])] <= 0.0
        self.before[UKPDS_BEFORE.index("renal")] |= on["dialysis"] | on["transplant"]
        if "past_ulcer" in on:
            self.before[UKPDS_BEFORE.index("ulcer")] |= on["past_ulcer"]
        self.until[self.states.index("foot_ulcer"), on["foot_ulcer"]] = 0.0

    def lives(self) -> Lives:
        """Let all years go by."""
        prepared = self.prepared
        numbers = tuple(prepared.course.numbers.tolist())
        thresholds, self.parts = year_numbers(self.seed, self.replicate, numbers, len(prepared.starts))
        for year in range(len(prepared.starts)):
            self._die_on_course(year)
            rows = np.flatnonzero(np.isinf(self.died))
            if not rows.size:
                break
            self._year(year, rows, thresholds[year][:, rows])
        return self._result()

    def _die_on_course(self, year: int) -> None:
        """Let those die whom the course itself kills in a year; what else the year would have brought is left out."""
        start, length = self.prepared.starts[year], self.prepared.lengths[year] * DAYS_PER_YEAR
        for name, day in self._on_days():
            if name in DEATHS:
                who = np.flatnonzero((day >= start) & (day < start + length) & np.isinf(self.died))
                self._die(who, day[who])

    def _on_days(self) -> Iterator[tuple[str, Numbers]]:
        """Yield event and (people,) day of events that the course itself has."""
        course = self.prepared.course
        for name, days in (*course.dated.items(), *course.besides.items()):
            yield name, np.asarray(days, dtype=np.float64)

    def _count_on_days(self) -> None:
        """Write down other events that the course itself has, such as a clot after an infusion."""
        for name, day in self._on_days():
            if name in self.events and name not in DEATHS:
                row, who = (
                    self.events.index(name),
                    np.flatnonzero(day < np.minimum(self.died, self.prepared.course.days[-1])),
                )
                self.happened[row, self._step(day[who]), who] += 1
                self.first_day[row, who] = np.minimum(self.first_day[row, who], day[who])

    def _step(self, day: Numbers) -> NDArray[np.int64]:
        """Return the step of the course in which days are."""
        return np.asarray(np.searchsorted(self.prepared.course.days, day, side="right") - 1)

    def _die(self, who: NDArray[np.int64], day: Numbers) -> None:
        row = self.events.index(UKPDS_EVENTS["death"])
        self.died[who], self.cause[who], self.first_day[row, who] = day, row, day
        self.happened[row, self._step(day), who] = 1

    def _year(self, year: int, rows: NDArray[np.int64], thresholds: Singles) -> None:
        """Let the events of one year come, then deaths."""
        past, base = self.before[:, rows], self.base[year][:, rows]
        spans = self.spans[year][:, rows]
        reached = thresholds[:-1] < self._of_kinds(year, rows, base, spans)
        if self.failed is not None:
            reached[UKPDS_KINDS.index("renal")] = self._fails(year, rows)
        struck = np.flatnonzero(reached.any(axis=0))
        now = np.zeros((len(UKPDS_NOW), rows.size), dtype=bool)
        deadly = np.zeros(rows.size, dtype=bool)
        last = np.full(rows.size, self.prepared.starts[year])
        if struck.size:
            happened = self._events(year, rows, struck, base, spans, thresholds, now, last)
            deadly[struck] = happened[[UKPDS_KINDS.index(kind) for kind in _DEADLY]].any(axis=0)
        self._deaths(year, rows, base, spans, past, now, deadly, last, thresholds[-1])

    def _hazards(self, base: Singles, spans: Singles, before: Flags, length: float) -> Singles:
        """Return (equations, people) the cumulative hazard of a year."""
        scale = np.exp(np.minimum(base + self.before_of @ before.astype(np.float32), _LARGEST))
        more = scale * spans
        more[_LOGISTIC] = np.log1p(scale[_LOGISTIC]) * length
        return np.asarray(more)

    def _of_kinds(self, year: int, rows: NDArray[np.int64], base: Singles, spans: Singles) -> Singles:
        """Return (kinds, people) the cumulative hazard of the event of each kind that may come next; 0 where none may."""
        before = self.before[:, rows]
        more = self._hazards(base, spans, before, float(self.prepared.lengths[year]))
        result = np.zeros((len(UKPDS_KINDS), rows.size), dtype=np.float32)
        for number, kind in enumerate(UKPDS_KINDS):
            had = before[UKPDS_BEFORE.index(kind)]
            first = self._first_equation(kind, rows, before, more)
            second = more[UKPDS_EQUATIONS.index(f"{kind}_second")] if kind in _TWICE else 0.0
            result[number] = np.where(had, np.where(self.twice[number, rows], 0.0, second), first)
            if kind in self.prepared.drugs:
                result[number] *= self.prepared.drugs[kind][year, rows]
        return result

    def _first_equation(self, kind: str, rows: NDArray[np.int64], before: Flags, more: Singles) -> Singles:
        if kind == "mi":
            women = self.prepared.women[rows]
            of_women, of_men = more[UKPDS_EQUATIONS.index("mi_woman")], more[UKPDS_EQUATIONS.index("mi_man")]
            return np.asarray(np.where(women, of_women, of_men))
        if kind == "amputation":
            ulcer = before[UKPDS_BEFORE.index("ulcer")]
            with_ulcer, without = (more[UKPDS_EQUATIONS.index(name)] for name in ("amputation_ulcer", "amputation"))
            return np.asarray(np.where(ulcer, with_ulcer, without))
        plain: Singles = more[UKPDS_EQUATIONS.index(kind)]
        return plain

    def _fails(self, year: int, rows: NDArray[np.int64]) -> Flags:
        """Return whose kidneys fail in a year by the course."""
        assert self.failed is not None
        start = self.prepared.starts[year]
        end = start + self.prepared.lengths[year] * DAYS_PER_YEAR
        day = self.failed[rows]
        return np.asarray((day >= start) & (day < end) & ~self.before[UKPDS_BEFORE.index("renal"), rows])

    def _events(
        self,
        year: int,
        rows: NDArray[np.int64],
        struck: NDArray[np.int64],
        base: Singles,
        spans: Singles,
        thresholds: Singles,
        now: Flags,
        last: Numbers,
    ) -> Flags:
        """Let events come to those whom at least one reaches, in the order of their days; return (kinds, struck) what came."""
        who, start, length = rows[struck], self.prepared.starts[year], self.prepared.lengths[year] * DAYS_PER_YEAR
        days = start + length * self.parts[year][:-1, who].astype(np.float64)
        renal = UKPDS_KINDS.index("renal")
        if self.failed is not None:
            fails = self._fails(year, who)
            days[renal] = np.where(fails, self.failed[who], days[renal])
        order, came = np.argsort(days, axis=0), np.zeros(days.shape, dtype=bool)
        persons = np.arange(struck.size)
        base, spans, thresholds = base[:, struck], spans[:, struck], thresholds[:-1, struck]
        for turn in range(len(UKPDS_KINDS)):
            kind = order[turn]
            more = self._of_kinds(year, who, base, spans)
            comes = thresholds[kind, persons] < more[kind, persons]
            if self.failed is not None:
                comes = np.where(kind == renal, fails, comes)
            self._take_place(who[comes], kind[comes], days[kind, persons][comes])
            second = self._remember(who[comes], kind[comes])
            came[kind[comes], persons[comes]] = True
            last[struck[comes]] = days[kind, persons][comes]
            self._say_now(now, struck[comes], kind[comes], second)
        return came

    def _take_place(self, who: NDArray[np.int64], kind: NDArray[np.int64], day: Numbers) -> None:
        """Write down events and begin their states."""
        step = self._step(day)
        for number in np.unique(kind):
            name, of_kind = UKPDS_KINDS[number], kind == number
            people, days = who[of_kind], day[of_kind]
            again = self.before[UKPDS_BEFORE.index(name), people] & (name == "amputation")
            for event, part in ((UKPDS_EVENTS[name], ~again), (UKPDS_EVENTS["amputation_second"], again)):
                row = self.events.index(event)
                self.happened[row, step[of_kind][part], people[part]] += 1
                self.first_day[row, people[part]] = np.minimum(self.first_day[row, people[part]], days[part])
            for state in UKPDS_STATES[name]:
                row = self.states.index(state)
                self.begun[row, people] = np.where(name == "ulcer", days, np.minimum(self.begun[row, people], days))
                if name == "ulcer":
                    self.until[row, people] = days + ULCER_DAYS

    def _remember(self, who: NDArray[np.int64], kind: NDArray[np.int64]) -> Flags:
        """Make events history, and return which were the second of their kind."""
        of_before = _PLACES[kind]
        second = np.asarray(self.before[of_before, who])
        self.twice[kind[second], who[second]] = True
        self.before[of_before, who] = True
        return second

    def _say_now(self, now: Flags, persons: NDArray[np.int64], kind: NDArray[np.int64], second: Flags) -> None:
        """Mark what the equations of death read of this year."""
        for number, name in enumerate(UKPDS_KINDS):
            of_kind = kind == number
            if name == "amputation":
                now[UKPDS_NOW.index("amputation"), persons[of_kind & ~second]] = True
                now[UKPDS_NOW.index("amputation_second"), persons[of_kind & second]] = True
            elif name in UKPDS_NOW:
                now[UKPDS_NOW.index(name), persons[of_kind]] = True

    def _deaths(
        self,
        year: int,
        rows: NDArray[np.int64],
        base: Singles,
        spans: Singles,
        past: Flags,
        now: Flags,
        deadly: Flags,
        last: Numbers,
        threshold: Singles,
    ) -> None:
        history = past.any(axis=0)
        length = float(self.prepared.lengths[year])
        more = self._hazards(base + self.now_of @ now.astype(np.float32), spans, past, length)
        plain, event, before, both = (more[UKPDS_EQUATIONS.index(name)] for name in _DEATHS)
        hazard = np.where(deadly, np.where(history, both, event), np.where(history, before, plain))
        dies = np.flatnonzero(threshold < hazard)
        who, end = rows[dies], self.prepared.starts[year] + length * DAYS_PER_YEAR
        day = last[dies] + (end - last[dies]) * self.parts[year][-1, who]
        self._die(who, day)

    def _result(self) -> Lives:
        """Return the lives with shares of the steps of the course."""
        self._count_on_days()
        days = np.asarray(self.prepared.course.days, dtype=np.float64)
        start, length = days[:-1, None], np.diff(days)[:, None]
        alive = np.clip((self.died - start) / length, 0.0, 1.0).astype(np.float32)
        in_state = np.zeros((len(self.states), *alive.shape), dtype=np.float32)
        for number, name in enumerate(self.states):
            if name in self.prepared.states:
                if self.prepared.states[name].any():
                    np.multiply(self.prepared.states[name], alive, out=in_state[number])
                continue
            who = np.flatnonzero(np.isfinite(self.begun[number]))
            until = np.minimum(self.until[number, who], self.died[who])
            begun = np.minimum(self.begun[number, who], until)
            shares = np.clip((until - start) / length, 0.0, 1.0) - np.clip((begun - start) / length, 0.0, 1.0)
            in_state[number][:, who] = shares
        dialysis, stage = self.states.index("dialysis"), self.states.index("ckd_5")
        in_state[stage] = np.maximum(in_state[stage] - in_state[dialysis], 0.0)
        happened, first_day, died = self.happened, self.first_day, self.died
        return Lives(days, self.events, self.states, alive, in_state, happened, first_day, died, self.cause)


_DEATHS = ("death", "death_event", "death_history", "death_again")
_LOGISTIC = np.array([number for number, name in enumerate(UKPDS_EQUATIONS) if UKPDS_FORMS[name] == "logistic"])
#: Kind by number -> its place in `UKPDS_BEFORE`.
_PLACES = np.array([UKPDS_BEFORE.index(kind) for kind in UKPDS_KINDS])
