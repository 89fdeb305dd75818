"""Compare two tables of predictions: python benchmarks/compare_predictions.py before.csv after.csv [scenario] [study ...].

Both are written by ``betapod confront --csv``. Rows that stand in both are counted by use, class of treatment and family: how many lie
inside their interval, how many would be if intervals had kept their widths, the median and the root mean square of z, and by how much
intervals have become wider (the median ratio of widths, on the scale of comparison). With studies, their rows are listed: published,
predicted before and after, z.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

from betapod.base.constants import Z90
from betapod.base.intervals import student
from betapod.evidence.records.registry import load_registry
from betapod.report.predictions.predictions_view import CLASSES, class_of
from betapod.validation.predictions.uses import use_of

COLUMNS = ["inside", "z", "width", "predicted", "low", "high"]


def read(path: str, scenario: str) -> pd.DataFrame:
    """Return the rows of a scenario by record, with the width of the interval on the scale of comparison."""
    table = pd.read_csv(path)
    table = table[table["scenario"] == scenario].set_index("record")
    error = np.sqrt(table["se_study"] ** 2 + table["se_cohort"] ** 2 + table["se_parameters"] ** 2)
    factor = table["freedom"].map(lambda freedom: student(Z90, freedom) if freedom == freedom else Z90)
    table["width"] = (2.0 * factor * error).where(table["scale"] != "share", table["high"] - table["low"])
    return table


def compared(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return one line per record of both tables."""
    product = {record.id: record.product for record in load_registry()}
    table = after.join(before[COLUMNS], rsuffix=" before", how="inner")
    table["class"] = [class_of(product.get(record, "")) for record in table.index]
    table["use"] = [use_of(r, s, f) for r, s, f in zip(table.index, table["study"], table["family"], strict=True)]
    table["all"] = "all"
    return table


def summary(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return counts by a column, before and after."""

    def line(part: pd.DataFrame) -> dict[str, object]:
        ratio = part["width"] / part["width before"].where(part["width before"] > 0)
        # Of shares, whose interval is beta-binomial, about.
        kept = (part["z"].abs() * ratio < Z90).where(ratio.notna(), part["inside"])
        return {
            "rows": len(part),
            "inside": f"{int(part['inside before'].sum())} -> {int(part['inside'].sum())}",
            "with former widths": int(kept.sum()),
            "median of |z|": f"{part['z before'].abs().median():.1f} -> {part['z'].abs().median():.1f}",
            "root mean square": f"{_rms(part['z before']):.1f} -> {_rms(part['z']):.1f}",
            "width": f"x{ratio.median():.2f}",
        }

    return pd.DataFrame({name: line(part) for name, part in table.groupby(by)}).T


def _rms(z: pd.Series) -> float:
    return float(np.sqrt(np.mean(z.dropna() ** 2)))


def rows_of(table: pd.DataFrame, studies: list[str]) -> pd.DataFrame:
    """Return the rows of studies: published, predicted before and after."""
    part = table[table["study"].isin(studies)]
    return pd.DataFrame(
        {
            "arm, endpoint, week": part["arm"]
            + ": "
            + part["endpoint"]
            + " "
            + part["form"]
            + ", "
            + part["weeks"].map("{:g}".format),
            "published": part["observed"].map("{:.3g}".format),
            "before": part["predicted before"].map("{:.3g}".format)
            + " (z "
            + part["z before"].map("{:.1f}".format)
            + ")",
            "after": part["predicted"].map("{:.3g}".format)
            + " ("
            + part["low"].map("{:.3g}".format)
            + " to "
            + part["high"].map("{:.3g}".format)
            + ", z "
            + part["z"].map("{:.1f}".format)
            + ")",
            "use": part["use"],
        }
    )


def markdown(table: pd.DataFrame, first: str) -> str:
    """Return a table in Markdown."""
    heads = [first, *table.columns]
    lines = [
        heads,
        ["---"] * len(heads),
        *([str(name), *map(str, row)] for name, row in zip(table.index, table.values, strict=True)),
    ]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def main() -> None:
    """Print the comparison."""
    old, new, *more = sys.argv[1:]
    scenario, studies = (more[0] if more else "current-evidence"), more[1:]
    before, after = read(old, scenario), read(new, scenario)
    table = compared(before, after)
    alone = len(after) - len(table)
    print(f"scenario {scenario}: {len(before)} rows before, {len(after)} after, {len(table)} in both\n")
    for by in ("all", "use", "class", "family"):
        part = summary(table, by)
        if by == "class":
            part = part.loc[[name for name in CLASSES if name in part.index]]
        print(markdown(part, by), end="\n\n")
    if alone:
        new_rows = after.loc[after.index.difference(before.index)]
        print(
            f"new rows: {int(new_rows['inside'].sum())} of {alone} inside, median of |z| {new_rows['z'].abs().median():.1f}\n"
        )
    if studies:
        print(markdown(rows_of(table, studies), "row"))


if __name__ == "__main__":
    main()
