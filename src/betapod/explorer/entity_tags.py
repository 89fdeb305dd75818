"""Tags of what a server answers, so that a browser that has it already is told so and fetches nothing (RFC 9110, sections 8.8.3 and 13.1.2)."""

from __future__ import annotations

import hashlib


def entity_tag(body: bytes) -> str:
    """Return the tag of a content."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def is_current(header: str, tag: str) -> bool:
    """Return whether a header ``If-None-Match`` names a tag: the client has the content."""
    named = [part.strip().removeprefix("W/") for part in header.split(",")]
    return "*" in named or tag in named
