"""A population that is moved from what a library can offer to one person: steps of Metropolis under an allowance that shrinks.

Everybody stands at normal scores of what people differ in. A step goes to a relative, ``sqrt(1 - s^2) z + s z'`` with a stranger's scores ``z'``, which leaves
the distribution of people as it is (a preconditioned Crank-Nicolson step), and is taken by the ratio of how well the lives fit. When the allowance
shrinks, everybody is weighed anew; where too few carry the weight, people are drawn by it, and copies go on apart from each other (sequential Monte Carlo).
What comes out is drawn from people as they are given the labs; nothing is invented around them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..base.randomness import Stream

Numbers = NDArray[np.float64]
#: Moves at each allowance and at the last, how much smaller each allowance is about, and the first step.
MOVES, LAST_MOVES, SHRINKS, FIRST_STEP = 2, 5, 0.75, 0.35
#: Share of moves that are accepted, below which steps become smaller and above which larger; the largest step.
_ACCEPTED, _LARGEST_STEP = (0.15, 0.35), 0.9
#: Share of the people that the weights must be worth; below it people are drawn anew.
_WORTH = 0.5


class MovingPeople(Protocol):
    """What a population needs to know to be moved."""

    def lived(self, numbers: NDArray[np.int64], scores: dict[str, Numbers]) -> list[Any]:
        """Return the life of each."""

    def fits(self, lives: Sequence[Any], factor: float) -> Numbers:
        """Return (n,) the logarithm of how well each life fits under an allowance; minus infinity of what cannot be."""

    def strangers(self, numbers: NDArray[np.int64], move: int) -> tuple[NDArray[np.int64], dict[str, Numbers]]:
        """Return for each a number that nobody had yet, of the same kind (0: none was found), and the scores of somebody else."""


@dataclass
class AnnealedPeople:
    """A population and how it was moved.

    Attributes
    ----------
    numbers
        (n,) by which doctors, visits and chance go; copies that did not move apart have the same.
    scores
        Row -> (n,) normal scores.
    lives
        (n,) as of `MovingPeople.lived`.
    fits
        (n,) logarithms.
    weights
        (n,) adding up to 1.
    origins
        (n,) from whom each descends, as a place in the population at the start.
    accepted
        Share of the moves that were taken.
    tried
        How many lives were lived.
    """

    numbers: NDArray[np.int64]
    scores: dict[str, Numbers]
    lives: list[Any]
    fits: Numbers
    weights: Numbers
    origins: NDArray[np.int64]
    accepted: float = 0.0
    tried: int = 0


def annealed_people(
    people: MovingPeople,
    numbers: NDArray[np.int64],
    scores: dict[str, Numbers],
    factor: float,
    seed: int,
    progress: Callable[[float], None] | None = None,
) -> AnnealedPeople:
    """Return a population moved from an allowance to that of 1.

    Parameters
    ----------
    numbers, scores
        Different people at the start, drawn by how well they fit under `factor`.
    factor
        On all SDs, from 1 on.
    seed
        Of moves.
    progress
        Called with each allowance.
    """
    lives = people.lived(numbers, scores)
    fits = people.fits(lives, factor)
    weights = np.isfinite(fits) / max(1, int(np.isfinite(fits).sum()))
    now = AnnealedPeople(numbers, dict(scores), lives, fits, weights, np.arange(len(numbers)), tried=len(numbers))
    step, accepted, move = FIRST_STEP, 0.0, 0
    steps = max(1, round(np.log(max(factor, 1.0)) / -np.log(SHRINKS)))
    for number, allowance in enumerate(np.geomspace(max(factor, 1.0), 1.0, steps + 1)):
        last = number == steps
        if number:
            _weigh(people, now, float(allowance))
            # At the end everybody counts alike, and copies have the last moves to go apart.
            if last or 1.0 / np.sum(now.weights**2) < _WORTH * len(numbers):
                _draw(now, Stream(seed, f"twins:draw-{move}").uniform([0])[0])
        for _ in range(LAST_MOVES if last else MOVES):
            if progress is not None:
                progress(float(allowance))
            share = _moved(people, now, float(allowance), step, move, seed)
            accepted, move = accepted + share, move + 1
            step *= 0.7 if share < _ACCEPTED[0] else 1.3 if share > _ACCEPTED[1] else 1.0
            step = min(step, _LARGEST_STEP)
    now.accepted = accepted / move
    return now


def _weigh(people: MovingPeople, now: AnnealedPeople, factor: float) -> None:
    """Weigh everybody under a smaller allowance."""
    closer = people.fits(now.lives, factor)
    possible = np.isfinite(closer) & np.isfinite(now.fits) & (now.weights > 0.0)
    change = np.full(len(closer), -np.inf)
    change[possible] = np.log(now.weights[possible]) + closer[possible] - now.fits[possible]
    now.fits = closer
    if possible.any():
        weights = np.exp(change - change.max())
        now.weights = weights / weights.sum()


def _draw(now: AnnealedPeople, begin: float) -> None:
    """Draw people by their weights, each as often as the weight says to within one."""
    count = len(now.numbers)
    places = (np.arange(count) + begin) / count
    rows = np.searchsorted(np.cumsum(now.weights), places, side="right").clip(max=count - 1)
    now.numbers, now.fits, now.origins = now.numbers[rows], now.fits[rows], now.origins[rows]
    now.scores = {name: values[rows] for name, values in now.scores.items()}
    now.lives = [now.lives[row] for row in rows]
    now.weights = np.full(count, 1.0 / count)


def _moved(people: MovingPeople, now: AnnealedPeople, factor: float, step: float, move: int, seed: int) -> float:
    """Let a relative of each live, and put it in the place of whom it replaces; the share that is replaced."""
    count = len(now.numbers)
    _, which, times = np.unique(now.numbers, return_inverse=True, return_counts=True)
    unknown, news = people.strangers(now.numbers, move)
    # Half of the moves keep doctors and chance. Copies of one person move to others', so that no two people share a number.
    change = (times[which] > 1) | (Stream(seed, f"twins:doctors-{move}").uniform(np.arange(count)) < 0.5)
    change &= unknown > 0
    numbers = np.where(change, unknown, now.numbers)
    stays = np.sqrt(1.0 - step**2)
    scores = {name: stays * values + step * news[name] for name, values in now.scores.items()}
    lives = people.lived(numbers, scores)
    fits = people.fits(lives, factor)
    now.tried += count
    log_uniform = np.log(Stream(seed, f"twins:taken-{move}").uniform(np.arange(count)))
    before = np.where(np.isfinite(now.fits), now.fits, -1e300)
    replaced = np.isfinite(fits) & (log_uniform < np.where(np.isfinite(fits), fits, 0.0) - before)
    replaced &= change | (times[which] == 1)
    now.numbers = np.where(replaced, numbers, now.numbers)
    now.scores = {name: np.where(replaced, scores[name], values) for name, values in now.scores.items()}
    now.lives = [new if yes else old for new, old, yes in zip(lives, now.lives, replaced, strict=True)]
    now.fits = np.where(replaced, fits, now.fits)
    return float(np.mean(replaced))
