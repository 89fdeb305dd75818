"""The verb patient: one person's labs, people who are like them, options compared, and published equations beside."""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from ..csv_output import Csv, CsvOption, WideOption, given_as_csv
from ..options import spelt_out
from ..running import ThreadsOption
from ..shared import JsonOption, print_fields, print_json, print_note, print_table, print_text, warn
from ..waiting import show_progress
from ..writing import ForceOption
from . import patient_validate

if TYPE_CHECKING:
    from ...report.patient.patient_contents import PatientContents
    from ...twins.option_outcomes import OptionOutcome
    from ...twins.patient_forecast import PatientForecast
    from ...twins.person_labs import PersonLabs


patient_app = typer.Typer(no_args_is_help=False)


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    patient_app.callback(invoke_without_command=True)(patient_command)
    # The list of verbs reads a group's own words.
    patient_app.info.help = inspect.getdoc(patient_command)
    patient_validate.add_cohort_verb(patient_app)
    app.add_typer(patient_app, name="patient")


def _lab(unit: str, name: str) -> Any:
    return typer.Option(metavar="VALUE", help=f"{name}, in {unit} or with another unit.")


@dataclass(frozen=True)
class Labs:
    """What is known of the person."""

    heading: ClassVar[str] = "The person"

    labs: Annotated[
        Path | None,
        typer.Option(
            "--labs", metavar="FILE", help="A FHIR R4 bundle or patient summary (JSON), or a CSV, of one person."
        ),
    ] = None
    age: Annotated[str | None, typer.Option("--age", metavar="YEARS", help="Age.")] = None
    sex: Annotated[str | None, typer.Option("--sex", metavar="SEX", help="Female or male.")] = None
    diabetes: Annotated[
        str | None, typer.Option("--diabetes", metavar="TYPE", help="1, 2 or none; people of every kind without it.")
    ] = None
    egfr: Annotated[str | None, _lab("mL/min/1.73m2", "eGFR by CKD-EPI 2021")] = None
    creatinine: Annotated[str | None, _lab("mg/dL", "Serum creatinine, from which eGFR is computed")] = None
    uacr: Annotated[str | None, _lab("mg/g", "Urinary albumin per creatinine")] = None
    hba1c: Annotated[str | None, _lab("%", "HbA1c")] = None
    sbp: Annotated[str | None, _lab("mmHg", "Systolic pressure")] = None
    weight: Annotated[str | None, _lab("kg", "Weight")] = None
    height: Annotated[str | None, _lab("cm", "Height")] = None
    duration: Annotated[str | None, _lab("years", "Duration of diabetes")] = None
    more: Annotated[
        list[str] | None,
        typer.Option("--lab", metavar="NAME=VALUE", help="Another lab, e.g. 'calcium=2.3 mmol/L'; may be repeated."),
    ] = None
    on: Annotated[
        list[str] | None, typer.Option("--on", metavar="DRUG", help="What the person takes; may be repeated.")
    ] = None
    has: Annotated[
        list[str] | None,
        typer.Option("--has", metavar="HISTORY", help="E.g. heart failure, coronary disease, smoker; may be repeated."),
    ] = None


@dataclass(frozen=True)
class Compared:
    """What is compared, in how many people."""

    heading: ClassVar[str] = "Options"

    tried: Annotated[
        list[str] | None,
        typer.Option(
            "--try",
            metavar="OPTION",
            help="A drug, a course of cells, or several joined by ' + '; may be repeated. As things are now comes first.",
        ),
    ] = None
    scenario: Annotated[
        list[str] | None,
        typer.Option(
            "--scenario", metavar="NAME", help="What cells do: none, current-evidence, face-value, seed-claims."
        ),
    ] = None
    twins: Annotated[
        int, typer.Option("--twins", help="How many simulated people stand for the person, 100 to 1000.")
    ] = 300
    care: Annotated[
        str, typer.Option("--care", metavar="RULE", help="What becomes of other drugs: frozen or usual.")
    ] = "frozen"
    closer: Annotated[
        bool,
        typer.Option(
            "--closer",
            help="Where few people of the library have such labs, live lives anew until labs fit; half a minute.",
        ),
    ] = False
    seed: Annotated[int, typer.Option("--seed", help="Random seed.")] = 1
    threads: ThreadsOption = None


@dataclass(frozen=True)
class Written:
    """Files with the answer."""

    heading: ClassVar[str] = "Files"

    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write the answer as one HTML page that needs nothing else."),
    ] = None
    pdf: Annotated[Path | None, typer.Option("--pdf", metavar="FILE", help="Write the answer as a PDF to print.")] = (
        None
    )


