"""A CellML file with all that it imports, from the folders beside it: where things stand, and what is refused before libcellml."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ...base.errors import ExchangeError, Location, Problem
from ..foreign.foreign_file import TEXT, file_and_text
from ..foreign.nesting_guard import check_depth
from .cellml_tree import MATHML, XLINK, XmlElement, cellml_version, parse_cellml

#: Elements within elements that the XML reader of libcellml takes.
_DEEPEST = 250
_QUOTED = re.compile(r"'([^']*)'")


@dataclass(eq=False)
class CellmlFile:
    """One file.

    Attributes
    ----------
    key
        What it is called where another file imports it, in the text that libcellml reads.
    imports
        The files that its elements of import name.
    """

    file: str
    model: XmlElement
    key: str
    imports: dict[XmlElement, CellmlFile] = field(default_factory=dict)

    @property
    def version(self) -> tuple[int, int]:
        """The two parts of the version of CellML."""
        return cellml_version(self.model)

    def all_files(self) -> list[CellmlFile]:
        """Return the file and all that it needs, each once."""
        files = [self]
        for file in files:
            files += [other for other in file.imports.values() if other not in files]
        return list(dict.fromkeys(files))

    def component(self, name: str) -> tuple[CellmlFile, XmlElement] | None:
        """Return where a component stands: through imports in the file that defines it."""
        for element in self.model.elements("component"):
            if element.attribute("name") == name:
                return self, element
        for imported, file in self.imports.items():
            for element in imported.elements("component"):
                if element.attribute("name") == name:
                    return file.component(element.attribute("component_ref")) or (self, element)
        return None

    def location(self, component: str = "", variable: str = "", words: str = "") -> Location:
        """Return where a variable, or what a message says of a component, stands; the file where that is not known.

        Parameters
        ----------
        words
            A message; what it has between quotation marks is looked for in the formulas of the component.
        """
        standing = self.component(component)
        if standing is None:
            candidates = (file.component(component) for file in self.all_files()[1:])
            standing = next((candidate for candidate in candidates if candidate is not None), None)
        if standing is None:
            return Location(self.file, _line_of(self.model, words))
        file, element = standing
        for child in element.elements("variable"):
            if variable and child.attribute("name") == variable:
                return Location(file.file, child.line)
        return Location(file.file, _line_in_formulas(element, words) or element.line)

    def equation_location(self, component: str, variable: str) -> Location:
        """Return where the formula of a variable begins; where there is none, where the variable stands."""
        standing = self.component(component)
        for equation in _equations(standing[1]) if standing is not None else ():
            sides = [side for side in equation.elements() if side.name != "eq"]
            names = [e.text for e in sides[0].below() if e.name == "ci"] if sides else []
            if names and names[-1] == variable:
                return Location(standing[0].file if standing else self.file, equation.line)
        return self.location(component, variable)


def _equations(component: XmlElement) -> Iterator[XmlElement]:
    for element in component.elements("math"):
        yield from element.elements("apply")


def _line_in_formulas(parent: XmlElement, words: str) -> int:
    """Return the line of the first part of a formula that a message names between quotation marks; 0 where there is none."""
    quoted = set(_QUOTED.findall(words)) - {parent.attribute("name")}
    for element in parent.below():
        is_part = element.space == MATHML and element.name not in ("math", "apply")
        if is_part and (element.name in quoted or element.text in quoted):
            return element.line
    return 0


def _line_of(model: XmlElement, words: str) -> int:
    """Return the line of the first element that a message quotes by its name, or of the first such part of a formula."""
    quoted = set(_QUOTED.findall(words)) - {model.attribute("name")}
    for element in model.elements():
        if element.attribute("name") in quoted:
            return element.line
    return _line_in_formulas(model, words) or model.line


def open_files(source: str | Path) -> CellmlFile:
    """Return a file, with all files that it imports.

    Raises
    ------
    ExchangeError
        Files that are missing or no CellML, imports from the network or in a circle, and what cannot be computed: resets and
        reactions. All of them are named.
    """
    file, text = file_and_text(source)
    problems: list[Problem] = []
    root = _opened(file, text, {}, problems)
    if root is None or problems:
        raise ExchangeError(list(dict.fromkeys(problems)))
    return root


def _opened(file: str, text: bytes, opened: dict[str, CellmlFile | None], problems: list[Problem]) -> CellmlFile | None:
    """Return one file of several; `opened` are those before it, None while their own imports are looked at."""
    real = str(Path(file).resolve())
    opened[real] = None
    try:
        check_depth(text, file, _DEEPEST)
        cellml_file = CellmlFile(file, parse_cellml(text, file), f"file-{len(opened)}.cellml")
    except ExchangeError as error:
        problems += error.problems
        return None
    problems += _refused(cellml_file)
    for element in cellml_file.model.elements("import"):
        imported = _imported(cellml_file, element, opened, problems)
        if imported is not None:
            cellml_file.imports[element] = imported
    opened[real] = cellml_file
    return cellml_file


def _imported(
    importing: CellmlFile, element: XmlElement, opened: dict[str, CellmlFile | None], problems: list[Problem]
) -> CellmlFile | None:
    """Return the file that an element of import names."""
    address = element.attribute("href", XLINK)
    location = Location(importing.file, element.line)
    parts = urlsplit(address)
    if not address:
        problems.append(Problem("invalid-cellml", "an import without xlink:href", location))
        return None
    if parts.scheme or parts.netloc:
        message, hint = f"the import of {address!r} is not followed", "Save it beside the file, and name it there."
        problems.append(Problem("unsupported", message, location, expected="a file beside", hint=hint))
        return None
    if importing.file == TEXT:
        message, hint = f"the text imports {address!r}", "Give the path of the file instead of its text."
        problems.append(Problem("no-file", message, location, hint=hint))
        return None
    path = Path(importing.file).parent / unquote(parts.path)
    if (real := str(path.resolve())) in opened:
        before = opened[real]
        if before is None:
            problems.append(Problem("cycle", f"the import of {address!r} leads back to this file", location))
        return before
    try:
        text = file_and_text(path)[1]
    except ExchangeError:
        problems.append(Problem("no-file", f"there is no file {str(path)!r}, which is imported", location))
        return None
    return _opened(str(path), text, opened, problems)


def _refused(cellml_file: CellmlFile) -> list[Problem]:
    """Return what cannot be computed, by name."""
    problems = []
    for component in cellml_file.model.elements("component"):
        name = component.attribute("name")
        for element in component.elements("reset", "reaction"):
            variable = element.attribute("variable")
            message = (
                f"the reset of {variable!r} in {name!r} is not supported"
                if element.name == "reset"
                else f"the reaction in {name!r} is not supported"
            )
            hint = "" if element.name == "reset" else "Write what it does to each variable as an equation."
            location = Location(cellml_file.file, element.line)
            problems.append(Problem("unsupported", message, location, hint=hint))
    for element in cellml_file.model.below():
        if element.space == MATHML and element.name == "csymbol":
            location = Location(cellml_file.file, element.line)
            problems.append(Problem("unsupported", "the element csymbol is not supported", location))
    return problems
