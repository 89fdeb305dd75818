"""What was measured in a simulated study: LB and VS of SDTM, and the basic data structures ADLB, ADVS and ADEFF of ADaM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...base.units import ucum
from ...observables.quantities import visit_observables
from .cdisc_variables import CdiscDataset, repeated, typed_columns
from .day_spans import day_spans
from .simulated_study import ascii_text, study_days

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from .simulated_study import SimulatedStudy

#: PARAMCDs that are vital signs; others with a code of LOINC, or of a graft, are of the laboratory, the rest belongs to neither.
VITAL_SIGNS = ("SBP", "DBP", "MAP", "WEIGHT")
_NO_LABORATORY = ("INSDOSE", "GBM", "MESANG")
#: PARAMCD -> test code of SDTM where it has another: LBTESTCD or VSTESTCD.
TEST_CODES = {"SBP": "SYSBP", "DBP": "DIABP", "FPG": "GLUC", "CPEP": "CPEPTIDE", "UACR": "ALBCREAT", "BUN": "UREAN"}
_CATEGORIES = {"UACR": "URINALYSIS", "HBA1C": "HEMATOLOGY"}
#: How a design defines the baseline, for BASETYPE.
_BASETYPES = {"screening": "SCREENING", "baseline": "ENROLMENT", "mean": "MEAN OF SCREENING AND ENROLMENT"}


def codes_by_dataset(codes: Sequence[str]) -> dict[str, list[str]]:
    """Return the PARAMCDs of ADLB, ADVS and ADEFF among those that were measured."""
    vital = [code for code in codes if code in VITAL_SIGNS]
    other = [code for code in codes if code in _NO_LABORATORY]
    laboratory = [code for code in codes if code not in vital and code not in other]
    return {"ADLB": laboratory, "ADVS": vital, "ADEFF": other}


def findings(study: SimulatedStudy, domain: str, codes: Sequence[str]) -> CdiscDataset:
    """Return LB or VS.

    Parameters
    ----------
    domain
        ``LB`` or ``VS``.
    codes
        PARAMCDs.
    """
    frame = _measurements(study, codes)
    observables = visit_observables()
    labels = {code: ascii_text(observables[code].label, 40) for code in codes}
    units = {code: ucum(observables[code].unit) for code in codes}
    loinc = {code: observables[code].loinc for code in codes}
    text = np.array([str(value) for value in frame["AVAL"].to_numpy(dtype=np.float32)], dtype=object)
    code = frame["PARAMCD"]
    columns = {
        "STUDYID": study.study_id,
        "DOMAIN": domain,
        "USUBJID": frame["USUBJID"],
        f"{domain}SEQ": frame.groupby("USUBJID").cumcount() + 1,
        f"{domain}TESTCD": code.map(lambda name: TEST_CODES.get(name, name)),
        f"{domain}TEST": code.map(labels),
        **({"LBCAT": code.map(lambda name: _CATEGORIES.get(name, "CHEMISTRY"))} if domain == "LB" else {}),
        f"{domain}ORRES": text,
        f"{domain}ORRESU": code.map(units),
        f"{domain}STRESC": text,
        f"{domain}STRESN": frame["AVAL"],
        f"{domain}STRESU": code.map(units),
        **({"LBLOINC": code.map(loinc)} if domain == "LB" else {}),
        f"{domain}BLFL": np.where(_last_before(frame), "Y", ""),
        "VISITNUM": frame["VISITNUM"],
        "VISIT": frame["VISIT"],
        "VISITDY": frame["VISITDY"],
        "EPOCH": np.where(frame["day"] < 0, "SCREENING", "TREATMENT"),
        f"{domain}DTC": study.iso_dates(frame["day"].to_numpy()),
        f"{domain}DY": study_days(frame["day"].to_numpy()),
    }
    import pandas as pd

    label = "Laboratory Test Results" if domain == "LB" else "Vital Signs"
    keys = ("STUDYID", "USUBJID", f"{domain}TESTCD", "VISITNUM")
    structure = "One record per test per visit per subject"
    return CdiscDataset(domain, label, "FINDINGS", structure, keys, typed_columns(pd.DataFrame(columns)))


def analysed_findings(
    study: SimulatedStudy, name: str, codes: Sequence[str], carried: pd.DataFrame, source: CdiscDataset | None
) -> CdiscDataset:
    """Return ADLB, ADVS or ADEFF.

    Parameters
    ----------
    codes
        PARAMCDs.
    carried
        Columns of ADSL by USUBJID, which every record repeats.
    source
        LB or VS of the same measurements in the same order; None for what SDTM has no domain of here.
    """
    import pandas as pd

    measured = _measurements(study, codes)
    domain = source.name if source is not None else ""
    measured["sequence"] = measured.groupby("USUBJID").cumcount() + 1.0
    baseline = study.protocol.baseline_visits(study.data.design)
    measured["is_baseline"] = measured["VISITNUM"].isin([visit + 1 for visit in baseline]) & (len(baseline) == 1)
    measured["DTYPE"], measured["AVISITN"], measured["AVISIT"] = "", measured["VISITNUM"], measured["VISIT"]
    if len(baseline) > 1:
        measured = pd.concat([measured, _means(study, measured, codes, baseline)], ignore_index=True)
    order = {code: k for k, code in enumerate(codes)}
    measured["PARAMN"] = measured["PARAMCD"].map(order) + 1.0
    measured = measured.sort_values(["subject", "PARAMN", "AVISITN"], kind="stable", ignore_index=True)
    after = measured["VISITNUM"].to_numpy() > max(baseline) + 1
    frame = repeated(carried, measured["USUBJID"])
    frame["ASEQ"] = measured.groupby("USUBJID").cumcount() + 1.0
    _parameters(frame, measured)
    _values(frame, study, measured, after)
    frame["BASETYPE"] = _BASETYPES[study.protocol.designs[study.data.design].baseline]
    frame["DTYPE"] = measured["DTYPE"]
    frame["ABLFL"] = np.where(measured["is_baseline"], "Y", "")
    frame["ANL01FL"] = np.where(after | measured["is_baseline"], "Y", "")
    frame["ONTRTFL"] = np.where(measured["day"] >= 0.0, "Y", "")
    frame["LOINC"] = measured["PARAMCD"].map({code: visit_observables()[code].loinc for code in codes})
    if source is not None:
        _traced(frame, measured, source, domain)
    labels = {
        "ADLB": "Laboratory Analysis Dataset",
        "ADVS": "Vital Signs Analysis Dataset",
        "ADEFF": "Other Measurements Analysis Dataset",
    }
    return CdiscDataset(
        name, labels[name], "BASIC DATA STRUCTURE", "One record per parameter per analysis visit per subject",
        ("STUDYID", "USUBJID", "PARAMCD", "AVISITN"), typed_columns(frame),
    )  # fmt: skip


def _measurements(study: SimulatedStudy, codes: Sequence[str]) -> pd.DataFrame:
    """Return what was measured, by subject, PARAMCD in the order of `codes` and visit."""
    import pandas as pd

    data, visits = study.data, len(study.data.visits)
    count = len(study.places)
    values = np.stack([study.of_subjects(data.observed[code]).astype(np.float64) for code in codes], axis=1)
    subject, code, visit = (
        np.broadcast_to(index, values.shape).reshape(-1)
        for index in (
            np.arange(count)[:, None, None],
            np.arange(len(codes))[None, :, None],
            np.arange(visits)[None, None, :],
        )
    )
    keep = np.isfinite(values.reshape(-1))
    subject, code, visit = subject[keep], code[keep], visit[keep]
    names = np.array([ascii_text(name, 40) for name in data.visits], dtype=object)
    return pd.DataFrame(
        {
            "subject": subject,
            "USUBJID": study.unique_subjects[subject],
            "PARAMCD": np.array(list(codes), dtype=object)[code],
            "VISITNUM": visit + 1.0,
            "VISIT": names[visit],
            "VISITDY": study_days(np.rint(np.array(study.protocol.days)))[visit],
            "day": study.visit_days[subject, visit],
            "AVAL": values.reshape(-1)[keep],
        }
    )


def _last_before(frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which records are the last of their subject and test on or before the day of enrolment."""
    early = frame[frame["day"] <= 0.0]
    last = early.groupby(["USUBJID", "PARAMCD"])["VISITNUM"].idxmax()
    flags = np.zeros(len(frame), dtype=bool)
    flags[last.to_numpy(dtype=np.intp)] = True
    return flags


