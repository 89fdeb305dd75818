"""Morris screening: elementary effects along trajectories that are spread over the unit cube."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .index_table import IndexTable, Numbers, jackknifed, ratio

#: Levels of every input, at the middles of quarters: no trajectory meets an end at which a distribution has no value.
LEVELS = 4
#: A step is half of the levels.
STEP = 0.5
#: Random trajectories for each one that is kept.
_CANDIDATES = 8


@dataclass(frozen=True)
class ElementaryEffects:
    """Effects of every input along every trajectory.

    Attributes
    ----------
    effects
        (trajectories, inputs, outputs), in units of the output for the whole width of the unit cube.
    """

    effects: Numbers

    def tables(self) -> list[IndexTable]:
        """Return mean, mean of absolute values, and standard deviation, each (inputs, outputs) with an interval over trajectories."""
        finite = np.isfinite(self.effects)
        effects = np.where(finite, self.effects, 0.0)

        def mean(weights: Numbers) -> Numbers:
            return ratio(np.einsum("r,rpm->pm", weights, effects), np.einsum("r,rpm->pm", weights, finite))

        def absolute(weights: Numbers) -> Numbers:
            return ratio(np.einsum("r,rpm->pm", weights, np.abs(effects)), np.einsum("r,rpm->pm", weights, finite))

        def deviation(weights: Numbers) -> Numbers:
            number = np.einsum("r,rpm->pm", weights, finite)
            squares = np.einsum("r,rpm->pm", weights, np.where(finite, (effects - mean(weights)) ** 2, 0.0))
            return np.sqrt(ratio(squares, number - 1.0))

        names = {"mean effect": mean, "mean size": absolute, "SD": deviation}
        return [jackknifed(name, statistic, len(effects)) for name, statistic in names.items()]


def trajectories(columns: int, count: int, seed: int = 1) -> Numbers:
    """Return trajectories (count, columns + 1, columns) on the unit cube, each of which moves every input once.

    Of random ones those are kept that lie farthest apart: the first at random, each other where its distance to those kept is largest.
    """
    random = np.random.default_rng([seed, columns, count])
    candidates = np.array([_trajectory(columns, random) for _ in range(_CANDIDATES * count)])
    flat = candidates.reshape(len(candidates), -1)
    kept = [0]
    nearest = np.full(len(candidates), np.inf)
    while len(kept) < count:
        nearest = np.minimum(nearest, np.sum((flat - flat[kept[-1]]) ** 2, axis=1))
        nearest[kept] = -np.inf
        kept.append(int(np.argmax(nearest)))
    return np.asarray(candidates[kept])


def _trajectory(columns: int, random: np.random.Generator) -> Numbers:
    low = (random.integers(0, LEVELS // 2, columns) + 0.5) / LEVELS
    rising = random.random(columns) < 0.5
    order = random.permutation(columns)
    path = np.tile(np.where(rising, low, low + STEP), (columns + 1, 1))
    for number, column in enumerate(order, 1):
        path[number:, column] = low[column] + STEP if rising[column] else low[column]
    return path


def elementary_effects(paths: Numbers, values: Numbers) -> ElementaryEffects:
    """Return the effects along trajectories.

    Parameters
    ----------
    paths
        (trajectories, inputs + 1, inputs), each row differing from the one before in one input.
    values
        (trajectories, inputs + 1, outputs) of a function there.
    """
    moves = np.diff(paths, axis=1)
    moved = np.argmax(np.abs(moves), axis=2)
    size = np.take_along_axis(moves, moved[..., None], axis=2)
    effects = np.empty((*moved.shape, values.shape[-1]))
    np.put_along_axis(effects, np.broadcast_to(moved[..., None], effects.shape), np.diff(values, axis=1) / size, axis=1)
    return ElementaryEffects(effects)
