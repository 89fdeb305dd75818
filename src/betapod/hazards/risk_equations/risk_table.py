"""Published risk equations for tables of people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from ...base.arguments import floats
from ...base.errors import ConfigError, Location, Problem, did_you_mean
from .egfr_decline_equation import DECLINE_YEARS, egfr_decline_range, egfr_decline_risk
from .equation_people import EquationPeople
from .kidney_failure_equation import (
    KFRE_REGIONS,
    KFRE_VARIABLES,
    KFRE_YEARS,
    kidney_failure_range,
    kidney_failure_risk,
)

if TYPE_CHECKING:
    import pandas as pd

_NEEDED = ("age", "female", "egfr", "uacr")
_NOT_ASKED = ("id", "person", "name")


def kidney_risk_table(people: pd.DataFrame | Mapping[str, Any]) -> pd.DataFrame:
    """Return every equation for every person; see `betapod.kidney_risks`."""
    import pandas as pd

    names = tuple(item.name for item in fields(EquationPeople))
    given_names = [str(name) for name in people if str(name) not in _NOT_ASKED]
    problems = [
        Problem("unknown-column", f"no equation reads {name!r}", Location(name), hint=did_you_mean(name, names))
        for name in given_names
        if name not in names
    ]
    problems += [
        Problem("missing-column", f"the equations need {name!r}", Location(name))
        for name in _NEEDED
        if name not in given_names
    ]
    if problems:
        raise ConfigError(problems)
    columns = {name: np.atleast_1d(floats(name, np.asarray(people[name]))) for name in given_names}
    lengths = {name: len(column) for name, column in columns.items() if len(column) != 1}
    if len(set(lengths.values())) > 1:
        text = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ConfigError(Problem("unequal-columns", "the columns have different lengths", found=text))
    read = EquationPeople(**columns)
    table: dict[str, Any] = {}
    for region in KFRE_REGIONS:
        for variables in KFRE_VARIABLES:
            for years in KFRE_YEARS:
                suffix = "" if region == KFRE_REGIONS[0] else f"_{region}"
                table[f"kfre{variables}_{years}y{suffix}"] = kidney_failure_risk(read, years, variables, region)
    table["kfre_in_range"] = kidney_failure_range(read)
    table[f"ckdpc_decline_{DECLINE_YEARS}y"] = egfr_decline_risk(read)
    table["ckdpc_in_range"] = egfr_decline_range(read)
    rows = max((len(np.atleast_1d(column)) for column in table.values()), default=1)
    return pd.DataFrame({name: np.broadcast_to(np.atleast_1d(column), (rows,)) for name, column in table.items()})
