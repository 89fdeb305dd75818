"""Read and validate YAML: all errors at once, each with file, line, column and the nearest valid name."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from .errors import ConfigError, Location, Problem, did_you_mean
from .plain_errors import in_words, of_one_choice
from .written_quantities import Day as Day
from .written_quantities import Duration as Duration
from .written_quantities import Rate as Rate
from .written_quantities import Share as Share
from .written_quantities import read_quantity as read_quantity
from .written_quantities import refuse as refuse
from .yaml_budget import SIZE, afford, compose

#: A place in a document: keys and positions from the top.
Where = tuple[str | int, ...]


class Settings(BaseModel):
    """Base of what is read from a file: no unknown keys, no changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)

    #: Keys that had another name, with that of today.
    renamed: ClassVar[Mapping[str, str]] = {}


Kind = TypeVar("Kind", bound=Settings)


@dataclass(frozen=True)
class Document:
    """A YAML file as plain values, which knows where each key and value stands.

    Attributes
    ----------
    keys, values
        Line and column of each key and value, from 1.
    problems
        What is wrong with the YAML itself: keys given twice.
    """

    file: str
    text: str
    data: Any
    keys: Mapping[Where, tuple[int, int]] = field(default_factory=dict)
    values: Mapping[Where, tuple[int, int]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def place(self, where: Where, key: bool = False) -> Location:
        """Return the place of a value, or of its key; of the nearest thing above it where it does not exist."""
        first = self.keys if key else self.values
        for end in range(len(where), -1, -1):
            position = first.get(where[:end]) or self.keys.get(where[:end]) or self.values.get(where[:end])
            if position:
                return Location(self.file, *position)
        return Location(self.file, 1, 1)

    def problem(self, kind: str, message: str, where: Where, key: bool = False, **details: str) -> Problem:
        """Return a problem at a place, with the line that it is about."""
        location = self.place(where, key)
        return Problem(kind, message, location, context=self._line(location), **details)

    def moved(self, problem: Problem, where: Where) -> Problem:
        """Return a problem found inside a value as one of this document."""
        location = self.place(where)
        line = self._line(location)
        inside = problem.context
        start = line.find(inside, location.column - 1) if inside else -1
        shift = start + problem.location.column - 1 if start >= 0 and problem.location.column else location.column - 1
        return replace(problem, location=Location(self.file, location.line, shift + 1), context=line)

    @functools.cached_property
    def _lines(self) -> list[str]:
        return self.text.splitlines()

    def _line(self, location: Location) -> str:
        return self._lines[location.line - 1] if 0 < location.line <= len(self._lines) else ""


def read_yaml(path: str | Path) -> Document:
    """Read a YAML file.

    Raises
    ------
    ConfigError
        No such file, not UTF-8, or not YAML, with line and column.
    """
    return parse_yaml(yaml_text(path), str(path))


def yaml_text(path: str | Path, kind: str = "unreadable-file") -> str:
    """Return the text of a YAML file.

    Raises
    ------
    ConfigError
        No such file, or not UTF-8.
    """
    try:
        with Path(path).open(encoding="utf-8") as file:
            # More is refused by its length, and need not be in memory.
            return file.read(SIZE + 1)
    except (OSError, ValueError) as error:
        reason = str(error.strerror) if isinstance(error, OSError) else "the file is not UTF-8 text"
        raise ConfigError(Problem(kind, reason, Location(str(path)))) from None


def parse_yaml(text: str, file: str = "<text>") -> Document:
    """Read YAML text.

    Raises
    ------
    ConfigError
        The text is not YAML, with line and column.
    """
    with _in_words(text, file):
        node = compose(text, file)
    reader = _Reader(Document(file, text, None))
    data = reader.value(node, ()) if node is not None else None
    return Document(file, text, data, reader.keys, reader.values, tuple(reader.problems))


def marked_yaml(text: str, file: str = "<text>") -> Any:
    """Read YAML text into ruamel's own lists and mappings, which know their places and keep the order.

    Raises
    ------
    ConfigError
        The text is not YAML, or more than `yaml_budget` affords, with line and column.
    """
    from ruamel.yaml import YAML

    with _in_words(text, file):
        afford(text, file)
        return YAML(typ="rt").load(text)


@contextmanager
def _in_words(text: str, file: str) -> Iterator[None]:
    """Turn what is wrong with a text into problems."""
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        yield
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        location = Location(file, mark.line + 1, mark.column + 1) if mark is not None else Location(file)
        lines = text.splitlines()
        line = lines[location.line - 1] if 0 < location.line <= len(lines) else ""
        message = str(error.problem or error.context or "cannot be read")
        raise ConfigError(Problem("bad-yaml", message, location, context=line)) from None
    except YAMLError as error:
        raise ConfigError(Problem("bad-yaml", str(error).splitlines()[0], Location(file))) from None
    except (ValueError, TypeError, AttributeError, KeyError, IndexError, AssertionError, NotImplementedError) as error:
        # What ruamel says of dates that do not exist, tags that do not fit their text, and the like.
        raise ConfigError(Problem("bad-yaml", f"this cannot be read: {error}", Location(file))) from None


class _Reader:
    """Turns YAML nodes into plain values and remembers where they stand."""

    def __init__(self, document: Document) -> None:
        self.keys: dict[Where, tuple[int, int]] = {}
        self.values: dict[Where, tuple[int, int]] = {}
        self.problems: list[Problem] = []
        self.document = replace(document, keys=self.keys, values=self.values)

    def value(self, node: Any, where: Where) -> Any:
        self.values[where] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if node.id == "mapping":
            return self.mapping(node, where)
        if node.id == "sequence":
            return [self.value(item, (*where, i)) for i, item in enumerate(node.value)]
        return _scalar(node.tag if isinstance(node.tag, str) else str(node.tag), node.value)

    def mapping(self, node: Any, where: Where) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value) if key.id == "scalar" else "?"
            inner = (*where, name)
            before = self.keys.get(inner)
            self.keys[inner] = (key.start_mark.line + 1, key.start_mark.column + 1)
            if name in mapping:
                hint = f"It was given before in line {before[0]}." if before else ""
                self.problems.append(
                    self.document.problem("duplicate-key", f"{name!r} is given twice", inner, True, hint=hint)
                )
            mapping[name] = self.value(value, inner)
        return mapping


