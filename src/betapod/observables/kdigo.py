"""Categories of kidney disease: KDIGO 2012 (doi:10.1038/kisup.2012.64), the same in KDIGO 2024 (doi:10.1016/j.kint.2023.10.018).

GFR, mL/min/1.73m2: G1 from 90, G2 60 to 89, G3a 45 to 59, G3b 30 to 44, G4 15 to 29, G5 below 15; a value between two whole numbers,
such as 89.6, belongs to the lower class. Albuminuria, mg/g: A1 below 30, A2 30 to 300, A3 above 300: 300 itself is A2. Who has
no value has no category.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

G_NAMES = ("G1", "G2", "G3a", "G3b", "G4", "G5")
A_NAMES = ("A1", "A2", "A3")
#: Lower bounds of G1 to G4, themselves in the class (mL/min/1.73m2).
G_BOUNDS = (90.0, 60.0, 45.0, 30.0, 15.0)
#: From this UACR on albuminuria is A2, and above the second it is A3 (mg/g).
A2_FROM, A3_ABOVE = 30.0, 300.0
#: Risk of the grid, by columns A1 to A3.
RISK = {
    "G1": ("low", "moderate", "high"),
    "G2": ("low", "moderate", "high"),
    "G3a": ("moderate", "high", "very high"),
    "G3b": ("high", "very high", "very high"),
    "G4": ("very high", "very high", "very high"),
    "G5": ("very high", "very high", "very high"),
}

Names = NDArray[np.object_]


def g_number(egfr: ArrayLike) -> NDArray[np.int64]:
    """Return the position of everybody in `G_NAMES`, -1 without a value."""
    values = np.asarray(egfr, dtype=np.float64)
    classes = np.sum([values < bound for bound in G_BOUNDS], axis=0)
    return np.where(np.isfinite(values), classes, -1)


def a_number(uacr: ArrayLike) -> NDArray[np.int64]:
    """Return the position of everybody in `A_NAMES`, -1 without a value."""
    values = np.asarray(uacr, dtype=np.float64)
    classes = (values >= A2_FROM).astype(np.int64) + (values > A3_ABOVE)
    return np.where(np.isfinite(values), classes, -1)


def _named(names: tuple[str, ...], number: NDArray[np.int64]) -> Names:
    return np.array([*names, None], dtype=object)[number]


def g_category(egfr: ArrayLike) -> Names:
    """Return the category of GFR (mL/min/1.73m2), such as ``G3a``; None without a value."""
    return _named(G_NAMES, g_number(egfr))


def a_category(uacr: ArrayLike) -> Names:
    """Return the category of albuminuria (mg/g), such as ``A2``; None without a value."""
    return _named(A_NAMES, a_number(uacr))


def _both(egfr: ArrayLike, uacr: ArrayLike, cell: Callable[[str, int], str]) -> Names:
    # The last row and column stay empty: they are those of number -1.
    table = np.full((len(G_NAMES) + 1, len(A_NAMES) + 1), None, dtype=object)
    for i, name in enumerate(G_NAMES):
        for k in range(len(A_NAMES)):
            table[i, k] = cell(name, k)
    cells: Names = np.asarray(table[g_number(egfr), a_number(uacr)], dtype=object)
    return cells


def grid(egfr: ArrayLike, uacr: ArrayLike) -> Names:
    """Return the cell of the grid of everybody, such as ``G3aA2``; None where either value is missing."""
    return _both(egfr, uacr, lambda g, i: g + A_NAMES[i])


def risk(egfr: ArrayLike, uacr: ArrayLike) -> Names:
    """Return the risk of everybody, ``low`` to ``very high``; None where either value is missing."""
    return _both(egfr, uacr, lambda g, i: RISK[g][i])
