"""The table of everything that is measured, and of what is known of people: one reader for every room.

``observables.csv`` says what each observable is called, in which unit it is, and where the model has it; ``variation.csv`` how much one
measurement, and a year of life, move it; ``bounds.csv`` which values can be; ``names.csv`` what others call it;
``characteristics.csv`` what does not change in a trial. Nothing of this is typed anywhere else.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..base.units import ucum
from .variation import Variation, read_observable_rows, variations

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
Numbers: TypeAlias = NDArray[np.float64]
#: Whose values, see `bounds_for`.
Whose = Literal["reportable", "possible", "usual", "virtual", "group"]
#: Who uses a name: protocols of trials, tables of people, the registry of evidence.
Where = Literal["protocol", "cohort", "registry"]

#: The unit of a name of the registry of which values are kept as they were printed.
AS_PRINTED = "as printed"


@dataclass(frozen=True)
class Observable:
    """Something that is measured of people.

    Attributes
    ----------
    id
        The one name.
    label, short
        For texts, and for axes and tables.
    paramcd
        PARAMCD of CDISC ADaM; empty where trials do not measure it.
    unit, ucum
        As betapod writes it, and by UCUM.
    loinc
        Code of LOINC for this component in this unit; empty where none fits.
    link
        ``log`` where changes are ratios, else ``linear``.
    better
        1 where a rise is an improvement, -1 where a fall is, 0 where that depends.
    floor
        Smallest value that is reported; NaN without one.
    digits
        Decimals with which changes are given.
    model
        Expression in names of the coupled model, of columns of a patient library and of `formulas`; empty where it has none.
    cohort
        Column of tables of people; empty if none.
    library
        Column of a patient library with everybody's own value, before any error; empty if none.
    panel
        Title of the axis that it shares with its like in figures of predictions; empty: its own name.
    compared
        How predictions are compared with published groups: ``linear`` (means), ``log`` (geometric means), ``course`` (the model has the course
        but not the level: ratios to the start); empty: they are not.
    stands_for
        What of the model stands for what was measured.
    """

    id: str
    label: str
    short: str
    paramcd: str
    unit: str
    loinc: str
    link: str
    better: int
    floor: float
    digits: int
    model: str
    cohort: str
    library: str
    panel: str
    compared: str
    stands_for: str
    note: str

    @property
    def ucum(self) -> str:
        """The unit by UCUM."""
        return ucum(self.unit)

    @property
    def error(self) -> Variation | None:
        """How far one measurement strays from the truth; None where nobody says."""
        return variations().get((self.id, "measurement"))

    def error_in(self, whom: Literal["prediabetes"]) -> Variation:
        """Return how far one measurement strays in some people who differ from others.

        Raises
        ------
        KeyError
            The table does not tell these people apart.
        """
        return variations()[self.id, f"measurement in {whom}"]

    @property
    def life(self) -> Variation | None:
        """What a year of life moves besides the model; None for nothing."""
        return variations().get((self.id, "life"))

    @property
    def relative_error(self) -> float:
        """SD of one measurement as a share of the value; 0 where nobody says."""
        return 0.0 if self.error is None else self.error.share

    @property
    def is_relative(self) -> bool:
        """Whether measurements stray by a share of the value."""
        return self.error is not None and self.error.scale == "log"

    def forward(self, values: Numbers) -> Numbers:
        """Return values on the scale on which changes are counted."""
        return np.log(np.maximum(values, self.floor)) if self.link == "log" else values

    def backward(self, values: Numbers) -> Numbers:
        """Undo `forward`."""
        return np.exp(values) if self.link == "log" else values


@dataclass(frozen=True)
class Characteristic:
    """Something about a person that does not change in a trial.

    Attributes
    ----------
    short
        What a share of people is one of: ``women``; empty for numbers.
    paramcd
        Name in protocols; empty where they do not speak of it.
    cohort
        Column of tables of people; empty where it is made of others.
    """

    id: str
    label: str
    short: str
    paramcd: str
    unit: str
    loinc: str
    cohort: str
    note: str

    @property
    def ucum(self) -> str:
        """The unit by UCUM."""
        return ucum(self.unit)


@dataclass(frozen=True)
class Name:
    """What others call an observable; `unit` and `better` where the registry of evidence has its own."""

    name: str
    means: str
    where: str
    unit: str
    better: int | None


_BETTER = {"higher": 1, "lower": -1, "": 0, "depends": 0}


@functools.cache
def observables() -> dict[str, Observable]:
    """Return everything that is measured, by id."""
    return {
        row["id"]: Observable(
            **row
            | {
                "better": _BETTER[row["better"]],
                "floor": float(row["floor"] or "nan"),
                "digits": int(row["digits"]),
            }  # type: ignore[arg-type]
        )
        for row in read_observable_rows("observables")
    }


@functools.cache
def known_characteristics() -> dict[str, Characteristic]:
    """Return what is known of people besides, by id."""
    return {row["id"]: Characteristic(**row) for row in read_observable_rows("characteristics")}


@functools.cache
def names_for(where: Where) -> dict[str, Name]:
    """Return the names that protocols, tables of people or the registry use for an observable or characteristic, by name."""
    return {
        row["name"]: Name(
            row["name"], row["means"], row["where"], row["unit"], _BETTER[row["better"]] if row["better"] else None
        )
        for row in read_observable_rows("names")
        if row["where"] == where
    }


@functools.cache
def trial_observables() -> dict[str, Observable]:
    """Return what trials measure, by PARAMCD."""
    return {item.paramcd: item for item in observables().values() if item.paramcd}


@functools.cache
def fixed() -> dict[str, Characteristic]:
    """Return characteristics that protocols speak of, by PARAMCD."""
    return {item.paramcd: item for item in known_characteristics().values() if item.paramcd}


@functools.cache
def observables_and_characteristics() -> dict[str, Observable | Characteristic]:
    """Return characteristics and observables, by id."""
    return {**known_characteristics(), **observables()}


@functools.cache
def people_columns() -> dict[str, str]:
    """Return the column of tables of people, by observable or characteristic that has one."""
    return {name: item.cohort for name, item in observables_and_characteristics().items() if item.cohort}


def by_column(values: Mapping[str, T]) -> dict[str, T]:
    """Return what is known by observable or characteristic by the column that tables of people have for it."""
    return {people_columns()[name]: value for name, value in values.items() if name in people_columns()}


#: Whose bounds hold where an observable has none of its own.
_INSTEAD = {"virtual": "usual", "group": "possible"}


@functools.cache
def bounds_for(whose: Whose) -> dict[str, tuple[float, float]]:
    """Return the lowest and highest value, by observable or characteristic, in its unit.

    Parameters
    ----------
    whose
        ``reportable``: what a laboratory, a scale or a calendar can give. ``possible``: what an adult can have; beyond it is an error of entry
        or of unit. ``usual``: beyond it is said. ``virtual``: true values of virtual patients. ``group``: means of groups of people.
    """
    rows = {(row["name"], row["of"]): (float(row["low"]), float(row["high"])) for row in read_observable_rows("bounds")}
    instead = {name: span for (name, of), span in rows.items() if of == _INSTEAD.get(whose)}
    return instead | {name: span for (name, of), span in rows.items() if of == whose}


def observables_table() -> pd.DataFrame:
    """Return everything that is measured as a table, one row per observable.

    Returns
    -------
    pandas.DataFrame
        Index ``observable``. ``label``, ``paramcd`` (CDISC), ``unit``, ``ucum``, ``loinc``, ``link``, ``better``, ``model``; ``error``
        (SD of one measurement) and ``error_scale``, ``error_grade``; ``life`` (SD of a year as a share of the value),
        ``life_years`` (correlation time); ``low`` and ``high``, possible values in the unit.

    Examples
    --------
    >>> from betapod.observables.table import observables_table
    >>> observables_table().loc["UACR", ["unit", "loinc", "link"]].tolist()
    ['mg/g', '9318-7', 'log']
    >>> float(observables_table().loc["UACR", "error"])
    0.50947
    """
    import pandas as pd

    possible, words = bounds_for("possible"), {1: "higher", -1: "lower", 0: ""}
    rows = []
    for item in observables().values():
        error, life = item.error, item.life
        low, high = possible.get(item.id, (math.nan, math.nan))
        rows.append(
            {
                "observable": item.id,
                "label": item.label,
                "paramcd": item.paramcd,
                "unit": item.unit,
                "ucum": item.ucum,
                "loinc": item.loinc,
                "link": item.link,
                "better": words[item.better],
                "model": item.model,
                "error": math.nan if error is None else error.sd,
                "error_scale": "" if error is None else error.scale,
                "error_grade": "" if error is None else error.grade,
                "life": math.nan if life is None else life.share,
                "life_years": math.nan if life is None else life.lasts,
                "low": low,
                "high": high,
            }
        )
    return pd.DataFrame(rows).set_index("observable")
