"""Type I error of every design of a protocol over 100,000 trials of virtual patients: ``python benchmarks/type_one_error.py [--replicates 100000]``.

Trials are conducted from courses of the library: people with failing kidneys begin an SGLT2 inhibitor at enrolment in all arms, so that eGFR dips; they miss visits, drop out,
die, and leave when their kidneys fail, which those do whose eGFR falls most. Arms do not differ, and what is claimed is false. The last rows ask the same of a
treatment that differs: stopping the inhibitor, which lifts eGFR at once and harms the kidneys, so that a claim that it preserves eGFR is false.

Every 2,000 trials have random numbers of their own; all draw from one pool of people. A run that is stopped tells of the trials that it has. Ends with 1 where a
design without a difference is above its alpha by more than three Monte-Carlo errors.
"""

from __future__ import annotations

import argparse
import math
import signal
import sys
import time
from dataclasses import dataclass, replace

import numpy as np

from betapod.trials.analysis.controlled import analyse
from betapod.trials.analysis.endpoints import comparisons
from betapod.trials.conduct.drawn_design import DrawnDesign, SharedDraws, joined, shards
from betapod.trials.conduct.patient_pool import Pool
from betapod.trials.conduct.pool_build import pool_of
from betapod.trials.conduct.trial_data import TrialData
from betapod.trials.operating.looked_trials import looked_trials
from betapod.trials.operating.staged_characteristics import adapted_trials
from betapod.trials.operating.test_rules import rule_of
from betapod.trials.protocol.protocol import Protocol
from betapod.trials.protocol.protocol_files import parse_protocol

