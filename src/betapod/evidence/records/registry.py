"""The registry: both tables of published numbers as records, overridden or extended by a user's own tables."""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...base.clinical import say
from ...base.display import Displayed
from ...base.errors import EvidenceError, Location, Problem, did_you_mean
from .csv_places import cell_starts, lines_of, read_text, within
from .reading import OPTIONAL, REQUIRED, read_row
from .row import Row
from .selecting import fitting
from .study import Record

if TYPE_CHECKING:
    import pandas as pd

FOLDER = Path(__file__).with_name("studies")
TABLES = ("cell_therapy", "conventional", "supplement")
#: Findings that belong to no trial of an outcome: autopsies, tracers, safety reviews; laid under the user's own tables.
FINDINGS = FOLDER / "mechanism.csv"
_OPEN_QUOTE = "Is a quotation mark left open?"
_FIRST_LINE = "The first line names the columns; 'betapod evidence add' makes a table with all of them."


@dataclass(frozen=True)
class SkippedRow:
    """A row that is not a record, with the reason."""

    location: Location
    study: str
    reason: str


@dataclass(frozen=True, repr=False)
class Registry(Displayed):
    """Published numbers.

    Attributes
    ----------
    records
        Every row that loaded, in the order of the tables.
    listed
        Every row that did not, with the reason; the package's own tables have none.
    replaced
        Ids of records that an overlay has replaced.

    Examples
    --------
    >>> import betapod
    >>> evidence = betapod.load_evidence()
    >>> len(evidence) > 1000
    True
    """

    records: tuple[Record, ...]
    listed: tuple[SkippedRow, ...] = ()
    replaced: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __getitem__(self, name: str) -> Record:
        """Return a record by its id.

        Raises
        ------
        EvidenceError
            There is no such record; the nearest ids are named.
        """
        for record in self.records:
            if record.id == name:
                return record
        raise EvidenceError(
            Problem(
                "unknown-record", f"there is no record {name!r}", hint=did_you_mean(name, [r.id for r in self.records])
            )
        )

    def select(
        self,
        *,
        study: str | Sequence[str] | None = None,
        family: str | Sequence[str] | None = None,
        population: str | Sequence[str] | None = None,
        product: str | Sequence[str] | None = None,
        endpoint: str | Sequence[str] | None = None,
        tag: str | None = "seen",
        controls: bool = False,
    ) -> list[Record]:
        """Return the records that fit every condition; a sequence means any of its members.

        Parameters
        ----------
        study, family, population, product
            Words of the registry; all where not given.
        endpoint
            The class (``HbA1c``) or the text of the table (``composite_kidney_HR``).
        tag
            ``seen`` (the default), ``memory``, or None for both.
        controls
            Whether the control arms of the chosen studies come along, whatever their product.

        Returns
        -------
        list of Record
            In the order of the tables.

        Raises
        ------
        EvidenceError
            A name that no record has.

        Examples
        --------
        >>> import betapod
        >>> evidence = betapod.load_evidence()
        >>> records = evidence.select(endpoint=["HbA1c", "UACR"], product="UC-MSC")
        >>> {record.product for record in records}
        {'UC-MSC'}
        """
        wanted = {"study": study, "family": family, "population": population, "endpoint": endpoint, "product": product}
        selected, unknown = fitting(self.records, wanted, tag, controls)
        problems = []
        for name, (names, values) in unknown.items():
            meant = study_meant if name in ("study", "family") else did_you_mean
            problems += [
                Problem(
                    f"unknown-{name}", f"no record has the {name} {unknown_name!r}", hint=meant(unknown_name, values)
                )
                for unknown_name in names
            ]
        if problems:
            raise EvidenceError(problems)
        return selected

    def families(self) -> dict[str, list[str]]:
        """Return the studies of each family.

        Returns
        -------
        dict
            Family -> studies; a family is reports on the same people.

        Examples
        --------
        >>> import betapod
        >>> evidence = betapod.load_evidence()
        >>> any(len(studies) > 1 for studies in evidence.families().values())
        True
        """
        by_family: dict[str, list[str]] = {}
        for record in self.records:
            members = by_family.setdefault(record.family, [])
            if record.study not in members:
                members.append(record.study)
        return by_family

    def split(self, testing: float = 0.3, seed: int = 0) -> tuple[list[Record], list[Record]]:
        """Return seen records for fitting and for testing; a family is never on both sides, and new studies move no old ones.

        Parameters
        ----------
        testing
            Share of the families for testing, 0 to 1.
        seed
            Of the division; each seed gives another.

        Returns
        -------
        tuple of two lists of Record
            For fitting, for testing.

        Raises
        ------
        EvidenceError
            The share is not between 0 and 1.

        Examples
        --------
        >>> import betapod
        >>> evidence = betapod.load_evidence()
        >>> fitting, testing = evidence.split(0.3)
        >>> {record.family for record in fitting} & {record.family for record in testing}
        set()
        """
        import hashlib

        if not 0.0 <= testing <= 1.0:
            raise EvidenceError(
                Problem("bad-number", "the share for testing lies between 0 and 1", found=f"{testing:g}")
            )

        def held(family: str) -> bool:
            digest = hashlib.sha256(f"{seed}:{family}".encode()).digest()
            return int.from_bytes(digest[:8], "big") / 2**64 < testing

        read_records = [record for record in self.records if record.tag == "seen"]
        return [r for r in read_records if not held(r.family)], [r for r in read_records if held(r.family)]

    @property
    def table(self) -> pd.DataFrame:
        """One row per record."""
        return records_table(self.records)


