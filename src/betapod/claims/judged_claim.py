"""One claim as judged: its evidence, its simulation and its verdict."""

from __future__ import annotations

from dataclasses import dataclass

from .claim_outcome import Outcome, SimulatedOutcome
from .claim_verdict import ClaimVerdict
from .claims import Claim
from .questions import SILENT, Reply

#: What the specification's certainty would be as a verdict, where the two can be compared.
_AS_VERDICT = {
    "high": ("supported",),
    "moderate": ("supported", "partly supported"),
    "low": ("partly supported", "not supported", "untested"),
    "very low": ("not supported", "untested"),
    "contradicted": ("contradicted",),
}


@dataclass(frozen=True)
class JudgedClaim:
    """One claim as judged."""

    claim: Claim
    replies: tuple[Reply, ...]
    simulations: tuple[SimulatedOutcome, ...]
    verdict: ClaimVerdict

    @property
    def simulated(self) -> SimulatedOutcome | None:
        """What the model says of the first outcome."""
        return self.simulations[0] if self.simulations else None

    @property
    def simulated_outcomes(self) -> tuple[tuple[Outcome, SimulatedOutcome], ...]:
        """Each outcome with what the model says of it."""
        return tuple(zip(self.claim.outcomes, self.simulations, strict=False))

    @property
    def favourable(self) -> tuple[Reply, ...]:
        """Answers on the claimed side."""
        return tuple(reply for reply in self.replies if reply.answer in ("for", "leans for"))

    @property
    def adverse(self) -> tuple[Reply, ...]:
        """Answers that are not."""
        return tuple(reply for reply in self.replies if reply.answer not in ("for", "leans for", *SILENT))

    @property
    def agrees(self) -> bool:
        """Whether the verdict is one that the specification's certainty would give."""
        return self.verdict.verdict in _AS_VERDICT.get(self.claim.specified, (self.verdict.verdict,))
