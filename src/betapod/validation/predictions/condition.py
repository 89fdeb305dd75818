"""Under what studies are predicted: a scenario of cell therapy, and values of everything that may differ from the package's tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from ...base.errors import ConfigError, Problem, did_you_mean
from ...model import Model
from ...patients.lived_again import LifeChange, parameters_held
from ...patients.population import population_table
from ...patients.reweighting import start_of
from ...physiology import whole_body
from ...therapies import cell_parameters
from ...therapies.effect_factors import scalable_effects
from ...therapies.scenarios import DEFAULT


@dataclass(frozen=True)
class Condition:
    """One set of parameters.

    Attributes
    ----------
    scenario
        Of cell therapy.
    values
        Rows of the model, of the products or of the table of people -> value, the same for everybody.
    drugs
        Factors on effects, by class of drugs or drug, and input: ``SGLT2 inhibitor e_S``.
    people
        How people differ from those of the library: ``xi median`` and ``xi spread`` are factors, ``xi with xi_theta`` a rank correlation, see
        `patients.reweighting`. With `lived` everybody's own trait moves and the person lives again under it; otherwise people are weighted.
    visits
        SDs of one measurement and of a year of life: ``HbA1c measurement``, ``UACR life``.
    care
        Inputs that care moves besides during studies whose care is frozen -> by how much.
    lived
        Whether people lived under `values` and `drugs` from youth on; otherwise these begin on day 0 in the people of the library, and rows of
        the table of people change nothing.

    Raises
    ------
    ConfigError
        A name that means nothing: its value would have no effect.
    """

    scenario: str = DEFAULT
    values: Mapping[str, float] = field(default_factory=dict)
    drugs: Mapping[str, float] = field(default_factory=dict)
    people: Mapping[str, float] = field(default_factory=dict)
    visits: Mapping[str, float] = field(default_factory=dict)
    care: Mapping[str, float] = field(default_factory=dict)
    lived: bool = False

    def __post_init__(self) -> None:
        problems = []
        if self.values:
            rows = {*_model().parameters, *cell_parameters.cell_parameter_table(), *population_table()}
            problems += [_unknown("parameter", name, rows) for name in self.values if name not in rows]
        problems += [
            _unknown("effect", name, scalable_effects()) for name in self.drugs if name not in scalable_effects()
        ]
        for name in self.people:
            try:
                start_of(name)
            except ConfigError as error:
                problems += error.problems
        problems += [_unknown("input", name, _model().inputs) for name in self.care if name not in _model().inputs]
        if problems:
            raise ConfigError(problems)

    @property
    def life_change(self) -> LifeChange:
        """What differs in the lives of people; nothing where they did not live under this condition."""
        return LifeChange.among(self.values, self.drugs, self.people, self.visits) if self.lived else LifeChange()

    @property
    def weighted(self) -> dict[str, float]:
        """What of `people` is had by weights on a library: all of it where people do not live again, correlations otherwise."""
        return {name: value for name, value in self.people.items() if not self.lived or " with " in name}

    @property
    def key(self) -> str:
        """Text that is the same for equal conditions."""
        return json.dumps(asdict(self), sort_keys=True)

    @property
    def held_key(self) -> str:
        """Text that is the same for conditions while which, see `holding`, the same is read."""
        change = self.life_change
        return json.dumps([self.drugs, self.visits, change.traits, change.of_people], sort_keys=True)

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Let drugs, visits and people that are read meanwhile be those of the condition."""
        with parameters_held(self.drugs, self.visits, self.life_change):
            yield


def _model() -> Model:
    return whole_body.named_model("reference")


def _unknown(kind: str, name: str, names: Mapping[str, object] | set[str] | frozenset[str]) -> Problem:
    return Problem(f"unknown-{kind}", f"there is no {kind} {name!r}", hint=did_you_mean(name, sorted(names)))
