"""How rows of tables change with an unknown of a fit: value, range, distribution, role, source and note."""

from __future__ import annotations

import math
import re

import numpy as np

from ..base.constants import Z90, Z95
from ..base.errors import ConfigError, Problem
from ..patients.population import off_line, on_line
from ..physiology.installed_fits import FittedUnknown
from ..therapies.drug_catalogue import class_of_drug
from .table_lines import Change, Row
from .unknown import Unknown

_DISTRIBUTION = re.compile(r"(\w+)(?:\(\s*([-+.\deE]+)\s*,\s*([-+.\deE]+)\s*\))?")
_SCALED = re.compile(r"([-+]?[\d.]+(?:e[-+]?\d+)?)\*dose")
#: Sources that are fits, and remarks that an earlier fit left in a note.
FIT_KEY = re.compile(r"fit-[A-Za-z0-9][A-Za-z0-9.-]*")
#: Part of its distance from 0 that an end of a range keeps which would otherwise cross 0.
_PART_LEFT = 0.1
_FORMER_REMARK = re.compile(
    r";? ?(?:[^;]* before fit-\S+|range (?:is|holds) the central 95 % of fit-[^;]*|fit-\S+ learnt next to nothing of it)(?=;|$)"
)
#: Contraction below which the evidence says next to nothing.
_SPOKEN_TO = 0.1
#: Digits of a fitted value.
_DIGITS = 5


def change_of_value(unknown: FittedUnknown, key: str) -> Change:
    def change(row: Row) -> bool:
        if row.get("id") != unknown.name:
            return False
        check_start(unknown, row["id"], float(row["value"]))
        former = row["value"]
        row["value"] = table_number(unknown.median)
        low, high = _central_95(unknown)
        if row.get("high") and float(row["high"]) <= 1.0 < high:
            # A share: the posterior ends where the fit was cut, which a normal half width does not know.
            high = max(float(row["high"]), unknown.median)
        _set_range(row, low, high)
        if match := _arguments(row):
            spread = (_line_of(match[0], high) - _line_of(match[0], low)) / (2.0 * Z95)
            row["distribution"] = f"{match[0]}({row['value']}, {table_number(spread)})"
        sign_row(row, key, former, unknown, (low, high))
        return True

    return change


def _central_95(unknown: FittedUnknown) -> tuple[float, float]:
    """Return the central 95 % of the posterior, from its 90 %, with the best value in it."""
    line = Unknown(unknown.name, unknown.kind, unknown.unit, unknown.median, unknown.transform, 1.0)
    half = float(line.place(unknown.high) - line.place(unknown.low)) / 2.0 * Z95 / Z90
    low, high = float(line.value(-half)), float(line.value(half))
    return min(low, unknown.median), max(high, unknown.median)


def _set_range(row: Row, low: float, high: float) -> None:
    """Give a row its range, with the value as written in it; what is possible at all stays.

    Where no limits are given they follow from the range: a quantity that can be 0 has a range from 0 on. So the limit is given then, or, in
    a table without columns for limits, that end of the range stays.
    """
    value = float(row["value"])
    former_low, former_high = row.get("low", ""), row.get("high", "")
    if former_low:
        implied = float(former_low) == 0.0 or float(former_low) < 0.0 <= low
        if implied and float(former_low) == 0.0 and not row.get("hard_low", "none"):
            row["hard_low"], implied = "0", False
        row["low"] = former_low if implied else table_number(min(low, value))
    if former_high:
        implied = float(former_high) > 1.0 >= high
        row["high"] = former_high if implied else table_number(max(high, value))


def change_of_effect(unknown: FittedUnknown, key: str) -> Change:
    owner, _, quantity = unknown.name.rpartition(" ")

    def change(row: Row) -> bool:
        owners = (row["therapy"], class_of_drug(row["therapy"]))
        if quantity != row["quantity"] or owner not in owners or row["rule"] not in ("multiply", "add", "max"):
            return False
        former = row["value"]
        scaled = _SCALED.fullmatch(former)
        size = float(scaled[1] if scaled else former)
        size = size**unknown.median if row["rule"] == "multiply" else size * unknown.median
        row["value"] = table_number(size) + ("*dose" if scaled else "")
        sign_row(row, key, former, unknown)
        return True

    return change


def _arguments(row: Row) -> tuple[str, float, float] | None:
    """Return kind, middle and SD of the distribution of a row that people are drawn from, if it has them in words."""
    match = _DISTRIBUTION.fullmatch(row.get("distribution", ""))
    if match is None or match[1] not in ("normal", "lognormal", "logitnormal") or match[2] is None:
        return None
    return match[1], float(match[2]), float(match[3])


def _line_of(kind: str, value: float) -> float:
    return float(on_line(kind, np.array([value]))[0])


