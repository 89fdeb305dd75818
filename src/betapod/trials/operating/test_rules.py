"""How estimates of an endpoint are tested: level, sides, objective and margin, and several tests together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..analysis import endpoints
from ..analysis.estimators import Array, Estimate
from ..analysis.multiplicity import adjusted_p, equivalence_p, graphical_p, margin_p
from ..protocol.analysis_checks import margin_size

if TYPE_CHECKING:
    from ..protocol.endpoint_keys import Endpoint, Endpoints


@dataclass(frozen=True)
class TestRule:
    """How one estimate is tested in every replicate.

    Attributes
    ----------
    better
        1 where a higher estimate is better, -1 where a lower one is.
    alpha, sides
        Significance level, and sides of the test.
    objective, margin
        ``superiority``, ``non-inferiority`` or ``equivalence``; the size of the margin on the scale of the estimate.
    """

    #: It is no test of pytest.
    __test__ = False

    better: int
    alpha: float = 0.05
    sides: int = 2
    objective: str = "superiority"
    margin: float = 0.0

    @property
    def level(self) -> float:
        """The level of the interval that says the same as the test."""
        return 1 - self.alpha if self.sides == 2 else 1 - 2 * self.alpha

    @property
    def usual(self) -> bool:
        """Whether it is superiority at two-sided 5 %."""
        return (self.alpha, self.sides, self.objective) == (0.05, 2, "superiority")

    @property
    def words(self) -> str:
        """The test as half a sentence: ``two-sided p below 0.05``."""
        if self.objective == "superiority":
            return f"{'two' if self.sides == 2 else 'one'}-sided p below {self.alpha:g}"
        return f"{self.objective} at one-sided {self.one_sided_level:g}"

    @property
    def null(self) -> float:
        """The gain, in the good direction, against which is tested: 0, or minus the margin of non-inferiority."""
        return -self.margin if self.objective == "non-inferiority" else 0.0

    @property
    def one_sided_level(self) -> float:
        """The level of one side."""
        return self.alpha if self.sides == 1 else self.alpha / 2

    def p(self, estimate: Estimate) -> Array:
        """Return the p value of every replicate (R,): two-sided for superiority with two sides, else one-sided; NaN where nothing can be tested."""
        if self.objective == "equivalence":
            return equivalence_p(estimate, -self.margin, self.margin)
        if self.objective == "non-inferiority":
            return margin_p(estimate, -self.better * self.margin, self.better)
        if self.sides == 2:
            return estimate.p
        with np.errstate(invalid="ignore"):
            return np.where(np.sign(estimate.effect) == self.better, estimate.p / 2, 1 - estimate.p / 2)

    def one_sided_p(self, estimate: Estimate) -> Array:
        """Return one-sided p values (R,) in the good direction, for several tests together."""
        if self.objective == "superiority" and self.sides == 2:
            with np.errstate(invalid="ignore"):
                return np.where(np.sign(estimate.effect) == self.better, estimate.p / 2, 1 - estimate.p / 2)
        return self.p(estimate)

    def significant(self, estimate: Estimate) -> Array:
        """Return 1 where a replicate is significant, in either direction of a two-sided test, else 0; NaN where none can be tested."""
        p = self.p(estimate)
        limit = self.one_sided_level if self.objective != "superiority" else self.alpha
        with np.errstate(invalid="ignore"):
            hit = np.isfinite(p) & (p < limit)
        return np.where(np.isfinite(p).any(), hit, np.nan)

    def shown(self, estimate: Estimate) -> Array:
        """Return 1 where a replicate shows what the trial is to show: a benefit, non-inferiority or equivalence."""
        hit = self.significant(estimate)
        if self.objective != "superiority" or self.sides == 1:
            return hit
        with np.errstate(invalid="ignore"):
            return np.where(np.isnan(hit), np.nan, (hit == 1) & (np.sign(estimate.effect) == self.better))


def rule_of(asked: Endpoints, endpoint: Endpoint, controlled: bool = True) -> TestRule:
    """Return how estimates of an endpoint are tested; one group alone is tested for a change of 0."""
    better = endpoints.better(endpoint, controlled)
    if not controlled or endpoint.objective == "superiority":
        return TestRule(better, asked.alpha, asked.sides)
    code = None if endpoint.outcome is not None else endpoints.endpoint_code(endpoint)
    margin = margin_size(endpoint.margin, endpoint.summary, endpoint.method, code)
    return TestRule(better, asked.alpha, asked.sides, endpoint.objective, margin)


def adjusted_significance(asked: Endpoints, rules: Sequence[TestRule], estimates: Sequence[Estimate]) -> Array:
    """Return (R, tests) whether each test of a trial rejects after adjustment for the others, in the good direction.

    Parameters
    ----------
    rules, estimates
        Of the tests in their order.
    """
    p = np.stack([rule.one_sided_p(estimate) for rule, estimate in zip(rules, estimates, strict=True)], axis=-1)
    rule = asked.multiplicity
    if rule is None:
        adjusted = np.where(np.isnan(p), 1.0, p)
    elif rule.procedure == "graphical":
        adjusted = graphical_p(p, rule.weights, rule.passed_on)
    else:
        adjusted = adjusted_p(p, rule.procedure)
    return np.asarray(adjusted < (asked.alpha if asked.sides == 1 else asked.alpha / 2))
