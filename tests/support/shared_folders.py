"""Folders that all workers of one run of the tests share: the first who needs one makes it, the others wait."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest


def shared_base(factory: pytest.TempPathFactory) -> Path:
    """Return the folder above those of the workers of this run."""
    base = factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that `make` has filled, in this worker or in another; tests change nothing in it.

    Parameters
    ----------
    make
        Fills the folder, which is empty. Where it fails, the next worker tries again in a new folder.
    """
    import fcntl

    base = shared_base(factory)
    with (base / f"{name}.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed
        lock.seek(0)
        if not (made := lock.read()):
            folder = factory.mktemp(name)
            make(folder)
            lock.write(str(folder))
            return folder
    return Path(made)
