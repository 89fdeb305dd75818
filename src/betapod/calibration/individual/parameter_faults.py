"""What is wrong with how a parameter is looked for: bounds, start, prior, transform."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ...model import Parameter
from .person_parameter import PersonParameter


@dataclass(frozen=True)
class ParameterFault:
    """One fault, and the key of the parameter's settings that has it."""

    kind: str
    message: str
    key: str
    value_text: str = ""
    expected: str = ""
    hint: str = ""


def parameter_faults(parameter: PersonParameter, possible: tuple[float, float]) -> Iterator[ParameterFault]:
    """Yield what is wrong with a parameter that is looked for.

    Parameters
    ----------
    possible
        Least and greatest value that the quantity can have.
    """
    low, high, unit = parameter.low, parameter.high, "" if parameter.unit == "1" else f" {parameter.unit}"
    if low < possible[0] or high > possible[1]:
        key = "low" if low < possible[0] else "high"
        expected = f"within {possible[0]:g} to {possible[1]:g}{unit}"
        yield ParameterFault("impossible-value", f"{parameter.name!r} cannot be there", key, expected=expected)
    if not low < high:
        value_text = f"{low:g} to {high:g}{unit}"
        yield ParameterFault("bad-range", "the lower bound is not below the upper one", "low", value_text)
    elif not low <= parameter.start <= high:
        value_text, expected = f"{parameter.start:g}{unit}", f"{low:g} to {high:g}{unit}"
        yield ParameterFault("bad-start", "the search begins outside its bounds", "start", value_text, expected)
    if parameter.has_prior and not parameter.prior_low < parameter.prior_high:
        value_text = f"{parameter.prior_low:g} to {parameter.prior_high:g}{unit}"
        yield ParameterFault("bad-range", "the prior's lower end is not below its upper one", "prior", value_text)
    span = {"log": (0.0, math.inf), "logit": (0.0, 1.0)}.get(parameter.transform)
    if span is None:
        return
    values = [parameter.start] + ([parameter.prior_low, parameter.prior_high] if parameter.has_prior else [])
    if not all(span[0] < value < span[1] for value in values):
        message = f"{parameter.transform} is for values between {span[0]:g} and {span[1]:g}"
        hint = "Give another transform (linear), or a start and prior within."
        yield ParameterFault("bad-transform", message, "transform", hint=hint)


def usual_transform(row: Parameter, start: float, low: float, high: float) -> str:
    """Return the usual scale of a search: logit for shares, the logarithm for what is above 0 and not said to go below."""
    if (low, high) == (0.0, 1.0) and 0.0 < start < 1.0:
        return "logit"
    signed = any(-math.inf < value < 0.0 for value in (row.low, low))
    return "log" if start > 0.0 and not signed else "linear"
