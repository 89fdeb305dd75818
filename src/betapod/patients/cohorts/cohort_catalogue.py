"""Cohort targets by name, file or folder: built-in cohorts, baseline tables, individual data (CSV), NHANES files."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...base import plugins
from ...base.errors import ConfigError, Location, Problem, did_you_mean
from ..population import PROFILES
from . import joint_distribution, nhanes
from .baseline_tables import of_mapping as of_mapping
from .baseline_tables import read_baseline_tables as read_baseline_tables
from .cohort_target import UNITS, CohortTarget

if TYPE_CHECKING:
    import pandas as pd

#: Endings of tables with one row per person.
PEOPLE = (".csv", ".tsv", ".txt")
#: Cohorts from the survey, and the part of it that each is.
_NHANES = {
    "NHANES": "calibration",
    "NHANES test": "test",
    "NHANES 2020": "present",
    "NHANES general": "general",
    "NHANES prediabetes": "prediabetes",
}
#: Years about a calendar year whose snapshots stand for it, and the years that there are.
_YEARS_BEFORE, _YEARS_AFTER = 3.0, 5.0
_FIRST, _LAST = 1999, 2024
#: People below which a CSV is no distribution.
_FEWEST = 20


def cohort_names() -> tuple[str, ...]:
    """Return the cohorts that can be named: those of the package, and those of installed packages."""
    return (*_own(), *plugins.plugin_files("cohorts", _own(), _of_file))


def named_targets() -> dict[str, CohortTarget]:
    """Return every cohort that can be named, by its name."""
    installed = plugins.plugin_files("cohorts", _own(), _of_file)
    return {name: _own_target(name) for name in _own()} | {name: _of_file(path) for name, path in installed.items()}


@functools.cache
def _own() -> tuple[str, ...]:
    return (*_NHANES, *(_title(path) for path in sorted(PROFILES.glob("*.yaml"))))


def _title(path: Path) -> str:
    return path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("name:").strip()


def load_target(
    cohort: str | Path, sex_codes: Mapping[str, str] | None = None, year: int | None = None
) -> CohortTarget:
    """Return a target: a known cohort such as ``FLOW`` or ``NHANES``, a table in a YAML file, real people in a CSV, or a folder
    with NHANES's transport files.

    Parameters
    ----------
    sex_codes
        Of real people in a CSV, as `patient_tables.read_csv` takes them.
    year
        Calendar year whose people, and whose care, are wanted: those of three years before to four years after. ``NHANES`` of 2017
        and later is ``NHANES 2020``.

    Raises
    ------
    ConfigError
        No such cohort or file, everything that is wrong in it, with line and column, or a year beyond those of the library.
    """
    name = str(cohort)
    if year is not None and not _FIRST <= year <= _LAST:
        expected = f"a year from {_FIRST} to {_LAST}"
        raise ConfigError(Problem("bad-year", "there are no patients of that year", found=str(year), expected=expected))
    if year is not None and year >= nhanes.PRESENT[0] and name.lower() == "nhanes":
        name, cohort = "NHANES 2020", "NHANES 2020"
    target = _load(name, Path(cohort), sex_codes)
    if year is not None:
        target = replace(target, ranges={**target.ranges, "year": (year - _YEARS_BEFORE, year + _YEARS_AFTER)})
    if name.lower() in {title.lower() for title in cohort_names()} and Path(cohort).exists():
        here = f"{name} is the package's own cohort; for what is here under this name give ./{name}"
        return replace(target, notes=(*target.notes, here))
    return target


def _load(name: str, path: Path, sex_codes: Mapping[str, str] | None) -> CohortTarget:
    if sex_codes is not None and path.suffix.lower() not in PEOPLE:
        message = "codes of sex are for a table of people"
        raise ConfigError(Problem("bad-codes", message, Location(name), expected=f"a file {', '.join(PEOPLE)}"))
    installed = plugins.plugin_file("cohorts", name, _own())
    if name.lower() in {title.lower() for title in _own()}:
        return _own_target(name)
    return _of_file(path if installed is None else installed, sex_codes)


def _own_target(name: str) -> CohortTarget:
    for title, part in _NHANES.items():
        if name.lower() == title.lower():
            return nhanes.nhanes_target(part)
    return read_baseline_tables(PROFILES / f"{name.lower()}.yaml")


def _of_file(path: Path, sex_codes: Mapping[str, str] | None = None) -> CohortTarget:
    name = str(path)
    if path.suffix.lower() in (".yaml", ".yml"):
        return read_baseline_tables(path)
    if path.suffix.lower() in PEOPLE:
        from .patient_tables import read_csv

        people = read_csv(path, sex_codes)
        return replace(of_people(people.table, path.stem, str(path), str(path)), notes=people.notes)
    if path.is_dir():
        from .nhanes_files import read_people

        people = read_people(path)
        target = of_people(people.table, f"NHANES in {path.resolve().name}", nhanes.CITATION, str(path))
        return replace(target, notes=people.notes)
    if path.suffix.lower() == ".xpt":
        hint = "Give the folder with the files of a cycle: DEMO, DIQ, GHB and others."
        raise ConfigError(Problem("one-file", "a single transport file is not a cohort", Location(name), hint=hint))
    problem = Problem(
        "unknown-cohort",
        f"there is no cohort {name!r}",
        expected=f"{', '.join(cohort_names())}, a file .yaml or .csv, or a folder of NHANES files",
        hint=did_you_mean(name, cohort_names()),
    )
    raise ConfigError(problem)


def of_people(people: pd.DataFrame, name_of: str, origin: str = "", file: str = "") -> CohortTarget:
    """Return the joint distribution of real people, in the library's names and units, as a target.

    Raises
    ------
    ConfigError
        Fewer than 20 people, whose distribution nobody knows; the same value in everybody; nothing that can be matched.
    """
    where = Location(file)
    if len(people) < _FEWEST:
        count_text, expected = f"{len(people)} people", f"{_FEWEST} or more"
        hint = "Write what is known of them as a table .yaml with means and SDs."
        problem = Problem("few-people", "too few people for a distribution", where, count_text, expected, hint)
        raise ConfigError(problem)
    matched = (*joint_distribution.QUANTITIES, *joint_distribution.SHARES)
    other = ("survey_weight", "survey_weight_fasting", "SEQN", "cycle")
    unmatched = [f"{c}: not among the quantities that are matched" for c in people if c not in (*matched, *other)]
    problems, kept = [], people
    for name in (name for name in matched if name in people):
        values = people[name].dropna()
        if len(values) < _FEWEST:
            unmatched.append(f"{name}: known of {len(values)} people only")
            kept = kept.drop(columns=name)
        elif name in joint_distribution.QUANTITIES and values.nunique() == 1:
            value = f"{values.iloc[0]:g} {UNITS[name]}"
            message = f"{name} is {value} in everybody: that is no distribution"
            hint = f"Leave the column out; a table .yaml can ask for it with 'eligibility: {{{name}: {{low: ..., high: ...}}}}'."
            problems.append(Problem("constant-column", message, where, hint=hint))
    if "duration" in kept and "diagnosed" not in people:
        # A duration implies a diagnosis; people without one would else count as 0 years.
        kept = kept.assign(diagnosed=kept["duration"].notna().astype(float).where(kept["duration"].notna()))
    if not problems and not set(kept) & set(matched):
        expected = ", ".join(matched)
        problems.append(Problem("nothing-to-match", "no column can be matched", where, expected=expected))
    if problems:
        raise ConfigError(problems)
    return joint_distribution.target_of(
        joint_distribution.derive(kept), name_of, f"{len(people)} real people", origin, tuple(unmatched)
    )
