"""Other medians, spreads and correlations of traits between people: weights on a library instead of another library.

Who somebody is depends on the seed of a library and the number of the person alone, so that the values which were drawn, and how likely they
were, can be computed again. A weight is the density of a person's drawn traits under the distributions that are asked for over the density
under those of the tables. The people of a library were selected since they were drawn, by falling ill, by surviving and by thinning; weights of
drawn densities carry over to them, ratios to the library's own spread would not.

======================= ==============================================================================================================
``xi median``           factor on the median; on the odds where the distribution is logitnormal, on the mean where it is normal
``dMAP_60 shift``       what is added to the mean of a normal distribution, in the unit of the row
``xi spread``           factor on the SD, on the scale of the distribution (logarithm, log odds or as it is)
``xi with xi_theta``    rank correlation (Spearman) before truncation, by a Gaussian copula as in `betapod.engine.correlations`
======================= ==============================================================================================================

Distributions stay truncated to the range of their rows: weights cannot bring anybody who was never drawn.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base.errors import BetapodError, ConfigError, Problem, did_you_mean
from ..engine.correlations import Correlation, Correlations
from ..engine.draw import draw_parameters, varied
from ..model.parameters.possible_values import drawn_range
from ..model.parameters.table import Parameter, ParameterTable
from ..physiology import whole_body
from .library import Library
from .population import MODEL_ROWS, Numbers, on_line, population_correlations, population_table

#: Kish's effective share below which weights are refused: a few people would stand for all.
LEAST_SHARE = 0.3
#: Distributions that can be moved.
_MOVABLE = ("normal", "lognormal", "logitnormal")
_NAME = re.compile(r"(\w+) (?:(median|spread|shift)|with (\w+))")
#: Score beyond which a normal distribution function cannot be told from 0 or 1.
_FARTHEST_SCORE = 8.2


@dataclass(frozen=True)
class TraitMargin:
    """A normal distribution of one trait on the scale of its row, truncated.

    Attributes
    ----------
    centre, sd, low, high
        On that scale: logarithm, log odds, or as it is.
    """

    centre: float
    sd: float
    low: float
    high: float

    def _mass(self) -> tuple[float, float]:
        """Return the mass below the lower bound, and that between the bounds."""
        from scipy.special import ndtr

        below = float(ndtr((self.low - self.centre) / self.sd))
        return below, float(ndtr((self.high - self.centre) / self.sd)) - below

    def log_density(self, x: Numbers) -> Numbers:
        """Return the logarithm of the density on the scale of the row; where nothing is left between the bounds, minus infinity."""
        mass = self._mass()[1]
        if not mass > 0.0:
            return np.full(len(x), -np.inf)
        result: Numbers = -0.5 * ((x - self.centre) / self.sd) ** 2 - math.log(self.sd) - math.log(mass)
        return result

    def score(self, x: Numbers) -> Numbers:
        """Return the normal score of the place in the truncated distribution."""
        from scipy.special import ndtr, ndtri

        below, mass = self._mass()
        share = (ndtr((x - self.centre) / self.sd) - below) / mass if mass > 0.0 else np.full(len(x), 0.5)
        return np.asarray(np.clip(ndtri(np.clip(share, 0.0, 1.0)), -_FARTHEST_SCORE, _FARTHEST_SCORE))


def weights(library: Library, people: Mapping[str, float], least: float = LEAST_SHARE) -> Numbers:
    """Return weights under which the people of a library have other medians, spreads and correlations of traits.

    Parameters
    ----------
    library
        Grown by this package: its `origin` has the seed, and its table the numbers of people.
    people
        ``xi median``, ``xi spread``, ``dMAP_60 shift`` or ``xi with xi_theta``, see the module; empty: even weights.
    least
        Effective share (Kish) below which weights are refused.

    Returns
    -------
    numpy.ndarray
        (n,) one per row of the library, with mean 1.

    Raises
    ------
    ConfigError
        Unknown traits, factors that are not above 0, correlations that cannot hold; people whose traits are not those of today's tables;
        or too small an effective share.

    Examples
    --------
    >>> import betapod
    >>> from betapod.patients.reweighting import effective_share, weights
    >>> library = betapod.load_library()
    >>> susceptible = weights(library, {"xi median": 1.2})
    >>> round(float(susceptible.mean()), 6), bool(effective_share(susceptible) > 0.9)
    (1.0, True)
    """
    changes = _changes(people)
    if not changes:
        return np.ones(len(library))
    numbers = library.table["person"].to_numpy(dtype=np.int64)
    seed = _seed(library)
    logs = _log_ratio(changes, seed, numbers)
    _same_people(library, changes, seed, numbers)
    ratio = np.exp(logs - float(np.max(logs)))
    share = effective_share(ratio)
    if not share >= least:
        asked = ", ".join(f"{name} {value:g}" for name, value in people.items())
        message = "too few people of the library are like that"
        hint = "Ask for less, or grow a library of such people."
        achieved = f"effective share {share:.2f} under {asked}"
        raise ConfigError(Problem("too-few-people", message, found=achieved, expected=f"at least {least:g}", hint=hint))
    result: Numbers = ratio / ratio.mean()
    return result


def effective_share(weighting: Numbers) -> float:
    """Return Kish's effective sample size over the number of people: 1 for even weights.

    Parameters
    ----------
    weighting
        (n,) not negative.

    Returns
    -------
    float
        ``sum(w)^2 / (n * sum(w^2))``; 0 where there is no weight at all.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.patients.reweighting import effective_share
    >>> effective_share(np.array([1.0, 1.0, 0.0, 0.0]))
    0.5
    """
    total = float(np.sum(weighting))
    return total**2 / (len(weighting) * float(np.sum(weighting**2))) if total > 0.0 else 0.0


def start_of(name: str) -> float:
    """Return what changes nothing: 1 for a factor, 0 for a shift, and the rank correlation that the tables have.

    Parameters
    ----------
    name
        As a key of `weights`.

    Returns
    -------
    float
        In the unit of the row for a shift, else without one.

    Raises
    ------
    ConfigError
        No such trait, or nothing that can be asked of it.

    Examples
    --------
    >>> from betapod.patients.reweighting import start_of
    >>> start_of("xi spread"), start_of("dMAP_60 shift"), start_of("xi with xi_h")
    (1.0, 0.0, 0.0)
    """
    first, aspect, second = _parts(name)
    if aspect != "with":
        return 0.0 if aspect == "shift" else 1.0
    pairs = {frozenset((p.row_a, p.row_b)): p.rho for p in population_correlations().pairs}
    return 6.0 / math.pi * math.asin(pairs.get(frozenset((first, second)), 0.0) / 2.0)


def trait_names() -> tuple[str, ...]:
    """Return the traits that can be moved: rows of people, and of the model, with a normal, lognormal or logitnormal distribution."""
    return tuple(_rows())


@functools.cache
def _rows() -> dict[str, Parameter]:
    """Return the rows that can be moved, by id."""
    model, people = whole_body.model_parameters("reference"), population_table()
    rows = {name: model[name] for name in MODEL_ROWS} | {name: people[name] for name in varied(people)}
    return {name: row for name, row in rows.items() if row.shape is not None and row.shape[0] in _MOVABLE}


def _parts(name: str) -> tuple[str, str, str]:
    """Return trait, what is asked of it, and the other trait of a correlation."""
    match = _NAME.fullmatch(name)
    if match is None:
        message = f"{name!r} says nothing of people"
        expected = "a trait and median, spread or shift, or two traits joined by with"
        hint = "Such as 'xi median', 'xi spread', 'dMAP_60 shift' or 'xi with xi_theta'."
        raise ConfigError(Problem("bad-people", message, expected=expected, hint=hint))
    first, aspect, second = match[1], match[2] or "with", match[3] or ""
    problems = [
        Problem("unknown-trait", f"{name}: no trait {trait!r} that differs between people", hint=_nearest(trait))
        for trait in (first, second)
        if trait and trait not in _rows()
    ]
    if not problems and first == second:
        problems.append(Problem("bad-people", f"{name}: a trait goes with another one, not with itself"))
    if not problems and aspect in ("median", "shift"):
        problems += _kind_of_move(name, _rows()[first], aspect)
    if problems:
        raise ConfigError(problems)
    return first, aspect, second


def _nearest(trait: str) -> str:
    return did_you_mean(trait, _rows()) or f"Traits are: {', '.join(_rows())}."


def _kind_of_move(name: str, row: Parameter, aspect: str) -> list[Problem]:
    """Return what is wrong with a factor on, or a shift of, the middle of a row."""
    assert row.shape is not None
    kind, first, _ = row.shape
    if aspect == "shift" and kind != "normal":
        hint = f"Ask for '{row.id} median', a factor."
        return [Problem("bad-people", f"{name}: only normal distributions are shifted", found=kind, hint=hint)]
    if aspect == "median" and kind == "normal" and not first > 0.0:
        hint = f"Ask for '{row.id} shift', in {row.unit}."
        return [
            Problem(
                "bad-people", f"{name}: a factor does nothing sensible to such a mean", found=f"{first:g}", hint=hint
            )
        ]
    return []


def _changes(people: Mapping[str, float]) -> dict[tuple[str, str, str], float]:
    """Return what is asked, without what changes nothing; all problems at once."""
    changes: dict[tuple[str, str, str], float] = {}
    problems: list[Problem] = []
    for name, value in people.items():
        try:
            first, aspect, second = _parts(name)
        except BetapodError as error:
            problems += error.problems
            continue
        allowed = {"with": "between -1 and 1", "shift": "a finite number"}.get(aspect, "above 0")
        fine = {"with": -1.0 < value < 1.0, "shift": math.isfinite(value)}.get(aspect, 0.0 < value < math.inf)
        if not fine:
            problems.append(Problem("bad-number", f"{name}: impossible", found=f"{value:g}", expected=allowed))
            continue
        first, second = (min(first, second), max(first, second)) if aspect == "with" else (first, second)
        if (first, aspect, second) in changes:
            problems.append(Problem("bad-people", f"{name}: the pair is given twice"))
        if abs(value - start_of(name)) > 1e-12:
            changes[first, aspect, second] = value
    if problems:
        raise ConfigError(problems)
    return changes


def _margins(name: str, changes: Mapping[tuple[str, str, str], float]) -> tuple[TraitMargin, TraitMargin]:
    """Return the distribution of a trait in the tables, and the one that is asked for."""
    row = _rows()[name]
    assert row.shape is not None
    kind, first, sd = row.shape
    low, high = (float(on_line(kind, np.array([bound]))[0]) for bound in drawn_range(row))
    centre = float(on_line(kind, np.array([first]))[0])
    factor = changes.get((name, "median", ""), 1.0)
    moved = first * factor if kind == "normal" else centre + math.log(factor)
    moved += changes.get((name, "shift", ""), 0.0)
    spread = sd * changes.get((name, "spread", ""), 1.0)
    return TraitMargin(centre, sd, low, high), TraitMargin(moved, spread, low, high)


def _log_ratio(changes: Mapping[tuple[str, str, str], float], seed: int, numbers: NDArray[np.int64]) -> Numbers:
    """Return the logarithm of the density that is asked for over that of the tables."""
    now = population_correlations()
    asked = _correlated(now, changes)
    moved = sorted({name for name, aspect, _ in changes if aspect != "with"})
    together = asked.names if asked is not now or set(moved) & set(asked.names) else ()
    total = np.zeros(len(numbers))
    before, after = {}, {}
    for name in dict.fromkeys((*moved, *together)):
        old, new = _margins(name, changes)
        x = _drawn(name, seed, numbers.tobytes())
        if name in moved:
            total += new.log_density(x) - old.log_density(x)
        if name in together:
            before[name] = old.score(x)
            after[name] = new.score(x) if name in moved else before[name]
    if together:
        total += _copula(asked, after) - _copula(now, before)
    return total


def _correlated(now: Correlations, changes: Mapping[tuple[str, str, str], float]) -> Correlations:
    """Return the correlations with those that are asked for, which are rank correlations, in their place.

    Raises
    ------
    ParameterError
        They contradict each other.
    """
    asked = {
        frozenset((first, second)): Correlation(first, second, 2.0 * math.sin(math.pi * value / 6.0))
        for (first, aspect, second), value in changes.items()
        if aspect == "with"
    }
    if not asked:
        return now
    kept = tuple(pair for pair in now.pairs if frozenset((pair.row_a, pair.row_b)) not in asked)
    return Correlations((*kept, *asked.values()))


def _copula(together: Correlations, scores: Mapping[str, Numbers]) -> Numbers:
    """Return the logarithm of the density of a Gaussian copula at normal scores."""
    z = np.column_stack([scores[name] for name in together.names])
    _, log_determinant = np.linalg.slogdet(together.matrix)
    precision = np.linalg.inv(together.matrix) - np.eye(len(together.names))
    result: Numbers = -0.5 * log_determinant - 0.5 * np.einsum("ni,ij,nj->n", z, precision, z)
    return result


@functools.lru_cache(maxsize=64)
def _drawn(name: str, seed: int, numbers: bytes) -> Numbers:
    """Return the values of a trait that were drawn for people, on the scale of its distribution."""
    row = _rows()[name]
    assert row.shape is not None
    who = np.frombuffer(numbers, dtype=np.int64)
    values = draw_parameters(_table_of(name), seed, who, (name,), correlations=population_correlations())[name]
    line = on_line(row.shape[0], values)
    line.flags.writeable = False
    return line


def _table_of(name: str) -> ParameterTable:
    return whole_body.model_parameters("reference") if name in MODEL_ROWS else population_table()


def _seed(library: Library) -> int:
    """Return the seed with which people were drawn.

    Raises
    ------
    ConfigError
        The library does not say.
    """
    seed = library.origin.get("seed")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        message = "the library does not say with which seed its people were drawn"
        hint = "Use the library of the package, or one that betapod patients grow has made."
        raise ConfigError(Problem("no-seed", message, found=str(seed), hint=hint))
    return seed


#: Rows that people have as they were drawn, with and without diabetes, of either kind.
_AS_DRAWN = ("xi_h", "MAP0", "C_alb0", "Vmax_GLUT4", "sIg_factor", "xi_vessel", "xi_nephron", "beta_decline_factor")


def _same_people(
    library: Library, changes: Mapping[tuple[str, str, str], float], seed: int, numbers: NDArray[np.int64]
) -> None:
    """Refuse people who were drawn from other distributions than those of today's tables.

    Rows that are moved must be as they were drawn. Correlations are of ranks, which stay where everybody's values were moved alike: for them,
    and for traits that no row of the model keeps, any one row as it was drawn tells that these are the people of the tables.
    """
    usual = library.table["segment"].to_numpy() == 0
    off = {}
    for name in _AS_DRAWN:
        row, of_library = _rows()[name], library.parameters.get(name)
        if of_library is not None and row.shape is not None and usual.any():
            drawn = _drawn(name, seed, numbers.tobytes())
            away = np.abs(on_line(row.shape[0], np.asarray(of_library, dtype=np.float64)) - drawn)[usual] / row.shape[2]
            off[name] = int((away > 1e-3).sum())
    moved = [name for name in off if any(name == first for first, aspect, _ in changes if aspect != "with")]
    wrong = [name for name in moved if off[name]] or (
        [min(off, key=off.__getitem__)] if off and all(off.values()) else []
    )
    if wrong:
        hint = "Grow it again with: betapod patients grow"
        others = f"{off[wrong[0]]} of {int(usual.sum())} people have another {wrong[0]}"
        message = "the people of the library were not drawn from today's distributions"
        raise ConfigError(Problem("old-library", message, found=others, hint=hint))
