"""Sample size: power curves of smaller and larger trials, and sizes for a given power."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...therapies.scenarios import NONE
from ..analysis import endpoints
from ..analysis import estimators as analysis
from ..analysis.cox_regression import cox_regression
from ..analysis.endpoints import Comparison, comparisons
from ..protocol.analysis_keys import SLOPES, WINS
from ..protocol.endpoint_keys import trial_outcome_label
from . import replicate_summaries
from .power_analysis import (
    PowerCurve,
    adjusting,
    power_curve,
    randomised,
    sample_size,
    sample_size_of_events,
    sample_size_of_shares,
)
from .sizes_of_analyses import analysis_power, interleaved, power_rows, size_rows, usual_size
from .test_rules import rule_of
from .true_effects import truth

if TYPE_CHECKING:
    import pandas as pd

    from ..conduct.trial_data import TrialData
    from ..conduct.trial_run import TrialRun
    from ..protocol.endpoint_keys import Endpoint
    from ..protocol.protocol import Protocol

#: The scenario that the others are held against.
NULL = NONE
#: Name of the protocol's own way to measure, in `Assessment.power` and `Assessment.sizes`.
AS_WRITTEN = "as the protocol measures"
#: Days over which a total slope of eGFR may stand for the chronic one; assumed, two years.
SHORTEST_SLOPE = 730.0
BETTER_MEASURED = "three samples per visit, baseline averaged"


def tests_cells(protocol: Protocol, comparison: Comparison) -> bool:
    """Whether a comparison tells what cells do: one of the arms has them, the other has not, and nothing else differs."""
    if comparison.control is None:
        return False
    first, second = protocol.arms[comparison.treated], protocol.arms[comparison.control]
    alike = first.therapies == second.therapies and first.inputs == second.inputs
    return alike and first.cells is not None and second.cells is None


def title(endpoint: Endpoint, protocol: Protocol) -> str:
    """Return the name of an endpoint, made up from its parts where it has none."""
    visit = endpoints.endpoint_visit(protocol, endpoint)
    if endpoint.name:
        return endpoint.name
    if endpoint.outcome:
        return f"{' or '.join(trial_outcome_label(name) for name in endpoint.composite)} by {visit}"
    # An analysis of another measure is another endpoint of the same quantity.
    by = f" by {endpoint.method}" if endpoint.measure in WINS and endpoint.summary != "hierarchy" else ""
    return f"{endpoints.endpoint_code(endpoint)} {endpoint.summary} at {visit}{by}"


def power_and_sizes(run: TrialRun, larger: Mapping[str, TrialRun]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return power over the number of patients, and the patients needed for 80 and 90 % power, as tables.

    Parameters
    ----------
    larger
        Variant -> run of an `enlarged` protocol; the run itself where there is none.
    """
    import pandas as pd

    power: list[Any] = []
    sizes: list[Any] = []
    for variant, trial_run in (larger or {AS_WRITTEN: run}).items():
        for scenario in trial_run.scenarios:
            compared = _compared(trial_run.protocol)
            if compared is None or (compared[0], scenario) not in trial_run:
                continue
            design, comparison = compared
            data = trial_run[design, scenario]
            keys = {"variant": variant, "scenario": scenario, "design": data.design}
            keys |= {"treated": comparison.treated, "control": str(comparison.control)}
            asked = [("primary", trial_run.protocol.endpoints.primary)]
            asked += [("secondary", endpoint) for endpoint in trial_run.protocol.endpoints.secondary]
            for role, endpoint in asked:
                more = keys | {
                    "role": role,
                    "endpoint": title(endpoint, trial_run.protocol),
                    "quantity": endpoints.endpoint_code(endpoint),
                    "summary": endpoint.summary,
                    "measure": endpoint.measure,
                }
                none = scenario == NULL and tests_cells(trial_run.protocol, comparison)
                if not usual_size(endpoint, rule_of(trial_run.protocol.endpoints, endpoint)):
                    sized = analysis_power(data, endpoint, comparison)
                    power += power_rows(sized, more)
                    sizes += size_rows(sized, more, none, caution(data, endpoint, comparison))
                    continue
                if endpoint.summary in ("responders", "time to event"):
                    sizes += [more | row for row in count_sizes(data, endpoint, comparison, none)]
                    continue
                curve = curve_of(data, endpoint, comparison, truth(data, endpoint, comparison, None))
                power += [
                    more | {"n": n, "power": got.value, "power_low": got.low, "power_high": got.high, "smooth": smooth}
                    for n, got, smooth in zip(curve.n, curve.simulated, curve.smooth, strict=True)
                ]
                both = replicate_summaries.selected_patients(
                    data, comparison.treated
                ) | replicate_summaries.selected_patients(data, str(comparison.control))
                kept = np.isfinite(endpoints.outcome(data, endpoint)) & both
                lost = 1 - float(kept.sum() / both.sum()) if both.any() else float("nan")
                better = np.sign(curve.effect) == endpoints.better(endpoint)
                why = caution(data, endpoint, comparison)
                for wanted in (0.8, 0.9):
                    n = None if none or not better else patients_needed(data, endpoint, comparison, curve, wanted, lost)
                    sizes.append(
                        more
                        | {
                            "power": wanted,
                            "effect": curve.effect,
                            "error_of_effect": curve.error,
                            "sd": curve.sd,
                            "lost": lost,
                            "n": float("nan") if n is None else float(n),
                            "caution": why,
                        }
                    )
    return pd.DataFrame(power), pd.DataFrame(sizes)


