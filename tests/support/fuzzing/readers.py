"""The doors through which files and texts come in, each with files that are right and what betapod does with one."""

from __future__ import annotations

import functools
import runpy
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

PACKAGE = Path(str(resources.files("betapod")))

#: A model that is read, assembled and simulated in milliseconds.
MODEL = """reads R [mg/day]
dA/dt = R - k*A [mg/day] amount
A(0) = A0 [mg] amount at start
C = A/V [mg/L] concentration
big = logistic((C - C0)/C0) [1] above a limit
"""
PARAMETERS = """id,label,value,unit,low,high,distribution,role,source,locator,grade,note
R,infusion rate,0,mg/day,,,fixed,input,,,D,
k,elimination,0.5,1/day,0.1,2,"lognormal(0.5, 0.3)",assumed,,,D,
A0,start,10,mg,,,fixed,assumed,,,D,
V,volume,10,L,,,fixed,assumed,,,D,
C0,limit,3,mg/L,,,fixed,assumed,,,D,
"""
PATIENTS = (
    "id,age,sex,diabetes,duration [year],HbA1c [%],UACR [mg/g],eGFR,weight [kg],height [cm],SBP [mmHg],ACE inhibitor\n"
    + "".join(
        f"p{n},{50 + n},{'fm'[n % 2]},T2D,{5 + n % 9},{7 + n % 4}.{n % 10},{30 * (n + 1)},{90 - n},{80 + n},{165 + n % 20},{130 + n},{n % 2}\n"
        for n in range(12)
    )
)
EVIDENCE = """study_id,citation,doi,pmcid_or_url,year,population,design,arm,product,route,dose_cells,dose_unit,n,endpoint,timepoint_weeks,statistic,value,dispersion,dispersion_type,unit,p_value,quote,tag
ZZ1,Made-up 1,,,2024,DKD; made up,RCT; made up,ZZ low,ZZcell,IV,2e6,cells/kg,10,eGFR,52,mean,70,10,SD,mL/min/1.73m2,,made up,seen
ZZ1,Made-up 1,,,2024,DKD; made up,RCT; made up,placebo,placebo,,,,12,eGFR,52,mean,60,10,SD,mL/min/1.73m2,0.04,made up,seen
ZZ2,Made-up 2,,,2025,T2D; made up,RCT; made up,cells,ZZcell,IV,,,20,HbA1c,26,mean change,-0.8,-1.1;-0.5,CI95,%,,made up,seen
"""
PROTOCOL = (PACKAGE / "trials" / "protocol" / "library" / "packham2016.yaml").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Reader:
    """One door: right files to begin with, whether they are text, and what reads them."""

    name: str
    suffix: str
    seeds: Callable[[], list[bytes]]
    read: Callable[[Path], Any]
    text: bool = True


def _texts(*texts: str) -> Callable[[], list[bytes]]:
    return lambda: [text.encode() for text in texts]


def _protocol(path: Path) -> None:
    from betapod.trials.protocol import protocol_files

    protocol_files.find_protocol(path)


def _patients(path: Path) -> None:
    from betapod.patients.cohorts import patient_tables

    patient_tables.read_csv(path)


def _cohort(path: Path) -> None:
    from betapod.patients.cohorts import cohort_catalogue

    cohort_catalogue.read_baseline_tables(path)


def _evidence(path: Path) -> None:
    from betapod.evidence.records import registry

    registry.check_table(path)
    registry.load_registry([path])


def _parameters(path: Path) -> None:
    from betapod.model import ParameterTable

    ParameterTable.read(path)


def _model(path: Path) -> None:
    from betapod.cli.shared import model_from

    table = path.with_suffix(".csv")
    table.write_text(PARAMETERS, encoding="utf-8")
    model = model_from(str(path))
    try:
        _simulated(model)
    finally:
        table.unlink()


def _simulated(model: Any) -> None:
    import warnings

    import betapod

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        # A short time: an event that happens a million times in a second is slow, and no fault.
        betapod.simulate(model, [0.0, 1e-3])


def _sbml(path: Path) -> None:
    from betapod.exchange import read_sbml

    _simulated(read_sbml(path))


def _sbml_seeds() -> list[bytes]:
    from betapod.cli.shared import model_from
    from betapod.exchange import write_sbml

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "pk.txt").write_text(MODEL, encoding="utf-8")
        (Path(folder) / "pk.csv").write_text(PARAMETERS, encoding="utf-8")
        made = write_sbml(model_from(str(Path(folder) / "pk.txt")))
    return [made.encode() if isinstance(made, str) else bytes(made), EVENTS.encode()]


