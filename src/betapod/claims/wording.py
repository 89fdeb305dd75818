"""The ledger in plain sentences, and as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..base.constants import DAYS_PER_WEEK, DAYS_PER_YEAR
from .claim_people import label as person_label
from .ledger import Entry
from .outcome import Outcome, Simulated
from .questions import Question, Reply
from .verdict import RULE

#: What each verdict means to a reader without a statistician at hand.
PLAIN = {
    "supported": "Studies in people show this, and no direct study that we know speaks against it.",
    "partly supported": "Some studies point this way, but they are few, mixed, or show less than is claimed. That is no proof.",
    "untested": "As far as we have read, nobody has tested this directly in the people it is about. It may be true or false.",
    "not supported": "Studies in people have asked this, and none shows it clearly.",
    "contradicted": "Studies show the opposite, or less than the claim needs.",
}
#: The same where a claim is not supported without any direct study.
PLAIN_UNREACHED = (
    "As far as we have read, nobody has tested this directly in the people it is about. In our model it is out of reach, "
    "even with effects as large as studies allow."
)
#: What is done to a simulated person, in words; `{}` is the value.
_INPUTS = {
    "glucose_held": "glucose held at {} mmol/L",
    "e_ARB": "an angiotensin receptor blocker",
    "e_S": "an SGLT2 inhibitor",
    "protein_animal": "{} g/kg/day of animal protein",
    "protein_vegetable": "{} g/kg/day of vegetable protein",
    "ANP_factor": "atrial natriuretic peptide times {}",
}
#: Inputs that only go with another.
_SILENT = ("hold_glucose", "early_stage")


def plain(entry: Entry) -> str:
    """Return the verdict in one or two plain sentences."""
    if entry.verdict.rule == RULE["unreached"]:
        return PLAIN_UNREACHED
    return PLAIN[entry.verdict.verdict]


def number(value: float | None) -> str:
    """Return a number of three digits, or a dash."""
    if value is None:
        return "-"
    if abs(value) < 1e-5:
        return "0" if value == 0 else "about 0"
    return f"{float(f'{value:.3g}'):g}" if 1e-3 <= abs(value) < 1e5 else f"{value:.1e}"


def estimate(reply: Reply) -> str:
    """Return an estimate with its interval and unit."""
    if reply.estimate is None:
        return ""
    unit = "" if reply.unit in ("1", "") else f" {reply.unit}"
    interval = f" ({number(reply.ci[0])} to {number(reply.ci[1])})" if reply.ci else ""
    return f"{number(reply.estimate)}{interval}{unit}"


def required(question: Question) -> str:
    """Return the least or most that a claim requires of an answer; empty where any effect will do."""
    if question.requires is None:
        return ""
    return f"{'at least' if question.expects == 'above' else 'at most'} {question.requires:g}"


def outcome_words(outcome: Outcome, label: str) -> str:
    """Return the simulated outcome in words: quantity, person, what is done, time, what is claimed."""
    weeks = outcome.years * DAYS_PER_YEAR / DAYS_PER_WEEK
    time = (
        f"{outcome.years:g} years" if outcome.years > 1 else ("1 year" if outcome.years == 1 else f"{weeks:.2g} weeks")
    )
    if outcome.course:
        what = f"{outcome.course} against none"
    else:
        what = f"{_done(outcome.inputs)} against {_done(outcome.against)}"
    kind = "change in %" if outcome.measure == "percent" else "difference"
    claimed = f"claimed {'at most ' if outcome.at_most else ''}{outcome.claimed:g}"
    return f"{label} ({outcome.quantity}), {kind}; {person_label(outcome.person)}; {what}; after {time}; {claimed}"


def _done(inputs: Mapping[str, float]) -> str:
    words = [_INPUTS[name].format(f"{value:g}") for name, value in inputs.items() if name not in _SILENT and value]
    return ", ".join(words) or "no change"


def leverage_words(simulated: Simulated | None) -> str:
    """Return how large the parameter must be, against what evidence allows."""
    if simulated is None:
        return "not simulated"
    if not simulated.lever:
        reached = "reached" if simulated.reached_within_evidence else "not reached"
        return f"{reached} by the model as it stands; no parameter to stretch"
    unit = "" if simulated.lever_unit in ("", "1") else f" {simulated.lever_unit}"
    if simulated.needed is None:
        return f"not reachable: {simulated.lever} up to {number(simulated.ceiling)}{unit} (evidence allows {number(simulated.limit)})"
    if simulated.needed == simulated.now:
        return f"reached with {simulated.lever} at its present value, {number(simulated.now)}{unit}"
    text = f"{simulated.lever} must be {number(simulated.needed)}{unit}; evidence allows {number(simulated.limit)}"
    if simulated.limit and simulated.needed > simulated.limit * (1 + 1e-6):
        text += f" ({number(simulated.needed / simulated.limit)} times too little)"
    return text


def as_dict(entry: Entry) -> dict[str, Any]:
    """Return everything about an entry as plain values."""
    from dataclasses import asdict

    claim = entry.claim
    return {
        "id": claim.id,
        "source": claim.source,
        "claim": claim.claim,
        "about": claim.about,
        "group": claim.group,
        "mechanism": claim.mechanism,
        "parameters": claim.parameters,
        "verdict": entry.verdict.verdict,
        "plain": plain(entry),
        "rule": entry.verdict.rule,
        "because": entry.verdict.because,
        "certainty": entry.verdict.certainty,
        "specified": claim.specified,
        "agrees_with_specified": entry.agrees,
        "answers": [
            {
                "question": reply.question.text,
                "direct": reply.direct,
                "answer": reply.answer,
                "estimate": reply.estimate,
                "ci": reply.ci,
                "unit": reply.unit,
                "requires": reply.question.requires,
                "certainty": reply.certainty,
                "studies": list(reply.studies),
                "records": list(reply.records),
                "how": reply.how,
            }
            for reply in entry.replies
        ],
        "outcome": asdict(claim.outcome) if claim.outcome else None,
        "not_simulated": claim.not_simulated,
        "simulated": asdict(entry.simulated) if entry.simulated else None,
        "leverage": leverage_words(entry.simulated),
        "missing": claim.missing,
        "note": claim.note,
        "differs": claim.differs,
        "change": claim.change,
    }
