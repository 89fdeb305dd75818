"""Numbers that are printed with where they come from: each is named once, and texts refer to it by name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_NAME = re.compile(r"\{([\w-]+)\}")


@dataclass(frozen=True)
class TracedNumber:
    """A number with its origin.

    Attributes
    ----------
    key
        Its name, also that of the anchor on the page.
    text
        As it is printed, with unit and interval.
    value
        The number itself, in the unit of `text`.
    meaning
        What it is, in words.
    origin
        How it was computed.
    command
        What prints it again, of the command line.
    records
        Ids of the published records that it rests on.
    certainty
        GRADE level, or what takes its place.
    interval
        What is not known of it, by parts, where `text` has no interval; empty where nobody computed it.
    """

    key: str
    text: str
    value: float
    meaning: str
    origin: str
    command: str = ""
    records: tuple[str, ...] = ()
    certainty: str = ""
    interval: str = ""


@dataclass(frozen=True)
class TextPiece:
    """A piece of a text: words, or a number with its name."""

    text: str
    key: str = ""


@dataclass
class NumberBook:
    """The numbers of one answer, by name."""

    numbers: dict[str, TracedNumber] = field(default_factory=dict)

    def add(self, number: TracedNumber) -> str:
        """Take a number in, and return how texts refer to it."""
        self.numbers[number.key] = number
        return f"{{{number.key}}}"

    def pieces(self, text: str) -> tuple[TextPiece, ...]:
        """Return a text in pieces; a name in braces stands for its number.

        Raises
        ------
        KeyError
            The text names a number that is not there.
        """
        return tuple(self._pieces(text))

    def _pieces(self, text: str) -> Iterator[TextPiece]:
        end = 0
        for match in _NAME.finditer(text):
            if match.start() > end:
                yield TextPiece(text[end : match.start()])
            yield TextPiece(self.numbers[match[1]].text, match[1])
            end = match.end()
        if end < len(text):
            yield TextPiece(text[end:])

    def plain(self, text: str) -> str:
        """Return a text with its numbers in place."""
        return "".join(piece.text for piece in self.pieces(text))

    def as_rows(self) -> list[Mapping[str, object]]:
        """Return every number as plain values."""
        return [vars(number) | {"records": list(number.records)} for number in self.numbers.values()]
