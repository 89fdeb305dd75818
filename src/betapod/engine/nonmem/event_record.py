"""One row of an event data set, and the people whose rows they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: What the numbers of EVID stand for.
OBSERVATION, DOSE, OTHER, RESET, RESET_AND_DOSE = range(5)


@dataclass(frozen=True)
class EventRecord:
    """One row: times in the model's unit, amounts in the unit of the state.

    Attributes
    ----------
    line
        Of the file.
    evid
        0 observation, 1 dose, 2 other, 3 reset, 4 reset and dose.
    state
        Where the dose goes; empty in rows without one.
    amount, rate, duration
        Of the dose: a rate or a duration above 0 makes it an infusion.
    every, more
        Time between doses (II), and how many further ones follow (ADDL).
    steady
        SS: 0; 1 in the steady state of such doses, whatever was before; 2 that steady state added to what was before.
    value
        DV as it stands in the table; NaN where nothing was measured.
    measured
        What DVID, or else CMT, says was measured; empty where the table says nothing.
    covariates
        Values by parameter or input of the model, in the model's units; those that the row leaves out are missing.
    """

    line: int
    time: float
    evid: int
    state: str = ""
    amount: float = 0.0
    rate: float = 0.0
    duration: float = 0.0
    every: float = 0.0
    more: int = 0
    steady: int = 0
    value: float = float("nan")
    measured: str = ""
    covariates: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_dose(self) -> bool:
        """Whether something is given."""
        return self.evid in (DOSE, RESET_AND_DOSE)

    @property
    def is_reset(self) -> bool:
        """Whether everything begins anew."""
        return self.evid in (RESET, RESET_AND_DOSE)


@dataclass(frozen=True)
class Subject:
    """One person of an event data set, with her rows in the order of the file."""

    name: str
    records: tuple[EventRecord, ...]


@dataclass(frozen=True)
class NonmemSettings:
    """What an event data set leaves open.

    Attributes
    ----------
    compartments
        State of the model by what stands in CMT; by default CMT is the name of a state, or the number of one, from 1 on in their order.
    covariates
        Value of a covariate between rows: ``backward``, that of the next row, as NONMEM and mrgsolve take it; ``forward``, that of the row before; ``linear``.
    columns
        What headings of the table mean that have another name: heading -> data item, covariate (with a unit in brackets, if it has one) or ``ignore``.
    """

    compartments: Mapping[str, str] = field(default_factory=dict)
    covariates: str = "backward"
    columns: Mapping[str, str] = field(default_factory=dict)


#: Ways to go from one value of a covariate to the next.
COVARIATE_RULES = ("backward", "forward", "linear")
