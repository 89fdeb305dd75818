"""One set of equations for all settings: the fasting and the fed phase of a day, the morning, the clamp, and the minute layer.

What differs between the settings is renamed, what they share is not: parameters, slow states and drugs are the same everywhere.
"""

from __future__ import annotations

from ...model import Part
from .beta_cell import DynamicSecretion, InsulinSecretion, StaticSecretion
from .glucose import GlucoseBalance, PhaseGlucose
from .insulin_kinetics import InsulinDelivery, RestingInsulin
from .insulin_signalling import InsulinSignalling

# What each submodel takes from its own setting.
_READS = {
    InsulinSignalling: ("insulin_muscle",),
    GlucoseBalance: ("G", "Ra", "GLUT4_surface", "insulin_liver"),
    InsulinSecretion: ("G", "Ra"),
    StaticSecretion: ("static_secretion",),
    InsulinDelivery: ("secretion", "extra_islet_secretion", "insulin_supply"),
    RestingInsulin: ("insulin_delivery", "portal_increment"),
}


def resting(setting: str) -> tuple[Part, ...]:
    """Return the equations of a setting in which insulin is at rest, every quantity with ``_setting`` added."""
    return tuple(submodel.part().instance(setting, *reads) for submodel, reads in _READS.items())


def phase(setting: str) -> tuple[Part, ...]:
    """Return `resting` with glucose at rest too."""
    return (PhaseGlucose.part().instance(setting, "glucose_balance"), *resting(setting))


FASTING = phase("fasting")
FED = phase("fed")
#: The sample of a fasting morning: insulin at rest at a glucose that `Morning` gives.
MORNING = resting("morning")


def _dawning(part: Part) -> Part:
    """Return the glucose balance of a morning: with the drive that the dawn adds to."""
    return part.renamed({"EGP_drive": "EGP_drive_dawn"}, part.name) if part.name.startswith("GlucoseBalance") else part


CLAMP = tuple(map(_dawning, resting("clamp")))
#: Plasma glucose, insulin and their effects minute by minute; the incretin effect answers to meals, not to infusions.
MINUTES = (
    InsulinSignalling.part(),
    _dawning(GlucoseBalance.part()),
    InsulinSecretion.part().renamed({"Ra": "Ra_meal"}, "InsulinSecretion"),
    DynamicSecretion.part(),
    InsulinDelivery.part(),
)
#: The same with glucose held, so that secretion has nothing to rise with.
HELD = (
    InsulinSignalling.part(),
    _dawning(GlucoseBalance.part()),
    InsulinSecretion.part(),
    StaticSecretion.part(),
    InsulinDelivery.part(),
)
