"""Parts of the interval of a gain: told apart where the truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from betapod.report.value.gain_parts import gain_parts, gain_parts_as_dict, gain_parts_section
from betapod.value.parameter_draws import BETWEEN_STUDIES
from betapod.value.value_result import ValueParameter, ValueResult


def result(draws: int = 4000, slope: float = 0.3) -> ValueResult:
    rng = np.random.default_rng(2)
    between, others = rng.standard_normal((2, draws))
    qalys = {"own": np.stack([np.full(draws, 8.0), 8.5 + slope * between + 0.4 * others])}
    parameter = ValueParameter(BETWEEN_STUDIES, "between", "rate", 0.0, -1.0, 1.0, "1", structures=("own",))
    return ValueResult(
        {}, ("care", "drug"), "care", ("own",), qalys, qalys, qalys,
        drawn={BETWEEN_STUDIES: between}, parameters={BETWEEN_STUDIES: parameter},
        monte_carlo={"own": {"incremental_qalys": np.array([0.0, 0.05])}},
    )  # fmt: skip


def test_what_follows_the_difference_between_studies_is_its_part() -> None:
    parts = gain_parts(result(), "own", "drug")
    assert (parts.parameters, parts.studies) == pytest.approx((0.4, 0.3), rel=0.05) and parts.chance == 0.05
    none = gain_parts(result(slope=0.0), "own", "drug")
    assert none.studies < 0.02 and none.parameters == pytest.approx(0.4, rel=0.05)
    (line,) = gain_parts_as_dict(result())
    assert line["strategy"] == "drug" and line["sd_chance"] == 0.05


def test_few_draws_tell_nothing_apart() -> None:
    parts = gain_parts(result(draws=4), "own", "drug")
    assert parts.held == ("chance",) and math.isnan(parts.parameters)
    assert gain_parts_section(result(draws=4)) is None


def test_the_section_says_that_parameters_of_the_body_are_not_in_it() -> None:
    section = gain_parts_section(result())
    assert section is not None and len(section.figures) == len(section.tables) == 1
    assert "parameters of the body" in " ".join(section.paragraphs) or "those of the body" in " ".join(
        section.paragraphs
    )
    assert section.tables[0].rows[0][0] == "drug"
