"""Rare and zero events, one study, two studies: methods made for them, equal to other programs."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from betapod.base.errors import EvidenceError
from betapod.evidence.records import registry
from betapod.evidence.synthesis import pool as synthesis
from betapod.evidence.synthesis import rare_events as rare
from betapod.evidence.synthesis.certainty import grade
from betapod.evidence.synthesis.effect_size import EffectSize, logit, risk_ratio

pytest.importorskip("pymare")

#: BCG vaccine against tuberculosis: cases and others of the vaccinated, cases and others of the controls (Colditz et al. 1994).
BCG = [
    (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761),
    (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232), (17, 1699, 65, 1600),
    (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825),
]  # fmt: skip
COUNTS = [(float(a), float(a + b), float(c), float(c + d)) for a, b, c, d in BCG]


def trial(name: str, *counts: float) -> EffectSize:
    y, v, how = risk_ratio(*map(float, counts))
    return EffectSize(
        name, name, "risk_ratio", "between", "x", "1", "", None, y, v, int(counts[1] + counts[3]), (f"{name}#1",), how,
        (0, 0), counts=tuple(map(float, counts)),
    )  # fmt: skip


def group(name: str, events: float, people: int) -> EffectSize:
    y, v, how = logit(events, people)
    return EffectSize(
        name, name, "proportion", "level", "x", "1", "", None, y, v, people, (f"{name}#1",), how, (0, 0), events=events
    )


def test_the_thirteen_trials_are_those_of_metafor() -> None:
    with (Path(__file__).parent / "metafor.csv").open(encoding="utf-8", newline="") as file:
        golden = {
            r["name"]: float(r["value"]) for r in csv.DictReader(file) if (r["group"], r["method"]) == ("bcg", "data")
        }
    for number, counts in enumerate(COUNTS, 1):
        y, v, _ = risk_ratio(*counts)
        assert (y, v) == pytest.approx((golden[f"y{number}"], golden[f"v{number}"]), rel=1e-6)


def test_mantel_haenszel_equals_metafor_and_statsmodels() -> None:
    found = rare.mantel_haenszel(COUNTS)
    assert found is not None
    # metafor, rma.mh(measure="RR") of dat.bcg: -0.4537, SE 0.0393.
    assert found[0] == pytest.approx(-0.4537, abs=5e-5) and found[1] == pytest.approx(0.0393, abs=5e-5)
    from statsmodels.stats.contingency_tables import StratifiedTable

    tables = StratifiedTable([np.array([[a, b], [c, d]]) for a, b, c, d in BCG])
    assert math.exp(found[0]) == pytest.approx(tables.riskratio_pooled, rel=1e-12)


def test_peto_equals_metafor_and_the_hypergeometric_distribution() -> None:
    found = rare.peto(COUNTS)
    assert found is not None
    # metafor, rma.peto of dat.bcg: -0.4744, SE 0.0407.
    assert found[0] == pytest.approx(-0.4744, abs=5e-5) and found[1] == pytest.approx(0.0407, abs=5e-5)
    free = [stats.hypergeom(int(n1 + n2), int(n1), int(a + b)) for a, n1, b, n2 in COUNTS]
    variance = sum(each.var() for each in free)
    excess = sum(a - each.mean() for (a, *_), each in zip(COUNTS, free, strict=True))
    assert found[0] == pytest.approx(excess / variance) and found[1] == pytest.approx(variance**-0.5)


def test_empty_cells_get_no_half_and_studies_without_events_do_not_count() -> None:
    trials = [trial("A", 0, 100, 4, 100), trial("B", 1, 50, 3, 50), trial("C", 2, 200, 5, 200)]
    pooled = synthesis.pool_effects(trials, "auto")
    expected = rare.mantel_haenszel([each.counts for each in trials if each.counts])
    assert pooled.method == "MH" and expected is not None and pooled.mu == pytest.approx(expected[0])
    assert pooled.estimate == pytest.approx(3 / 12) and pooled.tau2 is None and pooled.prediction_interval is None
    # Without an empty cell the model is the usual one.
    assert synthesis.pool_effects([trial("A", 2, 100, 4, 100), *trials[1:]], "auto").method == "REML"


def test_where_one_side_has_no_event_at_all_petos_odds_ratio_is_left() -> None:
    trials = [trial("A", 2, 100, 0, 100), trial("B", 1, 50, 0, 50), trial("C", 0, 80, 0, 80)]
    pooled = synthesis.pool_effects(trials[:2], "auto")
    assert (pooled.method, pooled.measure) == ("Peto", "odds_ratio")
    # With equal groups O - E is half of the events, and their variance a quarter.
    variance = 100 * 100 * 2 * 198 / (200**2 * 199) + 50 * 50 * 1 * 99 / (100**2 * 99)
    assert pooled.mu == pytest.approx(1.5 / variance)
    assert rare.mantel_haenszel([each.counts for each in trials if each.counts]) is None
    # The studies themselves are shown as odds ratios too.
    assert {each.measure for each in pooled.effects} == {"odds_ratio"}
    assert pooled.effects[0].y == pytest.approx(1.0 / (100 * 100 * 2 * 198 / (200**2 * 199)))
    assert trials[2].empty and not trials[0].empty


def test_both_groups_without_an_event_say_nothing_of_a_ratio() -> None:
    known = registry.load_registry()
    row = replace(
        known["ZANG2022#1"],
        kind="proportion",
        contrast="level",
        weeks=52.0,
        dispersion=None,
        endpoint="event",
        unit="1",
    )

    def study(name: str, *counts: int) -> list:
        parts = ((row.arm, row.product, *counts[:2]), ("placebo", "control", *counts[2:]))
        return [
            replace(row, id=f"{name}#{i}", study=name, family=name, arm=arm, product=product, n=n, value=x / n)
            for i, (arm, product, x, n) in enumerate(parts)
        ]

    rows = [*study("A", 1, 100, 4, 100), *study("B", 0, 60, 2, 60), *study("C", 0, 50, 0, 50)]
    pooled = synthesis.pool(rows)
    assert (pooled.k, pooled.method, pooled.contrast) == (2, "MH", "between")
    reasons = {one.record: one.reason for one in pooled.excluded}
    assert "no event in either group" in reasons["C#0"]
    assert pooled.estimate == pytest.approx((1 / 2) / (4 / 2 + 2 / 2))


def test_a_share_of_nobody_is_nought_with_its_exact_interval() -> None:
    one = synthesis.pool_effects([group("A", 0, 44)], "auto")
    assert one.estimate == 0.0 and one.ci == pytest.approx((0.0, 1 - 0.025 ** (1 / 44)))
    assert one.ci[1] == pytest.approx(0.0804, abs=1e-4)
    together = synthesis.pool_effects([group("A", 0, 12), group("B", 0, 20)], "auto")
    assert together.estimate == 0.0 and together.ci[1] == pytest.approx(1 - 0.025 ** (1 / 32))
    everybody = synthesis.pool_effects([group("A", 8, 8)], "auto")
    assert everybody.estimate == 1.0 and everybody.ci == pytest.approx((0.025 ** (1 / 8), 1.0))


def test_groups_with_and_without_events_are_pooled_by_logistic_regression() -> None:
    events, people = [0, 2, 7, 1], [20, 25, 30, 18]
    mu, se, tau2 = rare.pool_logits(events, people)

    def loss(p: np.ndarray) -> float:
        total = 0.0
        for x, n in zip(events, people, strict=True):
            inside, _ = integrate.quad(
                lambda u, x=x, n=n: stats.binom.pmf(x, n, 1 / (1 + np.exp(-p[0] - abs(p[1]) * u))) * stats.norm.pdf(u),
                -8, 8, epsabs=1e-13, limit=200,
            )  # fmt: skip
            total -= math.log(inside)
        return total

    found = optimize.minimize(loss, [-2.0, 0.5], method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-10})
    assert (mu, math.sqrt(tau2)) == pytest.approx((found.x[0], abs(found.x[1])), abs=2e-4)
    pooled = synthesis.pool_effects(
        [group(f"{i}", x, n) for i, (x, n) in enumerate(zip(events, people, strict=True))], "auto"
    )
    assert pooled.method == "GLMM" and pooled.se == pytest.approx(se) and pooled.prediction_interval is not None
    # Groups that agree have no variance between them: the share of all people together.
    mu, se, tau2 = rare.pool_logits([0, 1, 1], [20, 20, 20])
    assert tau2 == 0.0 and mu == pytest.approx(math.log(2 / 58), abs=1e-5)
    assert se == pytest.approx(math.sqrt(1 / 2 + 1 / 58), rel=1e-4)


def plain(name: str, y: float, v: float) -> EffectSize:
    return EffectSize(name, name, "hazard_ratio", "between", "x", "1", "", None, y, v, 1000, (f"{name}#1",), "", (0, 0))


def test_two_studies_give_their_average_and_no_interval_that_tells_nobody_anything() -> None:
    two = [plain("A", math.log(0.35), 0.2), plain("B", math.log(0.95), 0.02)]
    pooled = synthesis.pool_effects(two, "auto")
    weight = (1 / 0.2) / (1 / 0.2 + 1 / 0.02)
    assert pooled.mu == pytest.approx(weight * math.log(0.35) + (1 - weight) * math.log(0.95))
    assert pooled.se == pytest.approx((1 / 0.2 + 1 / 0.02) ** -0.5)
    assert pooled.method == "common" and pooled.prediction_interval is None and pooled.tau2 is None
    assert any("two studies" in reason for reason in pooled.reasons)
    assert any("disagree" in reason for reason in pooled.reasons)
    # Who asks for random effects gets them, with a warning.
    asked = synthesis.pool_effects(two, "REML", "knha")
    assert asked.ci[1] / asked.ci[0] > 100 and asked.prediction_interval is None
    assert any("says hardly anything" in reason for reason in asked.reasons)
    assert synthesis.pool_effects([*two, plain("C", 0.0, 0.1)], "auto").prediction_interval is not None


def test_no_interval_of_the_registry_spans_a_factor_of_a_thousand() -> None:
    for found in synthesis.synthesise(registry.load_registry()):
        if found.pooled is not None and found.pooled.k > 1 and found.pooled.ci[0] > 0.0:
            assert found.pooled.ci[1] / found.pooled.ci[0] < 1000, found.endpoint


def test_a_method_that_does_not_fit_is_refused() -> None:
    records = registry.load_registry().select(product="SGLT2 inhibitor", endpoint="composite_kidney", controls=True)
    ask = {"measure": "hazard_ratio", "across": ("population",)}
    with pytest.raises(EvidenceError, match="events of both groups"):
        synthesis.pool(records, method="MH", **ask)
    with pytest.raises(EvidenceError, match="single groups"):
        synthesis.pool(records, method="GLMM", **ask)
    with pytest.raises(EvidenceError, match="belongs to random effects"):
        synthesis.pool(records, method="common", interval="knha", **ask)
    assert synthesis.pool(records, method="common", **ask).method == "common"
    assert grade(records, synthesis.pool(records, **ask)).level == "moderate"
