"""The four scenarios of what cells do: their names, parameter overlays and the words that readers meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

#: The name of a scenario, as protocols, options and columns of results have it.
ScenarioName = Literal["none", "current-evidence", "face-value", "seed-claims"]

NONE: Final = "none"
CURRENT_EVIDENCE: Final = "current-evidence"
FACE_VALUE: Final = "face-value"
AS_CLAIMED: Final = "seed-claims"


@dataclass(frozen=True)
class Scenario:
    """What cells are supposed to do.

    Attributes
    ----------
    overlay
        Name of the parameter table in which the scenario differs from the others.
    label, short
        As a sentence and in two words, for reports.
    description
        Where its values come from.
    """

    name: ScenarioName
    overlay: str
    label: str
    short: str
    description: str


#: Every scenario by its name, from harm alone to all that is claimed.
SCENARIOS: Final[dict[str, Scenario]] = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            NONE,
            "cells_none",
            "cells do no good",
            "no benefit",
            "No benefit and the same harm: every gain is exactly 0, while fever, reactions, antibodies, thrombosis, obstruction and "
            "mal-differentiation are those of current evidence.",
        ),
        Scenario(
            CURRENT_EVIDENCE,
            "cells_current_evidence",
            "cells do what controlled trials support",
            "current evidence",
            "Controlled results, shrunk towards no effect by what is known against them.",
        ),
        Scenario(
            FACE_VALUE,
            "cells_face_value",
            "positive trials are taken at face value",
            "face value",
            "Point estimates of positive trials, without shrinkage.",
        ),
        Scenario(
            AS_CLAIMED,
            "cells_seed_claims",
            "cells do all that is claimed for them",
            "as claimed",
            "What the claims under test require.",
        ),
    )
}

#: Simulated where nobody names a scenario: one for a person, three side by side for trials and published studies.
DEFAULT: Final = CURRENT_EVIDENCE
COMPARED: Final[tuple[ScenarioName, ...]] = (NONE, CURRENT_EVIDENCE, AS_CLAIMED)
