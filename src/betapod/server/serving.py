"""Serve until somebody ends it: the socket, the token, the processes behind, and a clean end."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable
from pathlib import Path

from ..base.errors import ConfigError, Location, MissingExtraError, Problem
from ..base.nouns import with_noun
from .request_guard import Access, is_loopback

#: Where a token of one's own is read from: not from the command line, which every user of the machine can see.
TOKEN_VARIABLE = "BETAPOD_TOKEN"
#: Letters of a token of one's own (a choice: more than can be guessed).
_LEAST_TOKEN = 16
#: Connections that wait to be accepted.
_BACKLOG = 128


def serve_explorer(
    runs_folder: Path,
    host: str = "127.0.0.1",
    port: int = 0,
    ask_token: bool = False,
    threads: int | None = None,
    ready: Callable[[str], None] = lambda address: None,
) -> None:
    """Serve the explorer and what stands behind it, until the process is interrupted.

    Parameters
    ----------
    runs_folder
        Where trials are kept.
    host
        Address to listen at; other than those of this machine alone a token is asked for.
    port
        0: any that is free.
    ask_token
        Whether a token is asked for on this machine too.
    threads
        Processor cores of a trial; all by default.
    ready
        Is told the address of the page, with its token, once requests are answered.

    Raises
    ------
    ConfigError
        The port is taken, the address is none of this machine's, the folder cannot be used, or the token is too short.
    MissingExtraError
        The packages of the server are not installed.
    """
    try:
        import fastapi  # noqa: F401
        import uvicorn
    except ImportError:
        raise MissingExtraError("fastapi", "server", "the server") from None
    from .application import server_application
    from .calculators import Calculators
    from .trial_runs import TrialRuns

    access = Access(host, _token(is_loopback(host), ask_token))
    listening = listening_socket(host, port)
    with listening:
        runs, calculators = TrialRuns(runs_folder, threads), Calculators()
        try:
            application = server_application(access, calculators, runs)
            # A stream of events would wait for its trial.
            config = uvicorn.Config(application, log_config=None, access_log=False, timeout_graceful_shutdown=1)
            ready(page_address(access, listening.getsockname()[1]))
            uvicorn.Server(config).run(sockets=[listening])
        finally:
            runs.close()
            calculators.close()


def page_address(access: Access, port: int) -> str:
    """Return the address of the page; the token stands where no server and no log sees it."""
    host = "127.0.0.1" if access.host in ("0.0.0.0", "::") else access.host
    named = f"[{host}]" if ":" in host else host
    return f"http://{named}:{port}/" + (f"#token={access.token}" if access.token else "")


def _token(on_loopback: bool, asked: bool) -> str:
    token = os.environ.get(TOKEN_VARIABLE, "")
    if token and (len(token) < _LEAST_TOKEN or not token.isascii() or not token.isprintable() or " " in token):
        expected = f"at least {_LEAST_TOKEN} letters and digits, without spaces"
        where = Location(f"environment variable {TOKEN_VARIABLE}")
        raise ConfigError(
            Problem("bad-token", "this token cannot be used", where, with_noun(len(token), "letter"), expected)
        )
    if token:
        return token
    return secrets.token_urlsafe(32) if asked or not on_loopback else ""


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises
    ------
    ConfigError
        The port is taken or may not be used, or the address is none of this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError) as error:
        where, hint = (
            Location("argument host (--host)"),
            "127.0.0.1 is this machine alone, 0.0.0.0 every address of it.",
        )
        raise ConfigError(Problem("bad-host", f"{host!r} is no address", where, str(error), hint=hint)) from None
    listening = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            # A port that was left a moment ago is free.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        where, hint = Location("argument port (--port)"), "Leave the argument port (--port) out: a free one is taken."
        message = f"port {port} at {host} cannot be used"
        raise ConfigError(Problem("bad-port", message, where, error.strerror or str(error), hint=hint)) from None
    return listening
