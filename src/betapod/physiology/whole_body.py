"""Named assemblies: which submodels and tables make which model."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from ..errors import ModelError, Problem, did_you_mean
from ..model import Model, ParameterTable, Submodel, assemble

PARAMETERS = Path(__file__).parent / "parameters"
BIBLIOGRAPHY = PARAMETERS / "references.bib"


@dataclass(frozen=True)
class Assembly:
    """A model by name.

    Attributes
    ----------
    submodels
        ``module.Class`` in this package; their order is the order of states.
    tables
        Files in `PARAMETERS`, without ``.csv``.
    """

    summary: str
    submodels: tuple[str, ...]
    tables: tuple[str, ...]


_ASSEMBLIES = {
    "kidney": Assembly(
        "the diabetic kidney: haemodynamics, tubule, glomerular structure, albuminuria, nephron loss over decades",
        (
            "volume_pressure.VolumePressure",
            "raas.RAAS",
            "tubule.DietaryProtein",
            "tubule.ProximalTubule",
            "tubule.DistalNephron",
            "haemodynamics.Arterioles",
            "haemodynamics.Hyalinosis",
            "glomerulus.Filtration",
            "glomerulus.GlomerularStructure",
            "podocyte.Podocytes",
            "podocyte.Endothelium",
            "albuminuria.Albuminuria",
            "oxygen_capillaries.Oxygen",
            "oxygen_capillaries.PeritubularCapillaries",
            "interstitium.Interstitium",
            "glycation.Glycation",
            "glycation.Inflammation",
            "nephron.Nephrons",
            "clearance.Creatinine",
            "clearance.Urea",
        ),
        ("kidney",),
    ),
}

#: Names of the assemblies.
NAMES = tuple(_ASSEMBLIES)


def assembly(name: str) -> Assembly:
    """Return what a named model is made of.

    Raises
    ------
    ModelError
        There is no such model; the nearest name is given.
    """
    if name not in _ASSEMBLIES:
        raise ModelError(
            Problem(
                "unknown-model",
                f"there is no model {name!r}",
                expected=", ".join(NAMES),
                hint=did_you_mean(name, NAMES),
            )
        )
    return _ASSEMBLIES[name]


@functools.cache
def bibliography_keys() -> frozenset[str]:
    """Return the keys of the bibliography."""
    return frozenset(re.findall(r"^@\w+\{\s*([^,\s]+)", BIBLIOGRAPHY.read_text(encoding="utf-8"), re.MULTILINE))


@functools.cache
def table(name: str = "kidney") -> ParameterTable:
    """Return the parameter table of a named model, with its sources checked against the bibliography."""
    return ParameterTable.read(
        *(PARAMETERS / f"{file}.csv" for file in assembly(name).tables), sources=bibliography_keys()
    )


def submodels(name: str) -> tuple[type[Submodel], ...]:
    """Return the submodels of a named model."""
    found = []
    for entry in assembly(name).submodels:
        module, _, class_name = entry.partition(".")
        found.append(getattr(import_module(f".{module}", __package__), class_name))
    return tuple(found)


@functools.cache
def model(name: str = "kidney") -> Model:
    """Return a named model, assembled once per process.

    Raises
    ------
    ModelError
        There is no such model.
    """
    return assemble(name, submodels(name), table(name), assembly(name).summary)
