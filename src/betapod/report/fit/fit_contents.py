"""The tables of a fit folder, read for pictures and page; every fault of the folder is told at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...base.constants import Z90
from ...base.errors import ConfigError, Location, Problem
from ...calibration.design_bias import DesignBias, published_biases
from ...physiology import installed_fits
from ...physiology.installed_fits import FitRecord, read_fit_record

if TYPE_CHECKING:
    import pandas as pd

Numbers = NDArray[np.float64]

#: Columns that pictures and page read, by file.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "rows.csv": (
        "record", "study", "family", "endpoint", "unit", "class", "scale", "fitted", "observed", "before", "after", "mean", "se",
        "sd_parameters", "tau_family", "tau_row", "freedom", "z_before", "z_after", "inside_before", "inside_after",
        "inside_parameters", "inside_all",
    ),
    "discrepancy.csv": ("class", "scale", "tau_family", "tau_row", "rows", "families"),
    "coverage.csv": (
        "set", "by", "when", "parameters", "discrepancy", "nominal", "actual", "count", "median_width",
    ),
    "eigen.csv": ("direction", "eigenvalue", "unknown", "loading"),
    "profiles.csv": ("unknown", "u", "value", "fall", "quadratic"),
    "left_out.csv": ("family", "rows", "inside_before", "inside_after", "loss_before", "loss_after"),
    "trace.csv": ("stage", "iteration", "evaluations", "processor_seconds", "loss", "accepted"),
    "speaking.csv": ("unknown", "record", "family", "share"),
}  # fmt: skip


@dataclass(frozen=True)
class FitContents:
    """What a fit folder holds.

    Attributes
    ----------
    name
        Of the fit.
    identity
        ``fit.json``: what was fitted with what, and the verdicts of the checks.
    covariance
        (d, d) posterior covariance of the unknowns, in SDs of their priors.
    draws
        (m, d) draws of the posterior, in SDs of the priors.
    weights
        (m,) their weights; they sum to 1.
    unknowns, rows, discrepancy, coverage, eigen, profiles, left_out, trace, speaking
        The tables of these names; empty where the folder has none. Rows have half-widths of their 90 % intervals besides, on the scale
        of the fit: `reach_errors` around `after`, and with drawn parameters `reach` around `mean`. Directions have a `stage`, which is
        empty where there is one alone.
    bias
        Bias by design by class of rows, see `design_bias.design_biases`.
    """

    name: str
    identity: Mapping[str, Any]
    covariance: Numbers
    draws: Numbers
    weights: Numbers
    unknowns: pd.DataFrame
    rows: pd.DataFrame
    discrepancy: pd.DataFrame
    coverage: pd.DataFrame
    eigen: pd.DataFrame
    profiles: pd.DataFrame
    left_out: pd.DataFrame
    trace: pd.DataFrame
    speaking: pd.DataFrame
    bias: tuple[DesignBias, ...] = ()


def read_fit_contents(folder: str | Path) -> FitContents:
    """Return the tables of a fit folder.

    Raises
    ------
    ConfigError
        The folder holds no finished fit, or files of it are absent, changed or lack columns.

    Examples
    --------
    >>> from betapod.report.fit.fit_contents import read_fit_contents
    >>> read_fit_contents("no-such-folder")
    Traceback (most recent call last):
        ...
    betapod.base.errors.ConfigError: no-such-folder: no-fit: the folder holds no finished fit
        expected fit.json in it
    """
    import pandas as pd

    record = read_fit_record(folder)
    problems: list[Problem] = []
    tables = {name.removesuffix(".csv"): _complete_table(record, name, problems) for name in COLUMNS}
    if problems:
        raise ConfigError(problems)
    if "stage" not in tables["eigen"]:
        tables["eigen"] = tables["eigen"].assign(stage="")
    tables["rows"] = _with_intervals(tables["rows"])
    return FitContents(
        name=_title(record),
        identity=record.identity,
        covariance=record.covariance,
        draws=record.draws_u,
        weights=record.weights,
        unknowns=pd.DataFrame([vars(unknown) for unknown in record.unknowns]),
        **tables,
        bias=tuple(published_biases(record)),
    )


def _title(record: FitRecord) -> str:
    """Return what a fit is called: an installed one by its name there, others by that of their problem."""
    if record.folder.parent == installed_fits.FITS:
        return record.name
    return str(record.identity.get("name") or record.folder.resolve().name)


def _complete_table(record: FitRecord, name: str, problems: list[Problem]) -> pd.DataFrame:
    """Return a table with the columns that are read; an empty one where the folder has none."""
    import pandas as pd

    if not record.has(name):
        return pd.DataFrame({column: pd.Series(dtype=object) for column in COLUMNS[name]})
    table = pd.DataFrame(record.table(name))
    if missing := [column for column in COLUMNS[name] if column not in table.columns]:
        problems.append(
            Problem(
                "missing-columns",
                f"lacks {', '.join(missing)}",
                Location(str(record.folder / name), 1),
                found=", ".join(map(str, table.columns)),
                expected=", ".join(COLUMNS[name]),
            )
        )
    return table


def _with_intervals(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with half-widths of their 90 % intervals, as the record judges what lies inside."""
    from scipy import stats

    from ...base.intervals import joint_deviation
    from ...calibration.discrepancy import printed_variance
    from ...calibration.fit_rows import FitRows

    texts: dict[str, Any] = {
        name: tuple(map(str, rows[name])) for name in ("record", "study", "family", "endpoint", "unit", "scale")
    }
    numbers: dict[str, Any] = {name: rows[name].to_numpy() for name in ("fitted", "observed", "se", "freedom")}
    printed = printed_variance(FitRows(**texts, row_class=tuple(map(str, rows["class"])), **numbers))
    reaches = {}
    for name, parts in (
        ("reach_errors", (printed,)),
        ("reach", (printed, (rows["sd_parameters"].to_numpy(float) ** 2, np.inf))),
    ):
        scale, freedom = joint_deviation(*parts)
        reaches[name] = stats.t.ppf(0.95, freedom) * scale
    return rows.assign(**reaches)


