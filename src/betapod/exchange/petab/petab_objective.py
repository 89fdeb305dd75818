"""How likely the measurements of a problem of PEtab are: llh, chi2, and the gradient on the scale of the search."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConfigError, Location, Problem, did_you_mean
from ...model.algebra.derivative import gradient
from ...model.algebra.evaluate import compile_function
from ...model.algebra.expression import TIME, ZERO, Expr, free_symbols, substitute, symbol
from .petab_problem import PetabMeasurement, PetabObservable, PetabParameter, PetabProblem, petab_symbol
from .petab_run import PetabRun, PetabValues

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class PetabEvaluation:
    """A problem at one set of values.

    Attributes
    ----------
    values
        Natural value of every parameter of the table.
    llh
        Logarithm of the likelihood of all measurements, constants included.
    chi2
        Sum of squared residuals in SDs, on the scale on which noise adds.
    log_prior
        Logarithm of the prior density, constants included, of the parameters that have one.
    simulated, noise, residuals
        (measurements,) prediction and size of the noise in the observable's unit and scale, residual in SDs.
    gradient
        Derivative of llh by every estimated parameter on its scale; None where it was not asked for.
    prior_gradient
        The same of `log_prior`.
    """

    values: Mapping[str, float]
    llh: float
    chi2: float
    log_prior: float
    simulated: Numbers
    noise: Numbers
    residuals: Numbers
    gradient: Mapping[str, float] | None = None
    prior_gradient: Mapping[str, float] | None = None


def evaluate_petab(
    problem: PetabProblem,
    values: Mapping[str, float] | None = None,
    slopes: bool = False,
    threads: int | None = None,
) -> PetabEvaluation:
    """Return how likely the measurements of a problem are.

    Parameters
    ----------
    problem
        Of `read_petab`.
    values
        Natural values of parameters, whatever their scale; the nominal ones of all others.
    slopes
        Whether the gradient is wanted: exact, by forward sensitivities.
    threads
        Cores; all by default.

    Returns
    -------
    PetabEvaluation
        llh, chi2, predictions (measurements,), gradient on the scales of the parameters.

    Raises
    ------
    ConfigError
        A parameter that the problem has not; slopes of a model with events.
    SolverError
        An experiment cannot be simulated.

    Examples
    --------
    >>> import betapod, tempfile
    >>> from betapod.exchange.petab.petab_example import write_petab_example
    >>> problem = betapod.read_petab(write_petab_example(tempfile.mkdtemp()))
    >>> at = betapod.evaluate_petab(problem, {"k": 0.5})
    >>> round(at.llh, 4), round(at.chi2, 4)
    (-1.8809, 1.0523)
    """
    return PetabObjective(problem, threads)(values, slopes)


class PetabObjective:
    """Evaluates one problem, again and again.

    Parameters
    ----------
    threads
        Cores; all by default.

    Examples
    --------
    ``PetabObjective(read_petab("problem.yaml"))()`` is the problem at its nominal values.
    """

    def __init__(self, problem: PetabProblem, threads: int | None = None) -> None:
        self.problem = problem
        self.run = PetabRun(problem, threads)
        self._rows = [_Row(problem.observables[m.observable], m) for m in problem.measurements]

    def __call__(self, values: Mapping[str, float] | None = None, slopes: bool = False) -> PetabEvaluation:
        """Evaluate the problem.

        Parameters
        ----------
        values
            Natural values of parameters; the nominal ones of all others.
        slopes
            Whether the gradient is wanted.

        Raises
        ------
        ConfigError
            A parameter that the problem has not.
        SolverError
            An experiment cannot be simulated, or predictions are no numbers.
        """
        nominal = self.problem.nominal()
        unknown = [name for name in values or () if name not in nominal]
        if unknown:
            raise ConfigError(
                [
                    Problem("unknown-name", f"the problem has no parameter {name!r}", hint=did_you_mean(name, nominal))
                    for name in unknown
                ]
            )
        if slopes and not self.run.exact_slopes:
            message = "derivatives of a model with events jump where these happen, and are not supported"
            raise ConfigError(Problem("unsupported", message, Location(self.problem.file)))
        at = {**nominal, **(values or {})}
        wanted = list(self.problem.estimated) if slopes else []
        quantities = self.run(at, wanted)
        terms = [row(quantities, number, at, wanted) for number, row in enumerate(self._rows)]
        llh = math.fsum(term.llh for term in terms)
        residuals = np.array([term.residual for term in terms])
        prior = {
            name: _log_prior(parameter, at[name])
            for name, parameter in self.problem.parameters.items()
            if parameter.estimated
        }
        scales = {name: self.problem.parameters[name].slope(at[name]) for name in wanted}
        by_natural = np.sum([term.slopes for term in terms], axis=0) if slopes else np.empty(0)
        return PetabEvaluation(
            at,
            llh,
            float(residuals @ residuals),
            math.fsum(value for value, _ in prior.values()),
            np.array([term.simulated for term in terms]),
            np.array([term.noise for term in terms]),
            residuals,
            {name: float(g) * scales[name] for name, g in zip(wanted, by_natural, strict=True)} if slopes else None,
            {name: prior[name][1] for name in wanted} if slopes else None,
        )


@dataclass(frozen=True)
class _Term:
    """One measurement's part: derivatives by the natural values of the parameters."""

    llh: float
    residual: float
    simulated: float
    noise: float
    slopes: Numbers


