"""The ledger of claims: each with its evidence, its simulation and its verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, overload

from ..base.display import Displayed
from ..evidence.records import registry
from ..evidence.records.registry import Registry
from . import claim_simulation
from . import claims as claims_of
from .claim_parameters import FitChoice
from .claim_verdict import judge_claim
from .claims import Claim
from .judged_claim import JudgedClaim
from .kept_replies import replies_to
from .new_studies import questions_of
from .own_questions import check_questions
from .wording import leverage_words, verdict_sentences

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Ledger(Displayed, Sequence[JudgedClaim]):
    """Claims as judged, in the order of the claims.

    Attributes
    ----------
    entries
        One per claim.

    Examples
    --------
    >>> import betapod
    >>> ledger = betapod.judge_claims(["A01", "B20"], simulate=False)
    >>> [entry.claim.id for entry in ledger]
    ['A01', 'B20']
    """

    entries: tuple[JudgedClaim, ...]

    @overload
    def __getitem__(self, index: int) -> JudgedClaim: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[JudgedClaim]: ...
    def __getitem__(self, index: int | slice) -> JudgedClaim | Sequence[JudgedClaim]:
        return self.entries[index]

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def table(self) -> pd.DataFrame:
        """One row per claim: what it says, the verdict with its certainty and reason, and what the model would need for it."""
        import pandas as pd

        columns = ("id", "about", "claim", "verdict", "certainty", "plain", "because", "leverage", "source")
        rows = [
            (
                *(entry.claim.id, entry.claim.about, entry.claim.claim, entry.verdict.verdict, entry.verdict.certainty),
                *(verdict_sentences(entry), entry.verdict.because, leverage_words(entry.simulated), entry.claim.source),
            )
            for entry in self.entries
        ]
        return pd.DataFrame(rows, columns=list(columns))


def evidence_for_claims(overlays: Iterable[str | Path] = ()) -> Registry:
    """Return the registry with the findings about mechanisms, and the user's own tables over both."""
    return registry.load_with_mechanisms(overlays)


def judge_ledger(
    names: Iterable[str] = (),
    overlays: Iterable[str | Path] = (),
    records: Registry | None = None,
    run: bool = True,
    claims: Iterable[Claim] | None = None,
    fit: FitChoice | None = None,
    drawing: bool = False,
) -> list[JudgedClaim]:
    """Judge claims by their questions; what they ask is asked of studies that the package does not have as well, see `new_studies`.

    Parameters
    ----------
    names
        Ids; all by default.
    overlays
        The user's own tables of evidence.
    records
        A registry instead of the package's.
    run
        Whether the model is asked as well.
    claims
        Claims instead of the package's, see `own_questions.with_questions`.
    fit, drawing
        See `claim_simulation.simulate_outcomes`.

    Raises
    ------
    EvidenceError
        Unknown ids; questions that name what no table has, unless `records` were given.
    """
    selected = claims_of.find_claims(names, claims)
    evidence_records = evidence_for_claims(overlays) if records is None else records
    if records is None:
        check_questions(selected, evidence_records)
    outcomes = claims_of.all_outcomes(selected) if run else {}
    simulated = claim_simulation.simulate_outcomes(outcomes, fit, drawing)
    asked = [questions_of(claim, evidence_records) for claim in selected]
    answered = iter(replies_to([question for questions in asked for question in questions], evidence_records))
    entries = []
    for claim, questions in zip(selected, asked, strict=True):
        replies = tuple(next(answered) for _ in questions)
        results = tuple(simulated[name] for name in claim.named_outcomes if name in simulated)
        entries.append(JudgedClaim(claim, replies, results, judge_claim(replies, results, claim.about == "cells")))
    return entries
