"""Built-in models: submodels and parameter tables of each."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from ..base.errors import ModelError, not_among
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
    "metabolism.insulin_signalling.Sensitivity",
    "metabolism.beta_cell.BetaFunction",
    "metabolism.insulin_kinetics.InsulinClearance",
    "metabolism.insulin_kinetics.InsulinDose",
    "metabolism.insulin_kinetics.CPeptideKinetics",
    "metabolism.glucose.StomachEmptying",
)

# Cell therapy but for capillaries and hypoxia, which the kidney has of its own.
_CELLS = (
    "cells.kinetics.CellKinetics",
    "cells.kinetics.CellEngraftment",
    "cells.differentiation.CellDifferentiation",
    "cells.kinetics.CellBalance",
    "cells.immunity.CellImmunity",
    "cells.host_programmes.CellSignals",
    "cells.host_programmes.HostProgrammes",
    "cells.capillaries_hypoxia.MicrovascularPlugging",
    "cells.effects.EarlyStage",
    "cells.effects.RepairToNormal",
    "cells.effects.PancreaticEffects",
    "cells.effects.MetabolicEffects",
    "cells.effects.RenalEffects",
    "cells.effects.ReducedForms",
    "cells.hooks.KidneyHooks",
    "cells.hooks.MetabolismHooks",
    "cells.islet_graft.IsletGraft",
    "cells.safety.InfusionRisks",
    "cells.safety.ImmunosuppressionRisk",
)

_ASSEMBLIES = {
    "kidney": Assembly(
        "the diabetic kidney: haemodynamics, tubule, glomerular structure, albuminuria, nephron loss over decades",
        (
            "kidney.volume_pressure.VolumePressure",
            "kidney.raas.RAAS",
            "kidney.tubule.DietaryProtein",
            "kidney.tubule.ProximalTubule",
            "kidney.tubule.DistalNephron",
            "kidney.haemodynamics.Arterioles",
            "kidney.haemodynamics.Hyalinosis",
            "kidney.glomerulus.Filtration",
            "kidney.glomerulus.GlomerularStructure",
            "kidney.podocyte.Podocytes",
            "kidney.podocyte.Endothelium",
            "kidney.albuminuria.Albuminuria",
            "kidney.oxygen_capillaries.Oxygen",
            "kidney.oxygen_capillaries.PeritubularCapillaries",
            "kidney.interstitium.Interstitium",
            "kidney.glycation.Glycation",
            "kidney.glycation.Inflammation",
            "kidney.nephron.Nephrons",
            "kidney.clearance.ClearedFiltration",
            "kidney.clearance.Creatinine",
            "kidney.clearance.Urea",
        ),
        ("kidney",),
    ),
    "metabolism": Assembly(
        "glucose, insulin, beta cells, weight and HbA1c over decades, with a fasting and a fed phase of each day",
        (
            "metabolism.glycated_haemoglobin.GlycatedHaemoglobin",
            "metabolism.body_weight.BodyWeight",
            "metabolism.body_weight.EctopicFat",
            "metabolism.body_weight.SystemicInflammation",
            "metabolism.insulin_signalling.ReceptorNumber",
            "metabolism.beta_cell.BetaCellMass",
            "metabolism.beta_cell.SecretoryCapacity",
            "metabolism.beta_cell.Autoimmunity",
            "metabolism.beta_cell.OtherSecretors",
            "metabolism.insulin_target.GraftedTarget",
            "metabolism.insulin_kinetics.Titration",
            "metabolism.metabolic_phases.FASTING",
            "metabolism.glucose.FastingStart",
            "metabolism.metabolic_phases.FED",
            "metabolism.glucose.FedStart",
            "metabolism.glucose.DayPhases",
            "metabolism.insulin_kinetics.PhaseSupply",
            *_METABOLIC_STATE,
            "metabolism.morning.Morning",
            "metabolism.metabolic_phases.MORNING",
            "metabolism.morning.MorningProduction",
            "metabolism.morning.DawnDrive",
            "metabolism.insulin_kinetics.RestingCPeptide",
            "metabolism.metabolic_phases.CLAMP",
            "metabolism.metabolic_indices.Clamp",
            "metabolism.metabolic_indices.FastingIndices",
        ),
        ("metabolism", "metabolism_inputs", "metabolism_alone"),
    ),
    "metabolism_fast": Assembly(
        "glucose, insulin and C-peptide minute by minute in the state that the day layer is in: meals, tests, infusions",
        (
            "metabolism.glucose.MinuteGlucose",
            "metabolism.insulin_kinetics.MinuteInsulin",
            "metabolism.insulin_kinetics.MinuteCPeptide",
            "metabolism.glucose.Gut",
            "metabolism.metabolic_phases.MINUTES",
            "metabolism.morning.DawnDrive",
            *_METABOLIC_STATE,
        ),
        ("metabolism", "metabolism_inputs", "metabolism_alone"),
    ),
    "metabolism_clamp": Assembly(
        "insulin and C-peptide minute by minute while a clamp holds glucose, and the glucose infused to hold it",
        (
            "metabolism.glucose.HeldGlucose",
            "metabolism.insulin_kinetics.MinuteInsulin",
            "metabolism.insulin_kinetics.MinuteCPeptide",
            "metabolism.metabolic_phases.HELD",
            "metabolism.morning.DawnDrive",
            *_METABOLIC_STATE,
        ),
        ("metabolism", "metabolism_inputs", "metabolism_alone"),
    ),
    "cells": Assembly(
        "cell therapy by itself: routes, survival, engraftment, host programmes, islet graft and risks, in a host given by inputs",
        (
            "cells.routes.FirstPass",
            *_CELLS,
            "cells.capillaries_hypoxia.CapillariesHypoxia",
        ),
        ("cells", "cells_current_evidence", "cell_routes", "cells_inputs", "cells_alone"),
    ),
    "cells_tracer": Assembly(
        "cell therapy with the label that a scan sees, on living cells and on debris",
        (
            "cells.routes.FirstPass",
            *_CELLS,
            "cells.capillaries_hypoxia.CapillariesHypoxia",
            "cells.label.CellLabel",
        ),
        ("cells", "cells_current_evidence", "cell_routes", "cells_inputs", "cells_alone"),
    ),
    "topp2000": Assembly(
        "glucose, insulin and beta-cell mass after Topp 2000, to compare tools with",
        ("metabolism.topp2000.Topp2000",),
        ("topp2000",),
    ),
    "reference": Assembly(
        "one person: kidney, metabolism and cell therapy coupled over decades",
        (
            "coupling.KIDNEY",
            "coupling.METABOLISM",
            "coupling.LongGlucose",
            "coupling.BodySurface",
            "cells.routes.FirstPass",
            "coupling.CELLS",
            "cells.islet_graft.ImmunosuppressedFiltration",
            "coupling.MeasuredFiltration",
            "coupling.NewCapillaries",
            "coupling.DiseaseStage",
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
def model_parameters(name: str = "kidney") -> ParameterTable:
    """Return the parameter table of a named model, with its sources checked against the bibliography."""
    return ParameterTable.read(
        *(PARAMETERS / f"{file}.csv" for file in assembly(name).tables), sources=bibliography_keys()
    )


def submodels(name: str) -> tuple[type[Submodel] | Part, ...]:
    """Return the submodels of a named model."""
    entries: list[type[Submodel] | Part] = []
    for entry in assembly(name).submodels:
        module, _, attribute = entry.rpartition(".")
        exported = getattr(import_module(f".{module}", __package__), attribute)
        entries.extend(exported if isinstance(exported, tuple) else (exported,))
    return tuple(entries)


def named_model(name: str = "kidney") -> Model:
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
    return assemble(name, submodels(name), model_parameters(name), assembly(name).summary)
