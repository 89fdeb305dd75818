"""What the data of one person say: standard errors, what they leave open, and which parameters they cannot tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .person_parameter import PersonParameter

Numbers = NDArray[np.float64]
#: Share of the largest eigenvalue below which a direction counts as unknown.
_NOTHING = 1e-10
#: SE on the scale of a logarithm or logit above which data do not tell a parameter: a factor of 7 either way.
UNTOLD = 1.0
#: Correlation of two estimates above which they cannot be told apart.
TOGETHER = 0.95
#: Contraction below which data say next to nothing beyond the prior.
PRIOR_ALONE = 0.1


@dataclass(frozen=True)
class PersonInformation:
    """Precision of one person's parameters, on the scale of the search.

    Attributes
    ----------
    data
        (p, p) information in the measurements alone.
    covariance
        (p, p) of the estimates, the prior's information included; infinite where there is none.
    contraction
        (p,) by how much the data narrowed the prior; NaN without one.
    """

    data: Numbers
    covariance: Numbers
    contraction: Numbers

    @property
    def standard_errors(self) -> Numbers:
        """(p,) on the scale of the search."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def correlation(self) -> Numbers:
        """(p, p) of the estimates; 0 where one of them is not known at all."""
        errors = self.standard_errors
        with np.errstate(invalid="ignore", divide="ignore"):
            correlation = self.covariance / np.outer(errors, errors)
        return np.where(np.isfinite(correlation), correlation, 0.0) * (1.0 - np.eye(len(errors))) + np.eye(len(errors))

    def untold(self, parameters: Sequence[PersonParameter], at: Numbers) -> list[str]:
        """Return the parameters that the data do not tell; for a linear one, those whose SE is larger than its size."""
        names = []
        for k, parameter in enumerate(parameters):
            error = float(self.standard_errors[k])
            if parameter.has_prior:
                open_still = not self.contraction[k] > PRIOR_ALONE
            else:
                size = max(abs(float(at[k])), abs(parameter.start)) if parameter.transform == "linear" else UNTOLD
                open_still = not error <= size
            if open_still:
                names.append(parameter.name)
        return names

    def together(self, parameters: Sequence[PersonParameter]) -> list[tuple[str, str, float]]:
        """Return pairs of parameters whose estimates go together, with their correlation."""
        correlation = self.correlation
        return [
            (parameters[i].name, parameters[k].name, float(correlation[i, k]))
            for i in range(len(parameters))
            for k in range(i + 1, len(parameters))
            if abs(correlation[i, k]) > TOGETHER
        ]


def inform(jacobian: Numbers, spread: Numbers, prior_spread: Numbers) -> PersonInformation:
    """Return what measurements say.

    Parameters
    ----------
    jacobian
        (n, p) of predictions, per unit of the scale of the search.
    spread
        (n,) SD of the measurements; infinite where one does not count.
    prior_spread
        (p,) infinite without a prior.
    """
    weighted = jacobian / spread[:, None]
    data = weighted.T @ weighted
    precision = np.diag(1.0 / prior_spread**2)
    covariance = inverse_information(data + precision)
    with np.errstate(invalid="ignore"):
        contraction = 1.0 - np.sqrt(np.diag(covariance)) / prior_spread
    return PersonInformation(data, covariance, np.where(np.isfinite(prior_spread), contraction, np.nan))


def inverse_information(information: Numbers) -> Numbers:
    """Return the covariance (p, p) of an information matrix; parameters in a direction without information have infinite variance."""
    if not np.all(np.isfinite(information)):
        return np.diag(np.full(len(information), np.inf))
    scale = np.sqrt(np.diag(information))
    scale = np.where(scale > 0.0, scale, 1.0)
    values, vectors = np.linalg.eigh(information / np.outer(scale, scale))
    told = values > _NOTHING * max(float(values[-1]), 1e-300)
    kept = vectors[:, told]
    covariance = (kept / values[told]) @ kept.T / np.outer(scale, scale)
    unknown = np.sum(vectors[:, ~told] ** 2, axis=1) > 1e-6
    covariance[unknown, :] = 0.0
    covariance[:, unknown] = 0.0
    covariance[unknown, unknown] = np.inf
    return np.asarray(covariance)


def leverages(jacobian: Numbers, spread: Numbers, covariance: Numbers) -> Numbers:
    """Return (n,) the share of each measurement that its own prediction follows."""
    weighted = jacobian / spread[:, None]
    finite = np.where(np.isfinite(covariance), covariance, 0.0)
    return np.asarray(np.clip(np.einsum("ni,ij,nj->n", weighted, finite, weighted), 0.0, 1.0))
