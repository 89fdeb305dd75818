"""Replies of the evidence, kept in the cache: pooling asks the same of the same numbers in every command."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from ..base import cache as caching
from ..evidence.records.registry import Registry
from .questions import Question, Reply, ask

#: What pools beside the packages of every key.
_POOLING = ("pymare",)
_NAMES = tuple(item.name for item in fields(Reply) if item.name != "question")


def replies_to(questions: Sequence[Question], registry: Registry) -> list[Reply]:
    """Return what the registry answers to questions, from the cache where the same program has answered the same.

    Raises
    ------
    EvidenceError
        As `ask`; nothing is kept then.
    """
    if not questions:
        return []
    numbers = hashlib.sha256(repr(registry.records).encode(errors="backslashreplace")).hexdigest()
    # Without the package nothing is pooled, whatever was kept while it was there.
    versions = [caching.version_of(package) if importlib.util.find_spec(package) else "" for package in _POOLING]
    name = (
        f"claims/{caching.key(__name__, 'replies', numbers, versions, [repr(question) for question in questions])}.json"
    )
    kept = caching.read_entry(name)
    if kept is not None:
        return [_reply(question, row) for question, row in zip(questions, json.loads(kept), strict=True)]
    replies = [ask(question, registry) for question in questions]
    rows = [{key: getattr(reply, key) for key in _NAMES} for reply in replies]
    caching.write_entry(name, json.dumps(rows).encode())
    return replies


def _reply(question: Question, row: dict[str, Any]) -> Reply:
    """Return a reply as it was: JSON has no tuples."""
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return Reply(question, **values)
