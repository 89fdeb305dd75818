"""Restricted maximum likelihood of repeated measures, for thousands of trials at once.

With V the covariance of all outcomes, X the design and P = V^-1 - V^-1 X (X' V^-1 X)^-1 X' V^-1, minus twice the restricted log
likelihood is log|V| + log|X' V^-1 X| + y' P y + (N - p) log 2 pi (Harville 1977). By parameters i, j of the covariance, V_i its
derivative, the gradient is tr(P V_i) - y' P V_i P y, and the curvature tr(P V_ij) - y' P V_ij P y - tr(P V_i P V_j) + 2 y' P V_i P V_j P y.
Newton's method with halved steps finds the maximum; all sums run over patterns of visits (`visit_patterns`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .covariance_structures import Structure, first_guess, positive
from .estimators import Array
from .newton import newton_maximum
from .visit_patterns import PatternSums


@dataclass(frozen=True)
class VisitLikelihood:
    """Minus twice the restricted log likelihood of replicates at parameters, and what it is made of.

    Attributes
    ----------
    value, gradient, curvature, information
        Shapes (R,), (R, k), (R, k, k), (R, k, k); `information` is that of the likelihood without restriction, which is positive.
    coefficients, spread
        The free coefficients, and the inverse of X' V^-1 X; shapes (R, p), (R, p, p).
    by_parameter
        X' V^-1 V_i V^-1 X, shape (R, k, p, p).
    weights, turned
        Inverse covariance of each pattern, and W D_i; shapes (R, P, V, V), (R, P, k, V, V).
    """

    value: Array
    gradient: Array
    curvature: Array
    information: Array
    coefficients: Array
    spread: Array
    by_parameter: Array
    weights: Array
    turned: Array


def summed_blocks(weights: Array, products: Array, allowed: Array | None) -> Array:
    """Return the sum over patterns of the Kronecker products of (R, P, ..., V, V) and (R, P, q, q), between free coefficients."""
    inner = weights.shape[2:-2]
    visits, q = weights.shape[-1], products.shape[-1]
    flat = np.moveaxis(weights, 1, -1).reshape(len(weights), -1, weights.shape[1])
    summed = flat @ products.reshape(*products.shape[:2], q * q)
    summed = summed.reshape(len(weights), *inner, visits, visits, q, q)
    matrix = np.swapaxes(summed, -3, -2).reshape(len(weights), *inner, visits * q, visits * q)
    return matrix if allowed is None else allowed.T @ matrix @ allowed


def _inverses(covariance: Array, attended: Array) -> tuple[Array, Array]:
    """Return the inverse covariance of each pattern, 0 where not attended, and the logarithms of the determinants."""
    both = attended[..., :, None] * attended[..., None, :]
    filled = covariance[:, None] * both + np.eye(covariance.shape[-1]) * (1 - attended)[..., None, :]
    return np.linalg.inv(filled) * both, np.linalg.slogdet(filled)[1]


def restricted_likelihood(sums: PatternSums, structure: Structure, theta: Array) -> VisitLikelihood:
    """Return the likelihood at parameters (R, k) at which the covariance is positive definite."""
    count, visits, q = len(theta), sums.yy.shape[-1], sums.zz.shape[-1]
    weights, logs = _inverses(structure.matrix(theta), sums.attended)
    normal = summed_blocks(weights, sums.zz, sums.allowed) + np.eye(sums.idle.shape[-1]) * sums.idle[:, None, :]
    right = (weights @ np.swapaxes(sums.zy, -1, -2)).sum(1).reshape(count, visits * q)
    right = right if sums.allowed is None else right @ sums.allowed
    spread: Array = np.asarray(np.linalg.inv(normal), dtype=np.float64)
    free = (spread @ right[..., None])[..., 0]
    full = (free if sums.allowed is None else free @ sums.allowed.T).reshape(count, 1, visits, q)
    part = full @ sums.zy
    crossed = sums.zy - sums.zz @ np.swapaxes(full, -1, -2)
    squares = sums.yy - part - np.swapaxes(part, -1, -2) + full @ sums.zz @ np.swapaxes(full, -1, -2)
    wide = spread if sums.allowed is None else sums.allowed @ spread @ sums.allowed.T
    # Uncertainty of the expected courses, summed over the patients of a pattern.
    between = np.swapaxes(wide.reshape(count, visits, q, visits, q), 2, 3).reshape(count, visits * visits, q * q)
    unsure = between @ np.swapaxes(sums.zz.reshape(*sums.zz.shape[:2], q * q), -1, -2)
    around = squares + np.swapaxes(unsure, -1, -2).reshape(squares.shape)
    freedom = sums.observations - (~sums.idle).sum(-1)
    value = (sums.size * logs).sum(-1) + np.linalg.slogdet(normal)[1] + (weights * squares).sum((-1, -2, -3))
    value = value + freedom * np.log(2 * np.pi)
    changes = structure.first(theta)
    slope = (sums.size[..., None, None] * weights - weights @ around @ weights).sum(1)
    gradient = np.einsum("rab,rkab->rk", slope, changes)
    turned = _turned(weights, changes)
    both = turned @ weights[:, :, None]
    by_parameter = summed_blocks(both, sums.zz, sums.allowed)
    information = _traces(turned * sums.size[..., None, None, None], turned)
    curvature = -information + 2 * _traces((weights @ around)[:, :, None] @ turned, turned)
    leaning = spread[:, None] @ by_parameter
    k = changes.shape[1]
    curvature -= leaning.reshape(count, k, -1) @ np.swapaxes(np.swapaxes(leaning, -1, -2).reshape(count, k, -1), -1, -2)
    pulled = (both @ np.swapaxes(crossed, -1, -2)[:, :, None]).sum(1).reshape(count, k, visits * q)
    pulled = pulled if sums.allowed is None else pulled @ sums.allowed
    curvature -= 2 * pulled @ spread @ np.swapaxes(pulled, -1, -2)
    bends = structure.second(theta)
    if bends is not None:
        curvature += np.einsum("rab,rjkab->rjk", slope, bends)
    curvature = (curvature + np.swapaxes(curvature, -1, -2)) / 2
    return VisitLikelihood(value, gradient, curvature, information, free, spread, by_parameter, weights, turned)


def _turned(weights: Array, changes: Array) -> Array:
    """Return (R, P, k, V, V) inverse covariances times derivatives, by one product of larger matrices each."""
    replicates, k, visits = changes.shape[0], changes.shape[1], changes.shape[-1]
    side = np.swapaxes(changes, 1, 2).reshape(replicates, 1, visits, k * visits)
    return np.swapaxes((weights @ side).reshape(*weights.shape[:2], visits, k, visits), 2, 3)


def _traces(first: Array, second: Array) -> Array:
    """Return (R, k, k) the sums over patterns of the traces of products of (R, P, k, V, V)."""
    count, k = len(first), first.shape[2]
    left = np.swapaxes(first, 1, 2).reshape(count, k, -1)
    right = np.swapaxes(np.swapaxes(second, -1, -2), 1, 2).reshape(count, k, -1)
    return left @ np.swapaxes(right, -1, -2)


def maximise(sums: PatternSums, structure: Structure) -> tuple[Array, NDArray[np.bool_]]:
    """Return the parameters (R, k) at the maximum, and in which replicates it was reached.

    A parameter that runs to the end of what a positive definite covariance allows is not reached: there is no maximum.
    """
    together = (sums.size[..., None, None] * sums.attended[..., :, None] * sums.attended[..., None, :]).sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = np.where(together > 0, sums.yy.sum(1) / together, 0.0)

    def evaluate(theta: Array, rows: NDArray[np.intp]) -> VisitLikelihood:
        return restricted_likelihood(sums.select(rows), structure, theta)

    def possible(theta: Array, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        return positive(structure.matrix(theta))

    return newton_maximum(first_guess(structure, covariance), evaluate, possible)
