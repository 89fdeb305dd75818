"""Rules of ADaM for values by parameter, times to events, events, exposure, and the hierarchical composite."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .adam_rule import (
    AdamRule,
    CheckedDataset,
    Violation,
    differ,
    many_to_one,
    of_dataset,
    of_records,
    relative_days,
    unequal,
)

_PARAMCD = re.compile(r"[A-Z_][A-Z0-9_]{0,7}")


def value_rules() -> tuple[AdamRule, ...]:
    """Return the rules of data sets with parameters, and of measurements."""

    def rows(id: str, text: str, names: tuple[str, ...], broken: object) -> AdamRule:
        return of_records(id, text, names, broken, lambda c: c.has_parameters)  # type: ignore[arg-type]

    def measured(id: str, text: str, names: tuple[str, ...], broken: object) -> AdamRule:
        return of_records(id, text, names, broken, lambda c: c.has_measurements)  # type: ignore[arg-type]

    def pairs(id: str, text: str, first: str, second: str) -> AdamRule:
        return of_dataset(id, text, lambda c: _one_to_one(c, first, second), lambda c: c.has_parameters)

    return (
        rows("V01", "PARAMCD is never empty", ("PARAMCD",), lambda c: c["PARAMCD"] == ""),
        rows("V02", "PARAM is never empty", ("PARAM",), lambda c: c["PARAM"] == ""),
        pairs("V03", "a PARAM has one PARAMCD, and a PARAMCD one PARAM", "PARAM", "PARAMCD"),
        rows("V04", "PARAMCD has at most 8 capitals and digits, a letter first", ("PARAMCD",), lambda c: [not _PARAMCD.fullmatch(t) for t in c["PARAMCD"]]),
        of_dataset("V05", "there is PARAM", lambda c: iter(() if "PARAM" in c.frame else (Violation("PARAM", 0, "is not there"),)), lambda c: c.has_parameters),
        of_dataset("V06", "a PARAMCD has one PARCAT1", _categories, lambda c: c.has_parameters and "PARCAT1" in c.frame),
        of_dataset("V07", "an AVALC has one AVAL within a parameter", _texts_of_values, lambda c: c.has_parameters),
        measured("V08", "a subject has at most one baseline (ABLFL Y) of a parameter", ("ABLFL", "PARAMCD", "USUBJID"), _second_baseline),
        measured("V09", "where BASE is there, there is a record with ABLFL Y", ("BASE", "ABLFL", "USUBJID"), _without_baseline),
        measured("V10", "BASE is AVAL of the record with ABLFL Y", ("BASE", "AVAL", "ABLFL", "USUBJID"), _other_baseline),
        measured("V11", "BASE is one value of a subject and parameter", ("BASE", "USUBJID"), _changing_baseline),
        measured("V12", "CHG is AVAL - BASE", ("CHG", "AVAL", "BASE"), lambda c: _given(c["CHG"]) & unequal(c["CHG"], c["AVAL"] - c["BASE"])),
        measured("V13", "PCHG is 100 * (AVAL - BASE) / BASE", ("PCHG", "AVAL", "BASE"), lambda c: _given(c["PCHG"]) & differ(c["PCHG"], 100.0 * (c["AVAL"] - c["BASE"]) / c["BASE"])),
        measured("V14", "R2BASE is AVAL / BASE", ("R2BASE", "AVAL", "BASE"), lambda c: _given(c["R2BASE"]) & differ(c["R2BASE"], c["AVAL"] / c["BASE"])),
        measured("V15", "there is no CHG without BASE", ("CHG", "BASE"), lambda c: c["CHG"].notna() & c["BASE"].isna()),
        measured("V16", "the baseline is not after treatment begins", ("ABLFL", "ADT", "TRTSDT"), lambda c: (c["ABLFL"] == "Y") & (np.floor(c.days("ADT")) > c.days("TRTSDT"))),
        rows("V17", "ADY is the study day of ADT", ("ADY", "ADT", "TRTSDT"), lambda c: differ(c["ADY"], relative_days(c.days("ADT"), c.days("TRTSDT")))),
        rows("V18", "there is no ADY without ADT", ("ADY", "ADT"), lambda c: c["ADY"].notna() & c["ADT"].isna()),
        measured("V19", "AVISIT is there where AVISITN is, and the other way round", ("AVISIT", "AVISITN"), lambda c: (c["AVISIT"] == "") != c["AVISITN"].isna()),
        measured("V20", "a subject has one record to be analysed (ANL01FL Y) of a parameter and visit", ("ANL01FL", "AVISIT", "USUBJID"), _second_analysed),
        rows("V21", "SRCSEQ goes with SRCDOM and SRCVAR", ("SRCSEQ", "SRCDOM", "SRCVAR"), lambda c: c["SRCSEQ"].notna() & ((c["SRCDOM"] == "") | (c["SRCVAR"] == ""))),
        rows("V22", "TRTP is never empty", ("TRTP",), lambda c: (c["TRTP"] == "") if "TRTP" in c.frame else np.zeros(len(c.frame))),
        rows("V23", "TRTP is TRT01P of ADSL where there is one period", ("TRTP", "TRT01P"), _other_treatment),
        measured("V24", "ONTRTFL is Y from the start of treatment on alone", ("ONTRTFL", "ADT", "TRTSDT"), lambda c: (c["ONTRTFL"] == "Y") & (c.days("ADT") < c.days("TRTSDT"))),
        measured("V25", "nothing is measured after death", ("ADT", "DTHDT"), lambda c: np.floor(c.days("ADT")) > c.days("DTHDT")),
        measured("V26", "a record that is imputed or derived (DTYPE) has a value", ("DTYPE", "AVAL"), _derived_without_value),
        measured("V27", "AVAL is the result of SDTM that the record repeats", ("AVAL", "LBSTRESN", "DTYPE"), lambda c: (c["DTYPE"] == "") & differ(c["AVAL"], c["LBSTRESN"])),
    )  # fmt: skip


def event_rules() -> tuple[AdamRule, ...]:
    """Return the rules of times to events, of events, exposure, and the hierarchical composite."""

    def times(id: str, text: str, names: tuple[str, ...], broken: object) -> AdamRule:
        return of_records(id, text, names, broken, lambda c: c.has_times)  # type: ignore[arg-type]

    def events(id: str, text: str, names: tuple[str, ...], broken: object) -> AdamRule:
        return of_records(id, text, names, broken, lambda c: "AETERM" in c.frame)  # type: ignore[arg-type]

    def doses(id: str, text: str, names: tuple[str, ...], broken: object) -> AdamRule:
        return of_records(id, text, names, broken, lambda c: "EXTRT" in c.frame)  # type: ignore[arg-type]

    def groups(id: str, text: str, names: tuple[str, ...], broken: object) -> AdamRule:
        return of_records(id, text, names, broken, lambda c: "GROUPN" in c.frame)  # type: ignore[arg-type]

    return (
        times("T01", "CNSR is a whole number from 0", ("CNSR",), lambda c: ~(c["CNSR"] >= 0.0) | (c["CNSR"] % 1.0 != 0.0)),
        times("T02", "AVAL is there, and not below 0", ("AVAL",), lambda c: ~(c["AVAL"] >= 0.0)),
        times("T03", "STARTDT is there", ("STARTDT",), lambda c: c["STARTDT"].isna()),
        times("T04", "nothing happens before STARTDT", ("ADT", "STARTDT"), lambda c: c.days("ADT") < c.days("STARTDT")),
        times("T05", "AVAL in days is ADT - STARTDT, or one more, the same in every record", ("AVAL", "ADT", "STARTDT"), _other_time),
        times("T06", "EVNTDESC is there", ("EVNTDESC",), lambda c: c["EVNTDESC"] == ""),
        times("T07", "CNSDTDSC is there for those without the event", ("CNSDTDSC", "CNSR"), lambda c: (c["CNSR"] > 0.0) & (c["CNSDTDSC"] == "")),
        times("T08", "a subject has one record of a parameter, or one of each number of an event (EVNTN)", ("PARAMCD", "USUBJID"), lambda c: c.frame.duplicated(["USUBJID", "PARAMCD", *(["EVNTN"] if "EVNTN" in c.frame else [])])),
        times("T09", "nobody has an event after death", ("ADT", "DTHDT", "CNSR", "SRCDOM"), lambda c: (c["CNSR"] == 0.0) & c["SRCDOM"].isin(["AE", "DS"]) & (c.days("ADT") > c.days("DTHDT"))),
        times("T10", "of recurrent events time at risk goes on (TSTART) where the record before ended (AVAL)", ("TSTART", "AVAL", "EVNTN", "USUBJID"), lambda c: unequal(c["TSTART"], _ended_before(c))),
        times("T11", "of recurrent events one record alone, the last of a subject, is none", ("CNSR", "EVNTN", "USUBJID"), lambda c: (c["CNSR"] > 0.0) != ~c.frame.sort_values("EVNTN").duplicated(["USUBJID", "PARAMCD"], keep="last").sort_index()),
        events("E01", "AETERM is never empty", ("AETERM",), lambda c: c["AETERM"] == ""),
        events("E02", "AEDECOD is never empty", ("AEDECOD",), lambda c: c["AEDECOD"] == ""),
        events("E03", "AESER is Y or N", ("AESER",), lambda c: ~c["AESER"].isin(["Y", "N"])),
        events("E04", "AESEQ is unique within the subject", ("AESEQ", "USUBJID"), lambda c: c.frame.duplicated(["USUBJID", "AESEQ"])),
        events("E05", "what is treatment-emergent (TRTEMFL Y) is not before treatment", ("TRTEMFL", "ASTDT", "TRTSDT"), lambda c: (c["TRTEMFL"] == "Y") & (c.days("ASTDT") < c.days("TRTSDT"))),
        events("E06", "a subject has one first event (AOCCFL Y)", ("AOCCFL", "USUBJID"), lambda c: _flagged_again(c, "AOCCFL", ["USUBJID"])),
        events("E07", "a subject has one first event of a term (AOCCPFL Y)", ("AOCCPFL", "AEDECOD", "USUBJID"), lambda c: _flagged_again(c, "AOCCPFL", ["USUBJID", "AEDECOD"])),
        events("E08", "ASTDT is the day of AESTDTC where that is complete", ("ASTDT", "AESTDTC"), lambda c: _other_day(c, "ASTDT", "AESTDTC")),
        of_records("E09", "nothing ends before it begins", ("AENDT", "ASTDT"), lambda c: c.days("AENDT") < c.days("ASTDT")),
        of_records("E10", "ASTDY is the study day of ASTDT", ("ASTDY", "ASTDT", "TRTSDT"), lambda c: differ(c["ASTDY"], relative_days(c.days("ASTDT"), c.days("TRTSDT")))),
        of_records("E11", "AENDY is the study day of AENDT", ("AENDY", "AENDT", "TRTSDT"), lambda c: differ(c["AENDY"], relative_days(c.days("AENDT"), c.days("TRTSDT")))),
        doses("E12", "EXTRT is never empty, but in summaries by parameter", ("EXTRT",), lambda c: (c["EXTRT"] == "") & ("PARAMCD" not in c.frame)),
        doses("E13", "EXDOSE is not below 0", ("EXDOSE",), lambda c: c["EXDOSE"] < 0.0),
        doses("E14", "a dose has a unit", ("EXDOSE", "EXDOSU"), lambda c: (c["EXDOSE"] > 0.0) & (c["EXDOSU"] == "")),
        doses("E15", "EXDURD is AENDT - ASTDT + 1", ("EXDURD", "AENDT", "ASTDT"), lambda c: differ(c["EXDURD"], c.days("AENDT") - c.days("ASTDT") + 1.0)),
        groups("E16", "AVAL is GROUPN + AVAL0", ("AVAL", "GROUPN", "AVAL0"), lambda c: unequal(c["AVAL"], c["GROUPN"] + c["AVAL0"])),
        groups("E17", "a subject has one record of the hierarchy", ("GROUPN", "USUBJID"), lambda c: c.frame.duplicated("USUBJID")),
        of_dataset("E18", "a GROUP has one GROUPN, and a GROUPN one GROUP", lambda c: _one_to_one(c, "GROUP", "GROUPN"), lambda c: "GROUPN" in c.frame),
        groups("E19", "no value of a better group is below one of a worse group", ("AVAL", "GROUPN"), _groups_overlap),
    )  # fmt: skip


def _ended_before(checked: CheckedDataset) -> NDArray[np.float64]:
    """Return AVAL of the record of the event before, of the same subject and parameter; 0 for the first."""
    ordered = checked.frame.sort_values(["USUBJID", "PARAMCD", "EVNTN"])
    before = ordered.groupby(["USUBJID", "PARAMCD"])["AVAL"].shift(1, fill_value=0.0)
    return before.sort_index().to_numpy(dtype=np.float64)


def _given(column: object) -> NDArray[np.bool_]:
    return np.isfinite(np.asarray(column, dtype=np.float64))


def _one_to_one(checked: CheckedDataset, first: str, second: str) -> Iterator[Violation]:
    if first in checked.frame and second in checked.frame:
        for pair in ((first, second), (second, first)):
            if example := many_to_one(checked.frame, *pair):
                yield Violation(pair[0], 0, example)


def _categories(checked: CheckedDataset) -> Iterator[Violation]:
    if example := many_to_one(checked.frame, "PARAMCD", "PARCAT1"):
        yield Violation("PARCAT1", 0, example)


def _texts_of_values(checked: CheckedDataset) -> Iterator[Violation]:
    frame = checked.frame
    if "AVALC" in frame and "AVAL" in frame:
        both = frame[(frame["AVALC"] != "") & frame["AVAL"].notna()]
        several = both.groupby(["PARAMCD", "AVALC"])["AVAL"].nunique()
        if len(several) and bool((several > 1).any()):
            yield Violation("AVALC", 0, f"PARAMCD and AVALC {several.idxmax()}")


def _keys(checked: CheckedDataset) -> list[str]:
    return [name for name in ("USUBJID", "PARAMCD", "BASETYPE") if name in checked.frame]


def _second_baseline(checked: CheckedDataset) -> NDArray[np.bool_]:
    is_baseline = checked["ABLFL"] == "Y"
    return np.asarray(
        is_baseline
        & checked.frame[is_baseline].duplicated(_keys(checked)).reindex(checked.frame.index, fill_value=False)
    )


def _baselines(checked: CheckedDataset) -> NDArray[np.float64]:
    """Return AVAL of the baseline of each record's subject and parameter; NaN without."""
    frame, keys = checked.frame, _keys(checked)
    flagged = frame[frame["ABLFL"] == "Y"].drop_duplicates(keys).set_index(keys)["AVAL"]
    return flagged.reindex(list(frame[keys].itertuples(index=False, name=None))).to_numpy(dtype=np.float64)


