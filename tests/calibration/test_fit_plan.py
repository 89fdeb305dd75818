"""Plans and screening: counts, cost, families on both sides, a greedy choice that determinants agree with."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from toy_fits import ToyObjective, rows, unknowns

from betapod.base.errors import ConfigError
from betapod.calibration.fit_plan import greedy_choice, plan_stage, refuse_unfit_rows, screen_candidates


def test_a_plan_counts_both_sides_and_measures() -> None:
    plan = plan_stage("A", ToyObjective(unknowns(), rows(), seconds=0.01))
    assert plan.rows == (16, 8) and plan.classes == {"ratio": (16, 8)} and plan.families["F2"] == (0, 4)
    assert plan.seconds is not None and 0.009 < plan.seconds < 0.1 and plan.missing == ()
    assert plan.evaluations(64, 5) > 64 + 5 * 3
    assert plan_stage("A", ToyObjective(unknowns(), rows()), measure=False).seconds is None


def test_no_family_stands_on_both_sides() -> None:
    refuse_unfit_rows("A", rows())
    fitted = rows().fitted.copy()
    fitted[[0, 9]] = False, True
    with pytest.raises(ConfigError) as caught:
        refuse_unfit_rows("A", replace(rows(), fitted=fitted))
    with pytest.raises(ConfigError, match="no row to fit") as nothing:
        refuse_unfit_rows("A", replace(rows(), fitted=np.zeros(24, dtype=np.bool_)))
    assert nothing.value.problems[0].found == "24 rows, all set aside"
    assert [problem.found for problem in caught.value.problems] == ["3 fitted, 1 set aside", "1 fitted, 3 set aside"]


def test_the_greedy_choice_is_that_of_determinants() -> None:
    root = np.random.default_rng(4).standard_normal((6, 5))
    information = root.T @ root
    order = greedy_choice(information, 5)

    def volume(index: list[int]) -> float:
        return float(np.linalg.slogdet(np.eye(len(index)) + information[np.ix_(index, index)])[1])

    chosen: list[int] = []
    for best, gain in order:
        gains = {k: volume([*chosen, k]) - volume(chosen) for k in range(5) if k not in chosen}
        assert best == max(gains, key=gains.__getitem__) and gain == pytest.approx(gains[best])
        chosen.append(best)
    assert sum(gain for _, gain in order) == pytest.approx(volume(list(range(5))))
    assert all(first >= then - 1e-9 for (_, first), (_, then) in itertools.pairwise(order))


def test_screening_finds_what_the_rows_speak_to() -> None:
    class Deaf(ToyObjective):
        def predict(self, u: np.ndarray) -> np.ndarray:
            return super().predict(u * [1.0, 1.0, 0.0])

    screen = screen_candidates(Deaf(unknowns(), rows()), {"ratio": 0.1})
    assert screen.contraction[2] == pytest.approx(0.0) and (screen.contraction[:2] > 0.5).all()
    assert screen.proposal[-1] == (2, pytest.approx(0.0))
    assert (np.diff(screen.eigenvalues) <= 0).all() and abs(screen.directions[2, -1]) == pytest.approx(1.0)
