"""Intervals of examples by a few sets of parameters: people live again under each set, which is nothing that an example shows."""

from __future__ import annotations

import pytest

#: Sets of parameters, where an example takes the usual 16.
FEW_DRAWS = 2


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let examples take no more sets than `FEW_DRAWS`; a test that imports this does so in all its examples."""
    from betapod.validation.predictions import fit_conditions

    usual = fit_conditions.draws_of_fit
    monkeypatch.setattr(
        fit_conditions, "draws_of_fit", lambda name, count=FEW_DRAWS: usual(name, min(count, FEW_DRAWS))
    )
