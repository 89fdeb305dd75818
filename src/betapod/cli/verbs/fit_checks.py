"""The verb fit check: families left out, invented data, profiles."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..running import QuietOption, ThreadsOption, breaking
from ..shared import JsonOption, names_option, print_json, print_note, print_table, print_text
from .fit_individual import check_individual
from .fit_shared import FolderArgument, is_individual_fit, problem_of_folder, refuse_with_individuals, telling
from .fit_shown import figure_text

if TYPE_CHECKING:
    from ...calibration.check_fit import CheckedFit
    from ...calibration.coverage_curve import ClassWidths, Coverage
    from ...physiology.installed_fits import Columns

#: Unknowns of which is printed how far they move.
_MOST_MOVED = 12


def add_fit_check(fit_app: typer.Typer) -> None:
    """Add the verb to the group."""
    fit_app.command("check")(fit_check_command)


def fit_check_command(
    folder: FolderArgument,
    left_out: Annotated[
        bool,
        typer.Option("--left-out/--no-left-out", help="Leave out each family in turn, by the linear model at the fit."),
    ] = True,
    choices: Annotated[
        bool,
        typer.Option(
            "--choices/--no-choices",
            help="Unknowns under other choices of the likelihood, by the linear model at the fit.",
        ),
    ] = True,
    refit: Annotated[
        list[str] | None,
        typer.Option(
            "--refit", metavar="FAMILY", help="Fit anew without this family; may be repeated. Takes evaluations."
        ),
    ] = None,
    simulated: Annotated[
        int, typer.Option("--sbc", min=0, metavar="N", help="Fit N invented data sets whose truth is known.")
    ] = 0,
    profile: Annotated[
        list[str] | None,
        typer.Option(
            "--profile", metavar="NAMES", help="Evaluate the posterior along these unknowns, separated by commas."
        ),
    ] = None,
    smoother: Annotated[
        int,
        typer.Option(
            "--smoother",
            min=0,
            metavar="MEMBERS",
            help="Compare with an ensemble smoother of so many members. Takes 4 evaluations a member.",
        ),
    ] = 0,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Check a finished fit, and keep what is found in its folder.

    What the rows say of the unknowns is said in words. Families left out show what the fit says of studies that it has not seen. Invented data
    show whether intervals are honest: 90 % of them have to hold the truth.
    """
    from ...calibration.check_fit import WantedChecks, check_fit

    if is_individual_fit(folder):
        refuse_with_individuals(
            {"--refit": bool(refit), "--sbc": simulated > 0, "--profile": bool(profile), "--smoother": smoother > 0}
        )
        check_individual(folder, as_json)
        return
    families, unknowns = tuple(names_option(refit or [])), tuple(names_option(profile or []))
    wanted = WantedChecks(left_out, families, simulated, unknowns, smoother, choices)
    problem, _ = problem_of_folder(folder)
    with breaking(), telling(quiet) as tell:
        checked = check_fit(problem, folder, wanted, threads, tell)
    if as_json:
        print_json(_values(checked))
        return
    _print_checked(checked)


def _print_checked(checked: CheckedFit) -> None:
    for stage, sentences in checked.words.items():
        print_text(f"Stage {stage}", "bold")
        for sentence in sentences:
            print_text(sentence, hanging=2)
    _print_coverage("Families left out, by the linear model at the fit", checked.left_out)
    _print_coverage("Families left out, by fits without them", checked.refitted)
    _print_widths(checked.widths)
    _print_choices(checked.choices)
    for stage, smoothed in checked.smoothed.items():
        print_text(f"Ensemble smoother for stage {stage}", "bold")
        for sentence in smoothed.in_words():
            print_text(sentence, hanging=2)
    for stage, truth in checked.simulated.items():
        print_text(f"Invented data for stage {stage}", "bold")
        for sentence in truth.in_words():
            print_text(sentence, hanging=2)
    if checked.profiles:
        columns = checked.profiles
        rows = [
            [str(name), *(figure_text(float(columns[head][k])) for head in ("value", "fall", "quadratic"))]
            for k, name in enumerate(columns["unknown"])
        ]
        heads = ("unknown", "value", "fall of twice the log posterior", "if it were normal")
        print_table(heads, rows, right=heads[1:])


