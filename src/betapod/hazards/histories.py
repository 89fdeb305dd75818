"""Histories of people of a library: cardiovascular disease, heart failure, diabetes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .risk import Numbers, cvd_chance

if TYPE_CHECKING:
    import pandas as pd


def histories(table: pd.DataFrame) -> tuple[Numbers, Numbers, Numbers]:
    """Return (people,) cardiovascular disease, history of heart failure, and diabetes, 0 or 1.

    Where the table has no column ``cvd``, each person has the share of those of the same age and sex; without ``hf`` nobody has heart
    failure, and without ``diabetes`` everybody has diabetes.
    """

    def column(name: str, missing: Numbers) -> Numbers:
        return np.asarray(table[name], dtype=np.float64) if name in table else missing

    age, female = (np.asarray(table[name], dtype=np.float64) for name in ("age", "female"))
    return (
        column("cvd", cvd_chance(age, female)),
        column("hf", np.zeros(len(table))),
        column("diabetes", np.ones(len(table))),
    )
