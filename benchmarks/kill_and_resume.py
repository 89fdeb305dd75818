"""Kill a run without warning at random moments, continue it each time, and compare with an undisturbed run, bit by bit.

Run with the package's own interpreter::

    python benchmarks/kill_and_resume.py [--patients 100000] [--kills 20] [--seed 1]
    python benchmarks/kill_and_resume.py --dask     # kills a worker of a Dask cluster instead, once per kill
"""

import argparse
import contextlib
import json
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

OUTPUTS = "GFR,eGFR,UACR,MAP"


def betapod(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "betapod", *arguments]


def finished(folder: Path) -> int:
    return len(list((folder / "receipts").glob("*.json")))


def digest(order: list[str]) -> str:
    done = subprocess.run([*order, "--json"], stdout=subprocess.PIPE, text=True, check=True)
    return str(json.loads(done.stdout)["digest"])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Cluster:
    """A Dask cluster of two workers on this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder, port = folder, free_port()
        self.address = f"tcp://127.0.0.1:{port}"
        self.scheduler = self.start("dask_scheduler", "--host", "127.0.0.1", "--port", str(port))
        self.workers = [self.worker(), self.worker()]

    def start(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        order = [sys.executable, "-m", f"distributed.cli.{program}", *arguments, "--no-dashboard"]
        return subprocess.Popen(order, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def worker(self) -> subprocess.Popen[bytes]:
        return self.start("dask_worker", self.address, "--nthreads", "1", "--no-nanny")

    def kill_one(self) -> None:
        self.workers[0].kill()
        self.workers[0].wait()
        self.workers = [self.workers[1], self.worker()]


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory() as scratch:
        made = Cluster(Path(scratch))
        try:
            yield made
        finally:
            for process in (*made.workers, made.scheduler):
                process.kill()
                process.wait()


def killed_and_resumed(order: list[str], folder: Path, kills: int, luck: random.Random, shards: int) -> str:
    begin = order
    for kill in range(kills):
        before = finished(folder)
        # Together the sessions must not finish the run, whatever the speed of the machine: the moment is drawn by progress.
        goal = before + luck.randrange(max(1, 2 * (shards - before) // (kills - kill + 1)))
        process = subprocess.Popen(begin, stderr=subprocess.DEVNULL)
        while finished(folder) < goal and process.poll() is None:
            time.sleep(0.001)
        time.sleep(luck.expovariate(10.0))
        ended = process.poll() is not None
        process.kill()
        process.wait()
        left = len(list(folder.rglob("*.writing-*")))
        print(
            f"kill {kill + 1}: {finished(folder) - before} shards in this session, {left} files half-written",
            flush=True,
        )
        if ended:
            print("the run had ended before the kill")
        if (folder / "manifest.json").exists():
            begin = betapod("ensemble", "resume", str(folder), "--quiet")
    print(f"{finished(folder)} of {shards} shards before the last session")
    return digest(betapod("ensemble", "resume", str(folder), "--quiet"))


def workers_killed(order: list[str], folder: Path, kills: int, luck: random.Random) -> str:
    with cluster() as made:
        process = subprocess.Popen([*order, "--cluster", made.address, "--json"], stdout=subprocess.PIPE, text=True)
        for kill in range(kills):
            before = finished(folder)
            while finished(folder) <= before and process.poll() is None:
                time.sleep(0.01)
            time.sleep(luck.uniform(0.0, 1.0))
            if process.poll() is not None:
                print("the run had ended before the kill")
                break
            made.kill_one()
            print(f"worker {kill + 1} killed after {finished(folder)} shards")
        output, _ = process.communicate()
    if process.returncode:
        sys.exit("the run failed")
    return str(json.loads(output)["digest"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=100_000)
    parser.add_argument("--shard-size", type=int, default=1_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--seconds", type=float, default=6.0, help="a session lives at most this long before it is killed"
    )
    parser.add_argument("--dask", action="store_true")
    options = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="kill-"))

    def order(folder: Path) -> list[str]:
        return betapod(
            "ensemble", "run", "kidney", "--patients", str(options.patients), "--shard-size", str(options.shard_size),
            "--outputs", OUTPUTS, "--out", str(folder), "--quiet",
        )  # fmt: skip

    began = time.perf_counter()
    undisturbed = digest(order(base / "undisturbed"))
    print(f"undisturbed: {time.perf_counter() - began:.1f} s, digest {undisturbed}")
    luck = random.Random(options.seed)
    began = time.perf_counter()
    if options.dask:
        disturbed = workers_killed(order(base / "run"), base / "run", options.kills, luck)
    else:
        disturbed = killed_and_resumed(
            order(base / "run"), base / "run", options.kills, luck, -(-options.patients // options.shard_size)
        )
    print(f"disturbed: {time.perf_counter() - began:.1f} s, digest {disturbed}")
    shutil.rmtree(base)
    print("bitwise equal" if disturbed == undisturbed else "DIFFERENT")
    sys.exit(disturbed != undisturbed)


if __name__ == "__main__":
    main()
