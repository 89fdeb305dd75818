"""Ten thousand requests made up from the server's own description: how many answers are errors of the program (there may be none), and how long they took.

    python benchmarks/server_requests.py [EXAMPLES] [SEED]

EXAMPLES are requests for each address besides those at the bounds of every key (600: some ten thousand in all). Needs schemathesis.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

#: Beyond what the description can say: whether a drug, a model or a line of equations exists.
UNDESCRIBED = "positive_data_acceptance,negative_data_rejection"


def main(examples: int, seed: int) -> int:
    """Serve, ask, and return how many kinds of answers were wrong."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "betapod",
            "serve",
            "--runs",
            f"{folder}/runs",
            "--no-browser",
            "--threads",
            "1",
        ]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert server.stdout is not None
        address = server.stdout.readline().split()[4].rstrip(";")
        start = time.perf_counter()
        options = ["--checks", "all", "--exclude-checks", UNDESCRIBED, "--continue-on-failure", "--no-color"]
        options += ["--phases", "coverage,fuzzing", "--max-examples", str(examples), "--seed", str(seed)]
        options += ["--warnings", "off", "--suppress-health-check", "all", "--request-timeout", "300"]
        ask = [sys.executable, "-m", "schemathesis.cli", "run", f"{address}api/openapi.json", *options]
        done = subprocess.run(ask, cwd=folder, capture_output=True, text=True)
        seconds = time.perf_counter() - start
        alive = server.poll() is None
        trials = len(list(Path(folder, "runs").glob("*/request.json")))
        server.terminate()
        _, errors = server.communicate(timeout=60)
    count = re.search(r"(\d+) generated", done.stdout)
    if done.returncode:
        print(done.stdout)
    print(
        f"{count[1] if count else 'no'} requests in {seconds:.0f} s; {trials} trials begun; the server {'lives' if alive else 'died'}"
    )
    tracebacks = errors.count("Traceback")
    print(
        f"{'no' if not done.returncode else 'some'} answers are wrong; {tracebacks} tracebacks in the server's output"
    )
    if tracebacks:
        print(errors)
    return done.returncode or tracebacks or not alive


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]]
    sys.exit(main(*numbers, *(600, 1)[len(numbers) :]))
