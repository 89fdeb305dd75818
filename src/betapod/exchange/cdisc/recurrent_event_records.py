"""Recurrent events of a simulated study (ADREC): every event, and the time at risk before, between and after them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...hazards.outcome_rates import DEATHS
from ...trials.analysis.recurrent_events import event_histories
from ...trials.protocol.endpoint_keys import trial_outcome_label
from .cdisc_variables import CdiscDataset, repeated, typed_columns
from .simulated_study import ascii_text

if TYPE_CHECKING:
    import pandas as pd

    from ...trials.protocol.endpoint_keys import Endpoint
    from .simulated_study import SimulatedStudy


def recurrent_events(study: SimulatedStudy, carried: pd.DataFrame) -> CdiscDataset | None:
    """Return ADREC: one record for each event that a rate of the protocol counts, and one for the time at risk after the last; None without.

    From TSTART to AVAL a subject is at risk, as the counting process of Andersen and Gill has it: the records are what the model of Lin, Wei,
    Yang and Ying is fitted to, their sums what negative binomial regression counts.

    Parameters
    ----------
    carried
        Columns of ADSL by USUBJID, which every record repeats.
    """
    import pandas as pd

    protocol = study.protocol
    every = enumerate((protocol.endpoints.primary, *protocol.endpoints.secondary), 1)
    asked = [(number, endpoint) for number, endpoint in every if endpoint.summary == "recurrent events"]
    if not asked:
        return None
    records = pd.concat([_one_rate(study, number, endpoint) for number, endpoint in asked], ignore_index=True)
    records = records.sort_values(["USUBJID", "PARAMN", "EVNTN"], kind="stable", ignore_index=True)
    frame = repeated(carried, records["USUBJID"])
    frame["ASEQ"] = records.groupby("USUBJID").cumcount() + 1.0
    for name in records.columns.drop("USUBJID"):
        frame[name] = records[name]
    return CdiscDataset(
        "ADREC", "Recurrent Events Analysis Dataset", "BASIC DATA STRUCTURE", "One record per event per parameter per subject, and one after the last",
        ("STUDYID", "USUBJID", "PARAMCD", "EVNTN"), typed_columns(frame),
    )  # fmt: skip


def _one_rate(study: SimulatedStudy, number: int, endpoint: Endpoint) -> pd.DataFrame:
    import pandas as pd

    histories = event_histories(study.data, endpoint)
    watched, days, kinds = (study.of_subjects(a) for a in (histories.watched, histories.days, histories.kinds))
    counted = np.flatnonzero(np.isfinite(watched))
    subject, event = np.nonzero(np.isfinite(days))
    subjects = np.concatenate([subject, counted])
    happened = np.arange(len(subjects)) < len(subject)
    kind = np.concatenate([kinds[subject, event], np.full(len(counted), -1)])
    day = np.concatenate([days[subject, event], watched[counted]])
    table = pd.DataFrame({"subject": subjects, "kind": kind, "AVAL": day, "happened": happened})
    table = table.sort_values(["subject", "AVAL", "happened"], ascending=[True, True, False], ignore_index=True)
    labels = np.array([ascii_text(trial_outcome_label(name)).capitalize() for name in histories.names] + ["Censored"])
    sources = np.array(["DS" if name in DEATHS else "AE" for name in histories.names] + ["ADSL"])
    where, event_there = table["subject"].to_numpy(), table["happened"].to_numpy()
    gone = (study.died | study.left)[where] & (table["AVAL"].to_numpy() < study.last_planned_day)
    reason = np.where(study.died[where] & gone, "Death", np.where(gone, "Left the trial", "End of follow-up"))
    source = sources[table["kind"]]
    return pd.DataFrame(
        {
            "USUBJID": study.unique_subjects[where],
            "PARAM": ascii_text(f"{endpoint.name or endpoint.quantity}, every event (days)"),
            "PARAMCD": f"ENDPT{number:02d}",
            "PARAMN": float(number),
            "AVAL": table["AVAL"],
            "AVALU": "DAYS",
            "TSTART": table.groupby("subject")["AVAL"].shift(1, fill_value=0.0),
            "EVNTN": table.groupby("subject").cumcount() + 1.0,
            "STARTDT": study.dates(np.zeros(len(table))),
            "ADT": study.dates(table["AVAL"].to_numpy()),
            "ADY": table["AVAL"] + 1.0,
            "CNSR": np.where(event_there, 0.0, 1.0),
            "EVNTDESC": labels[table["kind"]],
            "CNSDTDSC": np.where(event_there, "", reason),
            "SRCDOM": source,
            "SRCVAR": pd.Series(source).map({"AE": "AESTDTC", "DS": "DSSTDTC", "ADSL": "EOSDT"}).to_numpy(),
            "SRCSEQ": np.nan,
        }
    )
