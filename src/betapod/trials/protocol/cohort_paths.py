"""The cohort of a protocol: a name that the package knows, or a file, which is looked for beside the protocol first."""

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
        There is no such cohort, file or folder; the nearest name is told.
    """
    from ...patients.cohorts import cohort_catalogue

    name = protocol.population.cohort
    if not name or name.lower() in {each.lower() for each in cohort_catalogue.cohort_names()}:
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
    files = sorted(each.name for each in folder.glob("*") if each.suffix.lower() in (".yaml", ".yml", ".csv"))
    known = [*cohort_catalogue.cohort_names(), *files]
    raise ConfigError(
        document.problem(
            "unknown-cohort",
            f"there is no cohort {name!r}, and no file of that name",
            _WHERE,
            expected=f"{', '.join(cohort_catalogue.cohort_names())}, or a file .yaml or .csv beside the protocol",
            hint=did_you_mean(name, known),
        )
    )


def _exists(path: Path) -> bool:
    try:
        return path.is_dir() or (path.is_file() and path.suffix.lower() in (".yaml", ".yml", ".csv"))
    except (OSError, ValueError):
        return False
