"""The bounds beyond which a patient responds, or has the event of an endpoint: a value, a percentage of the baseline, or both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...base.config import read_quantity
from ...base.errors import ConfigError, Problem
from ...observables.quantities import code_of, label_of, observable_unit
from .estimators import Array

if TYPE_CHECKING:
    from ..protocol.endpoint_keys import Endpoint


def response_bounds(endpoint: Endpoint, base: Array) -> list[Array]:
    """Return (R, n) the bounds that an endpoint gives; of a percentage of nothing, or of an unknown baseline, NaN.

    Raises
    ------
    ConfigError
        The endpoint gives none.
    """
    bounds = []
    if endpoint.threshold is not None:
        bounds.append(np.where(np.isfinite(base), _threshold(endpoint), np.nan))
    if endpoint.percent is not None:
        bounds.append(np.where(base > 0, base * (1 + endpoint.percent / 100), np.nan))
    if not bounds:
        raise ConfigError(
            Problem(
                "missing-key",
                "a responder or an event needs a threshold or a percentage",
                expected="threshold or percent",
            )
        )
    return bounds


def _threshold(endpoint: Endpoint) -> float:
    name = code_of(endpoint.quantity)
    return read_quantity(endpoint.threshold, observable_unit(name), label_of(name), bare=observable_unit(name) == "1")
