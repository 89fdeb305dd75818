"""Write files whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from .errors import ConfigError, Location, Problem, not_among


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it takes the place of `path`, on failure it is removed.

    Raises
    ------
    ConfigError
        The folder does not exist or cannot be written to, or the disk is full.
    """
    path = Path(path)
    try:
        # The suffix is kept, since writers choose their format by it.
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise _cannot_write(path, error) from None
    temporary = Path(name)
    try:
        yield temporary
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        temporary.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from None
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _cannot_write(path: Path, error: OSError) -> ConfigError:
    reason = (error.strerror or str(error)).lower()
    return ConfigError(Problem("cannot-write", f"cannot write the file: {reason}", Location(str(path))))


def unfit(path: str | Path, suffixes: Sequence[str] = ()) -> list[Problem]:
    """Return what keeps a file from being written, so that it is said before long work and not after it.

    Parameters
    ----------
    suffixes
        Endings that are possible, in lower case; any without.
    """
    path = Path(path)
    place = Location(str(path))
    problems = []
    ending = path.suffix.lower()
    if suffixes and ending not in suffixes:
        known = [each or "none" for each in suffixes]
        wrong = not_among(known, "unknown-format", f"no file with the ending {ending or 'none'} can be written", ending)
        problems.append(replace(wrong, location=place))
    if path.is_dir():
        problems.append(Problem("cannot-write", "cannot write the file: it is a folder", place))
    elif not path.parent.is_dir():
        problems.append(
            Problem("cannot-write", f"cannot write the file: there is no folder {str(path.parent)!r}", place)
        )
    elif not os.access(path.parent, os.W_OK | os.X_OK):
        message = f"cannot write the file: the folder {str(path.parent)!r} is read-only"
        problems.append(Problem("cannot-write", message, place))
    return problems


def write_text(path: str | Path, text: str) -> Path:
    """Write a text file as UTF-8, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return Path(path)
