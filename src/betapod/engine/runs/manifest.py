"""What the JSON files of a run folder must hold. A folder may be foreign, edited or damaged: nothing in it is used unchecked."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ...base.errors import ConfigError, Location, Problem

#: Version of run folders: of the names in their files. In 1 some fields and columns of trials had other names.
SCHEMA_VERSION = 2
#: Bytes of a JSON file of a run folder, and shards of a run.
LARGEST, SHARDS = 256_000_000, 1_000_000
#: Wrong fields that are named.
_SHOWN = 20

Whole = Annotated[int, Field(strict=True, ge=0)]
Positive = Annotated[int, Field(strict=True, ge=1)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Text = Annotated[str, Field(strict=True)]
Names = list[Text]


class _Part(BaseModel):
    """Files may hold more than is read here; what is read has its type."""

    model_config = ConfigDict(extra="allow")


class Identity(_Part):
    """What every run says of its size."""

    patients: Positive
    shard_size: Positive

    @model_validator(mode="after")
    def _few_shards(self) -> Identity:
        if self.patients > SHARDS * self.shard_size:
            raise ValueError(f"more than {SHARDS:,} parts")
        return self


class Run(_Part):
    """Any run folder."""

    identity: Identity


class EnsembleIdentity(Identity):
    """What determines the numbers of an ensemble."""

    model: Text
    cohort: dict[str, Any]
    times: Annotated[list[Number], Field(min_length=1)]
    outputs: Annotated[Names, Field(min_length=1)]
    rtol: Number
    atol: Number | list[Number] | dict[str, Number] | None


class _Columns(_Part):
    visits: dict[str, Text]
    patients: dict[str, Text]

    @model_validator(mode="after")
    def _named_after(self) -> _Columns:
        """A column is called as what it holds, perhaps with a number behind it (see `betapod.engine.runs.shard.column_names`)."""
        for name, column in (*self.visits.items(), *self.patients.items()):
            number = column.removeprefix(name)
            if not name or not column.startswith(name) or not re.fullmatch(r"(_[0-9]{1,9})?", number):
                raise ValueError(f"no column of {name!r} is called {column!r}")
        return self


class EnsembleManifest(_Part):
    """``manifest.json`` of an ensemble."""

    identity: EnsembleIdentity
    origin: dict[str, Any]
    columns: _Columns
    units: dict[str, Text]
    note: Text

    @model_validator(mode="after")
    def _columns_of_outputs(self) -> EnsembleManifest:
        lacking = [name for name in self.identity.outputs if name not in self.columns.visits]
        if lacking:
            raise ValueError(f"columns.visits lacks {', '.join(lacking[:_SHOWN])}")
        return self


class Origin(_Part):
    """Options of a command line from which an ensemble can be planned again."""

    model: Text
    parameters: Names
    set: dict[str, Text]
    patients: Text
    years: Number | None
    duration: Text | None = None
    visits: Text | None
    seed: Whole
    replicate: Whole
    vary: Names
    outputs: Names
    doses: Names
    switches: Names
    rtol: Number
    atol: Number | list[Number] | dict[str, Number] | None
    shard_size: Positive


class RunOrigin(_Part):
    """The part of ``manifest.json`` of an ensemble that tells how to plan it again."""

    origin: Origin


class TrialIdentity(Identity):
    """What determines the numbers of a trial."""

    kind: Text
    protocol: Text
    seed: Whole
    replicates: Positive
    designs: Annotated[Names, Field(min_length=1)]
    scenarios: Annotated[Names, Field(min_length=1)]
    pool: Text


class Trial(_Part):
    """``manifest.json`` of a trial."""

    identity: TrialIdentity


class _Moments(_Part):
    count: list[Whole]
    mean: list[Number | None]
    squares: list[Number | None]
    low: list[Number | None]
    high: list[Number | None]

    @model_validator(mode="after")
    def _even(self) -> _Moments:
        if len({len(column) for column in (self.count, self.mean, self.squares, self.low, self.high)}) != 1:
            raise ValueError("columns of unequal length")
        return self


class EnsembleFacts(_Part):
    """What a shard of an ensemble counted."""

    status: dict[str, Whole]
    events: dict[str, Whole]
    processor: Text
    steps: Whole
    rejected: Whole
    seconds_solving: Number
    moments: dict[str, _Moments]


class _PartFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rows: Whole
    bytes: Whole
    sha256: Text


class ReceiptFile(_Part):
    """A receipt of any run."""

    shard: Whole
    first: Whole
    last: Whole
    run: Text
    parts: dict[str, _PartFile]
    facts: dict[str, Any]


class _Visit(_Part):
    time: Number
    count: Whole
    mean: Number | None
    sd: Number | None
    low: Number | None
    high: Number | None


class _Output(_Part):
    unit: Text
    visits: Annotated[list[_Visit], Field(min_length=1)]


class _Accuracy(_Part):
    patients: list[Whole]
    median: Number | None
    worst: Number | None
    compared_at_rtol: Number
    reproduced: bool


class Summary(_Part):
    """``summary.json`` of an ensemble."""

    model: Text
    patients: Positive
    status: dict[str, Whole]
    events: dict[str, Whole]
    failed: Whole
    accuracy: _Accuracy | None
    outputs: Annotated[dict[str, _Output], Field(min_length=1)]
    digest: Text


def read_run_file(path: Path, schema: type[BaseModel] = Run) -> dict[str, Any]:
    """Return the content of a JSON file of a run folder, checked.

    Raises
    ------
    FileNotFoundError
        There is none.
    ConfigError
        It cannot be read, was written by another version, or fields are missing or of another kind; each is named.
    """
    content = json_of(path)
    if not isinstance(content, dict):
        content = {"schema_version": type(content).__name__}
    version = content.get("schema_version")
    if type(version) is int and 0 < version < SCHEMA_VERSION:
        raise ConfigError(_earlier(content, path, version))
    if version != SCHEMA_VERSION:
        message = f"the {path.stem} was written by another version of betapod, or by another program"
        location = Location(str(path))
        raise ConfigError(Problem("bad-manifest", message, location, f"schema_version {version}", str(SCHEMA_VERSION)))
    check_fields(content, schema, path)
    return content


def _earlier(content: Mapping[str, Any], path: Path, version: int) -> Problem:
    origin = content.get("origin")
    words = origin.get("command") if isinstance(origin, dict) else None
    command = [str(word) for word in words] if isinstance(words, list) else []
    return Problem(
        "earlier-version",
        "the folder was written by an earlier version of betapod, whose files this one does not read",
        Location(str(path.parent)),
        f"schema_version {version}",
        str(SCHEMA_VERSION),
        "Compute it anew, in another folder." + (f" It was made by: {shlex.join(command)}" if command else ""),
    )


def json_of(path: Path) -> Any:
    """Return what a JSON file holds; numbers that JSON has not are refused.

    Raises
    ------
    FileNotFoundError
        There is none.
    ConfigError
        It is too large, too deep, or no JSON.
    """
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(LARGEST + 1)
        if len(text) > LARGEST:
            raise ValueError(f"longer than {LARGEST:,} characters")
        content = json.loads(text, parse_constant=_refuse)
        if re.search(r"\\u[dD][89a-fA-F]", text):
            # Halves of characters can be spelled, but neither printed nor written.
            json.dumps(content, ensure_ascii=False).encode()
        return content
    except (FileNotFoundError, NotADirectoryError):
        raise
    except RecursionError:
        reason = "it is nested too deep"
    except OSError as error:
        reason = error.strerror or str(error)
    except ValueError as error:
        reason = str(error)
    raise ConfigError(Problem("bad-manifest", f"cannot read the {path.stem}: {reason}", Location(str(path))))


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no number in JSON")


def check_fields(content: Mapping[str, Any], schema: type[BaseModel], path: Path) -> None:
    """Check the fields that are read.

    Raises
    ------
    ConfigError
        Every field that is missing or of another kind, by its name.
    """
    try:
        schema.model_validate(content)
    except ValidationError as error:
        raise ConfigError([_problem(error_of_field, path) for error_of_field in error.errors()[:_SHOWN]]) from None


def _problem(error: Any, path: Path) -> Problem:
    name = ".".join(str(part) for part in error["loc"]) or "the whole"
    message = str(error["msg"]).removeprefix("Value error, ").replace("Input should be", "it should be")
    hint = "A run folder is not to be edited. Restore the file, or begin the run in a new folder."
    if error["type"] == "missing":
        return Problem("bad-manifest", f"{name} is missing", Location(str(path)), hint=hint)
    text = repr(error["input"])
    text = text if len(text) <= 80 else f"{text[:77]}..."
    return Problem("bad-manifest", f"{name}: {message}", Location(str(path)), found=text, hint=hint)


def fits(content: Any, schema: type[BaseModel]) -> bool:
    """Return whether plain values have the fields of a schema."""
    try:
        schema.model_validate(content)
    except ValidationError:
        return False
    return True


def check_names_present(names: Sequence[str], present: Sequence[str], field: str, path: Path) -> None:
    """Check that names of a manifest exist where they point.

    Raises
    ------
    ConfigError
        Those that do not.
    """
    wrong = [name for name in names if name not in present]
    if wrong:
        message = f"{field} names what is not there: {', '.join(map(repr, wrong[:_SHOWN]))}"
        raise ConfigError(Problem("bad-manifest", message, Location(str(path)), expected=", ".join(present)))
