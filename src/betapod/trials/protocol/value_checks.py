"""Checks of single protocol values beyond their type: printable texts, booleans in place of numbers, plausible magnitudes.

Bounds are wide: beyond them a value is an error of entry or of unit, not an unusual trial. They are assumed, but for those of
quantities, which are what a laboratory can report.
"""

from __future__ import annotations

import functools
import math
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from ...base.clinical import Kind
from ...base.config import Document, Where, read_quantity
from ...base.constants import DAYS_PER_YEAR
from ...base.errors import BetapodError, Problem, did_you_mean
from ...base.nouns import with_noun
from ...observables.quantities import CHARACTERISTICS, code_of, label_of, observable_unit, visit_observables
from ...observables.table import bounds_for, observables_and_characteristics

#: Letters of a name, such as that of an arm; longer ones fit no table and no figure.
LONGEST_NAME = 200
#: Years of follow-up, and of anything else that lasts: the longest follow-up of a trial in diabetes (DCCT/EDIC) is about 40 years.
LONGEST_YEARS = 50.0
#: Per year: at ten, half of the patients are gone after four weeks.
HIGHEST_RATE = 10.0
#: Of the parts of an allocation ratio.
LARGEST_SHARE = 1000
#: Change in percent that makes a responder or event.
LARGEST_PERCENT = 10_000.0
#: Factor of an effect, and its inverse.
LARGEST_FACTOR = 100.0
#: Lowest and highest value that a laboratory, a scale or a calendar can give, in the unit of the quantity, by PARAMCD.
POSSIBLE = {
    item.paramcd: span
    for name, span in bounds_for("reportable").items()
    for item in (observables_and_characteristics()[name],)
    if item.paramcd
}


def texts(document: Document) -> Iterator[Problem]:
    """Find unprintable texts: control characters, unpaired surrogates, empty or overlong names."""
    for where, text, key in _texts(document.data, ()):
        name = key or where[-1:] == ("name",)
        wrong = [c for c in text if unicodedata.category(c) in ("Cc", "Cs") and (name or c not in "\n\t")]
        if wrong:
            yield document.problem(
                "bad-text",
                "a name contains a character that cannot be printed"
                if name
                else "the text contains a character that cannot be printed",
                where,
                key,
                found=", ".join(dict.fromkeys(f"U+{ord(c):04X}" for c in wrong)),
                expected="letters, digits, signs and spaces",
            )
        elif name and not text.strip():
            yield document.problem("empty-name", "a name is empty", where, key)
        elif name and len(text) > LONGEST_NAME:
            yield document.problem(
                "long-name",
                "a name is too long",
                where,
                key,
                found=with_noun(len(text), "letter"),
                expected=f"at most {LONGEST_NAME}",
                hint="Long texts belong to label, title or summary.",
            )


