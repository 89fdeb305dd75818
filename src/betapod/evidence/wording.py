"""The ledger in plain sentences, and as plain data."""

from __future__ import annotations

from typing import Any

from .ledger import Entry
from .leverage import Outcome, Simulated
from .questions import Reply

#: What each verdict means to a reader without a statistician at hand.
PLAIN = {
    "supported": "Studies in people show this, and no direct study that we know speaks against it.",
    "partly supported": "Some studies point this way, but they are few, mixed, or show less than is claimed.",
    "untested": "Nobody has tested this directly in people, as far as we have read.",
    "not supported": "Nothing that has been studied shows it.",
    "contradicted": "Studies show the opposite, or less than the claim needs.",
}


def number(value: float | None) -> str:
    """Return a number of three digits, or a dash."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    return f"{value:.3g}" if 1e-3 <= abs(value) < 1e5 else f"{value:.1e}"


def estimate(reply: Reply) -> str:
    """Return an estimate with its interval and unit."""
    if reply.estimate is None:
        return ""
    unit = "" if reply.unit in ("1", "") else f" {reply.unit}"
    interval = f" ({number(reply.ci[0])} to {number(reply.ci[1])})" if reply.ci else ""
    return f"{number(reply.estimate)}{interval}{unit}"


def outcome_words(outcome: Outcome, label: str) -> str:
    """Return the simulated outcome in words: quantity, person, what is done, time, what is claimed."""
    weeks = outcome.years * 365.25 / 7
    time = (
        f"{outcome.years:g} years" if outcome.years > 1 else ("1 year" if outcome.years == 1 else f"{weeks:.2g} weeks")
    )
    what = outcome.course or ", ".join(f"{key} {value:g}" for key, value in outcome.inputs.items()) or "own course"
    if outcome.against:
        what += " against " + ", ".join(f"{key} {value:g}" for key, value in outcome.against.items())
    if outcome.course and outcome.inputs:
        what += ", " + ", ".join(f"{key} {value:g}" for key, value in outcome.inputs.items())
    kind = "change in %" if outcome.measure == "percent" else "difference"
    return f"{label} ({outcome.quantity}), {kind}; person {outcome.person}; {what}; after {time}; claimed {outcome.claimed:g}"


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
        "rule": entry.verdict.rule,
        "because": entry.verdict.because,
        "certainty": entry.verdict.certainty,
        "specified": claim.specified,
        "agrees_with_specified": entry.agrees,
        "answers": [
            {
                "question": reply.question.text,
                "direct": reply.question.direct,
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
        "change": claim.change,
    }
