"""Install a fit: its record becomes data of the package, under a name, if what was set aside speaks for it; its values go into the tables.

Record and tables are prepared whole in one folder, ``.ready-NAME`` beside the fits. From the moment that the folder has this name the
installation holds: what was interrupted is finished by the next one, and what fails is taken back.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..base.atomic import write_atomic, writing
from ..base.errors import ConfigError, Location, Problem
from ..physiology import installed_fits
from ..physiology.installed_fits import IDENTITY, FitRecord, list_fits, read_fit_record
from ..physiology.whole_body import named_model
from .coverage_curve import predictive_deviation
from .evaluations import FOLDER
from .fit_folder import write_identity
from .fit_rows import FitRows
from .fitted_tables import FittedTables
from .installed_tables import WRITTEN, check_tables, digests_of_texts, written_text

#: Fewest draws of equal weight that the posterior of an installed fit is worth.
LEAST_DRAWS = 16.0
#: Most by which the share of rows that were set aside and lie inside their interval may fall, and of them that may lose their prediction.
MOST_LOSS = 0.03
#: Most by which their log score may fall, as a mean over families: what intervals cost that are 5 % too wide.
MOST_SCORE_LOSS = 0.05
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
_READY = ".ready-"


def reasons_against(record: FitRecord) -> list[Problem]:
    """Return what speaks against installing a fit."""
    where = Location(str(record.folder))
    problems = []
    aside = np.asarray(~record.rows["fitted"], dtype=np.bool_)
    if not aside.any():
        problems.append(Problem("nothing-set-aside", "no row was set aside, so that nothing checks the fit", where))
    else:
        problems += [
            *_lost_predictions(record, aside, where),
            *_worse_coverage(record, aside, where),
            *_worse_score(record, aside, where),
        ]
    effective = float(record.identity.get("effective draws", record.effective_draws))
    if effective < LEAST_DRAWS:
        message = "the draws of the posterior are worth too few of equal weight"
        problems.append(Problem("few-draws", message, where, f"{effective:.1f}", f"{LEAST_DRAWS:g} or more"))
    bound = [unknown.name for unknown in record.unknowns if unknown.at_bound]
    if bound:
        message = "unknowns ended where the fit may not go further"
        problems.append(Problem("at-bound", message, where, ", ".join(bound), "none"))
    return problems


def _lost_predictions(record: FitRecord, aside: NDArray[np.bool_], where: Location) -> list[Problem]:
    lost = record.lost & aside
    if lost.sum() <= MOST_LOSS * aside.sum():
        return []
    families = sorted(set(map(str, record.rows["family"][lost])))
    return [
        Problem(
            "lost-predictions",
            "rows that were set aside had a prediction before the fit and have none after it, so that they check nothing",
            where,
            found=f"{int(lost.sum())} of {int(aside.sum())} rows, of {', '.join(families)}",
            expected=f"{100 * MOST_LOSS:g} % at most",
        )
    ]


def _worse_coverage(record: FitRecord, aside: NDArray[np.bool_], where: Location) -> list[Problem]:
    aside = aside & record.compared
    if not aside.any():
        return []
    before, after = (float(record.rows[f"inside_{when}"][aside].mean()) for when in ("before", "after"))
    if before - after <= MOST_LOSS:
        return []
    return [
        Problem(
            "worse-validation",
            "fewer of the rows that were set aside lie inside their interval than before the fit",
            where,
            found=f"{100 * after:.1f} % of {int(aside.sum())} rows, {100 * before:.1f} % before",
            expected=f"a fall of {100 * MOST_LOSS:g} points at most",
        )
    ]


def _worse_score(record: FitRecord, aside: NDArray[np.bool_], where: Location) -> list[Problem]:
    before, after, families = log_scores(record, aside)
    if not families or before - after <= MOST_SCORE_LOSS:
        return []
    return [
        Problem(
            "worse-score",
            "the rows that were set aside are less likely than before the fit",
            where,
            found=f"a log score of {after:.3f} as a mean of {families} families, {before:.3f} before",
            expected=f"a fall of {MOST_SCORE_LOSS:g} at most",
        )
    ]


def log_scores(record: FitRecord, of: NDArray[np.bool_]) -> tuple[float, float, int]:
    """Return log scores before and after a fit, as means over families of the mean of their rows, and how many families.

    Before: around the prediction at the start. After: around the mean of the draws, with their spread. Both with the errors of the rows and
    what the model lacks as the fit has estimated it, which favours the fit: a loss is a loss.

    Parameters
    ----------
    of
        (n,) rows of the record; those without both predictions do not count.
    """
    columns = record.rows
    lacking = (columns["tau_family"], columns["tau_row"])
    usable = of & np.isfinite(columns["before"]) & np.isfinite(columns["mean"]) & (columns["se"] > 0.0)
    if not usable.any():
        return float("nan"), float("nan"), 0
    record_name, study, family, endpoint, unit, row_class, scale_name = (
        tuple(columns[name]) for name in ("record", "study", "family", "endpoint", "unit", "class", "scale")
    )
    fitted, observed, se, freedom_of_error = (columns[name] for name in ("fitted", "observed", "se", "freedom"))
    rows = FitRows(
        record_name, study, family, endpoint, unit, row_class, scale_name, fitted, observed, se, freedom_of_error
    )  # fmt: skip
    families, number = np.unique(columns["family"][usable].astype(str), return_inverse=True)
    means = []
    for centre, spread in ((columns["before"], None), (columns["mean"], columns["sd_parameters"])):
        scale, freedom = (part[usable] for part in predictive_deviation(rows, spread, lacking))
        scores = _log_density((columns["observed"] - centre)[usable], scale, freedom)
        means.append(float(np.mean(np.bincount(number, scores) / np.bincount(number))))
    return means[0], means[1], len(families)


def _log_density(
    miss: NDArray[np.float64], scale: NDArray[np.float64], freedom: NDArray[np.float64]
) -> NDArray[np.float64]:
    from scipy import stats

    return np.asarray(stats.t.logpdf(miss / scale, np.minimum(freedom, 1e9)) - np.log(scale), dtype=np.float64)


# -- installing ----------------------------------------------------------------------------------------------------------------


def install_fit(
    folder: str | Path,
    name: str,
    although: bool = False,
    verdicts: Mapping[str, str] | None = None,
    in_tables: bool = True,
    tables: FittedTables | None = None,
) -> Path:
    """Copy the record of a finished fit into the package, and its values into the tables; its evaluations stay where they are.

    All of it or nothing: what fails is taken back, and what was interrupted is finished by the next installation.

    Parameters
    ----------
    although
        Install it although there are reasons against it, which then stand in its ``fit.json``.
    verdicts
        Of claims under the fit, to be kept with it.
    in_tables
        Whether the parameter tables have, or are given, its central values; if not, its draws move the values that tables have.
    tables
        To be written with it, see `fitted_tables`.

    Raises
    ------
    ConfigError
        The folder holds no finished fit, the name is taken or is none, tables that could not be read, or there are reasons against it.
    StoreError
        Something cannot be written; then nothing is.
    """
    if name in finish_installations():
        return installed_fits.FITS / name
    record = read_fit_record(folder)
    problems = _unfit_name(name)
    reasons = reasons_against(record)
    if not although:
        problems += [_with_way_out(problem) for problem in reasons]
    if tables is not None:
        problems += check_tables(tables)
    if problems:
        raise ConfigError(problems)
    installed = list_fits()
    identity = {
        **record.identity,
        "name": name,
        "replaces": installed[-1] if installed else None,
        "in tables": in_tables,
        "model": named_model("reference").fingerprint,
        "installed although": [str(problem.message) for problem in reasons],
    }
    if tables is not None:
        identity["tables"] = digests_of_texts(tables)
    if verdicts is not None:
        identity["verdicts"] = dict(verdicts)
    with writing(installed_fits.FITS / name):
        ready = _prepared(record, name, identity, tables)
        try:
            _take_over(ready)
        except OSError:
            _take_back(ready)
            raise
    target = installed_fits.FITS / name
    assert (target / IDENTITY).is_file() and not (target / FOLDER).exists()
    return target


def finish_installations() -> list[str]:
    """Finish what was interrupted after it was prepared; return the names of the fits."""
    names = []
    for ready in sorted(installed_fits.FITS.glob(f"{_READY}*")):
        with writing(ready):
            _take_over(ready)
        names.append(ready.name.removeprefix(_READY))
    for half in installed_fits.FITS.glob(".installing-*"):
        shutil.rmtree(half, ignore_errors=True)
    return names


def interrupted_installations() -> list[str]:
    """Return the names of fits whose installation was interrupted: tables may have some of their values."""
    return [path.name.removeprefix(_READY) for path in sorted(installed_fits.FITS.glob(f"{_READY}*"))]


def _prepared(record: FitRecord, name: str, identity: Mapping[str, object], tables: FittedTables | None) -> Path:
    """Write all that is needed into one folder, and give it its name when it is complete."""
    making = installed_fits.FITS / f".installing-{secrets.token_hex(4)}"
    (making / "record").mkdir(parents=True)
    try:
        contents = {file: (record.folder / file).read_bytes() for file in record.identity["files"]}
        if tables is not None:
            contents[WRITTEN] = written_text(tables.changes).encode()
            for file, text in tables.texts.items():
                for kind, content in (("now", text.encode()), ("before", (tables.package / file).read_bytes())):
                    target = making / kind / file
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(content)
            (making / "package.json").write_text(json.dumps(str(tables.package)), encoding="utf-8")
        for file, content in contents.items():
            (making / "record" / file).write_bytes(content)
        write_identity(making / "record", identity, contents)
        problem_text = record.folder / "problem.yaml"
        if problem_text.is_file():
            shutil.copyfile(problem_text, making / "record" / "problem.yaml")
        return making.replace(installed_fits.FITS / f"{_READY}{name}")
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _take_over(ready: Path) -> None:
    """Write the tables of a prepared installation, then let its record be a fit; doing it twice does no harm."""
    _place_tables(ready, "now")
    if (ready / "record").is_dir():
        (ready / "record").replace(ready.with_name(ready.name.removeprefix(_READY)))
    shutil.rmtree(ready)


def _take_back(ready: Path) -> None:
    """Give tables their former content."""
    with contextlib.suppress(OSError):
        _place_tables(ready, "before")
    shutil.rmtree(ready, ignore_errors=True)


def _place_tables(ready: Path, kind: str) -> None:
    if not (ready / "package.json").is_file():
        return
    package = Path(json.loads((ready / "package.json").read_text(encoding="utf-8")))
    for path in sorted((ready / kind).rglob("*")):
        target = package / path.relative_to(ready / kind)
        if path.is_file() and target.read_bytes() != path.read_bytes():
            write_atomic(target, path.read_bytes())


def _unfit_name(name: str) -> list[Problem]:
    if not _NAME.fullmatch(name) or name == "none":
        message = f"{name!r} is no name of a fit"
        return [Problem("bad-name", message, expected="letters, digits, dots and hyphens, such as 2026.1; not 'none'")]
    if (installed_fits.FITS / name).exists():
        message = f"a fit {name} is installed already"
        hint = "An installed fit is never changed. Give the next number."
        return [Problem("name-taken", message, found=", ".join(list_fits()), hint=hint)]
    return []


def _with_way_out(problem: Problem) -> Problem:
    return replace(
        problem,
        hint="Install it nevertheless (argument although, option --although); fit.json will say why it was doubtful.",
    )
