"""Answers that stay as they are carry a tag of their content, so that a client that has them already is told so and gets nothing anew."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from ..explorer.entity_tags import entity_tag, is_current
from ..explorer.explorer_parts import PARTS_PREFIX
from .request_guard import PREFIX, Application, Message, Receive, Send

#: Below these addresses nothing changes while the server runs: the page, protocols and models of the package, evidence, the description.
_STAYING = tuple(f"{PREFIX}/{name}" for name in ("protocols", "models", "evidence", "openapi.json"))
#: Headers of an answer that are those of its content.
_OF_CONTENT = (b"content-length", b"content-type", b"content-encoding")


def stays(method: str, path: str) -> bool:
    """Return whether the answer to a request is the same as long as the server runs."""
    return method in ("GET", "HEAD") and (path == "/" or path.startswith((PARTS_PREFIX, *_STAYING)))


class TaggedAnswers:
    """Add a tag to what stays, and answer 304 where the client has it.

    Parameters
    ----------
    application
        That answers.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or not stays(scope["method"], scope["path"]):
            await self._application(scope, receive, send)
            return
        tags_sent = b",".join(value for name, value in scope["headers"] if name == b"if-none-match").decode("latin-1")
        begun: list[Message] = []
        body = bytearray()

        async def collected(message: Message) -> None:
            if message["type"] == "http.response.start":
                begun.append(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body", False):
                await _send_tagged(send, begun[0], bytes(body), tags_sent)

        await self._application(scope, receive, collected)


async def _send_tagged(send: Send, start: Message, body: bytes, tags_sent: str) -> None:
    """Send an answer with its tag; of a refusal as it is."""
    if start["status"] == 200:
        tag = entity_tag(body)
        headers = [*start["headers"], (b"etag", tag.encode()), (b"cache-control", b"no-cache")]
        if is_current(tags_sent, tag):
            start = {**start, "status": 304}
            headers, body = [(name, value) for name, value in headers if name not in _OF_CONTENT], b""
        start = {**start, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body})
