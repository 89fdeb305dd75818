"""One person's labs, the people who are like them, options compared, and the published equations beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ..base.errors import ConfigError, Problem
from ..patients.population import OwnScores, own_scores
from .closer_people import closer_people
from .equations_beside import EquationRisk, equation_risks
from .like_people import LEAST, LikePeople, like_people, nearest_people
from .named_drugs import named_drugs
from .option_order import tried_options
from .option_outcomes import OptionOutcomes, option_outcomes
from .person_labs import PersonLabs

if TYPE_CHECKING:
    from ..health.courses import Progress
    from ..patients.library import Library

#: How many people are looked for where the library has too few.
CLOSER = 120
#: People that may stand for one person.
FEWEST_TWINS, MOST_TWINS = 100, 1000


@dataclass(frozen=True)
class PatientForecast:
    """What is said of one person.

    Attributes
    ----------
    labs
        What is known.
    like
        The people of the library who are like the person.
    outcomes
        What becomes of them under each option.
    equations
        What published equations say of the person.
    notes
        What was assumed or not used.
    """

    labs: PersonLabs
    like: LikePeople
    outcomes: OptionOutcomes
    equations: tuple[EquationRisk, ...]
    notes: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return everything as plain values for JSON; numbers that are not known are NaN."""
        labs = {
            name: {"value": lab.value, "count": lab.count, "written": lab.measurement.written, "date": _iso(lab.measurement.date), "origin": lab.measurement.origin}
            for name, lab in self.labs.used.items()
        }  # fmt: skip
        like = {
            name: dict(zip(("person", "median", "low", "high"), row, strict=True))
            for name, row in self.like.labs.items()
        }
        return {
            "person": {
                "age": self.labs.age,
                "female": self.labs.female,
                "diabetes": self.labs.diabetes or None,
                "kdigo": self.labs.kdigo_stage,
                "chronic": self.labs.chronic,
                "drugs": list(self.labs.drugs),
                "labs": labs,
                "left_out": list(self.labs.left_out),
                "notes": [*self.labs.notes, *self.notes],
                "contradictions": list(self.labs.contradictions),
            },
            "like_people": {
                "effective": self.like.effective,
                "widened": self.like.widened,
                "lives": self.like.lives,
                "forebears": self.like.forebears,
                "people": self.outcomes.people,
                "patients": self.outcomes.patients,
                "labs": like,
                "drugs": dict(self.like.drugs),
            },
            "options": [asdict(option) for option in self.outcomes.options],
            "equations": [asdict(row) for row in self.equations],
        }


def _iso(date: Any) -> str | None:
    return None if date is None else str(date)


def patient_forecast(
    library: Library,
    labs: PersonLabs,
    options: Sequence[str] = (),
    scenarios: Sequence[str] | None = None,
    twins: int = 300,
    seed: int = 1,
    care: str = "frozen",
    strict_drugs: bool = True,
    closer: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
) -> PatientForecast:
    """Return what becomes of people who are like one person, under several options.

    Parameters
    ----------
    options
        Drugs or cells, see `option_order.tried_options`.
    scenarios
        What cells do; three of them by default.
    twins
        How many people stand for the person, 100 to 1000.
    care
        ``frozen`` (what people take stays) or ``usual`` (their doctors go on).
    strict_drugs
        Whether a drug that nobody knows is an error.
    closer
        Whether lives are lived anew near the person where the library has too few people with just these labs, see `closer_people`.

    Raises
    ------
    ConfigError
        What cannot be read, all at once; or too few people are like the person.
    SolverError
        Too many people could not be simulated.
    """
    problems: list[Problem] = []
    if not FEWEST_TWINS <= twins <= MOST_TWINS:
        expected = f"from {FEWEST_TWINS} to {MOST_TWINS}"
        problems.append(
            Problem("bad-number", "the number of people (twins) is out of range", found=str(twins), expected=expected)
        )
    tried, drugs = None, None
    try:
        tried = tried_options(options, *([] if scenarios is None else [scenarios]))
    except ConfigError as error:
        problems += error.problems
    try:
        drugs = named_drugs(labs.drugs, strict_drugs)
    except ConfigError as error:
        problems += error.problems
    if problems or tried is None or drugs is None:
        raise ConfigError(problems)
    new = {column for option in tried for column in option.columns}
    takes_not = sorted(new - set(drugs.columns))
    like, people, scores = _people(library, labs, drugs.columns, takes_not, seed if closer else None, progress)
    with own_scores(scores):
        outcomes = option_outcomes(people, like.weights, tried, twins, seed, care, threads, progress)
    now = outcomes.options[0]
    equations = equation_risks(labs, now.kidney_failure, now.decline)
    return PatientForecast(labs, like, outcomes, equations, _notes(labs, drugs.not_used, like))


def _people(
    library: Library,
    labs: PersonLabs,
    takes: Sequence[str],
    takes_not: Sequence[str],
    seed: int | None,
    progress: Progress | None,
) -> tuple[LikePeople, Library, OwnScores | None]:
    """Return who is like the person, of which library, and what they have of their own; with a seed closer people are looked for."""
    if seed is not None and nearest_people(library, labs, takes, takes_not)[2] > 1.0:
        closest = closer_people(library, labs, takes, takes_not, CLOSER, seed, progress)
        if closest is not None and closest.like.effective >= LEAST:
            return closest.like, closest.library, closest.scores
    return like_people(library, labs, takes, takes_not), library, None


def _notes(labs: PersonLabs, not_used: Sequence[str], like: LikePeople) -> tuple[str, ...]:
    notes = []
    if not_used:
        notes.append(f"not taken into account: {', '.join(not_used)}")
    missing = [
        words
        for name, words in (("egfr", "eGFR"), ("uacr", "UACR"), ("hba1c", "HbA1c"), ("sbp", "pressure"), ("age", "age"))
        if name not in like.labs
    ]
    missing += ["sex"] if labs.female is None else []
    missing += ["type of diabetes"] if not labs.diabetes else []
    if like.widened > 1.0:
        notes.append(
            "people who are closer to the labs are looked for by the argument closer, on the command line --closer"
        )
    if missing:
        notes.append(
            f"not known, so that people of all kinds are among those who are like the person: {', '.join(missing)}"
        )
    return tuple(notes)
