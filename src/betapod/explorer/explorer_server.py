"""The explorer on the loopback: one page and its parts, read only, for browsers of this machine alone."""

from __future__ import annotations

import contextlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ..base.errors import ConfigError, Location, Problem
from .entity_tags import entity_tag, is_current
from .explorer_kept import kept_page, kept_part
from .explorer_parts import LATER, PARTS_PREFIX

HOST = "127.0.0.1"
#: What a request may call this server: another name is that of a page elsewhere that points here.
_NAMES = ("127.0.0.1", "localhost")
_TEXT = "text/plain; charset=utf-8"


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD of the page and its parts; nothing else is there."""

    server_version, sys_version = "betapod", ""

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, with_body: bool) -> None:
        host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        path = self.path.partition("?")[0]
        part = path.removeprefix(PARTS_PREFIX)
        if host not in _NAMES:
            self._send(403, b"this page is for the machine it runs on\n", _TEXT, with_body)
        elif path == "/":
            self._send_kept(kept_page(served=True), "text/html; charset=utf-8", with_body)
        elif path != part and part in LATER:
            self._send_kept(kept_part(part), "application/octet-stream", with_body)
        else:
            self._send(404, b"there is one page, at /\n", _TEXT, with_body)

    def _send_kept(self, packed: bytes, kind: str, with_body: bool) -> None:
        tag = entity_tag(packed)
        if is_current(self.headers.get("If-None-Match", ""), tag):
            self._send(304, b"", kind, with_body=False, more={"ETag": tag})
        else:
            self._send(200, packed, kind, with_body, {"Content-Encoding": "gzip", "ETag": tag})

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
            # A browser may have gone on to another page.
            with contextlib.suppress(ConnectionError):
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
    kept_page(served=True)
    try:
        return ThreadingHTTPServer((HOST, port), _Handler)
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
