"""Analyses of trials on arrays of one's own, for one trial or thousands at once: replicates first, then patients, then visits.

Estimates are of treated less control, with standard error, degrees of freedom, two-sided p and interval; a replicate of which nothing can be estimated is NaN. Each
analysis says what it was compared with: SAS, R, statsmodels, lifelines. [Which analysis for what](analyses.md) has formulas, sources and examples.
"""

from .analysis.cox_regression import CoxFit, cox_regression, fine_gray, recurrent_cox
from .analysis.estimators import ancova, risk_difference, stratified_risk_difference
from .analysis.event_rates import RateFit, negative_binomial
from .analysis.kidney_hierarchy import kidney_hierarchy
from .analysis.mixed_model import MixedModelFit, fit_mmrm
from .analysis.mmrm import mmrm
from .analysis.multiplicity import adjusted_p, equivalence_p, graphical_p, margin_p
from .analysis.reference_imputation import reference_based
from .analysis.restricted_means import restricted_mean_difference
from .analysis.shared_slopes import shared_slopes
from .analysis.slope_model import SlopeFit, best_knot, slope_model
from .analysis.survival import cumulative_incidence, kaplan_meier, log_rank
from .analysis.win_statistics import hierarchical_score, win_statistics, wins_by_component

__all__ = [
    "CoxFit",
    "MixedModelFit",
    "RateFit",
    "SlopeFit",
    "adjusted_p",
    "ancova",
    "best_knot",
    "cox_regression",
    "cumulative_incidence",
    "equivalence_p",
    "fine_gray",
    "fit_mmrm",
    "graphical_p",
    "hierarchical_score",
    "kaplan_meier",
    "kidney_hierarchy",
    "log_rank",
    "margin_p",
    "mmrm",
    "negative_binomial",
    "recurrent_cox",
    "reference_based",
    "restricted_mean_difference",
    "risk_difference",
    "shared_slopes",
    "slope_model",
    "stratified_risk_difference",
    "win_statistics",
    "wins_by_component",
]
