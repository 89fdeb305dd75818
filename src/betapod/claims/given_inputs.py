"""Inputs that an outcome or a system is simulated with: numbers, or the drug whose strength the table of drugs has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..base.errors import ConfigError, Location, Problem
from ..therapies.listed_strength import listed_strength

#: Where inputs are given: in what is done, and in what it is compared with.
_PLACES = ("inputs", "against")


def with_strengths(keys: Mapping[str, Any], whose: str, problems: list[Problem], file: str) -> dict[str, Any]:
    """Return written keys with a number for each drug: ``e_ARB: ARB`` is as strong as the table of drugs has it.

    Parameters
    ----------
    whose
        Begins the messages.
    problems
        What is wrong is added; such an input is left out.
    """
    return {
        key: _numbers(value, f"{whose}, {key}", problems, file) if key in _PLACES else value
        for key, value in keys.items()
    }


def _numbers(written: Any, whose: str, problems: list[Problem], file: str) -> Any:
    if not isinstance(written, Mapping):
        return written
    return dict(_each(written, whose, problems, file))


def _each(written: Mapping[str, Any], whose: str, problems: list[Problem], file: str) -> Iterable[tuple[str, float]]:
    for name, value in written.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield name, value
        elif isinstance(value, str):
            try:
                yield name, listed_strength(value, name)
            except ConfigError as error:
                problems += [
                    replace(problem, message=f"{whose}: {problem.message}", location=Location(file))
                    for problem in error.problems
                ]
        else:
            expected = "a number, or a drug of the table"
            problems.append(Problem("no-number", f"{whose}: {name} is no number", Location(file), str(value), expected))
