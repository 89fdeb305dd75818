"""A server for the tests, and nothing where its packages are not installed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from served import Served

pytest.importorskip("fastapi", reason="the extra server is not installed")
pytest.importorskip("uvicorn", reason="the extra server is not installed")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all questions; at the end it ends as it should, and has said nothing of errors of its own."""
    server = Served(tmp_path_factory.mktemp("served"), "--threads", "1")
    yield server
    code, errors = server.stop()
    assert code == 0
    assert "Traceback" not in errors and "internal" not in errors, errors
