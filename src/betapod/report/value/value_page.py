"""The report of a comparison: one HTML page that needs nothing else, its tables as CSV, and a workbook where it is asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..common import words
from ..common.document import Page, Section, render_page
from ..common.drawing import Drawing, slug
from . import run_settings as run
from .every_table import as_frame, every_table
from .value_brief import main_facts, main_message, value_questions
from .value_sections import value_sections

if TYPE_CHECKING:
    from ...value.value_result import ValueResult

VALUE_WARNING = (
    "This is a simulation: it shows what follows from the assumptions of a model. It is no evidence that a treatment works or is worth "
    "its money, and no medical device."
)


def value_page(result: ValueResult, provenance: Mapping[str, str]) -> Page:
    """Return the page of a comparison."""
    body = value_sections(result)
    wanted = "prices" if run.with_cells(result) else f"plane-{slug(result.structures[0])}" if result.costs else "gains"
    picture, body = _taken_out(body, wanted)
    count = run.number_of_people(result)
    parts = [
        f"{words.counted(len(result.strategies), 'strategy', 'strategies')} over {run.horizon_words(result)}",
        *([words.counted(count, "person", "people")] if count else []),
        words.counted(result.draws, "draw"),
        words.listed([run.structure_label(name) for name in result.structures]),
    ]
    return Page(
        str(run.setting(result, "title") or f"{words.listed(result.strategies)} compared"),
        ", ".join(parts),
        VALUE_WARNING,
        main_message(result),
        main_facts(result),
        picture,
        value_questions(result),
        body,
        tuple(provenance.items()),
    )


def _taken_out(sections: Sequence[Section], name: str) -> tuple[Drawing | None, list[Section]]:
    """Return the figure of a name, and the sections without it."""
    figures = {figure.name: figure for section in sections for figure in section.figures}
    left = [dataclasses.replace(s, figures=[f for f in s.figures if f.name != name]) for s in sections]
    return figures.get(name), left


def write_value_report(
    result: ValueResult, folder: str | Path, provenance: Mapping[str, str] | None = None, excel: bool = False
) -> list[Path]:
    """Write the page, every table as CSV and, if asked for, the workbook; returns the files, the page first.

    Parameters
    ----------
    provenance
        Name and value of what made the run; by default what `value_provenance` says.
    excel
        Write ``value.xlsx`` too, which needs the extra ``excel``.

    Raises
    ------
    ConfigError
        The folder cannot be made or written to.
    MissingExtraError
        matplotlib or openpyxl is not installed; nothing is written then.
    """
    from ...base.errors import ConfigError, Location, Problem
    from ...base.exports import table_as_csv
    from ...base.files import write_text
    from .workbook import workbook_content, write_workbook

    target = Path(folder)
    # What may fail is made first, so that nothing stands half-written.
    html = render_page(value_page(result, value_provenance(result) if provenance is None else provenance))
    tables = every_table(result)
    if excel:
        workbook_content("", tables[:1])
    data = target / "data"
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(Problem("cannot-write", f"cannot make the folder: {reason}", Location(str(target)))) from None
    written = [write_text(target / "report.html", html)]
    for table in tables:
        text = table_as_csv(as_frame(table), float_format="%.8g")
        written.append(write_text(data / f"{slug(table.key)}.csv", text))
    if excel:
        written.append(write_workbook(result, target / "value.xlsx"))
    return written


def value_provenance(result: ValueResult, command: Sequence[str] = ()) -> dict[str, str]:
    """Return what made a comparison: versions, fingerprint, seed, settings, command line."""
    import json
    import platform
    import shlex

    from ... import __version__
    from ...physiology import whole_body

    model = whole_body.named_model("reference")
    facts = {
        "betapod": f"{__version__} (Python {platform.python_version()}, {platform.system()} {platform.machine()})",
        "model": f"reference, {len(model.states)} states, fingerprint {model.fingerprint[:16]}",
        "run": json.dumps(dict(result.run), ensure_ascii=False, default=str),
    }
    if command:
        facts["command"] = shlex.join(["betapod", *command])
    return facts
