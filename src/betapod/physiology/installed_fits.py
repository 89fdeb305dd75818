"""Records of fits: what a calibration found, as data; those of the package stand in ``fits/NAME``.

A record is a folder (`calibration.fit_folder` writes it)::

    fit.json          identity: problem, rows, model, library, program, seed, versions; verdicts of the checks; hashes of the other files
    unknowns.csv      one row per unknown: prior, start, fit, posterior, contraction
    covariance.npy    (d, d) of the places of the unknowns in their priors
    draws.npz         u (m, d), values (m, d), log_weights (m,): draws of the posterior, with importance weights
    rows.csv          one row per published number: observed, before, after, errors; on the scale of the fit
    row_draws.npz     rows (n, m) float32: each number under each draw, on the natural scale
    discrepancy.csv   SD of what the model lacks, by class of rows
    ...               coverage, eigen, profiles, left_out, trace, speaking: tables of the same kind, where they were computed
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base import npz
from ..base.config import parse_yaml
from ..base.errors import ConfigError, Location, Problem, not_among
from .fit_columns import Columns as Columns
from .fit_columns import read_columns as read_columns

FITS = Path(__file__).parent / "fits"
IDENTITY = "fit.json"
#: Files without which there is no record.
NEEDED = (
    "unknowns.csv",
    "covariance.npy",
    "draws.npz",
    "rows.csv",
    "row_draws.npz",
    "discrepancy.csv",
)
#: Key of ``fit.json`` with the digest of all else in it.
SEAL = "digest of this file"
#: Tables that a record may have besides.
FURTHER = ("coverage.csv", "eigen.csv", "profiles.csv", "left_out.csv", "trace.csv", "speaking.csv", "choices.csv")
#: Virtual people per cohort of a fit whose problem does not say how many.
PEOPLE_PER_COHORT = 16
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class FittedUnknown:
    """One row of ``unknowns.csv``: an unknown with its prior and posterior, in its own unit; lows and highs are 5 and 95 %.

    Attributes
    ----------
    start
        What the package's tables had before.
    map
        The most probable value.
    median
        The middle of the posterior: what tables are given, and what later stages hold.
    contraction
        1 - posterior SD / prior SD, on the scale of the prior: 0 where the data say nothing.
    at_bound
        Whether the fit ended where it may not go further.
    """

    name: str
    kind: str
    unit: str
    label: str
    transform: str
    prior_median: float
    prior_low: float
    prior_high: float
    start: float
    map: float
    median: float
    low: float
    high: float
    contraction: float
    at_bound: bool


@dataclass(frozen=True)
class FitRecord:
    """What a fit found.

    Attributes
    ----------
    name
        Of the installed fit, or of the folder.
    identity
        Content of ``fit.json``.
    covariance
        (d, d) of places of the unknowns in their priors, in units of their SDs.
    draws_u, draws_values
        (m, d) draws of the posterior: places in the priors, and values.
    log_weights
        (m,) importance weights of the draws, up to a constant.
    rows
        Columns of ``rows.csv``.
    row_draws
        (n, m) each published number under each draw, on the natural scale.
    """

    name: str
    folder: Path
    identity: Mapping[str, Any]
    unknowns: tuple[FittedUnknown, ...]
    covariance: Numbers
    draws_u: Numbers
    draws_values: Numbers
    log_weights: Numbers
    rows: Columns
    row_draws: NDArray[np.float32]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the unknowns, in the order of every array."""
        return tuple(unknown.name for unknown in self.unknowns)

    @property
    def kinds(self) -> dict[str, str]:
        """Kind of each unknown."""
        return {unknown.name: unknown.kind for unknown in self.unknowns}

    @property
    def weights(self) -> Numbers:
        """(m,) weights of the draws; their sum is 1."""
        raw = np.exp(self.log_weights - np.max(self.log_weights))
        return np.asarray(raw / raw.sum())

    @property
    def effective_draws(self) -> float:
        """Number of draws of equal weight that would know as much."""
        return float(1.0 / np.sum(self.weights**2))

    @functools.cached_property
    def people_per_cohort(self) -> int:
        """Virtual people of a cohort behind its numbers, as its problem says; five times as many where events are counted."""
        problem = parse_yaml(self.identity.get("problem", ""), "problem").data or {}
        return int((problem.get("people") or {}).get("count", PEOPLE_PER_COHORT))

    @property
    def compared(self) -> NDArray[np.bool_]:
        """(n,) rows with a prediction both before the fit and after it: those of which shares inside intervals are taken."""
        return rows_predicted(self.rows["before"], self.rows["mean"], after=True)

    @property
    def lost(self) -> NDArray[np.bool_]:
        """(n,) rows with a prediction before the fit and none after it."""
        return rows_predicted(self.rows["before"], self.rows["mean"], after=False)

    def values(self, draw: int | None = None) -> dict[str, float]:
        """Return the value of each unknown: the middle of the posterior, or those of a draw."""
        if draw is None:
            return {unknown.name: unknown.median for unknown in self.unknowns}
        return dict(zip(self.names, map(float, self.draws_values[draw]), strict=True))

    def relative(self, draw: int | None = None) -> dict[str, float]:
        """Return what a draw changes in the tables: by how much it lies from the middle of the posterior.

        Factors (on effects of drugs, medians and spreads) are over those of the fit, shifts (of people, and by care) are differences from
        them; rows, correlations and SDs of visits are values. A fit that was installed without its tables (`identity`: ``in tables`` is false)
        moves these as far from the values that the tables had at its start.
        """
        values = self.values(draw)
        return {unknown.name: _relative(unknown, values[unknown.name], self.in_tables) for unknown in self.unknowns}

    def at_start(self) -> dict[str, float]:
        """Return what brings back the values that the tables had before this fit; empty where the tables do not have it.

        As of `relative`: factors are those of the start over those of the fit, shifts and care are differences; rows, correlations and
        SDs of visits are the values that they had. Unknowns that stayed where they were are not among them.
        """
        if not self.in_tables:
            return {}
        moved = [unknown for unknown in self.unknowns if unknown.start != unknown.median]
        return {unknown.name: _relative(unknown, unknown.start, True) for unknown in moved}

    @property
    def in_tables(self) -> bool:
        """Whether the parameter tables have its values; draws of one that they do not have move what they have."""
        return self.identity.get("in tables") is not False

    @property
    def discrepancy(self) -> dict[str, tuple[float, float, str]]:
        """By class of rows: SD shared by the rows of a family, SD of each row alone, and the scale of both."""
        table = self.table("discrepancy.csv")
        return {
            str(name): (float(family), float(row), str(scale))
            for name, family, row, scale in zip(
                table["class"], table["tau_family"], table["tau_row"], table["scale"], strict=True
            )
        }

    def has(self, name: str) -> bool:
        """Return whether the record has a table, such as ``coverage.csv``."""
        return (self.folder / name).is_file()

    def table(self, name: str) -> Columns:
        """Return the columns of one of its tables.

        Raises
        ------
        ConfigError
            There is none of that name.
        """
        path = self.folder / name
        if not path.is_file():
            raise ConfigError(Problem("no-table", f"the fit has no {name}", Location(str(self.folder))))
        return read_columns(path)


