"""Choose the people of every cohort that published studies are compared with, for the file that comes with the package.

Run: python benchmarks/ship_cohorts.py (seconds; after any change of people, of baselines, or of how people are chosen)
"""

from __future__ import annotations

import time

from betapod.evidence.records.registry import load_registry
from betapod.patients import library
from betapod.patients.cohorts import reweight
from betapod.validation.predictions.chosen_people import FILE, write_choices
from betapod.validation.predictions.row_expectations import usual_choices
from betapod.validation.predictions.studies import packaged_cohorts


def main() -> None:
    """Choose and write."""
    began, targets = time.process_time(), packaged_cohorts()
    rows = {
        (name, count, seed): reweight.select_patients(library.default(), targets[name], count, seed).index
        for name, count, seed in usual_choices(load_registry())
    }
    write_choices(rows, targets)
    print(f"{len(rows)} cohorts, {FILE.stat().st_size / 1000:.0f} kB, {time.process_time() - began:.1f} s")


if __name__ == "__main__":
    main()
