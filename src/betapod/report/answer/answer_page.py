"""The answer as one HTML page that needs nothing else: texts, pictures, tables, both source pages, and how each number was computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from ...claims.legal_status import legal_facts
from ..common.pages import template
from ..common.words import capital, true_minus
from .answer_picture import effects_picture
from .answer_sections import trusted_sentences, who_rows
from .answer_texts import READERS
from .harm_numbers import case_words, people_text
from .lifetime_numbers import STRUCTURES
from .published_effects import OUTCOMES, effects_of
from .simulated_effects import PRINTED, SCENARIOS

if TYPE_CHECKING:
    from .whole_answer import Answer

TEMPLATE = "answer.html.jinja"


def render_answer_page(answer: Answer, reader: str = "") -> str:
    """Return the page.

    Parameters
    ----------
    reader
        Of `READERS`: whose text stands open; all by default.
    """
    from ... import __version__
    from ...therapies.scenarios import SCENARIOS as BY_NAME

    def linked(text: str) -> Markup:
        parts = [
            Markup('<a class="n" href="#n-{}">{}</a>').format(piece.key, piece.text)
            if piece.key
            else Markup("{}").format(piece.text)
            for piece in answer.book.pieces(text)
        ]
        return Markup("").join(parts)

    return template(TEMPLATE, linked=linked, printed=true_minus).render(
        headline=answer.headline,
        texts=[
            {
                "name": name,
                "title": READERS[name],
                "paragraphs": answer.texts[name],
                "open": not reader or name == reader,
                "words": len(answer.text(name).split()),
            }
            for name in sorted(READERS, key=lambda name: (name != reader, list(READERS).index(name)))
        ],
        panels=[
            {
                "title": OUTCOMES[name][0],
                "side": OUTCOMES[name][1],
                "picture": effects_picture(name, effects),
                "effects": effects,
            }
            for name in OUTCOMES
            if (effects := effects_of(answer.published, name))
        ],
        lifetime=_lifetime_rows(answer),
        **_prices(answer),
        scenarios=[BY_NAME[name].short for name in SCENARIOS],
        simulated=_simulated_rows(answer),
        intervals=any(effect.ends for effect in answer.simulated),
        harms=[
            {
                "course": course.course,
                "words": course.words,
                "lines": [
                    {
                        "label": line.label,
                        "cells": people_text(line.people),
                        "interval": f"{people_text(line.low)} to {people_text(line.high)}",
                        "placebo": people_text(line.people_placebo),
                        "key": course.keys[line.harm],
                        "excess": people_text(line.excess),
                        "more": f"{people_text(line.excess_low)} to {people_text(line.excess_high)}",
                        "grade": line.grade,
                    }
                    for line in course.lines
                ],
                "notes": [capital(note) for note in course.notes],
            }
            for course in answer.harms
        ],
        legal=list(legal_facts().values()),
        cases=case_words(answer.cases),
        who=who_rows(answer),
        unknown=answer.not_known(),
        trust=trusted_sentences(),
        sizes=answer.sizes,
        pages=answer.pages,
        judged={entry.claim.id: entry for entry in answer.entries},
        statements=[statement for page in answer.pages for statement in page.statements],
        numbers=answer.numbers,
        version=__version__,
    )


def _lifetime_rows(answer: Answer) -> list[dict[str, Any]]:
    """Return a row for each strategy and set of events; numbers by name."""
    rows: list[dict[str, Any]] = []
    for row in answer.lifetime:
        texts = {name: f"{{{key}}}" for name, key in row.cells.items()}
        structure = capital(STRUCTURES[row.structure])
        first = not rows or rows[-1]["structure"] != structure
        gain = f"{{{row.gain}}}" if row.gain else ""
        rows.append({**texts, "structure": structure, "strategy": row.strategy, "gain": gain, "first": first})
    return rows


def _prices(answer: Answer) -> dict[str, Any]:
    """Return what a course may cost, by strategy and set of events."""
    priced = [row for row in answer.lifetime if row.prices]
    worth = list(priced[0].prices or {}) if priced else []
    return {
        "worth": [f"{int(money):,}" for money in worth],
        "prices": [
            {
                "label": f"{row.strategy}; {STRUCTURES[row.structure]}",
                "prices": [f"{{{key}}}" for key in (row.prices or {}).values()],
            }
            for row in priced
        ],
    }


def _simulated_rows(answer: Answer) -> list[dict[str, Any]]:
    """Return a row for each person, course and quantity, with a number for each scenario."""
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for effect in answer.simulated:
        keys = (effect.person, effect.course, effect.quantity)
        row = rows.setdefault(
            keys,
            {
                "who": f"{effect.label}; {effect.course}",
                "quantity": f"{PRINTED[effect.quantity][0]}, {PRINTED[effect.quantity][1]}",
                "numbers": [],
            },
        )
        row["numbers"].append((effect.key, effect.text.partition("\u00a0")[0], effect.ends))
    listed = list(rows.values())
    for first, second in zip([None, *listed], listed, strict=False):
        second["first"] = first is None or first["who"] != second["who"]
    return listed
