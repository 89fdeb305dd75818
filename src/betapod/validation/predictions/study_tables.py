"""Tables of a user's own that say how studies are simulated: arms, cohorts and events, which count before those of the package."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...base.meanwhile import Meanwhile

if TYPE_CHECKING:
    from ...patients.cohorts.cohort_target import CohortTarget
    from .study_arm import StudyArm
    from .study_events import CountedEvent


@dataclass(frozen=True, eq=False)
class StudyTables:
    """Arms, cohorts and events that count before those of the package.

    Attributes
    ----------
    arms
        (Study, arm) -> what the group gets.
    cohorts
        Name -> baseline of people.
    events
        (Study, endpoint) -> wordings of the statistic, each with the event that it counts; study ``*`` for every study.
    digest
        Of the files that the tables were read from: what was computed under other tables is computed anew.

    Examples
    --------
    >>> from betapod.validation.predictions.study_tables import StudyTables
    >>> StudyTables().empty
    True
    """

    arms: Mapping[tuple[str, str], StudyArm] = field(default_factory=dict)
    cohorts: Mapping[str, CohortTarget] = field(default_factory=dict)
    events: Mapping[tuple[str, str], list[tuple[str, CountedEvent]]] = field(default_factory=dict)
    digest: str = ""

    @property
    def empty(self) -> bool:
        """Whether the package's own tables count alone."""
        return not (self.arms or self.cohorts or self.events)

    def digest_for(self, study: str) -> str:
        """Return the digest where the tables say anything of a study, else nothing: its results are those of the package."""
        of_events = {name for name, _ in self.events}
        return self.digest if study in of_events or "*" in of_events or any(s == study for s, _ in self.arms) else ""


#: Nothing of a user's own.
NO_TABLES = StudyTables()
_IN_USE = Meanwhile[StudyTables]("study tables", NO_TABLES)


def own_tables() -> StudyTables:
    """Return the tables that count before those of the package now."""
    return _IN_USE.now


def using_tables(tables: StudyTables) -> AbstractContextManager[None]:
    """Let tables count before those of the package as long as the block lasts, in this thread; other processes must be told.

    Examples
    --------
    >>> from betapod.validation.predictions.study_tables import StudyTables, own_tables, using_tables
    >>> with using_tables(StudyTables(digest="mine")):
    ...     own_tables().digest
    'mine'
    >>> own_tables().empty
    True
    """
    return _IN_USE.held(tables)
