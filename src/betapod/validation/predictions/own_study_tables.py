"""Read a user's own tables of arms, cohorts and events, so that studies of her own are simulated as those of the package are."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...base.errors import BetapodError, ConfigError, Location, Problem, did_you_mean
from ...evidence.records import vocabulary
from ...evidence.records.study import Record
from .event_terms import clauses_of
from .studies import arms as mapped_arms
from .studies import packaged_cohorts
from .study_arm import StudyArm, arm_of_row, parts_of, wrong_care
from .study_events import CountedEvent, events_of_rows
from .study_tables import StudyTables
from .table_rows import YAML, TableRow, read_table_rows

if TYPE_CHECKING:
    from ...patients.cohorts.cohort_target import CohortTarget

#: Columns of a table of arms, and those that it must have.
ARM_COLUMNS = (
    "study",
    "arm",
    "cohort",
    "cells",
    "care",
    "inputs",
    "control_cohort",
    "control_care",
    "control_inputs",
    "n",
    "imposes",
    "care_rule",
    "year",
    "note",
)
ARM_REQUIRED = ("study", "arm", "cohort")
#: Columns of a table of events, and those that it must have.
EVENT_COLUMNS = (
    "study",
    "endpoint",
    "wording",
    "event",
    "at risk",
    "every",
    "confirmed",
    "weeks",
    "note",
    "samples",
    "from",
    "free of",
    "while",
    "year",
)
EVENT_REQUIRED = ("study", "endpoint", "event")
#: Words for yes and no in the column ``confirmed``.
_YES, _NO = ("1", "yes", "true"), ("", "0", "no", "false")
#: Sections that a file with the baseline of one cohort has; a file of many has their names.
_ONE_COHORT = ("baseline", "eligibility")


def read_study_tables(
    arms: Iterable[str | Path] = (), cohorts: Iterable[str | Path] = (), events: Iterable[str | Path] = ()
) -> StudyTables:
    """Return tables of a user's own, checked.

    Parameters
    ----------
    arms
        CSV or YAML with the columns `ARM_COLUMNS`: what each group of a study gets. An arm that the package maps is mapped anew.
    cohorts
        YAML with the baseline of one cohort, or of many by name; a CSV with one row per person. Their names are new ones.
    events
        CSV or YAML with the columns `EVENT_COLUMNS`, see `study_events`; they count before those of the package.

    Raises
    ------
    ConfigError
        Everything that is wrong with all tables, each with its place.

    Examples
    --------
    >>> from betapod.validation.predictions.own_study_tables import read_study_tables
    >>> read_study_tables().empty
    True
    """
    problems: list[Problem] = []
    digest = hashlib.sha256()
    paths = [[Path(path) for path in some] for some in (arms, cohorts, events)]
    people: dict[str, CohortTarget] = {}
    for path in paths[1]:
        _take_cohorts(path, people, digest.update, problems)
    groups: dict[tuple[str, str], StudyArm] = {}
    for path in paths[0]:
        _take_arms(path, groups, people, digest.update, problems)
    counted: dict[tuple[str, str], list[tuple[str, CountedEvent]]] = {}
    for path in paths[2]:
        _take_events(path, counted, digest.update, problems)
    if problems:
        raise ConfigError(problems)
    return StudyTables(groups, people, counted, digest.hexdigest() if any(paths) else "")


def _note_content(path: Path, update: Callable[[bytes], None]) -> None:
    """Let a digest know of a file; folders of NHANES by their names and sizes."""
    files = [path] if path.is_file() else sorted(path.rglob("*")) if path.is_dir() else []
    for file in files:
        update(file.name.encode())
        update(file.read_bytes() if file.is_file() else b"")


def _take_cohorts(
    path: Path, people: dict[str, CohortTarget], update: Callable[[bytes], None], problems: list[Problem]
) -> None:
    from ...patients.cohorts import cohort_catalogue

    _note_content(path, update)
    try:
        named = _of_yaml(path) if path.suffix.lower() in YAML else {path.stem: cohort_catalogue.load_target(f"{path}")}
    except BetapodError as error:
        problems += error.problems
        return
    named_before = {*packaged_cohorts(), *cohort_catalogue.cohort_names(), *people}
    for name, target in named.items():
        if name in named_before:
            message = f"there is a cohort {name!r} already"
            hint = "Give yours another name, and name it in the table of arms."
            problems.append(Problem("twice", message, Location(str(path)), hint=hint))
        people[name] = target


def _of_yaml(path: Path) -> dict[str, CohortTarget]:
    from ...base.config import marked_yaml, yaml_text
    from ...patients.cohorts import cohort_catalogue

    content = marked_yaml(yaml_text(path, "no-file"), str(path))
    if not isinstance(content, Mapping) or not content:
        expected = "baselines by name of the cohort, or one with baseline or eligibility"
        raise ConfigError(
            Problem("bad-table", "this is no table of cohorts", Location(str(path), 1), expected=expected)
        )
    if any(key in content for key in _ONE_COHORT):
        target = cohort_catalogue.of_mapping(content, path.stem, str(path))
        return {target.name: target}
    problems: list[Problem] = []
    targets: dict[str, CohortTarget] = {}
    places: Any = content.lc  # type: ignore[attr-defined]
    for name, table in content.items():
        try:
            if not isinstance(table, Mapping):
                message = f"the cohort {str(name)!r} has neither baseline nor eligibility"
                raise ConfigError(Problem("bad-table", message, Location(str(path), places.key(name)[0] + 1)))
            targets[str(name)] = cohort_catalogue.of_mapping(table, str(name), str(path))
        except BetapodError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return targets


def _take_arms(
    path: Path,
    groups: dict[tuple[str, str], StudyArm],
    people: dict[str, CohortTarget],
    update: Callable[[bytes], None],
    problems: list[Problem],
) -> None:
    _note_content(path, update)
    for row in read_table_rows(path, ARM_COLUMNS, ARM_REQUIRED, problems):
        wrong = _wrong_arm(row, path, people, update)
        if (key := (row["study"], row["arm"])) in groups:
            wrong.append(row.problem("twice", "arm", f"this arm of {row['study']} is mapped twice"))
        problems += wrong
        if not wrong:
            groups[key] = arm_of_row(row.cells)


def _wrong_arm(
    row: TableRow, path: Path, people: dict[str, CohortTarget], update: Callable[[bytes], None]
) -> list[Problem]:
    """Return what is wrong with the row of an arm."""
    wrong = [row.problem("missing-value", name, "the cell is empty") for name in ("study", "arm") if not row[name]]
    if not row["cohort"] and not row["note"]:
        message = "without a cohort the arm cannot be simulated"
        wrong.append(row.problem("missing-value", "cohort", message, "a cohort, or the reason in the column note"))
    for column in ("cohort", "control_cohort"):
        if row[column]:
            wrong += _wrong_cohort(row, column, path, people, update)
    if row["cells"]:
        wrong += _tried(row, "cells", row["cells"], _read_cells)
    for column in ("care", "control_care"):
        for text in parts_of(row[column]):
            wrong += _tried(row, column, text, _read_therapy)
    for column in ("inputs", "control_inputs"):
        for text in parts_of(row[column]):
            wrong += _wrong_input(row, column, text)
    if row["n"] and not (row["n"].isdigit() and int(row["n"]) > 0):
        wrong.append(row.problem("bad-number", "n", "this is no number of people"))
    endpoint_names = {endpoint.name for endpoint in vocabulary.endpoints().values()}
    for name in parts_of(row["imposes"]):
        if name not in endpoint_names:
            hint = did_you_mean(name, endpoint_names)
            wrong.append(row.problem("unknown-endpoint", "imposes", f"there is no endpoint {name!r}", hint=hint))
    year = _number(row["year"])
    if year is not None and not 1900 <= year <= 2100:
        wrong.append(row.problem("bad-number", "year", "this is no calendar year"))
    if why := wrong_care({**row.cells, "care_rule": row["care_rule"] or "frozen"}):
        wrong.append(row.problem("bad-care", "care_rule", why))
    return wrong


def _number(text: str) -> float | None:
    """Return the number of a cell, NaN for what is none, None for nothing."""
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        return math.nan


def _wrong_cohort(
    row: TableRow, column: str, path: Path, people: dict[str, CohortTarget], update: Callable[[bytes], None]
) -> list[Problem]:
    """Return what is wrong with the cohort of an arm; a file beside the table, or one of `betapod patients list`, becomes an own one."""
    from ...patients.cohorts import cohort_catalogue

    name = row[column]
    if name in people or name in packaged_cohorts():
        return []
    beside = path.parent / name
    named = [title for title in cohort_catalogue.cohort_names() if title.lower() == name.lower()]
    if not named and not (Path(name).suffix and beside.exists()):
        names = [*people, *packaged_cohorts(), *cohort_catalogue.cohort_names()]
        hint = (
            did_you_mean(name, names)
            or "Give its baseline (argument cohorts, option --cohorts), or name the file here."
        )
        message = f"there is no cohort {name!r}"
        expected = "a cohort of your own table, or of 'betapod patients list'"
        return [row.problem("unknown-cohort", column, message, expected, hint)]
    try:
        people[name] = cohort_catalogue.load_target(name if named else beside)
    except BetapodError as error:
        return list(error.problems)
    _note_content(beside, update)
    return []


def _tried(row: TableRow, column: str, text: str, read: Callable[[str], object]) -> list[Problem]:
    """Return what keeps a text from being read, at its cell."""
    try:
        read(text)
    except BetapodError as error:
        return [
            Problem(p.kind, f"{column}: {p.message}", row.where(column), p.found, p.expected, p.hint)
            for p in error.problems
        ]
    return []


def _read_cells(text: str) -> object:
    from ...therapies.cell_order import read_order

    return read_order(text)


def _read_therapy(text: str) -> object:
    from .arm_orders import timed

    return timed(text)


def _wrong_input(row: TableRow, column: str, text: str) -> list[Problem]:
    from ...physiology import whole_body

    name, _, value = (part.strip() for part in text.partition("="))
    number = _number(value)
    model = whole_body.named_model("reference")
    inputs = {*model.inputs, *model.parameters}
    if number is None or not math.isfinite(number):
        return [row.problem("bad-input", column, f"cannot read {text!r}", "name=number, such as hold_glucose=1")]
    if name not in inputs:
        hint = did_you_mean(name, sorted(inputs))
        return [row.problem("unknown-input", column, f"the model has no input {name!r}", hint=hint)]
    return []


def _take_events(
    path: Path,
    counted: dict[tuple[str, str], list[tuple[str, CountedEvent]]],
    update: Callable[[bytes], None],
    problems: list[Problem],
) -> None:
    _note_content(path, update)
    sound = []
    for row in read_table_rows(path, EVENT_COLUMNS, EVENT_REQUIRED, problems):
        wrong = _wrong_event(row)
        problems += wrong
        if not wrong:
            confirmed = "1" if row["confirmed"].lower() in _YES else "0"
            sound.append((row.where("event"), {**row.cells, "confirmed": confirmed}))
    try:
        for key, events in events_of_rows(sound).items():
            counted.setdefault(key, []).extend(events)
    except ConfigError as error:
        problems += error.problems


def _wrong_event(row: TableRow) -> list[Problem]:
    """Return what is wrong with the row of an event; names of outcomes are judged by `events_of_rows`."""
    wrong = [row.problem("missing-value", name, "the cell is empty") for name in ("study", "endpoint") if not row[name]]
    if not row["event"] and not row["note"]:
        message = "nothing is counted"
        wrong.append(row.problem("missing-value", "event", message, "an event, or the reason in the column note"))
    terms = {"event": CountedEvent(row["event"]).measured, "at risk": row["at risk"], "while": row["while"]}
    for column, text in terms.items():
        wrong += _tried(row, column, text, clauses_of) if text else []
    if row["confirmed"].lower() not in (*_YES, *_NO):
        wrong.append(row.problem("bad-value", "confirmed", "is the event confirmed by the next visit?", "1 or 0"))
    for column, least in (("every", 0.0), ("weeks", 0.0), ("samples", 0.0), ("from", -1.0), ("year", -1.0)):
        number = _number(row[column])
        if number is not None and not (number > least and math.isfinite(number)):
            wrong.append(row.problem("bad-number", column, "this is no such number", "a number above 0"))
        elif number is not None and column == "samples" and number != int(number):
            wrong.append(row.problem("bad-number", column, "this is no whole number"))
    return wrong


def unmapped(records: Iterable[Record], files: Iterable[str | Path], tables: StudyTables) -> list[str]:
    """Say which arms of rows in a user's own tables of evidence no table maps, so that they cannot be simulated."""
    own_files = {str(Path(file)) for file in files}
    mapped = {*mapped_arms(), *tables.arms}
    by_study: dict[str, dict[str, None]] = {}
    for record in records:
        if record.location.file in own_files and (record.study, record.arm) not in mapped:
            by_study.setdefault(record.study, {})[record.arm] = None
    return [
        f"no table says who takes part in {study} and what they get in {', '.join(map(repr, names))}: a table of arms does "
        "(argument arms, option --arms), and 'betapod evidence new' writes an example"
        for study, names in by_study.items()
    ]


