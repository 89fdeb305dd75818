"""Two reporting checklists filled in from a run: CHEERS 2022 and the Diabetes Modeling Input Checklist. What the run lacks is absent."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..common import words
from . import diabetes_answers, economic_answers
from .run_settings import reporting

if TYPE_CHECKING:
    from ...value.value_result import ValueResult

FILE = Path(__file__).with_name("reporting_items.yaml")
#: What stands where a run says nothing.
ABSENT = "absent"

Answer = Callable[["ValueResult"], str]
_ANSWERS: Mapping[str, Mapping[str, Answer]] = {
    "cheers": economic_answers.ANSWERS,
    "diabetes": diabetes_answers.ANSWERS,
}


@dataclass(frozen=True)
class ReportingItem:
    """One item of a checklist.

    Attributes
    ----------
    number
        Within its checklist, from 1.
    asks
        What is to be reported, in our words.
    answer
        From the run, then from its author; ``absent`` where neither says anything.
    key
        Where the author may say it: under ``reporting`` in the run file; empty where only the run can.
    """

    number: int
    section: str
    topic: str
    asks: str
    answer: str
    key: str

    @property
    def absent(self) -> bool:
        """Whether nothing is reported."""
        return self.answer.startswith(ABSENT)


@dataclass(frozen=True)
class Checklist:
    """A reporting checklist, filled in.

    Attributes
    ----------
    work
        Where the checklist was published.
    """

    name: str
    title: str
    work: str
    items: tuple[ReportingItem, ...]

    @property
    def reported(self) -> int:
        """How many items are reported."""
        return sum(not item.absent for item in self.items)


@functools.cache
def _file() -> Mapping[str, Any]:
    from ...base.config import parse_yaml

    data: Mapping[str, Any] = parse_yaml(FILE.read_text(encoding="utf-8"), FILE.name).data
    return data


def filled_checklist(name: str, result: ValueResult) -> Checklist:
    """Return a checklist with what a run says to each item.

    Parameters
    ----------
    name
        ``cheers`` or ``diabetes``.
    """
    data = _file()[name]
    rows = [(section, row) for section, rows in data["sections"].items() for row in rows]
    items = []
    for number, (section, row) in enumerate(rows, start=1):
        key = row.get("key", "")
        answers = [_ANSWERS[name][row["id"]](result), reporting(result, key)]
        answer = " ".join(text for text in answers if text)
        if answer.startswith(ABSENT) and answers[1]:
            answer = answers[1]
        items.append(ReportingItem(number, section, row["topic"], row["asks"], answer or _absent(key), key))
    return Checklist(name, data["title"], data["work"], tuple(items))


def _absent(key: str) -> str:
    return f"{ABSENT} (the author may write it under reporting: {key} in the run file)" if key else ABSENT


def both_checklists(result: ValueResult) -> tuple[Checklist, ...]:
    """Return CHEERS 2022 and the Diabetes Modeling Input Checklist."""
    return tuple(filled_checklist(name, result) for name in _file())


def count_words(checklist: Checklist) -> str:
    """Return how much of a checklist is reported: ``25 of 28 items; absent: 4, 27, 28``."""
    missing = [str(item.number) for item in checklist.items if item.absent]
    text = f"{checklist.reported} of {len(checklist.items)} items are reported"
    return f"{text}; absent: {words.listed(missing)}" if missing else text
