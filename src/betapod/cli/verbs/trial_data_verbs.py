"""Verbs about forms of other tools: trial export, trial check-adam, trial usdm, trial archive."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from ...base.files import write_text
from ..completion import complete_folder, complete_protocol
from ..csv_output import Csv, CsvOption, given_as_csv
from ..running import QuietOption
from ..shared import (
    JsonOption,
    names_option,
    print_fields,
    print_json,
    print_note,
    print_table,
    print_text,
    with_noun,
    write_out,
)
from ..waiting import show_progress, waiting


def add_data_verbs(app: typer.Typer) -> None:
    """Add the verbs to those of trials."""
    app.command("export")(export_trial_command)
    app.command("check-adam")(check_adam_command)
    app.command("usdm")(usdm_command)
    app.command("archive")(trial_archive_command)


def usdm_command(
    protocol: Annotated[
        str, typer.Argument(metavar="PROTOCOL", help="Name or YAML file.", autocompletion=complete_protocol)
    ],
    target: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="File to write; default: standard output.")
    ] = None,
    design: Annotated[
        str | None, typer.Option("--design", metavar="NAME", help="Design; default: the first of the protocol.")
    ] = None,
) -> None:
    """Print a protocol as a study definition of USDM 4.

    Arms, visits with days and windows, what is measured, objectives. trial new NAME --usdm FILE goes the other way.
    """
    import json

    from ...exchange.usdm.write_usdm import usdm_document
    from ...trials.protocol.protocol_files import find_protocol

    text = json.dumps(usdm_document(find_protocol(protocol), design), indent=1) + "\n"
    if target is None:
        write_out(text)
    else:
        write_text(target, text)


def trial_archive_command(
    protocol: Annotated[
        str, typer.Argument(metavar="PROTOCOL", help="Name or YAML file.", autocompletion=complete_protocol)
    ],
    target: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Archive to write; default: PROTOCOL.omex.")
    ] = None,
    scenario: Annotated[
        str | None,
        typer.Option(
            "--scenario", metavar="NAME", help="What cells do; default: current-evidence if the protocol has it."
        ),
    ] = None,
    outputs: Annotated[
        list[str] | None,
        typer.Option(
            "--outputs", "-O", metavar="NAMES", help="Quantities, comma-separated; default: what the protocol measures."
        ),
    ] = None,
    step: Annotated[float, typer.Option("--step", metavar="DAYS", help="Days between rows.")] = 1.0,
    person: Annotated[
        int | None,
        typer.Option(
            "--person",
            metavar="NUMBER",
            help="Somebody of the library who may be enrolled; default: the one in the middle of those who are.",
        ),
    ] = None,
    nested: Annotated[
        bool, typer.Option("--nested", help="Formulas as nested functions, so that Tellurium opens the archive.")
    ] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write one person in every arm of a trial as a COMBINE archive.

    SBML with what is given in each arm, SED-ML that runs and plots all arms, results. Without chance events and error of measurement.
    """
    from ...exchange.archive.trial_archive import write_trial_archive

    path = target or Path(f"{Path(protocol).stem}.omex")
    names = names_option(outputs or ()) or None
    with show_progress(quiet or as_json) as progress:
        written = write_trial_archive(protocol, path, scenario, step, names, person, nested, progress)
    if as_json:
        arms = {arm: list(words) for arm, words in written.arms.items()}
        print_json({"file": str(path), "person": written.person, "scenario": written.scenario, "arms": arms})
        return
    print_fields([("person", written.facts), ("scenario", written.scenario)])
    print_table(("arm", "what is given"), [(arm, "; ".join(words)) for arm, words in written.arms.items()])
    print_note(f"wrote {path}")


