"""Words of a problem that choose rows: each has to be one that the registry knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..base.config import Document
from ..base.errors import Problem, did_you_mean
from ..evidence.records.registry import Registry
from .row_split import TREATMENT_CLASSES

#: Key -> what a word of it names.
_NOUNS = {"endpoints": "endpoint", "classes": "class of treatment", "families": "family", "studies": "study"}


def wrong_row_words(document: Document, registry: Registry) -> Iterator[Problem]:
    """Yield a problem for each word of `rows` that chooses nothing, and for weeks that end before they begin, in their places."""
    stages = document.data.get("stages")
    selections: list[tuple[tuple[str | int, ...], Any]] = [(("rows",), document.data.get("rows"))]
    for number, stage in enumerate(stages if isinstance(stages, list) else []):
        selections.append((("stages", number, "rows"), stage.get("rows") if isinstance(stage, dict) else None))
    records = registry.select()
    words_of = {
        "endpoints": {record.endpoint for record in records},
        "classes": set(TREATMENT_CLASSES),
        "families": {record.family for record in records},
        "studies": {record.study for record in records},
    }
    words_of["exclude"] = {record.id for record in records}.union(
        *(words_of[key] for key in _NOUNS if key != "classes")
    )
    for where, selection in selections:
        if not isinstance(selection, dict):
            continue
        for key, names in words_of.items():
            words = selection.get(key)
            for index, word in enumerate(words if isinstance(words, list) else []):
                if isinstance(word, str) and word not in names:
                    message = f"the registry has no {_NOUNS.get(key, 'family, study, record or endpoint')} {word!r}"
                    hint = did_you_mean(word, names) or "'betapod evidence terms' lists the words."
                    expected = ", ".join(TREATMENT_CLASSES) if key == "classes" else ""
                    yield document.problem("unknown-word", message, (*where, key, index), expected=expected, hint=hint)
        weeks = selection.get("weeks")
        if not isinstance(weeks, list) or not all(isinstance(week, (int, float)) for week in weeks):
            continue
        if len(weeks) == 2 and weeks[0] > weeks[1]:
            yield document.problem(
                "bad-range", "weeks end before they begin", (*where, "weeks"), found=f"{weeks[0]:g} to {weeks[1]:g}"
            )
