"""What the verbs of designs share: the design from options, lists of numbers, tables of looks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from ...base.errors import ConfigError, Location, Problem
from ..completion import starting

if TYPE_CHECKING:
    from ...trials.designs.sequential_design import SequentialDesign


def _complete_family(incomplete: str) -> list[str]:
    from ...trials.designs.spending import FAMILIES

    return starting(list(FAMILIES), incomplete)


@dataclass(frozen=True)
class DesignOptions:
    """A group-sequential design as options."""

    heading: ClassVar[str] = "Design"

    family: Annotated[
        str,
        typer.Option(
            "--family",
            metavar="CODE",
            help="OF, P, WT, HP, PT, asOF, asP, asKD, asHSD, asUser or user; see 'betapod design families'.",
            autocompletion=_complete_family,
        ),
    ] = "asOF"
    looks: Annotated[int, typer.Option("--looks", min=1, max=100, help="Looks at equal steps of information.")] = 3
    information: Annotated[
        str | None,
        typer.Option("--information", metavar="SHARES", help="Shares of information at looks, e.g. 0.3,0.7,1."),
    ] = None
    alpha: Annotated[float, typer.Option("--alpha", help="Type I error of all sides together.")] = 0.025
    sides: Annotated[int, typer.Option("--sides", min=1, max=2, help="1 or 2.")] = 1
    power: Annotated[float, typer.Option("--power", help="Power that sizes and futility are for.")] = 0.9
    parameter: Annotated[
        float | None,
        typer.Option("--parameter", help="Exponent of WT and PT, bound of HP, rho of asKD, gamma of asHSD."),
    ] = None
    spent: Annotated[
        str | None, typer.Option("--spent", metavar="NUMBERS", help="Of asUser: alpha spent by each look.")
    ] = None
    efficacy: Annotated[
        str | None, typer.Option("--efficacy", metavar="NUMBERS", help="Of user: boundaries as z, one per look.")
    ] = None
    futility: Annotated[
        str | None,
        typer.Option(
            "--futility",
            metavar="CODE",
            help="Beta spending (asOF, asP, asKD, asHSD), or boundaries as z for each look but the last: --futility=-0.5,1.",
        ),
    ] = None
    futility_parameter: Annotated[
        float | None, typer.Option("--futility-parameter", help="Of the spending of beta; of PT the lower exponent.")
    ] = None
    binding: Annotated[bool, typer.Option("--binding", help="Alpha counts on stopping for futility.")] = False

    def sequential(self) -> SequentialDesign:
        """Return the design.

        Raises
        ------
        ConfigError
            Everything that does not make one.
        """
        from ...trials.designs import group_sequential

        problems: list[Problem] = []
        lists = {
            name: numbers_in(getattr(self, name), f"--{name}", problems)
            for name in ("information", "spent", "efficacy")
        }
        futility: Any = self.futility
        if futility is not None and not any(letter.isalpha() for letter in futility):
            futility = numbers_in(futility, "--futility", problems)
        if problems:
            raise ConfigError(problems)
        return group_sequential(
            self.family,
            self.looks if lists["information"] is None else lists["information"],
            self.alpha,
            self.sides,
            self.power,
            parameter=self.parameter,
            spent=lists["spent"],
            efficacy=lists["efficacy"],
            futility=futility,
            futility_parameter=self.futility_parameter,
            binding=self.binding,
        )


def numbers_in(text: str | None, option: str, problems: list[Problem]) -> list[float] | None:
    """Return the numbers of a comma-separated list; what is none is added to the problems."""
    if text is None:
        return None
    numbers = []
    for part in text.split(","):
        try:
            numbers.append(float(part))
        except ValueError:
            numbers.append(math.nan)
    if not all(math.isfinite(number) for number in numbers):
        expected = "numbers with commas between them, such as 0.5,1"
        problems.append(Problem("bad-number", f"{option} is no list of numbers", Location(option), text, expected))
    return numbers


def plain(value: float, form: str = ".4f") -> str:
    """Return a number for a table; nothing where there is none."""
    return "" if not math.isfinite(value) else f"{value:{form}}"


def chance_text(value: float) -> str:
    """Return a chance for a table: four places, or three digits where that is not enough."""
    return f"{value:.4f}" if value >= 0.001 or value == 0 else f"{value:.2e}"


def design_document(design: SequentialDesign) -> dict[str, Any]:
    """Return a design as JSON has it."""
    return {
        "family": design.family,
        "title": design.title,
        "sides": design.sides,
        "alpha": design.alpha,
        "power": design.power,
        "binding": design.binding,
        "looks": design.table.to_dict("records"),
    }
