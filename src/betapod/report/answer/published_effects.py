"""Published effects of cells and of what else there is, asked of the registry: estimate, interval, certainty, people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...base.packaged_yaml import packaged_yaml
from ...claims.kept_replies import replies_to
from ...claims.questions import Question, Reply
from ..common.words import MINUS, percent_text, true_minus, unit
from .traced_numbers import NumberBook, TracedNumber

if TYPE_CHECKING:
    from ...evidence.records.registry import Registry

FILE = Path(__file__).with_name("effects.yaml")
#: Outcomes in the order of the page: what each is called, and the measure of its picture.
OUTCOMES = {
    "kidney failure": ("Loss of kidney function, kidney failure or death from it", "hazard ratio"),
    "eGFR": ("Filtration kept (eGFR, mL/min/1.73\u00a0m²)", "more is better"),
    "UACR": ("Albumin in urine (UACR), change in per cent", "less is better"),
    "HbA1c": ("HbA1c, percentage points", "less is better"),
    "insulin-free": ("Share free of insulin", "more is better"),
}


@dataclass(frozen=True)
class PublishedEffect:
    """One effect for the reader.

    Attributes
    ----------
    treatment, outcome, who, when
        What was given, what was measured, in whom, over which time, in words.
    reply
        What the registry answers; its answer is ``nothing`` where no study measured it.
    value, low, high
        On the scale of the picture; None where nothing was measured or the source gives another scale.
    text
        As printed.
    """

    key: str
    treatment: str
    outcome: str
    who: str
    when: str
    reply: Reply
    value: float | None
    low: float | None
    high: float | None
    text: str

    @property
    def measured(self) -> bool:
        """Whether any usable record answers."""
        return self.reply.answer != "nothing"

    @property
    def question_text(self) -> str:
        """What was asked of the registry."""
        return self.reply.question.text

    @property
    def shows_gain(self) -> bool:
        """Whether the interval excludes no effect, on the better side."""
        return self.reply.answer == "for"


def published_effects(registry: Registry, book: NumberBook) -> tuple[PublishedEffect, ...]:
    """Ask every effect of the table, and enter its number into the book."""
    rows = packaged_yaml(FILE)
    replies = replies_to([_question(row) for row in rows], registry)
    return tuple(_effect(row, reply, registry, book) for row, reply in zip(rows, replies, strict=True))


def _question(row: dict[str, Any]) -> Question:
    keys = dict(row["question"])
    for name in ("records", "across"):
        keys[name] = tuple(keys.get(name, ()))
    return Question(**keys)


def _effect(row: dict[str, Any], reply: Reply, registry: Registry, book: NumberBook) -> PublishedEffect:
    value, low, high = _on_scale(reply, row["outcome"])
    text = _text(reply, row["outcome"], value, low, high)
    effect = PublishedEffect(
        row["id"], row["treatment"], row["outcome"], row["who"], row["when"], reply, value, low, high, text
    )
    if effect.measured:
        number = value if value is not None else reply.estimate
        meaning = f"{row['treatment']}: {reply.question.text} ({row['who']}, {row['when']})"
        book.add(
            TracedNumber(
                row["id"],
                text,
                float(number) if number is not None else math.nan,
                meaning,
                f"asked of the registry: {reply.how}",
                _command(reply),
                reply.records,
                reply.certainty,
            )
        )
        _add_companions(effect, registry, book)
    return effect


def _add_companions(effect: PublishedEffect, registry: Registry, book: NumberBook) -> None:
    """Enter what lay readers need of an effect: the people behind it, a risk cut in per cent, a share as so many of so many."""
    records = [registry[name] for name in effect.reply.records]
    studies = {record.study: max(r.n or 0 for r in records if r.study == record.study) for record in records}
    people = sum(studies.values())
    command, names = _command(effect.reply), effect.reply.records
    if people:
        meaning = f"people behind: {effect.reply.question.text}"
        origin = "largest printed number of each study"
        book.add(
            TracedNumber(f"{effect.key}-people", f"{people:,}", people, meaning, origin, command, names, "a count")
        )
    weeks = records[0].weeks
    if effect.outcome == "eGFR" and weeks:
        meaning = f"when it was measured: {effect.question_text}"
        origin = "as the source prints it"
        text = f"{weeks:g} weeks"
        book.add(TracedNumber(f"{effect.key}-time", text, weeks, meaning, origin, command, names, "as printed"))
    if effect.outcome == "eGFR" and effect.value is not None:
        meaning = f"{effect.question_text}, for lay readers"
        origin = f"the estimate of {effect.text}"
        certainty = effect.reply.certainty
        text = f"{effect.value:.1f}"
        book.add(TracedNumber(f"{effect.key}-plain", text, effect.value, meaning, origin, command, names, certainty))
    if effect.outcome == "kidney failure" and effect.value is not None:
        cut = 100.0 * (1.0 - effect.value)
        meaning = f"{effect.treatment}: fewer people who lose kidney function, in per cent of those with placebo"
        origin = f"100 % times (1 - hazard ratio {effect.text})"
        certainty = effect.reply.certainty
        book.add(
            TracedNumber(f"{effect.key}-cut", f"{cut:.0f}\u00a0%", cut, meaning, origin, command, names, certainty)
        )
    if effect.outcome == "insulin-free" and effect.value is not None and records[0].n:
        n = records[0].n
        free = round(effect.value / 100.0 * n)
        meaning = f"{effect.treatment}: {effect.reply.question.text}, counted"
        origin = f"printed share times {n} people"
        certainty = effect.reply.certainty
        book.add(
            TracedNumber(f"{effect.key}-counted", f"{free} of {n}", free, meaning, origin, command, names, certainty)
        )


def _command(reply: Reply) -> str:
    return "betapod evidence show " + " ".join(reply.studies) if reply.studies else ""


def _on_scale(reply: Reply, outcome: str) -> tuple[float | None, float | None, float | None]:
    """Return estimate and interval on the scale of the outcome's picture."""
    if reply.estimate is None:
        return None, None, None
    values = (reply.estimate, *(reply.ci or (None, None)))
    if outcome == "UACR":
        if reply.unit not in ("", "1"):  # printed in mg/g: no ratio can be made of it
            return None, None, None
        scaled = [None if value is None else 100.0 * (value - 1.0) for value in values]
    elif outcome == "insulin-free":
        scaled = [None if value is None else 100.0 * value for value in values]
    else:
        scaled = list(values)
    return scaled[0], scaled[1], scaled[2]


