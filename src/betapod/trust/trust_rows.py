"""Published numbers beside what the model says of them, as they come with the package: the reader of ``trust_rows.csv``.

``computed_with.json`` beside it says with which program, scenarios and fit the table was made.
"""

from __future__ import annotations

import csv
import functools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

ROWS = Path(__file__).with_name("trust_rows.csv")
COMPUTED_WITH = Path(__file__).with_name("computed_with.json")


@dataclass(frozen=True)
class TrustRow:
    """One published number, its kind, and where it lies in the interval of the model.

    Attributes
    ----------
    product
        Of the registry: what was tested.
    scenario
        Of what cells do; empty for rows without cells, which are the same under every scenario.
    treatments, cells, topic, diabetes, kidney
        See `trust_facts.RowKind`.
    fitted
        Whether parameters were fitted to it.
    row_class
        ``share``, ``event ratio``, ``slope``, ``ratio`` or ``level``.
    scale
        ``linear``, ``log`` or ``share``.
    observed, predicted, low, high
        On the natural scale; `low` to `high` is the 90 % interval of errors and parameters.
    width
        Of that interval: a factor for ratios, a difference for shares, a share of the number for the rest.
    tau_family, tau_row
        SDs of what the model lacks for rows of this class, shared by those of a family and of each by itself, on the scale on which they
        are compared (shares as 2*asin(sqrt p)); NaN where nobody has estimated them.
    z_all, inside_all, width_all
        As `z`, `inside` and `width`, of the interval that has these in it as well.
    """

    record: str
    study: str
    family: str
    product: str
    scenario: str
    treatments: tuple[str, ...]
    cells: tuple[str, ...]
    topic: str
    endpoint: str
    diabetes: str
    kidney: str
    fitted: bool
    row_class: str
    scale: str
    unit: str
    observed: float
    predicted: float
    low: float
    high: float
    z: float
    inside: bool
    width: float
    tau_family: float = math.nan
    tau_row: float = math.nan
    z_all: float = math.nan
    inside_all: bool = False
    width_all: float = math.nan

    @property
    def has_discrepancy(self) -> bool:
        """Whether anybody has estimated what the model lacks for rows of this class."""
        return not math.isnan(self.tau_row)


@functools.cache
def trust_rows() -> tuple[TrustRow, ...]:
    """Return the rows of the package, in the order of the table."""
    with ROWS.open(encoding="utf-8", newline="") as file:
        return tuple(_read(row) for row in csv.DictReader(file))


def _read(row: Mapping[str, str]) -> TrustRow:
    values: dict[str, Any] = {}
    for field in fields(TrustRow):
        text = row[field.name]
        if field.type == "float":
            values[field.name] = float(text or "nan")
        elif field.type == "bool":
            values[field.name] = text == "yes"
        elif field.type == "str":
            values[field.name] = text
        else:
            values[field.name] = tuple(part for part in text.split(";") if part)
    return TrustRow(**values)


@functools.cache
def computed_with() -> dict[str, Any]:
    """Return what the table of the package was computed with.

    Returns
    -------
    dict
        ``program`` (digest), ``people``, ``seed``, ``draws``, ``fit`` (name; empty for the tables' own values), ``discrepancy``
        (where it is from; empty for none).
    """
    content: dict[str, Any] = json.loads(COMPUTED_WITH.read_text(encoding="utf-8"))
    return content
