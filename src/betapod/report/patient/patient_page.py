"""The answer for one person as one HTML file that needs nothing else, and as a PDF: both frozen, no server, no script."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..common.document import Table, tidy
from ..common.drawing import inline
from ..common.figures import drawable, new_figure, styled
from ..common.pages import template
from .patient_contents import PATIENT_WARNING, PatientContents, patient_contents
from .patient_picture import patient_figure, picture_words

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.figure import Figure

    from ...twins.patient_forecast import PatientForecast

TEMPLATE = "patient.html.jinja"
_TITLE = "One person: what people like them come to"
#: A4 in inches, the margin, letters of a line and inches of a line of text.
_PAPER, _MARGIN, _LETTERS, _LINE = (8.27, 11.69), 0.75, 104, 0.19
#: Share of the letters of a line that fit in bold; size of letters and inches of a line in tables.
_BOLD, _SMALL, _ROW = 0.86, 7.5, 0.135


def render_patient_page(
    forecast: PatientForecast, trust: str = "", provenance: Mapping[str, str] | None = None, live: Markup | str = ""
) -> str:
    """Return the page.

    Parameters
    ----------
    trust
        A sentence on how far published numbers bear the model out.
    provenance
        Name and value of what made it; by default versions and fingerprint.
    live
        HTML that stands before the numbers, such as a part in which options can be changed; it reads them from the element ``person-data`` of the
        page, JSON as of `PatientForecast.document`. Nothing by default. Text is escaped, `Markup` is not.
    """
    contents = patient_contents(forecast, trust)
    with styled():
        picture = inline(patient_figure(forecast), "patient", picture_words(forecast))
    return template(TEMPLATE, tidy=tidy).render(
        title=_TITLE,
        warning=PATIENT_WARNING,
        contents=contents,
        picture=picture,
        live=live,
        data=_plain(forecast.document()),
        provenance=list((patient_provenance() if provenance is None else provenance).items()),
    )


def patient_provenance(command: Sequence[str] = ()) -> dict[str, str]:
    """Return what made the page: versions, fingerprint of the model, the command."""
    import platform
    import shlex

    from ... import __version__
    from ...physiology import whole_body

    model = whole_body.named_model("reference")
    facts = {
        "betapod": f"{__version__} (Python {platform.python_version()}, {platform.system()} {platform.machine()})",
        "model": f"reference, {len(model.states)} states, fingerprint {model.fingerprint[:16]}",
    }
    return facts | ({"command": shlex.join(["betapod", *command])} if command else {})


def _plain(value: Any) -> Any:
    """Return values as JSON holds them: numbers that are none become null, keys are text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


# -- on paper --------------------------------------------------------------------------------------------------------


def write_patient_pdf(
    forecast: PatientForecast, path: str | Path, trust: str = "", provenance: Mapping[str, str] | None = None
) -> Path:
    """Write the same as a PDF of A4 pages; the same numbers give the same file.

    Raises
    ------
    ConfigError
        The file cannot be written.
    MissingExtraError
        matplotlib is not installed.
    """
    from ...base.files import replacing

    contents = patient_contents(forecast, trust)
    facts = patient_provenance() if provenance is None else provenance
    with styled():
        from matplotlib.backends.backend_pdf import PdfPages

        pages = [_first_page(forecast, contents), *_other_pages(contents, facts)]
        metadata = {"Title": _TITLE, "CreationDate": None, "ModDate": None}
        with replacing(path) as temporary, PdfPages(temporary, metadata=metadata) as book:
            for page in pages:
                book.savefig(page)
    return Path(path)


