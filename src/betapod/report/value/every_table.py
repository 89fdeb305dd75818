"""All tables of a comparison in reading order, as numbers for files and in a short form for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..common import words
from . import decision_tables as deciding
from . import run_settings as run
from . import strategy_tables as results
from .checklists import both_checklists
from .value_table import ValueTable, cell_text

if TYPE_CHECKING:
    import pandas as pd

    from ...value.value_result import ValueResult


def every_table(result: ValueResult) -> list[ValueTable]:
    """Return every table that the run has something for, in reading order."""
    tables: list[ValueTable | None] = []
    for structure in result.structures:
        tables += [results.totals_table(result, structure), results.gains_table(result, structure)]
    tables += [results.structure_table(result), deciding.price_table(result)]
    for structure in result.structures:
        for decision in run.decisions(result):
            tables += [
                results.standing_table(result, structure, decision),
                deciding.best_table(result, structure, decision),
            ]
    for structure in result.structures:
        tables += [
            results.free_years_table(result, structure),
            results.events_table(result, structure),
            results.item_table(result, structure),
        ]
    tables += [deciding.tornado_table(result, s, name, most=1000) for s in result.structures for name in result.others]
    tables.append(deciding.information_table(result))
    for decision in run.decisions(result):
        tables += deciding.partial_information(result, result.structures[0], decision)
    tables += [results.people_table(result, structure) for structure in result.structures]
    tables += [results.scenario_table(result), deciding.budget_table(result), results.uncertain_numbers_table(result)]
    tables.append(deciding.missing_table(result))
    tables += [deciding.checklist_table(checklist) for checklist in both_checklists(result)]
    return [table for table in tables if table is not None and table.rows]


def as_frame(table: ValueTable) -> pd.DataFrame:
    """Return a table with numbers as numbers; an estimate takes three columns."""
    import pandas as pd

    from .value_table import plain_table

    header, rows, _ = plain_table(table)
    return pd.DataFrame(rows, columns=header)


def terminal_tables(result: ValueResult) -> list[tuple[str, list[str], list[list[str]]]]:
    """Return what the terminal shows: caption, header and rows of gains and of prices; each fits 80 columns.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.report.value.every_table import terminal_tables
    >>> from betapod.value.value_result import ValueResult
    >>> qalys = {"own": np.array([[8.0, 8.2], [8.4, 8.5]])}
    >>> result = ValueResult({}, ("care", "drug"), "care", ("own",), qalys, qalys, qalys)
    >>> terminal_tables(result)[0][2]
    [['drug', '+0.350 (+0.303 to +0.398)', '+0.350 (+0.303 to +0.398)']]
    """
    tables = []
    for structure in result.structures:
        table = results.gains_table(result, structure)
        keep = [k for k, column in enumerate(table.columns) if k == 0 or column.interval]
        header = ["strategy", "life-years", "QALYs", *([f"costs ({result.currency})"] if result.costs else [])]
        rows = [[cell_text(table.columns[k], row[k]) for k in keep] for row in table.rows]
        caption = f"Gained against {result.comparator}, 95 % interval: {run.structure_label(structure)}"
        tables.append((caption, header, rows))
    if (prices := _prices(result)) is not None:
        tables.append(prices)
    return tables


def _prices(result: ValueResult) -> tuple[str, list[str], list[list[str]]] | None:
    table = deciding.price_table(result)
    if table is None:
        return None
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for strategy, structure, amount, limits, *_ in table.rows:
        cells.setdefault((strategy, structure), {})[amount] = cell_text(table.columns[3], limits)
    amounts = list(dict.fromkeys(row[2] for row in table.rows))
    several = len(result.structures) > 1
    rows: list[list[str]] = [
        [strategy, *([structure] if several else []), f"{amount} a QALY", by_amount[amount]]
        for (strategy, structure), by_amount in cells.items()
        for amount in amounts
    ]
    header: list[Any] = ["strategy", *(["events"] if several else []), "worth of a QALY", "price of a course"]
    caption = f"Price at which a course of cells is worth its money, 95 % interval ({deciding.money_unit(result)})"
    return words.capital(caption), header, rows
