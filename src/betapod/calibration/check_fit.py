"""Checks of a finished fit: families left out, invented data, profiles; their tables go into its record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.errors import ConfigError, Location, not_among
from ..physiology.installed_fits import Columns, FitRecord, read_fit_record
from .coverage_curve import ClassWidths, Coverage, RowPredictions, coverage_curve
from .cut_feedback import StageObjective
from .evaluations import KeptEvaluations
from .fit_folder import add_tables
from .fit_rows import FitRows
from .fit_tables import (
    coverage_of_tables,
    joined_left_out,
    stacked_tables,
    stage_gaussian,
    stage_identifiability,
    table_columns,
    widths_of_record,
)
from .gauss_newton import EstimatedDiscrepancy
from .hidden_choices import choices_in_words, choices_table
from .identifiability import profiles
from .left_out import LeftOutFits, leave_families_out, left_out_table, refit_without_families
from .simulated_truth import InventedData, LinearObjective, SimulatedTruth, simulate_truth
from .smoother import SmootherCheck, check_with_smoother
from .stage_archive import read_stages
from .stage_fit import StageFit, kept_objective
from .staged_problem import StagedProblem, Tell

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class WantedChecks:
    """Which checks are made.

    Attributes
    ----------
    left_out
        Each family left out in turn, by the linear model at the fit; no evaluation.
    refit
        Families that are left out by a whole fit without them.
    simulated
        How many data sets are invented around the linear model; none for 0.
    profile
        Unknowns along which the posterior is evaluated in truth.
    smoother
        Members of an ensemble smoother to compare the fit with; none for 0.
    choices
        Unknowns under other choices of the likelihood, by the linear model at the fit; no evaluation.
    """

    left_out: bool = True
    refit: tuple[str, ...] = ()
    simulated: int = 0
    profile: tuple[str, ...] = ()
    smoother: int = 0
    choices: bool = True


@dataclass(frozen=True)
class CheckedFit:
    """What checks found.

    Attributes
    ----------
    words
        Stage -> sentences on what its rows say of its unknowns.
    left_out, refitted
        Coverage of families that were left out, by the linear model and by whole fits; empty where not asked for.
    simulated
        Stage -> what came of invented data.
    profiles
        Columns of ``profiles.csv``; empty where not asked for.
    widths
        Of 90 % intervals by class of rows.
    smoothed
        Stage -> what an ensemble smoother finds.
    choices
        Columns of ``choices.csv``; empty where not asked for.
    """

    words: dict[str, list[str]]
    left_out: list[Coverage] = field(default_factory=list)
    refitted: list[Coverage] = field(default_factory=list)
    simulated: dict[str, SimulatedTruth] = field(default_factory=dict)
    profiles: Columns = field(default_factory=dict)
    widths: list[ClassWidths] = field(default_factory=list)
    smoothed: dict[str, SmootherCheck] = field(default_factory=dict)
    choices: Columns = field(default_factory=dict)


def check_fit(
    problem: StagedProblem,
    folder: str | Path,
    wanted: WantedChecks,
    threads: int | None = None,
    tell: Tell | None = None,
) -> CheckedFit:
    """Check the fit in a folder and keep what is found in its record.

    Raises
    ------
    ConfigError
        The folder holds no finished fit, or it has no such unknown or family.
    """
    record = read_fit_record(folder)
    stages = read_stages(folder)
    _check_names(record, stages, wanted)
    speak = tell or (lambda text: None)
    prior_scale = dict(problem.discrepancy)
    words = {stage.name: stage_identifiability(stage).in_words() for stage in stages}
    checked = CheckedFit(words, widths=widths_of_record(record))
    tables: dict[str, Columns] = {}
    verdicts: dict[str, Any] = {}
    if wanted.left_out:
        fits = [_without_families(stage, prior_scale, speak) for stage in stages]
        state = joined_left_out(fits, list(record.rows["record"]))
        checked = replace(checked, left_out=_coverage(stages, fits))
        tables["left_out.csv"] = stacked_tables(
            [left_out_table(of, stage.map) for of, stage in zip(fits, stages, strict=True)], [s.name for s in stages]
        )
        tables["coverage.csv"] = coverage_of_tables(record, prior_scale, state)
        verdicts["left out"] = [vars(point) for point in checked.left_out]
    if wanted.choices:
        table = choices_table(stages)
        checked = replace(checked, choices=table_columns(table))
        tables["choices.csv"] = checked.choices
        verdicts["other choices"] = choices_in_words(table)
    if wanted.refit:
        refits = _refitted(problem, folder, stages, wanted.refit, prior_scale, threads, speak)
        checked = replace(checked, refitted=_coverage(stages, refits))
        verdicts["refitted"] = {"families": list(wanted.refit), "coverage": [vars(p) for p in checked.refitted]}
    if wanted.simulated:
        seed = int(record.identity["seed"])
        simulated = {stage.name: _simulated(stage, wanted.simulated, prior_scale, seed, speak) for stage in stages}
        checked = replace(checked, simulated=simulated)
        verdicts["invented data"] = {name: truth.in_words() for name, truth in simulated.items()}
    if wanted.profile:
        checked = replace(checked, profiles=_profiled(problem, folder, stages, wanted.profile, threads, speak))
        tables["profiles.csv"] = checked.profiles
    if wanted.smoother:
        smoothed = _smoothed(problem, folder, stages, wanted.smoother, threads, speak)
        checked = replace(checked, smoothed=smoothed)
        verdicts["ensemble smoother"] = {name: check.in_words() for name, check in smoothed.items()}
    add_tables(folder, tables, verdicts)
    return checked


def _check_names(record: FitRecord, stages: Sequence[StageFit], wanted: WantedChecks) -> None:
    families = sorted(
        {family for stage in stages for family, flag in zip(stage.rows.family, stage.map.use, strict=True) if flag}
    )
    where = Location(str(record.folder))
    problems = [
        replace(not_among(record.names, "unknown-name", f"the fit has no unknown {name!r}", name), location=where)
        for name in wanted.profile
        if name not in record.names
    ]
    problems += [
        replace(not_among(families, "unknown-family", f"no fitted row is of a family {name!r}", name), location=where)
        for name in wanted.refit
        if name not in families
    ]
    if problems:
        raise ConfigError(problems)


def _without_families(stage: StageFit, prior_scale: dict[str, float], speak: Tell) -> LeftOutFits:
    def maker(rows: FitRows) -> EstimatedDiscrepancy:
        return EstimatedDiscrepancy(rows, prior_scale)

    return leave_families_out(stage.map, maker, progress=lambda family: speak(f"{stage.name}: without {family}"))


def _coverage(stages: Sequence[StageFit], fits: Sequence[LeftOutFits]) -> list[Coverage]:
    """Return the coverage of rows whose family was left out, those of all stages together."""
    rows = FitRows.joined([stage.rows for stage in stages])
    states = [of.state for of in fits]
    predicted = np.concatenate([state.predicted for state in states])
    sd = np.concatenate([of.sd_parameters for of in fits])
    taus = tuple(np.concatenate([getattr(of, name) for of in fits]) for name in ("tau_family", "tau_row"))
    return coverage_curve(rows, RowPredictions(predicted, sd, (taus[0], taus[1])), rows.fitted)


def _simulated(stage: StageFit, count: int, prior_scale: dict[str, float], seed: int, speak: Tell) -> SimulatedTruth:
    """Return what comes of data invented around the linear model; rows without a prediction do not take part."""
    best = stage.map
    usable = np.isfinite(best.predicted) & np.isfinite(best.jacobian).all(axis=1)
    linear = LinearObjective(
        StageObjective(_Bare(stage), stage.prior).unknowns,
        stage.rows.take(usable),
        best.u,
        best.predicted[usable],
        best.jacobian[usable],
    )
    data = InventedData(stage.discrepancy, best.likelihood.nu, prior_scale=prior_scale)
    return simulate_truth(
        linear, data, count, seed, progress=lambda n: speak(f"{stage.name}: invented data set {n} of {count}")
    )


@dataclass(frozen=True)
class _Bare:
    """Unknowns and rows of a stage, without a model."""

    stage: StageFit

    @property
    def unknowns(self) -> Any:
        return self.stage.unknowns

    @property
    def rows(self) -> FitRows:
        return self.stage.rows

    def predict(self, u: Numbers) -> Numbers:
        raise NotImplementedError


def _refitted(
    problem: StagedProblem,
    folder: str | Path,
    stages: Sequence[StageFit],
    families: Sequence[str],
    prior_scale: dict[str, float],
    threads: int | None,
    speak: Tell,
) -> list[LeftOutFits]:
    kept = KeptEvaluations(folder)
    fits = []
    for stage in stages:
        here = [family for family in families if family in stage.rows.family]
        objective = kept_objective(problem, kept, stage.name, stage.held, threads, speak, stage.passes[-1].around)
        try:
            staged = StageObjective(objective, stage.prior)
            fits.append(refit_without_families(staged, stage.map, here, prior_scale, progress=speak))
        finally:
            objective.close()
    return fits


def _smoothed(
    problem: StagedProblem,
    folder: str | Path,
    stages: Sequence[StageFit],
    members: int,
    threads: int | None,
    speak: Tell,
) -> dict[str, SmootherCheck]:
    kept, checks = KeptEvaluations(folder), {}
    for stage in stages:
        objective = kept_objective(problem, kept, stage.name, stage.held, threads, speak, stage.passes[-1].around)
        try:
            staged = StageObjective(objective, stage.prior)
            checks[stage.name] = check_with_smoother(staged, stage.map.likelihood, stage_gaussian(stage), members)
        finally:
            objective.close()
    return checks


def _profiled(
    problem: StagedProblem,
    folder: str | Path,
    stages: Sequence[StageFit],
    names: Sequence[str],
    threads: int | None,
    speak: Tell,
) -> Columns:
    """Return ``profiles.csv``; of an unknown in several stages that of the last one."""
    kept = KeptEvaluations(folder)
    tables, of_stage = [], []
    left = set(names)
    for stage in reversed(stages):
        here = [unknown.name for unknown in stage.unknowns if unknown.name in left]
        left -= set(here)
        if not here:
            continue
        objective = kept_objective(problem, kept, stage.name, stage.held, threads, speak, stage.passes[-1].around)
        try:
            staged = StageObjective(objective, stage.prior)
            table = profiles(staged.predict, stage.map, stage_gaussian(stage), staged.unknowns, here)
        finally:
            objective.close()
        tables.append(_in_values(table, stage))
        of_stage.append(stage.name)
    return stacked_tables(tables, of_stage)


def _in_values(table: dict[str, list[Any]], stage: StageFit) -> dict[str, list[Any]]:
    """Return a profile whose values are those of the unknowns, whatever the prior of the stage."""
    names = [unknown.name for unknown in stage.unknowns]
    sd = np.sqrt(np.diag(stage.prior.covariance))
    values = []
    for name, v in zip(table["unknown"], table["u"], strict=True):
        k = names.index(name)
        # One number of a prior that earlier stages left is taken alone: its own mean and SD.
        u = stage.prior.mean[k] + sd[k] * v
        values.append(float(stage.unknowns[k].value(u)))
    return {**table, "value": values}
