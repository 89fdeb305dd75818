"""Examine an installation: packages, programs, compiler, folders, a simulation against known numbers; and how to get what is missing."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from .. import __version__
from ..base.constants import DAYS_PER_YEAR
from ..base.cores import cores
from ..base.errors import BetapodError
from ..base.nouns import bytes_text, with_noun

#: Packages that betapod needs, and those of each extra with what it is for; a test compares them with the project's own list.
NEEDED = (
    *("numpy", "scipy", "pandas", "pint", "typer", "rich", "llvmlite", "duckdb", "ruamel.yaml", "pydantic", "jinja2"),
)
EXTRAS = {
    "plot": (("matplotlib",), "figures and reports"),
    "interop": (("python-libsbml",), "SBML"),
    "cellml": (("libcellml",), "models in CellML"),
    "evidence": (("pymare",), "pooled estimates and claims"),
    "stats": (("statsmodels", "lifelines", "pymare"), "mixed models, Cox regression with covariates"),
    "excel": (("openpyxl",), "tables as an Excel workbook"),
    "server": (("fastapi", "uvicorn"), "the explorer with trials and your own models behind it"),
    "sas": (("pyreadstat",), "SAS transport files of version 8"),
    "cdisc": (("pyreadstat",), "trials as SAS transport files of CDISC"),
    "cluster": (("dask", "distributed"), "ensembles on a Dask cluster"),
}


@dataclass(frozen=True)
class ExternalProgram:
    """A program that betapod's files are for: names of its command, what it is for, and its package by package manager."""

    commands: tuple[str, ...]
    purpose: str
    packages: dict[str, str]


PROGRAMS = {
    "Graphviz": ExternalProgram(
        ("dot",),
        "diagrams of 'model export --as dot'",
        {"apt": "graphviz", "dnf": "graphviz", "brew": "graphviz", "winget": "Graphviz.Graphviz"},
    ),
    "TeX": ExternalProgram(
        ("pdflatex", "xelatex", "lualatex", "tectonic"),
        "equations of 'model export --as latex' as PDF",
        {"apt": "texlive-latex-extra", "dnf": "texlive-scheme-basic", "brew": "tectonic", "winget": "MiKTeX.MiKTeX"},
    ),
    "Chromium": ExternalProgram(
        ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge"),
        "reports printed to PDF from the command line, tests of pages",
        {"apt": "chromium", "dnf": "chromium", "brew": "--cask chromium", "winget": "Google.Chrome"},
    ),
}
#: Free space below which a run may fail: the demonstration and its pool take about a tenth of it.
_LITTLE_SPACE = 2e9

