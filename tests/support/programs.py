"""A cache of compiled models for one run of the tests, apart from the user's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from shared_folders import shared_base


def shared_programs(factory: pytest.TempPathFactory) -> Path:
    """Return a cache folder that all workers of this run share, so that none compiles what another has."""
    return shared_base(factory) / "programs"
