"""Hints that help: the nearest name, and plain words for what a value should have been."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from betapod.base import plain_errors
from betapod.base.config import Settings, check_document, parse_yaml
from betapod.base.errors import ConfigError, did_you_mean, nearest
from betapod.observables.quantities import known_codes
from betapod.trials.protocol.protocol import json_schema


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("eGRF", "eGFR"),
        ("egfr", "eGFR"),
        ("EGFr", "eGFR"),
        ("HBAC1", "HbA1c"),
        ("HbAc", "HbA1c"),
        ("hba1", "HbA1c"),
        ("uarc", "UACR"),
        ("creat", "CREAT"),
        ("Weigth", "WEIGHT"),
        ("body weight", "body_weight"),
    ],
)
def test_capitals_and_separators_are_no_difference(name: str, right: str) -> None:
    found = nearest(name, [*known_codes(), "eGFR", "HbA1c", "body_weight"])[0]
    assert found.lower() == right.lower()


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("CI99", "CI95"), ("CI90", "CI95"), ("W1", "W0"), ("CI", "CI95"), ("eGFR40pct", "eGFR30pct"), ("dn16", "dn61")],
)
def test_a_name_with_other_digits_is_no_guess(name: str, wrong: str) -> None:
    assert nearest(name, [wrong]) == []
    assert did_you_mean(name, [wrong]) == ""


def test_digits_of_a_year_may_have_changed_places() -> None:
    assert nearest("PACKHAM2106", ["PACKHAM2016", "PACKHAM2017"]) == ["PACKHAM2016"]


def test_what_resembles_nothing_has_no_hint() -> None:
    for name in ("", "x" * 5000, "\x00", "zzzz"):
        assert nearest(name, ["eGFR", "UACR"]) == []
    assert nearest("GRF", ["RPF", "GFR", "RBF", "r_F"])[0] == "GFR"


class Everything(Settings):
    text: str = "a"
    form: str = Field(default="a", pattern=next(iter(plain_errors.FORMS)))
    whole: Annotated[int, Field(ge=1, le=9)] = 1
    number: Annotated[float, Field(gt=0, lt=9, allow_inf_nan=False)] = 1.0
    even: Annotated[int, Field(multiple_of=2)] = 2
    yes: bool = True
    many: list[str] = Field(default=["a", "b"], min_length=2, max_length=3)
    named: dict[str, int] = Field(default={"a": 1}, min_length=1)
    inner: Annotated[str, Field(min_length=2, max_length=4)] = "abc"
    choice: Literal["open", "double"] = "open"


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("text: [1]", "wrong-type", "text"),
        ("text: 5", "wrong-type", "text"),
        ("form: not a name!", "bad-text", "letters, digits"),
        ("whole: abc", "wrong-type", "a whole number"),
        ("whole: 1.5", "wrong-type", "a whole number"),
        ("whole: 0", "out-of-range", "at least 1"),
        ("whole: 10", "out-of-range", "at most 9"),
        ("whole: " + "9" * 5000, "out-of-range", ""),
        ("number: abc", "wrong-type", "a number"),
        ("number: .nan", "wrong-type", "a number"),
        ("number: 0", "out-of-range", "above 0"),
        ("number: 9", "out-of-range", "below 9"),
        ("even: 3", "out-of-range", "a multiple of 2"),
        ("yes: perhaps", "wrong-type", "true or false"),
        ("yes: [1]", "wrong-type", "true or false"),
        ("many: a", "wrong-type", "a list"),
        ("many: [a]", "out-of-range", "at least 2"),
        ("many: [a, b, c, d]", "out-of-range", "at most 3"),
        ("named: {}", "out-of-range", "at least 1"),
        ("named: [1]", "wrong-type", "keys and values"),
        ("inner: a", "out-of-range", "at least 2 letters"),
        ("inner: abcde", "out-of-range", "at most 4 letters"),
        ("choice: Double", "unknown-choice", "open, double"),
        ("more: 1", "unknown-key", ""),
    ],
)
def test_plain_words_for_what_is_wrong(text: str, kind: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_document(Everything, parse_yaml(text))
    (problem,) = caught.value.problems
    assert problem.kind == kind
    assert expected in problem.expected
    for word in ("Input should", "should match", "String", "valid ", "pydantic", "^["):
        assert word not in f"{problem.message} {problem.expected} {problem.hint}"


def test_no_word_of_the_library_reaches_the_user() -> None:
    """Types of error that no protocol can raise today are worded, or passed over."""
    for kind in (Any, int, float, bool, str, list[int], dict[str, int], tuple[int, int], set[int], None):
        for value in (object(), "x", 1.5, [object()], {"a": "b"}, b"\xff"):
            try:
                TypeAdapter(kind).validate_python(value, strict=False)
            except ValidationError as error:
                for each in error.errors():
                    words = plain_errors.in_words(each["type"], each["msg"], each.get("ctx") or {})
                    assert "nput should" not in words.message
    assert plain_errors.in_words("some_new_type", "Input should be odd", {}).message == "this cannot stand here"


def test_every_form_of_a_text_has_words() -> None:
    def patterns(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["pattern"]] if isinstance(node.get("pattern"), str) else []
            return own + [each for value in node.values() for each in patterns(value)]
        return [each for value in node for each in patterns(value)] if isinstance(node, list) else []

    found = patterns(json_schema())
    assert found
    assert set(found) <= set(plain_errors.FORMS)
