"""Which quantities of a model somebody may have meant: by the words of their labels, not by the spelling of their names alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..base.errors import Location, Problem, did_you_mean, nearest

if TYPE_CHECKING:
    from ..model import Model

#: So many are told.
_MOST = 3
#: Written so nearly like a name that a slip of the pen is likelier than a word of plain English.
_SLIP = 1


def unknown_quantities(model: Model, names: Iterable[str], option: str) -> list[Problem]:
    """Return a problem for each name that is no quantity of a model.

    Parameters
    ----------
    option
        Where the names were given, such as ``--outputs``.
    """
    return [
        Problem(
            "unknown-name",
            f"{model.name} has no quantity {name!r}",
            Location(option),
            hint=meant_quantities(model, name),
        )
        for name in names
        if name not in model.names
    ]


def meant_quantities(model: Model, name: str) -> str:
    """Return a sentence with what is likely to be meant, or an empty string.

    First what is measured under that word, as ``weight``, then states and equations whose label has it, then names that look alike.
    """
    labels, words = model.labels, _words(name)
    outright, measured = _measured(model, words)
    spelt = nearest(name, model.names, 1)
    apart = _letters_apart(spelt[0], name) if spelt else len(name)
    meant = [*outright, *measured, *_labelled([*model.state_names, *model.assignments], labels, words)]
    likely = list(dict.fromkeys(meant))[:_MOST]
    if not likely or apart == 0 or (apart <= _SLIP and len(name) > 3 and not (outright or measured)):
        return did_you_mean(name, model.names)
    return f"Did you mean {' or '.join(f'{other!r} ({labels[other]})' for other in likely)}?"


def _measured(model: Model, words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the quantities of the model that observables are which are called so outright, and those with these words in their names."""
    from ..observables.table import names_for, observables

    called: dict[str, set[str]] = {}
    for alias in names_for("cohort").values():
        called.setdefault(alias.means, set()).add(" ".join(_words(alias.name)))
    outright, others = list[str](), list[str]()
    for row in observables().values():
        if row.model not in model.names:
            continue
        texts = [" ".join(_words(text)) for text in (row.id, row.label, row.short, row.panel)]
        if " ".join(words) in {*texts, *called.get(row.id, ())}:
            outright.append(row.model)
        elif any(_has(text.split(), words) for text in texts):
            others.append(row.model)
    return outright, others


def _labelled(names: Iterable[str], labels: dict[str, str], words: Sequence[str]) -> list[str]:
    """Return the names whose labels have the words, shortest label first."""
    having = [name for name in names if _has(_words(labels[name]), words)]
    return sorted(having, key=lambda name: len(labels[name]))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold().replace("_", " "))


def _has(text: Sequence[str], words: Sequence[str]) -> bool:
    return bool(words) and set(words) <= set(text)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _letters_apart(name: str, other: str) -> int:
    """Return how many letters have to be changed, added or left out (Levenshtein); letters that changed places, and capitals, count as none."""
    name, other = _plain(name), _plain(other)
    if sorted(name) == sorted(other):
        return 0
    row = list(range(len(other) + 1))
    for i, letter in enumerate(name, 1):
        corner, row[0] = row[0], i
        for j, beside in enumerate(other, 1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (letter != beside))
    return row[-1]
