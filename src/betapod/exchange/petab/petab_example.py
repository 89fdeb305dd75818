"""A small problem of PEtab to begin with; its measurements are invented."""

from __future__ import annotations

from pathlib import Path

from ...base.atomic import write_atomic, writing
from ...base.errors import ConfigError, Location, Problem
from ...model import Parameter, ParameterTable, Part, assemble
from ..sbml.write import write_sbml

_PROBLEM = """format_version: 1
parameter_file: parameters.tsv
problems:
  - sbml_files: [model.xml]
    condition_files: [conditions.tsv]
    observable_files: [observables.tsv]
    measurement_files: [measurements.tsv]
"""
_ROWS: dict[str, list[tuple[object, ...]]] = {
    "parameters.tsv": [
        ("parameterId", "parameterScale", "lowerBound", "upperBound", "nominalValue", "estimate"),
        ("k", "log10", 0.001, 10, 0.3, 1),
        ("high", "lin", 0, 100, 20, 0),
        ("error", "log", 0.01, 10, 0.5, 1),
    ],
    "conditions.tsv": [("conditionId", "A0"), ("low_dose", 10), ("high_dose", "high")],
    "observables.tsv": [("observableId", "observableFormula", "noiseFormula"), ("amount", "A", "error")],
    "measurements.tsv": [
        ("observableId", "simulationConditionId", "time", "measurement"),
        ("amount", "low_dose", 1, 6.2),
        ("amount", "low_dose", 2, 3.5),
        ("amount", "low_dose", 4, 1.4),
        ("amount", "high_dose", 1, 11.8),
        ("amount", "high_dose", 2, 7.6),
        ("amount", "high_dose", 4, 2.5),
    ],
}


def write_petab_example(folder: str | Path) -> Path:
    """Write the files of a small problem into a new folder: a drug that is lost, at two doses.

    Returns
    -------
    pathlib.Path
        The file that names the others.

    Raises
    ------
    ConfigError
        The folder exists and is not empty.

    Examples
    --------
    >>> import tempfile
    >>> from betapod.exchange.petab.petab_example import write_petab_example
    >>> write_petab_example(tempfile.mkdtemp()).name
    'problem.yaml'
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        message = "the folder exists and is not empty"
        raise ConfigError(Problem("folder-in-use", message, Location(str(folder)), hint="Choose another folder."))
    equations = "dA/dt = -k*A [mg/day] drug in the body\nA(0) = A0 [mg] drug in the body"
    rows = [Parameter("k", "rate of loss", 0.3, "1/day"), Parameter("A0", "dose", 10.0, "mg")]
    model = assemble("decay", [Part.from_text("Decay", equations)], ParameterTable(rows))
    texts = {"model.xml": write_sbml(model), "problem.yaml": _PROBLEM}
    texts |= {name: "\n".join("\t".join(map(str, row)) for row in table) + "\n" for name, table in _ROWS.items()}
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            write_atomic(folder / name, text.encode())
    return folder / "problem.yaml"
