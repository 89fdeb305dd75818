"""The scale on which an output is counted before its variance is shared out: as it is, by its logarithm, or by its rank among all runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..base.errors import ConfigError, Problem
from .index_table import Numbers

if TYPE_CHECKING:
    from .model_function import VariedFunction

#: As laboratories and trials count it.
OBSERVED = "observed"
#: Scales, and what each is.
SCALES: Mapping[str, str] = {
    OBSERVED: "as measurements of it are counted: by its logarithm, such as albuminuria and creatinine, else as it is",
    "linear": "as it is",
    "log": "by its logarithm",
    "rank": "by its rank among all runs: for what a few runs lie far out in",
}


def scales_of(function: VariedFunction, scale: str) -> list[str]:
    """Return the scale of each output: ``linear``, ``log`` or ``rank``."""
    return [function.usual_scale(output) if scale == OBSERVED else scale for output in function.outputs]


def on_scales(values: Numbers, scales: Sequence[str], outputs: Sequence[str]) -> Numbers:
    """Return values (..., outputs) on their scales; what is no number stays so.

    Raises
    ------
    ConfigError
        A logarithm is asked of what is not above 0 in some run.
    """
    problems = []
    scaled = np.array(values, dtype=np.float64)
    for column, (scale, output) in enumerate(zip(scales, outputs, strict=True)):
        of_output = scaled[..., column]
        there = np.isfinite(of_output)
        if scale == "log" and np.any(of_output[there] <= 0):
            least = f"{of_output[there].min():.3g}"
            hint = "Use the scale linear, or rank."
            problems.append(Problem("no-logarithm", f"{output} is not above 0 in every run", found=least, hint=hint))
        elif scale == "log":
            scaled[..., column] = np.log(of_output)
        elif scale == "rank":
            scaled[..., column][there] = _ranks(of_output[there])
    if problems:
        raise ConfigError(problems)
    return scaled


def _ranks(values: Numbers) -> Numbers:
    """Return ranks between 0 and 1, those of equal values their middle."""
    from scipy.stats import rankdata

    return np.asarray((rankdata(values) - 0.5) / max(len(values), 1), dtype=np.float64)
