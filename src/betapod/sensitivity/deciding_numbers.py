"""Which numbers decide the verdict of a claim: each at the ends of its plausible range, and all of them together.

A number is changed from today on: the people in whom claims are simulated are described by what they have today, whatever led to it. Evidence
stays as it is, so that a verdict that rests on evidence alone is decided by no number of the model.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from ..base import cache as caching
from ..claims.claim_health import HEALTH_QUANTITIES
from ..claims.claim_outcome import Outcome, SimulatedOutcome
from ..claims.claim_uncertainty import interval_parts
from ..claims.claim_verdict import judge_claim
from ..claims.judged_claim import JudgedClaim
from ..claims.outcome_kinds import kind_of_outcome
from ..therapies.scenarios import CURRENT_EVIDENCE
from .claim_numbers import ClaimNumber, NumberChange, best_effect, changed_effects, claim_numbers
from .cube_function import Progress
from .schemes import sobol_points

#: Numbers that are simulated together.
TOGETHER = 4
#: Draws in which all numbers are somewhere in their ranges at once.
DRAWS = 64
#: An outcome is moved by a number if the change is more than this share of what is claimed. A choice.
_MOVES = 0.01

Effects = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class NumberTried:
    """What one number does to a claim.

    Attributes
    ----------
    value, low, high
        In `unit`, under current evidence.
    at_low, at_high
        The verdict with the number at that end.
    why
        What changes the verdict: in words, empty where nothing does.
    moves
        By how much the outcome moves that it moves most, as a share of what is claimed; with the outcome's name.
    """

    name: str
    label: str
    unit: str
    grade: str
    value: float
    low: float
    high: float
    at_low: str
    at_high: str
    moves: float
    outcome: str
    why: str = ""

    def decides(self, verdict: str) -> bool:
        """Return whether one end of the range gives another verdict."""
        return any(at_end not in (verdict, "") for at_end in (self.at_low, self.at_high))


@dataclass(frozen=True)
class DecidedClaim:
    """What the verdict of a claim rests on.

    Attributes
    ----------
    why_none
        Why no number of the model can change the verdict; empty where one could.
    tried
        Every number that moves an outcome, those that change the verdict first, then by how far they move it.
    numbers
        How many were tried.
    draws
        Verdict -> share of draws with all numbers somewhere in their ranges; empty where none were made.
    drawn
        How many draws gave a verdict: a power of two, less those under which nobody could be simulated.
    """

    claim: str
    text: str
    verdict: str
    why_none: str
    tried: tuple[NumberTried, ...] = ()
    numbers: int = 0
    draws: Mapping[str, float] | None = None
    drawn: int = 0

    @property
    def deciding(self) -> tuple[NumberTried, ...]:
        """Numbers one end of whose range gives another verdict."""
        return tuple(number for number in self.tried if number.decides(self.verdict))


def deciding_numbers(
    entries: Sequence[JudgedClaim],
    grades: Iterable[str] = ("D",),
    draws: int = 0,
    names: Sequence[str] = (),
    progress: Progress | None = None,
) -> list[DecidedClaim]:
    """Return what verdicts of judged claims rest on.

    Effects are kept in the cache number by number: what was stopped goes on where it was.

    Parameters
    ----------
    entries
        As `claims.ledger.judge_ledger` gives them, with simulations.
    grades
        Of the numbers that are tried.
    draws
        Draws in which all numbers differ at once, rounded up to a power of 2; none by default.
    names
        Only these numbers.
    """
    numbers = claim_numbers(grades, names)
    able = [entry for entry in entries if not why_undecided(entry)]
    outcomes = {name: outcome for entry in able for name, outcome in entry.claim.named_outcomes.items()}
    ends = _ends_of(outcomes, numbers, progress) if able else {}
    joint = _joint_changes(numbers, draws)
    of_draws = _kept_effects(outcomes, joint, None, "all numbers together", progress) if able else []
    return [_decided(entry, numbers, ends, of_draws) if entry in able else _undecided(entry) for entry in entries]


def _ends_of(
    outcomes: Mapping[str, Outcome], numbers: Sequence[ClaimNumber], progress: Progress | None
) -> dict[str, list[Effects]]:
    """Return number -> effects at both ends of its range.

    First the effect alone that is best today is computed, with the one that claims need. Where a number moves it, everything else is too: with
    that number another person, order or table of what evidence allows may come nearer to what is claimed.
    """
    (today,) = _kept_effects(outcomes, [NumberChange.of("nothing", [])], None, "what is", progress)
    screened = {
        name: tuple(
            dict.fromkeys(
                key for key in ("allowed", best_effect(outcome, today[name]), "claimed") if key in today[name]
            )
        )
        for name, outcome in outcomes.items()
    }
    pairs = [_both_ends(number) for number in numbers]
    first = _kept_effects(outcomes, [change for pair in pairs for change in pair], screened, "one number", progress)
    result = {n.name: first[2 * index : 2 * index + 2] for index, n in enumerate(numbers)}
    acting = {
        number.name: moved
        for number in numbers
        if (moved := {name: x for name, x in outcomes.items() if _moves(x, name, today, result[number.name])})
    }
    for index, number in enumerate(n for n in numbers if n.name in acting):
        if progress is not None:
            progress("simulating people and orders under numbers that act", index, len(acting))
        moved = acting[number.name]
        full = _kept_effects(moved, _both_ends(number), None, "", None)
        # What it does not move stays as it is today.
        result[number.name] = [
            {name: {**today[name], **end[name], **of_moved.get(name, {})} for name in outcomes}
            for end, of_moved in zip(result[number.name], full, strict=True)
        ]
    for number in numbers:
        if number.name not in acting:
            result[number.name] = [
                {name: {**today[name], **end[name]} for name in outcomes} for end in result[number.name]
            ]
    return result


def _both_ends(number: ClaimNumber) -> list[NumberChange]:
    return [NumberChange.of(f"{number.name} at {end:g}", [(number, end)]) for end in (0.0, 1.0)]


def _moves(outcome: Outcome, name: str, today: Effects, ends: Sequence[Effects]) -> bool:
    """Return whether a number moves an effect of an outcome by a share of what is claimed that counts, or leaves none."""
    least = _MOVES * (abs(outcome.claimed) or 1.0)
    return any(not abs(x - today[name][key]) < least for end in ends for key, x in end[name].items())


def _decided(
    entry: JudgedClaim, numbers: Sequence[ClaimNumber], ends: Mapping[str, list[Effects]], of_draws: Sequence[Effects]
) -> DecidedClaim:
    tried = [_tried(entry, number, ends[number.name]) for number in numbers]
    verdicts = Counter(verdict for effects in of_draws if (verdict := verdict_under(entry, effects)))
    acting = [number for number in tried if number.decides(entry.verdict.verdict) or number.moves >= _MOVES]
    order = sorted(acting, key=lambda number: (not number.decides(entry.verdict.verdict), -number.moves))
    shares = {verdict: count / verdicts.total() for verdict, count in verdicts.most_common()}
    says = (entry.claim.id, entry.claim.claim, entry.verdict.verdict, "", tuple(order), len(tried))
    return DecidedClaim(*says, shares or None, verdicts.total())


def _undecided(entry: JudgedClaim) -> DecidedClaim:
    return DecidedClaim(entry.claim.id, entry.claim.claim, entry.verdict.verdict, why_undecided(entry))


def why_undecided(entry: JudgedClaim) -> str:
    """Return why no number of the model can change a verdict."""
    if entry.claim.about != "cells":
        return "it is about diabetes, and evidence alone decides"
    if not entry.simulations:
        return "nothing is simulated of it"
    simulations = entry.simulations
    verdicts = {
        judge_claim(entry.replies, [_said(item, reached) for item in simulations], True).verdict
        for reached in (True, False)
    }
    return "evidence alone decides, whatever the model says" if len(verdicts) == 1 else ""


def _said(simulated: SimulatedOutcome, reached: bool) -> SimulatedOutcome:
    """Return an outcome that the model could give and does, or does not."""
    return replace(simulated, reached_within_evidence=reached, expressible=True, uncertainty=None)


def verdict_under(entry: JudgedClaim, effects: Effects) -> str:
    """Return the verdict of a claim with other effects; empty where an outcome has no number."""
    moved = _simulations_under(entry, effects)
    return judge_claim(entry.replies, moved, entry.claim.about == "cells").verdict if moved else ""


def _simulations_under(entry: JudgedClaim, effects: Effects) -> list[SimulatedOutcome]:
    """Return what is simulated of each outcome with other effects; none where one has no number."""
    outcomes = entry.claim.named_outcomes
    if not all(math.isfinite(effects[name]["allowed"]) for name in outcomes):
        return []
    pairs = zip(outcomes.items(), entry.simulations, strict=True)
    return [_moved(outcome, simulated, effects[name]) for (name, outcome), simulated in pairs]


def _why(entry: JudgedClaim, effects: Effects) -> str:
    """Say what of the outcomes is another with other effects, to the extent that the rule asks for it."""
    reasons = []
    for before, after in zip(entry.simulations, _simulations_under(entry, effects), strict=False):
        if before.expressible is not False and after.expressible is False:
            reasons.append("told all that is claimed, the model falls short of it")
        elif before.expressible is False and after.expressible:
            reasons.append("told all that is claimed, the model gives it")
        elif after.reached_within_evidence and not before.reached_within_evidence:
            reasons.append("reached within what evidence allows")
        elif after.within_interval and not before.within_interval:
            reasons.append("inside the interval of what evidence allows")
        elif after.excluded and not before.excluded:
            reasons.append("beyond what evidence allows")
    return "; ".join(dict.fromkeys(reasons))


def _moved(outcome: Outcome, simulated: SimulatedOutcome, effects: Mapping[str, float]) -> SimulatedOutcome:
    """Return what is simulated of an outcome with other effects: whether it is reached, by its interval too, and whether it can be said."""
    best = effects[best_effect(outcome, effects)]
    claimed = effects.get("claimed", math.nan)
    uncertainty = simulated.uncertainty
    name = "largest" if simulated.largest is not None else "allowed"
    parts = interval_parts(outcome, simulated, name)
    if uncertainty is not None and parts is not None:
        # As wide as before, around the new effect.
        kind = kind_of_outcome(outcome)
        centre = kind.forward(outcome, best)
        most = HEALTH_QUANTITIES[outcome.quantity].most if outcome.quantity in HEALTH_QUANTITIES else math.inf
        ends = {
            "parameters": parts.interval(centre, names=["parameters"]),
            "all": parts.interval(centre),
        }
        inside = [
            part
            for part, of_part in ends.items()
            if any(outcome.reached_by(min(max(kind.backward(outcome, end), -most), most)) for end in of_part)
        ]
        uncertainty = replace(uncertainty, reached=inside[0] if inside else "")
    return replace(
        simulated,
        allowed=effects["allowed"],
        claimed=None if math.isnan(claimed) else claimed,
        largest=None if simulated.largest is None else best,
        reached_within_evidence=None if outcome.unmeasured else outcome.reached_by(best),
        expressible=None if math.isnan(claimed) else outcome.reached_by(claimed),
        uncertainty=uncertainty,
    )


def _tried(entry: JudgedClaim, number: ClaimNumber, ends: Sequence[Effects]) -> NumberTried:
    moves, where = 0.0, ""
    for name, outcome in entry.claim.named_outcomes.items():
        best = [end[name][best_effect(outcome, end[name])] for end in ends if math.isfinite(end[name]["allowed"])]
        if len(best) == len(ends) and (share := abs(best[1] - best[0]) / (abs(outcome.claimed) or 1.0)) > moves:
            moves, where = share, name
    row = number.row
    at_low, at_high = (verdict_under(entry, end) for end in ends)
    flips = [
        end for end, at_end in zip(ends, (at_low, at_high), strict=True) if at_end not in ("", entry.verdict.verdict)
    ]
    low, high = (number.at(u, CURRENT_EVIDENCE) for u in (0.0, 1.0))
    return NumberTried(
        row.id,
        row.label,
        row.unit,
        row.grade,
        row.value,
        row.low if low is None else low,
        row.high if high is None else high,
        at_low,
        at_high,
        moves,
        where,
        "; ".join(dict.fromkeys(_why(entry, end) for end in flips)),
    )


def _joint_changes(numbers: Sequence[ClaimNumber], draws: int) -> list[NumberChange]:
    if draws < 1 or not numbers:
        return []
    count = 1 << math.ceil(math.log2(draws))
    points = sobol_points(len(numbers), 0, count, (1, 0))
    return [
        NumberChange.of(f"draw {row + 1} of {count}", zip(numbers, map(float, point), strict=True))
        for row, point in enumerate(points)
    ]


def _kept_effects(
    outcomes: Mapping[str, Outcome],
    changes: Sequence[NumberChange],
    only: Mapping[str, Sequence[str]] | None,
    activity: str,
    progress: Progress | None,
) -> list[Effects]:
    """Return the effects under each change, those that were computed before from the cache."""
    about = [(name, asdict(outcome), None if only is None else only[name]) for name, outcome in outcomes.items()]
    effects: list[Effects] = []
    for start in range(0, len(changes), 2 * TOGETHER):
        if progress is not None:
            progress(f"simulating claims: {activity}", start, len(changes))
        group = changes[start : start + 2 * TOGETHER]
        places = [[(n.name, u, n.at(u, CURRENT_EVIDENCE)) for n, u in change.places] for change in group]
        entry = f"sensitivity/claims/{caching.key(__name__, about, places)}.json"
        body = caching.read_entry(entry)
        if body is None:
            body = json.dumps(changed_effects(outcomes, group, only)).encode()
            caching.write_entry(entry, body)
        effects += json.loads(body)
    return effects
