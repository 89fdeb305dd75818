"""Tables on a terminal: no word is broken and no column lost; where the terminal is too narrow each row becomes a card."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

#: Columns whose cells stand in one line whatever the width: names, numbers and units.
_WHOLE = ("id", "name", "value", "unit", "range", "state", "course")
#: Blanks between two columns, and letters of a word beyond which it may be broken.
_GAP, _LONGEST = 3, 32


def widths(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str], total: int) -> list[int] | None:
    """Return the width of each column such that no word is broken; None where `total` is too narrow for that."""
    from rich.cells import cell_len

    cells = [[name, *(row[k] for row in rows)] for k, name in enumerate(columns)]
    natural = [max(cell_len(line) for cell in each for line in cell.splitlines() or [""]) for each in cells]
    least = []
    for name, each, whole in zip(columns, cells, natural, strict=True):
        if name in _WHOLE or name in right:
            # The head of numbers may take several lines, the numbers may not.
            body = max((cell_len(cell) for cell in each[1:]), default=0)
            least.append(max([body, *(cell_len(word) for word in name.split())]))
        else:
            words = [cell_len(word) for cell in each for word in cell.split()]
            least.append(min(whole, max([1, *(min(word, _LONGEST) for word in words)])))
    room = total - _GAP * (len(columns) - 1)
    if sum(least) > room:
        return None
    found = list(least)
    # What is left goes to the columns that lack most.
    for _ in range(room - sum(found)):
        lacking = [whole - width for whole, width in zip(natural, found, strict=True)]
        if max(lacking) <= 0:
            break
        found[lacking.index(max(lacking))] += 1
    return found


def show(console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str]) -> None:
    """Print a table, or cards where the console is too narrow for it."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    found = widths(columns, rows, right, console.width) if columns else []
    if found is None:
        _cards(console, columns, rows)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    for name, width in zip(columns, found, strict=True):
        table.add_column(name, justify="right" if name in right else "left", width=width, overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)


def _cards(console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print each row as lines of name and value; what is the same in every row is said once."""
    from rich.text import Text

    same = {name for k, name in enumerate(columns) if k and len(rows) > 1 and len({row[k] for row in rows}) == 1}
    for k, name in enumerate(columns):
        if name in same and rows[0][k]:
            console.print(Text(f"{name}: {rows[0][k]} (all rows)", style="dim"))
    for row in rows:
        console.print(Text(row[0], style="bold"))
        for name, cell in zip(columns[1:], row[1:], strict=True):
            if cell and name not in same:
                console.print(Text(f"  {name}: {cell}"))
