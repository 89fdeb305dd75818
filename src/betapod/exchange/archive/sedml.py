"""SED-ML Level 1 Version 4: one course of one model, as a report and a plot."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_SEDML = "http://sed-ml.org/sed-ml/level1/version4"
_SBML = "http://www.sbml.org/sbml/level3/version2/core"
_MATH = "http://www.w3.org/1998/Math/MathML"
#: CVODE, and its relative and absolute tolerances, in the ontology of algorithms KiSAO.
_CVODE, _RTOL, _ATOL = "KISAO:0000019", "KISAO:0000209", "KISAO:0000211"


@dataclass(frozen=True)
class TimeCourse:
    """What is simulated and reported.

    Attributes
    ----------
    end, steps
        Rows from 0 to the end, in so many steps of equal length.
    outputs
        Name that is shown, by identifier of the model's file.
    """

    model_file: str
    end: float
    steps: int
    outputs: Mapping[str, str]
    title: str
    rtol: float = 1e-9
    atol: float = 1e-12


def sedml_text(course: TimeCourse) -> str:
    """Return a simulation as SED-ML.

    Parameters
    ----------
    course
        Model, times and outputs.

    Returns
    -------
    str
        A document, the same for the same course.

    Examples
    --------
    >>> from betapod.exchange.archive.sedml import TimeCourse, sedml_text
    >>> text = sedml_text(TimeCourse("model.xml", 10.0, 5, {"GFR": "GFR [mL/min]"}, "kidney"))
    >>> 'level="1" version="4"' in text, 'numberOfSteps="5"' in text
    (True, True)
    """
    root = ET.Element("sedML", {"xmlns": _SEDML, "xmlns:sbml": _SBML, "level": "1", "version": "4"})
    models = ET.SubElement(root, "listOfModels")
    language = "urn:sedml:language:sbml.level-3.version-2"
    ET.SubElement(models, "model", {"id": "model", "language": language, "source": course.model_file})
    _simulation(ET.SubElement(root, "listOfSimulations"), course)
    tasks = ET.SubElement(root, "listOfTasks")
    ET.SubElement(tasks, "task", {"id": "task", "modelReference": "model", "simulationReference": "course"})
    generators = ET.SubElement(root, "listOfDataGenerators")
    _generator(generators, "time", "time", {"symbol": "urn:sedml:symbol:time"})
    for identifier, label in course.outputs.items():
        target = f"/sbml:sbml/sbml:model/sbml:listOfParameters/sbml:parameter[@id='{identifier}']"
        _generator(generators, identifier, label, {"target": target})
    outputs = ET.SubElement(root, "listOfOutputs")
    _report(outputs, course)
    _plot(outputs, course, list(course.outputs))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _simulation(parent: ET.Element, course: TimeCourse) -> None:
    times = {
        "initialTime": "0",
        "outputStartTime": "0",
        "outputEndTime": repr(course.end),
        "numberOfSteps": str(course.steps),
    }
    simulation = ET.SubElement(parent, "uniformTimeCourse", {"id": "course", **times})
    algorithm = ET.SubElement(simulation, "algorithm", {"kisaoID": _CVODE, "name": "CVODE"})
    parameters = ET.SubElement(algorithm, "listOfAlgorithmParameters")
    for term, value in ((_RTOL, course.rtol), (_ATOL, course.atol)):
        ET.SubElement(parameters, "algorithmParameter", {"kisaoID": term, "value": repr(value)})


def _generator(parent: ET.Element, identifier: str, label: str, source: Mapping[str, str]) -> None:
    generator = ET.SubElement(parent, "dataGenerator", {"id": f"data_{identifier}", "name": label})
    variables = ET.SubElement(generator, "listOfVariables")
    ET.SubElement(variables, "variable", {"id": f"of_{identifier}", **source, "taskReference": "task"})
    math = ET.SubElement(generator, "math", {"xmlns": _MATH})
    ET.SubElement(math, "ci").text = f"of_{identifier}"


def _report(parent: ET.Element, course: TimeCourse) -> None:
    report = ET.SubElement(parent, "report", {"id": "report", "name": course.title})
    sets = ET.SubElement(report, "listOfDataSets")
    for identifier, label in (("time", "time"), *course.outputs.items()):
        ET.SubElement(
            sets, "dataSet", {"id": f"column_{identifier}", "label": label, "dataReference": f"data_{identifier}"}
        )


def _plot(parent: ET.Element, course: TimeCourse, identifiers: Sequence[str]) -> None:
    plot = ET.SubElement(parent, "plot2D", {"id": "plot", "name": course.title})
    ET.SubElement(plot, "xAxis", {"type": "linear"})
    ET.SubElement(plot, "yAxis", {"type": "linear"})
    curves = ET.SubElement(plot, "listOfCurves")
    for order, identifier in enumerate(identifiers):
        ET.SubElement(
            curves,
            "curve",
            {
                "id": f"curve_{identifier}",
                "order": str(order),
                "type": "points",
                "xDataReference": "data_time",
                "yDataReference": f"data_{identifier}",
                "yAxis": "left",
            },
        )
