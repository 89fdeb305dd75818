"""Compiled programs on disk: found by everything that shapes them, checked before use, written so that processes do not clash.

A program is two entries. Its description has the name of what it was made from: the model, what is asked of it, the processor and
the code that wrote it. Its machine code has the name of the assembly that it is the translation of, so that whatever else changes,
such as a word in a docstring, nothing is translated twice.
"""

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
    try:
        description = json.loads(body)
    except ValueError:
        return None
    if not isinstance(description, dict) or description.get("key") != key:
        return None
    code = read_object(str(description.get("object")))
    return None if code is None else (description, code)


def write_program(key: str, description: dict[str, Any], name: str, code: bytes) -> bool:
    """Keep an entry whose machine code has a name; return whether that was possible. A folder that cannot be written is no error."""
    entry = json.dumps({**description, "key": key, "object": name}).encode()
    return (read_object(name) == code or write_object(name, code)) and cache.write_entry(f"{key}.program", entry)


def read_object(name: str) -> bytes | None:
    """Return machine code by its name, or None if there is none that can be trusted."""
    body = cache.read_entry(f"{name}.object")
    if body is None:
        return None
    # What was written under another name is not what the assembly says.
    head, _, code = body.partition(b"\n")
    return code if head == name.encode() else None


def write_object(name: str, code: bytes) -> bool:
    """Keep machine code under its name; return whether that was possible."""
    return cache.write_entry(f"{name}.object", name.encode() + b"\n" + code)
