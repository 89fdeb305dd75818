"""How results are drawn when they are asked for `.plot()`: with the figures of the reports where these have one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.errors import ConfigError, Problem, not_among
from ..report.common.figures import GREY, PALETTE, STYLES, axis_label, drawable, new_figure, styled, time_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..claims.ledger import Ledger
    from ..engine.ensemble_result import EnsembleResult
    from ..engine.ensemble_summary import EnsembleSummary
    from ..engine.scipy.simulation_result import Result
    from ..evidence.records.registry import Registry
    from ..evidence.synthesis.pooled import Pooled
    from ..model import Model, ParameterTable
    from ..patients.cohorts.reweight import SelectedCohort
    from ..patients.library import Library
    from ..trials.conduct.trial_data import TrialData
    from ..trials.conduct.trial_run import TrialRun
    from ..trials.operating.size_search import SizedTrial
    from ..trials.protocol.protocol import Protocol
    from ..validation.predictions.campaign import Confrontation
    from ..validation.scorecard.scorecard import Scorecard

#: Panels of one figure that can be read, panels in one row, bars of one figure.
_PANELS, _ACROSS, _BARS = 36, 3, 30


def plot(result: Any, **options: Any) -> Figure:
    """Return the figure of a result; see the function of its kind for the options."""
    for kind in type(result).__mro__:
        if kind.__name__ in _PLOTS:
            return _PLOTS[kind.__name__](result, **options)
    raise ConfigError(Problem("nothing-to-draw", f"there is no figure of a {type(result).__name__}"))


def draw_dependencies(assembled: Model) -> Figure:
    """Draw which submodel (row) reads how many quantities of which other (column)."""
    from ..model.printing.document_layout import sheet_of
    from ..model.printing.graph import submodel_graph

    graph = submodel_graph(sheet_of(assembled))
    names = list(graph.nodes)
    counts = np.zeros((len(names), len(names)))
    for (giver, reader), carried in graph.edges.items():
        counts[names.index(reader), names.index(giver)] = len(carried)
    with styled():
        size = 2.4 + 0.24 * len(names)
        figure = new_figure(size, size)
        axes = figure.add_subplot()
        axes.grid(False)
        axes.imshow(np.where(counts > 0, np.log1p(counts), np.nan), cmap="Blues", vmin=0.0)
        for reader, giver in np.argwhere(counts > 0):
            axes.text(giver, reader, f"{counts[reader, giver]:.0f}", ha="center", va="center", fontsize=6.5)
        axes.set_xticks(range(len(names)), [drawable(name) for name in names], rotation=90, fontsize=7)
        axes.set_yticks(range(len(names)), [drawable(name) for name in names], fontsize=7)
        axes.set_xlabel("gives")
        axes.set_ylabel("reads")
        axes.set_title(f"{drawable(assembled.name)}: quantities passed between submodels", loc="left")
    return figure


def parameters(table: ParameterTable) -> Figure:
    """Draw how many parameters have which role, by grade."""
    rows = list(table.values())
    if not rows:
        raise ConfigError(Problem("nothing-to-draw", "the table has no rows"))
    grades = ("A", "B", "C", "D", "")
    roles = [role for role, _ in Counter(row.role for row in rows).most_common()]
    counts = {g: [sum(r.role == role and r.grade == g for r in rows) for role in roles] for g in grades}
    return _stacked(roles, {f"grade {g}" if g else "no grade": c for g, c in counts.items() if any(c)}, "parameters")


def result(
    simulated: Result,
    outputs: Sequence[str] | None = None,
    against: Mapping[str, Result] | None = None,
    label: str = "this",
    title: str = "",
) -> Figure:
    """Draw every column of a simulation, or those named in `outputs`, over time.

    `against` are other simulations by the name that they have in the figure, such as ``{"untreated": other}``, and `label` is the name
    of this one beside them; of each output they have in common the curves stand in one panel.
    """
    from dataclasses import replace

    from ..report.common.figures import result_figure

    columns = [str(name) for name in simulated.table.columns]
    if not against:
        names = _chosen(outputs, columns)
        return result_figure(replace(simulated, courses=simulated.courses.of(names)), simulated.time_unit, title)[0]
    others = dict(against)
    names = _chosen(outputs, [name for name in columns if all(name in other.table for other in others.values())])
    last = max(other.table.index[-1] for other in (simulated, *others.values()))
    scale, time = time_axis(last, simulated.time_unit)

    def paint(axes: Axes, name: str) -> None:
        for number, (said, other) in enumerate({label: simulated, **others}.items()):
            axes.plot(
                other.table.index / scale,
                other.table[name],
                color=PALETTE[number % len(PALETTE)],
                ls=STYLES[number % len(STYLES)],
                label=said,
            )
        axes.set_title(drawable(str(simulated.dictionary.loc[name, "label"] or name)), loc="left", fontsize=8.5)
        axes.set_ylabel(drawable(axis_label(name, simulated.units[name])))
        axes.set_xlabel(time)
        if name == names[0]:
            axes.legend(fontsize=7)

    return _panels(names, paint, title)


def draw_ensemble(patients: EnsembleResult, outputs: Sequence[str] | None = None, title: str = "") -> Figure:
    """Draw the median and the central 90 % of patients over time, for every output or those named in `outputs`."""
    names = _chosen(outputs, patients.names)
    scale, time = time_axis(patients.times[-1], patients.time_unit)
    times = patients.times / scale

    def paint(axes: Axes, name: str) -> None:
        values = patients.values[:, :, patients.names.index(name)]
        with_values = np.isfinite(values).any(axis=0)
        low, middle, high = np.nanquantile(values[:, with_values], [0.05, 0.5, 0.95], axis=0)
        axes.fill_between(times[with_values], low, high, color=PALETTE[0], alpha=0.2, linewidth=0)
        axes.plot(times[with_values], middle, color=PALETTE[0])
        axes.set_ylabel(drawable(axis_label(name, patients.units[name])))
        axes.set_xlabel(time)

    return _panels(names, paint, title or "median and central 90 % of patients")


def draw_moments(summary: EnsembleSummary, outputs: Sequence[str] | None = None, title: str = "") -> Figure:
    """Draw mean and standard deviation of each group over time, for every output or those named in `outputs`."""
    names = _chosen(outputs, summary.names)
    scale, time = time_axis(summary.times[-1], summary.time_unit)

    def paint(axes: Axes, name: str) -> None:
        column = summary.names.index(name)
        for number, (label, mean, sd) in enumerate(zip(summary.groups, summary.mean, summary.sd, strict=True)):
            middle, spread, color = mean[:, column], sd[:, column], PALETTE[number % len(PALETTE)]
            axes.fill_between(summary.times / scale, middle - spread, middle + spread, color=color, alpha=0.2, lw=0)
            axes.plot(summary.times / scale, middle, color=color, ls=STYLES[number % len(STYLES)], label=str(label))
        axes.set_ylabel(drawable(axis_label(name, summary.units[name])))
        axes.set_xlabel(time)
        if len(summary.groups) > 1 and name == names[0]:
            axes.legend(fontsize=7)

    return _panels(names, paint, title or "mean and standard deviation of patients")


_SHOWN = ("age", "duration", "bmi", "hba1c", "sbp", "egfr", "uacr", "c_peptide", "fpg")
_LOGARITHMIC = ("uacr",)


def library(patients: Library | SelectedCohort, columns: Sequence[str] | None = None, title: str = "") -> Figure:
    """Draw how the main characteristics of patients, or those named in `columns`, are distributed."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    table = patients.table
    names = [n for n in _SHOWN if n in table] if columns is None else _chosen(columns, [str(n) for n in table.columns])

    def paint(axes: Axes, name: str) -> None:
        values = table[name].dropna().to_numpy(dtype=float)
        if name in _LOGARITHMIC and values.size and values.min() > 0:
            axes.hist(values, bins=list(np.geomspace(values.min(), values.max() * 1.0001, 31)), color=PALETTE[0])
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.xaxis.set_minor_formatter(NullFormatter())
        else:
            axes.hist(values, bins=30, color=PALETTE[0])
        axes.set_xlabel(drawable(axis_label(name, patients.units.get(name, ""))))
        axes.set_ylabel("patients")

    return _panels(names, paint, title)


