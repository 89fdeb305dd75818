"""Plan a run of millions of people on Dask from a run that this machine can make: cost, bytes and lost work per shard.

A cluster of this machine's own (loopback alone) computes people of a model with parts that travel back, as on machines without a shared
folder. One worker is killed on the way. The costs of a shard are measured in processor time, so a busy machine disturbs them little.

Run with the package's own interpreter::

    python benchmarks/ten_million_on_dask.py [--patients 100000] [--goal 10000000] [--model reference] [--years 10] [--workers 2]
"""

from __future__ import annotations

import argparse
import os
import pickle
import resource
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from betapod.engine.runs.execute import Progress, execute
from betapod.engine.runs.run_plan import RunPlan
from betapod.engine.runs.shard import task
from betapod.engine.runs.transport import pack
from betapod.physiology import whole_body

#: What a trial of diabetic kidney disease would look at.
OUTPUTS = ("GFR", "UACR", "MAP", "nephron_number", "podocytes", "C_peptide_fasting", "G")
YEAR = 365.25
#: For how many processors the plan is printed.
PROCESSORS = (64, 256, 1024)


def used() -> tuple[int, float, float]:
    """Return the number of a worker's process, its processor time in seconds and its largest memory in bytes."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return os.getpid(), usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024.0


class Victim:
    """Kills one worker once a third of the people is done."""

    def __init__(self, client: Any) -> None:
        self.client, self.process, self.spent, self.computed = client, 0, 0.0, 0

    def __call__(self, progress: Progress) -> None:
        """Look at the progress of the run."""
        self.computed = progress.computed
        if self.process or progress.computed < progress.total / 3:
            return
        process, self.spent, _ = next(iter(self.client.run(used).values()))
        self.process = process
        os.kill(process, signal.SIGKILL)


def main() -> None:
    """Make the run and print the plan."""
    from distributed import Client, LocalCluster

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=100_000)
    parser.add_argument("--goal", type=int, default=10_000_000)
    parser.add_argument("--model", default="reference")
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--shard-size", type=int, default=5_000)
    options = parser.parse_args()
    model = whole_body.named_model(options.model)
    outputs = tuple(name for name in OUTPUTS if name in model.names)
    times = np.arange(options.years + 1) * YEAR
    plan = RunPlan.drawn(model, options.patients, times, outputs=outputs, shard_size=options.shard_size)
    folder = Path(tempfile.mkdtemp(prefix="dask-"))
    load = os.getloadavg()[0]
    with (
        LocalCluster(options.workers, 1, host="127.0.0.1", dashboard_address=None, silence_logs=50) as cluster,
        Client(cluster) as client,
    ):
        victim = Victim(client)
        before = {process: seconds for process, seconds, _ in client.run(used).values()}
        here, began = time.process_time(), time.perf_counter()
        outcome = execute(
            plan,
            folder / "run",
            count=options.workers,
            executor=client.get_executor(),
            shared_folder=False,
            progress=victim,
        )
        elapsed, here = time.perf_counter() - began, time.process_time() - here
        after = client.run(used).values()
    spent = sum(seconds - before.get(process, 0.0) for process, seconds, _ in after)
    spent += max(0.0, victim.spent - before.get(victim.process, 0.0))
    found = [outcome.store.receipt(shard, thorough=False) for shard in range(plan.shards)]
    receipts = [receipt for receipt in found if receipt is not None]
    sizes = [sum(part.bytes for part in receipt.parts.values()) for receipt in receipts]
    status: dict[str, int] = {}
    for receipt in receipts:
        for name, count in receipt.facts["status"].items():
            status[name] = status.get(name, 0) + count
    sent = len(pickle.dumps(task(plan, pack(model), 0, "run", None)))
    shutil.rmtree(folder)
    print(
        f"{options.patients:,} people of {model.name}, {options.years} years, {len(times)} visits, {len(outputs)} outputs"
    )
    print(f"cores {len(os.sched_getaffinity(0))}, load before the start {load:.1f}, elapsed {elapsed:.1f} s")
    each, client_each, shards = spent / plan.shards, here / plan.shards, plan.shards
    print(
        f"{shards} shards of {options.shard_size:,}: {each:.2f} s of a worker's processor, {client_each:.3f} s of the client's"
    )
    print(f"a shard: {sent / 1e3:.0f} kB there, {np.mean(sizes) / 1e6:.2f} MB back (largest {max(sizes) / 1e6:.2f})")
    print(f"a worker's memory {max(memory for *_, memory in after) / 1e9:.2f} GB; endings {status}")
    print(f"one worker was killed (process {victim.process}); missing at the end: {len(outcome.missing)} shards")
    goal = -(-options.goal // options.shard_size)
    hours = goal * each / 3600
    print(
        f"{options.goal:,} people: {goal:,} shards, {hours:.1f} hours of one processor, {goal * np.mean(sizes) / 1e9:.1f} GB"
    )
    served = each / client_each
    print(
        f"one client hands out and stores for {served:.0f} workers; a killed worker costs at most two shards, {2 * each:.1f} s"
    )
    for count in PROCESSORS:
        print(f"{count} processors: {goal * max(each / count, client_each) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
