"""The file of a problem of PEtab that names the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...base.config import Document
from ...base.errors import Problem


@dataclass(frozen=True)
class PetabFiles:
    """Which files a problem has, by what they hold."""

    parameters: list[str] = field(default_factory=list)
    model: str = ""
    conditions: list[str] = field(default_factory=list)
    experiments: list[str] = field(default_factory=list)
    observables: list[str] = field(default_factory=list)
    measurements: list[str] = field(default_factory=list)


def named_files(document: Document, problems: list[Problem]) -> tuple[int, PetabFiles]:
    """Return the version of a problem and its files; what is wrong is added to the problems."""

    def wrong(kind: str, message: str, key: str, value_text: str = "") -> None:
        problems.append(document.problem(kind, message, (key,), found=value_text))

    data = document.data if isinstance(document.data, dict) else {}
    said = str(data.get("format_version", ""))
    version = said.split(".")[0]
    if version not in ("1", "2"):
        wrong("unsupported", "this is no problem of PEtab 1 or 2", "format_version", said)
        return 1, PetabFiles()
    for key in ("extensions", "mapping_files"):
        if data.get(key):
            wrong("unsupported", f"{key} are not supported", key)
    if version == "2":
        models = data.get("model_files") or {}
        entry: Mapping[str, Any] = data
        parameters = _listed(data.get("parameter_files"))
    else:
        several = data.get("problems") or []
        if len(several) != 1:
            wrong("unsupported", "a file with one problem is needed", "problems", str(len(several)))
            return 1, PetabFiles()
        [entry] = several
        plain = {name: {"location": name, "language": "sbml"} for name in _listed(entry.get("sbml_files"))}
        models = plain or entry.get("model_files") or {}
        parameters = _listed(data.get("parameter_file"))
    if len(models) != 1 or str(next(iter(models.values())).get("language")) != "sbml":
        wrong(
            "unsupported", "a problem with one model in SBML is needed", "problems" if version == "1" else "model_files"
        )
        return int(version), PetabFiles()
    lists = {
        name: _listed(entry.get(f"{name[:-1]}_files"))
        for name in ("conditions", "experiments", "observables", "measurements")
    }
    return int(version), PetabFiles(parameters, str(next(iter(models.values()))["location"]), **lists)


def _listed(names: Any) -> list[str]:
    return [str(name) for name in names] if isinstance(names, list) else [str(names)] if names else []
