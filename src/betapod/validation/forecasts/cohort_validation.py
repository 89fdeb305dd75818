"""Forecasts of a cohort's members against what became of them: the model, by people who are like each, beside published equations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConfigError, Problem, not_among
from ...hazards.risk_equations.egfr_decline_equation import DECLINE_YEARS, egfr_decline_range, egfr_decline_risk
from ...hazards.risk_equations.equation_people import EquationPeople
from ...hazards.risk_equations.kidney_failure_equation import (
    KFRE_REGIONS,
    KFRE_YEARS,
    kidney_failure_range,
    kidney_failure_risk,
)
from ...twins.cohort_risks import LEAST_FOR_MEMBER, TWIN_OUTCOMES, TwinRisks, twin_risks
from ...twins.equations_beside import equation_people
from ...twins.lab_cohort import HAPPENED, LabCohort
from .risk_scores import RiskScore, risk_score

if TYPE_CHECKING:
    from ...hazards.risk import Numbers
    from ...health.courses import Progress
    from ...patients.library import Library

#: Name of the model among the predictors, and years over which an outcome is asked for where nobody says.
THE_MODEL = "the model"
_USUAL_YEARS = {"kidney failure": 5.0, "40 % decline": float(DECLINE_YEARS), "death": 5.0}


@dataclass(frozen=True)
class PredictorScore:
    """A predictor, and the model in the same people.

    Attributes
    ----------
    predictor
        Such as ``KFRE 4 variables, elsewhere``.
    score
        Its own, in the people that it is for and of whom everything is known.
    beside
        The score of the model in just these people; None for the model itself.
    """

    predictor: str
    score: RiskScore
    beside: RiskScore | None = None


@dataclass(frozen=True)
class CohortValidation:
    """What came out.

    Attributes
    ----------
    outcome, years
        What was forecast, over how long.
    risks
        Predictor -> (n,) risks; NaN of whom it says nothing.
    scores
        The model first.
    twins
        How closely people of the library are like the members.
    notes
        What was left out, and why.
    """

    outcome: str
    years: float
    cohort: LabCohort
    risks: Mapping[str, Numbers]
    scores: tuple[PredictorScore, ...]
    twins: TwinRisks
    notes: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return everything but the members as plain values for JSON; numbers that are not known are NaN."""
        return {
            "outcome": self.outcome,
            "years": self.years,
            "people": len(self.cohort),
            "simulated": self.twins.simulated,
            "scores": [asdict(score) for score in self.scores],
            "notes": list(self.notes),
        }


def validate_cohort(
    library: Library,
    cohort: LabCohort,
    outcome: str = "kidney failure",
    years: float | None = None,
    twins: int = 100,
    seed: int = 1,
    care: str = "frozen",
    threads: int | None = None,
    progress: Progress | None = None,
) -> CohortValidation:
    """Return how well forecasts of a cohort agree with what became of it.

    Parameters
    ----------
    outcome
        ``kidney failure``, ``40 % decline`` or ``death``: what the events of the cohort are.
    years
        Over which; 5 by default, of a decline 3.
    twins
        How many people of the library stand for each member.

    Raises
    ------
    ConfigError
        Nothing to compare: no such outcome, no event within these years, or nobody whom enough people are like.
    SolverError
        Too many people could not be simulated.
    """
    if outcome not in TWIN_OUTCOMES:
        raise ConfigError(not_among(TWIN_OUTCOMES, "unknown-outcome", f"there is no outcome {outcome!r}", outcome))
    horizon = _USUAL_YEARS[outcome] if years is None else years
    happened = cohort.event == HAPPENED
    if not np.any(happened & (cohort.years <= horizon)):
        message = f"nobody has the event within {horizon:g} years: there is nothing to compare with"
        raise ConfigError(Problem("no-events", message, found=f"{int(happened.sum())} events in all"))
    by_twins = twin_risks(library, cohort.people, outcome, horizon, twins, seed, care, threads, progress)
    if not np.any(np.isfinite(by_twins.risk)):
        message = "too few people of the library are like any member of the cohort"
        raise ConfigError(Problem("too-few-people", message, expected=f"at least {LEAST_FOR_MEMBER:g} for each"))
    risks = {THE_MODEL: by_twins.risk, **_equations(cohort, outcome, horizon)}
    # A risk of 0 among so many people is one below one in twice as many.
    floor = 0.5 / (twins + 1.0)

    def scored(name: str, who: NDArray[np.bool_]) -> RiskScore:
        least = floor if name == THE_MODEL else 1e-6
        return risk_score(cohort.years[who], happened[who], risks[name][who], horizon, least)

    of_model = np.isfinite(risks[THE_MODEL])
    scores = [PredictorScore(THE_MODEL, scored(THE_MODEL, of_model))]
    for name in list(risks)[1:]:
        both = np.isfinite(risks[name]) & of_model
        if both.any():
            scores.append(PredictorScore(name, scored(name, both), scored(THE_MODEL, both)))
    notes = _notes(cohort, outcome, horizon, risks, by_twins)
    return CohortValidation(outcome, horizon, cohort, risks, tuple(scores), by_twins, notes)


def _equations(cohort: LabCohort, outcome: str, years: float) -> dict[str, Numbers]:
    """Return equation -> (n,) risks; NaN of whom it is not for, or of whom something is not known."""
    members = [equation_people(labs)[0] for labs in cohort.people]
    names = [item.name for item in fields(EquationPeople)]
    people = EquationPeople(**{name: np.array([float(getattr(m, name)) for m in members]) for name in names})
    if outcome == "kidney failure" and years in KFRE_YEARS:
        fits = kidney_failure_range(people)
        return {
            f"KFRE {variables} variables, {region}": np.where(
                fits, kidney_failure_risk(people, int(years), variables, region), np.nan
            )
            for variables in (4, 8)
            for region in KFRE_REGIONS
        }
    if outcome == "40 % decline" and years == DECLINE_YEARS:
        return {"CKD-PC, 40 % decline": np.where(egfr_decline_range(people), egfr_decline_risk(people), np.nan)}
    return {}


def _notes(
    cohort: LabCohort, outcome: str, years: float, risks: Mapping[str, Numbers], by_twins: TwinRisks
) -> tuple[str, ...]:
    notes = list(cohort.notes)
    if lost := int(np.sum(~np.isfinite(by_twins.risk))):
        names = [name for name, risk in zip(cohort.names, by_twins.risk, strict=True) if not np.isfinite(risk)]
        told = ", ".join(names[:5]) + (" ..." if lost > 5 else "")
        notes.append(f"of {lost} of {len(cohort)} members the model says nothing, too few people are like them: {told}")
    wider = by_twins.widened[np.isfinite(by_twins.risk)] > 1.0
    if wider.any():
        notes.append(
            f"of {int(wider.sum())} members the labs are matched less closely than they were measured, since fewer people are closer: their risks are "
            "nearer to those of everybody"
        )
    for name, risk in risks.items():
        if name != THE_MODEL and not np.any(np.isfinite(risk)):
            notes.append(f"{name}: nobody is in its range with everything known that it reads")
    if outcome == "kidney failure" and years not in KFRE_YEARS:
        notes.append("the equation of kidney failure speaks of 2 or 5 years")
    if outcome == "40 % decline" and years != DECLINE_YEARS:
        notes.append(f"the equation of CKD-PC speaks of {DECLINE_YEARS} years")
    if outcome == "death":
        notes.append("no published equation of death is here")
    return tuple(notes)
