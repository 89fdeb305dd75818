"""Options of verbs that vary numbers of a model: who is simulated, which numbers, what is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import typer

from ..base.errors import BetapodError, ConfigError, Location, Problem
from .completion import complete_parameter
from .meant_quantities import unknown_quantities
from .options import DurationOption, ModelChanges, TimesOption, outputs_option
from .schedules import joined_schedules, read_schedule, read_visits
from .shared import assignments, gather, model_from, names_option, print_note, set_values
from .treatment import Given, check_texts, treated
from .waiting import waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..model import Model
    from ..sensitivity.model_function import ModelFunction


@dataclass(frozen=True)
class VariedNumbers:
    """Which numbers are varied."""

    heading: ClassVar[str] = "Numbers"

    vary: Annotated[
        list[str] | None,
        typer.Option(
            "--vary",
            metavar="NAMES",
            help="Numbers to vary, comma-separated; 'drawn' (default): those with a distribution; 'all': with a range.",
            autocompletion=complete_parameter,
        ),
    ] = None
    grade: Annotated[
        list[str] | None, typer.Option("--grade", metavar="GRADES", help="Only numbers of these grades, e.g. 'C,D'.")
    ] = None
    submodel: Annotated[
        list[str] | None,
        typer.Option("--submodel", metavar="NAMES", help="Only numbers in the equations of these submodels."),
    ] = None

    @property
    def selection(self) -> tuple[list[str], list[str], list[str]]:
        """Names or words, grades, and submodels, as `factors.select_factors` takes them."""
        from ..sensitivity.factors import DRAWN

        words = names_option(self.vary or ()) or [DRAWN]
        return words, names_option(self.grade or ()), names_option(self.submodel or ())


@dataclass(frozen=True)
class ReadOutputs:
    """What is read."""

    heading: ClassVar[str] = "Outputs"

    outputs: Annotated[
        list[str] | None, outputs_option("Quantities, comma-separated; 'betapod model show MODEL' lists them.")
    ] = None
    summary: Annotated[
        str,
        typer.Option(
            "--summary", metavar="WORD", help="What is read of a course: end, change, mean, slope, least, most."
        ),
    ] = "end"
    effect: Annotated[
        bool, typer.Option("--effect", help="Read what the cells do: the output with them, less without.")
    ] = False
    years: Annotated[float | None, typer.Option("--years", help="Duration in years; without any duration: 10.")] = None
    duration: DurationOption = None
    times: TimesOption = None

    def visits(self, model: Model, problems: list[Problem]) -> list[float]:
        """Return the times at which courses are known."""
        from ..sensitivity.model_function import TIMES

        lengths = {"years": self.years, "duration": self.duration}
        if self.times is None and not any(length is not None for length in lengths.values()):
            lengths["years"] = 10.0
        visits = read_visits(model, lengths, None, self.times, problems)
        return visits if self.times is not None or not visits else list(np.linspace(0.0, visits[-1], TIMES))


def model_function(
    name: str,
    changes: ModelChanges,
    treatment: Given,
    numbers: VariedNumbers,
    read: ReadOutputs,
    threads: int | None = None,
) -> ModelFunction:
    """Return what options describe as a function of the numbers that are varied.

    Raises
    ------
    ConfigError
        Everything wrong with the options.
    """
    from ..claims.claim_parameters import own_values
    from ..engine.schedule import Schedule
    from ..report.common.headline_quantities import headlines
    from ..sensitivity.factors import select_factors
    from ..sensitivity.model_function import SUMMARIES, ModelFunction

    problems: list[Problem] = []
    check_texts(treatment, problems)
    settings, doses, switches = (list(texts or ()) for texts in (changes.settings, changes.doses, changes.switches))
    try:
        with waiting("assembling"):
            model = set_values(model_from(name, changes.tables or (), switches), settings)
    except BetapodError as error:
        gather(problems, error)
        raise ConfigError(problems) from None
    users = read_schedule(model, doses, switches, problems)
    visits = read.visits(model, problems)
    outputs = names_option(read.outputs or ()) or headlines(model)
    problems += unknown_quantities(model, outputs, "--outputs")
    selection = numbers.selection
    for check in (lambda: select_factors(model, *selection), lambda: _known_summary(read.summary, SUMMARIES)):
        try:
            check()
        except BetapodError as error:
            gather(problems, error)
    if read.effect and not treatment.cells:
        problems.append(Problem("no-cells", "without cells there is no effect of them", Location("--effect")))
    if problems:
        raise ConfigError(problems)
    plan = treated(model, treatment, assignments(settings, "--set"))
    described = own_values(treatment.person) if treatment.person is not None else frozenset()
    factors = select_factors(plan.model, *selection, kept=[*described, *assignments(settings, "--set")])
    if described:
        print_note("the person is as they are today; numbers differ from today on, but for those that describe them")
    return ModelFunction(
        plan.model,
        factors,
        outputs,
        visits,
        read.summary,
        joined_schedules(plan.schedule, users),
        plan.state,
        joined_schedules(plan.without_cells or Schedule(), users) if read.effect else None,
        threads,
    )


def _known_summary(word: str, summaries: Sequence[str]) -> None:
    from ..base.errors import not_among

    if word not in summaries:
        raise ConfigError(not_among(summaries, "unknown-summary", f"nothing called {word!r} is made of a course", word))
