"""betapod's engine against other simulators: one table, one run, the same patients, tolerances and outputs.

Runs in betapod's environment; the peers live in one of their own (see `requirements.txt`)::

    make benchmark-peers
    python benchmarks/peers/run.py --peers PYTHON_OF_THE_PEERS [--problems kidney,dkd] [--only betapod,numbalsoda] [--out FILE.md]

Fair play: rtol 1e-6 and atol 1e-9 on every state (and, to compare at equal error, betapod at tolerances by the size of states, which the
label tells), all states at all visits, set-up apart from the run, both cores where a tool has
threads and otherwise one process per core, the fastest of the repeats for everyone. One core is
measured in processor time, several by the clock (``load``: how many processes wanted to run on the machine when an entry began). Code generated for
numbalsoda, CasADi and diffrax gets patient-constant values computed beforehand; tools that read SBML compute them themselves.

Error: per patient the largest |y - ref| / (|ref| + 0.001 max|ref| + 1e-9) over visits and states against CVODE (CasADi) at rtol 1e-12; that
reference itself is compared with SciPy's Radau at rtol 1e-11.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import generate
import numpy as np

HERE = Path(__file__).resolve().parent
TIGHT = (1e-12, 1e-14)
COMPARED = 32


@dataclass(frozen=True)
class Entry:
    """A simulator, how it is used, how many patients it gets for each problem (none: not run), and what it cannot do."""

    label: str
    script: str
    variant: str = ""
    patients: dict[str, int] = field(default_factory=dict)
    ours: bool = False
    cannot: dict[str, str] = field(default_factory=dict)


def sizes(topp: int, dkd: int, meal: int, kidney: int) -> dict[str, int]:
    return {"topp": topp, "dkd": dkd, "meal": meal, "kidney": kidney}


ENTRIES = (
    Entry("betapod", "peer_betapod.py", "", sizes(16384, 4096, 256, 4096), ours=True),
    Entry("betapod, rtol 3e-6 by size", "peer_betapod.py", "size:3e-6", sizes(16384, 4096, 256, 4096), ours=True),
    Entry("betapod, rtol 1e-5 by size", "peer_betapod.py", "size:1e-5", sizes(16384, 4096, 256, 4096), ours=True),
    Entry("betapod, one patient per instruction", "peer_betapod.py", "1", sizes(4096, 1024, 64, 1024), ours=True),
    Entry("numbalsoda (LSODA)", "peer_numbalsoda.py", "", sizes(1024, 256, 16, 256)),
    Entry("CasADi (CVODES)", "peer_casadi.py", "", sizes(256, 64, 8, 64)),
    Entry("CasADi (CVODES), C compiler", "peer_casadi.py", "jit", sizes(256, 128, 8, 128)),
    # Tried with 12 GB: it writes each chain of rules out as a tree, for the kidney's rates 10^14 operations instead of 1,148.
    Entry(
        "libRoadRunner (CVODE)",
        "peer_roadrunner.py",
        "",
        sizes(512, 128, 8, 0),
        cannot={"kidney": "cannot load it: chains of rules become trees without end"},
    ),
    Entry("AMICI (CVODES, KLU)", "peer_amici.py", "", sizes(256, 64, 8, 64)),
    Entry("diffrax (Kvaerno5)", "peer_diffrax.py", "kvaerno5:map", sizes(16, 4, 0, 4)),
    Entry("diffrax (Kvaerno3, batches of 16)", "peer_diffrax.py", "kvaerno3:vmap:16", sizes(32, 16, 0, 16)),
)


def call(python: str, script: str, arguments: list[str], limit: float) -> tuple[dict[str, Any] | None, str]:
    """Run a peer script; return what it printed, or why it failed."""
    path = os.pathsep.join([str(Path(python).parent), os.environ["PATH"]])
    process = subprocess.Popen(
        [python, str(HERE / script), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PATH": path}, start_new_session=True,
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
    lines = (messages or output).strip().splitlines() or [f"exit code {process.returncode}"]
    return None, lines[-1][:160]


def errors(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return the error of each patient; infinite where it failed."""
    scale = np.abs(reference) + 1e-3 * np.abs(reference).max(axis=1, keepdims=True) + 1e-9
    error = np.abs(values - reference) / scale
    error[np.isnan(error)] = np.inf
    return error.max(axis=(1, 2))


def reference(peers: str, folder: Path, limit: float) -> tuple[np.ndarray, float]:
    """Return the tight solution of the first patients, and how far Radau is from it for one of them."""
    target = folder / "reference.npz"
    arguments = [str(folder), "--patients", str(COMPARED), "--repeats", "1", "--values", str(target)]
    arguments += ["--rtol", repr(TIGHT[0]), "--atol", repr(TIGHT[1])]
    record, wrong = call(peers, "peer_casadi.py", arguments, limit)
    if record is None:
        sys.exit(f"no reference for {folder.name}: {wrong}")
    data = np.load(target)
    return data["values"], _radau(folder.name, data["states"].tolist(), data["values"])


