"""The model as the explorer shows it: every quantity with its equation, what it is computed from, and the sources of its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..base.units import conversion_factor, parse_unit
from ..model.assembly.model import Model
from ..model.bibliography import Bibliography
from ..model.language.syntax import Syntax
from ..model.parameters.table import Parameter
from ..model.printing.document_layout import sheet_of
from ..model.printing.formula_notation import sum_terms
from ..model.printing.html import MathmlPrinter
from ..model.printing.model_document import Line, ModelDocument
from ..physiology import whole_body
from .explorer_people import MODEL

#: Names in a formula that are no quantity of the model: the time itself.
_TIME = "t"


def explorer_mechanism() -> dict[str, Any]:
    """Return quantities, parameters, functions and works of the page's model."""
    model = whole_body.named_model(MODEL)
    sheet = sheet_of(model, Bibliography.read(whole_body.BIBLIOGRAPHY))
    return {
        "quantities": _quantities(model, sheet),
        "parameters": [_parameter(row, row.id in model.inputs) for row in _rows(model)],
        "functions": model_functions(sheet),
        "works": {work.key: {"text": work.text, "link": work.link} for work in sheet.references},
    }


def _rows(model: Model) -> Iterable[Parameter]:
    return (*model.parameters.values(), *model.inputs.values())


def model_functions(sheet: ModelDocument) -> dict[str, dict[str, Any]]:
    """Return functions that the model itself defines: name -> arguments and formula."""
    return {
        line.name: {
            "arguments": list(line.arguments),
            "formula": formula_tree(line.expression, sheet.names, line.arguments),
        }
        for section in sheet.sections
        for line in section.lines
        if line.kind == "function"
    }


def _quantities(model: Model, sheet: ModelDocument) -> list[dict[str, Any]]:
    printer = MathmlPrinter(sheet.names)
    functions = {line.name for section in sheet.sections for line in section.lines if line.kind == "function"}
    quantities = []
    for section in sheet.sections:
        for line in section.lines:
            if line.kind in ("assign", "rate", "solve"):
                quantities.append(_quantity(line, section.title, model, sheet.names, printer, functions))
    return quantities


def _quantity(
    line: Line, owner: str, model: Model, names: Mapping[str, str], printer: MathmlPrinter, functions: set[str]
) -> dict[str, Any]:
    reads = [name for name in line.uses() if name in model.units and name != line.name]
    quantity = {
        "name": line.name,
        "label": line.label or line.name,
        "unit": model.units[line.name],
        "kind": "state" if line.kind == "rate" else "equation",
        "owner": owner,
        "formula": str(printer.statement(line)),
        "reads": reads,
    }
    if line.kind == "solve":
        return {**quantity, "terms": []}
    factor = _rate_factor(line, model) if line.kind == "rate" else 1.0
    terms = [
        {
            "sign": -1.0 if sign == "-" else 1.0,
            "printed": f"<math><mrow>{'<mo>−</mo>' if sign == '-' else ''}{printer.expression(term)}</mrow></math>",
            "formula": formula_tree(term, names),
        }
        for sign, term in sum_terms(line.expression)
    ]
    return {**quantity, "terms": terms, "factor": factor}


def _rate_factor(line: Line, model: Model) -> float:
    """Return by what a rate as written becomes one in the state's unit per day."""
    written = parse_unit(line.unit).scale
    wanted = parse_unit(model.units[line.name]).scale / parse_unit(model.time_unit).scale
    return written / wanted


def formula_tree(node: Syntax, names: Mapping[str, str], local: Sequence[str] = ()) -> Any:
    """Return a formula as nested lists that the page can compute: numbers, names as texts, and ``[operation, ...]``.

    Parameters
    ----------
    names
        What the model defines; another name is a conversion of units, and becomes its number.
    local
        Arguments of the function whose formula it is.
    """
    if node.kind in ("number", "integer"):
        return float(node.text)
    if node.kind == "name":
        conversion = None if node.text in names or node.text in local else conversion_factor(node.text)
        return node.text if conversion is None else conversion[0]
    branches = [formula_tree(argument, names, local) for argument in node.args]
    return ["call", node.text, *branches] if node.kind == "call" else [node.kind, *branches]


def _parameter(row: Parameter, is_input: bool) -> dict[str, Any]:
    return {
        "name": row.id,
        "label": row.label,
        "unit": row.unit,
        "kind": "input" if is_input else "parameter",
        "value": row.value,
        "low": row.low if math.isfinite(row.low) else None,
        "high": row.high if math.isfinite(row.high) else None,
        "role": row.role,
        "source": row.source,
        "locator": row.locator,
        "grade": row.grade,
        "note": row.note,
    }
