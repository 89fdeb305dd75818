"""Words while something takes long: a moving line on a terminal, now and then a line in a log."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .shared import err, note

#: Seconds after which a log is told that the work goes on, and how far it is; and again after as many.
PATIENCE = 20.0

Progress = Callable[[str, int, int], None]


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show on stderr that something is being done."""
    if sys.stderr.isatty():
        with err().status(what):
            yield
        return
    with _speaking(what):
        yield


@contextmanager
def bar(quiet: bool) -> Iterator[Progress | None]:
    """Show on stderr what is being done and how far it is; nothing when `quiet`.

    Yields a function of what is being done, how much of it is done, and of how much (0 where nobody knows).
    """
    if quiet:
        yield None
        return
    if not sys.stderr.isatty():
        with _speaking("starting") as progress:
            yield progress
        return
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Bar(*columns, console=err(), transient=True) as shown:
        line = shown.add_task("starting", total=None)

        def move(what: str, done: int, total: int) -> None:
            shown.update(line, description=what, completed=done, total=total or None)

        yield move


@contextmanager
def _speaking(what: str) -> Iterator[Progress]:
    """Tell a log at intervals of `PATIENCE` what is being done; what is done sooner is done in silence."""
    now, done, started = what, threading.Event(), time.monotonic()

    def speak() -> None:
        while not done.wait(PATIENCE):
            note(f"{now} ({time.monotonic() - started:.0f} s so far)")

    def progress(what: str, finished: int, total: int) -> None:
        nonlocal now
        now = f"{what}: {finished} of {total}" if total else what

    threading.Thread(target=speak, daemon=True, name="betapod-waiting").start()
    try:
        yield progress
    finally:
        done.set()
