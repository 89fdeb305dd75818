"""CellML import: versions 1.0, 1.1 and 2.0, with imports from files beside; what cannot be computed is refused by name.

libcellml reads, flattens and analyses the file: it connects components, converts units where connected variables have different
ones, and tells what each equation determines. Time is in the unit of the variable of integration (`Model.time_unit`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ...base.arguments import as_names
from ...base.errors import ExchangeError, ModelError, Problem, UnitError
from ...base.units import parse_unit
from ...model.assembly.linking import link
from ...model.assembly.model import Model
from ..foreign.foreign_quantities import definitions_of, parameters_and_inputs, unfit_inputs, unknown_rates
from ..foreign.import_report import ImportReport
from ..foreign.imported_model import ImportedModel, imported
from ..foreign.mathml_operators import Unsupported
from .cellml_analysis import CellmlAnalysis, analyse_cellml
from .cellml_builder import CellmlBuilder
from .cellml_files import CellmlFile, open_files

#: Units that a note names; of more it tells how many.
_NAMED = 8
#: Letters of libcellml's warning that a note repeats.
_LONGEST = 240


def read_cellml(source: str | Path, inputs: Iterable[str] = ()) -> ImportedModel:
    """Read a model from a CellML file, with the files beside it that it imports, or from CellML text.

    Parameters
    ----------
    source
        Path of a file, or the text itself.
    inputs
        Parameters that schedules may change in the course of time. CellML does not tell them from others: by default there are none.

    Returns
    -------
    ImportedModel
        A `Model`, with the ``report`` of its import: a variable is called as in the file, with its component before it where
        several have that name; ``model.report.name("component.variable")`` tells which.

    Raises
    ------
    ExchangeError
        The file is not valid CellML (every error of libcellml at its place), or uses what betapod cannot compute: resets,
        reactions, equations that are not linear in the variable that they determine, imports from the network. All of them are
        named. Or an input is no parameter of the file.
    MissingExtraError
        The package libcellml is not installed.

    Examples
    --------
    >>> import betapod
    >>> text = '''<model xmlns="http://www.cellml.org/cellml/2.0#" name="clearance">
    ...   <units name="per_second"><unit units="second" exponent="-1"/></units>
    ...   <component name="plasma">
    ...     <variable name="time" units="second"/>
    ...     <variable name="drug" units="mole" initial_value="1"/>
    ...     <variable name="k" units="per_second" initial_value="0.1"/>
    ...     <math xmlns="http://www.w3.org/1998/Math/MathML"><apply><eq/>
    ...       <apply><diff/><bvar><ci>time</ci></bvar><ci>drug</ci></apply>
    ...       <apply><minus/><apply><times/><ci>k</ci><ci>drug</ci></apply></apply>
    ...     </apply></math>
    ...   </component>
    ... </model>'''
    >>> model = betapod.read_cellml(text)
    >>> model.state_names, model.units["k"], model.time_unit
    (('drug',), '1/s', 's')
    """
    wanted = frozenset(as_names("inputs", inputs))
    root = open_files(source)
    analysis = analyse_cellml(root)
    builder = CellmlBuilder(root, analysis, wanted)
    builder.name_everything()
    try:
        builder.read_numbers()
    except Unsupported as problem:
        raise ExchangeError(Problem("unsupported", f"{problem} is not supported", root.location())) from None
    builder.read_equations()
    builder.problems += unfit_inputs(builder)
    if builder.problems:
        raise ExchangeError(list(dict.fromkeys(builder.problems)))
    model = _linked(builder)
    return imported(model, _report(root, analysis, builder), source, read_cellml)


def _linked(builder: CellmlBuilder) -> Model:
    builder.motion.unrated = dict.fromkeys(builder.inputs, "needs an input, which schedules change")
    try:
        builder.motion.define_rates()
        definitions, rates = definitions_of(builder, builder.owners)
        parameters, inputs = parameters_and_inputs(builder, "CellML")
        name = builder.analysis.flat.name()
        unit = builder.time_unit if _is_time(builder.time_unit) else "1"
        model = link(name, definitions, rates, builder.initials, (), parameters, inputs, time_unit=unit)
    except ModelError as error:
        raise ExchangeError(error.problems) from None
    except ValueError as error:
        raise ExchangeError(Problem("unsupported", f"{error} is not supported", builder.root.location())) from None
    problems = unknown_rates(builder, model)
    if problems:
        raise ExchangeError(list(dict.fromkeys(problems)))
    return model


def _is_time(text: str) -> bool:
    """Return whether the variable of integration has a unit of time."""
    try:
        return parse_unit(text).compatible(parse_unit("s"))
    except UnitError:
        return False


def _report(root: CellmlFile, analysis: CellmlAnalysis, builder: CellmlBuilder) -> ImportReport:
    names: dict[str, str] = {}
    for component in _components(analysis.flat):
        for k in range(component.variableCount()):
            variable = component.variable(k)
            quantity = analysis.result.analyserVariable(variable)
            if quantity is None:
                continue
            number = (quantity.typeAsString(quantity.type()), int(quantity.index()))
            names[f"{component.name()}.{variable.name()}"] = builder.names.get(number, "t")
    return ImportReport(*root.version, names, ignored=tuple(analysis.ignored), notes=tuple(_notes(analysis, builder)))


def _components(holder: Any) -> Iterator[Any]:
    """Yield all components, those within others too."""
    for k in range(holder.componentCount()):
        component = holder.component(k)
        yield component
        yield from _components(component)


def _notes(analysis: CellmlAnalysis, builder: CellmlBuilder) -> Iterator[str]:
    """Yield what should be known of units before the numbers are trusted."""
    yield from analysis.notes
    if analysis.disagreeing:
        first = " ".join(analysis.disagreeing[0].split())
        first = first if len(first) <= _LONGEST else f"{first[:_LONGEST]} ..."
        count = len(analysis.disagreeing)
        formulas = "one formula" if count == 1 else f"{count:,} formulas"
        yield f"Units do not agree in {formulas}, computed as written; the first: {first}"
    unnamed = list(builder.unnamed_units)
    if unnamed:
        more = f" and {len(unnamed) - _NAMED} more" if len(unnamed) > _NAMED else ""
        names = ", ".join(unnamed[:_NAMED])
        yield f"Units that betapod cannot express are shown as 1, numbers are in the file's: {names}{more}."
    if not _is_time(builder.time_unit):
        yield "The variable of integration has no unit of time."
