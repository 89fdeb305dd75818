"""Install a fit into this package, and make anew all that comes with it: people, claims, trust, lives, pages.

Run: PYTHONPATH=src python benchmarks/ship_fit.py FOLDER NAME [--although] [--nhanes FILE] [--until STEP] [--again STEP]

FOLDER holds a finished fit. Each step is a program of its own and is done once: what is done, how long it took and what it printed stands in
``FOLDER/ship``, and a run that was stopped goes on where it was. Tables and record are written whole or not at all (`betapod fit install`);
to take everything back before it is committed: ``git checkout -- src docs`` and remove ``src/betapod/physiology/fits/NAME``.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "betapod"
BETAPOD = (sys.executable, "-m", "betapod")
#: What comes with the package and is computed.
SIMULATED, TRUST, LIBRARY = (
    PACKAGE / "claims" / "claims_simulated.json",
    PACKAGE / "trust" / "trust_rows.csv",
    PACKAGE / "patients" / "profiles" / "library.npz",
)


@dataclass(frozen=True)
class Shipping:
    """What is shipped, and where it is noted."""

    folder: Path
    name: str
    although: bool
    nhanes: Path | None

    @property
    def notes(self) -> Path:
        """Folder of what is done."""
        return self.folder / "ship"

    def program(self, *command: str, into: str = "") -> None:
        """Run a program from the root of the repository; its standard output goes to a file of the notes where one is named.

        Raises
        ------
        SystemExit
            It fails.
        """
        environment = {"BETAPOD_CACHE": str(self.notes / "cache"), **os.environ, "PYTHONPATH": str(ROOT / "src")}
        out = (self.notes / into).open("wb") if into else None
        try:
            done = subprocess.run(command, cwd=ROOT, env=environment, stdout=out, check=False)
        finally:
            if out is not None:
                out.close()
        if done.returncode:
            raise SystemExit(
                f"{' '.join(command)} ended with {done.returncode}; give the command again when it is mended"
            )


def keep_before(ship: Shipping) -> None:
    """Keep verdicts, rows and people as they were."""
    shutil.copyfile(TRUST, ship.notes / "trust_before.csv")
    shutil.copyfile(LIBRARY, ship.notes / "library_before.npz")
    ship.program(*BETAPOD, "claims", "--json", into="claims_before.json")


def install(ship: Shipping) -> None:
    """Write record and tables."""
    options = ["--tables", *(["--although"] if ship.although else [])]
    ship.program(*BETAPOD, "fit", "install", str(ship.folder), ship.name, *options)


def grow(ship: Shipping) -> None:
    """Grow the people of the package under the fit, and thin them anew."""
    grown = ship.notes / "library.npz"
    ship.program(sys.executable, "benchmarks/patients/ship_library.py", "--out", str(grown))
    shutil.copyfile(grown, LIBRARY)


def choose_cohorts(ship: Shipping) -> None:
    """Choose the people of every cohort that published studies are compared with."""
    ship.program(sys.executable, "benchmarks/ship_cohorts.py")


def simulate_claims(ship: Shipping) -> None:
    """Simulate every claim, into the table that comes with the package."""
    ship.program(*BETAPOD, "claims", "simulate", "--force", "--out", str(ship.notes / "claims_simulated.json"))
    shutil.copyfile(ship.notes / "claims_simulated.json", SIMULATED)


def compare_verdicts(ship: Shipping) -> None:
    """Judge the claims under the fit, keep the verdicts with it and print those that changed."""
    ship.program(*BETAPOD, "claims", "--json", into="claims_after.json")
    before, after = (verdicts(ship.notes / f"claims_{when}.json") for when in ("before", "after"))
    changed = [(claim, before.get(claim, ""), after[claim]) for claim in after if before.get(claim) != after[claim]]
    with (ship.notes / "verdicts.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("claim", "before", "after"), *changed])
    for claim, was, now in changed:
        print(f"{claim}: {was} -> {now}")
    print(f"{len(changed)} of {len(after)} verdicts changed")
    keep_verdicts(ship.name, after)


def verdicts(path: Path) -> dict[str, str]:
    """Return verdicts by claim from the document of ``betapod claims --json``."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return {claim["id"]: claim["verdict"] for claim in content["claims"]}


def keep_verdicts(name: str, after: dict[str, str]) -> None:
    """Keep verdicts in ``fit.json``, as ``fit install --verdicts`` does of a fit that needs no tables."""
    from betapod.calibration.fit_folder import write_identity
    from betapod.physiology.installed_fits import FITS, read_fit_record

    record = read_fit_record(FITS / name)
    contents = {file: (record.folder / file).read_bytes() for file in record.identity["files"]}
    write_identity(record.folder, {**record.identity, "verdicts": after}, contents)


