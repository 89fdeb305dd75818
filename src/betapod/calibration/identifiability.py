"""What the rows say of the unknowns: directions, contraction, pairs that look alike, rows that speak, profiles; in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .gauss_newton import MapResult
from .linear_fit import posterior_loss
from .objective_protocol import Evaluate
from .posterior import Gaussian
from .unknown import Unknown

Numbers = NDArray[np.float64]
#: Posterior correlation from which a pair cannot be told apart.
ALIKE = 0.7
#: Contraction below which an unknown has stayed at its prior.
STAYED = 0.1
#: Loading from which an unknown is named in a direction.
_NAMED = 0.3


@dataclass(frozen=True)
class Identifiability:
    """What the rows say, by the linear model at the most probable place, in units of the prior.

    Attributes
    ----------
    names
        Of the d unknowns.
    eigenvalues, directions
        (d,) of the data's information, falling, and (d, d): a direction a row. An eigenvalue of 1 says as much as the prior.
    contraction
        (d,) 1 less posterior SD over prior SD: 0 where the rows say nothing.
    correlation
        (d, d) of the posterior.
    row_share
        (n, d) how much of the precision that the rows add to an unknown would be lost without a row.
    family_share
        Family -> (d,) the same without all its rows.
    """

    names: tuple[str, ...]
    eigenvalues: Numbers
    directions: Numbers
    contraction: Numbers
    correlation: Numbers
    row_share: Numbers
    family_share: dict[str, Numbers]

    def pairs(self, least: float = ALIKE) -> list[tuple[str, str, float]]:
        """Return pairs of unknowns with a posterior correlation of at least so much, strongest first."""
        first, second = np.triu_indices(len(self.names), 1)
        strength = self.correlation[first, second]
        order = np.argsort(-np.abs(strength), kind="stable")
        return [
            (self.names[first[k]], self.names[second[k]], float(strength[k]))
            for k in order
            if abs(strength[k]) >= least
        ]

    def eigen_table(self) -> dict[str, list[object]]:
        """Return ``eigen.csv``: a row for each direction and unknown."""
        table: dict[str, list[object]] = {"direction": [], "eigenvalue": [], "unknown": [], "loading": []}
        for number, (value, direction) in enumerate(zip(self.eigenvalues, self.directions, strict=True), 1):
            table["direction"] += [number] * len(self.names)
            table["eigenvalue"] += [float(value)] * len(self.names)
            table["unknown"] += list(self.names)
            table["loading"] += [float(loading) for loading in direction]
        return table

    def in_words(self) -> list[str]:
        """Return sentences: how many directions are known, which unknowns the rows speak to, what looks alike, what stayed."""
        d = len(self.names)
        better, somewhat = (int(np.sum(self.eigenvalues > least)) for least in (1.0, 0.1))
        order = np.argsort(-self.contraction, kind="stable")
        spoken = [self.names[k] for k in order if self.contraction[k] >= STAYED]
        stayed = [self.names[k] for k in order if self.contraction[k] < STAYED]
        lines = [
            f"Of {d} directions the rows know {better} better than the prior does, and {somewhat} at least a tenth as well.",
            "They speak most to "
            + _listed(f"{self.names[k]} ({self.contraction[k]:.2f})" for k in order[:5])
            + " (contraction)."
            if spoken
            else "No unknown is narrower than its prior by a tenth or more.",
        ]
        for number, direction in enumerate(self.directions[:3], 1):
            if self.eigenvalues[number - 1] > 0.1:
                lines.append(
                    f"Direction {number} (information {self.eigenvalues[number - 1]:.3g} times the prior's): "
                    f"{_loadings(self.names, direction)}."
                )
        lines += [
            f"{first} and {second} cannot be told apart: "
            + ("they rise and fall together" if r > 0 else "one rises as the other falls")
            + f" (posterior correlation {r:.2f})."
            for first, second, r in self.pairs()
        ]
        if stayed:
            lines.append(f"{len(stayed)} of {d} stayed at their prior (contraction below {STAYED}): {_listed(stayed)}.")
        return lines


def _listed(words: Iterable[str]) -> str:
    items = list(words)
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def _loadings(names: tuple[str, ...], direction: Numbers) -> str:
    order = [k for k in np.argsort(-np.abs(direction), kind="stable") if abs(direction[k]) >= _NAMED][:4]
    return " ".join(
        f"{'+' if direction[k] > 0 else '-'}{abs(direction[k]):.2f} {names[k]}"
        for k in order or [int(np.abs(direction).argmax())]
    )


def identify(result: MapResult, unknowns: Sequence[Unknown], gaussian: Gaussian | None = None) -> Identifiability:
    """Return what the rows say of the unknowns at the most probable place.

    Parameters
    ----------
    gaussian
        Posterior whose covariance gives contraction and correlation; that of the linear model by default.
    """
    law, use = result.likelihood, result.use
    index = np.flatnonzero(use)
    slopes = result.jacobian[index]
    precision = law.curvature(result.predicted, use)[np.ix_(index, index)]
    information = slopes.T @ precision @ slopes
    values, vectors = np.linalg.eigh(information)
    order = np.argsort(-values, kind="stable")
    directions = vectors[:, order].T
    # A direction and its opposite are one: its largest loading is above 0.
    directions *= np.sign(directions[np.arange(len(order)), np.abs(directions).argmax(axis=1)])[:, None]
    linear = np.asarray(np.linalg.inv(information + np.eye(len(values))), dtype=np.float64)
    covariance = linear if gaussian is None else gaussian.covariance
    sd = np.sqrt(np.diag(covariance))
    return Identifiability(
        tuple(unknown.name for unknown in unknowns),
        np.maximum(values[order], 0.0),
        directions,
        1.0 - sd,
        covariance / np.outer(sd, sd),
        _row_shares(linear, slopes, precision, index, len(use)),
        _family_shares(linear, slopes, precision, [result.likelihood.rows.family[i] for i in index]),
    )


def _row_shares(
    covariance: Numbers, slopes: Numbers, precision: Numbers, index: NDArray[np.int64], count: int
) -> Numbers:
    """Return (n, d) shares of each unknown's added precision that are lost without a row: one rank less of information."""
    touched = covariance @ slopes.T @ precision
    left = np.diag(precision) - np.einsum("ni,dn,di->i", precision, slopes.T, touched)
    wider = np.diag(covariance)[:, None] + touched**2 / left
    shares = np.zeros((count, len(covariance)))
    shares[index] = _lost(np.diag(covariance)[:, None], wider).T
    return shares


