"""Tables on a terminal: no word is broken, no column lost unsaid; where the terminal is too narrow each row becomes a card."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console

#: Columns whose cells stand in one line whatever the width: names, numbers and units.
_WHOLE = ("id", "name", "value", "unit", "range", "state", "course")
#: Blanks between two columns, and the width below which a column of words is no pleasure to read.
_GAP, _COMFORT = 2, 18
#: Cells without a value; numbers and ranges of numbers; the same with a unit after a blank that does not break.
_NONE = ("", "-", "–")
_ONE = r"[-+−±~<>≤≥]?[\d.,]+(?:e[-+]?\d+)?(?:\s?%)?"
_NUMBER = re.compile(rf"{_ONE}(?: to {_ONE})?$")
_WITH_UNIT = re.compile(rf"(?P<number>{_ONE}(?: to {_ONE})?)\u00a0(?P<unit>.+)")


@dataclass(frozen=True)
class TerminalTable:
    """What a table shows.

    Attributes
    ----------
    columns, rows
        Heads and cells.
    right
        Heads of columns that are aligned to the right; columns that hold nothing but numbers are, too.
    spare
        Heads of columns that a narrow terminal leaves out, the first of them first; a line below the table names them.
    groups
        For each row the line that stands above it and its neighbours with the same line; empty without groups.
    varying
        Heads of columns that stay in their place even if all rows agree.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: Sequence[str] = ()
    spare: Sequence[str] = ()
    groups: Sequence[str] = ()
    varying: Sequence[str] = ()

    def without(self, places: set[int]) -> TerminalTable:
        """Return the table without the columns at these places."""
        kept = [k for k in range(len(self.columns)) if k not in places]
        return TerminalTable(
            [self.columns[k] for k in kept],
            [[row[k] for k in kept] for row in self.rows],
            self.right,
            self.spare,
            self.groups,
            self.varying,
        )

    def numeric(self, column: int) -> bool:
        """Return whether a column holds numbers, which are aligned to the right."""
        cells = [row[column] for row in self.rows if row[column] not in _NONE]
        return self.columns[column] in self.right or (bool(cells) and all(map(_NUMBER.match, cells)))

    def constants(self) -> dict[int, str]:
        """Return what is the same in three rows or more, by place; numbers stand in their column all the same."""
        if len(self.rows) < 3:
            return {}
        places = [k for k, name in enumerate(self.columns) if k and name not in self.varying]
        cells = {k: {row[k] for row in self.rows} for k in places}
        return {
            k: next(iter(values))
            for k, values in cells.items()
            if len(values) == 1 and (values == {""} or not self.numeric(k))
        }


def widths(table: TerminalTable, total: int, comfort: int = 0, parts: bool = False) -> list[int] | None:
    """Return the width of each column such that no word is broken; None where `total` is too narrow for that.

    Parameters
    ----------
    comfort
        Columns of words are at least so wide, unless they need less.
    parts
        Whether words of several parts, such as ids with underscores, may be broken between these.
    """
    natural, least, volume = [], [], []
    for k, name in enumerate(table.columns):
        cells = [row[k] for row in table.rows]
        lengths = [cell_len(line) for cell in cells for line in cell.splitlines()]
        body = max(lengths, default=0)
        natural.append(max(body, cell_len(name)))
        volume.append(float(sum(length**3 for length in lengths)))
        head = max((cell_len(word) for word in _words(name)), default=0)
        if table.numeric(k) or (name in _WHOLE and not parts):
            # The head of numbers may take several lines, the numbers may not.
            least.append(max(1, body, head))
        else:
            words = {word for cell in cells for word in _words(cell)}
            pieces = (piece for word in words for piece in (_pieces(word) if parts else [word]))
            least.append(max([1, head, min(natural[-1], comfort), *map(cell_len, pieces)]))
    if sum(least) > (room := total - _GAP * (len(least) - 1)):
        return None
    # What is left goes where it saves most lines: many long cells weigh more than one.
    for _ in range(room - sum(least)):
        gains = [
            volume[k] * (width**-3 - (width + 1) ** -3) + (natural[k] - width) * 1e-9 if width < natural[k] else -1.0
            for k, width in enumerate(least)
        ]
        if max(gains, default=-1.0) < 0:
            break
        least[gains.index(max(gains))] += 1
    return least


