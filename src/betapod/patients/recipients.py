"""Library patients as recipients of treatment: their own values, what they take already, and how well their kidneys filter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..therapies.plan import Recipients

if TYPE_CHECKING:
    from .library import Library

#: Library column that says who takes a drug already.
DRUG_COLUMNS = {
    "metformin": "metformin",
    "sulfonylurea": "sulfonylurea",
    "pioglitazone": "tzd",
    "DPP-4 inhibitor": "dpp4",
    "liraglutide": "glp1ra",
    "semaglutide": "glp1ra",
    "SGLT2 inhibitor": "sglt2i",
    "ACE inhibitor": "acei",
    "ARB": "arb",
    "MRA": "mra",
    "calcium-channel blocker": "ccb",
}


def recipients(library: Library) -> Recipients:
    """Return the patients of a library as `therapies.plan.plan` takes them; contraindications go by their true eGFR."""
    takes = {drug: library.table[column].to_numpy() > 0 for drug, column in DRUG_COLUMNS.items()}
    filtration = library.table["true_egfr"].to_numpy(dtype=np.float64)
    return Recipients(library.parameters, library.initial, takes, filtration)