def _radau(name: str, states: list[str], values: np.ndarray) -> float:
    from betapod.engine.scipy.reference import simulate_by_reference as simulate

    model, visits, patients = generate.problem(name, COMPARED)
    last = COMPARED - 1
    one = generate.bare(model).with_values({key: float(column[last]) for key, column in patients.items()})
    found = simulate(one, visits, method="Radau", rtol=1e-11, atol=1e-13, outputs=states)
    return float(errors(found.table[states].to_numpy()[None], values[last : last + 1])[0])


def measure(entry: Entry, python: str, folder: Path, truth: np.ndarray, options: argparse.Namespace) -> dict[str, Any]:
    """Run one simulator on one problem, on one core and on all."""
    row: dict[str, Any] = {"label": entry.label, "ours": entry.ours, "load": os.getloadavg()[0]}
    for cores in (1, options.cores):
        target = folder / f"values-{os.getpid()}.npz"
        target.unlink(missing_ok=True)
        arguments = [str(folder), "--patients", str(entry.patients[folder.name]), "--cores", str(cores)]
        arguments += ["--repeats", str(options.repeats), "--variant", entry.variant, "--values", str(target)]
        arguments += ["--rtol", repr(options.rtol), "--atol", repr(options.atol)]
        record, wrong = call(python, entry.script, arguments, options.limit)
        if record is None:
            row["wrong"] = wrong
            break
        row["version"] = record["version"]
        # Processor time does not count what others do on a shared machine; for several cores only the clock will do.
        spent = record["processor_seconds"] if cores == 1 else record["seconds"]
        row[f"per_second_{cores}"] = record["patients"] / min(spent)
        row.setdefault("setup", record["setup"])
        row["failed"] = record["failed"]
        values = np.load(target)["values"][: len(truth)]
        error = errors(values, truth[: len(values)])
        row["median_error"], row["worst_error"] = float(np.median(error)), float(error.max())
    print(folder.name, json.dumps(row), flush=True)
    return row


def table(name: str, states: int, rows: list[dict[str, Any]], radau: float, cores: int) -> str:
    """Return the results of a problem as Markdown."""
    best = max((row.get("per_second_1", 0.0) for row in rows if not row["ours"]), default=0.0)
    lines = [
        f"### {name}: {states} states",
        "",
        f"Reference: CVODE at rtol {TIGHT[0]:g}, {radau:.0e} from Radau at rtol 1e-11.",
        "",
        f"| simulator | version | patients/s of one core | {cores} cores, by the clock | fastest peer = 1 | median error | worst error | set-up, s | load |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in sorted(rows, key=lambda row: -row.get("per_second_1", 0.0)):
        if "per_second_1" not in row:
            lines.append(f"| {row['label']} | | {row['wrong']} | | | | | | |")
            continue
        both = f"{row[f'per_second_{cores}']:,.4g}" if f"per_second_{cores}" in row else row.get("wrong", "")
        lines.append(
            f"| {row['label']} | {row['version']} | {row['per_second_1']:,.4g} | {both} | {row['per_second_1'] / best:.3g} "
            f"| {row['median_error']:.1e} | {row['worst_error']:.1e} | {row['setup']:.1f} | {row['load']:.1f} |"
        )
    return "\n".join(lines)


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", required=True, help="Python interpreter of the peers' environment")
    parser.add_argument("--problems", default=",".join(generate.NAMES))
    parser.add_argument("--only", default="", help="parts of labels, separated by commas")
    parser.add_argument("--folder", type=Path, help="where problems and compiled models are kept")
    parser.add_argument("--out", type=Path, help="Markdown file for the table")
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rtol", type=float, default=1e-6)
    parser.add_argument("--atol", type=float, default=1e-9)
    parser.add_argument("--limit", type=float, default=600.0, help="seconds for one entry")
    options = parser.parse_args()
    base = options.folder or Path(tempfile.mkdtemp(prefix="peers-"))
    chosen = [e for e in ENTRIES if not options.only or any(part in e.label for part in options.only.split(","))]
    texts = [
        f"Machine: {processor()}, {options.cores} cores. rtol {options.rtol:g}, atol {options.atol:g}; the fastest of "
        f"{options.repeats} repeats. Not measured: SciML, SimBiology, Pumas, jinko.",
    ]
    for name in options.problems.split(","):
        folder = base / name
        most = max(entry.patients[name] for entry in chosen)
        generate.generate(name, folder, max(most, COMPARED))
        truth, radau = reference(options.peers, folder, 3 * options.limit)
        print(f"{name}: reference done, {radau:.1e} from Radau", flush=True)
        rows = [
            measure(entry, sys.executable if entry.ours else options.peers, folder, truth, options)
            for entry in chosen
            if entry.patients[name]
        ]
        rows += [{"label": e.label, "ours": e.ours, "wrong": e.cannot[name]} for e in chosen if name in e.cannot]
        texts.append(table(name, truth.shape[2], rows, radau, options.cores))
        if options.out:
            options.out.parent.mkdir(parents=True, exist_ok=True)
            options.out.write_text("\n\n".join(texts) + "\n")
    print("\n\n".join(texts))


if __name__ == "__main__":
    main()
