"""People of a survey weighed instead of living again, corrected by lives under the place of the pass before.

Weights on a fixed library are a hundred times cheaper than lives, and not quite the same: medians and spreads that are weighed leave everything
that a trait did on its way out of account. So what lives and weights differ by is computed once for each place around which a pass searches, and
added. Passes go on until the place no longer moves, where both agree.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...validation.predictions.condition import Condition

if TYPE_CHECKING:
    from ..fit_rows import FitRows
    from ..objective_protocol import RowSource

Numbers = NDArray[np.float64]


class WeighedAround:
    """A `RowSource` whose people are weighed under some unknowns, see the module.

    Parameters
    ----------
    source
        Rows of real people.
    people
        Unknowns of people that weights stand for; all else that a condition says is held as lived.
    anchor
        Attribute: the condition around which weights are corrected.

    Examples
    --------
    >>> from betapod.calibration.real_data.visit_variation import VisitVariation
    >>> from betapod.calibration.real_data.weighed_around import WeighedAround
    >>> from betapod.validation.predictions.condition import Condition
    >>> source = WeighedAround(VisitVariation(), ["xi_theta median"], Condition())
    >>> bool(abs(source.predict([Condition()]) - source.source.predict([Condition()])).max() < 1e-12)
    True
    """

    def __init__(self, source: RowSource, people: Collection[str], anchor: Condition) -> None:
        self.source, self.anchor = source, anchor
        self._people = frozenset(people)
        self._corrected: tuple[Condition, Numbers] | None = None

    @property
    def name(self) -> str:
        """Of the source."""
        return self.source.name

    @property
    def rows(self) -> FitRows:
        """Of the source."""
        return self.source.rows

    def predict(self, conditions: Sequence[Condition]) -> Numbers:
        """Return predictions (K, n) on the scale of the fit."""
        if self._corrected is None or self._corrected[0] != self.anchor:
            lived, weighed = self.source.predict([self.anchor])[0], self._weighed([self.anchor])[0]
            self._corrected = self.anchor, lived - weighed
        return self._weighed(conditions) + self._corrected[1]

    def _weighed(self, conditions: Sequence[Condition]) -> Numbers:
        return self.source.predict([
            replace(
                Condition(condition.scenario),
                people={name: value for name, value in condition.people.items() if name in self._people},
                visits=condition.visits,
            )
            for condition in conditions
        ])  # fmt: skip
