"""Deaths and acute injuries of kidneys of people of the page: rates, factors of drugs, and each person's own random numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..hazards.drug_hazards import drug_hazards
from ..hazards.event_times import hazard_thresholds
from ..hazards.histories import histories
from ..hazards.kidney_injury import lost_share
from ..hazards.outcome_rates import DEATHS, ON_DIALYSIS
from ..hazards.risk import hazard_values

if TYPE_CHECKING:
    import pandas as pd

#: What can happen to people of the page besides what the model simulates.
_CAUSES = (*DEATHS, "aki")
#: Numbers of the table of hazards that these causes read.
_READ = (
    *("egfr_knee", "egfr_width", "egfr_gain", "egfr_healthy", "uacr_gain", "uacr_shape", "uacr_healthy", "uacr_least"),
    *("death_rate_65", "death_tau", "death_sex", "death_cvd", "death_hf"),
    *("cv_share_logit", "cv_share_kidney", "cv_share_cvd"),
    *("aki_rate_65", "aki_tau", "aki_knee", "aki_width", "aki_gain", "aki_uacr", "aki_uacr_anchor"),
    *("aki_filtration", "aki_days"),
)
#: Seed of the numbers that decide when an injury comes and what it takes: that of the command line where nothing else is said.
SEED = 1


def explorer_hazards() -> dict[str, Any]:
    """Return rates and factors of drugs as the page reads them."""
    values = hazard_values()
    return {
        "values": {name: values[name] for name in _READ},
        "drugs": [
            {"drugs": row.drug.split(" + "), "cause": row.cause, "factor": row.factor}
            for row in drug_hazards()
            if row.cause in _CAUSES
        ],
        "onDialysis": ON_DIALYSIS,
    }


def hazard_columns(table: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
    """Return what hazards read of people of a library besides their labs: histories, and the numbers that decide on an injury."""
    cvd, hf, _ = histories(table)
    people = table["person"].to_numpy(dtype=np.int64)
    return {
        # Without the deviation that a person's measurements have for months, which the lab has.
        "true_uacr": table["true_uacr"].to_numpy(dtype=np.float64),
        "cvd": cvd,
        "hf": hf,
        "injury_threshold": hazard_thresholds(SEED, "aki", people),
        "injury_share": lost_share(SEED, people),
    }
