"""Atomic writes into run folders: a temporary file, then a rename; errors for full disks."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

from .errors import BetapodError, ConfigError, Location, OutputError, Problem

_TEMPORARY = ".writing-"
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class StoreError(OutputError):
    """A run folder that cannot be written or read."""


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomic(path: Path, data: bytes, replace: bool = True) -> None:
    """Write a file, whole or not at all; with ``replace=False`` a file that is already there stays.

    Raises
    ------
    OSError
        It cannot be written; `writing` says what that means.
    """
    with placed(path, replace) as temporary:
        temporary.write_bytes(data)


@contextlib.contextmanager
def placed(path: Path, replace: bool = True) -> Iterator[Path]:
    """Yield a temporary path whose content ends up at `path` complete and on disk, or not at all."""
    temporary = path.with_name(f"{path.name}{_TEMPORARY}{_host()}~{os.getpid()}~{secrets.token_hex(4)}")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        if replace:
            temporary.replace(path)
        else:
            _place_first(path, temporary)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _place_first(path: Path, temporary: Path) -> None:
    """Rename a file unless the target exists; by a hard link in one step where the file system has them."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return
    except OSError:
        if not path.exists():
            temporary.replace(path)


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn failures to write into errors that say what to do.

    Raises
    ------
    StoreError
        No space left, or the device fails.
    ConfigError
        The folder cannot be written to.
    """
    import duckdb

    try:
        yield
    except OSError as error:
        device = error.errno == errno.EIO
        raise _failed(folder, error.errno in _NO_SPACE, error.strerror or str(error), device) from error
    except duckdb.Error as error:
        text = str(error)
        full = "No space left" in text or any(f'"errno":"{code}"' in text for code in _NO_SPACE)
        raise _failed(folder, full, text.splitlines()[0][:200]) from error


def _failed(folder: Path, full: bool, text: str, device: bool = False) -> BetapodError:
    if device:
        return StoreError(Problem("cannot-write", f"cannot write the results: {text}", Location(str(folder))))
    if full:
        return StoreError(
            Problem(
                "disk-full",
                "there is no space left for the results",
                Location(str(folder)),
                hint="What is finished is kept. Make space, then give the command again.",
            )
        )
    return ConfigError(Problem("cannot-write", f"cannot write the results: {text}", Location(str(folder))))


def half_written(path: Path) -> bool:
    """Return whether a name is that of a file which is being written, or whose writer was killed."""
    return _TEMPORARY in path.name


def remove_leftovers(folder: Path) -> None:
    """Remove what killed processes of this machine left half-written below a folder."""
    for path in folder.rglob(f"*{_TEMPORARY}*"):
        host, _, rest = path.name.partition(_TEMPORARY)[2].partition("~")
        process = rest.partition("~")[0]
        if host == _host() and process.isdigit() and not _alive(int(process)):
            with contextlib.suppress(OSError):
                path.unlink()


def _host() -> str:
    return socket.gethostname().replace("~", "-").replace("/", "-")


def _alive(process: int) -> bool:
    """Return whether a process may still write; one that has ended and that nobody has asked for yet may not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    with contextlib.suppress(OSError):
        # Linux: the state stands behind the name of the program, which may itself have parentheses.
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in ("Z", "X")
    return True
