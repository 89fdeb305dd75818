"""Patients that a trial needs: in any allocation ratio, with more arms than two, and not by an endpoint that misleads."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import small_trials as small
from hypothesis import given, settings
from hypothesis import strategies as st

from betapod.trials.analysis.endpoints import Comparison
from betapod.trials.conduct import conduct
from betapod.trials.conduct.trial_data import TrialData
from betapod.trials.operating import power_analysis, sizing
from betapod.trials.protocol.endpoint_keys import Endpoint

PAIR = Comparison("cells", "control")


@pytest.mark.parametrize("ratio", [0.2, 0.5, 1.0, 1.5, 3.0, 5.0])
@pytest.mark.parametrize("effect", [0.3, 0.8])
def test_sizes_in_any_ratio_are_those_of_statsmodels(ratio: float, effect: float) -> None:
    power = pytest.importorskip("statsmodels.stats.power").TTestIndPower()
    for wanted in (0.8, 0.9):
        control = power.solve_power(effect, power=wanted, alpha=0.05, ratio=ratio)
        assert power_analysis.sample_size(effect, 1.0, wanted, ratio=ratio) == math.ceil(control - 1e-9)


def test_one_to_five_needs_nine_fifths_of_one_to_one() -> None:
    """(1 + 5)^2 / (4 * 5): where 1:1 needs 270 and 360, 1:5 needs 480 and 642 to whole patients of each arm."""
    for wanted, equal, unequal in ((0.8, 270, 480), (0.9, 360, 642)):
        # The effect at which two equal arms need that many, to the patient.
        low, high = 0.1, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            half = power_analysis.sample_size(middle, 1.0, wanted, adjusted=1)
            assert half is not None
            low, high = (middle, high) if 2 * half > equal else (low, middle)
        control = power_analysis.sample_size(high, 1.0, wanted, ratio=5.0, adjusted=1)
        assert control is not None
        assert power_analysis.randomised(control, [5.0]) == pytest.approx(unequal, abs=7)
        assert power_analysis.randomised(control, [5.0]) % 6 == 0


@given(st.integers(1, 9), st.integers(1, 9), st.floats(0.2, 1.5), st.sampled_from([0.0, 0.1, 0.4]))
@settings(max_examples=40, deadline=None)
def test_the_size_reaches_its_power_and_one_fewer_does_not(a: int, b: int, effect: float, lost: float) -> None:
    ratio = a / b
    n = power_analysis.sample_size(effect, 1.0, 0.8, ratio=ratio, adjusted=1, lost=lost)
    assert n is not None
    kept = 1 - lost
    assert power_analysis.analytic_power(effect, 1.0, n * ratio * kept, n * kept, adjusted=1) >= 0.8
    fewer = (n - 1) * kept
    if fewer * (1 + ratio) > 3.001:
        assert not power_analysis.analytic_power(effect, 1.0, fewer * ratio, fewer, adjusted=1) >= 0.8
    assert power_analysis.randomised(n, [ratio]) == n + math.ceil(n * ratio - 1e-9)


def test_what_cannot_be_sized_has_no_size() -> None:
    for effect, sd in ((math.nan, 1.0), (0.5, math.nan), (0.5, 0.0), (0.0, 1.0), (math.inf, 1.0)):
        assert power_analysis.sample_size(effect, sd, 0.8) is None
    assert np.isnan(power_analysis.analytic_power(0.5, 1.0, 1, 1))
    assert np.isnan(power_analysis.analytic_power(0.5, 0.0, 10, 10))


def test_power_counts_the_patients_of_a_third_arm() -> None:
    """Three equal arms of 40: the curve of two of them at 120 patients is that of 40 against 40."""
    random = np.random.default_rng(3)
    group = np.broadcast_to(np.arange(120) % 3, (800, 120))
    base = random.normal(0, 1, group.shape)
    y = np.where(group == 2, np.nan, 0.5 * (group == 0) + base + random.normal(0, 1, group.shape))
    curve = power_analysis.power_curve(y, base, (group == 0) * 1.0, [60, 120], better=1)
    expected = power_analysis.analytic_power(curve.effect, curve.sd, 40, 40, adjusted=1, directed=True)
    assert curve.smooth[-1] == pytest.approx(float(expected))
    for simulated, smooth in zip(curve.simulated, curve.smooth, strict=True):
        assert simulated.value == pytest.approx(smooth, abs=0.05)


def run(arms: str, text: str = small.TEXT):  # type: ignore[no-untyped-def]
    text = text.replace("{arms: {cells: 1, control: 1}}", f"{{arms: {arms}}}")
    protocol = small.parse_protocol(text)
    return conduct.conduct_trial(protocol, pool=small.pool(protocol), replicates=40, designs=["randomised"])


@pytest.mark.parametrize(("arms", "factor"), [("{cells: 1, control: 1}", 1.0), ("{cells: 5, control: 1}", 1.8)])
def test_the_table_of_sizes_knows_the_ratio(arms: str, factor: float) -> None:
    made = run(arms)
    _, sizes = sizing.power_and_sizes(made, {})
    row = sizes[(sizes["scenario"] == "seed-claims") & (sizes["role"] == "primary") & (sizes["power"] == 0.8)].iloc[0]
    half = power_analysis.sample_size(row["effect"], row["sd"], 0.8, adjusted=2, lost=row["lost"])
    assert half is not None
    assert row["n"] == pytest.approx(2 * half * factor, abs=7)
    assert row["caution"] == ""
    none = sizes[(sizes["scenario"] == "none") & (sizes["power"] == 0.8)]
    assert none["n"].isna().all()


def test_a_third_arm_is_recruited_too() -> None:
    text = small.TEXT.replace(
        "  control: {placebo: true}", "  control: {placebo: true}\n  more: {cells: UC-MSC 2e6/kg iv}"
    )
    both = [
        sizing.power_and_sizes(run(arms, given), {})[1]
        for arms, given in (("{cells: 1, control: 1}", small.TEXT), ("{cells: 1, control: 1, more: 1}", text))
    ]
    two, three = (
        t[(t["scenario"] == "seed-claims") & (t["role"] == "primary") & (t["power"] == 0.8)].iloc[0] for t in both
    )
    half = power_analysis.sample_size(three["effect"], three["sd"], 0.8, adjusted=2, lost=three["lost"])
    assert half is not None and three["n"] == 3 * half and two["n"] % 2 == 0


SLOPE = Endpoint(quantity="eGFR", summary="slope")


def with_courses(cells: list[float], days: list[float]) -> TrialData:
    """Return a trial in which eGFR of those with cells moves by so much at the visits after enrolment, and of others not."""
    visits = "".join(f"\n  - {{name: v{k}, day: {day} day}}" for k, day in enumerate(days))
    head, rest = small.TEXT.split("\nvisits:")
    text = (
        head
        + "\nvisits:\n  - {name: enrolment, day: 0 day}"
        + visits
        + "\nmeasurements:"
        + rest.split("measurements:")[1]
    )
    protocol = small.parse_protocol(
        text.replace("at: month 6", "at: v0").replace("baseline: screening", "baseline: baseline")
    )
    data = conduct.conduct_trial(protocol, pool=small.pool(protocol), replicates=2)["randomised", "none"]
    values = np.full(data.observed["EGFR"].shape, 50.0, dtype=np.float32)
    values[:, :, 1:] += np.where((data.arm == 0)[:, :, None], np.array(cells, dtype=np.float32), 0)
    return replace(data, observed={**data.observed, "EGFR": values}, base={**data.base, "EGFR": values[:, :, 0]},
                   day=np.broadcast_to(np.array(protocol.days, dtype=np.float32), values.shape))  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "days", "words"),
    [
        ([3.5, 3.5], [91, 183], "cannot tell"),
        ([3.5, 3.0, 2.5, 2.0], [91, 183, 365, 730], "opposite directions"),
        ([-3.5, -3.0, -2.5, 2.0], [91, 183, 365, 1095], "opposite directions"),
        ([3.5, 4.0, 5.0], [91, 183, 365], "over 12 months it is mostly acute"),
        ([0.5, 1.0, 2.0, 4.0], [91, 183, 365, 730], ""),
        ([1.0, 2.0], [30, 60], "cannot tell"),
    ],
)
def test_a_total_slope_on_an_acute_change_is_not_recommended(cells: list[float], days: list[float], words: str) -> None:
    why = sizing.caution(with_courses(cells, days), SLOPE, PAIR)
    assert words in why and bool(words) == bool(why)


def test_other_endpoints_are_not_doubted() -> None:
    data = with_courses([3.5, 3.5], [91, 183])
    assert sizing.caution(data, SLOPE.model_copy(update={"summary": "change"}), PAIR) == ""
    assert sizing.caution(data, Endpoint(quantity="UACR", summary="slope"), PAIR) == ""


def test_the_brief_gives_the_reason() -> None:
    import pandas as pd

    from betapod.report.trial import answers

    class Table:
        protocol = small.protocol()
        sizes = pd.DataFrame(
            {
                "scenario": "seed-claims",
                "power": 0.8,
                "endpoint": ["eGFR slope", "change of UACR"],
                "role": ["primary", "secondary"],
                "variant": "as the protocol measures",
                "n": [174.0, 7800.0],
                "caution": ["it adds up an acute change and a chronic slope, which go in opposite directions", ""],
            }
        )

    text = answers._best_endpoint(Table)  # type: ignore[arg-type]
    assert "change of UACR" in text and "not recommended" in text and "opposite directions" in text
    assert "it answers another question than the primary one" in text
    assert text.index("change of UACR") < text.index("EGFR slope" if "EGFR slope" in text else "eGFR slope")


def test_a_trial_of_a_drug_is_sized_too() -> None:
    text = small.TEXT.replace("  cells: {cells: UC-MSC 1e6/kg iv x3 q28d}", "  drug: {therapies: [SGLT2 inhibitor]}")
    text = text.replace("{arms: {cells: 1}, baseline: screening}", "{arms: {drug: 1}, baseline: screening}")
    protocol = small.parse_protocol(text.replace("{arms: {cells: 1, control: 1}}", "{arms: {drug: 2, control: 1}}"))
    pool = small.pool(protocol)
    keys = {
        key: "cells" if key[0] == "drug" and key[1] not in ("natural", "run-in") else name
        for key, name in pool.keys.items()
    }
    made = conduct.conduct_trial(protocol, pool=replace(pool, keys=keys), replicates=30)
    power, sizes = sizing.power_and_sizes(made, {})
    row = sizes[(sizes["scenario"] == "none") & (sizes["power"] == 0.8)].iloc[0]
    assert row["n"] > 0 and row["effect"] == pytest.approx(math.log(0.5), abs=1e-6) and not power.empty
    larger = sizing.enlarged(protocol, 80, 5)
    assert larger is not None and list(larger.designs) == ["randomised"] and larger.size("randomised") == 80


def test_responders_and_events_are_sized() -> None:
    """They were left out of the table without a word."""
    text = small.TEXT.replace(
        "primary: {quantity: UACR, summary: ratio, at: month 6}",
        "primary: {quantity: UACR, summary: responders, percent: -30, at: month 6}\n  secondary:\n"
        "    - {quantity: UACR, summary: time to event, percent: -30}",
    )
    made = run("{cells: 5, control: 1}", text)
    _, sizes = sizing.power_and_sizes(made, {})
    assert set(sizes["summary"]) == {"responders", "time to event"}
    for _, row in sizes.iterrows():
        if row["scenario"] == "none":
            assert np.isnan(row["n"])
        else:
            assert row["n"] % 6 == 0 and 6 <= row["n"] < 400 and row["effect"] > 0
    shares = sizes[(sizes["scenario"] == "seed-claims") & (sizes["summary"] == "responders")].sort_values("power")
    assert shares["n"].is_monotonic_increasing and shares["effect"].nunique() == 1


def test_shares_and_events_without_difference_have_no_size() -> None:
    for shares in ((0.3, 0.3), (math.nan, 0.3), (0.3 + 1e-6, 0.3)):
        assert power_analysis.sample_size_of_shares(*shares, 0.8) is None
    for events in ((0.0, 0.3, 0.3), (math.nan, 0.3, 0.3), (-0.5, 0.0, 0.0), (math.inf, 0.1, 0.0), (1e-6, 0.1, 0.1)):
        assert power_analysis.sample_size_of_events(*events, 0.8) is None


def test_sizes_say_which_comparison_they_are_for() -> None:
    made = run("{cells: 2, control: 1}")
    power, sizes = sizing.power_and_sizes(made, {})
    for table in (power, sizes):
        assert set(table["treated"]) == {"cells"} and set(table["control"]) == {"control"}
