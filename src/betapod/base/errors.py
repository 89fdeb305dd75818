"""Exception classes: every error says what is wrong, where, found versus expected, and what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Location:
    """A place in a file; lines and columns count from 1, 0 means unknown."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        parts = [self.file or "<text>"]
        if self.line:
            parts.append(str(self.line))
            if self.column:
                parts.append(str(self.column))
        return ":".join(parts)


#: An unknown place.
NOWHERE = Location()


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: its kind, its place, and how to mend it.

    `kind` is a short stable name (``unknown-name``, ``wrong-scale`` ...) that programs may rely on.
    """

    kind: str
    message: str
    location: Location = NOWHERE
    found: str = ""
    expected: str = ""
    hint: str = ""
    context: str = ""

    def __str__(self) -> str:
        where = "" if self.location == NOWHERE else f"{self.location}: "
        lines = [f"{where}{self.kind}: {self.message}"]
        if self.context:
            quoted, column = _window(self.context, self.location.column)
            lines.append(f"    {quoted}")
            if column:
                # Columns count in the file's own line, so the caret lines up under the quoted text.
                lines.append("    " + " " * (column - 1) + "^")
        if self.found:
            lines.append(f"    found    {self.found}")
        if self.expected:
            lines.append(f"    expected {self.expected}")
        if self.hint:
            lines.append(f"    {self.hint}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, object]:
        """Return the problem as plain values for JSON."""
        return {
            "kind": self.kind,
            "message": self.message,
            "file": self.location.file,
            "line": self.location.line,
            "column": self.location.column,
            "found": self.found,
            "expected": self.expected,
            "hint": self.hint,
        }


def _window(line: str, column: int, width: int = 160) -> tuple[str, int]:
    """Return the part of a very long line around a column, and where the column is in it."""
    if len(line) <= width:
        return line, column
    first = max(0, min(column - 1 - width // 2, len(line) - width))
    before, after = ("…" if first else ""), ("…" if first + width < len(line) else "")
    return before + line[first : first + width] + after, column - first + len(before) if column else 0


class BetapodError(Exception):
    """Base of all errors that betapod raises on purpose; carries every problem found, not just the first."""

    def __init__(self, problems: Problem | str | Iterable[Problem]) -> None:
        if isinstance(problems, str):
            problems = Problem("error", problems)
        if isinstance(problems, Problem):
            problems = [problems]
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the problems on the way to another process."""
        return _again, (type(self), self.problems)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kind of each problem, in order."""
        return tuple(problem.kind for problem in self.problems)


def _again(kind: type[BetapodError], problems: tuple[Problem, ...]) -> BetapodError:
    error = kind.__new__(kind)
    BetapodError.__init__(error, problems)
    return error


class ModelError(BetapodError):
    """Equation text or an assembly that does not make a model."""


class UnitError(BetapodError):
    """A unit that cannot be read, or does not fit."""


class ParameterError(BetapodError):
    """A parameter table, or a value given for a parameter, that cannot be used."""


class SolverError(BetapodError):
    """An integration that could not be finished."""


class ExchangeError(BetapodError):
    """A file of another tool that cannot be read, or a construct that is not supported."""


class EvidenceError(BetapodError):
    """Published numbers that cannot be read, or must not be pooled."""


class ConfigError(BetapodError):
    """A configuration or command that cannot be used."""


class OutputError(BetapodError):
    """Results that could not be written though nothing asked for was wrong: a full disk, a device that fails."""


class MissingExtraError(BetapodError):
    """An optional dependency that is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            Problem(
                "missing-package",
                f"{purpose} needs the package {package!r}, which is not installed.",
                hint=f'Install it with: pip install "betapod[{extra}]"',
            )
        )


#: Names longer than this resemble nothing that anybody would have meant.
_LONGEST = 80


def nearest(name: str, candidates: Iterable[str], count: int = 3) -> Sequence[str]:
    """Return up to `count` candidates that look like `name`, best first.

    Capitals and separators do not count. A candidate with other digits is another thing (CI99 is not CI95), so that it is no guess.
    """
    # From Python, a name may be anything.
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST:
        return []
    by_form: dict[str, list[str]] = {}
    for candidate in dict.fromkeys(candidates):
        if _same_digits(name, candidate):
            by_form.setdefault(_form(candidate), []).append(candidate)
    # Two letters of which one is right are still a good guess.
    cutoff = 0.6 if len(name) > 3 else 0.5
    form = _form(name)
    # Of names that differ in capitals alone, the one that looks most like what was written.
    close = [
        max(by_form[other], key=lambda candidate: _likeness(name, candidate))
        for other in difflib.get_close_matches(form, by_form, n=4 * count, cutoff=cutoff)
    ]

    def rank(candidate: str) -> tuple[float, ...]:
        other = _form(candidate)
        # Letters that changed places are the likeliest slip.
        return (_likeness(form, other), sorted(form) == sorted(other), _likeness(name, candidate))

    return sorted(close, key=rank, reverse=True)[:count]


def _likeness(first: str, other: str) -> float:
    return difflib.SequenceMatcher(None, first, other).ratio()


def _form(name: str) -> str:
    return re.sub(r"[\s_.-]+", "_", name.casefold())


def _same_digits(name: str, candidate: str) -> bool:
    """Return whether the numbers in two names agree, but for slips.

    One digit may have been forgotten or be one too many, as in ``HbAc`` for HbA1c or ``log1``, and those of a year or longer number may
    have changed places, as in ``PACKHAM2106``.
    """
    digits, other = re.findall(r"\d+", name), re.findall(r"\d+", candidate)
    slip = len(digits) == len(other) == 1 and len(digits[0]) >= 4 and sorted(digits[0]) == sorted(other[0])
    return digits == other or slip or (len("".join(digits + other)) == 1)


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """Return a sentence with the nearest valid names, or an empty string."""
    close = nearest(name, candidates)
    return f"Did you mean {' or '.join(repr(candidate) for candidate in close)}?" if close else ""


def unit_in(name: str, candidates: Iterable[str]) -> str:
    """Return what to say of a heading that is a name with a unit, such as ``k [1/h]``, where units have no place; else nothing."""
    bare, bracket, _ = name.partition("[")
    return (
        f"Write {bare.strip()!r} alone: values are in its own unit." if bracket and bare.strip() in candidates else ""
    )


def not_among(valid: Iterable[str], kind: str, message: str, name: str) -> Problem:
    """Return the problem of a name that is none of a few: it lists them and guesses which was meant.

    Parameters
    ----------
    valid
        The names that exist.
    kind, message
        As of `Problem`.
    """
    names = list(valid)
    return Problem(kind, message, expected=", ".join(names), hint=did_you_mean(name, names))
