"""The 17 systems of the source pages have submodels, something that turns them off, a test and claims."""

from __future__ import annotations

import re
from pathlib import Path

import betapod
from betapod.claims import claims
from betapod.claims.claim_health import HEALTH_QUANTITIES
from betapod.claims.claim_lives import whole_body_model
from betapod.claims.claim_systems import claimed_systems, described_systems

ROOT = Path(__file__).parents[2]


def test_each_system_names_what_there_is() -> None:
    model = whole_body_model()
    parts = {part.name.partition("_")[0] for part in model.parts}
    systems = claimed_systems()
    assert [system.id for system in systems] == [f"S{number}" for number in range(1, 18)]
    for system in systems:
        assert set(system.submodels) <= parts, system.id
        assert {*system.off, *system.inputs, system.quantity} <= {*model.units, *HEALTH_QUANTITIES}, system.id
        assert (ROOT / system.test).is_file() and system.off, system.id


def test_claims_name_parameters_that_the_models_have() -> None:
    names = {name for model in (whole_body_model(), betapod.load_model("cells")) for name in model.units}
    for claim in claims.load_claims():
        for word in re.findall(r"\w*_\w*\*?", claim.parameters):
            starts = word.endswith("*") and any(name.startswith(word[:-1]) for name in names)
            assert starts or word in names, (claim.id, word)


def test_every_claim_belongs_to_a_system() -> None:
    asked = {name for system in claimed_systems() for name in system.claims}
    assert asked == {claim.id for claim in claims.load_claims()}


def test_each_system_does_something_when_it_is_on() -> None:
    for system in described_systems():
        assert abs(system.on - system.off) > 1e-3 * max(abs(system.off), 1e-3), system.id
        assert system.parameters >= system.sourced and sum(system.grades.values()) == system.parameters
        assert set(system.verdicts) and all(system.verdicts.values())
