"""Unknowns by name: what a name means, and the prior that the package's tables give."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..base.constants import Z95
from ..base.errors import ConfigError, Problem, did_you_mean
from ..model.parameters.parameter import Parameter
from ..model.parameters.possible_values import drawn_range
from ..observables.variation import variations
from ..patients.population import MODEL_ROWS, population_table
from ..patients.reweighting import start_of, trait_names
from ..physiology import whole_body
from ..therapies import cell_parameters
from ..therapies.effect_factors import scalable_effects, sized_effects
from .fit_settings import UnknownSettings
from .installed_tables import with_former_range
from .unknown import Unknown

#: Share of what is possible that an effect may reach.
_MARGIN = 0.999
#: Prior SD of factors, of correlations and of drifts in care where the file says nothing.
_OF_FACTORS, _OF_CORRELATIONS, _OF_CARE = 0.3, 0.25, 4.0


def unknown_named(name: str, settings: UnknownSettings, scenario: str) -> Unknown:
    """Return an unknown; what the file does not say comes from the tables.

    Raises
    ------
    ConfigError
        The name means nothing (the nearest is given), or no prior can be made of its row.
    """
    kind = settings.kind or _kind_of(name)
    if kind in ("row", "cells"):
        return _of_row(name, kind, settings, scenario)
    start, transform, sd, unit, label = _of_kind(name, kind)
    least, most = _reach(name, kind)
    low = least if settings.low is None else max(settings.low, least)
    high = most if settings.high is None else min(settings.high, most)
    return Unknown(
        name, kind, unit, start, settings.transform or transform, settings.sd or sd, low, high, label, settings.why,
        settings.within_study,
    )  # fmt: skip


def candidate_rows(tables: list[str], roles: list[str]) -> Iterator[str]:
    """Return the rows of tables that a fit could look for: of some roles, the same for everybody, with a range."""
    varied_in_people = set(MODEL_ROWS)
    for table in tables:
        for row in _table(table):
            wanted = row.role in roles and row.distribution == "fixed" and row.id not in varied_in_people
            if wanted and math.isfinite(row.low) and row.low < row.high and row.value != 0.0:
                yield row.id


def _table(name: str) -> list[Parameter]:
    if name == "population":
        return list(population_table().values())
    if name == "cells":
        return list(cell_parameters.cell_parameter_table().values())
    rows = whole_body.model_parameters("reference").values()
    return [row for row in rows if row.location.file.endswith(f"{name}.csv")]


def _kind_of(name: str) -> str:
    """Return what a name means.

    Raises
    ------
    ConfigError
        Nothing.
    """
    if name.startswith("care "):
        return "care"
    if name in scalable_effects():
        return "drug"
    words = name.split()
    if len(words) > 1 and words[-1] in ("life", "measurement") and (words[0], words[-1]) in variations():
        return "visit"
    if len(words) == 2 and words[1] in ("median", "shift"):
        return "median"
    if len(words) == 2 and words[1] == "spread":
        return "spread"
    if len(words) == 3 and words[1] == "with":
        return "correlation"
    if name in cell_parameters.cell_parameter_table():
        return "cells"
    if name in whole_body.model_parameters("reference") or name in population_table():
        return "row"
    names = [*whole_body.model_parameters("reference"), *population_table(), *cell_parameters.cell_parameter_table()]
    hint = did_you_mean(name, [*names, *scalable_effects()])
    raise ConfigError(Problem("unknown-name", f"there is nothing called {name!r} to look for", hint=hint))


def _of_row(name: str, kind: str, settings: UnknownSettings, scenario: str) -> Unknown:
    table = (
        cell_parameters.cell_parameter_table(scenario)
        if kind == "cells"
        else population_table()
        if name in population_table()
        else whole_body.model_parameters("reference")
    )
    if name not in table:
        raise ConfigError(Problem("unknown-name", f"there is no row {name!r}", hint=did_you_mean(name, list(table))))
    # The range that a fit has written is its posterior: what was thought before any data is the range of before.
    row = with_former_range(table[name])
    if kind == "row" and (name in MODEL_ROWS or row.distribution != "fixed"):
        hint = f"Look for '{name} median' or '{name} spread'."
        raise ConfigError(Problem("own-row", f"people differ in {name!r}: it has no single value", hint=hint))
    least, most = drawn_range(row)
    low = least if settings.low is None else max(settings.low, least)
    high = most if settings.high is None else min(settings.high, most)
    transform = settings.transform or _transform(row)
    sd = settings.sd or _sd(row, transform)
    if sd is None:
        hint = "Give it in the file: sd, on the scale of its transform."
        raise ConfigError(Problem("no-prior", f"the table has no range for {name!r} to make a prior of", hint=hint))
    return Unknown(
        name, kind, row.unit, row.value, transform, sd, low, high, row.label, settings.why or row.source,
        settings.within_study or kind == "cells",
    )  # fmt: skip


def _transform(row: Parameter) -> str:
    if row.value > 0.0 and row.low > 0.0:
        return "log"
    return "linear"


def _sd(row: Parameter, transform: str) -> float | None:
    """Return a prior SD that makes the table's range the central 95 %; a narrow one where the start is off its middle."""
    if not (math.isfinite(row.low) and math.isfinite(row.high) and row.low < row.high):
        return None
    if transform == "log":
        return math.log(row.high / row.low) / (2.0 * Z95)
    return (row.high - row.low) / (2.0 * Z95)