def _means(study: SimulatedStudy, measured: pd.DataFrame, codes: Sequence[str], visits: Sequence[int]) -> pd.DataFrame:
    """Return the records of baselines that are means of several visits, as the design has them."""
    import pandas as pd

    last = max(visits) + 1.0
    used = measured[measured["VISITNUM"].isin([visit + 1 for visit in visits])]
    means = used.sort_values("VISITNUM", kind="stable").groupby(["subject", "PARAMCD"], as_index=False).last()
    for code in codes:
        base = study.of_subjects(study.data.base[code]).astype(np.float64)
        is_code = means["PARAMCD"] == code
        means.loc[is_code, "AVAL"] = base[means.loc[is_code, "subject"].to_numpy()]
    means = means[np.isfinite(means["AVAL"])].copy()
    means["is_baseline"], means["DTYPE"], means["sequence"] = True, "AVERAGE", np.nan
    means["AVISIT"], means["AVISITN"] = "Baseline (mean)", last + 0.5
    means["VISIT"] = ""
    return pd.DataFrame(means)


def _parameters(frame: pd.DataFrame, measured: pd.DataFrame) -> None:
    """Add when, what and how much."""
    observables = visit_observables()
    codes = measured["PARAMCD"].unique()
    labels = {
        code: ascii_text(
            f"{observables[code].label[0].upper()}{observables[code].label[1:]} ({observables[code].unit})"
        )
        for code in codes
    }
    frame["ADY"] = study_days(measured["day"].to_numpy())
    frame["ADT"] = frame["TRTSDT"] + day_spans(measured["day"])
    frame["AVISIT"], frame["AVISITN"] = measured["AVISIT"], measured["AVISITN"]
    frame["PARAM"], frame["PARAMCD"] = measured["PARAMCD"].map(labels), measured["PARAMCD"]
    frame["PARAMN"] = measured["PARAMN"]
    frame["PARCAT1"] = measured["PARAMCD"].map(
        lambda code: "VITAL SIGNS" if code in VITAL_SIGNS else "OTHER" if code in _NO_LABORATORY else "LABORATORY"
    )
    frame["AVAL"] = measured["AVAL"]


