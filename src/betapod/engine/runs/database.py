"""Connections to DuckDB, and paths that it takes literally: to it `*`, `?` and `[` are patterns, `a=b` a column, `~` a home."""

from __future__ import annotations

import atexit
import functools
import re
import shutil
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

#: What DuckDB takes literally everywhere. Other folders get a plain name for as long as the process lives.
_PLAIN = re.compile(r"[^*?\[\]\\{}\ud800-\udfff]*")
_lock = threading.Lock()


def database_error() -> type[Exception]:
    """Return what DuckDB raises, such as for a damaged file."""
    import duckdb

    return duckdb.Error


def connect(threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB connection in memory that reaches for nothing outside."""
    import duckdb

    connection = duckdb.connect(":memory:")
    connection.execute("SET autoinstall_known_extensions = false; SET enable_progress_bar = false")
    if threads is not None:
        connection.execute(f"SET threads = {int(threads)}")
    return connection


def quoted(text: str) -> str:
    """Return an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(column: str) -> str:
    """Return an SQL name."""
    return '"' + column.replace('"', '""') + '"'


def sql_path(path: Path) -> str:
    """Return the SQL literal of a file to be written: this file, whatever its name looks like."""
    return quoted(str(_plain(path)))


def parquet(paths: Iterable[Path]) -> str:
    """Return the SQL table of some Parquet files: of these files alone, and without columns made of folders' names."""
    listed = ", ".join(quoted(_literal(_plain(path))) for path in paths)
    return f"read_parquet([{listed}], hive_partitioning = false)"


def _plain(path: Path) -> Path:
    """Return a path to the same file that holds nothing that DuckDB interprets, where such a path can be had."""
    # An absolute path begins with neither a tilde nor the name of a protocol.
    path = path.absolute()
    return path if _PLAIN.fullmatch(str(path)) else _alias(path.parent) / path.name


def _literal(path: Path) -> str:
    """Return the pattern that fits this path alone; the path itself if nothing in it is a pattern."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def _alias(folder: Path) -> Path:
    with _lock:
        return _link(folder)


@functools.cache
def _link(folder: Path) -> Path:
    """Return another name of a folder, for DuckDB; the folder itself where links cannot be made."""
    try:
        scratch = Path(tempfile.mkdtemp(prefix="betapod-"))
        link = scratch / "folder"
        link.symlink_to(folder, target_is_directory=True)
    except OSError:
        return folder
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    return link
