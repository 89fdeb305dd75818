"""Which arms of which studies the model can simulate, on whom, and why others not."""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..evidence.effects import unusable
from ..evidence.study import Record
from .readouts import readout_of

if TYPE_CHECKING:
    from ..patients.target import Target

_FOLDER = Path(__file__).parent
#: Cohorts that have a table of their own among the patients.
_KNOWN = ("Packham", "Skyler", "FLOW")

#: Products of the registry that are nothing in the model.
NOT_IN_MODEL = {
    "HSCT": "haematopoietic transplantation with conditioning is not in the model",
    "CD34+ cells": "CD34+ cells are not among the products of the model",
    "mixed cell products": "several products pooled",
    "Stem Cell Educator": "extracorporeal treatment of lymphocytes is not in the model",
    "hyperbaric oxygen": "hyperbaric oxygen is not in the model",
}
#: Populations without people in the library.
NOT_IN_LIBRARY = {
    "CKD": "kidney disease of mixed causes: the library has diabetes only",
    "general": "people without diabetes: the library has diabetes only",
}
#: Kinds of numbers that no course of the model gives.
NOT_A_COURSE = {
    "hazard_ratio": "a hazard: time to events is not simulated for rows",
    "risk_ratio": "a ratio of risks: events are not simulated for rows",
    "odds_ratio": "a ratio of odds: events are not simulated for rows",
    "rate": "a rate of events: events are not simulated for rows",
    "smd": "a standardised difference: its SD was not read",
}


@dataclass(frozen=True)
class Arm:
    """What one group of a study gets.

    Attributes
    ----------
    cohort
        Name of the people, see `cohort`.
    cells
        Order for cells, empty for none.
    care
        Therapies added to what a person takes already.
    inputs
        Inputs of the model held from day 0.
    control
        Therapies of the group that a contrast compares with.
    note
        What was assumed.
    """

    study: str
    arm: str
    cohort: str
    cells: str = ""
    care: tuple[str, ...] = ()
    inputs: tuple[tuple[str, float], ...] = ()
    control: tuple[str, ...] = ()
    note: str = ""

    @property
    def other(self) -> Arm:
        """The group that a contrast compares with."""
        return Arm(self.study, "control", self.cohort, care=self.control)


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())


def _inputs(text: str) -> tuple[tuple[str, float], ...]:
    pairs = (part.partition("=") for part in _split(text))
    return tuple((name.strip(), float(value)) for name, _, value in pairs)


@functools.cache
def arms() -> dict[tuple[str, str], Arm]:
    """Return every arm that is mapped to a treatment of the model, by study and arm."""
    with (_FOLDER / "arms.csv").open(encoding="utf-8", newline="") as file:
        return {
            (row["study"], row["arm"]): Arm(
                row["study"],
                row["arm"],
                row["cohort"],
                row["cells"],
                _split(row["care"]),
                _inputs(row["inputs"]),
                _split(row["control_care"]),
                row["note"],
            )
            for row in csv.DictReader(file)
        }


@functools.cache
def cohorts() -> dict[str, Target]:
    """Return the baseline of every cohort that an arm names."""
    from ruamel.yaml import YAML

    from ..patients import tables

    path = _FOLDER / "cohorts.yaml"
    content = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    found = {str(name): tables.of_mapping(table, str(name), path.name) for name, table in content.items()}
    return found | {name: tables.load(name) for name in _KNOWN}


def baseline_of(record: Record) -> float | None:
    """Return the study's own baseline of the same arm, quantity and statistic, in the same unit."""
    from ..evidence.registry import load

    for other in load():
        same = (other.study, other.arm, other.endpoint_text, other.kind, other.unit) == (
            record.study,
            record.arm,
            record.endpoint_text,
            record.kind,
            record.unit,
        )
        if same and other.weeks == 0.0 and other.usable and other.id != record.id:
            return other.value
    return None


def reason(record: Record) -> str:
    """Return why a row cannot be confronted, or an empty string."""
    if record.tag != "seen":
        return "recalled, not read in the source"
    for table, key in (
        (NOT_IN_MODEL, record.product),
        (NOT_IN_LIBRARY, record.population),
        (NOT_A_COURSE, record.kind),
    ):
        if key in table and record.weeks != 0.0:
            return table[key]
    refused = unusable(record)
    if refused:
        return refused
    if readout_of(record) is None:
        return f"the model has no read-out for {record.endpoint} as {record.kind}"
    if (record.study, record.arm) not in arms():
        return "the arm is not mapped to a treatment and population of the model"
    readout = readout_of(record)
    if readout and readout.risk and not arms()[record.study, record.arm].cells:
        return "the model has no adverse events without cells"
    if readout and readout.relative and readout.form == "level" and baseline_of(record) is None:
        return "the model has the course of this quantity, not its level, and the study's own baseline was not read"
    if record.weeks is None:
        return "the time of the measurement was not read"
    if record.n is None and (record.dispersion is None or record.dispersion.type == "unclear"):
        return "neither a standard error nor a number of people was read"
    return ""


def sort(records: Iterable[Record]) -> tuple[list[Record], list[tuple[Record, str]]]:
    """Return the rows that can be simulated, and the others with their reason."""
    can, cannot = [], []
    for record in records:
        why = reason(record)
        if why:
            cannot.append((record, why))
        else:
            can.append(record)
    return can, cannot
