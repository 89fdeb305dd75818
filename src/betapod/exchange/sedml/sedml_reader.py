"""Read SED-ML, Level 1 Versions 1 to 4: every fault at once, each with its line."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

from ...base.errors import ExchangeError, Problem
from .sedml_document import (
    SedmlChange,
    SedmlDocument,
    SedmlFormula,
    SedmlGenerator,
    SedmlModelEntry,
    SedmlRange,
    SedmlReport,
    SedmlSetValue,
    SedmlSimulation,
    SedmlSubtask,
    SedmlTask,
    SedmlVariable,
)
from .sedml_output_reader import SedmlOutputReader
from .sedml_references import reference_problems
from .xml_document import XmlDocument, local_name, read_xml

#: Parts of a document that are refused where they are there.
_REFUSED = {"listOfDataDescriptions": "data from other files (dataDescription)"}
_SIMULATIONS = ("uniformTimeCourse", "oneStep", "steadyState")
_CHANGES = ("changeAttribute", "addXML", "changeXML", "removeXML", "computeChange")
#: What may be meant of a target, by the numbers of KiSAO.
_TERMS = {-1: "", 832: "time", 836: "amount", 838: "concentration", 639: "flux", 655: "rate"}
#: Values that a range has at most.
_LONGEST = 100_000


def read_sedml(content: bytes, file: str) -> SedmlDocument:
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
        No SED-ML; everything in it that is wrong or not supported.

    Examples
    --------
    >>> from betapod.exchange.archive.sedml import TimeCourse, sedml_text
    >>> from betapod.exchange.sedml.sedml_reader import read_sedml
    >>> text = sedml_text(TimeCourse("model.xml", 10.0, 5, {"GFR": "GFR [mL/min]"}, "kidney"))
    >>> read_sedml(text.encode(), "simulation.sedml").simulations["course"].steps
    5
    """
    return _SedmlReader(read_xml(content, file)).read()


