"""Write files atomically, and replace only what `overwriting` allows."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from . import overwriting
from .errors import BetapodError, ConfigError, Location, OutputError, Problem, not_among

#: Names of this process's own streams and of what a shell handed over.
_STREAMS = re.compile(r"/dev/(?:std(?P<name>out|err)|fd/(?P<fd>\d+))|/proc/(?:self|(?P<pid>\d+))/fd/(?P<proc>\d+)")
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def replacing(path: str | Path, in_place: bool = False) -> Iterator[Path]:
    """Yield a temporary path; on success its content is at `path`, on failure nothing has changed.

    A file is replaced in one step; through a symbolic link, the file that it points to. A device, a pipe or ``-`` (standard
    output) is written to and stays what it is.

    Parameters
    ----------
    in_place
        Whether changing this very file is what the user asked for, so that it may be read and foreign.

    Raises
    ------
    ConfigError
        The folder does not exist or cannot be written to, or the file is not one to be replaced (see `overwriting`).
    OutputError
        The disk is full, or the reader of a pipe has gone.
    """
    path = Path(path)
    with _failing(path):
        if "\0" in str(path):
            raise OSError(errno.EINVAL, "a name of a file holds no null character")
        stream = _stream(path)
        if stream is not None or _special(path):
            with _beside(path, None) as temporary:
                yield temporary
                _pour(temporary, path, stream)
            return
        # A link stays a link.
        target = Path(os.path.realpath(path)) if path.is_symlink() else path
        if target.is_symlink():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        if not in_place and (problem := overwriting.refusal(path)):
            raise ConfigError(problem)
        with _beside(path, target.parent) as temporary:
            yield temporary
            temporary.chmod(_mode(target))
            if not in_place:
                overwriting.remember(temporary, path)
            temporary.replace(target)


@contextmanager
def _beside(path: Path, folder: Path | None) -> Iterator[Path]:
    """Yield an empty temporary file, removed at the end unless it was moved."""
    # The suffix is kept, since writers choose their format by it; the rest is short, since names have a longest length.
    handle, name = tempfile.mkstemp(prefix=f".{path.stem[:20]}-", suffix=path.suffix[:20], dir=folder)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()


def _mode(target: Path) -> int:
    """Return the permissions of a file that is written: those that it has, or what the user gives to new ones."""
    with suppress(OSError):
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _stream(path: Path) -> int | None:
    """Return the number of the stream that a name stands for, through links; None for all else."""
    if str(path) == "-":
        return 1
    here = Path(os.path.abspath(path))  # noqa: PTH100 - links are followed one by one
    for _ in range(40):
        match = _STREAMS.fullmatch(str(here))
        if match:
            if match["name"]:
                return 1 if match["name"] == "out" else 2
            own_process = match["pid"] is None or int(match["pid"]) == os.getpid()
            return int(match["fd"] or match["proc"]) if own_process else None
        try:
            here = Path(os.path.abspath(here.parent / os.readlink(here)))  # noqa: PTH100, PTH115
        except OSError:
            return None
    return None


def _special(path: Path) -> bool:
    """Return whether a path is a device, a pipe or a socket: what must not be replaced."""
    try:
        kind = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(kind) and not stat.S_ISDIR(kind)


def _pour(temporary: Path, path: Path, stream: int | None) -> None:
    with temporary.open("rb") as source, _opened(path, stream) as target:
        shutil.copyfileobj(source, target)
        target.flush()


@contextmanager
def _opened(path: Path, stream: int | None) -> Iterator[BinaryIO]:
    standard_stream = {1: sys.stdout, 2: sys.stderr}.get(stream or 0)
    if standard_stream is not None and hasattr(standard_stream, "buffer"):
        # What was printed before comes before.
        standard_stream.flush()
        yield standard_stream.buffer
        return
    with open(path if stream is None else os.dup(stream), "wb") as file:  # noqa: PTH123 - a number is no path
        yield file


@contextmanager
def _failing(path: Path) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise cannot_write(path, error) from None


def cannot_write(path: str | Path, error: OSError) -> BetapodError:
    """Return the error of a failed write: a full disk is not a fault of the input."""
    reason = (error.strerror or str(error)).lower()
    if error.errno in _NO_SPACE or error.errno == errno.EIO:
        hint = "Make space, or write to another place." if error.errno in _NO_SPACE else ""
        return OutputError(
            Problem("disk-full" if hint else "cannot-write", f"cannot write: {reason}", Location(str(path)), hint=hint)
        )
    return ConfigError(Problem("cannot-write", f"cannot write the file: {reason}", Location(str(path))))


def unfit(path: str | Path, suffixes: Sequence[str] = ()) -> list[Problem]:
    """Return the problems that would keep a file from being written, to be reported before long work.

    Parameters
    ----------
    suffixes
        Endings that are possible, in lower case; any without.
    """
    path = Path(path)
    location = Location(str(path))
    problems = []
    ending = path.suffix.lower()
    if suffixes and ending not in suffixes:
        formats = [suffix or "none" for suffix in suffixes]
        wrong = not_among(
            formats, "unknown-format", f"no file with the ending {ending or 'none'} can be written", ending
        )
        problems.append(replace(wrong, location=location))
    if _stream(path) is not None:
        return problems
    try:
        problems += _unfit(path, location)
    except OSError as error:
        problems += cannot_write(path, error).problems
    return problems


def _unfit(path: Path, location: Location) -> list[Problem]:
    if path.is_dir():
        return [Problem("cannot-write", "cannot write the file: it is a folder", location)]
    if path.exists() and _special(path):
        return []
    if not path.parent.is_dir():
        return [Problem("cannot-write", f"cannot write the file: there is no folder {str(path.parent)!r}", location)]
    if not os.access(path.parent, os.W_OK | os.X_OK):
        return [
            Problem("cannot-write", f"cannot write the file: the folder {str(path.parent)!r} is read-only", location)
        ]
    refused = overwriting.refusal(path, last=False)
    return [refused] if refused else []


def names_file(path: Path) -> bool:
    """Return whether a path is one of a file; a name that no file can have is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def file_content(path: str | Path, most: int) -> bytes:
    """Return the content of a file, up to a size limit; endless devices are not read to their end.

    Raises
    ------
    OSError
        It cannot be read, or holds more than `most` bytes (EFBIG).
    """
    with Path(path).open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"the file is larger than {most / 1e6:,.0f} MB", str(path))
    return data


def data_beside(picture: str | Path) -> Path:
    """Return where the numbers of a picture go: beside it, and never where a table of the user's would have the same name."""
    picture = Path(picture)
    name = picture.stem if picture.suffix else picture.name
    return picture.with_name(f"{name}.plot.csv")


def write_text(path: str | Path, text: str, in_place: bool = False) -> Path:
    """Write a text file as UTF-8, whole or not at all; `in_place` as of `replacing`."""
    with replacing(path, in_place) as temporary:
        # Halves of characters, which no file can hold, are written as their numbers.
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    return Path(path)
