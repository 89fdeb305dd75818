"""The code of the package, room by room, each file parsed once for all tests that look at it."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "src" / "betapod"
SOURCES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    """Return the room of a file: its folder at the first level, or its own name."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


ROOMS = sorted({room_of(path) for path in SOURCES})


def files_of(room: str) -> list[Path]:
    """Return the files of a room."""
    return [path for path in SOURCES if room_of(path) == room]


@functools.cache
def tree_of(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))
