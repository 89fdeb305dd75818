"""The claims: what is asserted, what is asked of published numbers, and which outcome is simulated."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import Any

from ..base.errors import EvidenceError, Location, Problem, did_you_mean, not_among
from ..base.packaged_yaml import packaged_yaml
from ..evidence.records.selecting import bad_conditions
from .claim_outcome import LIFE_MEASURES, ContrastTerm, Outcome
from .claim_people import COURSE_SETS
from .given_inputs import with_strengths
from .legal_status import legal_facts
from .questions import EXPECTS, Question

FILE = Path(__file__).with_name("claims.yaml")
#: What a row of the file is called.
_ENTRY = {"Question": "question", "Outcome": "outcome", "ContrastTerm": "term of a contrast"}


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
        Certainty that the specification gave by reading alone, for comparison, never used; empty for claims that it lacks.
    outcomes
        What is simulated, each judged apart; none where the model has no such quantity.
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
    legal
        Ids of facts of `legal_status`, which stand on the card and decide nothing.
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
    outcomes: tuple[Outcome, ...]
    not_simulated: str
    change: str
    missing: str = ""
    note: str = ""
    differs: str = ""
    legal: tuple[str, ...] = ()

    @property
    def outcome(self) -> Outcome | None:
        """The first of what is simulated."""
        return self.outcomes[0] if self.outcomes else None

    @property
    def named_outcomes(self) -> dict[str, Outcome]:
        """What is simulated, by the name under which results are kept: the claim's id, then with a number."""
        return {self.id if n == 1 else f"{self.id}.{n}": outcome for n, outcome in enumerate(self.outcomes, 1)}


@functools.cache
def load_claims() -> tuple[Claim, ...]:
    """Return the claims of the package.

    Raises
    ------
    EvidenceError
        Everything wrong with the file.
    """
    return claims_of_rows(_entries(packaged_yaml(FILE), FILE.name), FILE.name)


def parse_claims(text: str, file: str) -> tuple[Claim, ...]:
    """Return the claims of a text; see `load_claims`."""
    return claims_of_rows(claim_rows(text, file), file)


def claim_rows(text: str, file: str) -> list[dict[str, Any]]:
    """Return the entries of a list of claims as they are written.

    Raises
    ------
    EvidenceError
        It is no list of entries with an id.
    """
    from ..base.config import parse_yaml

    return _entries(parse_yaml(text, file).data, file)


def _entries(rows: Any, file: str) -> list[dict[str, Any]]:
    fit = isinstance(rows, list) and all(isinstance(row, dict) and row.get("id") for row in rows)
    if not fit:
        expected = "a list of entries, each with an id, such as '- id: A05'"
        raise EvidenceError(Problem("no-claims", "this is no list of claims", Location(file), expected=expected))
    return list(rows)


def claims_of_rows(rows: Iterable[dict[str, Any]], file: str) -> tuple[Claim, ...]:
    """Return claims of entries; see `load_claims`."""
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


def find_claims(names: Iterable[str], claims: Iterable[Claim] | None = None) -> list[Claim]:
    """Return claims by id, all if there is none.

    Parameters
    ----------
    claims
        Among which they are looked for; those of the package by default.

    Raises
    ------
    EvidenceError
        Unknown ids, each with the nearest.
    """
    candidates = list(load_claims() if claims is None else claims)
    by_id = {claim.id.lower(): claim for claim in candidates}
    wanted = list(names)
    problems = [
        Problem("unknown-claim", f"there is no claim {name!r}", hint=_meant(name, [claim.id for claim in candidates]))
        for name in wanted
        if name.lower() not in by_id
    ]
    if problems:
        raise EvidenceError(problems)
    return [by_id[name.lower()] for name in wanted] if wanted else candidates


def _meant(name: str, ids: list[str]) -> str:
    """Return the nearest ids: A01 for A1, every part for B10, else what looks like the name."""
    digits = name[1:]
    padded = f"{name[:1]}{digits:0>2}".lower()
    near = [candidate for candidate in ids if candidate.lower().startswith(padded)] if digits.isdigit() else []
    if near:
        return f"Did you mean {' or '.join(map(repr, near))}?"
    return did_you_mean(name, ids) or f"Claims are {ids[0]} to {ids[-1]}: 'betapod claims' lists them."


def claimed_quantities() -> list[str]:
    """Return every quantity that some claim is about."""
    return sorted({outcome.quantity for claim in load_claims() for outcome in claim.outcomes})


def all_outcomes(claims: Iterable[Claim]) -> dict[str, Outcome]:
    """Return everything that is simulated for claims, by name."""
    return {name: outcome for claim in claims for name, outcome in claim.named_outcomes.items()}


