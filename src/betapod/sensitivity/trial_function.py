"""A trial as a function on the unit cube: what it estimates, the truth behind it, and its power, under numbers that are varied.

A number differs from the day on which people are met: who may come, and how they lived until then, stays. Every place has the same people,
the same randomisation and the same errors of measurement, so that what differs between two places comes from the numbers alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from ..base import cache as caching
from ..base.errors import BetapodError, ConfigError, Problem, not_among
from ..observables.quantities import visit_observables
from ..patients.library import Library
from ..patients.library import default as default_library
from ..patients.library_identity import library_digest
from ..physiology import whole_body
from ..therapies.cell_parameters import overlay, parameterise
from ..therapies.scenarios import CURRENT_EVIDENCE, NONE, SCENARIOS
from ..trials.analysis import endpoints
from ..trials.analysis.controlled import analyse
from ..trials.analysis.endpoints import Comparison, comparisons
from ..trials.conduct.candidates import Candidates
from ..trials.conduct.conduct import conduct_trial
from ..trials.conduct.counterfactuals import Counterfactuals
from ..trials.conduct.pool_build import chosen_people, pool_under
from ..trials.conduct.replicate_parameters import ParameterDraw, PeopleMet, people_of_draws, start_of_trial
from ..trials.operating.estimands import true_estimand, why_no_truth
from ..trials.operating.power_analysis import rate
from ..trials.operating.test_rules import rule_of
from ..trials.protocol.endpoint_keys import Endpoint
from ..trials.protocol.health_outcomes import QUALITY_OF_LIFE, health_label
from ..trials.protocol.protocol import Protocol
from .factors import DRAWN, Factor, select_factors
from .index_table import Numbers

#: What is read of a comparison: the mean estimate of replicates, the true value of what it estimates, the share of them that show a benefit.
READ = ("estimate", "truth", "power")
#: People from whom patients are drawn, where nobody says how many: fewer make places cheap, and the trial another by chance.
PEOPLE = 200
#: Replicates at each place.
REPLICATES = 100


@dataclass
class TrialFunction:
    """Outputs of a trial as a function of numbers of the model.

    Attributes
    ----------
    protocol
        With one design, one scenario and one endpoint: see `of_protocol`.
    factors
        The numbers, one for each column of the unit cube.
    library
        From whom people are chosen.
    """

    protocol: Protocol
    factors: Sequence[Factor]
    library: Library
    threads: int | None = None
    together: ClassVar[int] = 8
    first_points: ClassVar[int] = 1

    @classmethod
    def of_protocol(
        cls,
        protocol: Protocol,
        design: str = "",
        scenario: str = CURRENT_EVIDENCE,
        endpoint: str = "",
        selection: tuple[Sequence[str], Sequence[str], Sequence[str]] = ((DRAWN,), (), ()),
        people: int = PEOPLE,
        replicates: int = REPLICATES,
        library: Library | None = None,
        threads: int | None = None,
    ) -> TrialFunction:
        """Return the function of one comparison of a protocol.

        Parameters
        ----------
        design
            Of the protocol; the first with a control by default.
        scenario
            Of what cells do.
        endpoint
            Name of one of the protocol's, or ``quality_of_life`` for quality-adjusted life-years; the primary by default.
        selection
            Names or words, grades, and submodels, as `select_factors` takes them.

        Raises
        ------
        ConfigError
            Unknown names, a design without a control, no number to vary; all at once.
        """
        problems: list[Problem] = []
        library = default_library() if library is None else library
        design = _design(protocol, design, problems)
        if scenario not in SCENARIOS:
            message = f"there is no scenario {scenario!r} of cell therapy"
            problems.append(not_among(SCENARIOS, "unknown-scenario", message, scenario))
        chosen_endpoint = _endpoint(protocol, endpoint, problems)
        for name, number, least in (("people", people, 10), ("replicates", replicates, 2)):
            if number < least:
                message = f"{name} is out of range"
                problems.append(Problem("out-of-range", message, found=str(number), expected=f"{least} or more"))
        factors: Sequence[Factor] = ()
        try:
            model = parameterise(whole_body.named_model("reference"), scenario if scenario in SCENARIOS else NONE)
            factors = select_factors(model, *selection, kept=library.parameters)
        except BetapodError as error:
            problems += error.problems
        problems += [
            Problem("differs-between-people", f"people differ in {factor.name}: each keeps their own")
            for factor in factors
            if factor.name in library.parameters
        ]
        if problems:
            raise ConfigError(problems)
        single = protocol.model_copy(
            update={
                "designs": {design: protocol.designs[design]},
                "scenarios": [scenario],
                "endpoints": protocol.endpoints.model_copy(update={"primary": chosen_endpoint, "secondary": []}),
                "population": protocol.population.model_copy(update={"size": people}),
                "replicates": replicates,
                "fit_draws": 0,
            }
        )
        return cls(_arms_of(single, design), factors, library, threads)

    @property
    def design(self) -> str:
        """Name of the design."""
        return next(iter(self.protocol.designs))

    @property
    def scenario(self) -> str:
        """What cells are supposed to do."""
        return str(self.protocol.scenarios[0])

    @property
    def endpoint(self) -> Endpoint:
        """What is compared."""
        return self.protocol.endpoints.primary

    @cached_property
    def compared(self) -> list[Comparison]:
        """The comparisons of the design that have a control."""
        return [comparison for comparison in comparisons(self.protocol, self.design) if comparison.control is not None]

    @cached_property
    def outputs(self) -> Sequence[str]:
        """What is read: of each comparison, with the arm where there are several."""
        read = [word for word in READ if word != "truth" or not why_no_truth(self.endpoint)]
        if len(self.compared) == 1:
            return read
        return [f"{word}, {comparison.treated}" for comparison in self.compared for word in read]

    @property
    def about(self) -> dict[str, Any]:
        """What is simulated, as plain values of a document."""
        return {
            "trial": self.protocol.name,
            "design": self.design,
            "scenario": self.scenario,
            "endpoint": self.endpoint.name or self.endpoint.quantity,
            "measure": self.endpoint.measure,
            "compared": [comparison.words for comparison in self.compared],
            "people": self.protocol.population.size,
            "replicates": self.protocol.replicates,
        }

    @cached_property
    def identity(self) -> str:
        """Everything that shapes a value, but the place."""
        rows = [(f.name, f.law, *f.range, f.row.value) for f in self.factors]
        content = self.protocol.model_dump(mode="json")
        return caching.key(__name__, content, rows, self.outputs, library_digest(self.library))

    def unit(self, output: str) -> str:
        """Return the unit of what is read: 1 for power and on the scale of a logarithm or a share."""
        if output.startswith("power") or self.endpoint.measure != "difference":
            return "1"
        if self.endpoint.summary == "total":
            return "year"
        quantity = visit_observables().get(endpoints.endpoint_code(self.endpoint))
        if quantity is None or quantity.link == "log":
            return "1"
        return f"{quantity.unit}/year" if "slope" in self.endpoint.summary else quantity.unit

    def usual_scale(self, output: str) -> str:
        """Return ``linear``: estimates are on the scale of the analysis."""
        return "linear"

    @cached_property
    def _chosen(self) -> tuple[Candidates, PeopleMet]:
        candidates, start = chosen_people(self.protocol, self.library), start_of_trial(self.protocol)
        return candidates, people_of_draws(candidates.library, start, [start])[0]

    def __call__(self, u: Numbers, /) -> Numbers:
        """Return outputs (K, m) at places (K, d) of the unit cube."""
        columns = {factor.name: factor.at(u[:, k]) for k, factor in enumerate(self.factors)}
        places = [{name: float(values[row]) for name, values in columns.items()} for row in range(len(u))]
        return np.array([self.of_values(values) for values in places]).reshape(len(u), len(self.outputs))

    def of_values(self, values: Mapping[str, float]) -> list[float]:
        """Return what is read of the trial with numbers at these values."""
        of_cells = set(overlay(self.scenario))
        # What a scenario of cells says holds where cells are given under it; everything else holds in all courses.
        everywhere = {name: value for name, value in values.items() if name not in of_cells}
        draw = replace(start_of_trial(self.protocol), cells={NONE: everywhere, self.scenario: dict(values)})
        return self._read(draw)

    def _read(self, draw: ParameterDraw) -> list[float]:
        candidates, met = self._chosen
        pool = pool_under(self.protocol, candidates, met, self.threads, draw)
        with draw.holding():
            data = conduct_trial(self.protocol, pool=pool, threads=self.threads)[self.design, self.scenario]
            behind, rule = Counterfactuals(data), rule_of(self.protocol.endpoints, self.endpoint)
            numbers = []
            for comparison in self.compared:
                estimate = analyse(data, self.endpoint, comparison, level=rule.level)
                finite = estimate.effect[np.isfinite(estimate.effect)]
                numbers.append(float(finite.mean()) if len(finite) else np.nan)
                if not why_no_truth(self.endpoint):
                    truth = true_estimand(behind, self.endpoint, comparison)
                    numbers.append(np.nan if truth is None else truth.mean)
                numbers.append(rate(rule.shown(estimate)).value)
        return numbers


def _design(protocol: Protocol, name: str, problems: list[Problem]) -> str:
    """Return the design that is asked for, or the first that compares groups."""
    controlled = [key for key, design in protocol.designs.items() if len(design.arms) > 1]
    if name and name not in protocol.designs:
        message = f"{protocol.name} has no design {name!r}"
        problems.append(not_among(list(protocol.designs), "unknown-design", message, name))
    elif not controlled or (name and name not in controlled):
        hint = f"Use {' or '.join(map(repr, controlled))}." if controlled else "Use a protocol with a control."
        message = f"{name or protocol.name} compares no groups: it has no estimate of an effect, no truth and no power"
        problems.append(Problem("no-control", message, hint=hint))
    else:
        return name or controlled[0]
    return next(iter(protocol.designs))


def _endpoint(protocol: Protocol, name: str, problems: list[Problem]) -> Endpoint:
    of_protocol = {
        item.name or item.quantity: item for item in (protocol.endpoints.primary, *protocol.endpoints.secondary)
    }
    if name == QUALITY_OF_LIFE and name not in of_protocol:
        return Endpoint(name=health_label(name), quantity=name, summary="total")
    if name and name not in of_protocol:
        message = f"{protocol.name} has no endpoint {name!r}"
        problems.append(not_among([*of_protocol, QUALITY_OF_LIFE], "unknown-endpoint", message, name))
    return of_protocol.get(name, protocol.endpoints.primary)


def _arms_of(protocol: Protocol, design: str) -> Protocol:
    """Return a protocol with the arms of a design alone, and those that they are like."""
    names = list(protocol.designs[design].arms)
    like = [protocol.arms[name].infusions_like for name in names]
    kept = {name: arm for name, arm in protocol.arms.items() if name in names or name in like}
    return protocol.model_copy(update={"arms": kept})