def count_sizes(data: TrialData, endpoint: Endpoint, comparison: Comparison, none: bool) -> list[dict[str, Any]]:
    """Return the rows of `Assessment.sizes` of an endpoint that counts responders or events, all replicates taken as one trial.

    Parameters
    ----------
    none
        Whether there is no effect by scenario.
    """
    first, second = (
        replicate_summaries.selected_patients(data, arm).reshape(-1)
        for arm in (comparison.treated, str(comparison.control))
    )
    shares = data.protocol.designs[data.design].arms
    ratio = shares[comparison.treated] / shares[str(comparison.control)]
    lost = 0.0
    if endpoint.summary == "responders":
        outcomes = endpoints.outcome(data, endpoint).reshape(-1)
        treated, control = (_middle(outcomes[arm]) for arm in (first, second))
        effect, error = (
            treated - control,
            float(analysis.risk_difference(np.where(first | second, outcomes, np.nan), first).standard_error),
        )
        lost = 1 - float(np.isfinite(outcomes)[first | second].mean()) if (first | second).any() else float("nan")
    else:
        time, event = endpoints.times(data, endpoint)
        time, event = time.reshape(-1), event.reshape(-1)
        fit = cox_regression(np.where(first | second, time, np.nan), event & (first | second), [first]).estimate()
        effect, error = float(fit.effect[0]), float(fit.standard_error[0])
        treated, control = (float(event[arm].mean()) if arm.any() else float("nan") for arm in (first, second))
    rows = []
    alpha = two_sided(data.protocol)
    for power in (0.8, 0.9):
        n = None
        if not none and np.sign(effect) == endpoints.better(endpoint):
            if endpoint.summary == "responders":
                n = sample_size_of_shares(treated, control, power, alpha, ratio, lost)
            else:
                n = sample_size_of_events(effect, treated, control, power, alpha, ratio)
        rows.append(
            {
                "power": power,
                "effect": effect,
                "error_of_effect": error,
                "sd": float("nan"),
                "lost": lost,
                "n": float("nan") if n is None else float(_all_arms(data, comparison, n)),
                "caution": "",
            }
        )
    return rows


def _all_arms(data: TrialData, comparison: Comparison, control: int) -> int:
    """Return the patients of all arms of a design, from those of the control arm."""
    shares = data.protocol.designs[data.design].arms
    name = str(comparison.control)
    return randomised(control, [n / shares[name] for arm, n in shares.items() if arm != name])


def patients_needed(
    data: TrialData, endpoint: Endpoint, comparison: Comparison, curve: PowerCurve, power: float, lost: float
) -> int | None:
    """Return the patients to randomise to all arms of a design for a given power of one comparison, in the design's ratio."""
    shares = data.protocol.designs[data.design].arms
    control = str(comparison.control)
    base, strata = _covariates(data, endpoint)
    control_size = sample_size(
        curve.effect,
        curve.sd,
        power,
        two_sided(data.protocol),
        ratio=shares[comparison.treated] / shares[control],
        adjusted=adjusting(base, strata),
        lost=lost,
    )
    return None if control_size is None else _all_arms(data, comparison, control_size)


