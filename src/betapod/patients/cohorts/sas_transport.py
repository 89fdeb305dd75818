"""Read SAS transport files (XPORT): version 5 (TS-140), as NHANES publishes; version 8, as SAS 9 writes, by pyreadstat.

A file that was cut off shall not give fewer people, so heads, lengths and columns are checked first. Version 5 is not left to pandas,
which (2.3) takes blanks at the end of a text in the last row for padding and then loses that row, and reads 0 as 5.4e-79.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base import files
from ...base.errors import ConfigError, Location, MissingExtraError, Problem

if TYPE_CHECKING:
    import pandas as pd

#: Bytes of one record; a head of the file and of its one member has eight before the names.
_RECORD, _HEADS = 80, 8
#: Bytes of a file.
_LARGEST = 1_000_000_000
_NAMESTR = 140
_FIRST = b"HEADER RECORD*******"
#: First bytes of what people have instead, in lower case, and what it is.
_OTHER = (
    (b"**compressed**", "a CPORT file of SAS", "Write it again with PROC COPY and the XPORT engine."),
    (
        b"<!doctype",
        "a web page",
        "The download failed: the address has moved. Open it in a browser and save the file itself.",
    ),
    (
        b"<html",
        "a web page",
        "The download failed: the address has moved. Open it in a browser and save the file itself.",
    ),
    (b"pk\x03\x04", "a zip archive", "Unpack it first."),
    (b"\x1f\x8b", "compressed with gzip", "Unpack it first."),
    (
        b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xc2\xea\x81\x60",
        "a SAS data set (sas7bdat)",
        "Write it as XPORT.",
    ),
    (b"version https://git-lfs", "a pointer to a file of Git LFS", "Fetch the file itself with: git lfs pull"),
)


@dataclass(frozen=True)
class _Column:
    """A column of a version 5 file: whether it holds numbers, and where in a row it stands."""

    name: str
    number: bool
    offset: int
    length: int


@dataclass(frozen=True)
class _Layout:
    """What the head of a version 5 file says: columns, bytes of a row, and where the rows begin."""

    columns: tuple[_Column, ...]
    row: int
    start: int


def read_transport(path: str | Path) -> pd.DataFrame:
    """Return the one table of a transport file; texts without blanks at their ends.

    Raises
    ------
    ConfigError
        No such file, none of SAS, cut off or damaged, of several tables.
    MissingExtraError
        Version 8 without pyreadstat.
    """
    where = Location(str(path))
    try:
        content = files.file_content(path, _LARGEST)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(Problem("no-file", f"cannot read the file: {reason}", where)) from None
    if not content:
        raise ConfigError(Problem("not-xpt", "the file is empty", where, hint="The download failed: fetch it again."))
    start = content[:32].lower().lstrip()
    for mark, kind_of_file, hint in _OTHER:
        if start.startswith(mark) or content.startswith(mark):
            raise ConfigError(
                Problem("not-xpt", f"this is not a SAS transport file but {kind_of_file}", where, hint=hint)
            )
    if not content.startswith(_FIRST):
        raise ConfigError(Problem("not-xpt", "this is not a SAS transport file: the header is missing", where))
    kind = content[len(_FIRST) : len(_FIRST) + 7].decode("latin-1").strip()
    if kind == "LIBRARY":
        return _version_5(content, where)
    if kind.startswith("LIBV8"):
        return _version_8(path, content, where)
    raise ConfigError(Problem("not-xpt", "this is no transport file of version 5 or 8", where, found=kind))


def _version_5(content: bytes, where: Location) -> pd.DataFrame:
    import pandas as pd

    layout = _layout(content, where)
    if len(content) % _RECORD:
        message = "the file is cut off: its length is no multiple of 80 bytes"
        raise ConfigError(Problem("cut-off", message, where, f"{len(content)} bytes", hint="Fetch it again."))
    rest = content[layout.start :]
    if rest.count(_FIRST):
        message = "the file holds several tables"
        raise ConfigError(Problem("several-tables", message, where, hint="Write each to a file of its own."))
    rows, tail = divmod(len(rest), layout.row)
    if rest[rows * layout.row :].strip(b" ") or tail >= _RECORD:
        message = f"the file is cut off within row {rows + 1}"
        raise ConfigError(Problem("cut-off", message, where, hint="Fetch it again."))
    # The last record is filled up with blanks, where short rows would fit.
    while rows and (rows - 1) * layout.row > len(rest) - _RECORD and not rest[(rows - 1) * layout.row :].strip(b" "):
        rows -= 1
    table = np.frombuffer(rest, dtype=np.uint8, count=rows * layout.row).reshape(rows, layout.row)
    columns = {}
    for column in layout.columns:
        cells = np.ascontiguousarray(table[:, column.offset : column.offset + column.length])
        columns[column.name] = _numbers(cells) if column.number else _texts(cells)
    return pd.DataFrame(columns)


def _numbers(cells: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the numbers of IBM's doubles: a sign, a power of 16 with excess 64, a fraction of 56 bits; NaN where missing.

    Parameters
    ----------
    cells
        (n, 2 to 8) bytes; what is cut off is 0. Missing are a point, an underscore or a letter, and then zeros.
    """
    padded = np.zeros((len(cells), 8), dtype=np.uint8)
    padded[:, : cells.shape[1]] = cells
    first = padded[:, 0]
    fraction = padded.copy()
    fraction[:, 0] = 0
    bits = fraction.view(">u8").ravel().astype(np.uint64)
    power = (first & 0x7F).astype(np.int64) - 64
    values = np.ldexp(bits.astype(np.float64), 4 * power - 56) * np.where(first & 0x80, -1.0, 1.0)
    letter = (first == ord(".")) | (first == ord("_")) | ((first >= ord("A")) & (first <= ord("Z")))
    numbers: NDArray[np.float64] = np.where(letter & (bits == 0), np.nan, values)
    return numbers


