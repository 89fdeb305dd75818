"""Restricted maximum likelihood of courses with a random intercept and a random slope per patient, for many trials at once.

Each patient's values are turned so that two numbers hold all that the random effects touch (mean and slope of the course), and the others scatter
independently with the residual variance. A patient is then a block of two, however many visits and at whatever times.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .estimators import Array
from .newton import newton_maximum


@dataclass(frozen=True)
class CourseBlocks:
    """Courses of replicates (R) with n patients and p coefficients.

    Attributes
    ----------
    y, x
        The two numbers of each patient, and their design; (R, n, 2), (R, n, 2, p). 0 where a patient has none, or but one visit.
    present
        Which of the two there are, (R, n, 2).
    changes
        Derivatives of the covariance of the two by the parameters: residual variance, then of each group variance of intercepts,
        covariance, variance of slopes; (R, n, k, 2, 2).
    xx, xy, yy, freedom
        Sums of products of the rest, and how many numbers it has; (R, p, p), (R, p), (R,), (R,).
    """

    y: Array
    x: Array
    present: Array
    changes: Array
    xx: Array
    xy: Array
    yy: Array
    freedom: Array

    def select(self, replicates: NDArray[np.bool_] | NDArray[np.intp]) -> CourseBlocks:
        """Return the blocks of some replicates."""
        return replace(self, **{name: getattr(self, name)[replicates] for name in self.__dataclass_fields__})


def course_blocks(years: Array, values: Array, design: Array, groups: Array) -> CourseBlocks:
    """Return the blocks of courses.

    Parameters
    ----------
    years, values, design
        Shapes (R, n, m), (R, n, m), (R, n, m, p); values are NaN where there is none.
    groups
        Number of the group that a patient's random effects belong to, from 0; shape (R, n).
    """
    measured = np.isfinite(values)
    count = measured.sum(-1)
    y, t = np.where(measured, values, 0.0), np.where(measured, years, 0.0)
    x = np.where(measured[..., None], design, 0.0)
    root = np.sqrt(np.maximum(count, 1))
    middle = t.sum(-1) / np.maximum(count, 1)
    away = np.where(measured, t - middle[..., None], 0.0)
    spread = np.sqrt((away**2).sum(-1))
    sloping = spread > 1e-9
    basis = np.stack([measured / root[..., None], away / np.where(sloping, spread, 1.0)[..., None]], -2)
    basis[..., 1, :] *= sloping[..., None]
    first = (basis @ y[..., None])[..., 0]
    second = basis @ x
    flat_x, flat_y = x.reshape(len(x), -1, x.shape[-1]), y.reshape(len(y), -1)
    short_x, short_y = second.reshape(len(x), -1, x.shape[-1]), first.reshape(len(y), -1)
    turned, short = np.swapaxes(flat_x, -1, -2), np.swapaxes(short_x, -1, -2)
    present = np.stack([count > 0, sloping], -1).astype(float)
    # What intercept and slope of a patient do to the two numbers.
    r1 = np.stack([np.where(count > 0, root, 0.0), np.zeros(root.shape)], -1)
    r2 = np.stack([np.where(count > 0, root * middle, 0.0), np.where(sloping, spread, 0.0)], -1)
    outer = [
        r1[..., :, None] * r1[..., None, :],
        r1[..., :, None] * r2[..., None, :] + r2[..., :, None] * r1[..., None, :],
        r2[..., :, None] * r2[..., None, :],
    ]
    changes = [np.eye(2) * present[..., None, :]]
    for group in range(int(groups.max(initial=0)) + 1):
        changes += [step * (groups == group)[..., None, None] for step in outer]
    return CourseBlocks(
        first,
        second,
        present,
        np.stack(changes, 2),
        turned @ flat_x - short @ short_x,
        (turned @ flat_y[..., None] - short @ short_y[..., None])[..., 0],
        (flat_y**2).sum(-1) - (short_y**2).sum(-1),
        count.sum(-1) - present.sum((-1, -2)),
    )


@dataclass(frozen=True)
class CourseLikelihood:
    """Minus twice the restricted log likelihood of courses; fields as of `restricted_likelihood.Likelihood`."""

    value: Array
    gradient: Array
    curvature: Array
    information: Array
    coefficients: Array
    spread: Array
    by_parameter: Array
    log_normal: Array


def _covariances(blocks: CourseBlocks, theta: Array) -> Array:
    """Return the covariance of the two numbers of each patient, 1 where there is none; (R, n, 2, 2)."""
    sums = np.einsum("rk,rnkab->rnab", theta, blocks.changes)
    return np.asarray(sums + np.eye(2) * (1 - blocks.present)[..., None, :])


def course_likelihood(blocks: CourseBlocks, theta: Array) -> CourseLikelihood:
    """Return the likelihood at parameters (R, k) at which all covariances are positive definite."""
    count, k = theta.shape
    p = blocks.x.shape[-1]
    residual = theta[:, 0]
    covariance = _covariances(blocks, theta)
    weight = np.linalg.inv(covariance)
    log_blocks = np.log(covariance[..., 0, 0] * covariance[..., 1, 1] - covariance[..., 0, 1] ** 2).sum(-1)
    flat = blocks.x.reshape(count, -1, p)
    weighted = (weight @ blocks.x).reshape(count, -1, p)
    normal = np.swapaxes(flat, -1, -2) @ weighted + blocks.xx / residual[:, None, None]
    right = (np.swapaxes(weighted, -1, -2) @ blocks.y.reshape(count, -1, 1))[..., 0] + blocks.xy / residual[:, None]
    spread: Array = np.asarray(np.linalg.inv(normal), dtype=np.float64)
    beta = (spread @ right[..., None])[..., 0]
    miss = blocks.y - (blocks.x @ beta[:, None, :, None])[..., 0]
    free = blocks.xy - (blocks.xx @ beta[..., None])[..., 0]
    squares = blocks.yy - (beta * (blocks.xy + free)).sum(-1)
    unsure = blocks.x @ spread[:, None] @ np.swapaxes(blocks.x, -1, -2)
    around = miss[..., :, None] * miss[..., None, :] + unsure
    rest = squares + np.einsum("rpq,rqp->r", blocks.xx, spread)
    log_normal = np.linalg.slogdet(normal)[1]
    pull = (weight @ miss[..., None])[..., 0]
    value = log_blocks + blocks.freedom * np.log(residual) + log_normal
    value = value + (pull * miss).sum((-1, -2)) + squares / residual
    numbers = blocks.freedom + blocks.present.sum((-1, -2))
    value = value + (numbers - p) * np.log(2 * np.pi)
    slope = weight - weight @ around @ weight
    gradient = np.einsum("rnab,rnkab->rk", slope, blocks.changes)
    gradient[:, 0] += blocks.freedom / residual - rest / residual**2
    turned = weight[:, :, None] @ blocks.changes
    left = np.swapaxes(turned, 1, 2).reshape(count, k, -1)
    mirrored = np.swapaxes(np.swapaxes(np.swapaxes(turned, -1, -2), 1, 2).reshape(count, k, -1), -1, -2)
    information = left @ mirrored
    information[:, 0, 0] += blocks.freedom / residual**2
    bent = np.swapaxes((weight @ around)[:, :, None] @ turned, 1, 2).reshape(count, k, -1)
    twice = bent @ mirrored
    twice[:, 0, 0] += rest / residual**3
    both = turned @ weight[:, :, None]
    by_parameter = np.empty((count, k, p, p))
    pulled = np.empty((count, k, p))
    for j in range(k):
        side = (both[:, :, j] @ blocks.x).reshape(count, -1, p)
        by_parameter[:, j] = np.swapaxes(flat, -1, -2) @ side
        pulled[:, j] = (np.swapaxes(side, -1, -2) @ miss.reshape(count, -1, 1))[..., 0]
    by_parameter[:, 0] += blocks.xx / residual[:, None, None] ** 2
    pulled[:, 0] += free / residual[:, None] ** 2
    leaning = spread[:, None] @ by_parameter
    third = leaning.reshape(count, k, -1) @ np.swapaxes(np.swapaxes(leaning, -1, -2).reshape(count, k, -1), -1, -2)
    curvature = -information + 2 * twice - third - 2 * pulled @ spread @ np.swapaxes(pulled, -1, -2)
    curvature = (curvature + np.swapaxes(curvature, -1, -2)) / 2
    return CourseLikelihood(value, gradient, curvature, information, beta, spread, by_parameter, log_normal)


def maximise_courses(blocks: CourseBlocks, groups: int) -> tuple[Array, NDArray[np.bool_]]:
    """Return the parameters (R, k) at the maximum, and in which replicates it was reached.

    Values should have a variance near 1. A variance of intercepts or slopes may come out below 0, where patients differ less than their errors let
    them; only the covariance of what was measured has to be positive definite.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        residual = np.where(blocks.freedom > 0, blocks.yy / blocks.freedom, np.nan)
    start = np.zeros((len(residual), 1 + 3 * groups))
    start[:, 0] = np.clip(residual, 0.05, 1.0)
    start[:, 1::3], start[:, 3::3] = 0.5, 0.2
    start[~np.isfinite(residual)] = np.nan

    def evaluate(theta: Array, rows: NDArray[np.intp]) -> CourseLikelihood:
        return course_likelihood(blocks.select(rows), theta)

    def possible(theta: Array, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        covariance = _covariances(blocks.select(rows), theta)
        determinant = covariance[..., 0, 0] * covariance[..., 1, 1] - covariance[..., 0, 1] ** 2
        fine = (covariance[..., 0, 0] > 0) & (determinant > 1e-12 * covariance[..., 0, 0] ** 2)
        return np.asarray(fine.all(-1) & (theta[:, 0] > 1e-12))

    return newton_maximum(start, evaluate, possible)
