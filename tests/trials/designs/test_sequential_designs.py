"""Group-sequential designs against rpact 3.3.4 (R; LGPL-3): boundaries, alpha spent, inflation, expected information; and their laws."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from betapod import designs
from betapod.base.errors import ConfigError

TABLE = Path(__file__).parents[4] / "shared" / "golden" / "designs" / "rpact_designs.csv"

#: Family, information, z of each look, inflation, expected information under H1 and H0; alpha 0.025, power 0.9.
GOLDEN = [
    ("OF", 3, (3.47109144465, 2.45443229863, 2.00403557995), 1.01610070935, 0.798709277602, 1.01358781233),
    ("P", 3, (2.28947845646,) * 3, 1.15063807371, 0.721032986152, 1.13913373897),
    ("asOF", 3, (3.71030287326, 2.51142748445, 1.99304748327), 1.01185276326, 0.811472148675, 1.00977782501),
    ("asP", 3, (2.27942823892, 2.29491113871, 2.29593958706), 1.15422018864, 0.721156903346, 1.14252202222),
    ("WT", 3, (2.74113660386, 2.30501194391, 2.08281341086), 1.04979841142, 0.745287453315, 1.04439763475),
    ("HP", 3, (3.0, 3.0, 1.97509763338), 1.00657853787, 0.833683064569, 1.00529963200),
    ("asKD", 3, (2.77292129461, 2.34727220982, 2.06191376597), 1.04114780380, 0.749805974743, 1.03632767402),
    ("asHSD", 3, (3.01073948539, 2.54653055221, 1.99922635406), 1.01519704032, 0.783653831442, 1.01264229365),
    ("asOF", (0.3, 0.7, 1), (3.92857254263, 2.43874237686, 2.00000857562), 1.01389623734, 0.820286433658, 1.01163277675),
]  # fmt: skip


@pytest.mark.parametrize(("family", "information", "z", "inflation", "h1", "h0"), GOLDEN)
def test_boundaries_and_characteristics_are_those_of_rpact(
    family: str, information: int, z: tuple[float, ...], inflation: float, h1: float, h0: float
) -> None:
    design = designs.group_sequential(family, information)
    got = designs.design_characteristics(design)
    assert np.abs(np.array(design.efficacy) - z).max() < 1e-6
    assert abs(design.spent[-1] - 0.025) < 1e-12
    assert np.abs(np.array([got.inflation, got.asn_h1, got.asn_h0]) - [inflation, h1, h0]).max() < 1e-6


@pytest.mark.skipif(not TABLE.is_file(), reason="the table of rpact's 64 designs is not here")
def test_all_designs_of_the_table_agree_to_six_digits() -> None:
    rows: dict[int, list[dict[str, str]]] = defaultdict(list)
    with TABLE.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rows[len(rows) - (row["stage"] != "1")].append(row)
    assert len(rows) == 64
    for looks in rows.values():
        rates = [float(row["information"]) for row in looks]
        even = abs(rates[0] * len(rates) - 1) < 1e-9
        design = designs.group_sequential(looks[0]["design"], len(rates) if even else rates, float(looks[0]["alpha"]))
        characteristics = designs.design_characteristics(design)
        got = {"z": design.efficacy, "alpha_spent": design.spent, "level": design.levels}
        got |= {name: getattr(characteristics, name) for name in ("inflation", "asn_h1", "asn_h01", "asn_h0")}
        for name, values in got.items():
            golden = [float(row[name]) for row in looks]
            assert np.abs(np.asarray(values) - golden).max() < 1e-6, (looks[0]["design"], rates, name)


@pytest.mark.parametrize(
    ("family", "z"),
    [
        ("OF", (4.561742299, 3.225638914, 2.633723144, 2.280871149, 2.040073175)),
        ("P", (2.41317622,) * 5),
    ],
)
def test_two_sided_boundaries(family: str, z: tuple[float, ...]) -> None:
    """Rpact 3.3.4; Jennison and Turnbull 1999, tables 2.1 and 2.3, print 2.413 and 2.040 for five looks."""
    design = designs.group_sequential(family, 5, 0.05, sides=2)
    assert np.abs(np.array(design.efficacy) - z).max() < 1e-6
    assert abs(design.spent[-1] - 0.05) < 1e-12


def test_futility_that_spends_beta() -> None:
    """Rpact 3.3.4: asOF with bsOF, not binding."""
    design = designs.group_sequential("asOF", 3, futility="asOF")
    assert np.abs(np.array(design.efficacy) - (3.710302873, 2.511427484, 1.993047483)).max() < 1e-6
    assert np.abs(np.array(design.futility[:2]) - (-0.6945411659, 1.0024595610)).max() < 1e-6
    rejected = designs.stopping_chances(design, designs.design_drift(design)).rejected[0]
    assert np.abs(np.cumsum(rejected) - (0.03720878874, 0.58453151346, 0.9)).max() < 1e-6


@pytest.mark.parametrize(
    ("information", "inflation", "h1", "h0"),
    [
        (3, 1.146274353, 0.8364677258, 0.5992997801),
        ((0.3, 0.7, 1), 1.146296966, 0.8567321198, 0.6148794342),
        (2, 1.093078571, 0.8793023784, 0.674363592),
    ],
)
def test_pampallona_tsiatis(information: int, inflation: float, h1: float, h0: float) -> None:
    """Rpact 3.3.4 with exponents 0 and 0.25, not binding."""
    design = designs.group_sequential("PT", information, futility_parameter=0.25)
    got = designs.design_characteristics(design)
    assert np.abs(np.array([got.inflation, got.asn_h1, got.asn_h0]) - [inflation, h1, h0]).max() < 1e-6


@pytest.mark.parametrize("family", ["asOF", "PT", "P", "OF", "HP"])
def test_binding_futility_buys_lower_boundaries_and_keeps_both_errors(family: str) -> None:
    futility = None if family == "PT" else "asKD"
    free = designs.group_sequential(family, 3, futility=futility)
    binding = designs.group_sequential(family, 3, futility=futility, binding=True)
    assert binding.efficacy[-1] < free.efficacy[-1]
    null, alternative = designs.stopping_chances(binding, [0.0, designs.design_drift(binding)]).rejected.sum(-1)
    assert abs(null - 0.025) < 1e-9 and abs(alternative - 0.9) < 1e-9
    # Followed though it need not be, futility only lowers the error.
    assert designs.stopping_chances(free, 0.0).power[0] < 0.025


def test_beta_is_spent_as_asked() -> None:
    design = designs.group_sequential("P", [0.2, 0.5, 1], futility="asHSD", futility_parameter=-2.0, power=0.8)
    futile = designs.stopping_chances(design, designs.design_drift(design)).futile[0]
    assert np.abs(np.cumsum(futile) - designs.spent_error("asHSD", [0.2, 0.5, 1], 0.2, -2.0)).max() < 1e-9


def test_chances_are_those_of_the_multivariate_normal() -> None:
    """An independent integral: three looks, other information, a drift."""
    t, drift, upper, lower = np.array([0.25, 0.6, 1.0]), 2.3, (2.6, 2.3, 2.0), (-0.5, 0.4, 2.0)
    above, below = designs.crossing_chances(t, lower, upper, drift)
    mean, cov = drift * np.sqrt(t), np.sqrt(np.minimum.outer(t, t) / np.maximum.outer(t, t))

    def inside(look: int, low: float, high: float) -> float:
        ends = [(lower[k], upper[k]) for k in range(look)] + [(low, high)]
        first, last = (np.array([end[i] for end in ends]) - mean[: look + 1] for i in (0, 1))
        law = multivariate_normal(
            np.zeros(look + 1), cov[: look + 1, : look + 1], maxpts=200_000, abseps=1e-9, releps=1e-9
        )
        return float(law.cdf(last, lower_limit=first, rng=np.random.default_rng(1)))

    for look in range(3):
        assert abs(above[0, look] - inside(look, upper[look], mean[look] + 12)) < 2e-7
        assert abs(below[0, look] - inside(look, mean[look] - 12, lower[look])) < 2e-7
    assert abs(above.sum() + below.sum() - 1) < 1e-12


def test_one_pass_serves_every_drift() -> None:
    t, upper = [0.01, 0.02, 0.5, 0.51, 1.0], [3.0, 2.9, 2.5, 2.4, 2.0]
    drifts = np.array([-4.0, 0.0, 3.0, 8.0])
    together = designs.crossing_chances(t, [-np.inf] * 5, upper, drifts)[0]
    alone = np.concatenate([designs.crossing_chances(t, [-np.inf] * 5, upper, drift)[0] for drift in drifts])
    assert np.abs(together - alone).max() < 1e-12


def test_many_looks_spend_what_they_may() -> None:
    design = designs.group_sequential("asP", 60)
    assert abs(design.spent[-1] - 0.025) < 1e-10
    assert np.all(np.diff(design.spent) > 0)


def test_designs_of_given_numbers() -> None:
    spending = designs.group_sequential("asUser", 3, spent=[0.001, 0.01, 0.025])
    assert np.abs(np.array(spending.spent) - (0.001, 0.01, 0.025)).max() < 1e-12
    bounds = designs.group_sequential("user", [0.5, 1], efficacy=spending.efficacy[:2])
    assert bounds.alpha == bounds.spent[-1] and bounds.efficacy == spending.efficacy[:2]
    nothing_yet = designs.group_sequential("asUser", 2, spent=[0.0, 0.025])
    assert nothing_yet.efficacy[0] == np.inf and abs(nothing_yet.efficacy[1] - norm.isf(0.025)) < 1e-9


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        ({"family": "asPO"}, ["unknown-family"]),
        ({"family": "OF", "parameter": 2.0}, ["useless-option"]),
        ({"family": "asKD", "parameter": -1.0}, ["out-of-range"]),
        ({"alpha": 0.7, "power": 2.0, "sides": 3}, ["out-of-range"] * 3),
        ({"information": [0.5, 0.4, 1]}, ["bad-information"]),
        ({"information": "abc"}, ["bad-information"]),
        ({"information": 0}, ["bad-information"]),
        ({"family": "asUser", "spent": [0.01, 0.02, 0.02]}, ["bad-spending"]),
        ({"family": "asUser"}, ["bad-design"]),
        ({"efficacy": [2.0, 2.0, 2.0]}, ["bad-design"]),
        ({"futility": "never"}, ["unknown-family"]),
        ({"futility": [0.0]}, ["bad-design"]),
        ({"futility": "asOF", "sides": 2}, ["not-supported"]),
        ({"family": "PT", "futility": "asOF"}, ["bad-design"]),
    ],
)
def test_what_makes_no_design_is_said_at_once(options: dict[str, object], kinds: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        designs.group_sequential(**options)  # type: ignore[arg-type]
    assert list(caught.value.kinds) == kinds


def test_a_constant_bound_that_spends_too_much_is_refused() -> None:
    with pytest.raises(ConfigError, match="no boundaries keep these errors"):
        designs.group_sequential("HP", 3, parameter=1.0)