def _words(text: str) -> list[str]:
    """Return what blanks separate; a blank that does not break joins a number and its unit."""
    return [word for word in re.split(r"[ \n]+", text) if word]


def _pieces(word: str) -> list[str]:
    """Return the parts of a word of several, each with the mark that ends it."""
    return (
        [piece for piece in re.split(r"(?<=[_/;:|+\u2010-])(?=[^\W\d])", word) if piece] if len(word) > 12 else [word]
    )


def wrap_cells(text: str, width: int, hanging: int = 0) -> list[str]:
    """Return lines of at most `width` cells, broken between words; only a word that is longer than a line is broken.

    Parameters
    ----------
    hanging
        Blanks before every line but the first.
    """
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        line = paragraph[: len(paragraph) - len(paragraph.lstrip())]
        for blank, word in re.findall(r"( *)([^ ]+)", paragraph.lstrip()):
            fits = cell_len(word) <= width - hanging
            for number, piece in enumerate([word] if fits else _pieces(word)):
                gap = blank if number == 0 else ""
                if line.strip() and cell_len(line + gap + piece) > width:
                    lines.append(line)
                    line, gap = " " * hanging, ""
                line += gap + piece
                while cell_len(line) > max(width, hanging + 1):
                    cut = next(k for k in range(len(line), 0, -1) if cell_len(line[:k]) <= width or k == hanging + 1)
                    lines.append(line[:cut])
                    line = " " * hanging + line[cut:]
        lines.append(line)
    return lines


def layout(table: TerminalTable, total: int) -> tuple[TerminalTable, list[int] | None, list[str]]:
    """Return the table as it fits a width, the widths of its columns (None for cards), and the heads that were left out."""
    if (column_widths := widths(table, total, _COMFORT)) is not None:
        return table, column_widths, []
    out: list[str] = []
    fitting = table
    for name in (name for name in table.spare if name in table.columns):
        out.append(name)
        fitting = fitting.without({list(fitting.columns).index(name)})
        if (column_widths := widths(fitting, total, _COMFORT)) is not None:
            return fitting, column_widths, out
    for parts in (False, True):
        for candidate, lost in ((table, list[str]()), (fitting, out)):
            if (column_widths := widths(candidate, total, parts=parts)) is not None:
                return candidate, column_widths, lost
    return table, None, []


def print_terminal_table(console: Console, table: TerminalTable, wide: bool | None = None) -> None:
    """Print a table, or cards where the console is too narrow for it.

    Parameters
    ----------
    wide
        Print every column, however long lines become; None where the verb has no option for it.
    """
    if not table.columns:
        return
    same = table.constants()
    for text in _said_once(table, same):
        _print(console, wrap_cells(text, console.width, 2), "dim")
    total = 10_000 if wide else console.width
    fitting, column_widths, lost = layout(table.without(set(same)), total)
    if column_widths is None:
        _cards(console, fitting)
        return
    numeric = [fitting.numeric(k) for k in range(len(column_widths))]
    heads = [wrap_cells(name, width) for name, width in zip(fitting.columns, column_widths, strict=True)]
    deep = max(map(len, heads))
    _print(console, _lines([[""] * (deep - len(head)) + head for head in heads], column_widths, numeric), "bold")
    _print(console, ["─" * min(total, sum(column_widths) + _GAP * (len(column_widths) - 1))], "")
    for row, heading in _with_headings(fitting):
        if heading is not None:
            _print(console, wrap_cells(heading, total, 4), "bold")
        cells = [wrap_cells(cell, width) for cell, width in zip(row, column_widths, strict=True)]
        _print(console, _lines(cells, column_widths, numeric), "")
    if lost:
        how = "a wider terminal shows them" if wide is None else "--wide shows them, --csv FILE writes them"
        text = f"left out at this width: {', '.join(lost)}; {how}"
        _print(console, wrap_cells(text, console.width, 2), "dim")


