"""The folder of a fit: what it is, every evaluation, and the record when it is complete.

::

    manifest.json            problem, options, versions, command: what determines the numbers
    problem.yaml             the problem as it was read
    evaluations/part-….parquet    see `evaluations`
    unknowns.csv, rows.csv, draws.npz, …     the record, see `physiology.installed_fits`
    fit.json                 its identity and the hashes of its files; written last

Every file is written beside its place and renamed into it, so that a fit may be killed at any moment.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ..base.atomic import remove_leftovers, write_atomic, writing
from ..base.errors import ConfigError, Location, Problem
from ..base.exports import rows_as_csv
from ..base.intervals import joint_deviation
from ..engine.runs.store import finite
from ..physiology.installed_fits import (
    FURTHER,
    IDENTITY,
    SEAL,
    Columns,
    FittedUnknown,
    damaged_files,
    read_fit_record,
    seal_of,
)
from .discrepancy import TAILS, printed_variance
from .evaluations import FOLDER
from .fit_rows import FitRows
from .posterior import WeightedDraws
from .unknown import FARTHEST, Unknown

Numbers = NDArray[np.float64]
MANIFEST, PROBLEM = "manifest.json", "problem.yaml"
#: Standard normal quantile of 90 % intervals, and the probability above which it lies.
_Z90 = float(stats.norm.ppf(0.95))
#: Distance from the farthest place at which an unknown counts as being at its bound.
_AT_BOUND = 0.01


@dataclass(frozen=True)
class FinishedFit:
    """What a fit found, as its record is made of it; places are in SDs of the prior, rows on the scale of the fit.

    Attributes
    ----------
    u_map
        (d,) most probable place.
    mean, covariance
        (d,) and (d, d) of the posterior.
    draws_u, log_weights
        (m, d) and (m,) draws of the posterior with their importance weights.
    stage
        (n,) stage of each row.
    before, after
        (n,) predictions at the start and in the middle of the posterior.
    drawn
        (m, n) predictions at the draws.
    lacking
        (n,) class of discrepancy of each row.
    tau_family, tau_row
        (n,) SD of what the model lacks there: shared by the rows of a family, and of each row.
    at_bound
        (d,) whether an unknown ended where the fit may not go further.
    tables
        Further tables of the record by name, such as ``trace.csv``.
    identity
        Goes into ``fit.json``.
    """

    unknowns: tuple[Unknown, ...]
    u_map: Numbers
    mean: Numbers
    covariance: Numbers
    draws_u: Numbers
    log_weights: Numbers
    rows: FitRows
    stage: tuple[str, ...]
    before: Numbers
    after: Numbers
    drawn: Numbers
    lacking: tuple[str, ...]
    tau_family: Numbers
    tau_row: Numbers
    at_bound: NDArray[np.bool_]
    tables: Mapping[str, Columns] = field(default_factory=dict)
    identity: Mapping[str, Any] = field(default_factory=dict)


# -- a fit that is not finished -----------------------------------------------------------------------------------------


def begin_fit_folder(
    folder: str | Path, identity: Mapping[str, Any], command: Sequence[str] = (), problem_file: str | Path | None = None
) -> Path:
    """Make the folder of a fit, or find the one that holds the same fit.

    Parameters
    ----------
    identity
        What determines the fit, as plain values; the text of the problem as ``problem``.
    command, problem_file
        Where the fit comes from. A problem that names other files is read where it stands, as long as it says the same.

    Raises
    ------
    ConfigError
        The folder holds something else.
    StoreError
        It cannot be written.
    """
    target = Path(folder)
    _check_same_fit(target, identity)
    with writing(target):
        (target / FOLDER).mkdir(parents=True, exist_ok=True)
        remove_leftovers(target)
        if not (target / MANIFEST).is_file():
            write_atomic(target / PROBLEM, str(identity.get("problem", "")).encode())
            manifest = {"schema_version": 1, "identity": dict(identity), "command": list(command)}
            manifest |= {"problem_file": str(Path(problem_file).resolve())} if problem_file is not None else {}
            write_atomic(target / MANIFEST, (json.dumps(finite(manifest), indent=1) + "\n").encode())
    return target


def take_back_fit_folder(folder: Path) -> None:
    """Leave nothing of a fit that could not begin; one with a finished evaluation is kept."""
    if not (folder / FOLDER).is_dir() or any((folder / FOLDER).iterdir()):
        return
    (folder / FOLDER).rmdir()
    for name in (MANIFEST, PROBLEM):
        (folder / name).unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def fit_manifest(folder: str | Path) -> dict[str, Any]:
    """Return the manifest of a fit, finished or not.

    Raises
    ------
    ConfigError
        The folder holds no fit, or its manifest cannot be read.
    """
    target = Path(folder)
    content = _manifest(target)
    if content is None or content["identity"].get("kind") != "fit":
        message = "the folder holds no fit"
        hint = "'betapod fit run PROBLEM.yaml -o FOLDER' makes one."
        raise ConfigError(Problem("no-fit", message, Location(str(target)), hint=hint))
    return content


def is_finished_fit(folder: str | Path, identity: Mapping[str, Any] | None = None) -> bool:
    """Return whether the record of a fit is complete and undamaged, and, where asked, that of this identity."""
    target = Path(folder)
    try:
        content = json.loads((target / IDENTITY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if not isinstance(content, dict) or not isinstance(content.get("files"), dict):
        return False
    return not damaged_files(target, content) and (
        identity is None or content.get("digest") == identity_digest(identity)
    )


def identity_digest(identity: Mapping[str, Any]) -> str:
    """Return the digest of what determines a fit."""
    return hashlib.sha256(json.dumps(finite(identity), sort_keys=True).encode()).hexdigest()


def _manifest(folder: Path) -> dict[str, Any] | None:
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and isinstance(content.get("identity"), dict) else None


def _check_same_fit(folder: Path, identity: Mapping[str, Any]) -> None:
    if not folder.exists():
        return
    content = _manifest(folder)
    if content is None:
        if not folder.is_dir() or any(path.name not in (FOLDER, PROBLEM) for path in folder.iterdir()):
            message = "the folder exists and holds no fit"
            raise ConfigError(Problem("folder-in-use", message, Location(str(folder)), hint="Choose another folder."))
        return
    kept = content["identity"]
    differs = [name for name, value in finite(dict(identity)).items() if kept.get(name) != value]
    if differs:
        message = "the folder holds another fit"
        text = "different " + ", ".join(differs)
        raise ConfigError(
            Problem("other-run", message, Location(str(folder)), found=text, hint="Choose another folder.")
        )


# -- the record ---------------------------------------------------------------------------------------------------------


def write_fit_record(folder: str | Path, fit: FinishedFit) -> None:
    """Write the record of a fit into its folder; ``fit.json`` comes last.

    Raises
    ------
    StoreError
        It cannot be written.
    """
    target = Path(folder)
    contents = {
        "unknowns.csv": as_table(unknown_columns(fit)),
        "covariance.npy": _npy(fit.covariance),
        "draws.npz": _npz(u=fit.draws_u, values=values_at(fit.unknowns, fit.draws_u), log_weights=fit.log_weights),
        "rows.csv": as_table(row_columns(fit)),
        "row_draws.npz": _npz(rows=fit.rows.natural(fit.drawn).T.astype(np.float32)),
        "discrepancy.csv": as_table(_discrepancy_columns(fit)),
        **{name: as_table(columns) for name, columns in fit.tables.items()},
    }
    with writing(target):
        target.mkdir(parents=True, exist_ok=True)
        # Without it the folder holds no record, so that none is half old and half new.
        (target / IDENTITY).unlink(missing_ok=True)
        for name in FURTHER:
            if name not in contents:
                (target / name).unlink(missing_ok=True)
        for name, content in contents.items():
            write_atomic(target / name, content)
        write_identity(target, fit.identity, contents)


def write_identity(folder: Path, identity: Mapping[str, Any], contents: Mapping[str, bytes]) -> None:
    """Write ``fit.json`` with the hashes of some contents by name of file."""
    files = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(contents.items())}
    kept = {key: value for key, value in identity.items() if key not in ("files", SEAL)}
    # As it is read again: keys are texts there, and no number is infinite.
    document = json.loads(json.dumps(finite({"schema_version": 1, **kept, "files": files})))
    sealed = {**document, SEAL: seal_of(document)}
    write_atomic(folder / IDENTITY, (json.dumps(sealed, indent=1) + "\n").encode())


def add_tables(folder: str | Path, tables: Mapping[str, Columns], verdicts: Mapping[str, Any] | None = None) -> None:
    """Add tables to the record of a finished fit, such as those of its checks, and verdicts to its identity.

    Raises
    ------
    ConfigError
        The folder holds no finished fit.
    """
    target = Path(folder)
    identity = dict(read_fit_record(target).identity)
    if verdicts:
        identity["checks"] = {**identity.get("checks", {}), **verdicts}
    contents = {name: (target / name).read_bytes() for name in identity["files"]}
    contents |= {name: as_table(columns) for name, columns in tables.items()}
    with writing(target):
        (target / IDENTITY).unlink()
        for name in tables:
            write_atomic(target / name, contents[name])
        write_identity(target, identity, contents)


def values_at(unknowns: Sequence[Unknown], u: Numbers) -> Numbers:
    """Return the values (..., d) of unknowns at places (..., d)."""
    places = np.asarray(u, dtype=np.float64)
    return np.stack([unknown.value(places[..., k]) for k, unknown in enumerate(unknowns)], axis=-1)


def unknown_columns(fit: FinishedFit) -> Columns:
    """Return the columns of ``unknowns.csv``; lows and highs are 5 and 95 % of normal distributions of the place."""
    sd = np.sqrt(np.diag(fit.covariance))
    zero = np.zeros(len(fit.unknowns))

    def at(u: Numbers) -> Numbers:
        return values_at(fit.unknowns, u)

    columns: Columns = {
        name: np.array([getattr(unknown, name) for unknown in fit.unknowns], dtype=object)
        for name in ("name", "kind", "unit", "label", "transform")
    }
    columns |= {"prior_median": at(zero), "prior_low": at(zero - _Z90), "prior_high": at(zero + _Z90)}
    columns |= {"start": np.array([unknown.start for unknown in fit.unknowns]), "map": at(fit.u_map)}
    columns |= {"median": at(fit.mean), "low": at(fit.mean - _Z90 * sd), "high": at(fit.mean + _Z90 * sd)}
    columns |= {"contraction": 1.0 - sd, "at_bound": fit.at_bound}
    assert list(columns) == [column.name for column in fields(FittedUnknown)]
    return columns


def places_at_bound(unknowns: Sequence[Unknown], u: Numbers) -> NDArray[np.bool_]:
    """Return (d,) which unknowns are where they may not go further: by their place in the prior, or by their bounds."""
    values = values_at(unknowns, u)
    beyond = np.array([not unknown.low < value < unknown.high for unknown, value in zip(unknowns, values, strict=True)])
    return np.asarray((np.abs(u) >= FARTHEST - _AT_BOUND) | beyond)


def row_columns(fit: FinishedFit) -> Columns:
    """Return the columns of ``rows.csv``, on the scale of the fit.

    ``after`` is in the middle of the posterior, ``mean`` over the draws. ``z`` is observed less predicted, in errors of the row alone. Inside their 90 % interval are rows by this error alone at the start
    (``before``) and at the fit (``after``), with the spread of the draws besides (``parameters``), and with what the model lacks (``all``).
    """
    rows = fit.rows
    mean, sd = weighted_moments(fit.drawn, fit.log_weights)
    columns: Columns = {
        name: np.array(getattr(rows, name), dtype=object) for name in ("record", "study", "family", "endpoint", "unit")
    }
    columns |= {
        "class": np.array(rows.row_class, dtype=object),
        "scale": np.array(rows.scale, dtype=object),
        "stage": np.array(fit.stage, dtype=object),
        "fitted": np.asarray(rows.fitted, dtype=np.bool_),
        "observed": rows.observed,
        "before": fit.before,
        "after": fit.after,
        "mean": mean,
        "se": rows.se,
        "sd_parameters": sd,
        "tau_family": fit.tau_family,
        "tau_row": fit.tau_row,
        "freedom": rows.freedom,
        "z_before": (rows.observed - fit.before) / rows.se,
        "z_after": (rows.observed - fit.after) / rows.se,
    }
    printed, parameters = printed_variance(rows), (sd**2, np.inf)
    lacking = ((fit.tau_family**2, TAILS), (fit.tau_row**2, TAILS))
    for name, center, parts in (
        ("before", fit.before, (printed,)),
        ("after", fit.after, (printed,)),
        ("parameters", mean, (printed, parameters)),
        ("all", mean, (printed, parameters, *lacking)),
    ):
        scale, freedom = joint_deviation(*parts)
        columns[f"inside_{name}"] = np.abs(rows.observed - center) <= stats.t.ppf(0.95, freedom) * scale
    return columns


def weighted_moments(drawn: Numbers, log_weights: Numbers) -> tuple[Numbers, Numbers]:
    """Return mean and SD (n,) of predictions (m, n) over weighted draws; those that could not be evaluated do not count."""
    normed = log_weights - np.logaddexp.reduce(log_weights)
    return WeightedDraws(np.zeros((len(drawn), 0)), drawn, normed, 0.0, 0.0).moments()


def _discrepancy_columns(fit: FinishedFit) -> Columns:
    """Return one line per class of discrepancy that has fitted rows, which are counted; of other classes nothing is known."""
    rows = fit.rows
    names = list(dict.fromkeys(of for of, is_fitted in zip(fit.lacking, rows.fitted, strict=True) if is_fitted))
    members = [[i for i, of in enumerate(fit.lacking) if of == name] for name in names]
    speaking = [[i for i in index if rows.fitted[i]] for index in members]
    return {
        "class": np.array(names, dtype=object),
        "scale": np.array([rows.scale[index[0]] for index in members], dtype=object),
        "tau_family": np.array([fit.tau_family[index[0]] for index in members]),
        "tau_row": np.array([fit.tau_row[index[0]] for index in members]),
        "rows": np.array([len(index) for index in speaking]),
        "families": np.array([len({rows.family[i] for i in index}) for index in speaking]),
    }


def as_table(columns: Columns) -> bytes:
    """Return columns as CSV: numbers in full, nothing for NaN, true and false."""
    return rows_as_csv(list(columns), zip(*(map(_cell, column) for column in columns.values()), strict=True)).encode()


def _cell(value: Any) -> Any:
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (float, np.floating)):
        return "" if np.isnan(value) else repr(float(value))
    return int(value) if isinstance(value, np.integer) else value


def _npy(array: Numbers) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()


def _npz(**arrays: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez(
        buffer, allow_pickle=False, **arrays
    )  # Its entries carry a fixed date, so that the same numbers are the same bytes.
    return buffer.getvalue()
