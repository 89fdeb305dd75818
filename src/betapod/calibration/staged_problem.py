"""What running, planning and screening a fit ask of its problem."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from .objective_protocol import Objective
from .unknown import Unknown

#: Told in one line what is being done.
Tell = Callable[[str], None]


class ProblemStage(Protocol):
    """A stage of a problem."""

    @property
    def name(self) -> str:
        """Of the stage."""

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """What it looks for."""

    @property
    def rounds(self) -> int:
        """How often the search is repeated in people who lived under what was found."""


class StagedProblem(Protocol):
    """A problem as `run_fit` needs it; `fit_problem.FitProblem` is one."""

    @property
    def name(self) -> str:
        """Of the problem."""

    @property
    def text(self) -> str:
        """The file as it was read."""

    @property
    def tables_digest(self) -> str:
        """Digest of a user's own tables that its rows rest on; empty without any."""

    @property
    def seed(self) -> int:
        """Of random numbers."""

    @property
    def stages(self) -> Sequence[ProblemStage]:
        """In the order in which they are fitted."""

    @property
    def discrepancy(self) -> Mapping[str, float]:
        """Scale of the prior of the discrepancy, by class."""

    def objective(
        self,
        stage: str | None,
        held: Mapping[str, float],
        threads: int | None = None,
        around: Mapping[str, float] | None = None,
    ) -> Objective:
        """Return the objective of a stage, unknowns of earlier stages held at values; of all stages together for None.

        Parameters
        ----------
        around
            Values of unknowns under which people live and are chosen.
        """

    def screening(self, stage: str, threads: int | None = None) -> Objective:
        """Return the objective of a stage over all candidates for its unknowns."""


def said_of_tables(problem: StagedProblem) -> dict[str, str]:
    """Return what tables of a user's own add to what determines a fit; nothing without any."""
    return {"tables": problem.tables_digest} if problem.tables_digest else {}
