"""Which kind of published numbers the outcome of a claim is like, so that what studies of the kind differ by is part of its interval."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

from ..observables.table import observables
from ..physiology.study_differences import kind_of_numbers
from .claim_health import HEALTH_QUANTITIES
from .claim_outcome import Outcome

#: Quantities of the model that are measured as something whose expression is another.
_MEASURED_AS = {"GFR": "GFR_absolute"}
#: Least ratio, and least level, of which a logarithm is taken: -99.99 %.
_LEAST = 1e-4


@dataclass(frozen=True)
class OutcomeKind:
    """What an outcome is like.

    Attributes
    ----------
    kind
        Class of published numbers, see `study_differences.kind_of_numbers`; empty where none fits.
    scale
        On which parts of its interval add: ``linear`` in its unit, ``log`` of its ratio or level.
    why_none
        Why no class fits.
    """

    kind: str
    scale: str
    why_none: str = ""

    def forward(self, outcome: Outcome, value: float) -> float:
        """Return an effect on the scale; -99.99 % is as far down as logarithms are taken."""
        if self.scale == "linear":
            return value
        return math.log(max(1.0 + value / 100.0 if outcome.measure == "percent" else value, _LEAST))

    def backward(self, outcome: Outcome, value: float) -> float:
        """Return an effect in its unit."""
        if self.scale == "linear":
            return value
        return 100.0 * (math.exp(value) - 1.0) if outcome.measure == "percent" else math.exp(value)


def kind_of_outcome(outcome: Outcome) -> OutcomeKind:
    """Return which kind of published numbers an outcome is like.

    Examples
    --------
    >>> from betapod.claims.claim_outcome import Outcome
    >>> from betapod.claims.outcome_kinds import kind_of_outcome
    >>> kind_of_outcome(Outcome("HbA1c", "t2d", 1.0, "difference", -0.5)).kind
    'level % HbA1c'
    >>> kind_of_outcome(Outcome("capillary_density", "t2d_ckd", 1.0, "percent", 10.0)).why_none
    'no study whose numbers the model predicts measures it'
    """
    if len(outcome.contrast) > 1:
        # A weighted sum of per cents is no ratio of anything.
        return OutcomeKind("", "linear", "it sets effects against each other, which no published number does")
    scale = "log" if outcome.measure == "percent" else "linear"
    if outcome.quantity in HEALTH_QUANTITIES:
        why = "it counts the whole health of one person, which no study did"
        return OutcomeKind("", scale, why)
    name = _measured_as().get(outcome.quantity)
    if name is None:
        return OutcomeKind("", scale, "no study whose numbers the model predicts measures it")
    observable = observables()[name]
    if outcome.measure == "level" and observable.link == "log":
        scale = "log"
    return OutcomeKind(
        kind_of_numbers("ratio" if scale == "log" else "level", scale, observable.unit, observable.id), scale
    )


@functools.cache
def _measured_as() -> dict[str, str]:
    """Return quantity of the model -> observable with which published groups are compared."""
    return {
        **{item.model: name for name, item in observables().items() if item.compared},
        **{name: name for name, item in observables().items() if item.compared},
        **_MEASURED_AS,
    }
