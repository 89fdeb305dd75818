"""A table as text: read it, and find where its cells begin, so that problems have a line and a column."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

from ...base.errors import Location, Problem
from ...base.files import file_content as read_content

#: Bytes of a table.
_LARGEST = 64_000_000
_SAVE_AS = "Save the table as UTF-8; in a spreadsheet choose 'CSV UTF-8'."


def read_text(path: Path) -> tuple[str, Problem | None]:
    """Return the text of a table, and what keeps it from being read: the file, or its first byte that is no UTF-8 text."""
    try:
        content = read_content(path, _LARGEST)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return "", Problem("unreadable-file", f"cannot read the file: {reason}", Location(str(path)))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        location = Location(str(path), before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        byte = f"byte 0x{error.object[error.start]:02x}"
        return "", Problem("unreadable-file", "the file is not UTF-8 text", location, byte, "UTF-8", _SAVE_AS)
    if "\0" in text:
        before_nought = text[: text.index("\0")]
        column = len(before_nought) - before_nought.rfind("\n")
        location = Location(str(path), before_nought.count("\n") + 1, column)
        return "", Problem("unreadable-file", "the file is not plain text", location, "byte 0x00", "UTF-8", _SAVE_AS)
    return text, None


def lines_of(text: str) -> list[str]:
    """Return the lines of a table with their ends, those that begin with ``#`` blank: comments keep their place, and cells with lines in them theirs."""
    lines, quoted = [], False
    for line in io.StringIO(text, newline="").readlines():
        comment = not quoted and line.startswith("#")
        lines.append("\n" if comment else line)
        quoted ^= not comment and line.count('"') % 2 == 1
    return lines


def cell_starts(text: str) -> list[int]:
    """Return where each cell of a row of a table begins in its text, counted from 0; quoted cells may hold commas and lines."""
    starts, position, quoted = [0], 0, False
    while position < len(text):
        letter = text[position]
        if quoted and letter == '"':
            if text[position + 1 : position + 2] == '"':
                position += 1
            else:
                quoted = False
        elif letter == '"' and position == starts[-1]:
            quoted = True
        elif letter == "," and not quoted:
            starts.append(position + 1)
        position += 1
    return starts


def within(first: Location, text: str, start: int) -> Location:
    """Return the place of a letter, counted from 0, in a text that begins in the line `first`."""
    before = text[:start]
    return replace(first, line=first.line + before.count("\n"), column=start - before.rfind("\n"))
