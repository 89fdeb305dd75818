"""What kind of published number a row is: treatments and cells of its groups, and who the people are."""

from __future__ import annotations

from dataclasses import dataclass

from ..evidence.records.study import Record
from ..validation.predictions.arm_orders import timed
from ..validation.predictions.studies import StudyArm, arms, contrasts
from ..validation.predictions.study_people import people
from .trust_topics import topic_of
from .trust_treatments import products_named, treatment_name

#: Treatments that a study imposes by an input of the model.
_INPUTS = {"insulin_titration": "insulin", "e_ACE": "ACE inhibitor", "e_ARB": "ARB", "hold_glucose": "held glucose"}
#: Share of a cohort from which on it is counted among people of a kind, and below which among the others.
_MOST, _FEW = 0.9, 0.1
#: Filtration (mL/min/1.73 m2) below which, and albuminuria (mg/g) from which on, somebody has kidney disease (KDIGO).
_LOW_FILTRATION, _ALBUMINURIA = 60.0, 30.0
#: Virtual people of a cohort who say who its people are.
_PEOPLE = 60

TYPES = ("type 1", "type 2", "both types")
KIDNEYS = ("kidney disease", "healthy kidneys", "mixed kidneys")


@dataclass(frozen=True)
class RowKind:
    """What kind of published number a row is.

    Attributes
    ----------
    treatments
        Classes of drugs, diets and the like that any of its groups gets, in the order of the alphabet.
    cells
        Cell products that any of its groups gets.
    topic
        Of `trust_topics.topics`.
    diabetes, kidney
        One of `TYPES` and of `KIDNEYS`: what nine in ten of the people are at the start, else mixed.
    """

    treatments: tuple[str, ...]
    cells: tuple[str, ...]
    topic: str
    diabetes: str
    kidney: str


def treatments_of_group(group: StudyArm) -> set[str]:
    """Return what one group of a study gets besides cells."""
    ordered = {treatment_name(timed(text).name) for text in group.care}
    return ordered | {_INPUTS[name] for name, _ in group.inputs if name in _INPUTS}


def given_in(record: Record) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the treatments and the cell products that any group of a row gets, in the order of the alphabet."""
    arm = arms()[record.study, record.arm]
    groups = (arm, arm.other) if contrasts(record) else (arm,)
    treatments = set[str]().union(*(treatments_of_group(group) for group in groups))
    return tuple(sorted(treatments)), products_named({group.cells for group in groups if group.cells})


def kind_of(record: Record) -> RowKind:
    """Return what kind of number a row is that can be simulated; people are those of its virtual cohort."""
    treatments, cells = given_in(record)
    diabetes, kidney = _people_of(arms()[record.study, record.arm].cohort)
    return RowKind(treatments, cells, topic_of(record.endpoint), diabetes, kidney)


def _people_of(cohort: str) -> tuple[str, str]:
    table = people(cohort, _PEOPLE, 1).table
    type_1 = float(table["T1D"].mean())
    diseased = float(((table["egfr"] < _LOW_FILTRATION) | (table["uacr"] >= _ALBUMINURIA)).mean())
    return _sorted_by(type_1, TYPES), _sorted_by(diseased, KIDNEYS)


def _sorted_by(share: float, names: tuple[str, str, str]) -> str:
    return names[0] if share >= _MOST else names[1] if share < _FEW else names[2]
