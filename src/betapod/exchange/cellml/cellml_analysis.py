"""A model of CellML as libcellml analyses it: flattened, its equations sorted, connected variables in one unit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ...base.errors import ExchangeError, MissingExtraError, Problem
from .cellml_files import CellmlFile
from .cellml_tree import text_for_library

#: libcellml's word for what makes a model impossible, and for what it merely tells.
_ERROR, _WARNING = 0, 1
_COMPONENT = re.compile(r"component '([^']*)'")
_KINDS = {
    "underconstrained": "the equations determine too little",
    "overconstrained": "the equations determine too much",
    "unsuitably_constrained": "the equations determine some variables more than once, and others not at all",
    "unknown": "there are no equations",
}


@dataclass
class CellmlAnalysis:
    """What libcellml has understood of a model.

    Attributes
    ----------
    flat
        The model without imports. It must live as long as `result`.
    result
        libcellml's analysis.
    disagreeing
        What it says of units that do not agree.
    notes, ignored
        Sentences on what should be known of time, and on what has no influence and was left out.
    """

    library: Any
    flat: Any
    result: Any
    disagreeing: list[str]
    notes: list[str]
    ignored: list[str]


def analyse_cellml(root: CellmlFile) -> CellmlAnalysis:
    """Return what libcellml understands of a file with its imports.

    Raises
    ------
    ExchangeError
        The model is not valid, or its equations do not determine every variable once; every error of libcellml at its place.
    """
    try:
        import libcellml
    except ImportError:
        raise MissingExtraError("libcellml", "cellml", "reading CellML") from None
    importer = libcellml.Importer(False)
    models = {file.key: _parsed(libcellml, file) for file in root.all_files()}
    for key, model in models.items():
        if key != root.key:
            importer.addModel(model, key)
    flat = models[root.key]
    if flat.hasImports():
        importer.resolveImports(flat, "")
        _refuse(importer, root)
        flat = importer.flattenModel(flat)
        _refuse(importer, root)
        if flat is None:
            message = "the imports cannot be put together"
            raise ExchangeError(Problem("invalid-cellml", message, root.location()))
    notes: list[str] = []
    ignored: list[str] = []
    while True:
        analyser = libcellml.Analyser()
        analyser.analyseModel(flat)
        new_notes, new_ignored = _time_from_zero(libcellml, analyser), _without_unused(libcellml, analyser)
        if not new_notes and not new_ignored:
            break
        notes, ignored = notes + new_notes, ignored + new_ignored
    _refuse(analyser, root)
    result = analyser.analyserModel()
    if not result.isValid():
        kind = result.typeAsString(result.type())
        message = _KINDS.get(kind, f"the equations are {kind}")
        raise ExchangeError(Problem("invalid-cellml", message, root.location()))
    issues = _issues(analyser)
    # Such a warning is of an exponent whose value libcellml does not look up.
    disagreeing = [i.description() for i in issues if i.level() == _WARNING and "as long as" not in i.description()]
    return CellmlAnalysis(libcellml, flat, result, disagreeing, [note for note in notes if note], ignored)


def _issues(logger: Any) -> list[Any]:
    return [logger.issue(k) for k in range(logger.issueCount())]


def _time_from_zero(libcellml: Any, analyser: Any) -> list[str]:
    """Take the initial value from a variable of integration that has one, as in older files; return what to know of each."""
    notes = []
    for issue in _issues(analyser):
        if issue.referenceRule() != libcellml.Issue.ReferenceRule.ANALYSER_VOI_INITIALISED:
            continue
        variable = issue.item().variable()
        value = variable.initialValue()
        variable.removeInitialValue()
        starts = value.strip().lstrip("+-0.eE") == ""
        notes.append(
            "" if starts else f"Time starts from 0, not from the {value} that the file gives {variable.name()}."
        )
    return notes


def _without_unused(libcellml: Any, analyser: Any) -> list[str]:
    """Take out variables that have no value and stand in no formula, connected ones neither; return a sentence on each."""
    unused = []
    for issue in _issues(analyser):
        if issue.referenceRule() == libcellml.Issue.ReferenceRule.ANALYSER_VARIABLE_UNUSED:
            connected = _connected(issue.item().variable())
            if not any(_stands_in_formulas(variable) for variable in connected.values()):
                unused.append((issue.item().variable(), connected))
    sentences = []
    for first, connected in unused:
        sentences.append(f"The variable {first.name()} of {first.parent().name()} has no value, and nothing uses it.")
        for variable in connected.values():
            variable.removeAllEquivalences()
            variable.parent().removeVariable(variable.name())
    return sentences


def _connected(variable: Any) -> dict[tuple[str, str], Any]:
    """Return a variable and all that are connected with it, by component and name."""
    connected, waiting = {}, [variable]
    while waiting:
        current = waiting.pop()
        key = (current.parent().name(), current.name())
        if key not in connected:
            connected[key] = current
            waiting += [current.equivalentVariable(k) for k in range(current.equivalentVariableCount())]
    return connected


def _stands_in_formulas(variable: Any) -> bool:
    return re.search(rf">\s*{re.escape(variable.name())}\s*<", variable.parent().math()) is not None


def _parsed(libcellml: Any, file: CellmlFile) -> Any:
    """Return a file as libcellml holds it; older versions as it turns them into 2.0."""
    parser = libcellml.Parser(False)
    urls = {element: imported.key for element, imported in file.imports.items()}
    try:
        model = parser.parseModel(text_for_library(file.model, urls))
    except RecursionError:
        message = "mathematics nested this deeply is not supported"
        raise ExchangeError(Problem("unsupported", message, file.location())) from None
    _refuse(parser, file)
    if model is None:
        raise ExchangeError(Problem("invalid-cellml", "libcellml cannot read the file", file.location()))
    return model


def _refuse(logger: Any, file: CellmlFile) -> None:
    """Raise the errors that a part of libcellml has noted, each where it stands."""
    problems = []
    errors = [issue for issue in _issues(logger) if issue.level() == _ERROR]
    # That units are not linked follows from one that is not defined, which is told by itself.
    unlinked = [e for e in errors if e.referenceRule() == e.ReferenceRule.ANALYSER_UNLINKED_UNITS]
    for issue in [e for e in errors if e not in unlinked] or errors:
        text = " ".join(issue.description().split())
        component, variable = _named_by(issue.item(), text)
        location = file.location(component, variable, text)
        hint = "Give it an initial value or an equation." if text.startswith("The type of variable") else ""
        problems.append(Problem("invalid-cellml", text.rstrip("."), location, hint=hint))
    if problems:
        raise ExchangeError(list(dict.fromkeys(problems)))


def _named_by(item: Any, text: str) -> tuple[str, str]:
    """Return the names of the component and the variable that an issue is about; empty where it is about others.

    Of what is wrong with a formula, only the text tells the component.
    """
    variable = item.variable() if item is not None else None
    if variable is not None and variable.parent() is not None:
        return variable.parent().name(), variable.name()
    component = item.component() if item is not None else None
    if component is not None:
        return component.name(), ""
    named = _COMPONENT.search(text)
    return (named[1], "") if named is not None else ("", "")