def _values(frame: pd.DataFrame, study: SimulatedStudy, measured: pd.DataFrame, after: NDArray[np.bool_]) -> None:
    """Add the baseline and what the value is against it."""
    base = np.full(len(frame), np.nan)
    for code in measured["PARAMCD"].unique():
        of_code = (measured["PARAMCD"] == code).to_numpy()
        baselines = study.of_subjects(study.data.base[code]).astype(np.float64)
        base[of_code] = baselines[measured.loc[of_code, "subject"].to_numpy()]
    value = frame["AVAL"].to_numpy()
    frame["BASE"] = base
    change = np.where(after, value - base, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(base != 0.0, change / base, np.nan)
        ratio = np.where(after & (base != 0.0), value / base, np.nan)
    frame["CHG"], frame["PCHG"], frame["R2BASE"] = change, 100.0 * share, ratio


def _traced(frame: pd.DataFrame, measured: pd.DataFrame, source: CdiscDataset, domain: str) -> None:
    """Add the record of SDTM that each value was made from."""
    sequence = measured["sequence"].to_numpy()
    traced = np.isfinite(sequence)
    frame["SRCDOM"] = np.where(traced, domain, "")
    frame["SRCVAR"] = np.where(traced, f"{domain}STRESN", "")
    frame["SRCSEQ"] = sequence
    names = [
        f"{domain}{part}"
        for part in ("SEQ", "TESTCD", "TEST", "CAT", "ORRES", "ORRESU", "STRESC", "STRESN", "STRESU", "BLFL")
    ]
    names += ["VISITNUM", "VISIT", "VISITDY", f"{domain}DTC", f"{domain}DY"]
    records = source.frame.set_index(["USUBJID", f"{domain}SEQ"], drop=False)
    wanted = [name for name in names if name in records]
    index = list(zip(measured["USUBJID"], sequence, strict=True))
    picked = records[wanted].reindex(index).reset_index(drop=True)
    for name in wanted:
        column = picked[name]
        frame[name] = column.fillna("") if column.dtype == object else column
