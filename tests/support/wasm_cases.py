"""What shipped WebAssembly modules must give: people, doses and switches for each model, with the native engine's numbers.

Run `python tests/support/wasm_cases.py` after `benchmarks/ship_wasm.py`, with src and tests/support on the path (a minute): it writes
tests/exchange/wasm/native_numbers.json. The numbers are those of the same program compiled for this processor without fused
multiply-add, which WebAssembly does not have: they must be met to the last bit.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from betapod import Dose, Ensemble, Schedule, Switch
from betapod.engine import ensemble
from betapod.engine.compiled import kernel
from betapod.engine.compiled.machine import processor
from betapod.engine.infusions import as_switches, with_infusions
from betapod.engine.tolerance import absolute
from betapod.exchange.wasm.wasm_facts import HORIZON
from betapod.model import Model
from betapod.physiology import whole_body

FILE = Path(__file__).parents[1] / "exchange" / "wasm" / "native_numbers.json"
PEOPLE = 3
#: Days of the visits, as shares of the whole; minutes count in the fast models.
_SHARES = (0.0, 0.01, 0.05, 0.2, 0.5, 1.0)
_SPANS = {"metabolism_fast": 1.0, "metabolism_clamp": 0.5, "topp2000": 400.0}


def case_of(model: Model, seed: int = 1) -> dict[str, Any]:
    """Return what JavaScript is asked: people who differ, doses at once and over time, switches at once and as ramps."""
    rng, span = np.random.default_rng(seed), _SPANS.get(model.name, 7300.0)
    own = model.values()
    pick = rng.choice([name for name in model.parameters if own[name] > 0], min(12, len(model.parameters)), False)
    people = {str(name): (own[name] * np.exp(rng.normal(0, 0.02, PEOPLE))).tolist() for name in pick}
    switches = []
    free = [row for row in model.inputs.values() if np.isfinite([row.low, row.high]).all() and row.low < row.high]
    for place, k in enumerate(rng.choice(len(free), min(4, len(free)), False)):
        row = free[k]
        value = row.value + 0.25 * (float(rng.uniform(row.low, row.high)) - row.value)
        value = float(round(value)) if row.id.startswith("sw_") else value
        time, width = round(0.4 * span * float(rng.uniform()), 2), round(0.02 * span, 2) * (place % 2)
        switches.append({"input": row.id, "value": value, "time": time, "width": width})
    start = model.initial_values()
    doses = []
    positive = [name for name, value in start.items() if value > 0]
    for place, name in enumerate(rng.choice(positive if len(positive) > 1 else list(start), 2, False)):
        length = round(0.01 * span, 2) * place
        doses.append(_dose(str(name), 0.03 * abs(start[str(name)]), round(0.1 * span, 2), round(0.1 * span, 2), length))
    if "N_L" in start:
        doses += [_dose("N_L", 60.0, 0.0, 28.0), _dose("N_S", 10.0, 100.0, 28.0, 0.5)]
    return {"times": [share * span for share in _SHARES], "people": people, "doses": doses, "switches": switches}


def _dose(state: str, amount: float, time: float, ii: float, duration: float = 0.0) -> dict[str, Any]:
    return {"state": state, "amount": amount, "time": time, "ii": ii, "addl": 2, "duration": duration}


def native(model: Model, case: dict[str, Any], outputs: list[str]) -> dict[str, Any]:
    """Return what the native engine gives with the same program: outputs (people, outputs, times), endings, steps."""
    end = case["times"][-1]
    given = Schedule([Dose(**dose) for dose in case["doses"]], [Switch(**change) for change in case["switches"]])
    atol = absolute(model, given, HORIZON)
    plain = as_switches(model, given, end)
    # Ramps after the end, so that the program is the one in which every input may ramp.
    free = [Switch(name, row.value, 2 * end, 1.0) for name, row in model.inputs.items()]
    schedule = Schedule(plain.doses, (*plain.switches, *free))
    with without_fused():
        runner = Ensemble(with_infusions(model, model.state_names), outputs, atol=atol, width=1, threads=1)
        result = runner.run(case["people"], case["times"], schedule)
    values = [[[_text(x) for x in column] for column in person.T] for person in result.values]
    return {"values": values, "steps": result.steps.tolist(), "status": result.status.tolist()}


def _text(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


@contextmanager
def without_fused() -> Iterator[None]:
    """Compile as for a processor that neither joins products to sums nor takes small numbers as 0, with functions of 2 ulp."""
    plain = dataclasses.replace(processor(), fused=False, scales=False, flushes=False)
    before, kernel.processor = kernel.processor, lambda: plain  # type: ignore[assignment]
    quick, ensemble.QUICK = ensemble.QUICK, math.inf
    try:
        yield
    finally:
        kernel.processor, ensemble.QUICK = before, quick


def run_in_node(cases: dict[str, Any], folder: Path, scratch: Path) -> dict[str, Any]:
    """Run cases by model in Node, with the modules of a folder; skips where there is no Node."""
    import shutil
    import subprocess

    import pytest

    from betapod.exchange.wasm.shipped_kernels import JAVASCRIPT

    node = shutil.which("node")
    if node is None:
        pytest.skip("needs Node")
    file = scratch / "cases.json"
    file.write_text(json.dumps(cases), encoding="utf-8")
    command = [node, Path(__file__).with_name("run_wasm.mjs"), JAVASCRIPT / "betapod.js", file, folder]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def shown_outputs(model: Model) -> list[str]:
    """Return the outputs whose numbers are kept: some states, some equations."""
    states, equations = list(model.state_names), list(model.assignments)
    return [*states[:: max(1, len(states) // 8)], *equations[:: max(1, len(equations) // 6)]]


def main() -> None:
    """Write the file."""
    from betapod.exchange.wasm.shipped_kernels import shipped_kernel
    from betapod.exchange.wasm.wasm_build import split_module, wasm_outputs

    kept = json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}
    made = {}
    for name in whole_body.NAMES:
        model, facts = whole_body.named_model(name), split_module(shipped_kernel(name))[1]
        # Of all outputs, so that the program is the very same.
        everything, shown = list(wasm_outputs(model)), shown_outputs(model)
        case = case_of(model)
        about = {"program": facts["program"], "parameters": facts["parameters"], "case": case, "shown": shown}
        mark = _mark(about)
        if name not in kept or kept[name]["mark"] != mark:
            result = native(model, case, everything)
            places = [everything.index(output) for output in shown]
            result["values"] = [[person[k] for k in places] for person in result["values"]]
            kept[name] = {"mark": mark, **case, "outputs": shown, "native": result}
            print(f"{name}: computed", flush=True)
        made[name] = kept[name]
        FILE.write_text(json.dumps(made, separators=(",", ":")) + "\n", encoding="utf-8")


def _mark(about: dict[str, Any]) -> str:
    import hashlib

    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


if __name__ == "__main__":
    main()
