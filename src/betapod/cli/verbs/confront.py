"""The verb confront: virtual trials against the rows of the registry."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from ...base.errors import ConfigError, Location, Problem, not_among
from ..completion import complete_scenario, starting
from ..csv_output import Csv, given_as_csv
from ..options import spelt_out
from ..running import QuietOption, ThreadsOption, breaking
from ..shared import JsonOption, gather, names_option, print_json, print_note, print_table, print_text, with_noun
from ..tables import rounded
from ..waiting import show_progress
from .confront_records import ChosenRecords, choice_in_words, chosen_records

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from ...validation.predictions.campaign import Confrontation
    from ...validation.predictions.prediction import Prediction

#: What counts may be made by, and the column of the view.
COUNTED = {
    "class": "treatment",
    "group": "group",
    "family": "family",
    "endpoint": "endpoint",
    "study": "study",
    "use": "use",
}
#: Letters of the longest bar of the terminal.
_BAR = 24


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("confront")(confront_command)


def _complete_by(incomplete: str) -> list[str]:
    return starting(COUNTED, incomplete)


@dataclass(frozen=True)
class PredictionOptions:
    """How each record is simulated."""

    heading: ClassVar[str] = "Simulation"

    scenario: Annotated[
        list[str] | None,
        typer.Option(
            "--scenario",
            metavar="NAME",
            help="Scenario of cell therapy: none, current-evidence, face-value or seed-claims; may be repeated. "
            "[default: all but face-value]",
            autocompletion=complete_scenario,
        ),
    ] = None
    people: Annotated[int, typer.Option("--people", "-n", min=2, help="Virtual patients per cohort.")] = 60
    draws: Annotated[
        int,
        typer.Option(
            "--draws", min=0, help="Parameter draws of cell therapy for the parameter-uncertainty part of the interval."
        ),
    ] = 8
    fit: Annotated[
        str | None,
        typer.Option(
            "--fit",
            metavar="NAME",
            help="Installed fit whose draws widen the interval by what is not known of the body; default: the newest. "
            "none: no draws, and the values of the tables before their fit.",
        ),
    ] = None
    fit_draws: Annotated[int, typer.Option("--fit-draws", min=0, max=64, help="Parameter draws of that fit.")] = 16
    seed: Annotated[int, typer.Option("--seed", min=0, help="Random seed.")] = 1
    threads: ThreadsOption = None


@dataclass(frozen=True)
class PredictionResults:
    """What is printed and written."""

    heading: ClassVar[str] = "Results"

    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="COLUMN",
            help="Count records by class (of treatment), group (of endpoints), family, endpoint, study or use (fit, validation).",
            autocompletion=_complete_by,
        ),
    ] = "class"
    rows: Annotated[bool, typer.Option("--rows", help="List every record instead of counts.")] = False
    worst: Annotated[
        int, typer.Option("--worst", min=0, help="List this many records that miss most, for each scenario.")
    ] = 0
    refused: Annotated[bool, typer.Option("--refused", help="List excluded records with the reason.")] = False
    tissue: Annotated[
        bool,
        typer.Option("--tissue", help="Also compare biodistribution and persistence with imaging and autopsy data."),
    ] = False
    csv_path: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="Write every prediction as CSV; '-' for standard output."),
    ] = None
    figure: Annotated[
        Path | None,
        typer.Option(
            "--figure",
            metavar="FILE",
            help="Draw observed against predicted, then each family of studies: pdf with all pages, or png or svg, one file "
            "per page.",
        ),
    ] = None
    page: Annotated[
        Path | None,
        typer.Option("--page", metavar="FILE", help="Write figures, counts and every record as one HTML page."),
    ] = None
    quiet: QuietOption = False
    as_json: JsonOption = False


@spelt_out
def confront_command(selection: ChosenRecords, how: PredictionOptions, views: PredictionResults) -> None:
    """Compare the model with published trials (external validation).

    Each record of the registry that can be simulated gets a virtual trial; the prediction and its 90 % interval are compared with
    the published number.
    """
    from ...therapies.scenarios import COMPARED
    from ...trials.conduct.replicate_parameters import NO_FIT
    from ...validation.predictions.campaign import confront_records
    from ...validation.predictions.fit_conditions import draws_of_fit

    scenarios = names_option(how.scenario) if how.scenario is not None else list[str](COMPARED)
    problems = [*_wrong_names(scenarios, views.by), *_wrong_files(views.csv_path, views.figure, views.page)]
    fit = None
    try:
        fit = draws_of_fit(how.fit, how.fit_draws)
    except ConfigError as error:
        gather(problems, error)
    records, tables, laid = chosen_records(selection, problems)
    if not views.quiet:
        for line in laid:
            print_note(line)
    with breaking(), show_progress(views.quiet) as progress:
        confrontation = confront_records(
            records, scenarios, how.people, how.seed, how.threads, None, progress, how.draws, tables, fit,
            before_fit=how.fit == NO_FIT,
        )  # fmt: skip
    from ...base.exports import table_as_csv
    from ...evidence.records.overlay import laid_over
    from ...report.predictions import predictions_view as confront_view
    from ...report.predictions.interval_shares import with_interval_parts

    table = confront_view.view(confrontation, confront_view.products_by_record(records))
    about = [*choice_in_words({**selection.names, "claim": selection.claims}), *laid_over(laid)]
    for line in _write(confrontation, table, views, how, about):
        if not views.quiet:
            print_note(line)
    csv = Csv(lambda: table_as_csv(with_interval_parts(confrontation.table), float_format="%.10g"), len(table))
    if given_as_csv(csv, views.csv_path, views.as_json, text=True, quiet=views.quiet):
        return
    _report(confrontation, table, views, scenarios, laid, len(records))


def _report(
    confrontation: Confrontation,
    table: pd.DataFrame,
    views: PredictionResults,
    scenarios: list[str],
    laid: list[str],
    count: int,
) -> None:
    """Print what was asked for."""
    if views.as_json:
        from ...report.predictions.interval_shares import with_interval_parts

        document = {
            "predictions": with_interval_parts(confrontation.table).to_dict("records"),
            "refused": confrontation.refusals().to_dict("records"),
            "overlaid": laid,
        }
        print_json({**document, "tissue": _tissue(scenarios)} if views.tissue else document)
        return
    if views.tissue:
        _print_tissue(scenarios)
    if views.refused:
        cells = [[r.id, r.arm, r.endpoint_text.replace(":", ": "), why] for r, why in confrontation.refused]
        print_table(["record", "arm", "endpoint", "reason"], cells)
    if views.rows or views.worst:
        _print_rows(confrontation, views.rows, views.worst)
    elif len(table):
        _print_counts(table, views.by)
        _print_uses(confrontation)
        _print_lacks(confrontation)
    simulated = count - len(confrontation.refused)
    why = " (--refused says why)" if confrontation.refused else ""
    print_text(f"{with_noun(simulated, 'row')} simulated, {len(confrontation.refused)} not{why}.")


def _wrong_names(scenarios: list[str], by: str) -> list[Problem]:
    from ...therapies.scenarios import SCENARIOS

    problems = [
        not_among(
            SCENARIOS,
            "unknown-scenario",
            f"there is no scenario {name!r} of cell therapy",
            name,
        )
        for name in scenarios
        if name not in SCENARIOS
    ]
    if not scenarios:
        names = ", ".join(SCENARIOS)
        problems.append(Problem("bad-option", "--scenario names no scenario", expected=names))
    if by not in COUNTED:
        problems.append(not_among(COUNTED, "bad-option", f"cannot count by {by!r}", by))
    return problems


def _wrong_files(csv_path: Path | None, figure: Path | None, page: Path | None) -> list[Problem]:
    """Return what keeps results from being written, and files that would be written twice."""
    from ...base.files import data_beside, unfit

    endings = {"--csv": (), "--figure": (".pdf", ".png", ".svg", ""), "--page": (".html", ".htm")}
    named = {"--csv": csv_path, "--figure": figure, "--page": page}
    named |= {"the numbers of --figure": data_beside(figure)} if figure is not None else {}
    problems, first_use = [], dict[Path, str]()
    for option, path in named.items():
        if path is None:
            continue
        problems += unfit(path, endings.get(option, ()))
        other = first_use.setdefault(path.resolve(), option)
        if other != option:
            message = f"{other} and {option} are the same file"
            problems.append(Problem("bad-option", message, Location(str(path)), hint="Give each a name of its own."))
    return problems


def _write(
    confrontation: Confrontation,
    table: pd.DataFrame,
    views: PredictionResults,
    how: PredictionOptions,
    about: list[str],
) -> Iterator[str]:
    """Write what was asked for, and say what was written; `about` stands on the page."""
    figure, page = views.figure, views.page
    if figure is not None and len(table):
        from ...report.predictions.predictions_figure import write_predictions_figure

        for path in write_predictions_figure(table, figure):
            yield f"wrote {path}"
    elif figure is not None:
        yield f"{figure}: not drawn, as no row was simulated"
    if page is not None:
        from ...report.predictions import predictions_page as confront_page

        yield f"wrote {confront_page.write_predictions_page(confrontation, table, page, how.people, how.seed, about)}"


def _print_counts(table: pd.DataFrame, by: str) -> None:
    """Print counts with a bar each: rows below their interval, inside it, above it."""
    from ...report.predictions.predictions_view import coverage_summary, in_order

    parts = in_order(coverage_summary(table, COUNTED[by]), table, COUNTED[by]).to_dict("records")
    total = [{**row, COUNTED[by]: "all"} for row in coverage_summary(table, "").to_dict("records")]
    longest = max(row["rows"] for row in parts)
    heads = ["rows", "inside", "median |z|", "below < inside = above >"]
    cells, groups = [], []
    for scenario in dict.fromkeys(table["scenario"]):
        for row in (*parts, *total):
            if row["scenario"] == scenario:
                # Bars of lines have one scale; that of all rows together has its own.
                bar = _bar(row["below"], row["inside"], row["above"], max(longest, row["rows"]))
                cells.append([str(row[COUNTED[by]]), str(row["rows"]), str(row["inside"]), f"{row['median']:.1f}", bar])
                groups.append(f"scenario {scenario}")
    print_table([COUNTED[by], *heads], cells, heads[:3], groups=groups, varying=heads[3:])


def _print_uses(confrontation: Confrontation) -> None:
    """Print how many rows that were used for fitting, and that were kept, lie inside their interval, and how wide intervals are."""
    from ...validation.predictions.uses import coverage_by_use

    heads = ["rows", "inside", "median |z|", "width: ratios", "shares", "others"]
    cells, groups = [], []
    for scenario, predictions in confrontation.predictions.items():
        for use, row in coverage_by_use(predictions).iterrows():
            widths = (("factor", "x{:.2f}"), ("points", "{:.2f}"), ("relative", "{:.0%}"))
            width_texts = ["-" if math.isnan(row[name]) else text.format(row[name]) for name, text in widths]
            cells.append(
                [str(use), f"{row['rows']:.0f}", f"{row['inside']:.0f}", rounded(row["median"], ".1f"), *width_texts]
            )
            groups.append(f"scenario {scenario}")
    print_table(["use", *heads], cells, heads, groups=groups)


def _print_lacks(confrontation: Confrontation) -> None:
    """Print how many rows lie inside when the interval also holds what the model is known to lack, as the package's table has that."""
    from ...trust.trust_answer import trust_count
    from ...trust.trust_making import predictions_with_lacks
    from ...trust.trust_rows import computed_with

    for scenario, predictions in confrontation.predictions.items():
        count = trust_count(predictions_with_lacks(predictions))
        if count.rows:
            print_text(
                f"{scenario}: of {with_noun(count.rows, 'published number')}, {count.line}, with what the model is known to lack in it",
                "dim",
            )
    if fit := computed_with()["fit"]:
        print_note(f"use: what was tuned to by hand; fitted: that, and what the fit {fit} was fitted to")


