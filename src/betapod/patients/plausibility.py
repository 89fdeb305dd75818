"""Which snapshots no clinic would believe, and which values of real people are impossible or unusual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

#: Ranges in which an ambulant adult's own values lie; wider than any cohort's, assumed. Units as in the table.
RANGES = {
    "age": (18.0, 90.0),
    "bmi": (15.0, 75.0),
    "true_hba1c": (4.0, 18.0),
    "true_fpg": (2.8, 35.0),
    "true_MAP": (60.0, 150.0),
    "sbp": (75.0, 245.0),
    "dbp": (25.0, 145.0),
    "true_egfr": (8.0, 165.0),
    "true_uacr": (0.3, 20000.0),
    "insulin_dose_per_kg": (0.0, 3.0),
}

#: Values beyond which a number is an error of entry or of unit, in the library's units (creatinine: mg/dL); assumed, and wide enough
#: for all of the 50,834 adults of NHANES 1999-2016, of whom one has 371 kg.
POSSIBLE = {
    "age": (18.0, 110.0),
    "duration": (0.0, 90.0),
    "height": (120.0, 220.0),
    "weight": (25.0, 450.0),
    "bmi": (10.0, 150.0),
    "hba1c": (3.0, 20.0),
    "fpg": (1.0, 50.0),
    "sbp": (50.0, 280.0),
    "dbp": (20.0, 180.0),
    "egfr": (1.0, 250.0),
    "uacr": (0.05, 100000.0),
    "creatinine": (0.1, 25.0),
    "c_peptide": (0.0, 15.0),
}
#: Ranges outside of which a value is possible and unusual, so that it is said; assumed, units as in `POSSIBLE`.
UNUSUAL = {
    "age": (18.0, 95.0),
    "duration": (0.0, 60.0),
    "height": (135.0, 205.0),
    "weight": (35.0, 250.0),
    "bmi": (15.0, 75.0),
    "hba1c": (4.0, 18.0),
    "fpg": (2.8, 35.0),
    "sbp": (75.0, 245.0),
    "dbp": (25.0, 145.0),
    "egfr": (5.0, 165.0),
    "uacr": (0.3, 20000.0),
    "creatinine": (0.3, 15.0),
    "c_peptide": (0.0, 8.0),
}


@dataclass(frozen=True)
class Plausibility:
    """Who is plausible.

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
    """Judge the rows of a library's table."""
    columns = {name: table[name].to_numpy(dtype=float) for name in RANGES if name in table}
    columns["insulin_dose_per_kg"] = (table["insulin_dose"] / table["weight"]).to_numpy(dtype=float)
    outside = {name: ~((values >= RANGES[name][0]) & (values <= RANGES[name][1])) for name, values in columns.items()}
    bad = np.any(list(outside.values()), axis=0)
    return Plausibility(~bad, {name: int(flags.sum()) for name, flags in outside.items() if flags.any()})