def caution(data: TrialData, endpoint: Endpoint, comparison: Comparison) -> str:
    """Return why an endpoint should not be chosen for the few patients that it needs; empty where nothing speaks against it.

    A change or total slope of eGFR adds the acute change to the chronic slope: over a short time, or where the two go in opposite
    directions, it is not what happens to the kidneys. An acute change is not what happens to them either, and a chronic slope needs time.
    """
    if endpoints.endpoint_code(endpoint) != "EGFR" or comparison.control is None:
        return ""
    if endpoint.summary not in ("change", "ratio", *SLOPES):
        return ""
    if endpoint.summary == "acute change":
        return "it is the acute, haemodynamic effect on eGFR, and says nothing of what is left of the kidneys"
    last = float(data.days[data.visit(endpoints.endpoint_visit(data.protocol, endpoint))])
    slopes = replicate_summaries.slope_difference(data, comparison.treated, str(comparison.control), until=last)
    means = {name: _middle(slope.effect) for name, slope in slopes.items()}
    acute, chronic = means.get("acute change", float("nan")), means.get("chronic slope", float("nan"))
    opposite = acute * chronic < 0 and all(_clear(slopes[name].effect) for name in ("acute change", "chronic slope"))
    if endpoint.summary == "chronic slope":
        return (
            ""
            if last >= SHORTEST_SLOPE
            else f"over {last / 30.4375:.0f} months it is a slope of few visits, mostly error"
        )
    if endpoint.summary in ("change", "ratio") and not opposite:
        return ""
    if not np.isfinite(chronic):
        return "its visits cannot tell the acute change of eGFR from the chronic slope"
    parts = (
        f"an acute change of {acute:+.1f} mL/min/1.73m2 and a chronic slope of {chronic:+.1f} mL/min/1.73m2 per year"
    )
    if opposite:
        return f"it adds up {parts}, which go in opposite directions"
    if last < SHORTEST_SLOPE:
        return f"over {last / 30.4375:.0f} months it is mostly acute: {parts}"
    return ""


def _clear(values: np.ndarray) -> bool:
    """Whether a mean over replicates is told from 0 by more than two Monte Carlo errors; one replicate tells what it does."""
    finite = values[np.isfinite(values)]
    return len(finite) < 2 or abs(float(finite.mean())) > 2.0 * float(finite.std(ddof=1)) / math.sqrt(len(finite))


def _middle(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")


def enlarged(protocol: Protocol, patients: int, replicates: int, samples: int = 1) -> Protocol | None:
    """Return the protocol with one design alone, the first that tests cells or else has a control, more patients, and better measurements.

    Parameters
    ----------
    samples
        Measurements per visit; above 1 the baseline is the mean of screening and enrolment, too.

    Returns
    -------
    Protocol or None
        None where no design has a control.
    """
    compared = _compared(protocol)
    if compared is None:
        return None
    name = compared[0]
    design = protocol.designs[name].model_copy(update={"patients": patients})
    changes: dict[str, Any] = {"designs": {name: design}, "replicates": replicates}
    if samples > 1:
        changes["designs"] = {name: design.model_copy(update={"baseline": "mean"})}
        changes["measurements"] = {
            code: measurement.model_copy(update={"samples": max(samples, measurement.samples)})
            for code, measurement in protocol.measurements.items()
        }
    return protocol.model_copy(update=changes)


def _compared(protocol: Protocol) -> tuple[str, Comparison] | None:
    """Return the design and comparison that sizes are for: the first that tests cells, else the first with a control."""
    every = [
        (name, comparison)
        for name in protocol.designs
        for comparison in comparisons(protocol, name)
        if comparison.control is not None
    ]
    return next((pair for pair in every if tests_cells(protocol, pair[1])), every[0] if every else None)


def curve_of(
    data: TrialData, endpoint: Endpoint, comparison: Comparison, truth: float = float("nan"), steps: int = 14
) -> PowerCurve:
    """Return power for trials of fewer patients, nested in those that were simulated: the first of every stratum, in proportion.

    Parameters
    ----------
    truth
        The true effect, for the curve without Monte Carlo error.
    """
    first = replicate_summaries.selected_patients(data, comparison.treated)
    both = first | replicate_summaries.selected_patients(data, str(comparison.control))
    outcomes = np.where(both, endpoints.outcome(data, endpoint), np.nan)
    base, strata = _covariates(data, endpoint)
    order = interleaved(np.asarray(data.stratum))
    y, arm = (np.take_along_axis(values, order, 1) for values in (outcomes, first.astype(float)))
    x, levels = (None if values is None else np.take_along_axis(values, order, 1) for values in (base, strata))
    sizes = [int(n) for n in np.unique(np.round(np.geomspace(min(12, data.patients), data.patients, steps)))]
    better = endpoints.better(endpoint)
    return power_curve(y, x, arm, sizes, levels, two_sided(data.protocol), better, truth)


def two_sided(protocol: Protocol) -> float:
    """Return the significance level of a protocol as that of a two-sided test, whose good side is what formulas of power count."""
    asked = protocol.endpoints
    return asked.alpha if asked.sides == 2 else 2 * asked.alpha


def _covariates(data: TrialData, endpoint: Endpoint) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return baseline and strata as the endpoint's analysis adjusts for them."""
    if endpoint.method != "ANCOVA":
        return None, None
    code = endpoints.endpoint_code(endpoint)
    base = data.quantity(code).forward(data.base[code].astype(float))
    return base, np.asarray(data.stratum) if len(data.strata) > 1 else None
