"""Simulation of claims: outcome with the mechanism off, as evidence allows, as claimed; and the effect size that would be needed."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from ..base import cache as caching
from ..base.errors import Problem, SolverError
from ..base.files import write_text
from ..therapies.scenarios import AS_CLAIMED, CURRENT_EVIDENCE, FACE_VALUE, NONE
from .claim_health import HEALTH_QUANTITIES
from .claim_levers import LeverFound, find_levers, lever_range
from .claim_lives import Effect, effect, live_through, whole_body_model
from .claim_outcome import Outcome, SimulatedOutcome
from .claim_people import OLDER

#: Results that come with the package, for its own model and claims; used only while the fingerprint of both is the same. Others are
#: in the cache.
STORED = Path(__file__).with_name("claims_simulated.json")
#: Counted up when the same outcome is simulated in another way, so that results kept before are not taken for it.
METHOD = 2
#: Names of what is compared in `SimulatedOutcome`, and the scenario of each where cells are given. They are not scenarios: a claim that gives no
#: cells is held against its own mechanism switched off, and evidence allows what the model has.
COMPARISONS = {"off": NONE, "allowed": CURRENT_EVIDENCE, "face": FACE_VALUE, "claimed": AS_CLAIMED}


def simulate_outcomes(outcomes: Mapping[str, Outcome]) -> dict[str, SimulatedOutcome]:
    """Return what the model says of each outcome: as it is in the cache or came with the package, or simulated now and kept.

    What the cache has was computed by this very program and comes first; what came with the package is of the same equations,
    parameters and claims, but perhaps of an older engine.
    """
    if not outcomes:
        return {}
    stored = json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else {}
    model_key = _model_key()
    results = {name: kept for name, outcome in outcomes.items() if (kept := _kept(outcome)) is not None}
    for name, outcome in outcomes.items():
        entry = stored.get(name)
        if name not in results and entry and entry["key"] == _key(outcome, model_key):
            results[name] = TypeAdapter(SimulatedOutcome).validate_python(entry["simulated"])
    missing = {name: outcome for name, outcome in outcomes.items() if name not in results}
    return {**results, **_computed(missing)} if missing else results


def store(outcomes: Mapping[str, Outcome], to: Path | None = None) -> None:
    """Simulate all outcomes anew and keep them in the cache.

    Parameters
    ----------
    to
        Where to write them too, as the table that comes with the package; nothing is ever written into an installed package.

    Raises
    ------
    ConfigError
        That file cannot be written.
    """
    model_key = _model_key()
    results = _computed(outcomes)
    if to is not None:
        rows = {n: {"key": _key(outcomes[n], model_key), "simulated": asdict(result)} for n, result in results.items()}
        write_text(to, json.dumps(rows, indent=1) + "\n")


def _computed(outcomes: Mapping[str, Outcome]) -> dict[str, SimulatedOutcome]:
    results = compute_outcomes(outcomes)
    for name, result in results.items():
        caching.write_entry(_name(outcomes[name]), json.dumps(asdict(result)).encode())
    return results


def _kept(outcome: Outcome) -> SimulatedOutcome | None:
    body = caching.read_entry(_name(outcome))
    try:
        return None if body is None else TypeAdapter(SimulatedOutcome).validate_json(body)
    except ValueError:
        return None


def _simulated_fields(outcome: Outcome) -> dict[str, Any]:
    """Return what of an outcome is simulated: all but its words."""
    words = ("reason", "described", "rival_words", "no_body_could")
    fields = {key: value for key, value in asdict(outcome).items() if key not in words}
    return {**fields, "unmeasured": bool(outcome.unmeasured)}


def _older(outcome: Outcome) -> str:
    """Return the older people of an outcome, with what made them."""
    names = dict.fromkeys([outcome.person, *outcome.people, *(term.person for term in outcome.contrast)])
    return "".join(repr(OLDER[name]) for name in names if name in OLDER)


def _name(outcome: Outcome) -> str:
    return f"claims/{caching.key(__name__, METHOD, _simulated_fields(outcome), _older(outcome))}.json"


def _key(outcome: Outcome, model_key: str) -> str:
    text = json.dumps(_simulated_fields(outcome), sort_keys=True, default=list) + _older(outcome) + model_key
    tables = _parameter_bytes() + (_health_bytes() if outcome.quantity in HEALTH_QUANTITIES else b"")
    return hashlib.sha256(f"{METHOD}{text}".encode() + tables).hexdigest()[:24]


@cache
def _parameter_bytes() -> bytes:
    """Return a digest of every parameter table and typical person."""
    from ..physiology import whole_body

    digest = hashlib.sha256()
    folders = (whole_body.PARAMETERS, whole_body.PARAMETERS.parent / "profiles")
    for path in sorted(path for folder in folders for path in folder.glob("*.csv")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.digest()


@cache
def _health_bytes() -> bytes:
    """Return a digest of every table of rates, complications and utilities."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(path for room in ("hazards", "health") for path in (package / room).rglob("*.[cy]*")):
        if path.suffix in (".csv", ".yaml"):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.digest()