ALPHA = 0.025
#: Trials that are conducted together, with random numbers of their own.
TOGETHER = 2000
PEOPLE = """\
schema_version: 1
name: error
title: Type I error
population: {{diabetes: type 2, size: 500}}
eligibility:
  UACR: {{min: 300 mg/g, max: 5000 mg/g}}
  eGFR: {{min: 20 mL/min/1.73m2, max: 50 mL/min/1.73m2}}
  SGLT2I: {{max: 0}}
strata:
  lower: {{where: {{UACR: {{max: 1200 mg/g}}}}}}
  higher: {{where: {{UACR: {{min: 1200 mg/g}}}}}}
patients: {patients}
"""
REST = """\
measurements: {{UACR: {{}}, eGFR: {{}}}}
conduct: {{drop_out: 10 %/year, missed_visits: 3 %}}
endpoints:
  primary: {{{primary}}}
  sides: 1
  alpha: 0.025
scenarios: [none]
replicates: 2000
seed: 1
"""
TREATED = """\
background: [SGLT2 inhibitor]
arms:
  placebo: {{placebo: true}}
  drug: {{therapies: [MRA]}}{more}
designs:
  randomised: {{arms: {{{arms}}}, recruitment: 12 month, looks: HERE}}
"""
SHORT = """\
visits:
  - {name: screening, day: -14 day}
  - {name: enrolment, day: 0 day}
  - {name: month 4, day: 122 day, window: 7 day}
"""
LONG = """\
visits:
  - {name: screening, day: -14 day}
  - {name: enrolment, day: 0 day}
  - {name: month 24, day: 731 day, window: 14 day}
"""
STOPPED = """\
arms:
  inhibitor: {therapies: [SGLT2 inhibitor]}
  stopped: {placebo: true}
designs:
  randomised: {arms: {stopped: 1, inhibitor: 1}, control: inhibitor}
visits:
  - {name: screening, day: -14 day}
  - {name: enrolment, day: 0 day}
  - {name: week 2, day: 14 day, window: 3 day}
  - {name: month 4, day: 122 day, window: 10 day}
  - {name: month 8, day: 244 day, window: 14 day}
  - {name: month 12, day: 365 day, window: 14 day}
  - {name: month 18, day: 548 day, window: 14 day}
  - {name: month 24, day: 731 day, window: 14 day}
"""
CHANGE = "quantity: eGFR, better: higher, analysis: ANCOVA"
FIRST = "quantity: kidney_failure, summary: time to event, also: [death, hf_hospitalisation], analysis: log-rank"
#: The third arm of the designs that choose among two.
MORE = "\n  weaker: {therapies: [amlodipine 5 mg/day]}"
TWO, THREE = "drug: 1, placebo: 1", "drug: 1, weaker: 1, placebo: 1"
#: Name -> arms, looks: change of eGFR at month 4 by ANCOVA, 120 patients enrolled over twelve months.
BY_VISIT = {
    "O'Brien-Fleming, 2 looks": (TWO, "{boundaries: OF}"),
    "Pocock, 3 looks": (TWO, "{boundaries: P, information: 3}"),
    "asOF, futility binding": (TWO, "{futility: asOF, binding: true}"),
    "asOF, futility not binding": (TWO, "{futility: asOF}"),
    "stages, inverse normal": (TWO, "{combine: inverse normal}"),
    "stages, Fisher": (TWO, "{combine: Fisher}"),
    "best of two arms, Dunnett": (THREE, "{select: {}, intersections: Dunnett}"),
    "enrichment by albuminuria": (TWO, "{enrich: {stratum: higher}}"),
    "size anew, conditional power": (TWO, "{resize: {rule: conditional power, planned: 60}}"),
    "size anew, promising zone": (TWO, "{resize: {rule: promising zone, planned: 60}}"),
    "size anew, blinded": (TWO, "{resize: {rule: blinded, planned: 60, effect: 3 mL/min/1.73m2}}"),
    "adaptive allocation": (TWO, "{allocate: {blocks: 5}}"),
}
#: The same of first events (death, heart failure, kidney failure) by the log-rank test, 160 patients watched for two years.
BY_EVENTS = {
    "events: asOF, 2 looks": (TWO, "{boundaries: asOF, events: 40}"),
    "events: stages, inverse normal": (TWO, "{combine: inverse normal, events: 40}"),
    "events: stages, Fisher": (TWO, "{combine: Fisher, events: 40}"),
    "events: best of two arms, Dunnett": (THREE, "{select: {}, intersections: Dunnett, events: 60}"),
    "events: enrichment by albuminuria": (TWO, "{enrich: {stratum: higher}, events: 40}"),
}
#: And of all hospitalisations for heart failure with cardiovascular deaths.
BY_RATES = {
    "rates: negative binomial, asOF": "negative binomial",
    "rates: LWYY, asOF": "LWYY",
}
#: Endpoint of a trial in which the inhibitor is stopped; 200 patients.
STOPPING = {
    "stopping: change of eGFR at month 4": "quantity: eGFR, better: higher, at: month 4",
    "stopping: change of eGFR at month 24": "quantity: eGFR, better: higher, at: month 24",
    "stopping: total slope of eGFR": "quantity: eGFR, summary: slope, better: higher",
    "stopping: chronic slope of eGFR": "quantity: eGFR, summary: chronic slope, better: higher",
    "stopping: eGFR 40 % lower, log-rank": "quantity: eGFR, summary: time to event, percent: -40, also: [kidney failure], analysis: log-rank",
}  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """Trials that are conducted once for several designs of their looks, or endpoints: text of the protocol, and row -> what stands ``HERE`` in it."""

    text: str
    rows: dict[str, str]

    def protocols(self, wanted: tuple[str, ...]) -> dict[str, Protocol]:
        """Return the protocol of every row that is wanted."""
        return {
            name: parse_protocol(self.text.replace("HERE", here))
            for name, here in self.rows.items()
            if not wanted or name.startswith(wanted)
        }


