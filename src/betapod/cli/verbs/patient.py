"""The verb patient: one person's labs, people who are like them, options compared, and published equations beside."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from ..csv_output import Csv, CsvOption, WideOption, given_as_csv
from ..options import spelt_out
from ..running import ThreadsOption
from ..shared import JsonOption, print_fields, print_json, print_note, print_table, print_text, warn
from ..waiting import show_progress

if TYPE_CHECKING:
    from ...twins.option_outcomes import OptionOutcome
    from ...twins.patient_forecast import PatientForecast
    from ...twins.person_labs import PersonLabs


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("patient")(patient_command)


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
    seed: Annotated[int, typer.Option("--seed", help="Random seed.")] = 1
    threads: ThreadsOption = None


_HISTORY = {
    "heart failure": "hf",
    "coronary disease": "coronary_disease",
    "cardiovascular disease": "cvd",
    "atrial fibrillation": "atrial_fibrillation",
    "smoker": "smoker",
    "ex-smoker": "ex_smoker",
    "hypertension": "hypertension",
}


@spelt_out
def patient_command(
    *, labs: Labs, compared: Compared, csv: CsvOption = None, wide: WideOption = False, as_json: JsonOption = False
) -> None:
    """Compare options for one person in simulated people like them.

    Labs come as options, as FHIR R4 or as a CSV. Printed are six sentences, a table of options, and what published risk equations say. It is no medical device.
    """
    from ...front.people import load_library
    from ...twins.patient_forecast import patient_forecast

    person, strict = _person(labs)
    with show_progress(as_json) as progress:

        def told(activity: str) -> None:
            if progress is not None:
                progress(activity, 0, 0)

        told("reading the library")
        forecast = patient_forecast(
            load_library(), person, compared.tried or (), compared.scenario or None, compared.twins, compared.seed, compared.care, strict,
            compared.threads, told,
        )  # fmt: skip
    trust = _trust(forecast)
    from ...twins.plain_answer import plain_answer

    sentences = plain_answer(forecast)
    head, rows = _table(forecast)
    done = given_as_csv(Csv.of(head, rows), csv, as_json, wide, text=True)
    if as_json:
        print_json({**forecast.document(), "sentences": list(sentences), "trust": trust})
    if done or as_json:
        return
    _print(forecast, sentences, trust, wide)


def _person(labs: Labs) -> tuple[PersonLabs, bool]:
    """Return the person of a file, of options, or of both; and whether drugs must be known."""
    from ...base.errors import BetapodError, ConfigError, Location, Problem, did_you_mean
    from ...front.one_patient import read_labs
    from ...twins.option_labs import labs_from_options, merged_labs
    from ..shared import assignments

    problems: list[Problem] = []
    names = ("age", "egfr", "creatinine", "uacr", "hba1c", "sbp", "weight", "height", "duration")
    values = {name: getattr(labs, name) for name in names if getattr(labs, name) is not None}
    history = {}
    for text in labs.has or ():
        if text.strip().lower() not in _HISTORY:
            hint = did_you_mean(text, _HISTORY) or f"One of: {', '.join(_HISTORY)}."
            problems.append(Problem("unknown-history", f"{text!r} is not read", Location(f"--has {text}"), hint=hint))
        else:
            history[_HISTORY[text.strip().lower()]] = True
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


def _trust(forecast: PatientForecast) -> str:
    """Say how far published numbers bear the model out for what was asked."""
    from ...trust.trust_answer import trust_sentence
    from ...trust.trust_lines import question_of_simulation

    options = forecast.outcomes.options[1:]
    cells = [option.text for option in options if option.scenario]
    drugs = [option.text for option in options if not option.scenario and " + " not in option.text]
    cells = [text for text in dict.fromkeys(cells) if " + " not in text]
    question = question_of_simulation(
        ["eGFR", "UACR"], drugs, cells, "", forecast.labs.diabetes if forecast.labs.diabetes != "none" else ""
    )
    return trust_sentence(question)


def _number(value: float, digits: int = 0) -> str:
    return "" if not math.isfinite(value) else f"{value:.{digits}f}"


def _band(band: tuple[float, float, float]) -> str:
    low, middle, high = band
    return f"{middle:.0f} ({low:.0f} to {high:.0f})"


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


def _print(forecast: PatientForecast, sentences: tuple[str, ...], trust: str, wide: bool) -> None:
    from ...twins.lab_quantities import lab_quantities
    from ...twins.plain_answer import of_ten

    labs, like = forecast.labs, forecast.like
    print_text(f"KDIGO {labs.kdigo_stage}{_chronic(labs)}", "bold")
    for line in labs.contradictions:
        warn(line)
    for line in (*labs.notes, *forecast.notes):
        print_note(line)
    print_fields([(str(i), text) for i, text in enumerate(sentences, 1)])
    print_table(
        ("lab", "the person", "people like them"),
        [
            (
                lab_quantities()[name].label,
                f"{row[0]:.3g} {lab_quantities()[name].unit}",
                f"{row[1]:.3g} ({row[2]:.3g} to {row[3]:.3g})",
            )
            for name, row in like.labs.items()
        ],
        wide=wide,
    )
    print_table(
        ("option", "eGFR 1 y", "eGFR 5 y", "UACR 5 y", "eGFR better", "kidney failure 5 y", "40 % decline 3 y", "death 5 y"),
        [
            (
                option.name, _band(option.egfr[1.0]), _band(option.egfr[5.0]), _band(option.uacr[5.0]),
                "" if option is forecast.outcomes.options[0] else of_ten(option.better_egfr),
                of_ten(option.kidney_failure[5.0]), of_ten(option.decline), of_ten(option.death),
            )
            for option in forecast.outcomes.options
        ],
        wide=wide,
    )  # fmt: skip
    print_table(
        ("equation", "years", "its risk, %", "the model, %", "remark"),
        [
            (
                row.name, str(row.years), _number(100 * row.risk, 1), _number(100 * row.model, 1),
                "DIFFERS by more than a factor of 2" if row.differs else row.why,
            )
            for row in forecast.equations
        ],
        right=("years", "its risk, %", "the model, %"),
        wide=wide,
    )  # fmt: skip
    print_text(trust, "dim")


def _chronic(labs: PersonLabs) -> str:
    if labs.chronic is None:
        return "; whether it has lasted three months is not known"
    return "; it has lasted three months" if labs.chronic else "; not shown to have lasted three months"
