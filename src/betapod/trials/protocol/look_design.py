"""The boundaries of a design's looks, as its protocol asks for them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..designs.boundaries import group_sequential
from ..designs.combination_tests import FisherDesign, fisher_design
from ..designs.sequential_design import SequentialDesign

if TYPE_CHECKING:
    from .look_keys import Looks


def look_design(looks: Looks, alpha: float, sides: int, superiority: bool = True) -> SequentialDesign:
    """Return the boundaries of looks.

    Two-sided superiority has boundaries on either side, of which the lower says harm. With boundaries of futility, and for
    non-inferiority, it is the one-sided test at half of alpha.

    Parameters
    ----------
    alpha, sides
        As the endpoints of the protocol have them.
    superiority
        Whether the objective is superiority.

    Raises
    ------
    ConfigError
        Everything that does not make a design.
    """
    both = sides == 2 and superiority and looks.futility is None and looks.boundaries != "PT"
    level = alpha / 2 if sides == 2 and not both else alpha
    return _sequential(looks, level, 2 if both else 1)


def stage_design(looks: Looks, alpha: float, sides: int) -> SequentialDesign | FisherDesign:
    """Return the one-sided boundaries, or critical products, by which stages are combined; of a blinded size, and of adaptive allocation, one test at the end.

    Parameters
    ----------
    alpha, sides
        As the endpoints of the protocol have them; of two sides it is half of alpha.

    Raises
    ------
    ConfigError
        Everything that does not make a design.
    """
    level = alpha / sides
    if looks.resize is not None and looks.resize.rule == "blinded":
        return group_sequential("OF", 1, level, 1, looks.resize.power)
    if looks.allocate is not None:
        return group_sequential("OF", 1, level, 1, looks.power)
    if looks.combine == "Fisher":
        stages = looks.information if isinstance(looks.information, int) else len(looks.information)
        return fisher_design(stages, level)
    return _sequential(looks, level, 1)


def _sequential(looks: Looks, level: float, sides: int) -> SequentialDesign:
    """Return the group-sequential design with the boundaries that looks name."""
    return group_sequential(
        looks.boundaries,
        looks.information,
        level,
        sides,
        looks.power,
        parameter=looks.parameter,
        spent=looks.spent,
        efficacy=looks.efficacy,
        futility=looks.futility,
        futility_parameter=looks.futility_parameter,
        futility_spent=looks.futility_spent,
        binding=looks.binding,
    )


def shares_of_looks(looks: Looks) -> tuple[float, ...]:
    """Return the shares of the patients, or of the events, by which looks come."""
    if isinstance(looks.information, int):
        return tuple((k + 1) / looks.information for k in range(looks.information))
    return tuple(looks.information)


def counts_of_looks(information: tuple[float, ...], total: int) -> np.ndarray:
    """Return how many patients, or events, each look waits for: shares of all, rounded up."""
    return np.array([min(total, max(1, math.ceil(share * total - 1e-9))) for share in information])
