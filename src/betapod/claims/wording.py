"""The ledger in plain sentences, and as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..base.constants import DAYS_PER_WEEK, DAYS_PER_YEAR
from .claim_outcome import Outcome, SimulatedOutcome
from .claim_people import describe_person as person_label
from .claim_verdict import RULE
from .judged_claim import JudgedClaim
from .legal_status import legal_sentences
from .numbers_in_words import three_digits
from .questions import Question, Reply
from .uncertainty_words import intervals_as_dict, lever_spread

#: What each verdict means to a reader without a statistician at hand.
PLAIN = {
    "supported": "Studies in people show this, and no direct study that we know speaks against it.",
    "partly supported": "Some studies point this way, but they are few, mixed, or show less than is claimed. That is no proof.",
    "untested": "In the literature that we have read, no study has tested this directly in the people it is about. It may be true or false.",
    "not supported": "Studies in people have tested this, and none shows it clearly.",
    "contradicted": "Studies show the opposite, or less than the claim needs.",
}
#: The same where a claim is not supported without any direct study.
PLAIN_UNREACHED = (
    "In the literature that we have read, no study has tested this directly in the people it is about. Our model could give it, and does "
    "not with effects as large as the evidence allows."
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
_SILENT = ("hold_glucose",)


def verdict_sentences(entry: JudgedClaim) -> str:
    """Return the verdict in one or two plain sentences."""
    if entry.verdict.rule == RULE["unreached"]:
        return PLAIN_UNREACHED
    return PLAIN[entry.verdict.verdict]


def effect_unit(quantity: str, unit: str, measure: str = "difference") -> str:
    """Return the unit of an effect as readers see it: differences of HbA1c, which is in per cent itself, are in percentage points."""
    if unit in ("", "1"):
        return ""
    return "percentage points" if unit == "%" and quantity == "HbA1c" and measure == "difference" else unit


def estimate_text(reply: Reply) -> str:
    """Return an estimate with its interval and unit."""
    if reply.estimate is None:
        return ""
    endpoint = str(reply.question.select.get("endpoint", ""))
    unit = effect_unit(endpoint, reply.unit)
    unit = f" {unit}" if unit else ""
    interval = f" ({three_digits(reply.ci[0])} to {three_digits(reply.ci[1])})" if reply.ci else ""
    return f"{three_digits(reply.estimate)}{interval}{unit}"


def required(question: Question) -> str:
    """Return the least or most that a claim requires of an answer; empty where any effect will do."""
    if question.requires is None:
        return ""
    return f"{'at least' if question.expects == 'above' else 'at most'} {question.requires:g}"


def outcome_words(outcome: Outcome, label: str) -> str:
    """Return the simulated outcome in words: quantity, person, what is done, time, what is claimed."""
    bound = "at most " if outcome.at_most else "at least " if outcome.at_least else ""
    return (
        f"{_what(outcome, f'{label} ({outcome.quantity})', _KIND[outcome.measure])}; claimed {bound}{outcome.claimed:g}"
    )


#: What the measure of an outcome is called.
_KIND = {"percent": "change in %", "difference": "difference", "level": "value reached"}


def outcome_caption(outcome: Outcome, label: str, unit: str) -> str:
    """Return a sentence that says what the picture of a claim shows: quantity and unit, comparison, time, person."""
    kind = "relative change" if outcome.measure == "percent" else _KIND[outcome.measure]
    unit_shown = effect_unit(outcome.quantity, "%" if outcome.measure == "percent" else unit, outcome.measure)
    return f"Simulated: {_what(outcome, label, kind + (f' ({unit_shown})' if unit_shown else ''))}"


def _what(outcome: Outcome, label: str, kind: str) -> str:
    if outcome.described:
        return f"{label}, {kind}; {outcome.described}; after {_time(outcome)}"
    return f"{label}, {kind} after {_time(outcome)}; {_compared(outcome)}; {person_label(outcome.person)}"


def shortfall(outcome: Outcome, simulated: SimulatedOutcome) -> str:
    """Say that the model cannot express what is claimed, where it is so, and why."""
    if simulated.expressible is not False:
        return ""
    unit = effect_unit(outcome.quantity, simulated.unit, outcome.measure)
    unit = f" {unit}" if unit else ""
    told = (
        f"The model cannot express this: told all that is claimed, it gives {three_digits(simulated.claimed)}{unit} where "
        f"{three_digits(outcome.claimed)}{unit} is claimed. That it is not reached is therefore no finding about the treatment."
    )
    return f"{told} {outcome.no_body_could}" if outcome.no_body_could else told


def named_parts(outcome: Outcome, simulated: SimulatedOutcome) -> dict[str, str]:
    """Return which numbers of a simulated outcome are there, each in words."""
    best = f" ({best_words(outcome, simulated)})" if simulated.best else ""
    parts = {
        "off": "without the mechanism",
        "allowed": "by current evidence" if outcome.course else "by the model as it is",
        "face": "with positive trials at face value",
        "largest": f"best within what evidence allows{best}",
        "claimed": "as claimed",
        "rival": f"the same by {outcome.rival_words} alone, by current evidence",
        "rival_claimed": f"the same by {outcome.rival_words} alone, as claimed",
    }
    return {name: words for name, words in parts.items() if getattr(simulated, name) is not None}


def best_words(outcome: Outcome, simulated: SimulatedOutcome) -> str:
    """Return which simulation within what evidence allows came nearest, with person and order in words."""
    words = simulated.best
    for person, course in outcome.variants():
        name = f"{person}, {course}" if course else person
        if words.endswith(f", {name}"):
            return f"{words.removesuffix(name)}{person_label(person)}{f', {course}' if course else ''}"
    return words


def _time(outcome: Outcome) -> str:
    weeks = outcome.years * DAYS_PER_YEAR / DAYS_PER_WEEK
    if outcome.years == 1:
        return "1 year"
    return f"{outcome.years:g} years" if outcome.years > 1 else f"{weeks:.2g} weeks"


def _compared(outcome: Outcome) -> str:
    if outcome.course:
        return f"{outcome.course} against none"
    return f"{_done(outcome.inputs)} against {_done(outcome.against)}"


def _done(inputs: Mapping[str, float]) -> str:
    words = [_INPUTS[name].format(f"{value:g}") for name, value in inputs.items() if name not in _SILENT and value]
    return ", ".join(words) or "no change"


def leverage_words(simulated: SimulatedOutcome | None) -> str:
    """Return how large the parameter must be, against what evidence allows; and under the draws of a fit, where there are some."""
    text = _leverage_at_centre(simulated)
    spread = lever_spread(simulated) if simulated is not None else ""
    return f"{text}; {spread}" if spread else text


def _leverage_at_centre(simulated: SimulatedOutcome | None) -> str:
    if simulated is None:
        return "not simulated"
    if simulated.reached_within_evidence is None:
        return "no table of evidence has a number for this mechanism: the model neither excludes nor supports it"
    if not simulated.lever:
        reached = "reached" if simulated.reached_within_evidence else "not reached"
        return f"{reached} by the model as it is; no parameter was varied"
    if simulated.expressible is False:
        return "the model cannot express this, even told all that is claimed"
    unit = "" if simulated.lever_unit in ("", "1") else f" {simulated.lever_unit}"
    if simulated.needed is None:
        return f"not reached even with {simulated.lever} at {three_digits(simulated.ceiling)}{unit}; evidence allows up to {three_digits(simulated.limit)}"
    if simulated.needed == simulated.now:
        return f"reached with {simulated.lever} at its current value, {three_digits(simulated.now)}{unit}"
    text = f"{simulated.lever} must be {three_digits(simulated.needed)}{unit}; evidence allows up to {three_digits(simulated.limit)}"
    if simulated.limit and simulated.needed > simulated.limit * (1 + 1e-6):
        text += f", {three_digits(simulated.needed / simulated.limit)} times less"
        if simulated.reached_within_evidence:
            text += f"; reached by {simulated.best}"
    return text


def claim_as_dict(entry: JudgedClaim) -> dict[str, Any]:
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
        "plain": verdict_sentences(entry),
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
        "outcomes": [
            {
                "outcome": asdict(outcome),
                "simulated": asdict(simulated),
                "intervals": intervals_as_dict(outcome, simulated),
                "leverage": leverage_words(simulated),
                "cannot_express": shortfall(outcome, simulated),
            }
            for outcome, simulated in entry.simulated_outcomes
        ],
        "leverage": leverage_words(entry.simulated),
        "missing": claim.missing,
        "note": claim.note,
        "differs": claim.differs,
        "legal": legal_sentences(claim.legal),
        "change": claim.change,
    }
