"""The rule that turns answers and simulation into a verdict, the same for every claim and printed with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..evidence.synthesis.certainty import LEVELS
from .questions import SILENT, Reply

if TYPE_CHECKING:
    from .claim_outcome import SimulatedOutcome

VERDICTS = ("supported", "partly supported", "untested", "not supported", "contradicted")

#: The rule, in the order in which it is applied; the first line that fits decides.
RULE = {
    "untested": "no usable record answers a question of the claim; or only indirect records do, and the simulation does not "
    "exclude the claimed outcome (one that the model cannot give even when told all that is claimed is not excluded by it, nor one inside the "
    "interval of what evidence allows)",
    "unreached": "only indirect records answer, and a claimed outcome that the model can express is not reached within what evidence "
    "allows, nor inside the 95 % interval of that, where a fit gives one (parameters, what studies differ by, chance)",
    "contradicted": "at least one direct answer is against, and none is for or short",
    "supported": "a direct answer of moderate or high certainty is for, no direct answer is against, short or a case of harm, and, "
    "for claims about treatment with cells, the outcome is reached within what evidence allows at its central value",
    "partly supported": "some direct answer with an interval is for or short, but the line above is not met",
    "not supported": "direct answers exist, and none with an interval is for or short",
}


#: Said where the simulation holds a verdict back.
_SIMULATION = "a claimed outcome is not reached within what evidence allows"
#: Added where the outcome lies beyond its interval too, and said where it lies inside.
_BEYOND = ", nor inside its interval"
_INSIDE = "a claimed outcome is not reached within what evidence allows, but lies inside its interval"


@dataclass(frozen=True)
class ClaimVerdict:
    """A verdict with the line of the rule that gave it.

    Attributes
    ----------
    certainty
        Highest GRADE level among the direct answers that decided; empty without any.
    """

    verdict: str
    rule: str
    because: str
    certainty: str


def judge_claim(replies: Sequence[Reply], simulations: Sequence[SimulatedOutcome], about_cells: bool) -> ClaimVerdict:
    """Apply the rule to the answers of one claim.

    Parameters
    ----------
    simulations
        What the model says of each outcome; one that is excluded is enough. None if it was not asked. What is not known of an outcome can
        only make a verdict less firm: inside its interval an outcome is neither excluded nor reached.
    about_cells
        Whether the claim is about treatment with cells: then the simulation may hold a verdict back.
    """
    answered = [reply for reply in replies if reply.answer not in SILENT]
    direct = [reply for reply in answered if reply.direct]
    excluded = [simulation for simulation in simulations if simulation.excluded]
    inside = [
        simulation for simulation in simulations if simulation.within_interval and simulation.expressible is not False
    ]
    reached = not excluded and not inside
    model_says = _SIMULATION + _BEYOND * any(simulation.uncertainty for simulation in excluded) if excluded else _INSIDE
    if not answered:
        return _verdict("untested", "untested", "no usable record", [])
    if not direct:
        indirect = "only indirect records: " + _list(answered)
        if about_cells and excluded:
            return _verdict("not supported", "unreached", f"{indirect}; {model_says}", [])
        inside_too = f"; {_INSIDE}" if about_cells and inside else ""
        return _verdict("untested", "untested", indirect + inside_too, [])
    good = [reply for reply in direct if reply.answer == "for"]
    short = [reply for reply in direct if reply.answer == "short"]
    bad = [reply for reply in direct if reply.answer == "against"]
    harm = [reply for reply in direct if reply.answer == "case of harm"]
    if bad and not good and not short:
        return _verdict("contradicted", "contradicted", "against: " + _list(bad), bad)
    sure = [reply for reply in good if LEVELS.index(reply.certainty) >= LEVELS.index("moderate")]
    if sure and not bad and not short and not harm and (reached or not about_cells):
        return _verdict("supported", "supported", "for: " + _list(sure), sure)
    if good or short:
        reasons = ["for: " + _list(good)] if good else []
        reasons += ["short of what is claimed: " + _list(short)] if short else []
        reasons += ["against: " + _list(bad)] if bad else []
        reasons += ["cases of harm: " + _list(harm)] if harm else []
        reasons += [f"certainty {_best(good + short)}"] if not sure else []
        reasons += [model_says] if about_cells and not reached else []
        return _verdict("partly supported", "partly supported", "; ".join(reasons), good + short)
    return _verdict("not supported", "not supported", "none with an interval is for: " + _list(direct), direct)


def _verdict(name: str, rule: str, because: str, deciding: Sequence[Reply]) -> ClaimVerdict:
    return ClaimVerdict(name, RULE[rule], because, _best(deciding))


def _best(replies: Sequence[Reply]) -> str:
    levels = [reply.certainty for reply in replies if reply.certainty]
    return max(levels, key=LEVELS.index) if levels else ""


def _list(replies: Sequence[Reply]) -> str:
    return ", ".join(f"{reply.question.text} ({', '.join(reply.studies)}: {reply.answer})" for reply in replies)
