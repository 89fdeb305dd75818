"""Compute the table of published numbers beside the model's that comes with the package, for `betapod trust`.

Run: python benchmarks/ship_trust.py (minutes; after any change of the model, of people, of a fit or of the registry)

Which rows were fitted, and what the model lacks by class of rows, are those of the newest installed fit. Without one, rows of the table of uses count as fitted,
and what the model lacks is estimated from the misses of these alone, so that the others test it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping

from betapod.evidence.records.registry import load_registry
from betapod.physiology.installed_fits import list_fits, load_fit
from betapod.therapies.scenarios import CURRENT_EVIDENCE, NONE
from betapod.trials.conduct.replicate_parameters import NO_FIT
from betapod.trust.trust_making import estimated_lacks, fitted_lacks, program_digest, trust_row, write_trust_table
from betapod.validation.predictions.campaign import confront_records
from betapod.validation.predictions.fit_conditions import draws_of_fit

#: Virtual people of a cohort, seed, and draws of the parameters of cells: those of `betapod confront`.
PEOPLE, SEED, DRAWS = 60, 1, 8


def main() -> None:
    """Confront every row and write the table."""
    began = time.perf_counter()
    name = (list_fits() or [""])[-1] if "--no-fit" not in sys.argv else ""
    records = {record.id: record for record in load_registry().select(tag=None)}
    result = confront_records(
        records.values(),
        [CURRENT_EVIDENCE, NONE],
        PEOPLE,
        SEED,
        draws=DRAWS,
        fit=draws_of_fit(name or NO_FIT),
        progress=lambda text, done, total: print(f"{time.perf_counter() - began:6.0f} s  {done}/{total} {text}"),
    )
    main_predictions = result.predictions[CURRENT_EVIDENCE]
    of_records = [records[p.record] for p in main_predictions]
    fit = load_fit(name) if name else None
    lacks = fitted_lacks(fit, main_predictions) if fit else estimated_lacks(of_records, main_predictions)
    flags: Mapping[str, bool] = dict(zip(fit.rows["record"], map(bool, fit.rows["fitted"]), strict=True)) if fit else {}
    rows = [
        trust_row(records[p.record], p, scenario, lacks.get(p.record, (float("nan"),) * 2), flags.get(p.record))
        for scenario, predictions in result.predictions.items()
        for p in predictions
    ]
    # Without cells all scenarios are one.
    rows = [row for k, row in enumerate(rows) if row.cells or k < len(main_predictions)]
    about = {
        "program": program_digest(),
        "people": PEOPLE,
        "seed": SEED,
        "draws": DRAWS,
        "fit": name,
        "discrepancy": f"estimated by the fit {name}" if name else "estimated from the misses of rows that were fitted",
    }
    write_trust_table(rows, about)
    for text, some in (("all", rows[: len(main_predictions)]),):
        for part, kept in (("fitted", True), ("not fitted", False)):
            chosen = [row for row in some if row.fitted == kept]
            inside, with_lacks = sum(row.inside for row in chosen), sum(row.inside_all for row in chosen)
            print(f"{text}, {part}: {len(chosen)} rows, {inside} inside, {with_lacks} with what the model lacks")


if __name__ == "__main__":
    main()
