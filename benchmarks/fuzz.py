"""Thousands of damaged files and odd values: no traceback, no answer of over 10 s of processor time, nothing half-written.

    python benchmarks/fuzz.py --inputs 10000

The same damage as in tests/fuzz, drawn at random instead of searched for. Each input is tried in a process that may die; an input is
named by target, number and seed, and is made again with ``--only TARGET/NUMBER``. Exit code 1 where there was a fault.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from queue import Empty, Queue

SUPPORT = Path(__file__).resolve().parents[1] / "tests" / "support"
#: Inputs of each target in a hundred: the cheap and the much used more often.
SHARES = {
    "protocol": 12, "patients": 13, "cohort": 9, "evidence": 10, "parameters": 11, "model": 12, "sbml": 10, "xport": 5, "manifest": 4,
    "library": 4, "command": 10,
}  # fmt: skip
#: When nothing has come from a process for so long, s, it hangs where Python cannot interrupt it.
DEAD = 300


def work(seed: int) -> None:
    """Answer jobs from stdin with one line of JSON each."""
    sys.path.insert(0, str(SUPPORT))
    from fuzzing.commands import try_command
    from fuzzing.judge import Hang, try_file
    from fuzzing.readers import READERS

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    seeds: dict[str, list[bytes]] = {}
    for line in sys.stdin:
        target, _, number = line.strip().partition("/")
        random_ = random.Random(f"{seed}/{target}/{number}")
        began = time.process_time()
        text = ""
        try:
            if target == "command":
                result = try_command(random_.randrange)
            else:
                if target not in seeds:
                    seeds[target] = READERS[target].seeds()
                result = try_file(READERS[target], seeds[target], random_.randrange)
        except Hang as error:
            result, text = "hang", str(error)
        except Exception as error:  # each is a finding
            result, text = "fault", str(error)
        answers.write(json.dumps([result, text, time.process_time() - began]) + "\n")
        answers.flush()


class Trial:
    """Jobs, processes that do them, and what came of it."""

    def __init__(self, jobs: list[str], seed: int) -> None:
        self.jobs: Queue[str] = Queue()
        for job in jobs:
            self.jobs.put(job)
        self.seed = seed
        self.counts: dict[str, Counter[str]] = {}
        self.faults: list[tuple[str, str, str]] = []
        self.slowest = (0.0, "")
        self.lock = threading.Lock()

    def process(self) -> subprocess.Popen[str]:
        """Start a process that works."""
        command = [sys.executable, __file__, "--worker", "--seed", str(self.seed)]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def run(self) -> None:
        """Do jobs until none is left; a process that dies or hangs is replaced."""
        process = self.process()
        while True:
            try:
                job = self.jobs.get_nowait()
            except Empty:
                break
            assert process.stdin is not None and process.stdout is not None
            watch = threading.Timer(DEAD, process.kill)
            watch.start()
            try:
                process.stdin.write(job + "\n")
                process.stdin.flush()
                line = process.stdout.readline()
            except BrokenPipeError:
                line = ""
            alive = watch.is_alive()
            watch.cancel()
            if line:
                result, text, seconds = json.loads(line)
            else:
                result, text, seconds = ("died" if alive else "hang"), f"exit code {process.wait()}", 0.0
                process = self.process()
            self.note(job, result, text, seconds)
        assert process.stdin is not None
        process.stdin.close()
        process.wait()

    def note(self, job: str, result: str, text: str, seconds: float) -> None:
        """Count a result."""
        with self.lock:
            self.counts.setdefault(job.partition("/")[0], Counter())[result] += 1
            self.slowest = max(self.slowest, (seconds, job))
            if result in ("fault", "hang", "died"):
                self.faults.append((job, result, text))
            done = sum(count.total() for count in self.counts.values())
            if done % 500 == 0:
                print(f"{done} inputs, {len(self.faults)} faults", file=sys.stderr, flush=True)


def planned(inputs: int) -> list[str]:
    """Return the jobs, spread over the targets."""
    whole = sum(SHARES.values())
    jobs = [f"{target}/{n}" for target, share in SHARES.items() for n in range(max(1, round(inputs * share / whole)))]
    random.Random(0).shuffle(jobs)
    return jobs


def main() -> int:
    """Try the inputs and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", action="append", help="TARGET/NUMBER or TARGET; may be repeated")
    parser.add_argument("--faults", type=Path, help="write every fault as JSON")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        with contextlib.suppress(KeyboardInterrupt):
            work(options.seed)
        return 0
    jobs = planned(options.inputs)
    if options.only:
        jobs = [job for job in jobs if job.partition("/")[0] in options.only] + [
            job for job in options.only if "/" in job
        ]
    trial = Trial(jobs, options.seed)
    began = time.time()
    threads = [threading.Thread(target=trial.run) for _ in range(options.workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kinds = ("read", "done", "refused", "fault", "hang", "died")
    print(f"{'target':12}" + "".join(f"{kind:>9}" for kind in kinds))
    whole: Counter[str] = Counter()
    for target in sorted(trial.counts):
        whole += trial.counts[target]
        print(f"{target:12}" + "".join(f"{trial.counts[target][kind]:9d}" for kind in kinds))
    print(f"{'all':12}" + "".join(f"{whole[kind]:9d}" for kind in kinds))
    print(
        f"{whole.total()} inputs in {time.time() - began:.0f} s; slowest {trial.slowest[0]:.1f} s of processor time: {trial.slowest[1]}"
    )
    shown: set[str] = set()
    for job, result, text in trial.faults:
        first = text.partition("\n")[0][:160]
        if first not in shown and len(shown) < 40:
            shown.add(first)
            print(f"{result} {job}: {first}")
    if options.faults:
        options.faults.write_text(json.dumps(trial.faults, indent=1), encoding="utf-8")
    return 1 if trial.faults else 0


if __name__ == "__main__":
    sys.exit(main())
