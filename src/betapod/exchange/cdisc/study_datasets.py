"""All data sets of a simulated study by standard: what `export_cdisc` writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...observables.quantities import visit_observables
from .cdisc_variables import CdiscDataset, typed_columns
from .event_records import adverse_events, analysed_events, dispositions
from .event_time_records import event_times, hierarchical_composite
from .exposure_records import analysed_exposure, exposure_dataset
from .measured_records import analysed_findings, codes_by_dataset, findings
from .recurrent_event_records import recurrent_events
from .subject_records import carried_variables, demographics, subject_level
from .trial_design_records import subject_visits, trial_design

if TYPE_CHECKING:
    from .simulated_study import SimulatedStudy


def sdtm_datasets(study: SimulatedStudy) -> list[CdiscDataset]:
    """Return DM, EX, LB, VS, AE, DS, SV and the trial design; LB and VS where something of theirs was measured."""
    exposure = exposure_dataset(study)
    codes = codes_by_dataset(study.data.codes)
    measured = [
        findings(study, domain, codes[name]) for domain, name in (("LB", "ADLB"), ("VS", "ADVS")) if codes[name]
    ]
    return [
        demographics(study, exposure),
        exposure,
        *measured,
        adverse_events(study),
        dispositions(study),
        subject_visits(study),
        *trial_design(study),
    ]


def adam_datasets(study: SimulatedStudy) -> list[CdiscDataset]:
    """Return ADSL, ADLB, ADVS, ADEFF, ADTTE, ADAE, ADEX, ADREC and ADHCE; those of measurements and of recurrent events where there are some."""
    exposure = exposure_dataset(study)
    adsl = subject_level(study, demographics(study, exposure), exposure)
    carried = carried_variables(adsl)
    datasets = [adsl]
    for name, codes in codes_by_dataset(study.data.codes).items():
        domain = {"ADLB": "LB", "ADVS": "VS"}.get(name)
        if codes:
            source = findings(study, domain, codes) if domain else None
            datasets.append(analysed_findings(study, name, codes, carried, source))
    datasets += [event_times(study, carried), analysed_events(adverse_events(study), carried)]
    datasets.append(analysed_exposure(study, exposure, carried))
    more = (recurrent_events(study, carried), hierarchical_composite(study, carried))
    return datasets + [dataset for dataset in more if dataset is not None]


def counterfactual_dataset(study: SimulatedStudy) -> CdiscDataset:
    """Return SIMTRUTH: what no sponsor sees, beside the study and never in its data sets.

    One record per subject, parameter and planned visit: the person's own value without error of measurement, and the value of the same
    person with the same random numbers without cells.
    """
    import numpy as np
    import pandas as pd

    frames = []
    for code in study.data.codes:
        true = study.of_subjects(study.data.true(code))
        without = study.of_subjects(study.data.counterfactual(code))
        subject, visit = np.nonzero(np.isfinite(true) | np.isfinite(without))
        frames.append(
            pd.DataFrame(
                {
                    "STUDYID": study.study_id,
                    "USUBJID": study.unique_subjects[subject],
                    "PARAM": f"{visit_observables()[code].label} ({visit_observables()[code].unit})",
                    "PARAMCD": code,
                    "AVISITN": visit + 1.0,
                    "TRUEVAL": true[subject, visit],
                    "COUNTFCT": without[subject, visit],
                }
            )
        )
    frame = pd.concat(frames, ignore_index=True)
    frame = frame.sort_values(["USUBJID", "PARAMCD", "AVISITN"], kind="stable", ignore_index=True)
    return CdiscDataset(
        "SIMTRUTH", "True Values and Values without Cells", "ADAM OTHER", "One record per parameter per visit per subject",
        ("STUDYID", "USUBJID", "PARAMCD", "AVISITN"), typed_columns(frame),
    )  # fmt: skip
