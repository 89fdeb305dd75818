"""Mathematics of SED-ML over numbers and whole results: MathML of SBML, and functions of whole results such as max and mean."""

from __future__ import annotations

import copy
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ExchangeError, MissingExtraError, Problem
from ...model.algebra.evaluate import compile_function
from ...model.algebra.expression import TIME, Expr, free_symbols, symbol
from ..foreign.mathml_operators import Unsupported
from ..sbml.mathml_reader import MathReader
from .sedml_document import SedmlFormula
from .xml_document import local_name

_MATH = "http://www.w3.org/1998/Math/MathML"
_WHOLE = re.compile(r"sed-?ml.*[#:/](min|max|sum|product|count|mean|stdev|variance)$", re.IGNORECASE)
Values = NDArray[np.float64]

#: What makes one number of all values of a result, those that are no numbers left out; SDs and variances are those of a sample.
_WHOLES: Mapping[str, Callable[[Values], float]] = {
    "min": lambda x: float(np.nanmin(x)),
    "max": lambda x: float(np.nanmax(x)),
    "sum": lambda x: float(np.nansum(x)),
    "product": lambda x: float(np.nanprod(x)),
    "count": lambda x: float(np.count_nonzero(~np.isnan(x))),
    "mean": lambda x: float(np.nanmean(x)),
    "stdev": lambda x: float(np.nanstd(x, ddof=1)),
    "variance": lambda x: float(np.nanvar(x, ddof=1)),
}


def formula_value(formula: SedmlFormula, values: Mapping[str, Values | float], file: str) -> Values:
    """Return what a formula gives.

    Parameters
    ----------
    formula
        Its mathematics and constants.
    values
        Of its variables (and ranges): numbers, or results that begin with the same dimensions.
    file
        Name for messages.

    Raises
    ------
    ExchangeError
        Names without a value, constructs that are not supported, results of different lengths.
    """
    numbers = {name: np.asarray(value, dtype=float) for name, value in {**formula.constants, **values}.items()}
    return _FormulaReader(formula, numbers, file).value(copy.deepcopy(formula.math))


def formula_names(formula: SedmlFormula) -> set[str]:
    """Return the names that a formula uses."""
    return {(e.text or "").strip() for e in formula.math.iter() if local_name(e) == "ci"}


class _FormulaReader:
    def __init__(self, formula: SedmlFormula, numbers: dict[str, Values], file: str) -> None:
        self.formula, self.numbers, self.file = formula, numbers, file

    def value(self, math: ET.Element) -> Values:
        self._shorten(math)
        graph = self._graph(math)
        names = free_symbols([graph])
        columns = aligned([self.numbers[name.removeprefix("of ")] for name in names])
        if columns is None:
            self._refuse("bad-data", "the results in this formula have different lengths")
        compute = compile_function([graph], [names], array=True)
        with np.errstate(all="ignore"):
            value = np.asarray(compute(columns)[0], dtype=float)
        return (
            value
            if not columns
            else np.broadcast_to(value, np.broadcast_shapes(value.shape, *(c.shape for c in columns)))
        )

    def _shorten(self, element: ET.Element) -> None:
        """Replace each function of a whole result by its number, the innermost first."""
        for child in list(element):
            self._shorten(child)
        for position, child in enumerate(list(element)):
            name = _whole(child)
            if not name:
                continue
            inside = ET.Element("math")
            inside.extend(list(child)[1:])
            number = ET.Element("ci")
            number.text = f"whole_{len(self.numbers)}"
            self.numbers[number.text] = np.asarray(_WHOLES[name](self.value(inside)))
            element[position] = number

    def _graph(self, math: ET.Element) -> Expr:
        try:
            import libsbml
        except ImportError:
            raise MissingExtraError("python-libsbml", "interop", "reading SED-ML") from None
        tree = libsbml.readMathMLFromString(_plain(math))
        if tree is None:
            self._refuse("bad-formula", "this is no mathematics")

        def no_rate(of: str) -> Expr:
            raise Unsupported(f"the rate of {of}")

        def no_delay(of: Expr, by: Expr) -> Expr:
            raise Unsupported("what something was some time ago")

        try:
            return MathReader({}, self._name, no_rate, TIME, no_delay).expr(tree)
        except Unsupported as problem:
            self._refuse("bad-formula", f"{problem} is not supported in a formula")
            raise

    def _name(self, identifier: str) -> Expr:
        if identifier not in self.numbers:
            raise Unsupported(f"the name {identifier!r}, which has no value here,")
        return symbol(f"of {identifier}")

    def _refuse(self, kind: str, message: str) -> None:
        raise ExchangeError(Problem(kind, message, self.formula.location)) from None


def aligned(arrays: list[Values]) -> list[Values] | None:
    """Return arrays that can be computed with one another: those of fewer dimensions stay alike along the last ones.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.exchange.sedml.sedml_formulas import aligned
    >>> [a.shape for a in aligned([np.zeros((3, 2)), np.zeros(3)])]
    [(3, 2), (3, 1)]
    """
    most = max((array.ndim for array in arrays), default=0)
    reshaped = [a.reshape(a.shape + (1,) * (most - a.ndim)) if a.ndim else a for a in arrays]
    try:
        np.broadcast_shapes(*(array.shape for array in reshaped))
    except ValueError:
        return None
    return reshaped


def _whole(element: ET.Element) -> str:
    """Return the name of the function of a whole result that an element applies."""
    if local_name(element) != "apply" or not len(element) or local_name(element[0]) != "csymbol":
        return ""
    match = _WHOLE.search(element[0].get("definitionURL", ""))
    return match[1].lower() if match else ""


def _plain(element: ET.Element) -> str:
    """Return MathML without prefixes, as libsbml reads it."""

    def plain(of: ET.Element) -> ET.Element:
        attributes = {key: value for key, value in of.attrib.items() if "}" not in key}
        again = ET.Element(local_name(of), attributes)
        again.text, again.tail = of.text, of.tail
        again.extend([plain(child) for child in of])
        return again

    root = plain(element)
    root.tag = "math"
    root.set("xmlns", _MATH)
    return '<?xml version="1.0" encoding="UTF-8"?>' + ET.tostring(root, encoding="unicode")
