"""The plan of a trial that a request asks for: a protocol by name or as text, never a file of this machine."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..base.config import Document, parse_yaml, read_yaml
from ..base.errors import ConfigError, did_you_mean, not_among

if TYPE_CHECKING:
    from ..trials.protocol.protocol import Protocol
    from ..trials.run_folder import TrialPlan

#: Name of a protocol that came as text, in messages.
TEXT_NAME = "protocol.yaml"
#: Letters of the name of a trial, and of its digest, in the name of its folder.
_NAME, _DIGEST = 40, 12


def requested_protocol(asked: Mapping[str, Any]) -> tuple[Protocol, Document]:
    """Return the protocol that a request asks for, checked in every key, with its text.

    Parameters
    ----------
    asked
        ``protocol`` or ``text``, as of `request_bodies.TrialBody`.

    Raises
    ------
    ConfigError
        There is no such protocol, or everything that is wrong in it, with line and column.
    """
    from ..patients.cohorts.cohort_catalogue import cohort_names
    from ..trials.protocol.cohort_paths import resolved
    from ..trials.protocol.protocol_files import protocol_catalogue, read_protocol

    if (name := asked.get("protocol")) is not None:
        files = protocol_catalogue()
        if name not in files:
            raise ConfigError(not_among(files, "unknown-protocol", f"there is no protocol {name!r}", name))
        document = read_yaml(files[name])
        return resolved(read_protocol(document), document), document
    document = parse_yaml(asked["text"], TEXT_NAME)
    protocol = read_protocol(document)
    cohort = protocol.population.cohort
    if cohort and cohort.lower() not in {name.lower() for name in cohort_names()}:
        message, expected = f"there is no cohort {cohort!r}", ", ".join(cohort_names())
        hint = did_you_mean(cohort, cohort_names()) or "A cohort in a file is for the command line: betapod run."
        where = ("population", "cohort")
        raise ConfigError(document.problem("unknown-cohort", message, where, expected=expected, hint=hint))
    return protocol, document


def requested_plan(asked: Mapping[str, Any]) -> TrialPlan:
    """Return the plan of the run that a request asks for.

    Raises
    ------
    ConfigError
        Everything that is wrong with the protocol, an unknown design or scenario, or a run that does not fit into memory.
    """
    from ..trials.conduct.conduct import adapted, selected_names
    from ..trials.run_folder import TrialPlan

    protocol, document = requested_protocol(asked)
    changed = adapted(protocol, *(asked.get(name) for name in ("replicates", "seed", "fit_draws", "fit")))
    return TrialPlan(document.text, changed, *selected_names(changed, asked.get("designs"), asked.get("scenarios")))


def plan_name(plan: TrialPlan) -> str:
    """Return the name of the folder of a plan: the trial's own, and a digest of all that determines its numbers."""
    digest = hashlib.sha256(json.dumps(plan.identity, sort_keys=True).encode()).hexdigest()[:_DIGEST]
    name = re.sub(r"[^a-z0-9]+", "-", plan.protocol.name.lower()).strip("-")[:_NAME] or "trial"
    return f"{name}-{digest}"