#: A healthy person after ten years (golden values G1 of the kidney's specification), and the tolerance of the check.
GOLDEN = {"GFR": 99.36, "RBF": 0.9944, "MAP": 93.14, "V_E": 15.05, "UAER": 9.104, "S_cr": 0.8409, "BUN": 12.29}
TOLERANCE = 0.005
_FIT_AGAIN = "reinstall betapod, or fit again with the tables of today: betapod fit run body --out FOLDER"
_REPORT = "reinstall betapod in a new environment; if it stays so, report it with the output of 'betapod doctor --json'"


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes
    ----------
    ok
        None where nothing that betapod needs depends on it.
    get
        How to get what is missing, or to mend what is wrong.
    """

    what: str
    found: str
    ok: bool | None = None
    get: str = ""

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
        _python(),
        Finding("system", platform.platform()),
        *(_package(name) for name in NEEDED),
        *(_extra(name, packages, purpose) for name, (packages, purpose) in EXTRAS.items()),
        *(_program(name, program) for name, program in PROGRAMS.items()),
        Finding("cores", f"{cores()} usable"),
        _processor(),
        _compiler(),
        _writable("working folder", Path.cwd()),
        _writable("temporary folder", Path(tempfile.gettempdir())),
        _cache_folder(),
        _space(),
        _fit(),
    ]
    return [*findings, _self_test()] if simulate else findings


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _package(name: str) -> Finding:
    version = _version(name)
    if version is None:
        return Finding(name, "not installed", False, f"pip install {name}")
    return Finding(name, version, True)


def _extra(name: str, packages: tuple[str, ...], purpose: str) -> Finding:
    versions = {package: _version(package) for package in packages}
    if all(versions.values()):
        return Finding(
            f"extra {name}", ", ".join(f"{package} {version}" for package, version in versions.items()), True
        )
    lacking = ", ".join(package for package, version in versions.items() if version is None)
    return Finding(f"extra {name}", f"{lacking} not installed ({purpose})", get=f'pip install "betapod[{name}]"')


def _python() -> Finding:
    good = sys.version_info >= (3, 11)
    get = "" if good else "install Python 3.11 or later, then betapod in a new environment"
    return Finding("Python", f"{platform.python_version()} at {sys.executable}", good, get)


def _program(name: str, program: ExternalProgram) -> Finding:
    """Look for a program; betapod itself runs without it."""
    command = next((path for candidate in program.commands if (path := shutil.which(candidate))), None)
    if command is not None:
        return Finding(name, command, True)
    return Finding(name, f"not found ({program.purpose})", get=_install(program.packages))


def _install(packages: dict[str, str]) -> str:
    """Return the command of the package manager that this machine has; of all of them where it has none."""
    managers = {
        "apt": "sudo apt install",
        "dnf": "sudo dnf install",
        "brew": "brew install",
        "winget": "winget install",
    }
    commands = {name: f"{command} {packages[name]}" for name, command in managers.items()}
    available = [command for name, command in commands.items() if shutil.which(name)]
    return available[0] if available else ", or ".join(commands.values())


def _compiler() -> Finding:
    """Look whether models can be compiled for this processor."""
    try:
        from llvmlite import binding

        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
        target = binding.Target.from_default_triple()
        version = ".".join(str(number) for number in binding.llvm_version_info)
    except Exception as error:
        get = "pip install --force-reinstall llvmlite"
        return Finding("compiler", f"LLVM cannot compile: {error}", False, get)
    return Finding("compiler", f"LLVM {version}, {target.name}", True)


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


def _writable(title: str, folder: Path) -> Finding:
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return Finding(
            title, f"{folder}: cannot be written to ({reason})", get="work in another folder, or name files with --out"
        )
    return Finding(title, str(folder), True)


def _cache_folder() -> Finding:
    """Look at the folder for compiled models without creating it."""
    from ..base.cache import folder as cache_folder

    folder = existing = cache_folder()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    usable = os.access(existing, os.W_OK)
    if not usable:
        text = f"{folder} (not writable: models are compiled anew in every command)"
        return Finding("cache folder", text, get="set BETAPOD_CACHE to a folder of your own")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0
    return Finding("cache folder", f"{folder} ({bytes_text(size)})", True)


def _space() -> Finding:
    """Look how much room there is for runs."""
    free = shutil.disk_usage(Path.cwd()).free
    enough = free >= _LITTLE_SPACE
    get = "" if enough else "free some space, or work on another disk; 'betapod trial check' says what a run takes"
    return Finding("disk", f"{bytes_text(free)} free in the working folder", True if enough else None, get)


def _fit() -> Finding:
    """Look whether the tables are what the newest fit wrote into them, and the model the one that it was made of."""
    try:
        from ..calibration.install_fit import interrupted_installations
        from ..calibration.installed_tables import edited_tables
        from ..physiology.installed_fits import list_fits, load_fit
        from ..physiology.whole_body import named_model

        if half := interrupted_installations():
            get = f"give the command again: betapod fit install FOLDER {half[0]}"
            return Finding("fit", f"the installation of {half[0]} was interrupted", False, get)
        edited, names = edited_tables(), list_fits()
        if edited:
            text = (
                f"{edited[0].message}: {edited[0].found} for {edited[0].expected}"
                if edited[0].expected
                else edited[0].message
            )
            more = f", and {len(edited) - 1} more" if len(edited) > 1 else ""
            return Finding("fit", f"{text}{more} ({edited[0].location})", False, _FIT_AGAIN)
        if not names:
            return Finding("fit", "none is installed: parameters are as they were tuned by hand")
        fit = load_fit(names[-1])
        model = fit.identity.get("model")
        if model is not None and model != named_model("reference").fingerprint:
            return Finding("fit", f"{fit.name} is older than the model: equations were changed since", None, _FIT_AGAIN)
        where = "its values are in the tables" if fit.identity.get("in tables") else "the tables do not have its values"
        return Finding("fit", f"{fit.name}: {with_noun(len(fit.unknowns), 'unknown')}, {where}", True)
    except BetapodError as error:
        return Finding("fit", str(error).partition("\n")[0], False, "reinstall betapod")


def _self_test() -> Finding:
    """Simulate a healthy person for ten years and compare with known numbers."""
    try:
        from ..engine.scipy.reference import simulate_by_reference as simulate
        from ..physiology import whole_body
        from ..physiology.hand_tuned import hand_tuned

        started = time.perf_counter()
        # The known numbers are of the equations with the values that no fit has moved.
        model = hand_tuned(whole_body.named_model("kidney"))
        assembled = time.perf_counter()
        result = simulate(model, [0.0, 10 * DAYS_PER_YEAR], outputs=list(GOLDEN))
        done = time.perf_counter()
    except Exception as error:
        return Finding("self-test", f"{type(error).__name__}: {error}", False, _REPORT)
    row = result.table.iloc[-1]
    deviations = {name: abs(float(row[name]) / golden - 1) for name, golden in GOLDEN.items()}
    worst = max(deviations, key=lambda name: deviations[name])
    text = (
        f"kidney, 10 years: largest deviation {deviations[worst]:.3%} ({worst}; tolerance {TOLERANCE:.1%}); "
        f"assembly {assembled - started:.2f} s, simulation {done - assembled:.2f} s"
    )
    good = deviations[worst] <= TOLERANCE
    return Finding("self-test", text, good, "" if good else _REPORT)