def records_table(records: Iterable[Record]) -> pd.DataFrame:
    """Return records as a pandas table, one row each."""
    import pandas as pd

    rows = []
    for record in records:
        row = {name: getattr(record, name) for name in record.__dataclass_fields__}
        spread = record.dispersion
        row |= {
            "dispersion": spread.type if spread else "",
            "low": spread.low if spread else None,
            "high": spread.high if spread else None,
            "remarks": "; ".join(record.remarks),
            "location": str(record.location),
        }
        rows.append(row)
    columns = list(Record.__dataclass_fields__)
    position = columns.index("dispersion") + 1
    return pd.DataFrame(rows, columns=[*columns[:position], "low", "high", *columns[position:]])


def study_meant(name: str, study_names: Iterable[str]) -> str:
    """Return a sentence with the studies that may have been meant: the same letters with another year first."""
    names = sorted(set(study_names))

    def letters(text: str) -> str:
        return re.sub(r"[\W\d_]+", "", text).casefold()

    same = [candidate for candidate in names if letters(candidate) == letters(name) != ""]
    if same:
        return f"Did you mean {' or '.join(map(repr, same[:3]))}?"
    return did_you_mean(name, names)


def load_with_mechanisms(overlays: Iterable[str | Path] = ()) -> Registry:
    """Return all that claims may cite: the registry with the findings about mechanisms, and the user's own tables over both.

    Raises
    ------
    EvidenceError
        Everything that is wrong with the tables, with file and line.
    """
    return load_registry([FINDINGS, *overlays])


def load_registry(overlays: Iterable[str | Path] = ()) -> Registry:
    """Return the registry, overridden or extended by the user's tables.

    A row of an overlay replaces the record that its column `replaces` names, else the one of the same study, arm, endpoint, time,
    statistic and tag; any other is added.

    Raises
    ------
    EvidenceError
        Everything that is wrong with the overlays, with file and line.
    """
    packaged, listed = _own()
    records = list(packaged)
    replaced: list[str] = []
    problems: list[Problem] = []
    for path in overlays:
        own_records, wrong = _read(Path(path), Path(path).stem)
        problems += wrong
        by_key = {record.key: number for number, record in enumerate(records)}
        by_id = {record.id: number for number, record in enumerate(records)}
        for record in own_records:
            replaced_at = by_id.get(record.replaces) if record.replaces else by_key.get(record.key)
            if record.replaces and replaced_at is None:
                hint = did_you_mean(record.replaces, by_id)
                message = f"replaces: there is no record {record.replaces!r}"
                problems.append(Problem("unknown-record", message, record.location, hint=hint))
                continue
            if replaced_at is None:
                records.append(record)
            else:
                replaced.append(records[replaced_at].id)
                records[replaced_at] = replace(record, id=records[replaced_at].id)
    if problems:
        raise EvidenceError(problems)
    return Registry(tuple(_numbered(_with_families(records))), listed, tuple(replaced))


@functools.cache
def _own() -> tuple[tuple[Record, ...], tuple[SkippedRow, ...]]:
    """Read the package's own tables, once."""
    records: list[Record] = []
    listed: list[SkippedRow] = []
    for name in TABLES:
        table_records, problems = _read(FOLDER / f"{name}.csv", name)
        records += table_records
        listed += [SkippedRow(problem.location, name, f"{problem.kind}: {problem.message}") for problem in problems]
    return tuple(records), tuple(listed)


def check_table(path: str | Path) -> list[Record]:
    """Return the records of one table alone.

    Raises
    ------
    EvidenceError
        Everything that is wrong with it, with file and line.
    """
    records, problems = _read(Path(path), Path(path).stem)
    if problems:
        raise EvidenceError(problems)
    return records


def _with_families(records: list[Record]) -> list[Record]:
    """Give every study its family: the one stated in any of its rows, else itself."""
    stated = {record.study: record.family for record in records if record.family}
    return [
        record if record.family else replace(record, family=stated.get(record.study, record.study))
        for record in records
    ]


def _numbered(records: list[Record]) -> Iterator[Record]:
    """Count the rows of a study, so that ids are unique even where an overlay adds to a study."""
    ids: set[str] = set()
    for record in records:
        number = int(record.id.rpartition("#")[2])
        name = record.id
        while name in ids:
            number += 1
            name = f"{record.study}#{number}"
        ids.add(name)
        yield record if name == record.id else replace(record, id=name)


