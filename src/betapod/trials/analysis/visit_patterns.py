"""What a mixed model of repeated measures needs of the patients: sums over those who attended the same visits.

A patient's expected course is ``z' B'``: covariates z (the same at all visits) times coefficients B (visits, covariates). Patients who attended
the same visits enter the likelihood by their sums of squares and products alone, so that its cost does not depend on their number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .estimators import Array

#: Smallest eigenvalue of the scaled normal equations at which coefficients still can be told apart.
_SINGULAR = 1e-11


@dataclass(frozen=True)
class PatternSums:
    """Sums over the patients of each replicate (R) by the visits that they attended (P patterns).

    Attributes
    ----------
    attended
        1 where a pattern has a visit, shape (R, P, V).
    size
        Patients, shape (R, P).
    zz, zy, yy
        Sums of products of covariates and outcomes (0 where not attended), shapes (R, P, q, q), (R, P, q, V), (R, P, V, V). Outcomes are the
        residuals of ordinary least squares in units of `scale`.
    allowed
        Coefficients (V q, p) that may differ from 0: B is this times p free ones. None where all are free.
    ordinary
        The free coefficients of ordinary least squares, shape (R, p).
    scale
        Standard deviation of the residuals of ordinary least squares, shape (R,).
    idle
        Free coefficients that nobody's data speak to, shape (R, p); they are held at 0.
    usable
        Replicates whose other coefficients can be told apart, shape (R,).
    observations, patients
        Counts, shape (R,).
    """

    attended: Array
    size: Array
    zz: Array
    zy: Array
    yy: Array
    allowed: Array | None
    ordinary: Array
    scale: Array
    idle: NDArray[np.bool_]
    usable: NDArray[np.bool_]
    observations: NDArray[np.int_]
    patients: NDArray[np.int_]

    def select(self, replicates: NDArray[np.bool_] | NDArray[np.intp]) -> PatternSums:
        """Return the sums of some replicates."""
        names = [name for name in self.__dataclass_fields__ if name != "allowed"]
        return replace(self, **{name: getattr(self, name)[replicates] for name in names})


def pattern_sums(values: Array, covariates: Array, allowed: Array | None) -> PatternSums:
    """Return the sums of replicates.

    Parameters
    ----------
    values
        Shape (R, n, V); NaN where a visit was missed.
    covariates
        Shape (R, n, q); a patient with a NaN is left out.
    allowed
        As in `PatternSums`.
    """
    members: NDArray[np.bool_] = np.asarray(np.isfinite(covariates).all(-1))
    present = np.isfinite(values) & members[..., None]
    members &= present.any(-1)
    z = np.where(members[..., None], covariates, 0.0)
    y = np.where(present, values, 0.0)
    normal, right = _least_squares(z, y, present)
    if allowed is not None:
        normal, right = allowed.T @ normal @ allowed, right @ allowed
    diagonal = np.einsum("rii->ri", normal)
    idle = diagonal <= 0
    root = np.sqrt(np.where(idle, 1.0, diagonal))
    scaled = normal / (root[:, :, None] * root[:, None, :]) + np.eye(normal.shape[-1]) * idle[:, None, :]
    usable = (np.linalg.eigvalsh(scaled)[:, 0] > _SINGULAR) & members.any(-1)
    scaled = np.where(usable[:, None, None], scaled, np.eye(normal.shape[-1]))
    ordinary = np.linalg.solve(scaled, (right / root)[..., None])[..., 0] / root
    full = ordinary if allowed is None else ordinary @ allowed.T
    residual = np.where(present, y - z @ np.swapaxes(full.reshape(len(y), y.shape[-1], -1), -1, -2), 0.0)
    counts = present.sum((-1, -2))
    scale = np.sqrt((residual**2).sum((-1, -2)) / np.maximum(counts, 1))
    size = np.abs(y).max((-1, -2), initial=0.0)
    usable &= scale > 1e-13 * np.maximum(size, 1e-300)
    scale = np.where(usable, scale, 1.0)
    slot, attended = _patterns(present, members)
    return _summed(
        z, residual / scale[:, None, None], slot, attended, allowed, ordinary, scale, idle, usable, counts, members
    )


def _least_squares(z: Array, y: Array, present: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Return matrix (R, V q, V q) and right side (R, V q) of the normal equations of ordinary least squares."""
    replicates, visits, q = len(y), y.shape[-1], z.shape[-1]
    normal, right = np.zeros((replicates, visits, q, visits, q)), np.zeros((replicates, visits, q))
    for v in range(visits):
        turned = np.swapaxes(z * present[..., v, None], -1, -2)
        normal[:, v, :, v, :] = turned @ z
        right[:, v] = (turned @ y[..., v, None])[..., 0]
    return normal.reshape(replicates, visits * q, visits * q), right.reshape(replicates, visits * q)


def _patterns(present: NDArray[np.bool_], members: NDArray[np.bool_]) -> tuple[NDArray[np.intp], Array]:
    """Return the number of each patient's pattern within the replicate (-1: none), and the patterns (R, P, V)."""
    replicates, n, visits = present.shape
    weights = 2.0 ** np.arange(visits)
    code = np.where(members, present @ weights, -1.0)
    order = np.argsort(code, axis=1, kind="stable")
    ordered = np.take_along_axis(code, order, 1)
    new = np.concatenate([ordered[:, :1] >= 0, (ordered[:, 1:] != ordered[:, :-1]) & (ordered[:, 1:] >= 0)], 1)
    number = np.cumsum(new, 1) - 1
    slot = np.empty((replicates, n), dtype=np.intp)
    np.put_along_axis(slot, order, np.where(ordered >= 0, number, -1), 1)
    attended = np.zeros((replicates, max(int(slot.max(initial=0)) + 1, 1), visits))
    rows, patients = np.nonzero(slot >= 0)
    attended[rows, slot[rows, patients]] = present[rows, patients]
    return slot, attended


def _summed(
    z: Array,
    y: Array,
    slot: NDArray[np.intp],
    attended: Array,
    allowed: Array | None,
    ordinary: Array,
    scale: Array,
    idle: NDArray[np.bool_],
    usable: NDArray[np.bool_],
    observations: NDArray[np.int_],
    members: NDArray[np.bool_],
) -> PatternSums:
    q, count = z.shape[-1], attended.shape[1]
    joined = np.concatenate([z, y], -1)
    products = np.empty((len(y), count, joined.shape[-1], joined.shape[-1]))
    size = np.empty((len(y), count))
    for p in range(count):
        inside = slot == p
        size[:, p] = inside.sum(-1)
        products[:, p] = np.swapaxes(joined * inside[..., None], -1, -2) @ joined
    return PatternSums(
        attended,
        size,
        products[..., :q, :q],
        products[..., :q, q:],
        products[..., q:, q:],
        allowed,
        ordinary,
        scale,
        idle,
        usable,
        observations,
        members.sum(-1),
    )
