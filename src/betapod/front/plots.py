"""How results are drawn when they are asked for `.plot()`: with the figures of the reports where these have one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.constants import DAYS_PER_YEAR
from ..base.errors import ConfigError, Problem, not_among
from ..report.common.figures import GREY, PALETTE, STYLES, axis_label, drawable, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..claims.ledger import Ledger
    from ..engine.ensemble_result import EnsembleResult
    from ..engine.scipy.simulation_result import Result
    from ..evidence.records.registry import Registry
    from ..evidence.synthesis.pooled import Pooled
    from ..model import Model, ParameterTable
    from ..patients.cohorts.reweight import SelectedCohort
    from ..patients.library import Library
    from ..trials.conduct.trial_data import TrialData
    from ..trials.conduct.trial_run import TrialRun
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


def model(found: Model) -> Figure:
    """Draw which submodel (row) reads how many quantities of which other (column)."""
    from ..model.printing.document_layout import sheet_of
    from ..model.printing.graph import submodel_graph

    graph = submodel_graph(sheet_of(found))
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
        axes.set_title(f"{drawable(found.name)}: quantities passed between submodels", loc="left")
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
    found: Result,
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

    columns = [str(name) for name in found.table.columns]
    if not against:
        names = _chosen(outputs, columns)
        return result_figure(replace(found, table=found.table[names]), title=title)[0]
    others = dict(against)
    names = _chosen(outputs, [name for name in columns if all(name in each.table for each in others.values())])
    years = max(each.table.index[-1] for each in (found, *others.values())) > 2 * DAYS_PER_YEAR

    def paint(axes: Axes, name: str) -> None:
        for number, (said, each) in enumerate({label: found, **others}.items()):
            times = each.table.index / DAYS_PER_YEAR if years else each.table.index
            axes.plot(
                times,
                each.table[name],
                color=PALETTE[number % len(PALETTE)],
                ls=STYLES[number % len(STYLES)],
                label=said,
            )
        axes.set_title(drawable(str(found.dictionary.loc[name, "label"] or name)), loc="left", fontsize=8.5)
        axes.set_ylabel(drawable(axis_label(name, found.units[name])))
        axes.set_xlabel("years" if years else "days")
        if name == names[0]:
            axes.legend(fontsize=7)

    return _panels(names, paint, title)


def ensemble(found: EnsembleResult, outputs: Sequence[str] | None = None, title: str = "") -> Figure:
    """Draw the median and the central 90 % of patients over time, for every output or those named in `outputs`."""
    names = _chosen(outputs, found.names)
    years = found.times[-1] > 2 * DAYS_PER_YEAR
    times = found.times / DAYS_PER_YEAR if years else found.times

    def paint(axes: Axes, name: str) -> None:
        values = found.values[:, :, found.names.index(name)]
        known = np.isfinite(values).any(axis=0)
        low, middle, high = np.nanquantile(values[:, known], [0.05, 0.5, 0.95], axis=0)
        axes.fill_between(times[known], low, high, color=PALETTE[0], alpha=0.2, linewidth=0)
        axes.plot(times[known], middle, color=PALETTE[0])
        axes.set_ylabel(drawable(axis_label(name, found.units[name])))
        axes.set_xlabel("years" if years else "days")

    return _panels(names, paint, title or "median and central 90 % of patients")


_SHOWN = ("age", "duration", "bmi", "hba1c", "sbp", "egfr", "uacr", "c_peptide", "fpg")
_LOGARITHMIC = ("uacr",)


def library(found: Library | SelectedCohort, columns: Sequence[str] | None = None, title: str = "") -> Figure:
    """Draw how the main characteristics of patients, or those named in `columns`, are distributed."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    table = found.table
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
        axes.set_xlabel(drawable(axis_label(name, found.units.get(name, ""))))
        axes.set_ylabel("patients")

    return _panels(names, paint, title)


def protocol(found: Protocol) -> Figure:
    """Draw the schedule: visits with their windows, and what every arm gets when."""
    last = max(found.days)
    with styled():
        figure = new_figure(7.0, 1.5 + 0.35 * len(found.arms))
        axes = figure.add_subplot()
        for visit in found.visits:
            axes.axvline(visit.day, color=GREY, linewidth=0.8)
            axes.axvspan(visit.day - visit.window, visit.day + visit.window, color=GREY, alpha=0.15, linewidth=0)
        for place, (name, arm) in enumerate(found.arms.items()):
            for each in arm.therapies:
                stop = last if each.stop is None else each.stop
                axes.plot([each.start, stop], [place, place], color=PALETTE[0], linewidth=6, solid_capstyle="butt")
            if arm.cells is not None:
                axes.plot([0.0], [place], marker="D", color=PALETTE[1], markersize=7)
            given = [each.therapy for each in arm.therapies] + ([arm.cells] if arm.cells else [])
            text = f"{arm.label or name}: {', '.join(given) or 'placebo' if arm.placebo or given else 'as before'}"
            axes.annotate(drawable(text), (0, place), xytext=(4, 7), textcoords="offset points", fontsize=7.5)
        axes.set_yticks(range(len(found.arms)), [drawable(name) for name in found.arms])
        axes.set_ylim(len(found.arms) - 0.4, -0.8)
        axes.grid(False)
        axes.set_xlabel("days from enrolment; lines are visits, shaded their windows")
        axes.set_title(drawable(found.title), loc="left")
    return figure


