"""Write files whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import ConfigError, Location, Problem


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


def write_text(path: str | Path, text: str) -> Path:
    """Write a text file as UTF-8, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return Path(path)
