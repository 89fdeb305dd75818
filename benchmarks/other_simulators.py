"""Archives and SED-ML between betapod and other simulators: Tellurium, COPASI, phraSED-ML.

Tellurium and COPASI are best in an environment of their own (``pip install tellurium six copasi-basico phrasedml``), so this runs in three steps:

    python benchmarks/other_simulators.py write FOLDER      # betapod: five archives for Tellurium, three for COPASI, one of a trial
    python benchmarks/other_simulators.py compare FOLDER    # the other environment: what Tellurium and COPASI make of them, and files of phraSED-ML
    python benchmarks/other_simulators.py run FOLDER        # betapod: the files of phraSED-ML against what Tellurium made of them
"""

from __future__ import annotations

import csv
import io
import sys
import time
import zipfile
from pathlib import Path

#: Models and experiments in the languages of Antimony and phraSED-ML.
MODEL = """model decay
  compartment c = 2; species S1 in c, S2 in c; S1 = 10; S2 = 0; k1 = 0.1; k2 = 0.05;
  J0: S1 -> S2; k1*S1*c; J1: S2 -> ; k2*S2*c; A := S1 + S2; at (time > 5): k2 = 0.2;
end"""
EXPERIMENTS = {
    "course": "sim = simulate uniform(0, 20, 40)\n{tight}\nt = run sim on m\nreport t.time, t.S1, t.S2, t.A, t.J0",
    "scan": "sim = simulate uniform(0, 10, 20)\n{tight}\nt = run sim on m\n"
    "r = repeat t for k1 in uniform(0.1, 1, 3), k2 = k1*0.3, reset=true\nreport r.time, r.S1, r.k1",
    "steps": "sim = simulate onestep(0.5)\n{tight}\nt = run sim on m\n"
    "r = repeat t for k1 in [0.1, 0.5, 1, 0.2], reset=false\nreport r.time, r.S1, r.S2",
    "two": "n = model m with k2 = 0.4\nsim = simulate uniform(0, 5, 10)\n{tight}\nt = run sim on m\nu = run sim on n\n"
    "report t.time, t.S2, u.S2",
}


