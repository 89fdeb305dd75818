"""The file or the text that a foreign model is read from."""

from __future__ import annotations

from pathlib import Path

from ...base import overwriting
from ...base.arguments import path as path_of
from ...base.errors import ExchangeError, Location, Problem

#: What errors call a text that is no file.
TEXT = "<text>"
_LONGEST_SHOWN = 200


def file_and_text(source: str | Path) -> tuple[str, bytes]:
    """Return what errors call a source, and what it holds.

    Parameters
    ----------
    source
        Path of a file, or the text itself, which has a `<` in it.

    Raises
    ------
    ExchangeError
        There is no such file.
    """
    if not isinstance(source, str):
        source = path_of("source", source, ExchangeError)
    name = str(source)
    if isinstance(source, str) and "<" in name:
        return TEXT, name.encode("utf-8", "replace")
    path = Path(source)
    try:
        exists = path.is_file()
    except (OSError, ValueError):  # a name that no disk can hold
        exists = False
    if not exists:
        if len(name) > _LONGEST_SHOWN:
            name = f"{name[:_LONGEST_SHOWN]}... ({len(name):,} characters)"
        raise ExchangeError(Problem("no-file", f"there is no file {name!r}", Location(name)))
    overwriting.opened(path)
    return str(path), path.read_bytes()
