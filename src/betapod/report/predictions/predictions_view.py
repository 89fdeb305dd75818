"""Rows of a confrontation as readers see them: by class of treatment, and by group of endpoints that share an axis."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...observables.table import names_for, observables

if TYPE_CHECKING:
    import pandas as pd

    from ...evidence.records.study import Record
    from ...validation.predictions.campaign import Confrontation

#: Class of treatment -> products of the registry.
CLASSES: dict[str, tuple[str, ...]] = {
    "cells": (
        "UC-MSC", "BM-MSC", "adipose MSC", "placental MSC", "BM mononuclear cells", "mixed cell products", "renal cells",
        "CD34+ cells", "HSCT", "Stem Cell Educator",
    ),
    "islets, pancreas": ("donor islets", "stem-cell-derived islets", "pancreas transplant"),
    "glucose lowering": ("intensive glycaemia", "glucose clamp", "bariatric surgery"),
    "renin system, MRA, pressure": (
        "angiotensin receptor blocker", "ACE inhibitor", "dual RAS blockade", "finerenone", "calcium channel blocker",
        "intensive blood pressure",
    ),
    "SGLT2 inhibitor": ("SGLT2 inhibitor",),
    "GLP-1 receptor agonist": ("GLP-1 receptor agonist",),
    "diet": ("protein intake", "protein source", "soy protein", "protein load", "sodium intake", "intensive lifestyle"),
    "other": ("fenofibrate", "hyperbaric oxygen", "natriuretic peptide"),
    "none, natural history": ("control", "conventional care", "association", "equation"),
}  # fmt: skip
NONE = "none, natural history"
_CLASS_OF = {product: name for name, products in CLASSES.items() for product in products}

#: Parts of names that say what the quantity is.
_PARTS = {"GFR": "GFR", "CrCl": "GFR", "C_peptide": "C-peptide"}
#: Shares of people that are about glucose and insulin; the others are about the kidney.
_GLYCAEMIC = ("HbA1c", "insulin", "C_peptide", "hypoglyc", "glucose")
#: Units as they are shown.
UNITS = {"mL/min/1.73m2": "mL/min/1.73 m²", "mL/min/1.73m2/year": "mL/min/1.73 m² per year", "1": ""}
_RATIOS = ("hazard ratio", "risk ratio", "odds ratio")
#: Order of panels, by how their title begins.
_ORDER = (
    "HbA1c", "Fasting glucose", "Relative", "Insulin", "C-peptide", "Glucose", "HOMA", "Share of people: gl", "Share of people: k",
    "Slope", "GFR", "Albuminuria", "Hazard", "Rate", "Basement", "Mesangial", "Glomerular", "Blood", "Body", "Adverse",
)  # fmt: skip
SINGLES = "Quantities with one row each"


@dataclass(frozen=True)
class EndpointAxis:
    """Rows that share an axis.

    Attributes
    ----------
    unit
        Of both axes; empty for plain numbers.
    log
        Whether the axes are logarithmic.
    ratio
        Whether percent of change are shown as ratios.
    """

    title: str
    unit: str = ""
    log: bool = False
    ratio: bool = False


def products_by_record(records: Iterable[Record]) -> dict[str, str]:
    """Return the product of each row by its id, as `view` wants it."""
    return {record.id: record.product for record in records}


def class_of(product: str) -> str:
    """Return the class of a product; one that is not in the registry's vocabulary is ``other``."""
    return _CLASS_OF.get(product, "other")


def _panel(endpoint: str) -> str:
    """Return the axis that an endpoint shares with its like; empty where it has its own."""
    meant = names_for("registry").get(endpoint)
    observable = observables().get(endpoint if meant is None else meant.means)
    return "" if observable is None else observable.panel


def group_of(endpoint: str, form: str, unit: str, scale: str, anchored: bool) -> EndpointAxis:
    """Return the axis that a row belongs to, from the columns of a prediction."""
    kind = form.partition(",")[0].strip()
    common = next((name for part, name in _PARTS.items() if part in endpoint), endpoint.replace("_", " "))
    name = _panel(endpoint) or common
    shown_unit = UNITS.get(unit, unit)
    if kind in _RATIOS:
        return EndpointAxis("Hazard, risk and odds ratios", "", True)
    if kind == "rate":
        return EndpointAxis("Rate of events", shown_unit)
    if endpoint.startswith("adverse_event"):
        return EndpointAxis("Adverse events: share of people")
    # A difference of shares has the form of a level and no scale of its own.
    if scale == "share" or (unit == "1" and kind == "share"):
        about = "glucose and insulin" if any(word in endpoint for word in _GLYCAEMIC) else "kidney"
        return EndpointAxis(f"Share of people: {about}")
    if scale == "log":
        if kind == "ratio" or anchored:
            return EndpointAxis(f"{name}: ratio to start or control", "", True, True)
        return EndpointAxis(f"{name}: level", shown_unit, True)
    if kind == "ratio":
        return EndpointAxis("Relative change of glucose, insulin and others", "% of baseline")
    if kind == "slope":
        return EndpointAxis(f"Slope of {name.partition(' slope')[0]}", shown_unit)
    # An average over visits is a level like any other.
    return EndpointAxis(f"{name}: {'level' if kind == 'average' else kind}", shown_unit)


