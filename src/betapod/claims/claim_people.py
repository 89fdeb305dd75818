"""The people in whom claims are simulated: typical people, and two of them who have lived on to kidney disease."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..person.coupled_person import Patient


@dataclass(frozen=True)
class Older:
    """A typical person some years later, untreated.

    Attributes
    ----------
    years
        Chosen so that `kidney` describes the end: claims about damaged kidneys need someone who has them.
    """

    start: str
    years: float
    kidney: str


OLDER = {
    "t2d_micro": Older("t2d_late", 5.0, "type 2 diabetes, eGFR 105, UACR 90 mg/g: early nephropathy"),
    "t2d_ckd": Older("t2d_late", 14.0, "type 2 diabetes, eGFR 36, UACR 380 mg/g: advanced diabetic kidney disease"),
}


@cache
def patient(name: str) -> Patient:
    """Return a person of the ledger with every state today.

    Raises
    ------
    ConfigError
        No such person.
    """
    from ..base.constants import DAYS_PER_YEAR
    from ..engine.scipy.reference import simulate
    from ..person import coupled_person

    if name not in OLDER:
        return coupled_person.patient(name)
    older = OLDER[name]
    young = coupled_person.patient(older.start)
    days = older.years * DAYS_PER_YEAR
    names = list(young.model.state_names)
    table = simulate(young.model, [0.0, days], initial=young.state, outputs=names).table
    model = young.model.with_values({"age": young.model.inputs["age"].value + older.years})
    state = {key: float(table[key].iloc[-1]) for key in names}
    return replace(young, name=name, label=older.kidney, model=model, state=state, history=young.history + older.years)


def label(name: str) -> str:
    """Return who a person is, in words."""
    from ..person import typical as people

    return OLDER[name].kidney if name in OLDER else people.person(name).label