#: Two species, a reaction, an event with a delay: by hand, so that the seeds are not all of our own writing.
EVENTS = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2">
 <model id="m" timeUnits="second" extentUnits="mole" substanceUnits="mole">
  <listOfCompartments><compartment id="c" size="1" spatialDimensions="3" constant="true"/></listOfCompartments>
  <listOfSpecies>
   <species id="a" compartment="c" initialAmount="1" hasOnlySubstanceUnits="true" boundaryCondition="false" constant="false"/>
   <species id="b" compartment="c" initialConcentration="0" hasOnlySubstanceUnits="false" boundaryCondition="false" constant="false"/>
  </listOfSpecies>
  <listOfParameters><parameter id="k" value="0.7" constant="true"/><parameter id="p" value="0" constant="false"/></listOfParameters>
  <listOfRules><assignmentRule variable="p"><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><plus/><ci>a</ci><cn>1</cn></apply></math></assignmentRule></listOfRules>
  <listOfReactions><reaction id="r" reversible="false">
   <listOfReactants><speciesReference species="a" stoichiometry="1" constant="true"/></listOfReactants>
   <listOfProducts><speciesReference species="b" stoichiometry="2" constant="true"/></listOfProducts>
   <kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><ci>k</ci><ci>a</ci></apply></math></kineticLaw>
  </reaction></listOfReactions>
  <listOfEvents><event id="e" useValuesFromTriggerTime="true"><trigger initialValue="true" persistent="true">
   <math xmlns="http://www.w3.org/1998/Math/MathML"><apply><lt/><ci>a</ci><cn>0.8</cn></apply></math></trigger>
   <listOfEventAssignments><eventAssignment variable="a"><math xmlns="http://www.w3.org/1998/Math/MathML"><cn>1</cn></math></eventAssignment></listOfEventAssignments>
  </event></listOfEvents>
 </model>
</sbml>
"""


#: A cycle of the survey: what each file holds. The damaged file takes the place of the second.
SURVEY = {
    "DEMO": {"RIDAGEYR": [60, 45, 70], "RIAGENDR": [2, 1, 1], "WTMEC2YR": [1e3, 2e3, 500], "RIDSTATR": [2, 2, 2], "RIDEXPRG": [0, 0, 0]},
    "GHB": {"LBXGH": [5.4, 8.1, 7.0]},
    "DIQ": {"DIQ010": [1, 2, 1], "DID040": [50, 44, 40], "DIQ050": [2, 2, 1]},
}  # fmt: skip


def _survey(folder: Path) -> None:
    write = runpy.run_path(str(Path(__file__).parents[1] / "xport.py"))["write"]
    for name, columns in SURVEY.items():
        write(folder / f"{name}_I.XPT", {"SEQN": [1.0, 2.0, 3.0], **columns})


def _xport_seeds() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        _survey(Path(folder))
        return [(Path(folder) / "GHB_I.XPT").read_bytes()]


def _nhanes(path: Path) -> None:
    from betapod.patients.cohorts import nhanes_files

    folder = path.parent / "survey"
    folder.mkdir()
    _survey(folder)
    shutil.copy(path, folder / "GHB_I.XPT")
    nhanes_files.read_folder(folder)


@functools.cache
def _run_folder() -> Path:
    """Make one small run of an ensemble and keep it until the process ends."""
    import atexit

    from .judge import command

    home = Path(tempfile.mkdtemp(prefix="fuzz"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    (home / "pk.txt").write_text(MODEL, encoding="utf-8")
    (home / "pk.csv").write_text(PARAMETERS, encoding="utf-8")
    done = command(["ensemble", "run", "pk.txt", "-n", "6", "--years", "0.01", "--out", "run", "--quiet"], home)
    assert done.code == 0, done.stderr
    return home / "run"


def _manifest_seeds() -> list[bytes]:
    return [(_run_folder() / "manifest.json").read_bytes()]


def _manifest(path: Path) -> None:
    from .judge import command, judged

    folder = path.parent / "run"
    shutil.copytree(_run_folder(), folder)
    shutil.copy(path, folder / "manifest.json")
    verbs = (
        ["ensemble", "summary"],
        ["ensemble", "resume", "--quiet"],
        ["resume", "--quiet"],
        ["report", "--quick"],
        ["merge"],
    )
    judged(command([*verbs[sum(path.read_bytes()) % len(verbs)], str(folder)], path.parent))


def _library_seeds() -> list[bytes]:
    from betapod.patients import library

    with tempfile.TemporaryDirectory() as folder:
        return [library.default().take(list(range(6))).save(Path(folder) / "small.npz").read_bytes()]


def _library(path: Path) -> None:
    from betapod.patients import library

    library.read_library(path)


READERS: dict[str, Reader] = {
    reader.name: reader
    for reader in (
        Reader("protocol", ".yaml", _texts(PROTOCOL), _protocol),
        Reader("patients", ".csv", _texts(PATIENTS), _patients),
        Reader(
            "cohort",
            ".yaml",
            lambda: [(PACKAGE / "patients" / "profiles" / f"{name}.yaml").read_bytes() for name in ("packham", "flow")],
            _cohort,
        ),
        Reader("evidence", ".csv", _texts(EVIDENCE), _evidence),
        Reader("parameters", ".csv", _texts(PARAMETERS), _parameters),
        Reader("model", ".txt", _texts(MODEL), _model),
        Reader("sbml", ".xml", _sbml_seeds, _sbml),
        Reader("xport", ".XPT", _xport_seeds, _nhanes, text=False),
        Reader("manifest", ".json", _manifest_seeds, _manifest),
        Reader("library", ".npz", _library_seeds, _library, text=False),
    )
}