def change_of_distribution(unknown: FittedUnknown, key: str, of_people: bool) -> Change:
    """Return the change of a distribution: everybody's value moves as `population.moved_traits` moves it, and the range with it."""
    trait, _, aspect = unknown.name.partition(" ")

    def change(row: Row) -> bool:
        in_words = _arguments(row) if row.get("id") == trait else None
        if in_words is None:
            return False
        kind, middle, sd = in_words
        former, centre = row["distribution"], _line_of(kind, middle)
        factor = unknown.median if aspect == "spread" else 1.0
        if aspect == "spread":
            moved = 0.0
        elif aspect == "shift":
            moved = unknown.median
        else:
            moved = middle * (unknown.median - 1.0) if kind == "normal" else math.log(unknown.median)

        def there(value: float) -> float:
            moved_value = np.array([centre + (_line_of(kind, value) - centre) * factor + moved])
            return float(off_line(kind, moved_value)[0])

        now = there(middle)
        row["distribution"] = f"{kind}({table_number(now)}, {table_number(sd * factor)})"
        # Ends at 0 and 1 are limits of what is possible.
        for bound in ("low", "high"):
            if row.get(bound) and float(row[bound]) not in (0.0, 1.0):
                row[bound] = table_number(_on_its_side(float(row[bound]), there(float(row[bound]))))
        if of_people and math.isclose(float(row["value"]), middle, rel_tol=1e-9):
            row["value"] = table_number(now)
        _hold_value(row)
        sign_row(row, key, former, unknown)
        return True

    return change


def _on_its_side(end: float, moved: float) -> float:
    """Return the moved end of a range; one that was above 0 stays above it, since what is possible at all follows from that."""
    return _PART_LEFT * end if moved <= 0.0 < end else moved


def _hold_value(row: Row) -> None:
    """Let the range of a row hold its value."""
    value = float(row["value"])
    if row.get("low") and value < float(row["low"]):
        row["low"] = row["value"]
    if row.get("high") and value > float(row["high"]):
        row["high"] = row["value"]


def change_of_variation(unknown: FittedUnknown, key: str) -> Change:
    observable, _, cause = unknown.name.partition(" ")

    def change(row: Row) -> bool:
        levels = (cause, "life at low values", "life at high values") if cause == "life" else (cause,)
        if row["observable"] != observable or row["of"] not in levels or not row["sd"]:
            return False
        if row["of"] == cause:
            check_start(unknown, unknown.name, float(row["sd"]))
        former, row["sd"] = row["sd"], table_number(float(row["sd"]) * unknown.median / unknown.start)
        sign_row(row, key, former, unknown)
        return True

    return change


def check_start(unknown: FittedUnknown, row: str, value: float) -> None:
    """Refuse a row that is not what the fit began with.

    Raises
    ------
    ConfigError
        It is not.
    """
    if not math.isclose(value, unknown.start, rel_tol=1e-6, abs_tol=1e-12):
        message = f"the row {row} was changed since the fit was made"
        hint = "Run the fit again with the tables of today."
        problem = Problem(
            "old-fit", message, found=f"{value:g}", expected=f"{unknown.start:g}, where it began", hint=hint
        )
        raise ConfigError(problem)


def sign_row(
    row: Row, key: str, former: str, unknown: FittedUnknown, central: tuple[float, float] | None = None
) -> None:
    """Say where the value comes from now, what it was before and, where it has a range, what that is."""
    was = row.get("role", "")
    row["source"] = _with_source(row["source"], key, "; " if "observable" in row else ";")
    row["grade"] = "C"
    if "role" in row:
        row["role"] = "calibrated"
    if "locator" in row:
        row["locator"] = _located(row["locator"] if was != "assumed" else "", key)
    ends = "" if central is None else _range_remark(row, key, central)
    row["note"] = remarked(row["note"], f"{former} before {key}", unknown, key, ends)


def _located(former: str, key: str) -> str:
    """Return what a value was calibrated to: what it was tuned or calibrated to before, and the rows of a fit, but of no earlier one."""
    parts = re.split(r";\s*", former.removeprefix("calibrated to: ").removeprefix("tuned to: "))
    kept = [part for part in parts if part and not re.fullmatch(rf"rows of {FIT_KEY.pattern}", part)]
    return "calibrated to: " + "; ".join([*kept, f"rows of {key}"])


def _with_source(sources: str, key: str, separator: str) -> str:
    """Return sources with a fit as the last; an earlier fit is none any more."""
    kept = re.sub(rf"(?:^|;)\s*{FIT_KEY.pattern}\s*(?=;|$)", "", sources).lstrip("; ")
    return f"{kept}{separator}{key}" if kept else key


def _range_remark(row: Row, key: str, central: tuple[float, float]) -> str:
    ends = [table_number(end) for end in central]
    if [row.get("low"), row.get("high")] == ends:
        return f"range is the central 95 % of {key}"
    return f"range holds the central 95 % of {key}, {ends[0]} to {ends[1]}"


def remarked(note: str, before: str, unknown: FittedUnknown, key: str, ends: str = "") -> str:
    """Return a note with what the value was before the fit; of two unknowns of a row the first says it."""
    if f" before {key}" in note:
        return note
    if ends:
        note = re.sub(r"(?:; )?range assumed(?=;|$)", "", note)
    note = _FORMER_REMARK.sub("", note).removeprefix("; ")
    unspoken = f"{key} learnt next to nothing of it" if unknown.contraction < _SPOKEN_TO else ""
    return "; ".join(filter(None, [note.removeprefix("; "), before, ends, unspoken]))


def table_number(value: float) -> str:
    """Return a fitted number as tables have it."""
    return f"{value:.{_DIGITS}g}"
