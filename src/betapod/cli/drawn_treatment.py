"""One person under draws of a fit: who they would be, and what follows, if parameters were other ones that published numbers allow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from ..base.errors import ConfigError, Problem
from .treatment import Given, Treated, treated_quietly
from .waiting import waiting

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from ..model import Model
    from ..physiology.fit_changes import FitChanges
    from ..physiology.installed_fits import FitRecord

    Numbers = NDArray[np.float64]
#: Least number that counts as above 0 on the scale of logarithms.
_LEAST = 1e-12


@dataclass(frozen=True)
class DrawnParameters:
    """Sets of parameters behind an interval."""

    heading: ClassVar[str] = "Uncertainty"

    fit: Annotated[
        str | None,
        typer.Option(
            "--fit",
            metavar="NAME",
            help="Installed fit whose draws are simulated too, or none: the values before the newest fit. Default: the newest.",
        ),
    ] = None
    fit_draws: Annotated[
        int,
        typer.Option(
            "--fit-draws",
            min=0,
            max=64,
            metavar="N",
            help="Draws of that fit, each with its own history, for the interval by parameters; 16 know it to a fifth.",
        ),
    ] = 0

    def record(self) -> FitRecord | None:
        """Return the fit; None where there is none to draw from.

        Raises
        ------
        ConfigError
            No such fit is installed, or draws are asked of none.
        """
        from ..physiology.installed_fits import list_fits, load_fit
        from ..trials.conduct.replicate_parameters import NO_FIT

        if self.fit == NO_FIT and self.fit_draws:
            message = "without a fit there is nothing to draw from"
            raise ConfigError(Problem("bad-option", message, hint="Leave out --fit none, or --fit-draws."))
        newest = (list_fits() or [""])[-1]
        name = newest if self.fit is None or self.fit == NO_FIT else self.fit
        if not name and self.fit_draws:
            message = "no fit is installed to draw from"
            raise ConfigError(
                Problem("unknown-fit", message, hint="Leave out --fit-draws, or install a fit: betapod fit install.")
            )
        return load_fit(name) if name else None

    def how_to_draw(self, model: Model) -> str:
        """Return how an interval can be had where none was asked for; empty where there is one, or no fit to draw from."""
        from ..physiology import whole_body
        from ..physiology.installed_fits import list_fits

        if self.fit_draws or self.fit is not None or model.name not in whole_body.NAMES or not list_fits():
            return ""
        return f"--fit-draws 16 adds 95 % intervals by parameters, from the fit {list_fits()[-1]}: each draw takes as long as a new person."

    def named(self) -> str:
        """Return the name of the fit that is drawn from; empty for none."""
        record = self.record()
        return "" if record is None else record.name

    def at_start(self) -> FitChanges | None:
        """Return what ``--fit none`` changes: the values that the tables had before the newest fit; None where nothing is asked."""
        from ..physiology.fit_changes import FitChanges
        from ..trials.conduct.replicate_parameters import NO_FIT

        record = self.record() if self.fit == NO_FIT else None
        return None if record is None else FitChanges.sorted_by(record.kinds, record.at_start())

    def draws(self) -> list[FitChanges]:
        """Return what each draw changes in the tables."""
        from ..physiology.fit_changes import FitChanges
        from ..trials.conduct.replicate_parameters import equal_draws

        record = self.record() if self.fit_draws else None
        if record is None:
            return []
        return [
            FitChanges.sorted_by(record.kinds, record.relative(int(draw)))
            for draw in equal_draws(record.weights, self.fit_draws)
        ]


def draws_wanted(
    uncertain: DrawnParameters, model: Model, problems: list[Problem]
) -> tuple[list[FitChanges], FitChanges | None]:
    """Return what each draw changes, and what ``--fit none`` changes; what keeps them from being had is noted."""
    from ..base.errors import BetapodError, Location
    from ..physiology import whole_body
    from ..trials.conduct.replicate_parameters import NO_FIT
    from .shared import gather

    if not uncertain.fit_draws and uncertain.fit is None:
        return [], None
    if model.name not in whole_body.NAMES:
        message, expected = f"fits are of the package's models, and {model.name!r} is none", ", ".join(whole_body.NAMES)
        problems.append(Problem("bad-option", message, found="--fit or --fit-draws", expected=expected))
        return [], None
    try:
        record = uncertain.record()
        if not uncertain.fit_draws and uncertain.fit != NO_FIT:
            message = f"--fit {uncertain.fit} changes nothing without --fit-draws: a course is that of the tables"
            hint = "Add --fit-draws 16 for an interval by parameters, or ask for --fit none."
            problems.append(Problem("useless-option", message, Location("--fit"), hint=hint))
            return [], None
        return uncertain.draws() if record is not None else [], uncertain.at_start()
    except BetapodError as error:
        gather(problems, error)
        return [], None


def implausible_before_fit(model: Model) -> list[str]:
    """Return a sentence for each value outside the range that its row had before any fit: ranges of today are those of its posterior."""
    from ..calibration.installed_tables import with_former_range
    from ..model.parameters.table import ParameterTable

    rows = [*model.parameters.values(), *model.inputs.values()]
    return ParameterTable([with_former_range(row, around=False) for row in rows if not row.plausible]).implausible()


def treated_under(model: Model, treatment: Given, said: Iterable[str], changes: FitChanges) -> Treated:
    """Return somebody with a plan under other parameters: the whole history is lived under them, and drugs and cells act by them.

    Rows in which a typical person differs from the tables stay what they are, and so does what the user says. What differs between
    people, visits and care says nothing of one typical person.

    Parameters
    ----------
    said
        Names that the user gives a value.
    """
    from ..patients.population import population_table
    from ..person.older import OLDER
    from ..person.typical import person as typical_person
    from ..therapies.effect_factors import scaled_effects
    from ..therapies.scenarios import CURRENT_EVIDENCE, DEFAULT

    # A fitted row of the table of people leaves the model's row of that name alone.
    theirs: set[str] = {*said, *population_table()}
    if treatment.person in OLDER:
        theirs |= {*OLDER[treatment.person].values, *typical_person(OLDER[treatment.person].start).values}
    elif treatment.person is not None:
        theirs |= set(typical_person(treatment.person).values)
    rows = {name: value for name, value in changes.values.items() if name in model.parameters and name not in theirs}
    with scaled_effects(changes.drugs):
        plan = treated_quietly(model.with_values(rows), treatment, {*said, *rows})
    if treatment.cells and (treatment.scenario or DEFAULT) == CURRENT_EVIDENCE:
        cells = {
            name: value for name, value in changes.cells.items() if name in plan.model.parameters and name not in said
        }
        plan = replace(plan, model=plan.model.with_values(cells))
    return plan


def drawn_courses(
    draws: Sequence[FitChanges],
    model: Model,
    treatment: Given,
    said: Iterable[str],
    follow: Callable[[Treated], pd.DataFrame],
) -> list[pd.DataFrame]:
    """Return the outputs of somebody under each draw.

    Parameters
    ----------
    follow
        Simulates somebody with a plan.
    """
    tables = []
    for number, draw in enumerate(draws, start=1):
        with waiting(f"simulating under draw {number} of {len(draws)}"):
            tables.append(follow(treated_under(model, treatment, said, draw)))
    return tables


@dataclass(frozen=True)
class DrawnSpread:
    """How far draws of a fit spread outputs.

    Attributes
    ----------
    fit
        Drawn from.
    low, high
        Name of an output -> (times,) ends of the 95 % interval by parameters around the central course.
    sd
        Name -> (times,) SD between draws, in the unit of the output.
    """

    fit: str
    sets: int
    low: dict[str, Numbers]
    high: dict[str, Numbers]
    sd: dict[str, Numbers]

    def as_dict(self) -> dict[str, Any]:
        """Return the spread as plain values for JSON."""
        lists = {
            part: {name: [float(x) for x in xs] for name, xs in getattr(self, part).items()}
            for part in ("sd", "low", "high")
        }
        return {"fit": self.fit, "sets": self.sets, "holds": ["parameters"], **lists}


def spread_of(fit: str, course: pd.DataFrame, drawn: Sequence[pd.DataFrame]) -> DrawnSpread:
    """Return how far draws spread the outputs of a course: on the scale of logarithms what is above 0 throughout, Student's t for so few draws.

    Parameters
    ----------
    course
        Outputs under the central parameters, a row for each time.
    drawn
        The same under each draw; one that ended early has no number from there on, and counts up to there.
    """
    import numpy as np

    from ..base.interval_parts import IntervalParts

    low: dict[str, Numbers] = {}
    high: dict[str, Numbers] = {}
    sd: dict[str, Numbers] = {}
    for name in course.columns:
        middle = course[name].to_numpy(dtype=float)
        values = np.stack([table[name].reindex(course.index).to_numpy(dtype=float) for table in drawn])
        enough = np.isfinite(values).sum(axis=0) > 1
        sd[name] = np.where(enough, _sd(values, enough), np.nan)
        positive = bool(np.nanmin(np.concatenate([values, middle[None]]), initial=np.inf) > _LEAST)
        forth, back = (np.log, np.exp) if positive else (np.asarray, np.asarray)
        of_scale = np.where(enough, _sd(forth(values), enough), np.nan)
        ends = [
            IntervalParts(parameters=float(x), sets=len(drawn)).interval(float(m))
            for x, m in zip(of_scale, forth(middle), strict=True)
        ]
        low[name], high[name] = (back(np.array([end[side] for end in ends])) for side in (0, 1))
    return DrawnSpread(fit, len(drawn), low, high, sd)


def _sd(values: Numbers, enough: NDArray[np.bool_]) -> Numbers:
    """Return the SD over draws (times,); 0 where there are not enough."""
    import numpy as np

    spread = np.zeros(values.shape[1])
    spread[enough] = np.nanstd(values[:, enough], axis=0, ddof=1)
    return spread