def _read(path: Path, table: str) -> tuple[list[Record], list[Problem]]:
    text, problem = read_text(path)
    if problem is not None:
        return [], [problem]
    lines = lines_of(text)
    # Comments and blank lines may stand before the names of the columns.
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    reader = csv.reader(lines[first:])
    try:
        header = [name.strip() for name in next(reader)]
    except StopIteration:
        return [], [Problem("empty-table", "the file has no rows", Location(str(path)), hint=_FIRST_LINE)]
    except csv.Error as error:
        message = f"the first line cannot be read: {error}"
        return [], [Problem("bad-table", message, Location(str(path), first + 1), hint=_OPEN_QUOTE)]
    # A quoted name may hold line feeds, so that the header is more than a line.
    end = first + reader.line_num
    problems = _header_problems(header, "".join(lines[first:end]), Location(str(path), first + 1))
    if problems:
        return [], problems
    records: list[Record] = []
    counts: dict[str, int] = {}
    keys: dict[tuple[object, ...], int] = {}
    while True:
        start = end + 1
        location = Location(path.name if path.parent == FOLDER else str(path), start)
        try:
            cells = next(reader, None)
        except csv.Error as error:
            problems.append(Problem("bad-table", f"the row cannot be read: {error}", location, hint=_OPEN_QUOTE))
            break
        if cells is None:
            break
        end = first + reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            problems.append(_wrong_length(cells, header, location))
            continue
        packaged = path.parent == FOLDER
        row = Row(
            dict(zip(header, cells, strict=True)), location, header, "".join(lines[start - 1 : end]), not packaged
        )
        counts[row["study_id"]] = counts.get(row["study_id"], 0) + 1
        record = read_row(row, counts[row["study_id"]], table)
        problems += row.problems
        if record is None:
            continue
        if not packaged:
            _say_how_it_was_read(record)
            if (twice := _twice(record, keys, location)) is not None:
                problems.append(twice)
        keys.setdefault(_identity(record), start)
        records.append(record)
    if not records and not problems:
        problems.append(Problem("empty-table", "the file has no rows", Location(str(path)), hint=_FIRST_LINE))
    return records, problems


def _say_how_it_was_read(record: Record) -> None:
    if record.value is not None and float(record.printed_value) != record.value:
        say(
            f"{record.id} {record.endpoint}", f"{record.printed_value} {record.printed_unit}", record.value, record.unit
        )


def _wrong_length(cells: list[str], header: list[str], location: Location) -> Problem:
    message = "the row has another number of cells than the header"
    if any("\n" in cell for cell in cells):
        hint = _OPEN_QUOTE
    elif len(cells) > len(header):
        hint = "A cell with a comma in it needs quotation marks."
    else:
        hint = "Empty cells at the end need their commas too."
    return Problem("wrong-length", message, location, str(len(cells)), str(len(header)), hint)


def _identity(record: Record) -> tuple[object, ...]:
    """Return what no two rows of a table share: words may stand beside other words, but a number has one place."""
    return record.key if record.value is not None else (*record.key, record.quote, record.locator, record.n)


def _twice(record: Record, keys: Mapping[tuple[object, ...], int], location: Location) -> Problem | None:
    line = keys.get(_identity(record))
    if line is None:
        return None
    message = f"the same study, arm, endpoint, time, statistic and tag stand in line {line}"
    return Problem("duplicate-row", message, location, hint="Keep one of them, or name their arms apart.")


def _header_problems(header: list[str], text: str, line: Location) -> list[Problem]:
    separator = next((mark for mark in (";", "\t", "|") if len(header) == 1 and mark in header[0]), "")
    if separator:
        message = "the cells are not separated by commas"
        hint = "Save the table with commas between the cells, and with points in numbers."
        return [Problem("wrong-separator", message, line, repr(separator), "','", hint)]
    columns = (*REQUIRED, *OPTIONAL)
    if len(header) > 10 * len(columns):
        counted = f"{len(header):,} columns"
        return [Problem("too-many-columns", "no table of evidence is so wide", line, counted, f"up to {len(columns)}")]
    starts = cell_starts(text)

    def at(number: int) -> Location:
        return within(line, text, starts[min(number, len(starts) - 1)])

    problems = []
    for name in sorted({name for name in header if header.count(name) > 1}):
        second = [number for number, other in enumerate(header) if other == name][1]
        problems.append(Problem("duplicate-column", f"the column {name!r} stands twice", at(second)))
    for number, name in enumerate(header):
        if name not in columns:
            hint = did_you_mean(name, columns) or (_OPEN_QUOTE if "\n" in name else "")
            problems.append(Problem("unknown-column", f"there is no column {name!r}", at(number), hint=hint))
    missing = [name for name in REQUIRED if name not in header]
    if not {"product", "intervention"} & set(header):
        missing.append("product")
    problems += [Problem("missing-column", f"the column {name!r} is missing", line) for name in missing]
    return problems
