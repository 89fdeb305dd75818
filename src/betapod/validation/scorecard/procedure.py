"""Procedures: simulated set-ups that give numbers, each with its assumptions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

from ...base.errors import ModelError, Problem, did_you_mean

#: Modules with the procedures of each organ.
_MODULES = {
    "kidney": ("kidney_acute", "kidney_diet", "kidney_structure", "kidney_trials", "kidney_population"),
    "metabolism": ("metabolism_tests", "metabolism_years", "metabolism_therapies", "metabolism_population"),
    "cells": ("cells_kinetics", "cells_trials"),
}
_REGISTRY: dict[str, dict[str, Procedure]] = {}


@dataclass(frozen=True)
class Procedure:
    """A scenario.

    Attributes
    ----------
    assumptions
        The set-up: person, inputs, duration, and what had to be guessed.
    function
        Returns numbers by name.
    """

    name: str
    assumptions: str
    function: Callable[[], Mapping[str, float]]


def procedure(function: Callable[[], Mapping[str, float]]) -> Callable[[], Mapping[str, float]]:
    """Register a function under its name for the organ that its module is named after; its docstring states the set-up."""
    organ = function.__module__.rpartition(".")[2].partition("_")[0]
    entry = Procedure(function.__name__, " ".join((inspect.getdoc(function) or "").split()), function)
    _REGISTRY.setdefault(organ, {})[entry.name] = entry
    return function


def procedures(organ: str) -> Mapping[str, Procedure]:
    """Return the procedures of an organ by name."""
    for module in _MODULES[organ]:
        import_module(f".{module}", __package__)
    return _REGISTRY[organ]


def find_procedure(organ: str, reference: str) -> tuple[Procedure, str]:
    """Return the procedure of ``name.number`` and the name of its number.

    Raises
    ------
    ModelError
        There is no such procedure; the nearest is named.
    """
    name, _, number = reference.partition(".")
    available = procedures(organ)
    if name not in available:
        raise ModelError(
            Problem("unknown-procedure", f"{organ} has no procedure {name!r}", hint=did_you_mean(name, available))
        )
    return available[name], number