def _texts(cells: NDArray[np.uint8]) -> list[str]:
    return [row.tobytes().decode("latin-1").rstrip(" \x00") for row in cells]


def _layout(content: bytes, where: Location) -> _Layout:
    """Read the head: number of columns, their lengths and places."""

    def damaged(fault: str) -> ConfigError:
        return ConfigError(Problem("not-xpt", f"the transport file is damaged: {fault}", where))

    head = content[(_HEADS - 1) * _RECORD : _HEADS * _RECORD]
    if not head.startswith(_FIRST + b"NAMESTR") or not head[54:58].isdigit():
        raise damaged("it has no list of columns")
    count = int(head[54:58])
    columns: list[_Column] = []
    end = _HEADS * _RECORD + count * _NAMESTR
    if count == 0 or len(content) < end:
        raise damaged(f"it ends within the list of {count} columns")
    for k in range(count):
        item = content[_HEADS * _RECORD + k * _NAMESTR :][:_NAMESTR]
        kind, length = int.from_bytes(item[:2], "big"), int.from_bytes(item[4:6], "big")
        offset = int.from_bytes(item[84:88], "big")
        name = item[8:16].decode("latin-1").strip()
        if (
            kind not in (1, 2)
            or not 1 <= length <= 200
            or (kind == 1 and not 2 <= length <= 8)
            or not name.isidentifier()
        ):
            raise damaged(f"its column {k + 1} is none")
        columns.append(_Column(name, kind == 1, offset, length))
    columns.sort(key=lambda column: column.offset)
    if columns[0].offset != 0 or any(a.offset + a.length != b.offset for a, b in itertools.pairwise(columns)):
        raise damaged("its columns do not lie side by side")
    names = [column.name for column in columns]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise damaged(f"the column {twice[0]} appears twice")
    start = end + -end % _RECORD
    if not content[start:].startswith(_FIRST + b"OBS"):
        raise damaged("its rows have no head")
    return _Layout(tuple(columns), sum(column.length for column in columns), start + _RECORD)


def _version_8(path: str | Path, content: bytes, where: Location) -> pd.DataFrame:
    import pandas as pd

    try:
        import pyreadstat
    except ImportError:
        raise MissingExtraError("pyreadstat", "sas", f"{path}: a SAS transport file of version 8") from None
    if len(content) % _RECORD:
        message = "the file is cut off: its length is no multiple of 80 bytes"
        raise ConfigError(Problem("cut-off", message, where, f"{len(content)} bytes", hint="Fetch it again."))
    try:
        raw, _ = pyreadstat.read_xport(str(path))
    except Exception as error:  # its own errors, and those of the bytes
        raise ConfigError(Problem("not-xpt", f"the transport file is damaged: {_said(error)}", where)) from None
    return pd.DataFrame(raw)


def _said(error: Exception) -> str:
    text = str(error).splitlines()
    return text[0][:200] if text else type(error).__name__