def _bar(below: int, inside: int, above: int, longest: int) -> str:
    """Return rows as letters; whatever there is has one letter at least."""
    scale = min(1.0, _BAR / longest)
    counts = zip("<=>", (below, inside, above), strict=True)
    return "".join(letter * max(round(count * scale), count > 0) for letter, count in counts)


def _print_rows(confrontation: Confrontation, every: bool, worst: int) -> None:
    """Print every record with what each scenario predicts, or for each scenario the records that miss most."""
    heads = ["predicted (90 % interval)", "z", "inside"]
    if not every:
        for name in confrontation.predictions:
            if predictions := confrontation.worst(name, worst):
                print_text(f"scenario {name}", "bold")
                cells = [[p.record, _what(p), f"{p.observed:.3g}", *_against(p)] for p in predictions]
                print_table(["record", "arm, endpoint, time", "observed", *heads], cells, ("observed", "z"))
        return
    # Several scenarios predict the same record, which is said once above them.
    pairs = [
        (name, prediction)
        for predictions_of_record in zip(*confrontation.predictions.values(), strict=True)
        for name, prediction in zip(confrontation.predictions, predictions_of_record, strict=True)
    ]
    if len(confrontation.predictions) == 1:
        cells = [[p.record, _what(p), f"{p.observed:.3g}", *_against(p)] for _, p in pairs]
        print_table(["record", "arm, endpoint, time", "observed", *heads], cells, ("observed", "z"))
    elif pairs:
        groups = [f"{p.record}  {_what(p)}: observed {p.observed:.3g}" for _, p in pairs]
        print_table(["scenario", *heads], [[name, *_against(p)] for name, p in pairs], ("z",), groups=groups)


