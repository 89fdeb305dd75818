"""A run folder: a manifest, numbered Parquet parts and a receipt for each; it survives a kill at any moment.

::

    manifest.json            what is computed: versions, hashes, seed, tolerances, command line
    dictionary.csv           every column: label, unit, meaning
    visits/part-00000.parquet      one row per patient and visit
    patients/part-00000.parquet    one row per patient: parameters, status
    failures/part-00000.parquet    one row per patient whose integration failed, if any did
    receipts/00000.json            rows, sizes and hashes of the parts of a shard, written last
    failures.parquet, summary.json when the run is complete

Every file is written beside its place and renamed into it, and a shard counts only with a receipt that its parts fit: what is
missing, cut short or altered is computed again. Several processes and machines may write into one folder at once.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...base.atomic import file_hash, half_written, placed, remove_leftovers, write_atomic, writing
from ...base.errors import ConfigError, Location, Problem
from . import manifest
from .database import connect, parquet, quoted, sql_path

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray
    from pydantic import BaseModel

TABLES = ("visits", "patients", "failures")


@dataclass(frozen=True)
class StoredPart:
    """One Parquet file as its receipt describes it."""

    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Receipt:
    """Proof that a shard is done.

    Attributes
    ----------
    parts
        By table.
    facts
        What was counted and timed while computing.
    """

    shard: int
    first: int
    last: int
    run: str
    parts: Mapping[str, StoredPart]
    facts: Mapping[str, Any]

    def to_json(self) -> str:
        """Return the text of the receipt's file."""
        content = {
            "schema_version": manifest.SCHEMA_VERSION,
            "shard": self.shard,
            "first": self.first,
            "last": self.last,
            "run": self.run,
            "parts": {name: vars(part) for name, part in self.parts.items()},
            "facts": dict(self.facts),
        }
        return json.dumps(content, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Receipt:
        """Read the text of a receipt's file; ValueError or RecursionError when it is none."""
        content = json.loads(text)
        if not manifest.fits(content, manifest.ReceiptFile):
            raise ValueError("no receipt")
        parts = {name: StoredPart(**part) for name, part in content["parts"].items()}
        return cls(content["shard"], content["first"], content["last"], content["run"], parts, content["facts"])


class Store:
    """A run folder."""

    def __init__(self, folder: str | Path, content: Mapping[str, Any]) -> None:
        self.folder = Path(folder)
        self.manifest = content

    @classmethod
    def open(cls, folder: str | Path) -> Store:
        """Open an existing run folder.

        Raises
        ------
        ConfigError
            There is none, or its manifest cannot be read, or not be used.
        """
        path = Path(folder) / "manifest.json"
        try:
            return cls(folder, manifest.read_run_file(path))
        except (FileNotFoundError, NotADirectoryError):
            raise ConfigError(
                Problem("no-run", "this is not a run folder", Location(str(folder)), expected="a manifest.json in it")
            ) from None

    def of(self, schema: type[BaseModel]) -> Store:
        """Return the store, its manifest checked for a kind of run.

        Raises
        ------
        ConfigError
            Every field that is missing or of another kind.
        """
        manifest.check_fields(self.manifest, schema, self.folder / "manifest.json")
        return self

    @classmethod
    def create(cls, folder: str | Path, content: Mapping[str, Any], dictionary: str = "") -> Store:
        """Make a run folder, or open the one that another process has just made.

        Raises
        ------
        ConfigError
            The folder holds something else.
        StoreError
            It cannot be written.
        """
        folder = Path(folder)
        cls.check(folder)
        with writing(folder):
            for table in (*TABLES, "receipts"):
                (folder / table).mkdir(parents=True, exist_ok=True)
            if dictionary:
                write_atomic(folder / "dictionary.csv", dictionary.encode())
            document = {"schema_version": manifest.SCHEMA_VERSION, **content}
            data = (json.dumps(document, indent=1, allow_nan=False) + "\n").encode()
            write_atomic(folder / "manifest.json", data, replace=False)
        return cls.open(folder)

    @staticmethod
    def check(folder: Path) -> None:
        """Check before long work that a run may go into a folder.

        Raises
        ------
        ConfigError
            The folder holds something else.
        StoreError
            It cannot be made, or not be written to.
        """
        with writing(folder):
            above = folder
            while not above.exists() and above != above.parent:
                above = above.parent
            if not above.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            if not os.access(above, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            if above == folder and not (folder / "manifest.json").exists() and (foreign := _foreign(folder)):
                raise ConfigError(
                    Problem(
                        "folder-in-use",
                        "the folder exists and is not a run folder",
                        Location(str(folder)),
                        found=", ".join(foreign[:5]),
                        hint="Choose another folder.",
                    )
                )

    @property
    def run(self) -> str:
        """Hash of what the run computes; every receipt names it."""
        return identity_hash(self.manifest["identity"])

    @property
    def shards(self) -> int:
        """How many shards a complete run has."""
        identity = self.manifest["identity"]
        return -(-int(identity["patients"]) // int(identity["shard_size"]))

    def path(self, table: str, shard: int) -> Path:
        """Return where a part belongs."""
        return self.folder / table / f"part-{shard:05d}.parquet"

    def receipt_path(self, shard: int) -> Path:
        """Return where a receipt belongs."""
        return self.folder / "receipts" / f"{shard:05d}.json"

    def receipt(self, shard: int, thorough: bool = True) -> Receipt | None:
        """Return the receipt of a shard if the shard is whole, else None.

        Parameters
        ----------
        thorough
            Hash the parts; otherwise only their size is compared.
        """
        return self._examine(shard, thorough)[0]

    def _examine(self, shard: int, thorough: bool) -> tuple[Receipt | None, str]:
        """Return the receipt, and what is wrong if there is none; an empty text if the shard was never finished."""
        try:
            receipt = Receipt.from_json(self.receipt_path(shard).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None, ""
        except (OSError, ValueError, RecursionError):
            return None, "its receipt cannot be read"
        if receipt.run != self.run or receipt.shard != shard:
            return None, "its receipt belongs to another run"
        if "times" in self.manifest["identity"] and not self._counted(receipt.facts):
            return None, "its receipt cannot be read"
        for table, part in receipt.parts.items():
            path = self.path(table, shard)
            try:
                size = path.stat().st_size
            except OSError:
                return None, f"{path.name} of {table} is missing"
            if size != part.bytes:
                return None, f"{path.name} of {table} has {size} bytes, not {part.bytes}"
            if thorough and file_hash(path) != part.sha256:
                return None, f"{path.name} of {table} is not what was written"
        return receipt, ""

    def _counted(self, facts: Mapping[str, Any]) -> bool:
        """Return whether a receipt of an ensemble counts every output at every visit."""
        identity = self.manifest["identity"]
        if not manifest.fits(facts, manifest.EnsembleFacts):
            return False
        visits = {len(facts["moments"].get(name, {}).get("count", ())) for name in identity["outputs"]}
        return visits == {len(identity["times"])}

    def survey(
        self, shards: Iterable[int] | None = None, thorough: bool = True
    ) -> tuple[dict[int, Receipt], dict[int, str]]:
        """Return the receipts of whole shards, and what is wrong with each damaged one; the rest was never finished."""
        finished: dict[int, Receipt] = {}
        damaged: dict[int, str] = {}
        for shard in range(self.shards) if shards is None else shards:
            receipt, wrong = self._examine(shard, thorough)
            if receipt is not None:
                finished[shard] = receipt
            elif wrong:
                damaged[shard] = wrong
        return finished, damaged

    def accept(self, receipt: Receipt, files: Mapping[str, bytes] | None = None) -> None:
        """Write a receipt, after the parts if they came as bytes.

        Raises
        ------
        StoreError
            No space left, or the folder cannot be written.
        """
        with writing(self.folder):
            for name in (*TABLES, "receipts"):  # somebody may have tidied up
                (self.folder / name).mkdir(exist_ok=True)
            for table, data in (files or {}).items():
                write_atomic(self.path(table, receipt.shard), data)
            write_atomic(self.receipt_path(receipt.shard), receipt.to_json().encode())

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a JSON file into the folder, whole or not at all; numbers that JSON has not are null, as everywhere in betapod."""
        with writing(self.folder):
            write_atomic(self.folder / name, (json.dumps(finite(content), indent=1, allow_nan=False) + "\n").encode())

    def clean(self) -> None:
        """Remove what killed processes of this machine left half-written."""
        remove_leftovers(self.folder)

    def connect(self, threads: int | None = None) -> duckdb.DuckDBPyConnection:
        """Return a DuckDB connection with the views ``visits``, ``patients`` and ``failures`` over all whole shards."""
        finished, _ = self.survey(thorough=False)
        connection = connect(threads)
        for table in TABLES:
            paths = [self.path(table, shard) for shard, receipt in finished.items() if table in receipt.parts]
            if paths:
                connection.execute(f"CREATE VIEW {table} AS SELECT * FROM {parquet(paths)}")
        return connection

    def values(self, shard: int) -> NDArray[np.float64]:
        """Return the outputs of a shard, shape (patients, visits, outputs); NaN where nothing was reported."""
        import numpy as np

        identity, named = self.manifest["identity"], self.manifest["columns"]["visits"]
        with _writer().cursor() as connection:
            columns = connection.execute(f"SELECT * FROM {parquet([self.path('visits', shard)])}").fetchnumpy()
        stacked = [np.ma.filled(np.ma.asarray(columns[named[n]], np.float64), np.nan) for n in identity["outputs"]]
        return np.stack(stacked, axis=-1).reshape(-1, len(identity["times"]), len(stacked))


@functools.cache
def _writer() -> duckdb.DuckDBPyConnection:
    """Return the database through which this process writes; one thread each, so that parts come out the same everywhere."""
    return connect(1)


def write_parquet(
    path: Path, select: str, tables: Mapping[str, Mapping[str, Any]], run: str, replace: bool = True
) -> StoredPart:
    """Write the result of a query over arrays to a Parquet file, whole or not at all.

    Parameters
    ----------
    select
        SQL over the names of `tables`.
    tables
        Columns of equal length by name.
    run
        Hash that the file carries in its footer.
    """
    with writing(path.parent), _writer().cursor() as connection, placed(path, replace) as temporary:
        for name, columns in tables.items():
            connection.register(name, dict(columns))
        (rows,) = connection.execute(
            f"COPY ({select}) TO {sql_path(temporary)} "
            f"(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, KV_METADATA {{betapod_run: {quoted(run)}}})"
        ).fetchone() or (0,)
        part = StoredPart(int(rows), temporary.stat().st_size, file_hash(temporary))
    return part


def identity_hash(identity: Mapping[str, Any]) -> str:
    """Return the hash of an identity."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True, allow_nan=False).encode()).hexdigest()


def finite(value: Any) -> Any:
    """Return plain values in which what is no number of JSON is None."""
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _foreign(folder: Path) -> list[str]:
    """Return what is in a folder that is no part of a run whose manifest is not yet written."""
    of_a_run = {*TABLES, "receipts", "dictionary.csv"}
    return sorted(p.name for p in folder.iterdir() if p.name not in of_a_run and not half_written(p))
