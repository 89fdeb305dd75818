"""Correlated draws: single distributions stay, rows without an entry keep every bit, contradictions are refused."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from betapod.base.errors import ParameterError
from betapod.engine.correlations import CORRELATION_COLUMNS, Correlation, Correlations, read_correlations
from betapod.engine.draw import draw_parameters
from betapod.model.parameters.table import Parameter, ParameterTable


def row(name: str, distribution: str, value: float = 1.0) -> Parameter:
    return Parameter(
        name, name, value, "1", -math.inf if "normal(" in distribution[:7] else 0.0, math.inf, distribution
    )


TABLE = ParameterTable(
    [
        row("a", "normal(0, 1)"),
        row("b", "lognormal(2, 0.4)", 2.0),
        row("c", "normal(5, 2)", 5.0),
        row("d", "normal(0, 1)"),
    ]
)
TOGETHER = Correlations((Correlation("a", "b", 0.6), Correlation("b", "c", -0.3)))


def test_rows_without_an_entry_and_the_first_keep_every_bit() -> None:
    alone, together = (
        draw_parameters(TABLE, 3, range(500)),
        draw_parameters(TABLE, 3, range(500), correlations=TOGETHER),
    )
    assert list(alone) == list(together)
    for name in ("a", "d"):
        np.testing.assert_array_equal(alone[name], together[name])
    for name in ("b", "c"):
        assert not np.any(alone[name] == together[name])
    nothing = draw_parameters(TABLE, 3, range(500), correlations=Correlations())
    for name in alone:
        np.testing.assert_array_equal(alone[name], nothing[name])


def test_normal_scores_have_the_correlations_and_distributions_stay() -> None:
    n = 60_000
    drawn = draw_parameters(TABLE, 5, range(n), correlations=TOGETHER)
    scores = {"a": drawn["a"], "b": np.log(drawn["b"] / 2.0) / 0.4, "c": (drawn["c"] - 5.0) / 2.0, "d": drawn["d"]}
    for values in scores.values():
        assert stats.kstest(values, "norm").pvalue > 1e-3
    wanted = {("a", "b"): 0.6, ("b", "c"): -0.3}
    for pair in itertools.combinations("abcd", 2):
        found = np.corrcoef(scores[pair[0]], scores[pair[1]])[0, 1]
        assert found == pytest.approx(wanted.get(pair, 0.0), abs=4 / math.sqrt(n))


def test_people_and_tables_apart_give_the_same_draws() -> None:
    """A person's numbers depend neither on the others that are drawn nor on which table a correlated row stands in."""
    whole = draw_parameters(TABLE, 7, range(200), correlations=TOGETHER)
    some = np.array([150, 3, 77])
    for name, values in draw_parameters(TABLE, 7, some, correlations=TOGETHER).items():
        np.testing.assert_array_equal(values, whole[name][some])
    for name in TABLE:
        apart = draw_parameters(ParameterTable([TABLE[name]]), 7, range(200), correlations=TOGETHER)
        np.testing.assert_array_equal(apart[name], whole[name])


def test_contradictions_are_refused_with_the_nearest_that_can_hold() -> None:
    pairs = [Correlation("a", "b", 0.9), Correlation("b", "c", 0.9), Correlation("a", "c", -0.9)]
    with pytest.raises(ParameterError, match="contradict each other") as caught:
        Correlations(tuple(pairs))
    assert "multiply all by 0.5" in str(caught.value)
    factor = 0.55
    Correlations(tuple(Correlation(p.row_a, p.row_b, factor * p.rho) for p in pairs))


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ((Correlation("a", "a", 0.1),), "with itself"),
        ((Correlation("a", "b", 0.1), Correlation("b", "a", 0.1)), "given twice"),
        ((Correlation("a", "b", 1.0),), "no correlation"),
        ((Correlation("a", "b", math.nan),), "no correlation"),
    ],
)
def test_what_is_no_correlation(pairs: tuple[Correlation, ...], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Correlations(pairs)


def test_tables_are_read_with_every_fault(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    head = ",".join(CORRELATION_COLUMNS)
    path.write_text(f"{head}\na,b,0.3,known,B,why\n", encoding="utf-8")
    assert read_correlations(path, ["known"]).pairs == (Correlation("a", "b", 0.3, "known", "B", "why"),)
    path.write_text(f"{head}\na,b,much,,B,\na,c,0.1,unknown,E,\n", encoding="utf-8")
    with pytest.raises(ParameterError) as caught:
        read_correlations(path, ["known"])
    assert caught.value.kinds == ("bad-correlation", "unknown-source", "bad-correlation")
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(ParameterError, match="not the columns"):
        read_correlations(path)
