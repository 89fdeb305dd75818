"""The command line within this process: what it prints and how it ends, without the seconds that a new process takes to start.

That it does the same as a process of its own is tried in `tests/cli/test_cli.py` and `tests/cases/test_streams.py`.
"""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass

import pytest

from betapod.cli import shared
from betapod.cli.main import main


@dataclass(frozen=True)
class Done:
    """What a command left behind, named as by `subprocess`."""

    returncode: int
    stdout: str
    stderr: str


def carry_out(*arguments: object) -> Done:
    """Carry out a command whose output goes into a pipe; a warning is an error here, as in every test."""
    with pytest.MonkeyPatch.context() as patch:
        out, err = io.StringIO(), io.StringIO()
        patch.setattr(sys, "argv", ["betapod", *map(str, arguments)])
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        _forget_streams()
        try:
            with pytest.raises(SystemExit) as stopped:
                main()
        finally:
            _forget_streams()
        code = stopped.value.code
    return Done(code if isinstance(code, int) else int(bool(code)), out.getvalue(), err.getvalue())


def _forget_streams() -> None:
    """Let consoles be made anew for the streams of now."""
    shared.out.cache_clear()
    shared.err.cache_clear()
