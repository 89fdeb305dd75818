"""How the cost of a patient grows with patients, years, tolerance, visits and states; one core unless said otherwise.

Run with the package's own interpreter::

    python benchmarks/scaling.py [--out FILE.md]
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from betapod.base.errors import BetapodError
from betapod.base.randomness import Stream
from betapod.engine.draw import draw_parameters
from betapod.engine.ensemble import Ensemble
from betapod.exchange import read_sbml
from betapod.model import Model, ParameterTable
from betapod.physiology import whole_body

MODELS = Path(__file__).resolve().parent / "models"
YEAR = 365.25


def kidney(count: int) -> tuple[Model, dict[str, np.ndarray]]:
    """Return the kidney and patients whose mean glucose is 5 to 9 mmol/L."""
    model = whole_body.named_model("kidney")
    table = ParameterTable((*model.parameters.values(), *model.inputs.values()))
    patients = draw_parameters(table, 1, range(count))
    patients["G"] = 5.0 + 4.0 * Stream(1, "benchmark:G").uniform(range(count))
    return model, patients


def best(ensemble: Ensemble, patients: Any, times: Sequence[float] | np.ndarray, repeats: int = 3) -> tuple[float, Any]:
    """Return the shortest of some runs in seconds, of processor time where one thread works, and the result."""
    clock = time.process_time if ensemble.threads == 1 else time.perf_counter
    result = ensemble.run(patients, times)
    room, seconds = result.values, []
    for _ in range(repeats):
        began = clock()
        result = ensemble.run(patients, times, out=room)
        seconds.append(clock() - began)
    return min(seconds), result


def section(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table under a heading."""
    lines = [f"### {title}", "", "| " + " | ".join(header) + " |", "|" + "---:|" * len(header)]
    for row in rows:
        print(f"{title}: " + ", ".join(f"{name} {cell}" for name, cell in zip(header, row, strict=True)), flush=True)
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines)


def by_patients() -> Iterable[Sequence[str]]:
    for count in (8, 64, 512, 4096, 32768):
        model, patients = kidney(count)
        times = np.linspace(0, 20 * YEAR, 41)
        one, _ = best(Ensemble(model, ("GFR", "UACR"), threads=1), patients, times)
        two, _ = best(Ensemble(model, ("GFR", "UACR")), patients, times)
        yield f"{count:,}", f"{one:.4g}", f"{count / one:,.0f}", f"{count / two:,.0f}", f"{one / two:.2f}"


def by_years() -> Iterable[Sequence[str]]:
    model, patients = kidney(2048)
    for years in (0.1, 1, 5, 10, 20, 40):
        seconds, result = best(Ensemble(model, ("GFR", "UACR"), threads=1), patients, np.linspace(0, years * YEAR, 41))
        yield f"{years:g}", f"{2048 / seconds:,.0f}", f"{result.steps.mean():.1f}", f"{result.rejected.mean():.1f}"


def by_tolerance() -> Iterable[Sequence[str]]:
    model, patients = kidney(2048)
    times = np.linspace(0, 20 * YEAR, 41)
    for exponent in range(3, 10):
        rtol = 10.0**-exponent
        seconds, result = best(Ensemble(model, rtol=rtol, atol=rtol * 1e-3, threads=1), patients, times)
        error = result.achieved_error(16)
        yield (
            f"1e-{exponent}", f"{2048 / seconds:,.0f}", f"{result.steps.mean():.1f}", f"{error.median:.1e}", f"{error.worst:.1e}",
        )  # fmt: skip


def by_visits() -> Iterable[Sequence[str]]:
    model, patients = kidney(2048)
    for visits in (2, 11, 41, 241, 1001):
        seconds, result = best(Ensemble(model, ("GFR", "UACR"), threads=1), patients, np.linspace(0, 20 * YEAR, visits))
        yield f"{visits}", f"{2048 / seconds:,.0f}", f"{result.steps.mean():.1f}"


def by_states() -> Iterable[Sequence[str]]:
    made = [(name, read_sbml(MODELS / f"{name}.xml")) for name in ("topp", "dkd")]
    made += [(name, whole_body.named_model(name)) for name in whole_body.NAMES]
    for name, model in sorted(made, key=lambda pair: len(pair[1].states)):
        try:
            ensemble = Ensemble(model, threads=1)
            seconds, result = best(ensemble, 512, np.linspace(0, 10 * YEAR, 121), repeats=2)
        except BetapodError as error:
            yield name, str(len(model.states)), error.problems[0].kind, "", "", ""
            continue
        steps = float((result.steps + result.rejected).mean())
        failed = f"{len(result.failed)}"
        each = f"{seconds / 512 / steps * 1e6:.2f}"
        yield name, str(len(model.states)), f"{512 / seconds:,.0f}", f"{steps:.0f}", each, failed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only", default="", help="patients, years, tolerance, visits, states; separated by commas")
    options = parser.parse_args()
    parts = {
        "patients": lambda: section(
            "Kidney, 20 years, 41 visits: patients",
            ("patients", "s on 1 core", "patients/s, 1 core", "patients/s, all cores", "gain"),
            by_patients(),
        ),
        "years": lambda: section("Kidney, 41 visits: years", ("years", "patients/s", "steps", "rejected"), by_years()),
        "tolerance": lambda: section(
            "Kidney, 20 years, all states: tolerance (atol = rtol/1000)",
            ("rtol", "patients/s", "steps", "median error", "worst error"),
            by_tolerance(),
        ),
        "visits": lambda: section("Kidney, 20 years: visits", ("visits", "patients/s", "steps"), by_visits()),
        "states": lambda: section(
            "Models, 10 years, monthly, all states, 512 equal patients",
            ("model", "states", "patients/s", "steps tried", "microseconds per step", "failed"),
            by_states(),
        ),
    }
    chosen = options.only.split(",") if options.only else list(parts)
    load = os.getloadavg()[0]
    text = "\n\n".join([f"Load of the machine at the start: {load:.1f}.", *(parts[name]() for name in chosen)]) + "\n"
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
