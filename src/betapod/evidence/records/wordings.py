"""Plain words of a user's own table: what class they mean by the rules of ``vocabulary/wordings.csv``, or which classes they may mean.

A rule of a column holds where all of its tokens are in the text and those of ``not`` are not; the first that holds counts. Its class is what the
text means, or, after a question mark, what has to be asked. Tokens are regular expressions of lower-case text. The package's own tables are
never read by rules: their words stand in the vocabulary one by one.
"""

from __future__ import annotations

import csv
import difflib
import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TABLE = Path(__file__).with_name("vocabulary") / "wordings.csv"
_DASHES = re.compile("[\u2010-\u2015\u2212]")
#: How alike a word has to be to one of the rules to be taken for it with a slip, and the shortest that is.
_ALIKE, _SHORTEST = 0.85, 5


@dataclass(frozen=True)
class Wording:
    """What plain words mean: one class, or several of which one has to be chosen; none where no rule holds."""

    means: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Rule:
    needs: tuple[re.Pattern[str], ...]
    bars: tuple[re.Pattern[str], ...]
    means: str

    def holds(self, text: str) -> bool:
        return all(token.search(text) for token in self.needs) and not any(token.search(text) for token in self.bars)


@functools.cache
def _rules() -> dict[str, list[_Rule]]:
    with _TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    tokens = {row["needs"]: re.compile(row["means"]) for row in rows if row["column"] == "token"}

    def named(text: str) -> tuple[re.Pattern[str], ...]:
        return tuple(tokens[name.strip()] for name in text.split("&") if name.strip())

    rules: dict[str, list[_Rule]] = {}
    for row in rows:
        if row["column"] != "token":
            rules.setdefault(row["column"], []).append(_Rule(named(row["needs"]), named(row["not"]), row["means"]))
    return rules


def wording_of(column: str, text: str, vocabulary: Iterable[str] = ()) -> Wording:
    """Return what a text of a column means.

    Parameters
    ----------
    column
        ``population``, ``design``, ``statistic``, ``endpoint``, ``product`` or ``dispersion_type``.
    vocabulary
        Words that are known already: one that is the same but for case, blanks, hyphens and underscores is meant.

    Examples
    --------
    >>> from betapod.evidence.records.wordings import wording_of
    >>> wording_of("population", "T2D CKD 3-4").means
    'DKD'
    >>> wording_of("statistic", "LS mean ratio to baseline").means
    'ratio to baseline'
    >>> wording_of("population", "people with diabetes").choices
    ('T1D', 'T2D', 'T1D+T2D')
    """
    same = {word for word in vocabulary if _bare(word) == _bare(text)}
    if len(same) == 1:
        return Wording(same.pop())
    plain = " ".join(_DASHES.sub("-", text).lower().replace("_", " ").split())
    wording = _by_rules(column, plain)
    mended = _mended(column, plain)
    if mended == plain or (meant := _by_rules(column, mended)) == wording:
        return wording
    # A slip in a word that decides is asked back: what was meant first, then what is left without the word.
    classes = [*_classes(meant), *_classes(wording)]
    return Wording(choices=tuple(dict.fromkeys(classes)))


def _by_rules(column: str, plain: str) -> Wording:
    for rule in _rules().get(column, ()):
        if rule.holds(plain):
            question, _, classes = rule.means.partition("? ")
            return Wording(question) if not classes else Wording(choices=tuple(classes.split(" or ")))
    return Wording()


def _classes(wording: Wording) -> tuple[str, ...]:
    return (wording.means,) if wording.means else wording.choices


@functools.cache
def _tokens(column: str) -> tuple[re.Pattern[str], ...]:
    return tuple({token for rule in _rules().get(column, ()) for token in (*rule.needs, *rule.bars)})


@functools.cache
def _keywords(column: str) -> frozenset[str]:
    """Return the plain words of the rules of a column, in which a slip may be."""
    parts = {part.replace(r"\b", "") for token in _tokens(column) for part in token.pattern.split("|")}
    words = {word for part in parts if re.fullmatch("[a-z ]+", part) for word in part.split()}
    return frozenset(word for word in words if len(word) >= _SHORTEST)


def _mended(column: str, plain: str) -> str:
    """Return a text in which words that the rules do not know, but for a slip, are as these have them."""

    def word_meant(match: re.Match[str]) -> str:
        word = match[0]
        if len(word) < _SHORTEST or word in _keywords(column) or any(token.search(word) for token in _tokens(column)):
            return word
        return next(iter(difflib.get_close_matches(word, _keywords(column), 1, _ALIKE)), word)

    return re.sub(r"[a-z]+", word_meant, plain)


def _bare(text: str) -> str:
    return re.sub(r"[\s_.-]+", "", _DASHES.sub("-", text).casefold())
