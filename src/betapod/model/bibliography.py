"""Bibliography: read BibTeX, and cite the sources of a model's parameters."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..base.arguments import instance
from ..base.errors import Location, ParameterError, Problem
from .assembly.model import Model
from .parameters.table import Parameter, source_keys

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_KEY = re.compile(r"[^\s,{}()=#%\"']+")
_REASONS = {
    "literature": "Values that these works state",
    "derived": "Values that follow from numbers in these works",
    "calibrated": "Works that calibrated values refer to",
    "tuned": "Works whose numbers values were tuned to",
}


@dataclass(frozen=True)
class BibliographyEntry:
    """One work: BibTeX type, key and fields (names in lower case, values without outer braces)."""

    kind: str
    key: str
    fields: Mapping[str, str] = field(default_factory=dict)
    location: Location = field(default_factory=Location)

    def bibtex(self) -> str:
        """Return the entry as BibTeX."""
        lines = [f"@{self.kind}{{{self.key},"]
        lines += [f"  {name} = {{{value}}}," for name, value in self.fields.items()]
        return "\n".join([*lines, "}"])

    def readable(self) -> str:
        """Return one line for a list of references; fields that are unknown are left out."""
        get = {name: _plain(value) for name, value in self.fields.items()}.get
        authors = get("author", "").replace(" and others", " et al.").replace(" and ", "; ")
        where = get("journal") or get("booktitle") or get("publisher") or get("howpublished") or ""
        volume = get("volume", "") + (f"({get('number')})" if get("number") else "")
        pages = get("pages", "").replace("--", "-")
        numbers = ":".join(filter(None, (volume, pages)))
        published_in = " ".join(filter(None, (where, get("year", "")))) + (f";{numbers}" if numbers else "")
        identifiers = [f"doi:{get('doi')}"] if get("doi") else []
        identifiers += [f"PMID {get('pmid')}"] if get("pmid") else []
        identifiers += [get("pmcid", "")] if get("pmcid") else []
        identifiers += [get("url", "")] if get("url") and not identifiers else []
        parts = [authors, get("title", ""), published_in, ", ".join(identifiers)]
        text = ". ".join(part.rstrip(".") for part in parts if part)
        return f"{text}." + (f" ({get('note')})" if get("note") else "")

    @property
    def link(self) -> str:
        """Address of the work, or an empty string."""
        get = self.fields.get
        if get("doi"):
            return f"https://doi.org/{get('doi')}"
        if get("pmid"):
            return f"https://pubmed.ncbi.nlm.nih.gov/{get('pmid')}/"
        if get("pmcid"):
            return f"https://www.ncbi.nlm.nih.gov/pmc/articles/{get('pmcid')}/"
        return get("url", "")


def _plain(value: str) -> str:
    return " ".join(re.sub(r"[{}]", "", value.replace("\\&", "&").replace("\\%", "%").replace("~", " ")).split())


class Bibliography(Mapping[str, BibliographyEntry]):
    """Works by key, in file order.

    Examples
    --------
    >>> import betapod, pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> text = "@article{Topp2000, author = {Topp, B}, title = {A model}, journal = {J Theor Biol}, year = {2000}}"
    >>> _ = (folder / "works.bib").write_text(text)
    >>> works = betapod.Bibliography.read(folder / "works.bib")
    >>> list(works)
    ['Topp2000']
    """

    def __init__(self, entries: Iterable[BibliographyEntry]) -> None:
        self._entries = {entry.key: entry for entry in entries}

    def __getitem__(self, key: str) -> BibliographyEntry:
        return self._entries[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    @classmethod
    def read(cls, *paths: str | Path) -> Bibliography:
        """Read one or more BibTeX files.

        Parameters
        ----------
        paths
            Files.

        Returns
        -------
        Bibliography
            Works by key, in file order.

        Raises
        ------
        ParameterError
            Everything in the files that cannot be read, and keys given twice.

        Examples
        --------
        >>> import betapod, pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> text = "@article{Topp2000, author = {Topp, B}, title = {A model}, journal = {J Theor Biol}, year = {2000}}"
        >>> _ = (folder / "works.bib").write_text(text)
        >>> works = betapod.Bibliography.read(folder / "works.bib")
        >>> works["Topp2000"].fields["year"]
        '2000'
        """
        entries: dict[str, BibliographyEntry] = {}
        problems: list[Problem] = []
        for path in paths:
            try:
                text = Path(path).read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError) as error:
                problems.append(
                    Problem("unreadable-file", f"cannot read the bibliography: {error}", Location(str(path)))
                )
                continue
            entries_of_file, bad = parse_bibtex(text, str(path))
            problems.extend(bad)
            for entry in entries_of_file:
                if entry.key in entries:
                    problems.append(
                        Problem(
                            "two-entries",
                            f"{entry.key!r} has two entries",
                            entry.location,
                            expected=f"one; the first is at {entries[entry.key].location}",
                        )
                    )
                entries.setdefault(entry.key, entry)
        if problems:
            raise ParameterError(problems)
        return cls(entries.values())


class _Bad(Exception):
    """A place where an entry cannot be read on."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.strings: dict[str, str] = {month: month for month in _MONTHS}

    def skip(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def peek(self) -> str:
        self.skip()
        return self.text[self.at] if self.at < len(self.text) else ""

    def expect(self, characters: str) -> str:
        character = self.peek()
        if not character or character not in characters:
            raise _Bad(f"expected {' or '.join(characters)}, found {character or 'the end of the file'}", self.at)
        self.at += 1
        return character

    def word(self, subject: str) -> str:
        self.skip()
        match = _KEY.match(self.text, self.at)
        if match is None:
            raise _Bad(f"{subject} is missing", self.at)
        self.at = match.end()
        return match.group()

    def balanced(self, closing: str) -> str:
        """Read up to the closing character at brace depth 0."""
        start, depth = self.at, 0
        while self.at < len(self.text):
            letter = self.text[self.at]
            if letter == closing and depth == 0:
                self.at += 1
                return self.text[start : self.at - 1]
            if letter == "\\":
                self.at += 1
            elif letter == "{":
                depth += 1
            elif letter == "}":
                depth -= 1
            self.at += 1
        raise _Bad(f"the closing {closing} is missing", start)

    def value(self) -> str:
        pieces = []
        while True:
            letter = self.peek()
            if letter in ("{", '"') and letter:
                self.at += 1
                pieces.append(self.balanced("}" if letter == "{" else '"'))
            else:
                word = self.word("a value")
                pieces.append(word if word.isdigit() else self.strings.get(word.lower(), word))
            if self.peek() != "#":
                return " ".join("".join(pieces).split())
            self.at += 1


def parse_bibtex(text: str, file: str = "<text>") -> tuple[list[BibliographyEntry], list[Problem]]:
    """Read BibTeX; problems are collected and every entry that can be read is returned. Text between entries is a comment."""
    scanner = _Scanner(text)
    entries: list[BibliographyEntry] = []
    problems: list[Problem] = []

    def place(at: int) -> Location:
        return Location(file, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))

    while True:
        start = text.find("@", scanner.at)
        if start < 0:
            return entries, problems
        line_start = text.rfind("\n", 0, start) + 1
        if text[line_start:start].lstrip().startswith("%"):
            scanner.at = start + 1
            continue
        scanner.at = start + 1
        try:
            kind = scanner.word("the type of the entry").lower()
            closing = "}" if scanner.expect("{(") == "{" else ")"
            if kind in ("comment", "preamble"):
                scanner.balanced(closing)
            elif kind == "string":
                name = scanner.word("a name").lower()
                scanner.expect("=")
                scanner.strings[name] = scanner.value()
                scanner.expect(closing)
            else:
                entries.append(_entry(scanner, kind, closing, place(start)))
        except _Bad as bad:
            problems.append(Problem("bad-bibtex", str(bad), place(bad.at)))
            following = re.search(r"^\s*@", text[max(bad.at, start + 1) :], re.MULTILINE)
            if following is None:
                return entries, problems
            scanner.at = max(bad.at, start + 1) + following.end() - 1


