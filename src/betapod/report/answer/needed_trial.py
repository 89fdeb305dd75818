"""The trial that would tell: its design, and its size for several effects, computed by the same code as trials are sized with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...claims.typical_effects import INFUSED
from ...therapies.scenarios import CURRENT_EVIDENCE
from ...trials.operating.power_analysis import randomised, sample_size, sample_size_of_events
from .traced_numbers import NumberBook, TracedNumber

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...evidence.records.registry import Registry
    from .published_effects import PublishedEffect
    from .simulated_effects import SimulatedEffect

#: Chosen by us: power, years of follow-up, and the share of people who are lost.
POWER, YEARS, LOST = 0.9, 3.0, 0.15
#: Placebo arm whose rate of kidney failure or loss of function is taken, and the trial whose scatter of eGFR is taken.
RATE, SCATTER = "CREDENCE_abs#7", "PACKHAM2016#1"


@dataclass(frozen=True)
class TrialSize:
    """How large a trial must be for one effect.

    Attributes
    ----------
    whose
        Who had the effect, in words.
    people
        Of both groups; None where more would be needed than any trial could enrol.
    """

    key: str
    endpoint: str
    effect: str
    effect_key: str
    whose: str
    people: int | None


def trial_sizes(
    registry: Registry,
    published: Sequence[PublishedEffect],
    simulated: Sequence[SimulatedEffect],
    book: NumberBook,
) -> tuple[TrialSize, ...]:
    """Return the sizes, and enter them and what they rest on into the book.

    Parameters
    ----------
    simulated
        The effect on eGFR under current evidence is taken, in those of them who are given cells by infusion.
    """
    for key, value, text, meaning in (
        ("trial-power", POWER, f"{100 * POWER:.0f}\u00a0%", "chance to show the effect if it is there"),
        ("trial-years", YEARS, f"{YEARS:.0f} years", "follow-up of the trial"),
        ("trial-lost", LOST, f"{100 * LOST:.0f}\u00a0%", "people lost to follow-up"),
    ):
        book.add(TracedNumber(key, text, value, meaning, "keys for the design", certainty="assumed"))
    by_key = {effect.key: effect for effect in published}
    sizes = [_of_failure(registry, by_key["sglt2-failure"], book)]
    for key in ("cells-eGFR-blinded", "cells-eGFR"):
        effect = by_key[key]
        sizes.append(_of_eGFR(registry, key, effect.value, effect.text, f"infused cells, {effect.when}", book))
    for item in simulated:
        if item.scenario == CURRENT_EVIDENCE and item.quantity == "eGFR" and item.course == INFUSED:
            sizes.append(_of_eGFR(registry, item.key, item.value, item.text, f"simulated: {item.label}", book))
    return tuple(sizes)


def _of_failure(registry: Registry, effect: PublishedEffect, book: NumberBook) -> TrialSize:
    """Return the size for an effect on kidney failure as large as that of the drugs."""
    record = registry[RATE]
    ratio, rate = effect.value, record.value
    control = 1 - math.exp(-(rate or 0.0) * YEARS)
    treated = 1 - math.exp(-(rate or 0.0) * (ratio or 1.0) * YEARS)
    kept = 1 - LOST
    size = sample_size_of_events(math.log(ratio or 1.0), treated * kept, control * kept, POWER)
    people = None if size is None else randomised(size, [1.0])
    origin = (
        f"log-rank test (Schoenfeld), two-sided 5 %: hazard ratio {effect.text}; {100 * (rate or 0.0):.1f} % a year with placebo; "
        f"{YEARS:g} years, {100 * LOST:.0f} % lost"
    )
    return _entered(
        "size-failure",
        "kidney failure or loss of function",
        effect.text,
        effect.key,
        f"{effect.treatment}, {effect.when}",
        people,
        origin,
        (RATE, *effect.reply.records),
        book,
    )


def _of_eGFR(
    registry: Registry, effect_key: str, effect: float | None, text: str, whose: str, book: NumberBook
) -> TrialSize:
    record = registry[SCATTER]
    error = record.dispersion.low if record.dispersion is not None else None
    # The printed error is that of a difference between two groups of n people.
    deviation = math.nan if error is None or record.n is None else error / math.sqrt(2.0 / record.n)
    size = sample_size(effect or math.nan, deviation, POWER, adjusted=1, lost=LOST)
    people = None if size is None else randomised(size, [1.0])
    origin = (
        f"comparison of means with baseline (noncentral t), two-sided 5 %: difference {text}; standard deviation {deviation:.1f} mL/min, from the "
        f"printed error of the difference; {100 * LOST:.0f} % lost"
    )
    return _entered(f"size-{effect_key}", "eGFR", text, effect_key, whose, people, origin, (SCATTER,), book)


def _entered(
    key: str,
    endpoint: str,
    effect: str,
    effect_key: str,
    whose: str,
    people: int | None,
    origin: str,
    records: tuple[str, ...],
    book: NumberBook,
) -> TrialSize:
    text = "more than any trial can enrol" if people is None else f"{people:,} people"
    meaning = f"people in both groups for {100 * POWER:.0f} % power to show an effect of {effect} on {endpoint}"
    book.add(
        TracedNumber(
            key,
            text,
            math.nan if people is None else float(people),
            meaning,
            origin,
            "betapod answer --json",
            records,
            "computed",
        )
    )
    return TrialSize(key, endpoint, effect, effect_key, whose, people)
