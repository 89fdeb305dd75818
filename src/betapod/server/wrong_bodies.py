"""Requests that do not have the form that was asked for, in plain words: what, at which JSON pointer, found, expected, nearest name."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from ..base.errors import Location, Problem, did_you_mean
from ..base.plain_errors import in_words

#: Letters of a value that are shown.
_SHOWN = 80


def wrong_body_problems(errors: Sequence[Mapping[str, Any]], endpoint: Any) -> list[Problem]:
    """Return what is wrong with a request.

    Parameters
    ----------
    errors
        As the library of the server has them.
    endpoint
        The function that the request is for; its arguments say what may stand where.
    """
    models = [hint for hint in _hints(endpoint).values() if isinstance(hint, type) and issubclass(hint, BaseModel)]
    return _merged([_problem(error, models) for error in errors])


def _hints(endpoint: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(endpoint)
    except (NameError, TypeError):
        return {}


def _problem(error: Mapping[str, Any], models: Sequence[type[BaseModel]]) -> Problem:
    kind, where = str(error["type"]), [str(part) for part in error["loc"]]
    # Which of several kinds of value was tried is no place.
    keys = [part for part in where if part not in ("str", "float", "int") and not part.startswith("function-")]
    location = Location("/".join(keys) or "body")
    if kind == "json_invalid":
        reason = str(error.get("ctx", {}).get("error", ""))
        return Problem("bad-json", "the request is no JSON", Location("body"), f"{reason} at character {where[-1]}")
    if kind == "missing":
        return Problem("missing-key", f"{keys[-1]} is missing", location)
    if kind == "extra_forbidden":
        names = [name for model in models for name in model.model_fields]
        hint = did_you_mean(keys[-1], names)
        return Problem("unknown-key", f"unknown key {keys[-1]!r}", location, expected=", ".join(names), hint=hint)
    words = in_words(kind, str(error["msg"]), error.get("ctx", {}))
    written = "" if kind == "value_error" else _shown(error.get("input"))
    return Problem(words.kind, words.message, location, written, words.expected, words.hint)


def _shown(value: Any) -> str:
    text = "keys and values" if isinstance(value, dict) else "a list" if isinstance(value, list) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _merged(problems: Sequence[Problem]) -> list[Problem]:
    """Return problems with one for each place: a value that may be a number or a text is wrong once."""
    by_place: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        by_place.setdefault((problem.location.file, problem.kind), problem)
    return list(by_place.values())