def fields(console: Console, lines: Sequence[tuple[str, str]], indent: int = 2) -> None:
    """Print names and what they hold, the texts below each other; what has no text is left out."""
    with_text = [(name, text) for name, text in lines if text]
    beside = indent + 2 + max((cell_len(name) for name, _ in with_text), default=0)
    for name, text in with_text:
        first, *rest = wrap_cells(text, max(console.width - beside, 20))
        label = " " * indent + name
        # Control characters are spelt by the console.
        console.print(Text.assemble((label.ljust(beside), "dim"), first), soft_wrap=True)
        for line in rest:
            console.print(Text(" " * beside + line), soft_wrap=True)


def rounded(value: float, form: str) -> str:
    """Return a number in a format; what rounds to nothing has no sign."""
    text = f"{value:{form}}"
    return text.replace("-", "", 1) if text.startswith("-") and float(text) == 0 else text


def without_unit(rows: Sequence[Sequence[str]]) -> tuple[str, list[list[str]]]:
    """Return the unit, other than %, of all cells that have one, and the rows without it; nothing and the rows where several have."""
    matches = [[_WITH_UNIT.fullmatch(cell) for cell in row] for row in rows]
    units = {match["unit"] for row in matches for match in row if match and match["unit"] != "%"}
    if len(units) != 1:
        return "", [list(row) for row in rows]
    unit = units.pop()
    return unit, [
        [
            match["number"] if match and match["unit"] == unit else cell
            for cell, match in zip(row, row_matches, strict=True)
        ]
        for row, row_matches in zip(rows, matches, strict=True)
    ]


def _said_once(table: TerminalTable, same: dict[int, str]) -> Iterator[str]:
    """Say what is the same in every row, and which columns hold nothing."""
    said = [f"{table.columns[k]} {text}" for k, text in same.items() if text]
    bare = [table.columns[k] for k, text in same.items() if not text]
    if said:
        yield f"all rows: {'; '.join(said)}"
    if bare:
        yield f"no row has: {', '.join(bare)}"


def _with_headings(table: TerminalTable) -> Iterator[tuple[Sequence[str], str | None]]:
    """Give each row, and the heading that stands above it."""
    before: str | None = None
    for k, row in enumerate(table.rows):
        heading = table.groups[k] if table.groups else None
        yield row, heading if heading != before else None
        before = heading


def _lines(cells: Sequence[list[str]], column_widths: Sequence[int], numeric: Sequence[bool]) -> list[str]:
    """Return the lines of one row, whose cells take several."""
    lines = []
    for k in range(max(map(len, cells))):
        parts = []
        for cell, width, right in zip(cells, column_widths, numeric, strict=True):
            text = cell[k] if k < len(cell) else ""
            blank = " " * (width - cell_len(text))
            parts.append(blank + text if right else text + blank)
        lines.append((" " * _GAP).join(parts).rstrip())
    return lines


def _cards(console: Console, table: TerminalTable) -> None:
    """Print each row as lines of name and value."""
    for row, heading in _with_headings(table):
        if heading is not None:
            _print(console, wrap_cells(heading, console.width, 4), "bold")
        _print(console, wrap_cells(row[0], console.width, 2), "" if table.groups else "bold")
        for name, cell in zip(table.columns[1:], row[1:], strict=True):
            if cell:
                _print(console, wrap_cells(f"  {name}: {cell}", console.width, 4), "")


def _print(console: Console, lines: Sequence[str], style: str) -> None:
    for line in lines:
        console.print(Text(line, style=style), soft_wrap=True)
