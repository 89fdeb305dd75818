"""Tables of PEtab as text."""

from __future__ import annotations

import math
from collections.abc import Mapping

from .petab_problem import PetabParameter, PetabPrior, PetabProblem

#: Priors of version 1 by kind, on the natural scale.
_FIRST = {
    "normal": "normal",
    "laplace": "laplace",
    "uniform": "uniform",
    "log-normal": "logNormal",
    "log-laplace": "logLaplace",
}


def petab_parameter_table(problem: PetabProblem, values: Mapping[str, float]) -> str:
    """Return the table of parameters in the problem's own version, with other nominal values.

    Parameters
    ----------
    values
        Natural value of every parameter.
    """
    rows = [
        _first_version(row, values[name]) if problem.version == 1 else _second_version(row, values[name])
        for name, row in problem.parameters.items()
    ]
    heads = list(dict.fromkeys(head for row in rows for head in row))
    lines = ["\t".join(heads)] + ["\t".join(row.get(head, "") for head in heads) for row in rows]
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return "" if math.isinf(value) else repr(value)


def _first_version(row: PetabParameter, value: float) -> dict[str, str]:
    cells = {
        "parameterId": row.name, "parameterScale": row.scale, "lowerBound": _number(row.low),
        "upperBound": _number(row.high), "nominalValue": repr(value), "estimate": str(int(row.estimated)),
    }  # fmt: skip
    if row.prior is not None:
        form = (
            f"parameterScale{row.prior.kind.title()}"
            if row.prior.on_scale
            else _FIRST.get(row.prior.kind, row.prior.kind)
        )
        cells |= {"objectivePriorType": form, "objectivePriorParameters": _two(row.prior)}
    return cells


def _second_version(row: PetabParameter, value: float) -> dict[str, str]:
    cells = {
        "parameterId": row.name, "lowerBound": _number(row.low), "upperBound": _number(row.high),
        "nominalValue": repr(value), "estimate": str(row.estimated).lower(),
    }  # fmt: skip
    if row.prior is not None:
        cells |= {"priorDistribution": row.prior.kind, "priorParameters": _two(row.prior)}
    return cells


def _two(prior: PetabPrior) -> str:
    return f"{prior.first!r};{prior.second!r}"
