"""The claims: what is asserted, what is asked of published numbers, and which outcome is simulated."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..base.errors import EvidenceError, Location, Problem, did_you_mean
from .claim_outcome import Outcome
from .questions import Question

FILE = Path(__file__).with_name("claims.yaml")


@dataclass(frozen=True)
class Claim:
    """One claim.

    Attributes
    ----------
    source
        Name of the file in which the claim stands.
    about
        ``cells`` or ``diabetes``.
    specified
        Certainty that the specification gave by reading alone; for comparison, never used.
    outcome
        What is simulated; None where the model has no such quantity.
    not_simulated
        Why nothing or not all is simulated, and what the model would need.
    change
        What would change the verdict.
    missing
        Where no record answers directly: that it is so, why, and which record would.
    note
        What a reader could take the verdict for and should not.
    differs
        Why the computed verdict stands although the specification's certainty would give another.
    """

    id: str
    source: str
    claim: str
    about: str
    group: str
    mechanism: str
    parameters: str
    specified: str
    questions: tuple[Question, ...]
    outcome: Outcome | None
    not_simulated: str
    change: str
    missing: str = ""
    note: str = ""
    differs: str = ""


@functools.cache
def load_claims() -> tuple[Claim, ...]:
    """Return the claims of the package.

    Raises
    ------
    EvidenceError
        Everything wrong with the file.
    """
    return parse_claims(FILE.read_text(encoding="utf-8"), FILE.name)


def parse_claims(text: str, file: str) -> tuple[Claim, ...]:
    """Return the claims of a text; see `load_claims`."""
    from ..base.config import parse_yaml

    rows = parse_yaml(text, file).data
    problems: list[Problem] = []
    claims = [_claim(row, problems, file) for row in rows]
    ids: set[str] = set()
    for claim in claims:
        if claim.id in ids:
            problems.append(Problem("duplicate-claim", f"the claim {claim.id} stands twice", Location(file)))
        ids.add(claim.id)
    if problems:
        raise EvidenceError(problems)
    return tuple(claims)


def find_claims(names: Iterable[str]) -> list[Claim]:
    """Return claims by id, all if there is none.

    Raises
    ------
    EvidenceError
        Unknown ids, each with the nearest.
    """
    by_id = {claim.id.lower(): claim for claim in load_claims()}
    wanted = list(names)
    problems = [
        Problem("unknown-claim", f"there is no claim {name!r}", hint=_meant(name))
        for name in wanted
        if name.lower() not in by_id
    ]
    if problems:
        raise EvidenceError(problems)
    return [by_id[name.lower()] for name in wanted] if wanted else list(load_claims())


def _meant(name: str) -> str:
    """Return the nearest ids: A01 for A1, every part for B10, else what looks like the name."""
    ids = [claim.id for claim in load_claims()]
    digits = name[1:]
    padded = f"{name[:1]}{digits:0>2}".lower()
    near = [candidate for candidate in ids if candidate.lower().startswith(padded)] if digits.isdigit() else []
    if near:
        return f"Did you mean {' or '.join(map(repr, near))}?"
    return did_you_mean(name, ids) or f"Claims are {ids[0]} to {ids[-1]}: 'betapod claims' lists them."


def claimed_quantities() -> list[str]:
    """Return every quantity that some claim is about."""
    return sorted({claim.outcome.quantity for claim in load_claims() if claim.outcome})


def _claim(row: dict[str, Any], problems: list[Problem], file: str) -> Claim:
    name = str(row.get("id"))
    questions = tuple(_build(Question, keys, name, problems, file) for keys in row.get("questions", ()))
    outcome = _build(Outcome, row["outcome"], name, problems, file) if row.get("outcome") else None
    rest = {key: value for key, value in row.items() if key not in ("questions", "outcome")}
    rest.setdefault("not_simulated", "")
    if outcome is None and not rest["not_simulated"]:
        problems.append(Problem("missing-outcome", f"{name} has neither an outcome nor a reason", Location(file)))
    built: Claim = _build(Claim, {**rest, "questions": questions, "outcome": outcome}, name, problems, file)
    return built


def _build(kind: type, row: dict[str, Any], name: str, problems: list[Problem], file: str) -> Any:
    allowed = [item.name for item in fields(kind)]
    for key in row:
        if key not in allowed:
            hint = did_you_mean(key, allowed)
            problems.append(Problem("unknown-key", f"{name}: there is no {key!r}", Location(file), hint=hint))
    kept = {key: tuple(v) if isinstance(v, list) else v for key, v in row.items() if key in allowed}
    try:
        return kind(**kept)
    except TypeError as error:
        problems.append(Problem("missing-key", f"{name}: {error}", Location(file)))
        raise EvidenceError(problems) from None
