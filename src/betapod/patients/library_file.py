"""Read a patient library file with full validation; untrusted content is checked before use."""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.errors import ConfigError, Location, Problem
from .population import Numbers

FORMAT = 1
#: Patients of one file, and bytes of its head.
MOST_ROWS, _LARGEST_HEAD = 5_000_000, 2**24
_KINDS = ("table", "parameter", "state")
#: Columns that are not known of everybody.
_GAPS = ("table/duration",)
#: Faults that are listed.
_MOST = 20
Columns = dict[str, Numbers]


def read_library_file(
    content: bytes, path: str | Path, required: Iterable[str], whole_numbers: Iterable[str]
) -> tuple[int, Columns, dict[str, Any]]:
    """Return the number of patients, the columns in their order as ``kind/name``, and the origin.

    Parameters
    ----------
    content, path
        What the file holds, and its name for messages.
    required
        Columns of the table that must be there.
    whole_numbers
        Those that hold whole numbers: ``person``, and flags of 0 or 1.

    Raises
    ------
    ConfigError
        No library, or every fault of its columns.
    """
    where = Location(str(path))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            sizes = {item.filename: item.file_size for item in archive.infolist()}
            head = _head(archive, sizes)
        problems = _head_faults(head, where)
        if problems:
            raise ConfigError(problems)
        columns = _columns(content, head, sizes, problems, where)
    except ConfigError:
        raise
    except (
        OSError,
        KeyError,
        ValueError,
        EOFError,
        TypeError,
        AttributeError,
        zipfile.BadZipFile,
        RuntimeError,
    ) as error:
        raise ConfigError(Problem("not-a-library", f"this is no library of patients: {_said(error)}", where)) from None
    except Exception as error:  # zlib and its kin have errors of their own
        raise ConfigError(Problem("not-a-library", f"this is no library of patients: {_said(error)}", where)) from None
    problems += _column_faults(columns, {f"table/{name}" for name in whole_numbers}, where)
    for name in required:
        if f"table/{name}" not in head["order"]:
            problems.append(Problem("bad-library", f"the column {name} is missing", where))
    if problems:
        more = len(problems) - _MOST
        last = [Problem("bad-library", f"{more} more faults of these kinds", where)] if more > 0 else []
        raise ConfigError([*problems[:_MOST], *last])
    return head["rows"], columns, head["origin"]


def _said(error: Exception) -> str:
    text = str(error).splitlines()
    return text[0][:200] if text else type(error).__name__


def _head(archive: zipfile.ZipFile, sizes: Mapping[str, int]) -> Any:
    if sizes["head.npy"] > _LARGEST_HEAD:
        raise ValueError("its head is too large")
    with archive.open("head.npy") as file:
        raw = np.load(io.BytesIO(file.read(_LARGEST_HEAD + 1)), allow_pickle=False)
    return json.loads(bytes(raw).decode())


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _head_faults(head: Any, where: Location) -> list[Problem]:
    if not isinstance(head, dict):
        return [Problem("not-a-library", "this is not a patient library: its header has no fields", where)]
    problems = []

    def bad(field: str, expected: str) -> None:
        content = json.dumps(head.get(field))[:80] if field in head else "nothing"
        problems.append(Problem("bad-library", f"the field {field!r} of the head is wrong", where, content, expected))

    if head.get("format") != FORMAT:
        bad("format", str(FORMAT))
    rows = head.get("rows")
    if isinstance(rows, bool) or not isinstance(rows, int) or not 1 <= rows <= MOST_ROWS:
        bad("rows", f"a number of patients, 1 to {MOST_ROWS}")
    if not isinstance(head.get("origin"), dict):
        bad("origin", "fields that say how it was grown")
    order, constant = head.get("order"), head.get("constant")
    names = order if isinstance(order, list) and all(isinstance(name, str) for name in order) else None
    if names is None or len(set(names)) < len(names):
        bad("order", "names of columns, each once")
    elif unknown := [name for name in names if name.partition("/")[0] not in _KINDS or not name.partition("/")[2]]:
        problems.append(Problem("bad-library", "a column is of an unknown kind", where, unknown[0], ", ".join(_KINDS)))
    if not isinstance(constant, dict) or not all(_number(value) for value in constant.values()):
        bad("constant", "a number for each column that is the same in everybody")
    elif names is not None and (stray := set(constant) - set(names)):
        problems.append(Problem("bad-library", "a constant column is not in the order", where, min(stray)))
    return problems


def _columns(
    content: bytes, head: Mapping[str, Any], sizes: Mapping[str, int], problems: list[Problem], where: Location
) -> Columns:
    rows, constant = head["rows"], head["constant"]
    varied = [name for name in head["order"] if name not in constant]
    columns: Columns = {}
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        for i, name in enumerate(varied):
            # Numbers have at most 8 bytes, beside a head of an array; more is no column of so many patients.
            if sizes.get(f"c{i}.npy", 0) > 8 * rows + 4096:
                problems.append(Problem("bad-library", f"the column {name} is longer than {rows} patients", where))
                continue
            if f"c{i}" not in file:
                problems.append(Problem("bad-library", f"the column {name} has no numbers", where))
                continue
            values: NDArray[Any] = file[f"c{i}"]
            if values.shape != (rows,) or values.dtype.kind not in "fiub":
                shape = f"{' x '.join(map(str, values.shape)) or 'one'} of {values.dtype}"
                message = f"the column {name} has not one number per patient"
                problems.append(Problem("bad-library", message, where, shape, f"{rows} numbers"))
                continue
            columns[name] = values.astype(np.float64)
    return {
        name: np.full(rows, float(constant[name])) if name in constant else columns[name]
        for name in head["order"]
        if name in constant or name in columns
    }


def _column_faults(columns: Columns, whole_numbers: set[str], where: Location) -> list[Problem]:
    problems = []
    for name, values in columns.items():
        wrong = np.isinf(values) if name in _GAPS else ~np.isfinite(values)
        fault = "no number"
        if name in whole_numbers and not wrong.any():
            wrong, fault = (values != np.floor(values)) | (np.abs(values) > 2.0**53), "no whole number"
            if name != "table/person" and not wrong.any():
                wrong, fault = (values != 0.0) & (values != 1.0), "neither 0 nor 1"
        if wrong.any():
            first = int(np.argmax(wrong))
            message = f"the column {name} has {fault} in {int(wrong.sum())} patients"
            example = (
                f"{values[first]:g} in patient {first + 1}" if not math.isnan(values[first]) else f"patient {first + 1}"
            )
            problems.append(Problem("bad-library", message, where, example))
    return problems
