"""Interrupts that wait for a safe moment."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def deferred_interrupts(tell: Callable[[], None]) -> Iterator[None]:
    """Let the first SIGINT or SIGTERM call `tell`, where its handler would raise an exception at whatever instruction it comes.

    An exception in the middle of taking the locks of futures leaves them taken, and workers then wait for ever. A second signal does what it would
    have done. Handlers change in the main thread alone, where Python runs them, and only those that are functions.

    Parameters
    ----------
    tell
        Must be safe in a signal handler, such as putting something into a `queue.SimpleQueue`.

    Examples
    --------
    >>> import signal
    >>> from betapod.engine.runs.interrupts import deferred_interrupts
    >>> before, heard = signal.signal(signal.SIGINT, signal.default_int_handler), []
    >>> with deferred_interrupts(lambda: heard.append(1)):
    ...     signal.raise_signal(signal.SIGINT)
    >>> heard, signal.signal(signal.SIGINT, before) is signal.default_int_handler
    ([1], True)
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    was_told = False

    def first(number: int, frame: FrameType | None) -> None:
        nonlocal was_told
        handler = before[signal.Signals(number)]
        if was_told and callable(handler):
            handler(number, frame)
        else:
            was_told = True
            tell()

    changed = [number for number, handler in before.items() if callable(handler)]
    try:
        for number in changed:
            signal.signal(number, first)
        yield
    finally:
        for number in changed:
            signal.signal(number, before[number])
