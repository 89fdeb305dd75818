"""What the intervals of predicted numbers hold: chance, parameters and what studies differ by, by class of treatment."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from ...base.interval_parts import INTERVAL_PARTS
from ...trust.trust_rows import trust_rows
from ..common import svg
from . import predictions_view as confront_view

if TYPE_CHECKING:
    import pandas as pd

#: Shares nearer to 0 or 1 are taken to be known as well as these, where angles become shares.
_LEAST_SHARE = 0.03


def with_interval_parts(table: pd.DataFrame) -> pd.DataFrame:
    """Return predictions with the SDs of the parts of their intervals, on the scale of comparison.

    ``sd_chance`` is the error of the study and of so many virtual people, ``sd_parameters`` that of parameters of body and cells, and
    ``sd_studies`` what studies of the kind differ by, as the package's table of trust has it: NaN where nobody has estimated it. The 90 %
    interval of a prediction holds the first two.
    """
    differences = {row.record: math.hypot(row.tau_family, row.tau_row) for row in trust_rows() if row.has_discrepancy}
    share = np.clip(table["predicted"].to_numpy(dtype=float), _LEAST_SHARE, 1.0 - _LEAST_SHARE)
    # The table has angles of shares.
    factor = np.where(table["scale"] == "share", np.sqrt(share * (1.0 - share)), 1.0)
    return table.assign(
        sd_chance=np.hypot(table["se_study"].to_numpy(dtype=float), table["se_cohort"].to_numpy(dtype=float)),
        sd_parameters=table["se_parameters"].to_numpy(dtype=float),
        sd_studies=factor * table["record"].map(differences).to_numpy(dtype=float),
    )


def interval_shares(table: pd.DataFrame, scenario: str) -> list[dict[str, Any]]:
    """Return a line for each class of treatment: rows, and the mean share of each part in the variance of an interval with all three.

    Rows for which nobody knows what studies differ by do not count.

    Parameters
    ----------
    table
        Of `predictions_view.view`.
    """
    rows = with_interval_parts(table[table["scenario"] == scenario])
    rows = rows[np.isfinite(rows["sd_studies"]) & (rows["sd_chance"] > 0.0)]
    variances = {name: rows[f"sd_{name}"] ** 2 for name in INTERVAL_PARTS}
    total = sum(variances.values())
    rows = rows.assign(**{f"share_{name}": part / total for name, part in variances.items()})
    lines = []
    for treatment in (*confront_view.CLASSES, ""):
        of_class = rows[rows["treatment"] == treatment] if treatment else rows
        if len(of_class):
            shares = {name: float(of_class[f"share_{name}"].mean()) for name in INTERVAL_PARTS}
            lines.append({"name": treatment or "all", "rows": len(of_class), **shares})
    return lines


def shares_picture(lines: list[dict[str, Any]]) -> Markup:
    """Return an SVG: for each class a bar of the shares of the parts, which add up to 100 %."""
    row, left, width = 24, 172, 340
    # Colours of the page are those of treatments.
    depth = {"chance": 0.25, "parameters": 0.85, "studies": 0.5}
    parts, told = [], []
    for number, line in enumerate(lines):
        y, x = 6 + row * number, float(left)
        parts.append(svg.svg_text(left - 6, y + 13, line["name"], "var(--ink)", "end"))
        for name in INTERVAL_PARTS:
            length = line[name] * (width - left)
            parts.append(svg.svg_bar(x, y, length, row - 7, "var(--ink)", depth[name]))
            x += length
        told.append(
            f"{line['name']}: "
            + ", ".join(f"{words} {100 * line[name]:.0f} %" for name, words in INTERVAL_PARTS.items())
        )
    bottom = row * len(lines) + 12
    for number, (name, words) in enumerate(INTERVAL_PARTS.items()):
        parts.append(svg.svg_bar(4 + 112 * number, bottom, 10, 10, "var(--ink)", depth[name]))
        parts.append(svg.svg_text(18 + 112 * number, bottom + 10, words, "var(--ink)", "start"))
    return svg.svg(width, bottom + 18, "; ".join(told), parts)
