"""All numbers that a report of a trial gives, as tables: gathered once from a run, written and drawn by others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import MissingExtraError
from . import endpoints, findings, likelihood, survival
from .analysis import Estimate
from .endpoints import Comparison, analyse, comparisons
from .operating import PowerCurve, assurance, characteristics, power_curve, sample_size

if TYPE_CHECKING:
    import pandas as pd

    from .data import TrialData, TrialRun
    from .protocol import Endpoint, Protocol

#: The hypothesis that the others are held against.
NULL = "none"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Assessment:
    """What a run says.

    Attributes
    ----------
    results
        One row per design, hypothesis, comparison, stratum and endpoint: mean and range of the estimate over replicates, rate of
        significance, true effect of cells.
    courses
        One row per design, hypothesis, arm, stratum, quantity and visit: observed mean change, its range over replicates, true
        effect of cells.
    parts
        One row per design, hypothesis, arm, stratum and part of the observed change of the primary quantity.
    evidence
        One row per design and hypothesis: how much a reported improvement, and one of the typical size, speak for the hypothesis
        against `NULL`.
    patients
        Every patient of the typical trial of each design and hypothesis.
    free
        Kaplan-Meier curves of kidney failure or lasting fall of eGFR by 40 %, all replicates together.
    adverse, flow, slopes, baseline, remission
        Adverse events; screening and endings; eGFR slopes; characteristics at baseline; share whose UACR becomes normal.
    one_trial
        The typical trial of each controlled design as it would be published: covariance, mixed model, hazard ratio.
    power, sizes
        Power over the size of the trial; size for 80 and 90 % power.
    estimates
        The primary estimate of every replicate: (design, hypothesis) -> `Estimate` of the first comparison.
    """

    protocol: Protocol
    code: str
    visit: str
    better: int
    replicates: int
    results: pd.DataFrame
    courses: pd.DataFrame
    parts: pd.DataFrame
    evidence: pd.DataFrame
    patients: pd.DataFrame
    free: pd.DataFrame
    adverse: pd.DataFrame
    flow: pd.DataFrame
    slopes: pd.DataFrame
    baseline: pd.DataFrame
    remission: pd.DataFrame
    one_trial: pd.DataFrame
    power: pd.DataFrame
    sizes: pd.DataFrame
    estimates: Mapping[tuple[str, str], Estimate] = field(repr=False)

    def result(self, design: str, hypothesis: str, stratum: str = "all", endpoint: str = "primary") -> dict[str, Any]:
        """Return the first matching row of `results`; empty where there is none."""
        table = self.results
        keep = (table["design"] == design) & (table["hypothesis"] == hypothesis) & (table["stratum"] == stratum)
        rows = table[keep & (table["role"] == endpoint)].to_dict("records")
        return {str(key): value for key, value in rows[0].items()} if rows else {}

    def assurance(self, design: str) -> float:
        """Return the chance that a design shows a benefit if every hypothesis is held equally probable."""
        rows = [self.result(design, str(h)) for h in dict.fromkeys(self.results["hypothesis"])]
        return assurance([row["improved"] for row in rows], [1.0] * len(rows))

    @property
    def single(self) -> list[str]:
        """Designs without a control group."""
        return [name for name, design in self.protocol.designs.items() if not endpoints.controlled(design)]

    @property
    def controlled(self) -> list[str]:
        """Designs that compare cells with no cells."""
        return [
            name
            for name, design in self.protocol.designs.items()
            if endpoints.controlled(design)
            and any(tests_cells(self.protocol, each) for each in comparisons(self.protocol, name))
        ]


def tests_cells(protocol: Protocol, comparison: Comparison) -> bool:
    """Whether a comparison tells what cells do: only one of the arms has them."""
    if comparison.control is None:
        return False
    first, second = protocol.arms[comparison.treated], protocol.arms[comparison.control]
    return first.cells is not None and second.cells is None


def assess(
    run: TrialRun,
    larger: Mapping[str, TrialRun] | None = None,
    replicates_of_parts: int = 300,
    progress: Progress | None = None,
) -> Assessment:
    """Gather every number of a run.

    Parameters
    ----------
    larger
        Variant -> run of `enlarged` protocols, for power over size; the run itself by default.
    replicates_of_parts
        Replicates from which courses, true effects and parts of changes are averaged, which costs most of the time.
    """
    import pandas as pd

    protocol = run.protocol
    primary = protocol.endpoints.primary
    rows: dict[str, list[Any]] = {
        name: []
        for name in (
            "results",
            "courses",
            "parts",
            "patients",
            "free",
            "adverse",
            "flow",
            "slopes",
            "baseline",
            "remission",
            "one_trial",
        )
    }
    estimates: dict[tuple[str, str], Estimate] = {}
    for number, ((design, hypothesis), whole) in enumerate(run.items()):
        if progress is not None:
            progress(f"{design}, {hypothesis}", number, len(run))
        data = findings.remembered(whole)
        place = {"design": design, "hypothesis": hypothesis}
        first = comparisons(protocol, design)[0]
        estimates[design, hypothesis] = analyse(data, primary, first)
        rows["one_trial"] += _one_trial(whole, place, findings.typical(estimates[design, hypothesis]))
        some = data.select(range(min(replicates_of_parts, data.replicates)))
        rows["courses"] += _courses(some, place)
        rows["parts"] += _parts(some, place)
        rows["results"] += _results(data, some, place)
        rows["patients"].append(_patients(data, place, findings.typical(estimates[design, hypothesis])))
        rows["free"] += _free(data, place)
        rows["adverse"] += _adverse(data, place)
        rows["flow"].append(place | _flow(data))
        rows["slopes"] += _slopes(data, place)
        rows["remission"] += _remission(some, place)
        if hypothesis == next(iter(run.hypotheses)):
            rows["baseline"] += _baseline(data, design)
    tables = {name: pd.DataFrame(found) for name, found in rows.items() if name != "patients"}
    power, sizes = _power(run, larger or {})
    return Assessment(
        protocol=protocol,
        code=endpoints.code(primary),
        visit=endpoints.visit(protocol, primary),
        better=endpoints.better(primary),
        replicates=next(iter(run.values())).replicates,
        patients=pd.concat(rows["patients"], ignore_index=True),
        evidence=pd.DataFrame(_evidence(run, estimates)),
        power=power,
        sizes=sizes,
        estimates=estimates,
        **tables,
    )


def _groups(data: TrialData) -> list[str | None]:
    return [None, *data.strata] if len(data.strata) > 1 else [None]


def _results(data: TrialData, some: TrialData, place: dict[str, str]) -> list[Any]:
    protocol = data.protocol
    rows: list[Any] = []
    asked = [("primary", protocol.endpoints.primary), *(("secondary", each) for each in protocol.endpoints.secondary)]
    for role, endpoint in asked:
        for comparison in comparisons(protocol, data.design):
            for stratum in _groups(data):
                found = analyse(data, endpoint, comparison, stratum)
                sign = endpoints.better(endpoint)
                summary = characteristics(found, better=sign)
                rates = {
                    "significant": summary["significant"],
                    "improved": summary["significant and better"],
                }
                rows.append(
                    place
                    | {
                        "treated": comparison.treated,
                        "control": comparison.control or "",
                        "tests_cells": tests_cells(protocol, comparison),
                        "stratum": stratum or "all",
                        "role": role,
                        "endpoint": title(endpoint, protocol),
                        "quantity": endpoints.code(endpoint),
                        "summary": endpoint.summary,
                        "visit": endpoints.visit(protocol, endpoint),
                        "n": float(np.nanmean(found.n)),
                        **{key: summary[key] for key in ("mean", "spread", "low", "high")},
                        "truth": _truth(some, endpoint, comparison, stratum),
                    }
                    | {
                        f"{name}{suffix}": getattr(value, attribute)
                        for name, value in rates.items()
                        for suffix, attribute in (("", "value"), ("_low", "low"), ("_high", "high"))
                    }
                )
    return rows


def title(endpoint: Endpoint, protocol: Protocol) -> str:
    """Return the name of an endpoint, made up from its parts where it has none."""
    return endpoint.name or f"{endpoints.code(endpoint)} {endpoint.summary} at {endpoints.visit(protocol, endpoint)}"


def _truth(data: TrialData, endpoint: Endpoint, comparison: Comparison, stratum: str | None) -> float:
    """Return the mean true effect of cells in the treated less the control arm; NaN for endpoints that are no change."""
    if endpoint.summary not in ("change", "ratio") or (
        endpoint.summary == "ratio" and data.quantity(endpoints.code(endpoint)).scale != "log"
    ):
        return float("nan")
    code, visit = endpoints.code(endpoint), endpoints.visit(data.protocol, endpoint)
    effect = findings.true_effect(data, code, visit, comparison.treated, stratum)
    if comparison.control is not None:
        effect = effect - findings.true_effect(data, code, visit, comparison.control, stratum)
    return float(np.nanmean(effect)) if np.isfinite(effect).any() else float("nan")


def _one_trial(data: TrialData, place: dict[str, str], replicate: int) -> list[Any]:
    """Return the analyses of one trial; the mixed model only where statsmodels is installed."""
    endpoint = data.protocol.endpoints.primary
    one = data.select([replicate])
    rows: list[Any] = []
    for comparison in comparisons(data.protocol, data.design):
        if comparison.control is None or endpoint.summary not in ("change", "ratio"):
            continue
        found = {"analysis of covariance": analyse(one, endpoint, comparison)}
        with suppress(MissingExtraError):
            found["mixed model of all visits"] = _mixed(one, endpoint, comparison)
        rows += [
            place
            | {"replicate": replicate, "treated": comparison.treated, "control": comparison.control, "analysis": name}
            | {"quantity": endpoints.code(endpoint), **each.at(0)}
            for name, each in found.items()
        ]
        if "EGFR" in data.codes:
            time, event = findings.kidney_events(one)
            first, second = (findings.chosen(one, arm) for arm in (comparison.treated, comparison.control))
            hazard = survival.cox(np.where(first | second, time, np.nan), event, first.astype(float))
            if np.isfinite(hazard.effect).all():
                more = {"replicate": replicate, "treated": comparison.treated, "control": comparison.control}
                rows.append(place | more | {"analysis": "hazard of a kidney event", "quantity": "EGFR", **hazard.at(0)})
    return rows


def _mixed(one: TrialData, endpoint: Endpoint, comparison: Comparison) -> Estimate:
    """Return the mixed model of all visits up to that of the endpoint in one trial."""
    import pandas as pd

    from .models import repeated

    code = endpoints.code(endpoint)
    last = one.visit(endpoints.visit(one.protocol, endpoint))
    after = [v for v in range(last + 1) if one.days[v] > 0]
    first = findings.chosen(one, comparison.treated)[0]
    keep = first | findings.chosen(one, str(comparison.control))[0]
    change = one.change(code)[0][:, after]
    base = one.quantity(code).forward(one.base[code][0].astype(float))
    rows = np.flatnonzero(keep)
    table = pd.DataFrame(
        {
            "patient": np.repeat(rows, len(after)),
            "treated": np.repeat(first[rows].astype(float), len(after)),
            "day": np.tile(one.days[after], len(rows)),
            "value": change[rows].reshape(-1),
            "base": np.repeat(base[rows], len(after)),
        }
    )
    return repeated(table, float(one.days[last]))


def _courses(data: TrialData, place: dict[str, str]) -> list[Any]:
    rows: list[Any] = []
    visits = [name for name, day in zip(data.visits, data.days, strict=True) if day > 0]
    for arm in data.arms:
        for stratum in _groups(data):
            for code in data.codes:
                table = findings.apparent(data, code, visits, arm, stratum)
                key = place | {"arm": arm, "stratum": stratum or "all", "quantity": code}
                rows += [key | row for row in table.to_dict("records")]
    return rows


def _parts(data: TrialData, place: dict[str, str]) -> list[Any]:
    endpoint = data.protocol.endpoints.primary
    code, visit = endpoints.code(endpoint), endpoints.visit(data.protocol, endpoint)
    rows: list[Any] = []
    for arm in data.arms:
        for stratum in _groups(data):
            table = findings.parts(data, code, visit, arm, stratum)
            key = place | {"arm": arm, "stratum": stratum or "all", "quantity": code, "visit": visit}
            rows += [key | {"part": part, **row} for part, row in table.to_dict("index").items()]
    return rows


def _patients(data: TrialData, place: dict[str, str], replicate: int) -> Any:
    """Return the patients of one trial: what was seen in each, and every part of it."""
    import pandas as pd

    endpoint = data.protocol.endpoints.primary
    code, visit = endpoints.code(endpoint), endpoints.visit(data.protocol, endpoint)
    one = data.select([replicate])
    v = one.visit(visit)
    table = pd.DataFrame(
        {
            **place,
            "replicate": replicate,
            "patient": np.arange(one.patients),
            "arm": np.array(one.arms, dtype=object)[one.arm[0]],
            "stratum": np.array(one.strata, dtype=object)[one.stratum[0]],
            "base": one.base[code][0].astype(float),
            "value": one.observed[code][0, :, v].astype(float),
            "change": one.change(code)[0, :, v],
            "true_effect_of_cells": one.effect(code)[0, :, v],
            **{name.replace(" ", "_"): values[0, :, v] for name, values in one.parts(code).items()},
        }
    )
    return table.loc[one.enrolled[0]]


def _free(data: TrialData, place: dict[str, str]) -> list[Any]:
    if "EGFR" not in data.codes or (data.days > 0).sum() < 2:
        return []
    time, event = findings.kidney_events(data)
    rows: list[Any] = []
    for arm in data.arms:
        keep = findings.chosen(data, arm).reshape(-1)
        curve = survival.kaplan_meier(time.reshape(-1), event.reshape(-1), keep)
        # One trial's interval, not that of all replicates together: what a reader of one trial would see.
        one = findings.chosen(data, arm)[0]
        first = survival.kaplan_meier(time[0], event[0], one)
        near = np.searchsorted(first.days, curve.days, side="right") - 1
        for k, day in enumerate(curve.days):
            rows.append(
                place
                | {
                    "arm": arm,
                    "day": float(day),
                    "free": float(curve.free[k]),
                    "one_trial": float(first.free[near[k]]),
                    "one_trial_low": float(first.low[near[k]]),
                    "one_trial_high": float(first.high[near[k]]),
                    "at_risk_per_trial": float(curve.at_risk[k]) / data.replicates,
                }
            )
    return rows


def _remission(data: TrialData, place: dict[str, str]) -> list[Any]:
    """Return the share with UACR below 30 mg/g among those at or above it at baseline: as measured, and in truth."""
    if "UACR" not in data.codes:
        return []
    rows: list[Any] = []
    visit = data.visits[int(np.argmax(data.days))]
    true = data.true("UACR")
    for arm in data.arms:
        for stratum in _groups(data):
            keep = findings.chosen(data, arm, stratum) & (data.base["UACR"] >= 30)
            final = true[:, :, data.visit(visit)]
            seen = keep & np.isfinite(final)
            rows.append(
                place
                | {
                    "arm": arm,
                    "stratum": stratum or "all",
                    "visit": visit,
                    "measured": float(np.nanmean(findings.remission(data, visit, arm, stratum)))
                    if keep.any()
                    else float("nan"),
                    "true": float((final[seen] < 30).mean()) if seen.any() else float("nan"),
                }
            )
    return rows


def _adverse(data: TrialData, place: dict[str, str]) -> list[Any]:
    rows: list[Any] = []
    for arm in data.arms:
        rows += [place | {"arm": arm} | row for row in findings.adverse(data, arm).to_dict("records")]
    return rows


def _flow(data: TrialData) -> dict[str, Any]:
    enrolled = data.enrolled
    n = enrolled.sum()
    return {
        "screened": float(data.screened.mean()),
        "enrolled": float(enrolled.sum(1).mean()),
        "completed": float(((data.ending == 0) & enrolled).sum() / n),
        "dropped_out": float(((data.ending == 1) & enrolled).sum() / n),
        "died": float(((data.ending == 2) & enrolled).sum() / n),
        "rescued": float((np.isfinite(data.rescued) & enrolled).sum() / n),
    }


def _slopes(data: TrialData, place: dict[str, str]) -> list[Any]:
    if "EGFR" not in data.codes:
        return []
    rows: list[Any] = []
    for comparison in comparisons(data.protocol, data.design):
        if comparison.control is None:
            continue
        for name, found in findings.slope_difference(data, comparison.treated, comparison.control).items():
            summary = characteristics(found, better=1)
            rows.append(
                place
                | {
                    "treated": comparison.treated,
                    "control": comparison.control,
                    "slope": name,
                    "unit": "mL/min/1.73m2" + ("" if name == "acute change" else "/year"),
                    **{key: summary[key] for key in ("mean", "low", "high")},
                    "significant": summary["significant"].value,
                }
            )
    return rows


def _baseline(data: TrialData, design: str) -> list[Any]:
    """Return characteristics of those enrolled, all replicates together."""
    people = data.people(range(min(data.replicates, 200)))
    rows: list[Any] = []
    columns = {name: name for name in data.pool.people if name in people}
    columns |= {code: f"BASE_{code}" for code in data.codes}
    groups = [("all", people), *((s, people[people["stratum"] == s]) for s in data.strata if len(data.strata) > 1)]
    for stratum, part in groups:
        for name, column in columns.items():
            values = part[column].to_numpy(dtype=float)
            values = values[np.isfinite(values)]
            if not len(values):
                continue
            low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
            rows.append(
                {
                    "design": design,
                    "stratum": stratum,
                    "quantity": name,
                    "mean": float(values.mean()),
                    "sd": float(values.std(ddof=1)) if len(values) > 1 else float("nan"),
                    "median": float(middle),
                    "lower_quartile": float(low),
                    "upper_quartile": float(high),
                }
            )
    return rows


def _evidence(run: TrialRun, estimates: Mapping[tuple[str, str], Estimate]) -> list[Any]:
    """Return what a report of improvement, and a result of typical size, say for each hypothesis against `NULL`."""
    if NULL not in run.hypotheses:
        return []
    better = endpoints.better(run.protocol.endpoints.primary)
    rows: list[Any] = []
    for design in run.designs:
        first = comparisons(run.protocol, design)[0]
        if first.control is not None and not tests_cells(run.protocol, first):
            continue
        null = estimates[design, NULL]
        for hypothesis in run.hypotheses:
            if hypothesis == NULL:
                continue
            mine = estimates[design, hypothesis]
            improved = [_improved(each, better) for each in (mine, null)]
            if not all(np.isfinite(each).any() for each in improved):
                continue
            report = likelihood.of_report(*improved)
            middle = float(np.nanmedian(mine.effect))
            rows.append(
                {
                    "design": design,
                    "controlled": first.control is not None,
                    "hypothesis": hypothesis,
                    "reported_if_true": report.first.value,
                    "reported_if_nothing": report.second.value,
                    "ratio": report.ratio,
                    "ratio_low": report.low,
                    "ratio_high": report.high,
                    "words": report.words,
                    "typical_result": middle,
                    "ratio_of_typical": float(likelihood.of_result(middle, mine.effect, null.effect)[0]),
                    "belief_from_half": likelihood.belief(0.5, report.ratio),
                    "belief_from_tenth": likelihood.belief(0.1, report.ratio),
                }
            )
    return rows


def _improved(found: Estimate, better: int) -> np.ndarray:
    return np.where(np.isfinite(found.p), (found.p < 0.05) & (np.sign(found.effect) == better), np.nan)


def _power(run: TrialRun, larger: Mapping[str, TrialRun]) -> tuple[pd.DataFrame, pd.DataFrame]:
    import pandas as pd

    power: list[Any] = []
    sizes: list[Any] = []
    for variant, each in (larger or {AS_WRITTEN: run}).items():
        for hypothesis in each.hypotheses:
            data = _controlled(each, hypothesis)
            if data is None:
                continue
            place = {"variant": variant, "hypothesis": hypothesis, "design": data.design}
            asked = [("primary", each.protocol.endpoints.primary)]
            asked += [("secondary", endpoint) for endpoint in each.protocol.endpoints.secondary]
            for role, endpoint in asked:
                if endpoint.summary not in ("change", "ratio", "slope"):
                    continue
                more = place | {
                    "role": role,
                    "endpoint": title(endpoint, each.protocol),
                    "quantity": endpoints.code(endpoint),
                }
                comparison = next(c for c in comparisons(each.protocol, data.design) if tests_cells(each.protocol, c))
                curve = curve_of(data, endpoint, comparison, _truth(data, endpoint, comparison, None))
                power += [
                    more | {"n": n, "power": got.value, "power_low": got.low, "power_high": got.high, "smooth": smooth}
                    for n, got, smooth in zip(curve.n, curve.simulated, curve.smooth, strict=True)
                ]
                lost = 1 - float(np.isfinite(endpoints.outcome(data, endpoint)).sum() / data.enrolled.sum())
                better = np.sign(curve.effect) == endpoints.better(endpoint)
                for wanted in (0.8, 0.9):
                    half = sample_size(curve.effect, curve.sd, wanted, adjusted=1, lost=lost)
                    none = hypothesis == NULL or not better or half is None
                    sizes.append(
                        more
                        | {
                            "power": wanted,
                            "effect": curve.effect,
                            "error_of_effect": curve.error,
                            "sd": curve.sd,
                            "lost": lost,
                            "n": float("nan") if none or half is None else 2.0 * half,
                        }
                    )
    return pd.DataFrame(power), pd.DataFrame(sizes)


#: Name of the protocol's own way to measure, in `Assessment.power` and `Assessment.sizes`.
AS_WRITTEN = "as the protocol measures"
BETTER_MEASURED = "three samples per visit, baseline averaged"


def enlarged(protocol: Protocol, patients: int, replicates: int, samples: int = 1) -> Protocol | None:
    """Return the protocol with its first design that tests cells alone, more patients, and better measurements.

    Parameters
    ----------
    samples
        Measurements per visit; above 1 the baseline is the mean of screening and enrolment, too.

    Returns
    -------
    Protocol or None
        None where no design tests cells.
    """
    names = [name for name in protocol.designs if _cells(protocol, name) is not None]
    if not names:
        return None
    design = protocol.designs[names[0]].model_copy(update={"patients": patients})
    changes: dict[str, Any] = {"designs": {names[0]: design}, "replicates": replicates}
    if samples > 1:
        changes["designs"] = {names[0]: design.model_copy(update={"baseline": "mean"})}
        changes["measurements"] = {
            name: each.model_copy(update={"samples": max(samples, each.samples)})
            for name, each in protocol.measurements.items()
        }
    return protocol.model_copy(update=changes)


def _controlled(run: TrialRun, hypothesis: str) -> TrialData | None:
    for design in run.designs:
        if _cells(run.protocol, design) is not None:
            return run[design, hypothesis]
    return None


def _cells(protocol: Protocol, design: str) -> Comparison | None:
    return next((each for each in comparisons(protocol, design) if tests_cells(protocol, each)), None)


def curve_of(
    data: TrialData, endpoint: Endpoint, comparison: Comparison, truth: float = float("nan"), steps: int = 14
) -> PowerCurve:
    """Return power for trials of fewer patients, nested in those that were simulated: the first of every stratum, in proportion.

    Parameters
    ----------
    truth
        The true effect, for the curve without Monte Carlo error.
    """
    code = endpoints.code(endpoint)
    first = findings.chosen(data, comparison.treated)
    both = first | findings.chosen(data, str(comparison.control))
    found = np.where(both, endpoints.outcome(data, endpoint), np.nan)
    base = data.quantity(code).forward(data.base[code].astype(float))
    order = _interleaved(np.asarray(data.stratum))
    y, x, arm, levels = (
        np.take_along_axis(values, order, 1) for values in (found, base, first.astype(float), np.asarray(data.stratum))
    )
    strata = levels if len(data.strata) > 1 else None
    sizes = [int(n) for n in np.unique(np.round(np.geomspace(12, data.patients, steps)))]
    better = endpoints.better(endpoint)
    return power_curve(y, x, arm, sizes, strata, better=better, truth=truth)


def _interleaved(stratum: np.ndarray) -> np.ndarray:
    """Return an order of each replicate's patients in which every beginning has the strata in proportion."""
    rank = np.zeros(stratum.shape)
    for code in np.unique(stratum):
        mine = stratum == code
        rank += np.where(mine, (np.cumsum(mine, 1) - 0.5) / np.maximum(mine.sum(1, keepdims=True), 1), 0.0)
    return np.argsort(rank, axis=1, kind="stable")
