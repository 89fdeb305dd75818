"""Country packs: a user's file of costs by state, event, drug and item. The package has no prices of its own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from ..base.config import Document, Settings, check_document, parse_yaml, read_yaml, refuse
from ..base.errors import Problem
from ..hazards.complications.kidney_care import care_countries
from ..hazards.outcome_rates import DEATHS
from ..health.event_table import ALSO, CAUSE_STATES, own_events
from ..health.ukpds_lives import UKPDS_EVENTS, UKPDS_STATES
from ..therapies.drug_catalogue import class_of_drug, drug_classes
from ..therapies.standard_care import catalogue
from ..trials.protocol.value_checks import mapping_of, unknown

#: Procedures of a strategy with cells, besides the cells themselves.
PROCEDURES: Mapping[str, str] = {
    "infusion": "each infusion or injection of cells",
    "course": "each course of cells, such as tests and a harvest",
}
#: States that others say more about; a cost of theirs is not added where those have one.
GENERAL_STATES = {"kidney_failure": ("dialysis", "transplant", "conservative_care")}
#: States that no cost is expected for: they only say what once was.
_HISTORIES = frozenset(("cvd", "past_ulcer", "insulin", "obesity"))
_PARTS = ("states", "events", "drugs", "items", "procedures")


class PackCost(Settings):
    """One cost, in the currency and prices of the pack."""

    cost: Annotated[float, Field(ge=0, le=1e9)]
    low: Annotated[float, Field(ge=0, le=1e9)] | None = None
    high: Annotated[float, Field(ge=0, le=1e9)] | None = None
    source: str = ""
    note: str = ""

    @property
    def uncertain(self) -> bool:
        """Whether it has an interval."""
        return self.low is not None and self.high is not None and self.high > self.low


def _bare(value: Any) -> Any:
    if isinstance(value, dict | PackCost):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"cost": value}
    expected = "a number, or keys and values, such as {cost: 100, low: 80, high: 130}"
    value_text = "nothing" if value is None else "a list" if isinstance(value, list) else repr(value)
    raise refuse(Problem("wrong-type", "this is no cost", found=value_text, expected=expected))


Costs = dict[str, Annotated[PackCost, BeforeValidator(_bare)]]


class CountryPack(Settings):
    """Costs of a country.

    Attributes
    ----------
    states
        State -> cost of a year in it; costs of states that are on together add up.
    events
        Event -> cost of each.
    drugs
        Drug or class -> cost of a year of taking it; that of a drug comes before that of its class.
    items
        What everybody costs in a year of life, such as visits.
    procedures
        See `PROCEDURES`.

    Examples
    --------
    >>> from betapod.value.country_pack import read_country_text
    >>> pack = read_country_text('''
    ... country: example
    ... currency: EUR
    ... price_year: 2024
    ... states: {dialysis: 1000}
    ... ''')
    >>> pack.states["dialysis"].cost, "foot_ulcer" in pack.lacks(("foot_ulcer",), ())
    (1000.0, True)
    """

    schema_version: int = 1
    country: str = Field(min_length=1)
    currency: str = Field(min_length=1, max_length=12)
    price_year: Annotated[int, Field(ge=1980, le=2100)]
    perspective: str = ""
    source: str = ""
    kidney_care: str = Field(
        default="", description="country whose registry of kidney failure holds; else the United States"
    )
    states: Costs = Field(default_factory=dict)
    events: Costs = Field(default_factory=dict)
    drugs: Costs = Field(default_factory=dict)
    items: Costs = Field(default_factory=dict)
    procedures: Costs = Field(default_factory=dict)

    def named(self) -> dict[str, PackCost]:
        """Return ``part:name`` -> cost, such as ``states:dialysis``."""
        return {f"{part}:{name}": cost for part in _PARTS for name, cost in getattr(self, part).items()}

    def lacks(self, states: Iterable[str], events: Iterable[str]) -> tuple[str, ...]:
        """Return states and events that have no cost here and therefore cost nothing; what a state costs stands for its event too.

        Deaths need none, nor does a state of which an event that begins it has a cost.
        """
        begun = states_begun()
        by_event = {state for event in self.events for state in begun.get(event, ())}
        missing = [
            name
            for name in states
            if name not in self.states
            and name not in by_event
            and name not in _HISTORIES
            and not any(other in self.states for other in GENERAL_STATES.get(name, ()))
        ]
        missing += [
            name
            for name in events
            if name not in self.events
            and name not in deaths_of_all()
            and not any(state in self.states for state in begun.get(name, ()))
        ]
        return tuple(dict.fromkeys(missing))

    def unpriced(self, drugs: Iterable[str]) -> tuple[str, ...]:
        """Return drugs that have a cost neither themselves nor by their class."""
        return tuple(drug for drug in drugs if self.priced_as(drug) is None)

    def priced_as(self, drug: str) -> str | None:
        """Return the name under which a drug has its cost: its own before that of its class; None without."""
        return next((name for name in (drug, class_of_drug(drug)) if name in self.drugs), None)


def read_country(path: str | Path) -> CountryPack:
    """Read a country pack.

    Raises
    ------
    ConfigError
        Everything that is wrong with it, all at once, with line and column: no country or currency, a state, event or drug that does not
        exist (with the nearest name), a negative cost, a cost outside its interval.
    """
    return check_document(CountryPack, read_yaml(path), _checks)


def read_country_text(text: str, file: str = "<text>") -> CountryPack:
    """Read a country pack from YAML text; see `read_country`."""
    return check_document(CountryPack, parse_yaml(text, file), _checks)


def all_health_states() -> tuple[str, ...]:
    """Return the states of all structures."""
    of_ukpds = [state for states in UKPDS_STATES.values() for state in states]
    return tuple(dict.fromkeys((*own_events().states, *of_ukpds)))


def all_health_events() -> tuple[str, ...]:
    """Return the events of all structures."""
    return tuple(dict.fromkeys((*own_events().events, *UKPDS_EVENTS.values())))


def _checks(document: Document) -> Iterator[Problem]:
    names = {
        "states": all_health_states(),
        "events": all_health_events(),
        "drugs": (*catalogue(), *drug_classes()),
        "procedures": tuple(PROCEDURES),
    }
    registry = document.data.get("kidney_care")
    registries = ("United States", *care_countries())
    if isinstance(registry, str) and registry and registry not in registries:
        yield unknown(document, "registry", registry, registries, ("kidney_care",))
    kinds = {"states": "state", "events": "event", "drugs": "drug", "procedures": "procedure"}
    for part in _PARTS:
        for name, entry in mapping_of(document.data, part).items():
            if part in names and name not in names[part]:
                yield unknown(document, kinds[part], name, names[part], (part, name), True)
            yield from _interval(document, part, name, entry)


def _interval(document: Document, part: str, name: str, entry: Any) -> Iterator[Problem]:
    """Find intervals that do not hold their cost, or have one end alone."""
    if not isinstance(entry, dict):
        return
    numbers = [entry.get(key) for key in ("low", "cost", "high")]
    if (numbers[0] is None) != (numbers[2] is None):
        message = f"{name}: an interval has two ends"
        yield document.problem("missing-key", message, (part, name), True, expected="low and high")
    if all(isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x) for x in numbers):
        low, cost, high = (float(str(x)) for x in numbers)
        if not low <= cost <= high:
            message = f"{name}: the cost is outside its interval"
            text_of_numbers = f"{cost:g}, {low:g} to {high:g}"
            yield document.problem(
                "bad-range", message, (part, name), True, found=text_of_numbers, expected="low <= cost <= high"
            )


def states_begun() -> dict[str, tuple[str, ...]]:
    """Return event -> states that it begins."""
    begun = {name: tuple(states) for name, states in CAUSE_STATES.items()}
    for item in own_events().items:
        also = (ALSO[item.state],) if item.state in ALSO else ()
        begun[item.name] = (item.state, *also) if item.state else ()
    for kind, of_kind in UKPDS_STATES.items():
        begun.setdefault(UKPDS_EVENTS[kind], tuple(of_kind))
    return begun


def deaths_of_all() -> frozenset[str]:
    """Return the events that kill, of all structures."""
    return frozenset((*DEATHS, "death", *(item.name for item in own_events().items if item.fatal)))
