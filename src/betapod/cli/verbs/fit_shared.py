"""What the verbs of fits share: their arguments, problems, finished fits, lines that tell how far a fit is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...base.errors import ConfigError, Location, Problem
from ..shared import print_note
from ..waiting import show_progress

if TYPE_CHECKING:
    from ...calibration.stage_fit import FitOptions
    from ...calibration.staged_problem import StagedProblem
    from ...physiology.installed_fits import FitRecord

ProblemArgument = Annotated[Path, typer.Argument(metavar="PROBLEM", help="Problem of a fit (YAML).")]
FolderArgument = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of a fit.")]
FitArgument = Annotated[
    str, typer.Argument(metavar="FIT", help="Folder of a finished fit, or name of an installed one.")
]


def problem_at(path: Path) -> StagedProblem:
    """Read the problem of a fit."""
    from ...calibration.fit_problem import FitProblem

    return FitProblem.read(path)


def problem_of_folder(folder: Path) -> tuple[StagedProblem, FitOptions]:
    """Return the problem and the options of the fit in a folder: its file where it still says the same, else the copy in the folder."""
    from ...calibration.fit_folder import PROBLEM, fit_manifest
    from ...calibration.stage_fit import FitOptions

    manifest = fit_manifest(folder)
    identity = manifest["identity"]
    names = ("draws", "iterations", "step", "seed")
    missing = [name for name in ("problem", *names) if name not in identity]
    if missing:
        message = "the manifest of the fit is not complete"
        raise ConfigError(
            Problem("damaged-fit", message, Location(str(folder / "manifest.json")), "no " + ", ".join(missing))
        )
    options = FitOptions(**{name: identity[name] for name in names})
    original = Path(str(manifest.get("problem_file", "")))
    same = original.is_file() and original.read_text(encoding="utf-8", errors="replace") == identity["problem"]
    return problem_at(original if same else folder / PROBLEM), options


def record_at(text: str) -> FitRecord:
    """Return a finished fit by its folder, or an installed one by its name."""
    from ...physiology.installed_fits import list_fits, load_fit, read_fit_record
    from ...trials.conduct.replicate_parameters import NO_FIT

    path = Path(text)
    if text == NO_FIT and not path.exists() and (fits := list_fits()):
        message = "the values before any fit have no record of their own"
        hint = f"'betapod fit show {fits[0]}' has them beside what was found: its column 'start', and 'before' of its rows."
        raise ConfigError(Problem("unknown-fit", message, found=text, expected=", ".join(fits), hint=hint))
    if path.exists() and not path.is_dir():
        message = "this is a file"
        raise ConfigError(Problem("not-a-folder", message, Location(text), expected="the folder of a finished fit"))
    if path.is_dir() or text not in list_fits():
        if not path.exists() and "/" not in text:
            return load_fit(text)
        return read_fit_record(path)
    return load_fit(text)


@contextmanager
def telling(quiet: bool) -> Iterator[Callable[[str], None] | None]:
    """Yield what prints a line for each step of a fit to stderr, above a moving line that says what is being done."""
    with show_progress(quiet) as progress:
        if progress is None:
            yield None
            return

        def tell(text: str) -> None:
            progress(text, 0, 0)
            print_note(text)

        yield tell


def is_individual_fit(path: Path | str) -> bool:
    """Return whether a file is the problem of a fit of people, or a folder holds one."""
    from ...calibration.individual.individual_folder import is_individual

    return is_individual(Path(path))


def refuse_individual(path: Path | str, verb: str, instead: str) -> None:
    """Refuse a fit of people, or its problem, where only fits of published rows have a place."""
    if is_individual_fit(path):
        message = f"fits of people cannot be {verb}"
        raise ConfigError(Problem("fit-of-people", message, Location(str(path)), hint=instead))


def refuse_with_individuals(options: dict[str, bool], hint: str = "Its tables are in its folder as CSV.") -> None:
    """Refuse options that fits of people do not have."""
    wrong = [name for name, is_there in options.items() if is_there]
    if wrong:
        message = f"a fit of people has no {' and no '.join(wrong)}"
        raise ConfigError(Problem("useless-option", message, hint=hint))
