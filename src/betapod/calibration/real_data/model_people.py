"""The model's people as a survey would find them: lives from youth on, every yearly visit, nobody chosen by what disease has done.

The package's library is thinned to people whom trials and surveys have; a distribution of them tells of the choice. Here a number of people live
under the parameters that are asked for, and other medians, spreads and correlations of traits weigh them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base import cache
from ...base.errors import BetapodError, ConfigError
from ...base.randomness import Stream
from ...observables import kdigo
from ...observables.formulas import pulse_pressure
from ...observables.table import observables
from ...patients import library as libraries
from ...patients.life_course import FIRST_YEAR, NEW_TYPE_1
from ...patients.lived_again import LifeChange, full_lives
from ...patients.population import population_constant, sample
from ...patients.reweighting import weights

if TYPE_CHECKING:
    from ...validation.predictions.condition import Condition

Numbers = NDArray[np.float64]
#: Lives, and their seed: the first of the package's library.
LIVES, SEED = 2000, 1
#: Columns that hold one measurement.
_MEASURED = ("hba1c", "fpg", "egfr", "uacr", "c_peptide")
#: Conditions of which people are kept in memory.
_KEPT = 24


@dataclass(frozen=True)
class ModelPeople:
    """Snapshots of people with diabetes, one a year.

    Attributes
    ----------
    library
        Who and how they are; rows of a person follow each other in age. States of the model are left out.
    design
        (n,) how many people each row stands for, because lives keep some snapshots less often than others.
    """

    library: libraries.Library
    design: Numbers

    def weights(self, people: Mapping[str, float]) -> Numbers:
        """Return (n,) weights under other medians, spreads and correlations of traits, see `betapod.patients.reweighting`; NaN where too few people are like that.

        Raises
        ------
        ConfigError
            What is asked is impossible.
        """
        try:
            return self.design * weights(self.library, people)
        except BetapodError as error:
            if "too-few-people" in error.kinds:
                return np.full(len(self.library), np.nan)
            raise

    def measured(self, condition: Condition | None = None) -> dict[str, Numbers]:
        """Return what one examination shows of every row, with the errors of a visit that a condition has.

        Returns
        -------
        dict
            ``hba1c`` (%), ``fpg`` (mmol/L), ``egfr``, ``uacr`` (mg/g), ``c_peptide`` (nmol/L), ``sbp`` (mmHg), and ``age``, ``bmi``,
            ``duration``, ``female``, ``T1D``, ``diagnosed``, ``insulin``, ``year`` as they are.
        """
        if condition is not None:
            with condition.holding():
                return self._measured()
        return self._measured()

    def _measured(self) -> dict[str, Numbers]:
        table = self.library.table
        key = table["person"].to_numpy(dtype=np.int64) * 4096 + np.floor(table["age"].to_numpy() * 12).astype(np.int64)

        def error(name: str) -> Numbers:
            return Stream(SEED, f"real data:{name}").normal(key)

        names = ("age", "bmi", "duration", "female", "T1D", "diagnosed", "insulin", "year")
        values: dict[str, Numbers] = {name: table[name].to_numpy(dtype=np.float64) for name in names}
        of_column = {item.cohort: item for item in observables().values() if item.cohort}
        for name in _MEASURED:
            true = table[f"true_{name}"].to_numpy(dtype=np.float64)
            values[name] = true * np.exp(of_column[name].relative_error * error(name))
            if name == "uacr" and (life := of_column[name].life) is not None:
                values[name] = values[name] * np.exp(life.share_at(true) * table["life_uacr"].to_numpy())
        sizes = {name: item.sd for name in ("MAP", "pulse_pressure") if (item := observables()[name].error) is not None}
        MAP = table["true_MAP"].to_numpy(dtype=np.float64) + sizes["MAP"] * error("MAP")
        stiffness = table["stiffness"].to_numpy(dtype=np.float64) + sizes["pulse_pressure"] * error("pulse")
        values["sbp"] = MAP + 2.0 / 3.0 * pulse_pressure(MAP, values["age"], values["female"], stiffness)
        return values


_PEOPLE: OrderedDict[str, ModelPeople] = OrderedDict()


def model_people(
    conditions: Sequence[Condition | None], lives: int = LIVES, new_type_1: bool = False
) -> list[ModelPeople]:
    """Return the people of the model under each condition, living under its values and drugs from youth on where it says so.

    Parameters
    ----------
    conditions
        None: the package's tables.
    lives
        How many to follow; about seven in ten get diabetes. The first so many of the package's library.
    new_type_1
        Instead of everybody only those, of four times as many, whose type 1 diabetes is found while visits are kept.

    Returns
    -------
    list of ModelPeople
        One for each condition. Conditions that differ in nothing that shapes lives share one.

    Raises
    ------
    ConfigError
        A row in which people differ has one value for everybody.
    """
    changes = [LifeChange() if condition is None else condition.life_change for condition in conditions]
    who = f"{lives} {new_type_1}"
    keys = [f"{who} {change.key}" for change in changes]
    people_of_key = {key: _PEOPLE[key] for key in keys if key in _PEOPLE}
    missing = {key: change for key, change in zip(keys, changes, strict=True) if key not in people_of_key}
    unchanged = f"{who} {LifeChange().key}"
    if unchanged in missing:
        people_of_key[unchanged] = _slim(_of_tables(lives, new_type_1))
        del missing[unchanged]
    if missing:
        lived = full_lives(SEED, _numbers(lives, new_type_1), list(missing.values()))
        people_of_key |= {key: _slim(_with_diabetes(library)) for key, library in zip(missing, lived, strict=True)}
    for key, people in people_of_key.items():
        _PEOPLE[key] = people
        _PEOPLE.move_to_end(key)
    while len(_PEOPLE) > _KEPT:
        _PEOPLE.popitem(last=False)
    return [people_of_key[key] for key in keys]


def _numbers(lives: int, new_type_1: bool) -> NDArray[np.int64]:
    """Return the numbers of the people who are followed."""
    if not new_type_1:
        return np.arange(lives)
    numbers = np.arange(4 * lives)
    people = sample(SEED, numbers)
    begins = people.traits["birth_year"] + people.traits["onset_type_1"]
    return numbers[(people.traits["T1D"] > 0) & (begins >= FIRST_YEAR + 1.0)]


def _of_tables(lives: int, new_type_1: bool) -> libraries.Library:
    """Return the people under the package's tables, from the cache where they are there."""
    name = f"patients/survey-{cache.key(__name__, lives, new_type_1)}.npz"
    content = cache.read_entry(name)
    if content is not None:
        try:
            return libraries.of_bytes(content, name)
        except ConfigError:
            pass
    grown = _with_diabetes(full_lives(SEED, _numbers(lives, new_type_1), [LifeChange()])[0])
    cache.write_entry(name, grown.to_bytes())
    return grown


