"""Write a SAS transport file (version 5, TS-140), as NHANES publishes them: enough for tests of the reader."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path


def _ibm(value: float) -> bytes:
    """Return an IBM double: sign, base-16 exponent with excess 64, 56-bit fraction."""
    if value != value:
        return b"." + bytes(7)
    if value == 0:
        return bytes(8)
    sign, value, exponent = (0x80 if value < 0 else 0), abs(value), 64
    while value >= 1:
        value, exponent = value / 16, exponent + 1
    while value < 1 / 16:
        value, exponent = value * 16, exponent - 1
    return bytes([sign | exponent]) + int(value * 2**56).to_bytes(7, "big")


def _padded(data: bytes) -> bytes:
    return data + b" " * (-len(data) % 80)


def write(path: Path, columns: Mapping[str, Sequence[float | str]], width: int = 40) -> None:
    """Write columns of numbers or texts."""
    stamp = b"01JAN16:00:00:00"
    text = {name: isinstance(values[0], str) for name, values in columns.items()}
    head = b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!" + b"0" * 30 + b"  "
    head += b"SAS     SAS     SASLIB  9.4     LINUX   " + b" " * 24 + stamp + stamp + b" " * 64
    head += b"HEADER RECORD*******MEMBER  HEADER RECORD!!!!!!!" + b"0" * 17 + b"1600000000140  "
    head += b"HEADER RECORD*******DSCRPTR HEADER RECORD!!!!!!!" + b"0" * 30 + b"  "
    head += b"SAS     " + b"DATA    " + b"SASDATA 9.4     LINUX   " + b" " * 24 + stamp + stamp + b" " * 64
    head += (
        b"HEADER RECORD*******NAMESTR HEADER RECORD!!!!!!!000000" + f"{len(columns):04d}".encode() + b"0" * 20 + b"  "
    )
    names, place = b"", 0
    for number, name in enumerate(columns, start=1):
        length = width if text[name] else 8
        field = struct.pack(
            ">hhhh8s40s8shhh2s8shhl",
            2 if text[name] else 1,
            0,
            length,
            number,
            name.ljust(8).encode(),
            b" " * 40,
            b" " * 8,
            0,
            0,
            0,
            b"  ",
            b" " * 8,
            0,
            0,
            place,
        )
        names += field + bytes(52)
        place += length
    body = b""
    for row in zip(*columns.values(), strict=True):
        for value in row:
            body += value.ljust(width).encode() if isinstance(value, str) else _ibm(float(value))
    observations = b"HEADER RECORD*******OBS     HEADER RECORD!!!!!!!" + b"0" * 30 + b"  "
    path.write_bytes(head + _padded(names) + observations + _padded(body))