def _print_coverage(title: str, points: list[Coverage]) -> None:
    if not points:
        return
    print_text(title, "bold")
    rows = [
        [
            f"{100 * p.nominal:g} %",
            f"{100 * p.rows:.1f} %",
            f"{100 * p.families:.1f} %",
            str(p.row_count),
            f"{p.median_width:.1f}",
        ]
        for p in points
    ]
    heads = ("interval", "rows inside", "mean over families", "rows", "median width in errors")
    print_table(heads, rows, right=heads, varying=heads[1:])


def _print_widths(widths: list[ClassWidths]) -> None:
    print_text("Median width of 90 % intervals (points of shares, factors of ratios, else the unit)", "bold")
    heads = ("rows of", "rows", "errors alone", "and parameters", "and what the model lacks")
    rows = [
        [of.row_class, str(of.rows), *(figure_text(width) for width in (of.alone, of.parameters, of.all))]
        for of in widths
    ]
    print_table(heads, rows, right=heads[1:], varying=heads[2:])


def _print_choices(columns: Columns) -> None:
    if not columns:
        return
    print_text("Unknowns under other choices of the likelihood, those that move most first", "bold")
    short = {
        "half the discrepancy": "half",
        "twice the discrepancy": "twice",
        "no heavy tails": "normal",
        "rows of a family independent": "independent",
    }
    heads = ("unknown", "stage", "fitted", *short.values(), "moved")
    names = ("fitted", *short)
    order = sorted(range(len(columns["moved"])), key=lambda k: -float(columns["moved"][k]))
    rows = [
        [
            str(columns["unknown"][k]),
            str(columns["stage"][k]),
            *(figure_text(float(columns[name][k])) for name in names),
            f"{columns['moved'][k]:.1f}",
        ]
        for k in order[:_MOST_MOVED]
    ]
    print_table(heads, rows, right=heads[2:], spare=("stage",))
    print_note(
        "half, twice: what the model lacks; normal: no heavy tails; independent: rows of a family share nothing; moved: the largest shift in SDs of the posterior"
    )


def _values(checked: CheckedFit) -> dict[str, Any]:
    profiles, choices = checked.profiles, checked.choices
    lines = [dict(zip(profiles, cells, strict=True)) for cells in zip(*profiles.values(), strict=True)]
    return {
        "words": checked.words,
        "left_out": [asdict(point) for point in checked.left_out],
        "refitted": [asdict(point) for point in checked.refitted],
        "widths": [asdict(of) for of in checked.widths],
        "ensemble_smoother": {
            stage: {
                "unknowns": list(smoothed.names),
                "apart": smoothed.apart.tolist(),
                "spread": smoothed.spread.tolist(),
                "words": smoothed.in_words(),
            }
            for stage, smoothed in checked.smoothed.items()
        },
        "invented_data": {
            stage: {
                "unknowns": list(truth.names),
                "nominal": list(truth.nominal),
                "inside": truth.inside.tolist(),
                "error": truth.error,
                "contraction": truth.contraction,
                "set_aside": truth.set_aside.tolist(),
                "words": truth.in_words(),
            }
            for stage, truth in checked.simulated.items()
        },
        "other_choices": [
            {
                name: value.item() if hasattr(value, "item") else value
                for name, value in zip(choices, cells, strict=True)
            }
            for cells in zip(*choices.values(), strict=True)
        ],
        "profiles": [
            {name: value.item() if hasattr(value, "item") else value for name, value in line.items()} for line in lines
        ],
    }
