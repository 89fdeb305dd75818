"""Write the results of a SED-ML file into a folder: reports as CSV, plots as pictures with their numbers."""

from __future__ import annotations

import re
from pathlib import Path

from ..base.arguments import path as path_of
from ..base.errors import ConfigError, Location, MissingExtraError, Problem, not_among
from ..base.exports import table_as_csv
from ..base.files import write_text
from ..exchange.sedml.run_sedml import SedmlResults

#: What a picture may be.
PICTURES = ("png", "svg", "none")


def write_sedml_results(results: SedmlResults, folder: str | Path, pictures: str = "png") -> list[Path]:
    """Write reports and plots into a folder, which is made if it is not there.

    Parameters
    ----------
    results
        Of ``run_sedml``.
    folder
        Where they go.
    pictures
        ``png``, ``svg``, or ``none`` for the numbers alone.

    Returns
    -------
    list
        The files: a CSV for each report; a picture and its numbers (``NAME.plot.csv``) for each plot.

    Raises
    ------
    ConfigError
        Another kind of picture; a folder that cannot be written to.

    Examples
    --------
    >>> import betapod, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> model = betapod.load_model("topp2000")
    >>> archive = betapod.write_archive(model, f"{folder}/rest.omex", [0, 1], outputs=["glucose"])
    >>> [path.name for path in betapod.write_sedml_results(betapod.run_sedml(archive), folder, "none")]
    ['report.csv', 'plot.plot.csv']
    """
    if pictures not in PICTURES:
        message = f"there are no pictures of the kind {pictures!r}"
        raise ConfigError(not_among(PICTURES, "unknown-format", message, pictures))
    target = path_of("folder", folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"the folder cannot be made: {error.strerror}"
        raise ConfigError(Problem("bad-folder", message, Location(str(target)))) from None
    written = []
    for name, table in results.reports.items():
        text = table_as_csv(table, float_format="%.12g")
        written.append(write_text(target / f"{_safe(name)}.csv", text))
    for name in results.plots:
        written += _write_plot(results, name, target, pictures)
    return written


def _write_plot(results: SedmlResults, name: str, folder: Path, pictures: str) -> list[Path]:
    from ..report.common.figures import save
    from .sedml_pictures import sedml_figure, sedml_points

    data = results.plots[name]
    points = sedml_points(data)
    if pictures != "none":
        try:
            about = f"{data.plot.label}: {', '.join(curve.label for curve in data.curves[:5])}."
            return save(sedml_figure(data), folder / f"{_safe(name)}.{pictures}", points, about)
        except MissingExtraError:
            pass  # the numbers are written all the same
    return [write_text(folder / f"{_safe(name)}.plot.csv", table_as_csv(points, float_format="%.12g"))]


def _safe(name: str) -> str:
    """Return a name as that of a file in the folder."""
    return re.sub(r"\W", "_", name)[:100] or "output"
