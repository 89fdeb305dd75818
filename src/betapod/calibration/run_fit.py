"""Run a fit: stages in turn, every evaluation kept, the record at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..base.errors import BetapodError
from ..physiology.installed_fits import FitRecord, read_fit_record
from .cut_feedback import StagedPosterior, even_draws
from .evaluations import KeptEvaluations
from .finish_fit import finish_fit
from .fit_folder import (
    begin_fit_folder,
    identity_digest,
    is_finished_fit,
    take_back_fit_folder,
    write_fit_record,
)
from .stage_archive import write_stage
from .stage_fit import FitOptions, StageFit, fit_identity, fit_stage
from .staged_problem import StagedProblem, Tell


def run_fit(
    problem: StagedProblem,
    folder: str | Path,
    options: FitOptions = FitOptions(),  # noqa: B008 - frozen
    threads: int | None = None,
    tell: Tell | None = None,
    command: Sequence[str] = (),
    problem_file: str | Path | None = None,
) -> FitRecord:
    """Run a fit into a folder; in one that holds the same fit, compute what is missing.

    A fit that was stopped, in whatever way, ends with the same bits as one that was not.

    Raises
    ------
    ConfigError
        The folder holds something else, or nothing can be fitted.
    StoreError
        The folder cannot be written.
    """
    seed = problem.seed if options.seed is None else options.seed
    identity = fit_identity(problem, options)
    target = begin_fit_folder(folder, identity, command, problem_file)
    if is_finished_fit(target, identity):
        return read_fit_record(target)
    kept = KeptEvaluations(target)
    speak = tell or (lambda text: None)
    if len(kept):
        speak(f"{len(kept)} evaluations are there already")
    try:
        stages, joint = run_stages(problem, kept, options, seed, threads, speak)
    except BetapodError:
        take_back_fit_folder(target)
        raise
    finished = finish_fit(problem, kept, stages, joint, options, threads, speak)
    write_fit_record(target, replace(finished, identity={**finished.identity, "digest": identity_digest(identity)}))
    return read_fit_record(target)


# -- stages -------------------------------------------------------------------------------------------------------------


def run_stages(
    problem: StagedProblem, kept: KeptEvaluations, options: FitOptions, seed: int, threads: int | None, speak: Tell
) -> tuple[list[StageFit], StagedPosterior]:
    """Fit every stage in turn; return what each found, and what all have found together."""
    joint, stages = StagedPosterior.nothing(options.draws), list[StageFit]()
    values: dict[str, float] = {}
    for number, stage in enumerate(problem.stages):
        names = tuple(unknown.name for unknown in stage.unknowns)
        held = {name: value for name, value in values.items() if name not in names}
        done = fit_stage(problem, stage, kept, joint.prior_of(names), held, options, seed + number, threads, speak)
        write_stage(kept.folder.parent, number, done)
        stages.append(done)
        joint = _joined(joint, done, seed + number)
        values |= done.values
    return stages, joint


def _joined(joint: StagedPosterior, stage: StageFit, seed: int) -> StagedPosterior:
    """Return what is known after a stage, in places of the first priors."""
    prior, root = stage.prior, stage.prior.root
    names = tuple(unknown.name for unknown in stage.unknowns)
    draws = prior.to_place(even_draws(stage.draws.u, stage.draws.log_weights, seed))
    covariance = root @ stage.covariance @ root.T
    return joint.after(names, prior, prior.to_place(stage.map.u), prior.to_place(stage.mean), covariance, draws)
