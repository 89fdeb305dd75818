"""Data sets as files: SAS transport 5, Dataset-JSON 1.1 (JSON and NDJSON), Parquet."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...base.errors import ConfigError, Location, MissingExtraError, Problem, not_among
from ...base.files import replacing
from ...engine.runs.database import connect, identifier, quoted, sql_path

if TYPE_CHECKING:
    import pandas as pd

    from .cdisc_variables import CdiscDataset, CdiscVariable

#: Day 0 of SAS.
SAS_EPOCH = datetime.date(1960, 1, 1)
#: What a text can hold in version 5 of SAS transport, bytes; of a label; of a name.
LONGEST_TEXT, LONGEST_LABEL, LONGEST_NAME = 200, 40, 8
#: Key of the metadata of Parquet files under which the description of the columns stands.
PARQUET_KEY = "cdisc_dataset"
#: Format -> ending of its files.
FORMATS: Mapping[str, str] = {
    "xpt": ".xpt",
    "dataset-json": ".json",
    "dataset-ndjson": ".ndjson",
    "parquet": ".parquet",
}


def checked_formats(formats: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """Return formats, each once.

    Parameters
    ----------
    formats
        Of `FORMATS`; a text may name several, with commas between them.

    Raises
    ------
    ConfigError
        Every one that does not exist, or none named.
    MissingExtraError
        SAS transport without pyreadstat.
    """
    texts = formats.split(",") if isinstance(formats, str) else list(formats)
    names = tuple(dict.fromkeys(text.strip().lower() for text in texts if text.strip()))
    problems = [
        not_among(FORMATS, "unknown-format", f"there is no format {name!r}", name)
        for name in names
        if name not in FORMATS
    ]
    if not names:
        problems = [Problem("missing-format", "no format is named", expected=", ".join(FORMATS))]
    if problems:
        raise ConfigError(problems)
    if "xpt" in names:
        try:
            import pyreadstat  # noqa: F401
        except ImportError:
            raise MissingExtraError("pyreadstat", "cdisc", "writing SAS transport files") from None
    return names


def write_dataset(dataset: CdiscDataset, folder: Path, kind: str, created: str, study: str) -> Path:
    """Write a data set into a folder, whole or not at all; return the file.

    Parameters
    ----------
    kind
        Of `FORMATS`.
    created
        Date and time of the files by ISO 8601.
    study
        STUDYID.
    """
    path = folder / f"{dataset.name.lower()}{FORMATS[kind]}"
    writers: dict[str, Callable[[], None]] = {
        "xpt": lambda: _write_xpt(dataset, path),
        "dataset-json": lambda: _write_json(dataset, path, created, study, False),
        "dataset-ndjson": lambda: _write_json(dataset, path, created, study, True),
        "parquet": lambda: _write_parquet(dataset, path, created, study),
    }
    writers[kind]()
    return path


def text_lengths(dataset: CdiscDataset) -> dict[str, int]:
    """Return the longest text of each text variable, at least 1."""
    return {
        variable.name: max([1, *(len(text) for text in dataset.frame[variable.name].unique())])
        for variable in dataset.variables
        if variable.is_text
    }


def sas_numbers(dates: pd.Series[Any]) -> pd.Series[Any]:
    """Return dates as days since 1 January 1960; NaN for NaT."""
    import pandas as pd

    return (dates - pd.Timestamp(SAS_EPOCH)).dt.days.astype("float64")


def unfit_for_transport(dataset: CdiscDataset) -> list[Problem]:
    """Return what a file of SAS transport 5 cannot hold: long or odd names, labels, texts."""
    problems = []
    where = Location(dataset.name)
    for variable in dataset.variables:
        if len(variable.name) > LONGEST_NAME or not variable.name.isascii():
            problems.append(Problem("long-name", "a name has at most 8 letters", where, variable.name))
        if len(variable.label) > LONGEST_LABEL:
            problems.append(Problem("long-label", "a label has at most 40 characters", where, variable.label))
        if variable.is_text:
            for text in dataset.frame[variable.name].unique():
                if len(text) > LONGEST_TEXT or not text.isascii():
                    message = f"a text of {variable.name} is longer than 200 characters or not in ASCII"
                    problems.append(Problem("unfit-text", message, where, text[:60]))
                    break
    return problems


def _write_xpt(dataset: CdiscDataset, path: Path) -> None:
    import pyreadstat

    if problems := unfit_for_transport(dataset):
        raise ConfigError(problems)
    frame = dataset.frame.copy()
    for variable in dataset.variables:
        if variable.kind == "date":
            frame[variable.name] = sas_numbers(frame[variable.name])
    with replacing(path) as temporary:
        pyreadstat.write_xport(
            frame,
            str(temporary),
            file_label=dataset.label,
            column_labels=[variable.label for variable in dataset.variables],
            table_name=dataset.name,
            file_format_version=5,
            variable_format={v.name: v.sas_format for v in dataset.variables if v.sas_format},
        )


def column_document(dataset: CdiscDataset) -> list[dict[str, Any]]:
    """Return the columns of a data set as Dataset-JSON describes them."""
    lengths, keys = text_lengths(dataset), {name: k for k, name in enumerate(dataset.keys, 1)}
    document = []
    for variable in dataset.variables:
        column: dict[str, Any] = {
            "itemOID": f"IT.{dataset.name}.{variable.name}",
            "name": variable.name,
            "label": variable.label,
            "dataType": {"text": "string", "integer": "integer", "float": "double", "date": "date", "iso": "date"}[
                variable.kind
            ],
        }
        if variable.kind == "date":
            column |= {"targetDataType": "integer", "displayFormat": "DATE9."}
        if variable.name in lengths:
            column["length"] = lengths[variable.name]
        if variable.name in keys:
            column["keySequence"] = keys[variable.name]
        document.append(column)
    return document


def _head(dataset: CdiscDataset, created: str, study: str) -> dict[str, Any]:
    from ... import __version__

    return {
        "datasetJSONCreationDateTime": created,
        "datasetJSONVersion": "1.1.0",
        "fileOID": f"{study}.{dataset.name}",
        "originator": "betapod",
        "sourceSystem": {"name": "betapod", "version": __version__},
        "studyOID": f"ST.{study}",
        "metaDataVersionOID": f"MDV.{study}",
        "metaDataRef": "define.xml",
        "itemGroupOID": f"IG.{dataset.name}",
        "records": len(dataset.frame),
        "name": dataset.name,
        "label": dataset.label,
        "columns": column_document(dataset),
    }


def _json_cells(variable: CdiscVariable, column: pd.Series[Any]) -> list[Any]:
    """Return the cells of a column as JSON has them: null for missing numbers and dates, the empty text for missing text."""
    if variable.kind == "text":
        return column.tolist()
    if variable.kind == "iso":
        return [text or None for text in column.tolist()]
    if variable.kind == "date":
        return [None if text != text else text for text in column.dt.strftime("%Y-%m-%d").tolist()]
    values = column.to_numpy()
    if variable.kind == "integer":
        return [None if not np.isfinite(value) else int(value) for value in values]
    return [None if not np.isfinite(value) else value for value in values.tolist()]


def _write_json(dataset: CdiscDataset, path: Path, created: str, study: str, by_line: bool) -> None:
    head = _head(dataset, created, study)
    cells = [_json_cells(variable, dataset.frame[variable.name]) for variable in dataset.variables]
    rows: Iterator[list[Any]] = (list(row) for row in zip(*cells, strict=True))
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        if by_line:
            file.write(json.dumps(head, allow_nan=False) + "\n")
            file.writelines(json.dumps(row, allow_nan=False) + "\n" for row in rows)
            return
        text = json.dumps(head, allow_nan=False)
        file.write(text[:-1] + ', "rows": [')
        for number, row in enumerate(rows):
            file.write((",\n" if number else "\n") + json.dumps(row, allow_nan=False))
        file.write("\n]}\n")


def _write_parquet(dataset: CdiscDataset, path: Path, created: str, study: str) -> None:
    document = json.dumps(_head(dataset, created, study))
    columns = [
        f"CAST({identifier(v.name)} AS DATE) AS {identifier(v.name)}" if v.kind == "date" else identifier(v.name)
        for v in dataset.variables
    ]
    connection = connect(1)
    try:
        connection.register("records", dataset.frame)
        with replacing(path) as temporary:
            connection.execute(
                f"COPY (SELECT {', '.join(columns)} FROM records) TO {sql_path(temporary)} "
                f"(FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{PARQUET_KEY}: {quoted(document)}}})"
            )
    finally:
        connection.close()
