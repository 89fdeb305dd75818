"""Install a fit: its record becomes data of the package, under a name, if what was set aside speaks for it."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from ..base.atomic import writing
from ..base.errors import ConfigError, Location, Problem
from ..physiology import installed_fits
from ..physiology.installed_fits import IDENTITY, FitRecord, list_fits, read_fit_record
from .evaluations import FOLDER
from .fit_folder import write_identity

#: Fewest draws of equal weight that the posterior of an installed fit is worth.
LEAST_DRAWS = 16.0
#: Most by which the share of rows that were set aside and lie inside their interval may fall.
MOST_LOSS = 0.03
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")


def reasons_against(record: FitRecord) -> list[Problem]:
    """Return what speaks against installing a fit."""
    where = Location(str(record.folder))
    problems = []
    aside = ~record.rows["fitted"]
    if not aside.any():
        problems.append(Problem("nothing-set-aside", "no row was set aside, so that nothing checks the fit", where))
    else:
        before, after = (float(record.rows[f"inside_{when}"][aside].mean()) for when in ("before", "after"))
        if before - after > MOST_LOSS:
            problems.append(
                Problem(
                    "worse-validation",
                    "fewer of the rows that were set aside lie inside their interval than before the fit",
                    where,
                    found=f"{100 * after:.1f} % of {int(aside.sum())} rows, {100 * before:.1f} % before",
                    expected=f"a fall of {100 * MOST_LOSS:g} points at most",
                )
            )
    effective = float(record.identity.get("effective draws", record.effective_draws))
    if effective < LEAST_DRAWS:
        message = "the draws of the posterior are worth too few of equal weight"
        problems.append(Problem("few-draws", message, where, f"{effective:.1f}", f"{LEAST_DRAWS:g} or more"))
    bound = [unknown.name for unknown in record.unknowns if unknown.at_bound]
    if bound:
        message = "unknowns ended where the fit may not go further"
        problems.append(Problem("at-bound", message, where, ", ".join(bound), "none"))
    return problems


def install_fit(
    folder: str | Path,
    name: str,
    although: bool = False,
    verdicts: Mapping[str, str] | None = None,
    in_tables: bool = True,
) -> Path:
    """Copy the record of a finished fit into the package; its evaluations stay where they are.

    Parameters
    ----------
    although
        Install it although there are reasons against it, which then stand in its ``fit.json``.
    verdicts
        Of claims under the fit, to be kept with it.
    in_tables
        Whether the parameter tables have, or are given, its most probable values; if not, its draws move the values that tables have.

    Raises
    ------
    ConfigError
        The folder holds no finished fit, the name is taken or is none, or there are reasons against it.
    """
    record = read_fit_record(folder)
    problems = _unfit_name(name)
    reasons = reasons_against(record)
    if not although:
        problems += [_with_way_out(problem) for problem in reasons]
    if problems:
        raise ConfigError(problems)
    installed = list_fits()
    identity = {
        **record.identity,
        "name": name,
        "replaces": installed[-1] if installed else None,
        "in tables": in_tables,
        "installed although": [str(problem.message) for problem in reasons],
    }
    if verdicts is not None:
        identity["verdicts"] = dict(verdicts)
    target = installed_fits.FITS / name
    temporary = installed_fits.FITS / f".installing-{secrets.token_hex(4)}"
    with writing(target):
        temporary.mkdir(parents=True)
        try:
            contents = {file: (record.folder / file).read_bytes() for file in record.identity["files"]}
            for file, content in contents.items():
                (temporary / file).write_bytes(content)
            write_identity(temporary, identity, contents)
            problem_text = record.folder / "problem.yaml"
            if problem_text.is_file():
                shutil.copyfile(problem_text, temporary / "problem.yaml")
            temporary.replace(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    assert (target / IDENTITY).is_file() and not (target / FOLDER).exists()
    return target


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
    from dataclasses import replace

    return replace(
        problem,
        hint="Install it nevertheless (argument although, option --although); fit.json will say why it was doubtful.",
    )
