"""The tables of a fit folder, read for pictures and page; every fault of the folder is told at once."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...base.constants import Z90
from ...base.errors import ConfigError, Location, Problem

if TYPE_CHECKING:
    import pandas as pd

Numbers = NDArray[np.float64]

#: Columns that pictures and page read, by file; the files of `OPTIONAL` may be absent.
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "unknowns.csv": (
        "name", "kind", "unit", "label", "transform", "prior_median", "prior_low", "prior_high", "start", "map",
        "median", "low", "high", "contraction", "at_bound",
    ),
    "rows.csv": (
        "record", "study", "family", "endpoint", "unit", "class", "scale", "fitted", "observed", "before", "after", "se",
        "sd_parameters", "tau_family", "tau_row", "z_before", "z_after", "inside_before", "inside_after",
        "inside_parameters", "inside_all",
    ),
}  # fmt: skip
OPTIONAL: Mapping[str, tuple[str, ...]] = {
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
_FLAGS = ("fitted", "inside_before", "inside_after", "inside_parameters", "inside_all", "at_bound", "accepted")


@dataclass(frozen=True)
class FitContents:
    """What a fit folder holds.

    Attributes
    ----------
    identity
        ``fit.json``: what was fitted with what, and the verdicts of the checks.
    covariance
        (d, d) posterior covariance of the unknowns, in SDs of their priors.
    draws
        (n, d) draws of the posterior, in SDs of the priors.
    weights
        (n,) their weights; they sum to 1.
    unknowns, rows, discrepancy, coverage, eigen, profiles, left_out, trace, speaking
        The tables of these names; empty where the folder has none.
    """

    folder: Path
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

    @property
    def name(self) -> str:
        """The name of the fit: its own, else that of its folder."""
        return str(self.identity.get("name") or self.folder.resolve().name)


def read_fit_contents(folder: str | Path) -> FitContents:
    """Return the tables of a fit folder.

    Raises
    ------
    ConfigError
        The folder is no fit folder: a file is absent, cannot be read or lacks columns. All faults stand in one error.

    Examples
    --------
    >>> from betapod.report.fit.fit_contents import read_fit_contents
    >>> read_fit_contents("no-such-folder")
    Traceback (most recent call last):
        ...
    betapod.base.errors.ConfigError: no-such-folder: no-fit: there is no folder of a fit here
        A fit folder is what 'betapod fit run PROBLEM --out FOLDER' writes.
    """
    path = Path(folder)
    if not path.is_dir():
        raise ConfigError(
            Problem(
                "no-fit",
                "there is no folder of a fit here",
                Location(str(path)),
                hint="A fit folder is what 'betapod fit run PROBLEM --out FOLDER' writes.",
            )
        )
    problems: list[Problem] = []
    identity = _read_identity(path / "fit.json", problems)
    tables = {
        file.removesuffix(".csv"): _read_columns(path / file, columns, file in REQUIRED, problems)
        for file, columns in {**REQUIRED, **OPTIONAL}.items()
    }
    covariance, draws, weights = _read_posterior(path, len(tables["unknowns"]), problems)
    if problems:
        raise ConfigError(problems)
    return FitContents(path, identity, covariance, draws, weights, **tables)


def _read_identity(path: Path, problems: list[Problem]) -> Mapping[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problems.append(_absent(path))
    except (OSError, ValueError) as error:
        problems.append(Problem("unreadable", f"cannot be read: {error}", Location(str(path))))
    else:
        if isinstance(document, dict):
            return document
        problems.append(Problem("unreadable", "is no JSON object", Location(str(path))))
    return {}


def _absent(path: Path) -> Problem:
    return Problem(
        "no-fit",
        "the file is absent, so that this is no fit folder, or one whose run was cut short",
        Location(str(path)),
        hint="Finish the run with 'betapod fit resume FOLDER'.",
    )


def _read_columns(path: Path, columns: tuple[str, ...], needed: bool, problems: list[Problem]) -> pd.DataFrame:
    """Return a table with at least these columns; an empty one where the file is absent."""
    import pandas as pd

    empty = pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    if not path.exists():
        problems += [_absent(path)] if needed else []
        return empty
    try:
        table = pd.read_csv(path, keep_default_na=False, na_values=["", "nan", "NaN"], float_precision="round_trip")
    except (OSError, ValueError) as error:
        problems.append(Problem("unreadable", f"cannot be read: {error}", Location(str(path))))
        return empty
    if missing := [name for name in columns if name not in table.columns]:
        problems.append(
            Problem(
                "missing-columns",
                f"lacks {', '.join(missing)}",
                Location(str(path), 1),
                found=", ".join(map(str, table.columns)),
                expected=", ".join(columns),
            )
        )
        return empty
    for name in _FLAGS:
        if name in columns:
            table[name] = [str(flag).strip().lower() in ("true", "1", "1.0", "yes") for flag in table[name]]
    texts = [name for name in columns if name not in _FLAGS and table[name].dtype == object]
    table[texts] = table[texts].fillna("")
    return table


def _read_posterior(path: Path, count: int, problems: list[Problem]) -> tuple[Numbers, Numbers, Numbers]:
    """Return covariance, draws and weights, which sum to 1."""
    covariance, draws, weights = np.zeros((count, count)), np.zeros((0, count)), np.zeros(0)
    try:
        covariance = np.asarray(np.load(path / "covariance.npy"), dtype=float)
    except FileNotFoundError:
        problems.append(_absent(path / "covariance.npy"))
    except (OSError, ValueError) as error:
        problems.append(Problem("unreadable", f"cannot be read: {error}", Location(str(path / "covariance.npy"))))
    try:
        with np.load(path / "draws.npz") as arrays:
            draws = np.asarray(arrays["u"], dtype=float)
            logs = np.asarray(arrays["log_weights"], dtype=float)
        weights = np.exp(logs - logs.max())
        weights = weights / weights.sum()
    except FileNotFoundError:
        problems.append(_absent(path / "draws.npz"))
    except (OSError, ValueError, KeyError) as error:
        problems.append(Problem("unreadable", f"cannot be read: {error}", Location(str(path / "draws.npz"))))
    if not problems and (covariance.shape != (count, count) or draws.shape[1:] != (count,)):
        problems.append(
            Problem(
                "wrong-size",
                "covariance, draws and unknowns are not of one fit",
                Location(str(path)),
                found=f"{count} unknowns, covariance {covariance.shape}, draws {draws.shape}",
            )
        )
    return covariance, draws, weights


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
