"""A fit in short: what it found of each unknown, and how many published numbers lie inside their interval before and after."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from ..physiology.installed_fits import FitRecord
from .design_bias import published_biases

#: Columns of ``rows.csv`` by what the interval of 90 % contains.
WHENS = {
    "before": "error alone, before the fit",
    "after": "error alone, at the fit",
    "parameters": "with parameters",
    "all": "with parameters and discrepancy",
}
#: Contraction from which on the data are said to speak to an unknown.
SPEAKING = 0.1


def coverage_of_record(record: FitRecord) -> list[dict[str, Any]]:
    """Return for rows that were fitted and for those set aside how many lie inside their 90 % interval, by what it contains.

    Each dictionary has ``set``, ``rows``, ``families``, the share of rows inside by the keys of `WHENS`, the same by families
    (``families_before`` ...: mean over families of the share of their rows), the median distance before and after in errors, and ``lost``:
    how many rows had a prediction before the fit and have none after it. All but this is of rows with both predictions.
    """
    rows, compared = record.rows, record.compared
    lines = []
    for name, of_set in (("fitted", rows["fitted"]), ("set aside", ~rows["fitted"])):
        flag = of_set & compared
        if not flag.any():
            continue
        families = np.array(rows["family"][flag], dtype=str)
        line: dict[str, Any] = {"set": name, "rows": int(flag.sum()), "families": len(set(families))}
        for when in WHENS:
            inside = np.asarray(rows[f"inside_{when}"][flag], dtype=np.float64)
            line[when] = float(inside.mean())
            line[f"families_{when}"] = float(
                np.mean([inside[families == each_family].mean() for each_family in set(families)])
            )
        for when in ("before", "after"):
            line[f"median_z_{when}"] = float(np.nanmedian(np.abs(rows[f"z_{when}"][flag])))
        line["lost"] = int((record.lost & of_set).sum())
        lines.append(line)
    return lines


def fit_summary(record: FitRecord) -> dict[str, Any]:
    """Return what a fit found, as plain values."""
    identity = record.identity
    unknowns = [
        {name: getattr(unknown, name) for name in unknown.__dataclass_fields__}
        for unknown in sorted(record.unknowns, key=lambda unknown: -unknown.contraction)
    ]
    return {
        "name": identity.get("name", record.name),
        "stages": identity.get("stages", []),
        "unknowns": unknowns,
        "coverage": coverage_of_record(record),
        "discrepancy": [
            {"class": name, "family": family, "row": row, "scale": scale}
            for name, (family, row, scale) in record.discrepancy.items()
        ],
        "bias_by_design": [asdict(bias) for bias in published_biases(record)],
        "effective_draws": identity.get("effective draws", record.effective_draws),
        "evaluations": identity.get("evaluations"),
        "processor_seconds": identity.get("processor_seconds", {}),
        "checks": identity.get("checks", {}),
        "warnings": list(identity.get("warnings", [])),
        "replaces": identity.get("replaces"),
    }
