"""YAML files of the package as plain values, kept in the cache: what never changes need not be parsed by every command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from . import cache as caching


def packaged_yaml(path: Path) -> Any:
    """Return the values of a YAML file of the package; places within it are not known.

    Raises
    ------
    ConfigError
        The text is not YAML, with line and column.
    """
    name = f"yaml/{caching.key(__name__, path.name, caching.content_digest(path))}.json"
    kept = caching.read_entry(name)
    if kept is not None:
        return json.loads(kept)
    from .config import parse_yaml

    data = parse_yaml(path.read_text(encoding="utf-8"), path.name).data
    caching.write_entry(name, json.dumps(data).encode())
    return data
