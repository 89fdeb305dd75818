"""What tells patients and libraries apart: a number for each snapshot of a person, and a digest of all patients."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

    from .library import Library


def snapshot_number(table: pd.DataFrame) -> NDArray[np.int64]:
    """Return a number for each row: a person may be in the library at several ages, each with its own draws."""
    months = np.floor(table["age"].to_numpy(dtype=np.float64) * 12).astype(np.int64)
    number: NDArray[np.int64] = table["person"].to_numpy(dtype=np.int64) * 4096 + months
    return number


def library_digest(library: Library) -> str:
    """Return a hash of all patients in a library."""
    digest = hashlib.sha256(json.dumps([list(library.state_names), len(library)]).encode())
    digest.update(np.ascontiguousarray(library.states).tobytes())
    columns = {**library.parameters, **{f"table/{name}": library.table[name].to_numpy() for name in library.table}}
    for name in sorted(columns):
        digest.update(name.encode() + np.ascontiguousarray(columns[name], dtype=np.float64).tobytes())
    return digest.hexdigest()
