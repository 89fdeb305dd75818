"""Harms of a course for the answer: people of 1,000 with cells and with placebo, and single cases that were reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...hazards.harm_table import HarmLine, harm_table
from ...therapies.scenarios import CURRENT_EVIDENCE
from ..common.words import written_number
from .simulated_effects import course_key
from .traced_numbers import NumberBook, TracedNumber

if TYPE_CHECKING:
    from ...evidence.records.registry import Registry
    from ...evidence.records.study import Record

YEARS = 1.0
#: The record of deaths in the trial of islets made from stem cells.
DEATHS = "REICHMAN2025_VX880#9"


@dataclass(frozen=True)
class EnteredHarms:
    """The harms of one course.

    Attributes
    ----------
    keys
        Name of the harm -> key of the number of people more of 1,000.
    """

    course: str
    words: str
    lines: tuple[HarmLine, ...]
    notes: tuple[str, ...]
    keys: dict[str, str]

    def line(self, harm: str) -> HarmLine | None:
        """Return one harm; None where the course has no such."""
        return next((line for line in self.lines if line.harm == harm), None)


def enter_harms(course: str, kidney_disease: bool, book: NumberBook) -> EnteredHarms:
    """Return the harms of a course, and enter their numbers into the book."""
    table = harm_table(course, CURRENT_EVIDENCE, kidney_disease, YEARS)
    product = course_key(course)
    option = " --kidney-disease" if kidney_disease else ""
    keys = {}
    for line in table.lines:
        key = f"harm-{product}-{line.harm}"
        keys[line.harm] = key
        interval = f"{people_text(line.excess_low)} to {people_text(line.excess_high)}"
        number = TracedNumber(
            key,
            people_text(line.excess),
            line.excess,
            f"people more of 1,000 with {line.label}, {course} against placebo ({interval})",
            f"{people_text(line.people)} with cells, {people_text(line.people_placebo)} with placebo; counted per {line.per}; {line.source}",
            f"betapod harms '{course}'{option}",
            certainty=f"grade {line.grade} of the numbers behind it",
        )
        book.add(number)
        if line.per in ("infusion", "procedure"):
            text = f"{line.events:g}"
            meaning = f"{line.per}s of the course {course}"
            book.add(
                TracedNumber(
                    f"events-{product}", text, line.events, meaning, "read from the order", certainty="as ordered"
                )
            )
    return EnteredHarms(course, table.words, table.lines, table.notes, keys)


def people_text(value: float) -> str:
    """Return a number of people of 1,000."""
    return "0" if abs(value) < 0.05 else written_number(value, 1 if abs(value) < 0.95 else 0)


def deaths_after_graft(registry: Registry, book: NumberBook) -> str:
    """Enter how many people died in the trial of islets made from stem cells, and return how texts refer to it."""
    record = registry[DEATHS]
    n, share = record.n or 0, record.value or 0.0
    counted = round(share * n)
    meaning = "people who died within a year of islets made from stem cells; causes as printed"
    return book.add(
        TracedNumber(
            "SC-islets-deaths",
            f"{counted} of {n}",
            counted,
            meaning,
            f"printed share times {n} people; {record.quote}",
            f"betapod evidence show {record.study}",
            (record.id,),
            "very low",
        )
    )


def reported_cases(registry: Registry) -> list[Record]:
    """Return single cases of serious harm by transplanted cells that were published."""
    return [
        record
        for record in registry
        if record.design == "case-report" and record.tag == "seen" and record.endpoint == "serious_harm"
    ]


def case_words(cases: Sequence[Record]) -> list[tuple[str, str]]:
    """Return the id of each case with what its source says."""
    return [
        (record.id, f"{record.population_text or record.population}: \u201c{record.quote}\u201d {record.citation}")
        for record in cases
    ]
