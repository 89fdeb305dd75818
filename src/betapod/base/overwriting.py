"""Overwrite protection: a command may replace only unchanged files that betapod wrote, never one that it reads.

A command begins with `begin`. From then on every file that Python opens is noted, and `refusal` compares. What was written is known
by its content: a digest of each is kept in the user's cache, so that the same command can be repeated, and a result that was edited
by hand is kept. Outside of a command, in a program that uses betapod, nothing is refused: there the program decides.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import Location, Problem

#: Digests that are kept; the oldest go first.
_KEPT = 20_000
_FORCE = "Give another name, or replace it with --force."


@dataclass
class _Command:
    """What one command has opened and written so far."""

    force: bool = False
    noting: bool = True
    opened: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)


_now: _Command | None = None
_hooked = False


def begin() -> None:
    """Begin a command: forget what another one read, and note what this one reads."""
    global _now, _hooked
    _now = _Command()
    if not _hooked:
        # Readers need not say what they open, and one that forgets it cannot be written.
        sys.addaudithook(_note)
        _hooked = True


def end() -> None:
    """End a command: whatever is written now is the program's own affair."""
    global _now
    _now = None


def force() -> None:
    """Let this command replace any file."""
    if _now is not None:
        _now.force = True


def opened(path: str | Path) -> None:
    """Note a file that is opened behind Python's back, by a library in another language."""
    if _now is not None:
        _now.opened.add(str(path))


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or _now is None or not _now.noting:
        return
    path, mode, flags = arguments
    if isinstance(mode, str):
        reads = not {"w", "x", "a"} & set(mode)
    else:
        reads = not flags & (os.O_WRONLY | os.O_TRUNC | os.O_CREAT)
    if reads and isinstance(path, (str, bytes)):
        _now.opened.add(os.fsdecode(path))


@contextmanager
def _unnoted() -> Iterator[None]:
    """Look into files without having read them."""
    assert _now is not None
    before, _now.noting = _now.noting, False
    try:
        yield
    finally:
        _now.noting = before


def refusal(path: Path, last: bool = True) -> Problem | None:
    """Return why a file must not be replaced; None if it may be.

    Parameters
    ----------
    last
        Whether it is about to be written. Before long work, what the command is going to read is not known yet.
    """
    if _now is None or _now.force:
        return None
    location = Location(str(path))
    if last and _real(path) in _now.written:
        message = "two results of this command have the same name"
        return Problem("would-overwrite", message, location, hint="Give each a name of its own.")
    try:
        facts = path.stat()
    except OSError:
        return None
    for opened_path in list(_now.opened):
        with suppress(OSError, ValueError):
            other = os.stat(opened_path)  # noqa: PTH116 - thousands of them
            if (other.st_dev, other.st_ino) == (facts.st_dev, facts.st_ino):
                return Problem(
                    "would-overwrite", "this command reads the file that it would replace", location, hint=_FORCE
                )
    if not facts.st_mode & 0o222:
        return Problem("would-overwrite", "the file is read-only", location, hint=_FORCE)
    if facts.st_size and not _ours(path):
        message = "the file exists, and was not written by betapod as it is now"
        return Problem("would-overwrite", message, location, hint=_FORCE)
    return None


def remember(content: Path, path: Path) -> None:
    """Keep the digest of what is about to be at a path."""
    if _now is None:
        return
    _now.written.add(_real(path))
    try:
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _digest(content)).touch()
        _forget(folder)
    except (OSError, RuntimeError):
        pass  # then the next command asks for --force


def _real(path: Path) -> str:
    # Links may go round in circles, which `Path.resolve` does not forgive.
    return os.path.realpath(path)


def _ours(path: Path) -> bool:
    try:
        return (_folder() / _digest(path)).exists()
    except (OSError, RuntimeError):
        return False


def _folder() -> Path:
    from .cache import folder

    return folder() / "written"


def _digest(path: Path) -> str:
    with _unnoted(), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def _forget(folder: Path) -> None:
    """Remove the oldest digests, now and then."""
    names = os.listdir(folder)  # noqa: PTH208 - names are enough
    if len(names) <= _KEPT:
        return
    ages = []
    for name in names:
        with suppress(OSError):
            ages.append(((folder / name).stat().st_mtime, name))
    for _, name in sorted(ages)[: len(ages) - _KEPT // 2]:
        with suppress(OSError):
            (folder / name).unlink()
