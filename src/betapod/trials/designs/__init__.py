"""Designs of trials: looks and their boundaries, sizes, inference after stopping, adaptations.

Everything takes numbers or arrays and gives numbers or arrays; many trials are computed at once. In Python it is ``betapod.designs``, on the command line
``betapod design``. Boundaries are on the scale of Z, a statistic that is normal with variance 1; the drift is its mean at the last look.
"""

from .boundaries import group_sequential
from .characteristics import (
    DesignCharacteristics,
    StoppingChances,
    design_characteristics,
    design_drift,
    stopping_chances,
)
from .conditional_power import conditional_power, predictive_power
from .crossing import crossing_chances
from .design_sizes import means_size, rates_size, survival_size
from .final_inference import FinalInference, final_inference, repeated_interval, repeated_p
from .power_of_size import means_power, rates_power, survival_power
from .sequential_design import SequentialDesign
from .size_of_design import DesignSize
from .spending import spent_error

__all__ = [
    "DesignCharacteristics",
    "DesignSize",
    "FinalInference",
    "SequentialDesign",
    "StoppingChances",
    "conditional_power",
    "crossing_chances",
    "design_characteristics",
    "design_drift",
    "final_inference",
    "group_sequential",
    "means_power",
    "means_size",
    "predictive_power",
    "rates_power",
    "rates_size",
    "repeated_interval",
    "repeated_p",
    "spent_error",
    "stopping_chances",
    "survival_power",
    "survival_size",
]
