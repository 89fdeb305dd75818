"""Flux balance of SBML (package fbc): the rates of reactions at which no species changes and an objective is best.

A linear programme: ``S v = 0`` for every species that reactions change, bounds of each flux, and an objective that is the largest or the
smallest it can be (Orth, Thiele and Palsson 2010, doi:10.1038/nbt.1614). HiGHS solves it, by SciPy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ExchangeError, Location, Problem, SolverError
from ...base.nouns import with_noun
from ...engine.tolerance import initial_values
from ...model.algebra.evaluate import compile_function
from ...model.algebra.expression import Expr, const, free_symbols
from ...model.assembly.model import Model

if TYPE_CHECKING:
    import pandas as pd

    from .model_builder import Builder

#: A flux whose range at the optimum is narrower than this, beside 1 or the flux, is determined: HiGHS keeps bounds to 1e-7.
_DETERMINED = 1e-6


@dataclass(frozen=True, eq=False, repr=False)
class FluxBalance:
    """The fluxes of a metabolic network at an optimum.

    Attributes
    ----------
    objective, goal, value
        Name of the objective, ``maximize`` or ``minimize``, and its value.
    table
        One row per reaction: ``flux``, its bounds ``lower`` and ``upper``, ``least`` and ``most`` that it can be at the same value of the
        objective, and its ``label``.
    units
        Unit of each column, 1 where the file names none.

    Examples
    --------
    >>> import betapod
    >>> network = '''<?xml version="1.0" encoding="UTF-8"?>
    ... <sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"
    ...  xmlns:fbc="http://www.sbml.org/sbml/level3/version1/fbc/version2" fbc:required="false">
    ... <model fbc:strict="true"><listOfCompartments><compartment id="c" constant="true" size="1"/></listOfCompartments>
    ... <listOfSpecies><species id="A" compartment="c" hasOnlySubstanceUnits="false" boundaryCondition="false" constant="false"/></listOfSpecies>
    ... <listOfParameters><parameter id="zero" value="0" constant="true"/><parameter id="ten" value="10" constant="true"/></listOfParameters>
    ... <listOfReactions>
    ... <reaction id="in" reversible="false" fast="false" fbc:lowerFluxBound="zero" fbc:upperFluxBound="ten">
    ... <listOfProducts><speciesReference species="A" stoichiometry="1" constant="true"/></listOfProducts></reaction>
    ... <reaction id="out" reversible="false" fast="false" fbc:lowerFluxBound="zero" fbc:upperFluxBound="ten">
    ... <listOfReactants><speciesReference species="A" stoichiometry="2" constant="true"/></listOfReactants></reaction>
    ... </listOfReactions>
    ... <fbc:listOfObjectives fbc:activeObjective="best"><fbc:objective fbc:id="best" fbc:type="maximize"><fbc:listOfFluxObjectives>
    ... <fbc:fluxObjective fbc:reaction="out" fbc:coefficient="1"/></fbc:listOfFluxObjectives></fbc:objective></fbc:listOfObjectives>
    ... </model></sbml>'''
    >>> balance = betapod.solve_flux_balance(network)
    >>> balance.value, balance.table["flux"].to_dict()
    (5.0, {'in': 10.0, 'out': 5.0})
    """

    objective: str
    goal: str
    value: float
    table: pd.DataFrame
    units: dict[str, str]

    def __repr__(self) -> str:
        return (
            f"<FluxBalance {self.goal} {self.objective} = {self.value:.6g}: {with_noun(len(self.table), 'reaction')}>"
        )

    @property
    def open(self) -> list[str]:
        """Reactions whose flux the optimum leaves open."""
        spread, size = self.table["most"] - self.table["least"], self.table["flux"].abs()
        return [str(name) for name in self.table.index[spread > _DETERMINED * np.maximum(size, 1.0)]]


@dataclass(frozen=True)
class _Network:
    """A linear programme of fluxes; rows of `matrix` are species, columns reactions."""

    reactions: list[str]
    labels: list[str]
    matrix: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    objective: str
    goal: str
    weights: NDArray[np.float64]
    unit: str


def solve_flux_balance(source: str | Path) -> FluxBalance:
    """Solve the flux balance of an SBML file: fluxes at which no species changes and the active objective is best.

    Parameters
    ----------
    source
        Path of a file with the package fbc (versions 1 and 2), or the text itself.

    Returns
    -------
    FluxBalance
        ``objective`` and ``value``, and ``table`` with one row per reaction: ``flux``, its bounds ``lower`` and ``upper``, ``least`` and
        ``most`` that it can be at the same value of the objective. ``open`` names the fluxes that the optimum does not determine.

    Raises
    ------
    ExchangeError
        The file is not valid SBML, holds no flux balance, or something that has no linear programme.
    SolverError
        No fluxes fulfil all bounds, or the objective has no bound.

    Examples
    --------
    See `FluxBalance`, which shows a network of two reactions.

    >>> import betapod
    >>> betapod.solve_flux_balance(betapod.write_sbml(betapod.load_model("topp2000")))
    Traceback (most recent call last):
    betapod.base.errors.ExchangeError: <text>: no-flux-balance: the file has no objective of the package fbc
    """
    from .model_builder import Builder
    from .read import open_document

    file, document, ignored = open_document(source, fluxes=True)
    return _solved(_network(Builder(document.getModel(), file, ignored)), file)


# -- the network -----------------------------------------------------------------------------------------------------


def _network(builder: Builder) -> _Network:
    """Read bounds, objective and stoichiometry."""
    from .model_links import finish_rates, link_model
    from .reactions import extent_rate_unit

    plugin = builder.source.getPlugin("fbc")
    objective = plugin.getActiveObjective() if plugin is not None else None
    if objective is None:
        message = "the file has no objective of the package fbc"
        raise ExchangeError(Problem("no-flux-balance", message, Location(builder.file)))
    if plugin.getPackageVersion() > 2:
        builder.refuse("version 3 of the package fbc, which has more than a linear programme,")
    builder.read_quantities()
    reactions = list(builder.source.getListOfReactions())
    names, labels = [r.getId() for r in reactions], [r.getName() for r in reactions]
    stoichiometry = _stoichiometry(builder, reactions)
    bounds = [_bounds(builder, plugin, r) for r in reactions]
    finish_rates(builder)
    if builder.problems:
        raise ExchangeError(list(dict.fromkeys(builder.problems)))
    number = _numbers(link_model(builder, []))
    species = list(dict.fromkeys(name for name, _, _, _ in stoichiometry))
    matrix, weights = np.zeros((len(species), len(reactions))), np.zeros(len(reactions))
    for name, column, sign, part in stoichiometry:
        matrix[species.index(name), column] += sign * number(part)
    for flux in objective.getListOfFluxObjectives():
        weights[names.index(flux.getReaction())] += flux.getCoefficient()
    lower, upper = (np.array([number(pair[side]) for pair in bounds]) for side in (0, 1))
    unit, goal = extent_rate_unit(builder), objective.getType()
    network = _Network(names, labels, matrix, lower, upper, objective.getId(), goal, weights, unit)
    _check(network, builder.file)
    return network


def _stoichiometry(builder: Builder, reactions: list[Any]) -> list[tuple[str, int, float, Expr]]:
    """Return what each reaction does to the species that are to rest: species, number of the reaction, sign, amount."""
    from .reactions import stoichiometry_of

    parts = []
    for column, r in enumerate(reactions):
        for references, sign in ((r.getListOfReactants(), -1.0), (r.getListOfProducts(), 1.0)):
            for reference in references:
                part = stoichiometry_of(builder, reference)
                species = builder.source.getSpecies(reference.getSpecies())
                if not species.getBoundaryCondition() and not species.getConstant():
                    parts.append((reference.getSpecies(), column, sign, part))
    return parts


def _bounds(builder: Builder, plugin: Any, reaction: Any) -> tuple[Expr, Expr]:
    """Return the bounds of a flux: parameters since version 2 of the package, before that numbers in a list of their own."""
    extension = reaction.getPlugin("fbc")
    ends = []
    for side, unbounded in (("Lower", -math.inf), ("Upper", math.inf)):
        name = getattr(extension, f"get{side}FluxBound")() if extension is not None else ""
        ends.append(builder.node(name) if name else const(unbounded))
    if plugin.getPackageVersion() > 1:
        return ends[0], ends[1]
    least, most = -math.inf, math.inf
    for bound in plugin.getListOfFluxBounds():
        if bound.getReaction() == reaction.getId():
            value, operation = bound.getValue(), bound.getOperation()
            least = max(least, value) if operation in ("greaterEqual", "equal") else least
            most = min(most, value) if operation in ("lessEqual", "equal") else most
    return const(least), const(most)


def _numbers(model: Model) -> Any:
    """Return what gives the number of an expression of the file at the start."""
    values = model.values()
    start = {"t": 0.0, **values, **dict(zip(model.state_names, initial_values(model), strict=True))}

    def number(expr: Expr) -> float:
        if expr.op == "const":
            return float(expr.value)
        rules = [name for name in free_symbols([expr]) if name not in start]
        computed = compile_function([model.expression(name) for name in rules], [list(start)])(list(start.values()))
        everything = {**start, **dict(zip(rules, computed, strict=True))}
        return float(compile_function([expr], [list(everything)])(list(everything.values()))[0])

    return number


def _check(network: _Network, file: str) -> None:
    """Refuse bounds and stoichiometries that are no numbers, and bounds that cross."""
    problems = []
    for k, name in enumerate(network.reactions):
        low, high = network.lower[k], network.upper[k]
        if not low <= high:
            message = f"the bounds of the flux {name} leave nothing between them"
            problems.append(Problem("bad-bounds", message, Location(file), found=f"{low:g} to {high:g}"))
        if not np.all(np.isfinite(network.matrix[:, k])) or not math.isfinite(network.weights[k]):
            message = f"a stoichiometry or the weight of the reaction {name} is no finite number"
            problems.append(Problem("bad-number", message, Location(file)))
    if problems:
        raise ExchangeError(problems)


# -- the solution ----------------------------------------------------------------------------------------------------


def _solved(network: _Network, file: str) -> FluxBalance:
    import pandas as pd

    sign = -1.0 if network.goal.startswith("max") else 1.0
    at_rest = _Programme(network, network.matrix, np.zeros(len(network.matrix)), file)
    fluxes = at_rest.best(sign * network.weights)
    value = float(network.weights @ fluxes)
    rows, sums = np.vstack([network.matrix, network.weights]), np.append(np.zeros(len(network.matrix)), value)
    as_good = _Programme(network, rows, sums, file)
    table = pd.DataFrame(
        {
            "flux": fluxes + 0.0,
            "lower": network.lower,
            "upper": network.upper,
            "least": [as_good.end(k, -1.0) for k in range(len(fluxes))],
            "most": [as_good.end(k, 1.0) for k in range(len(fluxes))],
            "label": network.labels,
        },
        index=pd.Index(network.reactions, name="reaction"),
    )
    units = dict.fromkeys(("flux", "lower", "upper", "least", "most"), network.unit)
    return FluxBalance(network.objective, network.goal, value + 0.0, table, units)


class _Programme:
    """The linear programme of a network: sums of fluxes that are given, between their bounds.

    Parameters
    ----------
    rows, sums
        (sums, reactions) weights of the fluxes in each sum, and (sums,) what it is to be.
    """

    def __init__(self, network: _Network, rows: NDArray[np.float64], sums: NDArray[np.float64], file: str) -> None:
        from scipy.sparse import csr_array

        self.network, self.rows, self.sums, self.file = network, csr_array(rows), sums, file
        self.bounds = np.column_stack([network.lower, network.upper])

    def end(self, k: int, side: float) -> float:
        """Return how small (side -1) or how large (1) a flux can be; infinite where nothing bounds it."""
        cost = np.zeros(len(self.network.reactions))
        cost[k] = -side
        try:
            return float(self.best(cost)[k]) + 0.0
        except SolverError as error:
            if error.kinds != ("no-bound",):
                raise
            return side * math.inf

    def best(self, cost: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the fluxes of the least cost.

        Raises
        ------
        SolverError
            There are none, or the cost has no bound.
        """
        from scipy.optimize import linprog

        solution = linprog(cost, A_eq=self.rows, b_eq=self.sums, bounds=self.bounds, method="highs")
        if solution.status == 0:
            return np.asarray(solution.x, dtype=float)
        kind, message = {
            2: ("no-fluxes", "no fluxes lie within all bounds with every species at rest"),
            3: ("no-bound", f"nothing bounds the objective {self.network.objective}"),
        }.get(solution.status, ("no-optimum", f"HiGHS did not solve the flux balance: {solution.message}"))
        hint = "Look at the bounds of the reactions that bring species in or take them out."
        raise SolverError(Problem(kind, message, Location(self.file), hint=hint))
