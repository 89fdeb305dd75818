"""Sample virtual people before diabetes: traits, habits and care, reproducible by person number."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..base.meanwhile import Meanwhile
from ..base.randomness import Patients, Stream
from ..engine.correlations import Correlations, read_correlations
from ..engine.draw import draw_parameters
from ..model.parameters.parameter import Parameter
from ..model.parameters.possible_values import drawn_range
from ..model.parameters.table import ParameterTable
from ..physiology import whole_body

Numbers: TypeAlias = NDArray[np.float64]

PROFILES = Path(__file__).parent / "profiles"

#: Rows of the model in which people differ, drawn from their own distributions; of cells those that say how a person's body treats a graft.
MODEL_ROWS = (
    "N_in",
    "xi",
    "xi_h",
    "xi_theta",
    "MAP0",
    "GFR0",
    "C_alb0",
    "Tm0",
    "W_GBM0",
    "Vmax_GLUT4",
    "EGP_scale",
    "hepatic_extraction_shift",
    "renal_threshold",
    "fat_threshold_shift",
    "sIg_factor",
    "sHg",
    "resistance_inflammation",
    "capacity_factor",
    "tau_capacity",
    "first_phase_shift",
    "beta_decline_factor",
    "rRBC_person",
    "xi_vessel",
    "xi_nephron",
    "killing_factor",
    "del_on_factor",
    "f_ibmir_shift",
    "f_proc_shift",
    "dWt_own",
    "dWt_response",
)

#: Numbers of people from here on are those of the Pima segment: who somebody is depends on the number alone.
PIMA_FIRST = 10_000_000

#: Year of birth of the generation whose body-mass index the table has.
BORN = 1950.0

#: Age at which weight, muscle and pressure curves are anchored, years.
YOUNG, GROWN, OLD = 20.0, 55.0, 65.0


@functools.cache
def population_table() -> ParameterTable:
    """Return the distributions of people, their care and their measurements."""
    return ParameterTable.read(PROFILES / "population.csv", sources=whole_body.bibliography_keys())


@functools.cache
def population_correlations() -> Correlations:
    """Return which rows of people, and of the model, go together."""
    return read_correlations(PROFILES / "correlations.csv", whole_body.bibliography_keys())


#: Values of rows of `population_table` that hold for now instead of the table's.
_VALUES = Meanwhile[Mapping[str, float]]("population_values", MappingProxyType({}))


def population_values(values: Mapping[str, float]) -> AbstractContextManager[None]:
    """Let people who live meanwhile have other values of rows that are the same for everybody."""
    return _VALUES.held(dict(values))


def population_constant(name: str) -> float:
    """Return the value of a row of `population_table`, or the one that holds for now."""
    return _VALUES.now.get(name, population_table()[name].value)


@dataclass(frozen=True)
class People:
    """Drawn people.

    Attributes
    ----------
    numbers
        (n,) their numbers; with the seed they fix everything that is drawn.
    traits
        Name -> (n,): rows of `population_table` that vary, in their units, and ``female``, ``T1D``, ``prone`` (to type 2 diabetes),
        ``segment`` (1: Pima), ``height``.
    model
        Name -> (n,): parameters of the coupled model that stay the same for life.
    """

    seed: int
    numbers: NDArray[np.int64]
    traits: dict[str, Numbers]
    model: dict[str, Numbers]

    def __len__(self) -> int:
        return len(self.numbers)

    def uniform(self, purpose: str) -> Numbers:
        """Return one uniform number per person for a purpose."""
        return Stream(self.seed, f"patients:{purpose}").uniform(self.numbers)

    def weight(self, age: Numbers) -> Numbers:
        """Return the weight (kg) to which people tend at an age, by their own curve of life."""
        t = self.traits
        share = np.clip((age - YOUNG) / (GROWN - YOUNG), 0.0, 1.0)
        relative = t["bmi_young"] + (1.0 - t["bmi_young"]) * share
        relative = relative * np.exp(-t["bmi_loss"] * np.maximum(age - OLD, 0.0))
        weight: Numbers = t["bmi_adult"] * (t["height"] / 100.0) ** 2 * relative
        return weight

    def pressure_shift(self, age: Numbers) -> Numbers:
        """Return the shift of the pressure set point (mmHg) at an age, without drugs."""
        onset = population_constant("pressure_onset")
        shift: Numbers = self.traits["dMAP_60"] * np.clip((age - onset) / (60.0 - onset), 0.0, 1.3)
        return shift

    def creatinine(self, age: Numbers) -> Numbers:
        """Return the creatinine (mg/dL) that goes with nominal filtration at an age: muscle shrinks."""
        level: Numbers = self.traits["S_cr"] * np.exp(-population_constant("creatinine_ageing") * (age - 45.0))
        return level

    @property
    def decline(self) -> dict[str, Numbers]:
        """The model's rows of the intrinsic loss of beta cells: how fast, and from which age on; none but in those prone to it."""
        loses = np.isfinite(self.traits["decline_age"])
        return {
            "beta_decline": np.where(loses, population_constant("beta_decline"), 0.0),
            "decline_age": np.where(loses, self.traits["decline_age"], 0.0),
        }

    def __getitem__(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> People:
        """Return some of them."""
        return People(
            self.seed,
            self.numbers[rows],
            {name: values[rows] for name, values in self.traits.items()},
            {name: values[rows] for name, values in self.model.items()},
        )


#: How traits of people who are drawn meanwhile differ from the tables: ``xi median``, ``xi spread``, ``dMAP_60 shift``.
_MOVES = Meanwhile[tuple[tuple[str, float], ...]]("trait_moves", ())


def moved_traits(moves: Mapping[str, float]) -> AbstractContextManager[None]:
    """Let people who are drawn meanwhile have other medians and spreads of traits: everybody keeps the rank among the others.

    Parameters
    ----------
    moves
        As of `reweighting.weights`, without correlations.
    """
    return _MOVES.held(tuple(sorted(moves.items())))


def _move(traits: dict[str, Numbers], model: dict[str, Numbers]) -> None:
    """Move drawn traits as is asked for, in place; never out of the range of their rows."""
    moved: dict[str, tuple[dict[str, Numbers], Parameter]] = {}
    # Spreads first: they are around the middle of the tables, and then the middle moves by just what is asked.
    for name, amount in sorted(_MOVES.now, key=lambda move: not move[0].endswith(" spread")):