def write(folder: Path) -> None:
    """Write archives of betapod."""
    import numpy as np

    from betapod import Dose, Schedule, Switch, load_model, load_person, plan, write_archive, write_trial_archive

    meals = Schedule([Dose("glucose", 50.0, 1.25, 2.0, 3)])
    blockade = Schedule((), [Switch("e_ARB", 0.6, 95.0)])
    person = load_person("t2d")
    treated = plan(person.model, person.state, ["SGLT2 inhibitor"], "UC-MSC 1e6/kg iv x3 q28d")
    kidney, reference = load_model("kidney"), load_model("reference")
    year, life = np.linspace(0.0, 360.0, 37), np.linspace(0.0, 730.0, 25)
    outputs = ["GFR", "UACR", "HbA1c"]
    wanted = {
        "meals": (load_model("topp2000"), np.linspace(0.0, 20.0, 41), meals, None, ["glucose", "insulin"], False),
        "kidney nested": (kidney, year, blockade, None, outputs[:2], True),
        "metabolism nested": (load_model("metabolism"), life, Schedule(), None, ["HbA1c"], True),
        "reference nested": (reference, life, blockade, None, outputs, True),
        "cells nested": (treated.model, year, treated.schedule, person.state, outputs, True),
        "kidney": (kidney, year, blockade, None, outputs[:2], False),
        "cells": (treated.model, year, treated.schedule, person.state, outputs, False),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, (model, times, schedule, start, names, nested) in wanted.items():
        begun, path = time.process_time(), folder / f"{name}.omex"
        write_archive(model, path, times, schedule, start, names, nested=nested)
        first = path.read_bytes()
        write_archive(model, path, times, schedule, start, names, nested=nested)
        same = "the same bytes again" if first == path.read_bytes() else "OTHER BYTES"
        print(f"{name}: {len(first) / 1e6:.2f} MB, {(time.process_time() - begun) / 2:.1f} s of processor time, {same}")
    print(write_trial_archive("dn61", folder / "trial nested.omex", step=7.0, nested=True).facts)


def compare(folder: Path) -> None:
    """Compare Tellurium and COPASI with the results in the archives, and let Tellurium run files of phraSED-ML."""
    import antimony
    import libsedml
    import phrasedml

    for path in sorted(folder.glob("*.omex")):
        unpacked = folder / path.stem
        zipfile.ZipFile(path).extractall(unpacked)
        errors = libsedml.readSedMLFromFile(str(unpacked / "simulation.sedml")).getNumErrors()
        if "nested" in path.stem or path.stem == "meals":
            reports = tellurium_reports(unpacked / "simulation.sedml", unpacked)
            tables = sorted(unpacked.glob("results*.csv"))
            worst = max(difference(report, table.read_text()) for report, table in zip(reports, tables, strict=True))
            print(f"{path.stem}: libSEDML {errors} errors; Tellurium within {worst:.1e}")
        if "nested" not in path.stem:
            print(f"{path.stem}: libSEDML {errors} errors; COPASI within {copasi_difference(path):.1e}")
    antimony.loadAntimonyString(MODEL)
    (folder / "decay.xml").write_text(antimony.getSBMLString("decay"))
    phrasedml.setWorkingDirectory(str(folder))
    for name, text in EXPERIMENTS.items():
        experiment = 'm = model "decay.xml"\n' + text.format(tight="sim.algorithm.relative_tolerance = 1e-10")
        path = folder / f"{name}.sedml"
        path.write_text(phrasedml.convertString(experiment))
        [report] = tellurium_reports(path, folder)
        path.with_suffix(".tellurium.csv").write_text(report)
        print(f"{name}: written by phraSED-ML and run by Tellurium")


def tellurium_reports(path: Path, folder: Path) -> list[str]:
    """Return the reports that Tellurium makes of a SED-ML file, as CSV."""
    import tempfile

    from tellurium.sedml.tesedml import SEDMLCodeFactory

    out = Path(tempfile.mkdtemp())
    factory = SEDMLCodeFactory(
        str(path),
        workingDir=str(folder),
        createOutputs=True,
        saveOutputs=True,
        outputDir=str(out),
        plottingEngine="matplotlib",
    )
    factory.reportFormat = "csv"
    factory.executePython()
    return [report.read_text() for report in sorted(out.glob("*.csv"))]


def copasi_difference(path: Path) -> float:
    """Return the largest difference of COPASI, with the times and tolerances that it takes from an archive."""
    import basico
    import COPASI

    document = COPASI.CRootContainer.addDatamodel()
    document.openCombineArchive(str(path))
    basico.set_current_model(document)
    parameters = basico.get_parameters()
    titles = dict(zip(parameters["sbml_id"], parameters.index, strict=True))
    expected = zipfile.ZipFile(path).read("results.csv").decode()
    names = [head.split(" ")[0] for head in next(csv.reader(io.StringIO(expected)))[1:]]
    table = basico.run_time_course_with_output(
        ["Time", *(f"Values[{titles[name]}]" for name in names)], use_initial_values=True
    )
    return difference(table.to_csv(index=False), expected)


def difference(one: str, other: str) -> float:
    """Return the largest difference of two tables, relative to the second one's values."""
    [first, second] = [[[float(x) for x in row] for row in list(csv.reader(io.StringIO(t)))[1:]] for t in (one, other)]
    if len(first) != len(second):
        return float("inf")
    pairs = [(a, b) for left, right in zip(first, second, strict=True) for a, b in zip(left, right, strict=True)]
    return max(abs(a - b) / abs(b) if b else abs(a) for a, b in pairs)


def run(folder: Path) -> None:
    """Run the files of phraSED-ML, and compare with what Tellurium made of them."""
    from betapod import run_sedml

    for name in EXPERIMENTS:
        [table] = run_sedml(folder / f"{name}.sedml").reports.values()
        plain = table.drop(columns=[column for column in table.columns if column.startswith("repeat")])
        worst = difference(plain.to_csv(index=False), (folder / f"{name}.tellurium.csv").read_text())
        print(f"{name}: betapod within {worst:.1e} of Tellurium")


if __name__ == "__main__":
    steps = {"write": write, "compare": compare, "run": run}
    if len(sys.argv) != 3 or sys.argv[1] not in steps:
        sys.exit(str(__doc__))
    steps[sys.argv[1]](Path(sys.argv[2]).resolve())