def _family_shares(covariance: Numbers, slopes: Numbers, precision: Numbers, families: list[str]) -> dict[str, Numbers]:
    information = slopes.T @ precision @ slopes
    result = {}
    names = np.array(families, dtype=object)
    for family in sorted(set(families)):
        rows = names == family
        rest = information - slopes[rows].T @ precision[np.ix_(rows, rows)] @ slopes[rows]
        wider = np.diag(np.linalg.inv(rest + np.eye(len(covariance))))
        result[family] = _lost(np.diag(covariance), wider)
    return result


def _lost(variance: Numbers, wider: Numbers) -> Numbers:
    """Return which share of the precision added to a prior of variance 1 is lost when variance becomes wider."""
    added = 1.0 / variance - 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(added > 1e-9, (1.0 / variance - 1.0 / wider) / added, 0.0), dtype=np.float64)


def speaking_table(result: MapResult, facts: Identifiability, most: int = 10) -> dict[str, list[object]]:
    """Return ``speaking.csv``: for each unknown the rows that speak most to it, and their share of what the rows add."""
    rows = result.likelihood.rows
    table: dict[str, list[object]] = {"unknown": [], "record": [], "family": [], "share": []}
    for k, name in enumerate(facts.names):
        for i in np.argsort(-facts.row_share[:, k], kind="stable")[:most]:
            if facts.row_share[i, k] > 0.0:
                table["unknown"].append(name)
                table["record"].append(rows.record[i])
                table["family"].append(rows.family[i])
                table["share"].append(float(facts.row_share[i, k]))
    return table


def profiles(
    evaluate: Evaluate,
    result: MapResult,
    gaussian: Gaussian,
    unknowns: Sequence[Unknown],
    names: Sequence[str],
    distances: Sequence[float] = (-2.0, -1.0, 1.0, 2.0),
) -> dict[str, list[object]]:
    """Return ``profiles.csv``: twice the fall of the log posterior along unknowns, evaluated in truth, in one call.

    Each unknown is moved by so many posterior SDs, the others to where the normal approximation then expects them. `quadratic` is the fall
    if the posterior were normal; a smaller one says that the unknown is known less well than its SD.
    """
    of = [unknown.name for unknown in unknowns]
    places, labels = [], []
    for name in names:
        k = of.index(name)
        towards = gaussian.covariance[k] / np.sqrt(gaussian.covariance[k, k])
        for distance in distances:
            places.append(np.clip(result.u + distance * towards, gaussian.low, gaussian.high))
            labels.append((name, k, distance))
    at = np.array(places)
    loss = posterior_loss(result.likelihood, evaluate(at), at, result.use)
    table: dict[str, list[object]] = {"unknown": [], "u": [], "value": [], "fall": [], "quadratic": []}
    for (name, k, distance), u, lost in zip(labels, at, loss, strict=True):
        table["unknown"].append(name)
        table["u"].append(float(u[k]))
        table["value"].append(float(unknowns[k].value(u[k])))
        table["fall"].append(2.0 * (float(lost) - result.loss))
        table["quadratic"].append(distance**2)
    return table
