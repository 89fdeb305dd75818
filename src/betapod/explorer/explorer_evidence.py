"""Published numbers as the explorer shows them: each beside the interval that the model gave for it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..trust.trust_rows import computed_with, trust_rows

if TYPE_CHECKING:
    from ..evidence.records.registry import Registry
    from ..evidence.records.study import Record
    from ..trust.trust_rows import TrustRow


def explorer_evidence() -> dict[str, Any]:
    """Return the rows of the table of trust with who was studied and how, the studies, and with what the table was computed."""
    from ..claims.ledger import evidence_for_claims

    registry = evidence_for_claims()
    records = {record.id: record for record in registry}
    rows = [_row(row, records[row.record]) for row in trust_rows() if row.record in records]
    return {
        "rows": rows,
        "studies": _studies(registry, {row["study"] for row in rows}),
        "records": len(registry),
        "compared": len({row["id"] for row in rows}),
        "computed": {key: value for key, value in computed_with().items() if key != "program"},
    }


def _row(row: TrustRow, record: Record) -> dict[str, Any]:
    from ..report.predictions.predictions_view import UNITS, class_of

    return {
        "id": row.record,
        "study": row.study,
        "arm": record.arm,
        "product": row.product,
        "treatment": class_of(row.product),
        "others": [*row.treatments, *row.cells],
        "scenario": row.scenario,
        "topic": row.topic,
        "endpoint": row.endpoint.replace("_", " "),
        "design": record.design,
        "kind": record.kind.replace("_", " "),
        "contrast": record.contrast,
        "n": record.n,
        "weeks": record.weeks,
        "people": f"{row.diabetes}, {row.kidney}",
        "unit": UNITS.get(row.unit, row.unit),
        "log": row.scale == "log",
        "fitted": row.fitted,
        "observed": row.observed,
        "predicted": row.predicted,
        "low": row.low,
        "high": row.high,
        "inside": row.inside,
        "z": row.z,
        "insideAll": row.inside_all if row.has_discrepancy else None,
        "zAll": None if math.isnan(row.z_all) else row.z_all,
        "printed": f"{record.printed_value} {record.printed_unit}".strip(),
        "level": record.source_level.replace("_", " "),
    }


def _studies(registry: Registry, names: set[str]) -> dict[str, dict[str, Any]]:
    studies: dict[str, dict[str, Any]] = {}
    for record in registry:
        if record.study in names and record.study not in studies:
            link = f"https://doi.org/{record.doi}" if record.doi.startswith("10.") else ""
            studies[record.study] = {"citation": record.citation, "year": record.year, "doi": record.doi, "link": link}
    return studies
