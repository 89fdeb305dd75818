"""The part of XPath by which SED-ML points into a model: steps with conditions on attributes, and an attribute at the end."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass

from .xml_document import local_name

_STEP = re.compile(
    r"(?P<axis>//?)(?:descendant::|child::)?(?:(?P<prefix>[\w.-]+):)?(?P<name>[\w.-]+|\*)(?P<conditions>(?:\[[^\]]*\])*)"
)
_ATTRIBUTE = re.compile(r"/(?:@|attribute::)(?:[\w.-]+:)?(?P<name>[\w.-]+)\s*$")
_EQUAL = re.compile(r"""\s*@(?:[\w.-]+:)?(?P<name>[\w.-]+)\s*=\s*(?:'(?P<one>[^']*)'|"(?P<two>[^"]*)")\s*""")


@dataclass(frozen=True)
class XmlTarget:
    """What a path points at.

    Attributes
    ----------
    element
        The element.
    parent
        The element that holds it; none of the root.
    attribute
        Attribute of the element, if the path ends with one.
    owners
        All elements above it, the nearest first.
    """

    element: ET.Element
    parent: ET.Element | None
    attribute: str = ""
    owners: tuple[ET.Element, ...] = ()


def targets_at(root: ET.Element, path: str) -> list[XmlTarget] | None:
    """Return what a path points at; nothing for a path that is not understood.

    Namespaces are not compared: files often name another level than the model has, and mean the same element.

    Parameters
    ----------
    root
        Root of the model's document.
    path
        Such as ``/sbml:sbml/sbml:model/sbml:listOfParameters/sbml:parameter[@id='k']/@value``.

    Examples
    --------
    >>> import xml.etree.ElementTree as ET
    >>> from betapod.exchange.sedml.xml_paths import targets_at
    >>> root = ET.fromstring("<a><b id='k' value='1'/><b id='m'/></a>")
    >>> [target.element.get("id") for target in targets_at(root, "/x:a/x:b[@id='k']/@value")]
    ['k']
    """
    text = path.strip()
    attribute = ""
    if end := _ATTRIBUTE.search(text):
        attribute, text = end["name"], text[: end.start()]
    steps, position = [], 0
    while position < len(text):
        step = _STEP.match(text, position)
        if step is None:
            return None
        steps.append(step)
        position = step.end()
    if not steps:
        return None
    above = ET.Element("document")
    above.append(root)
    reached: list[tuple[ET.Element, ...]] = [(above,)]
    for step in steps:
        conditions = _conditions(step["conditions"])
        if conditions is None:
            return None
        reached = [chain for trail in reached for chain in _next(trail, step["axis"], step["name"], conditions)]
    return [XmlTarget(c[-1], c[-2] if len(c) > 2 else None, attribute, c[-2:0:-1]) for c in reached]


def _conditions(text: str) -> list[dict[str, str] | int] | None:
    """Return conditions: attributes with their values, or a number in the row."""
    conditions: list[dict[str, str] | int] = []
    for inside in re.findall(r"\[([^\]]*)\]", text):
        if inside.strip().isdigit():
            conditions.append(int(inside))
            continue
        wanted = {}
        for part in re.split(r"\band\b", inside):
            equal = _EQUAL.fullmatch(part)
            if equal is None:
                return None
            wanted[equal["name"]] = equal["one"] if equal["one"] is not None else equal["two"]
        conditions.append(wanted)
    return conditions


def _next(
    trail: tuple[ET.Element, ...], axis: str, name: str, conditions: Iterable[dict[str, str] | int]
) -> list[tuple[ET.Element, ...]]:
    chains = [(*trail, child) for child in trail[-1]] if axis == "/" else list(_below(trail))
    chains = [chain for chain in chains if name in ("*", local_name(chain[-1]))]
    for condition in conditions:
        if isinstance(condition, int):
            chains = chains[condition - 1 : condition]
        else:
            chains = [c for c in chains if all(attribute_of(c[-1], k) == v for k, v in condition.items())]
    return chains


def _below(trail: tuple[ET.Element, ...]) -> Iterable[tuple[ET.Element, ...]]:
    for child in trail[-1]:
        yield (*trail, child)
        yield from _below((*trail, child))


def attribute_of(element: ET.Element, name: str) -> str | None:
    """Return an attribute, whatever its namespace.

    Examples
    --------
    >>> import xml.etree.ElementTree as ET
    >>> from betapod.exchange.sedml.xml_paths import attribute_of
    >>> attribute_of(ET.fromstring("<a x:id='k' xmlns:x='urn:x'/>"), "id")
    'k'
    """
    if name in element.attrib:
        return element.attrib[name]
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), None)