def _claim(row: dict[str, Any], problems: list[Problem], file: str) -> Claim:
    name = str(row.get("id"))
    questions = tuple(_question(keys, name, problems, file) for keys in row.get("questions", ()))
    outcomes = tuple(_outcome(keys, name, problems, file) for keys in _listed_outcomes(row, name, problems, file))
    rest = {key: value for key, value in row.items() if key not in ("questions", "outcome", "outcomes")}
    rest.setdefault("not_simulated", "")
    for fact in rest.get("legal", ()):
        if fact not in legal_facts():
            hint = did_you_mean(fact, legal_facts())
            problems.append(
                Problem("unknown-fact", f"{name}: there is no legal fact {fact!r}", Location(file), hint=hint)
            )
    if not outcomes and not rest["not_simulated"]:
        problems.append(Problem("missing-outcome", f"{name} has neither an outcome nor a reason", Location(file)))
    built: Claim = _build(Claim, {**rest, "questions": questions, "outcomes": outcomes}, name, problems, file)
    return built


def _question(keys: dict[str, Any], name: str, problems: list[Problem], file: str) -> Question:
    question: Question = _build(Question, keys, name, problems, file)
    where, text = Location(file), f"{name}, question {question.text!r}"
    if question.expects not in EXPECTS:
        hint = did_you_mean(str(question.expects), EXPECTS) or f"One of {', '.join(EXPECTS)}."
        problems.append(
            Problem("unknown-expects", f"{text}: unknown 'expects'", where, str(question.expects), hint=hint)
        )
    for key in ("reads", "studies", "records"):
        if not isinstance(getattr(question, key), tuple):
            written = str(getattr(question, key))
            problems.append(Problem("no-list", f"{text}: {key} is no list", where, written, f"such as {key}: [...]"))
            return question
    for conditions in (question.select, *question.reads):
        problems += bad_conditions(conditions, text, where)
    for key in ("null", "requires"):
        value = getattr(question, key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            problems.append(Problem("no-number", f"{text}: {key} is no number", where, str(value)))
    by_conditions = bool(question.select or question.reads)
    count = len(question.records or question.reads)
    if bool(question.records) == by_conditions or (count not in (0, 1, 2, 4) and not question.says):
        message = f"{text}: asks neither or both of conditions and records, or another number of records than it can"
        expected = "select, or 1, 2 or 4 of reads or records, or statements"
        problems.append(Problem("bad-question", message, where, expected=expected))
    if bool(question.studies) != bool(question.named_because) or (question.studies and not by_conditions):
        message = f"{text}: 'studies' and 'named_because' stand together, beside conditions"
        problems.append(Problem("bad-question", message, where, expected="studies with the reason why they are named"))
    return question


def _listed_outcomes(row: dict[str, Any], name: str, problems: list[Problem], file: str) -> list[dict[str, Any]]:
    if row.get("outcome") and row.get("outcomes"):
        problems.append(Problem("two-outcomes", f"{name} has both 'outcome' and 'outcomes'", Location(file)))
    return [row["outcome"]] if row.get("outcome") else list(row.get("outcomes") or ())


def _outcome(keys: dict[str, Any], name: str, problems: list[Problem], file: str) -> Outcome:
    keys = with_strengths(keys, name, problems, file)
    written = [with_strengths(term, name, problems, file) for term in keys.get("contrast", ())]
    terms = tuple(_build(ContrastTerm, term, name, problems, file) for term in written)
    courses = keys.get("courses", ())
    if isinstance(courses, str):
        if courses not in COURSE_SETS:
            problem = not_among(COURSE_SETS, "unknown-courses", f"{name}: there are no courses {courses!r}", courses)
            problems.append(replace(problem, location=Location(file)))
        courses = COURSE_SETS.get(courses, ())
    outcome: Outcome = _build(Outcome, {**keys, "contrast": terms, "courses": courses}, name, problems, file)
    if outcome.measure not in LIFE_MEASURES:
        hint = did_you_mean(outcome.measure, LIFE_MEASURES) or f"One of {', '.join(LIFE_MEASURES)}."
        message = f"{name}: there is no measure {outcome.measure!r}"
        problems.append(Problem("unknown-measure", message, Location(file), hint=hint))
    return outcome


def _build(kind: type, row: dict[str, Any], name: str, problems: list[Problem], file: str) -> Any:
    allowed = [item.name for item in fields(kind)]
    for key in row:
        if key not in allowed:
            hint = did_you_mean(key, allowed)
            problems.append(Problem("unknown-key", f"{name}: there is no {key!r}", Location(file), hint=hint))
    kept = {key: tuple(v) if isinstance(v, list) else v for key, v in row.items() if key in allowed}
    needed = [item.name for item in fields(kind) if item.default is MISSING and item.default_factory is MISSING]
    if missing := [key for key in needed if key not in kept]:
        message = f"{name}: a {_ENTRY.get(kind.__name__, 'claim')} has no {', '.join(map(repr, missing))}"
        problems.append(Problem("missing-key", message, Location(file)))
        raise EvidenceError(problems)
    return kind(**kept)
