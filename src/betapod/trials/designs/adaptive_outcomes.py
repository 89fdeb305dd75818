"""What simulated adaptive trials come to."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base.errors import Problem

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class AdaptiveOutcomes:
    """Simulated trials of an adaptive design.

    Attributes
    ----------
    rejected
        Which claims were made in the end, shape (replicates, claims).
    patients
        Of each trial, shape (replicates,).
    stages
        Done by each trial, shape (replicates,).
    went_on
        Which claims went on to the last stage that was done, shape (replicates, claims).
    claims
        Their names.
    compared
        Other tests of the same trials: name -> rejected, shape (replicates,).

    Examples
    --------
    >>> from betapod import designs
    >>> design = designs.group_sequential("OF", 2)
    >>> trials = designs.simulate_multi_arm(design, [0.0, 0.5], per_arm=40, replicates=500, seed=1)
    >>> trials.table["claim"].tolist()
    ['arm 1', 'arm 2', 'any']
    """

    rejected: Flags
    patients: Array
    stages: Array
    went_on: Flags
    claims: tuple[str, ...]
    compared: dict[str, Flags] = field(default_factory=dict)

    @property
    def any_rejected(self) -> float:
        """Share of trials with at least one claim; under the null of all claims the family-wise error."""
        return float(self.rejected.any(-1).mean())

    @property
    def error(self) -> float:
        """Monte-Carlo standard error of `any_rejected`."""
        return share_error(self.any_rejected, len(self.rejected))

    @property
    def table(self) -> pd.DataFrame:
        """One row per claim and one for any: share rejected with its Monte-Carlo error, share that went on to the last stage done."""
        import pandas as pd

        shares = [*self.rejected.mean(0), self.any_rejected]
        errors = [share_error(float(share), len(self.rejected)) for share in shares]
        gone = [*self.went_on.mean(0), float(self.went_on.any(-1).mean())]
        return pd.DataFrame({"claim": [*self.claims, "any"], "rejected": shares, "error": errors, "went_on": gone})


def share_error(share: float, replicates: int) -> float:
    """Return the Monte-Carlo standard error of a share."""
    return math.sqrt(share * (1 - share) / replicates)


def simulation_problems(replicates: int, seed: int, **positive: float) -> list[Problem]:
    """Return what is wrong with the numbers that every simulation needs."""
    problems = [
        Problem("out-of-range", f"{name} cannot be this", found=str(value), expected="above 0")
        for name, value in positive.items()
        if not (isinstance(value, (int, float, np.number)) and math.isfinite(value) and value > 0)
    ]
    for name, count, least in (("replicates", replicates, 1), ("seed", seed, 0)):
        if not isinstance(count, (int, np.integer)) or isinstance(count, bool) or count < least:
            expected = f"a whole number from {least} on"
            problems.append(Problem("out-of-range", f"{name} cannot be this", found=str(count), expected=expected))
    return problems