def _scalar(tag: str, text: str) -> Any:
    kind = tag.rpartition(":")[2]
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind in ("int", "float"):
        try:
            return int(text.replace("_", ""), 0) if kind == "int" else float(text.replace("_", ""))
        except ValueError:
            return text
    # YAML asks for a sign in the exponent; people write 1e6.
    if re.fullmatch(r"[-+]?\d+(\.\d*)?[eE]\d+", text):
        return float(text)
    return text


def check_document(
    kind: type[Kind], document: Document, more: Callable[[Document], Iterator[Problem]] | None = None
) -> Kind:
    """Return a checked object.

    Parameters
    ----------
    more
        Further checks across the document, on its plain values, so that they run however much else is wrong.

    Raises
    ------
    ConfigError
        Everything wrong, in the order of the file.
    """
    problems = list(document.problems)
    validated: Kind | None = None
    if not isinstance(document.data, dict):
        kind_of_data = "nothing" if document.data is None else type(document.data).__name__
        problems.append(document.problem("wrong-type", "the file must hold keys and values", (), found=kind_of_data))
    else:
        try:
            validated = kind.model_validate(document.data)
        except ValidationError as error:
            for detail in of_one_choice(error.errors()):
                problems.extend(_translated(detail, kind, document))
        if more is not None:
            problems.extend(more(document))
    if problems or validated is None:
        unique = {(p.location, p.kind, p.message): p for p in problems}
        raise ConfigError(sorted(unique.values(), key=lambda p: (p.location.line, p.location.column)))
    return validated


def _translated(error: Any, kind: type[BaseModel], document: Document) -> list[Problem]:
    where: Where = tuple(part for part in error["loc"] if part != "[key]")
    name = _subject(where)
    input_text = _shown(error.get("input"))
    match error["type"]:
        case "betapod":
            return [document.moved(problem, where) for problem in error["ctx"]["problems"]]
        case "missing":
            return [document.problem("missing-key", f"{name!r} is missing", where[:-1], key=True, expected=name)]
        case "extra_forbidden":
            mapping_model = _model_at(kind, where[:-1])
            fields = list(mapping_model.model_fields)
            today = mapping_model.renamed.get(name) if issubclass(mapping_model, Settings) else None
            expected = ", ".join(fields)
            return [
                document.problem(
                    "unknown-key",
                    f"{name!r} means nothing here",
                    where,
                    True,
                    expected=expected,
                    hint=f"It is now called {today!r}." if today else did_you_mean(name, fields),
                )
            ]
        case "literal_error" | "enum":
            options = re.findall(r"'([^']*)'", error["ctx"]["expected"])
            hint = did_you_mean(str(error["input"]), options)
            return [
                document.problem(
                    "unknown-choice",
                    f"{name} cannot be {input_text}",
                    where,
                    found=input_text,
                    expected=", ".join(options),
                    hint=hint,
                )
            ]
    words = in_words(error["type"], str(error["msg"]), error.get("ctx") or {})
    message = f"{name}: {words.message}"
    return [document.problem(words.kind, message, where, found=input_text, expected=words.expected, hint=words.hint)]


def _subject(where: Where) -> str:
    """Return what an error is about: a key, or an entry of a list by its number from 1."""
    if not where:
        return "the file"
    last = where[-1]
    keys = [part for part in where if isinstance(part, str)]
    return f"entry {last + 1} of {keys[-1]}" if isinstance(last, int) and keys else str(last)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "keys and values"
    if isinstance(value, list):
        return "a list"
    return "nothing" if value is None else repr(value)


def _model_at(kind: type[BaseModel], where: Where) -> type[BaseModel]:
    """Return the model of a mapping at a place, whose fields are the keys that it may have."""
    from typing import get_args

    def inner(annotation: Any) -> type[BaseModel] | None:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return annotation
        return next(filter(None, (inner(part) for part in get_args(annotation))), None)

    here: type[BaseModel] = kind
    for part in where:
        annotation = here.model_fields.get(part) if isinstance(part, str) else None
        if annotation is None:
            # A position in a list or a name in a mapping: its content is the model that was found already.
            continue
        here = inner(annotation.annotation) or here
    return here
