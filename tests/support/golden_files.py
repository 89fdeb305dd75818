"""Data files of other packages that tests compare with; they are not part of the repository."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).parents[3] / "shared" / "golden"


def golden_table(name: str) -> Any:
    """Return a table, or skip the test where the files are not there."""
    import pandas as pd

    path = GOLDEN / name
    if not path.is_file():
        pytest.skip("the golden files are not here")
    return pd.read_csv(path)
