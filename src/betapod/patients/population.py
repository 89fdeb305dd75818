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
from ..engine.draw import draw_parameters, parameters_at, varied
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
        trait, _, aspect = name.partition(" ")
        columns, table = (
            (model, whole_body.model_parameters("reference")) if trait in model else (traits, population_table())
        )
        row = table[trait]
        assert row.shape is not None
        kind, first, _ = row.shape
        values, centre = on_line(kind, columns[trait]), float(on_line(kind, np.array([first]))[0])
        if aspect == "spread":
            values = centre + (values - centre) * amount
        elif aspect == "shift":
            values = values + amount
        else:
            values = values + (first * (amount - 1.0) if kind == "normal" else math.log(amount))
        columns[trait] = off_line(kind, values)
        moved[trait] = columns, row
    for trait, (columns, row) in moved.items():
        columns[trait] = np.clip(columns[trait], *drawn_range(row))


@dataclass(frozen=True)
class OwnScores:
    """People who are not as their numbers have them: normal scores of the rows that are drawn.

    Attributes
    ----------
    numbers
        (n,) whose, each once.
    scores
        Row -> (n,); rows that are not named are drawn.
    """

    numbers: NDArray[np.int64]
    scores: Mapping[str, Numbers]


_OWN = Meanwhile[OwnScores | None]("own_scores", None)


def own_scores(people: OwnScores | None) -> AbstractContextManager[None]:
    """Let some of the people who are drawn meanwhile be others than their numbers say; doctors, visits and chance stay those of the number."""
    return _OWN.held(people)


def drawn_scores(seed: int, patients: Patients) -> dict[str, Numbers]:
    """Return row -> (n,) normal scores by which people are drawn: what people differ in, and correlated as people are."""
    from scipy.special import ndtri

    numbers, together = np.asarray(patients, dtype=np.int64), population_correlations()
    rows = (*varied(population_table()), *MODEL_ROWS)
    return {name: np.asarray(ndtri(together.uniform(name, seed, numbers))) for name in rows}


def _be_themselves(traits: dict[str, Numbers], model: dict[str, Numbers], numbers: NDArray[np.int64]) -> None:
    """Put in what people have of their own, in place."""
    themselves = _OWN.now
    if themselves is None or not len(themselves.numbers):
        return
    from scipy.special import ndtr

    order = np.argsort(themselves.numbers)
    places = order[np.searchsorted(themselves.numbers[order], numbers).clip(max=len(order) - 1)]
    concerned = themselves.numbers[places] == numbers
    uniform = {
        name: np.clip(ndtr(scores[places]), 2.0**-53, 1.0 - 2.0**-53) for name, scores in themselves.scores.items()
    }
    for columns, table in ((traits, population_table()), (model, whole_body.model_parameters("reference"))):
        asked = {name: values for name, values in uniform.items() if name in columns}
        for name, values in parameters_at(table, asked).items():
            columns[name] = np.where(concerned, values, columns[name])


def on_line(kind: str, values: Numbers) -> Numbers:
    """Return values on the scale on which a distribution is normal: logarithm, log odds or as they are."""
    with np.errstate(divide="ignore"):
        if kind == "lognormal":
            return np.asarray(np.log(np.maximum(values, 0.0)))
        if kind == "logitnormal":
            return np.asarray(np.log(np.clip(values, 0.0, 1.0)) - np.log1p(-np.clip(values, 0.0, 1.0)))
    return np.asarray(values, dtype=np.float64)


def off_line(kind: str, values: Numbers) -> Numbers:
    """Undo `on_line`."""
    if kind == "lognormal":
        return np.asarray(np.exp(values))
    return np.asarray(1.0 / (1.0 + np.exp(-values))) if kind == "logitnormal" else np.asarray(values)


