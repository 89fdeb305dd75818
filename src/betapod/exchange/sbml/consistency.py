"""Let libsbml look for errors in a document, in a time that its size says."""

from __future__ import annotations

from typing import Any


def check_consistency(document: Any) -> Any:
    """Let libsbml check a document, and return the one that holds the errors.

    libsbml writes every call of a function out, and the calls in its body: functions within functions become trees without end. Each call that stands in
    another function's definition is a sum of its arguments here, so that everything else about it is checked; the reader says which function is not there.
    """
    import libsbml

    if _has_nested_calls(document.getModel()):
        document = document.clone()
        for definition in document.getModel().getListOfFunctionDefinitions():
            if definition.isSetMath():
                body = definition.getMath().deepCopy()
                _sum_calls(body)
                definition.setMath(body)
    for category in (libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, libsbml.LIBSBML_CAT_MODELING_PRACTICE):
        document.setConsistencyChecks(category, False)
    document.checkConsistency()
    return document


def _has_nested_calls(model: Any) -> bool:
    definitions = [] if model is None else model.getListOfFunctionDefinitions()
    return any(definition.isSetMath() and _calls(definition.getMath()) for definition in definitions)


def _calls(node: Any) -> bool:
    import libsbml

    children = (node.getChild(k) for k in range(node.getNumChildren()))
    return bool(node.getType() == libsbml.AST_FUNCTION) or any(_calls(child) for child in children)


def _sum_calls(node: Any) -> None:
    """Make a sum of the arguments of each call, in place."""
    import libsbml

    for k in range(node.getNumChildren()):
        _sum_calls(node.getChild(k))
    if node.getType() == libsbml.AST_FUNCTION:
        node.setType(libsbml.AST_PLUS)
