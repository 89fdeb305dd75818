"""Small tables and terminal pictures."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float] | NDArray[np.float64], width: int = 24) -> str:
    """Return a course as a line of bars: the least value is the lowest bar, the greatest the highest.

    Parameters
    ----------
    values
        Equally spaced values; NaN leaves a gap.
    width
        Number of bars at most; each bar shows the mean of its stretch.
    """
    numbers = [float(value) for value in values]
    if len(numbers) > width:
        edges = [round(k * len(numbers) / width) for k in range(width + 1)]
        numbers = [_mean(numbers[a:b]) for a, b in itertools.pairwise(edges)]
    finite = [value for value in numbers if math.isfinite(value)]
    if not finite:
        return ""
    low, high = min(finite), max(finite)
    # A course that moves less than a ten-thousandth of its size is flat, not noise blown up.
    if high - low <= 1e-4 * max(abs(low), abs(high)):
        return "".join(_BARS[3] if math.isfinite(value) else " " for value in numbers)
    scale = (len(_BARS) - 1) / (high - low)
    return "".join(_BARS[round((value - low) * scale)] if math.isfinite(value) else " " for value in numbers)


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / len(finite) if finite else math.nan


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table with columns of equal width, so that it can be read raw."""
    cells = [list(header), *(list(row) for row in rows)]
    widths = [max(len(line[k]) for line in cells) for k in range(len(header))]
    lines = [
        "| "
        + " | ".join(cell.replace("|", "\\|").ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in cells
    ]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(lines) + "\n"
