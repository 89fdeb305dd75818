"""Damage to files, chosen number by number, so that both hypothesis and a plain random generator can drive it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

#: Returns a whole number from 0 to below the argument.
Choose = Callable[[int], int]
T = TypeVar("T")

NUMBERS = (
    "0", "-1", "1e308", "-1e308", "1e-320", "nan", "NaN", "inf", "-inf", "1e400", "9" * 400, "0x10", "1_000", "1,5", "1.234,5",
    "1e", "--3", "+5", "٣", "½", "1/0", "true", "null", ".", "1e5", "365000", "-0.0", "3.0000000000000001", "<5", ">300", "1 2",
)  # fmt: skip
WORDS = (
    "", " ", "\t", "''", '"', '"a', "{}", "[]", "[[]]", "{{7*7}}", "<script>", "&amp;", "=1+1", "@SUM(1)", "\x1b[31m", "\x00", "\ufeff",
    "\u202e", "\U0001f600", "é", "µmol/L", "μmol/L", "mmol/mol", "%", "mg/g", "../../etc", "/", "a" * 3000, "None", "yes", "no", "~",
    "!!python/object:os.system", "&a [*a]", "*a", "<<: *a", "---", "...", "# x", "a: b: c", "- ", "\\", "\r", "\n", "\r\n", ";", ",", "|",
    "2024-02-30", "12:30:45", "$", "${HOME}", "%s", "%n", "{0}", "sin(1)", "dx/dt = x", "x(0) = 1", "[1/day]", "lognormal(0,1)",
)  # fmt: skip
BYTES = (
    b"\x00",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xef\xbb\xbf",
    b"\x80",
    b"\xc3\x28",
    b"\xed\xa0\x80",
    b"\x1a",
    b"\r",
    b"\n\n\n",
)
#: A number, a word, or one mark: what a change takes as a whole.
TOKEN = re.compile(r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|[^\W\d]\w*|[^\w\s]", re.UNICODE)


def pick(choose: Choose, values: Sequence[T]) -> T:
    """Return one of the values."""
    return values[choose(len(values))]


def _tokens(text: str) -> list[tuple[int, int]]:
    return [found.span() for found in TOKEN.finditer(text)][:20_000]


def _replace(text: str, choose: Choose, values: Sequence[str]) -> str:
    places = _tokens(text)
    if not places:
        return pick(choose, values)
    start, end = pick(choose, places)
    return text[:start] + pick(choose, values) + text[end:]


def number(text: str, choose: Choose) -> str:
    """Put an odd number in place of a number."""
    places = [
        span for span in _tokens(text) if text[span[0]].isdigit() or (text[span[0]] in "+-" and span[1] - span[0] > 1)
    ]
    if not places:
        return text
    start, end = pick(choose, places)
    return text[:start] + pick(choose, NUMBERS) + text[end:]


def word(text: str, choose: Choose) -> str:
    """Put an odd word in place of a token."""
    return _replace(text, choose, WORDS)


def exchange(text: str, choose: Choose) -> str:
    """Put one token of the file in place of another."""
    places = _tokens(text)
    if len(places) < 2:
        return text
    start, end = pick(choose, places)
    return _replace(text, choose, (text[start:end],))


def insert(text: str, choose: Choose) -> str:
    """Insert odd text anywhere."""
    place = choose(len(text) + 1)
    return text[:place] + pick(choose, (*WORDS, *NUMBERS)) + text[place:]


def delete(text: str, choose: Choose) -> str:
    """Delete up to forty characters."""
    place = choose(len(text) + 1)
    return text[:place] + text[place + 1 + choose(40) :]


def line_twice(text: str, choose: Choose) -> str:
    """Repeat a line somewhere else."""
    lines = text.split("\n")
    lines.insert(choose(len(lines) + 1), pick(choose, lines))
    return "\n".join(lines)


def line_gone(text: str, choose: Choose) -> str:
    """Delete a line."""
    lines = text.split("\n")
    del lines[choose(len(lines))]
    return "\n".join(lines)


def indent(text: str, choose: Choose) -> str:
    """Move a line to the right or left."""
    lines = text.split("\n")
    at = choose(len(lines))
    lines[at] = " " * choose(9) + lines[at].lstrip()
    return "\n".join(lines)


def marks(text: str, choose: Choose) -> str:
    """Put one mark in place of another in the whole file."""
    old, new = pick(
        choose, ((",", ";"), (",", "\t"), (".", ","), ("\n", "\r"), ("\n", "\r\n"), ('"', "'"), (":", "="), ("[", "{"))
    )
    return text.replace(old, new)


def deep(text: str, choose: Choose) -> str:
    """Nest brackets, or repeat a token thousands of times."""
    place = choose(len(text) + 1)
    what = pick(
        choose, ("[" * 2000, "{a: " * 2000, "(" * 2000, "<apply>" * 3000, "-" * 3000, "x," * 70_000, "1" * 140_000)
    )
    return text[:place] + what + text[place:]


def cut(text: str, choose: Choose) -> str:
    """End the file early."""
    return text[: choose(len(text) + 1)]


TEXT = (number, number, word, word, exchange, insert, delete, line_twice, line_gone, indent, marks, deep, cut)


def damaged_text(text: str, choose: Choose) -> bytes:
    """Return the text with one to three changes, mostly one, now and then in another encoding or with a wrong byte."""
    for _ in range(1 + choose(2) * choose(3)):
        text = pick(choose, TEXT)(text, choose)
    data = text.encode("utf-8", "surrogatepass")
    form = choose(16)
    if form == 0:
        return text.encode("utf-16", "surrogatepass")
    if form == 1:
        return text.encode("latin-1", "replace")
    return damaged_bytes(data, choose, 1) if form == 2 else data


def damaged_bytes(data: bytes, choose: Choose, most: int = 4) -> bytes:
    """Return the bytes with some changed, inserted, deleted or cut off."""
    for _ in range(1 + choose(most)):
        place, kind = choose(len(data) + 1), choose(5)
        if kind == 0:
            data = data[:place] + bytes([choose(256)]) + data[place + 1 :]
        elif kind == 1:
            data = data[:place] + pick(choose, BYTES) + data[place:]
        elif kind == 2:
            data = data[:place] + data[place + 1 + choose(80) :]
        elif kind == 3:
            data = data[:place]
        else:
            other = choose(len(data) + 1)
            data = data[:place] + data[other : other + 1 + choose(80)] + data[place:]
    return data
