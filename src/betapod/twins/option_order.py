"""Options for one person as they are written: drugs, cells, or both joined by +."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..base.errors import BetapodError, ConfigError, Location, Problem
from ..health.strategy import Strategy
from ..patients.recipients import DRUG_COLUMNS
from ..therapies.cell_order import read_order
from ..therapies.drug_catalogue import class_of_drug
from ..therapies.scenarios import COMPARED, SCENARIOS, ScenarioName
from ..therapies.standard_care import Therapy, therapy

#: What the options are compared with: what the person takes now goes on.
AS_NOW = "as now"
#: Options at most, each under every scenario.
_MOST = 8
_PARTS = re.compile(r"\s+\+\s+")


@dataclass(frozen=True)
class TriedOption:
    """Something that the person might be given.

    Attributes
    ----------
    name
        As it was written; with the scenario where there are cells.
    text
        As it was written.
    drugs, cells
        What is given.
    scenario
        What cells do; empty without cells.
    """

    name: str
    text: str
    drugs: tuple[Therapy, ...] = ()
    cells: str = ""
    scenario: str = ""

    @property
    def strategy(self) -> Strategy:
        """The same for `health.simulate_courses`."""
        if not self.cells:
            return Strategy(therapies=self.drugs)
        return Strategy(self.cells, self.scenario, self.drugs)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of a library of the drugs: who takes them already gains nothing from the option."""
        names = (DRUG_COLUMNS.get(class_of_drug(drug.name)) for drug in self.drugs)
        return tuple(name for name in names if name is not None)


def tried_options(texts: Iterable[str], scenarios: Sequence[str] = COMPARED) -> tuple[TriedOption, ...]:
    """Return options, first the one that changes nothing, cells under each scenario.

    Raises
    ------
    ConfigError
        What cannot be read, two options of the same name, or too many; all at once.

    Examples
    --------
    >>> from betapod.twins.option_order import tried_options
    >>> [option.name for option in tried_options(["SGLT2 inhibitor"])]
    ['as now', 'SGLT2 inhibitor']
    """
    texts = [" ".join(text.split()) for text in texts]
    problems = [_repeated(text) for text in dict.fromkeys(texts) if texts.count(text) > 1]
    if len(texts) > _MOST:
        expected = f"at most {_MOST}"
        problems.append(
            Problem("too-many-options", "too many options to compare", found=str(len(texts)), expected=expected)
        )
    problems += _unknown_scenarios(scenarios)
    options = [TriedOption(AS_NOW, AS_NOW)]
    for text in dict.fromkeys(texts):
        try:
            options += _read(text, scenarios)
        except BetapodError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return tuple(options)


def _repeated(text: str) -> Problem:
    return Problem("given-twice", "the option is given twice", Location(f"option {text!r}"))


def _unknown_scenarios(scenarios: Sequence[str]) -> list[Problem]:
    from ..base.errors import not_among

    return [
        not_among(SCENARIOS, "unknown-scenario", f"there is no scenario {name!r}", name)
        for name in scenarios
        if name not in SCENARIOS
    ]


def _read(text: str, scenarios: Sequence[str | ScenarioName]) -> list[TriedOption]:
    drugs: list[Therapy] = []
    cells: list[str] = []
    problems: list[Problem] = []
    for part in filter(None, _PARTS.split(text)):
        try:
            drugs.append(therapy(part))
        except BetapodError as of_drugs:
            try:
                read_order(part, f"option {part!r}")
                cells.append(part)
            except BetapodError as of_cells:
                # An order for cells begins with a product; everything else is meant as a drug.
                looks_like_cells = re.search(r"\d\s*(?:e\d|million|/kg)|\biv\b|cells?\b|MSC\b", part)
                problems += of_cells.problems if looks_like_cells else of_drugs.problems
    if len(cells) > 1:
        problems.append(
            Problem(
                "two-courses", "one course of cells an option", Location(f"option {text!r}"), found=" and ".join(cells)
            )
        )
    if not (drugs or cells or problems):
        hint = "Such as 'SGLT2 inhibitor' or 'UC-MSC 1e6/kg iv x3 q28d'."
        problems.append(Problem("no-option", "the option is empty", Location("options"), hint=hint))
    if problems:
        raise ConfigError(problems)
    if not cells:
        return [TriedOption(text, text, tuple(drugs))]
    return [TriedOption(f"{text}; {SCENARIOS[name].short}", text, tuple(drugs), cells[0], name) for name in scenarios]
