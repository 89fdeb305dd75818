"""Studies: which arms the model can simulate, in which cohort, and why other records are excluded."""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...base.errors import ConfigError, Location, Problem
from ...evidence.records.study import Record
from ...evidence.synthesis.candidate_effects import unusable
from ...evidence.synthesis.reported_error import reported_error
from .study_arm import StudyArm as StudyArm
from .study_arm import arm_of_row, wrong_care
from .study_events import event_of, no_event
from .study_readouts import readout_of
from .study_tables import StudyTables, own_tables

if TYPE_CHECKING:
    from ...patients.cohorts.cohort_target import CohortTarget

_FOLDER = Path(__file__).parent
#: Cohorts that have a table of their own among the patients.
_KNOWN = ("Packham", "Skyler", "FLOW")


@functools.cache
def _packaged_arms() -> dict[tuple[str, str], StudyArm]:
    mapped: dict[tuple[str, str], StudyArm] = {}
    for path in sorted((_FOLDER / "arms").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                key = row["study"], row["arm"]
                if key in mapped:
                    problem = Problem("twice", f"the arm {key[1]!r} of {key[0]} is mapped twice", Location(path.name))
                    raise ConfigError(problem)
                if why := wrong_care(row):
                    raise ConfigError(Problem("bad-care", f"{key[0]}, {key[1]!r}: {why}", Location(path.name)))
                mapped[key] = arm_of_row(row)
    return mapped


def arms() -> Mapping[tuple[str, str], StudyArm]:
    """Return every arm that is mapped to a treatment of the model, or that cannot be, by study and arm; those of `own_tables` first.

    Raises
    ------
    ConfigError
        An arm stands in the tables twice, or its care cannot go on as it says.
    """
    return _with_own_arms(own_tables())


@functools.lru_cache(maxsize=4)
def _with_own_arms(tables: StudyTables) -> Mapping[tuple[str, str], StudyArm]:
    return {**_packaged_arms(), **tables.arms}


@functools.cache
def _refusals() -> tuple[tuple[str, re.Pattern[str], str], ...]:
    with (_FOLDER / "refusals.csv").open(encoding="utf-8", newline="") as file:
        return tuple((row["what"], re.compile(row["pattern"]), row["reason"]) for row in csv.DictReader(file))


def baseline_cohorts() -> Mapping[str, CohortTarget]:
    """Return the baseline of every cohort that an arm names; those of `own_tables` besides."""
    return {**packaged_cohorts(), **own_tables().cohorts} if own_tables().cohorts else packaged_cohorts()


@functools.cache
def packaged_cohorts() -> dict[str, CohortTarget]:
    """Return the baseline of every cohort of the package's own studies."""
    from ruamel.yaml import YAML

    from ...patients.cohorts import cohort_catalogue

    targets = {name: cohort_catalogue.load_target(name) for name in _KNOWN}
    for path in sorted((_FOLDER / "cohorts").glob("*.yaml")):
        content = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
        of_file = {
            str(name): cohort_catalogue.of_mapping(table, str(name), path.name) for name, table in content.items()
        }
        if twice := sorted(set(of_file) & set(targets)):
            raise ConfigError(
                [Problem("twice", f"there are two cohorts {name!r}", Location(path.name)) for name in twice]
            )
        targets |= of_file
    return targets


@functools.cache
def _published() -> dict[str, tuple[Record, ...]]:
    """Return the rows of the package by study."""
    from ...evidence.records.registry import load_registry

    by_study: dict[str, list[Record]] = {}
    for record in load_registry():
        by_study.setdefault(record.study, []).append(record)
    return {study: tuple(rows) for study, rows in by_study.items()}


def baseline_of(record: Record, among: Iterable[Record] = ()) -> Record | None:
    """Return the row with the study's own baseline of the same arm, quantity and statistic, in the same unit.

    Parameters
    ----------
    among
        Rows that are looked at before those of the package, such as those of a user's own table.
    """
    for other in (*among, *_published().get(record.study, ())):
        same = (other.study, other.arm, other.endpoint_text, other.kind, other.unit) == (
            record.study,
            record.arm,
            record.endpoint_text,
            record.kind,
            record.unit,
        )
        if same and other.weeks == 0.0 and other.usable and other.id != record.id:
            return other
    return None


def own_baselines(records: Iterable[Record]) -> dict[str, tuple[Record, ...]]:
    """Return, by study, baselines that a user's own tables set in place of those of the package."""
    packaged = {record.id: record for of_study in _published().values() for record in of_study}
    baselines: dict[str, tuple[Record, ...]] = {}
    for record in records:
        if record.weeks == 0.0 and record != packaged.get(record.id):
            baselines[record.study] = (*baselines.get(record.study, ()), record)
    return baselines


@functools.cache
def _at_risk() -> dict[str, int]:
    """Return the people behind actuarial numbers, by row: fewer than began, for some were lost on the way."""
    with (_FOLDER / "at_risk.csv").open(encoding="utf-8", newline="") as file:
        return {row["record"]: int(row["n"]) for row in csv.DictReader(file)}


def contrasts(record: Record) -> bool:
    """Return whether a row compares two groups: allocated, or by exposure."""
    return record.contrast in ("between", "association")


def as_counted(record: Record) -> Record:
    """Return a count of people with an event as a share of those at risk, and number of people and follow-up where known elsewhere.

    Actuarial shares have as many people as would leave them as uncertain as they are.
    """
    arm = arms().get((record.study, record.arm))
    event = event_of(record)
    if record.weeks is None and event is not None:
        record = replace(record, weeks=event.follow_up)
    n = _at_risk().get(record.id, record.n)
    n = n if n is not None else _people(record, arm)
    if record.kind == "count" and n and record.value is not None and event is not None:
        return replace(record, kind="proportion", value=record.value / n, n=n, dispersion=None)
    return record if n == record.n else replace(record, n=n)


def _people(record: Record, arm: StudyArm | None) -> int | None:
    """Return the people in an arm as another row of the study has it: the same arm, or half of a comparison of two."""
    if arm is not None and arm.n is not None:
        return arm.n
    same_study = [other for other in _published().get(record.study, ()) if other.tag == "seen"]
    for other in same_study:
        if other.n is not None and other.arm == record.arm:
            return other.n
    for other in same_study:
        sides = [side.strip() for side in other.arm.split(" vs ")]
        if other.n is not None and len(sides) == 2 and record.arm in sides and record.contrast != "between":
            return other.n // 2
    return None


def reason(record: Record, among: Iterable[Record] = ()) -> str:
    """Return why a row cannot be confronted, or an empty string; `among` as in `baseline_of`."""
    if record.tag != "seen":
        return "recalled, not read in the source"
    arm = arms().get((record.study, record.arm))
    for check in (_not_usable, _outside, _no_readout, _not_mapped):
        why = check(record, arm)
        if why:
            return why
    return _not_known(record, arm, among)


def _not_usable(record: Record, arm: StudyArm | None) -> str:
    """Say what keeps the row from any comparison.

    Groups by exposure are compared where both are simulated as cohorts, two drugs where both are simulated.
    """
    cohort, care, _ = arm.control if arm is not None else ("", (), ())
    if cohort and record.contrast == "association":
        record = replace(record, contrast="between")
    return unusable(replace(record, arm=record.arm.partition(" vs ")[0]) if care else record)


def _outside(record: Record, arm: StudyArm | None) -> str:
    """Say what the model or the library does not have at all; a mapped arm has people, and what it is given."""
    for subject, pattern, why in _refusals():
        if subject == "population" and (arm is not None or record.weeks == 0.0):
            continue
        if subject == "product" and arm is not None and arm.cohort:
            continue
        text = {"endpoint": record.endpoint_text}.get(subject) or str(getattr(record, subject))
        if subject == "endpoint" and readout_of(record) is not None:
            continue
        if pattern.search(text):
            return why
    return ""


def _no_readout(record: Record, arm: StudyArm | None) -> str:
    readout = readout_of(record)
    if readout is None:
        return no_event(record) or f"the model has no read-out for {record.endpoint} as {record.kind}"
    if arm is not None and record.endpoint in arm.imposes:
        return f"{record.endpoint} is imposed on this arm: it is the treatment, not a result"
    return ""


def _not_mapped(record: Record, arm: StudyArm | None) -> str:
    if arm is None:
        return "the arm is not mapped to a treatment and population of the model"
    return "" if arm.cohort else f"the arm cannot be mapped: {arm.note}"


def _not_known(record: Record, arm: StudyArm | None, among: Iterable[Record]) -> str:
    readout = readout_of(record)
    if readout is None or arm is None:
        return ""
    if readout.risk and not arm.cells:
        return "the model has no adverse events without cells"
    if readout.relative and readout.form in ("level", "average") and baseline_of(record, among) is None:
        return "the model has the course of this quantity, not its level, and the study's own baseline was not read"
    if record.weeks is None:
        return "the time of the measurement was not read"
    if readout.scale == "log" and (record.value or 0.0) <= (-100.0 if record.kind == "percent" else 0.0):
        return "nought has no logarithm"
    if record.n is None and (readout.scale == "share" or reported_error(record, readout.scale == "log").size is None):
        return "neither a standard error nor a number of people was read"
    return ""


def sort(records: Iterable[Record]) -> tuple[list[Record], list[tuple[Record, str]]]:
    """Return the rows that can be simulated, counts as shares, and the others with their reason.

    A number that several reports of the same patients print is compared once: where it stands first, or first with its error.
    """
    can: list[Record] = []
    cannot: list[tuple[Record, str]] = []
    first: dict[tuple[object, ...], list[Record]] = {}
    selected = list(records)
    own_starts = own_baselines(selected)
    for record in map(as_counted, selected):
        why = reason(record, own_starts.get(record.study, ()))
        if not why:
            same_number = first.setdefault(_number(record), [])
            # Groups of one study may have the same number by chance.
            same = next((x for x in same_number if x.study != record.study or x.arm == record.arm), None)
            same_number.append(record)
            if same is not None and _has_error(record) and not _has_error(same):
                can.remove(same)
                same_number.remove(same)
                cannot.append((same, f"the same number as {record.id}, which has its error"))
            elif same is not None:
                why = f"the same number as {same.id}"
        if why:
            cannot.append((record, why))
        else:
            can.append(record)
    return can, cannot


def _has_error(record: Record) -> bool:
    readout = readout_of(record)
    return readout is not None and reported_error(record, readout.scale == "log").size is not None


def _number(record: Record) -> tuple[object, ...]:
    """Return what makes two rows of a family one number."""
    value = f"{record.value:.4g}"
    return record.family, record.endpoint, record.kind, record.contrast, record.weeks, value, record.unit
