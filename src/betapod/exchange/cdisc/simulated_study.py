"""One simulated trial as a study of CDISC: subjects, codes of arms, days as dates."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConfigError, Problem, not_among
from ...observables.quantities import Numbers
from ...trials.conduct.trial_data import DISPOSITIONS
from .day_spans import day_spans

if TYPE_CHECKING:
    import pandas as pd

    from ...trials.conduct.trial_data import TrialData
    from ...trials.conduct.trial_run import TrialRun
    from ...trials.protocol.protocol import Protocol

#: Year of enrolment where the protocol names none: that of the rates of outcomes.
_YEAR = 2013


@dataclass(frozen=True)
class SimulatedStudy:
    """One replicate of one design under one scenario.

    Attributes
    ----------
    data
        Of this replicate alone.
    replicate
        Its number in the run, from 0.
    start
        Calendar day that stands for the day of enrolment, of everybody.
    """

    data: TrialData
    replicate: int
    start: datetime.date

    @property
    def protocol(self) -> Protocol:
        """The protocol."""
        return self.data.protocol

    @cached_property
    def study_id(self) -> str:
        """STUDYID, such as ``SIM-DN61-D2S1R0``: the second design, the first scenario, replicate 0."""
        design = list(self.protocol.designs).index(self.data.design) + 1
        scenario = [str(name) for name in self.protocol.scenarios].index(self.data.scenario) + 1
        name = re.sub(r"[^A-Z0-9]", "", self.protocol.name.upper())
        return f"SIM-{name[:30]}-D{design}S{scenario}R{self.replicate}"

    @cached_property
    def places(self) -> NDArray[np.intp]:
        """(subjects,) places of those who were enrolled among the patients of the replicate."""
        return np.flatnonzero(self.data.enrolled[0])

    def of_subjects(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the values of the subjects from an array that begins with (1, patients)."""
        picked: NDArray[Any] = values[0][self.places]
        return picked

    def of_people(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the values of the subjects from an array that begins with (people of the pool,)."""
        picked: NDArray[Any] = values[self.of_subjects(self.data.member)]
        return picked

    @cached_property
    def subjects(self) -> NDArray[np.object_]:
        """(subjects,) SUBJID."""
        width = max(4, len(str(self.data.patients)))
        return np.array([f"{position + 1:0{width}d}" for position in self.places], dtype=object)

    @cached_property
    def unique_subjects(self) -> NDArray[np.object_]:
        """(subjects,) USUBJID."""
        return np.array([f"{self.study_id}-{subject}" for subject in self.subjects], dtype=object)

    @cached_property
    def arm_names(self) -> tuple[str, ...]:
        """Arms of the design, as texts of ASCII."""
        return tuple(ascii_text(name) for name in self.data.arms)

    @cached_property
    def arm_codes(self) -> tuple[str, ...]:
        """ARMCD of each arm: at most 20 capitals, digits and underscores, no two alike."""
        codes: list[str] = []
        for name in self.arm_names:
            code = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")[:20] or "ARM"
            if code in codes:
                code = f"{code[:17]}_{len(codes) + 1}"
            codes.append(code)
        return tuple(codes)

    @cached_property
    def arm(self) -> NDArray[np.intp]:
        """(subjects,) index into the arms of the design."""
        return self.of_subjects(self.data.arm).astype(np.intp)

    @cached_property
    def died(self) -> NDArray[np.bool_]:
        """(subjects,) whether the subject died in the trial."""
        return np.asarray(self.of_subjects(self.data.disposition) == DISPOSITIONS.index("died"))

    @cached_property
    def left(self) -> NDArray[np.bool_]:
        """(subjects,) whether the subject left the trial alive."""
        return np.asarray(self.of_subjects(self.data.disposition) == DISPOSITIONS.index("discontinued"))

    @cached_property
    def last_planned_day(self) -> float:
        """Last day of the window of the last visit, until which everybody is watched."""
        last = max(self.protocol.visits, key=lambda visit: visit.day)
        return float(np.ceil(last.day + last.window))

    @cached_property
    def end_day(self) -> Numbers:
        """(subjects,) day on which the subject left or died, else the last planned one."""
        gone = event_days(self.of_subjects(self.data.disposition_day))
        return np.where(np.isfinite(gone), gone, self.last_planned_day)

    @cached_property
    def visit_days(self) -> Numbers:
        """(subjects, visits) whole day of each visit; NaN where it did not take position."""
        days = np.rint(self.of_subjects(self.data.day).astype(np.float64)) + 0.0
        before = np.array(self.protocol.days) <= 0.0
        # Visits before treatment stay before it, whatever their window.
        return np.where(before & np.isfinite(days), np.minimum(days, 0.0), days)

    def dates(self, days: Numbers) -> pd.Series[Any]:
        """Return whole days from enrolment as dates; NaT for NaN."""
        import pandas as pd

        return pd.Series(pd.Timestamp(self.start) + pd.TimedeltaIndex(day_spans(days)))

    def iso_dates(self, days: Numbers) -> NDArray[np.object_]:
        """Return whole days from enrolment as texts of ISO 8601; empty for NaN."""
        flat = np.asarray(days, dtype=np.float64)
        texts = {
            day: (self.start + datetime.timedelta(days=float(day))).isoformat()
            for day in np.unique(flat[np.isfinite(flat)])
        }
        return np.array([texts.get(day, "") for day in flat], dtype=object)


def study_of(
    run: TrialRun,
    design: str | None = None,
    scenario: str | None = None,
    replicate: int = 0,
    start: datetime.date | None = None,
) -> SimulatedStudy:
    """Return one trial of a run.

    Parameters
    ----------
    design, scenario
        The first of the run by default.
    replicate
        From 0.
    start
        Day of enrolment; 1 January of the protocol's year, else of 2013, by default.

    Raises
    ------
    ConfigError
        The run has no such design, scenario or replicate, or nobody was enrolled.
    """
    problems = []
    for kind, name, available in (("design", design, run.designs), ("scenario", scenario, run.scenarios)):
        if name is not None and name not in available:
            problems.append(not_among(available, f"unknown-{kind}", f"the run has no {kind} {name!r}", name))
    if problems:
        raise ConfigError(problems)
    data = run[design or run.designs[0], scenario or run.scenarios[0]]
    if not 0 <= replicate < data.replicates:
        expected = f"0 to {data.replicates - 1}"
        raise ConfigError(
            Problem("unknown-replicate", "the run has no such replicate", found=str(replicate), expected=expected)
        )
    study = SimulatedStudy(
        data.select([replicate]), replicate, start or datetime.date(int(data.protocol.conduct.year or _YEAR), 1, 1)
    )
    if not len(study.places):
        raise ConfigError(Problem("nobody-enrolled", "nobody was enrolled in this replicate", found=str(replicate)))
    return study


def event_days(days: NDArray[Any]) -> Numbers:
    """Return the whole days of events: full days from enrolment, counted up, as analyses of times to events count them."""
    return np.asarray(np.ceil(days.astype(np.float64)))


def study_days(days: Numbers) -> Numbers:
    """Return study days of whole days from enrolment: the day of enrolment is day 1, the one before is day -1."""
    return np.asarray(np.where(days >= 0.0, days + 1.0, days))


def ascii_text(text: str, most: int = 200) -> str:
    """Return a text as a file of SAS transport 5 can hold it: ASCII, at most so many characters."""
    spelt = text.replace("²", "2").replace("µ", "u").replace("–", "-").replace("×", "x")
    return " ".join(spelt.encode("ascii", "replace").decode().split())[:most]
