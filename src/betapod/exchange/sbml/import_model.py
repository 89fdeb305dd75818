"""Import of one SBML model: quantities, reactions, events, rates, then the linked model with its report."""

from __future__ import annotations

from ...base.errors import ExchangeError
from ...model.assembly.model import Model
from ..foreign.import_report import ImportReport
from .model_builder import Builder
from .model_links import finish_rates, link_model, report_of
from .reactions import add_reactions, read_events


def import_model(builder: Builder) -> tuple[Model, ImportReport]:
    """Return the linked model and the report of the import.

    Raises
    ------
    ExchangeError
        With everything in the file that cannot be imported.
    """
    builder.read_quantities()
    add_reactions(builder)
    events = read_events(builder)
    finish_rates(builder)
    if builder.problems:
        raise ExchangeError(list(dict.fromkeys(builder.problems)))
    return link_model(builder, events), report_of(builder)
