"""Algorithms by their numbers in KiSAO, the Kinetic Simulation Algorithm Ontology, and what stands for each here."""

from __future__ import annotations

#: Relative and absolute tolerance.
RELATIVE_TOLERANCE, ABSOLUTE_TOLERANCE = 209, 211

#: What may be meant of a target.
TIME, AMOUNT, CONCENTRATION = 832, 836, 838

#: Methods for differential equations, by their names in the ontology.
_ODE = {
    19: "CVODE", 20: "PVODE", 30: "Euler forward method", 31: "Euler backward method",
    32: "explicit fourth-order Runge-Kutta method", 33: "Rosenbrock method", 64: "Runge-Kutta based method", 71: "LSODE",
    86: "Fehlberg method", 87: "Dormand-Prince method", 88: "LSODA", 89: "LSODAR", 93: "LSODPK", 94: "Livermore solver",
    233: "LSODES", 261: "Euler method", 279: "Adams-Bashforth method", 280: "Adams-Moulton method", 283: "IDA",
    288: "backward differentiation formula", 289: "Adams method", 290: "Merson method", 301: "Heun method",
    302: "embedded Runge-Kutta method", 304: "Radau method", 305: "Verner method", 321: "Cash-Karp method",
    355: "DASPK", 356: "DASSL", 379: "Bulirsch-Stoer algorithm", 381: "midpoint method", 383: "Bader-Deuflhard method",
    432: "IDA-like method", 433: "CVODE-like method", 434: "Higham-Hall method", 435: "embedded Runge-Kutta 5(4) method",
    436: "Dormand-Prince 8(5,3) method", 496: "CVODES", 535: "VODE", 536: "ZVODE",
    560: "hybrid of LSODA and LSODAR", 694: "ODE solver",
}  # fmt: skip
#: Methods that look for a steady state.
_STEADY = {
    282: "KINSOL", 407: "steady state method", 408: "Newton-type method", 409: "ordinary Newton method",
    410: "simplified Newton method", 411: "Newton-like method", 412: "inexact Newton method", 413: "exact Newton method",
}  # fmt: skip
#: Methods that draw random numbers, count single molecules, or have no differential equations: nothing here stands for them.
_OTHERS = {
    3: "weighted stochastic simulation algorithm", 15: "Gillespie first reaction algorithm",
    21: "StochSim nearest-neighbour algorithm", 27: "Gibson-Bruck next reaction algorithm",
    28: "slow-scale stochastic simulation algorithm", 29: "Gillespie direct algorithm",
    38: "sorting stochastic simulation algorithm", 39: "tau-leaping method", 40: "Poisson tau-leaping method",
    45: "implicit tau-leaping method", 46: "trapezoidal tau-leaping method", 51: "Bortz-Kalos-Lebowitz algorithm",
    74: "binomial tau-leaping method", 75: "Gillespie multi-particle method", 84: "nonnegative Poisson tau-leaping method",
    95: "sub-volume stochastic reaction-diffusion algorithm", 231: "Pahle hybrid method", 241: "Gillespie-like method",
    263: "NFSim agent-based simulation method", 278: "Metropolis Monte Carlo algorithm", 286: "Euler-Maruyama method",
    287: "Milstein method", 319: "Monte Carlo method", 324: "nested stochastic simulation algorithm",
    330: "R-leaping algorithm", 333: "accelerated stochastic simulation algorithm", 352: "hybrid method",
    437: "flux balance analysis", 448: "logical model simulation method", 449: "synchronous logical model simulation method",
    450: "asynchronous logical model simulation method", 499: "dynamic flux balance analysis", 526: "flux variability analysis",
    527: "geometric flux balance analysis", 528: "parsimonious enzyme usage flux balance analysis",
}  # fmt: skip
#: Methods of SciPy by the numbers of the same methods; LSODA stands for the rest.
_SAME = {88: "LSODA", 560: "LSODA", 288: "BDF", 304: "Radau"}


def method_for_kisao(number: int) -> str:
    """Return the method that stands for an algorithm of differential equations.

    Examples
    --------
    >>> from betapod.exchange.sedml.kisao_algorithms import method_for_kisao
    >>> method_for_kisao(19), method_for_kisao(304)
    ('LSODA', 'Radau')
    """
    return _SAME.get(number, "LSODA")


def refused_algorithm(number: int) -> str:
    """Return the name of an algorithm that nothing here stands for; an empty text for others.

    Examples
    --------
    >>> from betapod.exchange.sedml.kisao_algorithms import refused_algorithm
    >>> refused_algorithm(29)
    'Gillespie direct algorithm'
    """
    return _OTHERS.get(number, "")


def algorithm_note(number: int, steady: bool) -> str:
    """Return a sentence on what is done instead; an empty text where the very algorithm is used.

    Parameters
    ----------
    number
        Of KiSAO; -1 where the file names none.
    steady
        Whether a steady state is looked for.

    Examples
    --------
    >>> from betapod.exchange.sedml.kisao_algorithms import algorithm_note
    >>> algorithm_note(19, False)
    'CVODE (KISAO:0000019): LSODA stands for it, with steps as the tolerances need them.'
    """
    name = {**_ODE, **_STEADY}.get(number)
    label = f"{name} (KISAO:{number:07d})" if name else f"The algorithm KISAO:{number:07d} is not known"
    if number < 0:
        label = "No algorithm is named"
    if steady:
        return f"{label}: the model is integrated until nothing changes any more."
    if number in _SAME:
        return ""
    return f"{label}: {method_for_kisao(number)} stands for it, with steps as the tolerances need them."
