"""What trials whose stages are tested apart decide at each look: what is claimed, what goes on, and who stops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..analysis.estimators import Array
from ..designs.closed_testing import closed_test
from ..designs.combination_tests import FisherDesign
from ..designs.multi_arm import selected_arms
from ..designs.sequential_design import SequentialDesign

if TYPE_CHECKING:
    from ..protocol.look_keys import Looks

Flags = NDArray[np.bool_]


@dataclass
class Decisions:
    """Decisions of replicates (R) at K looks about C claims, look by look.

    Attributes
    ----------
    went_on
        (R, K, C) claims in the trial at each look.
    rejected, stopped
        (R, C) claims made; (R,) look at which each trial stops.
    active, going
        (R, C) claims that are in the trial at the next look, and (R,) trials that come to it.
    """

    design: SequentialDesign | FisherDesign
    looks: Looks
    correlation: float
    went_on: Flags
    rejected: Flags
    stopped: NDArray[np.intp]
    active: Flags
    going: Flags

    @classmethod
    def of(
        cls, design: SequentialDesign | FisherDesign, looks: Looks, shape: tuple[int, ...], correlation: float
    ) -> Decisions:
        """Return the state before the first look.

        Parameters
        ----------
        shape
            Replicates, looks and claims.
        """
        replicates, count, claims = shape
        some = np.zeros((replicates, claims), dtype=bool)
        last = np.full(replicates, count - 1, dtype=np.intp)
        return cls(design, looks, correlation, np.zeros(shape, dtype=bool), some, last, ~some, np.ones(replicates, dtype=bool))  # fmt: skip

    def take(self, k: int, p: Array, gain: Array) -> None:
        """Decide at look k, from 0.

        Parameters
        ----------
        p
            (R, at least k + 1, C) one-sided p of each stage.
        gain
            (R, C) estimates of all patients by now, in the good direction.
        """
        self.went_on[:, k] = self.active & self.going[:, None]
        tested = np.where(self.went_on[:, : k + 1], p[:, : k + 1], np.nan)
        by_now = (
            closed_test(tested, self.design, self.looks.intersections, self.correlation)[:, -1] & self.went_on[:, k]
        )
        self.rejected |= by_now
        if k + 1 == self.went_on.shape[1]:
            return
        following = self._following(gain)
        done = self.going & (by_now.any(-1) | ~following.any(-1))
        self.stopped[done] = k
        self.going &= ~done
        self.active = np.where(self.going[:, None], following, self.active)

    def _following(self, gain: Array) -> Flags:
        """Return (R, C) claims that go on after a look."""
        looks = self.looks
        if looks.enrich is not None:
            # Where neither group has an event by now, nothing speaks for the stratum alone.
            with np.errstate(invalid="ignore"):
                alone = gain[:, 1] - gain[:, 0] > looks.enrich.margin
            return np.stack([self.active[:, 0] & ~alone, self.active[:, 1]], -1)
        if looks.select is None:
            return self.active
        finite_gain = np.nan_to_num(gain, nan=-np.inf)
        return selected_arms(finite_gain, self.active, looks.select.rule, looks.select.margin, looks.select.count)
