"""Shapley values: shares of a joint effect among its causes, from the effect of every set of causes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from ..analysis.estimators import Array


def coalitions(players: Sequence[str]) -> list[frozenset[str]]:
    """Return every set of players, the empty one first."""
    return [frozenset(members) for size in range(len(players) + 1) for members in itertools.combinations(players, size)]


def shapley(worth: Mapping[frozenset[str], ArrayLike], players: Sequence[str]) -> dict[str, Array]:
    """Return the share of each player, exactly.

    A player's share is what it adds, averaged over every order in which players may join (Shapley 1953). Shares sum to the worth
    of all less that of none; players that never add anything get 0; players that always add the same get the same.

    Parameters
    ----------
    worth
        What happens with each set of players, all arrays of one shape (such as the patients).
    """
    count = len(players)
    result = {}
    for player in players:
        others = [name for name in players if name != player]
        total: Array = np.zeros(np.shape(next(iter(worth.values()))))
        for group in coalitions(others):
            weight = math.factorial(len(group)) * math.factorial(count - len(group) - 1) / math.factorial(count)
            total = total + weight * (np.asarray(worth[group | {player}], float) - np.asarray(worth[group], float))
        result[player] = total
    return result


def alone_and_without(
    worth: Mapping[frozenset[str], ArrayLike], players: Sequence[str]
) -> dict[str, tuple[Array, Array]]:
    """Return for each player what it does alone, and what is lost without it: equal where causes do not interact."""
    everyone, nobody = frozenset(players), frozenset[str]()
    return {
        player: (
            np.asarray(worth[frozenset({player})], float) - np.asarray(worth[nobody], float),
            np.asarray(worth[everyone], float) - np.asarray(worth[everyone - {player}], float),
        )
        for player in players
    }
