"""The verdict of a claim as a function on the unit cube: what its outcomes become, and whether the verdict stays, under numbers that are varied together.

Numbers are those of `claim_numbers`, even over their ranges and changed from today on; evidence stays as it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from ..base import cache as caching
from ..base.errors import ConfigError, Problem, not_among
from ..claims.claim_lives import whole_body_model
from ..claims.judged_claim import JudgedClaim
from .claim_numbers import ClaimNumber, NumberChange, best_effect, changed_effects, claim_numbers
from .deciding_numbers import verdict_under, why_undecided
from .factors import GRADES, Factor, submodels_of_numbers
from .index_table import Numbers

#: Output that is 1 where the verdict is today's, and 0 where it is another.
KEPT_VERDICT = "verdict stays"


@dataclass(frozen=True)
class VerdictFunction:
    """Outcomes of a claim and its verdict as a function of numbers.

    Attributes
    ----------
    entry
        The claim as it is judged today.
    numbers
        One for each column of the unit cube.
    """

    entry: JudgedClaim
    numbers: Sequence[ClaimNumber]
    together: ClassVar[int] = 8
    first_points: ClassVar[int] = 1

    @classmethod
    def of_claim(cls, entry: JudgedClaim, grades: Iterable[str] = ("D",), names: Sequence[str] = ()) -> VerdictFunction:
        """Return the function of a claim.

        Parameters
        ----------
        entry
            As `claims.ledger.judge_ledger` gives it, with simulations.
        grades
            Of the numbers that are varied.
        names
            Only these.

        Raises
        ------
        ConfigError
            Unknown grades and names, or a claim whose verdict no number of the model can change; all at once.
        """
        wanted = list(grades)
        problems = [
            not_among(GRADES, "unknown-grade", f"there is no grade {g!r}", g) for g in wanted if g not in GRADES
        ]
        numbers = claim_numbers(wanted, names)
        varied_names = [number.name for number in numbers]
        everything = [number.name for number in claim_numbers(GRADES)]
        for name in names:
            if name not in everything:
                message = f"no claim has a number {name!r} with a range"
                problems.append(not_among(everything, "unknown-parameter", message, name))
            elif name not in varied_names and not problems:
                hint = f"Say its grade too; grades are {', '.join(GRADES)}."
                problems.append(Problem("other-grade", f"{name} is not of grade {', '.join(wanted)}", hint=hint))
        if why := why_undecided(entry):
            problems.append(Problem("no-number-decides", f"no number of the model decides {entry.claim.id}: {why}"))
        if problems:
            raise ConfigError(problems)
        return cls(entry, numbers)

    @cached_property
    def factors(self) -> Sequence[Factor]:
        """The numbers, even over their ranges."""
        users = submodels_of_numbers(whole_body_model())
        return [
            Factor(replace(number.row, distribution="fixed"), users.get(number.name, ())) for number in self.numbers
        ]

    @cached_property
    def outputs(self) -> Sequence[str]:
        """The outcomes, each as a share of what is claimed, and whether the verdict stays."""
        return [*self.entry.claim.named_outcomes, KEPT_VERDICT]

    @property
    def about(self) -> dict[str, Any]:
        """What is simulated, as plain values of a document."""
        return {"claim": self.entry.claim.id, "text": self.entry.claim.claim, "verdict": self.entry.verdict.verdict}

    @cached_property
    def identity(self) -> str:
        """Everything that shapes a value, but the place."""
        outcomes = [(name, asdict(outcome)) for name, outcome in self.entry.claim.named_outcomes.items()]
        replies = [asdict(reply) for reply in self.entry.replies]
        rows = [(number.name, *factor.range) for number, factor in zip(self.numbers, self.factors, strict=True)]
        return caching.key(__name__, outcomes, repr(replies), self.entry.verdict.verdict, rows)

    def unit(self, output: str) -> str:
        """Return 1: outcomes are shares of what is claimed."""
        return "1"

    def usual_scale(self, output: str) -> str:
        """Return ``linear``."""
        return "linear"

    def __call__(self, u: Numbers, /) -> Numbers:
        """Return outputs (K, m) at places (K, d) of the unit cube."""
        changes = [NumberChange.of("place", zip(self.numbers, map(float, row), strict=True)) for row in np.asarray(u)]
        outcomes = self.entry.claim.named_outcomes
        rows = []
        for effects in changed_effects(outcomes, changes):
            shares = [
                effects[name][best_effect(outcome, effects[name])] / (abs(outcome.claimed) or 1.0)
                if math.isfinite(effects[name]["allowed"])
                else math.nan
                for name, outcome in outcomes.items()
            ]
            verdict = verdict_under(self.entry, effects)
            rows.append([*shares, float(verdict == self.entry.verdict.verdict) if verdict else math.nan])
        return np.array(rows, dtype=np.float64).reshape(len(u), len(self.outputs))
