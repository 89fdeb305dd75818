"""Units: dimension and scale, clinical units, conversions by name, UCUM codes."""

from __future__ import annotations

import pytest

from betapod.base.errors import Location, UnitError
from betapod.base.units import Unit, conversion_factor, convert_unit, parse_unit, ucum


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (1.0, "L/min", "mL/min", 1000.0),
        (1.0, "1/year", "1/day", 1 / 365.25),
        (120.0, "mmHg", "Pa", 120 * 133.322387415),
        (30.0, "mg/g", "1", 0.03),
        (7.0, "%", "1", 0.07),
        (2.0, "mL/min/1.73m2", "L/day/1.73m2", 2.88),
        (1.0, "ug", "ng", 1000.0),
    ],
)
def test_conversion(value: float, source: str, target: str, expected: float) -> None:
    assert convert_unit(value, source, target) == pytest.approx(expected, rel=1e-12)
    assert convert_unit(expected, target, source) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("a", "b"),
    [("mL/min/1.73m2", "mL/min"), ("cell", "1"), ("U", "pmol"), ("mmol/L", "mg/dL"), ("g", "mol"), ("cell/kg", "1/kg")],
)
def test_what_is_not_the_same_thing(a: str, b: str) -> None:
    assert not parse_unit(a).compatible(parse_unit(b))
    with pytest.raises(UnitError, match="does not fit"):
        convert_unit(1.0, a, b)


def test_same_dimension_other_scale() -> None:
    assert parse_unit("mg").compatible(parse_unit("g"))
    assert not parse_unit("mg").same(parse_unit("g"))
    assert parse_unit("mmHg*min/L").same(parse_unit("mmHg/(L/min)"))


def test_the_same_is_the_same_to_nine_digits() -> None:
    """Rounding of chained factors passes; a Julian year is not a Gregorian one, and a calorie not another calorie."""
    day = parse_unit("day")
    assert day.same(Unit(day.dimensions, day.scale * (1 + 1e-11)))
    for factor in (1 + 1e-8, 1 - 1e-8, 365.2425 / 365.25, 4.1868 / 4.184, 1.001):
        assert not day.same(Unit(day.dimensions, day.scale * factor))
        assert not Unit((), factor).plain
    assert Unit((), 1 + 1e-11).plain


def test_unknown_unit_names_the_nearest() -> None:
    with pytest.raises(UnitError, match="mmHg"):
        parse_unit("mmHgg/min")


@pytest.mark.parametrize(
    ("name", "value"),
    [("min_per_day", 1440.0), ("mL_per_L", 1000.0), ("mg_per_g", 1000.0), ("day_per_year", 365.25), ("dL_per_L", 10.0)],
)
def test_conversion_names_are_exact(name: str, value: float) -> None:
    factor = conversion_factor(name)
    assert factor is not None and factor[0] == value


@pytest.mark.parametrize("name", ["min_per_mL", "k_per_day", "per_day", "GFR", "mmHg_per_"])
def test_other_names_are_no_conversions(name: str) -> None:
    assert conversion_factor(name) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("mL/min", "mL/min"),
        ("mmHg", "mm[Hg]"),
        ("1/year", "1/a"),
        ("%", "%"),
        ("mmHg*min/L", "mm[Hg].min/L"),
        ("cell/kg", "{cell}/kg"),
    ],
)
def test_ucum(text: str, code: str) -> None:
    assert ucum(text) == code


def test_a_unit_that_is_none_is_refused_at_each_of_its_places() -> None:
    for line in (1, 2):
        with pytest.raises(UnitError) as caught:
            parse_unit("mgg", Location("mine.csv", line))
        assert [problem.location.line for problem in caught.value.problems] == [line]
