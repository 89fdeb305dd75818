"""Who reads what betapod writes: a table of tools and models, with the time to load and the distance after twenty years.

Runs in betapod's environment; the tools live in one of their own (`peers/requirements.txt`)::

    python benchmarks/peers_read.py --peers PYTHON_OF_THE_PEERS [--tools myokit,amici] [--models kidney] [--problem FOLDER_OF_PETAB ...]

Each tool gets the form of the file that the documentation names for it. The distance is the largest difference of a state at 21 moments from betapod's own course
at a relative tolerance of 1e-12, over the largest value of the state. Seconds are of the processor.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
YEARS, ROWS = 20.0, 21
#: Which form of the file a tool gets.
FORMS = {"roadrunner": "nested", "copasi": "default", "myokit": "default", "amici": "few", "sbmltoodejax": "plain"}
OUTPUTS = ("GFR", "UACR")


def write(name: str, folder: Path) -> None:
    """Write the files of a model, and its course."""
    import numpy as np

    import betapod
    from betapod.engine.scipy.reference import simulate_by_reference as simulate

    model = betapod.load_model(name)
    few = [output for output in OUTPUTS if output in model.assignments]
    betapod.write_sbml(model, folder / f"{name}_default.xml")
    betapod.write_sbml(model, folder / f"{name}_few.xml", outputs=few)
    betapod.write_sbml(model, folder / f"{name}_nested.xml", nested=True, outputs=few)
    betapod.write_sbml(model, folder / f"{name}_plain.xml", plain=True, outputs=few)
    times = np.linspace(0.0, YEARS * 365.25, ROWS)
    table = simulate(model, times, rtol=1e-12, atol=1e-15, outputs=list(model.state_names)).table
    table.to_csv(folder / f"{name}.csv", float_format="%.17g", index_label="time")


def call(python: str, arguments: list[str], limit: float) -> tuple[dict[str, Any] | None, str]:
    """Run a tool; return what it printed, or why it failed."""
    process = subprocess.Popen(
        [python, "-W", "ignore", str(HERE / "peers" / "read_file.py"), *arguments], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True, env={**os.environ, "PYTHONPATH": ""},
    )  # fmt: skip
    try:
        output, messages = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        return None, f"not done after {limit:g} s"
    for line in reversed(output.splitlines()):
        if line.startswith("{"):
            return json.loads(line), ""
    return None, ((messages or output).strip().splitlines() or [f"exit code {process.returncode}"])[-1][:160]


def compare_problems(problems: list[Path], python: str, folder: Path, limit: float) -> None:
    """Print llh and chi2 of problems of PEtab, ours and AMICI's."""
    import betapod

    print("| problem | llh | chi2 | AMICI's llh | its chi2 | load, s |\n|---|---:|---:|---:|---:|---:|")
    for path in problems:
        ours = betapod.evaluate_petab(betapod.read_petab(path / "problem.yaml"))
        row, wrong = call(python, ["petab", str(path / "problem.yaml"), "-", str(folder)], limit)
        theirs = f"{row['llh']:.9g} | {row['chi2']:.9g} | {row['load']:.1f}" if row else f"{wrong} | |"
        print(f"| {path.name} | {ours.llh:.9g} | {ours.chi2:.9g} | {theirs} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", required=True, help="Python interpreter of the tools' environment")
    parser.add_argument("--tools", default=",".join(FORMS))
    parser.add_argument("--models", default="metabolism,kidney,reference")
    parser.add_argument(
        "--problem", type=Path, action="append", default=[], help="folder of a problem of PEtab; repeatable"
    )
    parser.add_argument("--limit", type=float, default=600.0, help="seconds for one tool and model")
    options = parser.parse_args()
    tools = [tool for tool in options.tools.split(",") if tool]
    if unknown := [tool for tool in tools if tool not in FORMS]:
        sys.exit(f"no such tool: {', '.join(unknown)}; there are {', '.join(FORMS)}")
    with tempfile.TemporaryDirectory(prefix="peers-read-") as scratch:
        folder = Path(scratch)
        print(
            "| tool | version | form | model | load, s | 20 years, s | error | of |\n|---|---|---|---|---:|---:|---:|---|"
        )
        for name in [model for model in options.models.split(",") if model and tools]:
            write(name, folder)
            for tool in tools:
                file = folder / f"{name}_{FORMS[tool]}.xml"
                row, wrong = call(
                    options.peers, [tool, str(file), str(folder / f"{name}.csv"), str(folder)], options.limit
                )
                said = (
                    f"{row['load']:.1f} | {row['run']:.2f} | {row['error']:.1e} | {row['state']} |"
                    if row
                    else f"{wrong} | | | |"
                )
                print(f"| {tool} | {row['version'] if row else ''} | {FORMS[tool]} | {name} | {said}", flush=True)
        if options.problem:
            compare_problems(options.problem, options.peers, folder, options.limit)


if __name__ == "__main__":
    main()
