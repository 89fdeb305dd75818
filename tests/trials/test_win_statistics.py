"""Win statistics: the R package hce on its simulated kidney trial, every pair by hand, strata, components, and the kidney hierarchy."""

from __future__ import annotations

import numpy as np
import pytest
from golden_files import golden_table

from betapod.base.errors import ConfigError
from betapod.trials.analysis.kidney_hierarchy import KIDNEY_COMPONENTS, kidney_hierarchy
from betapod.trials.analysis.win_statistics import hierarchical_score, win_statistics, wins_by_component


def test_kidney_trial_of_hce() -> None:
    """Data KHCE of the R package hce (MIT), 750 and 750 simulated patients; numbers of its calcWO and summaryWO, calcWINS."""
    table = golden_table("kidney_hce/hce_KHCE.csv")
    treated = (table.TRTP == "A").to_numpy()
    wins = win_statistics(table.AVAL.to_numpy(), treated)
    assert (wins.wins[0], wins.losses[0], wins.ties[0]) == (319841, 242258, 401)
    probability, benefit, odds, ratio = (
        getattr(wins, name).at(0) for name in ("win_probability", "net_benefit", "log_win_odds", "log_win_ratio")
    )
    close = {"rel": 1e-9}
    assert wins.win_odds[0] == pytest.approx(1.319984657, **close)
    assert np.exp([odds["low"], odds["high"]]) == pytest.approx([1.173269506, 1.485046263], **close)
    assert odds["standard_error"] == pytest.approx(0.06011631507, **close)
    assert odds["p"] == pytest.approx(2.90252705e-6, **close)
    assert probability["effect"] == pytest.approx(0.5689626667, **close)
    assert probability["standard_error"] == pytest.approx(0.01474317463, **close)
    assert [probability["low"], probability["high"]] == pytest.approx([0.5400665754, 0.597858758], **close)
    assert benefit["effect"] == pytest.approx(0.1379253333, **close)
    assert [benefit["low"], benefit["high"]] == pytest.approx([0.08013315076, 0.1957175159], **close)
    assert wins.win_ratio[0] == pytest.approx(1.320249486, **close)
    assert ratio["standard_error"] == pytest.approx(0.06015999377, **close)
    assert np.exp([ratio["low"], ratio["high"]]) == pytest.approx([1.173404441, 1.485471372], **close)
    assert ratio["p"] == pytest.approx(3.873981675e-6, **close)
    parts = wins_by_component(table.PARAMN.to_numpy() - 1, table.AVAL.to_numpy(), treated)
    assert (parts.wins.sum(), parts.losses.sum(), parts.ties.sum()) == (319841, 242258, 401)
    # 40 of 750 died with A and 50 with P: pairs that death decides.
    assert parts.wins[0, 0] + parts.losses[0, 0] + parts.ties[0, 0] == 750 * 750 - 710 * 700


def test_the_hierarchy_of_hce_follows_from_its_events() -> None:
    """Events of ADET and the slopes of KHCE give the component of each of the 1,500 patients and the same wins."""
    table, events = golden_table("kidney_hce/hce_KHCE.csv"), golden_table("kidney_hce/hce_ADET.csv")
    table = table.sort_values("ID")
    first = events.groupby(["PARAMCD", "ID"]).AVAL.min()
    codes = ("DTHADJ", "DIAL90", "EGFR15", "EGFR57", "EGFR50", "EGFR40")
    days = [table.ID.map(first[code]).to_numpy(float) for code in codes]
    score, component = hierarchical_score(days, table.AVAL0.where(table.PARAMCD == "eGFR").to_numpy(float))
    np.testing.assert_array_equal(component[0] + 1, table.PARAMN)
    wins = win_statistics(score, (table.TRTP == "A").to_numpy())
    assert (wins.wins[0], wins.losses[0], wins.ties[0]) == (319841, 242258, 401)


def by_hand(score: np.ndarray, treated: np.ndarray) -> tuple[float, ...]:
    """Win probability, log win ratio and their errors, pair by pair."""
    a, b = score[treated], score[~treated]
    won, lost = (a[:, None] > b) * 1.0, (a[:, None] < b) * 1.0
    half = won + (1 - won - lost) / 2
    error = np.sqrt(half.mean(1).var() / len(a) + half.mean(0).var() / len(b))
    w, x = won.mean(), lost.mean()
    influence = won / w - lost / x
    ratio_error = np.sqrt(influence.mean(1).var() / len(a) + influence.mean(0).var() / len(b))
    return half.mean(), error, np.log(w / x), ratio_error


