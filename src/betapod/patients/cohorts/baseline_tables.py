"""Published baseline tables as cohort targets: means, SDs, medians, quantiles, proportions and eligibility, with units.

.. code-block:: yaml

    name: My trial
    eligibility:
      egfr: {low: 25, high: 75, unit: mL/min/1.73m2}
    baseline:
      age: {mean: 64, sd: 9, unit: year}
      uacr: {median: 568, quantiles: {25: 250, 75: 1300}, unit: mg/g}
      hba1c: {mean: 62, sd: 14, unit: mmol/mol}
      female: {proportion: 0.3}
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...base.clinical import say
from ...base.errors import ConfigError, Location, Problem, UnitError, did_you_mean
from ..plausibility import POSSIBLE
from ..plausibility import UNUSUAL as RANGES
from .cohort_target import ELIGIBILITY_UNITS, CohortTarget, Moment
from .cohort_target import UNITS as COLUMN_UNITS
from .conversions import to_table_unit

#: Statistics that a table may state of a quantity.
STATISTICS = ("mean", "sd", "median", "quantiles", "proportion", "geometric_mean", "log_sd")
_OTHER = ("unit", "source")
_TOP = ("name", "label", "origin", "eligibility", "baseline", "unmatched")
#: Tolerance of a mean in SDs of its column; of a share.
_TOLERANCE, _SHARE_TOLERANCE = 0.001, 0.001


def read_baseline_tables(path: str | Path) -> CohortTarget:
    """Read a baseline table.

    Raises
    ------
    ConfigError
        With every problem of the file.
    """
    from ...base.config import marked_yaml, yaml_text

    file = str(path)
    content = marked_yaml(yaml_text(path, "no-file"), file)
    if not isinstance(content, Mapping):
        raise ConfigError(Problem("bad-table", "a baseline table has the keys name and baseline", Location(file, 1)))
    return _Reader(file).target(content, Path(path).stem)


def of_mapping(content: Mapping[str, Any], name: str, file: str) -> CohortTarget:
    """Return the target of a baseline table that was read already, such as one of many in a file.

    Raises
    ------
    ConfigError
        With every problem of the table.
    """
    return _Reader(file).target(content, name)


class _Reader:
    """Collects problems while it reads."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.notes: list[str] = []

    def where(self, holder: Any, key: object) -> Location:
        position = getattr(holder, "lc", None)
        if position is None or not position.data or key not in position.data:
            return Location(self.file)
        line, column = position.key(key)
        return Location(self.file, line + 1, column + 1)

    def bad(self, kind: str, message: str, holder: Any, key: object, **more: str) -> None:
        self.problems.append(Problem(kind, message, self.where(holder, key), **more))

    def target(self, content: Mapping[str, Any], stem: str) -> CohortTarget:
        for key in content:
            if key not in _TOP:
                self.bad("unknown-key", f"there is no {key!r}", content, key, hint=did_you_mean(str(key), _TOP))
        baseline, ranges = self.section(content, "baseline"), self.section(content, "eligibility")
        moments = [moment for name in baseline for moment in self.moments(baseline, name)]
        limits = {name: self.limits(ranges, name) for name in ranges}
        stated = {name for section in (baseline, ranges) for name in section}
        if "duration" in stated and "diagnosed" not in stated:
            # People without a diagnosis have no duration, and would count as 0 years.
            limits["diagnosed"] = (1.0, math.inf)
            self.notes.append("duration is known of people with a diagnosis: only they are eligible")
        texts = {key: self.text(content, key) for key in ("name", "label", "origin")}
        unmatched = self.sentences(content, "unmatched")
        if not baseline and not ranges and not self.problems:
            self.problems.append(
                Problem("empty-table", "the table has neither baseline nor eligibility", Location(self.file))
            )
        if self.problems:
            raise ConfigError(self.problems)
        return CohortTarget(
            name=texts["name"] or stem,
            label=texts["label"],
            moments=tuple(moments),
            ranges=limits,
            unmatched=unmatched,
            origin=texts["origin"],
            notes=tuple(self.notes),
        )

    def text(self, holder: Mapping[str, Any], key: str) -> str:
        """Return a text, or a number as one; empty where there is none."""
        value = holder.get(key)
        if isinstance(value, (Mapping, list)):
            self.bad("bad-text", f"{key} is a text", holder, key, found=_kind(value))
            return ""
        return "" if value is None else str(value)

    def sentences(self, holder: Mapping[str, Any], key: str) -> tuple[str, ...]:
        value = holder.get(key)
        if value is None:
            return ()
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, list) or any(isinstance(sentence, (Mapping, list)) for sentence in value):
            self.bad("bad-text", f"{key} is a list of sentences", holder, key, found=_kind(value))
            return ()
        return tuple(str(sentence) for sentence in value if sentence is not None)

    def section(self, content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        entries = content.get(name)
        if entries is None:
            return {}
        if not isinstance(entries, Mapping):
            self.bad("bad-section", f"{name} lists quantities", content, name, found=_kind(entries))
            return {}
        good = {}
        for key in entries:
            allowed = ELIGIBILITY_UNITS if name == "eligibility" else COLUMN_UNITS
            if not isinstance(key, str) or key not in allowed:
                hint = did_you_mean(str(key), allowed)
                self.bad("unknown-quantity", f"there is no quantity {key!r}", entries, key, hint=hint)
            elif not isinstance(entries[key], Mapping):
                example = "{low: 25, high: 75}" if name == "eligibility" else "{mean: 64, sd: 9}"
                self.bad(
                    "bad-entry", f"{key} needs statistics, such as {example}", entries, key, found=_kind(entries[key])
                )
            else:
                good[key] = entries[key]
        return good

    def number(self, row: Mapping[Any, Any], key: Any, convert: Callable[[float], float], positive: bool) -> float:
        raw = row[key]
        if isinstance(raw, bool) or not isinstance(raw, (int, float)) or not _finite(raw):
            comma = isinstance(raw, str) and raw.replace(",", "", 1).replace("-", "", 1).isdigit()
            hint = "Numbers have a decimal point here." if comma else ""
            self.bad("bad-number", f"{key} is not a number", row, key, found=_kind(raw), hint=hint)
            return math.nan
        if positive and raw <= 0:
            self.bad("out-of-range", f"{key} must be above 0", row, key, found=str(raw))
            return math.nan
        return convert(float(raw))

    def converter(self, row: Mapping[str, Any], name: str) -> Callable[[float, bool], float]:
        """Return a converter of values, or differences of values, to the library's unit."""
        unit = row.get("unit")
        if unit is None:
            if ELIGIBILITY_UNITS[name] != "1":
                self.problems.append(
                    Problem(
                        "missing-unit",
                        f"{name} needs a unit",
                        self.where(row, next(iter(row), "")),
                        expected=ELIGIBILITY_UNITS[name],
                        hint="Nothing is converted on a guess.",
                    )
                )
            return lambda value, difference: value
        try:
            to_table_unit(1.0, name, str(unit))
        except UnitError as error:
            where = self.where(row, "unit")
            self.problems += [Problem(p.kind, p.message, where, p.found, p.expected, p.hint) for p in error.problems]
            return lambda value, difference: value

        def turned(value: float, difference: bool) -> float:
            converted = to_table_unit(value, name, str(unit), difference)
            if converted != value:
                subject = f"{self.file}: {name}, a difference," if difference else f"{self.file}: {name}"
                say(subject, f"{value:g} {unit}", converted, ELIGIBILITY_UNITS[name])
            return converted

        return turned

    def possible(self, row: Mapping[Any, Any], key: Any, name: str, value: float) -> float:
        """Return a value of a quantity that people can have; say where they rarely have it."""
        low, high = (0.0, 1.0) if ELIGIBILITY_UNITS[name] == "1" else POSSIBLE.get(name, (-math.inf, math.inf))
        span = f"{low:g} to {high:g} {ELIGIBILITY_UNITS[name]}"
        if math.isnan(value):
            return value
        if not low <= value <= high:
            message = f"{name} cannot be {value:.4g} {ELIGIBILITY_UNITS[name]}"
            kind = "out-of-range" if ELIGIBILITY_UNITS[name] == "1" else "impossible"
            self.bad(kind, message, row, key, found=str(row[key]), expected=span, hint=_UNIT_HINT)
            return math.nan
        inner, outer = RANGES.get(name, (low, high))
        if not inner <= value <= outer:
            usual = f"{inner:g} to {outer:g} {ELIGIBILITY_UNITS[name]}"
            self.notes.append(f"{self.where(row, key)}: {name} of {value:.4g} is unusual; usual is {usual}")
        return value

    def limits(self, section: Mapping[str, Any], name: str) -> tuple[float, float]:
        row = section[name]
        for key in row:
            if key not in ("low", "high", *_OTHER):
                self.bad("unknown-key", f"there is no {key!r}", row, key, expected="low, high, unit, source")
        convert = self.converter(row, name)
        self.text(row, "source")
        least, most = (0.0, 1.0) if ELIGIBILITY_UNITS[name] == "1" else POSSIBLE.get(name, (0.0, math.inf))
        low = self.number(row, "low", lambda v: convert(v, False), False) if "low" in row else -math.inf
        high = self.number(row, "high", lambda v: convert(v, False), False) if "high" in row else math.inf
        if low > high:
            self.bad("out-of-range", "low is above high", row, "low", found=f"{low:g} to {high:g}")
        elif low > most or high < least or -math.inf < low < 0:
            key = "high" if high < least else "low"
            expected = f"{least:g} to {most:g} {ELIGIBILITY_UNITS[name]}"
            stated = f"{low:g} to {high:g}"
            self.bad(
                "impossible",
                f"no patient can have such {name}",
                row,
                key,
                found=stated,
                expected=expected,
                hint=_UNIT_HINT,
            )
        if "low" not in row and "high" not in row:
            self.bad("empty-entry", f"{name} has no limit", row, next(iter(row), ""), expected="low, high")
        return low, high

    def moments(self, section: Mapping[str, Any], name: str) -> list[Moment]:
        row = section[name]
        flag = ELIGIBILITY_UNITS[name] == "1"
        for key in row:
            if key not in (*STATISTICS, *_OTHER):
                hint = did_you_mean(str(key), STATISTICS)
                self.bad(
                    "unknown-key", f"there is no statistic {key!r}", row, key, expected=", ".join(STATISTICS), hint=hint
                )
            elif key in STATISTICS and (key == "proportion") != flag and not (flag and key == "mean"):
                message = (
                    f"{name} is yes or no: it has a proportion" if flag else f"{name} is a number: it has no proportion"
                )
                self.bad("unknown-key", message, row, key, found=str(key))
        convert = self.converter(row, name)
        source = self.text(row, "source")
        before = len(self.problems)

        def value(key: str) -> float:
            return self.possible(row, key, name, self.number(row, key, lambda v: convert(v, False), False))

        def moment(kind: str, number: float, **more: Any) -> Moment:
            tolerance = _SHARE_TOLERANCE if kind in ("quantile", "proportion") else _TOLERANCE
            return Moment(kind, (name,), number, tolerance=tolerance, source=source, **more)

        moments = []
        if "mean" in row:
            moments.append(moment("mean", value("mean")))
        if "sd" in row:
            if "mean" not in row:
                self.bad("missing-mean", "an sd needs its mean", row, "sd")
            else:
                sd = self.number(row, "sd", lambda v: convert(v, True), True)
                low, high = POSSIBLE.get(name, (-math.inf, math.inf))
                # Of numbers between two bounds the SD is at most half their distance (Popoviciu).
                if sd > (high - low) / 2.0:
                    expected = f"at most {(high - low) / 2.0:g} {ELIGIBILITY_UNITS[name]}"
                    self.bad(
                        "impossible", f"{name} cannot have this SD", row, "sd", found=str(row["sd"]), expected=expected
                    )
                moments.append(moment("sd", sd, centre=moments[-1].value))
        moments += self.quantiles(row, name, value, moment, convert)
        if "proportion" in row:
            moments.append(moment("proportion", value("proportion")))
        if "geometric_mean" in row:
            moments.append(moment("log_mean", math.log(max(_or_zero(value("geometric_mean")), 1e-300))))
        if "log_sd" in row:
            if "geometric_mean" not in row:
                self.bad("missing-mean", "a log_sd needs its geometric_mean", row, "log_sd")
            else:
                number = self.number(row, "log_sd", float, True)
                moments.append(moment("log_sd", number, centre=moments[-1].value))
        if not moments and len(self.problems) == before:
            self.bad(
                "empty-entry", f"{name} has no statistic", row, next(iter(row), ""), expected=", ".join(STATISTICS)
            )
        return moments

    def quantiles(
        self,
        row: Mapping[str, Any],
        name: str,
        value: Callable[[str], float],
        moment: Callable[..., Moment],
        convert: Callable[[float, bool], float],
    ) -> list[Moment]:
        """Return median and quantiles, which must rise with their levels."""
        moments = []
        steps: list[tuple[float, float, Any, Any]] = []
        if "median" in row:
            middle = value("median")
            steps.append((50.0, middle, row, "median"))
            moments.append(moment("quantile", middle, level=0.5))
        quantiles = row.get("quantiles")
        if quantiles is None:
            quantiles = {}
        if not isinstance(quantiles, Mapping):
            message = "quantiles are percents and values, such as {25: 250, 75: 1300}"
            self.bad("bad-entry", message, row, "quantiles", found=_kind(quantiles))
            quantiles = {}
        for level in quantiles:
            if isinstance(level, bool) or not isinstance(level, (int, float)) or not 0 < level < 100:
                message = "levels of quantiles lie between 0 and 100 percent"
                self.bad("bad-level", message, quantiles, level, found=_kind(level))
                continue
            number = self.number(quantiles, level, lambda v: convert(v, False), False)
            number = self.possible(quantiles, level, name, number)
            if level == 50 and "median" in row:
                self.bad("two-medians", "the median is given twice", quantiles, level)
                continue
            steps.append((float(level), number, quantiles, level))
            moments.append(moment("quantile", number, level=level / 100.0))
        steps.sort(key=lambda step: step[0])
        for (low, below, _, _), (high, above, holder, key) in itertools.pairwise(steps):
            if above < below:
                message = (
                    f"quantiles of {name} fall where they must rise: {below:g} at {low:g} %, {above:g} at {high:g} %"
                )
                self.bad(
                    "crossed-quantiles", message, holder, key, hint="Swap the two values, or correct their levels."
                )
        return moments


_UNIT_HINT = "Check the number and its unit."


def _kind(value: Any) -> str:
    """Return a short description of a value."""
    if isinstance(value, Mapping):
        return "keys and values"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]} ..."


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond all floats
        return False


def _or_zero(value: float) -> float:
    return 0.0 if math.isnan(value) else value
