"""WebAssembly modules that come with the package, one for each shipped model, and modules of changed or own models."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from ...base.errors import ConfigError
from ...base.files import replacing, unfit
from ...model import Model
from ...physiology import whole_body
from .wasm_build import split_module, wasm_code_of, wasm_module, wasm_outputs, wasm_text
from .wasm_facts import kernel_facts

KERNELS = Path(__file__).parent / "kernels"
JAVASCRIPT = Path(__file__).parent / "javascript"
#: The files of the JavaScript interface, which a page loads as ES modules.
MODULES = ("betapod.js", "schedules.js", "exact.js", "package.json")


def shipped_kernel(name: str) -> bytes:
    """Return the module of a shipped model, as it is in the package."""
    return (KERNELS / f"{name}.wasm").read_bytes()


def stale_kernels() -> list[str]:
    """Return the shipped models whose modules are missing, or are of other equations, values, units or labels than theirs.

    Whether the program is that which today's engine writes is not looked at; `benchmarks/ship_wasm.py` does.
    """
    return [name for name in whole_body.NAMES if not _fits(name)]


def _fits(name: str) -> bool:
    if not (KERNELS / f"{name}.wasm").is_file():
        return False
    model, facts = whole_body.named_model(name), split_module(shipped_kernel(name))[1]
    slots, workspace, digest = facts["slots"], facts["workspace"], facts["program"]
    return bool(kernel_facts(model, wasm_outputs(model), slots, workspace, digest) == facts)


def wasm_kernel(model: Model) -> bytes:
    """Return a model as a WebAssembly module that `betapod.js` runs.

    Code that a shipped module has already, such as that of a shipped model with other values, is taken from there.

    Raises
    ------
    ConfigError
        Events or functions that cannot be had, or no linker for a model of one's own.
    """
    if whole_body.NAMES.count(model.name) and model is whole_body.named_model(model.name) and _fits(model.name):
        return shipped_kernel(model.name)
    written = wasm_text(model)
    for path in sorted(KERNELS.glob("*.wasm")):
        code, facts = split_module(path.read_bytes())
        if facts["program"] == written.digest:
            return wasm_module(model, code, written)
    return wasm_module(model, wasm_code_of(written.text), written)


def write_wasm(model: Model, path: str | Path) -> list[Path]:
    """Write a model as WebAssembly, and beside it the JavaScript that runs it.

    Parameters
    ----------
    model
        A shipped model, with other values or not, or one of your own (needs LLVM's linker ``wasm-ld``).
    path
        File to write, ``NAME.wasm``; ``betapod.js`` and what it needs go into the same folder.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    ConfigError
        Events or functions that cannot be had, or no linker.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import betapod
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = betapod.write_wasm(betapod.load_model("topp2000"), Path(folder, "topp.wasm"))
    >>> [file.name for file in files]
    ['topp.wasm', 'betapod.js', 'schedules.js', 'exact.js', 'package.json']
    """
    target = Path(path)
    if problems := unfit(target, (".wasm",)):
        raise ConfigError(problems)
    content = wasm_kernel(model)
    with replacing(target) as temporary:
        temporary.write_bytes(content)
    written = [target]
    for name in MODULES:
        with replacing(target.parent / name) as temporary:
            shutil.copyfile(JAVASCRIPT / name, temporary)
        written.append(target.parent / name)
    return written


def kernel_report(name: str) -> dict[str, Any]:
    """Return the size of a shipped module: bytes, bytes compressed by gzip, and bytes of code alone."""
    import gzip

    module = shipped_kernel(name)
    code, _ = split_module(module)
    return {"name": name, "bytes": len(module), "gzip": len(gzip.compress(module, 9)), "code": len(code)}
