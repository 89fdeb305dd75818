"""Read data sets of CDISC, own or foreign: SAS transport, Dataset-JSON, Parquet, one file a data set."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...base.errors import ConfigError, Location, MissingExtraError, Problem, not_among
from ...engine.runs.database import connect, database_error, parquet
from .dataset_files import FORMATS, PARQUET_KEY, SAS_EPOCH
from .day_spans import day_spans

if TYPE_CHECKING:
    import pandas as pd

#: Formats of SAS for dates.
_DATES = ("DATE", "YYMMDD", "E8601DA", "DDMMYY", "MMDDYY", "IS8601DA", "B8601DA")
#: Of several files of one data set, the first of these is read.
_FIRST = ("xpt", "dataset-json", "dataset-ndjson", "parquet")


@dataclass(frozen=True)
class ReadDataset:
    """A data set that was read.

    Attributes
    ----------
    name
        In capitals, such as ``ADLB``.
    frame
        Text as ``str`` (empty for missing), numbers as ``float64``, dates as ``datetime64[ns]``.
    labels
        Variable -> label; empty where the file has none.
    path
        The file.
    """

    name: str
    frame: pd.DataFrame = field(repr=False)
    labels: Mapping[str, str] = field(repr=False)
    path: Path

    def is_text(self, variable: str) -> bool:
        """Whether a variable holds text."""
        return bool(self.frame[variable].dtype == object)

    def is_date(self, variable: str) -> bool:
        """Whether a variable holds dates."""
        return bool(self.frame[variable].dtype.kind == "M")


class AdamFolder(Mapping[str, ReadDataset]):
    """Data sets of a folder by name, such as ``folder["ADSL"]``."""

    def __init__(self, folder: Path, datasets: Mapping[str, ReadDataset]) -> None:
        self.folder, self._datasets = folder, dict(datasets)

    def __getitem__(self, name: str) -> ReadDataset:
        if name not in self._datasets:
            problem = not_among(self._datasets, "unknown-dataset", f"the folder has no data set {name!r}", name)
            raise ConfigError(problem)
        return self._datasets[name]

    def __contains__(self, name: object) -> bool:
        return name in self._datasets

    def __iter__(self) -> Iterator[str]:
        return iter(self._datasets)

    def __len__(self) -> int:
        return len(self._datasets)


def read_adam(folder: str | Path) -> AdamFolder:
    """Return the data sets of a folder, one's own or others': SAS transport, Dataset-JSON or Parquet, one file a data set.

    Where a data set is there in several formats, SAS transport is read before Dataset-JSON, and that before Parquet.

    Parameters
    ----------
    folder
        With files such as ``adsl.xpt``; the name of a file names its data set.

    Returns
    -------
    AdamFolder
        Name -> `ReadDataset` with ``frame``, ``labels`` and ``path``.

    Raises
    ------
    ConfigError
        No such folder, no data set in it, or everything that cannot be read.
    MissingExtraError
        SAS transport without pyreadstat.

    Examples
    --------
    >>> import betapod, tempfile
    >>> run = betapod.run_trial("dn61", designs=["single arm"], scenarios=["none"], replicates=4)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = betapod.export_cdisc(run, folder, formats="parquet")
    ...     adam = betapod.read_adam(folder)
    >>> len(adam["ADSL"].frame)
    61
    """
    target = Path(folder)
    if not target.is_dir():
        raise ConfigError(Problem("no-folder", "there is no such folder", Location(str(target))))
    endings = {FORMATS[kind]: kind for kind in _FIRST}
    paths: dict[str, Path] = {}
    for kind in _FIRST:
        for path in sorted(target.iterdir()):
            if endings.get(path.suffix.lower()) == kind:
                paths.setdefault(path.stem.upper(), path)
    if not paths:
        expected = ", ".join(f"*{ending}" for ending in FORMATS.values())
        raise ConfigError(
            Problem("no-datasets", "the folder holds no data sets", Location(str(target)), expected=expected)
        )
    datasets: dict[str, ReadDataset] = {}
    problems: list[Problem] = []
    for name, path in sorted(paths.items()):
        try:
            datasets[name] = read_dataset(path)
        except MissingExtraError:
            raise
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return AdamFolder(target, datasets)


def read_dataset(path: str | Path) -> ReadDataset:
    """Return one data set from a file.

    Parameters
    ----------
    path
        File that ends in ``.xpt``, ``.json``, ``.ndjson`` or ``.parquet``.

    Raises
    ------
    ConfigError
        It cannot be read.
    MissingExtraError
        SAS transport without pyreadstat.
    """
    path = Path(path)
    readers = {".xpt": _read_xpt, ".json": _read_json, ".ndjson": _read_ndjson, ".parquet": _read_parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ConfigError(
            Problem("unknown-format", "the ending of the file is none of a data set", Location(str(path)),
                    found=path.suffix, expected=", ".join(readers))
        )  # fmt: skip
    if not path.is_file():
        raise ConfigError(Problem("no-file", "there is no such file", Location(str(path))))
    frame, labels = reader(path)
    return ReadDataset(path.stem.upper(), _plain(frame), labels, path)


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with three kinds of columns: text, numbers, dates."""
    import pandas as pd

    columns: dict[str, Any] = {}
    for name in frame.columns:
        column = frame[name]
        if column.dtype.kind in "biuf":
            columns[name] = column.astype("float64")
        elif column.dtype.kind == "M":
            # Times of SAS have no zone; others mean the same hour.
            local = column.dt.tz_localize(None) if column.dt.tz is not None else column
            columns[name] = local.astype("datetime64[ns]")
        else:
            columns[name] = column.astype(object).where(column.notna(), "").astype(str).astype(object)
    return pd.DataFrame(columns, index=frame.index).reset_index(drop=True)