def _entry(scanner: _Scanner, kind: str, closing: str, location: Location) -> BibliographyEntry:
    key = scanner.word("the key of the entry")
    fields: dict[str, str] = {}
    while scanner.expect("," + closing) == ",":
        if scanner.peek() == closing:
            continue
        name = scanner.word("a field name").lower()
        scanner.expect("=")
        fields[name] = scanner.value()
    return BibliographyEntry(kind, key, fields, location)


def bibtex_of(model: Model, bibliography: Mapping[str, BibliographyEntry]) -> str:
    """Return BibTeX of exactly the works that a model's rows cite, grouped by the reason.

    A comment above each entry names the rows that rest on it, with the place in the work. A work cited for several reasons stands
    once, under the first. Keys that the bibliography lacks (fits have none) are listed in a comment.
    """
    instance("model", model, Model, "a model, such as load_model('kidney')")
    instance("bibliography", bibliography, Mapping, "a Bibliography")
    rows = [*model.parameters.values(), *model.inputs.values()]
    done: set[str] = set()
    missing: list[str] = []
    out = [f"% Works that the parameters of the model {model.name!r} cite."]
    for role, reason in _REASONS.items():
        keys = [key for key in source_keys(row for row in rows if row.role == role) if key not in done]
        present = [key for key in keys if key in bibliography]
        missing += [key for key in keys if key not in bibliography]
        done.update(keys)
        if present:
            out += ["", f"% {'=' * 10} {reason} {'=' * 10}"]
        for key in present:
            out += ["", *_reasons(key, rows), bibliography[key].bibtex()]
    if missing:
        out += ["", f"% Not works but fits or keys without an entry: {', '.join(missing)}"]
    return "\n".join(out) + "\n"


def _reasons(key: str, rows: Iterable[Parameter]) -> list[str]:
    """Return comment lines: which rows rest on a work, by role and by place in it."""
    groups: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if key in source_keys([row]):
            groups.setdefault((row.role, row.locator), []).append(row.id)
    lines: list[str] = []
    for (role, locator), names in groups.items():
        text = f"{role}{f' ({locator})' if locator else ''}: {', '.join(names)}"
        lines += textwrap.wrap(text, 110, initial_indent="% ", subsequent_indent="%   ", break_long_words=False)
    return lines
