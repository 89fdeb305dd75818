"""How a user's own evidence tables change answers and verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..evidence.records.registry import Registry
from .judged_claim import JudgedClaim
from .questions import Question, Reply, records_of
from .wording import estimate_text


@dataclass(frozen=True)
class AnswerChange:
    """One question of a claim that asks rows of the user's own.

    Attributes
    ----------
    number
        Of the question in its claim, from 1.
    records
        The user's own rows that it asks, and those that took the place of rows it asked.
    used
        Those of them that the answer rests on; the others are refused where studies are pooled.
    new
        Whether it is asked of a study that the package does not have, so that without the tables it is not asked.
    """

    claim: str
    number: int
    records: tuple[str, ...]
    used: tuple[str, ...]
    before: Reply
    after: Reply
    new: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return {
            "claim": self.claim,
            "question": self.number,
            "text": self.after.question.text,
            "new": self.new,
            "records": list(self.records),
            "used": list(self.used),
            "answer": {"before": self.before.answer, "after": self.after.answer},
            "estimate": {"before": self.before.estimate, "after": self.after.estimate},
            "ci": {"before": self.before.ci, "after": self.after.ci},
            "certainty": {"before": self.before.certainty, "after": self.after.certainty},
        }


def unasked_reply(question: Question) -> Reply:
    """Return the reply to a question that nobody puts without the user's own tables."""
    return Reply(question, "nothing", None, None, "", "", (), (), "no study of the package is asked this")


def own_rows(registry: Registry, overlays: Iterable[str | Path]) -> list[str]:
    """Return the ids of rows that stand in tables of the user's own."""
    files = {str(Path(path)) for path in overlays}
    return [record.id for record in registry if record.location.file in files]


def moved_answers(
    before: Sequence[JudgedClaim], after: Sequence[JudgedClaim], registry: Registry, ids: Iterable[str]
) -> list[AnswerChange]:
    """Return the questions that ask rows of the user's own, with their answers before and after.

    Parameters
    ----------
    before, after
        The same claims, judged without and with the tables.
    registry
        With the tables.
    own
        Ids of the user's rows, see `own_rows`.
    """
    own_ids = set(ids)
    changes = []
    for old, new in zip(before, after, strict=True):
        # Questions to studies that the package does not have come last, and are asked with the tables alone.
        for number, now in enumerate(new.replies, 1):
            was = old.replies[number - 1] if number <= len(old.replies) else unasked_reply(now.question)
            # A row that takes the place of another may be of something else, and is no longer asked.
            rows = [*(row.id for row in records_of(now.question, registry)), *was.records]
            asked = tuple(name for name in dict.fromkeys(rows) if name in own_ids)
            if asked:
                used = tuple(name for name in asked if name in now.records)
                changes.append(AnswerChange(new.claim.id, number, asked, used, was, now, number > len(old.replies)))
    return changes


def words(changes: Sequence[AnswerChange], before: Sequence[JudgedClaim], after: Sequence[JudgedClaim]) -> list[str]:
    """Return lines that say what moved, and last which verdicts."""
    if not changes:
        return []
    lines = _askers(changes)
    for change in changes:
        text = f", {change.after.question.text}" if change.new else ""
        line = f"{change.claim} question {change.number}{text}: {change.before.answer} -> {change.after.answer}"
        was, now = estimate_text(change.before), estimate_text(change.after)
        if was != now:
            line += f", {was or 'no number'} -> {now or 'no number'}"
        if change.before.certainty != change.after.certainty:
            line += f", certainty {change.before.certainty or 'none'} -> {change.after.certainty or 'none'}"
        if not change.used:
            line += (
                f" ({_few(change.records)} not used: {change.after.how})"
                if change.after.answer == "nothing"
                else " (not used)"
            )
        lines.append(line)
    return [*lines, _verdicts(before, after)]


def _askers(changes: Sequence[AnswerChange]) -> list[str]:
    """Say which claims ask which rows; rows that the same claims ask share a line."""
    asking: dict[str, list[str]] = {}
    for change in changes:
        for name in change.records:
            claims = asking.setdefault(name, [])
            if change.claim not in claims:
                claims.append(change.claim)
    rows: dict[tuple[str, ...], list[str]] = {}
    for name, claims in asking.items():
        rows.setdefault(tuple(claims), []).append(name)
    return [
        f"{_few(names)} {'is' if len(names) == 1 else 'are'} asked by {', '.join(claims)}"
        for claims, names in rows.items()
    ]


def verdicts(before: Sequence[JudgedClaim], after: Sequence[JudgedClaim]) -> list[dict[str, str]]:
    """Return every verdict that changed."""
    return [
        {"claim": new.claim.id, "before": old.verdict.verdict, "after": new.verdict.verdict}
        for old, new in zip(before, after, strict=True)
        if old.verdict.verdict != new.verdict.verdict
    ]


def _verdicts(before: Sequence[JudgedClaim], after: Sequence[JudgedClaim]) -> str:
    changed = [f"{change['claim']} {change['before']} -> {change['after']}" for change in verdicts(before, after)]
    return f"verdicts changed: {'; '.join(changed)}" if changed else "no verdict changed"


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
