"""What the text of a user's own cell means, or what has to be asked of it."""

from __future__ import annotations

from collections.abc import Iterable

from .row import Row
from .wordings import wording_of


def in_plain_words(row: Row, column: str, words: Iterable[str]) -> str | None:
    """Return which of the known words the text of a user's own cell means; None where it has to be asked, which is noted, or nobody knows."""
    if not row.guessed or not row[column]:
        return None
    rules = "product" if column == "intervention" else column
    wording = wording_of(rules, row[column], words)
    if wording.means:
        row.remarks.append(f"{column} {row[column]!r} read as {wording.means}")
    elif len(wording.choices) == 1:
        hint = f"Did you mean {wording.choices[0]!r}?"
        row.wrong(f"unclear-{rules}", "is nearly a known wording", column, wording.choices[0], hint)
    elif wording.choices:
        hint = f"Which is it? Write one of {', '.join(wording.choices)}."
        if rules in ("population", "design"):
            hint = f"Which is it? Write the class before your words, such as '{wording.choices[0]}; {row[column]}'."
        row.wrong(f"unclear-{rules}", "may mean several things", column, " or ".join(wording.choices), hint)
    return wording.means or None
