"""Laws of tables in text: however a table is saved, it is read as it was, or refused; never read as another."""

from __future__ import annotations

import csv
import io

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from betapod.base import delimited
from betapod.base.errors import ConfigError

_NAMES = ("id", "age", "hba1c", "remark")
_NUMBERS = st.decimals(min_value=0, max_value=99999, allow_nan=False, places=3).map(lambda x: x.normalize())
_TEXTS = st.text(st.characters(codec="cp1252", exclude_categories=("C", "Z")), max_size=6)


def _saved(rows: list[tuple[str, ...]], separator: str, encoding: str, newline: str, preamble: str) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator=newline)
    writer.writerow(_NAMES)
    writer.writerows(rows)
    return (preamble + text.getvalue()).encode(encoding)


@settings(max_examples=300, deadline=None)
@given(
    values=st.lists(st.tuples(_NUMBERS, _NUMBERS, _TEXTS), min_size=1, max_size=8),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    decimal=st.sampled_from([".", ","]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    preamble=st.sampled_from(["", "# export\n", "Registry 2024\n\n"]),
)
def test_a_table_is_read_as_it_was_or_refused(
    values: list, separator: str, decimal: str, encoding: str, newline: str, preamble: str
) -> None:
    def written(number: object) -> str:
        return f"{number:f}".replace(".", decimal)

    rows = [(f"p{i}", written(a), written(b), text) for i, (a, b, text) in enumerate(values)]
    content = _saved(rows, separator, encoding, newline, preamble)
    # Some letters of Windows-1252 in a row are also letters of UTF-8.
    assume(encoding != "cp1252" or content.isascii() or b"\xef\xbf\xbd" in content.decode("utf-8", "replace").encode())
    text, _ = delimited.decode(content, "x.csv")
    table = delimited.split(text, "x.csv", _NAMES.__contains__)
    assert tuple(table.header) == _NAMES
    assert not table.problems
    assert table.separator == separator
    assert [tuple(map(delimited.clean_cell, row)) for _, row in table.rows] == [
        tuple(map(delimited.clean_cell, r)) for r in rows
    ]
    cells = [(row[k], delimited.Location("x.csv", line, k + 1)) for line, row in table.rows for k in (1, 2)]
    marks = delimited.marks(cells, separator)
    for (a, b, _), (_, row) in zip(values, table.rows, strict=True):
        for number, cell in ((a, row[1]), (b, row[2])):
            found = delimited.cell_number(cell, marks.decimal)
            # None is a refusal, and only where nothing in the table tells a decimal from a thousand.
            assert found == float(number) or (found is None and marks.decimal == "")


@settings(max_examples=300, deadline=None)
@given(content=st.binary(max_size=200) | st.text(max_size=120).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_are_a_table_or_a_problem(content: bytes) -> None:
    try:
        text, _ = delimited.decode(content, "x.csv")
        table = delimited.split(text, "x.csv", _NAMES.__contains__)
    except ConfigError as error:
        assert all(problem.location.file == "x.csv" for problem in error.problems)
        return
    assert all(len(row) == len(table.header) for _, row in table.rows)
    lines = [line for line, _ in table.rows]
    assert lines == sorted(set(lines)) and all(line > table.line for line in lines)
