"""What a claim promises, as something to simulate, and what the model says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Outcome:
    """The outcome that a claim promises, as something to simulate.

    Attributes
    ----------
    measure
        ``difference`` or ``percent``: treated against untreated (the same person without cells, or under `against`).
    person
        A typical person or one of `claim_people.OLDER`.
    claimed
        What the claim requires of it; a negative number means a fall.
    at_most
        For claims that little happens: reached while the effect is not above `claimed`.
    course, switches
        For claims about cells: the order, and the switches of the model that are this mechanism.
    inputs, against
        For claims about diabetes: what is done, and what it is compared with.
    off
        For claims about diabetes: parameters at which the mechanism is absent.
    lever, ceiling
        The parameter whose needed size is sought, and the largest value that nature permits.
    """

    quantity: str
    person: str
    years: float
    measure: str
    claimed: float
    course: str = ""
    switches: tuple[str, ...] = ()
    inputs: Mapping[str, float] = field(default_factory=dict)
    against: Mapping[str, float] = field(default_factory=dict)
    off: Mapping[str, float] = field(default_factory=dict)
    lever: str = ""
    ceiling: float | None = None
    reason: str = ""
    at_most: bool = False

    def reached_by(self, effect: float) -> bool:
        """Whether an effect is what is claimed, or more."""
        if self.at_most:
            return effect <= self.claimed
        return effect >= self.claimed if self.claimed >= 0 else effect <= self.claimed


@dataclass(frozen=True)
class SimulatedOutcome:
    """What the model says.

    Attributes
    ----------
    off, allowed, claimed, largest
        The outcome with the mechanism off (None where it has no switch of its own), with current evidence, with the parameters
        that the claims need (None where these do not concern it), and with the lever at the largest value that evidence allows.
    now, limit, needed
        The lever: value under current evidence, largest that evidence allows, and value that gives the claimed outcome; None
        if it is reached nowhere up to `ceiling`.
    reached_within_evidence
        Whether the claimed outcome is reached with the lever at no more than the limit.
    """

    unit: str
    off: float | None
    allowed: float
    claimed: float | None
    largest: float | None
    lever: str = ""
    lever_unit: str = ""
    now: float | None = None
    limit: float | None = None
    needed: float | None = None
    ceiling: float | None = None
    reached_within_evidence: bool | None = None
