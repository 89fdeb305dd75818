"""Run one million virtual patients over 20 years into a run folder; print time, peak memory, size, accuracy and failures.

Run with the package's own interpreter::

    python benchmarks/million_patients.py [--patients 1000000] [--out FOLDER] [--keep] [-- more options of 'betapod ensemble run']
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

#: What a trial of diabetic kidney disease would look at.
OUTPUTS = "GFR,eGFR,UACR,UAER,MAP,HbA1c_from_G,nephron_number,podocytes"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=1_000_000)
    parser.add_argument("--model", default="kidney")
    parser.add_argument("--outputs", default=OUTPUTS)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--keep", action="store_true")
    options, more = parser.parse_known_args()
    folder = options.out or Path(tempfile.mkdtemp(prefix="million-")) / "run"
    order = [
        sys.executable, "-m", "betapod", "ensemble", "run", options.model, "--patients", str(options.patients),
        "--years", "20", "--visits", "6 month", "--outputs", options.outputs, "--out", str(folder), "--json",
        *(argument for argument in more if argument != "--"),
    ]  # fmt: skip
    load = os.getloadavg()[0]
    began = time.perf_counter()
    done = subprocess.run(order, stdout=subprocess.PIPE, text=True)
    elapsed = time.perf_counter() - began
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not done.stdout.strip():
        sys.exit(done.returncode)
    document = json.loads(done.stdout)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    processor = usage.ru_utime + usage.ru_stime
    print(f"cores {len(os.sched_getaffinity(0))}, load of the machine before the start {load:.1f}")
    print(f"elapsed {elapsed:.1f} s, {options.patients / elapsed:,.0f} patients/s")
    print(
        f"processor time {processor:.1f} s (of it integrating {document['seconds_solving']:.1f} s of wall time in threads)"
    )
    print(f"peak memory {usage.ru_maxrss / 1e6:.2f} GB, on disk {size / 1e9:.2f} GB")
    print(f"endings {document['status']}, events {document['events']}")
    accuracy = document["accuracy"]
    print(
        f"achieved error median {accuracy['median']:.1e}, worst {accuracy['worst']:.1e}; reproduced {accuracy['reproduced']}"
    )
    print(f"digest {document['digest']}")
    if not options.keep:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
