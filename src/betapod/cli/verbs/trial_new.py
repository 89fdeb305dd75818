"""The verb trial new: a protocol to edit, copied, from a template or from answers, with its schema for editors."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from ...base.errors import ConfigError, Location, Problem
from ...base.files import write_text
from ..asking import asked_protocol
from ..completion import complete_protocol, starting
from ..running import command
from ..shared import print_note


def _complete_template(incomplete: str) -> list[str]:
    return starting(("two-arm", "single-arm", "crossover", "dose-finding", "add-on"), incomplete)


def new_trial_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the new trial, or its file.")],
    like: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="PROTOCOL", help="Protocol to copy; default: dn61.", autocompletion=complete_protocol
        ),
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(
            "--template",
            metavar="NAME",
            help="Small protocol to begin with: two-arm, single-arm, crossover, dose-finding or add-on.",
            autocompletion=_complete_template,
        ),
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="File to write; default: NAME.yaml.")
    ] = None,
    usdm: Annotated[
        Path | None,
        typer.Option("--usdm", metavar="FILE", help="Schedule of activities (JSON of USDM 4) to begin with."),
    ] = None,
    ask: Annotated[
        bool,
        typer.Option(
            "--ask", help="Ask ten questions; answers are lines of standard input, an empty one for the usual."
        ),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write a protocol to edit, with its schema for editors."""
    from ...trials.protocol.protocol import json_schema
    from ...trials.protocol.protocol_files import parse_protocol, protocol_document, protocol_template

    sources = {"--from": like, "--template": template, "--usdm": usdm, "--ask": ask or None}
    if len(begun := [option for option, value in sources.items() if value is not None]) > 1:
        message = f"{' and '.join(begun)} both say what to begin with"
        raise ConfigError(Problem("two-sources", message, hint="Give one of them."))
    name, path = _named_file(name, target)

    def named(text: str) -> str:
        return re.sub(r"(?m)^name: .*$", lambda _: f"name: {name}", text, count=1)

    # A name that is none is refused before a file of that name is looked for and questions are asked.
    parse_protocol(named(protocol_document("dn61").text), str(path))
    if path.exists() and not force:
        raise ConfigError(Problem("file-exists", "the file exists", Location(str(path)), hint="Use --force, or --out."))
    if ask:
        copied = asked_protocol(name)
    elif usdm is not None:
        from ...exchange.usdm.read_usdm import read_usdm

        copied = read_usdm(usdm).protocol_text(name)
    else:
        copied = protocol_document(like or "dn61").text if template is None else protocol_template(template)
    text = named(copied)
    parse_protocol(text, str(path))
    schema = path.with_name("betapod-trial.schema.json")
    write_text(schema, json.dumps(json_schema(), indent=2) + "\n")
    write_text(path, f"# yaml-language-server: $schema={schema.name}\n{text}")
    source = (
        "from your answers"
        if ask
        else f"from the schedule of {usdm}"
        if usdm is not None
        else f"a copy of {like or 'dn61'}"
        if template is None
        else f"from the template {template}"
    )
    print_note(f"{path} written, {source}; check it with: {command('trial', 'check', path)}")


def _named_file(name: str, target: Path | None) -> tuple[str, Path]:
    """Return the name of a trial and its file; a name that is one of a file is not given a second ending."""
    if target is None and Path(name).suffix.lower() in (".yaml", ".yml"):
        return Path(name).stem, Path(name)
    return name, target or Path(f"{name}.yaml")
