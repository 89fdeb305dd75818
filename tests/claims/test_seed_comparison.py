"""The parameters that the claims need lose against measurements; current evidence holds."""

from __future__ import annotations

import pytest

from betapod.claims.seed_comparison import Contest, contests


@pytest.fixture(scope="module")
def found() -> list[Contest]:
    return contests()


def test_the_claims_lose_all_four(found: list[Contest]) -> None:
    assert len(found) == 4
    assert [one.name for one in found if not one.loses] == []


def test_by_how_much(found: list[Contest]) -> None:
    secretion, glucose, lung, persistence = found
    assert secretion.claimed > 2 * secretion.high
    assert glucose.claimed < 2 * glucose.low
    assert lung.claimed < lung.low / 4
    assert persistence.claimed > persistence.high > persistence.allowed


def test_current_evidence_holds_where_the_claims_lose(found: list[Contest]) -> None:
    """The pooled fall of HbA1c was no part of what its effect on insulin sensitivity was fitted to."""
    assert [one.holds for one in found] == [True, True, True, True]
