"""SBML metadata: unit definitions, sources of numbers, notes."""

from __future__ import annotations

import re
from html import escape
from typing import Any

from ...base.errors import UnitError
from ...base.units import Unit, parse_unit
from ...model.bibliography import BibliographyEntry
from ...model.parameters.table import Parameter

#: SBML kind of each base dimension. Insulin units and cells are counted; 1.73 m2 of normalisation is a plain number.
_KINDS = {
    "[length]": "metre",
    "[time]": "second",
    "[mass]": "gram",
    "[substance]": "mole",
    "[temperature]": "kelvin",
    "[current]": "ampere",
    "[luminosity]": "candela",
    "[biological_activity]": "item",
    "[cell_count]": "item",
    "[item_count]": "item",
    "[body_surface_normalisation]": "dimensionless",
}
_PLAIN = "dimensionless"


class UnitWriter:
    """Writes unit definitions as they are needed, one for each dimension and scale."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self._written: dict[tuple[Any, ...], str] = {}

    def identifier(self, text: str) -> str | None:
        """Return the SBML identifier of a unit; None where the text is not a unit."""
        try:
            unit = parse_unit(text)
        except UnitError:
            return None
        return self.define(unit)

    def define(self, unit: Unit) -> str:
        """Return the SBML identifier of a unit, written if it is not yet."""
        if unit.plain:
            return _PLAIN
        key = (unit.dimensions, float(f"{unit.scale:.12g}"))
        if key not in self._written:
            self._written[key] = self._define(unit)
        return self._written[key]

    def _define(self, unit: Unit) -> str:
        import libsbml

        readable = unit.text.replace("%", "percent").replace("1.73 m2", "bsa").replace("1.73m2", "bsa")
        stem = re.sub(r"\W+", "_", readable.replace("/", "_per_").replace("^", "")).strip("_") or "unit"
        stem = stem if re.match(r"[A-Za-z_]", stem) else f"unit_{stem}"
        identifier, number = stem, 1
        while self.model.getUnitDefinition(identifier) is not None or libsbml.UnitKind_isValidUnitKindString(
            identifier, 3, 2
        ):
            number += 1
            identifier = f"{stem}_{number}"
        definition = self.model.createUnitDefinition()
        definition.setId(identifier)
        definition.setName(unit.text)
        scale = unit.scale
        for dimension, power in unit.dimensions:
            part = definition.createUnit()
            part.setKind(libsbml.UnitKind_forName(_KINDS[dimension]))
            part.setExponent(float(power))
            part.setScale(0)
            # The whole scale sits on the first kind that can carry it exactly.
            carries = scale != 1.0 and abs(power) == 1 and _KINDS[dimension] != _PLAIN
            part.setMultiplier(scale ** float(power) if carries else 1.0)
            scale = 1.0 if carries else scale
        if abs(scale - 1.0) > 1e-12 or not unit.dimensions:
            part = definition.createUnit()
            part.setKind(libsbml.UnitKind_forName(_PLAIN))
            part.setExponent(1.0)
            part.setScale(0)
            part.setMultiplier(scale)
        return identifier


def annotate_parameter(element: Any, row: Parameter, entry: BibliographyEntry | None) -> None:
    """Attach role, grade, source and note of a number to its SBML parameter."""
    lines = [f"role: {row.role}", f"grade: {row.grade}"]
    if row.source:
        lines.append(f"source: {entry.readable() if entry is not None else row.source}")
    if row.locator:
        lines.append(f"where: {row.locator}")
    if row.low > -float("inf") or row.high < float("inf"):
        lines.append(f"plausible: {row.low:g} to {row.high:g} {row.unit}")
    if row.distribution != "fixed":
        lines.append(f"distribution: {row.distribution}")
    if row.note:
        lines.append(f"note: {row.note}")
    attach_note(element, lines)
    if entry is not None:
        refer(element, entry)


def attach_note(element: Any, lines: list[str]) -> None:
    """Attach paragraphs of plain text."""
    body = "".join(f"<p>{escape(line, quote=False)}</p>" for line in lines if line)
    if body:
        element.setNotes(f'<body xmlns="http://www.w3.org/1999/xhtml">{body}</body>')


def refer(element: Any, entry: BibliographyEntry) -> None:
    """Attach a work as MIRIAM ``isDescribedBy``, where it has a DOI or a PubMed number."""
    import libsbml

    places = []
    if entry.fields.get("doi"):
        places.append(f"https://identifiers.org/doi:{entry.fields['doi']}")
    if entry.fields.get("pmid"):
        places.append(f"https://identifiers.org/pubmed:{entry.fields['pmid']}")
    if not places:
        return
    element.setMetaId(f"meta_{element.getId()}")
    term = libsbml.CVTerm(libsbml.BIOLOGICAL_QUALIFIER)
    term.setBiologicalQualifierType(libsbml.BQB_IS_DESCRIBED_BY)
    for resource in places:
        term.addResource(resource)
    element.addCVTerm(term)
