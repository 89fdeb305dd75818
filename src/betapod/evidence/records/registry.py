"""The registry: both tables of published numbers as records, overridden or extended by a user's own tables."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...base.display import Displayed
from ...base.errors import EvidenceError, Location, Problem, did_you_mean
from .record_table import FOLDER as FOLDER
from .record_table import records_of_table
from .selecting import fitting
from .study import Record

if TYPE_CHECKING:
    import pandas as pd

TABLES = ("cell_therapy", "conventional", "supplement")
#: Findings that belong to no trial of an outcome: autopsies, tracers, safety reviews; laid under the user's own tables.
FINDINGS = FOLDER / "mechanism.csv"


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
        own_records, wrong = records_of_table(Path(path), Path(path).stem)
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
        table_records, problems = records_of_table(FOLDER / f"{name}.csv", name)
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
    records, problems = records_of_table(Path(path), Path(path).stem)
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
