"""SED-ML Level 1 Version 4: courses of models, as reports and plots."""

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
    _model(ET.SubElement(root, "listOfModels"), "model", course)
    _simulation(ET.SubElement(root, "listOfSimulations"), course)
    _task(ET.SubElement(root, "listOfTasks"), "task", "model")
    _generators(ET.SubElement(root, "listOfDataGenerators"), "", "task", course)
    outputs = ET.SubElement(root, "listOfOutputs")
    _report(outputs, "report", "", course)
    curves = [(identifier, "", "time", identifier) for identifier in course.outputs]
    _plot(outputs, "plot", course.title, curves)
    return _document(root)


def compared_sedml_text(courses: Mapping[str, TimeCourse], title: str) -> str:
    """Return courses that are compared as SED-ML: a task and a report for each, and a plot of each output with all of them.

    Parameters
    ----------
    courses
        By their names; times are alike.
    title
        What is compared.

    Examples
    --------
    >>> from betapod.exchange.archive.sedml import TimeCourse, compared_sedml_text
    >>> courses = {arm: TimeCourse(f"{arm}.xml", 10.0, 5, {"GFR": "GFR [mL/min]"}, arm) for arm in ("cells", "placebo")}
    >>> text = compared_sedml_text(courses, "a trial")
    >>> text.count("<task "), text.count("<report "), text.count("<plot2D ")
    (2, 2, 1)
    """
    root = ET.Element("sedML", {"xmlns": _SEDML, "xmlns:sbml": _SBML, "level": "1", "version": "4"})
    numbered = [(f"{number}_", name, course) for number, (name, course) in enumerate(courses.items(), start=1)]
    models = ET.SubElement(root, "listOfModels")
    for key, name, course in numbered:
        _model(models, f"model_{key}".rstrip("_"), course, name)
    _simulation(ET.SubElement(root, "listOfSimulations"), numbered[0][2])
    tasks, generators = ET.SubElement(root, "listOfTasks"), ET.SubElement(root, "listOfDataGenerators")
    outputs = ET.SubElement(root, "listOfOutputs")
    for key, name, course in numbered:
        task = f"task_{key}".rstrip("_")
        _task(tasks, task, f"model_{key}".rstrip("_"), name)
        _generators(generators, key, task, course)
        _report(outputs, f"report_{key}".rstrip("_"), key, course)
    for identifier, label in numbered[0][2].outputs.items():
        curves = [(f"{key}{identifier}", name, f"{key}time", f"{key}{identifier}") for key, name, _ in numbered]
        _plot(outputs, f"plot_{identifier}", f"{title}: {label}", curves)
    return _document(root)


def _document(root: ET.Element) -> str:
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _model(parent: ET.Element, identifier: str, course: TimeCourse, name: str = "") -> None:
    said = {"id": identifier, **({"name": name} if name else {})}
    language = "urn:sedml:language:sbml.level-3.version-2"
    ET.SubElement(parent, "model", {**said, "language": language, "source": course.model_file})


def _task(parent: ET.Element, identifier: str, model: str, name: str = "") -> None:
    said = {"id": identifier, **({"name": name} if name else {})}
    ET.SubElement(parent, "task", {**said, "modelReference": model, "simulationReference": "course"})


def _generators(parent: ET.Element, key: str, task: str, course: TimeCourse) -> None:
    _generator(parent, f"{key}time", "time", {"symbol": "urn:sedml:symbol:time"}, task)
    for identifier, label in course.outputs.items():
        target = f"/sbml:sbml/sbml:model/sbml:listOfParameters/sbml:parameter[@id='{identifier}']"
        _generator(parent, f"{key}{identifier}", label, {"target": target}, task)


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


def _generator(parent: ET.Element, identifier: str, label: str, source: Mapping[str, str], task: str) -> None:
    generator = ET.SubElement(parent, "dataGenerator", {"id": f"data_{identifier}", "name": label})
    variables = ET.SubElement(generator, "listOfVariables")
    ET.SubElement(variables, "variable", {"id": f"of_{identifier}", **source, "taskReference": task})
    math = ET.SubElement(generator, "math", {"xmlns": _MATH})
    ET.SubElement(math, "ci").text = f"of_{identifier}"


def _report(parent: ET.Element, identifier: str, key: str, course: TimeCourse) -> None:
    report = ET.SubElement(parent, "report", {"id": identifier, "name": course.title})
    sets = ET.SubElement(report, "listOfDataSets")
    for name, label in (("time", "time"), *course.outputs.items()):
        ET.SubElement(
            sets, "dataSet", {"id": f"column_{key}{name}", "label": label, "dataReference": f"data_{key}{name}"}
        )


def _plot(parent: ET.Element, identifier: str, title: str, curves: Sequence[tuple[str, str, str, str]]) -> None:
    """Add a plot of curves: identifier, name, and what lies along both axes."""
    plot = ET.SubElement(parent, "plot2D", {"id": identifier, "name": title})
    ET.SubElement(plot, "xAxis", {"type": "linear"})
    ET.SubElement(plot, "yAxis", {"type": "linear"})
    entries = ET.SubElement(plot, "listOfCurves")
    for order, (name, label, along, value) in enumerate(curves):
        ET.SubElement(
            entries,
            "curve",
            {
                "id": f"curve_{name}",
                **({"name": label} if label else {}),
                "order": str(order),
                "type": "points",
                "xDataReference": f"data_{along}",
                "yDataReference": f"data_{value}",
                "yAxis": "left",
            },
        )