def protocol(plan: Protocol) -> Figure:
    """Draw the schedule: visits with their windows, and what every arm gets when."""
    last = max(plan.days)
    with styled():
        figure = new_figure(7.0, 1.5 + 0.35 * len(plan.arms))
        axes = figure.add_subplot()
        for visit in plan.visits:
            axes.axvline(visit.day, color=GREY, linewidth=0.8)
            axes.axvspan(visit.day - visit.window, visit.day + visit.window, color=GREY, alpha=0.15, linewidth=0)
        for row, (name, arm) in enumerate(plan.arms.items()):
            for therapy in arm.therapies:
                stop = last if therapy.stop is None else therapy.stop
                axes.plot([therapy.start, stop], [row, row], color=PALETTE[0], linewidth=6, solid_capstyle="butt")
            if arm.cells is not None:
                axes.plot([0.0], [row], marker="D", color=PALETTE[1], markersize=7)
            treatments = [therapy.therapy for therapy in arm.therapies] + ([arm.cells] if arm.cells else [])
            text = f"{arm.label or name}: {', '.join(treatments) or 'placebo' if arm.placebo or treatments else 'as before'}"
            axes.annotate(drawable(text), (0, row), xytext=(4, 7), textcoords="offset points", fontsize=7.5)
        axes.set_yticks(range(len(plan.arms)), [drawable(name) for name in plan.arms])
        axes.set_ylim(len(plan.arms) - 0.4, -0.8)
        axes.grid(False)
        axes.set_xlabel("days from enrolment; lines are visits, shaded their windows")
        axes.set_title(drawable(plan.title), loc="left")
    return figure


