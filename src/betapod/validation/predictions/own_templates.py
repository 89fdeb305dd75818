"""Templates of the tables that a user fills: evidence, arms, cohorts and events, with a comment for every column."""

from __future__ import annotations

from pathlib import Path

from ...base.errors import ConfigError, Location, Problem
from ...base.files import write_text

FOLDER = Path(__file__).with_name("templates")
#: File of each table, in the order in which they are filled.
TEMPLATES = ("evidence.csv", "arms.csv", "cohorts.yaml", "events.csv")


def write_templates(folder: str | Path, replace: bool = False) -> list[Path]:
    """Write the templates into a folder, which is made if there is none, and return their paths: all or none.

    Parameters
    ----------
    replace
        Whether files that are there may be replaced.

    Raises
    ------
    ConfigError
        A file is there already, or the folder cannot be made.

    Examples
    --------
    >>> import tempfile
    >>> from betapod.validation.predictions.own_templates import write_templates
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in write_templates(folder)]
    ['evidence.csv', 'arms.csv', 'cohorts.yaml', 'events.csv']
    """
    target = Path(folder)
    paths = [target / name for name in TEMPLATES]
    hint = "Name another folder, or have the files replaced (argument replace, option --force)."
    problems = [
        Problem("file-exists", "the file exists", Location(str(path)), hint=hint)
        for path in paths
        if path.exists() and not replace
    ]
    if problems:
        raise ConfigError(problems)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(Problem("no-folder", f"the folder cannot be made: {reason}", Location(str(target)))) from None
    for path in paths:
        write_text(path, (FOLDER / path.name).read_text(encoding="utf-8"))
    return paths
