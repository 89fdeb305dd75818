"""Whether claims reach their own targets when the model is told all that is claimed, and what is wrong with the ledger itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..base.errors import Location, Problem
from ..base.interval_parts import INTERVAL_PARTS
from .claim_outcome import Outcome, SimulatedOutcome
from .claim_uncertainty import EffectInterval, effect_interval
from .claims import Claim
from .judged_claim import JudgedClaim
from .wording import best_words, effect_unit


@dataclass(frozen=True)
class ClaimTarget:
    """One simulated outcome against what is claimed of it.

    Attributes
    ----------
    name
        The claim's id, then with a number.
    claimed
        What the claim requires, in `unit`.
    current, face, best, as_claimed
        Effect under current evidence, with positive trials at face value, the best within what evidence allows, and with the parameters
        that the claims need; None where nothing of the kind was simulated.
    where
        Which simulation gave `best`.
    reached, expressible
        Within what evidence allows; and when told all that is claimed. None where that is not asked.
    inside
        What the target lies inside the interval of `best` by: ``parameters`` where these alone are enough, ``all`` where what studies differ
        by is needed as well; empty where it lies beyond, or nothing was drawn.
    reason
        Why no body could, or why nothing is excluded.
    intervals
        Of `current`, `best` and `as_claimed` (each empty where nothing was drawn).
    scale, studies_like, studies_unknown
        On which parts add; the kind of published numbers that gave what studies differ by; why nobody knows.
    needed, needed_low, needed_high, needed_reached
        The lever: value that gives the target, its range under draws, and under how many of them it is reached at all.
    """

    name: str
    about: str
    claim: str
    quantity: str
    unit: str
    claimed: float
    current: float
    face: float | None
    best: float | None
    as_claimed: float | None
    where: str
    reached: bool | None
    expressible: bool | None
    inside: str
    reason: str
    intervals: Mapping[str, EffectInterval]
    scale: str
    studies_like: str
    studies_unknown: str
    needed: float | None
    needed_low: float | None
    needed_high: float | None
    needed_reached: int | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values; of each interval the ends, as a whole and by parts, and the SDs of the parts."""
        plain = {name: value for name, value in vars(self).items() if name != "intervals"}
        for name in _INTERVALS:
            interval = self.intervals.get(name)
            for part, ends in _PART_ENDS.items():
                low, high = (ends(interval) if interval is not None else None) or (None, None)
                plain |= {f"{name}{part}_low": low, f"{name}{part}_high": high}
            for part in INTERVAL_PARTS:
                plain[f"{name}_sd_{part}"] = None if interval is None else interval.sds[part]
        return plain


#: Numbers of a target that have intervals, with their names in `SimulatedOutcome`.
_INTERVALS = {"current": "allowed", "best": "largest", "as_claimed": "claimed"}
#: Ends of an interval, by what they are called behind its name.
_PART_ENDS: Mapping[str, Callable[[EffectInterval], tuple[float, float] | None]] = {
    "": lambda interval: (interval.low, interval.high),
    "_parameters": lambda interval: interval.parameters,
    "_studies": lambda interval: interval.studies,
    "_chance": lambda interval: interval.chance,
}


def claim_targets(entries: Sequence[JudgedClaim]) -> list[ClaimTarget]:
    """Return every simulated outcome of judged claims beside its target."""
    return [
        _target(entry.claim, name, outcome, simulated)
        for entry in entries
        for name, (outcome, simulated) in zip(entry.claim.named_outcomes, entry.simulated_outcomes, strict=False)
    ]


def _target(claim: Claim, name: str, outcome: Outcome, simulated: SimulatedOutcome) -> ClaimTarget:
    uncertainty = simulated.uncertainty
    intervals = {name_of: effect_interval(outcome, simulated, field) for name_of, field in _INTERVALS.items()}
    sizes = [needed for needed in uncertainty.needed if needed is not None] if uncertainty is not None else []
    return ClaimTarget(
        name,
        claim.about,
        claim.claim,
        outcome.quantity,
        effect_unit(outcome.quantity, simulated.unit, outcome.measure),
        outcome.claimed,
        simulated.allowed,
        simulated.face,
        simulated.largest,
        simulated.claimed,
        best_words(outcome, simulated),
        simulated.reached_within_evidence,
        simulated.expressible,
        uncertainty.reached if uncertainty is not None else "",
        outcome.no_body_could or outcome.unmeasured,
        {name_of: interval for name_of, interval in intervals.items() if interval is not None},
        uncertainty.scale if uncertainty is not None else "",
        uncertainty.kind if uncertainty is not None else "",
        uncertainty.why_none if uncertainty is not None else "",
        simulated.needed,
        min(sizes, default=None),
        max(sizes, default=None),
        len(sizes) if uncertainty is not None and uncertainty.needed else None,
    )


def ledger_problems(entries: Sequence[JudgedClaim]) -> list[Problem]:
    """Return what is wrong with the outcomes of judged claims: dead levers, and what cannot be expressed without a reason."""
    problems = []
    for entry in entries:
        for name, (outcome, simulated) in zip(entry.claim.named_outcomes, entry.simulated_outcomes, strict=False):
            where = Location(f"outcome {name}")
            if simulated.lever_is_dead(outcome.claimed):
                message = f"the lever {outcome.lever} does not move {outcome.quantity}"
                size = f"{simulated.lever_moves:g} over its range, of {outcome.claimed:g} claimed"
                hint = "Name a parameter on which the outcome depends, or none."
                problems.append(Problem("dead-lever", message, where, found=size, hint=hint))
            if entry.claim.about == "cells" and simulated.expressible is False and not outcome.no_body_could:
                message = f"told all that is claimed, the model does not give what is claimed of {outcome.quantity}"
                size = f"{simulated.claimed:g}, of {outcome.claimed:g} claimed"
                hint = "Name the switches of the mechanism, or say in no_body_could why no body could."
                problems.append(Problem("not-expressed", message, where, found=size, hint=hint))
    return problems
