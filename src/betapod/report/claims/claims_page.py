"""The claims ledger as one HTML page that needs nothing else, and as a section of a trial's report."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...base.nouns import with_noun
from ..common.pages import template
from ..common.words import capital, listed, true_minus
from .claim_pictures import picture, verdicts_overview

if TYPE_CHECKING:
    from ...claims.claim_outcome import Outcome, SimulatedOutcome
    from ...claims.claims import Claim
    from ...claims.judged_claim import JudgedClaim
    from ...claims.seed_comparison import Contest
    from ..common.document import Section

TEMPLATE = "ledger.html.jinja"


def render_claims_page(
    entries: Sequence[JudgedClaim], remarks: Sequence[str] = (), contested: Sequence[Contest] | None = None
) -> str:
    """Return the page; see `write_claims_page`."""
    from ... import __version__
    from ...claims.claim_verdict import RULE, VERDICTS
    from ...claims.numbers_in_words import three_digits
    from ...claims.questions import ANSWERS
    from ...claims.seed_comparison import contests
    from ...claims.wording import effect_unit
    from ...trust.trust_answer import trust_sentence
    from ...trust.trust_lines import question_of_cells

    cards = [claim_card(entry, number) for number, entry in enumerate(entries)]
    counts = {name: sum(card["verdict"] == name for card in cards) for name in VERDICTS}
    return template(TEMPLATE, printed=true_minus, first_capital=capital).render(
        cards=cards,
        message=claims_message(entries),
        overview=verdicts_overview(entries),
        remarks=remarks,
        trust=trust_sentence(question_of_cells()),
        counts=counts,
        verdicts=VERDICTS,
        groups=list(dict.fromkeys(card["group"] for card in cards)),
        answers=ANSWERS,
        rule=RULE,
        contests=[
            {
                "name": contest.name,
                "unit": effect_unit("HbA1c" if contest.name.startswith("HbA1c") else "", contest.unit),
                "claimed": three_digits(contest.claimed),
                "claimed_ends": _ends(contest.claimed, contest.claimed_ends),
                "allowed": three_digits(contest.allowed),
                "allowed_ends": _ends(contest.allowed, contest.allowed_ends),
                "measured": f"{three_digits(contest.low)} to {three_digits(contest.high)}",
                "loses": contest.loses,
                "holds": contest.holds,
                "source": contest.source,
            }
            for contest in (contests() if contested is None else contested)
        ],
        differing=[card for card in cards if not card["agrees"]],
        version=__version__,
    )


def _ends(value: float, ends: tuple[float, float]) -> str:
    """Return an interval in words; nothing where there is none."""
    from ...claims.uncertainty_words import range_words

    return "" if ends == (value, value) else range_words(ends)


def write_claims_page(
    entries: Sequence[JudgedClaim], to: Path, remarks: Sequence[str] = (), contested: Sequence[Contest] | None = None
) -> Path:
    """Write the page to a file and return its path.

    Parameters
    ----------
    remarks
        What a reader must know of the evidence: overlays of what is published.
    contested
        Predictions of the claims' parameters beside measurements; simulated, or read from the cache, by default.

    Raises
    ------
    ConfigError
        The folder does not exist or cannot be written to.
    """
    from ...base.files import write_text

    return write_text(to, render_claims_page(entries, remarks, contested))


def claims_message(entries: Sequence[JudgedClaim]) -> list[str]:
    """Return what came out, in sentences: verdicts about cells, about diabetes, and what the model says."""
    from ...claims.claim_verdict import VERDICTS

    sentences = []
    for about, subject in (("cells", "treatment with cells"), ("diabetes", "diabetes itself")):
        judged = [entry.verdict.verdict for entry in entries if entry.claim.about == about]
        counts = [f"{judged.count(name)} {name}" for name in VERDICTS if name in judged]
        if judged:
            none = " none is supported" if "supported" not in judged else ""
            sentences.append(f"Of {with_noun(len(judged), 'claim')} about {subject}{none}: {listed(counts)}.")
    simulated = [e.simulations for e in entries if e.claim.about == "cells" and e.simulations]
    reached = sum(
        all(simulation.reached_within_evidence is not False for simulation in several) for several in simulated
    )
    inside = sum(any(simulation.within_interval for simulation in several) for several in simulated)
    silent = sum(any(simulation.expressible is False for simulation in several) for several in simulated)
    if simulated:
        sentences.append(
            f"The model can simulate {with_noun(len(simulated), 'claim')} about cells: with the largest effect that evidence allows it reaches "
            f"{reached or 'none'} of them."
        )
    if inside:
        sentences.append(
            f"Of {inside} more an outcome lies inside the interval of that effect (parameters and what studies differ by): the model excludes "
            "it no longer, and does not reach it."
        )
    if silent:
        sentences.append(f"Of {silent} the model cannot express what is claimed; there it says nothing.")
    return sentences


def claim_card(entry: JudgedClaim, number: int) -> dict[str, Any]:
    """Return what is shown of one claim: words and numbers as readers see them, and its picture."""
    from ...claims.claim_verdict import VERDICTS
    from ...claims.legal_status import legal_sentences
    from ...claims.wording import estimate_text, required, verdict_sentences

    claim = entry.claim
    return {
        "id": claim.id,
        "number": number,
        "claim": claim.claim,
        "about": claim.about,
        "group": claim.group,
        "mechanism": claim.mechanism,
        "parameters": claim.parameters,
        "verdict": entry.verdict.verdict,
        "rank": VERDICTS.index(entry.verdict.verdict),
        "plain": verdict_sentences(entry),
        "rule": entry.verdict.rule,
        "because": entry.verdict.because,
        "certainty": entry.verdict.certainty or "none",
        "specified": claim.specified,
        "agrees": entry.agrees,
        "factor": factor(entry),
        "outcomes": [_outcome(outcome, simulated) for outcome, simulated in entry.simulated_outcomes],
        "not_simulated": claim.not_simulated,
        "picture": picture(entry),
        "missing": claim.missing,
        "note": claim.note,
        "legal": legal_sentences(claim.legal),
        "differs": claim.differs,
        "change": claim.change,
        "replies": [
            {
                "answer": reply.answer,
                "text": reply.question.text,
                "direct": reply.direct,
                "estimate": estimate_text(reply),
                "requires": required(reply.question),
                "certainty": reply.certainty,
                "records": ", ".join(reply.records),
                "how": reply.how,
            }
            for reply in entry.replies
        ],
    }


def _outcome(outcome: Outcome, simulated: SimulatedOutcome) -> dict[str, Any]:
    """Return what is shown of one simulated outcome."""
    from ...claims.claim_simulation import unit_and_label
    from ...claims.claim_uncertainty import effect_interval
    from ...claims.numbers_in_words import three_digits as written
    from ...claims.uncertainty_words import held_words, interval_words
    from ...claims.wording import effect_unit, leverage_words, named_parts, outcome_caption, shortfall

    unit, label = unit_and_label(outcome.quantity)
    unit_shown = effect_unit(outcome.quantity, simulated.unit, outcome.measure)
    bound = "at most " if outcome.at_most else "at least " if outcome.at_least else ""
    return {
        "caption": outcome_caption(outcome, label, unit),
        "scenarios": [
            ("claimed", f"{bound}{written(outcome.claimed)} {unit_shown}".strip(), ""),
            *(
                (
                    words,
                    f"{written(getattr(simulated, name))} {unit_shown}".strip(),
                    interval_words(effect_interval(outcome, simulated, name)).strip(),
                )
                for name, words in named_parts(outcome, simulated).items()
            ),
        ],
        "leverage": leverage_words(simulated),
        "not_known": held_words(simulated),
        "shortfall": shortfall(outcome, simulated),
    }


def factor(entry: JudgedClaim) -> float:
    """Return how many times more than evidence allows the parameter must be: at most 1 where it is reached, 1e9 where never.

    Of several outcomes the farthest; below 0 where nothing is simulated (-1) or the model cannot say (-0.5).
    """
    factors = [_factor(simulated) for simulated in entry.simulations]
    return max(factors, default=-1.0)


def _factor(simulated: SimulatedOutcome) -> float:
    if simulated.expressible is False or simulated.reached_within_evidence is None:
        return -0.5
    if simulated.reached_within_evidence:
        return 1.0
    if not simulated.lever:
        return 1e9
    if simulated.needed is None:
        return 1e9
    return simulated.needed / simulated.limit if simulated.limit else 1.0


#: Words of a claim about cells, whatever it is filed under.
_CELLS = re.compile(r"(?<!beta )\bcells?\b", re.IGNORECASE)


def bearing(quantities: Iterable[str], cells: bool, treatments: Collection[str] = ()) -> list[Claim]:
    """Return the claims on which a run bears: those whose simulated outcome or published endpoint it measures.

    Parameters
    ----------
    quantities
        Names of what the run measured, such as ``HbA1c``.
    cells
        Whether it treated with cells; if not, only claims about diabetes come.
    treatments
        What it treated with besides, as the evidence calls it: without cells, claims whose evidence is about nothing of it do not come.
    """
    from ...claims import claims

    measured = {name.lower() for name in quantities}
    bearing_claims = []
    for claim in claims.load_claims():
        asked = {str(question.select.get("endpoint", "")).lower() for question in claim.questions}
        promised = {outcome.quantity.lower() for outcome in claim.outcomes}
        tested = {str(question.select.get("product", "")) for question in claim.questions}
        about = cells or (claim.about == "diabetes" and not _CELLS.search(claim.claim))
        if measured & (asked | promised) and about and (cells or not treatments or tested & set(treatments)):
            bearing_claims.append(claim)
    return bearing_claims


def section(quantities: Iterable[str], cells: bool, treatments: Collection[str] = ()) -> Section | None:
    """Return the section of a trial's report with the claims that it bears on; None if there are none."""
    from ...claims.ledger import judge_ledger
    from ..common.document import Section, Table

    selected = bearing(quantities, cells, treatments)
    if not selected:
        return None
    entries = judge_ledger([claim.id for claim in selected])
    rows = [
        [e.claim.id, e.claim.claim, e.verdict.verdict, e.verdict.certainty or "none", _reach(factor(e))]
        for e in entries
    ]
    table = Table(
        "Verdicts are computed from published numbers and simulation; this run changes none of them.",
        ["Claim", "What is claimed", "Verdict", "Certainty", "Effect needed"],
        rows,
        words=5,
    )
    return Section("claims", "Claims that this run bears on", tables=[table])


def _reach(times: float) -> str:
    """Say in words how far the model must be stretched for a claim, without naming its parameters."""
    if times < 0:
        return "not simulated" if times <= -1 else "the model cannot say"
    if times >= 1e9:
        return "out of the model's reach"
    if times <= 1:
        return "within what evidence allows"
    from ...claims.numbers_in_words import three_digits

    return f"{three_digits(times)} times what evidence allows"
