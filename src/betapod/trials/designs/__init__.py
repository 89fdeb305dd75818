"""Designs of trials: looks and their boundaries, sizes, inference after stopping, adaptations.

Everything takes numbers or arrays and gives numbers or arrays; many trials are computed at once. In Python it is ``betapod.designs``, on the command line
``betapod design``. Boundaries are on the scale of Z, a statistic that is normal with variance 1; the drift is its mean at the last look.
"""

from .adaptive_inference import adaptive_inference, combination_bounds
from .adaptive_outcomes import AdaptiveOutcomes
from .adaptive_randomisation import chances_to_be_best, simulate_adaptive_randomisation
from .boundaries import group_sequential
from .characteristics import (
    DesignCharacteristics,
    StoppingChances,
    design_characteristics,
    design_drift,
    stopping_chances,
)
from .closed_testing import closed_test, intersection_p
from .combination_tests import FisherDesign, combined_fisher, combined_inverse_normal, fisher_design
from .conditional_power import conditional_power, predictive_power
from .crossing import crossing_chances
from .design_sizes import means_size, rates_size, survival_size
from .enrichment import simulate_enrichment
from .final_inference import FinalInference, final_inference, repeated_interval, repeated_p
from .multi_arm import selected_arms, simulate_multi_arm
from .power_of_size import means_power, rates_power, survival_power
from .prior_assurance import DesignAssurance, design_assurance
from .sequential_design import SequentialDesign
from .size_of_design import DesignSize
from .size_reestimation import blinded_size, second_stage_size, simulate_reestimation
from .spending import spent_error

__all__ = [
    "AdaptiveOutcomes",
    "DesignAssurance",
    "DesignCharacteristics",
    "DesignSize",
    "FinalInference",
    "FisherDesign",
    "SequentialDesign",
    "StoppingChances",
    "adaptive_inference",
    "blinded_size",
    "chances_to_be_best",
    "closed_test",
    "combination_bounds",
    "combined_fisher",
    "combined_inverse_normal",
    "conditional_power",
    "crossing_chances",
    "design_assurance",
    "design_characteristics",
    "design_drift",
    "final_inference",
    "fisher_design",
    "group_sequential",
    "intersection_p",
    "means_power",
    "means_size",
    "predictive_power",
    "rates_power",
    "rates_size",
    "repeated_interval",
    "repeated_p",
    "second_stage_size",
    "selected_arms",
    "simulate_adaptive_randomisation",
    "simulate_enrichment",
    "simulate_multi_arm",
    "simulate_reestimation",
    "spent_error",
    "stopping_chances",
    "survival_power",
    "survival_size",
]