def told_of_tables(tables: StudyTables, records: Iterable[Record]) -> list[str]:
    """Say which arms of the package are mapped anew, and which arms and events no row of the evidence has.

    Parameters
    ----------
    records
        All rows, those of a user's own among them.
    """
    lines = []
    packaged = mapped_arms()
    again = [f"{arm!r} of {study}" for study, arm in tables.arms if (study, arm) in packaged]
    if again:
        lines.append(f"your table of arms maps anew: {', '.join(again)}")
    by_study: dict[str, list[Record]] = {}
    for record in records:
        by_study.setdefault(record.study, []).append(record)
    for study, arm in tables.arms:
        arm_names = list(dict.fromkeys(record.arm for record in by_study.get(study, ())))
        if not arm_names:
            lines.append(
                f"no row of evidence is of the study {study}, whose arm {arm!r} your table maps: its rows come with a table of "
                "evidence (argument overlays, option --overlay)"
            )
        elif arm not in arm_names:
            lines.append(
                f"no row of evidence has the arm {arm!r} of {study}; its arms are {', '.join(map(repr, arm_names))}"
            )
    for study, endpoint in tables.events:
        rows = by_study.get(study, ()) if study != "*" else [record for some in by_study.values() for record in some]
        if endpoint not in {record.endpoint for record in rows}:
            lines.append(
                f"no row of evidence of {study} has the endpoint {endpoint!r} that your table of events defines"
            )
    return lines
