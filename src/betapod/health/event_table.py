"""All events that may come to somebody in the order of their numbers: causes with rates of their own, and complications."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base.errors import ConfigError, Problem, did_you_mean
from ..hazards.complications.complication import Complication, all_states, complication_parameters, complications
from ..hazards.outcome_rates import CAUSES, DEATHS, OUTCOME_LABELS
from ..hazards.risk import Numbers

#: Cause -> the states that it begins.
CAUSE_STATES: Mapping[str, tuple[str, ...]] = {
    "mi": ("mi", "cvd"),
    "stroke": ("stroke", "cvd"),
    "hf_hospitalisation": ("hf",),
    "cancer": ("cancer",),
}
#: Causes that come once at most.
_ONCE = ("cancer",)
#: States in which people die at rates of their own, not at those of `DEATHS`.
REPLACED = ("dialysis", "transplant", "conservative_care")
#: State -> a state that begins with it and lasts for life.
ALSO: Mapping[str, str] = {"peripheral_artery_disease": "cvd", "foot_ulcer": "past_ulcer"}

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class EventTable:
    """Events and states by number.

    Attributes
    ----------
    events, states
        Names.
    causes
        How many of the events are causes of `outcome_rates.CAUSES`; they come first.
    items
        The complications, in their order after the causes.
    terms, drugs
        Terms and drugs that hazards of complications read.
    needs, unless, begins, clears
        (events, states) flags.
    repeats, fatal
        (events,) flags.
    """

    events: tuple[str, ...]
    states: tuple[str, ...]
    causes: int
    items: tuple[Complication, ...]
    terms: tuple[str, ...]
    drugs: tuple[str, ...]
    needs: Flags
    unless: Flags
    begins: Flags
    clears: Flags
    repeats: Flags
    fatal: Flags

    def coefficients(self, values: Mapping[str, float]) -> tuple[Numbers, Numbers, Numbers]:
        """Return what the log hazards of complications are made of.

        Parameters
        ----------
        values
            Row of `complication_parameters` -> value.

        Returns
        -------
        tuple
            (complications, 1 + terms) with the logarithm of the rate first, (complications, states) and (complications, drugs).
        """
        of_terms = np.zeros((len(self.items), 1 + len(self.terms)))
        of_states = np.zeros((len(self.items), len(self.states)))
        of_drugs = np.zeros((len(self.items), len(self.drugs)))
        for k, item in enumerate(self.items):
            of_terms[k, 0] = np.log(values[item.rate])
            for term, row in item.terms.items():
                of_terms[k, 1 + self.terms.index(term)] = values[row]
            for state, row in item.states.items():
                of_states[k, self.states.index(state)] = np.log(values[row])
            for drug, row in item.drugs.items():
                of_drugs[k, self.drugs.index(drug)] = np.log(values[row])
        return of_terms, of_states, of_drugs

    def durations(self, values: Mapping[str, float]) -> Numbers:
        """Return (events,) the mean days for which the state of an event lasts; infinite for life."""
        of_items = [values[item.days] if item.days else np.inf for item in self.items]
        return np.array([np.inf] * self.causes + of_items)


def event_label(event: str) -> str:
    """Return what an event is called in text, such as ``foot ulcer``.

    Raises
    ------
    ConfigError
        There is no such event.
    """
    if event in CAUSES:
        return OUTCOME_LABELS[event]
    if event in complications():
        return complications()[event].label
    possible = (*CAUSES, *complications())
    raise ConfigError(Problem("unknown-event", f"there is no event {event!r}", hint=did_you_mean(event, possible)))


@functools.cache
def own_events() -> EventTable:
    """Return the events of the package: all causes and all complications."""
    return event_table(complications().values())


def event_table(items: Iterable[Complication]) -> EventTable:
    """Return the causes and some complications by number."""
    items = tuple(items)
    causes = tuple(CAUSES)
    events = (*causes, *(item.name for item in items))
    states = tuple(dict.fromkeys((*all_states(items), *REPLACED, *ALSO, *ALSO.values())))
    terms = tuple(dict.fromkeys(term for item in items for term in item.terms))
    drugs = tuple(dict.fromkeys(drug for item in items for drug in item.drugs))
    begun = [CAUSE_STATES.get(name, ()) for name in causes]
    begun += [(item.state, *([ALSO[item.state]] if item.state in ALSO else [])) if item.state else () for item in items]
    own_deaths = any(item.fatal and set(item.needs) & set(REPLACED) for item in items)
    of_causes = [REPLACED if own_deaths and name in DEATHS else () for name in causes]
    once_more = [() if name not in _ONCE else ("cancer",) for name in causes]
    unless = [(*a, *b) for a, b in zip(of_causes, once_more, strict=True)]
    return EventTable(
        events,
        states,
        len(causes),
        items,
        terms,
        drugs,
        _flags([()] * len(causes) + [item.needs for item in items], states),
        _flags(unless + [_unless(item) for item in items], states),
        _flags(begun, states),
        _flags([()] * len(causes) + [item.clears for item in items], states),
        np.array([name not in DEATHS for name in causes] + [item.repeats for item in items]),
        np.array([name in DEATHS for name in causes] + [item.fatal for item in items]),
    )


def _unless(item: Complication) -> tuple[str, ...]:
    """Return the states that must be off: its own too, unless it repeats."""
    return item.unless if item.repeats or not item.state else (*item.unless, item.state)


def _flags(rows: Iterable[tuple[str, ...]], states: tuple[str, ...]) -> Flags:
    return np.array([[state in row for state in states] for row in rows])


@functools.cache
def complication_values() -> Mapping[str, float]:
    """Return the values of `complication_parameters` by id."""
    return {name: row.value for name, row in complication_parameters().items()}
