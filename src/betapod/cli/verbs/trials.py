"""Verbs about trials: run, resume, trial check, list and show; schema."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...base.clinical import read_as
from ...base.errors import BetapodError, ConfigError, Problem, not_among
from ...base.files import write_text
from ..completion import complete_folder, complete_protocol, complete_scenario, starting
from ..csv_output import Csv, CsvOption, given_as_csv
from ..running import QuietOption, ThreadsOption, breaking
from ..shared import JsonOption, print_json, print_note, print_table, print_text, with_noun, write_out
from ..trial_comparisons import tell_comparisons
from ..trial_harms import print_trial_harms
from ..trial_looks import tell_looks
from ..waiting import show_progress, waiting
from . import trial_data_verbs
from .trial_new import new_trial_command
from .trial_size import size_trial_command

if TYPE_CHECKING:
    from ...trials.conduct.feasibility import Feasible
    from ...trials.protocol.protocol import Protocol
    from ...trials.protocol.run_cost import Cost

trial = typer.Typer(no_args_is_help=True, help="Protocols of trials, and their data in the forms of CDISC.")


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.add_typer(trial, name="trial")
    trial_data_verbs.add_data_verbs(trial)
    app.command("run")(run_command)
    app.command("resume")(resume_command)
    app.command("schema")(schema_command)


def _complete_schema(incomplete: str) -> list[str]:
    return starting(("trial",), incomplete)


ProtocolArgument = Annotated[
    str,
    typer.Argument(
        metavar="PROTOCOL", help="Name (see 'betapod trial list') or YAML file.", autocompletion=complete_protocol
    ),
]

ResultsOption = Annotated[
    Path | None,
    typer.Option(
        "--csv",
        metavar="FILE",
        help="Write what the groups differ by as CSV, on the scale of the analysis; '-' for standard output.",
    ),
]


def run_command(
    protocol: ProtocolArgument,
    folder: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Run folder; default: betapod-PROTOCOL.")
    ] = None,
    designs: Annotated[
        list[str] | None, typer.Option("--design", metavar="NAME", help="Only this design; may be repeated.")
    ] = None,
    scenarios: Annotated[
        list[str] | None,
        typer.Option(
            "--scenario",
            metavar="NAME",
            help="Only this scenario of cell therapy; may be repeated.",
            autocompletion=complete_scenario,
        ),
    ] = None,
    replicates: Annotated[
        int | None,
        typer.Option("--replicates", "-r", min=1, help="Simulated trials; default: the protocol's own number."),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Random seed; default: the protocol's own.")] = None,
    fit_draws: Annotated[
        int | None,
        typer.Option(
            "--fit-draws",
            min=0,
            max=64,
            metavar="N",
            help="Sets of parameters, of a fit's posterior and of what cells do; each has replicates of its own. "
            "Default: the protocol's own number, else none.",
        ),
    ] = None,
    fit: Annotated[
        str | None,
        typer.Option(
            "--fit",
            metavar="NAME",
            help="Installed fit whose posterior is drawn from; default: the newest. none: the values of the tables before their fit.",
        ),
    ] = None,
    threads: ThreadsOption = None,
    csv: ResultsOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run a trial on virtual patients.

    In a folder that holds the same run, the run is completed.
    """
    from ...trials import run_folder as store

    trial_plan = store.trial_plan(protocol, designs, scenarios, replicates, seed, fit_draws, fit)
    run_folder = folder or Path(f"betapod-{trial_plan.protocol.name}")
    with breaking("resume", folder=run_folder), show_progress(quiet) as progress:
        run = store.run_into(run_folder, trial_plan, None, threads, progress, ["betapod", *sys.argv[1:]])
    _tell(run, run_folder, csv, quiet, as_json)


