"""Exchange formats: SBML, CellML, WebAssembly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cellml.read_cellml import read_cellml as read_cellml
    from .sbml.flux_balance import solve_flux_balance as solve_flux_balance
    from .sbml.read import read_sbml as read_sbml
    from .wasm.shipped_kernels import write_wasm as write_wasm

_PLACES = {"read_sbml": "sbml.read", "write_sbml": "sbml.write"}
_PLACES["read_cellml"] = "cellml.read_cellml"
_PLACES["solve_flux_balance"] = "sbml.flux_balance"
_PLACES["write_wasm"] = "wasm.shipped_kernels"


def __getattr__(name: str) -> Any:
    import importlib

    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_PLACES[name]}", __name__), name)