def prior_place(unknown: Mapping[Any, Any], value: float) -> float:
    """Return where a value lies in the prior of a row of ``unknowns.csv``: SDs from its median."""
    low, middle, high, at = (
        _scaled(str(unknown["transform"]), float(number))
        for number in (unknown["prior_low"], unknown["prior_median"], unknown["prior_high"], value)
    )
    # A bound may cut one side of the prior off.
    sd = max(high - middle, middle - low) / Z90
    return (at - middle) / sd if sd > 0 else 0.0


def _scaled(transform: str, value: float) -> float:
    if transform == "log":
        return math.log(value) if value > 0 else -math.inf
    if transform == "logit":
        return math.log(value / (1 - value)) if 0 < value < 1 else math.copysign(math.inf, value - 0.5)
    return math.atanh(value) if transform == "atanh" and abs(value) < 1 else value


def on_natural_scale(scale: str, value: float) -> float:
    """Return a number of a row on its natural scale: a share, a ratio, or as it is."""
    if scale == "angle":
        return math.sin(min(max(value, 0.0), math.pi) / 2) ** 2
    return math.exp(value) if scale == "log" else value


def natural_interval(row: Mapping[Any, Any], middle: str, reach: str) -> tuple[float, float]:
    """Return an interval of a row on its natural scale, shares in per cent, from the columns of its middle and half-width."""
    low, high = (printed_value(row, float(row[middle]) + sign * float(row[reach])) for sign in (-1, 1))
    return low, high


def printed_value(row: Mapping[Any, Any], value: float) -> float:
    """Return a number of a row as it is printed: shares in per cent, ratios, or as it is."""
    return (100.0 if row["scale"] == "angle" else 1.0) * on_natural_scale(str(row["scale"]), value)