def trials() -> list[Trial]:
    """Return what is conducted."""
    made = []
    for table, primary, visits, patients in ((BY_VISIT, CHANGE, SHORT, 120), (BY_EVENTS, FIRST, LONG, 160)):
        for arms in (TWO, THREE):
            size, more = (patients, "") if arms == TWO else (patients * 3 // 2, MORE)
            text = PEOPLE.format(patients=size) + TREATED.format(arms=arms, more=more) + visits + REST.format(primary=primary)  # fmt: skip
            made.append(Trial(text, {name: looks for name, (of, looks) in table.items() if of == arms}))
    treated = TREATED.format(arms=TWO, more="").replace("HERE", "{boundaries: asOF}")
    rates = "quantity: hf_hospitalisation, summary: recurrent events, also: [cv_death], analysis: HERE"
    made.append(Trial(PEOPLE.format(patients=160) + treated + LONG + REST.format(primary=rates), BY_RATES))
    made.append(Trial(PEOPLE.format(patients=200) + STOPPED + REST.format(primary="HERE"), STOPPING))
    return made


def conducted(protocol: Protocol, pool: Pool, alike: bool) -> TrialData:
    """Return the trials of a protocol; with `alike` every arm gets what the control gets."""
    control = str(comparisons(protocol, "randomised")[0].control)
    arms = dict.fromkeys(protocol.designs["randomised"].arms, control) if alike else None
    drawn = (SharedDraws(protocol, pool, "randomised", part) for part in shards(protocol))
    return joined([DrawnDesign(draws, "randomised", arms).data("none") for draws in drawn])


def claims(data: TrialData) -> np.ndarray:
    """Return whether each trial claims what it wants to show."""
    looks = data.protocol.designs["randomised"].looks
    comparison = comparisons(data.protocol, "randomised")[0]
    if looks is None:
        rule = rule_of(data.protocol.endpoints, data.protocol.endpoints.primary)
        return np.asarray(rule.shown(analyse(data, data.protocol.endpoints.primary, comparison, level=rule.level)) == 1)
    if looks.staged:
        return np.asarray(adapted_trials(data).rejected.any(-1))
    return np.asarray(looked_trials(data, comparison).rejected)


class Counts:
    """Claims of the rows of one trial, counted some trials at a time."""

    def __init__(self, asked: dict[str, Protocol], seed: int) -> None:
        self.asked, self.seed = asked, seed
        self.first = next(iter(asked.values()))
        self.pool = pool_of(self.first, None, 1)
        self.claimed, self.lost, self.trials = dict.fromkeys(asked, 0), 0.0, 0

    def add(self, count: int) -> None:
        """Conduct more trials and count what they claim."""
        changes = {"seed": self.seed + self.trials // TOGETHER, "replicates": count}
        data = conducted(
            self.first.model_copy(update=changes), self.pool, alike=self.first.designs["randomised"].looks is not None
        )
        more = {
            name: int(claims(replace(data, protocol=protocol.model_copy(update=changes))).sum())
            for name, protocol in self.asked.items()
        }
        self.claimed = {name: self.claimed[name] + more[name] for name in more}
        self.lost += count * float((data.enrolled & np.isnan(data.day[:, :, -1])).sum() / data.enrolled.sum())
        self.trials += count


def tell(counts: list[Counts]) -> int:
    """Print the table; return how many designs without a difference are above their alpha."""
    above = 0
    for some in counts:
        error = math.sqrt(ALPHA * (1 - ALPHA) / some.trials)
        for name, count in some.claimed.items():
            share = count / some.trials
            apart = (share - ALPHA) / error
            above += apart > 3 and name not in STOPPING
            print(f"{name:<42} {share:.5f} {apart:+8.1f} errors of {error:.5f}, {some.trials} trials", flush=True)
        print(f"  {100 * some.lost / some.trials:.1f} % of patients left early or missed the last visit")
    return above


def main() -> int:
    """Count in rounds, so that a run that is stopped has counted all designs alike; print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--replicates", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=20261129)
    parser.add_argument("--only", action="append", default=[], help="rows whose names begin so")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    every = [trial.protocols(tuple(given.only)) for trial in trials()]
    counts = [Counts(asked, given.seed) for asked in every if asked]
    try:
        for begin in range(0, given.replicates, TOGETHER):
            for some in counts:
                some.add(min(TOGETHER, given.replicates - begin))
            print(
                f"{begin + TOGETHER} trials, {time.process_time():.0f} s of processor time", file=sys.stderr, flush=True
            )
    except KeyboardInterrupt:
        counts = [some for some in counts if some.trials]
    above = tell(counts)
    print(
        f"{above} designs without a difference above {ALPHA} by more than three errors; {time.process_time():.0f} s of processor time"
    )
    return int(above > 0)


if __name__ == "__main__":
    sys.exit(main())