class _Sheet:
    """A page that is filled from above."""

    def __init__(self) -> None:
        self.figure: Figure = new_figure(*_PAPER)
        self.figure.set_layout_engine("none")
        self.left = _PAPER[1] - _MARGIN
        self.figure.text(
            _MARGIN / _PAPER[0], 0.4 / _PAPER[1], drawable(PATIENT_WARNING), fontsize=6.5, color="#4b5563", va="bottom"
        )

    def write(self, text: str, size: float = 9.0, weight: str = "normal", hanging: str = "") -> None:
        """Write a paragraph and go down."""
        letters = int(_LETTERS * 9.0 / size * (_BOLD if weight == "bold" else 1.0))
        for line in textwrap.wrap(tidy(text), letters, subsequent_indent=hanging) or [""]:
            self.left -= _LINE * size / 9.0
            self._line(line, _MARGIN, self.left + 0.04, size, weight)
        self.left -= 0.05

    def _line(self, text: str, left: float, up: float, size: float, weight: str = "normal") -> None:
        """Write one line; inches from the left and from the bottom to its foot."""
        self.figure.text(left / _PAPER[0], up / _PAPER[1], drawable(text), fontsize=size, fontweight=weight)

    def table(self, table: Table) -> None:
        """Write a table, cells broken where there is no room."""
        self.write(table.caption, 9.0, "bold")
        widths = _widths(table)
        for number, row in enumerate(_broken(table, widths)):
            left = _MARGIN
            for lines, width in zip(row, widths, strict=True):
                for depth, line in enumerate(lines):
                    up = self.left - _ROW * (depth + 0.8)
                    self._line(line, left, up, _SMALL, "normal" if number else "bold")
                left += width * (_PAPER[0] - 2 * _MARGIN) / sum(widths)
            self.left -= 0.05 + _ROW * max(map(len, row))
        self.left -= 0.15

    def holds(self, table: Table) -> bool:
        """Whether a table still fits on the page."""
        rows = _broken(table, _widths(table))
        return self.left - 0.6 - sum(0.05 + _ROW * max(map(len, row)) for row in rows) > _MARGIN


def _widths(table: Table) -> list[int]:
    """Return letters of each column, a gap of two among them, that together fill a line."""
    room = int(_LETTERS * 9.0 / _SMALL * _BOLD)
    wanted = [max(len(row[i]) for row in (table.header, *table.rows)) + 2 for i in range(len(table.header))]
    while sum(wanted) > room:
        widest = max(range(len(wanted)), key=wanted.__getitem__)
        wanted[widest] -= 1
    return [max(width, 6) for width in wanted]


def _broken(table: Table, widths: Sequence[int]) -> list[list[list[str]]]:
    """Return the lines of every cell, the header first; bold letters are wider."""
    return [
        [
            textwrap.wrap(tidy(cell), int((width - 2) * (1.0 if number else _BOLD))) or [""]
            for cell, width in zip(row, widths, strict=True)
        ]
        for number, row in enumerate((table.header, *table.rows))
    ]


def _first_page(forecast: PatientForecast, contents: PatientContents) -> Figure:
    sheet = _Sheet()
    sheet.write(_TITLE, 15.0, "bold")
    sheet.write(contents.stage, 11.0, "bold")
    sheet.write(PATIENT_WARNING, 8.0)
    sheet.write("; ".join(f"{name} {value}" for name, value in contents.person))
    for text in contents.cautions:
        sheet.write(f"Contradiction: {text}", 9.0, "bold")
    for number, text in enumerate(contents.sentences, 1):
        sheet.write(f"{number}. {text}", hanging="    ")
    _place_picture(sheet, forecast)
    return sheet.figure


def _place_picture(sheet: _Sheet, forecast: PatientForecast) -> None:
    """Draw the picture into what is left of the page, as an image of many dots."""
    import io

    from matplotlib import image

    wide = _PAPER[0] - 2 * _MARGIN
    drawn, buffer = patient_figure(forecast, wide, side_by_side=True), io.BytesIO()
    drawn.savefig(buffer, format="png", dpi=220)
    buffer.seek(0)
    height = min(float(drawn.get_size_inches()[1]), sheet.left - _MARGIN)
    axes = sheet.figure.add_axes(
        (_MARGIN / _PAPER[0], (sheet.left - height) / _PAPER[1], wide / _PAPER[0], height / _PAPER[1])
    )
    axes.imshow(image.imread(buffer), interpolation="antialiased")
    axes.axis("off")


def _other_pages(contents: PatientContents, facts: Mapping[str, str]) -> list[Figure]:
    sheets = [_Sheet()]
    for table in (contents.options, contents.equations, contents.likeness):
        if not sheets[-1].holds(table):
            sheets.append(_Sheet())
        sheets[-1].table(table)
    texts = [contents.trust, *contents.notes, *(f"{name}: {value}" for name, value in facts.items())]
    for text in filter(None, texts):
        if sheets[-1].left < _MARGIN + 0.8:
            sheets.append(_Sheet())
        sheets[-1].write(text, 8.0)
    return [sheet.figure for sheet in sheets]
