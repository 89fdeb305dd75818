"""What a clinic measures in people of a library, from what the model gives: true values, without error of measurement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..base.constants import DAYS_PER_YEAR
from ..observables.expressions import of_model, of_person, value
from ..observables.quantities import Numbers, visit_observables

if TYPE_CHECKING:
    import pandas as pd


def clinic_outputs() -> tuple[str, ...]:
    """Return the quantities of the coupled model that everything measured at visits is made of."""
    return tuple(dict.fromkeys(name for item in visit_observables().values() for name in of_model(item.id)))


def clinic_values(values: Numbers, table: pd.DataFrame, days: Numbers) -> Numbers:
    """Return (people, T, codes) what is measured at visits, in the order of `visit_observables`.

    Parameters
    ----------
    values
        (people, T, outputs) of `clinic_outputs`.
    table
        Of the library, one row per person.
    days
        (T,) from the day to which the ages of the table belong.
    """
    model = {name: values[:, :, i] for i, name in enumerate(clinic_outputs())}
    asked = list(visit_observables().values())
    person = {
        name: table[name].to_numpy(dtype=np.float64)[:, None]
        for name in dict.fromkeys(name for item in asked for name in of_person(item.id))
    }
    person["age"] = person["age"] + days[None, :] / DAYS_PER_YEAR
    measured = np.empty((*values.shape[:2], len(asked)))
    for i, item in enumerate(asked):
        measured[:, :, i] = value(item.id, model, person)
    return measured
