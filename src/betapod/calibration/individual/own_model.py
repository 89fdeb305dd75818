"""The model of a fit: one of the package by its name, or a file of equation text with its numbers beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...base.errors import Location, ModelError, Problem, not_among
from ...model import Model, ParameterTable, Part, assemble
from ...physiology import whole_body


def load_own_model(name: str, tables: Sequence[Path] = ()) -> Model:
    """Return a packaged model by its name, or one from a file of equation text.

    Parameters
    ----------
    tables
        For a packaged model, tables that override its own; for a file, those that it needs, by default the CSV of the same name.

    Raises
    ------
    BetapodError
        There is no such model or file, or it is no model.
    """
    if name in whole_body.NAMES:
        model = whole_body.named_model(name)
        return model.overlay(*map(ParameterTable.read, tables)) if tables else model
    path = Path(name)
    if not path.is_file():
        if path.suffix or "/" in name:
            raise ModelError(Problem("unreadable-file", "there is no such file", Location(name)))
        raise ModelError(
            not_among(whole_body.NAMES, "unknown-model", f"there is no model {name!r}, and no file of that name", name)
        )
    beside = path.with_suffix(".csv")
    read = list(tables) or ([beside] if beside.is_file() else [])
    return assemble(path.stem, [Part.from_file(path)], ParameterTable.read(*read) if read else ParameterTable(()))
