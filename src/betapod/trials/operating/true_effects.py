"""The true effect that a comparison looks for, from the courses of the pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..analysis import endpoints
from . import replicate_summaries

if TYPE_CHECKING:
    from ..analysis.endpoints import Comparison
    from ..conduct.trial_data import TrialData
    from ..protocol.endpoint_keys import Endpoint


def truth_of(data: TrialData, endpoint: Endpoint, comparison: Comparison) -> str:
    """Return whose true effect `truth` gives: ``groups`` (their difference), ``cells``, ``treatment`` of the one group, or nothing.

    It is known for changes at a visit. Where an intercurrent event counts as a failure, what is compared is no change of a
    quantity, and the courses of the pool have no true value for it.
    """
    rules = endpoint.intercurrent
    strategies = {rules.rescue, rules.drop_out, rules.death, rules.kidney_failure}
    if strategies & {"composite", "principal stratum"}:
        return ""
    if comparison.control is not None and endpoint.measure != "difference":
        return ""
    if endpoint.summary not in ("change", "ratio") or (
        endpoint.summary == "ratio" and data.quantity(endpoints.endpoint_code(endpoint)).link != "log"
    ):
        return ""
    if comparison.control is not None:
        return "groups"
    arm = data.protocol.arms[comparison.treated]
    if arm.cells is not None:
        return "cells"
    return "treatment" if arm.therapies or arm.inputs else ""


def truth(data: TrialData, endpoint: Endpoint, comparison: Comparison, stratum: str | None) -> float:
    """Return the mean true effect that a comparison looks for, of what `truth_of` says; NaN where that is nothing.

    With a control it is the randomised contrast: each patient in the one arm against the same patient in the other. Without one
    it is each patient against the same patient without cells, or without the arm's therapies where there are no cells.
    """
    code, visit = endpoints.endpoint_code(endpoint), endpoints.endpoint_visit(data.protocol, endpoint)
    match truth_of(data, endpoint, comparison):
        case "groups":
            effect = replicate_summaries.true_contrast(
                data, code, visit, comparison.treated, str(comparison.control), stratum
            )
        case "cells":
            effect = replicate_summaries.true_effect(data, code, visit, comparison.treated, stratum)
        case "treatment":
            effect = replicate_summaries.true_treatment(data, code, visit, comparison.treated, stratum)
        case _:
            return float("nan")
    return float(np.nanmean(effect)) if np.isfinite(effect).any() else float("nan")