def _with_diabetes(library: libraries.Library) -> libraries.Library:
    """Return the snapshots with diabetes, one person's together and in their order, in the single precision of a file."""
    table = library.table
    ill = np.flatnonzero((table["diabetes"] == 1).to_numpy())
    order = np.lexsort((table["age"].to_numpy()[ill], table["person"].to_numpy()[ill]))
    return libraries.of_bytes(library.take(ill[order]).to_bytes(), "lives")


def _slim(library: libraries.Library) -> ModelPeople:
    table = library.table
    long_ill = (table["T1D"] == 1) & (table["years_ill"] >= NEW_TYPE_1) & (table["true_uacr"] < kdigo.A2_FROM)
    design = np.where(long_ill, 1.0 / population_constant("keep_type_1"), 1.0)
    states = np.zeros((len(library), 0))
    return ModelPeople(libraries.Library(table, library.parameters, states, (), library.origin), design)


def errors_of_people(
    people: NDArray[np.int64], statistic: Callable[[NDArray[np.bool_]], Numbers], groups: int = 20
) -> Numbers:
    """Return the errors that statistics have because people are finitely many: the jackknife, a group of people left out each time.

    Parameters
    ----------
    people
        (n,) number of the person in each row.
    statistic
        Called with a flag per row; returns (m,) numbers, NaN where there are none.
    groups
        In how many the people are divided, by number.

    Returns
    -------
    numpy.ndarray
        (m,) standard errors; 0 where a statistic cannot be computed.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.calibration.real_data.model_people import errors_of_people
    >>> x = np.arange(100.0)
    >>> error = errors_of_people(np.arange(100), lambda kept: np.array([x[kept].mean()]))
    >>> bool(0.0 < error[0] < 10.0)
    True
    """
    part = np.unique(people, return_inverse=True)[1] % groups
    left_out = np.array([statistic(part != k) for k in range(groups)])
    computed = np.isfinite(left_out).all(axis=0)
    spread = np.where(computed, left_out, 0.0)
    spread = spread - spread.mean(axis=0)
    return np.asarray(np.sqrt((groups - 1) / groups * np.sum(spread**2, axis=0)), dtype=np.float64)
