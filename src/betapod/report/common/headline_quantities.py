"""Which quantities of a model a reader looks at first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...model import Model

#: Quantities that are shown where nobody chose; those that a model has are taken, in this order.
_FIRST = (
    *("GFR", "eGFR", "UACR", "UAER", "MAP", "P_GC", "FF", "S_cr", "BUN", "V_E"),
    *("W_GBM", "Vv_mes", "podocytes", "effacement", "Vv_int", "capillary_density", "inflammation", "nephrons"),
    *("HbA1c", "FPG", "G_fasting", "G_mean", "insulin_fasting", "beta_mass", "insulin_dose"),
)


def headlines(model: Model) -> list[str]:
    """Return the quantities of a model that are shown first: those of clinical interest, else all its states."""
    names = set(model.names)
    return [name for name in _FIRST if name in names] or list(model.state_names) or list(model.assignments)
