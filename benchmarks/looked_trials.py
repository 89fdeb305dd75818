"""Ten thousand trials of a protocol through looks and adaptations, timed: ``python benchmarks/looked_trials.py [--replicates 10000] [--analysis MMRM]``.

A drug against placebo in 200 patients over four visits, with drop-out, missed visits and deaths, on the people of the library. Prints for every design power, type I error
with the same treatment in all groups, patients, and seconds; ends with 1 where type I error is above 0.025 by more than three Monte-Carlo errors.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from typing import Any

from betapod.trials.conduct.conduct import conduct_trial
from betapod.trials.operating.look_characteristics import look_rows
from betapod.trials.protocol.protocol_files import parse_protocol

ALPHA = 0.025
TEXT = """\
schema_version: 1
name: looked
title: SGLT2 inhibitor against placebo
population: {{diabetes: type 2, size: 400}}
eligibility:
  UACR: {{min: 200 mg/g, max: 3000 mg/g}}
  eGFR: {{min: 30 mL/min/1.73m2, max: 90 mL/min/1.73m2}}
  SGLT2I: {{max: 0}}
strata:
  lower: {{where: {{UACR: {{max: 1000 mg/g}}}}}}
  higher: {{where: {{UACR: {{min: 1000 mg/g}}}}}}
patients: 200
arms:
  placebo: {{placebo: true}}
  drug: {{therapies: [SGLT2 inhibitor]}}{more}
designs:
  randomised: {{arms: {{{arms}}}, recruitment: 18 month, looks: {looks}}}
visits:
  - {{name: screening, day: -14 day}}
  - {{name: enrolment, day: 0 day}}
  - {{name: month 1, day: 30 day, window: 5 day}}
  - {{name: month 2, day: 61 day, window: 5 day}}
  - {{name: month 3, day: 91 day, window: 7 day}}
  - {{name: month 6, day: 183 day, window: 10 day}}
measurements: {{UACR: {{}}, eGFR: {{}}}}
conduct: {{drop_out: 10 %/year, missed_visits: 3 %}}
endpoints:
  primary: {{quantity: UACR, summary: ratio, analysis: {analysis}}}
  sides: 1
  alpha: 0.025
scenarios: [none]
replicates: {replicates}
"""
TWO = "drug: 1, placebo: 1"
THREE = "drug: 1, weaker: 1, placebo: 1"
#: Name -> arms and looks.
DESIGNS = {
    "O'Brien-Fleming, 2 looks": (TWO, "{boundaries: OF}"),
    "Pocock, 3 looks": (TWO, "{boundaries: P, information: 3}"),
    "asOF, futility binding": (TWO, "{futility: asOF, binding: true}"),
    "asOF, futility not binding": (TWO, "{futility: asOF}"),
    "stages, Fisher": (TWO, "{combine: Fisher}"),
    "best of two arms, Dunnett": (THREE, "{select: {}, intersections: Dunnett}"),
    "enrichment by albuminuria": (TWO, "{enrich: {stratum: higher}}"),
    "size anew, conditional power": (TWO, "{resize: {rule: conditional power, planned: 100}}"),
    "size anew, promising zone": (TWO, "{resize: {rule: promising zone, planned: 100}}"),
    "size anew, blinded": (TWO, "{resize: {rule: blinded, planned: 100, effect: 0.7}}"),
    "adaptive allocation": (TWO, "{allocate: {blocks: 5}}"),
}


def measured(name: str, replicates: int, analysis: str) -> tuple[dict[str, Any], float, float]:
    """Return what looks do to a design, and seconds of the trials and of their looks."""
    arms, looks = DESIGNS[name]
    more = "\n  weaker: {therapies: [ACE inhibitor]}" if arms == THREE else ""
    protocol = parse_protocol(TEXT.format(arms=arms, looks=looks, more=more, replicates=replicates, analysis=analysis))
    begin = time.perf_counter()
    run = conduct_trial(protocol)
    conducted = time.perf_counter()
    (row,) = look_rows(run["randomised", "none"])
    return row, conducted - begin, time.perf_counter() - conducted


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--replicates", type=int, default=10_000)
    parser.add_argument("--analysis", default="ANCOVA")
    parser.add_argument("--design", choices=sorted(DESIGNS), action="append")
    given = parser.parse_args()
    error = math.sqrt(ALPHA * (1 - ALPHA) / given.replicates)
    print(f"{given.replicates} trials, {given.analysis}; Monte-Carlo error of type I error {error:.4f}")
    print(f"{'design':<30}{'power':>8}{'fixed':>8}{'type I':>9}{'patients':>10}{'trials s':>10}{'looks s':>9}")
    worst = 0.0
    for name in given.design or DESIGNS:
        row, trials, looks = measured(name, given.replicates, given.analysis)
        numbers = f"{row['power']:>8.3f}{row['power_without_looks']:>8.3f}{row['type_one']:>9.4f}{row['expected_patients']:>10.1f}"
        print(f"{name:<30}{numbers}{trials:>10.1f}{looks:>9.1f}", flush=True)
        worst = max(worst, row["type_one"])
    return int(worst > ALPHA + 3 * error)


if __name__ == "__main__":
    sys.exit(main())
