"""Read untrusted NPZ files: plain numeric arrays only, with size limits."""

from __future__ import annotations

import io
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Bytes of all arrays together.
LARGEST = 8_000_000_000


def read_npz(source: bytes | Path, largest: int = LARGEST) -> dict[str, NDArray[Any]]:
    """Return the arrays of an NPZ file.

    Parameters
    ----------
    source
        Its content, or its path.
    largest
        Bytes that all arrays may have together.

    Raises
    ------
    OSError
        The file cannot be read.
    ValueError
        It is no NPZ file, is damaged, holds anything but arrays of numbers, or is larger than allowed.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > largest:
                raise ValueError(f"its arrays would take more than {largest:,} bytes")
            return {member.filename.removesuffix(".npy"): _array(archive, member) for member in members}
    except (OSError, ValueError):
        raise
    except Exception as error:  # archives, compression and heads of arrays have errors of their own
        raise ValueError(f"it is damaged, or no NPZ file of numbers: {error}") from None


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        if version == (1, 0):
            shape, columns_first, kind = np.lib.format.read_array_header_1_0(file)
        else:
            shape, columns_first, kind = np.lib.format.read_array_header_2_0(file)
        if kind.kind not in "biuf":
            # Objects are pickles, which run what they like.
            raise ValueError(f"{member.filename} holds no numbers")
        size = math.prod(shape) * kind.itemsize
        if min(shape, default=0) < 0 or size > member.file_size:
            raise ValueError(f"{member.filename} is shorter than it says")
        # One byte more, so that the checksum at the end is read.
        content = bytearray(file.read(size + 1))
    if len(content) != size:
        raise ValueError(f"{member.filename} has another length than it says")
    return np.frombuffer(content, dtype=kind).reshape(shape, order="F" if columns_first else "C")