def trial(found: TrialRun, quantity: str | None = None) -> Figure:
    """Draw the mean measured course of every arm under every scenario, with the central 95 % of trials.

    `quantity` is a PARAMCD, such as ``UACR``; by default that of the primary endpoint.
    """
    from ..observables.quantities import code_of
    from ..report.common.drawing import colour

    first = next(iter(found.values()))
    code = code_of(quantity or found.protocol.endpoints.primary.quantity)
    if code not in first.codes:
        raise ConfigError(not_among(first.codes, "unknown-quantity", f"the trial measures no {quantity!r}", code))
    keys = [(design, arm) for design in found.designs for arm in found[design, found.scenarios[0]].arms]

    def paint(axes: Axes, key: tuple[str, str]) -> None:
        design, arm = key
        for scenario in found.scenarios:
            data = found[design, scenario]
            days, low, middle, high = _course(data, code, arm)
            axes.fill_between(days, low, high, color=colour(scenario), alpha=0.15, linewidth=0)
            axes.plot(days, middle, color=colour(scenario), label=scenario)
        unit = first.quantity(code).unit
        axes.set_title(drawable(arm if len(found.designs) == 1 else f"{design}, {arm}"), loc="left")
        axes.set_ylabel(drawable(axis_label(code, unit)))
        axes.set_xlabel("days from enrolment")
        if key == keys[0]:
            axes.legend(fontsize=7)

    return _panels(keys, paint, drawable(found.protocol.title))


def _course(data: TrialData, code: str, arm: str) -> tuple[Any, Any, Any, Any]:
    """Return days, and quantiles over replicates of the mean (of ratios the geometric mean) of an arm at each visit."""
    mine = ((data.arm == data.arms.index(arm)) & data.enrolled)[:, :, None]
    quantity = data.quantity(code)
    values = quantity.forward(data.observed[code].astype(np.float64))
    seen = mine & np.isfinite(values)
    counts = seen.sum(axis=1)
    sums = np.where(seen, values, 0.0).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(counts > 0, sums / counts, np.nan)
    known = np.isfinite(means).any(axis=0)
    low, middle, high = np.nanquantile(means[:, known], [0.025, 0.5, 0.975], axis=0)
    return data.days[known], quantity.backward(low), quantity.backward(middle), quantity.backward(high)


def registry(found: Registry) -> Figure:
    """Draw how many published numbers there are of the commonest endpoints."""
    counts = Counter(record.endpoint for record in found.records).most_common(_BARS)
    return _stacked([name for name, _ in counts], {"": [count for _, count in counts]}, "published numbers")


def pooled(found: Pooled, title: str = "", favours: int = 0) -> Figure:
    """Draw the forest plot; `favours` is -1 where lower values are better, 1 where higher ones are, 0 to say nothing of it."""
    from ..report.common.forest import forest_figure

    return forest_figure(found, title, favours)[0]


def ledger(found: Ledger) -> Figure:
    """Draw how many claims about cells, and about diabetes, have which verdict."""
    from ..claims.claim_verdict import VERDICTS

    kinds = list(dict.fromkeys(entry.claim.about for entry in found))
    pairs = Counter((entry.claim.about, entry.verdict.verdict) for entry in found)
    counts = {f"claims about {kind}": [pairs[kind, verdict] for verdict in VERDICTS] for kind in kinds}
    return _stacked(list(VERDICTS), counts, "claims")


def confrontation(found: Confrontation) -> Figure:
    """Draw observed against predicted values with 90 % predictive intervals, by group of endpoints and scenario."""
    from ..evidence.records.registry import everything
    from ..report.predictions import predictions_view as view
    from ..report.predictions.predictions_figure import panels_figure

    predicted = {each.record for mine in found.predictions.values() for each in mine}
    if not predicted:
        raise ConfigError(Problem("nothing-to-draw", "nothing was predicted"))
    known = view.products(everything())
    table = view.view(found, {name: known.get(name, "") for name in predicted})
    return panels_figure(table, view.groups(table))


def scorecard(found: Scorecard) -> Figure:
    """Draw every target with its interval, and the model in half-widths of it."""
    from ..validation.scorecard.scorecard_figure import figure_of

    return figure_of(found)


def _chosen(wanted: Sequence[str] | None, known: Sequence[str]) -> list[str]:
    names = list(known) if wanted is None else [wanted] if isinstance(wanted, str) else list(wanted)
    for name in names:
        if name not in known:
            raise ConfigError(not_among(known, "unknown-name", f"the result has no {name!r}", str(name)))
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


def _stacked(names: Sequence[str], counts: Mapping[str, Sequence[int]], what: str) -> Figure:
    """Draw counts as horizontal bars, the first name on top; several kinds stand side by side in one bar."""
    with styled():
        figure = new_figure(6.4, 1.0 + 0.26 * len(names))
        axes = figure.add_subplot()
        left = np.zeros(len(names))
        for number, (kind, mine) in enumerate(counts.items()):
            colour = PALETTE[number % len(PALETTE)]
            axes.barh(range(len(names)), mine, left=left, color=colour, label=kind or None)
            left += mine
        axes.set_yticks(range(len(names)), [drawable(name) for name in names])
        axes.invert_yaxis()
        axes.set_xlabel(what)
        if any(counts):
            axes.legend()
    return figure


_PLOTS: dict[str, Callable[..., Figure]] = {
    "Confrontation": confrontation,
    "EnsembleResult": ensemble,
    "Ledger": ledger,
    "Library": library,
    "Model": model,
    "ParameterTable": parameters,
    "Pooled": pooled,
    "Protocol": protocol,
    "Registry": registry,
    "Result": result,
    "Scorecard": scorecard,
    "SelectedCohort": library,
    "TrialRun": trial,
}
