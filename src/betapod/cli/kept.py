"""Names that completion and lists need at once: kept in the cache, so that no model is assembled and no registry read for a word."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..base import cache

_PROTOCOLS = Path(__file__).parents[1] / "trials" / "protocol" / "library"
#: Columns of the registry that have a vocabulary.
COLUMNS = ("endpoint", "family", "population", "product", "study")


def _kept(module: str, title: str, make: Callable[[], Any]) -> Any:
    """Return a plain value that the code and the tables behind a module determine; make it if it is not there."""
    name = f"names/{cache.key(module, title)}"
    if (body := cache.read_entry(name)) is not None:
        return json.loads(body)
    value = make()
    cache.write_entry(name, json.dumps(value).encode())
    return value


def model_names() -> list[str]:
    """Return the names of the models that come with betapod."""

    def make() -> list[str]:
        from ..physiology import whole_body

        return list(whole_body.NAMES)

    names: list[str] = _kept("betapod.physiology.whole_body", "names", make)
    return names


def kept_cohorts() -> list[str]:
    """Return the names of the real cohorts that the package knows."""

    def make() -> list[str]:
        from ..patients.cohorts.cohort_catalogue import cohort_names

        return list(cohort_names())

    names: list[str] = _kept("betapod.patients.cohorts.cohort_catalogue", "cohorts", make)
    return names


def model_contents(name: str) -> dict[str, Any]:
    """Return what a named model has: ``states``, ``assignments``, ``parameters``, ``inputs``, ``events``, ``parts`` by name."""

    def make() -> dict[str, Any]:
        from ..physiology import whole_body

        assembled = whole_body.named_model(name)
        return {
            "name": name,
            "description": assembled.description,
            "states": list(assembled.state_names),
            "assignments": list(assembled.assignments),
            "parameters": list(assembled.parameters),
            "inputs": list(assembled.inputs),
            "events": [event.name for event in assembled.events],
            "parts": [str(part.name) for part in assembled.parts if hasattr(part, "name")],
            "fingerprint": assembled.fingerprint,
        }

    facts: dict[str, Any] = _kept("betapod.physiology.whole_body", f"model {name}", make)
    return facts


def switch_values() -> dict[str, dict[str, Any]]:
    """Return the mechanism switches of the models by name, as plain values."""

    def make() -> dict[str, Any]:
        from ..therapies.mechanism_switches import mechanism_switches

        return {name: switch.as_dict() for name, switch in mechanism_switches().items()}

    by_name: dict[str, dict[str, Any]] = _kept("betapod.therapies.mechanism_switches", "switches", make)
    return by_name


def term_counts(column: str) -> dict[str, int]:
    """Return the words of a column of the registry of evidence with how many records have each.

    Parameters
    ----------
    column
        One of `COLUMNS`.
    """

    def make() -> dict[str, dict[str, int]]:
        from ..evidence.records.registry import load_with_mechanisms

        counts: dict[str, dict[str, int]] = {name: {} for name in COLUMNS}
        for record in load_with_mechanisms():
            for name in COLUMNS:
                word = str(getattr(record, name))
                counts[name][word] = counts[name].get(word, 0) + 1
        return {name: dict(sorted(words.items())) for name, words in counts.items()}

    every: dict[str, dict[str, int]] = _kept("betapod.evidence.records.registry", "terms", make)
    return every[column]


def claims() -> dict[str, str]:
    """Return the id of each claim of the ledger with its text."""

    def make() -> dict[str, str]:
        from ..claims.claims import load_claims

        return {claim.id: claim.claim for claim in load_claims()}

    texts: dict[str, str] = _kept("betapod.claims.claims", "claims", make)
    return texts


def organs_by_target() -> dict[str, str]:
    """Return each row of the scorecard with the organ that it belongs to."""

    def make() -> dict[str, str]:
        from ..validation.scorecard.targets import select_targets

        return {target.row: target.organ for target in select_targets()}

    organs: dict[str, str] = _kept("betapod.validation.scorecard.targets", "targets", make)
    return organs


def protocols() -> tuple[str, ...]:
    """Return the names of the protocols that come with betapod, without the machinery that reads them."""
    return tuple(sorted(path.stem for path in _PROTOCOLS.glob("*.yaml")))