def rows_predicted(before: ArrayLike, now: ArrayLike, after: bool) -> NDArray[np.bool_]:
    """Return (n,) which rows had a prediction before the fit, and have one after it, or have none any more."""
    return np.asarray(np.isfinite(before) & (np.isfinite(now) == after), dtype=np.bool_)


def _relative(unknown: FittedUnknown, value: float, in_tables: bool) -> float:
    if unknown.kind == "care" or unknown.name.endswith(" shift"):
        return value - unknown.median
    if unknown.kind in ("drug", "median", "spread"):
        return value / unknown.median
    # In the middle of the posterior a row that no table was given stays exactly what the table has.
    if in_tables or value == unknown.median:
        return value if in_tables else unknown.start
    forward, backward = _TRANSFORMS[unknown.transform]
    return backward(forward(unknown.start) + forward(value) - forward(unknown.median))


#: Scales on which priors are normal, and back.
_TRANSFORMS: Mapping[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "log": (math.log, math.exp),
    "linear": (float, float),
    "logit": (lambda x: math.log(x / (1.0 - x)), lambda x: 1.0 / (1.0 + math.exp(-x))),
    "atanh": (math.atanh, math.tanh),
}


def list_fits() -> list[str]:
    """Return the names of the installed fits, the newest last.

    Examples
    --------
    >>> from betapod.physiology.installed_fits import list_fits
    >>> isinstance(list_fits(), list)
    True
    """
    names = [path.parent.name for path in FITS.glob(f"*/{IDENTITY}")]
    return sorted(names, key=lambda name: [int(part) if part.isdigit() else 0 for part in name.split(".")] + [0])


