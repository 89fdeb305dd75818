"""Words while something takes long: a moving line on a terminal, now and then a line in a log."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .shared import err, print_note

#: Seconds after which a log is told that the work goes on, and how far it is; and again after as many.
PATIENCE = 20.0

Progress = Callable[[str, int, int], None]


@contextmanager
def waiting(activity: str) -> Iterator[None]:
    """Show on stderr that something is being done."""
    if sys.stderr.isatty():
        with err().status(activity):
            yield
        return
    with _speaking(activity):
        yield


@contextmanager
def show_progress(quiet: bool) -> Iterator[Progress | None]:
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
    with Bar(*columns, console=err(), transient=True) as display:
        line = display.add_task("starting", total=None)

        def move(activity: str, done: int, total: int) -> None:
            display.update(line, description=activity, completed=done, total=total or None)

        yield move


@contextmanager
def _speaking(activity: str) -> Iterator[Progress]:
    """Tell a log at intervals of `PATIENCE` what is being done; what is done sooner is done in silence."""
    now, done, started = activity, threading.Event(), time.monotonic()

    def speak() -> None:
        while not done.wait(PATIENCE):
            print_note(f"{now} ({time.monotonic() - started:.0f} s so far)")

    def progress(activity: str, finished: int, total: int) -> None:
        nonlocal now
        now = f"{activity}: {finished} of {total}" if total else activity

    threading.Thread(target=speak, daemon=True, name="betapod-waiting").start()
    try:
        yield progress
    finally:
        done.set()
