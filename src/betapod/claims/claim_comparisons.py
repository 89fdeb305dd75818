"""What is compared of an outcome: its scenarios, its rival explanation, other people and orders; and the best within what evidence allows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ..therapies.scenarios import AS_CLAIMED, CURRENT_EVIDENCE, FACE_VALUE, NONE
from .claim_lives import Effect, effect, live_through
from .claim_outcome import Outcome
from .claim_parameters import ClaimParameters

#: Names of what is compared in `SimulatedOutcome`, and the scenario of each where cells are given. They are not scenarios: a claim that gives no
#: cells is held against its own mechanism switched off, and evidence allows what the model has.
COMPARISONS = {"off": NONE, "allowed": CURRENT_EVIDENCE, "face": FACE_VALUE, "claimed": AS_CLAIMED}
#: Other rows with which a lever at its limit was tried, in words.
_OTHER_ROWS = {CURRENT_EVIDENCE: ", other rows of current evidence", FACE_VALUE: ", other rows at face value"}


def comparisons_of(outcome: Outcome) -> dict[str, Effect]:
    """Return what is compared: by name of `COMPARISONS`, of the rival explanation, and of other people and orders."""
    if not outcome.course:
        compared = {"allowed": effect(outcome)}
        if outcome.off:
            compared["off"] = effect(outcome, values=outcome.off)
        if outcome.as_claimed:
            compared["claimed"] = effect(outcome, values=outcome.as_claimed)
        if outcome.rival:
            compared["rival"] = effect(outcome, values=outcome.rival)
    else:
        compared = {name: effect(outcome, scenario) for name, scenario in COMPARISONS.items()}
        if outcome.rival:
            compared["rival"] = effect(outcome, CURRENT_EVIDENCE, outcome.rival)
            compared["rival_claimed"] = effect(outcome, AS_CLAIMED, outcome.rival)
    for person, course in outcome.variants():
        if (person, course) != (outcome.person, outcome.course):
            tables = (CURRENT_EVIDENCE, FACE_VALUE) if outcome.course else (NONE, NONE)
            for key, table in zip(("allowed", "face"), tables, strict=True):
                compared[f"variant {key} {variant_name(person, course)}"] = effect(outcome, table, None, person, course)
    return compared


def compared_effects(
    outcomes: Mapping[str, Outcome], sets: Sequence[ClaimParameters]
) -> list[dict[str, dict[str, float]]]:
    """Return, for each set of parameters, outcome -> comparison -> effect; not a number where a life did not come to its end."""
    compared = {name: comparisons_of(outcome) for name, outcome in outcomes.items()}
    items = {
        (number, name, key): item.under(parameters)
        for number, parameters in enumerate(sets)
        for name, effects in compared.items()
        for key, item in effects.items()
    }
    values = live_through(items.values())
    results: list[dict[str, dict[str, float]]] = [{name: {} for name in outcomes} for _ in sets]
    for (number, name, key), item in items.items():
        results[number][name][key] = item.of(values)
    return results


def variant_name(person: str, course: str) -> str:
    """Return how a person with an order is named among others."""
    return f"{person}, {course}" if course else person


def variants_among(effects: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """Return, for each other person and order, the effect under current evidence and at face value."""
    labels = [key.removeprefix("variant allowed ") for key in effects if key.startswith("variant allowed ")]
    return {label: (effects[f"variant allowed {label}"], effects[f"variant face {label}"]) for label in labels}


def candidates_of(outcome: Outcome, effects: Mapping[str, float], at_limit: Mapping[str, float]) -> dict[str, float]:
    """Return everything that evidence allows, in words, with its effect."""
    first = "current evidence" if outcome.course else "the model as it is"
    candidates = {first: effects["allowed"]}
    if "face" in effects:
        candidates["positive trials at face value"] = effects["face"]
    for label, (allowed, face) in variants_among(effects).items():
        candidates[f"{first}, {label}"] = allowed
        if "face" in effects:
            candidates[f"positive trials at face value, {label}"] = face
    for table, value in at_limit.items():
        candidates[f"{outcome.lever} at its limit{_OTHER_ROWS.get(table, '')}"] = value
    return {words: value for words, value in candidates.items() if math.isfinite(value)}