def sample(seed: int, patients: Patients) -> People:
    """Draw people by number.

    Raises
    ------
    ConfigError
        A negative seed or number.
    """
    numbers = np.asarray(patients, dtype=np.int64)
    together = population_correlations()
    traits = draw_parameters(population_table(), seed, numbers, correlations=together)
    model = draw_parameters(whole_body.model_parameters("reference"), seed, numbers, MODEL_ROWS, correlations=together)
    _be_themselves(traits, model, numbers)
    _move(traits, model)

    def chance(purpose: str) -> Numbers:
        return Stream(seed, f"patients:{purpose}").uniform(numbers)

    pima = numbers >= PIMA_FIRST
    female = chance("female") < population_constant("female_share")
    type_1 = (chance("type-1") < population_constant("type_1_share")) & ~pima
    prone = ~type_1 & (pima | (chance("prone") < population_constant("prone_share")))
    traits["female"], traits["T1D"] = female.astype(np.float64), type_1.astype(np.float64)
    traits["prone"], traits["segment"] = prone.astype(np.float64), pima.astype(np.float64)
    traits["height"] = np.where(female, traits.pop("height_female"), traits.pop("height_male"))
    traits["S_cr"] = np.where(female, traits.pop("S_cr_female"), traits.pop("S_cr_male"))
    _segment(traits, model, pima)
    # Those who have just fallen ill must be of every calendar year, and as young as they are.
    born = traits.pop("onset_year_type_1") - traits["onset_type_1"]
    traits["birth_year"] = np.where(type_1, born, traits["birth_year"])
    # What makes people prone to type 2 diabetes is left out of those who fall ill by autoimmunity.
    generation = np.exp(population_constant("bmi_per_birth_year") * (traits["birth_year"] - BORN))
    row = population_table()["bmi_adult"]
    of_others = np.clip(traits["bmi_adult"] * generation, row.low, row.high)
    traits["bmi_adult"] = np.where(type_1, traits.pop("bmi_type_1"), of_others)
    # What weight does to a body does not depend on how heavy others are.
    heavier = traits["bmi_adult"] / population_constant("bmi_reference")
    earlier = population_constant("decline_age_per_bmi") * (traits["bmi_adult"] - population_constant("bmi_reference"))
    low, high = population_table()["decline_age"].low, population_table()["decline_age"].high
    traits["decline_age"] = np.where(prone, np.clip(traits["decline_age"] + earlier, low, high), np.inf)
    adult = traits["bmi_adult"] * (traits["height"] / 100.0) ** 2
    model["height"] = traits["height"]
    model["female"] = traits["female"]
    model["T1D"] = traits["T1D"]
    unaffected = whole_body.named_model("reference").inputs["onset_age"].value
    model["onset_age"] = np.where(type_1, traits["onset_type_1"], unaffected)
    model["fat_threshold_weight"] = (
        traits["fat_threshold_share"] * adult * heavier ** population_constant("fat_threshold_bmi")
    )
    reference = whole_body.model_parameters("reference")

    def by_kind(of_type_1: Numbers | float, of_prone: Numbers | float, of_others: Numbers | float) -> Numbers:
        result: Numbers = np.where(type_1, of_type_1, np.where(prone, of_prone, of_others))
        return result

    other_xE = traits["xE"] * population_constant("xE_other")
    model["xE"] = by_kind(population_constant("xE_type_1"), traits["xE"], other_xE)
    # Heavy people have more beta cells.
    inherited = by_kind(1.0, population_constant("capacity_inherited"), population_constant("capacity_inherited_other"))
    model["capacity_inherited"] = inherited * heavier ** population_constant("capacity_per_bmi")
    compensation = reference["capacity_compensation"].value
    model["capacity_compensation"] = by_kind(
        population_constant("capacity_compensation_type_1"), compensation, compensation
    )
    model["first_phase_inherited"] = by_kind(
        population_constant("first_phase_type_1"),
        population_constant("first_phase_inherited"),
        population_constant("first_phase_other"),
    )
    model["sIg"] = by_kind(reference["sIg"].value, traits.pop("sIg_type_2"), reference["sIg"].value)
    model["xi"] = model["xi"] * by_kind(population_constant("xi_factor_type_1"), 1.0, 1.0)
    model["xi_theta"] = model["xi_theta"] * by_kind(1.0, population_constant("xi_theta_factor_type_2"), 1.0)
    return People(seed, numbers, traits, model)


def _segment(traits: dict[str, Numbers], model: dict[str, Numbers], pima: NDArray[np.bool_]) -> None:
    """Give Pima their own numbers, in place."""
    for name in ("decline_age", "birth_year"):
        traits[name] = np.where(pima, traits.pop(f"{name}_pima"), traits[name])
    model["GFR0"] = np.where(pima, traits.pop("GFR0_pima"), model["GFR0"])
    for name in ("xi", "xi_h"):
        model[name] = model[name] * np.where(pima, population_constant(f"{name}_factor_pima"), 1.0)
    traits["dMAP_60"] = traits["dMAP_60"] + np.where(pima, population_constant("dMAP_60_pima"), 0.0)
