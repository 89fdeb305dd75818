"""What trials like this one differ by beyond chance and parameters, as the fit has estimated it from published numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...observables.quantities import visit_observables
from ...physiology.installed_fits import list_fits, load_fit
from ...physiology.study_differences import StudyDifferences, kind_of_numbers, study_differences
from ..analysis import endpoints
from ..conduct.replicate_parameters import NO_FIT
from .variance_parts import VarianceParts, variance_parts

if TYPE_CHECKING:
    from ..conduct.trial_data import TrialData
    from ..protocol.endpoint_keys import Endpoint
    from ..protocol.protocol import Protocol

#: Units of trials that published numbers write otherwise.
_PUBLISHED_UNITS = {"U/day": "IU/day"}


def kind_of_endpoint(endpoint: Endpoint, controlled: bool) -> str:
    """Return the kind of published numbers that an estimate of an endpoint is like; empty where there is none.

    Parameters
    ----------
    controlled
        Whether two groups are compared.

    Examples
    --------
    >>> from betapod.trials.operating.study_spread import kind_of_endpoint
    >>> from betapod.trials.protocol.endpoint_keys import Endpoint
    >>> kind_of_endpoint(Endpoint(quantity="HbA1c", summary="change"), True)
    'level % HbA1c'
    >>> kind_of_endpoint(Endpoint(quantity="UACR", summary="ratio"), True)
    'ratio'
    """
    if endpoint.summary in ("total", "hierarchy", "chronic slope", "acute change"):
        return ""
    if controlled and endpoint.measure not in ("difference", "hazard ratio", "risk difference"):
        return ""
    if endpoint.summary == "time to event":
        return ("event ratio" if endpoint.measure == "hazard ratio" else "") if controlled else "share"
    if endpoint.summary == "responders":
        # Published shares are of one group; what differences of shares differ by is not known.
        return "" if controlled else "share"
    quantity = visit_observables()[endpoints.endpoint_code(endpoint)]
    if endpoint.summary != "slope" and (endpoint.summary == "ratio" or quantity.link == "log"):
        return "ratio"
    unit = _PUBLISHED_UNITS.get(quantity.unit, quantity.unit)
    if endpoint.summary == "slope":
        return kind_of_numbers("slope", "linear", f"{unit}/year", f"{quantity.id}_slope")
    return kind_of_numbers("level", "linear", unit, quantity.id)


def endpoint_differences(protocol: Protocol, endpoint: Endpoint, controlled: bool) -> StudyDifferences | None:
    """Return what studies with such an endpoint differ by; None without a fit, and where it had no such number.

    Raises
    ------
    ConfigError
        No such fit is installed.
    """
    name, kind = fit_of_studies(protocol), kind_of_endpoint(endpoint, controlled)
    return study_differences(load_fit(name), kind) if name and kind else None


def fit_of_studies(protocol: Protocol) -> str:
    """Return the fit that says what studies differ by: the protocol's, or the newest that is installed; empty for none."""
    name = protocol.fit or (list_fits() or [NO_FIT])[-1]
    return "" if name == NO_FIT else name


def parts_of_estimate(
    data: TrialData, endpoint: Endpoint, effect: NDArray[np.float64], controlled: bool
) -> VarianceParts:
    """Return what estimates (R,) of an endpoint over the replicates of a trial differ by, and what studies like it differ by besides."""
    finite = effect[np.isfinite(effect)]
    differences = endpoint_differences(data.protocol, endpoint, controlled)
    studies = sd_of_studies(differences, float(finite.mean())) if len(finite) else math.nan
    return variance_parts(effect, max(data.pool.draws, 1), studies)


def sd_of_studies(differences: StudyDifferences | None, mean: float) -> float:
    """Return the SD of what studies differ by on the scale of an estimate; NaN where nobody knows it."""
    if differences is None:
        return math.nan
    return differences.sd_of_share(mean) if differences.scale == "angle" else differences.sd
