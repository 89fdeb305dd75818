"""Kill every verb that keeps results, without warning, at random moments; continue it; compare with an undisturbed run, bit by bit.

Run with the package's own interpreter::

    python benchmarks/kill_resume.py [--kills 20] [--seed 1] [--verbs run,ensemble,confront,claims] [--pairs 2]

A run is killed again and again in one folder with one cache. Whenever a session comes to its end before it is killed, its result is
compared and the next begins with nothing. `--pairs` runs two processes at once in one folder with one cache. `kill_and_resume.py`
beside this does the same with large ensembles, and with workers of a cluster.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MODEL = """\
dx/dt = -k * x   [1/day]  falls
x(0)  = start    [1]      start value
"""
TABLE = """\
id,label,value,unit,low,high,distribution,role,source,locator,grade,note
k,k,0.1,1/day,,,"lognormal(0.1, 0.3)",assumed,,,D,
start,start,1,1,,,"uniform(0.5, 1.5)",assumed,,,D,
"""
PROTOCOL = """\
name: tiny
title: Few people
population: {size: 24}
eligibility: {UACR: {min: 30 mg/g, max: 3000 mg/g}}
patients: 40
arms:
  cells: {cells: UC-MSC 1e6/kg iv x3 q28d}
  placebo: {placebo: true}
designs: {randomised: {arms: {cells: 1, placebo: 1}}}
visits:
  - {name: enrolment, day: 0 day}
  - {name: month 3, day: 91 day, window: 10 day}
measurements: {UACR: {}, HbA1c: {}}
endpoints: {primary: {quantity: UACR, summary: ratio}}
scenarios: [none]
replicates: 4000
"""
#: What differs between two runs that are the same: times, and who ran them.
_VOLATILE = ("created", "command", "seconds_solving", "host", "seconds", "processors")


@dataclass(frozen=True)
class Verb:
    """A command in an empty folder, and what it leaves."""

    words: tuple[str, ...]
    left: Callable[[Path], list[Path]]


def below(*names: str) -> Callable[[Path], list[Path]]:
    return lambda place: sorted(path for name in names for path in (place / name).rglob("*") if path.is_file())


VERBS = {
    "run": Verb(("run", "tiny.yaml", "--out", "out", "--quiet"), below("out")),
    "ensemble": Verb(
        (
            "ensemble", "run", "small.txt", "-n", "5000", "--years", "1", "--visits", "1 month", "--shard-size", "100",
            "--out", "out", "--quiet",
        ),
        below("out"),
    ),
    "confront": Verb(
        (
            "confront", "--study", "PACKHAM2016", "--people", "4", "--draws", "1", "--threads", "1",
            "--csv", "rows.csv", "--force", "--quiet",
        ),
        lambda place: [place / "rows.csv", *below("cache/confront")(place)],
    ),
    "claims": Verb(
        ("claims", "simulate", "--out", "claims.json", "--force"),
        lambda place: [place / "claims.json", *below("cache/claims")(place)],
    ),
}  # fmt: skip


def order(verb: Verb) -> list[str]:
    return [sys.executable, "-m", "betapod", *verb.words]


def begin(place: Path) -> Path:
    # The place is always the same: a run knows the paths of its files.
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    (place / "small.txt").write_text(MODEL)
    (place / "small.csv").write_text(TABLE)
    (place / "tiny.yaml").write_text(PROTOCOL)
    return place


def start(verb: Verb, place: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "BETAPOD_CACHE": str(place / "cache")}
    return subprocess.Popen(
        order(verb), cwd=place, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen[str]) -> None:
    _, messages = process.communicate(timeout=900)
    if process.returncode or "damaged" in messages:
        sys.exit(f"the command ended with {process.returncode}:\n{messages}")


def calm(value: object) -> object:
    """Return plain values without what differs between two runs that are the same."""
    if isinstance(value, dict):
        return {name: calm(each) for name, each in value.items() if name not in _VOLATILE}
    return [calm(each) for each in value] if isinstance(value, list) else value


def digests(verb: Verb, place: Path) -> dict[str, str]:
    found = {}
    for path in verb.left(place):
        content = path.read_bytes()
        if path.suffix == ".json" and content.startswith(b"{"):
            content = json.dumps(calm(json.loads(content))).replace(str(place), "").encode()
        found[str(path.relative_to(place))] = hashlib.sha256(content).hexdigest()
    return found


def compare(verb: Verb, place: Path, expected: dict[str, str], what: str) -> None:
    found = digests(verb, place)
    left = [str(path) for path in place.rglob("*") if ".writing-" in path.name or path.name.startswith(".new-")]
    if found != expected:
        wrong = [name for name in {*found, *expected} if found.get(name) != expected.get(name)]
        sys.exit(f"{what}: DIFFERENT: {', '.join(sorted(wrong)[:10])}")
    print(
        f"  {what}: {len(found)} files bitwise equal, {len(left)} half-written files in the cache or folder", flush=True
    )


def killed(verb: Verb, base: Path, expected: dict[str, str], kills: int, luck: random.Random, length: float) -> None:
    place, done, sessions = begin(base / "work"), 0, 0
    while done < kills:
        process = start(verb, place)
        sessions += 1
        try:
            process.wait(timeout=luck.uniform(0.0, length))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            done += 1
            continue
        finish(process)
        compare(verb, place, expected, f"ended by itself after {done} kills")
        begin(place)
    finish(start(verb, place))
    compare(verb, place, expected, f"after {done} kills in {sessions} sessions")


def together(verb: Verb, base: Path, expected: dict[str, str]) -> None:
    place = begin(base / "work")
    for process in [start(verb, place), start(verb, place)]:
        finish(process)
    compare(verb, place, expected, "two processes at once")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--pairs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbs", default=",".join(VERBS))
    options = parser.parse_args()
    luck = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="kill-") as scratch:
        for name in options.verbs.split(","):
            verb, base = VERBS[name], Path(scratch) / name
            place = begin(base / "work")
            began = time.perf_counter()
            finish(start(verb, place))
            length = time.perf_counter() - began
            expected = digests(verb, place)
            print(f"{name}: undisturbed {length:.1f} s, {len(expected)} files", flush=True)
            killed(verb, base, expected, options.kills, luck, length)
            for _ in range(options.pairs):
                together(verb, base, expected)


if __name__ == "__main__":
    main()
