"""Questions and claims of a user's own, and whether questions name what the tables of evidence have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..base.config import yaml_text
from ..base.errors import EvidenceError, Location, Problem, did_you_mean
from ..evidence.records.registry import Registry
from ..evidence.records.selecting import fitting
from ..evidence.records.study import Record
from .claims import Claim, claim_rows, claims_of_rows, load_claims
from .questions import Question

#: What a claim of one's own need not say, and what stands there then.
_LEFT_OUT = {
    "about": "cells",
    "group": "own",
    "mechanism": "not said",
    "parameters": "none",
    "specified": "",
    "change": "not said",
    "not_simulated": "a claim of one's own without an outcome",
}


def with_questions(paths: Iterable[str | Path]) -> tuple[Claim, ...]:
    """Return the claims of the package with a user's own questions and claims.

    A file is a list as ``claims.yaml`` is. An entry with the id of a claim of the package adds its `questions` to that claim; any
    other is a claim of one's own, with at least `claim` and `questions`.

    Raises
    ------
    EvidenceError
        Everything that is wrong with the files.
    """
    claims = {claim.id: claim for claim in load_claims()}
    problems: list[Problem] = []
    for path in paths:
        file = str(path)
        for row in claim_rows(yaml_text(path), file):
            name = str(row.get("id"))
            listed = claims.get(name)
            if listed is None:
                row = {**_LEFT_OUT, "source": file, **row}
            elif set(row) - {"id", "questions"}:
                message = f"{name} is a claim of the package: only questions can be added to it"
                keys = ", ".join(sorted(set(row) - {"id", "questions"}))
                problems.append(Problem("own-claim", message, Location(file), found=keys, expected="id, questions"))
                continue
            try:
                claims[name] = _joined(row, listed, file, problems)
            except EvidenceError as error:
                problems += error.problems
    if problems:
        raise EvidenceError(problems)
    return tuple(claims.values())


def _joined(row: dict[str, Any], listed: Claim | None, file: str, problems: list[Problem]) -> Claim:
    if listed is None:
        (claim,) = claims_of_rows([row], file)
        return claim
    full = {**_LEFT_OUT, "claim": listed.claim, "source": listed.source, **row}
    (asked,) = claims_of_rows([full], file)
    if not asked.questions:
        problems.append(
            Problem("missing-key", f"{listed.id}: no question is added", Location(file), expected="questions")
        )
    return replace(listed, questions=(*listed.questions, *asked.questions))


def check_questions(claims: Sequence[Claim], records: Registry) -> None:
    """Refuse questions that name a record or a study that no table has, or ask for anything else that no record is of.

    Raises
    ------
    EvidenceError
        Every name, with the claim and the nearest name that there is.
    """
    ids = {record.id for record in records}
    studies = {name for record in records for name in (record.study, record.family)}
    usable = [record for record in records if record.tag == "seen"]
    problems = [
        Problem(
            f"unknown-{kind}",
            f"{claim.id} asks the {kind} {name!r}, which no table of evidence has",
            Location(f"question {question.text!r}"),
            hint=did_you_mean(name, listed) or _others(name, records),
        )
        for claim in claims
        for question in claim.questions
        for kind, listed, names in (
            ("record", ids, question.records),
            ("study", studies, _studies(question)),
            *_unknown(question, usable),
        )
        for name in names
        if name not in listed
    ]
    if problems:
        raise EvidenceError(problems)


def _unknown(question: Question, usable: Sequence[Record]) -> list[tuple[str, list[str], list[str]]]:
    """Return what a question asks for that no record is of: kind, what there is, and the names."""
    unknown: dict[str, tuple[list[str], list[str]]] = {}
    for conditions in (question.select, *question.reads):
        asked = {name: wanted for name, wanted in conditions.items() if name not in ("study", "family")}
        unknown |= fitting(usable, asked)[1]
    return [(kind, listed, names) for kind, (names, listed) in unknown.items()]


def _studies(question: Question) -> Sequence[str]:
    """Return the studies that a question names, in whatever way."""
    names: list[str] = []
    for conditions in (question.conditions, *question.reads):
        wanted = conditions.get("study", ())
        names += [wanted] if isinstance(wanted, str) else map(str, wanted if isinstance(wanted, Sequence) else ())
    return names


def _others(name: str, records: Registry) -> str:
    """Say which records the study of a record has, if there is one."""
    study = name.partition("#")[0]
    ids = [record.id for record in records if record.study == study]
    return f"{study} has {ids[0]} to {ids[-1]}." if ids else ""