def _without_baseline(checked: CheckedDataset) -> NDArray[np.bool_]:
    return _given(checked["BASE"]) & ~_given(_baselines(checked))


def _other_baseline(checked: CheckedDataset) -> NDArray[np.bool_]:
    return differ(checked["BASE"], _baselines(checked))


def _changing_baseline(checked: CheckedDataset) -> NDArray[np.bool_]:
    first = checked.frame.groupby(_keys(checked))["BASE"].transform("first")
    return differ(checked["BASE"], first)


def _derived_without_value(checked: CheckedDataset) -> object:
    empty = (checked["DTYPE"] != "") & checked["AVAL"].isna()
    return empty & (checked["AVALC"] == "") if checked.has("AVALC") else empty


def _second_analysed(checked: CheckedDataset) -> NDArray[np.bool_]:
    names = [*_keys(checked), *(name for name in ("AVISIT", "ATPT", "DTYPE") if name in checked.frame)]
    flagged = checked["ANL01FL"] == "Y"
    return np.asarray(flagged & checked.frame[flagged].duplicated(names).reindex(checked.frame.index, fill_value=False))


def _other_treatment(checked: CheckedDataset) -> object:
    one_period = checked.subjects is not None and "TRT02P" not in checked.subjects and "TRTP" in checked.frame
    return (checked["TRTP"] != checked["TRT01P"]) if one_period else np.zeros(len(checked.frame), dtype=bool)


