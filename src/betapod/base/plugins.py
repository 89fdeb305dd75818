"""What installed packages add: protocols, cohorts and parameter overlays, found by their entry points.

A package that ships protocols says in its ``pyproject.toml``::

    [project.entry-points."betapod.protocols"]
    mytrial = "mypackage:MYTRIAL"

where ``MYTRIAL`` is the path of a YAML file, or a function without arguments that returns it. The groups are ``betapod.protocols``
(YAML), ``betapod.cohorts`` (a baseline table as YAML, or one row per person as CSV) and ``betapod.overlays`` (parameter tables as CSV).
"""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from .errors import BetapodError, ConfigError, Location, Problem

#: Groups and what one of each is called.
GROUPS = {"protocols": "protocol", "cohorts": "cohort", "overlays": "overlay"}


class PluginWarning(UserWarning):
    """Something that an installed package offers and that cannot be used."""


@dataclass(frozen=True)
class _Offer:
    """What a package offers under a name."""

    name: str
    package: str
    entry: EntryPoint

    def path(self) -> Path:
        """Return the file; whatever goes wrong in the package is raised."""
        loaded = self.entry.load()
        path = Path(str(loaded() if callable(loaded) else loaded))
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {str(path)!r}")
        return path


def plugin_files(group: str, built_in: Iterable[str], check: Callable[[Path], object]) -> dict[str, Path]:
    """Return the files of installed packages by name, but for those that cannot be used: each of them gives a warning.

    Parameters
    ----------
    group
        One of `GROUPS`.
    built_in
        Names that betapod itself has.
    check
        Called with each file; what it raises keeps the file out.
    """
    files, sentences = _listed(group, tuple(built_in), check, tuple(sys.path))
    for sentence in sentences:
        warnings.warn(sentence, PluginWarning, stacklevel=3)
    return dict(files)


def plugin_file(group: str, name: str, built_in: Iterable[str]) -> Path | None:
    """Return the file that an installed package offers under a name; None where none does.

    Raises
    ------
    ConfigError
        Several packages, or betapod and a package, have the name; or the package cannot give the file.
    """
    noun = GROUPS[group]
    offers = [offer for offer in _offers(group, tuple(sys.path)) if offer.name.lower() == name.lower()]
    if not offers:
        return None
    owners = [*(["betapod"] if _among(name, built_in) else []), *(offer.package for offer in offers)]
    if len(owners) > 1:
        message = f"the {noun} {name!r} is offered by several packages"
        hint = "Uninstall one of them, or give the path of the file that you mean."
        raise ConfigError(Problem("name-clash", message, found=", ".join(owners), expected="one", hint=hint))
    try:
        return offers[0].path()
    except Exception as error:
        message = f"the {noun} of the installed package {offers[0].package} cannot be used: {_reason(error)}"
        raise ConfigError(
            Problem("broken-plugin", message, Location(f"entry point {offers[0].entry.value}"))
        ) from error


def overlay_file(overlay: str | Path) -> Path:
    """Return the file of a parameter overlay: of an installed package by its name, or the path itself.

    Raises
    ------
    ConfigError
        As `plugin_file`.
    """
    return plugin_file("overlays", str(overlay), ()) or Path(overlay)


@functools.lru_cache(maxsize=16)
def _listed(
    group: str, built_in: tuple[str, ...], check: Callable[[Path], object], _path: tuple[str, ...]
) -> tuple[tuple[tuple[str, Path], ...], tuple[str, ...]]:
    noun, files, sentences = GROUPS[group], [], []
    offers = _offers(group, _path)
    for offer in offers:
        said = f"the {noun} {offer.name!r} of the installed package {offer.package} is left out"
        others = [other.package for other in offers if other.name.lower() == offer.name.lower() and other is not offer]
        if _among(offer.name, built_in) or others:
            sentences.append(f"{said}: {', '.join(others) or 'betapod'} has one of the same name")
            continue
        try:
            path = offer.path()
            check(path)
        except Exception as error:
            sentences.append(f"{said}: {_reason(error)}")
            continue
        files.append((offer.name, path))
    return tuple(files), tuple(sentences)


@functools.lru_cache(maxsize=16)
def _offers(group: str, _path: tuple[str, ...]) -> tuple[_Offer, ...]:
    """Return what packages on the path offer; the path is there so that another one is looked through anew."""
    entries = entry_points(group=f"betapod.{group}")
    offers = [_Offer(entry.name, entry.dist.name if entry.dist is not None else "?", entry) for entry in entries]
    return tuple(sorted(offers, key=lambda entry: (entry.name, entry.package)))


def _among(name: str, built_in: Iterable[str]) -> bool:
    return name.lower() in {title.lower() for title in built_in}


def _reason(error: Exception) -> str:
    text = str(error).strip().splitlines()
    first = text[0] if text else ""
    return first if isinstance(error, BetapodError) else f"{type(error).__name__}: {first}"
