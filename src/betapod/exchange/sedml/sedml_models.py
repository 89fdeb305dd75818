"""The models of a SED-ML document: their files with the changes that it asks for."""

from __future__ import annotations

import copy
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace

from ...base.errors import BetapodError, ExchangeError, Location, Problem, did_you_mean
from ..foreign.imported_model import ImportedModel
from ..sbml.read import read_sbml
from .kisao_algorithms import AMOUNT, CONCENTRATION, TIME
from .sedml_document import SedmlChange, SedmlDocument, SedmlModelEntry, SedmlVariable
from .sedml_formulas import formula_value
from .xml_document import XmlDocument, local_name, read_xml
from .xml_paths import XmlTarget, attribute_of, targets_at

#: Attributes that hold the number of an element, the one that is there first.
_NUMBERS = {
    "parameter": ("value",), "localParameter": ("value",), "compartment": ("size", "volume"),
    "species": ("initialConcentration", "initialAmount"), "speciesReference": ("stoichiometry",),
}  # fmt: skip
_SPECIES = ("initialConcentration", "initialAmount")
#: Namespaces of SBML without packages.
_CORE = re.compile(r"http://www\.sbml\.org/sbml/level\d(/version\d(/core)?)?")
_MATH = "http://www.w3.org/1998/Math/MathML"


