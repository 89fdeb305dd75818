"""Complications as rows for people: what each is, its rate in the reference person, and what changes the rate, with sources."""

from __future__ import annotations

import math
from typing import Any

from ...base.errors import ConfigError, not_among
from ...model.parameters.parameter import Parameter
from .complication import GROUPS, Complication, complication_parameters, complications
from .terms import TERM_UNITS

#: Years of which rates are shown: per 1000 people and year.
_PER = 1000.0


def complication_list() -> list[dict[str, Any]]:
    """Return a row per complication: name, group, label, the rate in the reference person, and what it needs and begins."""
    rows = complication_parameters()
    return [
        {
            "name": item.name,
            "group": GROUPS[item.group],
            "label": item.label,
            "rate": _PER * rows[item.rate].value,
            "rises_with": ", ".join(_rising(item)),
            "needs": ", ".join(item.needs),
            "begins": item.state,
            "source": "; ".join(
                dict.fromkeys(key for row in item.rows() for key in rows[row].source.split(";") if key)
            ),
            "grade": max(rows[row].grade for row in item.rows()),
        }
        for item in complications().values()
    ]


def _rising(item: Complication) -> list[str]:
    """Return the terms and states that make it more frequent."""
    rows = complication_parameters()
    terms = [name for name, row in item.terms.items() if rows[row].value > 0]
    states = [name for name, row in item.states.items() if rows[row].value > 1]
    return [name.replace("_", " ") for name in (*terms, *states)]


def complication_card(name: str) -> dict[str, Any]:
    """Return everything about a complication.

    Raises
    ------
    ConfigError
        There is no such complication; the nearest is named.
    """
    items = complications()
    if name not in items:
        raise ConfigError(not_among(tuple(items), "unknown-complication", f"there is no complication {name!r}", name))
    item, rows = items[name], complication_parameters()
    numbers = [_number("rate", "reference person", "1/year", rows[item.rate])]
    numbers += [_ratio("term", TERM_UNITS[term], rows[row], math.exp) for term, row in item.terms.items()]
    numbers += [_ratio("state", state.replace("_", " "), rows[row], float) for state, row in item.states.items()]
    numbers += [_ratio("drug", drug, rows[row], float) for drug, row in item.drugs.items()]
    if item.days:
        numbers.append(_number("days", f"how long {item.state.replace('_', ' ')} lasts", "day", rows[item.days]))
    return {
        "name": item.name,
        "group": GROUPS[item.group],
        "label": item.label,
        "needs": list(item.needs),
        "unless": list(item.unless),
        "begins": item.state,
        "ends": list(item.clears),
        "repeats": item.repeats,
        "fatal": item.fatal,
        "equation": _equation(item),
        "numbers": numbers,
    }


def _number(kind: str, label: str, unit: str, row: Parameter) -> dict[str, Any]:
    return {
        "kind": kind,
        "what": label,
        "value": row.value,
        "low": row.low,
        "high": row.high,
        "unit": unit,
        "parameter": row.id,
        "role": row.role,
        "source": row.source,
        "grade": row.grade,
        "note": row.note,
    }


def _ratio(kind: str, label: str, row: Parameter, of: Any) -> dict[str, Any]:
    """Return a row as a hazard ratio."""
    return {**_number(kind, label, "ratio", row), **{key: of(getattr(row, key)) for key in ("value", "low", "high")}}


def _equation(item: Complication) -> str:
    exponent = " + ".join(f"{row}*{term}" for term, row in item.terms.items())
    parts = [item.rate, *([f"exp({exponent})"] if exponent else [])]
    parts += [f"{row}^{state}" for state, row in item.states.items()]
    parts += [f"{row}^[{drug}]" for drug, row in item.drugs.items()]
    return " * ".join(parts)
