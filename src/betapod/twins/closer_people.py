"""People who are closer to one person than those of a library: relatives of the nearest, whose lives are lived anew until their labs fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..base.randomness import Stream
from ..patients.library import Library, from_snapshots
from ..patients.life_course import live
from ..patients.lived_again import joined_people
from ..patients.population import OwnScores, drawn_scores, own_scores, sample
from .annealed_people import AnnealedPeople, annealed_people
from .like_people import LikePeople, compared_labs, effective_people, likeness, nearest_people, other_drugs
from .person_labs import PersonLabs

Numbers = NDArray[np.float64]
#: Numbers of people from here on are of relatives; those of libraries are below.
_FIRST = 5_000_000
#: Numbers of strangers that are looked at for one of the same sex and kind.
_LOOKED_AT = 40
#: Weight of a person, and of a day of a life, below which they are left out.
_LEAST_PERSON, _LEAST_DAY = 1e-9, 1e-3


@dataclass(frozen=True)
class CloserPeople:
    """What was found.

    Attributes
    ----------
    library
        The people, each at the days of their life on which they are like the person.
    like
        Their weights, with the effective number of people; `widened` is 1.
    scores
        What they have of their own: to be held, see `own_scores`, while they live on under doctors.
    accepted
        Share of the moves that were taken.
    """

    library: Library
    like: LikePeople
    scores: OwnScores
    accepted: float


class _Relatives:
    """Lives that are lived for one person's labs, see `annealed_people.MovingPeople`."""

    def __init__(self, seed: int, labs: PersonLabs, takes: Sequence[str], takes_not: Sequence[str]) -> None:
        self.seed, self.labs, self.takes, self.takes_not = seed, labs, takes, takes_not

    def lived(self, numbers: NDArray[np.int64], scores: dict[str, Numbers]) -> list[Library]:
        """Return the days of each person's life. Copies with one number have one life."""
        alone, places = np.unique(numbers, return_index=True)
        with own_scores(OwnScores(alone, {name: values[places] for name, values in scores.items()})):
            snapshots = live(sample(self.seed, alone))
        everything = from_snapshots(snapshots, self.seed, {"seed": self.seed, "lives": len(alone)})
        persons = everything.table["person"].to_numpy()
        of_number = {number: everything.take(np.flatnonzero(persons == number)) for number in alone.tolist()}
        return [of_number[number] for number in numbers.tolist()]

    def fits(self, lives: Sequence[Library], factor: float) -> Numbers:
        """Return the logarithm of the sum, over the days of each life, of how well they fit."""
        return np.array([self._fit(life, factor) for life in lives])

    def _fit(self, life: Library, factor: float) -> float:
        logs = self.by_day(life, factor)
        most = float(np.max(logs, initial=-np.inf))
        return most + float(np.log(np.sum(np.exp(logs - most)))) if np.isfinite(most) else -np.inf

    def by_day(self, life: Library, factor: float) -> Numbers:
        """Return the logarithm of how well each day of a life fits."""
        return likeness(life.table, self.labs, self.takes, self.takes_not, factor)

    def strangers(self, numbers: NDArray[np.int64], move: int) -> tuple[NDArray[np.int64], dict[str, Numbers]]:
        """Return new numbers of the same sex, type of diabetes and proneness, and the scores of people who are drawn for this move."""
        count = len(numbers)
        first = _FIRST + move * count * _LOOKED_AT
        candidates = first + np.arange(count * _LOOKED_AT)
        theirs, traits = sample(self.seed, candidates).traits, sample(self.seed, numbers).traits
        same = np.ones((count, _LOOKED_AT), dtype=bool)
        for name in ("female", "T1D", "prone"):
            same &= theirs[name].reshape(count, _LOOKED_AT) == traits[name][:, None]
        same_kind = candidates.reshape(count, _LOOKED_AT)[np.arange(count), same.argmax(axis=1)]
        return np.where(same.any(axis=1), same_kind, 0), drawn_scores(self.seed + 1, first + np.arange(count))


def closer_people(
    library: Library,
    labs: PersonLabs,
    takes: Sequence[str] = (),
    takes_not: Sequence[str] = (),
    count: int = 100,
    seed: int = 1,
    progress: Callable[[str], None] | None = None,
) -> CloserPeople | None:
    """Return people who are like a person as closely as the labs were measured; None where the library has nobody to begin with.

    Parameters
    ----------
    takes, takes_not
        Columns of the library of drugs that the person takes, and does not.
    count
        How many are looked for.
    seed
        Of the moves. Lives have random numbers of the seed of the library.

    Notes
    -----
    Half a second of processor time for a move and more with the people: half a minute for a hundred.
    """
    origin = library.origin.get("seed")
    weights, _, factor = nearest_people(library, labs, takes, takes_not)
    numbers = _different(library, weights, count, seed)
    if not isinstance(origin, int) or len(numbers) < 2:
        return None
    relatives = _Relatives(origin, labs, takes, takes_not)

    def told(allowance: float) -> None:
        if progress is not None:
            progress(f"living lives near the person, errors {allowance:.2f} times those of the labs")

    annealed = annealed_people(relatives, numbers, drawn_scores(origin, numbers), factor, seed, told)
    return _found(relatives, annealed) if np.any(annealed.weights[np.isfinite(annealed.fits)] > 0.0) else None


def _different(library: Library, weights: Numbers, count: int, seed: int) -> NDArray[np.int64]:
    """Return the numbers of different people drawn by their weights; fewer where there are fewer."""
    numbers, which = np.unique(library.table["person"].to_numpy(dtype=np.int64), return_inverse=True)
    shares = np.bincount(which, weights=weights)
    possible = shares > _LEAST_PERSON
    # A race in which everybody's time goes by the weight draws nobody twice.
    times = -np.log(Stream(seed, "twins:start").uniform(numbers)) / np.where(possible, shares, 1.0)
    order = np.argsort(np.where(possible, times, np.inf), kind="stable")
    return np.sort(numbers[order[: min(count, int(possible.sum()))]])


def _found(relatives: _Relatives, annealed: AnnealedPeople) -> CloserPeople:
    """Return the people at the days on which they are like the person; copies that did not move apart are one."""
    alone, places, which = np.unique(annealed.numbers, return_index=True, return_inverse=True)
    of_person = np.bincount(which, weights=np.where(np.isfinite(annealed.fits), annealed.weights, 0.0))
    days: list[Library] = []
    parts: list[Numbers] = []
    for row, weight in zip(places, of_person, strict=True):
        if weight <= 0.0:
            continue
        logs = relatives.by_day(annealed.lives[row], 1.0)
        shares = np.exp(logs - np.max(logs))
        rows = np.flatnonzero(shares > _LEAST_DAY)
        days.append(annealed.lives[row].take(rows))
        parts.append(weight * shares[rows] / shares[rows].sum())
    people, weights = joined_people(days), np.concatenate(parts)
    people = replace(people, origin={"seed": relatives.seed, "lives": annealed.tried})
    weights = weights / weights.sum()
    table, labs = people.table, relatives.labs
    like = LikePeople(
        weights,
        effective_people(weights, table["person"].to_numpy()),
        1.0,
        compared_labs(table, labs, weights),
        other_drugs(table, weights, relatives.takes, relatives.takes_not),
        annealed.tried,
        effective_people(annealed.weights, annealed.origins),
    )
    scores = OwnScores(alone, {name: values[places] for name, values in annealed.scores.items()})
    return CloserPeople(people, like, scores, annealed.accepted)
