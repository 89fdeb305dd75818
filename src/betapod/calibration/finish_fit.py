"""Finish a fit: all rows at the start, the fit and every draw, and what its record says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.cache import PACKAGES, program, version_of
from ..physiology.installed_fits import Columns
from ..trials.conduct.replicate_parameters import equal_draws
from ..validation.predictions.fit_conditions import FIT_DRAWS
from .coverage_curve import RowPredictions
from .cut_feedback import StagedPosterior, StageObjective
from .discrepancy import discrepancy_classes
from .evaluations import KeptEvaluations, rows_digest
from .fit_folder import FinishedFit, places_at_bound, values_at, weighted_moments
from .fit_rows import FitRows
from .fit_tables import coverage_columns, identifiability_tables
from .stage_fit import CLOSE_ENOUGH, FitOptions, StageFit, fit_identity, kept_objective
from .staged_problem import StagedProblem, Tell
from .unknown import Unknown

Numbers = NDArray[np.float64]
#: Fewest draws of equal weight that the posterior of a stage is worth; fewer are a warning.
LEAST_EFFECTIVE = 16.0


def finish_fit(
    problem: StagedProblem,
    kept: KeptEvaluations,
    stages: Sequence[StageFit],
    joint: StagedPosterior,
    options: FitOptions,
    threads: int | None,
    speak: Tell,
) -> FinishedFit:
    """Evaluate all rows at the start, the fit and every draw; return the record."""
    final = _of_one(stages[0]) if len(stages) == 1 else _of_all(problem, kept, joint, threads, speak)
    order = [joint.names.index(unknown.name) for unknown in final.unknowns]
    u_map, rows = joint.u_map[order], final.rows
    stage_of = {record: stage.name for stage in reversed(stages) for record in stage.rows.record}
    tau_family, tau_row = _lacking(rows, stages)
    at_bound = places_at_bound(final.unknowns, u_map) | _at_bound_of_stage(final.unknowns, stages)
    return FinishedFit(
        unknowns=final.unknowns,
        u_map=u_map,
        mean=joint.mean[order],
        covariance=joint.covariance[np.ix_(order, order)],
        draws_u=final.draws,
        log_weights=final.log_weights,
        rows=rows,
        stage=tuple(stage_of.get(record, "") for record in rows.record),
        before=final.before,
        after=final.after,
        drawn=final.drawn,
        lacking=discrepancy_classes(rows),
        tau_family=tau_family,
        tau_row=tau_row,
        at_bound=at_bound,
        tables={
            "trace.csv": trace_columns(stages),
            "coverage.csv": _coverage(final, tau_family, tau_row, problem.discrepancy),
            **identifiability_tables(stages),
        },
        identity=_record_identity(problem, kept, stages, rows, options),
    )


def _coverage(final: _Predicted, tau_family: Numbers, tau_row: Numbers, prior_scale: Mapping[str, float]) -> Columns:
    mean, sd = weighted_moments(final.drawn, final.log_weights)
    return coverage_columns(final.rows, final.before, RowPredictions(mean, sd, (tau_family, tau_row)), prior_scale)


@dataclass(frozen=True)
class _Predicted:
    """All rows at the start, at the fit and at every draw; places are those of the first priors."""

    unknowns: tuple[Unknown, ...]
    rows: FitRows
    draws: Numbers
    log_weights: Numbers
    before: Numbers
    after: Numbers
    drawn: Numbers


def _of_one(stage: StageFit) -> _Predicted:
    """Return what the only stage has evaluated already; its draws keep their weights."""
    first = stage.passes[0].map
    before = _aligned(first.predicted_start, first.likelihood.rows, stage.rows)
    places = stage.prior.to_place(stage.draws.u)
    return _Predicted(
        stage.unknowns, stage.rows, places, stage.draws.log_weights, before, stage.at_mean, stage.draws.predicted
    )


def _of_all(
    problem: StagedProblem, kept: KeptEvaluations, joint: StagedPosterior, threads: int | None, speak: Tell
) -> _Predicted:
    """Evaluate the rows of all stages under all unknowns; draws were made even, stage by stage.

    Rows of all stages cost the most of a fit: they are evaluated under as many draws as intervals take, and are NaN under the others.
    """
    start = kept_objective(problem, kept, None, {}, threads, speak)
    try:
        unknowns = tuple(start.unknowns)
        order = [joint.names.index(unknown.name) for unknown in unknowns]
        before, rows_before = start.predict(np.zeros((1, len(order))))[0], start.rows
    finally:
        start.close()
    middle, draws = joint.mean[order], joint.draws[:, order]
    evaluated = np.unique(equal_draws(np.ones(len(draws)), min(FIT_DRAWS, len(draws))))
    at = values_at(unknowns, middle)
    around = {unknown.name: float(value) for unknown, value in zip(unknowns, at, strict=True)}
    objective = kept_objective(problem, kept, None, {}, threads, speak, around)
    try:
        predicted = objective.predict(np.vstack([middle, draws[evaluated]]))
    finally:
        objective.close()
    rows = objective.rows
    drawn = np.full((len(draws), predicted.shape[1]), np.nan)
    drawn[evaluated] = predicted[1:]
    before_of_rows = _aligned(before, rows_before, rows)
    return _Predicted(unknowns, rows, draws, np.zeros(len(draws)), before_of_rows, predicted[0], drawn)


def _aligned(values: Numbers, of: FitRows, to: FitRows) -> Numbers:
    """Return values of rows in the order of others; NaN for rows that are not among them."""
    by_record = dict(zip(of.record, values, strict=True))
    return np.array([by_record.get(record, np.nan) for record in to.record], dtype=np.float64)


def _lacking(rows: FitRows, stages: Sequence[StageFit]) -> tuple[Numbers, Numbers]:
    """Return both scales (n,) of what the model lacks; of a class in several stages the mean square, by fitted rows.

    A class of which no row is fitted has what its stages have of it: the mean of its prior, not 0.
    """
    counted: dict[str, list[tuple[int, float, float]]] = {}
    for stage in stages:
        classes = discrepancy_classes(stage.rows)
        for name in set(classes):
            count = sum(bool(is_fitted) for of, is_fitted in zip(classes, stage.rows.fitted, strict=True) if of == name)
            scales = stage.discrepancy.family.get(name, 0.0), stage.discrepancy.row.get(name, 0.0)
            counted.setdefault(name, []).append((count, *scales))

    def together(name: str, part: int) -> float:
        entries = counted.get(name, [])
        spoken = [entry for entry in entries if entry[0]] or [(1, *entry[1:]) for entry in entries]
        total = sum(entry[0] for entry in spoken)
        return float(np.sqrt(sum(entry[0] * entry[part] ** 2 for entry in spoken) / total)) if total else 0.0

    classes = discrepancy_classes(rows)
    family, row = ({name: together(name, part) for name in set(classes)} for part in (1, 2))
    return np.array([family[name] for name in classes]), np.array([row[name] for name in classes])


def _at_bound_of_stage(unknowns: Sequence[Unknown], stages: Sequence[StageFit]) -> NDArray[np.bool_]:
    """Return (d,) which unknowns ended as far from the prior of their last stage as they may go."""
    ended: dict[str, bool] = {}
    for stage in stages:
        staged = StageObjective(_Rows(stage.unknowns, stage.rows), stage.prior)
        at_bound = places_at_bound(staged.unknowns, stage.map.u)
        ended |= dict(zip((unknown.name for unknown in stage.unknowns), map(bool, at_bound), strict=True))
    return np.array([ended[unknown.name] for unknown in unknowns], dtype=np.bool_)


@dataclass(frozen=True)
class _Rows:
    """Unknowns and rows without a model."""

    unknowns: tuple[Unknown, ...]
    rows: FitRows

    def predict(self, u: Numbers) -> Numbers:
        raise NotImplementedError


def trace_columns(stages: Sequence[StageFit]) -> Columns:
    """Return the columns of ``trace.csv``: one line per iteration of each stage, the first at its start."""
    lines: list[tuple[str, int, int, int, float, float, float, bool]] = []
    for stage in stages:
        iterations, evaluations, spent = 0, 0, 0.0
        for number, one_pass in enumerate(stage.passes, 1):
            trace = one_pass.map.trace
            if trace:
                loss = trace[0].loss_before
                lines.append((stage.name, number, iterations, evaluations + 1, spent, loss, loss, True))
            lines += [
                (
                    stage.name,
                    number,
                    iterations + s.iteration,
                    evaluations + s.evaluations,
                    t,
                    s.loss_before,
                    s.loss,
                    s.accepted,
                )
                for s, t in zip(trace, one_pass.spent, strict=True)
            ]
            iterations, evaluations = iterations + len(trace), evaluations + one_pass.map.evaluations
            spent = one_pass.spent[-1] if one_pass.spent else spent
    kinds = {
        "stage": object, "pass": np.int64, "iteration": np.int64, "evaluations": np.int64,
        "processor_seconds": np.float64, "loss_before": np.float64, "loss": np.float64, "accepted": np.bool_,
    }  # fmt: skip
    return {name: np.array([line[k] for line in lines], dtype=kind) for k, (name, kind) in enumerate(kinds.items())}


def _record_identity(
    problem: StagedProblem, kept: KeptEvaluations, stages: Sequence[StageFit], rows: FitRows, options: FitOptions
) -> dict[str, Any]:
    fitted = [family for family, flag in zip(rows.family, rows.fitted, strict=True) if flag]
    aside = [family for family, flag in zip(rows.family, rows.fitted, strict=True) if not flag]
    return {
        "name": problem.name,
        **fit_identity(problem, options),
        "rows": {"digest": rows_digest(rows), "fitted": len(fitted), "set aside": len(aside)},
        "families": {"fitted": sorted(set(fitted)), "set aside": sorted(set(aside))},
        "program": program("betapod.calibration.run_fit"),
        "versions": {name: version_of(name) for name in PACKAGES},
        "stages": [_stage_identity(stage) for stage in stages],
        "effective draws": min(stage.draws.ess for stage in stages),
        "processor_seconds": dict(kept.tally.processor_seconds),
        "evaluations": len(kept) - kept.unused,
        "warnings": fit_warnings(stages),
    }


def _stage_identity(stage: StageFit) -> dict[str, Any]:
    return {
        "name": stage.name,
        "unknowns": [unknown.name for unknown in stage.unknowns],
        "held": dict(stage.held),
        "around": stage.passes[-1].around,
        "converged": stage.map.converged,
        "reason": stage.map.reason,
        "loss": stage.map.loss,
        "loss in the middle of the posterior": stage.loss_at_mean,
        "evaluations": sum(one_pass.map.evaluations for one_pass in stage.passes),
        "passes": len(stage.passes),
        "moved in the last pass": stage.passes[-1].moved,
        "effective draws": stage.draws.ess,
        "effective draws by round": list(stage.draws.rounds),
        "draws of the linear model": stage.draws.linear,
        "tail of weights": stage.draws.khat,
        "rows that did not speak": int(np.sum(stage.rows.fitted & ~stage.map.use)),
        "discrepancy": {"family": dict(stage.discrepancy.family), "row": dict(stage.discrepancy.row)},
    }


def fit_warnings(stages: Sequence[StageFit]) -> list[str]:
    """Return what makes a fit doubtful, in sentences."""
    sentences = []
    for stage in stages:
        if not stage.map.converged:
            sentences.append(f"Stage {stage.name} did not converge: {stage.map.reason}.")
        if len(stage.passes) > 1 and stage.passes[-1].moved >= CLOSE_ENOUGH:
            moved = stage.passes[-1].moved
            sentences.append(f"Stage {stage.name} still moved by {moved:.2f} SDs of the prior when people lived again.")
        if stage.draws.linear:
            worth = f"{stage.draws.rounds[0]:.1f} of {len(stage.draws.u)}"
            sentences.append(
                f"Predictions of stage {stage.name} are not smooth: weighted draws were worth {worth}. Its draws are those of the linear model, "
                "each row with the error that the model showed."
            )
        elif stage.draws.ess < LEAST_EFFECTIVE:
            sentences.append(
                f"The draws of stage {stage.name} are worth {stage.draws.ess:.1f} of equal weight, fewer than {LEAST_EFFECTIVE:g}."
            )
        if stage.draws.khat > 0.7 and not stage.draws.linear:
            sentences.append(
                f"The weights of stage {stage.name} have a heavy tail ({stage.draws.khat:.2f}, above 0.7)."
            )
        silent = int(np.sum(stage.rows.fitted & ~stage.map.use))
        if silent:
            sentences.append(f"{silent} fitted rows of stage {stage.name} have no prediction and did not speak.")
    return sentences
