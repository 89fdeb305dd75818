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
from ..base.nouns import with_noun
from .claim_comparisons import candidates_of, compared_effects, variants_among
from .claim_health import HEALTH_QUANTITIES
from .claim_levers import LeverFound, LeverTask, find_levers, lever_range
from .claim_lives import whole_body_model
from .claim_outcome import Outcome, SimulatedOutcome
from .claim_parameters import ClaimParameters, FitChoice, choose_fit
from .claim_people import OLDER
from .claim_uncertainty import with_uncertainty

#: Results that come with the package, for its own model and claims; used only while the fingerprint of both is the same. Others are
#: in the cache.
STORED = Path(__file__).with_name("claims_simulated.json")
#: Counted up when the same outcome is simulated in another way, so that results kept before are not taken for it.
METHOD = 2
#: Nothing is drawn, and the tables speak.
NO_DRAWS = FitChoice()
#: Where the results that come with the package say which fit they were simulated under; without it, none.
_UNDER = "made under"


def simulate_outcomes(
    outcomes: Mapping[str, Outcome], fit: FitChoice | None = None, drawing: bool = False
) -> dict[str, SimulatedOutcome]:
    """Return what the model says of each outcome: as it is in the cache or came with the package, or simulated now and kept.

    What the cache has was computed by this very program and comes first; what came with the package is of the same equations,
    parameters, fit and claims, but perhaps of an older engine.

    Parameters
    ----------
    fit
        The fit that speaks: the newest that is installed, with its usual draws, by default.
    drawing
        Whether draws are simulated where they were not kept, which takes as many times as long; otherwise such outcomes have no interval.
    """
    if not outcomes:
        return {}
    fit = choose_fit() if fit is None else fit
    results = _kept_results(outcomes, fit)
    if fit.draws and not drawing:
        results = {**_kept_results(outcomes, fit.without_draws), **results}
        fit = fit.without_draws
    missing = {name: outcome for name, outcome in outcomes.items() if name not in results}
    return {**results, **_computed(missing, fit)} if missing else results


def told_of_fit(outcomes: Mapping[str, Outcome], fit: FitChoice, drawing: bool) -> list[str]:
    """Return what must be said before outcomes are simulated: that those which were kept are of another fit, or have no intervals."""
    missing = len(outcomes.keys() - _kept_results(outcomes, fit).keys())
    if not missing:
        return []
    of_package = _stored().get(_UNDER, _WITHOUT_FIT)["fit"]
    lines = []
    if of_package != fit.in_words:
        lines = [f"the simulated results of the package were made under {of_package}, not under {fit.in_words}"]
    if fit.draws and not drawing:
        return [
            *lines,
            f"{with_noun(missing, 'outcome')} without an interval: 'betapod claims simulate' draws it, which takes many minutes",
        ]
    return [*lines, f"{with_noun(missing, 'outcome')} to simulate anew under {fit.in_words}"] if lines else []


def store(outcomes: Mapping[str, Outcome], to: Path | None = None, fit: FitChoice | None = None) -> None:
    """Simulate all outcomes anew, under every draw of a fit, and keep them in the cache.

    Parameters
    ----------
    to
        Where to write them too, as the table that comes with the package; nothing is ever written into an installed package.
    fit
        The fit that speaks: the newest that is installed by default.

    Raises
    ------
    ConfigError
        That file cannot be written.
    """
    fit = choose_fit() if fit is None else fit
    model_key = _model_key()
    results = _computed(outcomes, fit)
    if to is not None:
        rows = {n: {"key": _key(outcomes[n], model_key), "simulated": asdict(result)} for n, result in results.items()}
        under = {"fit": fit.in_words, "digest": _short_digest(fit)}
        write_text(to, json.dumps({_UNDER: under, **rows}, indent=1) + "\n")


def _short_digest(fit: FitChoice) -> str:
    return hashlib.sha256(fit.digest.encode()).hexdigest()[:24]


