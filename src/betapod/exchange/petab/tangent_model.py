"""A model with its derivative in one direction: exact forward sensitivities, as further states.

Beside each state x stands its derivative s by the direction: s' = (df/dx) s + (df/dp) d, where d says how the parameters change along it. One such model serves
every direction, since d are parameters of its own; so each parameter of a fit is a lane of the ensemble.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...model import Assignment, Model, Parameter, ParameterTable, State
from ...model.algebra.derivative import tangents
from ...model.algebra.expression import ZERO, Expr, add, mul, symbol


@dataclass(frozen=True)
class TangentModel:
    """A model with its derivative in one direction.

    Attributes
    ----------
    directions
        Parameter that says how much a parameter changes along the direction, by its name.
    slopes
        Name of the derivative of a quantity: states, parameters, and the equations that were asked for.
    """

    model: Model
    directions: dict[str, str]
    slopes: dict[str, str]


def tangent_model(model: Model, parameters: Sequence[str], outputs: Sequence[str]) -> TangentModel:
    """Return a model with the derivatives of its states and of some equations.

    Parameters
    ----------
    parameters
        Those that may change along a direction.
    outputs
        Quantities whose derivatives are wanted as well.

    Examples
    --------
    >>> import betapod
    >>> from betapod.exchange.petab.tangent_model import tangent_model
    >>> made = tangent_model(betapod.load_model("topp2000"), ["S_I"], ["glucose"])
    >>> len(made.model.states), made.slopes["glucose"], made.directions
    (6, 'slope_glucose', {'S_I': 'along_S_I'})
    """
    used = set(model.names)
    slopes = {name: _new(f"slope_{name}", used) for name in model.state_names}
    directions = {name: _new(f"along_{name}", used) for name in parameters}
    equations = [name for name in dict.fromkeys(outputs) if name in model.assignments]
    names = {name: _new(f"slope_{name}", used) for name in equations}
    variables = {
        **{symbol(x): symbol(s) for x, s in slopes.items()},
        **{symbol(p): symbol(d) for p, d in directions.items()},
    }
    roots = [state.rate for state in model.states] + [state.initial for state in model.states]
    roots += [model.assignments[name].expr for name in equations]
    by_node = tangents(roots, list(variables))

    def slope(root: Expr) -> Expr:
        total: Expr = ZERO
        for variable, partial in by_node[root].items():
            total = add(total, mul(partial, variables[variable]))
        return total

    # Without units, since a derivative may be negative where its quantity may not.
    states = [
        State(slopes[s.name], "1", "", slope(s.rate), slope(s.initial), slope(s.rate), slope(s.initial))
        for s in model.states
    ]
    assignments = {
        names[name]: Assignment(
            names[name],
            "1",
            "",
            slope(model.assignments[name].expr),
            slope(model.assignments[name].expr),
        )
        for name in equations
    }
    rows = [Parameter(name, "", 0.0, "1") for name in directions.values()]
    extended = replace(
        model,
        states=(*model.states, *states),
        assignments={**model.assignments, **assignments},
        parameters=ParameterTable((*model.parameters.values(), *rows)),
    )
    return TangentModel(extended, directions, {**slopes, **names, **directions})


def _new(name: str, used: set[str]) -> str:
    while name in used:
        name += "_"
    used.add(name)
    return name
