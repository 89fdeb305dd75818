"""Sentences that say how a number with a unit was read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .meanwhile import Meanwhile

_collected = Meanwhile[tuple[list[str], Callable[[str], None] | None] | None]("read as", None)


@contextmanager
def read_as(tell: Callable[[str], None] | None = None) -> Iterator[list[str]]:
    """Collect a sentence for each number that is converted inside, each once: ``HbA1c max 86 mmol/mol read as 10.0 %``.

    Parameters
    ----------
    tell
        Called with each sentence at once; None: with none, though a collector outside still hears of it.
    """
    outer = _collected.now
    sentences: list[str] = []
    try:
        with _collected.held((sentences, tell or (outer[1] if outer is not None else None))):
            yield sentences
    finally:
        if outer is not None:
            outer[0].extend(sentence for sentence in sentences if sentence not in outer[0])


def said() -> list[str]:
    """Return the notes of the enclosing `read_as` so far."""
    collected = _collected.now
    return list(collected[0]) if collected is not None else []


def say(subject: str, text_read: str, value: float, unit: str) -> None:
    """Note how a number was read, for the enclosing `read_as`."""
    collected = _collected.now
    if collected is None:
        return
    sentences, tell = collected
    text = " ".join(
        f"{subject} {text_read} read as {clinical_number(value)}{'' if unit == '1' else f' {unit}'}".split()
    )
    if text not in sentences:
        sentences.append(text)
        if tell is not None:
            tell(text)


def clinical_number(value: float) -> str:
    """Return a number with three digits: 10.0, 265, 0.0283."""
    if not value or not math.isfinite(value):
        return f"{value:g}"
    digits = 2 - math.floor(math.log10(abs(value)))
    return f"{value:.{digits}f}" if 0 <= digits <= 6 else f"{value:.3g}" if digits > 6 else f"{value:.0f}"
