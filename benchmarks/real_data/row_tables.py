"""Tables of rows derived from measurements of real people."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import betapod.calibration

FOLDER = Path(betapod.calibration.__file__).parent / "real_data"
COLUMNS = (
    "record",
    "source",
    "family",
    "fitted",
    "endpoint",
    "other",
    "group",
    "statistic",
    "level",
    "unit",
    "class",
    "scale",
    "observed",
    "se",
    "freedom",
    "people",
    "among",
    "note",
)


def write_rows(name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a table of the package, numbers to five digits."""
    count = 0
    with (FOLDER / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({k: f"{v:.5g}" if isinstance(v, float) else v for k, v in row.items()})
            count += 1
    print(name, count)
