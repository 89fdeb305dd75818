"""A problem as plain values, as it goes from process to process and to those who asked."""

from __future__ import annotations

from typing import Any

from ..base.errors import Problem


def as_facts(problem: Problem) -> dict[str, Any]:
    """Return a problem as plain values, with the line that it is about."""
    return {**problem.as_dict(), "context": problem.context}
