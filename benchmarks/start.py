"""How long betapod takes to start: import, help, assembly of the kidney from text, a first simulation.

Each figure is the median of several fresh processes, as a user meets them, with the least and the greatest.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

IMPORT = "import betapod"
MODEL = "from betapod.physiology import whole_body"
CASES = {
    "Python alone": ("", ""),
    "import betapod": ("", IMPORT),
    "read tables and bibliography": (MODEL, "whole_body.model_parameters('kidney')"),
    "kidney assembled, cold": (MODEL, "whole_body.named_model('kidney')"),
    "reference assembled, cold": (MODEL, "whole_body.named_model('reference')"),
    "kidney assembled again from text": (
        f"{MODEL}; from betapod.model import assemble; whole_body.named_model('kidney'); "
        "parts = whole_body.submodels('kidney'); table = whole_body.model_parameters('kidney')",
        "assemble('kidney', parts, table)",
    ),
    "kidney, 20 years, reference integrator": (
        f"{MODEL}; from betapod import simulate; kidney = whole_body.named_model('kidney')",
        "simulate(kidney, [0, 7305])",
    ),
}
COMMANDS = {
    "betapod --help": ["--help"],
    "betapod --version": ["--version"],
    "betapod params show kidney G": ["params", "show", "kidney", "G"],
    "betapod simulate kidney": ["simulate", "kidney"],
    "betapod simulate reference --person t2d": ["simulate", "reference", "--person", "t2d"],
}


def inside(before: str, statement: str) -> float:
    """Return the seconds that a statement takes in a fresh process, without the start of Python."""
    code = f"import time\n{before}\nstart = time.perf_counter()\n{statement}\nprint(time.perf_counter() - start)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


def whole(arguments: list[str]) -> float:
    """Return the seconds that a whole process takes."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
    return time.perf_counter() - start


def line(name: str, seconds: list[float]) -> str:
    """Return one line of the report."""
    median, least, greatest = statistics.median(seconds), min(seconds), max(seconds)
    return f"{name:<42} {median:8.3f} s   ({least:.3f} to {greatest:.3f})"


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7, help="fresh processes per figure")
    repeats = parser.parse_args().repeats
    for name, (before, statement) in CASES.items():
        if not statement:
            print(line("a process of Python alone", [whole(["-c", "pass"]) for _ in range(repeats)]))
            continue
        print(line(name, [inside(before, statement) for _ in range(repeats)]), flush=True)
    for name, arguments in COMMANDS.items():
        print(line(f"{name} (process)", [whole(["-m", "betapod", *arguments]) for _ in range(repeats)]), flush=True)


if __name__ == "__main__":
    main()
