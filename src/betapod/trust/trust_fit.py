"""Published numbers as a fit leaves them: the record of a fit in the terms of the table of the package."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from ..base.constants import Z90
from ..base.errors import ConfigError, Location, Problem
from ..base.intervals import joint_deviation, normal_score, student
from ..calibration.discrepancy import TAILS
from ..physiology.installed_fits import FitRecord, list_fits, load_fit, read_fit_record
from .trust_making import LEAST_FREEDOM
from .trust_rows import TrustRow, trust_rows

#: Scale of a fit -> that of the table.
_SCALES = {"angle": "share", "log": "log", "linear": "linear"}


def fit_named(name: str) -> FitRecord:
    """Return an installed fit by its name, or the one in a folder.

    Raises
    ------
    ConfigError
        Neither is there, or what is there is damaged.
    """
    if name not in list_fits() and Path(name).is_dir():
        return read_fit_record(name)
    return load_fit(name)


def rows_of_fit(fit: FitRecord, before: bool = False) -> tuple[TrustRow, ...]:
    """Return the published numbers of a fit that the table of the package knows, with the predictions, flags and errors of the fit.

    Parameters
    ----------
    before
        At the values before the fit, which had no draws: no part of an interval is due to parameters. What the model lacks is that of the fit.

    Raises
    ------
    ConfigError
        It has none of them.
    """
    kinds = {row.record: row for row in reversed(trust_rows())}
    columns = fit.rows
    rows = []
    for k, record in enumerate(columns["record"]):
        values = {name: columns[name][k] for name in columns}
        if before:
            values |= {"after": values["before"], "sd_parameters": 0.0}
        if str(record) not in kinds or not math.isfinite(values["after"]):
            continue
        rows.append(_row(kinds[str(record)], {name: float(x) for name, x in values.items() if _is_number(x)}, values))
    if not rows:
        message = "the fit has no published number that the table of this version knows"
        raise ConfigError(Problem("no-rows", message, Location(str(fit.folder))))
    return tuple(rows)


def _is_number(cell: object) -> bool:
    return not isinstance(cell, str) and cell is not None


def _row(kind: TrustRow, numbers: dict[str, float], cells: dict[str, object]) -> TrustRow:
    scale = _SCALES[str(cells["scale"])]
    freedom = numbers["freedom"] if math.isfinite(numbers["freedom"]) else math.inf
    printed = max(freedom, LEAST_FREEDOM)
    variance = numbers["se"] ** 2 * (printed / (printed - 2.0) if math.isfinite(printed) else 1.0)
    deviations = ((variance, printed), (numbers["sd_parameters"] ** 2, math.inf))
    taus = (numbers["tau_family"], numbers["tau_row"])
    z, low, high = _placed(numbers, deviations)
    z_all, low_all, high_all = _placed(numbers, (*deviations, *((tau**2, TAILS) for tau in taus)))
    natural = {
        name: _natural(scale, x) for name, x in (("observed", numbers["observed"]), ("predicted", numbers["after"]))
    }
    return replace(
        kind,
        fitted=bool(cells["fitted"]),
        row_class=str(cells["class"]).split(" ")[0] if scale == "linear" else str(cells["class"]),
        scale=scale,
        unit=str(cells["unit"]) if scale == "linear" else "1",
        observed=natural["observed"],
        predicted=natural["predicted"],
        low=_natural(scale, low),
        high=_natural(scale, high),
        z=z,
        inside=abs(z) <= Z90,
        width=_width(scale, low, high, natural),
        tau_family=taus[0],
        tau_row=taus[1],
        z_all=z_all,
        inside_all=abs(z_all) <= Z90,
        width_all=_width(scale, low_all, high_all, natural),
    )


def _placed(numbers: dict[str, float], parts: tuple[tuple[float, float], ...]) -> tuple[float, float, float]:
    """Return z and the ends of the 90 % interval, on the scale of the fit."""
    size, freedom = (float(x) for x in joint_deviation(*parts))
    half = student(Z90, freedom) * size
    z = normal_score((numbers["observed"] - numbers["after"]) / size, freedom)
    return z, numbers["after"] - half, numbers["after"] + half


def _natural(scale: str, x: float) -> float:
    if scale == "share":
        return math.sin(min(max(x, 0.0), math.pi) / 2.0) ** 2
    return math.exp(x) if scale == "log" else x


def _width(scale: str, low: float, high: float, natural: dict[str, float]) -> float:
    if scale == "log":
        return math.exp(high - low)
    if scale == "share":
        return _natural(scale, high) - _natural(scale, low)
    size = max(abs(x) for x in natural.values())
    return (high - low) / size if size > 0.0 else math.nan