@spelt_out
def patient_command(
    *,
    context: typer.Context,
    labs: Labs,
    compared: Compared,
    to: Written,
    csv: CsvOption = None,
    wide: WideOption = False,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare options for one person in simulated people like them.

    Labs come as options, as FHIR R4 or as a CSV. Printed are six sentences, a table of options, and what published risk equations say; --html and --pdf
    write the same with a picture. It is no medical device.
    """
    if context.invoked_subcommand is not None:
        _refuse_before(context)
        return
    from ...front.people import load_library
    from ...report.patient.patient_contents import patient_contents
    from ...report.patient.patient_trust import forecast_trust
    from ...twins.patient_forecast import patient_forecast

    _check_files(to, csv, force)
    person, strict = _person(labs)
    with show_progress(as_json) as progress:

        def told(activity: str) -> None:
            if progress is not None:
                progress(activity, 0, 0)

        told("reading the library")
        forecast = patient_forecast(
            load_library(), person, compared.tried or (), compared.scenario or None, compared.twins, compared.seed, compared.care, strict,
            compared.closer, compared.threads, told,
        )  # fmt: skip
    contents = patient_contents(forecast, forecast_trust(forecast))
    _write(forecast, contents.trust, to)
    head, rows = _table(forecast)
    done = given_as_csv(Csv.of(head, rows), csv, as_json, wide, text=True)
    if as_json:
        print_json({**forecast.document(), "sentences": list(contents.sentences), "trust": contents.trust})
    if done or as_json:
        return
    _print(contents, wide)


def _check_files(to: Written, csv: Path | None, force: bool) -> None:
    """Say before the work, not after it, that a file cannot be written."""
    from ...base import overwriting
    from ...base.errors import ConfigError
    from ...base.files import unfit

    if force:
        overwriting.force()
    wanted = ((to.html, (".html", ".htm")), (to.pdf, (".pdf",)), (csv, ()))
    if problems := [problem for path, endings in wanted if path is not None for problem in unfit(path, endings)]:
        raise ConfigError(problems)


def _write(forecast: PatientForecast, trust: str, to: Written) -> None:
    from ...base.files import write_text
    from ...report.patient.patient_page import patient_provenance, render_patient_page, write_patient_pdf

    provenance = patient_provenance(sys.argv[1:])
    if to.html is not None:
        write_text(to.html, render_patient_page(forecast, trust, provenance))
        print_note(f"{to.html} written")
    if to.pdf is not None:
        write_patient_pdf(forecast, to.pdf, trust, provenance)
        print_note(f"{to.pdf} written")


def _refuse_before(context: typer.Context) -> None:
    """Refuse options before a verb, which would have no effect on it."""
    from ...base.errors import ConfigError, Problem

    usual = {option.name: option.default for option in context.command.params}
    options_before = [name for name, value in context.params.items() if value != usual.get(name) and value]
    if options_before:
        verb = context.invoked_subcommand
        options = ", ".join(option.opts[0] for option in context.command.params if option.name in options_before)
        message, hint = f"{options} stands before the verb {verb!r}", f"Write it after {verb!r}, if that takes it."
        raise ConfigError(Problem("bad-option", message, hint=hint))


def _person(labs: Labs) -> tuple[PersonLabs, bool]:
    """Return the person of a file, of options, or of both; and whether drugs must be known."""
    from ...base.errors import BetapodError, ConfigError, Location, Problem, did_you_mean
    from ...front.one_patient import read_labs
    from ...twins.option_labs import labs_from_options, merged_labs
    from ...twins.person_labs import HISTORY_WORDS
    from ..shared import assignments

    problems: list[Problem] = []
    names = ("age", "egfr", "creatinine", "uacr", "hba1c", "sbp", "weight", "height", "duration")
    values = {name: getattr(labs, name) for name in names if getattr(labs, name) is not None}
    history = {}
    for text in labs.has or ():
        if text.strip().lower() not in HISTORY_WORDS:
            hint = did_you_mean(text, HISTORY_WORDS) or f"One of: {', '.join(HISTORY_WORDS)}."
            problems.append(Problem("unknown-history", f"{text!r} is not read", Location(f"--has {text}"), hint=hint))
        else:
            history[HISTORY_WORDS[text.strip().lower()]] = True
    from_file, from_options = None, None
    try:
        values |= assignments(labs.more or (), "--lab")
        from_file = read_labs(labs.labs) if labs.labs is not None else None
    except BetapodError as error:
        problems += error.problems
    said_age = "age" in values
    try:
        # What was said needs no age of its own where a file has it.
        filled = values if values or labs.labs is None else {"age": "50"}
        from_options = labs_from_options(filled, labs.sex or "", labs.diabetes or "", labs.on or (), history)
    except BetapodError as error:
        problems += error.problems
    if problems or from_options is None:
        raise ConfigError(problems)
    if from_file is None:
        return from_options, True
    if not said_age:
        from dataclasses import replace

        from_options = replace(from_options, age=None)
    return merged_labs(from_file, from_options), bool(labs.on)


def _table(forecast: PatientForecast) -> tuple[list[str], list[list[Any]]]:
    """Return every number of the options as a table."""
    years = list(forecast.outcomes.options[0].egfr)
    head = ["option", "scenario"]
    head += [
        f"{name} year {span:g} {part}"
        for name in ("eGFR", "UACR")
        for span in years
        for part in ("low", "median", "high")
    ]
    head += [
        "kidney failure 2 y", "kidney failure 5 y", "kidney failure 5 y, with death before", "40 % decline 3 y", "death 5 y",
        "eGFR better", "eGFR worse", "UACR better", "given",
    ]  # fmt: skip
    return head, [_row(option) for option in forecast.outcomes.options]


def _row(option: OptionOutcome) -> list[Any]:
    bands = [value for course in (option.egfr, option.uacr) for band in course.values() for value in band]
    return [
        option.text, option.scenario, *bands, *option.kidney_failure.values(), option.kidney_failure_alive, option.decline, option.death,
        option.better_egfr, option.worse_egfr, option.better_uacr, option.reached,
    ]  # fmt: skip


def _print(contents: PatientContents, wide: bool) -> None:
    print_text(contents.stage, "bold")
    for line in contents.cautions:
        warn(line)
    for line in contents.notes:
        print_note(line)
    print_fields([(str(i), text) for i, text in enumerate(contents.sentences, 1)])
    for table in (contents.likeness, contents.options, contents.equations):
        right = [name for name in table.header if name in ("years", "its risk, %", "the model, %")]
        print_table(table.header, table.rows, right=right, wide=wide)
    print_text(contents.trust, "dim")
