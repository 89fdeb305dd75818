"""Whether claims reach their own targets when the model is told all that is claimed, and what is wrong with the ledger itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..base.errors import Location, Problem
from .claim_outcome import Outcome, SimulatedOutcome
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
    reason
        Why no body could, or why nothing is excluded.
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
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return dict(vars(self))


def claim_targets(entries: Sequence[JudgedClaim]) -> list[ClaimTarget]:
    """Return every simulated outcome of judged claims beside its target."""
    return [
        _target(entry.claim, name, outcome, simulated)
        for entry in entries
        for name, (outcome, simulated) in zip(entry.claim.named_outcomes, entry.simulated_outcomes, strict=False)
    ]


def _target(claim: Claim, name: str, outcome: Outcome, simulated: SimulatedOutcome) -> ClaimTarget:
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
        outcome.no_body_could or outcome.unmeasured,
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
