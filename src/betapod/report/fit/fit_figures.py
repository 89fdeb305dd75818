"""All pictures of a fit as files, each with its numbers beside it."""

from __future__ import annotations

from pathlib import Path

from ...base.errors import ConfigError, Problem
from ...base.exports import table_as_csv
from ..common.figures import save, styled
from . import fit_drawings as unknowns
from . import fit_row_drawings as rows
from .fit_contents import FitContents, read_fit_contents
from .fit_drawings import FitPicture
from .fit_squares import draw_observed_predicted

_SUFFIXES = (".pdf", ".png", ".svg")


def fit_pictures(contents: FitContents) -> list[FitPicture]:
    """Return every picture that the folder has something for, in reading order."""
    candidates = [
        *unknowns.draw_priors(contents),
        *rows.draw_families_before_after(contents),
        rows.draw_coverage(contents),
        rows.draw_discrepancy(contents),
        draw_observed_predicted(contents),
        unknowns.draw_spectrum(contents),
        unknowns.draw_profiles(contents),
        unknowns.draw_trace(contents),
    ]
    return [picture for picture in candidates if picture is not None]


def draw_fit_figures(folder: str | Path, path: str | Path) -> list[Path]:
    """Draw every picture of a fit and write the plotted numbers beside it; returns the files.

    Parameters
    ----------
    folder
        A fit folder.
    path
        With ``.pdf`` all pictures are in it, a page each; with ``.png`` or ``.svg`` the first is, and the others stand beside it with
        their names. The numbers of picture NAME are in ``STEM-NAME.plot.csv``.

    Raises
    ------
    ConfigError
        The folder is no fit folder, the suffix is another, or a file cannot be written; nothing is written then.
    MissingExtraError
        matplotlib is not installed.

    Examples
    --------
    >>> from betapod.report.fit.fit_figures import draw_fit_figures
    >>> draw_fit_figures("fits/run1", "pictures.docx")
    Traceback (most recent call last):
        ...
    betapod.base.errors.ConfigError: unknown-format: cannot draw .docx
        expected .pdf, .png or .svg
    """
    from ...base.files import data_beside, replacing, unfit, write_text

    path = Path(path)
    if path.suffix.lower() not in _SUFFIXES:
        raise ConfigError(
            Problem(
                "unknown-format",
                f"cannot draw {path.suffix or 'a file without a suffix'}",
                expected=".pdf, .png or .svg",
            )
        )
    pictures = fit_pictures(read_fit_contents(folder))
    named = [path.with_stem(f"{path.stem}-{picture.name}") for picture in pictures]
    book = path.suffix.lower() == ".pdf"
    targets = [path] if book else [path, *named[1:]]
    numbers = [data_beside(name) for name in named]
    if problems := [problem for file in (*targets, *numbers) for problem in unfit(file)]:
        raise ConfigError(problems)
    if book:
        from matplotlib.backends.backend_pdf import PdfPages

        with replacing(path) as temporary, styled(), PdfPages(temporary, metadata={"CreationDate": None}) as pages:
            for picture in pictures:
                pages.savefig(picture.figure())
    else:
        for picture, target in zip(pictures, targets, strict=True):
            save(picture.figure(), target, alt=picture.alt)
    for picture, file in zip(pictures, numbers, strict=True):
        write_text(file, table_as_csv(picture.data, float_format="%.8g"))
    return [*targets, *numbers]
