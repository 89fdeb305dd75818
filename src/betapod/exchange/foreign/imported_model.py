"""Models that came from a file of another format."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from ...base.arguments import as_names
from ...model.assembly.model import Model
from ...model.parameters.table import ParameterTable
from .import_report import ImportReport


def _nothing(source: str | Path, inputs: Iterable[str]) -> ImportedModel:
    raise NotImplementedError


@dataclass(frozen=True, eq=False, repr=False)
class ImportedModel(Model):
    """A model that came from SBML or CellML, with the report of its import, and the file or text that it came from."""

    report: ImportReport = field(default_factory=lambda: ImportReport(0, 0))
    source: str | Path = ""
    reader: Callable[[str | Path, Iterable[str]], ImportedModel] = _nothing

    def with_inputs(self, names: Iterable[str]) -> ImportedModel:
        """Return the model with parameters as inputs, which schedules may change; values that were set stay.

        What the file computes once from a parameter, before the start, stays as it is when the input changes.

        Parameters
        ----------
        names
            Parameters; inputs stay inputs.

        Returns
        -------
        ImportedModel
            Another model; this one stays as it is.

        Raises
        ------
        ExchangeError
            What is no parameter of the file; the nearest is named.

        Examples
        --------
        >>> import betapod
        >>> model = betapod.read_sbml(betapod.write_sbml(betapod.load_model("topp2000")))
        >>> name = next(iter(model.parameters))
        >>> list(model.with_inputs([name]).inputs) == [name]
        True
        """
        wanted = as_names("names", names)
        again = self.reader(self.source, [*self.inputs, *wanted])
        values = {name: row.value for table in (self.parameters, self.inputs) for name, row in table.items()}
        rows = [replace(row, value=values[name]) for name, row in {**again.parameters, **again.inputs}.items()]
        table = ParameterTable(rows)
        return replace(again, parameters=table.select(again.parameters), inputs=table.select(again.inputs))


def imported(
    model: Model,
    report: ImportReport,
    source: str | Path,
    reader: Callable[[str | Path, Iterable[str]], ImportedModel],
) -> ImportedModel:
    """Return a model with where it came from, and what reads it again."""
    values = {f.name: getattr(model, f.name) for f in fields(Model)}
    return ImportedModel(**values, report=report, source=source, reader=reader)