def test_wins_pair_by_pair() -> None:
    random = np.random.default_rng(4)
    score, treated = random.integers(0, 9, (5, 41)).astype(float), random.random((5, 41)) < 0.4
    score[:, :3] = np.nan
    wins = win_statistics(score, treated)
    for k in range(5):
        kept = np.isfinite(score[k])
        expected = by_hand(score[k][kept], treated[k][kept])
        probability, ratio = wins.win_probability.at(k), wins.log_win_ratio.at(k)
        computed = probability["effect"], probability["standard_error"], ratio["effect"], ratio["standard_error"]
        np.testing.assert_allclose(computed, expected, rtol=1e-12)
    swapped = win_statistics(-score, ~treated)
    np.testing.assert_allclose(swapped.win_odds, wins.win_odds, rtol=1e-12)


def test_strata_are_weighted_by_pairs_over_patients() -> None:
    random = np.random.default_rng(5)
    score, treated, strata = random.normal(size=(2, 80)), np.arange(80) % 2 > 0, np.arange(80) // 2 % 3
    wins = win_statistics(score, treated, strata)
    parts = [win_statistics(np.where(strata == code, score, np.nan), treated) for code in range(3)]
    weight = np.array([part.wins + part.losses + part.ties for part in parts]) / [
        [np.sum(strata == c)] for c in range(3)
    ]
    won, lost = (
        sum(
            w * getattr(part, name) / (part.wins + part.losses + part.ties)
            for w, part in zip(weight, parts, strict=True)
        )
        for name in ("wins", "losses")
    )
    np.testing.assert_allclose(wins.win_ratio, won / lost, rtol=1e-12)
    np.testing.assert_allclose(wins.wins, sum(part.wins for part in parts))
    share = weight / weight.sum(0)
    errors = np.array([part.net_benefit.standard_error for part in parts])
    np.testing.assert_allclose(wins.net_benefit.standard_error, np.sqrt(((share * errors) ** 2).sum(0)), rtol=1e-12)
    same = win_statistics(score, treated, np.zeros(80))
    np.testing.assert_allclose(same.log_win_ratio.p, win_statistics(score, treated).log_win_ratio.p)
    # A stratum with one arm has no pairs and costs nothing.
    lone = np.where(np.arange(80) == 7, 9, strata)
    assert np.isfinite(win_statistics(score, treated, lone).win_odds).all()


def test_an_empty_arm_has_no_wins_and_wrong_input_is_refused() -> None:
    score = np.arange(6.0)
    nothing = win_statistics(score, np.ones(6))
    assert np.isnan(nothing.win_odds[0]) and nothing.wins[0] == 0
    with pytest.raises(ConfigError, match="wrong-shape"):
        win_statistics(score, np.ones(5))
    with pytest.raises(ConfigError, match="wrong-order"):
        wins_by_component([0, 0, 1, 1, 0, 1], score, np.arange(6) % 2)


def test_components_of_the_kidney_hierarchy() -> None:
    days = [0.0, 120, 240, 360, 480]
    egfr = np.array(
        [
            [50, 49, 48, 47, 46],  # slope
            [50, 29, 28, 27, 26],  # fall by 40 %
            [50, 24, 23, 26, 25],  # fall by 50 %
            [50, 21, 20, 22, 21],  # fall by 57 %
            [20, 14.9, 14, 13, 12],  # eGFR below 15
            [50, 49, 20, 49, 49],  # not confirmed: slope
            [50, 20, 20, 20, 20],  # dialysis
            [50, 20, 20, np.nan, np.nan],  # death
            [20, 15, 15, 15, 15],  # 15 is not below 15: slope
        ]
    )
    death, dialysis = np.full(9, np.nan), np.full(9, np.nan)
    death[7], dialysis[6], dialysis[7] = 300, 250, 200
    score, component = kidney_hierarchy(days, egfr[None], death[None], dialysis[None])
    assert [KIDNEY_COMPONENTS[k] for k in component[0]] == [
        *("eGFR slope", "fall by 40 %", "fall by 50 %", "fall by 57 %", "eGFR below 15", "eGFR slope"),
        *("dialysis", "death", "eGFR slope"),
    ]
    assert list(np.argsort(score[0])[:6]) == [7, 6, 4, 3, 2, 1]
