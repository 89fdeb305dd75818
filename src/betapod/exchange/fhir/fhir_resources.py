"""Resources of a FHIR file, each with its JSON pointer: bundles, NDJSON, single resources; gzip is opened. No network, no narrative."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...base.errors import ExchangeError, Location, Problem
from ...base.files import file_content

#: Bytes that are read at most, packed and unpacked.
_LARGEST = 512 * 2**20
#: Parts of bundles in bundles at most.
_DEEPEST = 4
#: What is never looked at: names, addresses, pictures and texts.
_PRIVATE = ("text", "name", "telecom", "address", "photo", "contact", "identifier")


@dataclass(frozen=True)
class FhirResource:
    """A resource and where it stands."""

    kind: str
    content: dict[str, Any]
    pointer: str


def fhir_resources(path: str | Path) -> Iterator[FhirResource]:
    """Give the resources of a file one by one: what stands in a line of NDJSON is kept no longer than it is looked at.

    Raises
    ------
    ExchangeError
        No such file, no JSON (with line and column), or nothing of FHIR in it; at the latest after the last resource.
    """
    where, any_resource = str(path), False
    for pointer, document in _documents(_text(path), where):
        for item in _within(document, pointer, 0):
            any_resource = True
            yield item
    if not any_resource:
        hint = "A Bundle, a resource, or one resource a line (NDJSON)."
        raise ExchangeError(Problem("no-fhir", "the file holds no FHIR resource", Location(where), hint=hint))


def _text(path: str | Path) -> str:
    where = Location(str(path))
    try:
        content = file_content(path, _LARGEST)
        if content.startswith(b"\x1f\x8b"):
            with gzip.open(Path(path)) as file:
                content = file.read(_LARGEST + 1)
            if len(content) > _LARGEST:
                expected = f"at most {_LARGEST // 2**20} MiB"
                raise ExchangeError(Problem("too-large", "the unpacked file is too large", where, expected=expected))
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"the file is not UTF-8: byte {error.start}"
        raise ExchangeError(Problem("bad-encoding", message, where)) from None
    except (OSError, EOFError, zlib.error) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise ExchangeError(Problem("no-file", f"cannot read the file: {reason}", where)) from None


def _documents(text: str, file: str) -> Iterator[tuple[str, Any]]:
    """Give JSON pointers and documents; of NDJSON the pointer begins with the line, and all lines that are no JSON are told in the end."""
    try:
        document = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        first = error
    else:
        yield "", document
        return
    count, problems = 0, []
    for number, line in enumerate(io.StringIO(text), 1):
        if not line.strip():
            continue
        try:
            document = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            problems.append(_no_json(error, file, number))
            if not count:
                break
            continue
        count += 1
        yield f"line {number}: ", document
    if count <= len(problems):
        raise ExchangeError(_no_json(first, file, 0))
    if problems:
        raise ExchangeError(problems)


def _no_json(error: Exception, file: str, line: int) -> Problem:
    if isinstance(error, json.JSONDecodeError):
        spot = Location(file, line or error.lineno, error.colno)
        return Problem("no-json", f"this is no JSON: {error.msg.lower()}", spot)
    return Problem("no-json", "the JSON is nested too deeply", Location(file, line))


def _within(document: Any, pointer: str, depth: int) -> Iterator[FhirResource]:
    """Give the resources of a document, those of its bundles in their place."""
    if isinstance(document, list):
        for i, item in enumerate(document):
            if depth < _DEEPEST:
                yield from _within(item, f"{pointer}/{i}", depth + 1)
        return
    if not isinstance(document, dict) or not isinstance(document.get("resourceType"), str):
        return
    if document["resourceType"] != "Bundle":
        content = {key: value for key, value in document.items() if key not in _PRIVATE}
        yield FhirResource(document["resourceType"], content, pointer)
        return
    entries = document.get("entry")
    for i, entry in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(entry, dict) and depth < _DEEPEST:
            yield from _within(entry.get("resource"), f"{pointer}/entry/{i}/resource", depth + 1)
