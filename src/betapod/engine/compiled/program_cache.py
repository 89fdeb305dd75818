"""Compiled programs on disk: found by everything that shapes them, checked before use, written so that processes do not clash."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ...base import cache


def key_of(parts: dict[str, Any]) -> str:
    """Return the name of an entry: a hash of everything that shapes it."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def read_program(key: str) -> tuple[dict[str, Any], bytes] | None:
    """Return the description and the machine code of an entry, or None if there is none that can be trusted."""
    body = cache.read_entry(f"{key}.program")
    if body is None:
        return None
    head, _, code = body.partition(b"\n")
    try:
        description = json.loads(head)
    except ValueError:
        return None
    if not isinstance(description, dict) or description.get("key") != key:
        return None
    return description, code


def write_program(key: str, description: dict[str, Any], code: bytes) -> bool:
    """Keep an entry; return whether that was possible. A folder that cannot be written is no error."""
    return cache.write_entry(f"{key}.program", json.dumps({**description, "key": key}).encode() + b"\n" + code)
