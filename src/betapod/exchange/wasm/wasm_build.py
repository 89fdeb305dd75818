"""Make a WebAssembly module of a model: the same program as the native one, through LLVM's back end and the linker of LLVM."""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...base.errors import ConfigError, Location, Problem
from ...engine.compiled.driver import write_functions
from ...engine.compiled.lower import lower
from ...engine.compiled.program import Program
from ...engine.infusions import with_infusions
from ...model import Model
from .wasm_code import WasmCode
from .wasm_facts import kernel_facts

_TRIPLE = "wasm32-unknown-unknown"
#: Name of the section of a module that holds what is known of the model, as JSON.
SECTION = "betapod"
#: Functions that JavaScript has; others of the C library are refused.
PROVIDED = frozenset(
    ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh", "atan2", "fmod")
)
_STACK = 1 << 18


@dataclass(frozen=True)
class WasmText:
    """A model's program as LLVM assembly for WebAssembly.

    Attributes
    ----------
    text, digest
        The assembly, and its SHA-256: two models of one structure have the same, whatever their values.
    workspace
        Vectors of memory that a worker needs.
    parameters
        Order of a person's values.
    """

    text: str
    digest: str
    workspace: int
    parameters: tuple[str, ...]


def wasm_outputs(model: Model) -> tuple[str, ...]:
    """Return what a module reports: every state, equation and input, in this order."""
    return (*model.state_names, *model.assignments, *model.inputs)


def wasm_text(model: Model) -> WasmText:
    """Write the program of a model: every quantity reported, every input free to ramp, infusions possible into every state.

    Raises
    ------
    ConfigError
        Events that only the reference integrator does, or functions that JavaScript does not have.
    """
    infused = with_infusions(model, model.state_names)
    program: Program = lower(infused, wasm_outputs(model), model.inputs)
    code = WasmCode(1)
    module = write_functions(code, program)
    if missing := sorted(code.imported - PROVIDED):
        raise ConfigError(
            Problem(
                "unsupported-function",
                f"{model.name} uses {', '.join(missing)}, which JavaScript does not have",
                Location(model.name),
                hint="Export such a model as SBML.",
            )
        )
    text = code.text()
    return WasmText(text, hashlib.sha256(text.encode()).hexdigest(), module.workspace.size, program.parameters)


def wasm_code_of(text: str) -> bytes:
    """Return the linked module of LLVM assembly, without any section of ours.

    Raises
    ------
    ConfigError
        There is no `wasm-ld`, or it fails.
    """
    linker = _linker()
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "model.o"), Path(folder, "model.wasm")
        source.write_bytes(_object(text))
        options = ["--no-entry", "--export=worker", "--export=__heap_base", "--allow-undefined", "--strip-all"]
        options += ["--stack-first", "-z", f"stack-size={_STACK}"]
        done = subprocess.run([linker, *options, "-o", target, source], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ConfigError(Problem("linker-failed", "wasm-ld could not link the module", found=done.stderr.strip()))
        return target.read_bytes()


def _linker() -> str:
    linker = next((path for name in _LINKERS if (path := shutil.which(name))), None)
    if linker is None:
        raise ConfigError(
            Problem(
                "no-linker",
                "a model of your own becomes WebAssembly by the linker wasm-ld, which is not installed",
                hint="Install LLVM's linker, on Debian and Ubuntu: apt install lld. Models that come with betapod need none.",
            )
        )
    return linker


_LINKERS = ("wasm-ld", *(f"wasm-ld-{version}" for version in range(22, 13, -1)))


@functools.cache
def _ready() -> None:
    import llvmlite.binding as llvm

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()


def _object(text: str) -> bytes:
    import llvmlite.binding as llvm

    _ready()
    machine: Any = llvm.Target.from_triple(_TRIPLE).create_target_machine(opt=2, features="+bulk-memory")
    module = llvm.parse_assembly(text)
    module.triple = _TRIPLE
    module.data_layout = str(machine.target_data)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    code: bytes = machine.emit_object(module)
    return code


def wasm_module(model: Model, code: bytes, written: WasmText) -> bytes:
    """Return linked code with what is known of a model in a section of its own, which engines skip."""
    facts = kernel_facts(model, wasm_outputs(model), written.parameters, written.workspace, written.digest)
    body = json.dumps(facts, separators=(",", ":"), allow_nan=False).encode()
    name = SECTION.encode()
    content = bytes([len(name)]) + name + body
    return code + b"\0" + _leb128(len(content)) + content


def split_module(module: bytes) -> tuple[bytes, dict[str, Any]]:
    """Return the linked code of `wasm_module`, and what is known of its model.

    Raises
    ------
    ConfigError
        It is no such module.
    """
    name = bytes([len(SECTION)]) + SECTION.encode()
    position = 8
    while position < len(module):
        kind, (size, start) = module[position], _read_leb128(module, position + 1)
        if kind == 0 and module.startswith(name, start):
            facts: dict[str, Any] = json.loads(module[start + len(name) : start + size])
            return module[:position] + module[start + size :], facts
        position = start + size
    raise ConfigError(Problem("not-a-kernel", "the module does not hold a model of betapod"))


def _leb128(number: int) -> bytes:
    out = bytearray()
    while True:
        number, low = number >> 7, number & 127
        out.append(low | (128 if number else 0))
        if not number:
            return bytes(out)


def _read_leb128(data: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[position]
        number |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return number, position
