"""The explorer on the loopback: one page, read only, for browsers of this machine alone."""

from __future__ import annotations

import gzip
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ..base.errors import ConfigError, Location, Problem
from .explorer_page import explorer_html

HOST = "127.0.0.1"
#: What a request may call this server: another name is that of a page elsewhere that points here.
_NAMES = ("127.0.0.1", "localhost")


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD of the page; nothing else is there."""

    server_version, sys_version = "betapod", ""
    page: bytes = b""

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, with_body: bool) -> None:
        host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        if host not in _NAMES:
            self._send(403, b"this page is for the machine it runs on\n", "text/plain; charset=utf-8", with_body)
        elif self.path.partition("?")[0] != "/":
            self._send(404, b"there is one page, at /\n", "text/plain; charset=utf-8", with_body)
        else:
            self._send(200, self.page, "text/html; charset=utf-8", with_body, {"Content-Encoding": "gzip"})

    def _send(self, status: int, body: bytes, kind: str, with_body: bool, more: dict[str, str] | None = None) -> None:
        self.send_response(status)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "X-Frame-Options": "DENY",
            "Cache-Control": "no-cache",
            **(more or {}),
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what is looked at is nobody's business."""


def explorer_server(port: int = 0) -> ThreadingHTTPServer:
    """Return a server of the page, bound to the loopback; `serve_forever` starts it, `server_address` has its port.

    Parameters
    ----------
    port
        0: any that is free.

    Raises
    ------
    ConfigError
        The port is taken, or may not be used.
    """
    page = gzip.compress(explorer_html().encode(), 6, mtime=0)
    handler = type("_PageHandler", (_Handler,), {"page": page})
    try:
        return ThreadingHTTPServer((HOST, port), handler)
    except (OSError, OverflowError) as error:
        raise ConfigError(
            Problem(
                "bad-port",
                f"port {port} cannot be used",
                Location("argument port (--port)"),
                found=str(error),
                hint="Leave the argument port (--port) out: a free one is taken.",
            )
        ) from None
