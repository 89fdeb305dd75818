"""People of a library who are like one person: weights by labs, each with its error of measurement.

The weight of somebody is the chance of the labs if this were the person: normal in the logarithm, with the error of as many measurements as there
were, and the tolerance of `lab_quantities` besides. Albuminuria goes by what a measurement of that day sees, a slow deviation of life
included. Sex, type of diabetes and named drugs must be the same. A person who is in the library at several ages counts as one. Where too few remain,
all SDs are widened together, up to a limit,
and it is said; beyond it the person is refused. Labs that are not given say nothing, so that the answer is wider.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..base.errors import ConfigError, Problem
from ..observables.formulas import systolic
from ..observables.table import observables
from ..observables.variation import variations
from ..patients.recipients import DRUG_COLUMNS
from .lab_quantities import IN_YEARS, lab_quantities
from .person_labs import PersonLabs

if TYPE_CHECKING:
    import pandas as pd

    from ..patients.library import Library

    Numbers = NDArray[np.float64]

#: Effective people that are wanted, below which nobody is given an answer, and factors on all SDs that are tried before.
WANTED, LEAST, WIDENED = 40.0, 20.0, (1.0, 1.2, 1.4, 1.7, 2.0, 2.5)
#: Segment of a library with everybody; others are people of special surveys.
_EVERYBODY = 0
#: Values of a lab that are tried to find the nearest that is supported.
_TRIED = 81


@dataclass(frozen=True)
class LikePeople:
    """People of a library who are like a person.

    Attributes
    ----------
    weights
        (library,) adding up to 1.
    effective
        Effective number of people: one over the sum of squares; a person who is in the library at several ages counts once.
    widened
        Factor on all SDs, 1 where the labs are matched as closely as they were measured.
    labs
        Lab -> weighted mean, and the 5 and 95 % quantiles, of the people, beside the person's value.
    drugs
        Column -> share of the people who take a drug that nobody spoke of.
    lives, forebears
        Lives that were lived anew for this person, and from how many people of the library (effective) they descend; 0 where the people are those
        of the library itself.
    """

    weights: Numbers
    effective: float
    widened: float
    labs: Mapping[str, tuple[float, float, float, float]]
    drugs: Mapping[str, float]
    lives: int = 0
    forebears: float = 0.0


def like_people(
    library: Library, labs: PersonLabs, takes: Sequence[str] = (), takes_not: Sequence[str] = ()
) -> LikePeople:
    """Return the people of a library who are like a person.

    Parameters
    ----------
    takes, takes_not
        Columns of the library of drugs that the person takes, and does not.

    Raises
    ------
    ConfigError
        Too few are like the person; the lab that matters most is named with the nearest value that is supported.

    Examples
    --------
    >>> import betapod
    >>> from betapod.twins.like_people import like_people
    >>> from betapod.twins.person_labs import LabValue, person_of_labs
    >>> labs = person_of_labs([LabValue("hba1c", 8.0, "8 %")], age=60, female=0)
    >>> like_people(betapod.load_library(), labs).effective > 50
    True
    """
    table = library.table
    weights, effective, factor = nearest_people(library, labs, takes, takes_not)
    if effective < LEAST:
        fits, distances = _same(table, labs, takes, takes_not), _distances(table, labs)
        raise ConfigError(_too_few(table, labs, fits, distances, effective, (*takes, *takes_not)))
    return LikePeople(
        weights, effective, factor, compared_labs(table, labs, weights), other_drugs(table, weights, takes, takes_not)
    )


def nearest_people(
    library: Library, labs: PersonLabs, takes: Sequence[str] = (), takes_not: Sequence[str] = ()
) -> tuple[Numbers, float, float]:
    """Return weights of the people of a library by their likeness to a person, the effective number of people, and the factor on all SDs.

    The factor is the smallest with which enough people are like the person, at most the last of `WIDENED`; there may be too few with that.
    """
    fits = _same(library.table, labs, takes, takes_not)
    distances = _distances(library.table, labs)
    persons = library.table["person"].to_numpy()
    weights, effective = np.zeros(len(fits)), 0.0
    for factor in WIDENED:
        weights = _weights(distances, fits, factor)
        effective = effective_people(weights, persons)
        if effective >= WANTED:
            break
    return weights, effective, factor


def likeness(
    table: pd.DataFrame, labs: PersonLabs, takes: Sequence[str], takes_not: Sequence[str], factor: float = 1.0
) -> Numbers:
    """Return (rows,) the logarithm of the chance of the labs if somebody were the person, without a constant; minus infinity of who cannot be.

    Parameters
    ----------
    factor
        On all SDs.
    """
    total = np.zeros(len(table))
    for distance in _distances(table, labs).values():
        total = total - 0.5 * (distance / factor) ** 2
    return np.asarray(np.where(_same(table, labs, takes, takes_not) & np.isfinite(total), total, -np.inf))


def _same(table: pd.DataFrame, labs: PersonLabs, takes: Sequence[str], takes_not: Sequence[str]) -> NDArray[np.bool_]:
    """Return who has the sex, the type of diabetes and the drugs of the person."""
    fits = table["segment"].to_numpy() == _EVERYBODY
    if labs.female is not None:
        fits = fits & (table["female"].to_numpy() == labs.female)
    if labs.diabetes:
        type_1, sick = table["T1D"].to_numpy() > 0, table["diabetes"].to_numpy() > 0
        fits = fits & {"type 1": sick & type_1, "type 2": sick & ~type_1, "none": ~sick}[labs.diabetes]
    for column in takes:
        fits = fits & (table[column].to_numpy() > 0)
    for column in takes_not:
        fits = fits & (table[column].to_numpy() == 0)
    return np.asarray(fits)


def conditioned(labs: PersonLabs) -> tuple[str, ...]:
    """Return the labs by which people are chosen, in their order: BMI rather than weight."""
    names = [name for name, item in lab_quantities().items() if item.column and np.isfinite(labs.value(name))]
    return tuple(name for name in names if name != "weight" or "bmi" not in names)


def errorless_labs(table: pd.DataFrame, name: str) -> Numbers:
    """Return (people,) what a measurement of a lab without error sees in everybody."""

    def column(label: str) -> Numbers:
        return np.asarray(table[label], dtype=np.float64)

    if name == "sbp":
        return systolic(column("true_MAP"), column("age"), column("female"), column("stiffness"))
    values = column(lab_quantities()[name].column)
    if name == "uacr":
        values = values * np.exp(variations()["UACR", "life"].share_at(values) * column("life_uacr"))
    return values


def lab_spread(labs: PersonLabs, name: str) -> float:
    """Return the SD by which people may differ from a lab: years for age and duration, else of the logarithm."""
    item = lab_quantities()[name]
    if name in IN_YEARS:
        return item.tolerance
    error = observables()[item.observable].relative_error if item.observable else 0.0
    # A measurement of the person, whose value is not known without error; that of albuminuria is by far the largest.
    return float(np.sqrt(error**2 / max(labs.used[name].count, 1) + item.tolerance**2))


def _distance(table: pd.DataFrame, labs: PersonLabs, name: str, value: float) -> Numbers:
    """Return (library,) distances of everybody from a value, in SDs."""
    true_values = errorless_labs(table, name)
    if name in IN_YEARS:
        return (true_values - value) / lab_spread(labs, name)
    least = max(1e-3, lab_quantities()[name].low * 0.1)
    return np.asarray(np.log(np.maximum(true_values, least) / max(value, least)) / lab_spread(labs, name))


def _distances(table: pd.DataFrame, labs: PersonLabs) -> dict[str, Numbers]:
    return {name: _distance(table, labs, name, labs.value(name)) for name in conditioned(labs)}


def _weights(distances: Mapping[str, Numbers], fits: NDArray[np.bool_], factor: float) -> Numbers:
    """Return weights that add up to 1; zeros where nobody fits."""
    total = np.zeros(len(fits))
    for distance in distances.values():
        total = total - 0.5 * (distance / factor) ** 2
    weights = np.where(fits & np.isfinite(total), np.exp(np.maximum(total, -700.0)), 0.0)
    return np.asarray(weights / weights.sum()) if weights.sum() > 1e-12 else np.zeros(len(fits))


def effective_people(weights: Numbers, persons: NDArray[np.integer]) -> float:
    """Return the effective number of people: one over the sum of squares of their weights, where rows of one person are one.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.twins.like_people import effective_people
    >>> effective_people(np.array([0.25, 0.25, 0.5]), np.array([7, 7, 8]))
    2.0
    """
    if not weights.any():
        return 0.0
    _, which = np.unique(persons, return_inverse=True)
    shares = np.bincount(which, weights=weights / weights.sum())
    return float(1.0 / np.sum(shares**2))


def quantiles_by_weight(values: Numbers, weights: Numbers, shares: Sequence[float]) -> list[float]:
    """Return quantiles of weighted values."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) - 0.5 * weights[order]
    return [float(np.interp(share * weights.sum(), reached, values[order])) for share in shares]


