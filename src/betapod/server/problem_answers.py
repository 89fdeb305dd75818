"""Errors as the server answers them: problem documents of RFC 9457 with what, where, found, expected and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse

from ..base.errors import Problem
from .problem_facts import as_facts

#: How a problem document is marked.
PROBLEM_TYPE = "application/problem+json"
#: Form of a problem document, as the description of the interface has it.
PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "problems"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["kind", "message", "file", "line", "column", "found", "expected", "hint", "context"],
                "properties": {
                    **{name: {"type": "string"} for name in ("kind", "message", "file", "found", "expected", "hint")},
                    **{name: {"type": "integer"} for name in ("line", "column")},
                    "context": {"type": "string"},
                },
            },
        },
    },
}


class Refusal(Exception):
    """A request that is not carried out.

    Parameters
    ----------
    status
        As HTTP has it.
    problems
        Everything that is wrong: problems, or facts as of `as_facts`.
    headers
        That go with the answer.
    """

    def __init__(
        self, status: int, problems: Problem | Sequence[Mapping[str, Any]], headers: Mapping[str, str] | None = None
    ) -> None:
        self.status = status
        self.problems = [as_facts(problems)] if isinstance(problems, Problem) else [dict(facts) for facts in problems]
        self.headers = dict(headers or {})
        super().__init__(self.problems[0]["message"] if self.problems else HTTPStatus(status).phrase)

    def document(self) -> dict[str, Any]:
        """Return the problem document."""
        first = self.problems[0]["message"] if self.problems else HTTPStatus(self.status).phrase
        more = len(self.problems) - 1
        detail = first if more < 1 else f"{first}; and {more} more"
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": detail,
            "problems": self.problems,
        }

    def response(self) -> JSONResponse:
        """Return the answer."""
        return JSONResponse(self.document(), self.status, self.headers, media_type=PROBLEM_TYPE)
