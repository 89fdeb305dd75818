"""Compute the table of published numbers beside the model's that comes with the package, for `betapod trust`.

Run: python benchmarks/ship_trust.py (minutes; after any change of the model, of people, of a fit or of the registry)
"""

from __future__ import annotations

import time

from betapod.evidence.records.registry import load_registry
from betapod.therapies.scenarios import CURRENT_EVIDENCE, NONE
from betapod.trust.trust_making import program_digest, trust_row, write_trust_table
from betapod.validation.predictions.campaign import confront_records

#: Virtual people of a cohort, seed, and draws of the parameters of cells: those of `betapod confront`.
PEOPLE, SEED, DRAWS = 60, 1, 8


def main() -> None:
    """Confront every row and write the table."""
    began = time.perf_counter()
    records = {record.id: record for record in load_registry().select(tag=None)}
    found = confront_records(
        records.values(),
        [CURRENT_EVIDENCE, NONE],
        PEOPLE,
        SEED,
        draws=DRAWS,
        progress=lambda text, done, total: print(f"{time.perf_counter() - began:6.0f} s  {done}/{total} {text}"),
    )
    rows = [
        row
        for scenario, predictions in found.predictions.items()
        for row in (trust_row(records[p.record], p, scenario) for p in predictions)
        # Without cells all scenarios are one.
        if row.cells or scenario == CURRENT_EVIDENCE
    ]
    about = {"program": program_digest(), "people": PEOPLE, "seed": SEED, "draws": DRAWS, "fit": "", "discrepancy": ""}
    write_trust_table(rows, about)
    inside = sum(row.inside for row in rows)
    print(f"{len(rows)} rows, {inside} inside their 90 % interval")


if __name__ == "__main__":
    main()
