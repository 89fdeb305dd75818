"""The text of a file that may be a table, whatever its encoding."""

from __future__ import annotations

import re
from pathlib import Path

from .errors import ConfigError, Location, Problem

#: Bytes that a table may have.
LARGEST = 64 * 2**20
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig", ""),
    (b"\xff\xfe\x00\x00", "utf-32", "UTF-32"),
    (b"\x00\x00\xfe\xff", "utf-32", "UTF-32"),
    (b"\xff\xfe", "utf-16", "UTF-16"),
    (b"\xfe\xff", "utf-16", "UTF-16"),
)
#: First bytes of what is no text, and what it is.
_OTHER = (
    (b"PK\x03\x04", "a workbook or another zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"PAR1", "a Parquet file"),
    (b"%PDF", "a PDF"),
    (b"HEADER RECORD*******", "a SAS transport file"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def read_bytes(path: str | Path) -> bytes:
    """Return the content of a file.

    Raises
    ------
    ConfigError
        No such file, or one beyond `LARGEST`.
    """
    where = Location(str(path))
    try:
        with Path(path).open("rb") as file:
            content = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise ConfigError(Problem("no-file", f"cannot read the table: {reason}", where)) from None
    if len(content) > LARGEST:
        limit = f"at most {LARGEST // 2**20} MiB"
        raise ConfigError(Problem("too-large", "the file is too large for a table", where, expected=limit))
    return content


def decode(content: bytes, file: str) -> tuple[str, tuple[str, ...]]:
    """Return the text of a file and how it was read.

    A byte-order mark decides; then text that is UTF-8 is UTF-8; then zeros at every other byte are UTF-16; what is left is taken as
    Windows-1252, which contains Latin-1, and that is said.

    Raises
    ------
    ConfigError
        No text: a workbook, an archive, bytes of no encoding, control characters with their place.
    """
    where = Location(file)
    for mark, kind_of_file in _OTHER:
        if content.startswith(mark):
            hint = "Save the table as CSV (UTF-8)."
            raise ConfigError(Problem("not-text", f"this is not a text table but {kind_of_file}", where, hint=hint))
    text, words = _decoded(content, where)
    if bad := _CONTROL.search(text):
        before = text[: bad.start()]
        line = len(re.findall(r"\r\n|\r|\n", before)) + 1
        column = len(before) - max(before.rfind("\n"), before.rfind("\r"))
        character = f"character {ord(bad[0])}"
        hint = "The file is damaged, or not a text table."
        raise ConfigError(
            Problem(
                "control-character", "a character that no table has", Location(file, line, column), character, hint=hint
            )
        )
    return text, (f"read as {words}",) if words else ()


def _decoded(content: bytes, where: Location) -> tuple[str, str]:
    for mark, encoding, words in _BOMS:
        if content.startswith(mark):
            try:
                return content.decode(encoding), words
            except UnicodeDecodeError as error:
                message = f"the file begins as {words or 'UTF-8'} and is not: {error.reason}"
                raise ConfigError(Problem("bad-encoding", message, where, hint="Save it again as UTF-8.")) from None
    for encoding, zeros in (("utf-16-le", content[1::2]), ("utf-16-be", content[::2])):
        if len(content) % 2 == 0 and zeros and zeros.count(0) > 0.6 * len(zeros):
            try:
                return content.decode(encoding), "UTF-16"
            except UnicodeDecodeError:
                continue
    try:
        return content.decode("utf-8"), ""
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252"), "Windows-1252 (Latin-1), since it is not UTF-8"
    except UnicodeDecodeError:
        hint = "Save it again as UTF-8."
        raise ConfigError(Problem("bad-encoding", "the encoding of the text is unknown", where, hint=hint)) from None
