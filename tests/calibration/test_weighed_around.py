"""People weighed around a place where they lived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from betapod.calibration.fit_rows import FitRows
from betapod.calibration.real_data.weighed_around import WeighedAround
from betapod.validation.predictions.condition import Condition


@dataclass
class _Survey:
    """One row: what weights say of a median, and twice as much where people live; lives feel a row of the model too."""

    rows: FitRows = field(default_factory=lambda: None)  # type: ignore[arg-type, return-value]
    name: str = "survey"
    lives: int = 0

    def predict(self, conditions: Sequence[Condition]) -> NDArray[np.float64]:
        self.lives += sum(condition.lived for condition in conditions)
        return np.array([
            [(2.0 if c.lived else 1.0) * c.people.get("xi_theta median", 1.0) + 100.0 * c.values.get("h_N0", 0.0)
             + c.people.get("xi median", 0.0) + c.visits.get("UACR life", 0.0)]
            for c in conditions
        ])  # fmt: skip


def test_weights_move_what_lives_have_found() -> None:
    survey = _Survey()
    anchor = Condition(values={"h_N0": 0.005}, people={"xi median": 0.9, "xi_theta median": 1.2}, lived=True)
    source = WeighedAround(survey, ["xi_theta median"], anchor)
    lived = survey.predict([anchor])[0, 0]
    survey.lives = 0

    def at(median: float, year: float = 0.0) -> Condition:
        people = {"xi median": 0.9, "xi_theta median": median}
        return Condition(values={"h_N0": 0.005}, people=people, visits={"UACR life": year}, lived=True)

    here, further, noisier = source.predict([at(1.2), at(1.3), at(1.2, 0.4)])[:, 0]
    assert np.isclose(here, lived), "at the anchor the answer is that of lives"
    assert np.isclose(further - here, 0.1) and np.isclose(noisier - here, 0.4)
    assert survey.lives == 1, "people live once for a place"
    source.anchor = at(1.3)
    assert np.isclose(source.predict([at(1.3)])[0, 0], lived + 0.2) and survey.lives == 2