def trial(run: TrialRun, quantity: str | None = None) -> Figure:
    """Draw the mean measured course of every arm under every scenario, with the central 95 % of trials.

    `quantity` is a PARAMCD, such as ``UACR``; by default that of the primary endpoint.
    """
    from ..observables.quantities import code_of
    from ..report.common.drawing import colour
    from ..trials.analysis.endpoints import described_code

    first = next(iter(run.values()))
    code = code_of(quantity) if quantity else described_code(run.protocol, run.protocol.endpoints.primary)
    if code not in first.codes:
        raise ConfigError(not_among(first.codes, "unknown-quantity", f"the trial measures no {quantity!r}", code))
    keys = [(design, arm) for design in run.designs for arm in run[design, run.scenarios[0]].arms]

    def paint(axes: Axes, key: tuple[str, str]) -> None:
        design, arm = key
        for scenario in run.scenarios:
            data = run[design, scenario]
            days, low, middle, high = _course(data, code, arm)
            axes.fill_between(days, low, high, color=colour(scenario), alpha=0.15, linewidth=0)
            axes.plot(days, middle, color=colour(scenario), label=scenario)
        unit = first.quantity(code).unit
        axes.set_title(drawable(arm if len(run.designs) == 1 else f"{design}, {arm}"), loc="left")
        axes.set_ylabel(drawable(axis_label(code, unit)))
        axes.set_xlabel("days from enrolment")
        if key == keys[0] and len(run.scenarios) > 1:
            axes.legend(fontsize=7)

    return _panels(keys, paint, drawable(run.protocol.title))


def _course(data: TrialData, code: str, arm: str) -> tuple[Any, Any, Any, Any]:
    """Return days, and quantiles over replicates of the mean (of ratios the geometric mean) of an arm at each visit."""
    in_arm = ((data.arm == data.arms.index(arm)) & data.enrolled)[:, :, None]
    quantity = data.quantity(code)
    values = quantity.forward(data.observed[code].astype(np.float64))
    measured = in_arm & np.isfinite(values)
    counts = measured.sum(axis=1)
    sums = np.where(measured, values, 0.0).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(counts > 0, sums / counts, np.nan)
    with_values = np.isfinite(means).any(axis=0)
    low, middle, high = np.nanquantile(means[:, with_values], [0.025, 0.5, 0.975], axis=0)
    return data.days[with_values], quantity.backward(low), quantity.backward(middle), quantity.backward(high)


def draw_endpoints(evidence: Registry) -> Figure:
    """Draw how many published numbers there are of the commonest endpoints."""
    counts = Counter(record.endpoint for record in evidence.records).most_common(_BARS)
    return _stacked([name for name, _ in counts], {"": [count for _, count in counts]}, "published numbers")


def pooled(estimate: Pooled, title: str = "", favours: int = 0) -> Figure:
    """Draw the forest plot; `favours` is -1 where lower values are better, 1 where higher ones are, 0 to say nothing of it."""
    from ..report.common.forest import forest_figure

    return forest_figure(estimate, title, favours)[0]


def draw_verdicts(claims: Ledger) -> Figure:
    """Draw how many claims about cells, and about diabetes, have which verdict."""
    from ..claims.claim_verdict import VERDICTS

    kinds = list(dict.fromkeys(entry.claim.about for entry in claims))
    pairs = Counter((entry.claim.about, entry.verdict.verdict) for entry in claims)
    counts = {f"claims about {kind}": [pairs[kind, verdict] for verdict in VERDICTS] for kind in kinds}
    return _stacked(list(VERDICTS), counts, "claims")


