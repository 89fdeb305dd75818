"""The true effect that a trial looks for: the randomised contrast, whatever differs between the arms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import small_trials as small

from betapod.trials.analysis.endpoints import Comparison, comparisons
from betapod.trials.conduct import conduct
from betapod.trials.conduct.trial_run import TrialRun
from betapod.trials.operating import replicate_summaries, result_rows
from betapod.trials.operating.sizing import tests_cells as tells_of_cells
from betapod.trials.operating.true_effects import truth, truth_of
from betapod.trials.protocol.protocol import Protocol

#: A drug that lowers UACR by a third, in the pool's course ``cells`` (no cells anywhere).
DRUG = float(np.log(2 / 3))


def drug_trial(arms: str = "{drug: 1, control: 1}") -> Protocol:
    text = small.TEXT.replace(
        "  cells: {cells: UC-MSC 1e6/kg iv x3 q28d}", "  drug: {therapies: [SGLT2 inhibitor]}"
    ).replace("{arms: {cells: 1}, baseline: screening}", "{arms: {drug: 1}, baseline: screening}")
    return small.parse_protocol(text.replace("{arms: {cells: 1, control: 1}}", f"{{arms: {arms}}}"))


def drug_run(protocol: Protocol) -> TrialRun:
    pool = small.pool(protocol, effect=2 / 3)
    moved = {key: "cells" if key[0] == "drug" and key[1] in ("care", "co-medication", "cells") else name
             for key, name in pool.keys.items()}  # fmt: skip
    return conduct.conduct_trial(protocol, pool=replace(pool, keys=moved), replicates=20)


@pytest.fixture(scope="module")
def drug() -> TrialRun:
    return drug_run(drug_trial())


def test_a_drug_against_placebo_has_the_effect_of_the_drug(drug: TrialRun) -> None:
    """It said 0, the effect of cells that nobody got."""
    data = drug["randomised", "none"]
    comparison = comparisons(drug.protocol, "randomised")[0]
    assert comparison == Comparison("drug", "control")
    assert truth_of(data, drug.protocol.endpoints.primary, comparison) == "groups"
    assert truth(data, drug.protocol.endpoints.primary, comparison, None) == pytest.approx(DRUG, abs=1e-6)
    assert not tells_of_cells(drug.protocol, comparison)


def test_a_drug_before_and_after_has_the_effect_of_the_drug(drug: TrialRun) -> None:
    data = drug["single arm", "none"]
    comparison = comparisons(drug.protocol, "single arm")[0]
    assert truth_of(data, drug.protocol.endpoints.primary, comparison) == "treatment"
    assert truth(data, drug.protocol.endpoints.primary, comparison, "early") == pytest.approx(DRUG, abs=1e-6)


def test_no_effect_of_cells_stands_where_nobody_has_cells(drug: TrialRun) -> None:
    data = drug["randomised", "none"]
    rows = result_rows.course_rows(data, {})
    assert rows and all(np.isnan(row["truth"]) for row in rows)


def test_a_table_of_the_truth_speaks_of_cells_only_where_somebody_has_them(drug: TrialRun) -> None:
    table = drug.truth("randomised", "none", "UACR", "month 6")
    assert not {"true effect of cells", "cells"} & set(table.columns)
    treated = table["arm"] == "drug"
    np.testing.assert_allclose(table["true effect of treatment"][treated].dropna(), DRUG, atol=1e-6)
    np.testing.assert_allclose(table["true effect of treatment"][~treated].dropna(), 0, atol=1e-6)
    parts = table.drop(columns=["replicate", "patient", "arm", "stratum", "change", "true effect of treatment"])
    np.testing.assert_allclose(parts.sum(axis=1, skipna=False), table["change"], atol=1e-6)


def test_what_is_no_change_has_no_true_value(drug: TrialRun) -> None:
    data = drug["randomised", "none"]
    primary = drug.protocol.endpoints.primary
    for changed in (
        {"summary": "responders", "percent": -30.0},
        {"summary": "slope"},
        {"intercurrent": primary.intercurrent.model_copy(update={"death": "composite"})},
    ):
        endpoint = primary.model_copy(update=changed)
        comparison = comparisons(drug.protocol, "randomised")[0]
        assert truth_of(data, endpoint, comparison) == ""
        assert np.isnan(truth(data, endpoint, comparison, None))


def test_cells_and_a_drug_against_placebo_is_no_test_of_cells() -> None:
    protocol = small.parse_protocol(
        small.TEXT.replace("  cells: {cells:", "  cells: {therapies: [SGLT2 inhibitor], cells:")
    )
    assert not tells_of_cells(protocol, Comparison("cells", "control"))
    assert tells_of_cells(small.protocol(), Comparison("cells", "control"))


def test_the_contrast_is_that_of_all_who_were_randomised() -> None:
    """Where the effect differs between people it is averaged over both arms, not over those who happen to be treated."""
    protocol = small.protocol()
    pool = small.pool(protocol, people=50)
    values = pool.values["natural"].copy()
    after, code = pool.times > 0, pool.codes.index("UACR")
    factor = np.linspace(0.2, 1.0, 50)
    values[:, after, code] *= factor[:, None]
    data = conduct.conduct_trial(protocol, pool=replace(pool, values={**pool.values, "cells": values}), replicates=10)[
        "randomised", "seed-claims"
    ]
    found = replicate_summaries.true_contrast(data, "UACR", "month 6", "cells", "control")
    alive = ~(
        np.isfinite(data.disposition_day) & (data.disposition == 2) & (data.disposition_day < data._when[:, :, 2])
    )
    expected = [np.log(factor[m])[a].mean() for m, a in zip(data.member, alive, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_every_choice_of_replicates_is_remembered_for_itself(drug: TrialRun) -> None:
    """The first, the last and their number do not tell [0, 1, 5] from [0, 3, 5]."""
    data = drug["randomised", "none"]
    kept = replicate_summaries.remembered(data)
    for chosen in ([0, 1, 5], [0, 3, 5], range(3), np.array([5, 3, 0], dtype=np.int32), [0, 3, 5]):
        np.testing.assert_array_equal(kept.select(chosen).base["UACR"], data.base["UACR"][np.asarray(chosen)])
    assert kept.select([0, 3, 5]) is kept.select(np.array([0, 3, 5]))
    # A mask chooses by its truth, not by its bytes alone.
    mask = np.zeros(data.replicates, dtype=bool)
    mask[[2, 4]] = True
    np.testing.assert_array_equal(kept.select(mask).base["UACR"], data.base["UACR"][[2, 4]])
