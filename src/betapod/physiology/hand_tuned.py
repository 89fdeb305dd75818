"""Models with the values that their tables had before any fit: known numbers of the equations were computed with these."""

from __future__ import annotations

import math

from ..model.assembly.model import Model
from .installed_fits import list_fits, load_fit

#: Share by which a table may differ from a fit that is in it: values are written with five digits.
_ROUNDING = 1e-4


def hand_tuned(model: Model) -> Model:
    """Return a model with the hand-tuned values of every row that an installed fit has changed.

    A row that has another value than its fit gave it stays: people, or a user, have given it their own.

    Examples
    --------
    >>> from betapod.physiology.hand_tuned import hand_tuned
    >>> from betapod.physiology.whole_body import named_model
    >>> kidney = named_model("kidney")
    >>> hand_tuned(kidney).fingerprint == kidney.fingerprint
    True
    """
    values: dict[str, float] = {}
    for name in reversed(list_fits()):
        fit = load_fit(name)
        kinds, starts = fit.kinds, fit.at_start()
        for unknown in fit.unknowns:
            if unknown.name not in starts or kinds[unknown.name] not in ("row", "cells"):
                continue
            if unknown.name not in model.parameters:
                continue
            now = values.get(unknown.name, model.parameters[unknown.name].value)
            if math.isclose(now, unknown.median, rel_tol=_ROUNDING):
                values[unknown.name] = unknown.start
    return model.with_values(values) if values else model