def resume_command(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Run folder of a trial.", autocompletion=complete_folder)
    ],
    threads: ThreadsOption = None,
    csv: ResultsOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Resume a trial: recompute missing or damaged parts."""
    from ...trials import run_folder as store

    with breaking("resume", folder=folder), show_progress(quiet) as progress:
        run = store.resume(folder, threads, progress)
    _tell(run, folder, csv, quiet, as_json)


def schema_command(
    what: Annotated[
        str, typer.Argument(metavar="NAME", help="Schema name (only: trial).", autocompletion=_complete_schema)
    ],
    target: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="File to write; default: standard output.")
    ] = None,
) -> None:
    """Print the JSON Schema of protocols, for editors."""
    if what != "trial":
        raise ConfigError(not_among(["trial"], "unknown-schema", f"there is no schema {what!r}", what))
    from ...trials.protocol.protocol import json_schema

    text = json.dumps(json_schema(), indent=2) + "\n"
    if target is None:
        write_out(text)
    else:
        write_text(target, text)


@trial.command("list")
def list_protocols_command(csv: CsvOption = None, as_json: JsonOption = False) -> None:
    """List the protocols that come with the package.

    Into a pipe or a file the list goes as CSV.
    """
    from ...trials.protocol.protocol_files import find_protocol, protocol_catalogue
    from ...trials.protocol_check import protocol_facts

    protocols = [find_protocol(path) for path in protocol_catalogue().values()]
    heads = ("name", "patients", "arms", "title")
    rows = [
        (protocol.name, str(protocol.size(next(iter(protocol.designs)))), ", ".join(protocol.arms), protocol.title)
        for protocol in protocols
    ]
    done = given_as_csv(Csv.of(heads, rows), csv, as_json)
    if as_json:
        print_json({"protocols": [protocol_facts(protocol) for protocol in protocols]})
    elif not done:
        print_table(heads, rows)


@trial.command("show")
def show_protocol_command(protocol: ProtocolArgument, as_json: JsonOption = False) -> None:
    """Print a protocol as YAML."""
    from ...trials.protocol.protocol_files import protocol_document, read_protocol

    document = protocol_document(protocol)
    checked = read_protocol(document)
    if as_json:
        print_json({"protocol": checked.model_dump(mode="json")})
    else:
        write_out(document.text)


trial.command("new")(new_trial_command)
trial.command("size")(size_trial_command)


@trial.command("check")
def check_protocols_command(
    protocols: Annotated[
        list[str], typer.Argument(metavar="PROTOCOL...", help="Names or YAML files.", autocompletion=complete_protocol)
    ],
    as_json: JsonOption = False,
) -> None:
    """Check protocols: errors, eligible patients, cost of a run.

    Every error is reported with line and column; then how many library patients are eligible, how many different people the trial
    patients come from, and how long a run will take.
    """
    from ...trials.operating.look_data import looks_in_words
    from ...trials.protocol_check import protocol_facts

    problems: list[Problem] = []
    checked, read_protocol = [], []
    for name in protocols:
        try:
            with read_as() as sentences, waiting(f"looking who is eligible for {name}"):
                checked.append(_checked(name))
            read_protocol.append(sentences)
        except BetapodError as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigError(problems)
    if as_json:
        more = [
            protocol_facts(protocol) | {"feasibility": who.as_dict(), "cost": cost.as_dict(), "read_as": said}
            for (protocol, who, cost), said in zip(checked, read_protocol, strict=True)
        ]
        print_json({"protocols": more})
        return
    for protocol, who, cost in checked:
        sizes = ", ".join(f"{name}: {protocol.size(name)} patients" for name in protocol.designs)
        supposed = with_noun(len(protocol.scenarios), "scenario", "scenarios")
        told = f"{protocol.name}: good; {sizes}; {supposed}, {with_noun(protocol.replicates, 'replicate')}"
        print_text(told, hanging=2)
        for name in protocol.designs:
            if words := looks_in_words(protocol, name):
                print_text(f"  {name}: {words}.", hanging=2)
        for sentence in who.sentences:
            print_text(f"  {sentence}", hanging=2)
        print_text(f"  A run takes {cost.words} (estimated).", hanging=2)


def _checked(name: str) -> tuple[Protocol, Feasible, Cost]:
    """Return a protocol, who could take part, and what a run would cost; everything wrong is raised with its place."""
    from ...trials.protocol.cohort_paths import resolved
    from ...trials.protocol.protocol_files import protocol_document, read_protocol
    from ...trials.protocol_check import checked_feasibility

    text = protocol_document(name)
    protocol = resolved(read_protocol(text), text)
    with waiting(f"counting who is eligible for {protocol.name}"):
        return protocol, *checked_feasibility(protocol, text)


def _tell(run: Any, folder: Path, csv: Path | None, quiet: bool, as_json: bool) -> None:
    from ...trials.conduct.feasibility import Behind, feasibility_notes
    from ...trust.trust_answer import trust_sentence
    from ...trust.trust_lines import question_of_protocol

    protocol_document = run.summary
    done = given_as_csv(_as_csv(protocol_document), csv, as_json, text=True, quiet=quiet)
    if as_json:
        print_json(
            {**protocol_document, "folder": str(folder), "trust": trust_sentence(question_of_protocol(run.protocol))}
        )
    if as_json or done:
        return
    print_text(protocol_document["title"], "bold")
    cells = any(row["cells"] for row in protocol_document["rows"])
    several = len({row["design"] for row in protocol_document["rows"]}) > 1
    if protocol_document["comparisons"]:
        tell_comparisons(protocol_document, several, cells)
        tell_looks(protocol_document, several, cells)
    _tell_groups(protocol_document, several, cells)
    print_trial_harms(protocol_document)
    for design, people in protocol_document["people_behind_patients"].items():
        behind = Behind(people["patients"], people["people"], people["heaviest"])
        for text in feasibility_notes(run.protocol, design, behind):
            print_note(f"{design}: {text}")
    if not quiet:
        if undone := protocol_document["pool"].get("values before fit"):
            print_note(f"Parameters are those that the tables had before fit {undone}.")
        print_note(trust_sentence(question_of_protocol(run.protocol)))
        print_note(f"{with_noun(protocol_document['replicates'], 'replicate')}; results in {folder}")


def _as_csv(document: dict[str, Any]) -> Csv:
    """Return comparisons, or groups where nothing is compared, on the scale of the analysis: logarithms of ratios and hazards."""
    rows = document["comparisons"] or [
        {name: value for name, value in row.items() if name != "parts"} | row["parts"] for row in document["rows"]
    ]
    endpoint = document["endpoint"] | ({} if document["comparisons"] else document["endpoint"]["of_groups"])
    about = {name: endpoint[name] for name in ("quantity", "summary", "visit", "scale", "unit")}
    return Csv.of([*about, *(rows[0] if rows else ())], [[*about.values(), *row.values()] for row in rows])


def _tell_groups(protocol_document: dict[str, Any], several: bool, cells: bool) -> None:
    """Print how each group changed from its own baseline."""
    from ...report.common.words import short_name

    endpoint = protocol_document["endpoint"] | protocol_document["endpoint"]["of_groups"]
    log = endpoint["scale"] == "log"
    groups = [row["design"] for row in protocol_document["rows"]]
    # Chance of the baseline and "better than before" say something where there is no control.
    alone = any(
        groups.count(row["design"]) == len({r["scenario"] for r in protocol_document["rows"]})
        for row in protocol_document["rows"]
    )
    rows = [
        (
            *([row["design"]] if several else []),
            *([row["scenario"]] if cells else []),
            row["arm"],
            _shown(row["change"], log),
            *([_shown(row["true_effect"], log)] if cells else []),
            *([_shown(row["parts"]["regression to the mean"], log)] if alone else []),
            *(["-" if row["trials_better"] is None else f"{100 * row['trials_better']:.0f} %"] if alone else []),
        )
        for row in protocol_document["rows"]
    ]
    # Of a quantity that is a percentage itself, 0.5 % of change would be another number.
    unit = "%" if log else "percentage points" if endpoint["unit"] == "%" else endpoint["unit"]
    print_text(f"{short_name(endpoint['described'])} at {endpoint['visit']}, mean change from baseline in {unit}")
    head = (*(["design"] if several else []), *(["scenario"] if cells else []), "arm")
    columns = (
        *head,
        "change",
        *(["by cells"] if cells else []),
        *(["by chance of baseline", "trials better"] if alone else []),
    )
    print_table(columns, rows, right=columns[len(head) :])


def _shown(value: float | None, log: bool) -> str:
    if value is None:
        return "-"
    from ...report.common.words import true_minus

    text = f"{100 * math.expm1(min(value, 14.0)):+.1f}" if log else f"{value:+.2f}"
    return text.replace("-", "+") if float(text) == 0 else true_minus(text)
