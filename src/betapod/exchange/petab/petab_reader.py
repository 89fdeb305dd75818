"""Read a problem of PEtab, version 1 or 2: every fault at once, each with its file and line."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ...base.config import Document, read_yaml
from ...base.errors import BetapodError, ConfigError, Location, Problem, did_you_mean, not_among
from ...model.algebra.expression import Expr, substitute, symbol
from ..foreign.mathml_operators import Unsupported
from .petab_files import PetabFiles, named_files
from .petab_formulas import read_constant, read_formula
from .petab_model import read_petab_model
from .petab_problem import (
    SCALES,
    PetabMeasurement,
    PetabObservable,
    PetabParameter,
    PetabPeriod,
    PetabPrior,
    PetabProblem,
    petab_symbol,
)
from .petab_rows import PetabRow, read_petab_rows

#: Kinds of priors by the names of either version, and whether they are on the scale of the search.
_PRIORS = {
    "normal": ("normal", False), "laplace": ("laplace", False), "uniform": ("uniform", False),
    "logNormal": ("log-normal", False), "logLaplace": ("log-laplace", False),
    "log-normal": ("log-normal", False), "log-laplace": ("log-laplace", False), "log-uniform": ("log-uniform", False),
    "parameterScaleNormal": ("normal", True), "parameterScaleLaplace": ("laplace", True), "parameterScaleUniform": ("uniform", True),
}  # fmt: skip
#: Noise by its names in version 2: distribution and scale.
_NOISE = {
    "normal": ("normal", "lin"),
    "laplace": ("laplace", "lin"),
    "log-normal": ("normal", "log"),
    "log-laplace": ("laplace", "log"),
}
_WRITTEN = Mapping[str, str]


def read_petab(path: str | Path) -> PetabProblem:
    """Read a problem of PEtab with an SBML model.

    Parameters
    ----------
    path
        The YAML file that names the others, which stand beside it. Version 1, or version 2 without extensions.

    Returns
    -------
    PetabProblem
        Model, parameters, experiments, observables and measurements.

    Raises
    ------
    ConfigError, ExchangeError
        Everything that is wrong with the files, each with its place; extensions, mapping tables and models that are not SBML.

    Examples
    --------
    >>> import betapod, tempfile
    >>> from betapod.exchange.petab.petab_example import write_petab_example
    >>> problem = betapod.read_petab(write_petab_example(tempfile.mkdtemp()))
    >>> problem.estimated, len(problem.measurements)
    (('k', 'error'), 6)
    """
    return _Reader(read_yaml(path), Path(path).parent).read()


class _Reader:
    def __init__(self, document: Document, folder: Path) -> None:
        self.document, self.folder = document, folder
        self.problems: list[Problem] = list(document.problems)
        self.notes: list[str] = []

    def read(self) -> PetabProblem:
        self.version, files = named_files(self.document, self.problems)
        self._refuse()
        self.parameters = {
            p.name: p for row in self._rows(files.parameters, ["parameterId"]) if (p := self._parameter(row))
        }
        written = self._conditions(files.conditions)
        periods, measured = self._experiments(files, written)
        self._refuse()
        targets = dict.fromkeys(
            name for periods_of in periods.values() for _, changes in periods_of for name in changes
        )
        later = any(start not in (0.0, -math.inf) for periods_of in periods.values() for start, _ in periods_of)
        self.model, self.targets, clock = read_petab_model(self.folder / files.model, targets, later)
        experiments = {
            name: tuple(PetabPeriod(start, self._changes(changes, name)) for start, changes in periods_of)
            for name, periods_of in periods.items()
        }
        observables = {
            o.name: o
            for row in self._rows(files.observables, ["observableId", "observableFormula", "noiseFormula"])
            if (o := self._observable(row))
        }
        measurements = [m for row, experiment in measured if (m := self._measurement(row, experiment, observables))]
        self._refuse()
        return PetabProblem(
            self.document.file, self.version, self.model, self.parameters, experiments, observables,
            tuple(measurements), self.targets, self._direct(), tuple(self.notes), clock,
        )  # fmt: skip

    def _refuse(self) -> None:
        if self.problems:
            raise ConfigError(self.problems)

    def _rows(self, files: Sequence[str], needed: Sequence[str], keep_nan: bool = False) -> Iterable[PetabRow]:
        return list(read_petab_rows(self.folder, files, needed, self.problems, keep_nan))

    # -- parameters --------------------------------------------------------------------------------------------------

    def _parameter(self, row: PetabRow) -> PetabParameter | None:
        name, scale = row.text("parameterId"), row.text("parameterScale", "lin")
        if not name:
            self.problems.append(Problem("missing-id", "this row names no parameter", row.place))
            return None
        if scale not in SCALES:
            self.problems.append(_at(not_among(SCALES, "bad-scale", f"{name} has no such scale", scale), row.place))
            return None
        said = row.text("estimate", "1" if self.version == 1 else "true").lower()
        if said not in ("0", "1", "0.0", "1.0", "true", "false"):
            self.problems.append(
                Problem("bad-value", "estimate is yes or no", row.place, said, "1 or 0, true or false")
            )
        estimated = said in ("1", "1.0", "true")
        low, high = (
            row.number(column, self.problems, default)
            for column, default in (("lowerBound", -math.inf), ("upperBound", math.inf))
        )
        middle = _middle(low, high, scale) if estimated else None
        nominal = row.number("nominalValue", self.problems, middle)
        if estimated and not low <= high:
            self.problems.append(
                Problem("bad-range", f"the bounds of {name} are no range", row.place, f"{low:g} to {high:g}")
            )
        if scale != "lin" and not nominal > 0.0:
            self.problems.append(
                Problem(
                    "bad-value", f"{name} is looked for on a logarithmic scale", row.place, f"{nominal:g}", "above 0"
                )
            )
        return PetabParameter(name, nominal, low, high, scale, estimated, self._prior(row, scale))

    def _prior(self, row: PetabRow, scale: str) -> PetabPrior | None:
        said = row.text("objectivePriorType") or row.text("priorDistribution")
        if not said:
            return None
        if said not in _PRIORS:
            self.problems.append(
                _at(not_among(_PRIORS, "unsupported", f"the prior {said} is not supported", said), row.place)
            )
            return None
        column = "objectivePriorParameters" if row.text("objectivePriorType") else "priorParameters"
        numbers = [read_constant(text) for text in row.listed(column)]
        if len(numbers) != 2 or None in numbers:
            self.problems.append(Problem("bad-prior", "a prior has two numbers", row.place, row.text(column), "a;b"))
            return None
        kind, on_scale = _PRIORS[said]
        first, second = (float(number or 0.0) for number in numbers)
        return PetabPrior(kind, first, second, on_scale)

    # -- experiments -------------------------------------------------------------------------------------------------

    def _conditions(self, files: Sequence[str]) -> dict[str, _WRITTEN]:
        """Return the formulas that conditions give to targets, as written."""
        written: dict[str, dict[str, str]] = {}
        if self.version == 1:
            for row in self._rows(files, ["conditionId"], keep_nan=True):
                names = {k: v for k, v in row.cells.items() if k not in ("conditionId", "conditionName")}
                written[row.text("conditionId")] = names
            return dict(written)
        for row in self._rows(files, ["conditionId", "targetId", "targetValue"]):
            written.setdefault(row.text("conditionId"), {})[row.text("targetId")] = row.text("targetValue")
        return dict(written)

    def _experiments(
        self, files: PetabFiles, written: Mapping[str, _WRITTEN]
    ) -> tuple[dict[str, list[tuple[float, _WRITTEN]]], list[tuple[PetabRow, str]]]:
        """Return periods of experiments as written, and each measurement with its experiment."""
        needed = ["observableId", "time", "measurement"]
        rows = list(self._rows(files.measurements, needed))
        periods: dict[str, list[tuple[float, _WRITTEN]]] = {}
        if self.version == 2:
            for row in self._rows(files.experiments, ["experimentId", "time", "conditionId"]):
                start = row.number("time", self.problems)
                changes = (
                    dict(self._condition(row, row.text("conditionId"), written)) if row.text("conditionId") else {}
                )
                periods.setdefault(row.text("experimentId"), []).append((start, changes))
            measured = [(row, row.text("experimentId")) for row in rows]
            for row, name in measured:
                if name and name not in periods:
                    hint = did_you_mean(name, periods)
                    self.problems.append(
                        Problem("unknown-name", f"there is no experiment {name!r}", row.place, hint=hint)
                    )
                periods.setdefault(name, [(0.0, {})])
            return {name: _merged(periods_of) for name, periods_of in periods.items()}, measured
        measured = []
        for row in rows:
            before, condition = row.text("preequilibrationConditionId"), row.text("simulationConditionId")
            name = f"{before}+{condition}" if before else condition
            measured.append((row, name))
            if name not in periods:
                first = [(-math.inf, self._condition(row, before, written))] if before else []
                periods[name] = [*first, (0.0, self._condition(row, condition, written))]
        return periods, measured

    def _condition(self, row: PetabRow, name: str, written: Mapping[str, _WRITTEN]) -> _WRITTEN:
        if name not in written:
            hint = did_you_mean(name, written)
            problem = Problem("unknown-name", f"there is no condition {name!r}", row.place, hint=hint)
            self.problems += [problem] * (problem.message not in {p.message for p in self.problems})
        return written.get(name, {})

    def _changes(self, written: _WRITTEN, experiment: str) -> dict[str, Expr]:
        location = Location(self.document.file)
        changes = {}
        equations = {symbol(name): assignment.expr for name, assignment in self.model.assignments.items()}
        for name, text in written.items():
            if text.lower() == "nan":
                continue  # a species keeps what it has
            formula = self._formula(text, location)
            if formula is not None:
                # What equations give is written out, since only states have a value between two periods.
                changes[name] = substitute([formula], equations)[0]
        return changes

    # -- observables and measurements --------------------------------------------------------------------------------

    def _formula(self, text: str, location: Location, placeholders: Sequence[str] = ()) -> Expr | None:
        def name(identifier: str) -> Expr:
            if identifier in placeholders or (
                identifier in self.parameters and identifier not in self.model.report.names
            ):
                return symbol(petab_symbol(identifier))
            if identifier in self.model.report.names:
                return symbol(self.model.report.names[identifier])
            near = did_you_mean(identifier, [*self.parameters, *self.model.report.names])
            raise Unsupported(f"the name {identifier}, which means nothing{f' ({near})' if near else ''},")

        try:
            return read_formula(text, name, location)
        except BetapodError as error:
            self.problems += error.problems
            return None

    def _observable(self, row: PetabRow) -> PetabObservable | None:
        name = row.text("observableId")
        placeholders, noisy = self._placeholders(row, name)
        formula = self._formula(row.text("observableFormula"), row.place, placeholders)
        noise_text = row.text("noiseFormula")
        noise = self._noise(noise_text, name, formula, row.place, noisy)
        distribution, scale = row.text("noiseDistribution", "normal"), row.text("observableTransformation", "lin")
        if self.version == 2 and distribution in _NOISE:
            distribution, scale = _NOISE[distribution]
        if distribution not in ("normal", "laplace") or scale not in SCALES:
            value_text = f"{distribution}, {scale}"
            self.problems.append(
                Problem("unsupported", f"noise of {name} of this kind is not supported", row.place, value_text)
            )
            return None
        if formula is None or noise is None:
            return None
        return PetabObservable(name, formula, noise, distribution, scale, tuple(placeholders), tuple(noisy))

    def _placeholders(self, row: PetabRow, name: str) -> tuple[list[str], list[str]]:
        if self.version == 2:
            return row.listed("observablePlaceholders"), row.listed("noisePlaceholders")
        both = row.text("observableFormula") + " " + row.text("noiseFormula")
        return _numbered(both, f"observableParameter{{}}_{name}"), _numbered(both, f"noiseParameter{{}}_{name}")

    def _noise(
        self, text: str, name: str, formula: Expr | None, location: Location, noisy: Sequence[str]
    ) -> Expr | None:
        """Return the noise, in which the name of the observable stands for its formula."""
        if formula is None:
            return None
        noise = self._formula(text, location, [*noisy, name])
        return None if noise is None else substitute([noise], {symbol(petab_symbol(name)): formula})[0]

    def _measurement(
        self, row: PetabRow, experiment: str, observables: Mapping[str, PetabObservable]
    ) -> PetabMeasurement | None:
        name = row.text("observableId")
        observable = observables.get(name)
        if observable is None:
            message, hint = f"there is no observable {name!r}", did_you_mean(name, observables)
            problem = Problem("unknown-name", message, row.place, hint=hint)
            self.problems += [problem] * (message not in {p.message for p in self.problems})
            return None
        time, value = row.number("time", self.problems), row.number("measurement", self.problems)
        placeholder_values = {}
        for column, wanted in (
            ("observableParameters", observable.placeholders),
            ("noiseParameters", observable.noise_placeholders),
        ):
            texts = row.listed(column)
            if len(texts) != len(wanted):
                expected = f"{len(wanted)} for {', '.join(wanted)}" if wanted else "none"
                self.problems.append(Problem("bad-value", f"{column} of {name}", row.place, row.text(column), expected))
            placeholder_values[column] = tuple(f for text in texts if (f := self._formula(text, row.place)) is not None)
        if observable.scale != "lin" and not value > 0.0:
            message = "a measurement on a logarithmic scale is above 0"
            self.problems.append(Problem("bad-value", message, row.place, f"{value:g}"))
        return PetabMeasurement(
            name,
            experiment,
            time,
            value,
            placeholder_values["observableParameters"],
            placeholder_values["noiseParameters"],
            row.line,
        )

    def _direct(self) -> dict[str, str]:
        """Return the parameters of the table that are parameters of the model."""
        names = self.model.report.names
        direct = {name: names[name] for name in self.parameters if name in names}
        for name, model_name in direct.items():
            if model_name not in self.model.parameters and model_name not in self.model.inputs:
                message = f"{name!r} is computed by the model, and the table of parameters gives it a value"
                self.problems.append(Problem("unsupported", message, Location(self.document.file)))
        self._refuse()
        return direct


def _numbered(text: str, form: str) -> list[str]:
    """Return the placeholders of version 1 that a text has: numbered from 1 on."""
    names: list[str] = []
    while re.search(rf"\b{re.escape(form.format(len(names) + 1))}\b", text):
        names.append(form.format(len(names) + 1))
    return names


def _merged(periods: Sequence[tuple[float, _WRITTEN]]) -> list[tuple[float, _WRITTEN]]:
    """Return periods in order, those that begin together as one."""
    merged: dict[float, dict[str, str]] = {}
    for start, changes in periods:
        merged.setdefault(start, {}).update(changes)
    return sorted(merged.items(), key=lambda period: period[0])


def _middle(low: float, high: float, scale: str) -> float | None:
    """Return where a search begins that nobody gave a place to: between the bounds."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return None
    return math.sqrt(low * high) if scale != "lin" and low > 0.0 else (low + high) / 2.0


def _at(problem: Problem, location: Location) -> Problem:
    """Return a problem at another place."""
    return Problem(problem.kind, problem.message, location, problem.found, problem.expected, problem.hint)
