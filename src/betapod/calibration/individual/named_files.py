"""Files that a problem names and that are not there."""

from __future__ import annotations

from pathlib import Path

from ...base.config import Document
from ...base.errors import Problem, did_you_mean
from ...physiology import whole_body
from .individual_settings import IndividualSettings


def missing_files(document: Document, settings: IndividualSettings, folder: Path) -> list[Problem]:
    """Return a problem for the table, the model and each table of values that is not in the folder, where the file names it."""
    there = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    named: list[tuple[str, tuple[str | int, ...]]] = [(settings.table, ("table",))]
    named += [(table, ("parameters", n)) for n, table in enumerate(settings.parameters)]
    problems = []
    for name, where in named:
        if not (folder / name).exists():
            problems.append(
                document.problem("no-file", "there is no such file", where, found=name, hint=did_you_mean(name, there))
            )
    model = settings.model
    if model not in whole_body.NAMES and not (folder / model).exists():
        message = "there is no such file, and no model of the package of that name"
        hint = did_you_mean(model, [*there, *whole_body.NAMES])
        problems.append(document.problem("no-file", message, ("model",), found=model, hint=hint))
    return problems
