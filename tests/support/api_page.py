"""The reference page of the Python interface, written from the docstrings: ``python tests/support/api_page.py`` writes it anew."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import betapod
from betapod.base.display import Displayed

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "python.md"

HEAD = """# Python interface

Everything that `import betapod` offers, by what it is for. This page is written from the docstrings; their examples run in the tests. What is not
here is not public and may change without notice.

- `list_...` returns a table of what can be named, `load_...` one thing by its name.
- Results show themselves: a card in a notebook, `table` (pandas) with `units`, `plot()`, `to_csv(path)` with units in the column heads,
  `to_parquet(path)` with units in its metadata. A file that exists is replaced only where `overwrite=True` says so.
- Errors are those of `betapod.errors`: each says what is wrong, where, what was found and expected, and what to do; `error.problems` has them one by
  one, `error.kinds` by short stable names.
- Installed packages can add protocols, cohorts and parameter overlays by entry points of the groups `betapod.protocols` (path of a YAML file),
  `betapod.cohorts` (of a baseline table or of a CSV with one row per person) and `betapod.overlays` (of a CSV with parameters); the value may also be a
  function that returns the path.
"""


def groups() -> dict[str, list[str]]:
    """Return the public names by group, as the overview of the package has them."""
    table = (betapod.__doc__ or "").split("=============  ")[1].partition("\n")[2]
    found: dict[str, list[str]] = {}
    group = ""
    for line in table.splitlines():
        head, _, names = line.strip().partition("  ")
        if line[:1].strip():
            group = head
        else:
            names = line
        found.setdefault(group, []).extend(name for name in names.split() if name in betapod.__all__)
    return {name: names for name, names in found.items() if names and name != "errors"}


def page() -> str:
    """Return the page."""
    parts = [HEAD]
    for group, names in groups().items():
        parts.append(f"## {group.capitalize()}\n")
        # Functions before the classes that they give.
        for name in sorted(names, key=lambda each: isinstance(getattr(betapod, each), type)):
            parts += _entry(name, getattr(betapod, name), "###")
    for prefix, module in (("analyses", betapod.analyses), ("designs", betapod.designs)):
        parts += [f"## {prefix.capitalize()}\n", _prose(inspect.getdoc(module) or "")]
        for name in sorted(module.__all__, key=lambda each, module=module: isinstance(getattr(module, each), type)):
            parts += _entry(f"{prefix}.{name}", getattr(module, name), "###")
    parts.append("## What every result can do\n")
    parts += [line for name, member in _members(Displayed) for line in _entry(name, member, "####")]
    return "\n".join(parts).rstrip() + "\n"


def _entry(name: str, what: Any, level: str) -> Iterator[str]:
    yield f"{level} `{name}{_signature(what)}`\n"
    yield _markdown(inspect.getdoc(what) or "")
    if isinstance(what, type):
        properties = []
        for member, value in _members(what):
            if inspect.isfunction(value):
                yield from _entry(f"{what.__name__}.{member}", value, "####")
            else:
                properties.append(f"- `{what.__name__}.{member}`: {_inline(_first(value))}")
        if properties:
            yield "\n".join(properties) + "\n"


def _members(kind: type) -> Iterator[tuple[str, Any]]:
    """Give public methods and described properties that a class has of its own, or of a base that the page does not show."""
    members = vars(kind) | {
        name: member
        for base in kind.__mro__[1:]
        if base.__module__.startswith("betapod.") and not hasattr(betapod, base.__name__) and base is not Displayed
        for name, member in vars(base).items()
        if name not in vars(kind)
    }
    for name, member in members.items():
        if name.startswith("_"):
            continue
        value = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
        if inspect.isfunction(value) or isinstance(value, (property, functools.cached_property)):
            yield name, value


def _signature(what: Any) -> str:
    if isinstance(what, type):
        return ""
    parameters = [each for each in inspect.signature(what).parameters.values() if each.name not in ("self", "cls")]
    words = []
    starred = False
    for each in parameters:
        if each.kind is each.KEYWORD_ONLY and not starred:
            words.append("*")
        starred = starred or each.kind in (each.KEYWORD_ONLY, each.VAR_POSITIONAL)
        star = {each.VAR_POSITIONAL: "*", each.VAR_KEYWORD: "**"}.get(each.kind, "")
        default = "" if each.default is each.empty else f"={each.default!r}"
        words.append(f"{star}{each.name}{default}")
    return f"({', '.join(words)})"


def _first(member: Any) -> str:
    return (inspect.getdoc(member) or "").split("\n\n")[0]


def _inline(text: str) -> str:
    text = re.sub(r"``(.+?)``", r"`\1`", " ".join(text.split()))
    return text.replace("<", "&lt;") if "<" in re.sub(r"`[^`]*`", "", text) else text


def _markdown(doc: str) -> str:
    """Return a docstring as Markdown: sections as bold words, entries as a list, examples as they stand."""
    parts = re.split(r"^([A-Z][A-Za-z]+)\n-{3,}\n", doc, flags=re.MULTILINE)
    blocks = [_prose(parts[0])]
    for title, body in zip(parts[1::2], parts[2::2], strict=True):
        if title == "Examples":
            blocks.append(f"```text\n{body.strip()}\n```\n")
        elif title in ("Notes", "References"):
            blocks.append(f"*{title}*. {_inline(body)}\n")
        else:
            blocks.append(f"*{title}*\n\n" + "\n".join(_items(body)) + "\n")
    return "\n".join(blocks)


def _prose(text: str) -> str:
    return "\n\n".join(_inline(paragraph) for paragraph in text.strip().split("\n\n")) + "\n"


def _items(body: str) -> Iterator[str]:
    for head, text in re.findall(r"^(\S[^\n]*)\n((?:    [^\n]*\n?|\n)*)", body.strip() + "\n", re.MULTILINE):
        yield f"- `{head}`: {_inline(text)}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
