"""What is not known of simulated outcomes: every comparison and every lever under draws of a fit, and what studies of the kind differ by."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..base.interval_parts import INTERVAL_PARTS, IntervalParts
from ..physiology.installed_fits import FitRecord
from ..physiology.study_differences import study_differences
from .claim_comparisons import COMPARISONS, candidates_of, compared_effects
from .claim_health import HEALTH_QUANTITIES
from .claim_levers import LeverFound, LeverTask, find_levers
from .claim_outcome import Outcome, OutcomeUncertainty, SimulatedOutcome
from .claim_parameters import ClaimParameters, FitChoice
from .outcome_kinds import OutcomeKind, kind_of_outcome

#: Numbers of `SimulatedOutcome` that have an interval.
WITH_INTERVAL = (*COMPARISONS, "largest", "rival", "rival_claimed")
#: Digits with which effects under draws are kept.
_DIGITS = 6


def with_uncertainty(
    outcomes: Mapping[str, Outcome], simulated: Mapping[str, SimulatedOutcome], fit: FitChoice
) -> dict[str, SimulatedOutcome]:
    """Return simulated outcomes with what is not known of them; as they are where nothing is drawn."""
    record, sets = fit.record, fit.sets
    if record is None or not sets:
        return dict(simulated)
    by_draw = compared_effects(outcomes, sets)
    levers = _levers(outcomes, by_draw, sets)
    uncertain = {}
    for name, outcome in outcomes.items():
        kept = [number for number in range(len(sets)) if all(map(math.isfinite, by_draw[number][name].values()))]
        effects = [by_draw[number][name] for number in kept]
        found_levers = [levers.get((name, number)) for number in kept]
        uncertain[name] = replace(
            simulated[name],
            uncertainty=_uncertainty(outcome, simulated[name], effects, found_levers, fit, record),
        )
    return uncertain


def _levers(
    outcomes: Mapping[str, Outcome],
    by_draw: Sequence[Mapping[str, Mapping[str, float]]],
    sets: Sequence[ClaimParameters],
) -> dict[tuple[str, int], LeverFound]:
    """Return what was found of every lever under every draw that has numbers."""
    tasks = {
        (name, number): LeverTask(outcome, by_draw[number][name]["allowed"], parameters)
        for name, outcome in outcomes.items()
        if outcome.lever
        for number, parameters in enumerate(sets)
        if all(map(math.isfinite, by_draw[number][name].values()))
    }
    return find_levers(tasks, with_moves=False) if tasks else {}


def _uncertainty(
    outcome: Outcome,
    simulated: SimulatedOutcome,
    effects: Sequence[Mapping[str, float]],
    levers: Sequence[LeverFound | None],
    fit: FitChoice,
    record: FitRecord,
) -> OutcomeUncertainty:
    kind = kind_of_outcome(outcome)
    drawn = {name: tuple(_short(each_draw[name]) for each_draw in effects) for name in effects[0]} if effects else {}
    drawn = {name: values for name, values in drawn.items() if name in WITH_INTERVAL}
    if simulated.largest is not None:
        bests = []
        for effects_of_draw, lever in zip(effects, levers, strict=True):
            candidates = candidates_of(outcome, effects_of_draw, lever.at_limit if lever is not None else {})
            bests.append(_short(candidates[outcome.best_of(candidates)]))
        drawn["largest"] = tuple(bests)
    studies, why_none = _studies(kind, record)
    uncertainty = OutcomeUncertainty(
        fit=fit.fit,
        draws=fit.draws,
        lost=fit.draws - len(effects),
        scale=kind.scale,
        kind=kind.kind if studies is not None else "",
        studies=studies,
        why_none=why_none,
        effects=drawn,
        needed=tuple(None if lever.needed is None else _short(lever.needed) for lever in levers if lever is not None),
    )
    best = "largest" if simulated.largest is not None else "allowed"
    interval = effect_interval(outcome, replace(simulated, uncertainty=uncertainty), best)
    if interval is None:
        return uncertainty
    ends = {"parameters": interval.parameters or (), "all": (interval.low, interval.high)}
    inside = [name for name, of_part in ends.items() if any(map(outcome.reached_by, of_part))]
    return replace(uncertainty, reached=inside[0] if inside else "")


def _studies(kind: OutcomeKind, record: FitRecord) -> tuple[float | None, str]:
    """Return the SD of what studies of a kind differ by, or why nobody knows."""
    if not kind.kind:
        return None, kind.why_none
    differences = study_differences(record, kind.kind)
    if differences is None:
        return None, f"the fit had no number of its kind ({kind.kind})"
    if differences.scale != kind.scale:
        return None, f"the fit compares numbers of its kind ({kind.kind}) on another scale, {differences.scale}"
    return differences.sd, ""


def _short(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def interval_parts(outcome: Outcome, simulated: SimulatedOutcome, name: str) -> IntervalParts | None:
    """Return the parts of the interval of a number of a simulated outcome, on the scale of its kind; None where nothing was drawn.

    Chance has no part: one person who is described is simulated, treated and untreated, and nobody is drawn.

    Parameters
    ----------
    name
        One of `WITH_INTERVAL`.
    """
    uncertainty, value = simulated.uncertainty, getattr(simulated, name)
    if uncertainty is None or value is None or not uncertainty.effects.get(name):
        return None
    centre = _forward(outcome, uncertainty.scale, value)
    moves = [_forward(outcome, uncertainty.scale, drawn) - centre for drawn in uncertainty.effects[name]]
    # Not their SD: where the model bends, their mean is elsewhere.
    parameters = math.sqrt(math.fsum(move * move for move in moves) / len(moves))
    studies = math.nan if uncertainty.studies is None else uncertainty.studies
    return IntervalParts(chance=0.0, parameters=parameters, studies=studies, sets=len(moves))


@dataclass(frozen=True)
class EffectInterval:
    """The 95 % interval of a simulated effect in its unit, whole and by parts.

    Attributes
    ----------
    low, high
        Ends of the whole.
    parameters, studies, chance
        Ends of what each part alone would leave open; None for a part that the interval does not hold.
    sds
        SDs of the parts on `scale`; None for a part that it does not hold.
    scale
        ``linear`` in the unit, or ``log`` of the ratio or level.
    """

    value: float
    low: float
    high: float
    parameters: tuple[float, float] | None
    studies: tuple[float, float] | None
    chance: tuple[float, float] | None
    sds: Mapping[str, float | None]
    scale: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return dict(vars(self))


def effect_interval(outcome: Outcome, simulated: SimulatedOutcome, name: str) -> EffectInterval | None:
    """Return the interval of a number of a simulated outcome; None where nothing was drawn.

    Parameters
    ----------
    name
        One of `WITH_INTERVAL`.
    """
    parts = interval_parts(outcome, simulated, name)
    if parts is None or simulated.uncertainty is None:
        return None
    value, scale = getattr(simulated, name), simulated.uncertainty.scale
    ends = {
        part: _natural(outcome, scale, parts.interval(_forward(outcome, scale, value), names=[part]))
        for part in parts.held
    }
    low, high = _natural(outcome, scale, parts.interval(_forward(outcome, scale, value)))
    sds = {part: getattr(parts, part) if part in parts.held else None for part in INTERVAL_PARTS}
    return EffectInterval(value, low, high, ends.get("parameters"), ends.get("studies"), ends.get("chance"), sds, scale)


def _forward(outcome: Outcome, scale: str, value: float) -> float:
    return OutcomeKind("", scale).forward(outcome, value)


def _natural(outcome: Outcome, scale: str, ends: tuple[float, float]) -> tuple[float, float]:
    """Return ends in the unit of the outcome, within what its quantity can be."""
    low, high = (OutcomeKind("", scale).backward(outcome, end) for end in ends)
    most = HEALTH_QUANTITIES[outcome.quantity].most if outcome.quantity in HEALTH_QUANTITIES else math.inf
    return max(low, -most), min(high, most)
