"""Letters that the encoding of a terminal or a pipe lacks, as a reader of plain ones would write them."""

from __future__ import annotations

import codecs
import unicodedata

#: Bars of courses are counted from 1, the lowest, to 8; rules and signs are drawn with what every keyboard has.
_PLAIN = {
    **{bar: str(height) for height, bar in enumerate("▁▂▃▄▅▆▇█", 1)},
    **dict.fromkeys("─━−–—‐‑", "-"),
    **dict.fromkeys("’‘", "'"),
    **dict.fromkeys("“”", '"'),
    "→": "->",
    "≤": "<=",
    "≥": ">=",
    "×": "x",
    "·": "*",
    "…": "...",
    "µ": "u",
    "μ": "u",
    "±": "+/-",
    "≈": "~",
}
#: The name by which streams ask for it.
PLAIN_LETTERS = "betapod.plain-letters"


def plain_letters(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return what stands for the letters that could not be encoded, and where to go on; others are spelt out as codes."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(_plain(letter) for letter in letters), error.end


def register() -> None:
    """Make the name known to streams."""
    codecs.register_error(PLAIN_LETTERS, plain_letters)


def _plain(letter: str) -> str:
    without_accent = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    return _PLAIN.get(letter) or without_accent or letter.encode("ascii", "backslashreplace").decode()
