"""Compiled programs on disk: found by everything that shapes them, checked before use, written so that processes do not clash."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

_MAGIC = b"betapod program 1\n"


def folder() -> Path:
    """Return the cache folder: ``$BETAPOD_CACHE``, else the platform's place for a user's caches. It may not exist."""
    chosen = os.environ.get("BETAPOD_CACHE")
    if chosen:
        return Path(chosen)
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "betapod"


def key_of(parts: dict[str, Any]) -> str:
    """Return the name of an entry: a hash of everything that shapes it."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def read(key: str) -> tuple[dict[str, Any], bytes] | None:
    """Return the description and the machine code of an entry, or None if there is none that can be trusted."""
    try:
        content = (folder() / f"{key}.program").read_bytes()
    except (OSError, RuntimeError):
        return None
    if not content.startswith(_MAGIC):
        return None
    digest, _, body = content[len(_MAGIC) :].partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        return None
    head, _, code = body.partition(b"\n")
    try:
        description = json.loads(head)
    except ValueError:
        return None
    if not isinstance(description, dict) or description.get("key") != key:
        return None
    return description, code


def write(key: str, description: dict[str, Any], code: bytes) -> bool:
    """Keep an entry; return whether that was possible. A folder that cannot be written is no error."""
    body = json.dumps({**description, "key": key}).encode() + b"\n" + code
    content = _MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n" + body
    temporary = ""
    try:
        place = folder()
        place.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".new-", dir=place)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).replace(place / f"{key}.program")
    except (OSError, RuntimeError):
        if temporary:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        return False
    return True
