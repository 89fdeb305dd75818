"""Library patients as recipients of treatment: their own values, what they take already, and how well their kidneys filter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..therapies.plan import Recipients
from .population import Numbers

if TYPE_CHECKING:
    import pandas as pd

#: Library column that says who takes a drug of a class already.
DRUG_COLUMNS = {
    "biguanide": "metformin",
    "sulfonylurea": "sulfonylurea",
    "thiazolidinedione": "tzd",
    "DPP-4 inhibitor": "dpp4",
    "GLP-1 receptor agonist": "glp1ra",
    "SGLT2 inhibitor": "sglt2i",
    "ACE inhibitor": "acei",
    "ARB": "arb",
    "steroidal MRA": "mra",
    "calcium-channel blocker": "ccb",
    "thiazide": "diuretic",
}


def recipients(table: pd.DataFrame, parameters: Mapping[str, Numbers], states: Mapping[str, Numbers]) -> Recipients:
    """Return patients of a library as `therapies.plan.plan` takes them; contraindications go by their true eGFR."""
    takes = {drug: table[column].to_numpy() > 0 for drug, column in DRUG_COLUMNS.items()}
    return Recipients(parameters, states, takes, table["true_egfr"].to_numpy(dtype=np.float64))
