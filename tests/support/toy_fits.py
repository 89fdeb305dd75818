"""A fit whose answer is known and which needs no simulation: bent decays, seen in rows of several families."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from betapod.calibration.fit_folder import FinishedFit
from betapod.calibration.fit_rows import FitRows
from betapod.calibration.unknown import Unknown

Numbers = NDArray[np.float64]


def unknowns(count: int = 3) -> tuple[Unknown, ...]:
    return tuple(
        Unknown(f"k{i}", "row", "1/year", 0.1 * (i + 1), "log", 0.4, label=f"rate {i}", source="") for i in range(count)
    )


def rows(count: int = 24, seed: int = 3, truth: Sequence[float] = (0.8, -0.5, 0.3), stage: str = "") -> FitRows:
    """Return rows of the toy: levels on the logarithmic scale, four to a family, every third family set aside."""
    generator = np.random.default_rng(seed)
    se = np.full(count, 0.05)
    family = tuple(f"F{i // 4}" for i in range(count))
    return FitRows(
        record=tuple(f"TOY{stage}-{i}" for i in range(count)),
        study=family,
        family=family,
        endpoint=("UACR",) * count,
        unit=("mg/g",) * count,
        row_class=("ratio",) * count,
        scale=("log",) * count,
        fitted=np.array([(i // 4) % 3 != 2 for i in range(count)]),
        observed=toy_predictions(np.atleast_2d(np.asarray(truth, dtype=np.float64)), count)[0]
        + se * generator.standard_normal(count),
        se=se,
        freedom=np.full(count, np.inf),
    )


def toy_predictions(u: Numbers, count: int) -> Numbers:
    """Return (K, count) predictions: smooth, mildly bent, each row sees all unknowns."""
    d = u.shape[1]
    slopes = np.cos(np.outer(np.arange(count) + 1.0, np.arange(d) + 0.7))
    linear = u @ slopes.T
    return np.asarray(linear + 0.05 * linear**2)


@dataclass(frozen=True)
class ToyObjective:
    """An objective that counts in a file what it computes, and may be slow."""

    unknowns: tuple[Unknown, ...]
    rows: FitRows
    log: Path | None = None
    seconds: float = 0.0

    def predict(self, u: Numbers) -> Numbers:
        if self.log is not None:
            with self.log.open("a", encoding="utf-8") as file:
                file.write("x" * len(u))
        time.sleep(self.seconds * len(u))
        return toy_predictions(u, len(self.rows))


def finished(seed: int = 5) -> FinishedFit:
    """Return a fit as it would be recorded; its posterior is invented."""
    generator = np.random.default_rng(seed)
    u_map, mean = np.array([0.7, -0.4, 0.2]), np.array([0.6, -0.3, 0.1])
    root = np.tril(0.3 * generator.standard_normal((3, 3)))
    covariance = root @ root.T + 0.02 * np.eye(3)
    draws = generator.multivariate_normal(mean, covariance, 64)
    table = rows()
    return FinishedFit(
        unknowns=unknowns(),
        u_map=u_map,
        mean=mean,
        covariance=covariance,
        draws_u=draws,
        log_weights=0.5 * generator.standard_normal(64),
        rows=table,
        stage=("A",) * len(table),
        before=toy_predictions(np.zeros((1, 3)), len(table))[0],
        after=toy_predictions(mean[None], len(table))[0],
        drawn=toy_predictions(draws, len(table)),
        lacking=("ratio",) * len(table),
        tau_family=np.full(len(table), 0.1),
        tau_row=np.full(len(table), 0.05),
        at_bound=np.zeros(3, dtype=np.bool_),
    )


@dataclass(frozen=True)
class ToyStage:
    """A stage of the toy problem; `at` are the numbers of its unknowns."""

    name: str
    unknowns: tuple[Unknown, ...]
    first: int
    last: int
    rounds: int = 0


@dataclass(frozen=True)
class ToyProblem:
    """A problem of one stage or of two that share the unknown k1, over three unknowns and 24 rows.

    Stage A sees the first 12 rows and k0, k1; stage B the others and k1, k2. In people who lived under a fit, each row is lower by `shift` times
    the mean place of the unknowns that it was fitted with.
    """

    staged: bool = False
    rounds: int = 0
    shift: float = 0.0
    name: str = "toy"
    seed: int = 7
    log: Path | None = None
    seconds: float = 0.0
    discrepancy: Mapping[str, float] = field(default_factory=lambda: {"ratio": 0.1})

    @property
    def tables_digest(self) -> str:
        return ""

    @property
    def text(self) -> str:
        return f"name: {self.name}\nstaged: {self.staged}\n"

    @property
    def stages(self) -> tuple[ToyStage, ...]:
        three = unknowns()
        if not self.staged:
            return (ToyStage("A", three, 0, 24, self.rounds),)
        return ToyStage("A", three[:2], 0, 12), ToyStage("B", three[1:], 12, 24)

    def objective(
        self,
        stage: str | None,
        held: Mapping[str, float],
        threads: int | None = None,
        around: Mapping[str, float] | None = None,
    ) -> PartObjective:
        of = next((each for each in self.stages if each.name == stage), ToyStage("", unknowns(), 0, 24))
        lived = 0.0 if around is None else float(np.mean([u.place(around[u.name]) for u in of.unknowns]))
        part = rows().take(np.arange(of.first, of.last))
        return PartObjective(of.unknowns, part, of.first, dict(held), self.log, self.seconds, self.shift * lived)

    def screening(self, stage: str, threads: int | None = None) -> PartObjective:
        return replace(self.objective(stage, {}, threads), unknowns=unknowns())


@dataclass(frozen=True)
class PartObjective:
    """Some rows of the toy under some of its unknowns, others held at values."""

    unknowns: tuple[Unknown, ...]
    rows: FitRows
    first: int
    held: Mapping[str, float]
    log: Path | None = None
    seconds: float = 0.0
    lower: float = 0.0

    def predict(self, u: Numbers) -> Numbers:
        full = np.zeros((len(u), 3))
        names = [unknown.name for unknown in self.unknowns]
        for k, unknown in enumerate(unknowns()):
            if unknown.name in names:
                full[:, k] = u[:, names.index(unknown.name)]
            elif unknown.name in self.held:
                full[:, k] = unknown.place(self.held[unknown.name])
        if self.log is not None:
            with self.log.open("a", encoding="utf-8") as file:
                file.write("x" * len(u))
        time.sleep(self.seconds * len(u))
        return toy_predictions(full, 24)[:, self.first : self.first + len(self.rows)] - self.lower