def compared_labs(
    table: pd.DataFrame, labs: PersonLabs, weights: Numbers
) -> dict[str, tuple[float, float, float, float]]:
    """Return lab -> the person's value, and the median and 5 and 95 % quantiles of weighted people without error of measurement."""
    rows = {}
    for name in conditioned(labs):
        true_values = errorless_labs(table, name)
        low, middle, high = quantiles_by_weight(true_values, weights, (0.05, 0.5, 0.95))
        rows[name] = (labs.value(name), middle, low, high)
    return rows


def other_drugs(
    table: pd.DataFrame, weights: Numbers, takes: Sequence[str], takes_not: Sequence[str]
) -> dict[str, float]:
    """Return column -> share of weighted people who take a drug that nobody spoke of."""
    columns = [*DRUG_COLUMNS.values(), "insulin"]
    shares = {name: float(np.sum(weights * (table[name].to_numpy() > 0))) for name in columns}
    return {name: share for name, share in shares.items() if name not in (*takes, *takes_not) and share > 0.005}


def _too_few(
    table: pd.DataFrame,
    labs: PersonLabs,
    fits: NDArray[np.bool_],
    distances: Mapping[str, Numbers],
    best: float,
    drugs: Sequence[str],
) -> Problem:
    """Return the refusal: how few, and the nearest value of the lab that matters most."""
    factor, persons = WIDENED[-1], table["person"].to_numpy()
    without = {
        name: effective_people(_weights({key: d for key, d in distances.items() if key != name}, fits, factor), persons)
        for name in distances
    }
    message = "too few people of the library are like this person: an answer would be a guess"
    count, expected = f"{best:.0f} effective people", f"at least {LEAST:g}"
    if not without or max(without.values()) < LEAST:
        named = f" or these drugs ({', '.join(drugs)})" if drugs else ""
        hint = f"No single lab is the reason. Leave out labs that are not certain{named}: what is not given widens the answer, and the argument closer (--closer) looks for closer people."
        return Problem("too-few-people", message, found=count, expected=expected, hint=hint)
    name = max(without, key=without.__getitem__)
    item, nearest = lab_quantities()[name], _nearest_value(table, labs, fits, distances, name)
    hint = f"{item.label} {labs.value(name):.4g} {item.unit} is what sets the person apart."
    if nearest is not None:
        hint += f" The nearest value that is supported with the other labs is {nearest:.3g} {item.unit}."
    return Problem("too-few-people", message, found=count, expected=expected, hint=hint)


def _nearest_value(
    table: pd.DataFrame, labs: PersonLabs, fits: NDArray[np.bool_], distances: Mapping[str, Numbers], name: str
) -> float | None:
    """Return the value of a lab nearest to the person's with which enough people are like them; None where there is none."""
    others = {key: distance for key, distance in distances.items() if key != name}
    value = labs.value(name)
    centre = quantiles_by_weight(errorless_labs(table, name), _weights(others, fits, WIDENED[-1]), [0.5])[0]
    linear = name in IN_YEARS or min(value, centre) <= 0.0
    persons = table["person"].to_numpy()
    path = np.linspace(value, centre, _TRIED) if linear else np.geomspace(value, centre, _TRIED)
    for tried in path:
        moved = {**others, name: _distance(table, labs, name, float(tried))}
        if effective_people(_weights(moved, fits, WIDENED[-1]), persons) >= LEAST:
            return float(tried)
    return None