def _against(prediction: Prediction) -> list[str]:
    """Return a prediction, its distance from what was observed, and whether that is within its interval."""
    return [_with_interval(prediction), rounded(prediction.z, ".1f"), "yes" if prediction.inside else "no"]


def _what(prediction: Prediction) -> str:
    unit = "" if prediction.unit == "1" else f" [{prediction.unit}]"
    people = f", n {prediction.n}" if prediction.n else ""
    return f"{prediction.arm}: {prediction.endpoint.replace(':', ': ')} {prediction.form}{unit}, week {prediction.weeks:g}{people}"


def _with_interval(prediction: Prediction) -> str:
    """Return a prediction in three digits; what is nothing beside its interval is 0."""
    tiny = abs(prediction.predicted) < 1e-4 * (prediction.high - prediction.low)
    return f"{'0' if tiny else f'{prediction.predicted:.3g}'} ({prediction.low:.3g} to {prediction.high:.3g})"


def _tissue(scenarios: list[str]) -> list[dict[str, object]]:
    from ...validation.predictions.tissue_predictions import tissue

    return [
        {
            "scenario": name,
            "target": score.target.id,
            "what": score.what,
            "unit": "%",
            "published": score.published,
            "predicted": score.predicted,
            "verdict": score.verdict,
        }
        for name in scenarios
        for score in tissue(name)
    ]


def _print_tissue(scenarios: list[str]) -> None:
    names = ("target", "what", "published", "predicted", "verdict")
    rows = [{**row, "predicted": f"{row['predicted']:.3g}"} for row in _tissue(scenarios)]
    groups = [f"scenario {row['scenario']}" for row in rows]
    cells = [[str(row[name]) for name in names] for row in rows]
    print_table(["target", "what", "published [%]", "predicted [%]", "verdict"], cells, groups=groups)
