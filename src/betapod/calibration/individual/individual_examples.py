"""Files to begin with: an invented fit that runs, with a comment for every line."""

from __future__ import annotations

from pathlib import Path

from ...base.errors import ConfigError, Location, Problem
from ...base.files import write_text

_FOLDER = Path(__file__).with_name("examples")
#: The problem file first.
FILES = ("decline.yaml", "decline-model.txt", "decline-model.csv", "decline-people.csv")


def write_individual_example(folder: str | Path) -> list[Path]:
    """Write an example of a fit of the kind ``individual`` into a folder, which is made where there is none.

    Returns
    -------
    list of Path
        The problem file, then the model's equations, its numbers and the table of measurements.

    Raises
    ------
    ConfigError
        A file of such a name exists: none is written.
    """
    targets = [Path(folder) / name for name in FILES]
    if problems := [
        Problem("file-exists", "the file exists", Location(str(path))) for path in targets if path.exists()
    ]:
        raise ConfigError(problems)
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"cannot make the folder: {(error.strerror or str(error)).lower()}"
        raise ConfigError(Problem("cannot-write", message, Location(str(folder)))) from None
    return [write_text(path, (_FOLDER / path.name).read_text(encoding="utf-8")) for path in targets]
