"""Formulas of PEtab as expressions of the model."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from ...base.errors import ConfigError, Location, Problem
from ...model.algebra.expression import TIME, Expr, const
from ..foreign.mathml_operators import Unsupported
from ..sbml.mathml_reader import MathReader


def read_formula(text: str, name: Callable[[str], Expr], where: Location) -> Expr:
    """Return a formula as an expression.

    Parameters
    ----------
    text
        In the syntax of PEtab: powers as ``^`` or ``**``, ``log`` the natural logarithm.
    name
        Gives the node of a name; raises `Unsupported` for one that means nothing.

    Raises
    ------
    ConfigError
        The formula cannot be read.
    """
    try:
        return const(float(text))
    except ValueError:
        pass
    import libsbml

    settings = libsbml.L3ParserSettings()
    settings.setParseLog(libsbml.L3P_PARSE_LOG_AS_LN)
    plain = re.sub(r"\blog2\s*\(", "log(2, ", text.replace("**", "^"))
    tree = libsbml.parseL3FormulaWithSettings(plain, settings)
    if tree is None:
        reason = " ".join(libsbml.getLastParseL3Error().split())
        raise ConfigError(Problem("bad-formula", f"the formula cannot be read: {reason}", where, text))

    def no_rate(of: str) -> Expr:
        raise Unsupported(f"the rate of {of}")

    def no_delay(of: Expr, by: Expr) -> Expr:
        raise Unsupported("what something was some time ago")

    try:
        return MathReader({}, name, no_rate, TIME, no_delay).expr(tree)
    except Unsupported as problem:
        raise ConfigError(Problem("bad-formula", f"{problem} is not supported", where, text)) from None


def read_constant(text: str) -> float | None:
    """Return the number that a text is; None for anything else, or for no number."""
    try:
        value = float(text)
    except ValueError:
        return None
    return None if math.isnan(value) else value