def _other_time(checked: CheckedDataset) -> object:
    """Return where a time in days is not that between its dates; of times in other units nothing is said."""
    frame = checked.frame
    words = frame["PARAM"].str.lower() if "PARAM" in frame else frame["PARAMCD"].str.lower()
    in_days = (
        (frame["AVALU"].str.upper() == "DAYS") if "AVALU" in frame else words.str.contains(r"\(days?\)", regex=True)
    )
    beyond = frame["AVAL"].to_numpy() - (np.floor(checked.days("ADT")) - np.floor(checked.days("STARTDT")))
    usual = 1.0 if np.nanmedian(np.append(beyond[in_days], 0.0)) > 0.5 else 0.0
    return in_days.to_numpy() & (np.abs(beyond - usual) > 1e-6)


def _flagged_again(checked: CheckedDataset, flag: str, keys: list[str]) -> NDArray[np.bool_]:
    flagged = checked[flag] == "Y"
    return np.asarray(flagged & checked.frame[flagged].duplicated(keys).reindex(checked.frame.index, fill_value=False))


def _other_day(checked: CheckedDataset, date: str, text: str) -> object:
    column = checked[date]
    if column.dtype.kind != "M":
        return np.zeros(len(column), dtype=bool)
    texts = checked[text].str.slice(0, 10)
    return (texts.str.len() == 10) & (texts != column.dt.strftime("%Y-%m-%d").fillna(""))


def _groups_overlap(checked: CheckedDataset) -> NDArray[np.bool_]:
    """Return which records lie below the best of a worse group."""
    frame = checked.frame
    best = frame.groupby("GROUPN")["AVAL"].max().sort_index().cummax().shift(1)
    return np.asarray(frame["AVAL"] < frame["GROUPN"].map(best))