def _text(reply: Reply, outcome: str, value: float | None, low: float | None, high: float | None) -> str:
    if reply.answer == "nothing":
        return "not measured"
    if value is None:
        first, last = reply.ci or (None, None)
        return _with_interval(reply.estimate, first, last, unit(reply.unit), sign=True)
    if outcome == "insulin-free":
        shares = [percent_text(share / 100.0) for share in (value, low, high) if share is not None]
        return (
            shares[0] if len(shares) == 1 else f"{shares[0]} ({shares[1]} to {shares[2]})".replace("\u00a0% to", " to")
        )
    units = {
        "kidney failure": "",
        "eGFR": "mL/min" + (" each year" if "year" in reply.unit else ""),
        "UACR": "%",
        "HbA1c": "points",
    }
    return _with_interval(value, low, high, units[outcome], sign=outcome != "kidney failure")


def _with_interval(value: float | None, low: float | None, high: float | None, units: str, sign: bool) -> str:
    if value is None:
        return "no number"
    tail = f"\u00a0{units}" if units else ""
    if low is None or high is None:
        return f"{printed(value, sign)}{tail}"
    return f"{printed(value, sign)}{tail} ({printed(low, sign)} to {printed(high, sign)})"


def printed(value: float, sign: bool = False) -> str:
    """Return a number with two or three digits and a true minus, with its sign where it is a change."""
    size = abs(value)
    text = f"{value:.0f}" if size >= 20 else f"{value:.1f}" if size >= 2 else f"{value:.2f}"
    if float(text) == 0:
        return "0"
    text = text if not sign or value < 0 else f"+{text}"
    return true_minus(text).replace("-", MINUS)


def effects_of(effects: Sequence[PublishedEffect], outcome: str) -> list[PublishedEffect]:
    """Return the effects on one outcome."""
    return [effect for effect in effects if effect.outcome == outcome]
