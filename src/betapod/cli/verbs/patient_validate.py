"""The verb patient validate: forecasts of a cohort's members against what became of them, beside published equations."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..csv_output import Csv, CsvOption, WideOption, given_as_csv
from ..running import ThreadsOption
from ..shared import JsonOption, print_json, print_note, print_table, print_text, with_noun
from ..waiting import show_progress

if TYPE_CHECKING:
    from ...validation.forecasts.cohort_validation import CohortValidation
    from ...validation.forecasts.risk_scores import RiskScore, ScoredNumber


def add_cohort_verb(app: typer.Typer) -> None:
    """Add the verb to those of a patient."""
    app.command("validate")(validate_cohort_command)


def validate_cohort_command(
    cohort: Annotated[
        Path,
        typer.Argument(
            metavar="COHORT", help="A CSV with a row per person: labs with their units, time [year] and event."
        ),
    ],
    outcome: Annotated[
        str,
        typer.Option(
            "--outcome", metavar="OUTCOME", help="What the events are: kidney failure, '40 % decline' or death."
        ),
    ] = "kidney failure",
    years: Annotated[
        float | None, typer.Option("--years", help="Over which risks are told; 5 by default, of a decline 3.")
    ] = None,
    twins: Annotated[
        int, typer.Option("--twins", help="How many simulated people stand for each member, 20 to 1000.")
    ] = 100,
    care: Annotated[
        str, typer.Option("--care", metavar="RULE", help="What becomes of other drugs: frozen or usual.")
    ] = "frozen",
    seed: Annotated[int, typer.Option("--seed", help="Random seed.")] = 1,
    threads: ThreadsOption = None,
    csv: CsvOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Check forecasts on people whose outcome is known.

    Everybody's risk by the model and by KFRE and CKD-PC, against what happened: Harrell's C, calibration slope, observed over expected, and tenths of like
    risk. The event is 0 (followed to the end), 1 (had the event) or 2 (died before it). The table of --csv has a row per person.
    """
    from ...front.one_patient import validate_forecasts

    with show_progress(as_json) as progress:

        def told(activity: str) -> None:
            if progress is not None:
                progress(activity, 0, 0)

        validation = validate_forecasts(
            cohort, outcome, years, people=twins, care=care, seed=seed, threads=threads, progress=told
        )
    done = given_as_csv(_people(validation), csv, as_json, wide, text=True)
    if as_json:
        print_json(validation.document())
    if done or as_json:
        return
    _print(validation, wide)


def _people(validation: CohortValidation) -> Csv:
    """Return a row for each member: what happened, how many are like the person, and every risk."""
    head = ["person", "years", "event", "effective people", "widened", *validation.risks]
    columns = [
        validation.cohort.names,
        validation.cohort.years,
        validation.cohort.event,
        validation.twins.effective,
        validation.twins.widened,
        *validation.risks.values(),
    ]
    return Csv.of(head, list(zip(*columns, strict=True)))


def _print(validation: CohortValidation, wide: bool) -> None:
    first = validation.scores[0].score
    people = with_noun(len(validation.cohort), "person", "people")
    print_text(
        f"{validation.outcome} within {validation.years:g} years: {people}, {with_noun(first.events, 'event')}", "bold"
    )
    for note in validation.notes:
        print_note(note)
    rows: list[list[str]] = []
    for item in validation.scores:
        rows.append(_score(item.predictor, item.score))
        if item.beside is not None:
            rows.append(_score("  the model, same people", item.beside))
    heads = (
        "predictor",
        "people",
        "events",
        "C",
        "calibration slope",
        "expected, %",
        "observed, %",
        "observed / expected",
    )
    print_table(heads, rows, right=("people", "events", "expected, %"), wide=wide)
    for item in validation.scores:
        _print_groups(item.predictor, item.score, wide)
    print_note(
        "C 0.5 is chance and 1 perfect; a slope of 1 is right, below 1 risks are too far apart. The model is no medical device."
    )


def _print_groups(predictor: str, score: RiskScore, wide: bool) -> None:
    if not score.groups:
        return
    print_text(f"{predictor}, by risk", "bold")
    rows = [
        [
            str(number),
            str(group.people),
            str(group.events),
            _percent(group.expected),
            _interval(group.observed, 100.0, 1),
        ]
        for number, group in enumerate(score.groups, 1)
    ]
    right = ("people", "events", "expected, %")
    print_table(("group", "people", "events", "expected, %", "observed, %"), rows, right=right, wide=wide)


def _score(name: str, score: RiskScore) -> list[str]:
    return [
        name,
        str(score.people),
        str(score.events),
        _interval(score.concordance),
        _interval(score.slope),
        _percent(score.expected),
        _interval(score.observed, 100.0, 1),
        "" if not math.isfinite(score.ratio) else f"{score.ratio:.2f}",
    ]


def _interval(number: ScoredNumber, scale: float = 1.0, digits: int = 2) -> str:
    if not math.isfinite(number.value):
        return "not known"
    value, low, high = (f"{scale * part:.{digits}f}" for part in (number.value, number.low, number.high))
    return f"{value} ({low} to {high})"


def _percent(value: Any) -> str:
    return "" if not math.isfinite(value) else f"{100.0 * value:.1f}"
