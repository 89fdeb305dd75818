"""The two source pages, statement by statement, each with the claims that stand for it."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..base.errors import EvidenceError, Location, Problem, did_you_mean
from .claims import load_claims

FILE = Path(__file__).with_name("source_pages.yaml")
_KEYS = ("says", "claims", "why", "gap", "note")


@dataclass(frozen=True)
class SourceStatement:
    """One statement of a source page, in our words.

    Attributes
    ----------
    claims
        Ids of the claims that stand for it.
    why
        Why no claim does; empty where one does.
    gap
        Which part of it no claim judges.
    note
        What else a reader must know.
    """

    says: str
    claims: tuple[str, ...]
    why: str = ""
    gap: str = ""
    note: str = ""


@dataclass(frozen=True)
class SourcePage:
    """A source page.

    Attributes
    ----------
    unsaid
        What a reader would need to know and the page does not say.
    """

    title: str
    source: str
    statements: tuple[SourceStatement, ...]
    unsaid: tuple[str, ...]


@functools.cache
def load_source_pages() -> tuple[SourcePage, ...]:
    """Return the source pages in order.

    Raises
    ------
    EvidenceError
        Everything wrong with the file.
    """
    return parse_source_pages(FILE.read_text(encoding="utf-8"), FILE.name, [claim.id for claim in load_claims()])


def parse_source_pages(text: str, file: str, claim_ids: Iterable[str]) -> tuple[SourcePage, ...]:
    """Return the source pages of a text.

    Parameters
    ----------
    claim_ids
        Claims that there are.

    Raises
    ------
    EvidenceError
        A statement that names an unknown claim, or has neither a claim nor a reason; a key that is not understood.
    """
    from ..base.config import parse_yaml

    problems: list[Problem] = []
    ids, location = list(claim_ids), Location(file)
    pages = []
    for row in parse_yaml(text, file).data:
        statements = tuple(_statement(keys, ids, location, problems) for keys in row["statements"])
        pages.append(SourcePage(row["page"], row["source"], statements, tuple(row.get("unsaid", ()))))
    if problems:
        raise EvidenceError(problems)
    return tuple(pages)


def _statement(keys: dict[str, Any], ids: list[str], location: Location, problems: list[Problem]) -> SourceStatement:
    says, claims = str(keys.get("says", "")), tuple(keys.get("claims", ()))
    for name in claims:
        if name not in ids:
            hint = did_you_mean(name, ids)
            problems.append(Problem("unknown-claim", f"{says!r} names a claim that is none", location, name, hint=hint))
    for key in keys:
        if key not in _KEYS:
            hint = did_you_mean(key, _KEYS)
            problems.append(Problem("unknown-key", f"{says!r} has an unknown key", location, key, hint=hint))
    if bool(claims) == bool(keys.get("why")):
        expected = "claims, or a reason why there is none, and not both"
        problems.append(Problem("no-claims", f"{says!r} is judged by nothing", location, expected=expected))
    return SourceStatement(says, claims, str(keys.get("why", "")), str(keys.get("gap", "")), str(keys.get("note", "")))
