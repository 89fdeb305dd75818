"""The scorecard: procedures are run and their numbers compared with the targets."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...base.display import Displayed
from ...base.errors import BetapodError, ModelError, Problem, did_you_mean
from .agreement import Agreement, agreement_of, interval
from .procedure import Procedure, find_procedure
from .targets import Target

if TYPE_CHECKING:
    import pandas as pd

NOT_ADDRESSED = "not addressed"


@dataclass(frozen=True)
class Score:
    """A target, what the model says, and the verdict; both None where the row is not addressed."""

    target: Target
    model: float | None
    verdict: Agreement | None
    assumptions: str = ""

    @property
    def status(self) -> str:
        """The verdict's name, or ``not addressed``."""
        return self.verdict.name if self.verdict is not None else NOT_ADDRESSED

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values, one flat row."""
        t, expected = self.target, interval(self.target)
        return {
            "id": t.id,
            "organ": t.organ,
            "quantity": t.quantity,
            "scenario": t.scenario,
            "statistic": t.statistic,
            "target": t.value,
            "bounds": t.bounds,
            "low": expected.low,
            "high": expected.high,
            "unit": t.unit,
            "model": self.model,
            "verdict": self.status,
            "size": self.verdict.size if self.verdict else None,
            "difference": self.verdict.difference if self.verdict else None,
            "use": t.use,
            "tag": t.tag,
            "counts": t.counts,
            "source": t.source,
            "procedure": t.procedure,
            "reason": t.reason,
            "note": t.note,
            "set_up": self.assumptions,
        }


@dataclass(frozen=True, repr=False)
class Scorecard(Displayed):
    """Scores in the order of the targets, and the seconds that the procedures took.

    Examples
    --------
    >>> import betapod
    >>> scorecard = betapod.validate(targets=["kidney/V3"])
    >>> scorecard.scores[0].target.organ
    'kidney'
    """

    scores: tuple[Score, ...]
    seconds: float

    @property
    def table(self) -> pd.DataFrame:
        """One row per target: the published number with its bounds, the model's, the verdict, and where the number comes from."""
        import pandas as pd

        return pd.DataFrame([score.as_dict() for score in self.scores])

    def counts(self) -> dict[tuple[str, str], dict[str, int]]:
        """Return how many rows have which status, by organ and ``fit``, ``validation``, ``input`` or ``memory``.

        Returns
        -------
        dict
            (organ, group) -> status -> rows.

        Examples
        --------
        >>> import betapod
        >>> scorecard = betapod.validate(targets=["kidney/V3"])
        >>> [sum(numbers.values()) for numbers in scorecard.counts().values()]
        [1]
        """
        numbers: dict[tuple[str, str], dict[str, int]] = {}
        for score in self.scores:
            t = score.target
            group = "memory" if t.tag == "memory" else t.use
            cell = numbers.setdefault((t.organ, group), {})
            cell[score.status] = cell.get(score.status, 0) + 1
        return numbers


def run_scorecard(targets: Sequence[Target], progress: Callable[[str, int, int], None] | None = None) -> Scorecard:
    """Simulate targets.

    Parameters
    ----------
    progress
        Called before each procedure with its name, how many are done and how many there are.

    Raises
    ------
    ModelError
        A row asks for a procedure or a number that does not exist.
    """
    began = time.perf_counter()
    wanted: dict[tuple[str, str], Procedure] = {}
    for target in targets:
        if target.addressed:
            computed_by, _ = find_procedure(target.organ, target.procedure)
            wanted[target.organ, computed_by.name] = computed_by
    numbers: dict[tuple[str, str], Mapping[str, float]] = {}
    for done, (key, computed_by) in enumerate(wanted.items()):
        if progress is not None:
            progress(computed_by.name, done, len(wanted))
        numbers[key] = _numbers(key, computed_by)
    if progress is not None:
        progress("", len(wanted), len(wanted))
    scores = tuple(_score(target, wanted, numbers) for target in targets)
    return Scorecard(scores, time.perf_counter() - began)


def _numbers(key: tuple[str, str], computed_by: Procedure) -> Mapping[str, float]:
    try:
        return computed_by.function()
    except BetapodError as error:
        organ, name = key
        problems = [Problem(p.kind, f"{organ} procedure {name}: {p.message}", p.location) for p in error.problems]
        raise ModelError(problems) from error


def _score(
    target: Target,
    wanted: Mapping[tuple[str, str], Procedure],
    numbers: Mapping[tuple[str, str], Mapping[str, float]],
) -> Score:
    if not target.addressed:
        return Score(target, None, None)
    name, _, number = target.procedure.partition(".")
    value = numbers[target.organ, name]
    if number not in value:
        raise ModelError(
            Problem(
                "unknown-number",
                f"{target.key}: the procedure {name!r} gives no {number!r}",
                hint=did_you_mean(number, value),
            )
        )
    model = float(value[number])
    return Score(target, model, agreement_of(target, model), wanted[target.organ, name].assumptions)
