"""Check nesting depth of a file before a library reads it, which would overflow its stack."""

from __future__ import annotations

from xml.parsers import expat

from ...base.errors import ExchangeError, Location, Problem

#: Elements within elements, or brackets within brackets of a formula. Libraries and betapod go through them by recursion.
DEEPEST = 1_000


def check_depth(text: bytes, file: str, deepest: int = DEEPEST) -> None:
    """Check how deep elements and formulas are nested, without recursion and without building anything.

    Parameters
    ----------
    deepest
        Levels that are allowed.

    Raises
    ------
    ExchangeError
        They are nested deeper than that, which is said with the place, or the encoding is not known.
    """
    parser = expat.ParserCreate()
    depth = 0

    def refuse() -> None:
        raise ExchangeError(
            Problem(
                "unsupported",
                "mathematics nested this deeply is not supported",
                Location(file, parser.CurrentLineNumber, parser.CurrentColumnNumber + 1),
                expected=f"at most {deepest:,} levels",
            )
        )

    def start(_: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > deepest or any(_brackets(value) > deepest for value in attributes.values()):
            refuse()

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    try:
        parser.Parse(text, True)
    except expat.ExpatError:
        return  # the library says what is wrong, and where
    except (LookupError, ValueError):
        # An encoding that Python does not know, or one of several bytes a letter.
        message = "the file is in an encoding that is not read"
        raise ExchangeError(Problem("bad-encoding", message, Location(file, 1), expected="UTF-8")) from None


def _brackets(formula: str) -> int:
    """Return the largest nesting depth of brackets, signs and negations in a formula."""
    if len(formula) <= DEEPEST:
        return 0
    deepest = depth = run = 0
    for letter in formula:
        depth += (letter == "(") - (letter == ")")
        run = run + 1 if letter in "-+!^" else run if letter.isspace() else 0
        deepest = max(deepest, depth, run)
    return deepest