class SedmlModels:
    """Reads models when they are asked for.

    Parameters
    ----------
    document
        Whose models.
    fetch
        Gives the bytes of a file and its name for messages, by its source and the place that names it.
    """

    def __init__(self, document: SedmlDocument, fetch: Callable[[str, Location], tuple[bytes, str]]) -> None:
        self.document, self.fetch = document, fetch
        self._trees: dict[str, XmlDocument] = {}
        self._models: dict[str, ImportedModel] = {}

    def tree(self, name: str, above: tuple[str, ...] = ()) -> XmlDocument:
        """Return the document of a model, changed.

        Raises
        ------
        ExchangeError
            It cannot be read, is no SBML, or cannot be changed so.
        """
        if name not in self._trees:
            self._trees[name] = self._changed(self.document.models[name], above)
        return self._trees[name]

    def model(self, name: str) -> ImportedModel:
        """Return a model, changed."""
        if name not in self._models:
            tree = self.tree(name)
            try:
                self._models[name] = read_sbml(tree.text or sbml_text(tree.root))
            except BetapodError as error:
                # Lines are those of the changed document, which nobody has.
                problems = [
                    Problem(p.kind, p.message, Location(f"{tree.file} (model {name})"), p.found, p.expected, p.hint)
                    for p in error.problems
                ]
                raise ExchangeError(problems) from None
        return self._models[name]

    def target(self, name: str, path: str, location: Location) -> XmlTarget:
        """Return what a path points at in a model.

        Raises
        ------
        ExchangeError
            Nothing, several things, or a path that is not understood.
        """
        [target, *more] = self._targets(self.tree(name), path, location)
        if more:
            message = "the target points at several elements"
            raise ExchangeError(Problem("bad-target", message, location, path, "one element"))
        return target

    def quantity(self, variable: SedmlVariable, model: str) -> str:
        """Return the model's name of the quantity that a variable means; ``t`` for time.

        Raises
        ------
        ExchangeError
            It means none.
        """
        if not variable.target:
            if (
                variable.term == TIME
                or variable.symbol.rpartition(":")[2].lower() == "time"
                or variable.symbol.endswith(f"{TIME:07d}")
            ):
                return "t"
            message = f"the symbol {variable.symbol} is not supported"
            raise ExchangeError(Problem("unsupported", message, variable.location, expected="urn:sedml:symbol:time"))
        target = self.target(model, variable.target, variable.location)
        report, identifier = self.model(model).report, attribute_of(target.element, "id") or ""
        if variable.term == AMOUNT and local_name(target.element) == "species":
            return report.amount(identifier)
        if variable.term == CONCENTRATION and local_name(target.element) == "species":
            return report.concentration(identifier)
        return self.name_of(target, model, variable.target, variable.location)

    def name_of(self, target: XmlTarget, model: str, path: str, location: Location) -> str:
        """Return the model's name of what an element stands for.

        Raises
        ------
        ExchangeError
            The element has no value.
        """
        identifier = attribute_of(target.element, "id") or attribute_of(target.element, "name") or ""
        read = self.model(model)
        reactions = [e for e in target.owners if local_name(e) == "reaction"]
        laws = [e for e in target.owners if local_name(e) == "kineticLaw"]
        if reactions and laws:
            identifier = f"{attribute_of(reactions[0], 'id')}_{identifier}"
            if identifier in read.names:
                return identifier
        name = read.report.names.get(identifier, "")
        if name not in read.names:
            message = f"the model has no quantity {identifier!r}"
            hint = did_you_mean(identifier, read.report.names)
            raise ExchangeError(Problem("unknown-name", message, location, path, hint=hint))
        return name

    # -- changes -----------------------------------------------------------------------------------------------------

    def _changed(self, entry: SedmlModelEntry, above: tuple[str, ...]) -> XmlDocument:
        base = entry.source.removeprefix("#")
        if base in self.document.models:
            if base in (*above, entry.name):
                raise ExchangeError(Problem("circle", f"the model {entry.name} is made of itself", entry.location))
            copied = self.tree(base, (*above, entry.name))
            tree = XmlDocument(copied.file, copy.deepcopy(copied.root), {}, copied.text)
        else:
            content, file = self.fetch(entry.source, entry.location)
            tree = read_xml(content, file)
            if local_name(tree.root) != "sbml":
                language = entry.language or f"<{local_name(tree.root)}>"
                message = f"the model {entry.name} is not in SBML, the one language that is run here"
                raise ExchangeError(Problem("unsupported", message, entry.location, language, "SBML"))
        if entry.changes:
            tree = replace(tree, text="")
        problems: list[Problem] = []
        for change in entry.changes:
            try:
                self._change(tree, change, entry.name)
            except BetapodError as error:
                problems += error.problems
        if problems:
            raise ExchangeError(problems)
        return tree

    def _targets(self, tree: XmlDocument, path: str, location: Location) -> list[XmlTarget]:
        targets = targets_at(tree.root, path)
        if targets is None:
            message = "this path is not understood"
            expected = "steps such as /sbml:sbml/sbml:model/sbml:listOfParameters/sbml:parameter[@id='k']"
            raise ExchangeError(Problem("bad-target", message, location, path, expected))
        if not targets:
            identifiers = [i for e in tree.root.iter() if (i := attribute_of(e, "id"))]
            wanted = path.rpartition("'")[0].rpartition("'")[2] or path
            hint = did_you_mean(wanted, identifiers)
            raise ExchangeError(Problem("bad-target", "the model has no such element", location, path, hint=hint))
        return targets

    def _change(self, tree: XmlDocument, change: SedmlChange, model: str) -> None:
        for target in self._targets(tree, change.target, change.location):
            if change.kind == "changeAttribute":
                if not target.attribute:
                    message, expected = "this target names no attribute", "a path that ends with /@value or the like"
                    raise ExchangeError(Problem("bad-target", message, change.location, change.target, expected))
                _set_attribute(target.element, target.attribute, change.value)
            elif change.kind == "computeChange":
                self._compute(target, change, model, tree)
            else:
                _change_elements(target, change)

    def _compute(self, target: XmlTarget, change: SedmlChange, model: str, tree: XmlDocument) -> None:
        formula = change.formula
        assert formula is not None
        values = {}
        for variable in formula.variables:
            of = tree if variable.of in ("", model) else self.tree(self._known(variable), (model,))
            [source, *_] = self._targets(of, variable.target, variable.location)
            values[variable.name] = _number_of(source, variable.location, variable.target)
        number = float(formula_value(formula, values, self.document.file))
        _set_attribute(target.element, target.attribute or _attribute_with_number(target.element, change), repr(number))

    def _known(self, variable: SedmlVariable) -> str:
        if variable.of not in self.document.models:
            hint = did_you_mean(variable.of, self.document.models)
            problem = Problem("unknown-name", f"there is no model {variable.of!r}", variable.location, hint=hint)
            raise ExchangeError(problem)
        return variable.of


