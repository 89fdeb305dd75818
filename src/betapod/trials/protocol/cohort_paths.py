"""Resolve the cohort of a protocol: a built-in name, or a file relative to the protocol."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...base.config import Document
from ...base.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from .protocol import Protocol

_WHERE = ("population", "cohort")


def resolved(protocol: Protocol, document: Document) -> Protocol:
    """Return the protocol with the path of its cohort, if that is a file or folder beside the protocol's file.

    Raises
    ------
    ConfigError
        There is no such cohort, file or folder; the nearest name is suggested.
    """
    from ...patients.cohorts import cohort_catalogue

    name = protocol.population.cohort
    if not name or name.lower() in {cohort.lower() for cohort in cohort_catalogue.cohort_names()}:
        return protocol
    folder = Path(document.file).parent
    beside = folder / name
    if _exists(beside):
        if beside == Path(name):
            return protocol
        population = protocol.population.model_copy(update={"cohort": str(beside)})
        return protocol.model_copy(update={"population": population})
    if _exists(Path(name)):
        return protocol
    files = sorted(path.name for path in folder.glob("*") if path.suffix.lower() in (".yaml", ".yml", ".csv"))
    candidates = [*cohort_catalogue.cohort_names(), *files]
    raise ConfigError(
        document.problem(
            "unknown-cohort",
            f"there is no cohort {name!r}, and no file of that name",
            _WHERE,
            expected=f"{', '.join(cohort_catalogue.cohort_names())}, or a file .yaml or .csv beside the protocol",
            hint=did_you_mean(name, candidates),
        )
    )


def _exists(path: Path) -> bool:
    try:
        return path.is_dir() or (path.is_file() and path.suffix.lower() in (".yaml", ".yml", ".csv"))
    except (OSError, ValueError):
        return False
