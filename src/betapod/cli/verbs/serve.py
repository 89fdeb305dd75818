"""The verb serve: the explorer with trials, evidence, patients and models of one's own behind it."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..running import ThreadsOption
from ..shared import print_note, print_text


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("serve")(serve_command)


def serve_command(
    runs: Annotated[
        Path, typer.Option("--runs", metavar="FOLDER", help="Where trials are kept; made if it is not there.")
    ] = Path("betapod-runs"),
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; default: any that is free.")] = 0,
    host: Annotated[
        str,
        typer.Option(
            "--host", metavar="ADDRESS", help="Address to listen at; any but this machine's own asks for a token."
        ),
    ] = "127.0.0.1",
    token: Annotated[bool, typer.Option("--token", help="Ask for a token on this machine too.")] = False,
    threads: ThreadsOption = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
) -> None:
    """Serve the explorer with trials, evidence and your own models.

    The page and an interface for programs (HTTP, described by OpenAPI at /api/openapi.json) are served to this machine alone, without a token;
    at another address every request needs the token that is printed, or that of the variable BETAPOD_TOKEN. Trials that were interrupted can be
    resumed. It needs the extra server: pip install "betapod[server]". End with Ctrl+C.
    """
    from ...server.serving import serve_explorer

    def ready(address: str) -> None:
        print_text(f"The explorer is at {address}; trials are kept in {runs}; end with Ctrl+C.")
        # Programs that begin it read the address from here.
        sys.stdout.flush()
        if not no_browser:
            import webbrowser

            webbrowser.open(address)

    with contextlib.suppress(KeyboardInterrupt):
        serve_explorer(runs, host, port, token, threads, ready)
    print_note("ended; trials that were running can be resumed")
