"""Make the WebAssembly modules of the shipped models that come with the package, and the typical people of the explorer.

Run: python benchmarks/ship_wasm.py (two minutes; after any change of equations, of values of tables, of typical people or of the engine);
then `python tests/support/wasm_cases.py` with src and tests/support on the path, which writes what the tests expect.

Code is compiled and linked (LLVM's `wasm-ld`, on Debian: apt install lld) only where the engine writes another program than that in the
package; where values, units or labels alone have changed, they are written anew. With --check nothing is written, and the exit code says
whether all is new.
"""

from __future__ import annotations

import sys
import time

from betapod.exchange.wasm.shipped_kernels import KERNELS, kernel_report, shipped_kernel
from betapod.exchange.wasm.wasm_build import split_module, wasm_code_of, wasm_module, wasm_text
from betapod.explorer.explorer_people import FILE, explorer_key, shipped_people, write_people
from betapod.physiology import whole_body


def main(check: bool) -> int:
    """Write the modules that are not new; return how many were not."""
    KERNELS.mkdir(exist_ok=True)
    old = 0
    for name in whole_body.NAMES:
        began = time.process_time()
        model, path = whole_body.named_model(name), KERNELS / f"{name}.wasm"
        written = wasm_text(model)
        before = shipped_kernel(name) if path.is_file() else b""
        code, facts = split_module(before) if before else (b"", {"program": ""})
        compiled = facts["program"] != written.digest
        if compiled and not check:
            code = wasm_code_of(written.text)
        after = b"" if compiled and check else wasm_module(model, code, written)
        old += after != before
        word = "compiled" if compiled else "values" if after != before else "as it was"
        if not check:
            path.write_bytes(after)
            size = kernel_report(name)
            word += f", {size['bytes']} bytes, {size['gzip']} by gzip, code {size['code']}"
        print(f"{name}: {word}, {time.process_time() - began:.1f} s", flush=True)
    if check:
        return old + (not FILE.is_file() or shipped_people()["key"] != explorer_key())
    print("people:", "grown anew" if write_people(lambda name: print(f"  {name}", flush=True)) else "as they were")
    return old


if __name__ == "__main__":
    asked_to_check = "--check" in sys.argv
    count = main(asked_to_check)
    sys.exit(1 if asked_to_check and count else 0)
