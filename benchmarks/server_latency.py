"""How long the server takes to answer for one person with 200 people who are like them: ``python benchmarks/server_latency.py [--requests N]``.

Each request has other labs, as when somebody types or moves a slider, and asks what becomes of 200 people over five years as they are treated now
and with one drug more. The first request, which begins the process that calculates, is told apart. Beside times of the clock stands the processor
time of the server and its processes, which says what an idle machine would take (Linux alone).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np

PEOPLE = 200
OPTIONS = ["SGLT2 inhibitor"]


def processor_seconds(parent: int) -> float:
    """Return what a process and those below it have used so far."""
    rows = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            cells = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        rows[int(path.parent.name)] = int(cells[1]), int(cells[11]) + int(cells[12])
    family = {parent}
    while more := {number for number, (above, _) in rows.items() if above in family} - family:
        family |= more
    return sum(ticks for number, (_, ticks) in rows.items() if number in family) / os.sysconf("SC_CLK_TCK")


def asked(draws: random.Random) -> dict[str, object]:
    """Return a request with labs of somebody with diabetic kidney disease."""
    labs = {
        "age": round(draws.uniform(55, 70)),
        "egfr": round(draws.uniform(40, 70)),
        "uacr": f"{draws.uniform(100, 600):.0f} mg/g",
        "hba1c": f"{draws.uniform(7.0, 9.0):.1f} %",
    }
    return {"labs": labs, "diabetes": "type 2", "options": OPTIONS, "people": PEOPLE}


def answered(address: str, body: dict[str, object]) -> float:
    """Return the seconds until a request is answered."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{address}api/patient", json.dumps(body).encode(), headers)
    began = time.perf_counter()
    with urllib.request.urlopen(request, timeout=300) as answer:
        assert len(json.load(answer)["options"]) == 1 + len(OPTIONS)
    return time.perf_counter() - began


def main(requests: int) -> None:
    """Serve, ask, and print the times."""
    draws = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "betapod", "serve", "--runs", f"{folder}/runs", "--no-browser"]
        server = subprocess.Popen([*command, "--threads", "1"], stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            address = server.stdout.readline().split()[4].rstrip(";")
            print(f"the first request {answered(address, asked(draws)):.2f} s", flush=True)
            clock, used = [], []
            for _ in range(requests):
                before = processor_seconds(server.pid)
                clock.append(1e3 * answered(address, asked(draws)))
                used.append(1e3 * (processor_seconds(server.pid) - before))
        finally:
            server.terminate()
            server.wait()
    for name, times in (("clock", clock), ("processor time", used)):
        median, late = np.quantile(times, [0.5, 0.95])
        print(f"{requests} requests for {PEOPLE} people, {name}: median {median:.0f} ms, 95 % within {late:.0f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=40)
    main(parser.parse_args().requests)