class _SedmlReader:
    def __init__(self, document: XmlDocument) -> None:
        self.document = document
        self.problems: list[Problem] = []

    def read(self) -> SedmlDocument:
        root = self.document.root
        if local_name(root) != "sedML":
            location = self.document.place(root)
            problem = Problem("no-sedml", "this is no SED-ML", location, f"<{local_name(root)}>", "<sedML>")
            raise ExchangeError(problem)
        for name, words in _REFUSED.items():
            if list(self._entries(name)):
                self._refuse("unsupported", f"{words} are not supported", self._part(name))
        models = {m.name: m for e in self._entries("listOfModels") if (m := self._model(e))}
        simulations = {s.name: s for e in self._entries("listOfSimulations") if (s := self._simulation(e))}
        tasks = {t.name: t for e in self._entries("listOfTasks") if (t := self._task(e))}
        generators = {g.name: g for e in self._entries("listOfDataGenerators") if (g := self._generator(e))}
        outputs = SedmlOutputReader(self.document, self.problems, generators)
        for element in self._entries("listOfOutputs"):
            outputs.add(element)
        self._check_identifiers()
        if not self.problems:
            # A part that is refused already is not missing.
            self.problems += reference_problems(models, simulations, tasks, generators)
        if not self.problems and not outputs.reports and not outputs.plots:
            outputs.reports.append(_everything(generators, self.document))
        if self.problems:
            raise ExchangeError(list(dict.fromkeys(self.problems)))
        level, version = (
            int(root.get(name, "1")) if root.get(name, "1").isdigit() else 1 for name in ("level", "version")
        )
        return SedmlDocument(
            self.document.file, level, version, models, simulations, tasks, generators,
            tuple(outputs.reports), tuple(outputs.plots), tuple(outputs.notes),
        )  # fmt: skip

    # -- helpers -----------------------------------------------------------------------------------------------------

    def _refuse(
        self, kind: str, message: str, element: ET.Element | None, value_text: str = "", expected: str = ""
    ) -> None:
        self.problems.append(Problem(kind, message, self.document.place(element), value_text, expected))

    def _part(self, name: str, of: ET.Element | None = None) -> ET.Element | None:
        return next((e for e in (self.document.root if of is None else of) if local_name(e) == name), None)

    def _entries(self, name: str, of: ET.Element | None = None) -> Iterator[ET.Element]:
        part = self._part(name, of)
        ignored = ("notes", "annotation")
        yield from (e for e in (part if part is not None else ()) if local_name(e) and local_name(e) not in ignored)

    def _needed(self, element: ET.Element, *names: str) -> list[str] | None:
        """Return attributes; nothing where one is missing."""
        missing = [name for name in names if not element.get(name)]
        for name in missing:
            self._refuse("missing-attribute", f"<{local_name(element)}> needs the attribute {name}", element)
        return None if missing else [element.attrib[name] for name in names]

    def _number(self, element: ET.Element, *names: str, default: float | None = None) -> float:
        """Return an attribute, by the first of its names that is there, as a number."""
        text = next((element.attrib[name] for name in names if name in element.attrib), None)
        if text is None and default is not None:
            return default
        try:
            return _finite(float(text or ""))
        except ValueError:
            message = f"{names[0]} of <{local_name(element)}> is no number"
            self._refuse("bad-number", message, element, text or "nothing", "a number")
            return math.nan

    # -- models and simulations --------------------------------------------------------------------------------------

    def _model(self, element: ET.Element) -> SedmlModelEntry | None:
        said = self._needed(element, "id", "source")
        if said is None:
            return None
        changes = tuple(c for e in self._entries("listOfChanges", element) if (c := self._change(e)))
        location = self.document.place(element)
        return SedmlModelEntry(said[0], said[1], element.get("language", ""), changes, location)

    def _change(self, element: ET.Element) -> SedmlChange | None:
        kind = local_name(element)
        said = self._needed(element, "target")
        if kind not in _CHANGES:
            expected = ", ".join(_CHANGES)
            self._refuse("unsupported", f"the change <{kind}> is not supported", element, kind, expected)
            return None
        if said is None:
            return None
        location = self.document.place(element)
        if kind == "changeAttribute":
            value = self._needed(element, "newValue")
            return None if value is None else SedmlChange(kind, said[0], location, value[0])
        if kind == "computeChange":
            formula = self._formula(element)
            return None if formula is None else SedmlChange(kind, said[0], location, formula=formula)
        content = self._part("newXML", element)
        if kind != "removeXML" and content is None:
            self._refuse("missing-element", f"<{kind}> needs <newXML>", element)
            return None
        return SedmlChange(kind, said[0], location, content=tuple(content if content is not None else ()))

    def _simulation(self, element: ET.Element) -> SedmlSimulation | None:
        kind, said = local_name(element), self._needed(element, "id")
        if kind not in _SIMULATIONS:
            message = f"the simulation <{kind}> is not supported"
            self._refuse("unsupported", message, element, expected=", ".join(_SIMULATIONS))
            return None
        if said is None:
            return None
        algorithm, settings = self._algorithm(element)
        location = self.document.place(element)
        if kind == "steadyState":
            return SedmlSimulation(said[0], kind, location, algorithm=algorithm, settings=settings)
        if kind == "oneStep":
            step = self._number(element, "step")
            if step <= 0.0:
                self._refuse("bad-times", "a step is longer than 0", element, f"{step:g}")
            return SedmlSimulation(said[0], kind, location, step=step, algorithm=algorithm, settings=settings)
        return self._course(element, said[0], algorithm, settings)

    def _course(self, element: ET.Element, name: str, algorithm: int, settings: dict[int, str]) -> SedmlSimulation:
        start, first_row, end = (self._number(element, a) for a in ("initialTime", "outputStartTime", "outputEndTime"))
        steps = self._number(element, "numberOfSteps", "numberOfPoints")
        if not start <= first_row <= end and not math.isnan(start + first_row + end):
            value_text = f"{start:g}, {first_row:g}, {end:g}"
            message = "initialTime, outputStartTime and outputEndTime do not follow one another"
            self._refuse("bad-times", message, element, value_text)
        if not math.isnan(steps) and (steps != int(steps) or not 0 <= steps <= 10_000_000):
            self._refuse("bad-times", "numberOfSteps is a whole number", element, f"{steps:g}", "0 to 10,000,000")
            steps = 0
        location = self.document.place(element)
        count = 0 if math.isnan(steps) else int(steps)
        return SedmlSimulation(
            name, "uniformTimeCourse", location, start, first_row, end, count, algorithm=algorithm, settings=settings
        )

    def _algorithm(self, element: ET.Element) -> tuple[int, dict[int, str]]:
        algorithm = self._part("algorithm", element)
        if algorithm is None:
            return -1, {}
        settings = {}
        for parameter in self._entries("listOfAlgorithmParameters", algorithm):
            if (setting := kisao_number(parameter.get("kisaoID", ""))) is not None:
                settings[setting] = parameter.get("value", "")
        number = kisao_number(algorithm.get("kisaoID", ""))
        if number is None:
            message = "the algorithm has no number of KiSAO"
            self._refuse("bad-algorithm", message, algorithm, algorithm.get("kisaoID", ""), "KISAO:0000019")
        return -1 if number is None else number, settings

    # -- tasks -------------------------------------------------------------------------------------------------------

    def _task(self, element: ET.Element) -> SedmlTask | None:
        kind = local_name(element)
        if kind not in ("task", "repeatedTask"):
            self._refuse("unsupported", f"the task <{kind}> is not supported", element, expected="task, repeatedTask")
            return None
        location = self.document.place(element)
        if kind == "task":
            said = self._needed(element, "id", "modelReference", "simulationReference")
            return None if said is None else SedmlTask(said[0], location, said[1], said[2])
        said = self._needed(element, "id", "range")
        if said is None:
            return None
        ranges = tuple(r for e in self._entries("listOfRanges", element) if (r := self._range(e)))
        settings = tuple(s for e in self._entries("listOfChanges", element) if (s := self._set_value(e)))
        subtasks = tuple(t for e in self._entries("listOfSubTasks", element) if (t := self._subtask(e)))
        if not subtasks:
            self._refuse("missing-element", f"the repeated task {said[0]} repeats no task", element)
        return SedmlTask(
            said[0], location, along=said[1], reset=_yes(element.get("resetModel", "true")),
            joined=_yes(element.get("concatenate", "true")), ranges=ranges, settings=settings,
            subtasks=tuple(sorted(subtasks, key=lambda subtask: subtask.order)),
        )  # fmt: skip

    def _subtask(self, element: ET.Element) -> SedmlSubtask | None:
        said = self._needed(element, "task")
        if said is None:
            return None
        order = self._number(element, "order", default=0.0)
        settings = tuple(s for e in self._entries("listOfChanges", element) if (s := self._set_value(e)))
        return SedmlSubtask(said[0], order, settings, self.document.place(element))

    def _set_value(self, element: ET.Element) -> SedmlSetValue | None:
        if local_name(element) != "setValue":
            message = f"<{local_name(element)}> has no place in a repeated task"
            self._refuse("unsupported", message, element, expected="setValue")
            return None
        said, formula = self._needed(element, "modelReference"), self._formula(element)
        target, symbol = element.get("target", ""), element.get("symbol", "")
        if not target:
            message = f"setting {symbol or 'nothing'} is not supported"
            self._refuse("unsupported", message, element, expected="a target in the model")
        if said is None or formula is None:
            return None
        return SedmlSetValue(said[0], target, symbol, element.get("range", ""), formula, self.document.place(element))

    def _range(self, element: ET.Element) -> SedmlRange | None:
        kind, said = local_name(element), self._needed(element, "id")
        if said is None:
            return None
        location = self.document.place(element)
        if kind == "vectorRange":
            values = self._values(element)
            return SedmlRange(said[0], location, values)
        if kind == "uniformRange":
            return SedmlRange(said[0], location, self._uniform(element))
        if kind == "functionalRange":
            formula = self._formula(element)
            along = element.get("range") or element.get("index") or ""
            return None if formula is None else SedmlRange(said[0], location, formula=formula, along=along)
        expected = "uniformRange, vectorRange, functionalRange"
        self._refuse("unsupported", f"the range <{kind}> is not supported", element, kind, expected)
        return None

    def _values(self, element: ET.Element) -> tuple[float, ...]:
        values = []
        for entry in element:
            if local_name(entry) == "value":
                try:
                    values.append(float(entry.text or ""))
                except ValueError:
                    self._refuse("bad-number", "a value of the range is no number", entry, (entry.text or "").strip())
        return tuple(values)

    def _uniform(self, element: ET.Element) -> tuple[float, ...]:
        start, end = self._number(element, "start"), self._number(element, "end")
        steps = self._number(element, "numberOfSteps", "numberOfPoints")
        if not 0 <= steps <= _LONGEST or steps != int(steps):
            if not math.isnan(steps):
                self._refuse(
                    "bad-range", "numberOfSteps is a whole number", element, f"{steps:g}", f"0 to {_LONGEST:,}"
                )
            return ()
        kind = element.get("type", "linear")
        if kind not in ("linear", "log"):
            self._refuse("bad-range", "a range is linear or log", element, kind, "linear or log")
            return ()
        if kind == "log":
            if not (start > 0.0 and end > 0.0):
                self._refuse("bad-range", "a logarithmic range lies above 0", element, f"{start:g} to {end:g}")
                return ()
            first, last = math.log10(start), math.log10(end)
            middle = [10.0 ** (first + (last - first) * k / steps) for k in range(1, int(steps))]
            return (start, *middle, end) if steps else (start,)
        return tuple(start + (end - start) * k / steps for k in range(int(steps) + 1)) if steps else (start,)

    # -- data --------------------------------------------------------------------------------------------------------

    def _generator(self, element: ET.Element) -> SedmlGenerator | None:
        said, formula = self._needed(element, "id"), self._formula(element)
        if said is None or formula is None:
            return None
        return SedmlGenerator(said[0], element.get("name") or said[0], formula)

    def _formula(self, element: ET.Element) -> SedmlFormula | None:
        math_element = self._part("math", element)
        if math_element is None:
            self._refuse("missing-element", f"<{local_name(element)}> needs <math>", element)
        variables = tuple(v for e in self._entries("listOfVariables", element) if (v := self._variable(e)))
        constants = {e.get("id", ""): self._number(e, "value") for e in self._entries("listOfParameters", element)}
        if math_element is None:
            return None
        return SedmlFormula(math_element, variables, constants, self.document.place(element))

    def _variable(self, element: ET.Element) -> SedmlVariable | None:
        said = self._needed(element, "id")
        if said is None:
            return None
        location = self.document.place(element)
        term = kisao_number(element.get("term", "")) if element.get("term") else -1
        if term not in _TERMS:
            value_text, expected = (
                element.get("term", ""),
                ", ".join(f"{words} KISAO:{n:07d}" for n, words in _TERMS.items() if words),
            )
            self._refuse(
                "unsupported", f"this term of the variable {said[0]} is not supported", element, value_text, expected
            )
        if element.get("dimensionTerm"):
            self._refuse("unsupported", f"the variable {said[0]} with a dimensionTerm is not supported", element)
        if element.get("target2") or element.get("symbol2"):
            self._refuse("unsupported", f"the variable {said[0]} of two quantities is not supported", element)
        if not element.get("target") and not element.get("symbol"):
            self._refuse("missing-attribute", f"the variable {said[0]} has neither target nor symbol", element)
        of = element.get("taskReference") or element.get("modelReference") or ""
        return SedmlVariable(said[0], element.get("target", ""), element.get("symbol", ""), of, location, term or -1)

    def _check_identifiers(self) -> None:
        """Refuse two parts of one kind by the same name: nobody could say which is meant."""
        for name in ("listOfModels", "listOfSimulations", "listOfTasks", "listOfDataGenerators", "listOfOutputs"):
            identifiers: set[str] = set()
            for element in self._entries(name):
                identifier = element.get("id", "")
                if identifier and identifier in identifiers:
                    self._refuse("duplicate-name", f"there are two of the name {identifier!r}", element)
                identifiers.add(identifier)


def kisao_number(text: str) -> int | None:
    """Return the number of a term of KiSAO, the ontology of algorithms, in whichever way it is written.

    Examples
    --------
    >>> from betapod.exchange.sedml.sedml_reader import kisao_number
    >>> kisao_number("KISAO:0000019"), kisao_number("http://www.biomodels.net/kisao/KISAO#KISAO_0000088")
    (19, 88)
    """
    match = re.search(r"KISAO[:_](\d+)\s*$", text, re.IGNORECASE)
    return int(match[1]) if match else None


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError
    return value


def _yes(text: str) -> bool:
    return text.strip().lower() in ("true", "1")


def _everything(generators: dict[str, SedmlGenerator], document: XmlDocument) -> SedmlReport:
    """Return a report of all data, for a file that asks for no output."""
    from .sedml_document import SedmlColumn

    columns = tuple(SedmlColumn(g.name, g.label, g.name) for g in generators.values())
    return SedmlReport("report", "all data", columns, document.place(document.root))