def deciding_numbers(ship: Shipping) -> None:
    """Put every assumed number at both ends of its range, and write the page of those that decide verdicts."""
    began = os.times()
    ship.program(*BETAPOD, "sensitivity", "claims", "--json", into="deciding.json")
    done = os.times()
    seconds = done.children_user + done.children_system - began.children_user - began.children_system
    search = os.pathsep.join(str(ROOT / folder) for folder in ("src", "tests/support"))
    page = [
        sys.executable,
        "tests/support/deciding_document.py",
        str(ship.notes / "deciding.json"),
        f"{seconds / 60:.1f}",
    ]
    subprocess.run(page, cwd=ROOT, env={**os.environ, "PYTHONPATH": search}, check=True)


def grow_typical_people(ship: Shipping) -> None:
    """Simulate the histories of typical people to today's states."""
    ship.program(sys.executable, "benchmarks/typical_people.py")


def ship_trust(ship: Shipping) -> None:
    """Confront every published number, for `betapod trust`."""
    ship.program(sys.executable, "benchmarks/ship_trust.py")


def ship_lifetime(ship: Shipping) -> None:
    """Compare lives with and without cells, for the page of the answer."""
    ship.program(sys.executable, "benchmarks/ship_lifetime.py")


def outcomes(ship: Shipping) -> None:
    """Compute deaths of control groups and of NHANES for the figure; only where the file of NHANES is given."""
    if ship.nhanes is None:
        print("no --nhanes: docs/figures/outcomes.csv and .svg stay as they are")
        return
    table = ("--nhanes", str(ship.nhanes), "--out", "docs/figures/outcomes.csv")
    ship.program(sys.executable, "benchmarks/outcomes.py", *table)
    ship.program(sys.executable, "docs/figures/draw_outcomes.py")


def pages(ship: Shipping) -> None:
    """Write generated pages anew."""
    search = os.pathsep.join(str(ROOT / folder) for folder in ("src", "tests/support"))
    for page in ("api_page", "observables_page", "switches_page"):
        subprocess.run(
            [sys.executable, f"tests/support/{page}.py"], cwd=ROOT, env={**os.environ, "PYTHONPATH": search}, check=True
        )


def wasm(ship: Shipping) -> None:
    """Write the WebAssembly of the shipped models, the people of the explorer and the native numbers of their tests anew."""
    ship.program(sys.executable, "benchmarks/ship_wasm.py")
    ship.program(sys.executable, "tests/support/wasm_cases.py")


def demo(ship: Shipping) -> None:
    """Write the demonstration, whose figure the first page shows."""
    ship.program(*BETAPOD, "demo", "--force", "--out", str(ship.notes / "demo"))
    ship.program(sys.executable, "docs/figures/draw.py", str(ship.notes / "demo" / "report.html"))


def check(ship: Shipping) -> None:
    """Say whether tables and records agree, and what of the program is not of today.

    Raises
    ------
    SystemExit
        Something does not agree.
    """
    ship.program(*BETAPOD, "doctor", "--quick")
    ship.program(
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/calibration/test_fitted_tables.py",
        "tests/claims/test_claim_simulation.py", "tests/report/test_lifetime_numbers.py", "tests/trust", "tests/patients/test_library.py",
    )  # fmt: skip


STEPS: dict[str, Callable[[Shipping], None]] = {
    "before": keep_before,
    "install": install,
    "typical people": grow_typical_people,
    "library": grow,
    "cohorts": choose_cohorts,
    "claims": simulate_claims,
    "verdicts": compare_verdicts,
    "deciding numbers": deciding_numbers,
    "trust": ship_trust,
    "lifetime": ship_lifetime,
    "wasm": wasm,
    "outcomes": outcomes,
    "demo": demo,
    "pages": pages,
    "check": check,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what is not done yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("name")
    parser.add_argument("--although", action="store_true", help="install it although there are reasons against it")
    parser.add_argument("--nhanes", type=Path, help="adults of NHANES with diabetes, for the figure of deaths")
    parser.add_argument("--until", choices=STEPS, default="check", help="last step to do")
    parser.add_argument("--again", choices=STEPS, action="append", default=[], help="do a step again; may be repeated")
    chosen = parser.parse_args(arguments)
    ship = Shipping(chosen.folder.resolve(), chosen.name, chosen.although, chosen.nhanes)
    ship.notes.mkdir(exist_ok=True)
    done_file = ship.notes / "done.json"
    done = json.loads(done_file.read_text(encoding="utf-8")) if done_file.is_file() else {}
    for step, work in STEPS.items():
        if step in done and step not in chosen.again:
            print(f"{step}: done before, in {done[step]:.0f} s", flush=True)
        else:
            print(f"{step}: {(work.__doc__ or '').partition(chr(10))[0]}", flush=True)
            began = time.perf_counter()
            work(ship)
            done[step] = round(time.perf_counter() - began, 1)
            done_file.write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8")
            print(f"{step}: {done[step]:.0f} s", flush=True)
        if step == chosen.until:
            break
    print(f"{sum(done.values()):.0f} s in all")


if __name__ == "__main__":
    main()
