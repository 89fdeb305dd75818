"""CellML files as trees with the lines of their elements, and as text in the form that libcellml reads.

libcellml keeps no lines, and is stricter with the details of older files than their versions are: it refuses identifiers of
metadata on formulas, and numbers such as `1e-3` in them. What says nothing about the mathematics (metadata, documentation) is left
out of the text that it is given, and numbers are written as it wants them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from ...base.errors import ExchangeError, Location, Problem

_CELLML = re.compile(r"http://www\.cellml\.org/cellml/(1\.0|1\.1|2\.0)#")
MATHML = "http://www.w3.org/1998/Math/MathML"
XLINK = "http://www.w3.org/1999/xlink"
_NUMBER = re.compile(r"([-+]?)(\d+\.?\d*|\.\d+)(?:[eE]([-+]?\d+))?")


@dataclass(eq=False)
class XmlElement:
    """An element of XML: its namespace and name, attributes by namespace and name, text and elements in order, and its line."""

    space: str
    name: str
    attributes: dict[tuple[str, str], str]
    line: int
    content: list[XmlElement | str] = field(default_factory=list)

    def elements(self, *names: str) -> Iterator[XmlElement]:
        """Yield the elements right inside, or only those with these names."""
        for part in self.content:
            if isinstance(part, XmlElement) and (not names or part.name in names):
                yield part

    def below(self) -> Iterator[XmlElement]:
        """Yield the element and all inside it, in the order of the file."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting += reversed(list(element.elements()))

    def attribute(self, name: str, space: str = "") -> str:
        """Return an attribute, empty where there is none."""
        return self.attributes.get((space, name), "")

    @property
    def text(self) -> str:
        """The text right inside, without space around it."""
        return "".join(part for part in self.content if isinstance(part, str)).strip()


def parse_cellml(text: bytes, file: str) -> XmlElement:
    """Return the tree of a CellML file.

    Raises
    ------
    ExchangeError
        It is not XML, or its outermost element is no model of CellML 1.0, 1.1 or 2.0.
    """
    parser = expat.ParserCreate(namespace_separator="\n")
    parser.buffer_text = True
    open_elements: list[XmlElement] = []
    outermost: list[XmlElement] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        by_name = {_split(key): value for key, value in attributes.items()}
        element = XmlElement(*_split(name), by_name, parser.CurrentLineNumber)
        (open_elements[-1].content if open_elements else outermost).append(element)
        open_elements.append(element)

    def end(_: str) -> None:
        open_elements.pop()

    def characters(data: str) -> None:
        open_elements[-1].content.append(data)

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, characters
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        message = f"the file is not XML: {expat.errors.messages[error.code]}"
        raise ExchangeError(
            Problem("invalid-cellml", message, Location(file, error.lineno, error.offset + 1))
        ) from None
    model = outermost[0]
    if not _CELLML.fullmatch(model.space) or model.name != "model":
        message = "the outermost element is not a model of CellML"
        expected = 'a model in the namespace "http://www.cellml.org/cellml/1.0#", 1.1# or 2.0#'
        outermost_name = f"{model.name} in {model.space!r}" if model.space else f"{model.name} in no namespace"
        raise ExchangeError(Problem("invalid-cellml", message, Location(file, model.line), outermost_name, expected))
    if cellml_version(model) < (2, 0):
        units_at_model(model)
    return model


def units_at_model(model: XmlElement) -> None:
    """Move units that a component of CellML 1.0 or 1.1 defines for itself to the model, where later versions have all of them.

    One that means something else there is called after its component.
    """
    named = {element.attribute("name"): _definition(element) for element in model.elements("units")}
    for imported in model.elements("import"):
        named |= {element.attribute("name"): () for element in imported.elements("units")}
    for component in model.elements("component"):
        local = list(component.elements("units"))
        new_names: dict[str, str] = {}
        for element in local:
            name, definition = element.attribute("name"), _definition(element)
            if named.get(name, definition) != definition or any(
                e.attribute("units") in new_names for e in element.elements()
            ):
                new_names[name] = f"{name}_of_{component.attribute('name')}"
        component.content = [part for part in component.content if part not in local]
        for element in (*local, component):
            for part in element.below():
                for key, value in part.attributes.items():
                    if key[1] == "units" or (key[1] == "name" and part in local):
                        part.attributes[key] = new_names.get(value, value)
        moved = [element for element in local if element.attribute("name") not in named]
        named |= {element.attribute("name"): _definition(element) for element in moved}
        model.content[:0] = moved


def _definition(units: XmlElement) -> tuple[object, ...]:
    """Return what a unit is defined as, without its name."""
    is_base = units.attribute("base_units")
    return (is_base, *(tuple(sorted(part.attributes.items())) for part in units.elements("unit")))


def cellml_version(model: XmlElement) -> tuple[int, int]:
    """Return the two parts of the version of CellML that a model is in."""
    match = _CELLML.fullmatch(model.space)
    assert match is not None
    level, _, version = match[1].partition(".")
    return int(level), int(version)


def is_cellml(text: bytes) -> bool:
    """Return whether what a file begins with names CellML as what it is."""
    return _CELLML.search(text.decode("utf-8", "replace")) is not None


def _split(name: str) -> tuple[str, str]:
    space, _, local = name.rpartition("\n")
    return space, local


def text_for_library(model: XmlElement, urls: dict[XmlElement, str]) -> str:
    """Return a model as libcellml reads it: without metadata and documentation, numbers as it wants them.

    Parameters
    ----------
    urls
        What each import is to be called there.
    """
    parts = ['<?xml version="1.0" encoding="UTF-8"?>\n']
    _write(model, parts, model.space, "", urls)
    return "".join(parts)


def _write(element: XmlElement, parts: list[str], cellml: str, around: str, urls: dict[XmlElement, str]) -> None:
    names = [f"<{element.name}"]
    if element.space != around:
        names.append(f" xmlns={quoteattr(element.space)}")
        if element.space == MATHML:
            names.append(f" xmlns:cellml={quoteattr(cellml)}")
    attributes, content = _number(element) if element.name == "cn" else (element.attributes, element.content)
    for (space, name), value in attributes.items():
        if not space:
            names.append(f" {name}={quoteattr(value)}")
        elif space == XLINK and name == "href":
            names.append(f' xmlns:xlink="{XLINK}" xlink:href={quoteattr(urls.get(element, value))}')
        elif _CELLML.fullmatch(space):
            names.append(f" cellml:{name}={quoteattr(value)}")
    parts.append(f"{''.join(names)}>")
    for part in content:
        if isinstance(part, str):
            parts.append(escape(part))
        elif part.space in (cellml, MATHML):
            _write(part, parts, cellml, element.space, urls)
    parts.append(f"</{element.name}>")


def _number(element: XmlElement) -> tuple[dict[tuple[str, str], str], list[XmlElement | str]]:
    """Return attributes and content of a number: powers of ten as a mantissa and an exponent, without a plus."""
    match = _NUMBER.fullmatch(element.text)
    if element.attribute("type") not in ("", "real") or match is None:
        return element.attributes, element.content
    sign = "-" if match[1] == "-" else ""
    mantissa = sign + match[2].rstrip(".")
    if match[3] is None:
        return element.attributes, [mantissa]
    separator = XmlElement(MATHML, "sep", {}, element.line)
    return {**element.attributes, ("", "type"): "e-notation"}, [mantissa, separator, match[3].removeprefix("+")]
