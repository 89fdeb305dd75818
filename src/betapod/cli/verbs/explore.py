"""The verb explore: the explorer as a page on this machine, or as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..shared import print_note, print_text
from ..waiting import waiting


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("explore")(explore_command)


def explore_command(
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write the page into a file instead; it needs no server."),
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; default: any that is free.")] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
) -> None:
    """Explore people, claims, evidence and the model in the browser.

    The page simulates by itself: it is served to this machine alone, and nothing leaves it. End with Ctrl+C.
    """
    if html is not None:
        from ...base.errors import ConfigError
        from ...base.files import unfit
        from ...explorer.explorer_kept import write_explorer

        if problems := unfit(html, (".html", ".htm")):
            raise ConfigError(problems)
        with waiting("writing the page"):
            write_explorer(html)
        print_note(f"wrote {html}")
        return
    from ...explorer.explorer_server import HOST, explorer_server

    with waiting("making the page"):
        server = explorer_server(port)
    address = f"http://{HOST}:{server.server_address[1]}/"
    print_text(f"The explorer is at {address}; end with Ctrl+C.")
    if not no_browser:
        import webbrowser

        webbrowser.open(address)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print_note("ended")
    finally:
        server.server_close()
