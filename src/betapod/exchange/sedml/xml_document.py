"""XML of foreign files: read without entities and without the network, with the line of every element."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from ...base.errors import ExchangeError, Location, Problem

#: Elements within elements; a simulation needs a dozen.
_DEEPEST = 300


@dataclass(frozen=True)
class XmlDocument:
    """A document with the place of each of its elements.

    Attributes
    ----------
    file
        Name for messages.
    lines
        Line of each element.
    text
        The document as it is in its file, if it is that.
    """

    file: str
    root: ET.Element
    lines: Mapping[ET.Element, int] = field(default_factory=dict)
    text: str = ""

    def place(self, element: ET.Element | None) -> Location:
        """Return where an element stands."""
        return Location(self.file, self.lines.get(element, 0) if element is not None else 0)


def local_name(element: ET.Element) -> str:
    """Return the name of an element without its namespace.

    Examples
    --------
    >>> import xml.etree.ElementTree as ET
    >>> from betapod.exchange.sedml.xml_document import local_name
    >>> local_name(ET.fromstring("<a:b xmlns:a='urn:a'/>"))
    'b'
    """
    tag = element.tag if isinstance(element.tag, str) else ""
    return tag.rpartition("}")[2]


def read_xml(content: bytes, file: str) -> XmlDocument:
    """Read a document.

    Parameters
    ----------
    content
        Its bytes.
    file
        Its name, for messages.

    Raises
    ------
    ExchangeError
        No XML; a document type declaration, which could name entities and other files; elements nested too deep.
    """
    builder, lines = ET.TreeBuilder(), {}
    parser = expat.ParserCreate(namespace_separator="}")
    depth = 0

    def refuse(kind: str, message: str, hint: str = "") -> None:
        location = Location(file, parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)
        raise ExchangeError(Problem(kind, message, location, hint=hint))

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            refuse("unsupported", f"elements nested deeper than {_DEEPEST} levels are not read")
        element = builder.start(_qualified(name), {_qualified(key): value for key, value in attributes.items()})
        lines[element] = parser.CurrentLineNumber

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_qualified(name))

    def doctype(*_: object) -> None:
        refuse("unsafe-xml", "a document type declaration is not read: it could name other files", "Remove it.")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        location = Location(file, error.lineno, error.offset + 1)
        raise ExchangeError(Problem("bad-xml", f"this is no XML: {expat.ErrorString(error.code)}", location)) from None
    except (LookupError, ValueError):
        problem = Problem("bad-encoding", "the file is in an encoding that is not read", Location(file, 1))
        raise ExchangeError(problem) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = ""
    return XmlDocument(file, builder.close(), lines, text)


def _qualified(name: str) -> str:
    return "{" + name if "}" in name else name