def load_fit(name: str) -> FitRecord:
    """Return an installed fit.

    Raises
    ------
    ConfigError
        There is none of that name, or a file of it is damaged.
    """
    names = list_fits()
    if name not in names:
        if not names:
            hint = "No fit is installed yet: 'betapod fit install' does it. A fit that is not installed is named by its folder."
            raise ConfigError(Problem("unknown-fit", f"there is no fit {name!r}", hint=hint))
        raise ConfigError(not_among(names, "unknown-fit", f"no fit {name!r} is installed", name))
    return _loaded(FITS / name)


@functools.lru_cache(maxsize=4)
def _loaded(folder: Path) -> FitRecord:
    return read_fit_record(folder)


def read_fit_record(folder: str | Path) -> FitRecord:
    """Return the record of a fit that is finished.

    Raises
    ------
    ConfigError
        The folder holds none, or one that is not complete, or every file that is missing or is not what was written.
    """
    target = Path(folder)
    identity = _identity(target)
    if problems := damaged_files(target, identity):
        raise ConfigError(problems)
    try:
        return _rebuilt_record(target, identity)
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = "the record of the fit cannot be read"
        raise ConfigError(
            Problem("damaged-fit", message, Location(str(target)), str(error).partition("\n")[0])
        ) from None


def _identity(target: Path) -> dict[str, Any]:
    try:
        content = json.loads((target / IDENTITY).read_text(encoding="utf-8"))
    except FileNotFoundError:
        message = "the folder holds no finished fit"
        raise ConfigError(Problem("no-fit", message, Location(str(target)), expected=f"{IDENTITY} in it")) from None
    except (OSError, ValueError) as error:
        message = f"{IDENTITY} cannot be read"
        raise ConfigError(
            Problem("damaged-fit", message, Location(str(target)), str(error).partition("\n")[0])
        ) from None
    if not isinstance(content, dict) or not isinstance(content.get("files"), dict):
        raise ConfigError(Problem("damaged-fit", f"{IDENTITY} is not that of a fit", Location(str(target))))
    return content


def damaged_files(folder: Path, identity: Mapping[str, Any]) -> list[Problem]:
    """Return a problem for each file of a record that is missing, or is not what was written."""
    problems = []
    for name in dict.fromkeys([*NEEDED, *identity["files"]]):
        path, expected = folder / name, identity["files"].get(name)
        if not path.is_file():
            problems.append(Problem("damaged-fit", "a file of the fit is missing", Location(str(path))))
        elif hashlib.sha256(path.read_bytes()).hexdigest() != expected:
            message = "the file is not the one that the fit wrote"
            problems.append(
                Problem("damaged-fit", message, Location(str(path)), hint="Run the fit again: it is put together anew.")
            )
    if SEAL in identity and identity[SEAL] != seal_of(identity):
        message = "the file was edited since the fit wrote it"
        hint = "Take the edit back, or run the fit again."
        problems.append(Problem("damaged-fit", message, Location(str(folder / IDENTITY)), hint=hint))
    return problems


def seal_of(identity: Mapping[str, Any]) -> str:
    """Return the digest of all that ``fit.json`` says beside it."""
    content = {name: value for name, value in identity.items() if name != SEAL}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _rebuilt_record(target: Path, identity: Mapping[str, Any]) -> FitRecord:
    columns = read_columns(target / "unknowns.csv")
    names = [field.name for field in fields(FittedUnknown)]
    unknowns = tuple(
        FittedUnknown(
            **{
                name: columns[name][k].item() if hasattr(columns[name][k], "item") else columns[name][k]
                for name in names
            }
        )
        for k in range(len(columns["name"]))
    )
    draws = npz.read_npz(target / "draws.npz")
    covariance = np.load(target / "covariance.npy", allow_pickle=False)
    row_draws = npz.read_npz(target / "row_draws.npz")["rows"]
    rows = read_columns(target / "rows.csv")
    d, m = len(unknowns), len(draws["log_weights"])
    shapes = (covariance.shape, draws["u"].shape, draws["values"].shape, row_draws.shape)
    if shapes != ((d, d), (m, d), (m, d), (len(rows["record"]), m)):
        raise ValueError(f"arrays of other shapes than {d} unknowns, {m} draws and {len(rows['record'])} rows")
    return FitRecord(
        name=target.name,
        folder=target,
        identity=identity,
        unknowns=unknowns,
        covariance=covariance,
        draws_u=draws["u"],
        draws_values=draws["values"],
        log_weights=draws["log_weights"],
        rows=rows,
        row_draws=row_draws,
    )
