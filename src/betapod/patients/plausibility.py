"""Plausibility filter for snapshots, and limits beyond which values of real people are impossible or unusual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..observables.table import bounds_for, by_column

if TYPE_CHECKING:
    import pandas as pd

VIRTUAL = bounds_for("virtual")
#: Ranges in which an ambulant adult's own values lie, by column of a library; wider than any cohort's. Units as in the table.
RANGES = {
    "age": VIRTUAL["age"],
    "bmi": VIRTUAL["bmi"],
    "true_hba1c": VIRTUAL["HbA1c"],
    "true_fpg": VIRTUAL["FPG"],
    "true_MAP": VIRTUAL["MAP"],
    "sbp": VIRTUAL["SBP"],
    "dbp": VIRTUAL["DBP"],
    "true_egfr": VIRTUAL["eGFR"],
    "true_uacr": VIRTUAL["UACR"],
    "insulin_dose_per_kg": VIRTUAL["insulin_dose_per_kg"],
}
#: Values beyond which a number is an error of entry or of unit, by column of tables of people; wide enough for all of the 50,834 adults of
#: NHANES 1999-2016, of whom one has 371 kg.
POSSIBLE = by_column(bounds_for("possible"))
#: Ranges outside of which a value is possible and unusual, so that it is said.
UNUSUAL = by_column(bounds_for("usual"))


@dataclass(frozen=True)
class Plausibility:
    """Result of the plausibility filter.

    Attributes
    ----------
    plausible
        (n,) flags.
    counts
        Quantity -> patients outside its range; one patient may count twice.
    """

    plausible: NDArray[np.bool_]
    counts: dict[str, int]


def plausibility(table: pd.DataFrame) -> Plausibility:
    """Apply the plausibility filter to a library's table."""
    columns = {name: table[name].to_numpy(dtype=float) for name in RANGES if name in table}
    columns["insulin_dose_per_kg"] = (table["insulin_dose"] / table["weight"]).to_numpy(dtype=float)
    outside = {name: ~((values >= RANGES[name][0]) & (values <= RANGES[name][1])) for name, values in columns.items()}
    bad = np.any(list(outside.values()), axis=0)
    return Plausibility(~bad, {name: int(flags.sum()) for name, flags in outside.items() if flags.any()})
