"""Values that others stand for as long as a block lasts: parameters of tables that are read deep inside a simulation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Meanwhile(Generic[Value]):
    """A value that another stands for as long as a block lasts, in this thread; other threads and processes must be told.

    Parameters
    ----------
    name
        For messages of Python alone.
    usual
        What holds outside of all blocks.

    Examples
    --------
    >>> from betapod.base.meanwhile import Meanwhile
    >>> warmth = Meanwhile("warmth", 37.0)
    >>> with warmth.held(39.0):
    ...     warmth.now
    39.0
    >>> warmth.now
    37.0
    """

    def __init__(self, name: str, usual: Value) -> None:
        self._variable: ContextVar[Value] = ContextVar(name, default=usual)

    @property
    def now(self) -> Value:
        """The value that holds now."""
        return self._variable.get()

    @contextmanager
    def held(self, value: Value) -> Iterator[None]:
        """Let another value hold in the block."""
        token = self._variable.set(value)
        try:
            yield
        finally:
            self._variable.reset(token)
