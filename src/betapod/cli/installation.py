"""Examine an installation: versions, extras, processor, folders, and a simulation against known numbers."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from .. import __version__
from ..base.constants import DAYS_PER_YEAR
from ..base.cores import cores

_NEEDED = ("numpy", "scipy", "pandas", "pint", "typer", "rich", "llvmlite", "duckdb")
_EXTRAS = {
    "plot": ("matplotlib",),
    "evidence": ("pymare",),
    "stats": ("statsmodels", "lifelines", "pymare"),
    "interop": ("python-libsbml",),
    "sas": ("pyreadstat",),
    "cluster": ("dask", "distributed"),
}

#: A healthy person after ten years (golden values G1 of the kidney's specification), and the tolerance of the check.
GOLDEN = {"GFR": 97.05, "RBF": 0.9698, "MAP": 93.36, "V_E": 15.11, "UAER": 9.156, "S_cr": 0.9197, "BUN": 12.59}
TOLERANCE = 0.005


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `ok` is None where nothing depends on it."""

    what: str
    found: str
    ok: bool | None = None

    def as_dict(self) -> dict[str, object]:
        """Return the finding as plain values."""
        return asdict(self)


def examine(simulate: bool = True) -> list[Finding]:
    """Return everything found.

    Parameters
    ----------
    simulate
        Whether the kidney is simulated and compared with known numbers (two seconds).
    """
    findings = [
        Finding("betapod", __version__),
        Finding("Python", f"{platform.python_version()} at {sys.executable}", sys.version_info >= (3, 11)),
        Finding("system", platform.platform()),
        *(_package(name) for name in _NEEDED),
        *(_extra(name, packages) for name, packages in _EXTRAS.items()),
        Finding("cores", f"{cores()} usable"),
        _processor(),
        _writable("working folder", Path.cwd()),
        _writable("temporary folder", Path(tempfile.gettempdir())),
        _cache_folder(),
    ]
    return [*findings, _self_test()] if simulate else findings


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _package(name: str) -> Finding:
    version = _version(name)
    return Finding(name, version or "not installed", version is not None)


def _extra(name: str, packages: tuple[str, ...]) -> Finding:
    found = {package: _version(package) for package in packages}
    if all(found.values()):
        return Finding(f"extra {name}", ", ".join(f"{package} {version}" for package, version in found.items()), True)
    return Finding(f"extra {name}", f'not installed; pip install "betapod[{name}]"')


def _processor() -> Finding:
    """Tell how many numbers of 64 bits the processor computes at once."""
    try:
        from llvmlite import binding

        features = {name for name, present in binding.get_host_cpu_features().items() if present}
        name = binding.get_host_cpu_name()
    except Exception as error:
        return Finding("vector width", f"unknown: {error}")
    if "avx512f" in features:
        width, kind = 8, "AVX-512"
    elif "avx2" in features:
        width, kind = 4, "AVX2"
    elif features & {"sse2", "neon", "asimd"} or platform.machine() in ("arm64", "aarch64"):
        width, kind = 2, "128 bits"
    else:
        width, kind = 1, "none"
    fused = ", fused multiply-add" if features & {"fma", "neon", "asimd"} or "avx512f" in features else ""
    return Finding("vector width", f"{width} doubles ({kind}{fused}), {name}", True)


def _writable(what: str, folder: Path) -> Finding:
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Finding(what, f"{folder}: cannot be written to ({(error.strerror or str(error)).lower()})")
    return Finding(what, str(folder), True)


def _cache_folder() -> Finding:
    """Look at the folder for compiled models without creating it."""
    from ..base.cache import folder as cache_folder

    folder = existing = cache_folder()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    usable = os.access(existing, os.W_OK)
    return Finding(
        "cache folder", f"{folder}{'' if usable else ' (not writable: models are compiled anew)'}", usable or None
    )


def _self_test() -> Finding:
    """Simulate a healthy person for ten years and compare with known numbers."""
    try:
        from ..engine.scipy.reference import simulate
        from ..physiology import whole_body

        started = time.perf_counter()
        model = whole_body.model("kidney")
        assembled = time.perf_counter()
        result = simulate(model, [0.0, 10 * DAYS_PER_YEAR], outputs=list(GOLDEN))
        done = time.perf_counter()
    except Exception as error:
        return Finding("self-test", f"{type(error).__name__}: {error}", False)
    row = result.table.iloc[-1]
    deviations = {name: abs(float(row[name]) / golden - 1) for name, golden in GOLDEN.items()}
    worst = max(deviations, key=lambda name: deviations[name])
    found = (
        f"kidney, 10 years: largest deviation {deviations[worst]:.3%} ({worst}; tolerance {TOLERANCE:.1%}); "
        f"assembly {assembled - started:.2f} s, simulation {done - assembled:.2f} s"
    )
    return Finding("self-test", found, deviations[worst] <= TOLERANCE)