def _unreadable(path: Path, kind: str, reason: str) -> ConfigError:
    hint = "Write it again, or fetch it again."
    return ConfigError(
        Problem("unreadable-dataset", f"this is no {kind} that can be read: {reason}", Location(str(path)), hint=hint)
    )


def _read_xpt(path: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    import pandas as pd

    try:
        import pyreadstat
    except ImportError:
        raise MissingExtraError("pyreadstat", "cdisc", f"{path}: a SAS transport file") from None
    try:
        frame, meta = pyreadstat.read_xport(str(path), disable_datetime_conversion=True)
    except (pyreadstat.ReadstatError, UnicodeDecodeError, ValueError) as error:
        raise _unreadable(path, "SAS transport file", str(error)) from None
    for name, kind in meta.original_variable_types.items():
        if str(kind).upper().startswith(_DATES) and frame[name].dtype.kind == "f":
            frame[name] = pd.Timestamp(SAS_EPOCH) + pd.TimedeltaIndex(day_spans(frame[name]))
    return frame, {name: label or "" for name, label in meta.column_names_to_labels.items()}


def _read_json(path: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    document = _json(path, path.read_bytes())
    return _json_table(path, document, document.get("rows") or [])


def _read_ndjson(path: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    head, *rows = path.read_bytes().splitlines() or [b""]
    return _json_table(path, _json(path, head), [_json(path, row, list) for row in rows if row.strip()])


def _json(path: Path, content: bytes, kind: type = dict) -> Any:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise _unreadable(path, "Dataset-JSON", str(error)) from None
    has_columns = isinstance(document, dict) and isinstance(document.get("columns"), list)
    if not isinstance(document, kind) or (kind is dict and not has_columns):
        raise _unreadable(path, "Dataset-JSON", "it has no columns")
    return document


def _json_table(path: Path, document: Any, rows: list[Any]) -> tuple[pd.DataFrame, dict[str, str]]:
    import pandas as pd

    names = [column["name"] for column in document["columns"]]
    if document.get("records") != len(rows) or any(len(row) != len(names) for row in rows):
        raise _unreadable(path, "Dataset-JSON", "its records are not as many, or not as wide, as it says")
    cells = list(zip(*rows, strict=True)) or [()] * len(names)
    columns: dict[str, Any] = {}
    for column, values in zip(document["columns"], cells, strict=True):
        numeric = column["dataType"] in ("integer", "double", "float", "decimal")
        if numeric:
            columns[column["name"]] = np.array([np.nan if value is None else float(value) for value in values])
        elif column.get("targetDataType") == "integer":
            columns[column["name"]] = pd.to_datetime(pd.Series(list(values), dtype=object))
        else:
            columns[column["name"]] = pd.Series(["" if value is None else str(value) for value in values], dtype=object)
    return pd.DataFrame(columns), {column["name"]: column.get("label", "") for column in document["columns"]}


def _read_parquet(path: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    connection = connect(1)
    try:
        frame = connection.execute(f"SELECT * FROM {parquet([path])}").df()
        source = (
            parquet([path]).replace("read_parquet", "parquet_kv_metadata", 1).replace(", hive_partitioning = false", "")
        )
        keys = connection.execute(f"SELECT key, value FROM {source}").fetchall()
    except database_error() as error:
        raise _unreadable(path, "Parquet file", str(error).splitlines()[0]) from None
    finally:
        connection.close()
    described = next((value for key, value in keys if bytes(key) == PARQUET_KEY.encode()), None)
    columns = json.loads(bytes(described))["columns"] if described is not None else []
    return frame, {column["name"]: column["label"] for column in columns}
