"""Resource limits of YAML input: nesting depth, number of values, no recursive aliases; checked before parsing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .errors import ConfigError, Location, Problem

#: Levels of nesting, and values with those that aliases repeat. What people write has 10 levels and some thousand values.
DEPTH, VALUES = 60, 50_000
#: Characters of a text.
SIZE = 1_000_000
#: What no file and no terminal can show, though YAML can spell it: control characters but tab and line ends; half characters.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")


@dataclass
class _Open:
    """A list or mapping that is being read: its anchor, the values in it so far, the levels below it."""

    anchor: str | None
    values: int = 1
    levels: int = 0


def afford(text: str, file: str = "<text>") -> None:
    """Check that a text can be read without much time or memory.

    Raises
    ------
    ConfigError
        It is too long, too deep or too large, a value holds itself, or a text cannot be written; with line and column.
    ruamel.yaml.error.YAMLError
        It is no YAML.
    """
    from ruamel.yaml import YAML

    budget = _Budget(text, file)
    # Events come one by one; nothing calls itself, however deep the text is.
    for event in YAML(typ="safe", pure=True).parse(text):
        budget.take(event)


def compose(text: str, file: str = "<text>") -> Any:
    """Return the nodes of a text, checked as by `afford` while they are read, which costs half of doing one after the other.

    Raises
    ------
    ConfigError, ruamel.yaml.error.YAMLError
        As `afford`.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.parser import Parser

    budget = _Budget(text, file)

    class Watched(Parser):
        """What is too much stops here, before anything is made of it."""

        def get_event(self) -> Any:
            event = super().get_event()
            budget.take(event)
            return event

    # The round-trip reader would mark where folded text was folded.
    reader = YAML(typ="safe", pure=True)
    reader.Parser = Watched
    # YAML lets an anchor be given anew, and `known` counts the newest.
    reader.composer.warn_double_anchors = False
    return reader.compose(text)


class _Budget:
    """Counts while events pass."""

    def __init__(self, text: str, file: str) -> None:
        if len(text) > SIZE:
            length, limit = f"{len(text):,} characters", f"up to {SIZE:,}"
            raise ConfigError(Problem("too-large", "the file is too long", Location(file), length, limit))
        self.text, self.file = text, file
        self.open: list[_Open] = []
        self.known: dict[str, tuple[int, int]] = {}
        self.values = 0

    def take(self, event: Any) -> None:
        kind = type(event).__name__
        if kind in ("MappingStartEvent", "SequenceStartEvent"):
            self.open.append(_Open(event.anchor))
            self.check(event, 0)
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            done = self.open.pop()
            self.close(done.anchor, done.values, done.levels + 1)
        elif kind == "ScalarEvent":
            self.check(event, 1)
            self.close(event.anchor, 1, 0)
            if wrong := _UNPRINTABLE.search(event.value):
                message = f"the text holds a character that cannot be written: U+{ord(wrong.group()):04X}"
                raise self.problem(event, "bad-character", message)
        elif kind == "AliasEvent":
            if any(opened.anchor == event.anchor for opened in self.open):
                raise self.problem(event, "recursive-alias", f"the value {event.anchor!r} holds itself")
            values, levels = self.known.get(event.anchor, (1, 0))
            self.check(event, values, levels)
            self.close(None, values, levels)

    def close(self, anchor: str | None, values: int, levels: int) -> None:
        """Add a finished value to the one that holds it."""
        if anchor is not None:
            self.known[anchor] = (values, levels)
        if self.open:
            self.open[-1].values += values
            self.open[-1].levels = max(self.open[-1].levels, levels)

    def check(self, event: Any, values: int, levels: int = 0) -> None:
        self.values += values or 1
        depth = len(self.open) + levels
        if depth > DEPTH:
            raise self.problem(event, "too-deep", "the file is nested too deep", f"up to {DEPTH} levels")
        if self.values > VALUES:
            hint = "Aliases repeat what they stand for." if self.known else ""
            raise self.problem(event, "too-large", "the file holds too many values", f"up to {VALUES:,}", hint)

    def problem(self, event: Any, kind: str, message: str, expected: str = "", hint: str = "") -> ConfigError:
        mark = event.start_mark
        lines = self.text.splitlines()
        line = lines[mark.line] if mark.line < len(lines) else ""
        # A line of a thousand brackets helps nobody.
        context = line if len(line) <= 200 else ""
        location = Location(self.file, mark.line + 1, mark.column + 1)
        return ConfigError(Problem(kind, message, location, expected=expected, hint=hint, context=context))