def _change_elements(target: XmlTarget, change: SedmlChange) -> None:
    """Add, replace or remove elements."""
    content = [_adopted(element, target.element) for element in change.content]
    if change.kind == "addXML":
        target.element.extend(content)
        return
    if change.kind == "removeXML" and target.attribute:
        target.element.attrib.pop(target.attribute, None)
        return
    if target.parent is None or target.attribute:
        message = "only elements within the model can be replaced or removed"
        raise ExchangeError(Problem("bad-target", message, change.location, change.target))
    position = list(target.parent).index(target.element)
    target.parent.remove(target.element)
    for offset, element in enumerate(content):
        target.parent.insert(position + offset, element)


def _adopted(element: ET.Element, near: ET.Element) -> ET.Element:
    """Return a new element; what was written without a namespace of its own, or for another level, gets that of the model."""
    space = near.tag.rpartition("}")[0] + "}" if "}" in near.tag else ""
    copied = copy.deepcopy(element)
    for part in copied.iter():
        written_for = part.tag.rpartition("}")[0].lstrip("{")
        if not written_for or "sed-ml" in written_for or _CORE.fullmatch(written_for):
            part.tag = space + local_name(part)
    return copied


def _set_attribute(element: ET.Element, name: str, value: str) -> None:
    key = next((key for key in element.attrib if key.rpartition("}")[2] == name), name)
    element.set(key, value)
    if name in _SPECIES:
        # A species starts from one of them; the other would contradict.
        for other in _SPECIES:
            if other != name:
                element.attrib.pop(other, None)


def _attribute_with_number(element: ET.Element, change: SedmlChange) -> str:
    names = _NUMBERS.get(local_name(element), ())
    if not names:
        message = "this target has no number"
        raise ExchangeError(Problem("bad-target", message, change.location, change.target))
    return next((name for name in names if attribute_of(element, name) is not None), names[-1])


def _number_of(target: XmlTarget, location: Location, path: str) -> float:
    """Return the number of an element, or of its attribute."""
    wanted = (target.attribute,) if target.attribute else _NUMBERS.get(local_name(target.element), ())
    text = next((t for name in wanted if (t := attribute_of(target.element, name)) is not None), None)
    try:
        return float(text or "")
    except ValueError:
        problem = Problem("bad-target", "the target has no number", location, path)
        raise ExchangeError(problem) from None


def sbml_text(root: ET.Element) -> str:
    """Return a document as text, with the namespace of SBML as the default one, as every reader knows it.

    Examples
    --------
    >>> import xml.etree.ElementTree as ET
    >>> from betapod.exchange.sedml.sedml_models import sbml_text
    >>> sbml_text(ET.fromstring("<s:sbml xmlns:s='urn:s'><s:model/></s:sbml>")).count("<model")
    1
    """
    spaces = dict.fromkeys(
        name[1:].partition("}")[0]
        for element in root.iter()
        for name in (element.tag, *element.attrib)
        if isinstance(name, str) and name.startswith("{")
    )
    core = root.tag[1:].partition("}")[0] if root.tag.startswith("{") else ""
    prefixes = {space: f"n{k}" for k, space in enumerate(spaces)}
    prefixes["http://www.w3.org/XML/1998/namespace"] = "xml"

    def short(name: str, plain: tuple[str, ...] = ()) -> str:
        space, _, local = name.lstrip("{").partition("}") if name.startswith("{") else ("", "", name)
        return local if not space or space in plain else f"{prefixes[space]}:{local}"

    def written(element: ET.Element) -> ET.Element:
        copied = ET.Element(short(element.tag, (core, _MATH)), {short(k): v for k, v in element.attrib.items()})
        if element.tag == f"{{{_MATH}}}math":
            copied.set("xmlns", _MATH)
        copied.text, copied.tail = element.text, element.tail
        copied.extend([written(child) for child in element if isinstance(child.tag, str)])
        return copied

    copied = written(root)
    if core:
        copied.set("xmlns", core)
    for space in spaces:
        if prefixes[space] != "xml":
            copied.set(f"xmlns:{prefixes[space]}", space)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(copied, encoding="unicode")
