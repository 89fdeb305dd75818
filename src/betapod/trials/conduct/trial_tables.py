"""Tables of a simulated trial: a long one of measurements, and one row per patient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

    from .trial_data import TrialData


def long_table(
    data: TrialData, replicates: Sequence[int] | None = None, codes: Sequence[str] | None = None, truth: bool = True
) -> pd.DataFrame:
    """Return what `TrialData.frame` does."""
    import pandas as pd

    selected = np.arange(data.replicates) if replicates is None else np.asarray(replicates)
    part = data.select(selected)
    n, v = part.patients, len(part.visits)
    shape = (len(selected), n, v)

    def spread(values: NDArray[np.generic]) -> NDArray[np.generic]:
        return np.broadcast_to(values, shape).reshape(-1)

    def named(names: Sequence[str], index: NDArray[np.integer]) -> pd.Categorical:
        codes: Any = spread(index).astype(np.int64)
        categories: pd.Categorical = pd.Categorical.from_codes(codes, categories=pd.Index(list(names), dtype=object))
        return categories

    tables = []
    for code in codes or part.codes:
        quantity = part.quantity(code)
        aval, base = part.observed[code].astype(np.float64), part.base[code].astype(np.float64)[:, :, None]
        columns = {
            "replicate": spread(selected[:, None, None]),
            "patient": spread(np.arange(n)[None, :, None]),
            "member": spread(part.member[:, :, None]),
            "arm": named(part.arms, np.maximum(part.arm, 0)[:, :, None]),
            "stratum": named(part.strata, np.maximum(part.stratum, 0)[:, :, None]),
            "visit": named(part.visits, np.arange(v)[None, None, :]),
            "AVISITN": spread(part.days[None, None, :]),
            "ADY": spread(part.day),
            "PARAMCD": named([code], np.zeros(1, dtype=np.int64)),
            "AVAL": aval.reshape(-1),
            "BASE": spread(base),
            "CHG": (aval - base).reshape(-1),
            "LOGCHG": part.change(code).reshape(-1) if quantity.link == "log" else np.full(aval.size, np.nan),
        }
        if truth:
            columns["TRUE"] = part.true(code).reshape(-1)
            columns["COUNTERFACTUAL"] = part.counterfactual(code).reshape(-1)
        table = pd.DataFrame(columns)
        tables.append(table[spread(part.enrolled[:, :, None]).astype(bool)])
    table_of_codes = pd.concat(tables, ignore_index=True)
    table_of_codes["PARAMCD"] = pd.Categorical(table_of_codes["PARAMCD"], categories=list(codes or part.codes))
    return table_of_codes


def patient_table(data: TrialData, replicates: Sequence[int] | None, endings: Sequence[str]) -> pd.DataFrame:
    """Return what `TrialData.people` does; `endings` are the dispositions by code."""
    import pandas as pd

    selected = np.arange(data.replicates) if replicates is None else np.asarray(replicates)
    part = data.select(selected)
    kept = part.enrolled.reshape(-1)
    member = part.member.reshape(-1)
    columns = {
        "replicate": np.repeat(selected, part.patients),
        "patient": np.tile(np.arange(part.patients), len(selected)),
        "member": member,
        "arm": np.array(part.arms, dtype=object)[part.arm.reshape(-1)],
        "stratum": np.array(part.strata, dtype=object)[part.stratum.reshape(-1)],
        **{name: values[np.maximum(member, 0)] for name, values in part.pool.people.items()},
        **{f"BASE_{code}": part.base[code].reshape(-1) for code in part.codes},
        "disposition": np.array(list(endings), dtype=object)[part.disposition.reshape(-1)],
        "disposition_day": part.disposition_day.reshape(-1),
        "rescued": part.rescued.reshape(-1),
        "kidney_failure": part.kidney_failure.reshape(-1),
        **{f"events_{name}": counts.reshape(-1) for name, counts in part.events.items()},
        **{f"day_{name}": day.reshape(-1) for name, day in part.outcome_days.items()},
    }
    return pd.DataFrame(columns)[kept].reset_index(drop=True)
