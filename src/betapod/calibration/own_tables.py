"""Tables of a user's own in a fit problem: published numbers, arms, cohorts and events, beside the problem file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..base.config import Document
from ..base.errors import BetapodError, Problem
from ..evidence.records.registry import Registry, load_registry
from ..validation.predictions.own_study_tables import read_study_tables
from ..validation.predictions.study_tables import NO_TABLES, StudyTables

#: Keys of ``tables``: evidence, and what says how its studies are simulated.
TABLE_KEYS = ("evidence", "arms", "cohorts", "events")


@dataclass(frozen=True)
class OwnTables:
    """What the tables of a problem say.

    Attributes
    ----------
    registry
        Published numbers, with those of the tables, which override or extend them.
    studies
        How studies of the tables are simulated.
    digest
        Of all files; empty where the problem names none.
    problems
        Everything that is wrong with the files, in its place.
    """

    registry: Registry
    studies: StudyTables = NO_TABLES
    digest: str = ""
    problems: tuple[Problem, ...] = ()


def own_tables_of(document: Document, registry: Registry | None = None) -> OwnTables:
    """Read the tables that a problem names under ``tables``; paths are relative to the problem file.

    Parameters
    ----------
    registry
        Published numbers to use where the problem names no table of evidence; those of the package by default.
    """
    named = document.data.get("tables") if isinstance(document.data, dict) else None
    if not isinstance(named, dict):
        return OwnTables(load_registry() if registry is None else registry)
    folder, problems = Path(document.file).parent, list[Problem]()
    files = {key: list(_files(document, named, key, folder, problems)) for key in TABLE_KEYS}
    studies = NO_TABLES
    try:
        studies = read_study_tables(files["arms"], files["cohorts"], files["events"])
    except BetapodError as error:
        problems += error.problems
    base = load_registry() if registry is None else registry
    try:
        base = load_registry(files["evidence"]) if files["evidence"] else base
    except BetapodError as error:
        problems += error.problems
    digest = hashlib.sha256(studies.digest.encode())
    for path in files["evidence"]:
        digest.update(path.read_bytes())
    return OwnTables(base, studies, digest.hexdigest() if any(files.values()) else "", tuple(problems))


def _files(
    document: Document, named: dict[Any, Any], key: str, folder: Path, problems: list[Problem]
) -> Iterator[Path]:
    """Yield the files under a key; one that is not there is noted at its place in the problem."""
    texts = named.get(key)
    for index, text in enumerate(texts if isinstance(texts, list) else []):
        path = folder / str(text)
        if path.is_file() or (path.is_dir() and key == "cohorts"):
            yield path
            continue
        hint = "Paths of tables are relative to the problem file."
        problems.append(document.problem("no-file", f"there is no file {text!r}", ("tables", key, index), hint=hint))