_WITHOUT_FIT = {"fit": NO_DRAWS.in_words, "digest": _short_digest(NO_DRAWS)}


def _computed(outcomes: Mapping[str, Outcome], fit: FitChoice) -> dict[str, SimulatedOutcome]:
    results = compute_outcomes(outcomes, fit)
    for name, result in results.items():
        caching.write_entry(_name(outcomes[name], fit), json.dumps(asdict(result)).encode())
    return results


def _kept_results(outcomes: Mapping[str, Outcome], fit: FitChoice) -> dict[str, SimulatedOutcome]:
    """Return the outcomes that were simulated under a fit before."""
    results = {name: kept for name, outcome in outcomes.items() if (kept := _kept(outcome, fit)) is not None}
    stored = _stored()
    if stored.get(_UNDER, _WITHOUT_FIT)["digest"] != _short_digest(fit):
        return results
    model_key = _model_key()
    for name, outcome in outcomes.items():
        entry = stored.get(name)
        if name not in results and entry and entry["key"] == _key(outcome, model_key):
            results[name] = TypeAdapter(SimulatedOutcome).validate_python(entry["simulated"])
    return results


def _stored() -> dict[str, Any]:
    """Return what comes with the package."""
    return json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else {}


def _kept(outcome: Outcome, fit: FitChoice) -> SimulatedOutcome | None:
    body = caching.read_entry(_name(outcome, fit))
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


def _name(outcome: Outcome, fit: FitChoice) -> str:
    return f"claims/{caching.key(__name__, METHOD, _simulated_fields(outcome), _older(outcome), fit.digest)}.json"


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


def compute_outcomes(outcomes: Mapping[str, Outcome], fit: FitChoice = NO_DRAWS) -> dict[str, SimulatedOutcome]:
    """Simulate outcomes: every scenario of every claim in one ensemble for each length of follow-up, then the levers together.

    Parameters
    ----------
    fit
        Whose values they have, and whose draws their intervals.

    Raises
    ------
    SolverError
        A scenario without an end; a value of a lever at which the integration fails counts as not reaching the outcome, and a draw without an
        end is left out and counted.
    """
    (effects,) = compared_effects(outcomes, [fit.centre])
    lost = sorted(
        f"{name} ({key})"
        for name, compared in effects.items()
        for key, item in compared.items()
        if not math.isfinite(item)
    )
    if lost:
        raise SolverError(Problem("no-result", f"the simulation of {', '.join(lost)} did not come to its end"))
    tasks = {
        name: LeverTask(outcome, effects[name]["allowed"], fit.centre)
        for name, outcome in outcomes.items()
        if outcome.lever
    }
    levers = find_levers(tasks)
    simulated = {
        name: _simulated(outcome, effects[name], levers.get(name), fit.centre) for name, outcome in outcomes.items()
    }
    return with_uncertainty(outcomes, simulated, fit)


def _simulated(
    outcome: Outcome, effects: Mapping[str, float], lever: LeverFound | None, parameters: ClaimParameters
) -> SimulatedOutcome:
    claimed = effects.get("claimed")
    candidates = candidates_of(outcome, effects, lever.at_limit if lever is not None else {})
    units = whole_body_model().units
    now = limit = needed = ceiling = moves = None
    if lever is not None:
        span = lever_range(outcome, parameters)
        now, limit, ceiling, needed, moves = span.now, span.limit, span.ceiling, lever.needed, lever.moves
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
        variants=variants_among(effects),
    )


def unit_and_label(quantity: str) -> tuple[str, str]:
    """Return unit and label of a quantity of health or of the whole-body model."""
    if quantity in HEALTH_QUANTITIES:
        return HEALTH_QUANTITIES[quantity].unit, HEALTH_QUANTITIES[quantity].label
    model = whole_body_model()
    return model.units.get(quantity, ""), model.labels.get(quantity, quantity)
