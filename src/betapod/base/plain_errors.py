"""Plain-language messages for pydantic validation errors: kind, message, expected, what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple


class Words(NamedTuple):
    """Parts of a problem."""

    kind: str
    message: str
    expected: str = ""
    hint: str = ""


#: Forms of texts, by their pattern.
FORMS = {
    r"^[A-Za-z0-9][A-Za-z0-9_.-]*$": "letters, digits, '_', '.' and '-', the first a letter or digit, such as my_trial-2",
}
_QUOTED = "Write it in quotation marks if it is meant as text."


def _bound(words: str, key: str) -> Callable[[Mapping[str, Any]], Words]:
    return lambda ctx: Words("out-of-range", "outside the allowed range", f"{words} {_number(ctx.get(key))}")


def _length(words: str, key: str) -> Callable[[Mapping[str, Any]], Words]:
    def made(ctx: Mapping[str, Any]) -> Words:
        count = ctx.get(key)
        actual = ctx.get("actual_length")
        message = "too few entries" if words == "at least" else "too many entries"
        message += "" if actual is None else f": {actual}"
        return Words("out-of-range", message, f"{words} {_number(count)}")

    return made


def _letters(words: str, key: str) -> Callable[[Mapping[str, Any]], Words]:
    return lambda ctx: Words("out-of-range", "the text is too long or too short", f"{words} {ctx.get(key)} letters")


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def _plainly(message: str, expected: str, kind: str = "wrong-type", hint: str = "") -> Callable[..., Words]:
    return lambda ctx: Words(kind, message, expected, hint)


_WHOLE = _plainly("this is no whole number", "a whole number, such as 3")
_NUMBER = _plainly("this is no number", "a number, such as 0.5")
_YES = _plainly("this is neither true nor false", "true or false")
_LIST = _plainly("this is no list", "a list, such as [a, b]")
_KEYS = _plainly("there are no keys and values here", "keys and values, such as {key: value, another: value}")
_TEXT = _plainly("this is no text", "text", hint=_QUOTED)

#: Words by the library's type of error.
_KINDS: dict[str, Callable[[Mapping[str, Any]], Words]] = {
    "string_type": _TEXT,
    "string_sub_type": _TEXT,
    "string_unicode": _TEXT,
    "string_pattern_mismatch": lambda ctx: Words(
        "bad-text", "this text has another form", FORMS.get(str(ctx.get("pattern")), "another form; see the guide")
    ),
    "string_too_short": _letters("at least", "min_length"),
    "string_too_long": _letters("at most", "max_length"),
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": _plainly("this number is too large", "a whole number of fewer digits", "out-of-range"),
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _plainly("this number is not finite", "a finite number", "out-of-range"),
    "bool_type": _YES,
    "bool_parsing": _YES,
    "greater_than": _bound("above", "gt"),
    "greater_than_equal": _bound("at least", "ge"),
    "less_than": _bound("below", "lt"),
    "less_than_equal": _bound("at most", "le"),
    "multiple_of": _bound("a multiple of", "multiple_of"),
    "too_short": _length("at least", "min_length"),
    "too_long": _length("at most", "max_length"),
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "iterable_type": _LIST,
    "dict_type": _KEYS,
    "mapping_type": _KEYS,
    "model_type": _KEYS,
    "model_attributes_type": _KEYS,
    "none_required": _plainly("nothing may stand here", "nothing"),
}


def in_words(kind: str, message: str, context: Mapping[str, Any]) -> Words:
    """Return an error in plain words.

    Parameters
    ----------
    kind, message, context
        Type, text and details as the library has them. The text is shown only where it is one of betapod's own validators.
    """
    words_of = _KINDS.get(kind)
    if words_of is not None:
        return words_of(context)
    if kind in ("value_error", "assertion_error"):
        return Words("bad-value", message.removeprefix("Value error, ").removeprefix("Assertion failed, "))
    return Words("wrong-type", "this cannot stand here")


def of_one_choice(details: Sequence[Any]) -> list[Any]:
    """Return what is wrong, of a key that may be a word or have keys, or a text or a number, as what it was meant to be alone."""
    words = {d["loc"][:-1]: d["input"] for d in details if d["loc"] and str(d["loc"][-1]).startswith("literal[")}
    kept = []
    for detail in details:
        where = detail["loc"]
        at = next((key for key in words if len(where) > len(key) and where[: len(key)] == key), None)
        if at is None:
            kept.append(detail)
        elif isinstance(words[at], dict) != str(where[len(at)]).startswith("literal["):
            kept.append({**detail, "loc": (*at, *where[len(at) + 1 :])})
    plain = [{d["loc"][:-1] for d in kept if d["loc"][-1:] == (kind,)} for kind in ("str", "float")]
    either = plain[0] & plain[1]
    return [
        {**detail, "loc": detail["loc"][:-1]} if detail["loc"][:-1] in either else detail
        for detail in kept
        if not (detail["loc"][-1:] == ("str",) and detail["loc"][:-1] in either)
    ]
