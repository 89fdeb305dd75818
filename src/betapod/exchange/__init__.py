"""Exchange formats: SBML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .sbml.read import read_sbml as read_sbml

_PLACES = {"read_sbml": "sbml.read", "SbmlModel": "sbml.read", "write_sbml": "sbml.write"}


def __getattr__(name: str) -> Any:
    import importlib

    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_PLACES[name]}", __name__), name)
