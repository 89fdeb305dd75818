"""YAML with places: what is wrong is found where it stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from betapod.base.config import Duration, Rate, Settings, Share, check_document, parse_yaml, read_quantity, read_yaml
from betapod.base.errors import ConfigError, UnitError


class Inner(Settings):
    time: Duration = 0.0
    share: Share = 0.0


class Outer(Settings):
    rate: Rate = 0.0
    inner: Inner = Inner()
    many: dict[str, Inner] = Field(default_factory=dict)


def problems(text, kind=Outer):
    with pytest.raises(ConfigError) as caught:
        check_document(kind, parse_yaml(text, "f.yaml"))
    return caught.value.problems


def test_values_are_read_with_their_units():
    found = check_document(
        Outer, parse_yaml("rate: 12 %/year\ninner: {time: 2 week, share: 0.5}\nmany: {a: {share: 10 %}}\n")
    )
    assert found.rate == pytest.approx(0.12)
    assert found.inner.time == 14
    assert found.many["a"].share == pytest.approx(0.1)


def test_unknown_keys_name_the_nearest_at_their_own_level():
    (one,) = problems("inner:\n  tim: 3 day\n")
    assert (one.kind, one.location.line, one.location.column) == ("unknown-key", 2, 3)
    assert "'time'" in one.hint
    (two,) = problems("many:\n  a:\n    shar: 3\n")
    assert "'share'" in two.hint


def test_every_problem_is_told():
    found = problems("rat: 1\nrate: 3 kg\ninner: {time: 5, share: 2}\n")
    assert [(p.kind, p.location.line) for p in found] == [
        ("unknown-key", 1),
        ("wrong-unit", 2),
        ("missing-unit", 3),
        ("out-of-range", 3),
    ]
    assert all(p.context for p in found)


@pytest.mark.parametrize("text", ["a: [1, 2", "a: b: c", "\tx: 1", "a: 'x"])
def test_what_is_not_yaml_has_a_line(text):
    (one,) = problems(text)
    assert one.kind == "bad-yaml"
    assert one.location.line >= 1


def test_documents_that_hold_nothing():
    assert problems("")[0].kind == "wrong-type"
    assert problems("- 1\n")[0].kind == "wrong-type"


def test_keys_given_twice_are_told_with_the_first(tmp_path):
    found = problems("rate: 1 %/year\nrate: 2 %/year\n")
    assert [(p.kind, p.location.line) for p in found] == [("duplicate-key", 2)]
    assert "line 1" in found[0].hint
    with pytest.raises(ConfigError) as caught:
        read_yaml(tmp_path / "none.yaml")
    assert caught.value.kinds == ("unreadable-file",)
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError) as caught:
        read_yaml(tmp_path / "bytes.yaml")
    assert caught.value.kinds == ("unreadable-file",)


@given(st.floats(0.001, 1e6), st.sampled_from([("mg/g", 1.0), ("g/g", 1000.0), ("ug/mg", 1.0)]))
def test_quantities_are_converted(number, unit):
    assert read_quantity(f"{number!r} {unit[0]}", "mg/g") == pytest.approx(number * unit[1])


def test_mass_and_amount_are_converted_where_the_label_names_the_analyte():
    assert read_quantity("180 mg/dL", "mmol/L", "fasting plasma glucose") == pytest.approx(9.991, abs=0.001)
    with pytest.raises(UnitError):
        read_quantity("180 mg/dL", "mmol/L")


def test_scientific_notation_without_a_sign_is_a_number():
    assert parse_yaml("a: 1e6\nb: 1_000\nc: yes\nd: ~\n").data == {"a": 1e6, "b": 1000, "c": "yes", "d": None}
