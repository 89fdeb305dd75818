"""The claims as the explorer shows them: verdict, evidence, consequences, what would change it, and a plan that tries it in the page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..physiology import whole_body
from ..therapies.scenarios import AS_CLAIMED, CURRENT_EVIDENCE, DEFAULT
from ..trust.trust_rows import trust_rows
from .explorer_people import MODEL, ORDERS, shipped_people

if TYPE_CHECKING:
    from ..claims.claim_outcome import Outcome
    from ..claims.judged_claim import JudgedClaim
    from ..claims.questions import Reply

#: Colours of the claims' pictures, and what the page has for each: it is light or dark.
_THEMED = {
    "#1f2937": "var(--ink)",
    "#4b5563": "var(--soft)",
    "#9ca3af": "var(--edge)",
    "#e5e7eb": "var(--line)",
    "#0072b2": "var(--p1)",
    "#3b8fc4": "var(--p1)",
    "#b3420a": "var(--p2)",
    "#ffffff": "var(--paper)",
}
_COLOUR = re.compile("|".join(_THEMED))


def explorer_claims() -> dict[str, Any]:
    """Return every claim as judged today, the rule by which, and how many have which verdict."""
    from ..claims.claim_verdict import RULE, VERDICTS
    from ..claims.ledger import judge_ledger
    from ..claims.questions import ANSWERS
    from ..report.claims.claims_page import claims_message

    entries = judge_ledger()
    return {
        "message": claims_message(entries),
        "verdicts": list(VERDICTS),
        "rule": dict(RULE),
        "answers": dict(ANSWERS),
        "compared": sorted({row.study for row in trust_rows()}),
        "claims": [_claim(entry, number) for number, entry in enumerate(entries)],
    }


def _claim(entry: JudgedClaim, number: int) -> dict[str, Any]:
    from ..report.claims.claims_page import claim_card
    from ..report.common.words import true_minus

    card = claim_card(entry, number)
    outcomes = [
        {
            **outcome,
            "scenarios": [[true_minus(text) for text in line] for line in outcome["scenarios"]],
            "leverage": true_minus(outcome["leverage"]),
            "not_known": true_minus(outcome["not_known"]),
            "shortfall": true_minus(outcome["shortfall"]),
        }
        for outcome in card["outcomes"]
    ]
    replies = [
        {**card_reply, **_drawn(reply)} for card_reply, reply in zip(card["replies"], entry.replies, strict=True)
    ]
    picture = _COLOUR.sub(lambda colour: _THEMED[colour[0]], str(card["picture"]))
    return {
        **card,
        "outcomes": outcomes,
        "replies": replies,
        "picture": picture,
        "plans": tried_plans(entry.claim.outcomes),
    }


def _drawn(reply: Reply) -> dict[str, Any]:
    """Return the numbers of an answer that can be drawn, and the studies that gave them."""
    from ..claims.wording import estimate_text, required
    from ..report.common.words import true_minus

    low, high = reply.ci if reply.ci is not None else (None, None)
    question = reply.question
    return {
        "estimate": true_minus(estimate_text(reply)),
        "requires": true_minus(required(question)),
        "value": reply.estimate,
        "low": low,
        "high": high,
        "null": no_effect(reply),
        "needs": question.requires,
        "unit": reply.unit,
        "studies": list(reply.studies),
    }


def no_effect(reply: Reply) -> float | None:
    """Return the value of no effect that an answer is held against; None of a share or a level by itself."""
    question = reply.question
    if question.null is not None:
        return question.null
    if not question.pools:
        return 0.0 if len(question.reads) > 1 else None
    measure = reply.how.partition(",")[0].lower()
    if "ratio" in measure:
        return 1.0
    return 0.0 if "difference" in measure or measure == "smd" else None


def tried_plans(outcomes: Sequence[Outcome]) -> dict[str, Any] | None:
    """Return the first simulated outcome that the page can simulate as well, as plans to compare; None where it can do none.

    Of cells: without them, by current evidence, as claimed, and as claimed with the mechanism of the claim switched off. Of diabetes
    itself: what it is compared with, and what is done.
    """
    model = whole_body.named_model(MODEL)
    people = {person["name"] for person in shipped_people()["people"]}
    for outcome in outcomes:
        inputs = {*outcome.inputs, *outcome.against, *outcome.switches}
        shown_here = outcome.person in people and outcome.quantity in model.names and inputs <= set(model.inputs)
        if outcome.contrast or not shown_here or (outcome.course and outcome.course not in ORDERS):
            continue
        base = {"person": outcome.person, "years": max(1, round(outcome.years)), "output": outcome.quantity}
        plans = _cell_plans(outcome) if outcome.course else _input_plans(outcome)
        if len(plans) > 1:
            return {**base, "plans": plans}
    return None


def _cell_plans(outcome: Outcome) -> list[dict[str, Any]]:
    inputs, cells = dict(outcome.inputs), outcome.course
    plans: list[dict[str, Any]] = [
        {"inputs": dict(outcome.against) or inputs},
        {"inputs": inputs, "cells": cells, "scenario": CURRENT_EVIDENCE},
        {"inputs": inputs, "cells": cells, "scenario": AS_CLAIMED},
    ]
    if outcome.switches:
        off = {**inputs, **dict.fromkeys(outcome.switches, 0.0)}
        plans.append({"inputs": off, "cells": cells, "scenario": AS_CLAIMED})
    return [{"scenario": DEFAULT, **plan} for plan in plans]


def _input_plans(outcome: Outcome) -> list[dict[str, Any]]:
    return [{"inputs": dict(values)} for values in (outcome.against, outcome.inputs)] if outcome.inputs else []
