"""What tests of predictions share."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from betapod.validation.predictions import visit_chances
from betapod.validation.predictions.visits import compared


@dataclass(frozen=True)
class Precise:
    """An observable that is measured without error, and that nothing but the course moves."""

    compared: str
    relative_error: float = 0.0
    life: None = None


@pytest.fixture
def precise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everything be measured without error: chances of what courses do not settle by themselves are 0 or 1."""
    observables = {name: Precise(observable.compared) for name, observable in compared().items()}
    monkeypatch.setattr(visit_chances, "compared", lambda: observables)
