"""What is asked of a request before anything looks at it: whom it addresses, where it comes from, its token, its size and its form."""

from __future__ import annotations

import hmac
import ipaddress
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from ..base.errors import Location, Problem
from .problem_answers import Refusal

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

#: Where everything but the page is.
PREFIX = "/api"
#: Bytes of a request: bundles of labs of one person are seldom a tenth of it (a choice).
MOST_BYTES = 8 * 2**20
#: Names by which a machine calls itself.
_SELF = ("127.0.0.1", "localhost", "::1")
_JSON = ("application/json", "application/fhir+json")
#: What a browser may do with any answer.
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
#: What a browser may load for an answer that is no page.
_NOTHING = "default-src 'none'; frame-ancestors 'none'"


@dataclass(frozen=True)
class Access:
    """Who may ask.

    Attributes
    ----------
    host
        Address that the server listens at.
    token
        Asked of every request but those of the page; empty for none.
    """

    host: str
    token: str = field(default="", repr=False)

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback(self.host)

    def addressed(self, name: str) -> bool:
        """Whether a request that calls the server by a name can be meant for it.

        A page elsewhere may point a name of its own at this machine; an address in numbers is nobody's name.
        """
        if name.lower() in _SELF or name.lower() == self.host.lower():
            return True
        if self.on_loopback:
            return False
        return _is_address(name) or name.lower() in {socket.gethostname().lower(), socket.getfqdn().lower()}

    def admitted(self, authorization: str) -> bool:
        """Whether the header ``Authorization`` has the token."""
        scheme, _, token = authorization.partition(" ")
        # In a time that does not tell how much of it was right.
        same = hmac.compare_digest(token.strip().encode(), self.token.encode())
        return not self.token or (scheme.lower() == "bearer" and same)


def is_loopback(host: str) -> bool:
    """Whether an address is one of the machine alone."""
    if host.lower() == "localhost":
        return True
    return _is_address(host) and ipaddress.ip_address(host).is_loopback


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def host_name(header: str) -> str:
    """Return the name in a header ``Host``, without port and brackets."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.rpartition(":")[0] if header.count(":") == 1 else header


class RequestGuard:
    """Refuse what is not for this server, and say with every answer what a browser may do with it."""

    def __init__(self, application: Application, access: Access) -> None:
        self._application = application
        self._access = access

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._application(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        api = scope["path"] == PREFIX or scope["path"].startswith(f"{PREFIX}/")
        guarded = _with_headers(send, api)
        try:
            self._check(scope["method"], headers, api)
            replayed = await _whole_body(receive, headers)
        except Refusal as refusal:
            await refusal.response()(scope, receive, guarded)
            return
        await self._application(scope, replayed, guarded)

    def _check(self, method: str, headers: dict[str, str], api: bool) -> None:
        host = headers.get("host", "")
        if not self._access.addressed(host_name(host)):
            message, hint = "this server is not called by this name", f"Ask it at http://{self._access.host}."
            raise Refusal(403, Problem("wrong-host", message, Location("header Host"), host, hint=hint))
        origin = headers.get("origin")
        if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
            message = "the page of another server asks"
            raise Refusal(403, Problem("wrong-origin", message, Location("header Origin"), origin, f"http://{host}"))
        if api and headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            where = Location("header Sec-Fetch-Site")
            raise Refusal(
                403, Problem("wrong-origin", "the page of another server asks", where, headers["sec-fetch-site"])
            )
        if api and not self._access.admitted(headers.get("authorization", "")):
            answer = "another token" if "authorization" in headers else "no token"
            expected = "Authorization: Bearer TOKEN, with the token that betapod serve printed"
            problem = Problem(
                "wrong-token", "the token is not right", Location("header Authorization"), answer, expected
            )
            raise Refusal(401, problem, {"WWW-Authenticate": "Bearer"})
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if method == "POST" and kind not in _JSON and (kind or headers.get("content-length", "0") != "0"):
            where = Location("header Content-Type")
            raise Refusal(415, Problem("wrong-format", "the request is no JSON", where, kind or "nothing", _JSON[0]))


async def _whole_body(receive: Receive, headers: dict[str, str]) -> Receive:
    """Read a request up to what one may have, and return what gives it once more."""
    length = headers.get("content-length", "0")
    if length.isdigit() and int(length) > MOST_BYTES:
        raise _too_large(f"{int(length):,} bytes")
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break
        parts.append(message.get("body", b""))
        size, more = size + len(parts[-1]), message.get("more_body", False)
        if size > MOST_BYTES:
            raise _too_large(f"more than {MOST_BYTES:,} bytes")
    body: list[Message] = [{"type": "http.request", "body": b"".join(parts), "more_body": False}]

    async def replayed() -> Message:
        return body.pop() if body else await receive()

    return replayed


def _too_large(size: str) -> Refusal:
    expected = f"at most {MOST_BYTES:,} bytes"
    return Refusal(
        413, Problem("too-large", "the request is too large", Location("body"), size, expected), {"Connection": "close"}
    )


def _with_headers(send: Send, api: bool) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message.get("headers", ())}
            wanted = dict(_HEADERS)
            wanted["cache-control"] = "no-store" if api else "no-cache"
            wanted["content-security-policy"] = _NOTHING
            more = [(n.encode(), v.encode()) for n, v in wanted.items() if n.encode() not in present]
            message["headers"] = [*message.get("headers", ()), *more]
        await send(message)

    return guarded
