"""Convert content MathML to expressions."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...base.nouns import with_noun
from ...model.algebra.expression import ONE, ZERO, Expr, const
from ..foreign.mathml_operators import OPERATORS, Unsupported
from .inlined_functions import recognised

#: The value that SBML fixes for its symbol ``avogadro``.
AVOGADRO = 6.02214179e23


@dataclass(frozen=True)
class SbmlFunction:
    """A function definition: argument names, the body's syntax tree (None: no mathematics given)."""

    arguments: tuple[str, ...]
    body: Any


@functools.cache
def _operators() -> dict[int, Callable[..., Expr]]:
    import libsbml as s

    numbers = {
        **{name: getattr(s, f"AST_FUNCTION_{name.upper()}", None) for name in OPERATORS},
        **{name: getattr(s, f"AST_LOGICAL_{name.upper()}") for name in ("and", "or", "xor", "not", "implies")},
        **{name: getattr(s, f"AST_RELATIONAL_{name.upper()}") for name in ("lt", "leq", "gt", "geq", "eq", "neq")},
        **{name: getattr(s, f"AST_{name.upper()}") for name in ("plus", "minus", "times", "divide", "power")},
    }
    return {s.AST_FUNCTION_POWER: OPERATORS["power"], **{numbers[name]: OPERATORS[name] for name in OPERATORS}}


@functools.cache
def _constants() -> dict[int, Expr]:
    import libsbml as s

    return {
        s.AST_CONSTANT_E: const(math.e),
        s.AST_CONSTANT_PI: const(math.pi),
        s.AST_CONSTANT_TRUE: ONE,
        s.AST_CONSTANT_FALSE: ZERO,
        s.AST_NAME_AVOGADRO: const(AVOGADRO),
    }


class MathReader:
    """Turns MathML into graph.

    Parameters
    ----------
    functions
        The model's function definitions by id; filled before any other mathematics is read.
    name
        Gives the node of an identifier of the model.
    rate_of
        Gives the node of an identifier's rate of change.
    time
        The node of SBML's time.
    delayed
        Gives the node of what an expression was so long ago.
    """

    def __init__(
        self,
        functions: Mapping[str, SbmlFunction],
        name: Callable[[str], Expr],
        rate_of: Callable[[str], Expr],
        time: Expr,
        delayed: Callable[[Expr, Expr], Expr],
    ) -> None:
        self.functions, self.name, self.rate_of, self.time = functions, name, rate_of, time
        self.delayed = delayed

    def expr(self, node: Any, local: Mapping[str, Expr] | None = None) -> Expr:
        """Return the graph of a syntax tree.

        Parameters
        ----------
        local
            Names that hide the model's: local parameters, or the arguments of a function.

        Raises
        ------
        Unsupported
            A construct that betapod cannot compute.
        """
        import libsbml as s

        kind = node.getType()
        operator = _operators().get(kind)
        if operator is not None:
            args = [self.expr(node.getChild(k), local) for k in range(node.getNumChildren())]
            try:
                return recognised(operator(*args))
            except (TypeError, IndexError):
                raise Unsupported(
                    f"{node.getOperatorName() or node.getName()} of {with_noun(len(args), 'argument')}"
                ) from None
        if kind in (s.AST_INTEGER, s.AST_REAL):
            return const(node.getValue())
        if kind == s.AST_REAL_E:
            # Read as one decimal number: mantissa times a power of ten would round twice.
            return const(float(f"{node.getMantissa()!r}e{node.getExponent()}"))
        if kind == s.AST_RATIONAL:
            return const(node.getNumerator() / node.getDenominator())
        if kind == s.AST_NAME:
            name = node.getName()
            return local[name] if local is not None and name in local else self.name(name)
        if kind == s.AST_NAME_TIME:
            return self.time
        if kind in _constants():
            return _constants()[kind]
        if kind == s.AST_FUNCTION:
            return self._call(node, local)
        if kind == s.AST_FUNCTION_RATE_OF:
            name = node.getChild(0).getName()
            return ZERO if local is not None and name in local else self.rate_of(name)
        if kind == s.AST_FUNCTION_DELAY:
            args = [self.expr(node.getChild(k), local) for k in range(node.getNumChildren())]
            if len(args) != 2:
                raise Unsupported(f"the csymbol delay of {with_noun(len(args), 'argument')}")
            return self.delayed(*args)
        raise Unsupported(f"the MathML construct {node.getName() or kind}")

    def _call(self, node: Any, local: Mapping[str, Expr] | None) -> Expr:
        name = node.getName()
        function = self.functions.get(name)
        if function is None:
            raise Unsupported(f"the function {name}, which is not defined")
        if function.body is None:
            raise Unsupported(f"the function {name}, which is defined without mathematics")
        args = [self.expr(node.getChild(k), local) for k in range(node.getNumChildren())]
        if len(args) != len(function.arguments):
            raise Unsupported(f"the function {name} of {with_noun(len(args), 'argument')}")
        return self.expr(function.body, dict(zip(function.arguments, args, strict=True)))