class _Row:
    """One measurement with its observable: functions of the model's quantities and the parameters."""

    def __init__(self, observable: PetabObservable, measurement: PetabMeasurement) -> None:
        self.observable, self.measurement = observable, measurement
        replacements = {
            symbol(petab_symbol(n)): e for n, e in zip(observable.placeholders, measurement.placeholders, strict=True)
        }
        replacements |= {
            symbol(petab_symbol(n)): e
            for n, e in zip(observable.noise_placeholders, measurement.noise_placeholders, strict=True)
        }
        roots = substitute([observable.formula, observable.noise], replacements)
        self.names = [name for name in free_symbols(roots) if symbol(name) is not TIME]
        variables = [symbol(name) for name in self.names]
        partials: list[Expr] = [gradient(root, variables).get(v, ZERO) for root in roots for v in variables]
        self._compute = compile_function([*roots, *partials], [["t"], self.names])

    def __call__(self, quantities: PetabValues, number: int, at: Mapping[str, float], wanted: list[str]) -> _Term:
        at_names = {name: j for j, name in enumerate(quantities.names)}
        parameter_values = {petab_symbol(name): value for name, value in at.items()}
        values = [
            parameter_values[name] if name in parameter_values else float(quantities.values[number, at_names[name]])
            for name in self.names
        ]
        simulated, noise, *partials = self._compute([self.measurement.time], values)
        by_parameter = np.zeros((len(self.names), len(wanted)))
        for j, name in enumerate(self.names):
            if name in at_names:
                by_parameter[j] = quantities.slopes[: len(wanted), number, at_names[name]]
            else:
                by_parameter[j] = [float(petab_symbol(parameter) == name) for parameter in wanted]
        slopes = (
            np.array(partials).reshape(2, len(self.names)) @ by_parameter if self.names else np.zeros((2, len(wanted)))
        )
        return self._term(float(simulated), float(noise), slopes)

    def _term(self, simulated: float, noise: float, slopes: Numbers) -> _Term:
        measured, scale = self.measurement.value, self.observable.scale
        if not noise > 0.0 or not math.isfinite(simulated) or (scale != "lin" and not simulated > 0.0):
            return _Term(-math.inf, math.nan, simulated, noise, np.full(slopes.shape[1], math.nan))
        unit = math.log(10.0) if scale == "log10" else 1.0
        ours, theirs, inner, more = simulated, measured, 1.0, 0.0
        if scale != "lin":
            ours, theirs = math.log(simulated) / unit, math.log(measured) / unit
            inner, more = 1.0 / (simulated * unit), math.log(measured * unit)
        residual = (theirs - ours) / noise
        if self.observable.distribution == "laplace":
            llh = -math.log(2.0 * noise) - abs(residual) - more
            by_ours, by_noise = math.copysign(1.0, residual) / noise, (abs(residual) - 1.0) / noise
        else:
            llh = -0.5 * math.log(2.0 * math.pi) - math.log(noise) - 0.5 * residual**2 - more
            by_ours, by_noise = residual / noise, (residual**2 - 1.0) / noise
        return _Term(llh, residual, simulated, noise, by_ours * inner * slopes[0] + by_noise * slopes[1])


def _log_prior(parameter: PetabParameter, natural: float) -> tuple[float, float]:
    """Return the logarithm of a prior density and its derivative on the scale of the search."""
    prior = parameter.prior
    if prior is None:
        return 0.0, 0.0
    at = parameter.scaled(natural) if prior.on_scale else natural
    inner = 1.0 if prior.on_scale else parameter.slope(natural)
    first, second = prior.first, prior.second
    logarithmic = prior.kind.startswith("log-")
    if logarithmic and not at > 0.0:
        return -math.inf, 0.0
    x, jacobian, by_x = (math.log(at), -math.log(at), 1.0 / at) if logarithmic else (at, 0.0, 1.0)
    kind = prior.kind.removeprefix("log-")
    if kind == "uniform":
        low, high = (math.log(first), math.log(second)) if logarithmic else (first, second)
        inside = low <= x <= high
        return (-math.log(high - low) + jacobian if inside else -math.inf), (
            -by_x * inner if logarithmic and inside else 0.0
        )
    z = (x - first) / second
    if kind == "laplace":
        value, slope = -math.log(2.0 * second) - abs(z), -math.copysign(1.0, z) / second
    else:
        value, slope = -0.5 * math.log(2.0 * math.pi) - math.log(second) - 0.5 * z * z, -z / second
    return value + jacobian, (slope * by_x - (by_x if logarithmic else 0.0)) * inner