def _texts(data: Any, where: Where) -> Iterator[tuple[Where, str, bool]]:
    """Yield every text with its location, and whether it is a key."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield (*where, key), str(key), True
            yield from _texts(value, (*where, key))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from _texts(value, (*where, number))
    elif isinstance(data, str):
        yield where, data, False


def booleans(document: Document) -> Iterator[Problem]:
    """Find booleans and quoted texts in place of numbers."""
    kinds = _kinds()
    for where, value in _values(document.data, ()):
        if not isinstance(value, bool | str):
            continue
        name = next((str(part) for part in reversed(where) if isinstance(part, str)), "")
        ratio = len(where) == 4 and where[0] == "designs" and where[2] == "arms"
        kind = {"integer"} if ratio else kinds.get(name, set() if isinstance(value, str) else {"number"})
        numeric = bool(kind & {"number", "integer"})
        if isinstance(value, bool):
            # Where only a text or a list may stand, the type says so.
            if numeric and "boolean" not in kind:
                value_text = "true or false"
                yield document.problem(
                    "wrong-type", f"{name} is a number", where, found=value_text, expected="a number"
                )
        elif numeric and kind <= {"number", "integer", "null"} and _is_number(value):
            value_text = f"the text {short(value)!r}"
            yield document.problem("wrong-type", f"{name} is a number", where, found=value_text, expected="no quotes")


def _values(data: Any, where: Where) -> Iterator[tuple[Where, Any]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _values(value, (*where, key))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from _values(value, (*where, number))
    else:
        yield where, data


@functools.cache
def _kinds() -> dict[str, set[str]]:
    """Return key of a protocol -> JSON types that it may have anywhere in it."""
    from .protocol import json_schema

    types_by_key: dict[str, set[str]] = {}

    def types(node: dict[str, Any]) -> set[str]:
        stated = node.get("type", [])
        kinds = set(stated) if isinstance(stated, list) else {stated}
        return kinds.union(*(types(option) for option in node.get("anyOf", [])))

    schema = json_schema()
    for kind in (schema, *schema.get("$defs", {}).values()):
        for name, node in kind.get("properties", {}).items():
            types_by_key.setdefault(name, set()).update(types(node))
            items = node.get("items")
            if isinstance(items, dict):
                types_by_key[name].update(types(items))
    return types_by_key


def check_sizes(document: Document) -> Iterator[Problem]:
    """Find numbers beyond the range of any trial."""
    data = document.data
    for where, value in _values(data, ()):
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            continue
        key = next((part for part in reversed(where) if isinstance(part, str)), "")
        if key in ("day", "window", "duration", "start", "stop", "begins", "time"):
            days = _read(value, "day")
            if days is not None and abs(days) > LONGEST_YEARS * DAYS_PER_YEAR:
                yield _beyond(document, key, where, value, f"at most {LONGEST_YEARS:g} years")
        elif key == "drop_out":
            rate = _read(value, "1/year", True)
            if rate is not None and rate > HIGHEST_RATE:
                yield _beyond(document, key, where, value, f"at most {100 * HIGHEST_RATE:g} %/year")
        elif key == "percent" and _is_number(value) and not abs(_number(value)) <= LARGEST_PERCENT:
            yield _beyond(document, key, where, value, f"at most {LARGEST_PERCENT:g}")
        elif key == "factor" and _is_number(value) and not 1 / LARGEST_FACTOR <= _number(value) <= LARGEST_FACTOR:
            yield _beyond(document, key, where, value, f"{1 / LARGEST_FACTOR:g} to {LARGEST_FACTOR:g}")
        elif (
            len(where) == 4
            and (where[0], where[2]) == ("designs", "arms")
            and _is_number(value)
            and not _number(value) <= LARGEST_SHARE
        ):
            yield _beyond(document, "the share of an arm", where, value, f"at most {LARGEST_SHARE}")


def _beyond(document: Document, subject: str, where: Where, value: Any, expected: str) -> Problem:
    return document.problem(
        "out-of-range", f"{subject} is beyond the range of any trial", where, found=short(value), expected=expected
    )


def short(value: Any) -> str:
    """Return a value as text, numbers of hundreds of digits shortened."""
    text = str(value)
    return text if len(text) <= 40 else f"{text[:12]}... ({len(text)} digits)"


def _number(value: Any) -> float:
    """Return a value as a number, infinite where it has too many digits, NaN where it is none; a text may be one, as for the types."""
    if isinstance(value, bool):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf
    except (TypeError, ValueError):
        return math.nan


def _is_number(value: Any) -> bool:
    return not math.isnan(_number(value))


def _read(value: Any, unit: str, bare: bool = False) -> float | None:
    try:
        return read_quantity(value, unit, bare=bare)
    except (BetapodError, OverflowError):
        return None


def possible(
    document: Document, name: str, value_text: Any, where: Where, difference: bool = False
) -> Iterator[Problem]:
    """Find a value of a quantity that no laboratory can report, or a change that no value can make.

    Parameters
    ----------
    name, given
        As in the protocol; values that cannot be read are others' problem.
    difference
        Whether `value_text` is a change: its size may be the whole range.
    """
    code = code_of(name)
    span = POSSIBLE.get(code)
    has_range = code in visit_observables() or code in CHARACTERISTICS
    if span is None or not has_range:
        return
    unit = observable_unit(code)
    try:
        kind: Kind = "difference" if difference else "level"
        value = read_quantity(value_text, unit, label_of(code), bare=unit == "1", kind=kind)
    except (BetapodError, OverflowError):
        return
    low, high = (-(span[1] - span[0]), span[1] - span[0]) if difference else span
    if not low <= value <= high:
        message = f"{name} cannot change by this much" if difference else f"{name} cannot have this value"
        yield document.problem(
            "out-of-range", message, where, found=short(value_text), expected=f"{low:g} to {high:g} {unit}".strip()
        )


# -- reading a document that may be wrong --------------------------------------------------------------------------------


def mapping_of(data: Any, key: str) -> dict[str, Any]:
    """Return the mapping under a key; empty where there is none."""
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, dict) else {}


def list_of(data: Any, key: str) -> list[Any]:
    """Return the list under a key; empty where there is none."""
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, list) else []


def unknown(
    document: Document, kind: str, name: Any, available: Iterable[str], where: Where, key: bool = False
) -> Problem:
    """Return the problem of a name that is not among those that exist."""
    names = list(dict.fromkeys(str(item) for item in available))
    return document.problem(
        f"unknown-{kind}",
        f"there is no {kind} {name!r}",
        where,
        key,
        expected=", ".join(names),
        hint=did_you_mean(str(name), names),
    )


def valued(
    document: Document, value_text: Any, code: str, where: Where, read_as: str, kind: Kind = "level"
) -> Iterator[Problem]:
    """Check that a quantity has a unit that fits a PARAMCD, and say under the name `read_as` how it is read in another."""
    unit = observable_unit(code)
    try:
        read_quantity(value_text, unit, label_of(code), unit == "1", kind, read_as)
    except BetapodError as error:
        for problem in error.problems:
            yield document.moved(problem, where)


def day_of(value: Any) -> float | None:
    """Return a time in days; None where it cannot be read."""
    try:
        return read_quantity(value, "day")
    except BetapodError:
        return None