def _reach(name: str, kind: str) -> tuple[float, float]:
    """Return the smallest and largest value that is possible: an effect of a drug must not take its input beyond its bounds."""
    if kind in ("drug", "median", "spread", "visit") and not name.endswith(" shift"):
        least, most = 0.0, math.inf
    elif kind == "correlation":
        return -1.0, 1.0
    else:
        return -math.inf, math.inf
    if kind == "drug":
        inputs = whole_body.named_model("reference").inputs
        for quantity, value in sized_effects(name):
            if quantity in inputs and value > 0.0:
                most = min(most, _MARGIN * drawn_range(inputs[quantity])[1] / value)
    return least, most


def _of_kind(name: str, kind: str) -> tuple[float, str, float, str, str]:
    """Return start, transform, SD of the prior, unit and label of an unknown that is no row."""
    if kind == "drug":
        if name not in scalable_effects():
            hint = did_you_mean(name, scalable_effects())
            raise ConfigError(Problem("unknown-effect", f"no therapy has the effect {name!r}", hint=hint))
        return 1.0, "log", _OF_FACTORS, "1", f"factor on the effect of {name}"
    if kind == "care":
        quantity = name.removeprefix("care ")
        inputs = whole_body.named_model("reference").inputs
        if quantity not in inputs:
            hint = did_you_mean(quantity, inputs)
            raise ConfigError(Problem("unknown-input", f"the model has no input {quantity!r}", hint=hint))
        return 0.0, "linear", _OF_CARE, inputs[quantity].unit, f"what care moves {quantity} by in studies"
    if kind == "visit":
        observable, _, cause = name.partition(" ")
        row = variations().get((observable, cause))
        if row is None:
            known_names = [f"{first} {second}" for first, second in variations()]
            raise ConfigError(
                Problem("unknown-variation", f"nothing says how {name!r} varies", hint=did_you_mean(name, known_names))
            )
        return row.sd, "log", _OF_FACTORS, "1" if row.scale == "log" else "", f"SD of {observable} by {cause}"
    start = start_of(name)
    trait = name.split()[0]
    if trait not in trait_names():
        raise ConfigError(
            Problem("unknown-trait", f"people have no trait {trait!r}", hint=did_you_mean(trait, trait_names()))
        )
    if kind == "correlation":
        return start, "atanh", _OF_CORRELATIONS, "1", f"rank correlation of {name.replace(' with ', ' and ')}"
    if start == 0.0:
        row_of = population_table().get(trait) or whole_body.model_parameters("reference")[trait]
        assert row_of.shape is not None
        return 0.0, "linear", 0.5 * row_of.shape[2], row_of.unit, f"shift of the mean of {trait}"
    return start, "log", _OF_FACTORS, "1", f"factor on the {name.split()[1]} of {trait} between people"
