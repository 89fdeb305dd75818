"""One trial as it would be published: covariance, mixed model, hazard ratio."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import MissingExtraError
from . import endpoints, findings, survival
from .analysis import Estimate
from .endpoints import Comparison, analyse, comparisons

if TYPE_CHECKING:
    from .data import TrialData
    from .protocol import Endpoint


def one_trial(data: TrialData, place: dict[str, str], replicate: int) -> list[Any]:
    """Return the analyses of one trial; the mixed model only where statsmodels is installed."""
    endpoint = data.protocol.endpoints.primary
    one = data.select([replicate])
    rows: list[Any] = []
    for comparison in comparisons(data.protocol, data.design):
        if comparison.control is None or endpoint.summary not in ("change", "ratio"):
            continue
        found = {"analysis of covariance": analyse(one, endpoint, comparison)}
        with suppress(MissingExtraError):
            found["mixed model of all visits"] = _mixed(one, endpoint, comparison)
        rows += [
            place
            | {"replicate": replicate, "treated": comparison.treated, "control": comparison.control, "analysis": name}
            | {"quantity": endpoints.code(endpoint), **each.at(0)}
            for name, each in found.items()
        ]
        if "EGFR" in data.codes:
            time, event = findings.kidney_events(one)
            first, second = (findings.chosen(one, arm) for arm in (comparison.treated, comparison.control))
            hazard = survival.cox(np.where(first | second, time, np.nan), event, first.astype(float))
            if np.isfinite(hazard.effect).all():
                more = {"replicate": replicate, "treated": comparison.treated, "control": comparison.control}
                rows.append(place | more | {"analysis": "hazard of a kidney event", "quantity": "EGFR", **hazard.at(0)})
    return rows


def _mixed(one: TrialData, endpoint: Endpoint, comparison: Comparison) -> Estimate:
    """Return the mixed model of all visits up to that of the endpoint in one trial."""
    import pandas as pd

    from .models import repeated

    code = endpoints.code(endpoint)
    last = one.visit(endpoints.visit(one.protocol, endpoint))
    after = [v for v in range(last + 1) if one.days[v] > 0]
    first = findings.chosen(one, comparison.treated)[0]
    keep = first | findings.chosen(one, str(comparison.control))[0]
    change = one.change(code)[0][:, after]
    base = one.quantity(code).forward(one.base[code][0].astype(float))
    rows = np.flatnonzero(keep)
    table = pd.DataFrame(
        {
            "patient": np.repeat(rows, len(after)),
            "treated": np.repeat(first[rows].astype(float), len(after)),
            "day": np.tile(one.days[after], len(rows)),
            "value": change[rows].reshape(-1),
            "base": np.repeat(base[rows], len(after)),
        }
    )
    return repeated(table, float(one.days[last]))