def _model_key() -> str:
    return str(whole_body_model().fingerprint)


def compute_outcomes(outcomes: Mapping[str, Outcome]) -> dict[str, SimulatedOutcome]:
    """Simulate outcomes: every scenario of every claim in one ensemble for each length of follow-up, then the levers together.

    Raises
    ------
    SolverError
        A scenario without an end; a value of a lever at which the integration fails counts as not reaching the outcome.
    """
    base = {(name, key): item for name, outcome in outcomes.items() for key, item in _comparisons(outcome).items()}
    values = live_through(base.values())
    effects: dict[str, dict[str, float]] = {name: {} for name in outcomes}
    for (name, key), item in base.items():
        effects[name][key] = item.of(values)
    lost = sorted(
        f"{name} ({key})"
        for name, compared in effects.items()
        for key, item in compared.items()
        if not math.isfinite(item)
    )
    if lost:
        raise SolverError(Problem("no-result", f"the simulation of {', '.join(lost)} did not come to its end"))
    levers = find_levers(
        {name: outcome for name, outcome in outcomes.items() if outcome.lever},
        {name: effects[name]["allowed"] for name in outcomes},
    )
    return {name: _simulated(outcome, effects[name], levers.get(name)) for name, outcome in outcomes.items()}


def variant_name(person: str, course: str) -> str:
    """Return how a person with an order is named among others."""
    return f"{person}, {course}" if course else person


def _comparisons(outcome: Outcome) -> dict[str, Effect]:
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


def _simulated(outcome: Outcome, effects: Mapping[str, float], lever: LeverFound | None) -> SimulatedOutcome:
    claimed = effects.get("claimed")
    first = "current evidence" if outcome.course else "the model as it is"
    candidates = {first: effects["allowed"]}
    if "face" in effects:
        candidates["positive trials at face value"] = effects["face"]
    variants: dict[str, tuple[float, float]] = {}
    for key, value in effects.items():
        if key.startswith("variant allowed "):
            label = key.removeprefix("variant allowed ")
            variants[label] = (value, effects[f"variant face {label}"])
            candidates[f"{first}, {label}"] = value
            if "face" in effects:
                candidates[f"positive trials at face value, {label}"] = effects[f"variant face {label}"]
    units = whole_body_model().units
    now = limit = needed = ceiling = moves = None
    if lever is not None:
        span = lever_range(outcome)
        now, limit, ceiling, needed, moves = span.now, span.limit, span.ceiling, lever.needed, lever.moves
        for table, value in lever.at_limit.items():
            rows = {CURRENT_EVIDENCE: ", other rows of current evidence", FACE_VALUE: ", other rows at face value"}
            if math.isfinite(value):
                candidates[f"{outcome.lever} at its limit{rows.get(table, '')}"] = value
    best = outcome.best_of(candidates)
    within = needed is not None and limit is not None and needed <= limit * (1 + 1e-6)
    return SimulatedOutcome(
        unit="%" if outcome.measure == "percent" else unit_and_label(outcome.quantity)[0],
        off=effects.get("off"),
        allowed=effects["allowed"],
        claimed=claimed,
        largest=candidates[best] if len(candidates) > 1 else None,
        lever=outcome.lever,
        lever_unit=units[outcome.lever] if outcome.lever else "",
        now=now,
        limit=limit,
        needed=needed,
        ceiling=ceiling,
        reached_within_evidence=None if outcome.unmeasured else bool(within or outcome.reached_by(candidates[best])),
        face=effects.get("face"),
        best=best if len(candidates) > 1 else "",
        expressible=None if claimed is None else outcome.reached_by(claimed),
        lever_moves=moves,
        rival=effects.get("rival"),
        rival_claimed=effects.get("rival_claimed"),
        variants=variants,
    )


def unit_and_label(quantity: str) -> tuple[str, str]:
    """Return unit and label of a quantity of health or of the whole-body model."""
    if quantity in HEALTH_QUANTITIES:
        return HEALTH_QUANTITIES[quantity].unit, HEALTH_QUANTITIES[quantity].label
    model = whole_body_model()
    return model.units.get(quantity, ""), model.labels.get(quantity, quantity)
