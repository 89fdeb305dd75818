"""Trials whose size is set anew at a look: blinded by the scatter of outcomes, or by what the first stage has shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..analysis import endpoints
from ..analysis.estimators import Array
from ..designs.combination_tests import combined_inverse_normal
from ..designs.sequential_design import SequentialDesign
from ..designs.size_reestimation import blinded_size, second_stage_size
from ..protocol.analysis_checks import margin_size
from ..protocol.look_design import shares_of_looks, stage_design
from .look_data import judged_day
from .stage_estimates import StageEstimates
from .staged_trials import StageClaim, StagedTrials, Stages, claims_of

if TYPE_CHECKING:
    from ..conduct.trial_data import TrialData
    from ..protocol.look_keys import Resize

Counts = NDArray[np.int64]


def resized_trials(data: TrialData) -> StagedTrials:
    """Return the trials of a design whose size is set anew at its first look.

    The patients of the design are the most that can be enrolled; `planned` of them come where nothing is changed. After a look at the scatter alone the trial is
    tested once, by everybody. After a look at the effect the second stage is tested by its own patients, and both are combined with the weights that were
    planned; ``compared`` has ``naive``, the plain test of all patients.

    Raises
    ------
    ConfigError
        The looks do not make a design.
    """
    looks = data.protocol.designs[data.design].looks
    assert looks is not None and looks.resize is not None
    asked = data.protocol.endpoints
    design = stage_design(looks, asked.alpha, asked.sides)
    assert isinstance(design, SequentialDesign)
    stages, (claim, *_) = Stages.of(data), claims_of(data, looks)
    most = data.enrolled.sum(axis=1)
    planned = np.minimum(looks.resize.planned, most)
    first = np.maximum(np.ceil(shares_of_looks(looks)[0] * planned - 1e-9).astype(np.int64), 1)
    fixed = stages.p(claim, 0, planned) <= asked.alpha / asked.sides
    if looks.resize.rule == "blinded":
        total = _blinded(stages, looks.resize, design, first, planned, most)
        rejected = stages.p(claim, 0, total) <= design.levels[0]
        early = np.zeros(len(rejected), dtype=bool)
        futile, compared = early, {}
        by_stage = [stages.estimate(claim, 0, total)]
    else:
        of_first = stages.estimate(claim, 0, first)
        p_first = stages.p_of(of_first)
        total = first + _second(stages, claim, looks.resize, design, first, planned, most, p_first)
        by_stage = [of_first, stages.estimate(claim, first, total)]
        p = np.stack([p_first, stages.p_of(by_stage[1])], -1)
        combined = combined_inverse_normal(p, design.information)
        early, futile = combined[:, 0] >= design.efficacy[0], combined[:, 0] <= design.futility[0]
        rejected = early | (~futile & (combined[:, 1] >= design.efficacy[1]))
        naive = stages.p(claim, 0, total) <= design.levels[1]
        compared = {"naive": early | (~futile & naive)}
    stopped = np.where(early | futile, 0, 1).astype(np.intp)
    counts = np.stack([first, total], 1)
    inside = (np.arange(len(by_stage)) <= stopped[:, None])[..., None]
    stage_estimates = StageEstimates.of(stages.rule, [[estimate] for estimate in by_stage], inside)
    return _conducted(stages, claim, design, counts, planned, stopped, rejected, fixed, stage_estimates, compared)


def _conducted(
    stages: Stages,
    claim: StageClaim,
    design: SequentialDesign,
    counts: Counts,
    planned: Counts,
    stopped: NDArray[np.intp],
    rejected: NDArray[np.bool_],
    fixed: NDArray[np.bool_],
    stage_estimates: StageEstimates,
    compared: dict[str, NDArray[np.bool_]],
) -> StagedTrials:
    first = stages.day_of(counts[:, 0])
    followed = judged_day(stages.data.protocol, stages.data.protocol.endpoints.primary)
    # Nobody beyond the plan is enrolled before the look has asked for them; then they come as quickly as the others.
    waited = np.maximum(first - (stages.day_of(planned) - followed), 0.0)
    end = stages.day_of(counts[:, 1]) + np.where(counts[:, 1] > planned, waited, 0.0)
    days = np.stack([first, end], axis=1)
    by_look = (stages.data.enrolled & (stages.enrolment <= first[:, None])).sum(axis=1)
    enrolled = np.stack([np.minimum(by_look, planned), counts[:, 1]], axis=1).astype(float)
    sofar = [stages.estimate(claim, 0, counts[:, k]) for k in range(2)]
    plain = [
        np.take_along_axis(np.stack([getattr(x, name) for x in sofar], axis=1), stopped[:, None], 1)
        for name in ("effect", "low", "high")
    ]
    went_on = np.stack([np.ones(len(stopped), dtype=bool), stopped > 0], 1)[:, :, None]
    return StagedTrials(
        design, stages.rule, (claim,), plain[0], plain[1], plain[2], stage_estimates, 0.5, "Simes", went_on, days, enrolled, counts.astype(float), stopped, rejected[:, None], fixed, compared
    )  # fmt: skip


def _effect_size(data: TrialData, resize: Resize) -> float | None:
    """Return the assumed effect on the scale of the estimate, above 0; None where it is that of the first stage."""
    if resize.effect is None:
        return None
    endpoint = data.protocol.endpoints.primary
    code = None if endpoint.outcome is not None else endpoints.endpoint_code(endpoint)
    return margin_size(resize.effect, endpoint.summary, endpoint.method, code)


def _blinded(
    stages: Stages, resize: Resize, design: SequentialDesign, first: Counts, planned: Counts, most: Counts
) -> Counts:
    """Return sizes (R,) by the scatter of outcomes of the first patients, whatever their arm; never below the plan."""
    data = stages.data
    outcomes = endpoints.outcome(data, data.protocol.endpoints.primary)
    some = np.where((stages.order >= 0) & (stages.order < first[:, None]), outcomes, np.nan)
    effect = _effect_size(data, resize)
    assert effect is not None
    # Who has no outcome tells nothing: more are needed to hear of as many.
    told = np.maximum(np.isfinite(some).sum(axis=1) / first, 0.1)
    sizes = blinded_size(_residuals(data, some), effect, design, ratio=_ratio(data)) / told
    wanted = np.where(np.isfinite(sizes), np.ceil(sizes), planned)
    return np.clip(wanted, planned, most).astype(np.int64)


def _residuals(data: TrialData, outcomes: Array) -> Array:
    """Return outcomes (R, n) less what baseline and strata foretell, where the analysis adjusts for them; arms are not looked at."""
    endpoint = data.protocol.endpoints.primary
    if endpoint.method not in ("ANCOVA", "MMRM") or endpoint.outcome is not None:
        return outcomes
    code = endpoints.endpoint_code(endpoint)
    base = data.quantity(code).forward(data.base[code].astype(float))
    present = np.isfinite(outcomes) & np.isfinite(base)
    columns = [np.ones_like(base), base, *((data.stratum == k).astype(float) for k in range(1, len(data.strata)))]
    x = np.where(present[..., None], np.stack([np.nan_to_num(column) for column in columns], -1), 0.0)
    y = np.where(present, outcomes, 0.0)
    turned = np.swapaxes(x, -1, -2)
    beta = np.linalg.pinv(turned @ x, hermitian=True) @ (turned @ y[..., None])
    return np.where(present, y - (x @ beta)[..., 0], np.nan)


def _second(
    stages: Stages,
    claim: StageClaim,
    resize: Resize,
    design: SequentialDesign,
    first: Counts,
    planned: Counts,
    most: Counts,
    p_first: Array,
) -> Counts:
    """Return the patients (R,) of the second stage by what the first has shown."""
    from scipy.special import ndtri

    z = np.clip(-ndtri(p_first), -8.0, 8.0)
    effect, ratio = _effect_size(stages.data, resize), _ratio(stages.data)
    # The SD of each trial is that which the standard error of its first stage stands for.
    spread = stages.estimate(claim, 0, first).standard_error * np.sqrt(ratio) / (1 + ratio) * np.sqrt(first)
    with np.errstate(invalid="ignore"):
        standardised = None if effect is None else effect / spread
    sizes = np.empty(len(z))
    for n1, plan, top in {tuple(int(x) for x in row) for row in zip(first, planned, most, strict=True)}:
        here = (first == n1) & (planned == plan) & (most == top)
        sizes[here] = second_stage_size(
            z[here],
            design,
            planned=(float(n1), float(plan - n1)),
            effect=None if standardised is None else standardised[here],
            rule=resize.rule,
            power=resize.power,
            zone=resize.zone,
            most=float(top - n1),
            ratio=ratio,
        )
    return np.ceil(sizes - 1e-9).astype(np.int64)


def _ratio(data: TrialData) -> float:
    """Return the patients of the treated arm for one of the control."""
    from ..analysis.endpoints import comparisons

    pair, arms = comparisons(data.protocol, data.design)[0], data.protocol.designs[data.design].arms
    return arms[pair.treated] / arms[str(pair.control)]
