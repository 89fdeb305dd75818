"""Sentences about what a comparison has no number for, or does not draw."""

from __future__ import annotations

from collections.abc import Sequence

from ..health.event_table import own_events
from ..health.utilities import utility_set
from ..physiology.installed_fits import list_fits
from .country_pack import all_health_events, all_health_states, deaths_of_all, states_begun
from .value_part import ComparedPeople
from .value_settings import ValueSettings

#: Names of so many letters are abbreviations: mi, aki, mace.
_SHORT = 4


def missing_numbers(compared: ComparedPeople) -> tuple[str, ...]:
    """Return sentences about what has no number and therefore counts nothing."""
    settings, pack = compared.settings, compared.pack
    losses = settings.utilities.losses
    states, events = _names_of(settings)
    utilities, begun, deaths = utility_set(settings.utilities.set), states_begun(), deaths_of_all()
    lacking = [
        name
        for name in utilities.lacks(states, events)
        if name not in losses
        and name not in deaths
        and not any(state in utilities.states for state in begun.get(name, ()))
    ]
    sentences = []
    if lacking:
        sentences.append(
            f"The utilities {settings.utilities.set!r} have no number for {_listed(lacking)}: these take nothing away here."
        )
    if pack is None:
        sentences.append(
            "No country pack was given: there are no costs, and cells are priced as if nothing else changed."
        )
    else:
        costless = pack.lacks(states, events)
        if costless:
            sentences.append(f"The country pack has no cost of {_listed(costless)}: these cost nothing here.")
        drugs = sorted({drug for course in compared.courses.courses.values() for drug in course.intake})
        if unpriced := pack.unpriced(drugs):
            sentences.append(f"The country pack has no cost of these drugs that people take: {_listed(unpriced)}.")
        bare = [name.partition(":")[2] for name, cost in pack.named().items() if not cost.source and not pack.source]
        if bare:
            sentences.append(f"The country pack names no source of the cost of {_listed(bare)}.")
        certain = [name.partition(":")[2] for name, cost in pack.named().items() if not cost.uncertain]
        if certain:
            sentences.append(f"Costs without an interval are as if they were certain: {_listed(certain)}.")
    if any(item.cells for item in settings.strategies.values()):
        sentences.append("The price of cells is in no cost: what a course may cost is what is asked.")
    sentences.append(drawn_of_courses(compared))
    return tuple(sentences)


def drawn_of_courses(compared: ComparedPeople) -> str:
    """Say what of the courses is drawn."""
    courses, settings = compared.courses, compared.settings
    if settings.fit_draws:
        failed = int(courses.facts.get("failed", 0))
        before = f" {failed} people whose kidneys fail earlier under a set enter as they were chosen." if failed else ""
        return (
            f"Bodies, drugs and what cells do are drawn together, {courses.draws} times from the fit {settings.fit or list_fits()[-1]}: "
            f"a set belongs to a draw, with all its people and strategies.{before}"
        )
    if not any(item.cells for item in settings.strategies.values()):
        return "Bodies are not drawn, nor are the effects of drugs on the course: fit_draws draws them from an installed fit."
    times = {0: "not drawn, nor are", 1: "drawn once,"}.get(courses.draws, f"drawn {courses.draws} times,")
    return f"What cells do is {times} the effects of drugs on the course{' not at all' if courses.draws else ''}."


def _names_of(settings: ValueSettings) -> tuple[list[str], list[str]]:
    """Return the states and events of the sets of events that a comparison has."""
    table = own_events()
    if "ukpds-om2" in settings.events:
        return list(all_health_states()), list(all_health_events())
    return list(table.states), list(table.events)


def _listed(names: Sequence[str]) -> str:
    """Return names as a reader says them, abbreviations with what they stand for: files have the names."""
    from ..hazards.outcome_rates import OUTCOME_LABELS

    short = {
        name: f"{OUTCOME_LABELS[name]} ({name})" for name in names if len(name) <= _SHORT and name in OUTCOME_LABELS
    }
    return ", ".join(short.get(name, name.replace("_", " ")) for name in names)
