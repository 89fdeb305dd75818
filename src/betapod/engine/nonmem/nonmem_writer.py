"""Write people with doses and values as an event data set in the form of NONMEM."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...base.errors import ConfigError, Location, Problem
from ...model import Model
from ..calendar import exact_time, repeated_times
from ..schedule import Dose, Schedule

_HEAD = ("ID", "TIME", "EVID", "CMT", "AMT", "RATE", "II", "ADDL", "SS", "DVID", "DV", "MDV")
#: Rows of one time: what is seen comes before what is given, as visits see it.
_SEEN, _OTHER, _GIVEN = range(3)
_Cells = dict[str, object]


@dataclass(frozen=True)
class WrittenSubject:
    """A person to be written.

    Attributes
    ----------
    times
        Of the values, increasing, in the model's unit of time.
    values
        By output: (times,), NaN where there is none.
    covariates
        Values of parameters or inputs that are hers.
    """

    name: str
    schedule: Schedule
    times: Sequence[float]
    values: Mapping[str, Sequence[float]]
    covariates: Mapping[str, float] = field(default_factory=dict)


def nonmem_text(model: Model, people: Sequence[WrittenSubject]) -> str:
    """Return people as an event data set: text separated by commas.

    CMT is the number of the state, DVID that of the output, both from 1 on in their order; a covariate's value is that since the row before. Numbers are in the
    model's units. A steady state is written as a dose one interval before the start.

    Raises
    ------
    ConfigError
        Inputs that change gradually, for which such a table has no place.

    Examples
    --------
    >>> import betapod
    >>> from betapod.engine.nonmem.nonmem_writer import WrittenSubject, nonmem_text
    >>> person = WrittenSubject("1", betapod.Schedule([betapod.Dose("glucose", 50.0)]), [2.0], {"glucose": [94.0]})
    >>> print(nonmem_text(betapod.load_model("topp2000"), [person]), end="")
    ID,TIME,EVID,CMT,AMT,RATE,II,ADDL,SS,DVID,DV,MDV
    1,0,1,1,50,0,0,0,0,.,.,1
    1,2,0,1,.,.,.,.,.,1,94,0
    """
    gradual = [
        f"{switch.input} of {person.name}"
        for person in people
        for switch in person.schedule.switches
        if switch.width > 0
    ]
    if gradual:
        message = "an event data set has no place for inputs that change gradually"
        hint = "Change them in steps."
        raise ConfigError(Problem("unsupported", message, Location(), ", ".join(gradual[:3]), "changes at once", hint))
    names = list(dict.fromkeys(name for person in people for name in _covariates(person)))
    rows = {**model.parameters, **model.inputs}
    usual = {name: rows[name].value for name in names}
    outputs = list(dict.fromkeys(name for person in people for name in person.values))
    lines = [",".join((*_HEAD, *names))]
    for person in people:
        lines += [
            ",".join(_text(cells.get(head, ".")) for head in (*_HEAD, *names))
            for cells in _rows(model, person, outputs, usual)
        ]
    return "\n".join(lines) + "\n"


def _covariates(person: WrittenSubject) -> list[str]:
    return [*person.covariates, *(switch.input for switch in person.schedule.switches)]


def _text(cell: object) -> str:
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    return str(cell)


def _rows(model: Model, person: WrittenSubject, outputs: Sequence[str], usual: Mapping[str, float]) -> list[_Cells]:
    """Return the rows of a person, in order."""
    states = {name: number for number, name in enumerate(model.state_names, start=1)}
    rows: list[tuple[float, int, _Cells]] = []
    for dose in person.schedule.doses:
        rows += [(row_dose.time, _GIVEN, _dose(row_dose, states)) for row_dose in _written(dose, person.times)]
    for name, values in person.values.items():
        for time, value in zip(person.times, values, strict=True):
            if math.isfinite(value):
                looked_at = {"EVID": 0, "DVID": outputs.index(name) + 1, "DV": float(value), "MDV": 0}
                rows.append((float(time), _SEEN, {**looked_at, "CMT": states.get(name, 1)}))
    there = {time for time, _, _ in rows}
    rows += [(s.time, _OTHER, {"EVID": 2, "MDV": 1}) for s in person.schedule.switches if s.time not in there]
    rows.sort(key=lambda row: row[:2])
    return [{"ID": person.name, "TIME": time, **cells, **_values_at(person, time, usual)} for time, _, cells in rows]


def _written(dose: Dose, times: Sequence[float]) -> list[Dose]:
    """Return the rows of a dose: one, or one for each time where somebody looks at such a time, since further doses of a row (ADDL) come before what is seen.

    A steady state begins one interval before the start, so that what is seen at the start is its trough.
    """
    first = replace(dose, time=-dose.ii, addl=dose.addl + 1) if dose.ss else dose
    looked_at = {exact_time(time) for time in times}
    moments = repeated_times(first.time, first.ii, first.addl)
    if not looked_at & {*moments[1:]}:
        return [first]
    singles = [replace(dose, time=float(moment), addl=0, ii=0.0, ss=False) for moment in moments[1:]]
    return [replace(first, addl=0, ii=first.ii if first.ss else 0.0), *singles]


def _dose(dose: Dose, states: Mapping[str, int]) -> _Cells:
    rate = dose.rate or (dose.amount / dose.duration if dose.duration else 0.0)
    return {
        "EVID": 1, "CMT": states[dose.state], "AMT": float(dose.amount), "RATE": float(rate), "II": float(dose.ii),
        "ADDL": dose.addl, "SS": int(dose.ss), "MDV": 1,
    }  # fmt: skip


def _values_at(person: WrittenSubject, time: float, usual: Mapping[str, float]) -> dict[str, float]:
    """Return what covariates were until a time: a change at that very time comes after it."""
    values = {**usual, **person.covariates}
    for switch in sorted(person.schedule.switches, key=lambda switch: switch.time):
        if switch.time < time:
            values[switch.input] = switch.value
    return {name: float(values[name]) for name in usual}
