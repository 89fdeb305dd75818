"""Histories of typical people, kept in the cache: the same person lives through the same years in every command."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ..base import cache as caching
from ..model import Model

#: What a history leaves: its years, and every state at its end.
History = tuple[float, dict[str, float]]
#: The module whose program decides what a history is.
_PROGRAM = f"{__package__}.coupled_person"


def kept_history(model: Model, lived: Any, live: Callable[[], History]) -> History:
    """Return a history, from the cache where the same program has simulated the same.

    Parameters
    ----------
    model
        The person's model; its equations and values are part of the key.
    lived
        What else shapes the history, as JSON holds it: where it begins and ends.
    live
        Simulates it. Nothing is kept of one that fails.
    """
    name = f"people/{caching.key(_PROGRAM, model.fingerprint, model.values(), lived)}.json"
    kept = caching.read_entry(name)
    if kept is not None:
        years, state = json.loads(kept)
        return years, state
    years, state = live()
    caching.write_entry(name, json.dumps([years, state]).encode())
    return years, state
