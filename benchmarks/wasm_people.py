"""A thousand random people in the shipped WebAssembly of the reference model, and natively: ``python benchmarks/wasm_people.py [--people N]``.

In groups of fifty: every number of a group's people is multiplied at random (2 %, `benchmarks/random_people.py`), and each group has doses,
infusions, switches and ramps of its own (`tests/support/wasm_cases.py`). Every state, equation and input at six times in twenty years is held against
the same program compiled for a processor without fused multiply-add, as WebAssembly is, and against the native engine as it runs here. Needs Node.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from betapod import Dose, Ensemble, Schedule, Switch
from betapod.engine.tolerance import absolute
from betapod.exchange.wasm.shipped_kernels import KERNELS
from betapod.exchange.wasm.wasm_build import wasm_outputs
from betapod.exchange.wasm.wasm_facts import HORIZON
from betapod.physiology import whole_body

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))
from random_people import random_people
from wasm_cases import case_of, native, run_in_node

GROUP, SHARE = 50, 0.02


def as_here(model: Any, case: dict[str, Any], outputs: list[str]) -> Any:
    """Return values (people, times, outputs) of the engine as it runs on this machine."""
    schedule = Schedule([Dose(**dose) for dose in case["doses"]], [Switch(**change) for change in case["switches"]])
    runner = Ensemble(model, outputs, atol=absolute(model, schedule, HORIZON), threads=1)
    return runner.run(case["people"], case["times"], schedule).values


def main() -> int:
    """Compare, and return how many numbers are not the same to the last bit as without fused multiply-add."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=1000)
    options = parser.parse_args()
    model = whole_body.named_model("reference")
    outputs = list(wasm_outputs(model))
    states = [outputs.index(name) for name in model.state_names]
    different = ended = 0
    apart: list[tuple[float, int, str]] = []
    errors, of_states, start = [], [], time.process_time()
    for first in range(0, options.people, GROUP):
        numbers = range(first, min(first + GROUP, options.people))
        people = {name: column.tolist() for name, column in random_people(model, numbers, SHARE, 1).items()}
        case = case_of(model, seed=first) | {"people": people}
        with tempfile.TemporaryDirectory() as folder:
            found = run_in_node({"reference": case | {"outputs": outputs}}, KERNELS, Path(folder))["reference"]
        page = np.array(found["values"], dtype=float).transpose(0, 2, 1)
        plain = np.array(native(model, case, outputs)["values"], dtype=float).transpose(0, 2, 1)
        different += int(np.sum(~((page == plain) | (np.isnan(page) & np.isnan(plain)))))
        ended += sum(person["status"] != "ok" for person in found["people"])
        here = as_here(model, case, outputs)
        # Relative to the number plus a thousandth of the largest that the quantity has: equations may pass through 0.
        scale = np.abs(here) + 1e-3 * np.nanmax(np.abs(here), axis=(0, 1)) + 1e-300
        error = np.abs(page - here) / scale
        apart += [
            (float(part.max()), first + i, outputs[int(part.max(axis=0).argmax())])
            for i, part in enumerate(np.nan_to_num(error))
        ]
        errors.append(error[np.isfinite(error)])
        error = error[:, :, states]
        of_states.append(error[np.isfinite(error)])
        print(f"{numbers.stop} people", file=sys.stderr, flush=True)
    every, state = np.concatenate(errors), np.concatenate(of_states)
    count = options.people * len(outputs) * len(case["times"])
    print(
        f"{options.people} people ({ended} ended before), {count:,} numbers, {time.process_time() - start:.0f} s of processor time"
    )
    print(f"without fused multiply-add: {different} numbers differ in any bit")
    for name, part in (("every quantity", every), ("states", state)):
        print(
            f"as the engine runs here, {name}: {100 * np.mean(part <= 1e-9):.4f} % within 1e-9, largest {part.max():.1e}"
        )
    beyond = sorted((one for one in apart if one[0] > 1e-9), reverse=True)
    print(f"{len(beyond)} people have a number that is farther apart; the farthest:")
    for far, who, name in beyond[:5]:
        print(f"  person {who}: {name}, {far:.1e}")
    return int(different > 0)


if __name__ == "__main__":
    sys.exit(main())
