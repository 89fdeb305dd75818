"""Named assemblies: which submodels and tables make which model."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from ..errors import ModelError, not_among
from ..model import Model, ParameterTable, Part, Submodel, assemble

PARAMETERS = Path(__file__).parent / "parameters"
BIBLIOGRAPHY = PARAMETERS / "references.bib"


@dataclass(frozen=True)
class Assembly:
    """A model by name.

    Attributes
    ----------
    submodels
        ``module.Class`` in this package, or ``module.NAME`` of a tuple of parts; their order is the order of states.
    tables
        Files in `PARAMETERS`, without ``.csv``.
    """

    summary: str
    submodels: tuple[str, ...]
    tables: tuple[str, ...]


# What the slow metabolic states and drugs make of a person, for the day and the minute layer alike.
_METABOLIC_STATE = (
    "insulin_signalling.Sensitivity",
    "beta_cell.BetaFunction",
    "insulin_kinetics.InsulinClearance",
    "insulin_kinetics.InsulinDose",
    "insulin_kinetics.CPeptideKinetics",
    "glucose.StomachEmptying",
)

# Cell therapy but for capillaries and hypoxia, which the kidney has of its own.
_CELLS = (
    "cell_kinetics.CellKinetics",
    "cell_kinetics.CellEngraftment",
    "cell_differentiation.CellDifferentiation",
    "cell_kinetics.CellBalance",
    "cell_immunity.CellImmunity",
    "host_programmes.CellSignals",
    "host_programmes.HostProgrammes",
    "capillaries_hypoxia.MicrovascularPlugging",
    "cell_effects.EarlyStage",
    "cell_effects.PancreaticEffects",
    "cell_effects.MetabolicEffects",
    "cell_effects.RenalEffects",
    "cell_hooks.KidneyHooks",
    "cell_hooks.MetabolismHooks",
    "islet_graft.IsletGraft",
    "cell_safety.InfusionRisks",
    "cell_safety.ImmunosuppressionRisk",
)

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
    "metabolism": Assembly(
        "glucose, insulin, beta cells, weight and HbA1c over decades, with a fasting and a fed phase of each day",
        (
            "glycated_haemoglobin.GlycatedHaemoglobin",
            "body_weight.BodyWeight",
            "body_weight.EctopicFat",
            "body_weight.SystemicInflammation",
            "insulin_signalling.ReceptorNumber",
            "beta_cell.BetaCellMass",
            "beta_cell.SecretoryCapacity",
            "beta_cell.Autoimmunity",
            "beta_cell.OtherSecretors",
            "insulin_kinetics.Titration",
            "metabolic_phases.FASTING",
            "glucose.FastingStart",
            "metabolic_phases.FED",
            "glucose.FedStart",
            "glucose.DayPhases",
            "insulin_kinetics.PhaseSupply",
            *_METABOLIC_STATE,
            "insulin_kinetics.RestingCPeptide",
            "metabolic_phases.CLAMP",
            "metabolic_indices.Clamp",
            "metabolic_indices.FastingIndices",
        ),
        ("metabolism", "metabolism_inputs", "metabolism_alone"),
    ),
    "metabolism_fast": Assembly(
        "glucose, insulin and C-peptide minute by minute in the state that the day layer is in: meals, tests, infusions",
        (
            "glucose.MinuteGlucose",
            "insulin_kinetics.MinuteInsulin",
            "insulin_kinetics.MinuteCPeptide",
            "glucose.Gut",
            "metabolic_phases.MINUTES",
            *_METABOLIC_STATE,
        ),
        ("metabolism", "metabolism_inputs", "metabolism_alone"),
    ),
    "metabolism_clamp": Assembly(
        "insulin and C-peptide minute by minute while a clamp holds glucose, and the glucose infused to hold it",
        (
            "glucose.HeldGlucose",
            "insulin_kinetics.MinuteInsulin",
            "insulin_kinetics.MinuteCPeptide",
            "metabolic_phases.HELD",
            *_METABOLIC_STATE,
        ),
        ("metabolism", "metabolism_inputs", "metabolism_alone"),
    ),
    "cells": Assembly(
        "cell therapy by itself: routes, survival, engraftment, host programmes, islet graft and risks, in a host given by inputs",
        (
            "cell_routes.FirstPass",
            *_CELLS,
            "capillaries_hypoxia.CapillariesHypoxia",
        ),
        ("cells", "cells_current_evidence", "cell_routes", "cells_inputs", "cells_alone"),
    ),
    "cells_tracer": Assembly(
        "cell therapy with the label that a scan sees, on living cells and on debris",
        (
            "cell_routes.FirstPass",
            *_CELLS,
            "capillaries_hypoxia.CapillariesHypoxia",
            "cell_label.CellLabel",
        ),
        ("cells", "cells_current_evidence", "cell_routes", "cells_inputs", "cells_alone"),
    ),
    "topp2000": Assembly(
        "glucose, insulin and beta-cell mass after Topp 2000, to compare tools with",
        ("topp2000.Topp2000",),
        ("topp2000",),
    ),
    "reference": Assembly(
        "one person: kidney, metabolism and cell therapy coupled over decades",
        (
            "coupling.KIDNEY",
            "coupling.METABOLISM",
            "coupling.LongGlucose",
            "coupling.BodySurface",
            "cell_routes.FirstPass",
            "coupling.CELLS",
            "coupling.MeasuredFiltration",
            "coupling.Uraemia",
            "coupling.InflammationExchange",
            "coupling.DamageSignals",
        ),
        (
            "kidney",
            "metabolism",
            "metabolism_inputs",
            "cells",
            "cells_current_evidence",
            "cell_routes",
            "cells_inputs",
            "coupling",
        ),
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
        raise ModelError(not_among(NAMES, "unknown-model", f"there is no model {name!r}", name))
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


def submodels(name: str) -> tuple[type[Submodel] | Part, ...]:
    """Return the submodels of a named model."""
    found: list[type[Submodel] | Part] = []
    for entry in assembly(name).submodels:
        module, _, attribute = entry.partition(".")
        what = getattr(import_module(f".{module}", __package__), attribute)
        found.extend(what if isinstance(what, tuple) else (what,))
    return tuple(found)


def model(name: str = "kidney") -> Model:
    """Return a named model, assembled once per process.

    Raises
    ------
    ModelError
        There is no such model.
    """
    if not isinstance(name, str):
        raise ModelError(not_among(NAMES, "unknown-model", f"there is no model {name!r}", ""))
    return _model(name)


@functools.cache
def _model(name: str) -> Model:
    return assemble(name, submodels(name), table(name), assembly(name).summary)