def view(confrontation: Confrontation, product_of: Mapping[str, str]) -> pd.DataFrame:
    """Return the table of a confrontation with what pictures and pages need.

    Returns
    -------
    DataFrame
        `Confrontation.table`, and: ``treatment`` (class of what the row's group got), ``family_treatment`` (of its family: the
        first class in order that any row has, natural history last), ``group``, ``axis_unit``, ``log``, and ``x``, ``y``, ``left``,
        ``right``: predicted, observed and the 90 % interval on that axis.
    """
    table = confrontation.table
    treatment = [class_of(product_of.get(record, "")) for record in table["record"]]
    table = table.assign(treatment=treatment)
    order = {name: rank for rank, name in enumerate(CLASSES)}
    first = table.groupby("family")["treatment"].agg(lambda classes: min(classes, key=order.__getitem__))
    table["family_treatment"] = table["family"].map(first)
    fields = zip(*(table[name] for name in ("endpoint", "form", "unit", "scale", "anchored")), strict=True)
    groups = [group_of(*values) for values in fields]
    table["group"] = [values.title + (f" ({values.unit})" if values.unit else "") for values in groups]
    table["axis_unit"] = [values.unit for values in groups]
    table["log"] = [values.log for values in groups]
    ratio = np.array([values.ratio for values in groups], dtype=bool)
    percent = ratio & table["unit"].str.contains("%").to_numpy(dtype=bool) & ~table["anchored"].to_numpy(dtype=bool)
    for classes, column in (("x", "predicted"), ("y", "observed"), ("left", "low"), ("right", "high")):
        table[classes] = table[column].where(~percent, 1.0 + table[column] / 100.0).astype(float)
    return _single(table)


def _single(table: pd.DataFrame) -> pd.DataFrame:
    """Put quantities that have one row each on one axis: in units of half their own interval."""
    rows = table.groupby("group")["record"].nunique()
    lonely = set(rows.index[rows == 1])
    if len(lonely) < 2 or len(lonely) == len(rows):
        return table
    single = table["group"].isin(lonely) & ~table["log"]
    width = (table["right"] - table["left"]) / 2.0
    single &= width > 0
    for column in ("x", "y", "left", "right"):
        table[column] = table[column].where(~single, table[column] / width)
    table.loc[single, "axis_unit"] = "half intervals"
    table.loc[single, "group"] = f"{SINGLES} (in half intervals)"
    return table


def groups(table: pd.DataFrame) -> list[str]:
    """Return the groups of a view in the order of reading: glucose, insulin, kidney, events."""

    def place(title: str) -> tuple[int, str]:
        return next((k for k, start in enumerate(_ORDER) if title.startswith(start)), len(_ORDER)), title

    return sorted(dict.fromkeys(table["group"]), key=place)


def families(table: pd.DataFrame) -> dict[str, list[str]]:
    """Return families by class of treatment; in each class those with the largest miss under any scenario first."""
    worst = table.assign(miss=table["z"].abs().fillna(math.inf)).groupby("family")["miss"].max()
    by_class: dict[str, list[str]] = {}
    for name in CLASSES:
        members = set(table.loc[table["family_treatment"] == name, "family"])
        if members:
            by_class[name] = sorted(members, key=lambda family: (-worst[family], family))
    return by_class


def coverage_summary(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return rows, rows inside, below and above the interval, and the median |z|, by scenario and a column.

    Parameters
    ----------
    by
        A column of `view`, or ``""`` for all together.
    """
    marked = table.assign(
        miss=table["z"].abs(),
        below=~table["inside"] & (table["observed"] < table["predicted"]),
        above=~table["inside"] & (table["observed"] >= table["predicted"]),
    )
    keys = ["scenario", by] if by else ["scenario"]
    grouped = marked.groupby(keys, sort=False)
    counts = grouped.agg(
        rows=("record", "size"),
        inside=("inside", "sum"),
        below=("below", "sum"),
        above=("above", "sum"),
        median=("miss", "median"),
    )
    return counts.reset_index()


def in_order(counts: pd.DataFrame, table: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return the rows of a `coverage_summary` in the order of reading: classes, groups of endpoints, families as in the pictures."""
    names: list[str] = list(dict.fromkeys(table[by]))
    if by == "treatment":
        names = list(CLASSES)
    elif by == "group":
        names = groups(table)
    elif by == "family":
        names = [family for members in families(table).values() for family in members]
    rank = {name: k for k, name in enumerate(names)}
    return counts.sort_values(by, key=lambda column: column.map(rank), kind="stable")
