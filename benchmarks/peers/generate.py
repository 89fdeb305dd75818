"""Write a benchmark problem in a form that every simulator can be fed with.

Runs in betapod's environment. A problem folder holds

- ``model.xml``: SBML, for the tools that read it;
- ``program.json``: the rates as straight-line code, for the tools that take functions (see `harness.source`);
- ``problem.npz``: visits, patients' parameters, initial states, and the patient-constant values, which the straight-line code gets as
  further parameters: every user would compute them beforehand.

All states are reported at all visits. The kidney goes through our own SBML export, without the equations that no rate needs and without
its terminal event.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from betapod.model import Model

HERE = Path(__file__).resolve().parent
MODELS = HERE.parent / "models"
NAMES = ("topp", "dkd", "meal", "kidney")
#: Up to diabetes, but few lose their kidneys, which the peers would go on to simulate: mean glucose of the patients, mmol/L.
GLUCOSE = (5.0, 9.0)
KIDNEY_YEARS, KIDNEY_VISITS = 20.0, 41


def problem(name: str, count: int, seed: int = 20240501) -> tuple[Model, np.ndarray, dict[str, np.ndarray]]:
    """Return the model, the visits in days and the patients."""
    if name == "kidney":
        from betapod.base.randomness import Stream
        from betapod.engine.draw import draw_parameters
        from betapod.model import ParameterTable
        from betapod.physiology import whole_body

        model = whole_body.named_model("kidney")
        table = ParameterTable((*model.parameters.values(), *model.inputs.values()))
        patients = draw_parameters(table, 1, range(count))
        low, high = GLUCOSE
        patients["G"] = low + (high - low) * Stream(1, "benchmark:G").uniform(range(count))
        return model, np.linspace(0.0, KIDNEY_YEARS * 365.25, KIDNEY_VISITS), patients
    from betapod.exchange import read_sbml

    given = json.loads((MODELS / "variation.json").read_text())[name]
    model = read_sbml(MODELS / f"{name}.xml")
    spread = np.array(list(given["spread"].values()))
    deviates = np.random.default_rng(seed).standard_normal((count, len(spread))).clip(-2.5, 2.5)
    deviates[0] = 0.0
    typical = np.array([model.values()[parameter] for parameter in given["spread"]])
    values = typical * np.exp(spread * deviates)
    return model, np.linspace(0.0, given["end_day"], given["visits"]), dict(zip(given["spread"], values.T, strict=True))


def bare(model: Model) -> Model:
    """Return the model without events and without equations that no rate needs."""
    from betapod.model.algebra.expression import free_symbols
    from betapod.model.assembly.model import Implicit

    def names(local: Any) -> list[str]:
        roots = [local.left, local.right, local.start] if isinstance(local, Implicit) else [local]
        return free_symbols(roots)

    needed: set[str] = set()
    waiting = [name for state in model.states for e in (state.local_rate, state.local_initial) for name in names(e)]
    while waiting:
        name = waiting.pop()
        if name in model.assignments and name not in needed:
            needed.add(name)
            waiting.extend(names(model.assignments[name].local))
    kept = {name: value for name, value in model.assignments.items() if name in needed}
    return replace(model, assignments=kept, events=(), parts=())


def program(model: Model) -> tuple[dict[str, Any], list[Any], list[str]]:
    """Return the rates as straight-line code, with the patient-constant expressions and their names."""
    from betapod.model.algebra.evaluate import split_constants
    from betapod.model.algebra.expression import topological

    constants, names, rates = split_constants([state.rate for state in model.states], list(model.values()))
    order = topological(rates)
    number = {node: index for index, node in enumerate(order)}
    nodes = [
        [node.op, [number[arg] for arg in node.args], None if node.op == "solve" else node.value] for node in order
    ]
    return (
        {"states": list(model.state_names), "nodes": nodes, "rates": [number[rate] for rate in rates]},
        constants,
        names,
    )


def columns(model: Model, expressions: list[Any], patients: dict[str, np.ndarray], count: int) -> np.ndarray:
    """Evaluate expressions in parameters for all patients, shape (patients, expressions)."""
    from betapod.model.algebra.evaluate import compile_function

    values = {name: np.full(count, value) for name, value in model.values().items()} | patients
    compute = compile_function(expressions, [list(values)], array=True)
    with np.errstate(all="ignore"):
        found = compute(list(values.values()))
    return np.stack([np.broadcast_to(np.asarray(column, float), count) for column in found], axis=1)


def generate(name: str, folder: Path, count: int) -> None:
    """Write a problem for this many patients."""
    from betapod.exchange import read_sbml, write_sbml

    model, visits, patients = problem(name, count)
    folder.mkdir(parents=True, exist_ok=True)
    if name == "kidney":
        write_sbml(bare(model), folder / "model.xml")
    else:
        (folder / "model.xml").write_bytes((MODELS / f"{name}.xml").read_bytes())
    seen = read_sbml(folder / "model.xml")
    assert set(seen.state_names) == set(model.state_names), "the export has other states"
    code, constants, names = program(seen)
    (folder / "program.json").write_text(json.dumps(code | {"constants": names}))
    order = [model.state_names.index(state) for state in seen.state_names]
    initial = columns(model, [model.states[i].initial for i in order], patients, count)
    constant = columns(seen, constants, patients, count)
    np.savez(
        folder / "problem.npz",
        visits=visits,
        names=np.array(list(patients)),
        values=np.stack(list(patients.values()), axis=1),
        states=np.array(seen.state_names),
        initial=initial,
        constants=constant,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problem", choices=NAMES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--patients", type=int, default=2048)
    options = parser.parse_args()
    generate(options.problem, options.folder, options.patients)
