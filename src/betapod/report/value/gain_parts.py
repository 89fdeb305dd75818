"""What the intervals of gains of a comparison hold: parameters, what studies differ by, and chance of the simulation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ...base.interval_parts import IntervalParts
from ...value.parameter_draws import BETWEEN_STUDIES
from ..common.document import Section
from ..common.interval_section import PartedInterval, draw_interval_parts, holds_in_words, parts_table
from . import run_settings as run
from .value_table import value_text

if TYPE_CHECKING:
    from ...value.value_result import ValueResult

#: Fewest draws from which parts are told apart.
_FEWEST = 8


def gain_parts(result: ValueResult, structure: str, strategy: str, measure: str = "qalys") -> IntervalParts:
    """Return the parts of the interval of what a strategy gains against the comparator.

    One of the uncertain numbers is what studies of like people differ by in rates of events. What of the spread over draws follows that number
    (the square of their correlation) is the part of studies, the rest that of all other parameters; chance is the Monte Carlo error.

    Parameters
    ----------
    measure
        ``qalys`` or ``costs``.
    """
    gain = result.increment(structure, measure, strategy)
    errors = result.monte_carlo.get(structure, {}).get(f"incremental_{measure}")
    chance = float(errors[result.place(strategy)]) if errors is not None else math.nan
    if len(gain) < _FEWEST:
        return IntervalParts(chance)
    spread = float(np.std(gain, ddof=1))
    row, column = result.parameters.get(BETWEEN_STUDIES), result.drawn.get(BETWEEN_STUDIES)
    if row is None or column is None or not row.read_by(structure) or not np.std(column) > 0.0:
        return IntervalParts(chance, spread, math.nan, len(gain))
    along = float(np.corrcoef(gain, column)[0, 1]) if spread > 0.0 else 0.0
    return IntervalParts(chance, spread * math.sqrt(max(1.0 - along**2, 0.0)), spread * abs(along), len(gain))


def gain_parts_as_dict(result: ValueResult) -> list[dict[str, Any]]:
    """Return the parts of the interval of each gain in QALYs, as plain values for JSON; None is a part that is not in it."""
    return [
        {
            "structure": structure,
            "strategy": strategy,
            "measure": "qalys",
            **{name: _number(x) for name, x in parts.items()},
        }
        for structure in result.structures
        for strategy in result.others
        for parts in [gain_parts(result, structure, strategy).as_columns()]
    ]


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _of_bodies(sets: int) -> str:
    """Say whether what nobody knows of bodies is in the intervals."""
    if sets:
        return f"Parameters are rates of events, utilities and costs, and those of bodies, drugs and cells, of which there are {sets} sets from a fit; each draw has one of them for all people and strategies."
    return "Parameters are rates of events, utilities and costs; those of the body are at their central values in all draws, so that what nobody knows of them is not in the interval."


def gain_parts_section(result: ValueResult) -> Section | None:
    """Return the section on what intervals of gains hold; None where there are too few draws to tell."""
    several = len(result.structures) > 1
    rows = [
        PartedInterval(
            (strategy, *([run.SHORT_STRUCTURES.get(structure, structure)] if several else [])),
            float(result.increment(structure, "qalys", strategy).mean()),
            gain_parts(result, structure, strategy),
        )
        for strategy in result.others
        for structure in result.structures
    ]
    if not rows or all(len(row.parts.held) < 2 for row in rows):
        return None

    def written(low: float, high: float) -> str:
        return f"{value_text(low, 'gain')} to {value_text(high, 'gain')}"

    head = ["strategy", *(["set of events"] if several else [])]
    drawn = draw_interval_parts("gain-parts", "What the intervals hold", rows, float, "QALYs gained", written)
    texts = [
        holds_in_words([row.parts for row in rows]),
        _of_bodies(int(result.run.get("fit_draws", 0))),
        "What studies differ by is the spread of rates of events between studies of like people, by how far the gain follows it over the draws; "
        "chance is the Monte Carlo error of the simulation, which more people make smaller.",
    ]
    table = parts_table("QALYs gained: 95 % interval if each part were alone, and all together.", head, rows, written)
    return Section(
        "gain-parts", "What the intervals hold", [text for text in texts if text], [drawn] if drawn else [], [table]
    )
