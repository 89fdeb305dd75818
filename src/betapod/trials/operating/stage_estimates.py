"""Estimates of the stages of trials that adapt, and what they say together: median-unbiased estimates and intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..analysis.estimators import Array, Estimate
from ..designs.adaptive_inference import adaptive_inference, combination_bounds
from ..designs.combination_tests import FisherDesign
from ..designs.sequential_design import SequentialDesign

if TYPE_CHECKING:
    from .test_rules import TestRule

#: By how much the p of an analysis may differ from that of t, and still be it.
_SAME_P = 1e-9


@dataclass(frozen=True)
class AdaptedEstimates:
    """Estimates (R, C) that know of the adaptation, on the scale and in the direction of the analysis; NaN where there is no valid one.

    Attributes
    ----------
    middle, low, high
        Median unbiased, with exact interval: of one claim by the inverse normal combination.
    repeated_low, repeated_high
        Repeated interval: of all claims together.
    """

    middle: Array
    low: Array
    high: Array
    repeated_low: Array
    repeated_high: Array


@dataclass(frozen=True)
class StageEstimates:
    """What stages show by their own patients, in the good direction; shape (R, stages, C), NaN where a claim was not in a stage.

    Attributes
    ----------
    gain, error, degrees
        Estimate, standard error and degrees of freedom. The error is the one that the test implies, where that is none of t.
    inside
        Whether the claim was in the stage.
    """

    gain: Array
    error: Array
    degrees: Array
    inside: NDArray[np.bool_]

    @classmethod
    def of(cls, rule: TestRule, estimates: Sequence[Sequence[Estimate]], inside: NDArray[np.bool_]) -> StageEstimates:
        """Return the estimates of stages and claims; what is not `inside` (R, stages, C) is left out."""
        from scipy.special import ndtri, stdtr

        def stacked(read: str) -> Array:
            return np.stack([np.stack([getattr(x, read) for x in stage], -1) for stage in estimates], 1)

        gain, error = rule.better * stacked("effect"), stacked("standard_error")
        degrees = stacked("degrees")
        p = np.stack([np.stack([rule.one_sided_p(x) for x in stage], -1) for stage in estimates], 1)
        above = gain - rule.null
        with np.errstate(divide="ignore", invalid="ignore"):
            same = np.abs(stdtr(degrees, -above / error) - p) < _SAME_P
            implied = above / -ndtri(np.clip(p, 1e-300, 1 - 1e-16))
            usable = np.isfinite(implied) & (implied > 0)
        error = np.where(~same & usable, implied, error)
        degrees = np.where(same, degrees, np.inf)
        gain, error, degrees = (np.where(inside, values, np.nan) for values in (gain, error, degrees))
        return cls(gain, error, degrees, inside)

    def adapted(
        self, rule: TestRule, design: SequentialDesign | FisherDesign, test: str, correlation: float
    ) -> AdaptedEstimates:
        """Return the estimates of all claims; trials in which a stage shows nothing have none."""
        shape = (self.gain.shape[0], self.gain.shape[2])
        sides = [np.full(shape, np.nan) for _ in range(5)]
        told = np.isfinite(self.gain) & (self.error > 0)
        able = (told | ~self.inside).all((1, 2))
        if able.any():
            gain, error, degrees = (values[able] for values in (self.gain, self.error, self.degrees))
            sides[3][able], sides[4][able] = combination_bounds(
                design, gain, error, degrees=degrees, test=test, correlation=correlation
            )
            if shape[1] == 1 and isinstance(design, SequentialDesign):
                got = adaptive_inference(design, gain[..., 0], error[..., 0], null=rule.null, degrees=degrees[..., 0])
                for side, values in zip(sides, (got.estimate, got.low, got.high), strict=False):
                    side[able, 0] = values
        middle, low, high, repeated_low, repeated_high = sides
        if rule.better < 0:
            middle, low, high = -middle, -high, -low
            repeated_low, repeated_high = -repeated_high, -repeated_low
        return AdaptedEstimates(middle, low, high, repeated_low, repeated_high)