def export_trial_command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder of a trial.", autocompletion=complete_folder)],
    cdisc: Annotated[
        str, typer.Option("--cdisc", metavar="STANDARD", help="adam (data sets of analysis) or sdtm (tabulations).")
    ] = "adam",
    formats: Annotated[
        str,
        typer.Option(
            "--format", metavar="FORMATS", help="xpt, dataset-json, dataset-ndjson, parquet; several with commas."
        ),
    ] = "xpt",
    folder: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Where the files go; default: RUN-STANDARD.")
    ] = None,
    design: Annotated[
        str | None, typer.Option("--design", metavar="NAME", help="Design; default: the first of the run.")
    ] = None,
    scenario: Annotated[
        str | None, typer.Option("--scenario", metavar="NAME", help="Scenario; default: the first of the run.")
    ] = None,
    replicate: Annotated[
        int, typer.Option("--replicate", "-r", min=0, help="Which of the simulated trials, from 0.")
    ] = 0,
    start: Annotated[
        str | None,
        typer.Option("--start", metavar="DATE", help="Calendar day of enrolment, such as 2025-01-31."),
    ] = None,
    counterfactual: Annotated[
        bool,
        typer.Option("--counterfactual", help="Write true values and those without cells too, in a file of their own."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a simulated trial as data of CDISC: ADaM or SDTM.

    One replicate of one design under one scenario, with define.xml. Everything in it is simulated, and says so: STUDYID begins with SIM-.
    """
    from ...exchange.cdisc.export_cdisc import export_cdisc

    target = folder or _beside(run, cdisc)
    with waiting("writing the data sets"):
        written = export_cdisc(run, target, cdisc, formats, design, scenario, replicate, start, counterfactual)
    if as_json:
        print_json(
            {
                "study": written.study_id,
                "standard": written.standard,
                "folder": str(written.folder),
                "files": [str(path) for path in written.files],
                "datasets": [
                    {"dataset": name, "label": label, "records": records, "variables": variables}
                    for name, (label, records, variables) in written.datasets.items()
                ],
            }
        )
        return
    print_text(f"{written.study_id}, simulated", "bold")
    rows = [
        (name, label, str(records), str(variables)) for name, (label, records, variables) in written.datasets.items()
    ]
    print_table(("data set", "label", "records", "variables"), rows, right=("records", "variables"))
    print_note(f"{with_noun(len(written.files), 'file')} in {written.folder}")


def check_adam_command(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="Folder with data sets of ADaM.", autocompletion=complete_folder),
    ],
    csv: CsvOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check data sets of ADaM, betapod's or others', by rules.

    Exit code 2 where a rule is broken. Reads SAS transport, Dataset-JSON and Parquet.
    """
    from ...exchange.cdisc.check_adam import check_adam

    with waiting("checking the data sets"):
        check = check_adam(folder)
    heads = ("rule", "data set", "variable", "records", "what must hold", "example")
    rows: list[tuple[str, ...]] = [
        (f.rule, f.dataset, f.variable, str(f.rows) if f.rows else "-", f.text, f.example) for f in check.findings
    ]
    done = given_as_csv(Csv.of(heads, rows), csv, as_json)
    if as_json:
        print_json(
            {"folder": str(folder), "datasets": list(check.datasets), "rules": check.rules, "findings": _plain(check)}
        )
    elif not done:
        about = f"{with_noun(len(check.datasets), 'data set')} and {check.rules} rules"
        print_text(f"{folder}: {'good' if check.good else with_noun(len(check.findings), 'finding')}; {about}", "bold")
        for rule, name, variable, records, text, example in rows:
            where = f"{name}.{variable}" if variable else name
            many = "" if records == "-" else f", {with_noun(int(records), 'record')}"
            print_text(f"{rule} {where}{many}: {text}. First: {example}", hanging=4)
    if not check.good:
        raise typer.Exit(2)


def _plain(check: Any) -> list[dict[str, Any]]:
    return [
        {
            "rule": f.rule,
            "dataset": f.dataset,
            "variable": f.variable,
            "records": f.rows,
            "text": f.text,
            "example": f.example,
        }
        for f in check.findings
    ]


def _beside(run: Path, ending: str) -> Path:
    """Return the folder beside a run that has its name and an ending; the run may be the folder that one is in."""
    # Not resolved: a link may lead nowhere, and the run's own error is the better one.
    run_place = run if run.name not in ("", "..") else Path(os.path.abspath(run))  # noqa: PTH100
    return run_place.parent / f"{run_place.name or 'run'}-{ending}"