def confrontation(result: Confrontation) -> Figure:
    """Draw observed against predicted values with 90 % predictive intervals, by group of endpoints and scenario."""
    from ..evidence.records.registry import load_with_mechanisms
    from ..report.predictions import predictions_view as view
    from ..report.predictions.predictions_figure import panels_figure

    predicted = {prediction.record for predictions in result.predictions.values() for prediction in predictions}
    if not predicted:
        raise ConfigError(Problem("nothing-to-draw", "nothing was predicted"))
    products = view.products_by_record(load_with_mechanisms())
    table = view.view(result, {name: products.get(name, "") for name in predicted})
    return panels_figure(table, view.groups(table))


def scorecard(scores: Scorecard) -> Figure:
    """Draw every target with its interval, and the model in half-widths of it."""
    from ..validation.scorecard.scorecard_figure import figure_of

    return figure_of(scores)


def sized_trial(sized: SizedTrial) -> Figure:
    """Draw the simulated power of every size that was tried, with its 95 % interval, and the power that was wanted."""
    table = sized.table.sort_values("patients")
    if not len(table):
        raise ConfigError(Problem("nothing-to-draw", f"no size was tried: {sized.why_none}"))
    with styled():
        figure = new_figure(4.6, 3.0)
        axes = figure.add_subplot()
        power = 100 * table["power"].to_numpy()
        spread = np.abs(100 * table[["power_low", "power_high"]].to_numpy().T - power)
        axes.errorbar(
            table["patients"], power, spread, fmt="o-", color=PALETTE[0], capsize=2, label="simulated, 95 % interval"
        )
        axes.axhspan(
            100 * (sized.wanted - sized.margin),
            100 * (sized.wanted + sized.margin),
            color=GREY,
            alpha=0.3,
            lw=0,
            label="wanted",
        )
        axes.set_xlabel("patients")
        axes.set_ylabel("power [%]")
        axes.set_ylim(0, 102)
        axes.set_title(drawable(f"{sized.design}: {sized.comparison.words}"), loc="left")
        axes.legend()
    return figure


def _chosen(wanted: Sequence[str] | None, available: Sequence[str]) -> list[str]:
    names = list(available) if wanted is None else [wanted] if isinstance(wanted, str) else list(wanted)
    for name in names:
        if name not in available:
            raise ConfigError(not_among(available, "unknown-name", f"the result has no {name!r}", str(name)))
    return names


def _panels(keys: Sequence[Any], paint: Callable[[Axes, Any], None], title: str) -> Figure:
    if not 1 <= len(keys) <= _PANELS:
        message = f"a figure of {len(keys)} panels cannot be read"
        hint = "Name what to draw: outputs=[...] or columns=[...]."
        raise ConfigError(Problem("bad-figure", message, expected=f"1 to {_PANELS}", hint=hint))
    across = min(_ACROSS, len(keys))
    down = math.ceil(len(keys) / across)
    with styled():
        figure = new_figure(3.3 * across, 2.2 * down + (0.4 if title else 0.1))
        for number, key in enumerate(keys):
            paint(figure.add_subplot(down, across, number + 1), key)
        if title:
            figure.suptitle(drawable(title))
        figure.draw_without_rendering()
    return figure


def _stacked(names: Sequence[str], counts: Mapping[str, Sequence[int]], counted: str) -> Figure:
    """Draw counts as horizontal bars, the first name on top; several kinds stand side by side in one bar."""
    with styled():
        figure = new_figure(6.4, 1.0 + 0.26 * len(names))
        axes = figure.add_subplot()
        left = np.zeros(len(names))
        for number, (kind, kind_counts) in enumerate(counts.items()):
            colour = PALETTE[number % len(PALETTE)]
            axes.barh(range(len(names)), kind_counts, left=left, color=colour, label=kind or None)
            left += kind_counts
        axes.set_yticks(range(len(names)), [drawable(name) for name in names])
        axes.invert_yaxis()
        axes.set_xlabel(counted)
        if any(counts):
            axes.legend()
    return figure


_PLOTS: dict[str, Callable[..., Figure]] = {
    "Confrontation": confrontation,
    "EnsembleResult": draw_ensemble,
    "EnsembleSummary": draw_moments,
    "Ledger": draw_verdicts,
    "Library": library,
    "Model": draw_dependencies,
    "ParameterTable": parameters,
    "Pooled": pooled,
    "Protocol": protocol,
    "Registry": draw_endpoints,
    "Result": result,
    "Scorecard": scorecard,
    "SelectedCohort": library,
    "SizedTrial": sized_trial,
    "TrialRun": trial,
}
