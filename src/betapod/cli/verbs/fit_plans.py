"""Plans and screens of fits: computed stage by stage, shown as text, CSV or JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...base.constants import Z90
from ...base.errors import ConfigError, not_among
from ..csv_output import Csv, given_as_csv
from ..shared import print_json, print_note, print_table, print_text, with_noun
from .fit_shown import figure_text

if TYPE_CHECKING:
    from ...calibration.fit_plan import FitScreen, StagePlan
    from ...calibration.staged_problem import StagedProblem

Tell = Callable[[str], None] | None


def stage_plans(problem: StagedProblem, measure: bool, threads: int | None, tell: Tell) -> list[StagePlan]:
    """Return the plan of each stage."""
    from ...calibration.fit_plan import plan_stage, refuse_unfit_rows

    plans = []
    for stage in problem.stages:
        if tell is not None:
            tell(f"{stage.name}: reading its rows and people")
        objective = problem.objective(stage.name, {}, threads)
        refuse_unfit_rows(stage.name, objective.rows)
        plans.append(plan_stage(stage.name, objective, measure))
    return plans


def screened_stages(
    problem: StagedProblem, stage: str | None, most: int, folder: Path | None, threads: int | None, tell: Tell
) -> dict[str, FitScreen]:
    """Return the screen of each stage, or of one of them; evaluations are kept in a folder where one is named."""
    from ...calibration.fit_plan import screen_stage

    names = [of.name for of in problem.stages]
    if stage is not None and stage not in names:
        raise ConfigError(not_among(names, "unknown-stage", f"the problem has no stage {stage!r}", stage))
    speak = tell or (lambda text: None)
    return {name: screen_stage(problem, name, most, folder, threads, speak) for name in names if stage in (None, name)}


# -- shown --------------------------------------------------------------------------------------------------------------


def print_plans(plans: Sequence[StagePlan], draws: int, csv: Path | None, as_json: bool, quiet: bool) -> None:
    """Print plans, or write the unknowns as CSV."""
    heads = ("stage", "name", "kind", "unit", "start", "prior_low", "prior_high", "transform", "label", "source")
    rows = [[plan.name, *_unknown_cells(unknown)] for plan in plans for unknown in plan.unknowns]
    if as_json:
        print_json({"stages": [_plan_values(plan, draws) for plan in plans]})
    if given_as_csv(Csv.of(heads, rows), csv, as_json, text=True, quiet=quiet) or as_json:
        return
    for plan in plans:
        fitted, aside = plan.rows
        print_text(
            f"Stage {plan.name}: {with_noun(len(plan.unknowns), 'unknown')}, {fitted} rows fitted, {aside} set aside",
            "bold",
        )
        for head, sides in (("class of rows", plan.classes), ("family", plan.families)):
            cells = [[name, str(counts[0] or "-"), str(counts[1] or "-")] for name, counts in sides.items()]
            print_table(
                (head, "fitted", "set aside"), cells, right=("fitted", "set aside"), varying=("fitted", "set aside")
            )
        _print_unknowns(plan)
        for line in _cost_lines(plan, draws):
            print_text(line)


def _print_unknowns(plan: StagePlan) -> None:
    rows = [
        [
            cells[0],
            cells[1],
            figure_text(cells[3]),
            f"{figure_text(cells[4])} to {figure_text(cells[5])}",
            cells[2],
            cells[7],
        ]
        for cells in map(_unknown_cells, plan.unknowns)
    ]
    print_table(
        ("unknown", "kind", "start", "prior, 90 %", "unit", "meaning"),
        rows,
        right=("start", "prior, 90 %"),
        spare=("meaning",),
    )


def _unknown_cells(unknown: Any) -> list[Any]:
    low, high = (float(unknown.value(u)) for u in (-Z90, Z90))
    return [
        unknown.name,
        unknown.kind,
        unknown.unit,
        unknown.start,
        low,
        high,
        unknown.transform,
        unknown.label,
        unknown.source,
    ]


def _cost_lines(plan: StagePlan, draws: int) -> list[str]:
    lines = []
    if plan.missing:
        first_ones = ", ".join(plan.missing[:5]) + (" ..." if len(plan.missing) > 5 else "")
        lines.append(f"{with_noun(len(plan.missing), 'row')} without a prediction at the start: {first_ones}")
    if plan.seconds is not None:
        count = plan.evaluations(draws)
        lines.append(
            f"One evaluation takes {plan.seconds:.2g} s of processor time; about {count} evaluations, "
            f"{_duration(count * plan.seconds)} of processor time."
        )
    return lines


def _duration(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )


def _plan_values(plan: StagePlan, draws: int) -> dict[str, Any]:
    names = ("name", "kind", "unit", "start", "prior_low", "prior_high", "transform", "label", "source")
    return {
        "name": plan.name,
        "rows": [
            {"class": name, "fitted": fitted, "set_aside": aside} for name, (fitted, aside) in plan.classes.items()
        ],
        "families": [
            {"family": name, "fitted": fitted, "set_aside": aside} for name, (fitted, aside) in plan.families.items()
        ],
        "unknowns": [dict(zip(names, _unknown_cells(unknown), strict=True)) for unknown in plan.unknowns],
        "processor_seconds_of_one": plan.seconds,
        "evaluations": plan.evaluations(draws),
        "without_prediction": list(plan.missing or ()),
    }


def print_screens(screens: dict[str, FitScreen], csv: Path | None, as_json: bool, quiet: bool) -> None:
    """Print screens, or write one line per candidate as CSV."""
    heads = ("stage", "unknown", "kind", "information", "contraction", "proposed", "adds")
    rows = [[name, *cells] for name, screen in screens.items() for cells in _screen_rows(screen)]
    if as_json:
        print_json({"stages": [{"name": name, **_screen_values(screen)} for name, screen in screens.items()]})
    if given_as_csv(Csv.of(heads, rows), csv, as_json, text=True, quiet=quiet) or as_json:
        return
    for name, screen in screens.items():
        above = int((screen.eigenvalues > 1).sum())
        print_text(f"Stage {name}: {with_noun(len(screen.unknowns), 'candidate')}", "bold")
        values = ", ".join(f"{value:.3g}" for value in screen.eigenvalues[:12])
        print_text(f"Eigenvalues of the information, in units of the prior: {values}")
        print_text(f"{with_noun(above, 'direction')} known better from the rows than from the prior.")
        print_table(
            ("unknown", "kind", "contraction", "proposed", "adds"),
            [
                [cells[0], cells[1], f"{cells[3]:.2f}", str(cells[4] or "-"), f"{cells[5]:.2f}" if cells[4] else "-"]
                for cells in _screen_rows(screen)
            ],
            right=("contraction", "proposed", "adds"),
        )
    if not quiet:
        print_note("'adds' is the gain in the log determinant of the information, in nats.")


def _screen_rows(screen: FitScreen) -> list[list[Any]]:
    """Return one line per candidate, proposed ones first in their order."""
    order = {k: (number, gain) for number, (k, gain) in enumerate(screen.proposal, 1)}
    places = sorted(
        range(len(screen.unknowns)), key=lambda k: (order.get(k, (len(order) + 1,))[0], -screen.contraction[k])
    )
    return [
        [
            screen.unknowns[k].name, screen.unknowns[k].kind, float(screen.information[k, k]), float(screen.contraction[k]),
            order[k][0] if k in order else None, order[k][1] if k in order else None,
        ]
        for k in places
    ]  # fmt: skip


def _screen_values(screen: FitScreen) -> dict[str, Any]:
    names = ("unknown", "kind", "information", "contraction", "proposed", "adds")
    return {
        "eigenvalues": [float(value) for value in screen.eigenvalues],
        "candidates": [dict(zip(names, cells, strict=True)) for cells in _screen_rows(screen)],
    }
