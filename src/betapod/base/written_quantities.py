"""Quantities as text with a unit: read alone, and as keys of YAML documents."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from . import clinical
from .errors import BetapodError, ConfigError, Location, Problem
from .spelling import respell_unit
from .units import split_quantity


def refuse(problems: Problem | BetapodError) -> PydanticCustomError:
    """Return the error by which a validator reports problems of its own."""
    all_problems = [problems] if isinstance(problems, Problem) else list(problems.problems)
    return PydanticCustomError("betapod", "{first}", {"problems": all_problems, "first": all_problems[0].message})


def read_quantity(
    raw: Any, unit: str, label: str = "", bare: bool = False, kind: clinical.Kind = "level", subject: str = ""
) -> float:
    """Return a number in a unit, from text such as ``30 mg/g``.

    Parameters
    ----------
    label
        What is measured: a known quantity takes every unit that it is reported in (see `clinical`).
    bare
        Whether a number without a unit is taken to be in `unit`.
    kind
        Whether it is a level or a difference of levels, for units with an offset: HbA1c in mmol/mol.
    subject
        Name under which a unit conversion is reported (`clinical.read_as`).

    Raises
    ------
    ConfigError, UnitError
        Unreadable, without a unit, or with one that does not fit.
    """
    text = str(raw).strip()
    inside = Location("", 1, 1)
    split = split_quantity(text) if not isinstance(raw, bool) else None
    comma = split is not None and split[1].startswith(",")
    if split is None or comma or not math.isfinite(split[0]):
        expected = f"a number with a unit, such as 1 {unit}"
        hint = "Write numbers without commas: 1000 or 7.5." if comma else ""
        raise ConfigError(
            Problem("bad-quantity", "this is not a number with a unit", inside, text, expected, hint, context=text)
        )
    number, written = split
    if not written:
        if bare or number == 0 or unit in ("", "1"):
            return number
        measured = clinical.known_quantity(label)
        units = measured.usual if measured is not None else (unit,)
        expected = ", ".join(f"{text} {usual_unit}" for usual_unit in units)
        raise ConfigError(Problem("missing-unit", "a unit is missing", inside, text, expected, context=text))
    value = clinical.convert_labelled(number, written, unit, label, kind, inside)
    if subject and value != number:
        clinical.say(subject, text, value, unit)
    return value


def _share(raw: str, unit: str) -> None:
    """Refuse what is a share to a physicist alone, such as mg/g."""
    split = split_quantity(raw)
    if split is not None and split[1] and not re.fullmatch(r"(1|%)(/[a-z]+)?", respell_unit(split[1])[0]):
        expected = unit.replace("1", "%", 1)
        raise ConfigError(Problem("wrong-unit", "a share has no such unit", Location("", 1, 1), split[1], expected))


def _reading(unit: str, low: float, high: float) -> Callable[[Any], float]:
    def read(raw: Any) -> float:
        try:
            value = read_quantity(raw, unit, bare=unit == "1")
            if unit.startswith("1") and isinstance(raw, str):
                _share(raw, unit)
        except BetapodError as error:
            raise refuse(error) from None
        if not low <= value <= high:
            in_unit = "" if unit == "1" else f" {unit}"
            span = f"{low:g} to {high:g}{in_unit}" if math.isfinite(high) else f"{low:g}{in_unit} or more"
            raise refuse(Problem("out-of-range", "outside the allowed range", Location("", 1, 1), str(raw), span))
        return value

    return read


def _written(unit: str, example: str) -> WithJsonSchema:
    return WithJsonSchema(
        {"type": ["string", "number"], "description": f"a quantity like {unit}", "examples": [example]}
    )


#: Days, from text such as ``12 week``.
Duration = Annotated[float, BeforeValidator(_reading("day", 0.0, math.inf)), _written("day", "12 week")]
#: Day of a trial; before enrolment below 0.
Day = Annotated[float, BeforeValidator(_reading("day", -3653.0, math.inf)), _written("day", "-14 day")]
#: A share of 1, from text such as ``10 %``.
Share = Annotated[float, BeforeValidator(_reading("1", 0.0, 1.0)), _written("%", "10 %")]
#: A hazard per year, from text such as ``10 %/year``.
Rate = Annotated[float, BeforeValidator(_reading("1/year", 0.0, math.inf)), _written("1/year", "10 %/year")]
