"""What a claim promises, as something to simulate, and what the model says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

#: What is computed of two lives, treated and untreated. `level` is the treated life alone.
LIFE_MEASURES = ("difference", "percent", "level")


@dataclass(frozen=True)
class ContrastTerm:
    """One effect in a contrast: two lives that are compared, with the sign or weight of what comes out.

    Attributes
    ----------
    person
        Another than the outcome's.
    cells, cells_against
        Whether the course of cells is given to the one who is treated, and to the one who is compared.
    inputs, against
        Beside those of the outcome.
    """

    weight: float = 1.0
    person: str = ""
    cells: bool = True
    cells_against: bool = False
    inputs: Mapping[str, float] = field(default_factory=dict)
    against: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """The outcome that a claim promises, as something to simulate.

    Attributes
    ----------
    measure
        One of `LIFE_MEASURES`: treated against untreated (the same person without cells, or under `against`).
    person
        A typical person or one of `claim_people.OLDER`.
    claimed
        What the claim requires of it; a negative number means a fall.
    at_most, at_least
        Reached while the effect is not above, or not below, `claimed`; else the sign of `claimed` says which side it is on.
    course, switches
        For claims about cells: the order, and the switches of the model that are this mechanism.
    people, courses
        More people and orders, where the claim does not say whom or what: the best is taken, and named.
    inputs, against
        For claims about diabetes: what is done, and what it is compared with.
    off
        For claims about diabetes: parameters at which the mechanism is absent.
    as_claimed
        For claims about diabetes: parameters that the claim needs.
    lever, ceiling
        The parameter whose needed size is sought, and the largest value that nature permits.
    granted
        Other parameters that are granted while the needed size of the lever is sought, where one alone does nothing.
    contrast
        Effects whose weighted sum is the outcome; without any the outcome is one effect.
    rival, rival_words
        Values under which only another explanation of the same outcome is left, and what it is.
    described
        What is simulated, in words, where quantity and comparison do not say it.
    unmeasured
        Why no table of evidence has a number for the mechanism, which then excludes nothing; only shown.
    no_body_could
        Why the outcome cannot be reached even with everything that is claimed.
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
    at_least: bool = False
    people: tuple[str, ...] = ()
    courses: tuple[str, ...] = ()
    as_claimed: Mapping[str, float] = field(default_factory=dict)
    granted: Mapping[str, float] = field(default_factory=dict)
    contrast: tuple[ContrastTerm, ...] = ()
    rival: Mapping[str, float] = field(default_factory=dict)
    rival_words: str = ""
    described: str = ""
    unmeasured: str = ""
    no_body_could: str = ""

    @property
    def upwards(self) -> bool:
        """Whether more is nearer to what is claimed."""
        return not self.at_most and (self.at_least or self.claimed >= 0)

    def reached_by(self, effect: float) -> bool:
        """Whether an effect is what is claimed, or more."""
        return effect >= self.claimed if self.upwards else effect <= self.claimed

    def best_of(self, effects: Mapping[str, float]) -> str:
        """Return the name of the effect that is nearest to what is claimed, or beyond it."""
        return (max if self.upwards else min)(effects, key=lambda name: effects[name])

    def variants(self) -> Iterator[tuple[str, str]]:
        """Give everybody with every order: person and course; what stands first is the outcome's own."""
        for person in dict.fromkeys((self.person, *self.people)):
            for course in dict.fromkeys((self.course, *self.courses)):
                yield person, course


@dataclass(frozen=True)
class OutcomeUncertainty:
    """What is not known of a simulated outcome: its parts, kept apart.

    Attributes
    ----------
    fit, draws
        The installed fit, and how many of its draws were asked for.
    lost
        Draws under which a life did not come to its end; they are in none of the numbers below.
    scale
        On which the parts add: ``linear`` in the outcome's unit, ``log`` of its ratio or level.
    kind
        Class of published numbers that it is like, see `physiology.study_differences`; empty where none fits.
    studies
        SD of what studies of the kind differ by, on `scale`, as the fit has it; None where nobody knows, and `why_none` says why.
    effects
        Name of a number of `SimulatedOutcome` -> that number under each draw.
    needed
        Value of the lever that gives the claimed outcome under each draw; None where it is reached nowhere.
    reached
        What the claimed outcome is inside the interval of the best within what evidence allows by: ``parameters`` where these alone are enough,
        ``all`` where what studies differ by is needed as well; empty where it lies beyond.
    """

    fit: str
    draws: int
    lost: int
    scale: str
    kind: str
    studies: float | None
    why_none: str
    effects: Mapping[str, tuple[float, ...]]
    needed: tuple[float | None, ...] = ()
    reached: str = ""


@dataclass(frozen=True)
class SimulatedOutcome:
    """What the model says.

    Attributes
    ----------
    off, allowed, claimed, largest
        The outcome with the mechanism off (None where it has no switch of its own), with current evidence, with the parameters
        that the claims need (None where these do not concern it), and the best within what evidence allows.
    face
        With positive trials at face value; None for claims about diabetes.
    now, limit, needed
        The lever: value under current evidence, largest that evidence allows, and value that gives the claimed outcome; None
        if it is reached nowhere up to `ceiling`.
    reached_within_evidence
        Whether the claimed outcome is reached within what evidence allows; None where no evidence has a number for it.
    best
        Which simulation gave `largest`: the table of values, the lever at its limit, person and course.
    expressible
        Whether the model gives the claimed outcome when it is told all that is claimed; None where it was not told. Where it does
        not, that it is not reached says nothing.
    lever_moves
        By how much the outcome differs over the range of the lever; a lever that moves nothing is an error of the ledger.
    rival, rival_claimed
        What another explanation alone gives, with current evidence and with the parameters that the claims need.
    variants
        For each person and course: effect under current evidence and at face value.
    uncertainty
        What is not known of these numbers; None where no fit is installed, or none of its draws were asked for.
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
    face: float | None = None
    best: str = ""
    expressible: bool | None = None
    lever_moves: float | None = None
    rival: float | None = None
    rival_claimed: float | None = None
    variants: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    uncertainty: OutcomeUncertainty | None = None

    def lever_is_dead(self, claimed: float) -> bool:
        """Return whether the lever moves the outcome by less than a hundredth of what is claimed, over its range and as claimed."""
        return bool(self.lever) and (self.lever_moves or 0.0) < 0.01 * (abs(claimed) or 1e-4)

    @property
    def within_interval(self) -> bool:
        """Whether the outcome lies within what evidence allows only if what is not known of it is counted in."""
        return self.reached_within_evidence is False and self.uncertainty is not None and bool(self.uncertainty.reached)

    @property
    def excluded(self) -> bool:
        """Whether the model says that the outcome lies beyond what evidence allows: it could give it, and does not.

        Where there is an interval of the best that evidence allows, with parameters and what studies differ by, the outcome must lie
        beyond that too.
        """
        return self.reached_within_evidence is False and self.expressible is not False and not self.within_interval
