"""A claim shown in full: evidence, simulation, deciding rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..shared import print_fields, print_text

if TYPE_CHECKING:
    from ...claims.judged_claim import JudgedClaim


def show_claim(entry: JudgedClaim) -> None:
    """Print a claim in full."""
    from ...claims.claim_simulation import unit_and_label
    from ...claims.claim_uncertainty import effect_interval
    from ...claims.ledger import evidence_for_claims
    from ...claims.legal_status import legal_sentences
    from ...claims.new_studies import scope_of
    from ...claims.numbers_in_words import three_digits
    from ...claims.uncertainty_words import held_words, interval_words
    from ...claims.wording import (
        estimate_text,
        leverage_words,
        named_parts,
        outcome_words,
        required,
        shortfall,
        verdict_sentences,
    )

    claim, verdict = entry.claim, entry.verdict
    sure = f", certainty {verdict.certainty}" if verdict.certainty else ""
    lines = [
        ("stands in", claim.source),
        ("mechanism", f"{claim.mechanism} ({claim.parameters})"),
        ("verdict", f"{verdict.verdict}{sure}\n{verdict_sentences(entry)}"),
        ("rule", verdict.rule),
        ("because", verdict.because),
    ]
    for reply in entry.replies:
        direct = "" if reply.direct else ", indirect"
        needs = f"; needs {required(reply.question)}" if required(reply.question) else ""
        sure = f"; certainty {reply.certainty}" if reply.certainty else ""
        said = " ".join(
            part for part in (estimate_text(reply), f"[{reply.how}{needs}{sure}]", ", ".join(reply.records)) if part
        )
        lines.append((reply.answer, f"{reply.question.text}{direct}: {said}"))
    for outcome, simulated in entry.simulated_outcomes:
        unit = "" if simulated.unit == "1" else f" {simulated.unit}"
        words = f"{outcome_words(outcome, unit_and_label(outcome.quantity)[1])}{unit}"
        values = "; ".join(
            f"{part} {three_digits(getattr(simulated, name))}{interval_words(effect_interval(outcome, simulated, name))}"
            for name, part in named_parts(outcome, simulated).items()
        )
        lines += [("simulated", f"{words}: {values}"), ("leverage", leverage_words(simulated))]
        lines += [("not known", held_words(simulated))]
        lines += [("not expressed", shortfall(outcome, simulated))]
    lines += [
        ("not simulated", claim.not_simulated),
        ("no direct record", claim.missing),
        ("mind", claim.note),
        ("the law", " ".join(legal_sentences(claim.legal))),
        ("asks of new studies", "; ".join(scope_of(claim, evidence_for_claims()))),
        ("would change it", claim.change),
    ]
    print_text(f"{claim.id}  {claim.claim}", "bold", 2)
    print_fields(lines)
