"""A model from a file of SBML or CellML, whichever it is."""

from __future__ import annotations

from pathlib import Path

from .foreign.imported_model import ImportedModel

#: Letters at the beginning of a file in which it says what it is.
_BEGINNING = 10_000


def read_model_file(path: Path) -> ImportedModel:
    """Return the model of a file: CellML by its ending, or because it says so, else SBML.

    Raises
    ------
    ExchangeError
        Everything that is wrong with the file.
    """
    from .cellml.cellml_tree import is_cellml
    from .cellml.read_cellml import read_cellml
    from .sbml.read import read_sbml

    with path.open("rb") as file:
        beginning = file.read(_BEGINNING)
    return read_cellml(path) if path.suffix.lower() == ".cellml" or is_cellml(beginning) else read_sbml(path)
