"""Baseline tables of trials as targets: means, SDs, medians, quantiles, proportions and eligibility, with their units.

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

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, Location, Problem, UnitError, did_you_mean
from . import joint, nhanes
from .conversions import to_table_unit
from .population import PROFILES
from .target import UNITS, Moment, Target

if TYPE_CHECKING:
    import pandas as pd

#: Statistics that a table may state of a quantity.
STATISTICS = ("mean", "sd", "median", "quantiles", "proportion", "geometric_mean", "log_sd")
#: Endings of tables with one row per person.
PEOPLE = (".csv", ".tsv", ".txt")
_OTHER = ("unit", "source")
_TOP = ("name", "label", "origin", "eligibility", "baseline", "unmatched")
#: Of a mean in SDs of its column; of a share.
#: People below which a CSV is no distribution.
_FEWEST = 20
_TOLERANCE, _SHARE_TOLERANCE = 0.001, 0.001


def names() -> tuple[str, ...]:
    """Return the cohorts that the package knows."""
    return ("NHANES", "NHANES test", *(_title(path) for path in sorted(PROFILES.glob("*.yaml"))))


def _title(path: Path) -> str:
    return path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("name:").strip()


def load(what: str | Path, sex_codes: Mapping[str, str] | None = None) -> Target:
    """Return a target: a known cohort such as ``FLOW`` or ``NHANES``, a table in a YAML file, real people in a CSV, or a folder
    with NHANES's transport files.

    Parameters
    ----------
    sex_codes
        Of real people in a CSV, as `reader.read_csv` takes them.

    Raises
    ------
    ConfigError
        No such cohort or file, or everything that is wrong in it, with line and column.
    """
    name = str(what)
    known = {title.lower(): title for title in names()}
    if name.lower() == "nhanes":
        return nhanes.target("calibration")
    if name.lower() == "nhanes test":
        return nhanes.target("test")
    if name.lower() in known:
        return read(PROFILES / f"{name.lower()}.yaml")
    path = Path(what)
    if path.suffix.lower() in (".yaml", ".yml"):
        return read(path)
    if path.suffix.lower() in PEOPLE:
        from .reader import read_csv

        people = read_csv(path, sex_codes)
        return replace(of_people(people.table, path.stem, str(path), str(path)), notes=people.notes)
    if path.is_dir():
        from .nhanes_files import read_folder

        return of_people(read_folder(path), f"NHANES in {path.name}", nhanes.CITATION)
    problem = Problem(
        "unknown-cohort",
        f"there is no cohort {name!r}",
        expected=f"{', '.join(names())}, a file .yaml or .csv, or a folder of NHANES files",
        hint=did_you_mean(name, names()),
    )
    raise ConfigError(problem)


def of_people(people: pd.DataFrame, name_of: str, origin: str = "", file: str = "") -> Target:
    """Return the joint distribution of real people, in the library's names and units, as a target.

    Raises
    ------
    ConfigError
        Fewer than 20 people, whose distribution nobody knows; the same value in everybody; nothing that can be matched.
    """
    where = Location(file)
    if len(people) < _FEWEST:
        found, expected = f"{len(people)} people", f"{_FEWEST} or more"
        hint = "Write what is known of them as a table .yaml with means and SDs."
        problem = Problem("few-people", "too few people to speak of a distribution", where, found, expected, hint)
        raise ConfigError(problem)
    own = (*joint.QUANTITIES, *joint.SHARES)
    other = ("survey_weight", "survey_weight_fasting", "SEQN", "cycle")
    unmatched = [f"{c}: not among the quantities that are matched" for c in people if c not in (*own, *other)]
    problems, kept = [], people
    for name in (name for name in own if name in people):
        known = people[name].dropna()
        if len(known) < _FEWEST:
            unmatched.append(f"{name}: known of {len(known)} people only")
            kept = kept.drop(columns=name)
        elif name in joint.QUANTITIES and known.nunique() == 1:
            value = f"{known.iloc[0]:g} {UNITS[name]}"
            message = f"{name} is {value} in everybody: that is no distribution"
            hint = f"Leave the column out; a table .yaml can ask for it with 'eligibility: {{{name}: {{low: ..., high: ...}}}}'."
            problems.append(Problem("constant-column", message, where, hint=hint))
    if not problems and not set(kept) & set(own):
        expected = ", ".join(own)
        problems.append(Problem("nothing-to-match", "no column says what people to choose", where, expected=expected))
    if problems:
        raise ConfigError(problems)
    return joint.target_of(joint.derive(kept), name_of, f"{len(people)} real people", origin, tuple(unmatched))


def read(path: str | Path) -> Target:
    """Read a baseline table.

    Raises
    ------
    ConfigError
        With every problem of the file.
    """
    from ..config import marked_yaml, yaml_text

    file = str(path)
    content = marked_yaml(yaml_text(path, "no-file"), file)
    if not isinstance(content, Mapping):
        raise ConfigError(Problem("bad-table", "a baseline table has the keys name and baseline", Location(file, 1)))
    return _Reader(file).target(content, Path(path).stem)


def of_mapping(content: Mapping[str, Any], name: str, file: str) -> Target:
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

    def where(self, holder: Any, key: object) -> Location:
        position = getattr(holder, "lc", None)
        if position is None or not position.data or key not in position.data:
            return Location(self.file)
        line, column = position.key(key)
        return Location(self.file, line + 1, column + 1)

    def bad(self, kind: str, message: str, holder: Any, key: object, **more: str) -> None:
        self.problems.append(Problem(kind, message, self.where(holder, key), **more))

    def target(self, content: Mapping[str, Any], stem: str) -> Target:
        for key in content:
            if key not in _TOP:
                self.bad("unknown-key", f"there is no {key!r}", content, key, hint=did_you_mean(str(key), _TOP))
        baseline, ranges = self.section(content, "baseline"), self.section(content, "eligibility")
        moments = [moment for name in baseline for moment in self.moments(baseline, name)]
        limits = {name: self.limits(ranges, name) for name in ranges}
        if not baseline and not ranges and not self.problems:
            self.problems.append(Problem("empty-table", "the table says nothing of patients", Location(self.file)))
        if self.problems:
            raise ConfigError(self.problems)
        return Target(
            name=str(content.get("name", stem)),
            label=str(content.get("label", "")),
            moments=tuple(moments),
            ranges=limits,
            unmatched=tuple(str(text) for text in content.get("unmatched", ())),
            origin=str(content.get("origin", "")),
        )

    def section(self, content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        found = content.get(name) or {}
        if not isinstance(found, Mapping):
            self.bad("bad-section", f"{name} lists quantities", content, name)
            return {}
        good = {}
        for key in found:
            if key not in UNITS:
                self.bad("unknown-quantity", f"there is no quantity {key!r}", found, key, hint=did_you_mean(key, UNITS))
            elif not isinstance(found[key], Mapping):
                self.bad("bad-entry", f"{key} needs statistics, such as {{mean: 64, sd: 9}}", found, key)
            else:
                good[key] = found[key]
        return good

    def number(self, row: Mapping[str, Any], key: object, convert: Callable[[float], float], positive: bool) -> float:
        raw = row[key]  # type: ignore[index]
        if isinstance(raw, bool) or not isinstance(raw, (int, float)) or not math.isfinite(raw):
            self.bad("bad-number", f"{key} is not a number", row, key, found=repr(raw))
            return math.nan
        if positive and raw <= 0:
            self.bad("out-of-range", f"{key} must be above 0", row, key, found=str(raw))
            return math.nan
        return convert(float(raw))

    def converter(self, row: Mapping[str, Any], name: str) -> Callable[[float, bool], float]:
        """Return what turns a value, or a difference of values, into the library's unit."""
        unit = row.get("unit")
        if unit is None:
            if UNITS[name] != "1":
                self.problems.append(
                    Problem(
                        "missing-unit",
                        f"{name} needs a unit",
                        self.where(row, next(iter(row), "")),
                        expected=UNITS[name],
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
        return lambda value, difference: to_table_unit(value, name, str(unit), difference)

    def limits(self, section: Mapping[str, Any], name: str) -> tuple[float, float]:
        row = section[name]
        for key in row:
            if key not in ("low", "high", *_OTHER):
                self.bad("unknown-key", f"there is no {key!r}", row, key, expected="low, high, unit, source")
        convert = self.converter(row, name)
        low = self.number(row, "low", lambda v: convert(v, False), False) if "low" in row else -math.inf
        high = self.number(row, "high", lambda v: convert(v, False), False) if "high" in row else math.inf
        if low > high:
            self.bad("out-of-range", "low is above high", row, "low", found=f"{low:g} to {high:g}")
        return low, high

    def moments(self, section: Mapping[str, Any], name: str) -> list[Moment]:
        row = section[name]
        for key in row:
            if key not in (*STATISTICS, *_OTHER):
                hint = did_you_mean(str(key), STATISTICS)
                self.bad(
                    "unknown-key", f"there is no statistic {key!r}", row, key, expected=", ".join(STATISTICS), hint=hint
                )
        convert = self.converter(row, name)
        source = str(row.get("source", ""))

        def value(key: str, positive: bool = False, difference: bool = False) -> float:
            return self.number(row, key, lambda v: convert(v, difference), positive)

        def moment(kind: str, number: float, **more: Any) -> Moment:
            tolerance = _SHARE_TOLERANCE if kind in ("quantile", "proportion") else _TOLERANCE
            return Moment(kind, (name,), number, tolerance=tolerance, source=source, **more)

        found = []
        if "mean" in row:
            found.append(moment("mean", value("mean")))
        if "sd" in row:
            if "mean" not in row:
                self.bad("missing-mean", "an sd needs its mean", row, "sd")
            else:
                found.append(moment("sd", value("sd", True, True), centre=found[-1].value))
        if "median" in row:
            found.append(moment("quantile", value("median"), level=0.5))
        quantiles = row.get("quantiles") or {}
        for level in quantiles:
            if isinstance(level, bool) or not isinstance(level, (int, float)) or not 0 < level < 100:
                self.bad("bad-level", "levels of quantiles lie between 0 and 100 percent", quantiles, level)
                continue
            number = self.number(quantiles, level, lambda v: convert(v, False), False)
            found.append(moment("quantile", number, level=level / 100.0))
        if "proportion" in row:
            share = value("proportion")
            if not 0 <= share <= 1:
                self.bad("out-of-range", "a proportion lies between 0 and 1", row, "proportion", found=str(share))
            found.append(moment("proportion", share))
        if "geometric_mean" in row:
            found.append(moment("log_mean", math.log(max(value("geometric_mean", True), 1e-300))))
        if "log_sd" in row:
            if "geometric_mean" not in row:
                self.bad("missing-mean", "a log_sd needs its geometric_mean", row, "log_sd")
            else:
                number = self.number(row, "log_sd", float, True)
                found.append(moment("log_sd", number, centre=found[-1].value))
        if not found and not self.problems:
            self.bad("empty-entry", f"{name} has no statistic", section, name, expected=", ".join(STATISTICS))
        return found
