"""A cache of compiled models for one run of the tests, apart from the user's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def shared_programs(factory: pytest.TempPathFactory) -> Path:
    """Return a cache folder that all workers of this run share, so that none compiles what another has."""
    base = factory.getbasetemp()
    return (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "programs"
