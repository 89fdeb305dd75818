"""Read the outputs of SED-ML: reports and plots; those of other kinds are left out by name."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping

from ...base.errors import Problem, did_you_mean
from .sedml_document import SedmlAxis, SedmlColumn, SedmlCurve, SedmlGenerator, SedmlPlot, SedmlReport
from .xml_document import XmlDocument, local_name

_AXES = {"xAxis": "x", "yAxis": "y", "rightYAxis": "right"}
_WORDS = {"plot3D": "a plot in three dimensions", "figure": "an arrangement of plots, each of which is drawn alone"}


class SedmlOutputReader:
    """Collects reports and plots.

    Attributes
    ----------
    notes
        Sentences on outputs that are left out.
    """

    def __init__(
        self, document: XmlDocument, problems: list[Problem], generators: Mapping[str, SedmlGenerator]
    ) -> None:
        self.document, self.problems, self.generators = document, problems, generators
        self.reports: list[SedmlReport] = []
        self.plots: list[SedmlPlot] = []
        self.notes: list[str] = []
        self.refused = False

    def add(self, element: ET.Element) -> None:
        """Read one output."""
        kind, name = local_name(element), element.get("id") or f"output_{len(self.reports) + len(self.plots) + 1}"
        label = element.get("name") or name
        if kind == "report":
            columns = tuple(self._column(e) for e in _children(element, "listOfDataSets"))
            self.reports.append(SedmlReport(name, label, columns, self.document.place(element)))
        elif kind == "plot2D":
            self.plots.append(self._plot(element, name, label))
        else:
            words = _WORDS.get(kind, f"an output of the kind {kind}")
            self.notes.append(f"{name} ({kind}, line {self.document.place(element).line}) is left out: {words}.")

    def _column(self, element: ET.Element) -> SedmlColumn:
        data = self._data(element, "dataReference")
        name = element.get("id") or data
        return SedmlColumn(name, element.get("label") or element.get("name") or name, data)

    def _data(self, element: ET.Element, *attributes: str) -> str:
        """Return the name of data, by the first of the attributes that is there."""
        name = next((element.attrib[a] for a in attributes if a in element.attrib), "")
        # Where parts before were refused, data may be missing for that reason alone.
        if name not in self.generators and not self.problems:
            location = self.document.place(element)
            message = f"{attributes[0]} names no data generator"
            hint = did_you_mean(name, self.generators)
            self.problems.append(Problem("unknown-name", message, location, name or "nothing", hint=hint))
        return name

    def _plot(self, element: ET.Element, name: str, label: str) -> SedmlPlot:
        axes = {_AXES[local_name(e)]: _axis(e) for e in element if local_name(e) in _AXES}
        curves = []
        for entry in _children(element, "listOfCurves"):
            x, title = self._data(entry, "xDataReference"), entry.get("name") or ""
            if local_name(entry) == "shadedArea":
                low, high = self._data(entry, "yDataReferenceFrom"), self._data(entry, "yDataReferenceTo")
                curves.append(SedmlCurve(entry.get("id") or low, title, x, low, high, "area"))
                continue
            y = self._data(entry, "yDataReference")
            right = entry.get("yAxis", "left") == "right"
            curves.append(SedmlCurve(entry.get("id") or y, title, x, y, "", entry.get("type", "points"), right))
            for axis, attribute in (("x", "logX"), ("y", "logY")):
                if entry.get(attribute, "false").lower() in ("true", "1"):
                    axes[axis] = SedmlAxis(axes.get(axis, SedmlAxis()).label, True)
        return SedmlPlot(name, label, tuple(curves), axes, self.document.place(element))


def _children(element: ET.Element, name: str) -> Iterable[ET.Element]:
    part = next((e for e in element if local_name(e) == name), None)
    return [e for e in (part if part is not None else ()) if local_name(e) not in ("", "notes", "annotation")]


def _axis(element: ET.Element) -> SedmlAxis:
    numbers: list[float | None] = []
    for attribute in ("min", "max"):
        try:
            numbers.append(float(element.attrib[attribute]))
        except (KeyError, ValueError):
            numbers.append(None)
    grid = element.get("grid", "false").lower() in ("true", "1")
    return SedmlAxis(element.get("name") or "", element.get("type") == "log10", numbers[0], numbers[1], grid)
